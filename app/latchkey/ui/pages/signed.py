"""Signed: the grant goes to whoever asked for it, as QR code, text, file or link."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.accounts.system import system
from latchkey.codec.files import SUFFIX
from latchkey.codec.hand_over import Envelope, decode, to_json
from latchkey.codec.link import PREFIX, to_link
from latchkey.core.callback import host_of, with_answer
from latchkey.core.digest_words import digest_words
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.request import SessionRequest
from latchkey.core.types import to_hex
from latchkey.errors import BadInput, LatchkeyError
from latchkey.flow.narrowing import changes
from latchkey.flow.requests import Record, Source
from latchkey.flow.similar import Replacing
from latchkey.language import tr
from latchkey.offline import is_offline
from latchkey.store.records import GrantRecord, GrantState, KeyOrigin
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.grant_rows import still_valid
from latchkey.ui.pages.parameters import ParametersDialog
from latchkey.ui.pages.returning import offer_return
from latchkey.ui.pages.signed_key import KeySection
from latchkey.ui.pages.signed_waiting import WaitingCard
from latchkey.ui.times import utc_time
from latchkey.ui.widgets import (
    Banner,
    Card,
    Chip,
    DigestView,
    Heading,
    Muted,
    Page,
    PhraseLabel,
    PhraseList,
    clear_layout,
    confirm,
    link,
    primary,
    secondary,
)
from latchkey.ui.widgets.export import copy_text, write_file
from latchkey.ui.widgets.qr_player import QrPlayer, retitle

if TYPE_CHECKING:
    pass

_ASIDE = tr("Whoever has a copy can use it until then. To end it sooner it has to be revoked on the network.")
_NOTHING_YET = tr("Nothing is on chain yet: the dApp's first call installs it.")
_STAYS = tr("Nothing has left this computer.")


@dataclass(frozen=True, slots=True)
class Opened:
    """A grant and its hand-over, whole (`raw`) and read."""

    record: GrantRecord
    raw: bytes
    envelope: Envelope


class SignedPage(Page):
    """`enter(id)`: the signed grant of the book that is to be handed over."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Session granted"))
        self._context = context
        self._opened: Opened | None = None
        self._back_to = ""
        self._so_far = Muted(_NOTHING_YET, wrap=False)
        self.chip = Chip(tr("Signed"), "good")
        self.header.addWidget(self._so_far)
        self.beside.addWidget(self.chip)
        self.trouble = Banner("danger")
        self.body.addWidget(self.trouble)
        self.qr = QrCard()
        self.key = KeySection(context)
        self.qr.changed.connect(self.key.set_qr_hidden)
        self._side = self._hand_over()
        self._both = QWidget()
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._both)
        self._cards.setContentsMargins(0, 0, 0, 0)
        self._cards.setSpacing(theme.space(2))
        self._cards.addWidget(self.qr, 1)
        self._cards.addWidget(self._side, 1)
        self.body.addWidget(self._both, 1)
        self.waiting = WaitingCard(context)
        self.waiting.released.connect(lambda number: self._read(number))
        self.body.addWidget(self.waiting)
        self.body.addStretch(0)
        self.aside = secondary(tr("Put aside…"), self._ask_aside)
        self.done = primary(tr("Done"), self._done)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.aside)
        self.buttons.addWidget(self.done)
        self.show_buttons()

    def _hand_over(self) -> QWidget:
        card = Card()
        self._to = PhraseLabel(strong=True)
        self.copy = secondary(tr("Copy grant"), self._copy_grant, icon_name="copy")
        self.save = secondary(tr("Save file…"), self._save, icon_name="save")
        self.copy_link = secondary(tr("Copy link"), self._copy_link, icon_name="link")
        ways = QHBoxLayout()
        ways.setSpacing(theme.space(1))
        for button in (self.copy, self.save, self.copy_link):
            ways.addWidget(button)
        ways.addStretch(1)
        self.back = primary(tr("Return"), self._return, icon_name="forward")
        self._told = Banner("good")
        self._next = QVBoxLayout()
        self._next.setSpacing(theme.space(0.5))
        self._less_title, self._less = Heading(tr("Less than was asked")), PhraseList()
        self._less_note = Muted(tr("The reply says so to the dApp."))
        self._digest = DigestView()
        self.developers = link(tr("For developers"), self._show_parameters)
        self.break_glass = link(tr("Sign its end ahead, for a bad day…"), self._open_break_glass)
        self.break_glass.setVisible(not is_offline())
        card.body.addWidget(self._to)
        card.body.addWidget(self._told)
        card.body.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        card.body.addLayout(ways)
        card.body.addSpacing(theme.space(1.5))
        card.body.addWidget(self.key)
        card.body.addSpacing(theme.space(1.5))
        card.body.addWidget(Heading(tr("What happens next")))
        card.body.addLayout(self._next)
        for part in (self._less_title, self._less, self._less_note):
            card.body.addWidget(part)
        card.body.addSpacing(theme.space(1.5))
        card.body.addWidget(Heading(tr("The digest you signed")))
        card.body.addWidget(self._digest)
        card.body.addStretch(1)
        card.body.addWidget(self.break_glass, 0, Qt.AlignmentFlag.AlignLeft)
        card.body.addWidget(self.developers, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    # --- showing

    def enter(self, payload: object) -> None:
        if isinstance(payload, int):
            self._read(payload)
        self.copy.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side where there is room for both, else one above the other."""
        super().resizeEvent(event)
        needed = sum(card.minimumSizeHint().width() for card in (self.qr, self._side)) + theme.space(12)
        stacked = self.width() < needed
        self._cards.setDirection(QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.qr.forget()

    def _read(self, number: int) -> None:
        try:
            record = self._context.book.grant(number)
            raw = record.envelope or b""
            waits = not Replacing(self._context.book, self._context.clock).release_if_gone(record)
            self._opened = None if waits else Opened(record, raw, decode(raw))
        except LatchkeyError as error:
            waits, self._opened = False, None
            self.trouble.set("danger", tr("This grant cannot be handed over."), error.text)
        for part in (self._both, self.aside):
            part.setVisible(self._opened is not None)
        self.trouble.setVisible(self._opened is None and not waits)
        self.waiting.setVisible(waits)
        self.chip.set_state(*((tr("Waiting"), "accent") if waits else (tr("Signed"), "good")))
        self._so_far.setText(_STAYS if waits else _NOTHING_YET)
        if self._opened is not None:
            self._show(self._opened)
        elif waits:
            self.qr.forget()
            self.waiting.show_grant(record)

    def _show(self, opened: Opened) -> None:
        name = opened.envelope.claims.dapp_name
        self._to.set_phrase(Phrase((Part(tr("Hand it to ")), Part(name, Style.CLAIM))) if name else tr("Hand it to the dApp"))
        self._show_way_back(opened)
        self.copy_link.setVisible(_link(opened.raw) is not None)
        own = {key.address for key in self._context.book.keys() if not key.is_device}  # noqa: SIM118 - not a dict
        owner = opened.envelope.account.owner if opened.envelope.account is not None else None
        self.break_glass.setVisible(not is_offline() and owner in own)
        self.qr.show_message(opened.raw)
        self.key.show_grant(opened)
        clear_layout(self._next)
        for number, sentence in enumerate(_what_happens_next(opened, self._context.clock()), 1):
            self._next.addWidget(PhraseLabel(f"{number}. {sentence}", tone="muted"))
        asked, draft = opened.envelope.asked, opened.record.draft
        less = changes(asked, draft, claims=opened.envelope.claims) if asked else ()
        self._less.set_phrases(less)
        for part in (self._less_title, self._less, self._less_note):
            part.setVisible(bool(less))
        digest = system(draft.system).build(draft).digest
        self._digest.set_digest(to_hex(digest), digest_words(digest))

    def _show_way_back(self, opened: Opened) -> None:
        """Whoever asked through the bridge has it by now; to a page that named an address the person can take it."""
        self._context.requests.granted(opened.record)
        asked = self._context.requests.answered_by(opened.record)
        told = asked is not None and asked.source is Source.BRIDGE
        self._told.setVisible(told)
        if asked is not None and told:
            self._told.set("good", tr("{origin} has it.", origin=asked.origin), tr("It went back the way the request came."))
        self._back_to = "" if told else way_back(opened, asked)
        self.back.setVisible(bool(self._back_to))
        if self._back_to:
            self.back.setText(tr("Return to {host}…", host=host_of(self._back_to)))
            self.back.setAccessibleName(self.back.text())

    # --- handing over

    def _return(self) -> None:
        if self._opened is not None and self._back_to:
            url = with_answer(self._back_to, to_link(self._opened.raw).removeprefix(PREFIX))
            dialog = offer_return(self, self._back_to, url)
            dialog.accepted.connect(lambda: self._mark(GrantState.HANDED_OVER))

    def _copy_grant(self) -> None:
        if self._opened is not None:
            self._to_clipboard(json.dumps(to_json(self._opened.envelope)), tr("The grant is copied."))

    def _copy_link(self) -> None:
        if self._opened is not None:
            self._to_clipboard(_link(self._opened.raw) or "", tr("The link is copied."))

    def _to_clipboard(self, text: str, news: str) -> None:
        if copy_text(self, text, news):
            self._mark(GrantState.HANDED_OVER)

    def _save(self) -> None:
        name = f"grant-{self._opened.record.id}{SUFFIX}" if self._opened is not None else ""
        path, _ = QFileDialog.getSaveFileName(
            self, tr("Save the grant"), str(Path.home() / name), tr("Latchkey hand-over (*{suffix})", suffix=SUFFIX)
        )
        if path and self._opened is not None and write_file(self, Path(path), self._opened.raw):
            self._mark(GrantState.HANDED_OVER)

    def _done(self) -> None:
        """The code was in sight, so it counts as handed over."""
        if self._opened is not None:
            self._mark(GrantState.HANDED_OVER)
        self._context.navigate("grants")

    def _ask_aside(self) -> None:
        if self._opened is None:
            return
        valid = still_valid(self._opened.record, self._context.clock())
        sentence = Phrase((Part(tr("It is signed and stays valid: it is ")), Part(valid, Style.STRONG), Part(f". {_ASIDE}")))
        confirm(self, tr("Put this grant aside?"), sentence, tr("Put aside"), self._put_aside, keep=tr("Keep it here"))

    def _put_aside(self) -> None:
        assert self._opened is not None
        if self._mark(GrantState.PUT_ASIDE):
            self._context.say(tr("Put aside, {still_valid}.", still_valid=still_valid(self._opened.record, self._context.clock())))
            self._context.navigate("grants")

    def _mark(self, state: GrantState) -> bool:
        assert self._opened is not None
        try:
            self._context.book.set_state(self._opened.record.id, state)
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)
            return False
        self._context.changed.emit("grants")
        return True

    def _open_break_glass(self) -> None:
        """A grant that is not used yet can be cancelled with it, and its session ended."""
        from latchkey.ui.pages.break_glass import open_break_glass

        if self._opened is not None:
            open_break_glass(self._context, self, self._opened.envelope.account)

    def _show_parameters(self) -> None:
        if self._opened is not None:
            ParametersDialog(self, self._opened.envelope).open()


class QrCard(Card):
    """The code with its controls, and a way to take it off the screen. `changed(hidden)`."""

    changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._message = b""
        self.player = QrPlayer()
        self._gone = Muted(tr("The QR code is hidden."))
        self._gone.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.toggle = link(tr("Hide the QR code"), self._toggle)
        self.body.addWidget(self.toggle, 0, Qt.AlignmentFlag.AlignHCenter)  # above: to be found without scrolling
        self.body.addWidget(self.player, 1)
        self.body.addWidget(self._gone, 1)

    def show_message(self, message: bytes) -> None:
        self._message = message
        self._show(True)

    def forget(self) -> None:
        self._message = b""
        self.player.clear()

    def _toggle(self) -> None:
        self._show(not self.player.isVisibleTo(self))

    def _show(self, shown: bool) -> None:
        self.player.setVisible(shown)
        self._gone.setVisible(not shown)
        retitle(self.toggle, tr("Hide the QR code") if shown else tr("Show the QR code"))
        if shown:
            self.player.play(self._message)
        else:
            self.player.clear()
        self.changed.emit(not shown)


def _what_happens_next(opened: Opened, now: int) -> list[str]:
    account, expiry = opened.envelope.account, opened.record.draft.expiry
    until = tr("It ends by itself on {time}.", time=utc_time(expiry, now)) if expiry else tr("It never ends by itself.")
    deploys = tr(" If the account is not deployed yet, that call deploys it too.") if account and account.init_code else ""
    return [
        tr("The dApp sends its first call with this grant.{deploys}", deploys=deploys),
        tr("Your account checks your signature and installs the key with these limits."),
        tr("{until} Latchkey keeps it under Grants.", until=until),
    ]


def way_back(opened: Opened, asked: Record | None) -> str:
    """The address a grant may be taken back to, "" when none is named. A session key that was made here never goes that way, sealed or
    not, nor does what is too long for a link."""
    request = asked.request if asked is not None else None
    secret = opened.record.key_origin is KeyOrigin.MADE or opened.envelope.sealed_session_key or opened.envelope.session_keystore
    if not isinstance(request, SessionRequest) or secret or _link(opened.raw) is None:
        return ""
    return request.callback


def _link(raw: bytes) -> str | None:
    """None where the grant is too long for one."""
    try:
        return to_link(raw)
    except BadInput:
        return None
