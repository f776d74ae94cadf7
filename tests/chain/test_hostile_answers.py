"""Whatever a node answers to a trial or to questions around a grant: a result, or an error with a sentence; nothing else gets out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from latchkey.accounts.modular_account.build import build
from latchkey.accounts.modular_account.model import Fees
from latchkey.chain.node import RpcError
from latchkey.chain.simulate import Simulated, Trial, simulate
from latchkey.chain.surroundings import Wanted, look
from latchkey.core.account import Account, Mode
from latchkey.core.facts import Surroundings
from latchkey.core.permissions import ContractAccess
from latchkey.core.types import to_hex
from latchkey.errors import ChainError
from latchkey.flow.trying import of_grant
from tests.core.golden_cases import ACCOUNT, GAME, NOW, USDC, plain
from tests.counts import count

PLACE = Account(31337, ACCOUNT, "modular_account", Mode.ADDRESS)
SUBJECT = of_grant(
    build(plain(ContractAccess(GAME), expiry=NOW + 5)).unsigned, Account(1, ACCOUNT, "modular_account", Mode.ADDRESS)
)
_ERRORS = [
    bytes.fromhex(s) for s in ("08c379a0", "4e487b71", "4db96e31", "74a1a72c", "a32d2f5d", "2b53784e", "220266b6", "65c8fd4d")
]
_WORDS = [bytes(32), bytes(31) + b"\x20", bytes(31) + b"\x40", b"\xff" * 32, bytes(31) + b"\x01"]


class Junk:
    """Answers at random: sometimes nearly right."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def call(self, method: str, *params: Any) -> Any:
        rng = self._rng
        if method == "eth_simulateV1":
            return rng.choice([self._any(), [{"calls": [self._simulated() for _ in range(rng.choice((2, 3, 4)))]}]])
        return rng.choice([self._any(), to_hex(b"".join(self._relayed() for _ in range(rng.choice((2, 3, 4)))))])

    def many(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        return [self._answer(method) for method, *_ in calls]

    def _answer(self, method: str) -> Any:
        rng = self._rng
        right = {
            "eth_chainId": "0x7a69",
            "eth_getBlockByNumber": {"number": "0x5", "timestamp": hex(NOW)},
            "eth_getBalance": "0x5",
            "eth_getCode": to_hex(rng.randbytes(rng.randrange(40))),
            "eth_call": rng.choice(["0x", "0x" + "00" * 160, to_hex(self._bytes())]),
        }
        return right.get(method, to_hex(self._bytes())) if rng.random() < 0.9 else self._any()

    def _any(self) -> Any:
        rng = self._rng
        return rng.choice(
            [
                None,
                5,
                "",
                "0x",
                "0xzz",
                "0x1",
                [],
                {},
                {"number": []},
                [[]],
                RpcError("no"),
                True,
                to_hex(rng.randbytes(70)),
                "0x" + "9" * 500,
            ]
        )

    def _bytes(self) -> bytes:
        rng = self._rng
        start = rng.choice([b"", rng.choice(_ERRORS)])
        return start + b"".join(rng.choice([*_WORDS, rng.randbytes(32)]) for _ in range(rng.randrange(5)))

    def _relayed(self) -> bytes:
        data = self._rng.choice([self._bytes(), bytes(32), b"\1\0\0\0\0", b"\0\0\0\0\x04" + self._rng.choice(_ERRORS)])
        length = len(data) if self._rng.random() < 0.95 else self._rng.getrandbits(32)
        return bytes([self._rng.choice((0, 1, 1, 1, 1, 2))]) + length.to_bytes(4, "big") + data

    def _simulated(self) -> Any:
        rng = self._rng
        made = {
            "status": rng.choice(["0x0", "0x1", "0x1", 1, None]),
            "returnData": to_hex(self._bytes()),
            "error": rng.choice([None, {}, "no"]),
        }
        return rng.choice([made, made, made, self._any()])


def test_trials() -> None:
    rng = random.Random(1)
    done, texts = 0, set()
    for number in range(count(1_500, 20_000)):
        fees = Fees(1, 2, 3, 4) if number % 3 else None
        at = rng.choice([None, NOW])
        try:
            found = simulate(Junk(rng), Trial(PLACE, SUBJECT.install, SUBJECT.call, rng.randbytes(40), fees, at))  # type: ignore[arg-type]
        except ChainError as error:
            texts.add(error.text)
        else:
            assert isinstance(found, Simulated)
            done += 1
    assert done > 5  # some of it passes for an answer, or nothing was tried
    assert all(text.endswith(".") for text in texts)


def test_surroundings() -> None:
    rng = random.Random(2)
    done, texts = 0, set()
    for _ in range(count(1_500, 20_000)):
        try:
            found = look(Junk(rng), Wanted(PLACE, (GAME, USDC), (USDC,), 7))  # type: ignore[arg-type]
        except ChainError as error:
            texts.add(error.text)
        else:
            assert isinstance(found, Surroundings)
            done += 1
    assert done > 200
    assert all(text.endswith(".") for text in texts)
