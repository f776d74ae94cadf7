"""What a vault holds, as values and as CBOR. Content version 1; "breakGlass" and "apiKey" came later and are left out where empty.

A newer version is refused, never guessed at; an older one will be brought up by a numbered function here, and its sample is kept in
the tests for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from latchkey.core.types import Address
from latchkey.errors import LatchkeyError, VaultError
from latchkey.language import tr
from latchkey.vault import cbor
from latchkey.vault.model import BreakGlass
from latchkey.vault.secret import SecretBytes

VERSION = 1
MAX_API_KEY = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mnemonic:
    """BIP-39: `entropy` 16 to 32 bytes; `passphrase` UTF-8, may be empty; `path` BIP-32, e.g. m/44'/60'/0'/0/0."""

    entropy: SecretBytes
    passphrase: SecretBytes
    path: str


@dataclass(frozen=True, slots=True)
class RawKey:
    """A private key on its own, 32 bytes."""

    key: SecretBytes


@dataclass(frozen=True, slots=True)
class Master:
    """A master key. `created`: when it came into this vault, seconds since 1970."""

    address: Address
    label: str
    created: int
    secret: Mnemonic | RawKey


@dataclass(frozen=True, slots=True)
class Binding:
    """For whom a session key was sealed: once bound, it is handed to nobody else. `hand_over_key`: X25519, 32 bytes."""

    chain_id: int
    account: Address
    request_id: str
    hand_over_key: bytes


@dataclass(frozen=True, slots=True)
class Session:
    """A session key made here."""

    address: Address
    created: int
    key: SecretBytes
    bound: Binding | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """`expert`: the switch that lets drafts be judged by the expert policy. `api_key`: what the Wallet APIs know this program by, ASCII;
    no key of an account."""

    masters: tuple[Master, ...] = ()
    sessions: tuple[Session, ...] = ()
    expert: bool = False
    break_glass: tuple[BreakGlass, ...] = ()
    api_key: SecretBytes | None = None


def dump(contents: Contents) -> bytes:
    """What came later only where there is any: vaults without it open with every version of this program."""
    whole: dict[str, Any] = {
        "version": VERSION,
        "keys": [_master_out(master) for master in contents.masters],
        "sessions": [_session_out(session) for session in contents.sessions],
        "settings": {"expert": contents.expert},
    }
    if contents.break_glass:
        whole["breakGlass"] = [_break_glass_out(one) for one in contents.break_glass]
    if contents.api_key is not None:
        whole["apiKey"] = contents.api_key.reveal()
    return cbor.dump(whole)


def load(data: bytes) -> Contents:
    """The inverse of `dump`. Raises VaultError: newer, or damaged."""
    try:
        whole = _typed(cbor.load(data), dict)
        if _typed(whole.pop("version"), int) != VERSION:
            raise VaultError(
                tr("This vault's contents were written by a newer Latchkey; use that version to open it."), code="VaultTooNew"
            )
        contents = Contents(
            masters=tuple(_master_in(item) for item in _typed(whole.pop("keys"), list)),
            sessions=tuple(_session_in(item) for item in _typed(whole.pop("sessions"), list)),
            expert=_settings_in(_typed(whole.pop("settings"), dict)),
            break_glass=tuple(_break_glass_in(item) for item in _typed(whole.pop("breakGlass", []), list)),
            api_key=_api_key(whole) if "apiKey" in whole else None,
        )
        _nothing_left(whole)
    except VaultError:
        raise
    except (cbor.NotPlain, KeyError, TypeError, ValueError, LatchkeyError):
        raise VaultError(
            tr("The vault opened, but what is in it cannot be read; open the last good copy."), code="DamagedContents"
        ) from None
    return contents


def _master_out(master: Master) -> dict[str, Any]:
    common = {"address": master.address.raw, "label": master.label, "created": master.created}
    match master.secret:
        case Mnemonic(entropy, passphrase, path):
            return {**common, "kind": "mnemonic", "entropy": entropy.reveal(), "passphrase": passphrase.reveal(), "path": path}
        case RawKey(key):
            return {**common, "kind": "raw", "key": key.reveal()}


def _master_in(item: Any) -> Master:
    fields = _typed(item, dict)
    secret: Mnemonic | RawKey
    if (kind := _typed(fields.pop("kind"), str)) == "mnemonic":
        secret = Mnemonic(
            _secret(fields, "entropy", 16, 32), _secret(fields, "passphrase", 0, 4096), _typed(fields.pop("path"), str)
        )
    elif kind == "raw":
        secret = RawKey(_secret(fields, "key", 32, 32))
    else:
        raise ValueError("kind")
    master = Master(_address(fields), _typed(fields.pop("label"), str), _typed(fields.pop("created"), int), secret)
    _nothing_left(fields)
    return master


def _session_out(session: Session) -> dict[str, Any]:
    bound = session.bound
    return {
        "address": session.address.raw,
        "created": session.created,
        "key": session.key.reveal(),
        "bound": bound
        and {
            "chainId": bound.chain_id,
            "address": bound.account.raw,
            "requestId": bound.request_id,
            "handOverKey": bound.hand_over_key,
        },
    }


def _session_in(item: Any) -> Session:
    fields = _typed(item, dict)
    bound = fields.pop("bound")
    session = Session(
        _address(fields),
        _typed(fields.pop("created"), int),
        _secret(fields, "key", 32, 32),
        None if bound is None else _binding_in(_typed(bound, dict)),
    )
    _nothing_left(fields)
    return session


def _binding_in(fields: dict[str, Any]) -> Binding:
    binding = Binding(
        _typed(fields.pop("chainId"), int),
        _address(fields),
        _typed(fields.pop("requestId"), str),
        _typed(fields.pop("handOverKey"), bytes),
    )
    _nothing_left(fields)
    return binding


def _break_glass_out(one: BreakGlass) -> dict[str, Any]:
    return {
        "chainId": one.chain_id,
        "address": one.account.raw,
        "owner": one.owner.raw,
        "created": one.created,
        "operations": list(one.operations),
        "signatures": list(one.signatures),
    }


def _break_glass_in(item: Any) -> BreakGlass:
    fields = _typed(item, dict)
    operations, signatures = (
        tuple(_typed(data, bytes) for data in _typed(fields.pop(name), list)) for name in ("operations", "signatures")
    )
    one = BreakGlass(
        _typed(fields.pop("chainId"), int),
        _address(fields),
        Address.from_bytes(_typed(fields.pop("owner"), bytes)),
        _typed(fields.pop("created"), int),
        operations,
        signatures,
    )
    _nothing_left(fields)
    return one


def _api_key(whole: dict[str, Any]) -> SecretBytes:
    key = _secret(whole, "apiKey", 1, MAX_API_KEY)
    key.reveal().decode("ascii")
    return key


def _settings_in(fields: dict[str, Any]) -> bool:
    expert = _typed(fields.pop("expert"), bool)
    _nothing_left(fields)
    return expert


def _address(fields: dict[str, Any]) -> Address:
    return Address.from_bytes(_typed(fields.pop("address"), bytes))


def _secret(fields: dict[str, Any], name: str, least: int, most: int) -> SecretBytes:
    value = _typed(fields.pop(name), bytes)
    if not least <= len(value) <= most:
        raise ValueError(name)
    return SecretBytes(value)


def _typed(value: Any, kind: type[T]) -> T:
    if type(value) is not kind:
        raise TypeError(kind.__name__)
    return value


def _nothing_left(fields: dict[str, Any]) -> None:
    if fields:
        raise ValueError("unknown field")
