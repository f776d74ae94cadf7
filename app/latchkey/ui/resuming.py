"""What was being ended when the window was closed: looked for once when it is open again, and what came of it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from latchkey.language import tr
from latchkey.ui.context import Context

if TYPE_CHECKING:
    from latchkey.flow.ending_results import ItemResult


def resume_endings(context: Context, window: QWidget) -> None:
    """All on a worker, and nothing is loaded for it where nothing is on its way."""

    def work(_job: object) -> tuple[tuple[ItemResult, ...], str]:
        from latchkey.store.endings import Endings

        if not Endings(context.book).open():
            return (), ""
        from latchkey.flow.ending import Ending
        from latchkey.flow.ending_sheet import summary

        results = Ending(context.book, lambda: context.client, context.chains, context.clock).resume()
        return results, summary(results)

    def resumed(found: tuple[tuple[ItemResult, ...], str]) -> None:
        results, said = found
        if results:
            context.say(tr("What was being ended when Latchkey was closed: {said}", said=said))
            context.changed.emit("sessions")

    context.tasks.run(work, resumed, owner=window)
