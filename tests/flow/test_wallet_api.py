"""Sessions that the Wallet APIs compiled, without their service: see tests/clients/test_wallet_api.py for their side."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from latchkey.accounts.system import system
from latchkey.codec.hand_over import decode
from latchkey.codec.inbox import open_any
from latchkey.codec.wallet_api import CreatedSession, read_answer
from latchkey.core.account import Mode
from latchkey.core.grant import Grant
from latchkey.core.permissions import Root
from latchkey.core.types import Address, hex_bytes, to_hex
from latchkey.errors import ChainError, LatchkeyError
from latchkey.flow import wallet_api
from latchkey.flow.approving import Approvals
from latchkey.flow.chains import Chains
from latchkey.flow.explain import explain
from latchkey.flow.granting import Granting
from latchkey.flow.signing import to_sign
from latchkey.store.book import Book
from latchkey.store.records import MasterKeyRecord
from latchkey.store.settings import Settings
from latchkey.vault.client import SignerClient
from tests.endings import session_of
from tests.flow.signer import OWNER
from tests.flow.test_foreign import ACCOUNT, NOW, grant

FACE = system("modular_account")
EXAMPLE = json.loads((Path(__file__).parents[1] / "vectors/wallet_api.json").read_text())


def answer(made: Grant | None = None, **changes: Any) -> CreatedSession:
    made = made or grant()
    typed = json.dumps(FACE.typed_data(made)).encode()
    return replace(CreatedSession(bytes(range(16)), 31337, typed, made.digest), **changes)


@pytest.fixture
def ours(book: Book) -> Book:
    book.put_key(MasterKeyRecord(OWNER, "Main", "raw", ""))
    return book


def test_the_published_example_is_refused_for_its_digest(book: Book) -> None:
    """It is compiled as Latchkey would, but what it wants signed is not the digest of what it shows."""
    found, wanted = read_answer(EXAMPLE["answer"]), EXAMPLE["request"]
    reading = FACE.decode_typed_data(json.loads(found.typed_data))
    assert reading.account is not None
    account = replace(ACCOUNT, chain_id=1, address=reading.account, mode=Mode.ADDRESS, salt=None)
    draft = FACE.draft_of(reading, account)
    assert (draft.permissions, draft.entity_id, draft.expiry) == ((Root(),), 1, wanted["expirySec"])
    assert draft.session_key == Address.parse(wanted["key"]["publicKey"])
    assert to_hex(FACE.build(draft).digest) == EXAMPLE["digest"]
    book.add_account(account)
    with pytest.raises(LatchkeyError) as caught:
        wallet_api.asked(found, book, now=wanted["expirySec"] - 10)
    assert caught.value.code == "RawPayloadDiffers"
    wallet_api.asked(replace(found, digest=hex_bytes(EXAMPLE["digest"])), book, now=wanted["expirySec"] - 10)


def test_what_is_shown_is_signed_and_goes_back(ours: Book, signer: SignerClient) -> None:
    approvals = Approvals(ours, lambda: signer, Chains(Settings), lambda: NOW)
    one = approvals.read(answer())
    assert (one.shown.digest, one.shown.account) == (grant().digest, ACCOUNT)
    back = one.sign(signer)
    envelope = decode(back.message)
    assert envelope.context[:17] == b"\x00" + bytes(range(16))
    assert FACE.signer_of(grant(), envelope.context[17:]) == OWNER
    assert json.loads(back.copied) == json.loads(back.file) == {"context": to_hex(envelope.context)}
    assert open_any(back.link or "") == envelope
    with pytest.raises(LatchkeyError) as caught:
        approvals.read(answer())
    assert caught.value.code == "AlreadySigned"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (answer(digest=bytes(32)), "RawPayloadDiffers"),
        (answer(grant(expiry=NOW + 1), digest=grant().digest), "RawPayloadDiffers"),
        (answer(chain_id=1), "Mismatch"),
        (answer(typed_data=b'{"primaryType":"Permit"}'), "NotOnList"),
        (answer(typed_data=b"[]"), "NotOnList"),
        (answer(typed_data=answer().typed_data.replace(b"DeferredAction", b"deferredAction")), "NotOnList"),
    ],
)
def test_what_is_refused(wrong: CreatedSession, code: str, ours: Book) -> None:
    with pytest.raises(LatchkeyError) as caught:
        wallet_api.asked(wrong, ours, now=NOW)
    assert caught.value.code == code


def test_the_command_line_takes_it_too(ours: Book, signer: SignerClient) -> None:
    value = {
        "sessionId": "0x" + "ab" * 16,
        "chainId": "0x7a69",
        "signatureRequest": {
            "type": "eth_signTypedData_v4",
            "data": FACE.typed_data(grant()),
            "rawPayload": to_hex(grant().digest),
        },
    }
    granting = Granting(ours, lambda: signer, lambda: NOW)
    signed = granting.sign(to_sign(json.dumps({"id": 1, "jsonrpc": "2.0", "result": value}).encode(), granting, ours, now=NOW))
    assert decode(signed.envelope).context[:17].hex() == "00" + "ab" * 16


def test_what_it_means_can_be_asked_before(book: Book) -> None:
    text = json.dumps({"result": EXAMPLE["answer"]})
    with pytest.raises(LatchkeyError) as caught:
        explain(text, now=NOW)
    assert caught.value.code == "RawPayloadDiffers"
    told = explain(text.replace(EXAMPLE["answer"]["signatureRequest"]["rawPayload"], EXAMPLE["digest"]), now=NOW)
    assert to_hex(told.digest) == EXAMPLE["digest"]
    assert told.draft is not None
    assert told.draft["permissions"] == [{"type": "root"}]


@pytest.mark.parametrize(("changes", "flag"), [({}, "00"), ({"permissions": (Root(),)}, "01")])
def test_the_context_of_a_session_that_is_installed(changes: dict[str, Any], flag: str) -> None:
    draft = grant(**changes).draft
    assert wallet_api.installed(session_of(draft, ACCOUNT)).hex() == f"02{flag}{draft.entity_id:08x}"


def test_without_an_address_nothing_is_asked(signer: SignerClient) -> None:

    with pytest.raises(ChainError) as caught:
        wallet_api.Service(signer, Settings).create(None)  # type: ignore[arg-type]
    assert caught.value.code == "NotSet"
