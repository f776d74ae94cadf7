"""The offline profile's fences, each tried in a process of its own: they cannot be taken down again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from latchkey.store.machine import look

_TRY = """
import ctypes, errno, os, socket, sys
from latchkey import offline
offline.lock_down()
FAMILIES = {{"unix": 1, "inet": 2, "inet6": 10, "netlink": 16, "packet": 17, "bluetooth": 31, "vsock": 40}}
libc = ctypes.CDLL(None, use_errno=True)
{body}
"""
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")


def tried(body: str) -> str:
    done = subprocess.run([sys.executable, "-c", _TRY.format(body=body)], capture_output=True, text=True, check=False, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@only_linux
def test_the_kernel_itself_refuses_every_socket_but_local_ones() -> None:
    """Past Python: the C library's socket(2). A kernel without the family would refuse too, so inet is made first."""
    body = """
for name, family in FAMILIES.items():
    kind = 3 if name in ("netlink", "packet") else 1
    fd = libc.socket(family, kind, 0)
    print(name, "made" if fd >= 0 else os.strerror(ctypes.get_errno()))
"""
    refused = "Address family not supported by protocol"
    assert tried(body).splitlines() == [
        "unix made", f"inet {refused}", f"inet6 {refused}", "netlink made", f"packet {refused}", f"bluetooth {refused}", f"vsock {refused}",
    ]  # fmt: skip
    free = subprocess.run(
        [sys.executable, "-c", "import socket; socket.socket(2, 1).close(); print('made')"], capture_output=True, text=True
    )
    assert free.stdout.strip() == "made"


@only_linux
def test_io_uring_is_not_there_either() -> None:
    assert tried("print(libc.syscall(425, 1, 0), errno.errorcode[ctypes.get_errno()])") == "-1 ENOSYS"


@only_linux
def test_threads_that_were_there_before_are_not_left_out() -> None:
    """A marked folder is found once the toolkit runs, which has threads of its own."""
    body = """
import threading
go, made = threading.Event(), []
thread = threading.Thread(target=lambda: (go.wait(), made.append(libc.socket(2, 1, 0))))
thread.start()
offline.lock_down()
go.set()
thread.join()
print(made)
"""
    code = _TRY.replace("offline.lock_down()\n", "", 1).format(body=body)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=250)
    assert done.stdout.strip() == "[-1]", done.stderr


@only_linux
def test_children_inherit_it() -> None:
    body = """
import subprocess
code = "import socket\\ntry:\\n    socket.socket(2, 1)\\nexcept OSError as error:\\n    print(error.errno)"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
"""
    assert tried(body) == "97"


def test_python_itself_refuses_too() -> None:
    """Where there is no seccomp this is what stands; `_seccomp` is taken out to see it alone."""
    body = """
for attempt in (lambda: socket.socket(socket.AF_INET), lambda: socket.socket(socket.AF_INET6), lambda: socket.getaddrinfo("localhost", 1),
                lambda: socket.gethostbyname("localhost"), lambda: socket.create_connection(("127.0.0.1", 9))):
    try:
        attempt()
        print("went")
    except OSError as error:
        print(error.strerror)
socket.socketpair()[0].close()
"""
    code = _TRY.format(body=body).replace("offline.lock_down()", "offline._seccomp = lambda: False; offline.lock_down()")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, timeout=250)
    assert done.stdout.split("\n")[:-1] == ["This Latchkey is offline"] * 5


def test_what_speaks_to_networks_does_not_exist() -> None:
    body = """
for name in (*offline.FORBIDDEN, "latchkey.chain.rpc"):
    try:
        __import__(name)
        print(name, "imported")
    except ModuleNotFoundError as error:
        assert "offline" in str(error), error
print(offline.is_offline(), sys.modules.keys() & set(offline.FORBIDDEN))
"""
    assert tried(body) == "True set()"


def test_a_bare_machine_looks_offline_and_a_connected_one_does_not(tmp_path: Path) -> None:
    bare = look(tmp_path)
    assert [sign.online for sign in bare] == [False, False, False]
    card = tmp_path / "sys/class/net/wlan0"
    (card / "wireless").mkdir(parents=True)
    (card / "device").mkdir()
    (card / "operstate").write_text("up\n")
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/route").write_text("Iface\tDestination\tGateway\tFlags\nwlan0\t00000000\t0100A8C0\t0003\n")
    radio = tmp_path / "sys/class/rfkill/rfkill0"
    radio.mkdir(parents=True)
    (radio / "type").write_text("bluetooth\n")
    (radio / "soft").write_text("0\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").write_text("# none\nnameserver 192.0.2.1\n")
    found = {sign.name: (sign.online, sign.text) for sign in look(tmp_path)}
    assert found == {
        "card wlan0": (True, "Wireless card wlan0 is connected."),
        "routes": (True, "There is a way out: a default route."),
        "radio rfkill0": (True, "Bluetooth is switched on."),
        "names": (True, "Name servers are set."),
    }
    (card / "operstate").write_text("down\n")
    (radio / "soft").write_text("1\n")
    assert {sign.online for sign in look(tmp_path) if sign.name[:4] in ("card", "radi")} == {False}


def _latchkey(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "latchkey", *arguments], capture_output=True, text=True, check=False, timeout=250)


def test_the_whole_program_works_offline_signer_and_desk_included() -> None:
    done = _latchkey("--offline", "--self-test")
    assert done.returncode == 0, done.stdout
    assert "all well" in done.stdout


def test_what_needs_a_network_says_so(tmp_path: Path) -> None:
    done = _latchkey("--offline", "practice", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip() == "latchkey: This needs a network, and this Latchkey is offline."


def test_a_data_folder_that_stays_offline_needs_no_flag(tmp_path: Path) -> None:
    (tmp_path / "offline").write_bytes(b"")
    done = _latchkey("practice", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert "offline" in done.stderr


def test_every_page_opens_offline() -> None:
    """The sheets that end sessions cannot be loaded; they would be when something is ended, and that is refused."""
    body = """
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtWidgets import QApplication
import tempfile, pathlib
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import Settings
from latchkey.flow.keys import open_signer
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.window import PAGES, Window
from latchkey.vault.model import Prompt
app = QApplication([])
theme.apply(app, "light")
folder = DataDir.open(pathlib.Path(tempfile.mkdtemp()) / "data")
context = Context(folder, Settings(), make_client=lambda where: open_signer(where, Prompt()), make_book=lambda where: Book.open(where.book))
context.load()
window = Window(context, "grants")
window.show()
window.ready()
for name in PAGES:
    window.show_page(name)
    app.processEvents()
said = []
context.said.connect(said.append)
from latchkey.ui.widgets.intake import opened
from latchkey.codec.hand_over import Envelope, Kind
opened(context, window, Envelope(Kind.SIGNED_REVOCATION, signatures=(bytes(65),)), "file")
print(window.windowTitle(), len(PAGES) > 9, "offline" in said[0])
context.close()
"""
    assert tried(body).splitlines()[-1] == "Latchkey (offline) True True"
