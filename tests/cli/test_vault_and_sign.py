"""The vault and signing from the command line: real signer, passphrase by descriptor, a vault of public test keys only."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.run import latchkey, refusal, result
from tests.vectors import VECTORS, draft_json

PASSPHRASE = "correct horse battery staple"
OWNER = VECTORS["meta"]["keys"][0]
CAREFUL_VECTOR = next(v for v in VECTORS["grants"] if v["name"] == "contract-access, expiry")
CAREFUL = draft_json(CAREFUL_VECTOR["input"])


@contextmanager
def passphrase(text: str = PASSPHRASE) -> Iterator[dict[str, Any]]:
    read, write = os.pipe()
    try:
        os.write(write, text.encode() + b"\n")
        os.close(write)
        yield {"arguments": ("--passphrase-fd", str(read)), "pass_fds": (read,)}
    finally:
        os.close(read)


def with_passphrase(call: Any, *arguments: str, text: str = PASSPHRASE, **options: Any) -> Any:
    with passphrase(text) as given:
        return call(*arguments, *given["arguments"], pass_fds=given["pass_fds"], **options)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vault") / "data"
    made = with_passphrase(
        result, "vault", "import", "-", "--label", "anvil 0", "--data-dir", str(folder), "--json", stdin=OWNER["privateKey"]
    )
    assert made == {"address": OWNER["address"]}
    return folder


def sign(folder: Path, value: Any, call: Any = result, **options: Any) -> Any:
    return with_passphrase(call, "grant", "sign", "-", "--data-dir", str(folder), stdin=json.dumps(value), **options)


def test_a_published_grant_is_signed_to_the_published_bytes(data_dir: Path) -> None:
    signed, expected = sign(data_dir, CAREFUL), CAREFUL_VECTOR["expected"]
    assert signed["signature"] == expected["ownerSignature"]
    assert signed["blob"] == expected["blob"]
    assert signed["deferredActionData"] == expected["deferredActionData"]
    assert signed["context"] == "0x01" + expected["blob"][2:]
    told = result("explain", "-", "--json", stdin=json.dumps(signed))
    assert told["signer"] == OWNER["address"]
    assert told["draft"] == CAREFUL
    assert told["envelope"]["mode"] == "sma"
    assert told["envelope"]["initCode"].startswith("0x00000000000017c61b5bee81050ec8efc9c6fecd8b4e464e")
    assert sign(data_dir, CAREFUL) == signed


def test_no_second_grant_under_the_same_nonce_or_entity_id(data_dir: Path) -> None:
    sign(data_dir, CAREFUL)
    other = CAREFUL | {"expiry": CAREFUL["expiry"] + 1}
    assert sign(data_dir, other, refusal)["code"] == "NonceTaken"
    assert sign(data_dir, other | {"nonceKey": "0x1234"}, refusal)["code"] == "EntityIdTaken"


def test_what_the_same_key_holds_already_is_told(data_dir: Path) -> None:
    sign(data_dir, CAREFUL)
    with passphrase() as given:
        arguments = ("grant", "sign", "-", "--data-dir", str(data_dir), *given["arguments"])
        draft = json.dumps(CAREFUL | {"entityId": 79, "nonceKey": "0x79"})
        told = latchkey(*arguments, stdin=draft, pass_fds=given["pass_fds"]).stderr.decode()
    assert "This key already holds" in told


def test_what_build_printed_can_be_signed(data_dir: Path) -> None:
    built = result("grant", "build", "-", stdin=json.dumps(CAREFUL | {"entityId": 77, "nonceKey": "0x77"}))
    assert sign(data_dir, built)["signature"]


def test_experts_need_the_vaults_own_switch(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with_passphrase(result, "vault", "import", "-", "--data-dir", str(folder), "--json", stdin=OWNER["privateKey"])
    root = CAREFUL | {"permissions": [{"type": "root"}], "entityId": 5, "nonceKey": "0x5"}
    assert sign(folder, root, refusal)["code"] == "ExpertRequiredError"
    assert with_passphrase(result, "vault", "expert", "on", "--data-dir", str(folder), "--json") == {"expert": True}
    assert sign(folder, root)["blob"]


def test_what_only_compat_lets_through_is_never_signed(data_dir: Path) -> None:
    quirk = next(v for v in VECTORS["acceptedQuirks"] if "EntryPoint" in v["name"])
    draft = draft_json(quirk["input"]) | {"entityId": 9, "nonceKey": "0x9", "expiry": CAREFUL["expiry"]}
    assert "call" in result("grant", "build", "-", "--compat", stdin=json.dumps(draft))
    assert sign(data_dir, draft, refusal)["code"] == "ForbiddenTargetError"


def test_public_test_keys_sign_for_the_practice_chain_only(data_dir: Path) -> None:
    assert sign(data_dir, CAREFUL | {"chainId": 1, "entityId": 11, "nonceKey": "0xb"}, refusal)["code"] == "PublicTestKey"


def test_a_wrong_passphrase_is_one_sentence(data_dir: Path) -> None:
    done = sign(data_dir, CAREFUL | {"entityId": 12, "nonceKey": "0xc"}, latchkey, text="not the passphrase")
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "WrongPassphrase"
    assert "not the passphrase" not in done.stdout.decode() + done.stderr.decode()


def test_list_needs_no_passphrase(data_dir: Path) -> None:
    keys = result("vault", "list", "--data-dir", str(data_dir), "--json")["keys"]
    assert [(k["address"], k["label"]) for k in keys] == [(OWNER["address"], "anvil 0")]
    assert OWNER["address"] in latchkey("vault", "list", "--data-dir", str(data_dir)).stdout.decode()


def test_a_key_is_renamed_and_the_only_one_not_removed(data_dir: Path) -> None:
    at = ("--data-dir", str(data_dir))
    with_passphrase(result, "vault", "rename", OWNER["address"], "main key", *at, "--json")
    assert result("vault", "list", *at, "--json")["keys"][0]["label"] == "main key"
    assert with_passphrase(refusal, "vault", "remove", OWNER["address"], *at, "--json")["code"] == "LastKey"
    with_passphrase(result, "vault", "rename", OWNER["address"], "anvil 0", *at, "--json")


def test_an_exported_keystore_opens_elsewhere(data_dir: Path) -> None:
    from eth_account import Account

    keystore = with_passphrase(result, "vault", "export", OWNER["address"], "--data-dir", str(data_dir), "--json")
    assert "0x" + bytes(Account.decrypt(keystore, PASSPHRASE)).hex() == OWNER["privateKey"]


def test_import_takes_recovery_words_and_keystores(tmp_path: Path) -> None:
    words = "test test test test test test test test test test test junk"
    made = with_passphrase(result, "vault", "import", "-", "--data-dir", str(tmp_path / "a"), "--json", stdin=words)
    assert made["address"] == OWNER["address"]


def test_a_secret_in_no_known_form_is_refused_without_repeating_it(tmp_path: Path) -> None:
    done = with_passphrase(latchkey, "vault", "import", "-", "--data-dir", str(tmp_path / "b"), "--json", stdin="zebra zebra zebra")
    assert done.returncode != 0
    assert b"zebra" not in done.stdout + done.stderr
    assert not list((tmp_path / "b").glob("*vault*"))


def test_the_files_are_the_owners_alone(data_dir: Path) -> None:
    assert data_dir.stat().st_mode & 0o777 == 0o700
    for file in data_dir.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file.name
