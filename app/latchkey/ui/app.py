"""Starting the window: first something to see, then everything that takes time to load.

Nothing here or in what it imports at the top may load web3, eth_account, cryptography, zxingcpp or pydantic: the first paint waits
for none of them. With LATCHKEY_FIRST_PAINT=1 the program prints "first-paint <ms since the process started>" when the window's first
frame was painted (empty, in its colours) and "page-paint <ms>" when the first page was, and ends.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from latchkey import __version__
from latchkey.errors import LatchkeyError, StoreError
from latchkey.language import tr
from latchkey.offline import is_marked, is_offline, lock_down
from latchkey.store.journal import Event, Journal
from latchkey.store.paths import DataDir
from latchkey.store.reports import Reports
from latchkey.store.settings import Settings, load_kindly
from latchkey.ui.context import Context
from latchkey.ui.faults import Faults
from latchkey.ui.palette import DARK, LIGHT
from latchkey.ui.single import Visits
from latchkey.ui.tasks import collect_here
from latchkey.ui.window import Window

if TYPE_CHECKING:
    from latchkey.store.book import Book
    from latchkey.vault.client import SignerClient

_STARTED = time.time()
_SPOILT = ("Damaged", "NotABook", "ForeignSchema")  # what an empty book in its place would mend
_CANNOT_START = tr(
    "Latchkey cannot go on because of a fault of its own. Your files are as they were; a report lies in the data folder."
)

_ENDED_HARD = (
    tr("Last time Latchkey was killed, or the computer went off, before it could close."),
    tr("Your keys, accounts and grants are as they were. What was being sent is looked for on the chain."),
)


def main(data_dir: str | None = None, request: str | None = None) -> int:
    """The window as the command line starts it; `request`: a file or a latchkey: link to open in it."""
    return run(Path(data_dir) if data_dir else None, request=request)


def run(data_dir: Path | None = None, *, request: str | None = None) -> int:
    """Show the window until it is closed; returns the exit code. One window at a time uses a data folder."""
    app = QApplication.instance() or QApplication(["latchkey"])
    assert isinstance(app, QApplication)
    _name(app)
    collect_here(app)
    faults = Faults()
    faults.install()
    qInstallMessageHandler(_qt_message)
    folder = None
    try:
        folder = DataDir.open(data_dir)
        if is_marked(folder.root):
            lock_down()
        with folder.lock():
            code, again = _show(app, folder, request, faults)
    except LatchkeyError as error:
        return _second(app, folder, request) if folder is not None and error.code == "InUse" else _ended(app, error)
    except Exception as fault:  # noqa: BLE001  the edge of the program
        faults.take(fault)
        _tell_kindly(app, LatchkeyError(_CANNOT_START, code="Internal"))
        return 1
    finally:
        faults.close()
    if again:
        _start_again(data_dir)
    return code


def _second(app: QApplication, folder: DataDir, request: str | None) -> int:
    """Another window has this folder: it takes what was to be opened."""
    from latchkey.ui.single import hand_over

    try:
        if hand_over(folder, request):
            return 0
    except LatchkeyError as error:
        return _ended(app, error)
    return _ended(app, StoreError(tr("Another Latchkey is using this data folder; close it first."), code="InUse"))


def _ended(app: QApplication, error: LatchkeyError) -> int:
    _tell_kindly(app, error)
    return 1


def _start_again(data_dir: Path | None) -> None:
    """In this process's place, so that whoever started it still waits for the right one."""
    from latchkey.vault.prompt import own_command

    command = own_command("--data-dir")
    command = [*command, str(data_dir)] if data_dir else command[:-1]
    os.execv(command[0], command)  # noqa: S606 - our own program


def _show(app: QApplication, folder: DataDir, request: str | None, faults: Faults) -> tuple[int, bool]:
    journal = Journal(folder.log)
    _note_start(journal)
    faults.keep_in(Reports(folder.reports), journal)
    settings, trouble = load_kindly(folder.settings, now=time.time())
    _tint(app, settings.appearance)
    context = Context(folder, settings, make_client=make_client, make_book=make_book, journal=journal)
    window = Window(context, start="sessions" if folder.vault.exists() else "welcome")
    window.appeared.connect(lambda: _appeared(app, settings))
    window.painted.connect(lambda: _painted(app, context, window, request))
    window.painted.connect(lambda: faults.show_on(window))
    window.painted.connect(faults.watch)
    window.painted.connect(lambda: window.notices.add(trouble) if trouble else None)
    window.painted.connect(lambda: window.notices.add(*_ENDED_HARD) if faults.ended_hard else None)
    signal.signal(signal.SIGTERM, lambda *_: _end(window))
    window.show()
    try:
        return app.exec(), context.restart
    finally:
        faults.close()
        context.close()
        journal.note(Event.ENDED)


def _end(window: Window) -> None:
    """Somebody who does not wait for an answer wants it: the person logs out."""
    window.setProperty("leaving", True)
    QApplication.quit()


def _note_start(journal: Journal) -> None:
    journal.note(
        Event.STARTED,
        version=__version__,
        python=".".join(map(str, sys.version_info[:3])),
        qt=sys.modules["PySide6"].__version__,
        system={"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}.get(sys.platform, "?"),
        offline="yes" if is_offline() else "no",
    )


def _tint(app: QApplication, appearance: str) -> None:
    """The first frame's colour. For "system" that is the platform's own, until it can be asked what it prefers."""
    if appearance != "system":
        app.setPalette(QPalette(QColor((DARK if appearance == "dark" else LIGHT).window)))


def _appeared(app: QApplication, settings: Settings) -> None:
    _tell_time("first-paint")
    from latchkey.ui import theme

    theme.dress(app, settings.appearance.value)


def _painted(app: QApplication, context: Context, window: Window, request: str | None) -> None:
    _tell_time("page-paint")
    if os.environ.get("LATCHKEY_FIRST_PAINT"):
        app.quit()
        return
    visits = Visits(context, window)
    if request:
        visits.came(request)
    _load(context, window, visits)


def _tell_time(what: str) -> None:
    if os.environ.get("LATCHKEY_FIRST_PAINT"):
        print(f"{what} {_since_start():.0f}", flush=True)  # noqa: T201  asked for by the bench


def _load(context: Context, window: Window, visits: Visits) -> None:
    """Load what is heavy on a thread and open the book, then let the pages come alive."""

    def load(_job: object) -> tuple[str, str] | None:
        from latchkey.flow.keys import stand_in

        context.load()
        return stand_in(context.data_dir)

    def loaded(standing_in: tuple[str, str] | None) -> None:
        from latchkey.ui.outside import Outside
        from latchkey.ui.tray import Tray

        window.ready()
        if standing_in is not None:
            window.notices.add(*standing_in)
        _look_for_fonts()
        QTimer.singleShot(0, context.lock.follow_system)
        if not is_offline():
            from latchkey.ui.resuming import resume_endings

            resume_endings(context, window)
        window.tray = Tray(context, window)
        Outside(context, window)
        visits.ready()

    def again() -> None:
        _load(context, window, visits)

    def aside() -> None:
        from latchkey.store.atomic import set_aside

        try:
            set_aside(context.data_dir.book, now=time.time(), also=("-journal",))
        except LatchkeyError as error:
            failed(error)
        else:
            again()

    def failed(error: LatchkeyError) -> None:
        from latchkey.ui.pages.trouble import TroublePage

        spoilt = not context.has_book and error.code in _SPOILT
        window.show_trouble(TroublePage(error, context.data_dir.root, again, aside if spoilt else None))

    context.tasks.run(load, loaded, failed=failed)


def _look_for_fonts() -> None:
    """Without any there is nothing to say it with but the terminal."""
    from PySide6.QtGui import QFont, QFontInfo

    if not QFontInfo(QFont()).family():
        sys.stderr.write(tr("latchkey: No fonts are installed, so no text can be drawn. Install one, such as fonts-inter.") + "\n")


def make_book(folder: DataDir) -> Book:
    from latchkey.flow import accounts  # noqa: F401  loaded here, on the worker, for the pages that will want it
    from latchkey.store.book import Book

    return Book.open(folder.book)


def make_client(folder: DataDir) -> SignerClient:
    """A client over the folder's vault, or over none yet; it asks at the desk. Raises StoreError when the vault cannot be read."""
    from latchkey.flow.keys import open_signer
    from latchkey.vault.model import Prompt

    return open_signer(folder, Prompt())


def _name(app: QApplication) -> None:
    app.setApplicationName("Latchkey")
    app.setApplicationDisplayName("Latchkey")
    app.setDesktopFileName("latchkey")


def _since_start() -> float:
    """Milliseconds since the process started; where the system does not tell, since this module was loaded."""
    try:
        after_name = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(after_name[19]) / os.sysconf("SC_CLK_TCK")  # field 22, in ticks since boot
        return (time.clock_gettime(time.CLOCK_BOOTTIME) - started) * 1000
    except (OSError, AttributeError, ValueError, IndexError):
        return (time.time() - _STARTED) * 1000


def _tell_kindly(app: QApplication, error: LatchkeyError) -> None:
    """There is no window to say it in: a box of its own."""
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QMessageBox

    from latchkey.ui import theme

    theme.apply(app, "system")
    box = QMessageBox(QMessageBox.Icon.Critical, "Latchkey", "")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(error.text)
    box.exec()


def _qt_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    if kind is not QtMsgType.QtDebugMsg:
        sys.stderr.write(f"qt: {text}\n")
