import base64
import json
import random
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.codec import link, ur
from latchkey.codec.hand_over import Envelope, decode, encode, request_envelope, session_request, to_json
from latchkey.codec.inbox import open_text
from latchkey.codec.requests import request_to_json
from latchkey.core.permissions import NativeTokenTransfer, Root
from latchkey.core.request import Claims, SessionRequest
from latchkey.errors import BadInput, LatchkeyError, NotServed
from tests.codec.strategies import grants, requests
from tests.counts import count

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "hand_over.json").read_text())["envelopes"]
ACCOUNT = "0xafdABa1E09e82F780721963eba39bA9e6d9FE4d2"
KEY = "0x647bbf38CD0E116d1672405aE17a775572a84e03"
PERMISSIONS = [{"type": "native-token-transfer", "data": {"allowance": "0xde0b6b3a7640000"}}]
REQUEST: dict[str, Any] = {
    "account": ACCOUNT,
    "chainId": "0x01",
    "key": {"publicKey": KEY, "type": "secp256k1"},
    "permissions": [{"type": "root"}],
    "expirySec": 1747969653,
}
EXTENDED = REQUEST | {
    "latchkey": {
        "requestId": "abc-1",
        "name": "Skirmish\u202e Rooms",
        "url": "https://rooms.example",
        "handOverKey": "0x" + "11" * 32,
        "callback": "https://rooms.example/back",
        "names": [{"address": KEY, "name": "Rooms", "symbol": "R", "decimals": 6}, {"address": ACCOUNT}],
        "functions": ["move(uint8,uint8)"],
    }
}


def opened(value: Any) -> SessionRequest:
    result = open_text(json.dumps(value))
    assert isinstance(result, SessionRequest)
    return result


# What is served


def test_the_wallet_apis_own_example() -> None:
    call = {"jsonrpc": "2.0", "method": "wallet_createSession", "params": [REQUEST], "id": 1}
    request = opened(call)
    assert request.account == ACCOUNT
    assert request.chain_id == 1
    assert request.session_key == KEY
    assert request.key_type == "secp256k1"
    assert request.permissions == (Root(),)
    assert request.expiry == 1747969653
    assert request == opened(REQUEST) == opened([REQUEST]) == opened({"params": REQUEST})
    assert len(request.request_id) == 32


def test_the_sdks_shape_leaves_account_and_network_open() -> None:
    request = opened({"expirySec": 0, "key": {"publicKey": KEY, "type": "ecdsa"}, "permissions": PERMISSIONS})
    assert (request.account, request.chain_id, request.expiry, request.key_type) == (None, None, 0, "secp256k1")
    assert request.permissions == (NativeTokenTransfer(10**18),)
    assert opened({"account": ACCOUNT, "permissions": PERMISSIONS}).account == ACCOUNT


def test_our_extension() -> None:
    request = opened(EXTENDED)
    assert request.request_id == "abc-1"
    assert request.hand_over_key == b"\x11" * 32
    assert request.callback == "https://rooms.example/back"
    assert session_request(decode(encode(request_envelope(request)))) == request
    assert open_text(json.dumps(request_to_json(request))) == request
    assert request.claims == Claims(
        "Skirmish Rooms",
        "https://rooms.example",
        ((KEY, "Rooms", "R", 6), (ACCOUNT, "", "", None)),
        ("move(uint8,uint8)",),
        altered=True,  # its name turned the direction
    )
    honest = {**EXTENDED, "latchkey": {**EXTENDED["latchkey"], "name": "Skirmish \U0001f468\u200d\U0001f467 Rooms"}}
    assert not opened(honest).claims.altered
    assert opened({**EXTENDED, "latchkey": {"name": "x" * 100_000}}).claims == Claims("x" * 79 + "…", altered=True)


def test_a_made_id_is_the_same_for_the_same_request() -> None:
    shuffled = dict(reversed(REQUEST.items()))
    assert open_text(json.dumps(REQUEST, indent=3)) == open_text(json.dumps(shuffled))
    assert opened(REQUEST).request_id != opened(REQUEST | {"expirySec": 1}).request_id


@pytest.mark.parametrize("chain_id", ["0x2105", "0X2105", "0x002105", 8453])
def test_chain_ids(chain_id: Any) -> None:
    assert opened(REQUEST | {"chainId": chain_id}).chain_id == 8453


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_every_form_of_a_hand_over(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["cbor"])
    envelope = decode(raw)
    expected = session_request(envelope) if vector["json"]["kind"] == "request" else envelope
    forms = (
        raw,
        json.dumps(vector["json"]),
        json.dumps(vector["json"]).encode(),
        vector["link"],
        f"\ufeff  {vector['link']}\r\n",
        vector["ur"],
        vector["ur"].upper(),
        b"\xef\xbb\xbf" + vector["ur"].encode(),
    )
    for form in forms:
        assert open_text(form) == expected


@given(grants() | requests().map(request_envelope))
def test_any_envelope_in_any_form(envelope: Envelope) -> None:
    raw = encode(envelope)
    expected = open_text(raw)
    assert open_text(json.dumps(to_json(envelope))) == open_text(link.to_link(raw)) == open_text(ur.encode(raw).upper()) == expected


# Refused, naming the field


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (REQUEST | {"capabilities": {}}, "capabilities"),
        (REQUEST | {"permissions": []}, "permissions"),
        (REQUEST | {"permissions": None}, "permissions"),
        (REQUEST | {"permissions": [{"type": "erc20-token-periodic", "data": {}}]}, "permissions[0].type"),
        (REQUEST | {"permissions": [{"type": "root"}, {"type": "gas-limit", "data": {"limit": 5}}]}, "permissions[1].data.limit"),
        (REQUEST | {"chainId": "1"}, "chainId"),
        (REQUEST | {"chainId": "0x0"}, "chainId"),
        (REQUEST | {"chainId": "0x" + "f" * 64}, "chainId"),
        (REQUEST | {"chainId": 1.0}, "chainId"),
        (REQUEST | {"chainId": True}, "chainId"),
        (REQUEST | {"expirySec": 10_000_000_000}, "expirySec"),
        (REQUEST | {"expirySec": -1}, "expirySec"),
        (REQUEST | {"expirySec": "1747969653"}, "expirySec"),
        (REQUEST | {"expirySec": 1e9}, "expirySec"),
        (REQUEST | {"account": ACCOUNT.lower().replace("a", "A")}, "account"),
        (REQUEST | {"key": {"type": "secp256k1"}}, "key.publicKey"),
        (REQUEST | {"key": {"publicKey": KEY, "type": "ed25519"}}, "key.type"),
        (REQUEST | {"key": {"publicKey": KEY, "type": "contract", "more": 1}}, "key.more"),
        (REQUEST | {"latchkey": {"power": 1}}, "latchkey.power"),
        (REQUEST | {"latchkey": {"requestId": ""}}, "latchkey.requestId"),
        (REQUEST | {"latchkey": {"requestId": "x" * 65}}, "latchkey.requestId"),
        (REQUEST | {"latchkey": {"handOverKey": "0x1234"}}, "latchkey.handOverKey"),
        (REQUEST | {"latchkey": {"callback": "http://rooms.example"}}, "latchkey.callback"),
        (REQUEST | {"latchkey": {"names": [{"name": "no address"}]}}, "latchkey.names[0].address"),
        (REQUEST | {"latchkey": {"names": [{"address": KEY}] * 65}}, "latchkey.names"),
        (REQUEST | {"latchkey": {"functions": [5]}}, "latchkey.functions[0]"),
        (REQUEST | {"latchkey": 2}, "latchkey"),
        ({"method": "wallet_createSession", "params": [REQUEST], "session": 1}, "session"),
        ({"method": "wallet_createSession", "params": []}, ""),
        ({"method": "wallet_createSession", "params": [REQUEST, REQUEST]}, ""),
        ({"method": "wallet_createSession", "params": 5}, ""),
        ({"method": "wallet_createSession"}, "params"),
        ({"method": "eth_sendTransaction", "params": []}, "method"),
        ({"method": 5, "params": []}, "method"),
        ([REQUEST, REQUEST], ""),
        ([], ""),
        ({}, "permissions"),
    ],
)  # fmt: skip
def test_requests_that_are_refused(value: Any, path: str) -> None:
    with pytest.raises(BadInput) as caught:
        open_text(json.dumps(value))
    assert caught.value.path == path


def test_duplicate_fields_are_refused() -> None:
    with pytest.raises(BadInput) as caught:
        open_text('{"permissions":[{"type":"root"}],"expirySec":1,"expirySec":0}')
    assert caught.value.code == "DuplicateField"


# Known, and not served


KERNEL = {"permissionParams": {"policies": []}, "action": {}, "enableSignature": "0x", "privateKey": "0x" + "ab" * 32}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("wc:7f6e504b@2?relay-protocol=irn&symKey=41", "WalletConnect"),
        ({"method": "wc_sessionPropose", "params": {}}, "WalletConnect"),
        ({"method": "wallet_grantPermissions", "params": [{}]}, "ERC-7715"),
        ({"method": "wallet_requestExecutionPermissions", "params": [{"chainId": "0x1"}]}, "ERC-7715"),
        ([{"chainId": "0x1", "to": KEY, "permission": {"type": "native-token-stream", "data": {}}, "rules": []}], "ERC-7715"),
        ([{"chainId": "0x1", "to": KEY, "permission": {}}, {"chainId": "0x1", "to": KEY, "permission": {}}], "ERC-7715"),
        ({"chainId": "0x1", "expiry": 5, "signer": {"type": "key", "data": {}}, "permissions": []}, "ERC-7715"),
        ({"context": "0x", "delegationManager": KEY}, "ERC-7715"),
        ({"delegate": KEY, "delegator": ACCOUNT, "authority": "0x", "caveats": [], "salt": "0x0"}, "ERC-7710"),
        (KERNEL, "ZeroDev Kernel"),
        (base64.b64encode(json.dumps(KERNEL).encode()).decode(), "ZeroDev Kernel"),
        ({"sessionValidator": KEY, "erc7739Policies": {}, "actions": []}, "Smart Sessions"),
        ([{"mode": "0x02", "permissionId": "0x", "enableSessionData": {}}], "Smart Sessions"),
        ({"sessionValidationModule": KEY, "sessionKeyData": "0x", "validUntil": 0}, "Biconomy"),
        ({"method": "particle_aa_createSessions", "params": [{"name": "BICONOMY"}, []]}, "Particle"),
        ("ur:crypto-multi-accounts/oladtpda", "list of keys"),
        ("UR:ETH-BATCH-SIGN-REQUEST/1-3/OLADTPDA", "list of signing requests"),
        ("ur:bytes/aeadaolazmjendeoti", "plain bytes"),
        ("ur:x-unheard-of/aeadaolazmjendeoti", "another type"),
    ],
)  # fmt: skip
def test_known_but_not_served(text: Any, name: str) -> None:
    with pytest.raises(NotServed) as caught:
        open_text(text if isinstance(text, str) else json.dumps(text))
    assert name in caught.value.text
    assert "wallet_createSession" in caught.value.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ACCOUNT, "an address"),
        (f"ethereum:{ACCOUNT}@1?value=1e18", "a payment link; expected a session request"),
        (f"ethereum:{ACCOUNT}@1/approve?address={ACCOUNT}&uint256=1", "calls a contract"),
        ("https://rooms.example/grant", "web address"),
        ("0xb61d27f6000000", "bytes"),
        ({"sessionKey": KEY, "entityId": 1, "permissions": []}, "grant build"),
        ({"sessionId": "0x", "signatureRequest": {}}, "sessionId"),
        ({"types": {}, "primaryType": "DeferredAction", "domain": {}, "message": {}}, "typed data"),
        ({"calls": []}, "transaction"),
        ("", "nothing to open"),
        (" \n", "nothing to open"),
        ("hello", "nothing that Latchkey can open"),
        ("{", "JSON"),
        (b"\x89PNG\r\n\x1a\n0000", "picture"),
        (b"\xff\xfe{\x00", "neither text"),
        (b"\x84\x68latchkey", "ends too early"),
        ("latchkey:grant/", "whole Latchkey link"),
        ("latchkey:request/abcd", "whole Latchkey link"),
        ("x" * 300_000, "too long"),
        (b"x" * 300_000, "too long"),
    ],
)
def test_no_request_at_all(text: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        open_text(text if isinstance(text, (str, bytes)) else json.dumps(text))


def test_one_part_of_an_animated_code() -> None:
    with pytest.raises(BadInput) as caught:
        open_text(ur.Encoder(bytes(1000), 100).part(4).upper())
    assert caught.value.code == "OnePartOfMany"
    assert "part 4 of an animated code of 10" in caught.value.text


SECRETS = (
    "ab" * 32,
    "0x" + "AB" * 32,
    '"0x' + "ab" * 32 + '"',
    "test test test test test test test test test test test junk",
    "1. Zebra\n2. zoo\n3. wrong\n4. word\n5. wreck\n6. world\n7. work\n8. wolf\n9. wolf\n10. wish\n11. wise\n12. wink",
    " ".join(["abandon"] * 23 + ["art"]),
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    json.dumps({"version": 3, "crypto": {"ciphertext": "ab"}}),
    json.dumps({"mnemonic": "test test junk"}),
    "ur:crypto-seed/oyadgdaawzwplrbdhdpabgrbgydtgmdrssflwydtes",
)


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_secrets_are_refused_and_not_repeated(secret: str) -> None:
    for form in (secret, f"  {secret}\n", secret.encode()):
        with pytest.raises(BadInput) as caught:
            open_text(form)
        assert caught.value.code == "LooksLikeSecret"
        shown = f"{caught.value.text} {caught.value.path} {caught.value.code} {caught.value!r} {caught.value.__context__!r}"
        assert not [word for word in secret.replace('"', " ").split() if len(word) > 6 and word in shown]


# Anything at all


def test_ten_thousand_random_strings() -> None:
    rng = random.Random(2)
    heads = ("", "{", "[", "latchkey:grant/", "ur:latchkey-grant/", "0x", "wc:", '{"permissions":[', '{"latchkey":1,')
    for _ in range(count(3000, 10_000)):
        text = rng.choice(heads) + "".join(rng.choices(string.printable, k=rng.randrange(120)))
        with pytest.raises(LatchkeyError):
            open_text(text)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_random_input(text: str | bytes) -> None:
    with pytest.raises(LatchkeyError):
        open_text(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from((EXTENDED, VECTORS[1]["json"], VECTORS[4]["json"])), st.data())
def test_mutated_requests(value: dict[str, Any], data: st.DataObject) -> None:
    """One value anywhere replaced by anything: refused, or read."""
    changed = json.loads(json.dumps(value))
    at = changed
    while True:
        step = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[step], (dict, list)) or not at[step] or data.draw(st.booleans()):
            break
        at = at[step]
    at[step] = data.draw(_JSON)
    try:
        read = open_text(json.dumps(changed))
    except LatchkeyError:
        return
    if isinstance(read, SessionRequest):
        if read.account and read.chain_id is None:  # the SDK's shape; a hand-over names an account with its network
            return
        assert session_request(decode(encode(request_envelope(read)))) == read
    else:
        assert decode(encode(read)) == read


@given(st.text("[]{}\"':,0 \\ue", max_size=60).map(lambda s: "[" + s))
def test_json_like_noise(text: str) -> None:
    with pytest.raises(LatchkeyError):
        open_text(text)


def test_deep_and_wide_json() -> None:
    for text in ("[" * 100_000, '{"a":' * 40_000, "[" + "1," * 60_000 + "1]", '{"permissions":' + "9" * 5000 + "}"):
        with pytest.raises(BadInput):
            open_text(text)
