"""The face every account system shows, and where they are found. Account systems do no I/O.

To add one: a package beside `modular_account` that offers these functions as a module-level object, and a line in `_SYSTEMS`.
"""

from __future__ import annotations

from collections.abc import Container, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol, TypeAlias, cast

from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.ending import AccountCall
from latchkey.core.grant import Grant, SignedGrant
from latchkey.core.logs import Log, LogFilter
from latchkey.core.reading import Action, Deferred, Operation, Transaction
from latchkey.core.session import AccountReading, Block, Leftover, Limit, LogRange, Session
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

    def context(self, signed: SignedGrant, session_id: bytes | None = None) -> bytes:
        """The Wallet APIs' permissions context: for a session that their service keeps under `session_id` (0x00), else one that carries the
        whole grant (0x01, unproven against the live service)."""

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

    # --- ending, cancelling, tightening: calls the owner has the account make

    def end_call(self, session: Session, *, clean: bool = True) -> AccountCall:
        """End a session and clear what it stored; `clean` False: the form that ends it whatever its modules do."""

    def left_by(self, session: Session, *, clean: bool = False) -> tuple[Leftover, ...]:
        """What stays stored when the session ends by `end_call` of that form."""

    def clean_calls(
        self, account: Address, leftovers: Iterable[Leftover], *, ended: Container[int] = ()
    ) -> tuple[AccountCall, ...]:
        """Calls that remove leftovers of ids that are not installed, or that are in `ended`."""

    def cancel_call(self, nonce: int) -> AccountCall:
        """Make a signed grant's nonce pass."""

    def lower_call(self, session: Session, limit: Limit, to: int) -> AccountCall:
        """Set what is left of a limit. Raises Refused unless it is less than was read."""

    def shorten_call(self, session: Session, until: int) -> AccountCall:
        """Set a session's last second. Raises Refused unless it is earlier than was read."""

    def together(self, account: Address, calls: Sequence[AccountCall]) -> bytes:
        """What the account is called with to make these calls."""

    def owner_call(self, call_data: bytes) -> bytes:
        """What the owner's own transaction calls the account with, around what `together` gave."""

    def owner_nonce_key(self, parallel: int) -> int:
        """The 192-bit nonce key of the owner's operations."""

    # --- reading and judging them before they are signed

    def decode_operation(self, data: bytes) -> Operation:
        """The independent reading of an unsigned operation. Raises CannotDecode."""

    def decode_transaction(self, data: bytes, account: Address) -> Transaction:
        """The independent reading of an unsigned transaction of the account's owner. Raises CannotDecode."""

    def judge_operation(self, op: Operation, account: Account) -> None:
        """Raise Refused unless it is the owner's and takes power away, and nothing else."""

    def judge_transaction(self, transaction: Transaction, account: Account, sender: Address) -> None:
        """Raise Refused unless it has the account do such things, or carries such operations that the owner signed."""

    def operation_bytes(self, op: Operation) -> bytes:
        """The unsigned operation, built anew from its reading."""

    def transaction_bytes(self, transaction: Transaction, account: Address) -> bytes:
        """The unsigned transaction, built anew from its reading."""

    def operation_digest(self, op: Operation, chain_id: int) -> bytes:
        """The 32 bytes that the owner's key signs."""

    def operation_signature(self, signature: bytes) -> bytes:
        """The operation's signature field around r||s||v."""


_SYSTEMS: Mapping[str, str] = {"modular_account": "latchkey.accounts.modular_account.face"}
_KNOWN: Mapping[str, str] = {"kernel": "ZeroDev Kernel", "smart_sessions": "Smart Sessions", "delegation": "ERC-7710 delegation"}


def system(name: str) -> AccountSystem:
    """The account system of that name. Raises NotServed naming what is served."""
    if name not in _SYSTEMS:
        title = _KNOWN.get(name)
        text = f"{title} accounts are known but not served yet." if title else "This account system is not known."
        raise NotServed(f"{text} Served: {', '.join(_SYSTEMS)}.", code="UnknownSystem", path="system")
    return cast(AccountSystem, import_module(_SYSTEMS[name]).SYSTEM)
