"""The gate: what the signer loads is what it may load, and nothing more."""

import subprocess
import sys
from pathlib import Path

import pytest

from latchkey.vault import gate

# Everything the signer ever uses, loaded behind the gate in a fresh interpreter.
LOAD_ALL = """
import sys
from latchkey.vault import gate
gate.close()
import latchkey.__main__, latchkey.vault.signer, latchkey.vault.prompt, latchkey.vault.seal, latchkey.vault.sessions
import latchkey.vault.endings, latchkey.vault.signing, latchkey.vault.wire
from latchkey.accounts.system import system
from latchkey.core.types import Address
from latchkey.vault import contents, file, keys, passphrase, seal
from latchkey.vault.secret import SecretBytes
system("modular_account")
key = keys.derive(keys.seed_of("test " * 11 + "junk"), keys.DEFAULT_PATH)
keys.from_keystore(keys.to_keystore(key, SecretBytes(b"abc")), SecretBytes(b"abc"))
keys.sign_digest(key, bytes(32))
seal.seal(key, bytes(31) + b"\\x09", seal.info("a", 1, keys.address_of(key)))
vault = file.create(contents.Contents(), SecretBytes(b"x"), file.LEAST)
file.open_vault(file.seal(vault), SecretBytes(b"x"))
passphrase.weakness(SecretBytes(b"correct horse battery"))
"""


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-I", "-B", "-c", code], capture_output=True, text=True, timeout=250, check=False)


def test_the_signer_loads_what_is_allowed_and_all_of_it_is_needed() -> None:
    done = run(LOAD_ALL + "print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    rooms = {name.split(".")[1] for name in loaded if name.startswith("latchkey.")}
    assert rooms == {"__main__", "accounts", "core", "errors", "language", "offline", "shipped", "vault"}
    assert not loaded & gate.CLOSED_STDLIB
    assert {name.partition(".")[0] for name in loaded} >= gate.LIBRARIES
    known = {"PySide6", "shiboken6", "web3", "aiohttp", "requests", "keyring", "qrcode", "zxingcpp", "platformdirs"}
    assert not {name.partition(".")[0] for name in loaded} & known


@pytest.mark.parametrize(
    "name",
    [
        "PySide6", "PySide6.QtCore", "web3", "aiohttp", "requests", "keyring", "sqlite3", "ssl", "asyncio", "http.client",
        "urllib.request", "pickle", "latchkey.store", "latchkey.store.atomic", "latchkey.codec.qr", "latchkey.ui", "latchkey.ui.desk",
        "latchkey.flow", "latchkey.cli", "latchkey.corelike", "pip", "setuptools",
    ],
)  # fmt: skip
def test_everything_else_is_refused(name: str) -> None:
    assert not gate.allowed(name)


def test_refused_in_the_running_process(tmp_path: Path) -> None:
    attempts = """
def refused(what, kinds):
    try:
        what()
    except kinds as error:
        print(type(error).__name__)
    else:
        print("let through")
import socket, os
refused(lambda: __import__("latchkey.store.atomic"), ImportError)
refused(lambda: __import__("PySide6.QtCore"), ImportError)
refused(lambda: __import__("urllib.request"), ImportError)
refused(lambda: socket.socket(), PermissionError)
refused(lambda: socket.getaddrinfo("localhost", 80), PermissionError)
refused(lambda: open(os.path.join(folder, "written"), "w"), PermissionError)
refused(lambda: os.open(os.path.join(folder, "written"), os.O_CREAT | os.O_WRONLY), PermissionError)
open(os.devnull, "w").close()
open(os.__file__).close()
"""
    done = run(f"from latchkey.vault import gate\ngate.close()\nfolder = {str(tmp_path)!r}\n" + attempts)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["ModuleNotFoundError"] * 3 + ["PermissionError"] * 4
