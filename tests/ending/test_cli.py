"""The command line, the real programs: revoke, cancel, tighten, clean, break-glass; killed in the middle; exported and sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from latchkey.store.book import Book
from tests.chain.stage import COUNT, GWEI, OWNER
from tests.cli.run import latchkey, refusal, result
from tests.cli.test_vault_and_sign import with_passphrase
from tests.ending.scene import Scene
from tests.ending.test_failures import pending, until

GONE = "refused: AA23 reverted, ValidationFunctionMissing(0xb61d27f6)"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vault") / "data"
    secret = "0x" + OWNER.secret.hex()
    with_passphrase(result, "vault", "import", "-", "--data-dir", str(folder), "--json", stdin=secret)
    return folder


@pytest.fixture
def folder(vault: Path, scene: Scene, tmp_path: Path) -> Iterator[Path]:
    """A data folder with that vault and the scene's book."""
    place = tmp_path / "data"
    place.mkdir(mode=0o700)
    (place / "vault.latchkey-vault").write_bytes((vault / "vault.latchkey-vault").read_bytes())
    with Book.open(place / "book.sqlite") as book:
        book.add_account(scene.account)
        scene.book = book
        yield place


def run(call: Any, folder: Path, scene: Scene, *arguments: str, **options: Any) -> Any:
    net = scene.stage.net
    network = [] if "--rpc" in arguments else ["--rpc", net.url, "--bundler", net.bundler_url]
    return with_passphrase(call, *arguments, *network, "--data-dir", str(folder), "--json", **options)


@pytest.mark.parametrize("via", ["owner", None])
def test_revoke_all(folder: Path, scene: Scene, via: str | None) -> None:
    drafts = [scene.install(1), scene.install(2)]
    record, _ = scene.grant(3)
    began = time.monotonic()
    told = run(result, folder, scene, "revoke", "--account", scene.account.address, "--all", *(("--via", via) if via else ()))
    assert time.monotonic() - began < 60  # and not as long as one waits for a node
    assert [(r["kind"], r["entityId"], r["grant"], r["state"]) for r in told] == [
        ("revoke", 1, None, "done"), ("revoke", 2, None, "done"), ("cancel", 3, record.id, "done")
    ]  # fmt: skip
    assert told[0].keys() == {"kind", "entityId", "grant", "state", "sentence", "transaction", "block"}
    assert [scene.left(draft) for draft in drafts] == [{}, {}]
    assert scene.reading().sessions == ()


def test_what_it_would_cost(folder: Path, scene: Scene) -> None:
    scene.install(1)
    told = run(result, folder, scene, "revoke", "--account", scene.account.address, "--entity", "1", "--dry-run")
    assert [item["kind"] for item in told["items"]] == ["revoke"]
    ways = {way["way"]: way for way in told["ways"]}
    assert ways.keys() == {"bundler", "owner", "self", "export"}
    assert ways["bundler"]["payer"] == scene.account.address
    assert int(ways["bundler"]["most"]) > GWEI
    assert [s.entity_id for s in scene.reading().sessions] == [1]


def test_cancel_tighten_clean(folder: Path, scene: Scene) -> None:
    draft = scene.install(1)
    record, waiting = scene.grant(3)
    account = ("--account", scene.account.address)
    [told] = run(result, folder, scene, "cancel", *account, "--grant", str(record.id))
    assert told["state"] == "done"
    assert waiting.first(COUNT).text.startswith("refused: AA2")
    soon = scene.stage.now() + 900
    told = run(result, folder, scene, "tighten", *account, "--entity", "1", "--native", "0.25", "--until", str(soon))
    assert [(r["kind"], r["state"]) for r in told] == [("lower", "done"), ("shorten", "done")]
    [session] = scene.reading().sessions
    assert session.valid_until == soon
    assert 25 * 10**16 in [limit.left for limit in session.limits]
    [told] = result("sessions", *account, "--rpc", scene.stage.net.url, "--data-dir", str(folder), "--json")
    native = next(limit for limit in told["limits"] if limit["kind"] == "native")
    assert (native["left"], native["granted"], told["state"]) == (str(25 * 10**16), str(25 * 10**16), "expires soon")
    error = run(refusal, folder, scene, "tighten", *account, "--entity", "1", "--native", "0.5")
    assert error["code"] == "NotLower"
    from tests.ending.test_failures import uninstalled_without_cleaning

    assert scene.stage.owner_tx(scene.account, uninstalled_without_cleaning(1)).text == "done"
    assert scene.left(draft)
    told = run(result, folder, scene, "clean", *account)
    assert {(r["kind"], r["state"]) for r in told} == {("clean", "done")}
    assert scene.left(draft) == {}


def test_refusals(folder: Path, scene: Scene) -> None:
    account = ("--account", scene.account.address)
    assert run(refusal, folder, scene, "revoke", *account)["path"] == "entity"
    assert run(refusal, folder, scene, "revoke", *account, "--entity", "5")["code"] == "NoSession"
    assert run(refusal, folder, scene, "revoke", *account, "--all")["code"] == "NothingToDo"
    scene.install(1)
    scene.fund(scene.account.address, 0)
    error = run(refusal, folder, scene, "revoke", *account, "--all", "--via", "bundler")
    assert error["code"] == "NotPossible"
    assert "lacks" in error["message"]


def test_killed_in_the_middle(folder: Path, scene: Scene) -> None:
    """Sent, killed by the system before it was mined, started again: it is found and judged."""
    draft = scene.install(1)
    scene.stage.rpc("evm_setAutomine", False)
    read, write = os.pipe()
    os.write(write, b"correct horse battery staple\n")
    os.close(write)
    command = [sys.executable, "-m", "latchkey", "revoke", "--account", scene.account.address, "--all", "--via", "owner"]
    command += ["--rpc", scene.stage.net.url, "--data-dir", str(folder), "--json", "--passphrase-fd", str(read)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, pass_fds=(read,)
    )
    try:
        until(lambda: pending(scene))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(read)
        scene.stage.rpc("evm_setAutomine", True)
    scene.stage.rpc("evm_mine")
    [told] = run(result, folder, scene, "resume")
    assert (told["kind"], told["state"]) == ("revoke", "done")
    assert scene.left(draft) == {}
    assert run(result, folder, scene, "resume") == []


def test_break_glass(folder: Path, scene: Scene) -> None:
    draft = scene.install(1)
    made = run(result, folder, scene, "break-glass", "make", "--account", scene.account.address)
    assert made["entityIds"] == [1]
    listed = run(result, folder, scene, "break-glass", "list")
    assert [one["id"] for one in listed] == [made["id"]]
    dead = ("--rpc", "http://127.0.0.1:9/", "--chain-id", "31337")
    done = run(latchkey, folder, scene, "break-glass", "use", made["id"], *dead)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "Unreachable"
    other = ("--rpc", "http://127.0.0.1:9/", "--second-rpc", scene.stage.net.url, "--chain-id", "31337")
    [told] = run(result, folder, scene, "break-glass", "use", made["id"], *other, "--via", "self")
    assert told["state"] == "done"
    assert scene.key_of(draft).later(COUNT).text == GONE


def test_signed_on_another_machine(folder: Path, vault: Path, scene: Scene, tmp_path: Path) -> None:
    """Exported here, signed by `latchkey sign` where the key is, sent from here."""
    draft = scene.install(1)
    unsigned, signed = tmp_path / "unsigned.cbor", tmp_path / "signed.cbor"
    account = ("--account", scene.account.address)
    told = run(result, folder, scene, "revoke", *account, "--all", "--via", "export", "--output", str(unsigned))
    assert told == {"files": [str(unsigned)]}
    with_passphrase(result, "sign", str(unsigned), "--output", str(signed), "--data-dir", str(vault), "--json")
    [told] = run(result, folder, scene, "send", str(signed))
    assert told["state"] == "done"
    assert scene.key_of(draft).later(COUNT).text == GONE
