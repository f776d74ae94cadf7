"""A hardware wallet by the command line: its key, what it is shown, what it answers. Keys of eth-account stand for the device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coincurve import PrivateKey

from latchkey.accounts.modular_account import ending, userop
from latchkey.accounts.system import system
from latchkey.codec import ur
from latchkey.codec.eip4527 import EthSignature, EthSignRequest, write_signature
from latchkey.codec.hand_over import Kind, decode, encode
from latchkey.codec.hdkeys import HdKey, write_hdkey
from latchkey.codec.inbox import open_as
from latchkey.core.draft import draft_to_json
from latchkey.flow.ending_envelopes import operations_envelope
from tests.cli.run import refusal, result
from tests.endings import operation_of, session_of
from tests.flow.test_foreign import DEVICE, DEVICE_ACCOUNT, DEVICE_KEY, NOW, device_signs, grant


def signed(asked: Any, folder: Path) -> list[str]:
    """Files with the device's answers."""
    files = []
    for number, one in enumerate(asked["requests"]):
        answer = device_signs(open_as(one["ur"], EthSignRequest))
        files.append(folder / f"{number}.txt")
        files[-1].write_text(ur.encode(write_signature(answer), ur.SIGNATURE).upper())
    return [str(file) for file in files]


def test_a_device_signs_a_grant_and_what_ends_it(tmp_path: Path) -> None:
    at = ("--data-dir", str(tmp_path / "data"))
    public = PrivateKey(bytes(DEVICE.key)).public_key.format()
    shown = ur.encode(write_hdkey(HdKey(public, b"", DEVICE_KEY.path, None, None, 60, "Keystone")), ur.HDKEY)
    draft = json.dumps(draft_to_json(grant(DEVICE_ACCOUNT).draft))
    assert refusal("device", "ask", "-", *at, stdin=draft)["code"] == "NoDevice"
    assert result("device", "add", "-", *at, "--json", stdin=shown) == {"address": DEVICE.address}

    asked = result("device", "ask", "-", *at, stdin=draft)
    assert result("device", "ask", "-", *at, stdin=draft) == asked
    assert [one["dataType"] for one in asked["requests"]] == ["TYPED_DATA"]
    wrong = tmp_path / "wrong.txt"
    request = open_as(asked["requests"][0]["ur"], EthSignRequest)
    wrong.write_text(ur.encode(write_signature(EthSignature(bytes(64) + b"\x1b", request.request_id)), ur.SIGNATURE))
    assert refusal("device", "answer", "-", str(wrong), *at, stdin=json.dumps(asked))["code"]
    answered = result("device", "answer", "-", *signed(asked, tmp_path), *at, stdin=json.dumps(asked))
    told = system("modular_account").decode_signed(bytes.fromhex(answered["blob"][2:]))
    assert told.call == grant(DEVICE_ACCOUNT).call
    assert result("explain", "-", "--json", stdin=json.dumps(answered))["signer"] == DEVICE.address
    assert refusal("device", "ask", "-", *at, stdin=draft)["code"] == "SignedAlready"

    call = ending.end_call(session_of(grant(DEVICE_ACCOUNT).draft, DEVICE_ACCOUNT))
    raws = [userop.to_bytes(operation_of(DEVICE_ACCOUNT, call, max_fee_per_gas=fee)) for fee in (2 * 10**9, 3 * 10**9)]
    unsigned = encode(operations_envelope(raws, DEVICE_ACCOUNT, now=NOW))
    asked = result("device", "ask", "-", *at, stdin=unsigned)
    assert [one["dataType"] for one in asked["requests"]] == ["PERSONAL_MESSAGE"] * 2
    target = tmp_path / "signed.latchkey"
    answered = result("device", "answer", "-", *signed(asked, tmp_path), *at, "--output", str(target), stdin=unsigned)
    assert decode(target.read_bytes()).kind is Kind.SIGNED_REVOCATION
    assert len(answered["signatures"]) == 2
