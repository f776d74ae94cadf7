"""Settings that somebody else changed while the window is open: another program, a practice chain on another port, an editor.

Looked for whenever the person comes back to the window. Each difference is shown, and nothing of it counts before the person takes it:
whoever may write the file could otherwise have Latchkey ask another node about the chain without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from latchkey.errors import StoreError
from latchkey.language import tr
from latchkey.ui.widgets.dialogs import is_asking

if TYPE_CHECKING:
    from latchkey.ui.context import Context
    from latchkey.ui.window import Window


class Outside(QObject):
    """For as long as the window."""

    def __init__(self, context: Context, window: Window) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        app = QApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.applicationStateChanged.connect(self._came_back)

    def _came_back(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self.look()

    def look(self) -> None:
        """Ask about what was changed, unless something else is being asked: then the next time."""
        if self._context.closed or is_asking():
            return
        try:
            changed = self._context.settings_outside()
        except StoreError:
            self._window.notices.add(
                tr("The settings file was changed and cannot be read."),
                tr("What is set here still counts, and is written over it with your next change."),
            )
            return
        if changed is not None:
            from latchkey.ui.pages.settings_transfer import ask_to_take

            dialog = ask_to_take(self._context, self._window, tr("Your settings were changed outside this window"), *changed)
            dialog.rejected.connect(self._keep)

    def _keep(self) -> None:
        """Into the file again; the other one stays beside it as the copy before the last change."""
        try:
            self._context.change_settings()
        except StoreError as error:
            self._context.tasks.failed.emit(error)
