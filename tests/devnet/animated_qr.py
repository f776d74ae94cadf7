"""@keystonehq/animated-qr in a Node process of its own: what it shows, and what it reads (animated_qr.mjs)."""

from __future__ import annotations

from collections.abc import Sequence

from tests.devnet.node import HERE
from tests.devnet.program import Program


class AnimatedQr(Program):
    def __init__(self) -> None:
        super().__init__(HERE / "animated_qr.mjs")

    def play(self, kind: str, message: bytes, count: int, capacity: int | None = None) -> list[str]:
        """The first `count` codes that its component shows. `capacity`: bytes in each, its own 400 where it is left out."""
        wish = {} if capacity is None else {"capacity": capacity}
        parts: list[str] = self.done(do="play", type=kind, message=message.hex(), count=count, **wish)["parts"]
        return parts

    def scan(self, kind: str, parts: Sequence[str]) -> tuple[bytes | None, int]:
        """The message as its scanner hands it on, None while it is not complete; and how many codes it took."""
        answer = self.done(do="scan", type=kind, parts=list(parts))
        assert not answer["faults"], answer["faults"]
        return (bytes.fromhex(answer["message"]) if answer.get("message") else None), answer["taken"]
