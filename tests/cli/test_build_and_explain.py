"""The stable command line, in real processes: building, refusing, explaining."""

from __future__ import annotations

import json
from typing import Any

import pytest

from latchkey.core.digest_words import digest_words
from tests.cli.run import latchkey, refusal, result
from tests.vectors import VECTORS, draft_json

CAREFUL = draft_json(VECTORS["grants"][4]["input"])


def build_lines(drafts: list[dict[str, Any]], *options: str) -> list[dict[str, Any]]:
    done = latchkey("grant", "build", "-", "--lines", *options, stdin="\n".join(json.dumps(d) for d in drafts))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_all_44_grants_with_compat() -> None:
    results = build_lines([draft_json(v["input"]) for v in VECTORS["grants"]], "--compat")
    assert len(results) == len(VECTORS["grants"]) == 44
    for vector, built in zip(VECTORS["grants"], results, strict=True):
        expected = vector["expected"]
        assert built["call"] == expected["installValidationCalldata"], vector["name"]
        assert built["digest"] == expected["deferredActionDigest"]
        assert built["digestWords"] == " ".join(digest_words(bytes.fromhex(built["digest"][2:])))
        assert built["unsigned"] == expected["preSignaturePayload"]
        assert built["nonce"] == vector["input"]["nonce"]
        assert built["needsExecuteUserOp"] is expected["hasAssociatedExecHooks"]


@pytest.mark.parametrize("option", ["--compat", "--expert", ""])
def test_all_38_refusals(option: str) -> None:
    results = build_lines([draft_json(v["input"]) for v in VECTORS["rejections"]], *filter(None, [option]))
    assert [r["error"]["code"] for r in results] == [v["error"] for v in VECTORS["rejections"]]


def test_quirks_strict_and_compat() -> None:
    drafts = [draft_json(v["input"]) for v in VECTORS["acceptedQuirks"]]
    assert all("call" in r for r in build_lines(drafts, "--compat"))
    built = [v["name"] for v, r in zip(VECTORS["acceptedQuirks"], build_lines(drafts, "--expert"), strict=True) if "call" in r]
    assert built == ["QUIRK functions-on-all with transferFrom", "QUIRK deadline 0 means none"]


def test_one_refused_draft_prints_its_error_and_exits_with_2() -> None:
    error = refusal("grant", "build", "-", stdin=json.dumps(CAREFUL | {"permissions": []}))
    assert error["code"] == "ValidationConfigUnsetError"
    assert error["path"] == "permissions"


def test_experts_only() -> None:
    never = json.dumps(CAREFUL | {"expiry": 0})
    assert refusal("grant", "build", "-", stdin=never)["code"] == "ExpertRequiredError"
    assert "call" in result("grant", "build", "-", "--expert", stdin=never)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[]", ""),
        ("{", ""),
        (json.dumps({k: v for k, v in CAREFUL.items() if k != "nonceKey"}), "nonceKey"),
        (json.dumps(CAREFUL | {"nonceKey": 5}), "nonceKey"),
        (json.dumps(CAREFUL | {"chainId": "1"}), "chainId"),
        (json.dumps(CAREFUL | {"extra": 1}), "extra"),
        (json.dumps(CAREFUL | {"account": "0x12"}), "account"),
        ("[" * 5000 + "]" * 5000, ""),
        ('{"a":' + "9" * 5000 + "}", ""),
        ("x" * 600_000, ""),
    ],
    ids=range(10),
)
def test_bad_input_names_the_field(text: str, path: str) -> None:
    error = refusal("grant", "build", "-", stdin=text)
    assert error["path"] == path
    assert error["message"].endswith(".")


def test_lines_go_on_after_a_bad_one() -> None:
    done = latchkey("grant", "build", "-", "--lines", stdin="nonsense\n" + json.dumps(CAREFUL) + "\n" + "x" * 300_000 + "\n")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [next(iter(r)) for r in results] == ["error", "call", "error"]
    assert results[2]["error"]["code"] == "TooLarge"


def test_explain_takes_what_build_prints() -> None:
    built = result("grant", "build", "-", stdin=json.dumps(CAREFUL))
    whole = result("explain", "-", "--json", stdin=json.dumps(built))
    assert whole["draft"] == CAREFUL
    assert {"id": "eth-unlimited", "level": "danger"}.items() <= next(
        f for f in whole["findings"] if f["id"] == "eth-unlimited"
    ).items()
    assert (whole["digest"], whole["digestWords"]) == (built["digest"], built["digestWords"])
    typed = result("explain", "-", "--json", stdin=json.dumps(built["typedData"]))
    assert (typed["draft"], typed["digest"]) == (CAREFUL, built["digest"])
    alone = result("explain", "-", "--json", stdin=built["unsigned"])
    assert alone["draft"]["permissions"] == CAREFUL["permissions"]
    assert (alone["draft"]["account"], alone["digest"]) == (None, None)
    call = result("explain", "-", "--json", stdin=built["call"])
    assert call["draft"]["sessionKey"] == CAREFUL["sessionKey"]
    words = latchkey("explain", "-", stdin=json.dumps(built)).stdout.decode()
    assert "It can\n" in words
    assert f"Digest in words: {built['digestWords']}" in words
    assert "Most you can lose" in words


@pytest.mark.parametrize("field", ["call", "digest", "digestWords", "nonce", "unsigned"])
def test_a_result_that_was_changed_is_refused(field: str) -> None:
    built = result("grant", "build", "-", stdin=json.dumps(CAREFUL))
    last = built[field][-1]
    built[field] = built[field][:-1] + ("0" if last != "0" else "1")
    assert refusal("explain", "-", "--json", stdin=json.dumps(built))


def test_blobs_and_revocations_of_all_vectors_are_explained() -> None:
    for vector in VECTORS["grants"][::9]:
        blob = result("explain", "-", "--json", stdin=vector["expected"]["blob"])
        assert any(label == "Signature" for label, _ in blob["signed"])
        revocation = result("explain", "-", "--json", stdin=vector["expected"]["uninstallValidationCalldata"])
        assert revocation["draft"] is None
        assert "ends the access" in revocation["headline"]


def test_predict() -> None:
    for vector in VECTORS["addressVectors"][:3]:
        one = result("account", "predict", "--owner", vector["owner"], "--salt", vector["salt"], "--json")
        assert one["address"] == vector["sma"]


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = "import sys; sys.argv=['latchkey','--help']\ntry:\n import latchkey.__main__ as m; m.main()\nexcept SystemExit: pass\n"
    code += "print([n for n in ('pydantic','PySide6','web3','eth_account','coincurve','eth_abi') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
