"""`latchkey sign` and `latchkey explain` for what takes power away: the offline half, with the real signer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from latchkey.accounts import transaction
from latchkey.accounts.endings import signer_of
from latchkey.accounts.modular_account import ending, userop
from latchkey.accounts.modular_account.addresses import predict
from latchkey.cli.explain import explanation_json
from latchkey.codec import ur
from latchkey.codec.eip4527 import DataType, EthSignature, EthSignRequest, write_sign_request
from latchkey.codec.hand_over import Envelope, Kind, decode, encode, to_json
from latchkey.codec.hdkeys import KeyPath
from latchkey.codec.inbox import open_as
from latchkey.codec.link import to_link
from latchkey.core.account import Account, Mode
from latchkey.core.ending import AccountCall
from latchkey.errors import LatchkeyError, Mismatch
from latchkey.flow.ending_envelopes import operations_envelope, transactions_envelope
from latchkey.flow.explain import explain
from latchkey.store.book import Book
from latchkey.vault.test_keys import MASTERS
from tests.cli.run import latchkey, refusal, result
from tests.cli.test_vault_and_sign import OWNER, with_passphrase
from tests.endings import operation_of, transaction_of

NOW = 1_790_000_000
ACCOUNT = predict(31337, MASTERS[0], 0, Mode.SMA)
END = ending.end_id(ACCOUNT.address, 5)
CANCEL = ending.cancel_call(2 << 64 | 5 << 72)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vault") / "data"
    with_passphrase(result, "vault", "import", "-", "--data-dir", str(folder), "--json", stdin=OWNER["privateKey"])
    return folder


def op(*calls: AccountCall, account: Account = ACCOUNT, **changes: Any) -> bytes:
    return userop.to_bytes(operation_of(account, *calls, **changes))


def sign(folder: Path, data: bytes, *arguments: str, call: Any = result) -> Any:
    return with_passphrase(call, "sign", "-", "--data-dir", str(folder), *arguments, stdin=data)


def explained(data: str | bytes) -> dict[str, Any]:
    return explanation_json(explain(data, now=NOW))


UNSIGNED = [
    operations_envelope([op(END)], ACCOUNT, now=NOW),
    operations_envelope([op(END, CANCEL, max_fee_per_gas=fee * 10**9) for fee in (2, 9)], ACCOUNT, now=NOW),
    operations_envelope([op(CANCEL)], ACCOUNT, now=NOW),
    transactions_envelope([transaction.to_bytes(transaction_of(ACCOUNT, END))], ACCOUNT, now=NOW),
]


@pytest.mark.parametrize("envelope", UNSIGNED, ids=lambda e: e.kind)
def test_any_of_them_is_explained_signed_and_explained_again(envelope: Envelope, data_dir: Path, tmp_path: Path) -> None:
    before = explained(encode(envelope))
    assert (before["purpose"], before["signer"], before["draft"]) == ("ending", None, None)
    assert before["envelope"] == to_json(envelope)
    file = tmp_path / "signed.latchkey"
    signed = sign(data_dir, encode(envelope), "--output", str(file))
    made = decode(file.read_bytes())
    assert made.kind is envelope.kind.signed
    assert signed == {
        "kind": made.kind, "signatures": ["0x" + s.hex() for s in made.signatures], "envelope": "0x" + file.read_bytes().hex()
    }  # fmt: skip
    for form in (file.read_bytes(), to_link(file.read_bytes()), json.dumps(to_json(made)), signed["envelope"]):
        after = explained(form)
        assert after["signer"] == OWNER["address"]
        assert {k: v for k, v in after.items() if k not in ("signer", "envelope")} == {
            k: v for k, v in before.items() if k not in ("signer", "envelope")
        }


def test_the_text_says_what_it_will_do() -> None:
    text = latchkey("explain", "-", stdin=encode(UNSIGNED[0])).stdout.decode()
    assert text.startswith("This ends session 5 of your account")
    assert "\nIt will\n  - end session 5: its key can do nothing more" in text
    assert "\nMost it can cost\n" in text
    assert "It can\n" not in text


def test_a_grant_goes_through_the_same_door(data_dir: Path) -> None:
    from tests.cli.test_vault_and_sign import CAREFUL, CAREFUL_VECTOR

    signed = sign(data_dir, json.dumps(CAREFUL).encode())
    assert signed["signature"] == CAREFUL_VECTOR["expected"]["ownerSignature"]


def altered(**changes: Any) -> bytes:
    return json.dumps(to_json(UNSIGNED[0]) | changes).encode()


WRONG = [
    ("Mismatch", altered(kind="unsigned-cancellation")),
    ("Mismatch", altered(salt="0x1")),
    ("Mismatch", altered(initCode="0x" + "11" * 24)),
    ("OtherAccount", altered(mode="address", account=MASTERS[4], owner=None, salt=None, initCode=None)),
    ("OtherCall", altered(operations=["0x" + op(AccountCall(MASTERS[4], b"")).hex()])),
    ("CannotDecode", altered(operations=["0x00"])),
    ("SharedNonce", altered(operations=["0x" + op(END).hex(), "0x" + op(CANCEL).hex()])),
]  # fmt: skip


@pytest.mark.parametrize(("code", "data"), WRONG, ids=[f"{n}-{c}" for n, (c, _) in enumerate(WRONG)])
def test_what_is_not_what_it_says_is_not_explained(code: str, data: bytes) -> None:
    with pytest.raises(LatchkeyError) as caught:
        explained(data)
    assert caught.value.code == code


def test_nor_is_it_signed(data_dir: Path) -> None:
    for code, data in WRONG[:2]:
        assert sign(data_dir, data, call=refusal)["code"] == code


def test_another_owner_and_signatures_of_another(data_dir: Path) -> None:
    account = predict(31337, MASTERS[1], 0, Mode.SMA)
    foreign = operations_envelope([op(ending.end_id(account.address, 5), account=account)], account, now=NOW)
    assert sign(data_dir, encode(foreign), call=refusal)["code"] == "UnknownKey"
    signed = decode(bytes.fromhex(sign(data_dir, encode(UNSIGNED[0]))["envelope"][2:]))
    assert sign(data_dir, encode(signed), call=refusal)["code"] == "SignedAlready"
    swapped = to_json(signed) | {"operations": ["0x" + op(END, max_fee_per_gas=3 * 10**9).hex()]}
    with pytest.raises(Mismatch):
        explained(json.dumps(swapped))


def test_an_account_known_by_its_address_alone(data_dir: Path) -> None:
    """Its owner is the key it follows from, or the one named; who signed is told."""
    account = Account(31337, ACCOUNT.address, "modular_account", Mode.ADDRESS)
    envelope = operations_envelope([op(END)], account, now=NOW)
    signed = sign(data_dir, encode(envelope))
    assert decode(bytes.fromhex(signed["envelope"][2:])).account == account
    assert explained(signed["envelope"])["signer"] == OWNER["address"]
    assert sign(data_dir, encode(envelope), "--owner", MASTERS[3], call=refusal)["code"] == "BadInput"


def test_a_file_that_is_there_is_not_written_over(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "there"
    file.write_bytes(b"mine")
    assert sign(data_dir, encode(UNSIGNED[0]), "--output", str(file), call=refusal)["code"] == "FileExists"
    assert file.read_bytes() == b"mine"


def test_kinds() -> None:
    assert [e.kind for e in UNSIGNED] == [
        Kind.UNSIGNED_REVOCATION, Kind.UNSIGNED_REVOCATION, Kind.UNSIGNED_CANCELLATION, Kind.UNSIGNED_TRANSACTION
    ]  # fmt: skip


def test_what_another_wallet_asks_for_is_answered_to_it(data_dir: Path, tmp_path: Path) -> None:
    raw = transaction.to_bytes(transaction_of(ACCOUNT, END))
    with Book.open(data_dir / "book.sqlite") as book:
        book.add_account(ACCOUNT)
    asked = EthSignRequest(raw, DataType.TRANSACTION, KeyPath.parse("m/44'/60'/0'/0/0"), bytes(range(16)), 31337, ACCOUNT.owner)
    text = ur.encode(write_sign_request(asked), ur.SIGN_REQUEST)
    file = tmp_path / "answer.txt"
    found = sign(data_dir, text.upper().encode(), "--output", str(file))
    answer = open_as(file.read_bytes(), EthSignature)
    assert found == {
        "kind": "eth-signature",
        "signature": "0x" + answer.signature.hex(),
        "requestId": "0x" + bytes(range(16)).hex(),
        "ur": file.read_text(),
    }
    v27 = answer.signature[:64] + bytes([answer.signature[64] + 27])
    assert signer_of(transaction.digest(raw), v27) == ACCOUNT.owner
    message = EthSignRequest(b"hello", DataType.PERSONAL_MESSAGE, asked.path)
    refused = ur.encode(write_sign_request(message), ur.SIGN_REQUEST)
    assert sign(data_dir, refused.encode(), call=refusal)["code"] == "NotOnList"
