"""A person at a pseudo-terminal, and the window process that has it as its controlling terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import IO, Any, cast

ROOT = Path(__file__).parent.parent.parent
SECONDS = 60


class Person:
    """Reads what the terminal shows and types. `seen`: everything shown so far."""

    def __init__(self) -> None:
        self.fd, self.slave = pty.openpty()
        self.path = os.ttyname(self.slave)
        self.seen = ""
        self._read = 0

    def expect(self, text: str) -> str:
        """Wait until `text` is shown; returns what was shown since the last call, up to it."""
        until = time.monotonic() + SECONDS
        while (at := self.seen.find(text, self._read)) < 0:
            ready, _, _ = select.select([self.fd], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"never shown: {text!r}, but: {self.seen[self._read :]!r}"
            self.seen += os.read(self.fd, 65536).decode().replace("\r\n", "\n")
        shown, self._read = self.seen[self._read : at], at + len(text)
        return shown

    def type(self, line: str) -> None:
        # A hidden question throws away what was typed before it: wait until it is really asked.
        time.sleep(0.05)
        os.write(self.fd, line.encode() + b"\n")

    def answer(self, question: str, line: str) -> str:
        shown = self.expect(question)
        self.type(line)
        return shown

    def close(self) -> None:
        os.close(self.fd)
        os.close(self.slave)


class Window:
    """`python -m tests.vault.window` at that person's terminal. `home`: where its files go."""

    def __init__(self, home: Path, person: Person | None = None, mode: str = "terminal") -> None:
        self.log = home / "window.log"
        environment = {
            **os.environ,
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"),
        }

        def take_terminal() -> None:
            assert person is not None
            fcntl.ioctl(person.slave, termios.TIOCSCTTY, 0)

        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.vault.window", str(home), mode],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
                preexec_fn=take_terminal if person else None,
                text=True,
            )

    def send(self, do: str, **arguments: Any) -> None:
        into = cast(IO[str], self.process.stdin)
        into.write(json.dumps({"do": do, "with": arguments}) + "\n")
        into.flush()

    def answer(self) -> dict[str, Any]:
        line = cast(IO[str], self.process.stdout).readline()
        assert line, self.log.read_text()
        return cast(dict[str, Any], json.loads(line))

    def do(self, do: str, **arguments: Any) -> Any:
        self.send(do, **arguments)
        return self.result()

    def result(self) -> Any:
        answer = self.answer()
        assert "result" in answer, answer
        return answer["result"]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            cast(IO[str], pipe).close()
