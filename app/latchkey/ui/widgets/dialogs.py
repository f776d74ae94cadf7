"""Questions that have to be answered before something is lost. They never block: the answer arrives as a call.

confirm(self, "Remove this account?", "Its grants stay in the book.", "Remove", self._remove, danger=True)
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.core.phrases import Phrase
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets.buttons import Button, secondary
from latchkey.ui.widgets.tabbing import move_focus
from latchkey.ui.widgets.text import Heading, PhraseLabel


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
        rows.addWidget(Heading(title))
        self.body = QVBoxLayout()
        self.body.setSpacing(theme.space(1.5))
        rows.addLayout(self.body)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(theme.space(1.5))
        self.buttons.addStretch(1)
        rows.addLayout(self.buttons)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return move_focus(self, forward)


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
