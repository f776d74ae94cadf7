"""Nothing is asked of anybody before a person asks for it, everything that can be asked is on the page that says so, and a data folder
that is named holds all there is."""

from __future__ import annotations

import ast
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from latchkey.chain.outgoing import OUTGOING
from latchkey.flow.accounts import from_address
from latchkey.store import settings
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import Settings, import_
from latchkey.ui.pages.settings_transfer import _title

ROOT = Path(__file__).parent.parent
APP = ROOT / "app" / "latchkey"
SOMEONE = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
METHOD = re.compile(r"(eth|net|web3|debug|trace|txpool|pm|rundler|anvil|evm|hardhat|wallet|pimlico|alchemy)_[a-z][A-Za-z0-9]*")
NO_METHODS = {"eth_abi", "eth_account", "eth_hash", "eth_keyfile", "eth_keys", "eth_rlp", "eth_typing", "eth_utils", "wallet_api"}


def methods_in(path: Path) -> set[str]:
    """Names of JSON-RPC methods that stand as text in a module."""
    strings = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
    return {text for text in strings if isinstance(text, str) and METHOD.fullmatch(text)} - NO_METHODS


def test_every_method_that_may_be_asked_is_on_the_page() -> None:
    """Signing is not asked of anybody: eth_sign stands in the practice dApp as the name of a kind of request."""
    own = APP / "chain" / "outgoing.py"
    asked = set().union(
        *(methods_in(path) for room in ("chain", "flow", "cli", "ui") for path in (APP / room).rglob("*.py") if path != own)
    )
    asked |= {"wallet_createSession"}  # named in codec/wallet_api.py
    told = {method for one in OUTGOING for method in one.methods}
    assert told - asked == set()
    assert asked - told - NOT_ASKED == set()


NOT_ASKED = {"eth_sign", "eth_accounts"}  # words of other systems' requests, and of a test


def test_there_is_one_door() -> None:
    """Requests are made in one module, so that the table has one thing to speak of."""
    opening = re.compile(
        r"\.urlopen\(|(import|from) requests\b|aiohttp\.ClientSession|http\.client|socket\.create_connection|QNetworkAccessManager"
    )
    doors = {str(path.relative_to(APP)) for path in APP.rglob("*.py") if opening.search(path.read_text())}
    assert doors == {"chain/wire.py"}


# --- a start, and a walk through everything


# The offline profile's filter with another verdict: whoever makes a socket that is not local, Python, Qt or a library in C, in this process
# or in a child, is killed. Making one is not yet asking anybody, so this is stricter than it has to be.
_WALK = """
import ctypes, errno, json, os, sys
from latchkey import offline
kill, refuse = 0x80000000, offline._ERRNO | errno.EAFNOSUPPORT
rules = [(code, yes, no, kill if k == refuse else k) for code, yes, no, k in offline._rules(*offline._SOCKET[os.uname().machine])]
offline._rules = lambda *_: rules
assert offline._seccomp()
{walk}
"""
_BUTTONS = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QAbstractButton, QDialog, QFileDialog
from latchkey.ui import app as application
from latchkey.ui.window import PAGES, Window
for name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"):
    setattr(QFileDialog, name, staticmethod(lambda *_, **__: ("", "")))
app = QApplication(["latchkey"])
EMPTY = {"session", "grant", "signed", "approve", "request"}  # pages about one thing; here there is none
ASKED = ("practice", "Practice")  # starts a chain on this computer, and is asked for
pressed, visited = [], []
def walk():
    window = next(w for w in app.topLevelWidgets() if isinstance(w, Window))
    while not window._is_ready:
        yield
    for page in [name for name in PAGES if name not in EMPTY]:
        window._context.navigate(page)
        yield
        close_dialogs()
        visited.append(window._page)
        here = window.page
        for button in here.findChildren(QAbstractButton):
            try:
                text = button.text() or button.accessibleName()
                if not button.isVisible() or not button.isEnabled() or any(word in text for word in ASKED):
                    continue
            except RuntimeError:  # an earlier one took it away
                continue
            pressed.append(text)
            button.click()
            yield
            close_dialogs()
            if window.page is not here:
                window._show_page(page, None)
    window.setProperty("leaving", True)
    window.close()
def close_dialogs():
    for widget in app.topLevelWidgets():
        if isinstance(widget, QDialog) and widget.isVisible():
            widget.reject()
steps = walk()
def step():
    try:
        next(steps)
    except StopIteration:
        timer.stop()
timer = QTimer(interval=30); timer.timeout.connect(step)
QTimer.singleShot(300, timer.start)
code = application.main(sys.argv[1])
print(json.dumps([code, visited, pressed]))
"""
only_linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="the kernel is the witness"
)


def walk(code: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "LC_ALL") if name in os.environ}
    nowhere = {"DBUS_SESSION_BUS_ADDRESS": "disabled:", "DBUS_SYSTEM_BUS_ADDRESS": "disabled:", "XDG_RUNTIME_DIR": str(home)}
    return subprocess.run(
        [sys.executable, "-c", _WALK.replace("{walk}", code), *arguments],
        env={**kept, **nowhere, "HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


@only_linux
def test_the_witness_sees_a_connection(tmp_path: Path) -> None:
    done = walk("import socket; socket.create_connection(('127.0.0.1', 9))", home=tmp_path)
    assert done.returncode == -31  # SIGSYS


@only_linux
@pytest.mark.gui
def test_a_start_and_every_button_ask_nothing_of_anybody(tmp_path: Path) -> None:
    folder = DataDir.open(tmp_path / "data")
    folder.vault.write_bytes(next((ROOT / "tests" / "vault" / "samples").glob("*.latchkey-vault")).read_bytes())
    with Book.open(folder.book) as book:
        book.add_account(from_address(8453, SOMEONE, label="Savings"))
    done = walk(_BUTTONS, str(folder.root), home=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    code, visited, pressed = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert {"sessions", "wizard", "accounts", "settings", "privacy", "log"} <= set(visited)
    assert len(pressed) > 30


# --- a folder that is named holds everything


@pytest.mark.gui
def test_a_named_folder_holds_everything(tmp_path: Path) -> None:
    """Portable: with --data-dir nothing is written beside it, not by Qt either; the home is empty before and after."""
    home, data = tmp_path / "home", tmp_path / "stick" / "latchkey"
    home.mkdir()
    before = home.stat().st_mtime_ns
    kept = {name: os.environ[name] for name in ("PATH", "LC_ALL") if name in os.environ}
    environment = {**kept, "HOME": str(home), "QT_QPA_PLATFORM": "offscreen", "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    code = f"""
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from latchkey.ui import app as application
from latchkey.ui.window import Window
app = QApplication(["latchkey"])
def look():
    for window in app.topLevelWidgets():
        if isinstance(window, Window) and window._is_ready:
            window._context.navigate("accounts")
            window.close()
timer = QTimer(interval=50); timer.timeout.connect(look); timer.start()
raise SystemExit(application.main({str(data)!r}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=250, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    for command in (["account", "predict", "--owner", SOMEONE, "--salt", "0"], ["vault", "list", "--json"]):
        subprocess.run(
            [sys.executable, "-m", "latchkey", *command, "--data-dir", str(data)],
            env=environment,
            capture_output=True,
            timeout=250,
            check=False,
        )
    assert list(home.iterdir()) == []
    assert home.stat().st_mtime_ns == before
    assert list((tmp_path / "temporary").iterdir()) == []
    assert {"book.sqlite", "lock", "log", "settings.json"} <= {path.name for path in data.iterdir()}


# --- settings of another computer


def test_an_import_changes_nothing_that_is_not_shown() -> None:
    """Every setting that a file can change stands among the changes, with a title; what is no setting is not taken at all."""
    rpc = "https://rpc.example/key"
    value = {
        "appearance": "dark", "idleMinutes": 60, "window": "AAAA", "proxy": "socks5://127.0.0.1:9050",
        "networks": [{"chainId": 8453, "rpc": rpc, "secondRpc": "https://other.example", "bundler": "https://bundler.example"}],
        "walletApi": "https://service.example", "bridge": True, "bridgePort": 41999,
        "tray": False, "closeToTray": True, "notifications": False,
    }  # fmt: skip
    assert set(value) == set(settings._FIELDS), "a new setting: name it here, and see that an import shows it"
    more = {"expert": True, "policy": "compat", "vault": "x", "rules": {"root": "allowed"}}
    wanted, changes = import_(json.dumps(value | more).encode(), Settings())
    shown = {change.path.partition("[")[0] for change in changes}
    for name, (attribute, _) in settings._FIELDS.items():
        if getattr(wanted, attribute) != getattr(Settings(), attribute):
            assert name in shown
    assert {"appearance", "idleMinutes", "proxy", "networks"} <= shown
    assert wanted.window == b""
    assert rpc in {change.after for change in changes}
    assert all(_title(change) for change in changes)


def test_a_fault_on_the_command_line_tells_places_alone(tmp_path: Path) -> None:
    secret = "https://rpc.example/v2/AbCdEf0123456789"
    code = f"""
import sys
import latchkey.cli.account
def broken(*_): raise RuntimeError({secret!r})
latchkey.cli.account.predict = broken
from latchkey.__main__ import main
sys.exit(main(["account", "predict", "--owner", {SOMEONE!r}, "--salt", "0", "--data-dir", {str(tmp_path)!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=250)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("latchkey: a fault of the program\nRuntimeError\n  ")
    assert "latchkey/cli/__init__.py:" in done.stderr
    assert secret not in done.stderr
