"""What the bridge gives up once it listens: calling anybody, listening anywhere else, starting programs, looking into other processes.

A seccomp filter, where Linux has it on x86-64 and ARM64: the kernel refuses these calls with EPERM for the rest of the process's life, so
whoever takes it over has a socket to this computer's pages and a pipe to the window, and nothing else to call with. It can still read
files, as Python loads its modules late. Elsewhere nothing happens: SECURITY.md says what holds where.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import sys

# socket, connect, bind, execve, execveat, ptrace, process_vm_readv, process_vm_writev, io_uring_setup
_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 49, 59, 322, 101, 310, 311, 425)),
    "aarch64": (0xC00000B7, (198, 203, 200, 221, 281, 117, 270, 271, 425)),
}
_PR_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO, _X32 = 0x7FFF0000, 0x00050000, 0x40000000


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.POINTER(_Instruction)))


def confine() -> bool:
    """Whether the kernel took the filter. For this thread and those it starts: to be called before there are others, and after
    `harden`, which gives up new privileges."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return False
    rules = _rules(*_CALLS[platform.machine()])
    program = _Program(len(rules), (_Instruction * len(rules))(*(_Instruction(*rule) for rule in rules)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    nothing = ctypes.c_ulong(0)
    return bool(prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(program), nothing, nothing) == 0)


def _rules(architecture: int, calls: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Classic BPF over struct seccomp_data {int nr; u32 arch; ...}: (code, jump if true, jump if false, k). Calls of another architecture
    have other numbers, so none of them is let through."""
    count = len(calls)
    return [
        (_LOAD, 0, 0, 4),  # the architecture
        (_EQUAL, 0, count + 3, architecture),  # else -> refuse
        (_LOAD, 0, 0, 0),  # the number of the call
        (_AT_LEAST, count + 1, 0, _X32),  # -> refuse
        *((_EQUAL, count - place, 0, number) for place, number in enumerate(calls)),  # -> refuse
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
