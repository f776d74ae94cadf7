"""Tab goes the way the eye goes: through the layouts, whenever a control was made, and never against what is seen.

A window says so by
    def focusNextPrevChild(self, forward: bool) -> bool:
        return move_focus(self, forward)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLayout, QScrollArea, QWidget


def tab_chain(root: QWidget) -> Iterator[QWidget]:
    """The controls in `root` that Tab may stop at, as they are laid out, those included that are out of sight or off now.

    A container's `tab_last` comes at its end: what removes it should not be met before what is in it.
    """
    last = getattr(root, "tab_last", None)
    inside = root.widget() if isinstance(root, QScrollArea) else None
    found = _visit(inside) if inside is not None else _laid_out(root.layout())
    yield from (widget for widget in found if widget is not last)
    if last is not None:
        yield last


def move_focus(window: QWidget, forward: bool) -> bool:
    """Give the focus to the next control, or the one before; from the last to the first. Whether there was one."""
    stops = list(tab_chain(window))
    now: QWidget | None = window.focusWidget()
    while now is not None and now not in stops:  # the editor inside a number, a button inside a field
        now = now.parentWidget()
    start = stops.index(now) if now in stops else -1 if forward else 0
    step = 1 if forward else -1
    for distance in range(1, len(stops) + 1):
        widget = stops[(start + step * distance) % len(stops)]
        if widget.isVisible() and widget.isEnabled():
            reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
            widget.setFocus(reason)
            return True
    return False


def _laid_out(layout: QLayout | None) -> Iterator[QWidget]:
    for part in parts(layout) if layout is not None else ():
        yield from _laid_out(part) if isinstance(part, QLayout) else _visit(part)


def _visit(widget: QWidget) -> Iterator[QWidget]:
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        yield widget
    yield from tab_chain(widget)


def parts(layout: QLayout) -> list[QWidget | QLayout]:
    """What is in a layout, in its order; a grid's by rows.

    Not by `itemAt`: Qt frees its items without a word to PySide, which then takes what comes to stand at their address for the item, and
    crashes.
    """
    owner = layout.parentWidget()
    inside: list[Any] = [child for child in layout.children() if isinstance(child, QLayout)]
    if owner is not None:
        inside += owner.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    placed = [(at, part) for part in inside if (at := layout.indexOf(part)) >= 0]
    if isinstance(layout, QGridLayout):
        placed.sort(key=lambda entry: layout.getItemPosition(entry[0])[:2])  # type: ignore[index]
    else:
        placed.sort(key=lambda entry: entry[0])
    return [part for _, part in placed]
