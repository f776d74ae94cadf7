"""Printing: JSON on standard output, words for people there too, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latchkey.errors import BadInput, LatchkeyError
from latchkey.language import tr

MAX_BYTES = 512 * 1024  # more than any reader behind this takes; each has its own, smaller cap


@dataclass(frozen=True, slots=True)
class Output:
    json: bool

    def result(self, value: Any, text: str | None = None) -> None:
        """Print a result: as JSON when asked for, else as `text`."""
        print(json.dumps(value) if self.json or text is None else text, flush=True)

    def error(self, error: LatchkeyError) -> None:
        if self.json:
            print(json.dumps(error_json(error)), flush=True)
        else:
            where = f"{error.path}: " if error.path and not error.text.startswith(error.path) else ""
            self.say(f"latchkey: {where}{error.text}")

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def error_json(error: LatchkeyError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.text, "path": error.path}}


def read_input(name: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file, or of standard input for "-"; at most `limit`."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(limit + 1)
    except OSError as error:
        raise BadInput(tr("The input cannot be read: {strerror}.", strerror=error.strerror), code="NoInput") from None
    if len(data) > limit:
        raise BadInput(tr("This is too long: at most {limit} KiB are read.", limit=limit // 1024), code="TooLarge")
    return data


def read_lines(name: str, limit: int = MAX_BYTES) -> Iterator[bytes]:
    """Lines of a file or standard input; a line over `limit` is yielded cut, which its reader refuses by size."""
    try:
        file = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 - closed below, unless it is standard input
    except OSError as error:
        raise BadInput(tr("The input cannot be read: {strerror}.", strerror=error.strerror), code="NoInput") from None
    try:
        while line := file.readline(limit + 2):
            rest = line
            while rest and not rest.endswith(b"\n") and len(rest) >= limit + 2:
                rest = file.readline(limit + 2)
            if line.strip():
                yield line.rstrip(b"\r\n")
    finally:
        if name != "-":
            file.close()
