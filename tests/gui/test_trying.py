"""Trying a call in the window, by keyboard; and what the network tells arriving on the review, from a practice chain of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from tests.chain import abi
from tests.chain.stage import ETHER, FACE, INCREMENT, RECEIVER, SESSION, Stage
from tests.devnet.devnet import Devnet, devnet
from tests.devnet.needed import packages
from tests.devnet.places import COUNTER, DOLLAR, GAME
from tests.gui.conftest import names_missing

from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
)
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Selector
from latchkey.flow.trying import Subject, of_grant
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import NetworkSettings
from latchkey.ui.pages.trying import TryDialog
from latchkey.ui.pages.wizard import WizardPage
from latchkey.ui.widgets import Banner
from latchkey.ui.window import Window

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def net() -> Iterator[Devnet]:
    packages()
    with devnet() as running:
        yield running


@pytest.fixture
def stage(net: Devnet) -> Iterator[Stage]:
    before = net.rpc("evm_snapshot")
    yield Stage(net)
    assert net.rpc("evm_revert", before)


def subject(stage: Stage, *permissions: Permission) -> Subject:
    account = stage.account()
    draft = stage.draft(account, *permissions, NativeTokenTransfer(0), GasLimit(ETHER), expiry=int(time.time()) + 86_400)
    return of_grant(FACE.build(draft).unsigned, account, claims=Claims(functions=("increment()",)))


def open_dialog(window: Window, on: Subject, qtbot: QtBot) -> TryDialog:
    dialog = TryDialog(window, window._context, on)
    dialog.open()
    qtbot.waitUntil(lambda: dialog.isVisible() and QApplication.focusWidget() is not None)
    return dialog


def answers(dialog: TryDialog) -> list[str]:
    return [banner.text for banner in dialog.findChildren(Banner) if banner.isVisible()]


def press(key: Qt.Key) -> None:
    target = QApplication.focusWidget()
    assert target is not None
    QTest.keyClick(target, key)


def fill(name: str, text: str) -> None:
    """Tab to the line of this name and type."""
    for _ in range(40):
        focused = QApplication.focusWidget()
        if isinstance(focused, QLineEdit) and focused.accessibleName() == name:
            focused.selectAll()
            QTest.keyClicks(focused, text)
            return
        press(Qt.Key.Key_Tab)
    raise AssertionError(name)


def networks(net: Devnet) -> tuple[NetworkSettings, ...]:
    return (NetworkSettings(31337, net.url),)


def test_by_keyboard_with_the_chain(make_window: Callable[..., Window], stage: Stage, net: Devnet, qtbot: QtBot) -> None:
    on = subject(stage, Erc20TokenTransfer(DOLLAR, 5), FunctionsOnContract(COUNTER, (Selector.from_bytes(INCREMENT[:4]),)))
    dialog = open_dialog(make_window(networks=networks(net)), on, qtbot)
    assert names_missing(dialog) == []
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: answers(dialog) == ["The account would do it."])
    assert dialog.button.hasFocus()
    dialog.choice.editor.setFocus()
    press(Qt.Key.Key_Down)
    fill("Argument 1, address", str(RECEIVER))
    fill("Argument 2, uint256", "0.000006")  # in the token's own unit, for it is on our list
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: answers(dialog) == ["The account would undo it; gas is paid all the same."])
    texts = [label.text() for label in dialog.findChildren(type(dialog.function.label))]
    assert "The two agree." in texts
    press(Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)


def test_a_mistake_is_told_beside_its_field(make_window: Callable[..., Window], stage: Stage, qtbot: QtBot) -> None:
    dialog = open_dialog(make_window(), subject(stage, Erc20TokenTransfer(DOLLAR, 5)), qtbot)
    fill("Argument 1, address", str(RECEIVER))
    fill("Argument 2, uint256", "six")
    press(Qt.Key.Key_Return)
    assert dialog._arguments[1].error.startswith("An amount is written with digits")
    assert dialog._arguments[1].editor.hasFocus()
    fill("Argument 2, uint256", "0.000005")
    press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(answers(dialog)))
    assert dialog._arguments[1].error == ""
    assert dialog.read().arguments[1] == "5"
    dialog.target.editor.setText(str(GAME))  # a token that nobody here knows
    dialog._draw_arguments()
    assert dialog.read().arguments[1] == ""  # 0.000005 would mean something else now
    dialog._arguments[1].editor.setText("5")
    assert dialog.read().arguments[1] == "5"


def test_without_an_rpc_the_model_alone_answers(make_window: Callable[..., Window], stage: Stage, qtbot: QtBot) -> None:
    dialog = open_dialog(make_window(), subject(stage, ContractAccess(COUNTER)), qtbot)
    dialog.kind.set_value("calldata")
    dialog._show_kind()
    dialog.target.editor.clear()
    dialog.calldata.editor.setPlainText("0x" + abi.execute(GAME).hex())
    dialog.ask()
    qtbot.waitUntil(lambda: bool(answers(dialog)))
    assert answers(dialog) == ["The account would refuse it; nothing happens and nothing is paid."]
    assert any(
        "No RPC is set" in view.text() for view in dialog.findChildren(object) if hasattr(view, "text") and callable(view.text)
    )


def test_the_review_hears_from_the_network(
    make_window: Callable[..., Window], folder: DataDir, stage: Stage, net: Devnet, qtbot: QtBot
) -> None:
    """Findings that only the chain can tell arrive in place, and a call can be tried from there."""
    account = stage.account()
    with Book.open(folder.book) as book:
        book.add_account(account)
    window = make_window(networks=networks(net))
    window._context.clock = stage.now
    permissions = (ContractAccess(RECEIVER), NativeTokenTransfer(0), GasLimit(ETHER))
    asked = SessionRequest(
        permissions, "request-9", account=account.address, chain_id=31337, expiry=stage.now() + 3600, session_key=SESSION.address
    )
    window.show_page("wizard", asked)
    page = window.page
    assert isinstance(page, WizardPage)
    for _ in range(4):
        page.next()
    qtbot.waitUntil(lambda: "holds no code" in _findings(page))
    assert "The network was asked" in page.review._around.text()
    assert page._next.isEnabled()
    next(b for b in page.review.findChildren(QPushButton) if b.text() == "&Try a call…").click()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), TryDialog))
    dialog: Any = QApplication.activeModalWidget()
    dialog.ask()
    qtbot.waitUntil(lambda: answers(dialog) == ["The account would do it."])
    dialog.reject()


def _findings(page: WizardPage) -> str:
    return " ".join(banner.text for banner in page.review._findings.findChildren(Banner))
