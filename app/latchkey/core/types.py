"""Checked values: an `Address` that exists is a valid address; amounts are ints in base units; times are chain seconds.

Each text type also tells pydantic how to read it from untrusted JSON, so models use them directly.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from eth_hash.auto import keccak
from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from latchkey.errors import BadInput
from latchkey.language import tr

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

__all__ = [
    "MAX_UINT48",
    "MAX_UINT152",
    "MAX_UINT256",
    "ZERO_ADDRESS",
    "Address",
    "HexAmount",
    "Selector",
    "hex_bytes",
    "keccak",
    "parse_hex_amount",
    "to_hex",
]

MAX_UINT48 = 2**48 - 1
MAX_UINT152 = 2**152 - 1
MAX_UINT256 = 2**256 - 1

_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_SELECTOR = re.compile(r"0[xX][0-9a-fA-F]{8}")
_AMOUNT = re.compile(r"0[xX][0-9a-fA-F]{1,64}")


@lru_cache(maxsize=4096)
def _checksummed(digits: str) -> str:
    nibbles = keccak(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(n, 16) >= 8 else c for c, n in zip(digits, nibbles, strict=False))


class _CheckedText(str):
    """A str subclass that can only be made from valid text and is kept in one canonical form."""

    __slots__ = ()
    _schema: ClassVar[dict[str, Any]]

    @classmethod
    def parse(cls, text: object, *, path: str = "") -> Self:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _as_pydantic(cls.parse), serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(cls._schema)


def _as_pydantic(parse: Any) -> Any:
    def check(value: object) -> Any:
        try:
            return parse(value)
        except BadInput as error:
            raise PydanticCustomError("latchkey", "{text}", {"text": error.text}) from None

    return check


class Address(_CheckedText):
    """A 20-byte address in EIP-55 form; equal whatever the letter case it came in.

    Mixed case with a wrong checksum is refused: a letter may be mistyped. One case throughout carries no checksum and is taken.
    """

    __slots__ = ()
    _schema = {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}

    @classmethod
    def parse(cls, text: object, *, path: str = "") -> Self:
        if isinstance(text, cls):
            return text
        if not isinstance(text, str) or not _ADDRESS.fullmatch(text):
            raise BadInput(tr("An address is 0x and 40 hexadecimal digits."), path=path)
        digits = text[2:]
        canonical = _checksummed(digits.lower())
        if digits not in (digits.lower(), digits.upper()) and canonical[2:] != digits:
            raise BadInput(tr("The address's checksum is wrong: a letter may be mistyped. Copy it again."), path=path)
        return cls(canonical)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        if len(raw) != 20:
            raise BadInput(tr("An address is 20 bytes."))
        return cls(_checksummed(raw.hex()))

    @property
    def raw(self) -> bytes:
        return bytes.fromhex(self[2:])


class Selector(_CheckedText):
    """A 4-byte function selector, "0x" and 8 lower-case digits."""

    __slots__ = ()
    _schema = {"type": "string", "pattern": "^0x[0-9a-fA-F]{8}$"}

    @classmethod
    def parse(cls, text: object, *, path: str = "") -> Self:
        if isinstance(text, cls):
            return text
        if not isinstance(text, str) or not _SELECTOR.fullmatch(text):
            raise BadInput(tr("A function selector is 0x and 8 hexadecimal digits."), path=path)
        return cls("0x" + text[2:].lower())

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        if len(raw) != 4:
            raise BadInput(tr("A function selector is 4 bytes."))
        return cls("0x" + raw.hex())

    @property
    def raw(self) -> bytes:
        return bytes.fromhex(self[2:])


ZERO_ADDRESS = Address("0x" + "00" * 20)


def parse_hex_amount(value: object, *, path: str = "") -> int:
    """A uint256 from a hex string as the Wallet APIs write it ("0x0" … 64 digits); an int is taken from our own code."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_UINT256:
        return value
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise BadInput(tr("An amount is written in hexadecimal: 0x and 1 to 64 digits."), path=path)
    return int(value, 16)


def _strict_amount(value: object) -> int:
    if not isinstance(value, str):
        raise BadInput(tr("An amount is written in hexadecimal: 0x and 1 to 64 digits."))
    return parse_hex_amount(value)


HexAmount = Annotated[
    int,
    BeforeValidator(_as_pydantic(_strict_amount)),
    PlainSerializer(hex),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{1,64}$"}),
]


def to_hex(raw: bytes) -> str:
    """0x-prefixed lower-case hex."""
    return "0x" + raw.hex()


def hex_bytes(value: object, *, path: str = "", size: int | None = None, limit: int = 65536) -> bytes:
    """Bytes from 0x-prefixed hex; `size` fixes the length, `limit` caps it (bytes)."""
    if not isinstance(value, str) or len(value) > 2 * limit + 2 or not re.fullmatch(r"0[xX](?:[0-9a-fA-F]{2})*", value):
        raise BadInput(tr("Expected bytes written as 0x and an even number of hexadecimal digits."), path=path)
    raw = bytes.fromhex(value[2:])
    if size is not None and len(raw) != size:
        raise BadInput(tr("Expected {size} bytes, found {count}.", size=size, count=len(raw)), path=path)
    return raw
