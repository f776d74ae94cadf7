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

LACKING = next((f"{name} is not installed" for name in ("gnome-keyring-daemon", "dbus-daemon") if shutil.which(name) is None), "")

_BUS_ADDRESS = "DBUS_SESSION_BUS_ADDRESS"

# No service directories: a daemon that is killed stays dead instead of being started again.
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>{}</policy></busconfig>"""
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
        (place / "bus.conf").write_text(_BUS.format(place, _DENIED if denied else ""))
        bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={place / 'bus.conf'}", "--nofork", "--print-address"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        stack.callback(_end, bus)
        assert bus.stdout is not None
        environment = {name: str(folder) for name, folder in folders.items()}
        environment[_BUS_ADDRESS] = bus.stdout.readline().strip()
        daemon = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )  # fmt: skip
        stack.callback(_end, daemon)
        assert daemon.stdin is not None
        daemon.stdin.write(b"the keyring's own password")
        daemon.stdin.close()
        made = SecretService(environment, daemon.pid)
        _wait_for(made)
        yield made


def _wait_for(service: SecretService) -> None:
    asked = [
        "dbus-send", f"--bus={service.environment[_BUS_ADDRESS]}", "--dest=org.freedesktop.DBus", "--print-reply", "/",
        "org.freedesktop.DBus.ListNames",
    ]  # fmt: skip
    until = time.monotonic() + 20
    while b"org.freedesktop.secrets" not in subprocess.run(asked, capture_output=True, check=False).stdout:
        assert time.monotonic() < until, "the keyring did not start"
        time.sleep(0.02)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


if __name__ == "__main__":
    with secret_service() as service:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, **service.environment}, check=False).returncode)
