"""What a process that holds secrets gives up at its start: core dumps, being read by others, outliving its parent, new privileges.

The signer, the desk and the keyring's process all call `harden`. Where the system has no such switch, nothing happens: SECURITY.md says
what holds where.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import BinaryIO

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38

# What the desk needs to open a window that looks like the others, and the signer to be found by nobody else. Nothing that loads code.
_KEPT = {
    "HOME", "LANG", "LANGUAGE", "TZ", "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
    "LATCHKEY_APPEARANCE", "LATCHKEY_LANGUAGE", "SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
    "QT_QPA_PLATFORM", "QT_SCALE_FACTOR", "QT_SCREEN_SCALE_FACTORS", "QT_AUTO_SCREEN_SCALE_FACTOR", "QT_FONT_DPI",
    "QT_ENABLE_HIGHDPI_SCALING", "QT_SCALE_FACTOR_ROUNDING_POLICY", "QT_IM_MODULE", "QT_ACCESSIBILITY",
}  # fmt: skip
_KEPT_PREFIXES = ("LC_", "XDG_")


def harden() -> None:
    """Apply all of it to this process; children inherit the limits, not being unreadable: they call this themselves."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for option, value in ((_PR_SET_DUMPABLE, 0), (_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_PDEATHSIG, signal.SIGKILL)):
        if prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def clean_environment() -> dict[str, str]:
    """The part of the environment that a secret-holding child may see."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}


def take_over_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Private copies of standard input and output; what the old descriptors lead to afterwards is nothing at all."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    os.close(nothing)
    return source, sink


def close_all_but(*kept: int) -> None:
    """Close every other file descriptor above standard error."""
    start = 3
    for fd in sorted(kept):
        os.closerange(start, fd)
        start = max(start, fd + 1)
    os.closerange(start, os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else 8192)
