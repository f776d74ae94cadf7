"""Our own line icons, drawn in the colours of the palette."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap

from latchkey.ui import theme
from latchkey.ui.resources import resource

_SCALES = (1, 2, 3)


def icon(name: str, tone: str = "muted", size: int = 16) -> QIcon:
    """The icon `name` (a file of resources/icons) in the colour `tone` (a field of theme.Palette), sharp up to 300 %.

    It keeps the colour of the moment: a widget asks again on QEvent.Type.PaletteChange (widgets.Button does).
    """
    result = QIcon()
    palette = theme.current()
    for scale in _SCALES:
        result.addPixmap(_drawn(name, getattr(palette, tone), size, scale))
        result.addPixmap(_drawn(name, palette.outline, size, scale), QIcon.Mode.Disabled)
    return result


def pixmap(name: str, tone: str = "muted", size: int = 16, ratio: float = 1.0) -> QPixmap:
    """One picture for widgets that paint themselves; `ratio` is the widget's devicePixelRatioF()."""
    return _drawn(name, getattr(theme.current(), tone), size, ratio)


@cache
def _drawn(name: str, ink: str, size: int, scale: float) -> QPixmap:
    from PySide6.QtSvg import QSvgRenderer

    svg = resource(f"icons/{name}.svg").read_text(encoding="utf-8").replace("#000000", ink)
    result = QPixmap(round(size * scale), round(size * scale))
    result.setDevicePixelRatio(scale)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return result
