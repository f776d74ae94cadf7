"""A hardware wallet's public keys: `ur:crypto-hdkey` (BCR-2020-007) and `ur:crypto-account` (BCR-2020-015), as EIP-4527 uses them.

Only public keys have a place here; a private one is refused without being looked at further. Children are derived by BIP-32, which
allows it for public keys as long as no step is hardened.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from cbor2 import CBORTag

from latchkey.codec import cbor
from latchkey.codec.text import clean
from latchkey.core.types import Address, keccak
from latchkey.errors import BadInput
from latchkey.language import tr

UUID, HDKEY, KEYPATH, COIN_INFO, OUTPUT = 37, 303, 304, 305, 308
TAGS = frozenset({HDKEY, KEYPATH, COIN_INFO, OUTPUT, *range(400, 406)})
_WRAPPERS = TAGS - {HDKEY, KEYPATH, COIN_INFO}  # how coins with scripts would be paid; nothing to an Ethereum address
ETHEREUM = 60  # BIP-44's number of the coin
_COINS = (None, ETHEREUM)
HARDENED = 2**31
MAX_STEPS, MAX_KEYS, MAX_NAME, MAX_BYTES = 10, 64, 100, 16 * 1024
MAX_ADDRESSES = 1000
_STEP = re.compile(r"(\*|[0-9]{1,10})('?)")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a derivation path. `index`: below 2**31, None for any ("*")."""

    index: int | None
    hardened: bool = False

    def __str__(self) -> str:
        return f"{'*' if self.index is None else self.index}{chr(39) * self.hardened}"


@dataclass(frozen=True, slots=True)
class KeyPath:
    """Where a key stands below its master key. `fingerprint`: the master key's, uint32; `depth`: as the wallet wrote it."""

    steps: tuple[Step, ...] = ()
    fingerprint: int | None = None
    depth: int | None = None

    @classmethod
    def parse(cls, text: str, fingerprint: int | None = None) -> KeyPath:
        """From "m/44'/60'/0'/0/0"; the "m/" may be left out. Raises BadInput."""
        steps = [_STEP.fullmatch(step) for step in text.removeprefix("m/").split("/")] if text not in ("", "m") else []
        found = [Step(None if m[1] == "*" else int(m[1]), bool(m[2])) for m in steps if m]
        if len(found) != len(steps) or len(found) > MAX_STEPS or any(s.index is not None and s.index >= HARDENED for s in found):
            raise BadInput(tr("This is not a derivation path such as m/44'/60'/0'/0/0."), path="path")
        return cls(tuple(found), fingerprint)

    def __str__(self) -> str:
        return "/".join(("m", *map(str, self.steps)))

    @property
    def is_whole(self) -> bool:
        """It names one key, not a choice of them."""
        return all(step.index is not None for step in self.steps)


@dataclass(frozen=True, slots=True)
class HdAddress:
    """An account's address and where its key stands."""

    address: Address
    path: KeyPath


@dataclass(frozen=True, slots=True)
class HdKey:
    """A public key of the wallet. `key`: 33 bytes; `chain_code`: 32 bytes, or empty where no children can be derived; `origin`: where it
    stands; `children`: which of those below it are meant; `parent`: its parent's fingerprint, uint32; `coin`: BIP-44's number, None when
    it is not said; `name` and `note`: the wallet's own words, on one line."""

    key: bytes
    chain_code: bytes = b""
    origin: KeyPath | None = None
    children: KeyPath | None = None
    parent: int | None = None
    coin: int | None = None
    name: str = ""
    note: str = ""

    def addresses(self, count: int) -> tuple[HdAddress, ...]:
        """The first `count` addresses: those the wallet means by `children`; else 0/0, 0/1 ... below a key of an account
        (m/44'/60'/0'); else the key's own, alone. Raises BadInput where a hardened step is asked for."""
        below = self._below()
        if below.is_whole:
            return (self._address(below.steps),)
        numbers = range(min(count, MAX_ADDRESSES))
        return tuple(self._address(_with_number(below.steps, number)) for number in numbers)

    def _below(self) -> KeyPath:
        if self.children is not None:
            return self.children
        if self.chain_code and self.origin is not None and len(self.origin.steps) == 3:
            return KeyPath((Step(0), Step(None)))
        return KeyPath()

    def _address(self, steps: Iterable[Step]) -> HdAddress:
        from coincurve import PublicKey

        public, code, origin = PublicKey(self.key), self.chain_code, self.origin or KeyPath()
        for step in steps:
            if step.hardened or step.index is None or not code:
                raise BadInput(tr("Addresses below this key cannot be found from its public part."), code="Hardened")
            mixed = hmac.digest(code, public.format() + step.index.to_bytes(4, "big"), hashlib.sha512)
            public, code = _added(public, mixed[:32]), mixed[32:]
            origin = replace(origin, steps=(*origin.steps, step), depth=None)
        return HdAddress(Address.from_bytes(keccak(public.format(compressed=False)[1:])[12:]), origin)


@dataclass(frozen=True, slots=True)
class HdKeys:
    """What a wallet shows to be paired with. `fingerprint`: the master key's, uint32, None when it is not said."""

    keys: tuple[HdKey, ...]
    fingerprint: int | None = None

    def addresses(self, count: int) -> tuple[HdAddress, ...]:
        """The first `count` addresses of each key, each address once."""
        found = {one.address: one for key in self.keys for one in key.addresses(count)}
        return tuple(found.values())


def _added(public: Any, tweak: bytes) -> Any:
    try:
        return public.add(tweak)
    except ValueError:  # not a number below the curve's order, or the point at infinity; of 2**127 keys one
        raise BadInput(tr("This key has no such child."), code="NoChild") from None


def _with_number(steps: tuple[Step, ...], number: int) -> tuple[Step, ...]:
    """The last "*" becomes `number`, those before it 0."""
    last = max(at for at, step in enumerate(steps) if step.index is None)
    return tuple(
        step if step.index is not None else replace(step, index=number if at == last else 0) for at, step in enumerate(steps)
    )


# Reading -------------------------------------------------------------------------------------------------------------------------


def read_hdkey(raw: bytes) -> HdKeys:
    """The content of `ur:crypto-hdkey`. Raises BadInput."""
    key = _hdkey(_load(raw))
    if key.coin not in _COINS:
        raise _other_coin()
    return HdKeys((key,), key.origin.fingerprint if key.origin else None)


def read_account(raw: bytes) -> HdKeys:
    """The content of `ur:crypto-account`. Raises BadInput. Keys that are said to be another coin's are passed over."""
    fields = fields_of(_load(raw), {1, 2}, required={2})
    outputs = fields[2]
    if not isinstance(outputs, Sequence) or isinstance(outputs, bytes | str) or not 1 <= len(outputs) <= MAX_KEYS:
        raise BadInput(tr("A wallet's account holds from 1 to {max_keys} keys.", max_keys=MAX_KEYS), code="NotHdKey")
    keys = [_hdkey(tagged(_unwrapped(output), HDKEY)) for output in outputs]
    mine = tuple(key for key in keys if key.coin in _COINS)
    if not mine:
        raise _other_coin()
    return HdKeys(mine, uint32(fields[1]) if 1 in fields else None)


def _other_coin() -> BadInput:
    return BadInput(tr("These are keys of another coin; choose an Ethereum account on the device."), code="OtherCoin")


def _load(raw: bytes) -> Any:
    if len(raw) > MAX_BYTES:
        raise BadInput(tr("This is too large to be a wallet's public keys."), code="TooLarge")
    value = cbor.load(raw, tags=TAGS)
    return value.value if isinstance(value, CBORTag) and value.tag == HDKEY else value


def _unwrapped(value: Any) -> Any:
    while isinstance(value, CBORTag) and value.tag in _WRAPPERS:
        value = value.value
    return value


def _hdkey(value: Any) -> HdKey:
    fields = fields_of(value, set(range(1, 11)), required={3})
    key, code, name, note = fields[3], fields.get(4, b""), fields.get(9, ""), fields.get(10, "")
    if fields.get(2, False) is not False or (isinstance(key, bytes) and len(key) == 33 and key[0] == 0):
        raise BadInput(
            tr("This holds a secret key. Latchkey asks for secrets only at the desk; nothing was kept."), code="LooksLikeSecret"
        )
    if fields.get(1, False) not in (True, False) or not isinstance(code, bytes) or len(code) not in (0, 32):
        raise BadInput(tr("The wallet's key is damaged."), code="NotHdKey")
    if not isinstance(name, str) or not isinstance(note, str):
        raise BadInput(tr("The names of the wallet's key are not text."), code="NotHdKey")
    coin = fields_of(tagged(fields[5], COIN_INFO), {1, 2}).get(1) if 5 in fields else None
    return HdKey(
        key=_public(key),
        chain_code=code,
        origin=read_path(fields[6]) if 6 in fields else None,
        children=read_path(fields[7]) if 7 in fields else None,
        parent=uint32(fields[8]) if 8 in fields else None,
        coin=None if coin is None else uint32(coin),
        name=clean(name, MAX_NAME),
        note=clean(note, MAX_NAME),
    )


def _public(key: Any) -> bytes:
    from coincurve import PublicKey

    try:
        if not isinstance(key, bytes) or len(key) != 33:
            raise ValueError
        PublicKey(key)
    except ValueError:
        raise BadInput(tr("The wallet's key is no public key of Ethereum's curve."), code="NotHdKey") from None
    return key


def read_path(value: Any) -> KeyPath:
    """A tagged crypto-keypath. Raises BadInput; ranges of indexes are not read."""
    fields = fields_of(tagged(value, KEYPATH), {1, 2, 3})
    flat = fields.get(1, ())
    if not isinstance(flat, Sequence) or isinstance(flat, bytes | str) or len(flat) % 2 or len(flat) > 2 * MAX_STEPS:
        raise BadInput(tr("A derivation path has at most {max_steps} steps.", max_steps=MAX_STEPS), code="NotPath")
    steps = tuple(_step(index, hardened) for index, hardened in zip(flat[::2], flat[1::2], strict=True))
    depth = fields.get(3)
    if depth is not None and (type(depth) is not int or depth > 255):
        raise BadInput(tr("The depth of a derivation path is a number up to 255."), code="NotPath")
    return KeyPath(steps, uint32(fields[2]) if 2 in fields else None, depth)


def _step(index: Any, hardened: Any) -> Step:
    if isinstance(index, Sequence) and not isinstance(index, bytes | str) and len(index) == 0:
        index = None
    if type(hardened) is not bool or not (index is None or (type(index) is int and index < HARDENED)):
        raise BadInput(tr("A step of a derivation path is a number below 2^31."), code="NotPath")
    return Step(index, hardened)


def fields_of(value: Any, known: Set[int], required: Set[int] = frozenset()) -> Mapping[int, Any]:
    """A map with no other fields than `known`. Raises BadInput."""
    if not isinstance(value, Mapping) or any(type(name) is not int for name in value):
        raise BadInput(tr("The code does not hold what its type says."), code="NotAsTyped")
    if not required <= value.keys() <= known:
        raise BadInput(tr("The code misses a field, or has one that Latchkey does not know."), code="NotAsTyped")
    return value


def tagged(value: Any, tag: int) -> Any:
    if not isinstance(value, CBORTag) or value.tag != tag:
        raise BadInput(tr("The code does not hold what its type says."), code="NotAsTyped")
    return value.value


def uint32(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**32:
        raise BadInput(tr("A number in the code is out of its range."), code="NotAsTyped")
    return value


# Writing -------------------------------------------------------------------------------------------------------------------------


def write_hdkey(key: HdKey) -> bytes:
    """The content of `ur:crypto-hdkey`."""
    fields: dict[int, Any] = {2: False, 3: key.key}
    if key.chain_code:
        fields[4] = key.chain_code
    if key.coin is not None:
        fields[5] = CBORTag(COIN_INFO, {1: key.coin})
    if key.origin is not None:
        fields[6] = write_path(key.origin)
    if key.children is not None:
        fields[7] = write_path(key.children)
    if key.parent is not None:
        fields[8] = key.parent
    fields |= {number: text for number, text in ((9, key.name), (10, key.note)) if text}
    return cbor.dump(fields)


def write_path(path: KeyPath) -> CBORTag:
    flat: list[Any] = []
    for step in path.steps:
        flat += [[] if step.index is None else step.index, step.hardened]
    fields: dict[int, Any] = {1: flat}
    fields |= {number: value for number, value in ((2, path.fingerprint), (3, path.depth)) if value is not None}
    return CBORTag(KEYPATH, fields)
