"""The offline profile: a program that cannot reach a network, whatever it is told. `latchkey --offline`, or a data folder that says so.

Three fences, each of which would do for an honest program, and each of which stands where another cannot:
  seccomp      Linux on x86-64 and ARM64: the kernel refuses every socket but local ones (AF_UNIX, for X11, Wayland and D-Bus, and
               AF_NETLINK, with which a process can only ask its own kernel), and io_uring, which makes sockets too. It cannot be
               taken back, and the signer, the desk and every other child inherit it.
  audit hook   everywhere: Python itself raises when a socket of another family is made, or a name is looked up.
  imports      `latchkey.chain`, `latchkey.bridge` and the libraries that speak to networks do not exist for this process.
What none of them can do: stop another program of the same person, asked over a local socket, from speaking for this one. That is why
the offline machine should have no network at all; `store.machine` tells what of it looks online.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

MARKER = "offline"  # a file of this name in a data folder: this folder's programs never go online
FORBIDDEN = ("latchkey.chain", "latchkey.bridge", "web3", "aiohttp", "httpx", "requests", "urllib3", "websockets")
_LOCAL = (1, 16)  # AF_UNIX, AF_NETLINK
_NAMES = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo", "socket.connect"}

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_SECCOMP = {"x86_64": 317, "aarch64": 277}  # machine -> number of seccomp(2)
_SET_FILTER, _ALL_THREADS = 1, 1
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # machine -> (audit architecture, number of socket(2))
_IO_URING_SETUP = 425
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_X32 = 0x40000000

_fences: tuple[str, ...] = ()


def is_offline() -> bool:
    """Whether this process was locked down."""
    return bool(_fences)


def fences() -> tuple[str, ...]:
    """Which of them stand: "seccomp", "audit", "imports"; empty when the process was not locked down."""
    return _fences


def is_marked(folder: Path) -> bool:
    """Whether this data folder was chosen to stay offline."""
    return (folder / MARKER).exists()


def lock_down() -> None:
    """Put up every fence there is; it cannot be undone. To be called before anything else is imported. May be repeated."""
    global _fences
    if _fences:
        return
    for name in [name for name in sys.modules if _forbidden(name)]:
        del sys.modules[name]
    sys.meta_path.insert(0, _NotHere())
    sys.addaudithook(_audit)
    _fences = ("imports", "audit", *(("seccomp",) if _seccomp() else ()))


class _NotHere:
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if _forbidden(name):
            raise ModuleNotFoundError(f"{name} is not part of an offline Latchkey", name=name)
        return None


def _forbidden(name: str) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in FORBIDDEN)


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.__new__" and arguments[1] not in _LOCAL:
        raise OSError(errno.EAFNOSUPPORT, "This Latchkey is offline")
    if event in _NAMES and not (event == "socket.connect" and getattr(arguments[0], "family", None) in _LOCAL):
        raise OSError(errno.EAFNOSUPPORT, "This Latchkey is offline")


def _seccomp() -> bool:
    """Whether the kernel took the filter."""
    if sys.platform != "linux" or os.uname().machine not in _SOCKET:
        return False
    import ctypes  # not quick to load, and every start loads this module

    class Instruction(ctypes.Structure):
        _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("k", ctypes.c_uint))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.POINTER(Instruction)))

    rules = _rules(*_SOCKET[os.uname().machine])
    program = Program(len(rules), (Instruction * len(rules))(*(Instruction(*rule) for rule in rules)))
    libc = ctypes.CDLL(None, use_errno=True)
    nothing = ctypes.c_ulong(0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), nothing, nothing, nothing) != 0:
        return False
    # For threads that are there already too: a marked folder is read when the toolkit has some of its own.
    number, every = ctypes.c_long(_SECCOMP[os.uname().machine]), ctypes.c_ulong(_ALL_THREADS)
    if libc.syscall(number, ctypes.c_ulong(_SET_FILTER), every, ctypes.byref(program)) == 0:
        return True
    return bool(libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(program), nothing, nothing) == 0)


def _rules(architecture: int, number: int) -> list[tuple[int, int, int, int]]:
    """Classic BPF over struct seccomp_data {int nr; u32 arch; u64 ip; u64 args[6]}: (code, jump if true, jump if false, k).

    System calls of another architecture (and the x32 numbers) have other numbers for socket, so none of them is let through.
    """
    allow, refuse, missing = _ALLOW, _ERRNO | errno.EAFNOSUPPORT, _ERRNO | errno.ENOSYS
    unix, netlink = _LOCAL
    return [
        (_LOAD, 0, 0, 4),  # the architecture
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, missing),
        (_LOAD, 0, 0, 0),  # the number of the call
        (_AT_LEAST, 8, 0, _X32),  # -> missing
        (_EQUAL, 7, 0, _IO_URING_SETUP),  # -> missing
        (_EQUAL, 1, 0, number),
        (_RETURN, 0, 0, allow),
        (_LOAD, 0, 0, 16),  # socket's first argument, the family
        (_EQUAL, 2, 0, unix),  # -> allow
        (_EQUAL, 1, 0, netlink),  # -> allow
        (_RETURN, 0, 0, refuse),
        (_RETURN, 0, 0, allow),
        (_RETURN, 0, 0, missing),
    ]
