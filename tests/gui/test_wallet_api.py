"""The Wallet APIs in the window: their section of Settings, an answer that is approved, the context of a session that is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot
from tests.endings import session_of
from tests.flow.test_foreign import ACCOUNT, grant
from tests.gui.conftest import NOW, names_missing
from tests.gui.test_approve import texts, window

from latchkey.accounts.system import system
from latchkey.codec.inbox import open_any
from latchkey.core.types import to_hex
from latchkey.store.paths import DataDir
from latchkey.store.settings import load
from latchkey.ui.pages.approve import ApprovePage
from latchkey.ui.pages.parameters import ParametersDialog, session_parameters
from latchkey.ui.widgets.intake import opened
from latchkey.ui.window import Window

__all__ = ["window"]

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


def answer(**changes: Any) -> str:
    made = grant(expiry=NOW + 86_400)
    asked = {"type": "eth_signTypedData_v4", "data": system("modular_account").typed_data(made), "rawPayload": to_hex(made.digest)}
    whole = {"sessionId": "0x" + "ab" * 16, "chainId": "0x7a69", "signatureRequest": asked | changes}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": whole})


def test_an_answer_that_was_pasted_is_approved_and_its_context_copied(window: Window, qtbot: QtBot) -> None:
    opened(window._context, window, open_any(answer()), "clipboard")
    page: Any = window.page
    assert isinstance(page, ApprovePage)
    assert "Wallet APIs" in page.title.text() + texts(page)
    qtbot.mouseClick(page.sign_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.card is not None)
    page.card.copy.click()
    copied = json.loads(QGuiApplication.clipboard().text())
    assert copied["context"].startswith("0x00" + "ab" * 16)
    assert names_missing(page) == []


def test_an_answer_whose_digest_is_another_offers_no_signature(window: Window) -> None:
    opened(window._context, window, open_any(answer(rawPayload="0x" + "11" * 32)), "clipboard")
    page: Any = window.page
    assert "different digests" in page.trouble.text
    assert not page.sign_button.isVisible()
