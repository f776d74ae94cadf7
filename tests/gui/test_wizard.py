"""The wizard in the window, with a real book and a real signer: by keyboard alone, by mouse, from a request and from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QDateTime, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from tests.gui.conftest import NOW, OWNER, OWNER_KEY, fill, names_missing

from latchkey.codec.hand_over import Kind, decode
from latchkey.core.functions import selector_of
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Permission,
    Root,
)
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Address, to_hex
from latchkey.flow.accounts import from_owner
from latchkey.flow.approving import Approvals
from latchkey.flow.chains import Chains
from latchkey.flow.explain import explain
from latchkey.flow.wizard import Step, Until
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.records import GrantState, KeyOrigin
from latchkey.store.settings import Settings
from latchkey.ui.pages.bring import BringDialog
from latchkey.ui.pages.grant import GrantPage
from latchkey.ui.pages.grant_answer import GrantAnswerSheet, open_grant_answer
from latchkey.ui.pages.signed import SignedPage
from latchkey.ui.pages.wizard import WizardPage
from latchkey.ui.pages.wizard.cards import PermissionCard
from latchkey.ui.pages.wizard.expiry import ExpiryPage
from latchkey.ui.pages.wizard.functions import PasteDialog
from latchkey.ui.pages.wizard.scope import ScopePage
from latchkey.ui.widgets import Banner, Button, Dialog, DigestView
from latchkey.ui.widgets.tabbing import tab_chain
from latchkey.ui.window import MIN_SIZE, Window
from latchkey.vault.client import Status

pytestmark = pytest.mark.gui

ACCOUNT = from_owner(31337, OWNER, 0, label="Game account")
KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
CONTRACT, TOKEN = Address.parse("0x" + "c0" * 20), Address.parse("0x" + "d0" * 20)
MOVE, CLAIM = selector_of("move(uint8,uint8)"), selector_of("claim()")
PASSPHRASES = "a practice vault for everybody\n" * 2
CLAIMS = Claims("Skirmish <b>Rooms</b>", "rooms.example", ((TOKEN, "USD Coin", "USDC", 6),))


def request(*permissions: Permission, **fields: Any) -> SessionRequest:
    values: dict[str, Any] = {
        "account": ACCOUNT.address, "chain_id": 31337, "expiry": NOW + 8 * 3600, "session_key": KEY, "claims": CLAIMS,
    }  # fmt: skip
    wanted = permissions or (FunctionsOnContract(CONTRACT, (MOVE, CLAIM)), GasLimit(10**16))
    return SessionRequest(wanted, "request-1", **(values | fields))


class Driver:
    """What a person does and sees, in few words."""

    def __init__(self, window: Window, qtbot: QtBot) -> None:
        self.window, self._qtbot = window, qtbot

    @property
    def page(self) -> WizardPage:
        page = self.window.page
        assert isinstance(page, WizardPage)
        return page

    @property
    def step(self) -> Step:
        return self.page.wizard.step

    def open(self, payload: Any = None) -> Driver:
        self.window.show_page("wizard", payload)
        return self

    def press(self, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
        target = QApplication.focusWidget()
        assert target is not None, "nothing has the focus"
        QTest.keyClick(target, key, modifiers[0] if modifiers else Qt.KeyboardModifier.NoModifier)

    def mnemonic(self, key: Qt.Key, step: Step) -> None:
        """Alt and a letter; the button is pressed a moment later."""
        self.press(key, Qt.KeyboardModifier.AltModifier)
        self._qtbot.waitUntil(lambda: self.step is step)

    def enter(self, times: int = 1) -> None:
        for _ in range(times):
            self.press(Qt.Key.Key_Return)

    def type(self, text: str) -> None:
        target = QApplication.focusWidget()
        assert isinstance(target, QLineEdit)
        QTest.keyClicks(target, text)

    def tab_to(self, name: str) -> QWidget:
        """Press Tab until the control with this accessible name has the focus."""
        for _ in range(80):
            focused = QApplication.focusWidget()
            if focused is not None and focused.accessibleName().startswith(name):
                return focused
            self.press(Qt.Key.Key_Tab)
        raise AssertionError(f"Tab never reaches {name!r}")

    def texts(self) -> str:
        return "\n".join(label.text() for label in self.page.findChildren(QLabel) if label.isVisible())

    def button(self, text: str) -> QPushButton:
        return next(b for b in self.page.findChildren(QPushButton) if b.isVisible() and b.accessibleName() == text)

    def click(self, text: str) -> None:
        QTest.mouseClick(self.button(text), Qt.MouseButton.LeftButton)

    def cards(self) -> list[PermissionCard]:
        return [c for c in self.page.pages[Step.SCOPE].findChildren(PermissionCard) if c.isVisible()]


@pytest.fixture
def book_filled(folder: DataDir) -> None:
    fill(folder)


@pytest.fixture
def drive(make_window: Callable[..., Window], qtbot: QtBot, book_filled: None) -> Driver:
    """A window with accounts in its book; its signer has no vault."""
    window = make_window()
    with qtbot.waitActive(window):
        window.activateWindow()
    return Driver(window, qtbot)


@pytest.fixture
def drive_signer(make_window: Callable[..., Window], qtbot: QtBot, book_filled: None, passphrases: Callable[[str], int]) -> Driver:
    """A window whose signer holds the public test key and is answered by a script."""
    window = make_window(passphrase_fd=passphrases(PASSPHRASES))
    window._context.client.import_key("Main key", source_fd=passphrases(OWNER_KEY + "\n"))
    with qtbot.waitActive(window):
        window.activateWindow()
    return Driver(window, qtbot)


# --- whole ways


def test_a_request_is_granted_by_keyboard_alone(drive_signer: Driver, qtbot: QtBot) -> None:
    drive = drive_signer.open(request())
    drive.enter(4)
    assert drive.step is Step.REVIEW
    page = drive.page
    with qtbot.waitSignal(page.signed, timeout=60_000) as caught:
        drive.press(Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    record = caught.args[0]
    assert (record.state, record.request_id) == (GrantState.SIGNED, "request-1")
    assert page.wizard.step is Step.SIGNED
    assert drive.window.page is not page
    explained = explain(record.envelope, now=NOW)
    assert explained.signer == OWNER
    drive.open(request())
    assert "You answered this request" in drive.texts()
    drive.click("Next")
    assert drive.step is Step.ACCOUNT
    assert record.draft.permissions == (NativeTokenTransfer(0), GasLimit(10**16), FunctionsOnContract(CONTRACT, (MOVE, CLAIM)))


def test_an_empty_wizard_by_keyboard_alone(drive: Driver) -> None:
    drive.open()
    drive.press(Qt.Key.Key_Space)  # the first account
    drive.enter()
    assert drive.step is Step.KEY
    drive.type(str(KEY))
    drive.tab_to("Your name")
    drive.type("Chess")
    drive.enter()
    assert drive.step is Step.SCOPE
    drive.tab_to("Game session")
    drive.press(Qt.Key.Key_Space)
    drive.type(str(CONTRACT))
    drive.tab_to("Add functions")
    drive.type("move(uint8,uint8), claim()")
    drive.enter()  # adds them, and stays
    assert drive.step is Step.SCOPE
    drive.enter()
    assert drive.step is Step.EXPIRY
    drive.press(Qt.Key.Key_Down)  # from "1 day", the last of the first row
    drive.press(Qt.Key.Key_Left)
    drive.press(Qt.Key.Key_Left)
    drive.enter()
    assert drive.step is Step.REVIEW
    assert "move(uint8,uint8)" in drive.texts()
    state = drive.page.wizard.state
    assert (state.label, state.expiry.until) == ("Chess", Until.WEEK)
    assert state.account is not None
    assert [c.form.kind for c in state.cards] == ["functions-on-contract", "gas-limit", "native-token-transfer"]


def test_an_empty_wizard_by_mouse(drive: Driver) -> None:
    drive.open()
    drive.click("Game account · Practice chain")
    drive.click("Next")
    drive.type(str(KEY))
    drive.click("Next")
    drive.click("Pay one address")
    drive.type(str(CONTRACT))
    card = next(c for c in drive.cards() if c.accessibleName() == "ETH with its calls")
    QTest.keyClicks(card.findChild(QLineEdit), "0.25")
    drive.click("Next")
    drive.click("1 hour")
    drive.click("Next")
    assert drive.step is Step.REVIEW
    assert "0.25 ETH" in drive.texts()


def test_a_key_made_here(drive_signer: Driver, qtbot: QtBot) -> None:
    drive = drive_signer.open(request(session_key=None))
    drive.enter()
    drive.tab_to("The dApp has its own key")
    drive.press(Qt.Key.Key_Right)  # arrows choose among the tiles
    drive.enter()
    qtbot.waitUntil(lambda: drive.step is Step.SCOPE, timeout=30_000)
    made = drive.page.wizard.state.key.made
    assert made is not None
    drive.mnemonic(Qt.Key.Key_B, Step.KEY)
    drive.enter()
    assert drive.page.wizard.state.key.made == made  # looking back makes no second key
    drive.enter(2)
    with qtbot.waitSignal(drive.page.signed, timeout=60_000) as caught:
        drive.enter()
    assert caught.args[0].draft.session_key == made
    assert caught.args[0].key_origin is KeyOrigin.MADE


# --- what is wrong is said, what was typed stays


def test_next_says_what_is_missing(drive: Driver) -> None:
    drive.open()
    drive.click("Next")
    assert "Choose the account this key will act for." in drive.texts()
    drive.click("Game account · Practice chain")
    assert "Choose the account this key will act for." not in drive.texts()
    drive.click("Next")
    assert "hexadecimal digits" not in drive.texts().replace("0x and 40 digits", "")
    drive.type("0x12")
    assert "An address is" not in drive.texts()  # not while typing
    drive.click("Next")
    assert drive.step is Step.KEY
    assert "An address is 0x and 40 hexadecimal digits." in drive.texts()


def test_back_loses_nothing(drive: Driver) -> None:
    drive.open(request(Erc20TokenTransfer(TOKEN, 2_500_000), GasLimit(10**16)))
    drive.enter(2)
    token = next(c for c in drive.cards() if c.accessibleName() == "One token, up to a total")
    line = next(e for e in token.findChildren(QLineEdit) if e.accessibleName() == "Total")
    assert line.text() == "2500000"  # how many make one is only the sender's word
    line.setFocus()
    line.clear()
    drive.type("1.x")
    before = drive.page.wizard.state
    drive.mnemonic(Qt.Key.Key_B, Step.KEY)
    drive.mnemonic(Qt.Key.Key_B, Step.ACCOUNT)
    drive.enter(2)
    assert drive.page.wizard.state == before
    assert line.text() == "1.x"
    assert "written with digits" in drive.texts()


def test_a_request_cannot_be_widened(drive: Driver) -> None:
    drive.open(request())
    drive.enter(2)
    gas = next(c for c in drive.cards() if c.accessibleName() == "ETH for gas")
    line = gas.findChild(QLineEdit)
    line.setFocus()
    line.selectAll()
    drive.type("0.02")
    drive.enter()
    assert drive.step is Step.SCOPE
    assert "This is more gas than the request asks for." in drive.texts()
    line.selectAll()
    drive.type("0.005")
    boxes = drive.cards()[0].findChildren(QCheckBox)
    assert [box.text() for box in boxes] == ["move(uint8,uint8)", "claim()"]
    boxes[0].setFocus()
    drive.press(Qt.Key.Key_Space)
    drive.click("Next")
    assert drive.step is Step.EXPIRY
    drive.enter()
    assert "less: move(uint8,uint8)" in drive.texts()
    assert "Narrowed" in drive.texts()
    assert [f.selector for f in drive.page.wizard.state.cards[0].form.functions] == [CLAIM]


def test_no_eth_stands_beside_a_request_that_forgot_it(drive: Driver) -> None:
    drive.open(request(ContractAccess(CONTRACT)))
    drive.enter(2)
    card = drive.cards()[1]
    assert "added by Latchkey" in [label.text() for label in card.findChildren(QLabel)]
    assert not any(b.isVisible() and "Remove" in b.accessibleName() for b in card.findChildren(Button))
    card.findChild(QLineEdit).setFocus()
    QTest.keyClicks(card.findChild(QLineEdit), "1")  # "01"
    assert "added by Latchkey" not in [label.text() for label in card.findChildren(QLabel) if label.isVisible()]


def test_an_unknown_account_is_offered_to_the_book(drive: Driver, folder: DataDir) -> None:
    wanted = from_owner(8453, OWNER, 4)
    drive.window._context.book.put_key(key_record())
    drive.open(request(account=wanted.address, chain_id=8453))
    assert "It is an account of your key" in drive.texts()
    drive.enter()
    assert drive.page.wizard.state.account == wanted
    assert wanted in drive.window._context.book.accounts()
    drive.enter()
    assert drive.step is Step.KEY


def key_record() -> Any:
    from latchkey.store.records import MasterKeyRecord

    return MasterKeyRecord(Address.parse(OWNER), "Main key", "raw", "")


def test_an_account_is_added_by_hand(drive: Driver, qtbot: QtBot) -> None:
    drive.open()
    drive.click("Add an account…")
    dialog = drive.window.findChild(Dialog)
    assert dialog is not None
    owner = next(e for e in dialog.findChildren(QLineEdit) if e.accessibleName() == "Owner's address")
    owner.setText(str(KEY))
    QTest.mouseClick(next(b for b in dialog.findChildren(Button) if b.text() == "&Add"), Qt.MouseButton.LeftButton)
    account = drive.page.wizard.state.account
    assert account == from_owner(1, str(KEY))


def test_claims_are_never_markup(drive: Driver) -> None:
    drive.open(request())
    drive.enter(4)
    assert "Skirmish <b>Rooms</b>" in drive.texts()


# --- functions


def test_functions_are_typed_pasted_and_removed(drive: Driver, qtbot: QtBot) -> None:
    drive.open(ACCOUNT)
    drive.enter()
    drive.type(str(KEY))
    drive.enter()
    drive.click("Game session")
    drive.tab_to("Add functions")
    drive.type("move(Piece)")
    drive.enter()
    assert "Function 1: a parameter's type is not one an ABI knows" in drive.texts()
    drive.press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    drive.type("0xa9059cbb")
    drive.enter()
    assert "transfer(address,uint256)" in drive.texts() or "0xa9059cbb" in drive.texts()
    drive.click("Paste ABI…")
    dialog = drive.window.findChild(PasteDialog)
    assert dialog is not None
    dialog._text.editor.setPlainText(
        '[{"type":"function","name":"a","inputs":[]},{"type":"function","name":"b","inputs":[]},'
        '{"type":"function","name":"c","inputs":[],"stateMutability":"view"}]'
    )
    dialog._next.click()
    assert dialog._choices.count() == 2
    dialog._choices.item(1).setCheckState(Qt.CheckState.Checked)
    dialog._next.click()
    chosen = [str(f.signature or f.selector) for f in drive.page.wizard.state.cards[0].form.functions]
    assert chosen == ["0xa9059cbb", "b()"]
    drive.click("Remove 0xa9059cbb")
    assert [f.signature for f in drive.page.wizard.state.cards[0].form.functions] == ["b()"]


# --- coming and going


def test_leaving_asks_only_when_something_is_lost(drive: Driver) -> None:
    page = drive.open(request()).page
    assert page.may_leave() == ""
    drive.enter()
    drive.tab_to("Your name")
    drive.type("Chess")
    assert page.may_leave()
    drive.press(Qt.Key.Key_Escape)
    assert drive.window.page is page  # the window asks first
    assert drive.window.findChild(Dialog) is not None


def test_a_new_request_does_not_wipe_what_was_entered(drive: Driver) -> None:
    page = drive.open(request()).page
    drive.enter()
    drive.tab_to("Your name")
    drive.type("Chess")
    drive.open()
    assert page.wizard.state.label == "Chess"
    drive.open(request(ContractAccess(CONTRACT)))
    assert page.wizard.state.label == "Chess"
    dialog = drive.window.findChild(Dialog)
    assert dialog is not None
    dialog.accept()
    assert page.wizard.state.label == ""


def test_an_account_starts_the_wizard(drive: Driver) -> None:
    other = drive.window._context.book.accounts()[1]
    assert drive.open(other).page.wizard.state.account == other


# --- to another machine and back


def test_for_another_machine_and_back(drive_signer: Driver, qtbot: QtBot) -> None:
    """The grant is kept and shown; what comes back is shown with its words, kept, and handed over."""
    drive = drive_signer.open(request())
    drive.enter(4)
    page, window = drive.page, drive.window
    context = window._context
    qtbot.mouseClick(page._unsigned, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: isinstance(window.page, GrantPage) and window.page._carry is not None, timeout=30_000)
    [waiting] = context.book.grants()
    assert waiting.state is GrantState.UNSIGNED
    grant_page: Any = window.page
    unsigned = decode(grant_page._carry.card.shown.message)
    assert (unsigned.kind, unsigned.created) == (Kind.UNSIGNED_GRANT, context.clock())
    assert not grant_page._carry.device.isVisible()
    with Book.open(context.data_dir.root / "cold.sqlite") as cold:
        for key in context.book.keys():  # noqa: SIM118  a book is no dict
            cold.put_key(key)
        there = Approvals(cold, lambda: context.client, Chains(Settings), context.clock).read(unsigned)
        signed = there.sign(context.client)
    qtbot.mouseClick(grant_page._carry.bring, Qt.MouseButton.LeftButton)
    asking: Any = window.findChild(BringDialog)
    asking.open_all([grant_page._carry.card.shown.copied])
    qtbot.waitUntil(lambda: "not signed yet" in asking.banner.text)
    asking.open_all([signed.link])
    qtbot.waitUntil(lambda: window.findChild(GrantAnswerSheet) is not None)
    sheet: Any = window.findChild(GrantAnswerSheet)
    assert sheet.findChild(DigestView).accessibleName().endswith(to_hex(there.shown.digest))
    sheet.go.click()
    qtbot.waitUntil(lambda: isinstance(window.page, SignedPage), timeout=30_000)
    assert [g.state for g in context.book.grants()] == [GrantState.SIGNED]
    open_grant_answer(context, window, decode(signed.message))
    again: Any = window.findChildren(GrantAnswerSheet)[-1]
    assert not again.go.isVisible()


def test_a_signer_that_refuses_leaves_everything_as_it_was(drive_signer: Driver, qtbot: QtBot) -> None:
    """Public test keys sign on the practice chain alone."""
    account = from_owner(8453, OWNER)
    drive = drive_signer
    drive.window._context.book.add_account(account)
    drive.open(request(account=account.address, chain_id=8453))
    drive.enter(5)
    page = drive.page
    assert not page._next.isEnabled()
    qtbot.waitUntil(page._next.isEnabled, timeout=30_000)
    assert "31337" in drive.texts()
    assert page._prepared is not None
    page._show_around(page._prepared, page._prepared, "")  # the network may answer after the signer did
    assert "31337" in drive.texts()
    assert page.wizard.step is Step.REVIEW
    assert drive.window._context.book.grants() == ()


# --- every step can be reached, heard and read


KINDS: tuple[Permission, ...] = (
    FunctionsOnContract(CONTRACT, (MOVE,)), Erc20TokenTransfer(TOKEN, 5), GasLimit(5), ContractAccess(Address.parse("0x" + "ab" * 20)),
    FunctionsOnAllContracts((CLAIM,)), PaymasterGuard(TOKEN), AccountFunctions((CLAIM,)), Root(),
)  # fmt: skip


def each_step(drive: Driver) -> Iterator[Step]:
    drive.open(request(FunctionsOnContract(CONTRACT, (MOVE,)), Erc20TokenTransfer(TOKEN, 5), GasLimit(10**16)))
    for step in (Step.ACCOUNT, Step.KEY, Step.SCOPE, Step.EXPIRY, Step.REVIEW):
        assert drive.step is step
        yield step
        drive.enter()


def test_every_control_has_a_name_and_a_place_in_the_tab_order(drive: Driver) -> None:
    for step in each_step(drive):
        if step is Step.REVIEW:
            break
        page = drive.page.pages[step]
        assert names_missing(page) == []
        chain = [w for w in tab_chain(page) if w.isVisible() and w.isEnabled()]
        chain[0].setFocus()
        for expected in chain[1:]:
            drive.press(Qt.Key.Key_Tab)
            focused = QApplication.focusWidget()
            assert focused is expected or (isinstance(expected, QComboBox) and expected.isAncestorOf(focused)), expected
        page.first().setFocus()


def test_every_kind_of_card_is_named(drive: Driver) -> None:
    drive.open(request(*KINDS))
    drive.page.wizard.step = Step.SCOPE
    drive.page._entered()
    assert len(drive.cards()) == len(KINDS) + 1
    assert names_missing(drive.page.pages[Step.SCOPE]) == []
    assert "expert switch" in drive.texts()


def test_nothing_is_clipped_in_the_smallest_window(drive: Driver, qtbot: QtBot) -> None:
    drive.window.resize(*MIN_SIZE)
    for _step in each_step(drive):
        qtbot.wait(150)
        content = drive.page.scroller.widget()
        assert content.width() <= drive.page.scroller.viewport().width()
        for widget in content.findChildren(QWidget):
            if widget.isVisible():
                right = widget.mapTo(content, QPoint(widget.width(), 0)).x()
                assert right <= content.width(), widget
        if drive.step is Step.REVIEW:
            break


def test_banners_speak(drive: Driver) -> None:
    drive.open()
    drive.click("Next")
    banner = next(b for b in drive.page.findChildren(Banner) if b.isVisible())
    assert banner.accessibleName() == "Danger: Choose the account this key will act for."


# --- expiry and the expert switch


def at_expiry(drive: Driver, **fields: Any) -> ExpiryPage:
    drive.open(request(**fields))
    drive.page.wizard.step = Step.EXPIRY
    drive.page._entered()
    page = drive.page.pages[Step.EXPIRY]
    assert isinstance(page, ExpiryPage)
    return page


def test_never_is_for_experts_who_say_so(drive: Driver) -> None:
    page = at_expiry(drive, expiry=None)
    assert not page._tiles[Until.NEVER].isVisible()
    drive.window._context.set_status(Status(exists=True, unlocked=True, expert=True))
    assert page._tiles[Until.NEVER].isVisible()
    QTest.mouseClick(page._tiles[Until.NEVER], Qt.MouseButton.LeftButton)
    drive.click("Next")
    assert drive.step is Step.EXPIRY
    assert 'Type "never"' in drive.texts()
    page._never.editor.setFocus()
    drive.type("never")
    drive.enter()
    assert drive.step is Step.REVIEW
    assert "It never expires." in drive.texts()


def test_a_date_far_away_warns(drive: Driver) -> None:
    page = at_expiry(drive, expiry=None)
    QTest.mouseClick(page._tiles[Until.DATE], Qt.MouseButton.LeftButton)
    assert page._date.isVisible()
    assert not page._long.isVisible()
    page._date.editor.setDateTime(QDateTime.fromSecsSinceEpoch(NOW + 40 * 86_400))
    assert "longer than 30 days" in page._long.text
    drive.page.back()
    drive.page.next()
    assert drive.page.wizard.state.expiry.at == NOW + 40 * 86_400
    drive.click("Next")
    assert "It lasts longer than 30 days." in drive.texts()


def test_nothing_later_than_the_request_is_offered(drive: Driver) -> None:
    page = at_expiry(drive)
    offered = [until for until, tile in page._tiles.items() if tile.isVisible()]
    assert Until.WEEK not in offered
    assert Until.ASKED in offered
    assert page._tiles[Until.ASKED].isChecked()


def test_what_only_experts_may_add_says_so(drive: Driver) -> None:
    drive.open(request())
    drive.enter(2)
    page = drive.page.pages[Step.SCOPE]
    assert isinstance(page, ScopePage)

    def offers() -> dict[str, bool]:
        page._fill_menu()
        return {action.text(): action.isEnabled() for action in page._menu.actions()}

    assert offers()["Functions of your account itself  (needs the expert switch in Settings)"] is False
    assert offers()["ETH for gas  (is there already)"] is False
    assert offers()["A number of calls  (your account cannot enforce this)"] is False
    drive.window._context.set_status(Status(exists=True, unlocked=True, expert=True))
    assert offers()["Functions of your account itself"] is True
