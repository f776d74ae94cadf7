"""Questions that have to be answered before something is lost. They never block: the answer arrives as a call.

SheetScroller()     what is in a sheet and may be long; it wants to be as tall as that, and scrolls where there is no room

confirm(self, "Remove this account?", "Its grants stay in the book.", "Remove", self._remove, danger=True)
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication, QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from latchkey.core.phrases import Phrase
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets.buttons import Button, secondary
from latchkey.ui.widgets.tabbing import move_focus
from latchkey.ui.widgets.text import PhraseLabel

_TALLEST, _ROOM = 96 * theme.GRID, 6 * theme.GRID  # px of a sheet at most; of the window, left free around it


class Dialog(QDialog):
    """A sheet over the window: a title, `.body` (QVBoxLayout) and `.buttons` (QHBoxLayout, stretched from the left)."""

    def __init__(self, title: str, parent: QWidget, *, width: int = 56 * theme.GRID) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(width)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(theme.space(3), theme.space(3), theme.space(3), theme.space(2.5))
        rows.setSpacing(theme.space(2))
        rows.addWidget(PhraseLabel(title, size=theme.TITLE, strong=True))
        self.body = QVBoxLayout()
        self.body.setSpacing(theme.space(1.5))
        rows.addLayout(self.body)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(theme.space(1.5))
        self.buttons.addStretch(1)
        rows.addLayout(self.buttons)

    def fit(self) -> None:
        """As tall as what is in it, within the window it belongs to; its middle stays where it is."""
        rows, window = self.layout(), self.parentWidget() or self
        assert rows is not None
        rows.activate()
        wanted = rows.totalHeightForWidth(self.width()) if rows.hasHeightForWidth() else rows.totalSizeHint().height()
        most = max(rows.totalMinimumSize().height(), min(_TALLEST, window.height() - _ROOM))
        higher = min(wanted, most) - self.height()
        self.resize(self.width(), self.height() + higher)
        if self.isVisible() and higher:
            top = window.mapToGlobal(window.rect().topLeft()).y()
            self.move(self.x(), max(top, self.y() - higher // 2))

    def focusNextPrevChild(self, forward: bool) -> bool:
        return move_focus(self, forward)


def is_asking() -> bool:
    """Whether a dialog or a question is open: what comes in by itself never stands on top of one, nor behind it."""
    return QApplication.activeModalWidget() is not None


class SheetScroller(QScrollArea):
    """Add to `.rows`. Wants to be as tall as they are, `least` px at the least."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(least)
        content = QWidget()
        content.setProperty("surface", "page")
        self.rows = QVBoxLayout(content)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(theme.space(1.5))
        self.setWidget(content)
        self.verticalScrollBar().rangeChanged.connect(self._leave_room)

    def _leave_room(self, _least: int, most: int) -> None:
        """Beside the scroll bar, where there is one: else what is here ends where the sheet's buttons do."""
        self.rows.setContentsMargins(0, 0, theme.space(1) if most else 0, 0)

    def sizeHint(self) -> QSize:
        width = self.viewport().width()
        tall = self.rows.totalHeightForWidth(width) if self.rows.hasHeightForWidth() else self.rows.totalSizeHint().height()
        return QSize(super().sizeHint().width(), tall)


def confirm(
    parent: QWidget,
    title: str,
    sentence: Phrase | str,
    verb: str,
    on_yes: Callable[[], object],
    *,
    danger: bool = False,
    keep: str = tr("Keep"),
) -> Dialog:
    """Ask; `verb` names what is done, `keep` the way out, which Escape takes too and which has the focus when it is dangerous."""
    dialog = Dialog(title, parent.window())
    dialog.body.addWidget(PhraseLabel(sentence))
    no = secondary(keep, dialog.reject)
    yes = Button(verb, dialog.accept, kind="danger" if danger else "primary")
    dialog.buttons.addWidget(no)
    dialog.buttons.addWidget(yes)
    dialog.accepted.connect(on_yes)
    (no if danger else yes).setDefault(True)
    (no if danger else yes).setFocus(Qt.FocusReason.OtherFocusReason)
    dialog.open()
    return dialog
