"""What a watching wallet and a signing device show each other as QR codes (EIP-4527): `ur:eth-sign-request`, `ur:eth-signature`.

Maps with small numbers for names; the request's id is a tagged UUID, the key's place a tagged crypto-keypath. What is to be signed
stays bytes here: what it means is read by `flow.foreign`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from latchkey.codec import cbor
from latchkey.codec.fields import MAX_CHAIN_ID
from latchkey.codec.hdkeys import KEYPATH, UUID, KeyPath, fields_of, read_path, write_path
from latchkey.codec.text import clean
from latchkey.core.types import Address
from latchkey.errors import BadInput
from latchkey.language import tr

MAX_SIGN_DATA = 64 * 1024
MAX_ORIGIN = 80  # characters, as of a dApp's name
MAX_BYTES = MAX_SIGN_DATA + 1024
_TAGS = frozenset({UUID, KEYPATH})


class DataType(IntEnum):
    """What the bytes to be signed are."""

    LEGACY_TRANSACTION = 1  # RLP
    TYPED_DATA = 2  # EIP-712 JSON, UTF-8
    PERSONAL_MESSAGE = 3  # the message, without the prefix that is signed with it
    TRANSACTION = 4  # 0x02 and what else EIP-2718 has, then RLP


@dataclass(frozen=True, slots=True)
class EthSignRequest:
    """`request_id`: 16 bytes, or empty. `path`: of the key that is to sign. `origin`: who asks, in their own words, on one line."""

    data: bytes
    data_type: DataType
    path: KeyPath
    request_id: bytes = b""
    chain_id: int | None = None
    address: Address | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class EthSignature:
    """`signature`: r||s||v; v is 0, 1, 27, 28, or for legacy transactions what EIP-155 makes of it, hence up to 16 bytes long."""

    signature: bytes
    request_id: bytes = b""
    origin: str = ""


def write_sign_request(request: EthSignRequest) -> bytes:
    """The content of `ur:eth-sign-request`. Raises BadInput for what `read_sign_request` would not read."""
    _check_size(request.data)
    fields: dict[int, Any] = {2: request.data, 3: int(request.data_type), 5: write_path(request.path)}
    if request.request_id:
        fields[1] = uuid.UUID(bytes=request.request_id)
    if request.chain_id is not None:
        fields[4] = request.chain_id
    if request.address is not None:
        fields[6] = request.address.raw
    if request.origin:
        fields[7] = request.origin
    return cbor.dump(fields)


def read_sign_request(raw: bytes) -> EthSignRequest:
    """The inverse. Raises BadInput."""
    fields = _load(raw, set(range(1, 8)), {2, 3, 5})
    data, kind, path = fields[2], fields[3], read_path(fields[5])
    if not isinstance(data, bytes):
        raise BadInput(tr("What is to be signed is not bytes."), code="NotSignRequest", path="signData")
    _check_size(data)
    if type(kind) is not int or kind not in tuple(DataType):
        raise BadInput(tr("What is to be signed is of a kind that Latchkey does not know."), code="OtherDataType", path="dataType")
    if not path.is_whole:
        raise BadInput(tr("The request does not name one key."), code="NotSignRequest", path="derivationPath")
    chain_id, address = fields.get(4), fields.get(6)
    if chain_id is not None and (type(chain_id) is not int or not 1 <= chain_id <= MAX_CHAIN_ID):
        raise BadInput(tr("The chain id is out of its range."), code="NotSignRequest", path="chainId")
    if address is not None and not (isinstance(address, bytes) and len(address) == 20):
        raise BadInput(tr("The address is not 20 bytes."), code="NotSignRequest", path="address")
    return EthSignRequest(
        data=data,
        data_type=DataType(kind),
        path=path,
        request_id=_id(fields),
        chain_id=chain_id,
        address=Address.from_bytes(address) if address is not None else None,
        origin=_origin(fields.get(7, "")),
    )


def write_signature(signature: EthSignature) -> bytes:
    """The content of `ur:eth-signature`."""
    fields: dict[int, Any] = {2: signature.signature}
    if signature.request_id:
        fields[1] = uuid.UUID(bytes=signature.request_id)
    if signature.origin:
        fields[3] = signature.origin
    return cbor.dump(fields)


def read_signature(raw: bytes) -> EthSignature:
    """The inverse. Raises BadInput."""
    fields = _load(raw, {1, 2, 3}, {2})
    signature = fields[2]
    if not isinstance(signature, bytes) or not 65 <= len(signature) <= 80:
        raise BadInput(tr("A signature is 65 bytes, or a few more for an old transaction."), code="NotSignature", path="signature")
    return EthSignature(signature, _id(fields), _origin(fields.get(3, "")))


def _load(raw: bytes, known: set[int], required: set[int]) -> Any:
    if len(raw) > MAX_BYTES:
        raise BadInput(
            tr("This is too large: at most {max_sign_data} KiB are signed.", max_sign_data=MAX_SIGN_DATA // 1024), code="TooLarge"
        )
    return fields_of(cbor.load(raw, tags=_TAGS), known, required)


def _check_size(data: bytes) -> None:
    if not 0 < len(data) <= MAX_SIGN_DATA:
        raise BadInput(
            tr("From 1 byte to {max_sign_data} KiB can be signed.", max_sign_data=MAX_SIGN_DATA // 1024),
            code="TooLarge",
            path="signData",
        )


def _id(fields: Any) -> bytes:
    value = fields.get(1)
    if value is not None and not isinstance(value, uuid.UUID):
        raise BadInput(tr("The request's id is not a UUID."), code="NotAsTyped", path="requestId")
    return value.bytes if value is not None else b""


def _origin(value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput(tr("The name of who asks is not text."), code="NotAsTyped", path="origin")
    return clean(value, MAX_ORIGIN)
