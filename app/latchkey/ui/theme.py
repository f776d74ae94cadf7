"""How everything looks: two palettes, three text sizes, an 8 px grid, one style sheet made from them.

Fusion with a palette and a style sheet of our own in both appearances, because no platform can be relied on to be dark when asked
(xcb without a desktop theme never is). All lengths are logical pixels; Qt multiplies them by the screen's scale.

    theme.apply(app, "system")      once at start, again when the person changes it; every widget repaints
    theme.current().accent          for widgets that paint themselves (repaint on QEvent.Type.PaletteChange)
    layout.setSpacing(theme.space(2))
"""

from __future__ import annotations

import os

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from latchkey.shipped import resource
from latchkey.ui.palette import APPEARANCES, DARK, LIGHT, Appearance, Palette

__all__ = [
    "APPEARANCES", "BODY", "CARD_RADIUS", "DARK", "GRID", "LIGHT", "RADIUS", "SMALL", "TITLE", "Appearance", "Palette",
    "apply", "color", "current", "dress", "font", "resolve", "space", "style_sheet",
]  # fmt: skip

GRID = 8  # px; every distance is a multiple of it, or half of it
SMALL, BODY, TITLE = 12, 14, 20  # px
RADIUS = 8
CARD_RADIUS = 12

SANS = ("Inter", "SF Pro Text", "Segoe UI", "Noto Sans", "DejaVu Sans")
MONO = ("JetBrains Mono", "SF Mono", "Cascadia Mono", "Consolas", "Noto Sans Mono", "DejaVu Sans Mono")


_GIVEN = os.environ.get("LATCHKEY_APPEARANCE")
_current = LIGHT
_appearance: Appearance = "system"


def current() -> Palette:
    """The palette in force."""
    return _current


def space(units: float) -> int:
    """`units` of the 8 px grid in logical pixels; halves are allowed."""
    return int(units * GRID)


def color(name: str) -> QColor:
    """A colour of the current palette by its field name."""
    return QColor(getattr(_current, name))


def font(size: int = BODY, *, weight: QFont.Weight = QFont.Weight.Normal, mono: bool = False) -> QFont:
    """The one way to a font: `size` is SMALL, BODY or TITLE."""
    result = QFont()
    result.setFamilies([_installed(MONO if mono else SANS, mono)])
    result.setPixelSize(size)
    result.setWeight(weight)
    return result


_families: dict[bool, str] = {}


def _installed(wanted: tuple[str, ...], mono: bool) -> str:
    """The first family that exists here; asking Qt for missing ones costs time on every platform."""
    if mono not in _families:
        fallback = QFontDatabase.SystemFont.FixedFont if mono else QFontDatabase.SystemFont.GeneralFont
        found = next((name for name in wanted if QFontDatabase.hasFamily(name)), None)
        _families[mono] = found or QFontDatabase.systemFont(fallback).family()
    return _families[mono]


def resolve(appearance: Appearance) -> Palette:
    """Which palette `appearance` means now.

    "system" asks the platform; where it does not tell, LATCHKEY_APPEARANCE (light or dark) decides, else light.
    """
    if appearance == "system":
        scheme = QGuiApplication.styleHints().colorScheme()
        told = {Qt.ColorScheme.Dark: "dark", Qt.ColorScheme.Light: "light"}.get(scheme)
        appearance = "dark" if (told or os.environ.get("LATCHKEY_APPEARANCE")) == "dark" else "light"
    return DARK if appearance == "dark" else LIGHT


def apply(app: QApplication, appearance: Appearance) -> None:
    """Dress the whole application; may be called again at any time. "system" keeps following the platform."""
    global _current, _appearance
    _appearance = appearance
    if app.property("dressed") is None:
        app.setProperty("dressed", True)
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(lambda _scheme: _follow(app))
        app.setFont(font())
    _current = resolve(appearance)
    app.setPalette(_qt_palette(_current))
    app.setStyleSheet(style_sheet(_current))


def dress(app: QApplication, appearance: Appearance) -> None:
    """`apply`, and let the processes that are started from here (the desk) look the same."""
    told = _GIVEN if appearance == "system" else appearance
    if told is None:
        os.environ.pop("LATCHKEY_APPEARANCE", None)
    else:
        os.environ["LATCHKEY_APPEARANCE"] = told
    apply(app, appearance)


def _follow(app: QApplication) -> None:
    if _appearance == "system" and resolve("system") is not _current:
        apply(app, "system")


def _qt_palette(p: Palette) -> QPalette:
    role = QPalette.ColorRole
    result = QPalette()
    for name, value in {
        role.Window: p.window, role.WindowText: p.text, role.Base: p.card, role.AlternateBase: p.window, role.Text: p.text,
        role.Button: p.card, role.ButtonText: p.text, role.BrightText: p.on_accent, role.Highlight: p.accent,
        role.HighlightedText: p.on_accent, role.Link: p.accent, role.LinkVisited: p.accent, role.ToolTipBase: p.card,
        role.ToolTipText: p.text, role.PlaceholderText: p.muted, role.Light: p.card, role.Midlight: p.border, role.Mid: p.border,
        role.Dark: p.outline, role.Shadow: p.outline, role.Accent: p.accent,
    }.items():  # fmt: skip
        result.setColor(name, QColor(value))
    for name in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        result.setColor(QPalette.ColorGroup.Disabled, name, QColor(p.outline))
    return result


def style_sheet(p: Palette) -> str:
    """The application's style sheet. Widgets choose by the dynamic properties `kind`, `surface` and `tone`, set by ui/widgets only."""
    tones = "\n".join(
        f"""
QLabel[tone="{tone}"] {{ color: {ink}; }}
QFrame[surface="tint"][tone="{tone}"] {{ background: {tint}; border: 1px solid transparent; border-radius: {RADIUS}px; }}
QLabel[kind="chip"][tone="{tone}"] {{ background: {tint}; color: {ink}; }}"""
        for tone, ink, tint in (
            ("accent", p.accent, p.accent_tint),
            ("good", p.good, p.good_tint),
            ("warn", p.warn, p.warn_tint),
            ("bad", p.bad, p.bad_tint),
            ("muted", p.muted, p.hover),
        )
    )
    mode = "dark" if p.dark else "light"
    drawn = ("check", "chevron-down", "chevron-up", "chevron-right", "chevron-left")
    image = {name: resource(f"icons/{name}-{mode}.svg").as_posix() for name in drawn}
    return f"""
QToolTip {{ background: {p.card}; color: {p.text}; border: 1px solid {p.border}; padding: 4px 8px; }}
QFrame[surface="card"] {{ background: {p.card}; border: 1px solid {p.border}; border-radius: {CARD_RADIUS}px; }}
QFrame[surface="rail"] {{ background: {p.card}; border: none; border-right: 1px solid {p.border}; }}
QFrame[surface="line"] {{ background: {p.border}; border: none; }}
QFrame[surface="toast"] {{ background: {p.text}; border: none; border-radius: {RADIUS}px; }}
QFrame[surface="toast"] QLabel {{ color: {p.card}; }}
QFrame[surface="drop"] {{ background: {p.card}; border: 2px dashed {p.outline}; border-radius: {CARD_RADIUS}px; }}
QFrame[surface="drop"][active="true"] {{ background: {p.accent_tint}; border-color: {p.accent}; }}
QLabel[kind="chip"] {{ border-radius: 9px; padding: 2px 8px; }}
QLabel[kind="hint"] {{ background: {p.card}; border: 1px solid {p.outline}; border-radius: {RADIUS}px; padding: 4px 10px; }}
{tones}
QPushButton, QToolButton, QCheckBox, QRadioButton, QSlider {{ outline: none; }}
QScrollArea, QScrollArea > QWidget, QWidget[surface="page"] {{ background: transparent; border: none; }}

QPushButton {{
  background: {p.card}; color: {p.text}; border: 1px solid {p.border}; border-radius: {RADIUS}px; padding: 7px 14px; min-height: 20px;
}}
QPushButton:hover {{ background: {p.hover}; }}
QPushButton::menu-indicator {{
  image: url("{image["chevron-down"]}"); width: 12px; height: 12px; subcontrol-position: center right; right: 8px;
}}
QPushButton:pressed {{ background: {p.border}; }}
QPushButton:focus {{ border: 2px solid {p.accent}; padding: 6px 13px; }}
QPushButton:disabled {{ color: {p.outline}; background: transparent; }}
QPushButton[kind="primary"] {{ background: {p.accent}; color: {p.on_accent}; border-color: {p.accent}; }}
QPushButton[kind="primary"]:hover {{ background: {_mix(p.accent, p.text, 0.12)}; border-color: {_mix(p.accent, p.text, 0.12)}; }}
QPushButton[kind="primary"]:pressed {{ background: {_mix(p.accent, p.text, 0.24)}; }}
QPushButton[kind="primary"]:focus {{ border: 2px solid {p.text}; }}
QPushButton[kind="primary"]:disabled {{ background: {p.border}; color: {p.muted}; border-color: {p.border}; }}
QPushButton[kind="danger"] {{ color: {p.bad}; }}
QPushButton[kind="danger"]:hover {{ background: {p.bad_tint}; }}
QPushButton[kind="danger"]:disabled {{ color: {p.outline}; }}
QPushButton[kind="quiet"], QToolButton {{
  background: transparent; border: 1px solid transparent; border-radius: {RADIUS}px; padding: 5px 7px; color: {p.muted};
}}
QPushButton[kind="quiet"]:hover, QToolButton:hover {{ background: {p.hover}; color: {p.text}; }}
QPushButton[kind="quiet"]:focus, QToolButton:focus {{ border: 2px solid {p.accent}; padding: 4px 6px; }}
QPushButton[kind="link"] {{
  background: transparent; border: none; border-radius: 0; color: {p.accent}; padding: 4px 0; text-align: left;
}}
QPushButton[kind="link"]:hover {{ text-decoration: underline; }}
QPushButton[kind="link"]:focus {{ background: {p.accent_tint}; border-bottom: 2px solid {p.accent}; padding: 4px 0 2px 0; }}
QPushButton[kind="rail"] {{
  background: transparent; border: 1px solid transparent; color: {p.muted}; text-align: left; padding: 7px 9px;
}}
QPushButton[kind="rail"]:hover {{ background: {p.hover}; }}
QPushButton[kind="rail"]:checked {{ background: {p.accent_tint}; color: {p.accent}; }}
QPushButton[kind="rail"]:focus {{ border: 2px solid {p.accent}; padding: 6px 8px; }}
QPushButton[kind="segment"] {{ background: transparent; border: 1px solid transparent; color: {p.muted}; padding: 5px 12px; }}
QPushButton[kind="segment"]:hover {{ color: {p.text}; background: {p.hover}; }}
QPushButton[kind="segment"]:checked {{ background: {p.accent_tint}; color: {p.accent}; }}
QPushButton[kind="segment"]:focus {{ border: 2px solid {p.accent}; padding: 4px 11px; }}
QFrame[surface="segments"] {{ background: {p.card}; border: 1px solid {p.border}; border-radius: 10px; }}
QPushButton[kind="tile"] {{ text-align: left; padding: 11px 15px; border-radius: {CARD_RADIUS}px; }}
QPushButton[kind="tile"]:checked {{ background: {p.accent_tint}; border-color: {p.accent}; }}
QPushButton[kind="tile"]:focus {{ border: 2px solid {p.accent}; padding: 10px 14px; }}

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QDateEdit, QTimeEdit, QDateTimeEdit, QComboBox {{
  background: {p.card}; color: {p.text}; border: 1px solid {p.outline}; border-radius: {RADIUS}px; padding: 7px 10px;
  selection-background-color: {p.accent}; selection-color: {p.on_accent}; min-height: 20px;
}}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QDateEdit:focus, QTimeEdit:focus,
QDateTimeEdit:focus, QComboBox:focus {{ border: 2px solid {p.accent}; padding: 6px 9px; }}
QLineEdit[invalid="true"], QPlainTextEdit[invalid="true"], QComboBox[invalid="true"], QSpinBox[invalid="true"],
QDateTimeEdit[invalid="true"] {{ border: 2px solid {p.bad}; padding: 6px 9px; }}
QLineEdit:read-only, QPlainTextEdit:read-only {{ border-color: {p.border}; background: {p.window}; }}
QLineEdit:disabled, QPlainTextEdit:disabled, QSpinBox:disabled, QDateTimeEdit:disabled, QComboBox:disabled {{
  color: {p.outline}; border-color: {p.border};
}}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{ background: transparent; border: none; padding: 0 8px; }}
QAbstractSpinBox QLineEdit:focus, QComboBox QLineEdit:focus {{ border: none; padding: 0 8px; }}
QComboBox::drop-down {{ border: none; width: 28px; }}
QComboBox::down-arrow {{ image: url("{image["chevron-down"]}"); width: 12px; height: 12px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{
  border: none; background: transparent; width: 24px; subcontrol-origin: border;
}}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; margin: 2px 4px 0 0; }}
QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; margin: 0 4px 2px 0; }}
QAbstractSpinBox::up-arrow {{ image: url("{image["chevron-up"]}"); width: 10px; height: 10px; }}
QAbstractSpinBox::down-arrow, QDateTimeEdit::down-arrow {{ image: url("{image["chevron-down"]}"); width: 10px; height: 10px; }}
QDateTimeEdit::drop-down {{ border: none; width: 28px; }}

QCheckBox, QRadioButton {{ spacing: 8px; padding: 3px; border: 2px solid transparent; border-radius: 6px; background: transparent; }}
QCheckBox:focus, QRadioButton:focus {{ border-color: {p.accent}; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {p.outline}; }}
QCheckBox::indicator, QRadioButton::indicator, QAbstractItemView::indicator {{
  width: 16px; height: 16px; border: 1px solid {p.outline}; background: {p.card};
}}
QCheckBox::indicator, QAbstractItemView::indicator {{ border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: 9px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ border-color: {p.accent}; }}
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {{
  background: {p.accent}; border-color: {p.accent}; image: url("{image["check"]}");
}}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {p.border}; background: {p.window}; }}
QCheckBox::indicator:checked:disabled {{ background: {p.outline}; border-color: {p.outline}; }}
QRadioButton::indicator:checked {{ border: 5px solid {p.accent}; width: 8px; height: 8px; background: {p.card}; }}

QSlider:horizontal {{ min-height: 20px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {p.border}; }}
QSlider::sub-page:horizontal {{ background: {p.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{
  width: 16px; height: 16px; margin: -7px 0; border-radius: 9px; background: {p.card}; border: 1px solid {p.outline};
}}
QSlider::handle:horizontal:focus {{ border: 2px solid {p.accent}; }}
QProgressBar {{ border: none; border-radius: 3px; background: {p.border}; max-height: 6px; min-height: 6px; color: transparent; }}
QProgressBar::chunk {{ border-radius: 3px; background: {p.accent}; }}

QAbstractItemView {{ background: {p.card}; color: {p.text}; border: 1px solid {p.border}; border-radius: {CARD_RADIUS}px; outline: none;
  selection-background-color: {p.accent_tint}; selection-color: {p.text}; alternate-background-color: {p.window}; }}
QAbstractItemView:focus {{ border-color: {p.accent}; }}
QListWidget::item {{ border-radius: 6px; padding: 4px; }}
QListWidget::item:hover {{ background: {p.hover}; }}
QListWidget::item:selected {{ background: {p.accent_tint}; color: {p.text}; }}
QHeaderView::section {{ background: {p.card}; color: {p.muted}; border: none; border-bottom: 1px solid {p.border}; padding: 8px; }}
QTableCornerButton::section {{ background: {p.card}; border: none; }}
QCalendarWidget QWidget#qt_calendar_navigationbar {{ background: {p.card}; }}
QCalendarWidget QToolButton {{ color: {p.text}; }}
QCalendarWidget QToolButton#qt_calendar_prevmonth {{ qproperty-icon: url("{image["chevron-left"]}"); }}
QCalendarWidget QToolButton#qt_calendar_nextmonth {{ qproperty-icon: url("{image["chevron-right"]}"); }}
QCalendarWidget QAbstractItemView {{ border-radius: 0; selection-background-color: {p.accent}; selection-color: {p.on_accent}; }}
QComboBoxPrivateContainer {{ background: {p.card}; border: 1px solid {p.border}; }}
QComboBox QAbstractItemView {{ border: none; border-radius: 0; }}
QMenu {{ background: {p.card}; border: 1px solid {p.border}; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {p.accent_tint}; color: {p.accent}; }}
QMenu::item:disabled {{ color: {p.outline}; }}
QMenu::separator {{ height: 1px; background: {p.border}; margin: 4px 8px; }}

QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; border: none; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; border: none; }}
QScrollBar::handle {{ background: {p.outline}; border-radius: 3px; margin: 3px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {p.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
  background: none; border: none; width: 0; height: 0;
}}
QSplitter::handle {{ background: transparent; }}
"""


def _mix(one: str, other: str, share: float) -> str:
    """`one` with `share` (0 to 1) of `other` in it."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
