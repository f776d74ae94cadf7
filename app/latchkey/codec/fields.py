"""Field types for reading untrusted JSON with pydantic that the core's checked values do not cover."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen, MinLen
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator, Strict, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from latchkey.codec.text import clean
from latchkey.core.callback import check_callback
from latchkey.core.lookalikes import hides
from latchkey.core.request import Claims
from latchkey.core.types import MAX_UINT48, Address, hex_bytes, parse_hex_amount, to_hex
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput
from latchkey.language import tr

CONFIG = ConfigDict(extra="forbid", alias_generator=to_camel)
MAX_CHAIN_ID = 2**63 - 1
MAX_NAME, MAX_URL, MAX_FUNCTION, MAX_SYMBOL = 80, 256, 200, 20
MAX_FUNCTIONS = 128
MAX_KEYSTORE = 4096
MAX_DATAS = 64


def fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("latchkey", "{text}", {"text": text})


def reader(parse: Callable[..., Any], **options: Any) -> BeforeValidator:
    """A pydantic validator from a core parser; its sentence is kept."""

    def read(value: object) -> Any:
        try:
            return parse(value, **options)
        except BadInput as error:
            raise fault(error.text) from None

    return BeforeValidator(read)


class Altered(str):
    """A text out of which something was taken that nobody can see, or most of it because it was absurdly long."""

    __slots__ = ()


def _line(limit: int) -> PlainValidator:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise fault(tr("Expected text."))
        return Altered(clean(value, limit)) if hides(value) else clean(value, limit)

    return PlainValidator(read, json_schema_input_type=str)


def _request_id(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or any(not "!" <= c <= "~" for c in value):
        raise BadInput(tr("Expected 1 to 64 printable ASCII characters without spaces."))
    return value


def _key_type(value: object) -> str:
    if value not in ("secp256k1", "ecdsa", "contract"):
        raise BadInput(tr("Expected secp256k1, ecdsa or contract."))
    return "contract" if value == "contract" else "secp256k1"


def _any_chain_id(value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"0[xX][0-9a-fA-F]{1,64}", value):
        value = int(value, 16)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_CHAIN_ID:
        raise BadInput(tr("Expected a chain id: hexadecimal text such as 0x1, or a whole number from 1."))
    return value


def _keystore(value: object) -> str:
    """Web3 Secret Storage as text; whoever opens it judges its content."""
    if not isinstance(value, str) or len(value) > MAX_KEYSTORE or not value.isascii() or not isinstance(read_json(value), dict):
        raise BadInput(
            tr("Expected a keystore: a JSON object as ASCII text of at most {max_keystore} characters.", max_keystore=MAX_KEYSTORE)
        )
    return value


def _hex(size: int | None = None) -> WithJsonSchema:
    """For others: what the validator beside it takes, as JSON schema."""
    digits = "([0-9a-fA-F]{2})*" if size is None else f"[0-9a-fA-F]{{{2 * size}}}"
    return WithJsonSchema({"type": "string", "pattern": f"^0x{digits}$"})


_QUANTITY = "^0x[0-9a-fA-F]{1,64}$"
Data = Annotated[bytes, reader(hex_bytes), PlainSerializer(to_hex), _hex()]
PublicKey32 = Annotated[bytes, reader(hex_bytes, size=32), PlainSerializer(to_hex), _hex(32)]
Datas = Annotated[list[Data], MinLen(1), MaxLen(MAX_DATAS)]
Signatures = Annotated[
    list[Annotated[bytes, reader(hex_bytes, size=65), PlainSerializer(to_hex), _hex(65)]], MinLen(1), MaxLen(MAX_DATAS)
]
Nonce = Annotated[
    int,
    reader(parse_hex_amount),
    PlainSerializer(lambda n: f"0x{n:064x}"),
    WithJsonSchema({"type": "string", "pattern": _QUANTITY}),
]
AnyChainId = Annotated[
    int,
    reader(_any_chain_id),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": _QUANTITY}, {"type": "integer", "minimum": 1, "maximum": MAX_CHAIN_ID}]}
    ),
]
ChainId = Annotated[int, Strict(), Field(ge=1, le=MAX_CHAIN_ID)]
Uint32 = Annotated[int, Strict(), Field(ge=0, le=2**32 - 1)]
Seconds = Annotated[int, Strict(), Field(ge=0, le=MAX_UINT48)]
Keystore = Annotated[str, reader(_keystore), WithJsonSchema({"type": "string", "maxLength": MAX_KEYSTORE})]
RequestId = Annotated[str, reader(_request_id), WithJsonSchema({"type": "string", "pattern": "^[!-~]{1,64}$"})]
Callback = Annotated[str, reader(check_callback), WithJsonSchema({"type": "string", "pattern": "^https://"})]


@dataclass(frozen=True, slots=True)
class KeyModel:
    """`key` as the Wallet APIs write it; "ecdsa" is another name for secp256k1."""

    __pydantic_config__: ClassVar = CONFIG
    public_key: Address
    type: Annotated[str, reader(_key_type), WithJsonSchema({"enum": ["secp256k1", "ecdsa", "contract"]})] = "secp256k1"


@dataclass(frozen=True, slots=True)
class NameModel:
    """What the sender calls a contract or token."""

    __pydantic_config__: ClassVar = CONFIG
    address: Address
    name: Annotated[str, _line(MAX_NAME)] = ""
    symbol: Annotated[str, _line(MAX_SYMBOL)] = ""
    decimals: Annotated[int, Strict(), Field(ge=0, le=77)] | None = None


def _one_name_an_address(names: list[NameModel]) -> list[NameModel]:
    if len({name.address for name in names}) != len(names):
        raise fault(tr("One address is named twice."))
    return names


@dataclass(frozen=True, slots=True)
class ClaimsModel:
    """Claims in JSON. Texts are cleaned on their way in and out."""

    __pydantic_config__: ClassVar = CONFIG
    name: Annotated[str, _line(MAX_NAME)] | None = None
    url: Annotated[str, _line(MAX_URL)] | None = None
    names: Annotated[list[NameModel], MaxLen(64), AfterValidator(_one_name_an_address)] | None = None
    functions: Annotated[list[Annotated[str, _line(MAX_FUNCTION)]], MaxLen(MAX_FUNCTIONS)] | None = None
    altered: Literal[True] | None = None

    def claims(self) -> Claims:
        names = self.names or ()
        texts = [self.name, self.url, *(text for n in names for text in (n.name, n.symbol)), *(self.functions or ())]
        return Claims(
            str(self.name or ""),
            str(self.url or ""),
            tuple((n.address, str(n.name), str(n.symbol), n.decimals) for n in names),
            tuple(map(str, self.functions or ())),
            altered=bool(self.altered) or any(isinstance(text, Altered) for text in texts),
        )


def claims_model(claims: Claims) -> ClaimsModel | None:
    """The inverse of `ClaimsModel.claims`; None when nothing is claimed."""
    if claims == Claims():
        return None
    return ClaimsModel(
        clean(claims.dapp_name, MAX_NAME) or None,
        clean(claims.dapp_url, MAX_URL) or None,
        [NameModel(a, clean(n, MAX_NAME), clean(s, MAX_SYMBOL), d) for a, n, s, d in claims.names] or None,
        [clean(f, MAX_FUNCTION) for f in claims.functions] or None,
        claims.altered or None,
    )
