"""aa-sdk as a dApp's back end has it, to compare with (aa_sdk.mjs)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.devnet.program import Program


class AaSdk(Program):
    """In one Node process. `now`: what it takes for the time, seconds. `owner`: its private key, 0x-prefixed hex."""

    def __init__(self, now: int, owner: str) -> None:
        super().__init__(Path(__file__).with_name("aa_sdk.mjs"))
        self.done(now=now, owner=owner)

    def make(self, drafts: list[dict[str, Any]], *, sign: bool = True) -> tuple[float, list[dict[str, str]]]:
        """Make every draft (the command line's JSON) a grant: seconds it took, and per draft call, digest and blob, or error."""
        grants = [draft | {"sequence": str(draft["sequence"])} for draft in drafts]  # wider than a JavaScript number
        answer = self.done(grants=grants, sign=sign)
        return answer["seconds"], answer["made"]
