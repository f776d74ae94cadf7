"""Our own line icons, drawn in the colours of the palette."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap

from latchkey.shipped import resource
from latchkey.ui import theme


def icon(name: str, tone: str = "muted", size: int = 16, *, gap: int = 0) -> QIcon:
    """The icon `name` (a file of resources/icons) in the colour `tone` (a field of theme.Palette), sharp on every screen there is;
    `gap` px are free at its right, where Qt itself leaves too little before a text.

    It keeps the colour of the moment: a widget asks again on QEvent.Type.PaletteChange (widgets.Button does).
    """
    result = QIcon()
    app = QGuiApplication.instance()
    sharpest = app.devicePixelRatio() if isinstance(app, QGuiApplication) else 1.0
    for scale in {1.0, sharpest}:
        result.addPixmap(pixmap(name, tone, size, scale, gap))
        if tone == "on_accent":
            result.addPixmap(pixmap(name, "muted", size, scale, gap), QIcon.Mode.Disabled)
    return result


def pixmap(name: str, tone: str = "muted", size: int = 16, ratio: float = 1.0, gap: int = 0) -> QPixmap:
    """One picture for widgets that paint themselves; `ratio` is the widget's devicePixelRatioF()."""
    return _drawn(name, getattr(theme.current(), tone), size, ratio, gap)


@cache
def _drawn(name: str, ink: str, size: int, scale: float, gap: int) -> QPixmap:
    from PySide6.QtSvg import QSvgRenderer

    svg = resource(f"icons/{name}.svg").read_text(encoding="utf-8").replace("#000000", ink)
    result = QPixmap(round((size + gap) * scale), round(size * scale))
    result.setDevicePixelRatio(scale)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return result
