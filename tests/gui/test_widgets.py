"""The parts pages are made of: text is never markup, addresses are whole and copied exactly, everything has a name."""

from __future__ import annotations

import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QTextDocument, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from tests.gui.test_desk_pages import confirmation

from latchkey.core.phrases import Finding, Level, Part, Phrase, Style
from latchkey.ui import theme
from latchkey.ui.desk.confirm import ConfirmPage
from latchkey.ui.times import here, short_utc_time, utc_time, zone
from latchkey.ui.widgets import (
    AddressLabel,
    Banner,
    Body,
    Button,
    CheckBox,
    Field,
    FieldTable,
    FindingList,
    Identicon,
    Page,
    PhraseLabel,
    PhraseList,
    Segmented,
    StepTrail,
    TextView,
    Tile,
    Title,
    Toast,
    announce,
    confirm,
    grouped_address,
    line_edit,
    phrase,
    short_address,
    visible,
)
from latchkey.ui.widgets.row_parts import RowModel

UI = Path(__file__).parents[2] / "app" / "latchkey" / "ui"


def drawn(view: TextView) -> list[str]:
    """The lines of the document a label draws."""
    return [line for line in view._document.toPlainText().splitlines() if line]


ADDRESS = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"


def test_a_tool_tip_reads_no_markup(qtbot: QtBot) -> None:
    """A dApp's names stand in the line of a row, and on buttons that are a picture."""
    name = "<img src='file:///etc/motd'>&lt;b&gt; <b>free</b>"
    model: RowModel[Any] = RowModel()
    model.set_rows([SimpleNamespace(key=1, line=name, spoken="")])
    button = Button("", icon_name="trash", name=name)
    qtbot.addWidget(button)
    for told in (model.data(model.index(0), Qt.ItemDataRole.ToolTipRole), button.toolTip()):
        document = QTextDocument()
        document.setHtml(str(told))
        assert str(told).startswith("<qt>")  # else a tool tip may show it as it is, escapes and all
        assert document.toPlainText() == name


def test_nobody_makes_a_label_that_could_read_markup() -> None:
    """QLabel, QMessageBox, QErrorMessage and HTML setters guess whether text is markup; only widgets/text.py may hold a QLabel."""
    risky = re.compile(
        r"\bQLabel\(|\(QLabel\)|QMessageBox\.\w+\(|QErrorMessage|setHtml|insertHtml|QTextBrowser|TextFormat\.(Rich|Auto)"
    )
    found = [
        f"{path.name}: {line.strip()}"
        for path in UI.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if risky.search(line) and path.name != "text.py"
    ]
    assert found == []


def test_markup_in_a_phrase_is_shown_as_it_is(qtbot: QtBot) -> None:
    text = '<b>Free</b> <a href="https://x.example">mint</a> &amp; <img src="file:///etc/passwd">'
    for style in Style:
        label = PhraseLabel(Phrase((Part("calls itself "), Part(text, style))))
        qtbot.addWidget(label)
        assert label._document.toPlainText() == f"calls itself {text}" == label.text()


@pytest.mark.parametrize(
    ("hidden", "shown"), [("a\u202eb", "a⟨U+202E⟩b"), ("a\nb", "a⟨U+000A⟩b"), ("\u200b", "⟨U+200B⟩"), ("\0", "⟨U+0000⟩")]
)
def test_characters_that_deceive_are_written_out(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable() or any(c.isspace() for c in shown)
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\x00-\x1f\x7f-\x9f]", shown)


def test_a_long_word_breaks_instead_of_being_cut(qtbot: QtBot) -> None:
    label = PhraseLabel(phrase("0x" + "ab" * 200, Style.CODE))
    qtbot.addWidget(label)
    assert label.heightForWidth(150) > 10 * label.heightForWidth(100_000)
    label._document.setTextWidth(150)
    assert label._document.idealWidth() <= 150


def test_a_phrase_takes_the_colors_of_the_appearance(qapp: QApplication, qtbot: QtBot) -> None:
    label = PhraseLabel("text")
    qtbot.addWidget(label)
    label.show()
    before = label.grab().toImage()
    theme.apply(qapp, "dark")
    assert label.grab().toImage() != before


def test_a_long_title_is_cut_at_its_end_and_asks_for_no_room(qtbot: QtBot) -> None:
    title = Title("A title " * 40)
    qtbot.addWidget(title)
    assert title.minimumSizeHint().width() < 200
    title.resize(200, 30)
    title.grab()


# --- addresses


def test_grouping_keeps_every_digit() -> None:
    assert grouped_address(ADDRESS).replace(" ", "") == ADDRESS
    assert max(map(len, grouped_address(ADDRESS).split())) == 6
    assert short_address(ADDRESS) == "0x71C7…976F"


def test_copying_an_address_puts_exactly_it_on_the_clipboard(qtbot: QtBot) -> None:
    label = AddressLabel(ADDRESS)
    qtbot.addWidget(label)
    with qtbot.waitSignal(label.copied) as copied:
        label._copy.click()
    assert copied.args == [True]
    assert QGuiApplication.clipboard().text() == ADDRESS
    assert toast_of(label).text == "Address copied."


def test_a_clipboard_that_changes_behind_our_back_is_told(qtbot: QtBot) -> None:
    label = AddressLabel(ADDRESS)
    qtbot.addWidget(label)
    label._copy.click()
    with qtbot.waitSignal(label.copied) as copied:
        QGuiApplication.clipboard().setText("0x" + "66" * 20)
    assert copied.args == [False]
    assert "something else" in toast_of(label).text


def test_a_short_address_unfolds(qtbot: QtBot) -> None:
    label = AddressLabel(ADDRESS, full=False)
    qtbot.addWidget(label)
    label.show()
    assert label._unfold.text() == "0x71C7…976F"
    assert ADDRESS in label._unfold.accessibleName()
    label._unfold.click()
    assert label._text.isVisible()
    assert label._text.text() == grouped_address(ADDRESS)


def test_pictures_are_the_same_everywhere_and_differ_by_address(qapp: QApplication, qtbot: QtBot) -> None:
    picture = Identicon(ADDRESS, size=36)
    qtbot.addWidget(picture)
    light = inner(picture)
    theme.apply(qapp, "dark")
    assert inner(picture) == light
    picture.set_address(ADDRESS.lower())
    assert inner(picture) == light
    seen = set()
    for number in range(200):
        picture.set_address(f"0x{number:040x}")
        shown = inner(picture)  # kept: its bits go with it
        seen.add(bytes(shown.constBits()))
    assert len(seen) == 200


def inner(picture: Identicon):
    return picture.grab().toImage().copy(6, 6, 24, 24)


# --- judgements, fields, choices


def test_findings_stand_worst_first_and_say_their_level(qtbot: QtBot) -> None:
    findings = FindingList(
        [
            Finding("a", Level.NOTICE, "So.", ""),
            Finding("b", Level.REFUSED, "No.", "Don't."),
            Finding("c", Level.WARNING, "Hm.", ""),
        ]
    )
    qtbot.addWidget(findings)
    spoken = [banner.accessibleName() for banner in findings.findChildren(Banner)]
    assert spoken == ["Refused: No. Don't.", "Warning: Hm.", "Note: So."]


def test_no_findings_say_what_they_are_told_to(qtbot: QtBot) -> None:
    findings = FindingList(nothing="Nothing to warn of.")
    qtbot.addWidget(findings)
    assert [banner.text for banner in findings.findChildren(Banner)] == ["Nothing to warn of."]


def test_fields_that_are_signed_are_shown_whole(qtbot: QtBot) -> None:
    rows = [("Nonce", "0x" + "12" * 32), ("Call", "0x" + "ab" * 500)]
    table = FieldTable(rows)
    qtbot.addWidget(table)
    assert table.text().splitlines() == [f"{label}: {value}" for label, value in rows]
    assert drawn(table) == [text for row in rows for text in row]


def test_a_segment_is_chosen_by_mouse_and_arrow(qtbot: QtBot) -> None:
    chosen: list[str] = []
    choice = Segmented([("a", "1 hour"), ("b", "1 day"), ("c", "7 days")], name="Expiry", value="a")
    choice.changed.connect(chosen.append)
    qtbot.addWidget(choice)
    with qtbot.waitActive(choice):
        choice.show()
        choice.activateWindow()
    buttons = choice._group.buttons()
    qtbot.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    buttons[1].setFocus()
    QTest.keyClick(buttons[1], Qt.Key.Key_Right)
    assert chosen[0] == "b"
    assert choice.value() == "c"
    assert [b.accessibleName() for b in buttons] == ["Expiry: 1 hour", "Expiry: 1 day", "Expiry: 7 days"]
    choice.set_value("")
    assert choice.value() == ""


def test_every_choice_by_arrow_is_told(qtbot: QtBot) -> None:
    told: list[str] = []
    choice = Segmented([("a", "One"), ("b", "Two")], name="Which", value="a")
    choice.changed.connect(told.append)
    qtbot.addWidget(choice)
    with qtbot.waitActive(choice):
        choice.show()
        choice.activateWindow()
    first = choice._group.buttons()[0]
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Right)
    assert told == ["b"]


def test_a_tile_grows_with_its_sentence(qtbot: QtBot) -> None:
    tile = Tile("Make one here", "It is handed over sealed. " * 20)
    qtbot.addWidget(tile)
    assert tile.heightForWidth(300) > tile.heightForWidth(900)


def test_a_choice_is_one_stop_for_the_tab_key(qtbot: QtBot) -> None:
    choice = Segmented([("a", "One"), ("b", "Two"), ("c", "Three")], name="Which", value="a")
    qtbot.addWidget(choice)
    for key in ("b", "c", "a"):
        choice.set_value(key)
        stops = [button.text() for button in choice._group.buttons() if button.focusPolicy() & Qt.FocusPolicy.TabFocus]
        assert stops == [{"a": "One", "b": "Two", "c": "Three"}[key]]


def test_the_trail_says_where_one_is(qtbot: QtBot) -> None:
    trail = StepTrail(["Account", "Key", "Scope"])
    qtbot.addWidget(trail)
    for current in range(3):
        trail.set_current(current)
        trail.show()
        assert [label.font().weight() > 400 for label in trail._labels] == [at == current for at in range(3)]
    assert trail.accessibleName() == "Step 3 of 3: Scope"


def test_a_field_names_its_editor(qtbot: QtBot) -> None:
    field = Field("Sa&lt", line_edit(), hint="A number.")
    qtbot.addWidget(field)
    assert field.editor.accessibleName() == "Salt"
    assert field.error == ""
    field.set_error("No.")
    assert field.error == "No."


# --- news and questions


def test_news_replace_each_other_and_go_away(qtbot: QtBot) -> None:
    window = QWidget()
    window.resize(600, 400)
    qtbot.addWidget(window)
    window.show()
    announce(window, "One.")
    announce(window, "Two, which is longer than what the window has room for. " * 3)
    toasts = window.findChildren(Toast)
    assert len(toasts) == 1
    assert window.rect().contains(toasts[0].geometry())
    toasts[0]._timer.timeout.emit()
    assert not toasts[0].isVisible()


@pytest.mark.parametrize(("key", "happens"), [(Qt.Key.Key_Escape, 0), (Qt.Key.Key_Return, 0)])
def test_what_is_dangerous_is_not_confirmed_by_accident(qtbot: QtBot, key: Qt.Key, happens: int) -> None:
    window, done = QWidget(), []
    QVBoxLayout(window)
    qtbot.addWidget(window)
    window.show()
    dialog = confirm(window, "Remove?", "It leaves the list.", "Remove", lambda: done.append(1), danger=True)
    qtbot.waitUntil(dialog.isVisible)
    QTest.keyClick(dialog, key)
    assert len(done) == happens


def test_yes_is_yes(qtbot: QtBot) -> None:
    window, done = QWidget(), []
    qtbot.addWidget(window)
    window.show()
    dialog = confirm(window, "Leave?", "Go.", "Leave", lambda: done.append(1))
    qtbot.waitUntil(dialog.isVisible)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert done == [1]


def toast_of(widget: QWidget) -> Toast:
    return widget.window().findChild(Toast)


def test_bullets_are_replaced(qtbot: QtBot) -> None:
    bullets = PhraseList([phrase("one")])
    qtbot.addWidget(bullets)
    bullets.set_phrases([phrase("two"), phrase("three")])
    assert bullets.text().splitlines() == drawn(bullets) == ["two", "three"]


def test_hundreds_of_lines_are_shown_at_once(qtbot: QtBot) -> None:
    """Each line a widget took seconds; 600 of them are to cost a fraction of one."""
    page = ConfirmPage(confirmation(lines=200, signed=[[f"Permission {n}", "0x" + "ab" * 40] for n in range(400)]))
    qtbot.addWidget(page)
    began = time.process_time()
    page.resize(600, 700)
    with qtbot.waitExposed(page):
        page.show()
    assert time.process_time() - began < 0.5  # 0.1 where nothing else runs
    assert len(page.findChildren(QWidget)) < 80


def test_the_line_or_value_under_the_mouse_is_copied(qtbot: QtBot) -> None:
    bullets = PhraseList([phrase(f"line {number}") for number in range(9)])
    table = FieldTable([("Nonce", "0x01"), ("Call", "0x" + "ab" * 200), ("Deadline", "5")])
    for widget, last in ((bullets, "line 8"), (table, "5")):
        qtbot.addWidget(widget)
        widget.resize(300, widget.heightForWidth(300))
        widget.show()
        assert widget._copied(QPoint(widget.width() // 2, widget.height() - 4)) == last
    assert bullets._copied(QPoint(40, 2)) == "line 0"
    assert table._copied(QPoint(200, table.height() // 2)) == "0x" + "ab" * 200


def test_another_text_is_said_too(qtbot: QtBot) -> None:
    plain, named = Button("&Not now"), Button("Lock", name="Lock the keys")
    for button in (plain, named):
        qtbot.addWidget(button)
        button.setText("&Done")
    assert (plain.accessibleName(), named.accessibleName()) == ("Done", "Lock the keys")


def test_the_wheel_turns_no_choice_that_it_passes(qtbot: QtBot) -> None:
    page = Page("A page")
    choice = QComboBox()
    choice.addItems(["5 minutes", "60 minutes", "4 hours"])
    choice.setCurrentIndex(1)
    page.body.addWidget(choice)
    page.body.addWidget(Body("text " * 5_000))
    qtbot.addWidget(page)
    page.resize(500, 300)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()

    def turned() -> bool:
        """Whether the wheel ends at the choice; otherwise it goes on to the page."""
        where = QPointF(choice.rect().center())
        angle, none = QPoint(0, -120), Qt.KeyboardModifier.NoModifier
        phase = Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(where, choice.mapToGlobal(where), QPoint(), angle, Qt.MouseButton.NoButton, none, phase, False)
        QApplication.sendEvent(choice, event)
        return event.isAccepted()

    choice.clearFocus()
    assert choice.focusPolicy() == Qt.FocusPolicy.StrongFocus, "a real wheel would give it the focus before it turns it"
    assert not turned()
    assert choice.currentIndex() == 1
    choice.setFocus()
    assert turned()
    assert choice.currentIndex() == 2


def test_a_written_file_is_the_owners_alone_also_where_one_was(qtbot: QtBot, tmp_path: Path) -> None:
    from latchkey.ui.widgets.export import write_file

    page, path = QWidget(), tmp_path / "key.json"
    qtbot.addWidget(page)
    path.write_text("older")
    path.chmod(0o644)
    assert write_file(page, path, b"{}")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"{}", 0o600)
    assert not write_file(page, tmp_path / "nowhere" / "key.json", b"{}")


def test_a_box_to_tick_breaks_its_text_and_is_pressed_anywhere_on_it(qtbot: QtBot) -> None:
    box = CheckBox("Keep the names of these functions, to choose from them the next time &somebody asks for this contract")
    qtbot.addWidget(box)
    one_line = box.sizeHint()
    assert box.heightForWidth(one_line.width()) == one_line.height()
    assert box.heightForWidth(one_line.width() // 3) > 1.5 * one_line.height()
    box.resize(one_line.width() // 3, box.heightForWidth(one_line.width() // 3))
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(box.width() // 2, box.height() - 8))  # on its last line
    assert box.isChecked()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows reads its time zone from elsewhere")
@pytest.mark.parametrize(
    ("place", "clock", "name"),
    [("UTC", "", "UTC"), ("America/St_Johns", "18:56 here", "UTC-3:30"), ("Asia/Tokyo", "07:26 here", "UTC+9")],
)
def test_times_are_told_in_utc_wherever_this_computer_is(
    monkeypatch: pytest.MonkeyPatch, place: str, clock: str, name: str
) -> None:
    now = 1_795_300_000
    monkeypatch.setenv("TZ", place)
    time.tzset()
    try:
        assert utc_time(now, now) == "21 November, 22:26 UTC"
        assert utc_time(now + 80 * 86_400, now) == "9 February 2027, 22:26 UTC"
        assert short_utc_time(now, now) == "21 Nov 22:26 UTC"
        assert (here(now), zone(now)) == (clock, name)
    finally:
        monkeypatch.undo()
        time.tzset()
