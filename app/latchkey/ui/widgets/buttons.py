"""Things to press.

primary("Sign…", self._sign)   one per page: what the page is for
secondary("Back", ...)  danger("Remove…", ...)  quiet("", icon_name="copy", name="Copy the address")  link("Show every field", ...)
Segmented([("day", "1 day"), ("week", "7 days")])   one of few;  Tile("Title", "What it means")   one of few, with a sentence
StepTrail(["Account", "Key", ...])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.icons import icon
from latchkey.ui.widgets.text import Label, Muted, set_property, tip

_GAP = 4  # px between icon and text, beside the 4 of Qt
_ICON_TONES = {"primary": "on_accent", "danger": "bad", "link": "accent"}


class Button(QPushButton):
    """A push button in one of our kinds: secondary, primary, danger, quiet, link, rail, segment.

    `name` is what a screen reader says; needed when there is no text. Reached with Tab, pressed with Space or Return.
    """

    def __init__(
        self,
        text: str = "",
        on_click: Callable[[], object] | None = None,
        *,
        kind: str = "secondary",
        icon_name: str = "",
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._icon_name = icon_name
        self.setProperty("kind", kind)
        self.setFont(theme.font(weight=QFont.Weight.Medium if kind != "link" else QFont.Weight.Normal))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name or text.replace("&", ""))
        if name and not text:
            self.setToolTip(tip(name))
        if on_click is not None:
            self.clicked.connect(lambda _checked=False: on_click())
        self._draw_icon()
        self.toggled.connect(lambda _on: self._draw_icon())

    def setText(self, text: str) -> None:
        """Another text; what a screen reader says goes with it, unless it was given a name of its own."""
        named_by_text = self.accessibleName() == self.text().replace("&", "")
        super().setText(text)
        if named_by_text:
            self.setAccessibleName(text.replace("&", ""))

    def set_icon(self, icon_name: str) -> None:
        self._icon_name = icon_name
        self._draw_icon()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_icon()

    def _draw_icon(self) -> None:
        if getattr(self, "_icon_name", ""):
            tone = "accent" if self.isChecked() else _ICON_TONES.get(str(self.property("kind")), "muted")
            gap = _GAP if self.text() else 0
            self.setIcon(icon(self._icon_name, tone, gap=gap))
            self.setIconSize(QSize(16 + gap, 16))


def primary(text: str, on_click: Callable[[], object] | None = None, *, icon_name: str = "") -> Button:
    return Button(text, on_click, kind="primary", icon_name=icon_name)


def secondary(text: str, on_click: Callable[[], object] | None = None, *, icon_name: str = "") -> Button:
    return Button(text, on_click, icon_name=icon_name)


def danger(text: str, on_click: Callable[[], object] | None = None, *, icon_name: str = "") -> Button:
    return Button(text, on_click, kind="danger", icon_name=icon_name)


def quiet(text: str, on_click: Callable[[], object] | None = None, *, icon_name: str = "", name: str = "") -> Button:
    return Button(text, on_click, kind="quiet", icon_name=icon_name, name=name)


def link(text: str, on_click: Callable[[], object] | None = None) -> Button:
    return Button(text, on_click, kind="link")


class _Exclusive(QButtonGroup):
    """Buttons of which one is on; arrow keys move the choice."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setExclusive(True)


class Segmented(QFrame):
    """A choice of few short options in a row. `changed(key)` on the person's choice; `value()` is the key, "" while none is chosen."""

    changed = Signal(str)

    def __init__(self, options: Sequence[tuple[str, str]], *, name: str, value: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "segments")
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._group = _Exclusive(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(3, 3, 3, 3)
        row.setSpacing(2)
        self._keys = [key for key, _ in options]
        for number, (_, text) in enumerate(options):
            button = Button(text, kind="segment", name=f"{name}: {text}")
            button.setCheckable(True)
            self._group.addButton(button, number)
            row.addWidget(button)
        self.set_value(value)
        self._group.idClicked.connect(self._chosen)

    def value(self) -> str:
        return self._keys[self._group.checkedId()] if self._group.checkedId() >= 0 else ""

    def set_value(self, key: str) -> None:
        """Choose without `changed`; "" chooses nothing."""
        if key in self._keys:
            self._group.button(self._keys.index(key)).setChecked(True)
        elif (checked := self._group.checkedButton()) is not None:
            self._group.setExclusive(False)
            checked.setChecked(False)
            self._group.setExclusive(True)
        self._one_stop()

    def _chosen(self, number: int) -> None:
        self._one_stop()
        self.changed.emit(self._keys[number])

    def _one_stop(self) -> None:
        """Tab goes to the chosen one, arrow keys move on from there; Qt sees to that only when a person chooses."""
        chosen = self._group.checkedButton()
        for button in self._group.buttons():
            stop = chosen in (None, button)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus if stop else Qt.FocusPolicy.NoFocus)


class Tile(QPushButton):
    """A large choice: a title and a sentence about it. Checkable; put several into a QButtonGroup (exclusive), or use on its own.

    `picture` stands at its left; `mono`: the sentence is an address.
    """

    def __init__(
        self,
        title: str,
        text: str = "",
        on_click: Callable[[], object] | None = None,
        *,
        checkable: bool = True,
        picture: QWidget | None = None,
        mono: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("kind", "tile")
        self.setCheckable(checkable)
        self.setAutoDefault(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self._rows = QHBoxLayout(self)
        self._rows.setContentsMargins(theme.space(2), theme.space(1.5), theme.space(2), theme.space(1.5))
        self._rows.setSpacing(theme.space(1.5))
        if picture is not None:
            self._rows.addWidget(picture)
        rows = QVBoxLayout()
        rows.setSpacing(theme.space(0.5))
        rows.addWidget(Label(title, weight=QFont.Weight.Medium))
        if text:
            sentence = Muted(text)
            sentence.setFont(theme.font(theme.SMALL, mono=mono))
            rows.addWidget(sentence)
        rows.addStretch(1)
        self._rows.addLayout(rows, 1)
        for part in self.findChildren(QWidget):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        if on_click is not None:
            self.clicked.connect(lambda _checked=False: on_click())

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._rows.totalHeightForWidth(width)

    def sizeHint(self) -> QSize:
        return self._rows.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self._rows.minimumSize()


class StepTrail(QWidget):
    """Where one is in a row of steps: "Account › Key › Scope › Expiry › Review"."""

    def __init__(self, steps: Sequence[str], *, current: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = tuple(steps)
        self._labels: list[Label] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(1))
        for number, step in enumerate(steps):
            if number:
                row.addWidget(Label("›", tone="muted", wrap=False))
            label = Label(step, wrap=False)
            self._labels.append(label)
            row.addWidget(label)
        self.set_current(current)

    def set_current(self, number: int) -> None:
        for index, label in enumerate(self._labels):
            set_property(label, "tone", "accent" if index == number else "muted")
            label.setFont(theme.font(weight=QFont.Weight.DemiBold if index == number else QFont.Weight.Normal))
        self.setAccessibleName(
            tr("Step {number} of {count}: {names}", number=number + 1, count=len(self._names), names=self._names[number])
        )
