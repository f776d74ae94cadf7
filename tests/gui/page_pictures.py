"""Every page, dialog and desk page that has no pictures of its own elsewhere, with nothing in it, with a little, and with too much."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tests.gui.pictures import NOW, PICTURES, Stage, picture
from tests.gui.review_pictures import BASE, KEY, SCENES, asked, desk, in_window
from tests.gui.session_pictures import GAME, GAMES, PAY, SAVINGS, four, made, record

from latchkey.core.request import Claims
from latchkey.flow.accounts import as_7702, from_owner
from latchkey.flow.wizard import Step
from latchkey.store.settings import NetworkSettings
from latchkey.vault.model import MasterKey, Status

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from latchkey.ui.pages.wizard import WizardPage
    from latchkey.ui.window import Window

OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
#: 64 characters, read from right to left, and of the picture kind
LONG = "An account with a name as long as a name may be in this program!"
NAMES = (
    LONG,
    "\u062d\u0633\u0627\u0628 \u0627\u0644\u062a\u0648\u0641\u064a\u0631 \u0648\u0627\u0644\u0623\u0644\u0639\u0627\u0628",
    "\U0001f5dd \U0001f3ae Zo\u00eb \u6e2c\u8a66\u5e33\u6236 \U0001f469\U0001f467",
    "a" * 64,
)
NETWORKS = (
    NetworkSettings(1, "http://127.0.0.1:8545"),
    NetworkSettings(8453, "https://base.example/v2/a-rather-long-path-with-a-key-in-it", "https://two.example", "https://bundler.example"),
)  # fmt: skip


def _page(
    stage: Stage, name: str, *accounts: Any, size: tuple[int, int] = (1180, 780), payload: Any = None, **settings: Any
) -> Window:
    window = stage.window(*accounts, size=size, **settings)
    window.show_page(name, payload)
    return window


def _many_names() -> tuple[Any, ...]:
    return (*(from_owner(8453, OWNER, number, label=label) for number, label in enumerate(NAMES)), as_7702(1, OWNER))


def _grants(stage: Stage, number: int, *, long: bool = False, size: tuple[int, int] = (1180, 780)) -> Window:
    window = stage.window(GAMES, SAVINGS, size=size)
    for i in range(number):
        label = NAMES[i % len(NAMES)] if long else f"Session of day {i}" if i % 4 else ""
        one = made(i + 1, *(GAME, PAY)[i % 2], ends=(i % 9 - 1) * 40_000 or 3_600)
        window._context.book.add_grant(record(one, label, claims=Claims(dapp_name=NAMES[i % 4] if long else "Skirmish Rooms")))
    window.show_page("grants")
    while str(number) not in window.page.count.text():  # type: ignore[attr-defined]
        stage.settle(0.1)
    return window


def _grant(stage: Stage) -> Window:
    window = _grants(stage, 2)
    window.show_page("grant", window._context.book.grants()[0].id)
    return window


def signed(stage: Stage, *, size: tuple[int, int] = (1180, 1000)) -> Window:
    from dataclasses import replace

    from latchkey.codec.hand_over import Envelope, Kind, encode
    from latchkey.store.records import GrantState

    window = in_window(SCENES[0], stage, size=size)
    page = cast("WizardPage", window.page)
    assert page._prepared is not None
    one = replace(page.granting._record(page._prepared), created=NOW, label="Rooms, first key")
    draft = one.draft
    hand_over = Envelope(
        Kind.UNSIGNED_GRANT, draft.permissions, replace(BASE, label=""), draft.expiry, KEY,
        entity_id=draft.entity_id, nonce=one.nonce, unsigned=one.unsigned,
    )  # fmt: skip
    number = window._context.book.add_grant(replace(one, envelope=encode(hand_over), state=GrantState.SIGNED)).id
    page.wizard.finish()
    window.show_page("signed", number)
    return window


def _step(stage: Stage, step: Step, *, request: bool = False, size: tuple[int, int] = (1180, 780)) -> Window:
    window = stage.window(GAMES, SAVINGS, size=size)
    window.show_page("wizard", asked(SCENES[1], account=GAMES.address, chain_id=GAMES.chain_id) if request else None)
    page = cast("WizardPage", window.page)
    page.wizard.step = step
    page._entered()
    return window


def _unlocked(window: Window) -> Window:
    keys = (
        MasterKey(GAMES.address, LONG, "mnemonic", "m/44'/60'/0'/0/0", False),
        MasterKey(SAVINGS.address, "", "raw", "", True),
    )
    window._context.set_status(Status(exists=True, unlocked=True, keys=keys))
    return window


def _settings(stage: Stage, *, unlocked: bool = False, size: tuple[int, int] = (1180, 2600)) -> Window:
    window = stage.window(GAMES, size=size, networks=NETWORKS)
    window.show_page("settings")
    if unlocked:
        stage.settle(0.3)  # the signer has said by then that there is no vault
        _unlocked(window)
    return window


def _dialog(stage: Stage, make: Any) -> QWidget:
    """`make(window)`: the dialog, open over the window; it is taken alone."""
    dialog = make(_sessions(stage))
    dialog.show()
    stage.settle(0.3)
    return cast("QWidget", dialog)


def _sessions(stage: Stage) -> Window:
    window = stage.window(GAMES, size=(900, 600))
    four(window._context.book)
    window.show_page("sessions")
    stage.settle(0.3)
    return window


def _open_dialog(window: Window) -> Any:
    from latchkey.ui.widgets.intake import OpenDialog

    return OpenDialog(window._context, window)


def _confirm(window: Window) -> Any:
    from latchkey.ui.widgets import confirm

    return confirm(window, "Remove this account?", "Its grants stay in the book.", "Remove", lambda: None, danger=True)


def _view(window: Window) -> Any:
    return window._context.sessions.cached(GAMES)


def _tighten(window: Window) -> Any:
    from latchkey.ui.pages.session import TightenDialog

    return TightenDialog(window, next(row for row in _view(window).rows if row.session.limits), NOW)


def _ending(window: Window) -> Any:
    from latchkey.flow.ending_plan import Revoke
    from latchkey.ui.pages.ending import open_ending

    return open_ending(window._context, window, _view(window), Revoke((1, 2)))


def _trying(window: Window) -> Any:
    from PySide6.QtWidgets import QApplication

    from latchkey.ui.pages.trying import TryDialog

    window.show_page("session", (GAMES.chain_id, GAMES.address, GAMES.system, 1))
    while window.page.row is None:  # type: ignore[attr-defined]
        QApplication.processEvents()
    window.page._try()  # type: ignore[attr-defined]
    return window.findChild(TryDialog)


def _paste(window: Window) -> Any:
    from latchkey.ui.pages.wizard.functions import PasteDialog

    dialog = PasteDialog(window, lambda _functions: None)
    dialog._text.editor.setPlainText("claim(uint256)\nmove(uint8,uint8)\ntransfer(address,uint256)")
    dialog._read()
    return dialog


def _break_glass(window: Window) -> Any:
    from latchkey.ui.pages.break_glass import open_break_glass

    return open_break_glass(window._context, window)


def _account_form(stage: Stage) -> Window:
    return _page(stage, "accounts", payload="add")


WORDS = ["test"] * 11 + ["junk"]
ADDRESSES = [{"path": f"m/44'/60'/0'/0/{n}", "address": str(GAMES.address)} for n in range(5)]
DESK: dict[str, dict[str, Any]] = {
    "passphrase": {"purpose": "Unlock your vault.", "retry": "This passphrase does not open the vault."},
    "new-passphrase": {"purpose": "Choose the passphrase of your vault."},
    "show-mnemonic": {"words": WORDS * 2},
    "check-mnemonic": {"positions": [2, 7, 11]},
    "import": {},
    "choose-address": {"rows": ADDRESSES},
    "show-code": {"words": WORDS[-6:], "purpose": "They open the file of session key 0x71C7656EC7ab88b098defB751B7401B5f6d8976F."},
    "reveal": {"address": str(GAMES.address), "secret": "0x" + "ab" * 32},
    "say": {"text": "The expert switch is on."},
    "confirm": {
        "title": "Turn the expert switch on?", "account": str(GAMES.address), "network": "every network", "findings": [], "signed": [],
        "words": {"headline": [["plain", "Full control may then be granted."]], "can": [], "cannot": [], "lose": [],
                  "headings": ["It can", "It cannot", "Most you can lose"], "purpose": "grant"},
        "digest": "", "digest_words": [], "verb": "Turn on", "typed": "expert",
    },
}  # fmt: skip

picture("welcome", lambda stage: _page(stage, "welcome", size=(900, 600)))
picture("accounts-none", lambda stage: _page(stage, "accounts"))
picture("accounts-names", lambda stage: _page(stage, "accounts", *_many_names(), size=(900, 600)))
picture("accounts-form", _account_form)
picture("grants-none", lambda stage: _page(stage, "grants", GAMES))
picture("grants-one", lambda stage: _grants(stage, 1, size=(900, 600)))
picture("grants-names", lambda stage: _grants(stage, 8, long=True, size=(900, 600)))
picture("grants-many", lambda stage: _grants(stage, 1_000))
picture("grant", _grant)
picture("signed", signed)
picture("signed-small", partial(signed, size=(900, 600)))
picture("wizard-account", lambda stage: _step(stage, Step.ACCOUNT))
picture("wizard-key", lambda stage: _step(stage, Step.KEY))
picture("wizard-key-asked", lambda stage: _step(stage, Step.KEY, request=True, size=(900, 600)))
picture("wizard-scope", lambda stage: _step(stage, Step.SCOPE))
picture("wizard-scope-asked", lambda stage: _step(stage, Step.SCOPE, request=True, size=(1180, 1400)))
picture("wizard-expiry", lambda stage: _step(stage, Step.EXPIRY, size=(900, 600)))
picture("grants-4k", lambda stage: _grants(stage, 40, size=(3840, 2160)))
picture("settings-4k", lambda stage: _settings(stage, unlocked=True, size=(3840, 2160)))
picture("settings-locked", _settings)
picture("settings-unlocked", lambda stage: _settings(stage, unlocked=True))
picture("settings-small", lambda stage: _settings(stage, unlocked=True, size=(900, 600)))
picture("machine", lambda stage: _page(stage, "machine"))
for name, make in {
    "open": _open_dialog, "confirm": _confirm, "tighten": _tighten, "ending": _ending, "trying": _trying, "paste": _paste,
    "break-glass": _break_glass,
}.items():  # fmt: skip
    picture(f"dialog-{name}", partial(_dialog, make=make))
for name, ask in DESK.items():
    picture(f"desk-{name}", lambda stage, ask={"ask": name, **ask}: desk(stage, ask))

#: one picture of each page, each dialog and each desk page
EACH_PAGE = [
    "welcome", "sessions-four", "sessions-no-rpc", "session-careful", "requests-some", "request-refusing-page", "approve-grant",
    "review-03-narrowed-window", "accounts-names", "accounts-form", "grants-one", "grant", "signed", "wizard-account", "wizard-key",
    "wizard-scope-asked", "wizard-expiry", "settings-unlocked", "machine", "privacy", "log", "fault",
    *(name for name in PICTURES if name.startswith(("dialog-", "desk-"))),
]  # fmt: skip
