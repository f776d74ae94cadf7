"""Accounts: which ones there are, how their addresses came about, adding and removing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from latchkey.codec.eip681 import PayTo
from latchkey.codec.hdkeys import HdKeys
from latchkey.core.account import Account, Mode
from latchkey.core.networks import network
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.errors import LatchkeyError
from latchkey.flow import devices
from latchkey.language import tr
from latchkey.store.records import MasterKeyRecord
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.account_form import AccountForm
from latchkey.ui.widgets import (
    AddressLabel,
    Banner,
    Card,
    Chip,
    EmptyState,
    Muted,
    Page,
    PhraseLabel,
    clear_layout,
    confirm,
    primary,
    quiet,
    secondary,
    short_address,
)

_WHY = tr("An account is what a session key acts for. Add yours by its owner, or by its address; its address is worked out here.")


class AccountsPage(Page):
    def __init__(self, context: Context) -> None:
        super().__init__(tr("Accounts"))
        self._context = context
        self.add_button = primary(tr("Add account"), self.open_form, icon_name="plus")
        self.header.addWidget(self.add_button)
        self.form_card: _AddCard | None = None
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(1.5))
        self._form_place = QVBoxLayout()
        self.body.addLayout(self._form_place)
        self.body.addLayout(self._list)
        self.body.addStretch(1)
        context.changed.connect(self._heard)

    def enter(self, payload: object) -> None:
        """`payload` "add" opens the form at once; an address or a wallet's keys stand in it then."""
        self._read()
        if payload == "add":
            self.open_form()
        elif isinstance(payload, PayTo | HdKeys):
            self.open_form()
            assert self.form_card is not None
            self.form_card.form.way.set_value("address")
            self.form_card.form.take(payload)

    def open_form(self) -> None:
        """Show the form for another account."""
        if self.form_card is None:
            self.form_card = _AddCard(self._context)
            self.form_card.closed.connect(self._close_form)
            self._form_place.addWidget(self.form_card)
        self.add_button.setEnabled(False)
        self.form_card.form.way.setFocus()
        self._read()

    def _close_form(self) -> None:
        if self.form_card is not None:
            self.form_card.hide()
            self.form_card.deleteLater()
            self.form_card = None
        self.add_button.setEnabled(True)
        self._read()

    def _heard(self, what: str) -> None:
        if what == "accounts" and self.isVisible():
            self._read()

    def _read(self) -> None:
        clear_layout(self._list)
        accounts = self._context.book.accounts()
        for account in accounts:
            self._list.addWidget(_AccountCard(self._context, account, self._remove))
        known = devices.devices(self._context.book)
        if known:
            self._list.addWidget(_DevicesCard(self._context, known))
        if not accounts and self.form_card is None:
            self._list.addWidget(EmptyState(tr("No account yet"), _WHY, tr("Add account"), self.open_form, icon_name="account"))

    def _remove(self, account: Account) -> None:
        confirm(
            self,
            tr("Remove this account?"),
            Phrase(
                (
                    Part(account.label or tr("The account"), Style.STRONG),
                    Part(
                        tr(
                            " leaves this list. Nothing changes on the network: keys that were granted go on working until they end."
                        )
                    ),
                )
            ),
            tr("Remove"),
            lambda: self._removed(account),
            danger=True,
        )

    def _removed(self, account: Account) -> None:
        try:
            self._context.book.remove_account(account)
            self._context.sessions.forget(account)
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)
            return
        self._context.changed.emit("accounts")
        self._context.say(tr("Account removed."))
        self.add_button.setFocus(Qt.FocusReason.OtherFocusReason)


class _AccountCard(Card):
    """One account: name, network, its whole address, where it came from."""

    def __init__(self, context: Context, account: Account, remove: Callable[[Account], object]) -> None:
        super().__init__()
        title = account.label or tr("Account without a name")
        top = QHBoxLayout()
        top.setSpacing(theme.space(1))
        top.addWidget(PhraseLabel(title, strong=True), 0, Qt.AlignmentFlag.AlignVCenter)
        place = network(account.chain_id)
        top.addWidget(Chip(place.name, "warn" if place.is_test else "muted"))
        top.addStretch(1)
        start = secondary(tr("New session"), lambda: context.navigate("wizard", account))
        start.setAccessibleName(tr("New session for {title}", title=title))
        trash = quiet("", lambda: remove(account), icon_name="trash", name=tr("Remove {title}", title=title))
        top.addWidget(start)
        top.addWidget(trash)
        self.body.addLayout(top)
        self.body.addWidget(AddressLabel(str(account.address)))
        self.body.addWidget(PhraseLabel(origin(account), size=theme.SMALL, tone="muted"))


class _DevicesCard(Card):
    """Hardware wallets that own accounts here; they sign by QR code."""

    def __init__(self, context: Context, known: Sequence[MasterKeyRecord]) -> None:
        super().__init__(tr("Hardware wallets"))
        self._context = context
        self.body.addWidget(Muted(tr("They sign by QR code; nothing secret of them is here.")))
        for key in known:
            row = QHBoxLayout()
            row.setSpacing(theme.space(1))
            row.addWidget(AddressLabel(str(key.address)), 1)
            row.addWidget(Muted(key.path, wrap=False))
            name = tr("Forget the hardware wallet {address}", address=short_address(str(key.address)))
            row.addWidget(quiet("", partial(self._forget, key), icon_name="trash", name=name))
            self.body.addLayout(row)

    def _forget(self, key: MasterKeyRecord) -> None:
        def forget() -> None:
            self._context.book.remove_key(key.address)
            self._context.changed.emit("accounts")

        text = tr("Accounts that it owns stay in the list, and the wallet can be scanned again at any time.")
        confirm(self, tr("Forget this hardware wallet?"), text, tr("Forget"), forget, danger=True)


class _AddCard(Card):
    closed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Add an account"))
        self._context = context
        self.form = AccountForm(owners_at_hand(context))
        self.fault = Banner("danger")
        self.fault.hide()
        self.save = primary(tr("Add account"), self._save)
        row = QHBoxLayout()
        row.setSpacing(theme.space(1.5))
        self.scan = secondary(tr("Scan…"), lambda: scan_account(context, self.form), icon_name="qr")
        row.addWidget(self.scan)
        row.addStretch(1)
        row.addWidget(secondary(tr("Cancel"), self.closed.emit))
        row.addWidget(self.save)
        self.body.addWidget(self.form)
        self.body.addWidget(self.fault)
        self.body.addLayout(row)
        self.form.changed.connect(self._changed)
        self._changed()

    def _changed(self) -> None:
        self.fault.hide()
        self.save.setEnabled(self.form.account() is not None)

    def _save(self) -> None:
        account = self.form.account()
        if account is None:
            return
        try:
            keep_account(self._context, self.form, account)
        except LatchkeyError as error:
            self.fault.set("danger", error.text)
            self.fault.show()
            return
        self._context.changed.emit("accounts")
        self._context.say(tr("Account added."))
        self.closed.emit()


def scan_account(context: Context, form: AccountForm) -> None:
    """Fill the form from a code: an address, or a hardware wallet's keys."""
    from latchkey.ui.scan.dialog import scan

    scan(context, form, frozenset({PayTo, HdKeys}), form.take)


def keep_account(context: Context, form: AccountForm, account: Account) -> None:
    """Put the account into the book, and the hardware wallet's key that owns it when that was just scanned. Raises LatchkeyError."""
    device = form.device()
    if device is not None and device.address not in devices.vault_keys(context.book):
        devices.keep(context.book, device, tr("Hardware wallet"))
    context.book.add_account(account)


def owners_at_hand(context: Context) -> Sequence[tuple[str, str]]:
    """Addresses and names of the keys one can sign with."""
    return [(str(key.address), key.label) for key in context.book.keys()]  # noqa: SIM118  a book is no dict


def origin(account: Account) -> Phrase:
    """Where an account's address comes from, in one line."""
    owner = Part(str(account.owner), Style.ADDRESS) if account.owner is not None else None
    match account.mode:
        case Mode.SMA | Mode.MA if owner is not None:
            kind = tr("Semi-modular account") if account.mode is Mode.SMA else tr("Modular account")
            return Phrase((Part(tr("{kind} of owner ", kind=kind)), owner, Part(tr(", salt {salt}", salt=account.salt))))
        case Mode.EIP7702:
            return Phrase((Part(tr("The owner's own address, by EIP-7702")),))
    return Phrase((Part(tr("Named by its address")), *((Part(tr(", owner ")), owner) if owner is not None else ())))
