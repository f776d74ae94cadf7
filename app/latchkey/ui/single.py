"""One window for each data folder: a second start hands over what it was given to open, raises the first one's window, and ends.

    with folder.lock():                        raises StoreError "InUse" in the second
        visits = Visits(context, window)        the first one listens
    hand_over(folder, what)                    the second: whether somebody took it

A local socket that only this user can reach carries one line of JSON each way. Nothing that comes in does more than the person could do
with the mouse: a link or a file is opened for review, the window comes to the front.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from shiboken6 import delete

from latchkey.errors import Refused
from latchkey.language import tr
from latchkey.offline import is_offline

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer, QLocalSocket
    from PySide6.QtWidgets import QWidget

    from latchkey.store.paths import DataDir
    from latchkey.ui.context import Context
    from latchkey.ui.window import Window

MAX_LINE = 64 * 1024  # bytes
MAX_WHAT = 24_000  # characters, as a link may have
_MAX_TOKEN = 256
_MAX_PATH = 90  # bytes: what the address of a local socket has room for, less what Qt adds while it makes one
_TAKES_MS = 2_000  # for one line to arrive
_MAX_WAITING = 100  # links and files that were not read yet; what comes then is dropped
_AGAIN_MS = 50
_PATIENCE = 5.0  # seconds for a first start to come as far as listening
_TAKEN, _BAD, _OTHER = b"taken\n", b"bad\n", b"other-profile\n"


class Door(QObject):
    """Listens for other starts on this folder, whose lock has to be held: what stands there of a crashed one is taken away.

    `asked(what)`: a link or a file's whole path, "" when only the window is wanted.
    """

    asked = Signal(str)

    def __init__(self, folder: DataDir, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._place = place_of(folder)
        self._server: QLocalServer | None = None

    def open(self) -> bool:
        """Whether anybody can come in now; without it everything else works."""
        from PySide6.QtNetwork import QLocalServer

        if not self._place:
            return False
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self._place)
        if not server.listen(self._place):
            return False
        server.newConnection.connect(self._came)
        self._server = server
        return True

    def close(self) -> None:
        """Whoever is inside goes at once: one that is still to be deleted later when the door itself is crashes Qt."""
        if self._server is not None:
            self._server.close()
            delete(self._server)
            self._server = None

    def _came(self) -> None:
        while self._server is not None and (caller := self._server.nextPendingConnection()) is not None:
            _Caller(caller, self)


class Visits(QObject):
    """What other starts ask of this window: it comes to the front, and opens what they were given, as soon as it can open anything."""

    def __init__(self, context: Context, window: Window) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self._waiting: list[str] = []
        self._is_ready = False
        self._again = QTimer(self, singleShot=True, interval=_AGAIN_MS)
        self._again.timeout.connect(self._next)
        self.door = Door(context.data_dir, self)
        self.door.asked.connect(self.came)
        context.closing.connect(self.door.close)
        QTimer.singleShot(0, self, self.door.open)

    def came(self, what: str) -> None:
        to_front(self._window)
        if what and len(self._waiting) < _MAX_WAITING:
            self._waiting.append(what)
        self._next()

    def ready(self) -> None:
        """The book is open."""
        self._is_ready = True
        self._next()

    def _next(self) -> None:
        """One after another: whoever sends many gets no more threads for it."""
        if not self._is_ready or not self._waiting or self._context.closed:
            return
        from latchkey.ui.widgets.intake import is_reading, open_text

        if not is_reading(self._window):
            open_text(self._context, self._window, self._waiting.pop(0))
        if self._waiting:
            self._again.start()


def to_front(window: QWidget) -> None:
    """Show it, whether it is hidden, small, or behind others."""
    if window.isMinimized():
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()


class _Caller(QObject):
    """One connection: a line, an answer, the end."""

    def __init__(self, socket: QLocalSocket, door: Door) -> None:
        super().__init__(socket)
        self._socket, self._door = socket, door
        socket.setReadBufferSize(MAX_LINE + 1)
        socket.readyRead.connect(self._read)
        socket.disconnected.connect(socket.deleteLater)
        self._patience = QTimer(self, singleShot=True, interval=_TAKES_MS)
        self._patience.timeout.connect(self._give_up)
        self._patience.start()
        self._read()

    def _give_up(self) -> None:
        self._socket.abort()

    def _read(self) -> None:
        socket = self._socket
        if not socket.canReadLine() and socket.bytesAvailable() <= MAX_LINE:
            return
        socket.readyRead.disconnect(self._read)
        asked = read_line(bytes(socket.readLine(MAX_LINE + 1).data()))
        fits = asked is not None and asked["offline"] is is_offline()
        socket.write(_BAD if asked is None else _TAKEN if fits else _OTHER)
        socket.flush()
        socket.disconnectFromServer()
        if asked is not None and fits:
            if asked["token"]:
                os.environ["XDG_ACTIVATION_TOKEN"] = asked["token"]  # lets Wayland know that the person wanted the window
            self._door.asked.emit(asked["open"])


def read_line(line: bytes) -> dict[str, Any] | None:
    """What another start says, None for what is not one of its lines: {"open", "offline", "token"}."""
    from latchkey.core.untrusted import read_json
    from latchkey.errors import BadInput

    try:
        value = read_json(line)
    except BadInput:
        return None
    if not line.endswith(b"\n") or not isinstance(value, dict) or value.keys() != {"open", "offline", "token"}:
        return None
    what, token = value["open"], value["token"]
    if not isinstance(value["offline"], bool) or not _is_text(what, MAX_WHAT) or not _is_text(token, _MAX_TOKEN):
        return None
    return value if not what or what.lower().startswith("latchkey:") or Path(what).is_absolute() else None


def _is_text(value: object, limit: int) -> bool:
    return isinstance(value, str) and len(value) <= limit and value.isprintable()


def hand_over(folder: DataDir, what: str | None, *, patience: float | None = None) -> bool:
    """Give a link or a file to the window that uses this folder; False when none takes it, as when the command line uses the folder.

    Waits for one that is only starting. Raises Refused when that window's profile is another one: online instead of offline.
    """
    place, until = place_of(folder), time.monotonic() + (_PATIENCE if patience is None else patience)
    if not place:
        return False
    while True:
        answer = _told(place, _line(what)) if _is_ours(place) else b""
        if answer == _OTHER:
            raise Refused(
                tr(
                    "Latchkey runs with this data folder already, online where this one is offline or the other way. Close it first."
                ),
                code="OtherProfile",
            )
        if answer or time.monotonic() >= until:
            return answer == _TAKEN
        time.sleep(0.1)


def _line(what: str | None) -> bytes:
    what = what or ""
    if what and not what.lower().startswith("latchkey:"):
        what = str(Path(what).absolute())
    token = os.environ.get("XDG_ACTIVATION_TOKEN", "")[:_MAX_TOKEN]
    return json.dumps({"open": what, "offline": is_offline(), "token": token}).encode() + b"\n"


def _told(place: str, line: bytes) -> bytes:
    """The answer, b"" when nobody is there."""
    from PySide6.QtNetwork import QLocalSocket

    socket = QLocalSocket()
    socket.connectToServer(place)
    if not socket.waitForConnected(_TAKES_MS):
        return b""
    socket.write(line)
    while not socket.canReadLine() and socket.waitForReadyRead(_TAKES_MS):
        pass
    return bytes(socket.readLine(64).data())


def place_of(folder: DataDir) -> str:
    """Where the window of a folder listens: in the user's own runtime folder, else in the data folder itself; "" where no name fits."""
    name = f"latchkey-{hashlib.sha256(os.fsencode(folder.root.resolve())).hexdigest()[:16]}"
    if sys.platform == "win32":
        return name
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    for home in (runtime if runtime and _is_private(Path(runtime)) else "", str(folder.root)):
        place = os.path.join(home, name)  # noqa: PTH118  a string is what the socket takes
        if home and len(os.fsencode(place)) <= _MAX_PATH:
            return place
    return ""


def _is_private(path: Path) -> bool:
    """A folder of this user that nobody else can enter."""
    try:
        info = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not stat.S_IMODE(info.st_mode) & 0o077


def _is_ours(place: str) -> bool:
    """Whether a socket of this user stands there: nobody else is told what was to be opened."""
    if sys.platform == "win32":
        return True
    try:
        info = Path(place).lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(info.st_mode) and info.st_uid == os.getuid()
