"""Values of ending sessions: the calls an account makes for it, and what the window knows about the sessions they are for."""

from __future__ import annotations

from dataclasses import dataclass

from latchkey.core.reading import Operation, Transaction
from latchkey.core.session import Limit
from latchkey.core.types import Address


@dataclass(frozen=True, slots=True)
class AccountCall:
    """A call the account makes, without money. The account itself as `target`: one of its own functions."""

    target: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What somebody else says of a session that is to be ended or tightened; shown as such, for the bytes name its id alone.

    `label`: the owner's name for it. `limits`: what was left, `until`: its last second, at block `block`; 0 is not known.
    """

    entity_id: int
    label: str = ""
    key: Address | None = None
    limits: tuple[Limit, ...] = ()
    until: int = 0
    block: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """One thing to be signed, once or at several fees on one nonce, of which only one can ever be used.

    `reading`: of the dearest. `fees`: the highest fee of each, wei per gas, as given.
    """

    reading: Operation | Transaction
    fees: tuple[int, ...]
