"""The desk's pages one by one: what they answer, what they refuse to let out, what they forget."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QClipboard, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QCompleter, QLabel, QLineEdit
from tests.gui.conftest import names_missing

from latchkey.core.wordlist import english_words
from latchkey.ui.desk.addresses import AddressPage
from latchkey.ui.desk.confirm import ConfirmPage
from latchkey.ui.desk.importing import MAX_KEYSTORE, ImportPage
from latchkey.ui.desk.mnemonic import CheckMnemonicPage, ShowMnemonicPage
from latchkey.ui.desk.notices import CodePage, RevealPage, SayPage
from latchkey.ui.desk.page import Page
from latchkey.ui.desk.passphrase import NewPassphrasePage, PassphrasePage
from latchkey.ui.desk.secret_edit import HINTS, SecretEdit
from latchkey.ui.desk.window import PAGES, DeskWindow

pytestmark = pytest.mark.gui

WORDS = ["test", "test", "test", "test", "test", "test", "test", "test", "test", "test", "test", "junk"]
ADDRESS = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
SECRET = "correct horse battery staple"


@pytest.fixture
def shown(qtbot: Any) -> Any:
    """Show a page as the window does and collect what it answers."""

    def show(page: Page) -> list[Any]:
        answers: list[Any] = []
        page.answered.connect(answers.append)
        page.declined.connect(lambda: answers.append(None))
        qtbot.addWidget(page)
        page.resize(608, 560)
        with qtbot.waitActive(page):
            page.show()
            page.activateWindow()
        page.first().setFocus()
        return answers

    return show


def texts(page: Page) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


# The field -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def field(qtbot: Any) -> SecretEdit:
    edit = SecretEdit("Passphrase")
    qtbot.addWidget(edit)
    edit.resize(300, 36)
    with qtbot.waitActive(edit):
        edit.show()
        edit.activateWindow()
    edit.setFocus()
    return edit


@pytest.mark.parametrize("readable", [False, True])
def test_secret_never_reaches_the_clipboard(qtbot: Any, field: SecretEdit, readable: bool) -> None:
    board = QGuiApplication.clipboard()
    for mode in (QClipboard.Mode.Clipboard, QClipboard.Mode.Selection):
        board.setText("untouched", mode)
    field.setText(SECRET)
    field.show_text(readable)
    ctrl, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    keys = [("A", ctrl), ("C", ctrl), ("A", ctrl), (Qt.Key.Key_Insert, ctrl)]
    for key in (Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
        keys += [(key, shift), (key, ctrl | shift)]
    keys += [("X", ctrl), (Qt.Key.Key_Delete, shift)]
    for key, modifier in keys:
        qtbot.keyClick(field, key, modifier)
    field.setText(SECRET)
    field.home(False)
    qtbot.keyClick(field, "K", ctrl)
    field.setText(SECRET)
    qtbot.mousePress(field, Qt.MouseButton.LeftButton, pos=QPoint(12, 18))
    qtbot.mouseMove(field, QPoint(250, 18))
    qtbot.mouseRelease(field, Qt.MouseButton.LeftButton, pos=QPoint(250, 18))
    qtbot.mouseDClick(field, Qt.MouseButton.LeftButton, pos=QPoint(40, 18))
    qtbot.mouseRelease(field, Qt.MouseButton.LeftButton, pos=QPoint(40, 18))
    qtbot.mouseClick(field, Qt.MouseButton.LeftButton, pos=QPoint(40, 18))
    for mode in (QClipboard.Mode.Clipboard, QClipboard.Mode.Selection):
        assert board.text(mode) == "untouched"


def test_words_reached_by_tab_do_not_reach_the_selection(qtbot: Any, shown: Any) -> None:
    board = QGuiApplication.clipboard()
    page = CheckMnemonicPage({"positions": [1, 2]})
    shown(page)
    board.setText("untouched", QClipboard.Mode.Selection)
    page.grid.fill(["zebra", "mango"])
    for _ in range(3):
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
    qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert board.text(QClipboard.Mode.Selection) == "untouched"


def test_secret_can_be_pasted_and_is_read_once(qtbot: Any, field: SecretEdit) -> None:
    QGuiApplication.clipboard().setText(SECRET)
    qtbot.keyClick(field, "V", Qt.KeyboardModifier.ControlModifier)
    assert field.take() == SECRET
    assert field.text() == ""
    qtbot.keyClick(field, "Z", Qt.KeyboardModifier.ControlModifier)
    assert field.text() == ""
    assert not field.isUndoAvailable()


@pytest.mark.parametrize("readable", [False, True])
def test_undo_brings_nothing_back(qtbot: Any, field: SecretEdit, readable: bool) -> None:
    field.show_text(readable)
    qtbot.keyClicks(field, "abcdef")
    qtbot.keyClick(field, Qt.Key.Key_Backspace)
    qtbot.keyClick(field, "Z", Qt.KeyboardModifier.ControlModifier)
    assert field.text() == "abcde"
    qtbot.keyClick(field, "U", Qt.KeyboardModifier.ControlModifier)
    assert field.text() == ""


def test_input_methods_are_told_to_keep_out(field: SecretEdit) -> None:
    for readable in (False, True, False):
        field.show_text(readable)
        assert field.inputMethodHints() == HINTS
        assert not field.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
    assert field.contextMenuPolicy() == Qt.ContextMenuPolicy.PreventContextMenu
    assert not field.dragEnabled()


# Passphrases ---------------------------------------------------------------------------------------------------------------------


def test_passphrase_by_keyboard(qtbot: Any, shown: Any) -> None:
    page = PassphrasePage({"purpose": "To unlock your vault."})
    answers = shown(page)
    assert not page.go.isEnabled()
    qtbot.keyClicks(page.edit, "paßphrase")
    qtbot.keyClick(page.edit, Qt.Key.Key_Return)
    assert answers == [{"passphrase": "paßphrase".encode()}]
    assert page.edit.text() == ""


def test_passphrase_says_what_went_wrong_and_waits(qtbot: Any, shown: Any) -> None:
    page = PassphrasePage({"purpose": "To unlock.", "retry": "That is not the passphrase.", "wait": 1})
    answers = shown(page)
    assert "That is not the passphrase." in texts(page)
    assert "try again in 1 s" in texts(page)
    qtbot.keyClicks(page.edit, "x")
    qtbot.keyClick(page.edit, Qt.Key.Key_Return)
    assert answers == []
    qtbot.waitUntil(page.go.isEnabled)
    assert "try again" not in texts(page)
    qtbot.keyClick(page.edit, Qt.Key.Key_Return)
    assert answers == [{"passphrase": b"x"}]


def test_new_passphrase_wants_the_same_twice(qtbot: Any, shown: Any) -> None:
    page = NewPassphrasePage({"purpose": "It encrypts your vault."})
    answers = shown(page)
    qtbot.keyClicks(page.edit, SECRET)
    qtbot.keyClick(page.edit, Qt.Key.Key_Return)
    assert page.focusWidget() is page.again
    qtbot.keyClicks(page.again, "correct house")
    assert "The two differ." in texts(page)
    assert not page.go.isEnabled()
    page.again.forget()
    qtbot.keyClicks(page.again, SECRET)
    assert "The two differ." not in texts(page)
    qtbot.keyClick(page.again, Qt.Key.Key_Return)
    assert answers == [{"passphrase": SECRET.encode()}]
    assert page.edit.text() == page.again.text() == ""


def test_new_passphrase_below_the_floor_cannot_be_sent(qtbot: Any, shown: Any) -> None:
    page = NewPassphrasePage({"purpose": "It encrypts your vault."})
    shown(page)
    for edit in (page.edit, page.again):
        edit.setText("password123")
    assert not page.go.isEnabled()
    assert "are tried first" in texts(page)


def test_new_passphrase_says_what_it_leans_on(qtbot: Any, shown: Any) -> None:
    page = NewPassphrasePage({"purpose": "It encrypts your vault.", "own": ["Game account"]})
    shown(page)
    for edit in (page.edit, page.again):
        edit.setText("game account 2026")
    assert not page.go.isEnabled()
    assert "names that stand in this vault" in texts(page)
    for edit in (page.edit, page.again):
        edit.setText(SECRET)
    assert page.go.isEnabled()
    assert page.meter.value() >= 3


def test_new_passphrase_hides_again_when_the_window_is_left(qtbot: Any, shown: Any) -> None:
    page = NewPassphrasePage({"purpose": "It encrypts your vault."})
    shown(page)
    page.shown.setChecked(True)
    assert page.edit.echoMode() == page.again.echoMode() == QLineEdit.EchoMode.Normal
    page.hide_secrets()
    assert page.edit.echoMode() == page.again.echoMode() == QLineEdit.EchoMode.Password


# Recovery words ------------------------------------------------------------------------------------------------------------------


def test_word_list_is_bip39s() -> None:
    words = english_words()
    assert len(words) == len(set(words)) == 2048
    assert (words[0], words[-1]) == ("abandon", "zoo")
    assert len({word[:4] for word in words}) == 2048


def test_mnemonic_is_hidden_until_asked_for_and_when_left(qtbot: Any, shown: Any) -> None:
    page = ShowMnemonicPage({"words": WORDS})
    answers = shown(page)
    assert "junk" not in texts(page)
    assert not page.go.isEnabled()
    qtbot.keyClick(page.first(), Qt.Key.Key_Space)
    assert "junk" in texts(page)
    page.hide_secrets()
    assert "junk" not in texts(page)
    assert "junk" not in "".join(label.accessibleName() for label in page.findChildren(QLabel))
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    assert answers == [{}]
    page.forget()
    page.words.show_words(True)
    assert "junk" not in texts(page)


def test_words_are_shown_again_with_the_reason(shown: Any) -> None:
    page = ShowMnemonicPage({"words": WORDS, "retry": "Those were not the words."})
    shown(page)
    assert "Those were not the words." in texts(page)


def test_check_mnemonic_moves_on_with_space_and_enter(qtbot: Any, shown: Any) -> None:
    page = CheckMnemonicPage({"positions": [2, 7, 11]})
    answers = shown(page)
    assert [edit.accessibleName() for edit in page.grid.edits] == ["Word 2", "Word 7", "Word 11"]
    qtbot.keyClicks(page.focusWidget(), "Zebra ")
    qtbot.keyClicks(page.focusWidget(), "apple")
    qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Return)
    assert not page.go.isEnabled()
    qtbot.keyClicks(page.focusWidget(), "mango ")
    assert page.focusWidget() is page.go
    qtbot.keyClick(page.go, Qt.Key.Key_Return)
    assert answers == [{"words": ["zebra", "apple", "mango"]}]
    assert page.grid.words() == ["", "", ""]


def test_words_are_readable_only_while_typed(qtbot: Any, shown: Any) -> None:
    page = CheckMnemonicPage({"positions": [1, 2]})
    shown(page)
    first, second = page.grid.edits
    assert first.echoMode() == QLineEdit.EchoMode.Normal
    qtbot.keyClicks(first, "zebra ")
    assert first.echoMode() == QLineEdit.EchoMode.Password
    assert second.echoMode() == QLineEdit.EchoMode.Normal
    qtbot.keyClick(second, Qt.Key.Key_Backspace)
    assert page.focusWidget() is first


def test_words_are_suggested_and_completed_from_the_list_alone(qtbot: Any, shown: Any) -> None:
    page = CheckMnemonicPage({"positions": [1, 2, 3]})
    shown(page)
    first, second, third = page.grid.edits
    qtbot.keyClicks(first, "Z")
    assert page.grid.hint.text() == ""
    qtbot.keyClicks(first, "o")
    assert page.grid.hint.text().split() == ["zone", "zoo"]
    qtbot.keyClicks(first, " ")
    assert page.grid.hint.text() == ""
    assert first.text() == "Zo"
    qtbot.keyClicks(second, "aban ")
    assert second.text() == "abandon"
    qtbot.keyClicks(third, "act ")
    assert third.text() == "act"
    assert not page.findChildren(QCompleter)


# Import --------------------------------------------------------------------------------------------------------------------------


def test_import_words_typed_one_by_one(qtbot: Any, shown: Any) -> None:
    page = ImportPage({})
    answers = shown(page)
    for word in WORDS:
        qtbot.keyClicks(page.focusWidget(), word + " ")
    assert page.focusWidget() is page.words.passphrase
    qtbot.keyClicks(page.words.passphrase, "extra")
    qtbot.keyClick(page.words.passphrase, Qt.Key.Key_Return)
    assert answers == [{"kind": "mnemonic", "words": " ".join(WORDS), "passphrase": b"extra"}]
    assert not any(page.words.grid.words())


@pytest.mark.parametrize("count", [12, 15, 18, 21, 24])
def test_import_words_pasted_whole(qtbot: Any, shown: Any, count: int) -> None:
    page = ImportPage({})
    answers = shown(page)
    phrase = (WORDS * 2)[:count]
    QGuiApplication.clipboard().setText("\n".join(phrase))
    qtbot.keyClick(page.focusWidget(), "V", Qt.KeyboardModifier.ControlModifier)
    assert page.go.isEnabled()
    page.go.click()
    assert answers == [{"kind": "mnemonic", "words": " ".join(phrase), "passphrase": b""}]


def test_import_names_the_word_that_is_not_on_the_list(qtbot: Any, shown: Any) -> None:
    page = ImportPage({"retry": "The checksum does not fit."})
    shown(page)
    assert "The checksum does not fit." in texts(page)
    page.words.grid.fill(["foo" if i == 4 else w for i, w in enumerate(WORDS)])
    assert "word 5" in texts(page)
    assert not page.go.isEnabled()


def test_import_of_a_phrase_of_a_wrong_length(qtbot: Any, shown: Any) -> None:
    page = ImportPage({})
    shown(page)
    page.words.grid.edits[0].setText(" ".join([*WORDS, "test"]))
    assert "13 words" in texts(page)
    assert not any(page.words.grid.words())


def test_import_private_key(qtbot: Any, shown: Any) -> None:
    page = ImportPage({})
    answers = shown(page)
    choose(qtbot, page, "Private key")
    assert not page.go.isEnabled()
    qtbot.keyClicks(page.key.key, "0x" + "ac" * 31)
    assert not page.go.isEnabled()
    qtbot.keyClicks(page.key.key, "ac")
    qtbot.keyClick(page.key.key, Qt.Key.Key_Return)
    assert answers == [{"kind": "raw", "key": "0x" + "ac" * 32}]
    assert page.key.key.text() == ""


def test_import_keystore_file(qtbot: Any, shown: Any, tmp_path: Path) -> None:
    page = ImportPage({})
    answers = shown(page)
    choose(qtbot, page, "Keystore file")
    large, good = tmp_path / "large", tmp_path / "key.json"
    large.write_bytes(b"x" * (MAX_KEYSTORE + 1))
    good.write_bytes(b'{"version":3}')
    for path, sentence in ((large, "too large"), (tmp_path / "gone", "cannot be read"), (tmp_path, "cannot be read")):
        page.keystore.load(path)
        assert sentence in texts(page)
        assert not page.go.isEnabled()
    page.keystore.load(good)
    assert "key.json" in texts(page)
    qtbot.keyClicks(page.keystore.password, "pw")
    qtbot.keyClick(page.keystore.password, Qt.Key.Key_Return)
    assert answers == [{"kind": "keystore", "json": b'{"version":3}', "password": b"pw"}]


def choose(qtbot: Any, page: ImportPage, name: str) -> None:
    button = next(b for b in page.choice.findChildren(type(page.go)) if b.text() == name)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


# Addresses and notices -----------------------------------------------------------------------------------------------------------

ROWS = [{"path": f"m/44'/60'/0'/0/{i}", "address": a} for i, a in enumerate((ADDRESS, OTHER))]


def test_choose_address_by_keyboard(qtbot: Any, shown: Any) -> None:
    page = AddressPage({"rows": ROWS})
    answers = shown(page)
    assert ADDRESS in page.rows.item(0).text()
    qtbot.keyClick(page.rows, Qt.Key.Key_Down)
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    assert answers == [{"index": 1}]


def test_choose_another_path(qtbot: Any, shown: Any) -> None:
    page = AddressPage({"rows": ROWS})
    answers = shown(page)
    qtbot.keyClicks(page.path, "m/44'/60'/1")
    assert page.look.isEnabled()
    qtbot.keyClicks(page.path, "/x")
    assert not page.look.isEnabled()
    page.path.setText("m/44'/60'/1'/0/0")
    qtbot.keyClick(page.path, Qt.Key.Key_Return)
    assert answers == [{"path": "m/44'/60'/1'/0/0"}]


def test_code_is_hidden_until_asked_for(qtbot: Any, shown: Any) -> None:
    page = CodePage({"words": WORDS[-6:], "purpose": "For the file."})
    answers = shown(page)
    assert "junk" not in texts(page)
    qtbot.mouseClick(page.show_button, Qt.MouseButton.LeftButton)
    assert "junk" in texts(page)
    page.hide_secrets()
    assert "junk" not in texts(page)
    page.go.click()
    assert answers == [{}]


def test_reveal_shows_only_while_held(qtbot: Any, shown: Any) -> None:
    page = RevealPage({"address": ADDRESS, "secret": "0x" + "ab" * 32})
    answers = shown(page)
    assert ADDRESS in texts(page)
    assert "abab" not in texts(page)
    qtbot.keyPress(page.secret.button, Qt.Key.Key_Space)
    assert "abababab abababab" in texts(page)
    qtbot.keyRelease(page.secret.button, Qt.Key.Key_Space)
    assert "abab" not in texts(page)
    qtbot.mousePress(page.secret.button, Qt.MouseButton.LeftButton)
    page.hide_secrets()
    assert "abab" not in texts(page)
    page.go.click()
    assert answers == [{}]


def test_say_shows_markup_as_text(shown: Any) -> None:
    page = SayPage({"text": "<b>Done</b> \u202egnp"})
    answers = shown(page)
    assert "<b>Done</b> ⟨U+202E⟩gnp" in texts(page)
    page.go.click()
    assert answers == [{}]


# Confirming ----------------------------------------------------------------------------------------------------------------------


DIGEST_WORDS = ["abandon", "amount", "liar", "amount", "expire", "adjust", "cage", "candy"]


def confirmation(lines: int = 3, **more: Any) -> dict[str, Any]:
    words = {
        "headline": [["plain", "Until tomorrow this key can act for "], ["address", ADDRESS]],
        "can": [[["plain", "call "], ["code", f"move{i}(uint8)"], ["plain", " on "], ["address", OTHER]] for i in range(lines)],
        "cannot": [[["plain", "send any ETH"]]],
        "lose": [[["strong", "0.01 ETH"], ["plain", ", in gas"]]],
    }
    findings = [{"id": "long", "level": "warning", "sentence": "It lasts long.", "advice": "Choose a day."}]
    return {
        "title": "Let a key in?", "account": ADDRESS, "network": "Base", "words": words, "findings": findings,
        "signed": [["Nonce", "0x01"], ["Deadline", "1893456000"]], "digest": "0x" + "cd" * 32,
        "digest_words": DIGEST_WORDS, "verb": "Sign", **more,
    }  # fmt: skip


def everything(page: Page) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel))


def test_an_ending_never_looks_like_a_grant(shown: Any) -> None:
    ask = confirmation(findings=[])
    grant, end = ConfirmPage(ask), ConfirmPage(ask | {"words": ask["words"] | {"purpose": "ending"}, "verb": "Sign the ending"})
    for page, heads, others, kind in (
        (grant, ("It can", "It cannot", "Most you can lose"), ("It will", "Takes power away"), "primary"),
        (end, ("It will", "It will not", "Most it can cost", "Takes power away"), ("It can", "Most you can lose"), "danger"),
    ):
        shown(page)
        lines = everything(page).splitlines()
        assert all(head in lines for head in heads)
        assert not any(other in lines for other in others)
        assert page.go.property("kind") == kind


def test_confirm_shows_everything_in_full(shown: Any) -> None:
    page = ConfirmPage(confirmation())
    shown(page)
    text = everything(page)
    parts = [
        "Let a key in?",
        ADDRESS,
        OTHER,
        "Base",
        "move2(uint8)",
        "send any ETH",
        "0.01 ETH, in gas",
        "It lasts long.",
        "Choose a day.",
    ]
    parts += [f"{number} {word}" for number, word in enumerate(DIGEST_WORDS, 1)]
    parts += ["Nonce", "0x01", "Deadline", "1893456000", "0x" + "cd" * 32, "It can", "It cannot", "Most you can lose"]
    for part in parts:
        assert part in text
    assert "…" not in text


def test_confirm_takes_no_yes_before_it_was_read(qtbot: Any, shown: Any) -> None:
    page = ConfirmPage(confirmation(lines=40))
    answers = shown(page)
    qtbot.waitUntil(lambda: not page._arming.isActive())
    assert not page.go.isEnabled()
    bar = page.reading.verticalScrollBar()
    assert bar.maximum() > 0
    qtbot.keyClick(page.focusWidget(), Qt.Key.Key_PageDown)
    assert bar.value() > 0
    assert not page.go.isEnabled()
    qtbot.keyClick(page.focusWidget(), Qt.Key.Key_End)
    assert page.go.isEnabled()
    qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Home)
    assert page.go.isEnabled()
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    assert answers == [{}]


def test_confirm_that_fits_still_takes_a_moment(qtbot: Any, shown: Any) -> None:
    page = ConfirmPage(confirmation(lines=1))
    answers = shown(page)
    page.resize(608, 900)
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    assert answers == []
    qtbot.waitUntil(page.go.isEnabled)
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    assert answers == [{}]


def test_confirm_enter_is_no(qtbot: Any, shown: Any) -> None:
    page = ConfirmPage(confirmation(lines=1))
    answers = shown(page)
    page.resize(608, 900)
    qtbot.waitUntil(page.go.isEnabled)
    assert page.focusWidget() is page.stop
    qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Return)
    assert answers == [None]


def test_confirm_wants_the_word(qtbot: Any, shown: Any) -> None:
    page = ConfirmPage(confirmation(lines=1, typed="full control"))
    shown(page)
    page.resize(608, 900)
    qtbot.waitUntil(lambda: not page._arming.isActive())
    assert not page.go.isEnabled()
    qtbot.keyClicks(page.word, "full contro")
    assert not page.go.isEnabled()
    qtbot.keyClicks(page.word, "l")
    assert page.go.isEnabled()


# The window ----------------------------------------------------------------------------------------------------------------------


class FakePipe(QObject):
    asked = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Any] = []

    def answer(self, ask: int, answer: Any) -> None:
        self.said.append((ask, answer))

    def decline(self, ask: int) -> None:
        self.said.append((ask, None))

    def used(self) -> None:
        self.said.append("used")


@pytest.fixture
def window(qtbot: Any) -> DeskWindow:
    window = DeskWindow(FakePipe())  # type: ignore[arg-type]
    qtbot.addWidget(window)
    return window


def test_closing_the_window_declines_once(window: DeskWindow) -> None:
    window.ask({"id": 7, "ask": "confirm", **confirmation()})
    window.close()
    window.close()
    assert window._pipe.said == [(7, None)]
    assert not window.isVisible()


def test_an_answer_is_sent_once_and_the_page_forgets(qtbot: Any, window: DeskWindow) -> None:
    window.ask({"id": 1, "ask": "show-mnemonic", "words": WORDS})
    page = window.page
    assert isinstance(page, ShowMnemonicPage)
    page.words.show_words(True)
    page.go.click()
    page.go.click()
    page.stop.click()
    assert window._pipe.said == [(1, {})]
    assert "junk" not in everything(page)
    assert not page.isEnabled()
    qtbot.waitUntil(lambda: not window.isVisible())


def test_another_window_blanks_what_is_shown(qtbot: Any, window: DeskWindow) -> None:
    with qtbot.waitActive(window):
        window.ask({"id": 1, "ask": "show-mnemonic", "words": WORDS})
    assert isinstance(window.page, ShowMnemonicPage)
    window.page.words.show_words(True)
    other = QLabel("another window")
    qtbot.addWidget(other)
    with qtbot.waitActive(other):
        other.show()
        other.activateWindow()
    qtbot.waitUntil(lambda: not window.page.words.shown)


def test_the_window_fits_the_screen(window: DeskWindow) -> None:
    window.ask({"id": 1, "ask": "confirm", **confirmation(lines=60)})
    room = window.screen().availableGeometry()
    assert room.contains(window.geometry())
    assert window.windowTitle() == "Latchkey desk"
    assert window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint


ASKS: dict[str, dict[str, Any]] = {
    "passphrase": {"purpose": "To unlock."},
    "new-passphrase": {"purpose": "It encrypts your vault."},
    "show-mnemonic": {"words": WORDS},
    "check-mnemonic": {"positions": [2, 7, 11]},
    "import": {},
    "choose-address": {"rows": ROWS},
    "confirm": confirmation(typed="sign"),
    "show-code": {"words": WORDS[-6:], "purpose": "For the file."},
    "reveal": {"address": ADDRESS, "secret": "0x" + "ab" * 32},
    "say": {"text": "Done."},
}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_by_keyboard_and_by_ear(qtbot: Any, window: DeskWindow, name: str) -> None:
    with qtbot.waitActive(window):
        window.ask({"id": 1, "ask": name, **ASKS[name]})
    page = window.page
    assert page is not None
    assert page.accessibleName()
    assert names_missing(page) == []
    first = window.focusWidget()
    assert first is page.first()
    reached, widget = {first}, None
    while widget is not first:
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        widget = window.focusWidget()
        reached.add(widget)
    usable = {w for w in page.findChildren(QAbstractButton) if w.isVisibleTo(page) and w.isEnabled() and not w.isCheckable()}
    assert usable <= reached


def test_a_yes_to_something_without_fields_shows_none(shown: Any) -> None:
    page = ConfirmPage(confirmation(signed=[], digest=""))
    shown(page)
    assert "What is signed" not in everything(page)
    assert "Digest" not in everything(page)
