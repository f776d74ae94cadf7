"""What the logs tell of an account: which ids, targets and functions there have ever been. Whether they still are, only views say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ALLOWLIST_V200,
    NATIVE_TOKEN_LIMIT,
    SINGLE_SIGNER,
    TIME_RANGE,
    WEBAUTHN,
)
from latchkey.accounts.modular_account.answers import as_manifest
from latchkey.accounts.modular_account.build import HALF
from latchkey.core.logs import Log, LogFilter
from latchkey.core.types import Address, Selector, keccak
from latchkey.errors import CannotDecode
from latchkey.language import tr

INSTALLED: Final = bytes.fromhex("c36a28045e90a1163d24d4216c8cfd8c44c4e835a486fb84d511d6b9e0736db9")
UNINSTALLED: Final = bytes.fromhex("43f7309d11ba6b2e180e9ab8a6da09d2fa1f585d7daed4b26c1c7f2a90b867a2")
OWNER_CHANGED: Final = bytes.fromhex("c994673d24a099778a3abde494badba9992ab6682e3ea1be5d32d13eff171f5a")
INITIALIZED: Final = keccak(b"Initialized(uint64)")
UPGRADED: Final = keccak(b"Upgraded(address)")
_MANIFEST: Final = b"((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[])"
FUNCTIONS_INSTALLED: Final = keccak(b"ExecutionInstalled(address," + _MANIFEST + b")")
FUNCTIONS_UNINSTALLED: Final = keccak(b"ExecutionUninstalled(address,bool," + _MANIFEST + b")")
ADDRESS_LISTED: Final = bytes.fromhex("bcde3c5e16b49944424e5c913bc897693693f09dc50b91fd09b671f30ecfc6fa")
FUNCTION_LISTED: Final = bytes.fromhex("8b9f134be8e21f7ef34b533bf5bbafed74302c092712e931ea3566090d90610c")
TOKEN_LIMIT_SET: Final = bytes.fromhex("ff01feb598b0c4780e1f2294e82c3bee2fec761df5d93118ba8dfa1ba133607a")
COIN_LIMIT_SET: Final = bytes.fromhex("07bd93d11c3b9d07408e423703e936ade6c55d54bc20ab3e647712158a74337d")
TIME_RANGE_SET: Final = bytes.fromhex("480793f2a17f36ae2e7b01656a93dc37cc4aca75fe2dc15795c69fc23fb77b9e")

DIRECT_CALL: Final = 0xFFFFFFFF
_ACCOUNTS_OWN: Final = (
    INSTALLED, UNINSTALLED, OWNER_CHANGED, INITIALIZED, UPGRADED, FUNCTIONS_INSTALLED, FUNCTIONS_UNINSTALLED,
)  # fmt: skip
_MODULES_OWN: Final = (ADDRESS_LISTED, FUNCTION_LISTED, TOKEN_LIMIT_SET, COIN_LIMIT_SET, TIME_RANGE_SET)

Place: TypeAlias = tuple[int, int]  # block, position in it
Book: TypeAlias = tuple[Address, int]  # a module, and an entity id it keeps something under


def filters(account: Address) -> tuple[LogFilter, ...]:
    """The account's own events; the modules' events about it; the anonymous ones of those that hold keys."""
    padded = bytes(12) + account.raw
    return (
        LogFilter((account,), (_ACCOUNTS_OWN,)),
        LogFilter((ALLOWLIST, ALLOWLIST_V200, NATIVE_TOKEN_LIMIT, TIME_RANGE), (_MODULES_OWN, None, padded)),
        LogFilter((SINGLE_SIGNER, WEBAUTHN), (padded,)),
    )


@dataclass(frozen=True, slots=True)
class Installed:
    """`transaction`: 32 bytes."""

    place: Place
    module: Address
    transaction: bytes


@dataclass(slots=True)
class History:
    """`ids`: every entity id that occurs. `installs`: since the id's last uninstall, oldest
    first. `entries`, `functions`, `token_limits`: what an allowlist was told last about a target, with the place and, of a limit,
    the amount. `born_with`: the id that was installed when the account was made."""

    ids: set[int] = field(default_factory=lambda: {0})
    installs: dict[int, list[Installed]] = field(default_factory=dict)
    uninstalls: dict[int, Place] = field(default_factory=dict)
    direct: dict[Address, None] = field(default_factory=dict)
    own_functions: dict[Selector, None] = field(default_factory=dict)
    entries: dict[Book, dict[Address, Place]] = field(default_factory=dict)
    functions: dict[Book, dict[tuple[Address, Selector], Place]] = field(default_factory=dict)
    token_limits: dict[Book, dict[Address, tuple[Place, int]]] = field(default_factory=dict)
    coin_limits: dict[int, tuple[Place, int]] = field(default_factory=dict)
    upgraded: bool = False
    born_with: int | None = None

    def first_install(self, entity_id: int) -> Installed | None:
        return next(iter(self.installs.get(entity_id, ())), None)

    def last_limit(self, book: Book, target: Address) -> int:
        """What a token limit was last set to; spending only lowers it."""
        return self.token_limits.get(book, {}).get(target, ((-1, -1), 0))[1]

    def is_left(self, entity_id: int, place: Place) -> bool:
        """Whether what was set then was set before the id's last uninstall. `entity_id`: as a module keeps it."""
        ended = [self.uninstalls.get(i, (-1, -1)) for i in owners_of(entity_id)]
        return place < max(ended)


def owners_of(kept_under: int) -> tuple[int, ...]:
    """The entity ids a module's entity id may belong to: itself, and the one whose second counter it is."""
    return (kept_under, kept_under - HALF) if kept_under > HALF else (kept_under,)


def history_of(logs: Iterable[Log], account: Address) -> History:
    """Raises CannotDecode when a log is none the contracts emit."""
    found = History()
    for log in sorted(logs, key=lambda log: log.place):
        if log.address == account:
            _own(found, log)
        elif log.topics and log.topics[0] in _MODULES_OWN:
            _modules(found, log)
        elif log.address in (SINGLE_SIGNER, WEBAUTHN) and len(log.topics) > 1:
            found.ids.add(_number(log.topics[1]))
    return found


def _own(found: History, log: Log) -> None:
    match log.topics[0] if log.topics else b"":
        case t if t in (INSTALLED, UNINSTALLED) and len(log.topics) == 3:
            _validation(found, log, Address.from_bytes(log.topics[1][12:]), _number(log.topics[2]))
        case t if t in (FUNCTIONS_INSTALLED, FUNCTIONS_UNINSTALLED):
            _own_functions(found, log)
        case t if t == UPGRADED:
            found.upgraded = True
        case t if t == INITIALIZED:
            firsts = [
                (i, first) for i in found.installs if (first := found.first_install(i)) and first.transaction == log.transaction
            ]
            found.born_with = firsts[0][0] if firsts else None


def _validation(found: History, log: Log, module: Address, entity_id: int) -> None:
    if entity_id == DIRECT_CALL:
        found.direct[module] = None
        return
    found.ids.add(entity_id)
    if log.topics[0] == INSTALLED:
        found.installs.setdefault(entity_id, []).append(Installed(log.place, module, log.transaction))
    else:
        found.installs.pop(entity_id, None)
        found.uninstalls[entity_id] = log.place


def _own_functions(found: History, log: Log) -> None:
    """A manifest that cannot be read was written by other code that the account ran; nothing of it can be confirmed anyway."""
    skip = 32 if log.topics[0] == FUNCTIONS_UNINSTALLED else 0
    try:
        found.own_functions |= dict.fromkeys(as_manifest(log.data, skip))
    except CannotDecode:
        return


def _modules(found: History, log: Log) -> None:
    entity_id = _number(log.topics[1])
    found.ids.add(owners_of(entity_id)[-1])
    if log.address == TIME_RANGE:
        found.ids.add(entity_id)
    book = (log.address, entity_id)
    match log.topics[0]:
        case t if t == ADDRESS_LISTED:
            found.entries.setdefault(book, {})[_address(log)] = log.place
        case t if t == FUNCTION_LISTED:
            listed = log.topics[3]
            key = (Address.from_bytes(listed[:20]), Selector.from_bytes(listed[20:24]))
            found.functions.setdefault(book, {})[key] = log.place
        case t if t == TOKEN_LIMIT_SET:
            found.token_limits.setdefault(book, {})[_address(log)] = (log.place, _number(log.data[:32]))
            found.entries.setdefault(book, {}).setdefault(_address(log), log.place)
        case t if t == COIN_LIMIT_SET:
            found.coin_limits[entity_id] = (log.place, _number(log.data[:32]))


def _address(log: Log) -> Address:
    if len(log.topics) != 4:
        raise CannotDecode(tr("An event of a module lacks a part."))
    return Address.from_bytes(log.topics[3][12:])


def _number(word: bytes) -> int:
    if len(word) != 32:
        raise CannotDecode(tr("An event lacks a part."))
    return int.from_bytes(word, "big")
