"""The face every account system shows, and where they are found. Account systems do no I/O.

To add one: a package beside `modular_account` that offers these functions as a module-level object, and a line in `_SYSTEMS`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol, TypeAlias, cast

from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.grant import Grant, SignedGrant
from latchkey.core.logs import Log, LogFilter
from latchkey.core.reading import Action, Deferred
from latchkey.core.session import AccountReading, Block, LogRange, Session
from latchkey.core.types import Address
from latchkey.errors import NotServed


class Policy(StrEnum):
    """How strictly drafts are judged."""

    STRICT = "strict"  # everything careful; what only experts may do is refused
    EXPERT = "expert"  # root, account functions, no expiry, a paymaster guard and extra selectors are allowed too
    COMPAT = "compat"  # exactly what aa-sdk refuses and nothing more; never signed


class Ask(StrEnum):
    CALL = "call"
    CODE = "code"
    STORAGE = "storage"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask the chain at the block of a reading. `data`: calldata, or the storage slot. `about`: what it is about, for a
    person ("session 5"). `may_fail`: a revert is an answer too, and is told as None."""

    ask: Ask
    address: Address
    data: bytes = b""
    about: str = ""
    may_fail: bool = False


#: The published contracts that the chain has: True where the code is the published one, False for a stand-in of the practice chain.
Contracts: TypeAlias = Mapping[Address, bool]
#: Hands out rounds of questions, takes the answers in their order, and ends with the reading. Raises CannotDecode on odd answers.
Inquiry: TypeAlias = Generator[tuple[Question, ...], tuple[bytes | None, ...], AccountReading]


class AccountSystem(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def judge(self, draft: Draft, *, now: int, policy: Policy) -> None:
        """Raise Refused when the draft must not be granted; `.code` names the rule, `.path` the field."""

    def build(self, draft: Draft) -> Grant:
        """Make a judged draft exact."""

    def typed_data(self, grant: Grant) -> dict[str, Any]:
        """The EIP-712 object of the grant, as JSON."""

    def decode_unsigned(self, unsigned: bytes) -> Deferred:
        """The independent reading of `Grant.unsigned`. Raises CannotDecode."""

    def decode_signed(self, blob: bytes) -> Deferred:
        """The independent reading of `SignedGrant.blob`. Raises CannotDecode."""

    def decode_typed_data(self, value: dict[str, Any]) -> Deferred:
        """The independent reading of EIP-712 JSON. Raises CannotDecode."""

    def decode_call(self, data: bytes, *, account: Address | None = None) -> Action:
        """The independent reading of calldata that the account receives. Raises CannotDecode."""

    def unsigned_of(self, blob: bytes) -> bytes:
        """`Grant.unsigned` of a signed grant's blob. Raises CannotDecode."""

    def draft_of(self, reading: Deferred, account: Account) -> Draft:
        """The draft a reading stands for. Raises CannotDecode when it holds anything unknown."""

    def assemble(self, grant: Grant, signature: bytes) -> SignedGrant:
        """Join the owner's signature (r||s||v, 65 bytes). Raises BadInput on a malformed one."""

    def context(self, signed: SignedGrant) -> bytes:
        """The Wallet APIs' permissions context that carries the whole grant (0x01, unproven against the live service)."""

    def signer_of(self, grant: Grant, signature: bytes) -> Address:
        """The address whose key made the signature."""

    def log_filters(self, account: Account) -> tuple[LogFilter, ...]:
        """The logs that tell of everything that was ever let in, since the account was made."""

    def first_code(self, account: Account, code: bytes) -> Address | None:
        """Whose code appearing on the chain comes before every log that matters for the account; None when there can be no logs.
        `code`: what stands at the account's address now."""

    def read(
        self,
        account: Account,
        block: Block,
        logs: Sequence[Log],
        read: LogRange,
        contracts: Contracts,
        *,
        also: Iterable[int] = (),
    ) -> Inquiry:
        """Who has power over the account at `block`. `also`: ids to look for beside those of the logs."""

    def granted(self, session: Session, to: Address, data: bytes) -> Session:
        """The session with what its limits began with, as far as its install transaction (receiver, input) tells."""

    def predict(self, chain_id: int, owner: Address, salt: int, mode: Mode) -> Account:
        """The account that follows from an owner: address and init code."""


_SYSTEMS: Mapping[str, str] = {"modular_account": "latchkey.accounts.modular_account.face"}
_KNOWN: Mapping[str, str] = {"kernel": "ZeroDev Kernel", "smart_sessions": "Smart Sessions", "delegation": "ERC-7710 delegation"}


def system(name: str) -> AccountSystem:
    """The account system of that name. Raises NotServed naming what is served."""
    if name not in _SYSTEMS:
        title = _KNOWN.get(name)
        text = f"{title} accounts are known but not served yet." if title else "This account system is not known."
        raise NotServed(f"{text} Served: {', '.join(_SYSTEMS)}.", code="UnknownSystem", path="system")
    return cast(AccountSystem, import_module(_SYSTEMS[name]).SYSTEM)
