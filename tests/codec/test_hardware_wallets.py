"""Byte for byte with the libraries that hardware wallets and their watching wallets use, in both directions."""

import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from eth_account import Account as EthAccount

from latchkey.codec import ur
from latchkey.codec.eip4527 import (
    DataType,
    EthSignature,
    EthSignRequest,
    read_sign_request,
    read_signature,
    write_sign_request,
    write_signature,
)
from latchkey.codec.hdkeys import HdKey, HdKeys, KeyPath, read_account, read_hdkey, write_hdkey
from latchkey.codec.inbox import open_any, open_as
from latchkey.core.types import Address
from latchkey.errors import BadInput
from tests.counts import count
from tests.devnet.needed import packages
from tests.devnet.node import HERE
from tests.devnet.program import Program

Wallet = Callable[..., dict[str, Any]]
WORDS = "test test test test test test test test test test test junk"
# PBKDF2 of WORDS, the seed of everybody's test keys
SEED = "9dfc3c64c2f8bede1533b6a79f8570e5943e0b8fd1cf77107adf7b72cef42185d564a3aee24cab43f80e3c4538087d70fc824eabbad596a23c97b6ee8322ccc0"
FINGERPRINT = 0x73C5DA0A
ID = uuid.UUID("9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d").bytes
ADDRESS = Address.parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
ACCOUNT_KEY = {
    "seed": SEED,
    "path": "m/44'/60'/0'",
    "fingerprint": f"{FINGERPRINT:08x}",
    "children": "0/*",
    "coin": 60,
    "name": "Keystone",
}


@pytest.fixture(scope="module")
def wallet() -> Iterator[Wallet]:
    packages()
    with Program(HERE / "hardware_wallet.mjs") as program:
        yield lambda do, **fields: program.done(do=do, **fields)


def test_the_seed_is_that_of_the_words() -> None:
    from eth_account.hdaccount import seed_from_mnemonic

    assert seed_from_mnemonic(WORDS, "").hex() == SEED


REQUESTS = {
    "typed data": EthSignRequest(
        b'{"types":{}}', DataType.TYPED_DATA, KeyPath.parse("m/44'/60'/0'/0/0", FINGERPRINT), ID, 1, ADDRESS, "Latchkey"
    ),
    "old transaction": EthSignRequest(b"\xc0" * 300, DataType.LEGACY_TRANSACTION, KeyPath.parse("m/44'/60'/7'", 1)),
    "message": EthSignRequest(b"\x00", DataType.PERSONAL_MESSAGE, KeyPath.parse("m/0/2147483647'", 2**32 - 1), chain_id=137, origin="é"),
    "transaction": EthSignRequest(b"\x02\xc0", DataType.TRANSACTION, KeyPath.parse("44'/60'/0'/0/9", 7), bytes(16), 2**32 + 1, ADDRESS),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_sign_requests(wallet: Wallet, name: str) -> None:
    ours = REQUESTS[name]
    theirs = wallet(
        "sign-request",
        data=ours.data.hex(),
        type=int(ours.data_type),
        path=str(ours.path),
        fingerprint=f"{ours.path.fingerprint:08x}",
        uuid=str(uuid.UUID(bytes=ours.request_id)) if ours.request_id else None,
        chainId=ours.chain_id,
        address=ours.address,
        origin=ours.origin,
    )["cbor"]
    assert write_sign_request(ours).hex() == theirs
    assert read_sign_request(bytes.fromhex(theirs)) == ours
    read = wallet("read-sign-request", cbor=theirs)
    expected = {
        "data": ours.data.hex(), "type": int(ours.data_type), "path": str(ours.path)[2:], "fingerprint": f"{ours.path.fingerprint:08x}",
        "id": ours.request_id.hex(), "chainId": ours.chain_id, "address": ours.address.raw.hex() if ours.address else None,
        "origin": ours.origin,
    }  # fmt: skip
    assert read == {key: value for key, value in expected.items() if value}


def test_signatures(wallet: Wallet) -> None:
    for ours in (
        EthSignature(bytes(range(65))),
        EthSignature(bytes(64) + b"\x1b", ID, "Keystone"),
        EthSignature(bytes(68), ID),
    ):
        fields = {"signature": ours.signature.hex(), "id": ours.request_id.hex() or None, "origin": ours.origin or None}
        fields = {key: value for key, value in fields.items() if value}
        theirs = wallet("signature", **fields)["cbor"]
        assert write_signature(ours).hex() == theirs
        assert read_signature(bytes.fromhex(theirs)) == ours
        assert wallet("read-signature", cbor=theirs) == fields


def test_public_keys(wallet: Wallet) -> None:
    theirs = wallet("hdkey", **ACCOUNT_KEY)
    raw = bytes.fromhex(theirs["cbor"])
    keys = read_hdkey(raw)
    (key,) = keys.keys
    assert (keys.fingerprint, str(key.origin), str(key.children), key.coin) == (FINGERPRINT, "m/44'/60'/0'", "m/0/*", 60)
    assert (key.key.hex(), key.chain_code.hex(), key.parent, key.name) == (
        theirs["key"], theirs["chainCode"], theirs["parent"], "Keystone"
    )  # fmt: skip
    assert write_hdkey(key) == raw
    found = keys.addresses(3)
    assert [one.address for one in found] == theirs["addresses"]
    assert [str(one.path) for one in found] == [f"m/44'/60'/0'/0/{number}" for number in range(3)]
    assert found[0].path.fingerprint == FINGERPRINT
    EthAccount.enable_unaudited_hdwallet_features()
    assert [one.address for one in found] == [EthAccount.from_mnemonic(WORDS, account_path=str(one.path)).address for one in found]
    read = wallet("read-hdkey", cbor=raw.hex())
    assert (read["key"], read["path"], read["children"]) == (theirs["key"], "44'/60'/0'", "0/*")
    assert read["xpub"].startswith("xpub")


def test_which_addresses_are_meant(wallet: Wallet) -> None:
    plain = {**ACCOUNT_KEY, "children": None}
    assert [str(a.path) for a in _keys(wallet, plain).addresses(2)] == ["m/44'/60'/0'/0/0", "m/44'/60'/0'/0/1"]
    one = _keys(wallet, {**plain, "path": "m/44'/60'/0'/0/0"}).addresses(5)
    assert [(a.address, str(a.path)) for a in one] == [(ADDRESS, "m/44'/60'/0'/0/0")]
    assert len(_keys(wallet, {**ACCOUNT_KEY, "children": "*/*"}).addresses(3)) == 3
    with pytest.raises(BadInput) as caught:
        _keys(wallet, {**ACCOUNT_KEY, "children": "0'/*"}).addresses(1)
    assert caught.value.code == "Hardened"
    with pytest.raises(BadInput) as caught:
        _keys(wallet, {**ACCOUNT_KEY, "coin": 1})
    assert caught.value.code == "OtherCoin"


def _keys(wallet: Wallet, asked: dict[str, Any]) -> HdKeys:
    return read_hdkey(bytes.fromhex(wallet("hdkey", **{k: v for k, v in asked.items() if v is not None})["cbor"]))


@pytest.mark.parametrize("script", [None, "PUBLIC_KEY_HASH"])
def test_accounts(wallet: Wallet, script: str | None) -> None:
    ledger = [{**ACCOUNT_KEY, "path": f"m/44'/60'/{number}'", "children": "0/0"} for number in range(3)]
    bitcoin = {**ACCOUNT_KEY, "path": "m/84'/0'/0'", "coin": 1}
    raw = wallet("account", fingerprint=f"{FINGERPRINT:08x}", keys=[*ledger, bitcoin], script=script)["cbor"]
    found = read_account(bytes.fromhex(raw))
    assert (found.fingerprint, len(found.keys)) == (FINGERPRINT, 3)
    EthAccount.enable_unaudited_hdwallet_features()
    paths = [f"m/44'/60'/{number}'/0/0" for number in range(3)]
    assert [(one.address, str(one.path)) for one in found.addresses(9)] == [
        (EthAccount.from_mnemonic(WORDS, account_path=path).address, path) for path in paths
    ]
    assert open_as(ur.encode(bytes.fromhex(raw), ur.ACCOUNT), HdKeys) == found
    only_bitcoin = wallet("account", fingerprint="00000001", keys=[bitcoin])["cbor"]
    with pytest.raises(BadInput) as caught:
        read_account(bytes.fromhex(only_bitcoin))
    assert caught.value.code == "OtherCoin"


def test_a_key_written_here_is_read_there(wallet: Wallet) -> None:
    key = read_hdkey(bytes.fromhex(wallet("hdkey", **ACCOUNT_KEY)["cbor"])).keys[0]
    bare = HdKey(key.key, key.chain_code, KeyPath.parse("m/44'/60'/0'", 5), KeyPath.parse("0/*"))
    read = wallet("read-hdkey", cbor=write_hdkey(bare).hex())
    assert (read["key"], read["path"], read["children"]) == (key.key.hex(), "44'/60'/0'", "0/*")


# Streams


def test_streams_are_byte_equal(wallet: Wallet) -> None:
    for kind, raw in (
        (ur.SIGN_REQUEST, write_sign_request(REQUESTS["typed data"]) + bytes(900)),
        (ur.SIGNATURE, write_signature(EthSignature(bytes(65)))),
        (ur.TYPE, random.Random(1).randbytes(3000)),
    ):
        for fragment in (60, 110):
            encoder = ur.Encoder(raw, fragment, kind)
            parts = wallet("stream", type=kind, message=raw.hex(), fragment=fragment, count=80)["parts"]
            assert [encoder.part(number) for number in range(1, 81)] == parts


def test_streams_with_two_frames_of_five_lost(wallet: Wallet) -> None:
    rng = random.Random(20261121)
    for _ in range(count(20, 500)):
        raw, kind = rng.randbytes(rng.randrange(1, 10_001)), rng.choice(list(ur.KINDS))
        encoder = ur.Encoder(raw, 110, kind)
        frames = 5 * encoder.count + 60
        theirs = wallet("stream", type=kind, message=raw.hex(), fragment=110, count=frames)["parts"]
        kept = [number for number in range(1, frames + 1) if rng.random() >= 0.4]
        decoder = ur.Decoder(ur.KINDS)
        for number in kept:
            decoder.receive(theirs[number - 1].upper())
        assert (decoder.kind, decoder.message) == (kind, raw)
        gathered = wallet("gather", parts=[encoder.part(number) for number in kept])
        assert (gathered.get("type"), gathered.get("message")) == (kind, raw.hex())


def test_an_animated_request_from_there_is_opened_here(wallet: Wallet) -> None:
    request = EthSignRequest(
        b'{"a":"' + b"b" * 900 + b'"}', DataType.TYPED_DATA, KeyPath.parse("m/44'/60'/0'/0/0", 1), bytes(16), 1
    )
    raw = write_sign_request(request)
    decoder = ur.Decoder(ur.KINDS)
    for text in wallet("stream", type=ur.SIGN_REQUEST, message=raw.hex(), fragment=100, count=40)["parts"][3:]:
        decoder.receive(text)
    assert decoder.text is not None
    assert open_any(decoder.text) == request
