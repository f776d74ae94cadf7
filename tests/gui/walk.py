"""Walks a widget tree as a person does who cannot see it, or speaks no English: what is spoken, where Tab goes, what is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSlider,
    QTabBar,
    QWidget,
)

from latchkey.ui.widgets import DigestView, FieldTable, Label, TextView
from latchkey.ui.widgets.tabbing import tab_chain

_ROW = 12  # px by which the tops of things in one row differ at most


def shown(root: QWidget) -> list[QWidget]:
    """Every visible widget of this window, dialogs over it left out."""
    return [w for w in (root, *root.findChildren(QWidget)) if w.isVisibleTo(root) and w.window() is root.window() and not _inner(w)]


def _inner(widget: QWidget) -> bool:
    """Parts that Qt makes inside a control; the control speaks for them."""
    parent = widget.parentWidget()
    return widget.objectName().startswith("qt_") or isinstance(parent, QAbstractSpinBox | QComboBox)


def stops(root: QWidget) -> list[QWidget]:
    """Where Tab stops, one press after the other, from the first thing that takes it until it is back there. Raises where Tab is held."""
    found: list[QWidget] = []
    first = next((w for w in tab_chain(root) if w.isVisible() and w.isEnabled()), None)
    if first is None:
        return []
    first.setFocus(Qt.FocusReason.TabFocusReason)
    while (now := root.focusWidget()) is not None and now not in found:
        found.append(now)
        for _part in range(7):  # Tab goes through the parts of a date first
            QTest.keyClick(now, Qt.Key.Key_Tab)
            if root.focusWidget() is not now:
                break
    assert now is first, f"Tab is held at {spoken(found[-1])!r}"
    return found


def unreached(root: QWidget) -> list[str]:
    """What can be pressed or typed in, and Tab never comes to; in a group of which one is on, the arrow keys go on from there."""
    reached = stops(root)
    return [
        f"{type(w).__name__} {spoken(w)!r}"
        for w in shown(root)
        if isinstance(w, QAbstractButton | QLineEdit | QPlainTextEdit | QComboBox | QAbstractSpinBox | QAbstractItemView | QSlider)
        and w.isEnabled() and w not in reached and not _of_group(w) and w.focusProxy() is None
    ]  # fmt: skip


def _of_group(widget: QWidget) -> bool:
    return isinstance(widget, QAbstractButton) and widget.group() is not None and widget.group().exclusive()


def unspoken(root: QWidget) -> list[str]:
    """What takes the focus, or is a picture that says something, and would be announced by its class alone."""
    return [
        f"{type(w).__name__} in {type(w.parentWidget()).__name__}"
        for w in shown(root)
        if w.focusPolicy() != Qt.FocusPolicy.NoFocus and not isinstance(w, QScrollArea) and not spoken(w)
    ]


def spoken(widget: QWidget) -> str:
    """The name that assistive tools are told; what Qt makes of a label's buddy or a button's text counts."""
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def roleless(root: QWidget) -> list[str]:
    """Things to press or to type in that assistive tools would take for a mere area."""
    mere = (QAccessible.Role.Client, QAccessible.Role.NoRole, QAccessible.Role.Pane)
    found = []
    for widget in stops(root):
        interface = QAccessible.queryAccessibleInterface(widget)
        if interface is None or (interface.role() in mere and isinstance(widget, QAbstractButton | QLineEdit | QAbstractItemView)):
            found.append(f"{type(widget).__name__} {spoken(widget)!r}")
    return found


def backward(root: QWidget) -> list[str]:
    """Where Tab goes against the order in which things stand: up, or back within a row of one column."""
    found, last, last_box = [], None, QRect()
    for widget in stops(root):
        box = QRect(widget.mapTo(root, QPoint(0, 0)), widget.size())
        if last is not None and not _is_last(widget) and _same_column(last, widget, root):
            up = box.bottom() <= last_box.top()
            back = abs(box.top() - last_box.top()) < _ROW and box.right() <= last_box.left()
            if up or back:
                found.append(f"{spoken(last)!r} -> {spoken(widget)!r}")
        last, last_box = widget, box
    return found


def _same_column(one: QWidget, other: QWidget, root: QWidget) -> bool:
    """Columns are read one after the other: only what stands in the same container, however deep, is compared."""
    mine = set(_above(one, root))
    if _scroller(one, root) is not _scroller(other, root):
        return False
    common = next((w for w in _above(other, root) if w in mine), None)
    if common is None or common is root:
        return False
    left, right = (next(w for w in (x, *_above(x, root)) if w.parentWidget() is common) for x in (one, other))
    return not (left.geometry().top() < right.geometry().bottom() and right.geometry().top() < left.geometry().bottom()) or (
        left is one and right is other
    )


def _is_last(widget: QWidget) -> bool:
    """What removes something comes after what is in it, wherever it stands."""
    return any(getattr(above, "tab_last", None) is widget for above in _above(widget, widget.window()))


def _scroller(widget: QWidget, root: QWidget) -> QWidget | None:
    return next((above for above in _above(widget, root) if isinstance(above, QScrollArea)), None)


def _above(widget: QWidget, root: QWidget) -> Iterator[QWidget]:
    while widget is not root and (parent := widget.parentWidget()) is not None:
        yield parent
        widget = parent


def without_buddy(root: QWidget) -> list[str]:
    """Fields whose name is told by nothing that stands beside them, nor by themselves."""
    buddies = {label.buddy() for label in root.findChildren(QLabel)}
    return [
        f"{type(w).__name__} {w.objectName()}"
        for w in shown(root)
        if isinstance(w, QLineEdit | QPlainTextEdit | QComboBox | QAbstractSpinBox) and w not in buddies and not w.accessibleName()
    ]


def said(root: QWidget) -> Iterator[tuple[QWidget, str]]:
    """Everything that is written or spoken: labels, buttons, choices, hints, tooltips, names."""
    for widget in shown(root):
        if isinstance(widget, FieldTable):  # values are written as they are signed; their labels are ours
            yield from ((widget, line.partition(": ")[0]) for line in widget.text().split("\n"))
        elif isinstance(widget, QLabel | QAbstractButton):
            yield widget, widget.text()
        if isinstance(widget, QLineEdit | QPlainTextEdit):
            yield widget, widget.placeholderText()
        if isinstance(widget, QComboBox):
            yield from ((widget, widget.itemText(i)) for i in range(widget.count()))
        if isinstance(widget, QTabBar):
            yield from ((widget, widget.tabText(i)) for i in range(widget.count()))
        yield from ((widget, text) for text in (widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()))


#: what is nobody's sentence: hex, keys, addresses of pages and files, signatures of functions, names of coins and standards
_DATA = re.compile(
    r"""0x[0-9a-fA-F]{4}(?:\ [0-9a-fA-F]{1,4})+ | 0x[0-9a-fA-F\u2026]+ | https?://\S+ | (?<!\w)/[\w./+'-]+ | m/[\d'/]+
        | \b[a-zA-Z]\w{1,40}+\([\w,\[\]]*\) | (?:Ctrl|Alt)\+\w+
        | \b(?:eth|wallet|anvil|web3|net|debug|evm)_\w+ | \b[\w-]+\.(?:example|txt|sqlite)\b
        | \b(?:ETH|POL|USDC|WETH|gwei|wei|UTC|RPC|EIP-\d+|ERC-\d+|Latchkey|MB|KiB|DeferredAction)\b""",
    re.VERBOSE,
)


def english(root: QWidget, data: set[str]) -> list[str]:
    """In the made-up language: sentences that stand there in English. `data`: names and words that are the person's or the sample's."""
    found = []
    for widget, text in said(root):
        if _words_of_a_digest(widget):
            continue
        rest = strip_pseudo(text)
        for known in sorted(data, key=len, reverse=True):
            rest = rest.replace(known, " ")
        rest = _DATA.sub(" ", rest)
        if re.search(r"[A-Za-z]{3,}", rest):
            found.append(f"{type(widget).__name__}: {rest.strip()[:80]!r} in {text[:80]!r}")
    return found


def _words_of_a_digest(widget: QWidget) -> bool:
    """They are English in every language, so that two machines show the same."""
    return isinstance(widget.parentWidget(), DigestView) or isinstance(widget, DigestView)


def strip_pseudo(text: str) -> str:
    """What is left when every [pseudo] sentence is taken out, innermost first: values stand inside sentences."""
    before = None
    while before != text:
        before, text = text, re.sub(r"\[[^\[\]]*\]", lambda m: _inside(m.group(0)), text)
    return text


def _inside(sentence: str) -> str:
    """Plain English in brackets stays to be found: a pseudo sentence has its dots, or accents in each word of some length."""
    return " " if "·" in sentence or not re.search(r"[aeiouy]", sentence) else sentence[1:-1]


def clipped(root: QWidget) -> list[str]:
    """What is wider or higher than the place it has, and buttons whose text does not fit."""
    found = []
    for area in root.findChildren(QScrollArea):
        content = area.widget()
        if content is not None and area.isVisible() and content.width() > area.viewport().width():
            found.append(f"{type(content).__name__} is wider than its view")
    for widget in shown(root):
        if isinstance(widget, QAbstractButton) and widget.text() and widget.width() + 1 < widget.sizeHint().width():
            found.append(f"button {widget.text()[:40]!r} has {widget.width()} of {widget.sizeHint().width()}")
        elif isinstance(widget, Label) and widget.text():
            if widget.hasHeightForWidth() and widget.height() < widget.heightForWidth(widget.width()):
                found.append(f"{widget.text()[:40]!r} is cut off below")
            elif not isinstance(widget, TextView) and not widget.wordWrap() and widget.width() < widget.minimumSizeHint().width():
                found.append(f"{widget.text()[:40]!r} is cut off at its side")
    return found
