"""`latchkey practice` as a person starts it, and the demo dApp on it: grant, use, limit, refusal, revocation, and what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from latchkey.accounts.modular_account.addresses import predict
from latchkey.accounts.system import system
from latchkey.chain.anvil import CHAIN_ID, find_anvil, packaged_anvil
from latchkey.chain.dapp import DemoDapp
from latchkey.chain.practice import connect
from latchkey.codec.hand_over import Envelope, Kind, encode
from latchkey.codec.inbox import open_text
from latchkey.core.account import Mode
from latchkey.core.draft import Draft
from latchkey.core.permissions import Erc20TokenTransfer
from latchkey.core.request import SessionRequest
from latchkey.core.types import HexAmount
from latchkey.errors import BadInput, ChainError, StoreError
from latchkey.flow.keys import open_signer
from latchkey.flow.practice import PASSPHRASE, demo_dapp, furnish, practice, practice_folder
from latchkey.shipped import resource
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.vault.model import Prompt, PromptMode
from latchkey.vault.test_keys import MASTERS
from tests.chain.stage import OWNER
from tests.devnet.node import NpmUnavailable, install
from tests.processes import started

LATCHKEY = (sys.executable, "-m", "latchkey")


@pytest.fixture(scope="module")
def surroundings() -> dict[str, str]:
    try:
        program = packaged_anvil(install())
    except NpmUnavailable as problem:
        pytest.skip(str(problem))
    assert program is not None
    return {**os.environ, "LATCHKEY_ANVIL": str(program)}


@pytest.fixture(scope="module")
def running(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The facts that `latchkey practice --json` prints; ended with Ctrl+C."""
    folder = tmp_path_factory.mktemp("practice") / "data"
    command = (*LATCHKEY, "practice", "--json", "--data-dir", str(folder))
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            facts = json.loads(process.stdout.readline())
            yield facts
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert "stopped" in process.stderr.read()
        finally:
            process.terminate()
    port = int(facts["url"].rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    with pytest.raises(ChainError, match="does not run"), demo_dapp(DataDir.open(folder), grant()):
        pass


def grant(entity_id: int = 1, **changes: Any) -> bytes:
    """What the owner answers to the demo dApp's request."""
    request = open_text(resource("practice/request.json").read_bytes())
    assert isinstance(request, SessionRequest)
    assert request.session_key is not None
    account = predict(CHAIN_ID, MASTERS[0], 0, Mode.SMA)
    assert request.account == account.address
    draft = Draft(
        system="modular_account",
        chain_id=CHAIN_ID,
        account=account.address,
        entity_id=entity_id,
        nonce_key=entity_id,
        sequence=0,
        expiry=int(time.time()) + 3600,
        session_key=request.session_key,
        permissions=request.permissions,
    )
    draft = replace(draft, **changes)
    face = system("modular_account")
    made = face.build(draft)
    signed = face.assemble(made, OWNER.sign(made.digest))
    envelope = Envelope(
        kind=Kind.SIGNED_GRANT,
        permissions=draft.permissions,
        account=account,
        expiry=draft.expiry,
        session_key=draft.session_key,
        entity_id=entity_id,
        nonce=made.nonce,
        blob=signed.blob,
        request_id=request.request_id,
    )
    return encode(envelope)


def use(facts: dict[str, Any], given: bytes, *more: str) -> subprocess.CompletedProcess[bytes]:
    command = (*LATCHKEY, "practice", "use", "-", "--data-dir", facts["dataDir"], *more)
    return subprocess.run(command, input=given, capture_output=True, timeout=250, check=False)


def test_what_is_ready(running: dict[str, Any]) -> None:
    folder = DataDir(Path(running["dataDir"]))
    assert running["url"].startswith("http://127.0.0.1:")
    assert running["source"] == "stand-in"
    with Book.open(folder.book) as book:
        assert [str(a.address) for a in book.accounts()] == [running["account"]]
        assert tuple(k.address for k in book.keys()) == MASTERS[:1]  # noqa: SIM118 - not a dict
    assert folder.vault.exists()
    assert isinstance(open_text(Path(running["request"]).read_bytes()), SessionRequest)
    rpc = connect(running["url"])
    assert rpc("eth_getCode", running["account"], "latest") != "0x"
    assert int(rpc("eth_getBalance", running["account"], "latest"), 16) == 10 * 10**18
    rpc.close()


def test_grant_use_limit_refusal_revocation(running: dict[str, Any]) -> None:
    done = use(running, grant(), "--json")
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    answers = {s["step"]: s["answer"] for s in steps}
    assert list(answers) == ["grant", "use", "limit", "refusal", "revocation", "after"]
    assert [answers[name] for name in ("grant", "use", "revocation")] == ["done", "done", "done"]
    assert "ExceededTokenLimit()" in answers["limit"]
    assert "AddressNotAllowed()" in answers["refusal"]
    assert answers["after"].startswith("refused: ")
    says = {s["step"]: s["says"] for s in steps}
    assert says == {
        "grant": "Done.",
        "use": "Done.",
        "limit": "Refused: the limit for this token is used up.",
        "refusal": "Refused: this contract is not on the list.",
        "revocation": "Done.",
        "after": "Refused: the account does not know this key.",
    }
    assert all(s["expected"] and s["transaction"].startswith("0x") for s in steps)


def test_a_grant_is_used_once(running: dict[str, Any]) -> None:
    given = grant(2)
    assert use(running, given).returncode == 0
    again = use(running, given)
    assert again.returncode == 1
    assert b"this grant was used before" in again.stdout
    assert again.stdout.count(b"Refused") == 1  # it ends there


def test_an_ended_session_is_refused(running: dict[str, Any]) -> None:
    done = use(running, grant(3, expiry=int(time.time()) - 60))
    assert done.returncode == 1
    assert b"the session has ended" in done.stdout


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (lambda: b"nonsense", "nothing that Latchkey can open"),
        (lambda: resource("practice/request.json").read_bytes(), "This is a request; the demo dApp needs the signed grant."),
        (lambda: grant(4, permissions=(Erc20TokenTransfer(MASTERS[5], HexAmount(1)),)), "This grant is for another dApp"),
        (lambda: grant(5, session_key=predict(1, MASTERS[3], 9, Mode.SMA).address), "The demo dApp does not have this grant's key"),
    ],
)
def test_what_is_no_grant_for_the_demo_dapp(running: dict[str, Any], given: Any, sentence: str) -> None:
    with pytest.raises((BadInput, ChainError), match=sentence), demo_dapp(DataDir(Path(running["dataDir"])), given()):
        pass


def refused(surroundings: dict[str, str], folder: Path, *more: str) -> str:
    command = (*LATCHKEY, "practice", "--json", "--data-dir", str(folder), *more)
    done = subprocess.run(command, capture_output=True, text=True, env=surroundings, timeout=250, check=False)
    assert done.returncode == 1
    assert sorted(p.name for p in folder.iterdir()) == []  # nothing half set up
    text: str = json.loads(done.stdout)["error"]["message"]
    return text


def test_an_rpc_that_cannot_be_copied_from(surroundings: dict[str, str], tmp_path: Path, running: dict[str, Any]) -> None:
    down = refused(surroundings, tmp_path, "--clone-from", "http://127.0.0.1:1")
    assert down == "Nothing was copied. The RPC cannot be reached."


def test_a_port_that_is_taken(surroundings: dict[str, str], tmp_path: Path, running: dict[str, Any]) -> None:
    port = running["url"].rpartition(":")[2]
    assert "Another program uses this port" in refused(surroundings, tmp_path, "--port", port)


def test_without_anvil(surroundings: dict[str, str], tmp_path: Path) -> None:
    missing = {**surroundings, "LATCHKEY_ANVIL": str(tmp_path / "gone")}
    assert "anvil, which runs the practice chain, is not here" in refused(missing, tmp_path / "data")


def test_a_vault_of_ones_own_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATCHKEY_ANVIL", sys.executable)
    folder = practice_folder(tmp_path)
    folder.vault.write_bytes(b"a vault")
    with pytest.raises(StoreError, match="a vault of your own"), practice(folder):
        pass
    assert [p.name for p in tmp_path.iterdir()] == [folder.vault.name]


def test_the_shipped_vault_opens_and_holds_the_public_test_key(tmp_path: Path) -> None:
    folder = practice_folder(tmp_path)
    furnish(folder)
    source, sink = os.pipe()
    os.write(sink, PASSPHRASE.encode() + b"\n")
    os.close(sink)
    client = open_signer(folder, Prompt(PromptMode.FD, source, script=True))
    try:
        client.unlock()
        status = client.status()
        assert status.test_only
        assert [(k.address, k.public_test) for k in status.keys] == [(MASTERS[0], True)]
    finally:
        client.close()
        os.close(source)


def test_where_anvil_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("LATCHKEY_ANVIL", str(program))
    assert find_anvil() == program
    monkeypatch.delenv("LATCHKEY_ANVIL")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_anvil() == program


def test_another_chain_is_not_the_practice_chain() -> None:
    with pytest.raises(ChainError, match="does not run"):
        connect("http://127.0.0.1:1")


def test_unsigned_is_no_grant(running: dict[str, Any]) -> None:
    rpc = connect(running["url"])
    try:
        with pytest.raises(BadInput, match="not a signed grant"):
            DemoDapp(rpc, Envelope(kind=Kind.REQUEST, permissions=()))
    finally:
        rpc.close()
