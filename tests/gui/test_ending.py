"""The sheet where something ends, against a practice chain with the real signer: from the button to what the chain says."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from tests.chain.cases import DAY, MOVE, functions
from tests.chain.stage import FACE, GAS, OWNER, Key, Stage
from tests.devnet.devnet import Devnet, devnet
from tests.devnet.needed import packages
from tests.devnet.places import DOLLAR, GAME
from tests.flow.test_foreign import DEVICE, DEVICE_KEY, device_signs
from tests.gui.conftest import OWNER_KEY, PASSPHRASE, names_missing

from latchkey.accounts.system import Policy
from latchkey.codec.eip4527 import DataType, read_sign_request
from latchkey.codec.hand_over import Kind, decode, encode
from latchkey.core.account import Account
from latchkey.core.permissions import Erc20TokenTransfer, FunctionsOnContract, GasLimit, NativeTokenTransfer
from latchkey.core.session import LimitKind
from latchkey.flow import devices
from latchkey.flow.ending import Cancel, Ending, Lower, Revoke, RevokeAll, Tighten, WayKind, What
from latchkey.flow.keys import open_signer, remember_keys
from latchkey.flow.session_rows import View
from latchkey.flow.sessions import Sessions
from latchkey.flow.signing import sign_ending
from latchkey.store.book import Book
from latchkey.store.endings import ItemState
from latchkey.store.paths import DataDir
from latchkey.store.records import GrantRecord, GrantState
from latchkey.store.settings import NetworkSettings
from latchkey.ui.pages.break_glass import BreakGlassSheet, open_break_glass
from latchkey.ui.pages.bring import BringDialog
from latchkey.ui.pages.device_sign import DeviceSheet
from latchkey.ui.pages.ending import EndingDialog, open_ending
from latchkey.ui.pages.ending_answer import AnswerSheet
from latchkey.ui.pages.ending_parts import PlanCard
from latchkey.ui.resuming import resume_endings
from latchkey.ui.widgets import Banner, Chip, Label, TextView
from latchkey.ui.widgets.intake import open_text
from latchkey.ui.window import Window
from latchkey.vault.model import Prompt, PromptMode

pytestmark = pytest.mark.gui
PLAY = FunctionsOnContract(GAME, functions(MOVE))
SLOW = 30_000


@pytest.fixture(scope="module")
def net() -> Iterator[Devnet]:
    packages()
    with devnet() as running:
        yield running


@pytest.fixture
def stage(net: Devnet) -> Iterator[Stage]:
    before = net.rpc("evm_snapshot")
    yield Stage(net)
    net.rpc("evm_setAutomine", True)
    assert net.rpc("evm_revert", before)


@pytest.fixture
def account(stage: Stage, folder: DataDir, passphrases: Callable[[str], int]) -> Account:
    """In the book, with its owner's (public) key in the vault."""
    account = replace(stage.account(), label="Games")
    with Book.open(folder.book) as book:
        book.add_account(account)
        client = open_signer(folder, Prompt(PromptMode.FD, passphrases(f"{PASSPHRASE}\n"), script=True))
        client.import_key("Owner", passphrases(OWNER_KEY + "\n"))
        remember_keys(book, client.status().keys)
        client.close()
    return account


@pytest.fixture
def window(account: Account, net: Devnet, make_window: Callable[..., Window], passphrases: Callable[[str], int]) -> Window:
    return make_window(passphrase_fd=passphrases(f"{PASSPHRASE}\n" * 20), networks=(NetworkSettings(31337, net.url),))


def install(stage: Stage, account: Account, *entity_ids: int) -> None:
    for entity_id in entity_ids:
        draft = stage.draft(
            account, PLAY, NativeTokenTransfer(0), GasLimit(4 * GAS.promised), Erc20TokenTransfer(DOLLAR, 1000),
            entity_id=entity_id, expiry=stage.now() + DAY,
        )  # fmt: skip
        assert stage.owner_tx(account, FACE.build(draft).call).text == "done"


def look(window: Window, account: Account) -> View:
    context = window._context
    return Sessions(context.book, context.chains, context.clock).refresh(account)


def open_sheet(window: Window, account: Account, what: What, qtbot: QtBot) -> EndingDialog:
    dialog = open_ending(window._context, window, look(window, account), what)
    qtbot.waitUntil(lambda: not dialog.busy, timeout=SLOW)
    return dialog


def texts(dialog: QWidget) -> str:
    QApplication.processEvents()
    parts = [view.text() for kind in (TextView, Label) for view in dialog.findChildren(kind) if view.isVisible()]
    parts += [b.text for b in dialog.findChildren(Banner) if b.isVisible()]
    return "\n".join(parts)


def chips(dialog: QWidget) -> list[str]:
    QApplication.processEvents()
    return [chip.text() for chip in dialog.findChildren(Chip) if chip.isVisible()]


def go(dialog: EndingDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert dialog.busy
    qtbot.waitUntil(lambda: not dialog.busy, timeout=SLOW)


def choose(dialog: EndingDialog, kind: WayKind) -> None:
    card: Any = dialog.findChild(PlanCard)
    assert card.ways is not None
    at = [way.kind for way in card.ways._here].index(kind)
    card.ways.tiles[at].click()
    assert dialog.jobs[0].way is not None
    assert dialog.jobs[0].way.kind is kind


def test_one_by_the_owners_own_transaction(window: Window, stage: Stage, account: Account, qtbot: QtBot) -> None:
    install(stage, account, 5, 6)
    changes: list[str] = []
    window._context.changed.connect(changes.append)
    dialog = open_sheet(window, account, Revoke((5,)), qtbot)
    assert dialog.windowTitle() == "Revoke this session"
    assert dialog.go.text() == "&Revoke"
    assert dialog.go.property("kind") == "danger"
    qtbot.waitUntil(dialog.go.hasFocus)
    assert names_missing(dialog) == []
    said = texts(dialog)
    assert "end session 5" in said
    assert "It will" in said
    assert "It can" not in said
    choose(dialog, WayKind.OWNER)
    go(dialog, qtbot)
    assert chips(dialog) == ["Done"]
    assert "nothing of it is stored any more" in texts(dialog)
    assert dialog.jobs[0].results[0].state is ItemState.DONE
    assert "sessions" in changes
    qtbot.waitUntil(dialog.close_button.hasFocus)
    assert [row.session.entity_id for row in look(window, account).rows] == [6]
    dialog.reject()


def test_all_of_an_account_by_keyboard(window: Window, stage: Stage, account: Account, qtbot: QtBot) -> None:
    """Return in the sheet, yes at the desk: nothing else."""
    install(stage, account, 5, 6, 7)
    dialog = open_sheet(window, account, RevokeAll(), qtbot)
    assert dialog.windowTitle() == "Revoke everything on Games"
    QTest.keyClick(dialog.go, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not dialog.busy and bool(dialog.jobs[0].results), timeout=SLOW)
    assert chips(dialog) == ["Done"] * 3
    assert look(window, account).rows == ()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)


def test_without_money_no_way_is_possible(window: Window, stage: Stage, account: Account, qtbot: QtBot) -> None:
    install(stage, account, 5)
    for address in (account.address, OWNER.address):
        stage.rpc("anvil_setBalance", address, "0x0")
    dialog = open_sheet(window, account, Revoke((5,)), qtbot)
    assert not dialog.go.isEnabled()
    assert "lacks" in texts(dialog)
    assert dialog.export.isVisible()
    dialog.reject()


def test_without_a_network_the_sheet_leads_to_what_helps(window: Window, stage: Stage, account: Account, qtbot: QtBot) -> None:
    install(stage, account, 5)
    view, context = look(window, account), window._context
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    context.change_settings(networks=(NetworkSettings(31337, f"http://127.0.0.1:{port}"),))
    dialog = open_ending(context, window, view, RevokeAll())
    qtbot.waitUntil(lambda: not dialog.busy, timeout=SLOW)
    assert "signed ahead" in texts(dialog)
    assert not dialog.network_button.isVisible()
    dialog.glass.click()
    sheet = cast(BreakGlassSheet, window.findChild(BreakGlassSheet))
    qtbot.waitUntil(lambda: bool(sheet.cards), timeout=SLOW)
    sheet.reject()
    context.change_settings(networks=())
    dialog = open_ending(context, window, view, RevokeAll())
    qtbot.waitUntil(lambda: not dialog.busy, timeout=SLOW)
    assert not dialog.glass.isVisible()
    dialog.network_button.click()
    qtbot.waitUntil(lambda: type(window.page).__name__ == "SettingsPage")


def test_money_that_is_gone_before_it_is_sent(window: Window, stage: Stage, account: Account, qtbot: QtBot) -> None:
    """A failure has its sentence, and can be tried again once it is mended."""
    install(stage, account, 5)
    dialog = open_sheet(window, account, Revoke((5,)), qtbot)
    choose(dialog, WayKind.OWNER)
    stage.rpc("anvil_setBalance", OWNER.address, "0x1")
    go(dialog, qtbot)
    assert "Done" not in chips(dialog)
    assert dialog.retry.isVisible()
    assert [row.session.entity_id for row in look(window, account).rows] == [5]
    stage.rpc("anvil_setBalance", OWNER.address, hex(10**20))
    dialog.retry.click()
    qtbot.waitUntil(lambda: not dialog.busy, timeout=SLOW)
    go(dialog, qtbot)
    assert chips(dialog) == ["Done"]
    dialog.reject()


def pending(stage: Stage, account: Account, folder: DataDir) -> int:
    draft = stage.draft(account, PLAY, NativeTokenTransfer(0), GasLimit(GAS.promised), entity_id=9, expiry=stage.now() + DAY)
    grant = stage.review(draft, account, policy=Policy.STRICT).grant
    signed = stage.grant(draft, account)
    with Book.open(folder.book) as book:
        return book.add_grant(
            GrantRecord(
                draft=draft,
                nonce=grant.nonce,
                unsigned=grant.unsigned,
                created=stage.now(),
                envelope=signed.blob,
                label="Chess",
                state=GrantState.SIGNED,
            )
        ).id


def test_a_pending_grant_is_cancelled(window: Window, stage: Stage, account: Account, folder: DataDir, qtbot: QtBot) -> None:
    number = pending(stage, account, folder)
    dialog = open_sheet(window, account, Cancel((number,)), qtbot)
    assert dialog.go.text() == "&Cancel grant"
    assert "cancel the signed grant for session 9" in texts(dialog)
    go(dialog, qtbot)
    assert chips(dialog) == ["Done"]
    assert "Chess (grant for session 9)" in texts(dialog)
    dialog.reject()


def test_stopped_and_found_again(window: Window, stage: Stage, account: Account, qtbot: QtBot) -> None:
    """What is stopped stays in flight; the next start finds what came of it."""
    install(stage, account, 5)
    dialog = open_sheet(window, account, Revoke((5,)), qtbot)
    choose(dialog, WayKind.OWNER)
    stage.rpc("evm_setAutomine", False)
    dialog.go.click()
    qtbot.waitUntil(lambda: "Waiting for a block" in dialog.stage.text(), timeout=SLOW)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not dialog.busy, timeout=SLOW)
    assert chips(dialog) == ["On its way"]
    assert "may still be mined" in texts(dialog)
    dialog.reject()
    stage.rpc("evm_mine")
    stage.rpc("evm_setAutomine", True)
    said: list[str] = []
    window._context.said.connect(said.append)
    resume_endings(window._context, window)
    qtbot.waitUntil(lambda: bool(said), timeout=SLOW)
    assert said == ["What was being ended when Latchkey was closed: Done."]


def test_tightened(window: Window, stage: Stage, account: Account, qtbot: QtBot) -> None:
    install(stage, account, 5)
    dialog = open_sheet(window, account, Tighten(5, (Lower(LimitKind.ERC20, 400, DOLLAR),)), qtbot)
    assert dialog.go.text() == "&Tighten"
    shown, lock = texts(dialog), window._context.lock
    lock.unlock()
    qtbot.waitUntil(lambda: lock.unlocked, timeout=SLOW)
    assert lock.at_once()  # in the middle of it: the sheet stands as it was, and signing unlocks
    qtbot.waitUntil(lambda: not lock.unlocked)
    assert dialog.isVisible()
    assert texts(dialog) == shown
    go(dialog, qtbot)
    assert chips(dialog) == ["Done"]
    [row] = look(window, account).rows
    assert [limit.left for limit in row.session.limits if limit.kind is LimitKind.ERC20] == [400]
    dialog.reject()


def test_by_way_of_a_cold_machine(
    window: Window, stage: Stage, account: Account, folder: DataDir, qtbot: QtBot, tmp_path: Any
) -> None:
    install(stage, account, 5)
    dialog = open_sheet(window, account, Revoke((5,)), qtbot)
    dialog.export.click()
    qtbot.waitUntil(lambda: not dialog.busy, timeout=SLOW)
    unsigned = decode(dialog.card.shown.message)
    assert not window._context.client.status().unlocked  # nothing here needs the vault
    window._context.client.unlock()
    assert unsigned.kind is Kind.UNSIGNED_REVOCATION
    context = window._context
    signed = sign_ending(unsigned, context.client, context.book, wanted=None, now=stage.now())
    path = tmp_path / "signed.latchkey"
    path.write_bytes(encode(signed))
    dialog.answer.click()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), BringDialog))
    answer: Any = QApplication.activeModalWidget()
    answer.edit.setPlainText("0x12")
    answer.go.click()
    qtbot.waitUntil(lambda: answer.banner.isVisible())
    answer.open_all([path])
    qtbot.waitUntil(lambda: bool(dialog.jobs[0].results), timeout=SLOW)
    assert chips(dialog) == ["Done"]
    assert look(window, account).rows == ()
    dialog.reject()


def test_signed_by_a_hardware_wallet(window: Window, stage: Stage, qtbot: QtBot) -> None:
    """No key of the vault owns the account: the device signs what ends the session, and a key of the vault carries it."""
    context = window._context
    device = Key(bytes(DEVICE.key))
    account = replace(stage.account(owner=device), label="Treasury")
    stage.rpc("anvil_setBalance", device.address, hex(10**18))
    stage.rpc("anvil_impersonateAccount", device.address)  # for installing the session alone
    devices.keep(context.book, DEVICE_KEY, "Keystone")
    context.book.add_account(account)
    draft = stage.draft(account, PLAY, GasLimit(4 * GAS.promised), entity_id=5, expiry=stage.now() + DAY)
    assert stage.owner_tx(account, FACE.build(draft).call, owner=device).text == "done"
    stage.rpc("anvil_stopImpersonatingAccount", device.address)
    dialog = open_sheet(window, account, Revoke((5,)), qtbot)
    assert dialog.device.isVisible()
    assert not dialog.go.isVisible()
    dialog.device.click()
    qtbot.waitUntil(lambda: window.findChild(DeviceSheet) is not None or dialog.findChild(DeviceSheet) is not None, timeout=SLOW)
    sheet: Any = window.findChild(DeviceSheet) or dialog.findChild(DeviceSheet)
    asked = read_sign_request(sheet.card.shown.message)
    assert (asked.data_type, asked.path) == (DataType.PERSONAL_MESSAGE, DEVICE_KEY.path)
    assert "ends session 5" in texts(sheet).replace("\n", " ")
    assert sheet.take(device_signs(asked)) == ""
    qtbot.waitUntil(lambda: bool(dialog.jobs[0].results), timeout=SLOW)
    assert chips(dialog) == ["Done"]
    assert look(window, account).rows == ()
    dialog.reject()


def test_break_glass_is_made_used_and_forgotten(window: Window, stage: Stage, account: Account, qtbot: QtBot) -> None:
    install(stage, account, 5)
    sheet = open_break_glass(window._context, window, account)
    qtbot.waitUntil(lambda: not sheet.busy and bool(sheet.cards), timeout=SLOW)
    assert "Nothing is signed ahead" in texts(sheet)
    assert names_missing(sheet) == []
    sheet.cards[0].make.click()
    qtbot.waitUntil(lambda: not sheet.busy and hasattr(sheet.cards[0], "use"), timeout=SLOW)
    said = texts(sheet)
    assert "It ends 1 session" in said
    assert "owner is changed" in said
    assert "The account must hold" in said
    sheet.cards[0].use.click()
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not sheet)
    confirmation: Any = QApplication.activeModalWidget()
    confirmation.accept()
    qtbot.waitUntil(lambda: chips(sheet) == ["Done"], timeout=SLOW)
    assert look(window, account).rows == ()
    sheet.back.click()
    qtbot.waitUntil(lambda: not sheet.busy and bool(sheet.cards[0].isVisible()), timeout=SLOW)
    sheet.cards[0].forget.click()
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not sheet)
    confirmation = QApplication.activeModalWidget()
    confirmation.accept()
    qtbot.waitUntil(lambda: not sheet.busy and "Nothing is signed ahead" in texts(sheet), timeout=SLOW)
    sheet.reject()


def test_a_signed_answer_that_is_dropped_on_the_window(
    window: Window, stage: Stage, account: Account, qtbot: QtBot, tmp_path: Any
) -> None:
    install(stage, account, 5)
    context = window._context
    plan = Ending(context.book, lambda: context.client, context.chains, context.clock)
    planned = plan.plan(look(window, account).reading, Revoke((5,)))
    way = next(way for way in plan.ways(planned) if way.kind is WayKind.EXPORT)
    context.client.unlock()
    [unsigned] = plan.export(plan.prepare(planned, way))
    path = tmp_path / "signed.latchkey"
    path.write_bytes(encode(sign_ending(unsigned, context.client, context.book, wanted=None, now=stage.now())))
    open_text(context, window, str(path))
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), AnswerSheet), timeout=SLOW)
    sheet: Any = QApplication.activeModalWidget()
    assert "end session 5" in texts(sheet)
    assert f"Signed by {OWNER.address}" in texts(sheet)
    sheet.go.click()
    qtbot.waitUntil(lambda: chips(sheet) == ["Done"], timeout=SLOW)
    sheet.reject()
