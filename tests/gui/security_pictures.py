"""Settings as they stand with keys, the keyring on and a warning; a notice over a page; the desk's passphrases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.gui.pictures import Stage, picture

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

_LONG_NAME = "A key whose name is as long as a name may be, which is 64 letters"
_LOCKED_KEYRING = "The keyring of this computer is locked and was not opened. Your passphrase opens the vault as ever."


def _settings(stage: Stage) -> QWidget:
    from latchkey.core.types import Address
    from latchkey.vault.model import MasterKey, Status
    from latchkey.vault.test_keys import MASTERS

    window = stage.window()
    window.show_page("settings")
    stage.settle(0.5)  # the signer has said that there is no vault
    keys = (
        MasterKey(MASTERS[0], "Main key", "mnemonic", "m/44'/60'/0'/0/0", True),
        MasterKey(Address.parse("0x71C7656EC7ab88b098defB751B7401B5f6d8976F"), _LONG_NAME, "raw", "", False),
    )
    window._context.set_status(Status(True, True, keys=keys, keyring=True))
    page: Any = window.page
    sentence = "The keyring of this computer no longer opens the vault. The keyring of this computer is locked and was not opened."
    page._warn("security", sentence)
    return window


def _notice(stage: Stage) -> QWidget:
    window = stage.window(size=(900, 600))
    window.show_page("settings")
    window.notices.add(
        "vault.latchkey-vault is damaged. The copy of the vault from before its last change is used.",
        "A key that came in last may be missing, and the passphrase may be the one before. With the next change all is whole again.",
    )
    return window


def _desk(stage: Stage, ask: dict[str, Any], typed: str = "") -> QWidget:
    from PySide6.QtCore import QObject, Signal

    from latchkey.ui.desk.passphrase import NewPassphrasePage
    from latchkey.ui.desk.window import DeskWindow

    class Pipe(QObject):
        asked = Signal(object)
        closed = Signal()

        def decline(self, ask: int) -> None:
            """Closing is a no."""

    window = DeskWindow(Pipe())  # type: ignore[arg-type]
    stage.keep(window)
    window.ask({"id": 1, **ask})
    if isinstance(window.page, NewPassphrasePage):
        window.page.edit.setText(typed)
    return window


_NEW = {"ask": "new-passphrase", "purpose": "Choose the passphrase of your vault.", "own": ["Game account"]}
picture("security-settings", _settings)
picture("security-notice", _notice)
picture("security-desk-weak", lambda stage: _desk(stage, _NEW, "game account 2026"))
picture("security-desk-strong", lambda stage: _desk(stage, _NEW, "ripple vivid tunnel orbit"))
picture(
    "security-desk-keyring",
    lambda stage: _desk(stage, {"ask": "passphrase", "purpose": "Unlock your vault.", "retry": _LOCKED_KEYRING}),
)
