"""Both palettes are readable (WCAG AA, computed), and neither depends on what the platform thinks it is."""

import re
from dataclasses import fields

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from latchkey.ui import theme
from latchkey.ui.theme import DARK, LIGHT, Palette
from latchkey.ui.widgets import Body, Chip, primary

BOTH = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
SURFACES = ("window", "card", "hover", "accent_tint", "good_tint", "warn_tint", "bad_tint")


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@BOTH
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("ink", ["text", "muted", "accent"])
def test_text_is_readable_on_every_surface(palette: Palette, ink: str, surface: str) -> None:
    assert contrast(getattr(palette, ink), getattr(palette, surface)) >= 4.5


@BOTH
@pytest.mark.parametrize("tone", ["good", "warn", "bad"])
def test_judgement_is_readable_where_it_stands(palette: Palette, tone: str) -> None:
    for surface in ("window", "card", f"{tone}_tint"):
        assert contrast(getattr(palette, tone), getattr(palette, surface)) >= 4.5


@BOTH
def test_the_primary_button_and_the_edges_of_controls(palette: Palette) -> None:
    assert contrast(palette.on_accent, palette.accent) >= 4.5
    for surface in (palette.window, palette.card):
        assert contrast(palette.outline, surface) >= 3
        assert contrast(palette.accent, surface) >= 3  # the focus ring


@BOTH
def test_whatever_the_style_sheet_writes_on_its_own_ground_is_readable(palette: Palette) -> None:
    """Every rule that sets ink and ground together, hovered, pressed and chosen ones too. What is switched off need not be (WCAG 1.4.3)."""
    seen = 0
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", theme.style_sheet(palette)):
        values = dict(
            re.findall(r"(?:^|[;\s])(color|background|selection-color|selection-background-color):\s*(#[0-9a-f]{6})", body)
        )
        for ink, ground in (("color", "background"), ("selection-color", "selection-background-color")):
            if ink in values and ground in values and ":disabled" not in selector:
                seen += 1
                assert contrast(values[ink], values[ground]) >= 4.5, selector.strip()
    assert seen > 15


@BOTH
def test_hovered_and_pressed_buttons_stay_readable(palette: Palette) -> None:
    """Their rules change the ground alone; the ink is the one of the button at rest."""
    for share in (0, 0.12, 0.24):
        assert contrast(palette.on_accent, theme._mix(palette.accent, palette.text, share)) >= 4.5
    for ink, grounds in {palette.text: (palette.hover, palette.border), palette.bad: (palette.bad_tint,)}.items():
        assert min(contrast(ink, ground) for ground in grounds) >= 4.5


@BOTH
def test_what_is_drawn_can_be_told_apart(palette: Palette) -> None:
    """Graphics: bars on their trough, icons and bullets in every tone, the handle of a scroll bar."""
    for tone in ("accent", "warn", "bad", "muted", "good"):
        assert min(contrast(getattr(palette, tone), ground) for ground in (palette.border, palette.card, palette.window)) >= 3
    for ground in (palette.card, palette.window):
        assert contrast(palette.outline, ground) >= 3


def test_every_color_is_written_the_same_way() -> None:
    for palette in (LIGHT, DARK):
        values = [getattr(palette, field.name) for field in fields(palette) if field.name != "dark"]
        assert all(re.fullmatch("#[0-9a-f]{6}", value) for value in values)


def test_dark_is_dark_whatever_the_platform_says(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, "dark")
    label, button = Body("text"), primary("Sign…")
    for widget in (label, button):
        qtbot.addWidget(widget)
    assert theme.current() is DARK
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == DARK.window
    assert label.palette().color(QPalette.ColorRole.WindowText).name() == DARK.text
    button.resize(120, 36)
    assert button.grab().toImage().pixelColor(20, 8).name() == DARK.accent


def test_system_asks_the_platform_then_the_environment(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_APPEARANCE", "dark")
    assert theme.resolve("system") is DARK  # the test platform does not tell
    monkeypatch.setenv("LATCHKEY_APPEARANCE", "light")
    assert theme.resolve("system") is LIGHT
    assert theme.resolve("dark") is DARK
    monkeypatch.delenv("LATCHKEY_APPEARANCE")
    assert theme.resolve("system") is LIGHT


def test_what_is_started_from_here_looks_the_same(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theme, "_GIVEN", None)
    theme.dress(qapp, "dark")
    assert theme.os.environ["LATCHKEY_APPEARANCE"] == "dark"
    theme.dress(qapp, "system")
    assert "LATCHKEY_APPEARANCE" not in theme.os.environ


def test_a_change_reaches_widgets_that_are_shown(qapp: QApplication, qtbot: QtBot) -> None:
    class Watch(QObject):
        seen = 0

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            self.seen += event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)
            return False

    chip, watch = Chip("Active", "good"), Watch()
    qtbot.addWidget(chip)
    chip.show()
    chip.installEventFilter(watch)
    before = chip.grab().toImage()
    theme.apply(qapp, "dark")
    assert watch.seen
    assert chip.grab().toImage() != before


def test_the_style_sheet_is_whole(qapp: QApplication) -> None:
    for palette in (LIGHT, DARK):
        sheet = theme.style_sheet(palette)
        assert sheet.count("{") == sheet.count("}")
        for path in re.findall(r'url\("([^"]+)"\)', sheet):
            assert theme.resource(path).is_file()


def test_an_error_is_seen_at_the_edge_of_its_field(qtbot: QtBot) -> None:
    from latchkey.ui.widgets import Field, line_edit

    field = Field("Salt", line_edit("x"))
    qtbot.addWidget(field)
    field.show()
    edit: QLineEdit = field.editor
    before = edit.grab().toImage()
    field.set_error("A salt is a whole number.")
    assert edit.grab().toImage() != before
    assert edit.accessibleDescription() == "A salt is a whole number."
    field.set_error("")
    assert edit.grab().toImage() == before
