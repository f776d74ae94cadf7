"""The dApps' module in Node, called from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.devnet.program import Program

FOLDER = Path(__file__).parents[2] / "resources/dapp"


class Module(Program):
    """`call` returns what the function does; an error it throws is raised as `Thrown`."""

    def __init__(self) -> None:
        super().__init__(Path(__file__).with_name("run.mjs"))

    def call(self, name: str, *args: Any, file: str = "latchkey.mjs") -> Any:
        return self._made(module=(FOLDER / file).as_uri(), call=name, args=args)

    def codec(self, name: str, *args: Any) -> Any:
        return self.call(name, *args, file="latchkey-codec.mjs")

    def scan(self, *texts: str) -> Any:
        return self._made(module=(FOLDER / "latchkey-codec.mjs").as_uri(), scan=texts)

    def _made(self, **request: Any) -> Any:
        answer = self.ask(**request)
        if "error" in answer:
            raise Thrown(answer["error"]["code"], answer["error"]["message"])
        return answer.get("value")


class Thrown(Exception):
    def __init__(self, code: str | int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
