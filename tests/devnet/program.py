"""A Node process with the npm packages at hand that is told what to do line by line (lines.mjs)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.devnet import node


class Program:
    """`file` runs in the folder of the npm packages, as if it stood there. One JSON object a line in, one a line out."""

    def __init__(self, file: Path) -> None:
        """Raises NpmUnavailable."""
        node.install()
        self._process = subprocess.Popen(
            [str(node.node()), "--input-type=module", "--eval", file.read_text()],
            cwd=node.HERE, env=node.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        except BaseException:  # the time of the test is over: whoever asks next does not wait for as long again
            self._process.kill()
            raise
        return answer

    def done(self, **request: Any) -> dict[str, Any]:
        """`ask` where an error is nothing that a test waits for."""
        answer = self.ask(**request)
        assert "error" not in answer, answer["error"]
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The end of its input is the program's end."""
        try:
            self._process.communicate(timeout=60)
        finally:
            self._process.kill()
            self._process.wait()
