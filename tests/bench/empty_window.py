"""The other side of the first-paint measurement: the least PySide6 program that shows a window. Says so when it is painted, and ends; with
EMPTY_STAYS it says which process it is and stays until its standard input closes."""

import json
import os
import sys

from PySide6.QtCore import QSocketNotifier, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget


class Empty(QWidget):
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        print("first-paint", flush=True)
        if not os.environ.get("EMPTY_STAYS"):
            QTimer.singleShot(0, QApplication.quit)


app = QApplication(sys.argv)
window = Empty()
window.resize(1080, 720)
window.show()
if os.environ.get("EMPTY_STAYS"):
    print(json.dumps({"window": os.getpid()}), flush=True)
    gone = QSocketNotifier(0, QSocketNotifier.Type.Read, app)
    gone.activated.connect(lambda *_: app.quit())
app.exec()
