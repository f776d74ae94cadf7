"""The Wallet APIs in the window: their section of Settings, an answer that is approved, the context of a session that is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot
from tests.endings import session_of
from tests.flow.test_foreign import ACCOUNT, grant
from tests.gui.conftest import names_missing

from latchkey.store.paths import DataDir
from latchkey.store.settings import load
from latchkey.ui.pages.parameters import ParametersDialog, session_parameters
from latchkey.ui.window import Window

MakeWindow = Callable[..., Window]


class Vault:
    """What the card asks of the signer."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def unlock(self) -> None:
        self.asked.append("unlock")

    def keep_api_key(self, key: str) -> None:
        self.asked.append(key)


def card(window: Window) -> Any:
    return window.page.wallet_api  # type: ignore[attr-defined]


def test_the_address_is_kept_and_checked(make_window: MakeWindow, folder: DataDir) -> None:
    window = make_window("settings")
    section = card(window)
    assert names_missing(section) == []
    assert not section.use.isEnabled()
    for wrong, said in (("http://service.example", "https://"), ("service", "begin with")):
        section.address.editor.setText(wrong)
        section.use.click()
        assert said in section.address.error
        assert load(folder.settings).wallet_api == ""
    section.address.editor.setText("https://service.example/v2")
    section.use.click()
    assert load(folder.settings).wallet_api == "https://service.example/v2"
    assert not section.address.error
    assert not section.use.isEnabled()
    section.address.editor.setText("")
    section.use.click()
    assert load(folder.settings).wallet_api == ""


def test_the_key_goes_to_the_vault_and_out_of_sight(make_window: MakeWindow) -> None:
    window = make_window("settings")
    section, vault = card(window), Vault()
    section._ask = lambda ask, _news, _then=None: ask(vault)
    assert section.key.editor.echoMode() is QLineEdit.EchoMode.Password
    assert not section.keep.isEnabled()
    section.key.editor.setText(" alchemy-0123 ")
    section.keep.click()
    assert vault.asked == ["unlock", "alchemy-0123"]
    assert section.key.editor.text() == ""
    section.forget.click()
    assert vault.asked[2:] == ["unlock", ""]


def test_a_session_in_a_developers_words(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window("settings")
    session = session_of(grant().draft, ACCOUNT)
    dialog = ParametersDialog(window, session)
    qtbot.addWidget(dialog)
    assert json.loads(dialog.text.toPlainText()) == session_parameters(session)
    assert session_parameters(session)["context"] == f"0x0200{session.entity_id:08x}"
    assert session_parameters(session)["signerEntity"] == {"entityId": session.entity_id, "isGlobalValidation": False}
