"""What may be loaded, and when: before the first frame, before the first page, and for a window in which nothing was asked for yet.

A budget is a list of what is allowed, or of what is not yet; whoever adds an import at the top of a module finds out here what it costs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from latchkey.flow.accounts import from_address
from latchkey.store.book import Book
from latchkey.store.paths import DataDir

pytestmark = pytest.mark.gui
SOMEONE = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"

# The first frame: Qt's three modules, and these rooms of ours.
FIRST_LATCHKEY = {
    "latchkey", "latchkey.errors", "latchkey.language", "latchkey.offline", "latchkey.shipped",
    "latchkey.core", "latchkey.core.endpoints", "latchkey.core.networks", "latchkey.core.untrusted",
    "latchkey.flow", "latchkey.flow.chains",
    "latchkey.store", "latchkey.store.atomic", "latchkey.store.journal", "latchkey.store.paths", "latchkey.store.reports",
    "latchkey.store.settings",
    "latchkey.ui", "latchkey.ui.app", "latchkey.ui.context", "latchkey.ui.faults", "latchkey.ui.lock", "latchkey.ui.palette",
    "latchkey.ui.single", "latchkey.ui.tasks", "latchkey.ui.use", "latchkey.ui.window",
}  # fmt: skip
FIRST_QT = {"QtCore", "QtGui", "QtWidgets"}
FIRST_OTHERS = {"PySide6", "shiboken6", "shibokensupport", "signature_bootstrap", "__feature__"}
SLOW_STANDARD = {
    "asyncio", "ctypes", "decimal", "email", "html", "http", "importlib.resources", "multiprocessing", "platform", "secrets", "sqlite3",
    "ssl", "subprocess", "unittest", "urllib.request", "uuid", "xml",
}  # fmt: skip

# The first page: nothing of this; it is wanted once something is opened, read or signed.
HEAVY = {
    "aiohttp", "cbor2", "coincurve", "cryptography", "Crypto", "eth_abi", "eth_account", "eth_keys", "eth_utils", "keyring", "numpy", "PIL",
    "pydantic", "qrcode", "requests", "sqlite3", "ssl", "urllib3", "web3", "zxingcpp",
    "PySide6.QtDBus", "PySide6.QtMultimedia", "PySide6.QtNetwork", "PySide6.QtOpenGL", "PySide6.QtQml",
}  # fmt: skip

# An open window with a book, in which nobody has asked for anything: no network, no camera, no keys, no bridge (QtNetwork is there
# for its local sockets alone: another start hands over what it was given).
IDLE = {
    "aiohttp", "coincurve", "cryptography", "eth_account", "eth_keys", "keyring", "numpy", "PIL", "requests", "urllib3", "web3", "zxingcpp",
    "PySide6.QtMultimedia", "PySide6.QtOpenGL", "PySide6.QtQml",
}  # fmt: skip

_PROGRAM = """
import json, sys
from PySide6.QtCore import QTimer
from latchkey.ui import app as application
told = {}
application._tell_time = lambda what: told.setdefault(what, sorted(sys.modules))
def look():
    from PySide6.QtWidgets import QApplication
    from latchkey.ui.window import Window
    for window in QApplication.instance().topLevelWidgets():
        if isinstance(window, Window) and window._is_ready:
            timer.stop()
            QTimer.singleShot(600, lambda: (told.setdefault("idle", sorted(sys.modules)), window.close()))
from PySide6.QtWidgets import QApplication
app = QApplication(["latchkey"])
QTimer.singleShot(30000, app.closeAllWindows)
timer = QTimer(interval=30); timer.timeout.connect(look); timer.start()
application.main(sys.argv[1])
print(json.dumps(told))
"""


def loaded(folder: Path, vault: bool) -> dict[str, set[str]]:
    """Names of modules at each of the three moments, of a window of its own."""
    data = DataDir.open(folder / ("old" if vault else "new"))
    if vault:
        data.vault.write_bytes(next((Path(__file__).parent / "vault" / "samples").glob("*.latchkey-vault")).read_bytes())
        with Book.open(data.book) as book:
            book.add_account(from_address(8453, SOMEONE))
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(data.root)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    return {when: set(names) for when, names in json.loads(done.stdout).items()}


@pytest.fixture(scope="module", params=[True, False], ids=["sessions", "welcome"])
def moments(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    return loaded(tmp_path_factory.mktemp("budget"), request.param)


def top(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def test_the_first_frame(moments: dict[str, set[str]]) -> None:
    names = moments["first-paint"]
    ours = {name for name in names if name == "latchkey" or name.startswith("latchkey.")}
    assert ours - FIRST_LATCHKEY == set()
    assert {name.split(".")[1] for name in names if name.startswith("PySide6.Qt")} <= FIRST_QT
    others = top(names) - set(sys.stdlib_module_names) - {"latchkey", "__main__", "sitecustomize", "usercustomize"}
    assert {
        name for name in others if not name.startswith(("__editable__", "_virtualenv", "_editable", "_distutils"))
    } <= FIRST_OTHERS
    assert names & SLOW_STANDARD == set()


def test_the_first_page(moments: dict[str, set[str]]) -> None:
    assert moments["page-paint"] & HEAVY == set()


def test_a_window_in_which_nothing_was_asked_for(moments: dict[str, set[str]]) -> None:
    assert moments["idle"] & IDLE == set()


def test_the_signer_loads_what_it_needs() -> None:
    code = "import sys; import latchkey.vault.signer; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=250)
    names = set(done.stdout.split())
    assert not any(
        name.startswith(("PySide6", "latchkey.ui", "latchkey.chain", "latchkey.store", "latchkey.bridge")) for name in names
    )
    assert names & {"web3", "aiohttp", "urllib3", "requests", "zxingcpp", "sqlite3"} == set()


def test_the_budget_notices(moments: dict[str, set[str]]) -> None:
    """The program above sees what is there: Qt itself, and pydantic once the book is open."""
    assert "PySide6.QtWidgets" in moments["first-paint"]
    assert "pydantic" in moments["idle"]
    assert moments["first-paint"] < moments["page-paint"] < moments["idle"]
