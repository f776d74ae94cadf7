"""The signer's gate: which code may load into it, and what that code may not do, whoever asks.

The gate is one more line of defence in one process; it does not contain code that means harm. What contains that is how little is
let in: the list below is what the signer really loads, and a test compares the two.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

ROOMS = (
    "latchkey.errors", "latchkey.language", "latchkey.shipped", "latchkey.offline", "latchkey.core", "latchkey.accounts",
    "latchkey.vault", "latchkey.__main__",
)  # fmt: skip
LIBRARIES = frozenset(
    {
        # CBOR; vault, sealing; signing and addresses; checked values
        "cbor2", "cryptography", "_cffi_backend", "coincurve", "eth_hash", "Crypto",
        "pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection",
        # eth-account (BIP-39, BIP-32, keystores) and what it loads
        "eth_account", "eth_abi", "eth_keyfile", "eth_keys", "eth_rlp", "eth_typing", "eth_utils", "rlp", "hexbytes", "py_ecc",
        "bitarray", "ckzg", "cytoolz", "toolz", "parsimonious", "regex", "cffi", "pycparser",
        # how hard a passphrase is to guess
        "zxcvbn",
    }
)  # fmt: skip
# Parts of Python that talk to the network or run code from data. urllib.parse and socket's names are loaded by others; the audit
# below keeps sockets from being made.
CLOSED_STDLIB = frozenset(
    {
        "asyncio", "ftplib", "http", "imaplib", "multiprocessing", "nntplib", "poplib", "smtplib", "socketserver", "sqlite3", "ssl",
        "telnetlib", "tkinter", "webbrowser", "wsgiref", "xmlrpc", "pickle", "_pickle", "shelve", "dbm", "code", "pdb",
        "ensurepip", "venv", "idlelib", "urllib.request",
    }
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def allowed(name: str) -> bool:
    """May the module of this full name be loaded?"""
    top = name.partition(".")[0]
    if top == "latchkey":
        return name == top or any(name == room or name.startswith(room + ".") for room in ROOMS)
    if top in LIBRARIES:
        return True
    return (top in sys.stdlib_module_names or top.startswith("_sysconfigdata")) and not {top, name} & CLOSED_STDLIB


class _Gate:
    """First in line on `sys.meta_path`: refuses, or leaves the finding to the others."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        if not allowed(name):
            raise ModuleNotFoundError(f"The signer does not load {name}.", name=name)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """No sockets, no file opened for writing but devices (the terminal, /dev/null). Cannot be removed once set."""
    if event.startswith("socket.") or (event == "open" and _writes_a_file(*arguments)):
        raise PermissionError(f"The signer does not do this: {event}")


def _writes_a_file(path: Any, _mode: Any, flags: Any) -> bool:
    if isinstance(path, int) or not isinstance(flags, int) or not flags & _WRITING:
        return False
    name = os.fsdecode(path)
    return not name.startswith("/dev/") and name.lower() not in ("nul", "con", "conin$", "conout$")


def close() -> None:
    """Close the gate behind what has been loaded so far. For the life of the process."""
    sys.meta_path.insert(0, _Gate())
    sys.addaudithook(_audit)
