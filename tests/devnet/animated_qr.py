"""@keystonehq/animated-qr in a Node process of its own: what it shows, and what it reads (animated_qr.mjs)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.devnet.node import HERE, environment, install, node


class AnimatedQr:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def play(self, kind: str, message: bytes, count: int, capacity: int | None = None) -> list[str]:
        """The first `count` codes that its component shows. `capacity`: bytes in each, its own 400 where it is left out."""
        wish = {} if capacity is None else {"capacity": capacity}
        parts: list[str] = self._ask(do="play", type=kind, message=message.hex(), count=count, **wish)["parts"]
        return parts

    def scan(self, kind: str, parts: Sequence[str]) -> tuple[bytes | None, int]:
        """The message as its scanner hands it on, None while it is not complete; and how many codes it took."""
        answer = self._ask(do="scan", type=kind, parts=list(parts))
        assert not answer["faults"], answer["faults"]
        return (bytes.fromhex(answer["message"]) if answer.get("message") else None), answer["taken"]

    def _ask(self, **asked: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "fault" not in answer, answer["fault"]
        return answer


@contextmanager
def animated_qr() -> Iterator[AnimatedQr]:
    """Raises NpmUnavailable."""
    install()
    process = subprocess.Popen(
        [str(node()), str(HERE / "animated_qr.mjs")],
        cwd=HERE, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield AnimatedQr(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        process.wait(10)
