"""The review in the window: narrowing in place, going beyond, what is held already, what waits; one digest on every page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from tests.gui.conftest import NOW, names_missing
from tests.gui.test_wizard import (
    ACCOUNT,
    CLAIM,
    CONTRACT,
    MOVE,
    TOKEN,
    Driver,
    book_filled,
    drive,
    drive_signer,
    request,
)

from latchkey.codec.hand_over import decode
from latchkey.core.digest_words import digest_words
from latchkey.core.narrow import Asked
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, FunctionsOnContract, GasLimit, NativeTokenTransfer
from latchkey.core.session import AccountReading, Block, LogRange
from latchkey.core.types import Address, to_hex
from latchkey.flow.ending_plan import Cancel
from latchkey.flow.explain import explain
from latchkey.flow.wizard import Step
from latchkey.store.readings import Kept, Readings
from latchkey.store.records import GrantState
from latchkey.store.settings import NetworkSettings
from latchkey.ui.pages.wizard.asked import AskedCard
from latchkey.ui.widgets import Dialog, DigestView
from latchkey.ui.widgets.tabbing import tab_chain
from latchkey.ui.window import Window

__all__ = ["book_filled", "drive", "drive_signer"]
pytestmark = pytest.mark.gui

OTHER = Address.parse("0x" + "ab" * 20)
SCOPE = (
    FunctionsOnContract(CONTRACT, (MOVE, CLAIM)),
    ContractAccess(OTHER),
    Erc20TokenTransfer(TOKEN, 2_500_000),
    GasLimit(10**16),
    NativeTokenTransfer(0),
)


def reviewing(drive: Driver, **fields: Any) -> AskedCard:
    drive.open(request(*SCOPE, **fields))
    drive.page.wizard.step = Step.REVIEW
    drive.page._entered()
    return drive.page.review.asked


def button(root: QWidget, name: str) -> QPushButton:
    return next(b for b in root.findChildren(QPushButton) if b.isVisible() and b.accessibleName().startswith(name))


def press(root: QWidget, name: str) -> None:
    QTest.mouseClick(button(root, name), Qt.MouseButton.LeftButton)


def given(card: AskedCard) -> list[str]:
    return [row.given.text() for row in card._rows]


def permissions(drive: Driver) -> list[str]:
    prepared = drive.page._prepared
    assert prepared is not None
    return [p.type for p in prepared.review.draft.permissions]


def test_everything_asked_stands_beside_what_is_given(drive: Driver) -> None:
    card = reviewing(drive)
    assert [row.asked.text() for row in card._rows] == given(card)
    assert "As asked" in drive.texts()
    assert len(card._rows) == len(SCOPE) + 1
    drive.open(ACCOUNT)
    assert not card.isVisible()


def test_a_permission_is_left_out_and_put_back(drive: Driver) -> None:
    card = reviewing(drive)
    words = drive.texts()
    press(card, "Leave out: any function of")
    assert "contract-access" not in permissions(drive)
    assert given(card)[1] == "left out"
    assert "Narrowed" in drive.texts()
    assert f"call any function of {OTHER}" not in drive.texts()
    press(card, "Put back: any function of")
    assert given(card)[1] == f"any function of {OTHER}"
    assert drive.texts().count("call any function of") == words.count("call any function of")


def test_limits_functions_and_time_are_narrowed_in_place(drive: Driver) -> None:
    card = reviewing(drive)
    press(card, "Change: up to 0.01 ETH for gas")
    line = next(e for e in card._rows[3].editor.findChildren(QLineEdit) if e.isVisible())
    line.setFocus()
    line.selectAll()
    drive.type("0.004")
    assert given(card)[3] == "up to 0.004 ETH for gas"
    assert "spend up to 0.004 ETH on gas in total" in drive.texts()
    press(card, "Change: move(uint8,uint8)")
    box = next(b for b in card._rows[0].editor.findChildren(QCheckBox) if b.text() == "move(uint8,uint8)")
    box.click()
    assert given(card)[0] == f"claim() on {CONTRACT}"
    press(card, "Change: until")
    choice = card._rows[-1].editor.findChild(QComboBox)
    choice.setCurrentIndex(0)
    choice.activated.emit(0)
    prepared = drive.page._prepared
    assert prepared is not None
    assert prepared.review.draft.expiry == NOW + 3600
    assert line.isVisible()  # what was unfolded stays so while other things change
    assert drive.page._next.isEnabled()
    drive.page._context.close()
    line.editingFinished.emit()  # it loses the keyboard as the window is taken down, when the book is shut


def test_a_whole_contract_is_narrowed_to_functions_in_place(drive: Driver) -> None:
    card = reviewing(drive)
    press(card, "Change: any function of")
    press(card, "Only some of its functions")
    assert not drive.page._next.isEnabled()  # none is named yet
    line = next(e for e in card._rows[1].editor.findChildren(QLineEdit) if "functions" in e.accessibleName())
    line.setFocus()
    drive.type("claim()")
    drive.enter()
    assert given(card)[1] == f"claim() on {OTHER}"
    assert drive.page._next.isEnabled()
    press(card, "All of its functions, as asked")
    assert given(card)[1] == f"any function of {OTHER}"


def test_what_goes_beyond_is_refused_with_its_reason(drive: Driver) -> None:
    card = reviewing(drive)
    press(card, "Change: up to 0.01 ETH for gas")
    line = next(e for e in card._rows[3].editor.findChildren(QLineEdit) if e.isVisible())
    line.setFocus()
    line.selectAll()
    drive.type("0.02")
    line.editingFinished.emit()
    press(card, "Done: up to 0.01 ETH for gas")
    assert "This is more gas than the request asks for." in drive.texts()
    assert not drive.page._next.isEnabled()
    press(card, "Give something else")
    dialog = drive.window.findChild(Dialog)
    assert dialog is not None
    dialog.accept()
    assert drive.page.wizard.state.own
    assert not card.isVisible()
    assert "A draft of your own: it does not answer the request" in drive.texts()
    assert "spend up to 0.02 ETH on gas in total" in drive.texts()
    assert drive.page._next.isEnabled()


def test_the_scope_page_keeps_what_was_left_out_in_sight(drive: Driver) -> None:
    drive.open(request(*SCOPE))
    drive.enter(2)
    page = drive.page.pages[Step.SCOPE]
    press(page, "Remove: All of one contract")
    assert "Left out of what was asked for" in drive.texts()
    press(page, "Put back: any function of")
    assert "Left out of what was asked for" not in drive.texts()
    assert [c.form.kind for c in drive.page.wizard.state.cards] == [p.type for p in SCOPE]


def test_the_review_is_named_and_has_a_tab_order(drive: Driver) -> None:
    card = reviewing(drive)
    for row in card._rows:
        if row.change.isVisible():
            press(row, "Change")
    page = drive.page.pages[Step.REVIEW]
    assert names_missing(page) == []
    chain = [w for w in tab_chain(page) if w.isVisible() and w.isEnabled()]
    chain[0].setFocus()
    for expected in chain[1:]:
        drive.press(Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is expected or expected.isAncestorOf(focused), expected


# --- what the reply says, and one digest everywhere


def test_the_reply_says_what_was_changed_and_the_digest_is_one(drive_signer: Driver, qtbot: QtBot) -> None:
    drive = drive_signer
    card = reviewing(drive)
    press(card, "Leave out: any function of")
    prepared = drive.page._prepared
    assert prepared is not None
    words = " ".join(digest_words(prepared.review.digest))
    assert words in drive.page.review.findChild(DigestView).accessibleName()
    with qtbot.waitSignal(drive.page.signed, timeout=60_000) as caught:
        drive.page.next()
    record = caught.args[0]
    assert decode(record.envelope).asked == Asked(SCOPE, NOW + 8 * 3600)
    found = explain(record.envelope, now=NOW)
    assert [p.plain for p in found.less] == [p.plain for p in found.less if p.plain.startswith("less")]
    assert found.digest == prepared.review.digest
    signed = drive.window.page
    texts = "\n".join(label.text() for label in signed.findChildren(QWidget) if hasattr(label, "text") and label.isVisible())
    assert "Less than was asked" in texts
    assert words in signed.findChild(DigestView).accessibleName()
    assert to_hex(prepared.review.digest) in texts


def test_a_reply_that_gives_all_says_nothing(drive_signer: Driver, qtbot: QtBot) -> None:
    drive = drive_signer
    reviewing(drive)
    with qtbot.waitSignal(drive.page.signed, timeout=60_000) as caught:
        drive.page.next()
    assert decode(caught.args[0].envelope).asked is None


# --- similar grants


def grant_one(drive: Driver, qtbot: QtBot, **fields: Any) -> Any:
    reviewing(drive, **fields)
    with qtbot.waitSignal(drive.page.signed, timeout=60_000) as caught:
        drive.page.next()
    return caught.args[0]


def asks_again(drive: Driver) -> None:
    """The same dApp, with the same key, for less; its review is shown."""
    drive.open(replace(request(*SCOPE[2:]), request_id="request-2"))
    drive.page.wizard.step = Step.REVIEW
    drive.page._entered()


def replaced(drive: Driver, qtbot: QtBot) -> tuple[Any, Any]:
    """A grant, and the one that waits until it is gone."""
    old = grant_one(drive, qtbot)
    asks_again(drive)
    press(drive.page.review, "Replace it")
    with qtbot.waitSignal(drive.page.signed, timeout=60_000) as caught:
        drive.page.next()
    return old, caught.args[0]


def test_what_the_dapp_holds_is_shown_and_has_to_be_decided(drive_signer: Driver, qtbot: QtBot) -> None:
    drive, other = drive_signer, Address.parse("0x" + "77" * 20)
    first = grant_one(drive, qtbot)
    reviewing(drive, session_key=other)
    drive.open(replace(request(*SCOPE, session_key=other), request_id="request-2"))
    drive.page.wizard.step = Step.REVIEW
    drive.page._entered()
    assert "This dApp already holds a grant of this account" in drive.texts()
    assert f"number {first.draft.entity_id}, for another key" in drive.texts()
    assert f"other key: {other}" in drive.texts()
    assert not drive.page._next.isEnabled()
    press(drive.page.review, "Keep both")
    assert drive.page._next.isEnabled()
    press(drive.page.review, "Leave it")
    assert drive.window.page is not drive.page or drive.window.findChild(Dialog) is not None


def test_a_replacing_grant_waits_until_the_old_one_is_gone(drive_signer: Driver, qtbot: QtBot) -> None:
    drive = drive_signer
    old = grant_one(drive, qtbot)
    asks_again(drive)
    assert "This key already holds a grant of this account" in drive.texts()
    press(drive.page.review, "Replace it")
    with qtbot.waitSignal(drive.page.signed, timeout=60_000) as caught:
        drive.page.next()
    new, book = caught.args[0], drive.window._context.book
    assert new.state is GrantState.WAITING
    page: Any = drive.window.page
    assert page.waiting.isVisible()
    assert not page.qr.isVisible()
    page.done.click()
    assert book.grant(new.id).state is GrantState.WAITING  # not handed over by leaving the page
    drive.window.show_page("signed", new.id)
    press(page.waiting, "Look again")
    assert book.grant(new.id).state is GrantState.WAITING
    reading = AccountReading(ACCOUNT, Block(9, bytes(32), NOW), LogRange(0, 9), True)
    Readings(book).put(Kept(reading, NOW, {old.id: 1, new.id: 0}))
    press(page.waiting, "Look again")
    assert book.grant(new.id).state is GrantState.SIGNED
    assert page.qr.isVisible()


def test_a_waiting_grant_leads_to_the_end_of_the_old_one(
    drive_signer: Driver, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old grant is cancelled from there, and a newer reading releases the new one by itself."""
    asked: list[Any] = []
    monkeypatch.setattr("latchkey.ui.pages.ending.open_ending", lambda _context, _parent, _views, what: asked.append(what))
    drive = drive_signer
    old, new = replaced(drive, qtbot)
    context = drive.window._context
    page: Any = drive.window.page
    assert not page.waiting.end.isVisible()  # no RPC is set
    context.change_settings(networks=(NetworkSettings(ACCOUNT.chain_id, "http://127.0.0.1:1"),))
    reading = AccountReading(ACCOUNT, Block(9, bytes(32), NOW), LogRange(0, 9), True)
    Readings(context.book).put(Kept(reading, NOW, {old.id: 0, new.id: 0}))
    context.changed.emit("readings")
    press(page.waiting, "End the old one")
    assert asked == [[Cancel((old.id,))]]
    Readings(context.book).put(Kept(reading, NOW, {old.id: 1, new.id: 0}))
    context.changed.emit("readings")
    assert page.qr.isVisible()
    assert context.book.grant(new.id).state is GrantState.SIGNED


def test_both_may_be_kept_after_all(drive_signer: Driver, qtbot: QtBot) -> None:
    drive = drive_signer
    old, new = replaced(drive, qtbot)
    page: Any = drive.window.page
    press(page.waiting, "Open the old one")
    assert drive.window.page.title.text().startswith("Calls itself")
    assert drive.window.page._record.id == old.id
    drive.window.show_page("signed", new.id)
    press(page.waiting, "Keep both")
    dialog = drive.window.findChild(Dialog)
    assert dialog is not None
    dialog.accept()
    assert page.qr.isVisible()
    assert drive.window._context.book.grant(new.id).state is GrantState.SIGNED


def test_no_grants_on_an_owner_in_a_module_is_said_where_it_is_chosen(make_window: Callable[..., Window], qtbot: QtBot) -> None:
    from latchkey.core.account import Mode
    from latchkey.ui.pages.account_form import AccountForm

    form = AccountForm([("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "Main")])
    qtbot.addWidget(form)
    form.show()
    assert not form._no_grants.isVisible()
    form.type.editor.setCurrentIndex(form.type.editor.findData(Mode.MA))
    assert form._no_grants.isVisible()
    assert form.account() is not None
