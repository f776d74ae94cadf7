"""A real keyring for tests: gnome-keyring's Secret Service on a message bus and in folders of its own, and nobody's but theirs.

As a program: `python -m tests.secret_service COMMAND...` runs the command with one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.message_bus import message_bus, wait_for_name

LACKING = next((f"{name} is not installed" for name in ("gnome-keyring-daemon", "dbus-daemon") if shutil.which(name) is None), "")

_BUS_ADDRESS = "DBUS_SESSION_BUS_ADDRESS"

_DENIED = '<deny send_interface="org.freedesktop.Secret.Service"/>'


@dataclass
class SecretService:
    """`environment`: what a process needs to find it."""

    environment: dict[str, str]
    daemon: int

    @contextmanager
    def _collection(self) -> Iterator[Any]:
        """The default one, of this very service."""
        import secretstorage

        kept = os.environ.get(_BUS_ADDRESS)
        os.environ[_BUS_ADDRESS] = self.environment[_BUS_ADDRESS]
        try:
            with closing(secretstorage.dbus_init()) as bus:
                yield secretstorage.get_default_collection(bus)
        finally:
            del os.environ[_BUS_ADDRESS]
            if kept is not None:
                os.environ[_BUS_ADDRESS] = kept

    def secrets(self) -> list[bytes]:
        """What all its items hold."""
        with self._collection() as collection:
            return [item.get_secret() for item in collection.get_all_items()]

    def empty(self) -> None:
        with self._collection() as collection:
            for item in collection.get_all_items():
                item.delete()

    def change(self, secret: bytes) -> None:
        with self._collection() as collection:
            for item in collection.get_all_items():
                item.set_secret(secret)

    def lock(self) -> None:
        with self._collection() as collection:
            collection.lock()

    def kill(self) -> None:
        os.kill(self.daemon, signal.SIGKILL)
        while Path(f"/proc/{self.daemon}/exe").exists():
            time.sleep(0.01)


@contextmanager
def secret_service(*, denied: bool = False) -> Iterator[SecretService]:
    """Unlocked and empty. `denied`: it runs, but the bus lets nobody ask it."""
    with ExitStack() as stack:
        # In a short place, for sockets have short names.
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keyring-")))
        folders = {f"XDG_{name.upper()}_HOME": place / name for name in ("data", "config", "cache")} | {
            "XDG_RUNTIME_DIR": place / "run"
        }
        for folder in (*folders.values(), place / "data/keyrings"):
            folder.mkdir(mode=0o700)
        address = stack.enter_context(message_bus(place, _DENIED if denied else ""))
        environment = {name: str(folder) for name, folder in folders.items()} | {_BUS_ADDRESS: address}
        daemon = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )  # fmt: skip
        stack.callback(_end, daemon)
        assert daemon.stdin is not None
        daemon.stdin.write(b"the keyring's own password")
        daemon.stdin.close()
        wait_for_name(address, "org.freedesktop.secrets")
        yield SecretService(environment, daemon.pid)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


if __name__ == "__main__":
    with secret_service() as service:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, **service.environment}, check=False).returncode)
