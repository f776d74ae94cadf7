"""The bridge in the window: its card in Settings, who is let in, and what comes up by itself; with the real process."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from tests.bridge.house import PAGE, REQUEST, House, free_port
from tests.gui.conftest import fill, names_missing

from latchkey.flow.bridge import BridgeState
from latchkey.flow.requests import RequestState, refusal
from latchkey.flow.wizard import Step
from latchkey.store.settings import load
from latchkey.ui.bridging import PairDialog
from latchkey.ui.pages.settings import SettingsPage
from latchkey.ui.pages.wizard import WizardPage
from latchkey.ui.window import Window

CALLS = [
    {"type": "functions-on-contract", "data": {"address": "0x" + "ab" * 20, "functions": ["0x12345678"]}},
    *REQUEST["permissions"],
]


class Desk:
    """The window with its bridge, and pages that call it from other threads."""

    def __init__(self, window: Window, qtbot: QtBot) -> None:
        self.window, self.qtbot, self.context = window, qtbot, window._context
        assert self.context.bridging is not None
        self.bridging = self.context.bridging
        self.house = House(self.context.book, self.context.requests, self.bridging.host)

    def wait(self, check: Callable[[], Any]) -> None:
        self.qtbot.waitUntil(lambda: bool(check()), timeout=20_000)

    def dialog(self) -> PairDialog:
        self.wait(lambda: isinstance(QApplication.activeModalWidget(), PairDialog))
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, PairDialog)
        return dialog

    def let_in(self, page: str = PAGE) -> str:
        answer = self.house.later("latchkey_pair", {"code": "042917", "name": "Rooms"}, origin=page)
        dialog = self.dialog()
        self.wait(dialog.yes.isEnabled)
        dialog.yes.click()
        self.wait(answer.done)
        return str(answer.result()["token"])

    def ask(self, token: str, number: int = 1, page: str = PAGE) -> Any:
        request = {**REQUEST, "permissions": CALLS, "latchkey": {"requestId": f"r-{number}", "name": "Rooms"}}
        return self.house.later("wallet_createSession", request, origin=page, token=token)


@pytest.fixture
def desk(make_window: Callable[..., Window], folder: Any, qtbot: QtBot) -> Iterator[Desk]:
    fill(folder)
    window = make_window("grants", bridge=True, bridge_port=free_port())
    made = Desk(window, qtbot)
    made.wait(lambda: made.bridging.host.state is BridgeState.LISTENING)
    yield made
    made.bridging.close()
    made.house.callers.shutdown()


def test_it_is_off_until_it_is_switched_on(make_window: Callable[..., Window], folder: Any, qtbot: QtBot) -> None:
    window = make_window("settings", bridge_port=free_port())
    page, context = window.page, window._context
    assert isinstance(page, SettingsPage)
    bridging, card = context.bridging, page.bridge
    assert bridging is not None
    page.enter(None)
    assert (card.chip.text(), bridging.host.state) == ("Off", BridgeState.OFF)
    card.switch.click()
    qtbot.waitUntil(lambda: card.chip.text() == "On", timeout=20_000)
    assert card.address.text() == f"http://127.0.0.1:{context.settings.bridge_port}"
    assert load(folder.settings).bridge
    process = bridging.host._process
    assert process is not None
    assert names_missing(window) == []
    card.switch.click()
    qtbot.waitUntil(lambda: card.chip.text() == "Off" and process.poll() is not None, timeout=20_000)
    assert not load(folder.settings).bridge


def test_its_port_and_who_goes_again(desk: Desk) -> None:
    """Its port is a number that is free; a page that goes takes its question along."""
    desk.context.navigate("settings", "bridge")
    page = desk.window.page
    assert isinstance(page, SettingsPage)
    card, before = page.bridge, desk.context.settings.bridge_port
    for bad in ("", "80", "65536", "port"):
        card.port.editor.setText(bad)
        card._take_port()
        assert card.port.error
        assert desk.context.settings.bridge_port == before
    other = free_port()
    card.port.editor.setText(str(other))
    card._take_port()
    desk.wait(lambda: desk.bridging.host.state is BridgeState.LISTENING and desk.bridging.host.port == other)
    assert desk.house.call("eth_accounts", origin=PAGE) == []

    line = http.client.HTTPConnection("127.0.0.1", desk.house.port)
    body = '{"jsonrpc":"2.0","id":1,"method":"latchkey_pair","params":[{"code":"111111"}]}'
    line.request("POST", "/", body, {"Origin": PAGE, "Content-Type": "application/json"})
    desk.dialog()
    line.close()
    desk.wait(lambda: QApplication.activeModalWidget() is None)
    assert desk.house.call("latchkey_pair", {"code": "nothing"}, origin=PAGE)["code"] == -32602  # and it was not refused for it


def test_a_page_is_let_in_and_taken_out_again(desk: Desk) -> None:
    answer = desk.house.later("latchkey_pair", {"code": "042917", "name": "Rooms"}, origin=PAGE)
    dialog = desk.dialog()
    assert dialog.code.text() == "042 917"
    assert not dialog.yes.isEnabled()  # a page chooses when it appears
    QTest.keyClick(dialog, Qt.Key.Key_Return)  # whoever was typing refuses
    desk.wait(answer.done)
    assert answer.result()["code"] == 4001
    token = desk.let_in("https://other.example")
    desk.context.navigate("settings", "bridge")
    assert isinstance(desk.window.page, SettingsPage)
    (remove,) = [
        b for b in desk.window.page.bridge.findChildren(QPushButton) if b.accessibleName().startswith("Remove https://other")
    ]
    remove.click()
    desk.wait(lambda: QApplication.activeModalWidget() is not None)
    (yes,) = [b for b in QApplication.activeModalWidget().findChildren(QPushButton) if b.text() == "Remove"]
    yes.click()
    desk.wait(lambda: desk.house.call("eth_chainId", origin="https://other.example", token=token)["code"] == 4100)


def test_a_request_comes_up_at_once(desk: Desk) -> None:
    """But it takes no page away from under the hands of somebody who is at work on it."""
    token = desk.let_in()
    answer = desk.ask(token)
    desk.wait(lambda: isinstance(desk.window.page, WizardPage) and desk.window.page.wizard.step is Step.REVIEW)
    desk.wait(lambda: desk.context.requests.open()[0].state is RequestState.SEEN)
    page = desk.window.page
    assert isinstance(page, WizardPage)
    assert not page._next.isEnabled()  # nor can it be signed in its first moment
    desk.wait(page._next.isEnabled)
    assert not answer.done()

    desk.window.hide()  # into the tray, or small
    desk.window.show()
    other = desk.let_in("https://other.example")
    assert page._record is not None
    first = page._record.id
    heard: list[str] = []
    desk.context.said.connect(heard.append)
    desk.ask(other, 9, "https://other.example")
    desk.wait(lambda: any("https://other.example asks" in text for text in heard))
    assert QApplication.activeModalWidget() is None  # what is being read stays
    assert page._record.id == first
    for record in desk.context.requests.open():
        if record.id != first:
            desk.context.requests.answer(record.id, refusal("not-now"))
    desk.context.requests.answer(desk.context.requests.open()[0].id, refusal("not-now"))
    desk.wait(answer.done)

    desk.context.navigate("wizard")
    page = desk.window.page
    assert isinstance(page, WizardPage)
    page._edited(replace(page.wizard.state, label="half done"))
    page.go(Step.EXPIRY)
    assert page.may_leave()
    said: list[str] = []
    desk.context.said.connect(said.append)
    desk.ask(token, 2)
    desk.wait(lambda: said)
    assert page.wizard.state.label == "half done"
    assert PAGE in said[-1]
