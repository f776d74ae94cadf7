"""`latchkey sessions` and `latchkey watch`, the real programs, on the practice chain."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from latchkey.accounts.modular_account.ending import uninstall_call
from latchkey.core.account import Account
from latchkey.core.permissions import Erc20TokenTransfer, FunctionsOnContract, GasLimit, NativeTokenTransfer, permissions_to_json
from latchkey.store.book import Book
from latchkey.store.readings import Readings
from latchkey.store.records import GrantRecord
from tests.chain import abi
from tests.chain.cases import DAY, MOVE, functions
from tests.chain.stage import FACE, GAS, RECEIVER, SESSION, Stage
from tests.cli.run import latchkey, refusal, result
from tests.devnet.places import DOLLAR, GAME
from tests.processes import started

PLAY = FunctionsOnContract(GAME, functions(MOVE))
FIELDS = [
    "chainId", "account", "system", "entityId", "signer", "state", "permissions", "limits", "validAfter", "validUntil", "context",
    "findings", "block", "complete",
]  # fmt: skip


@pytest.fixture
def account(stage: Stage, tmp_path: Path) -> Account:
    account = replace(stage.account(), label="Games")
    with Book.open(tmp_path / "book.sqlite") as book:
        book.add_account(account)
    return account


def installed(stage: Stage, account: Account, *, entity_id: int = 5) -> Any:
    draft = stage.draft(
        account, PLAY, NativeTokenTransfer(0), GasLimit(4 * GAS.promised), Erc20TokenTransfer(DOLLAR, 1000), entity_id=entity_id,
        expiry=stage.now() + DAY,
    )  # fmt: skip
    assert stage.owner_tx(account, FACE.build(draft).call).text == "done"
    return draft


def on(stage: Stage, folder: Path) -> tuple[str, ...]:
    return ("--rpc", stage.net.url, "--data-dir", str(folder))


def test_the_json_is_as_it_was_promised(stage: Stage, account: Account, tmp_path: Path) -> None:
    assert result("sessions", "--json", *on(stage, tmp_path)) == []
    draft = installed(stage, account)
    session = stage.session(stage.grant(draft, account), account)
    assert session.later(abi.execute(DOLLAR, 0, abi.transfer(RECEIVER, 400))).text == "done"
    [found] = result("sessions", "--json", *on(stage, tmp_path))
    assert list(found) == FIELDS
    left = {(limit["kind"], limit["token"]): (limit["left"], limit["granted"]) for limit in found["limits"]}
    assert left == {
        ("native", None): ("0", "0"),
        ("gas", None): (str(3 * GAS.promised), str(4 * GAS.promised)),
        ("erc20", str(DOLLAR)): ("600", "1000"),
    }
    kept = [p for p in found["permissions"] if p["type"] == "functions-on-contract"]
    assert kept == permissions_to_json([PLAY])
    assert [finding["id"] for finding in found["findings"]] == ["not-made-here"]
    del found["limits"], found["permissions"], found["findings"]
    assert found == {
        "chainId": 31337,
        "account": str(account.address),
        "system": "modular_account",
        "entityId": 5,
        "signer": str(SESSION.address),
        "state": "active",
        "validAfter": 0,
        "validUntil": draft.expiry,
        "context": "0x020000000005",
        "block": int(stage.rpc("eth_blockNumber"), 16),
        "complete": True,
    }


def test_granted_here_says_so(stage: Stage, account: Account, tmp_path: Path) -> None:
    draft = installed(stage, account)
    with Book.open(tmp_path / "book.sqlite") as book:
        book.add_grant(GrantRecord(draft, 1, FACE.build(draft).unsigned, 1, "Castle"))
    [found] = result("sessions", "--json", *on(stage, tmp_path))
    assert found["findings"] == []
    table = latchkey("sessions", *on(stage, tmp_path)).stdout.decode()
    assert "Castle" in table


def test_the_table_for_people(stage: Stage, account: Account, tmp_path: Path) -> None:
    installed(stage, account)
    done = latchkey("sessions", *on(stage, tmp_path))
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert text.startswith(f"Games, {account.address} on Practice chain. Read just now at block ")
    assert "Not made here" in text
    assert "up to 0.001 TUSD" in text
    assert "of 1000 granted" not in text  # in units, for the token is known
    assert "warning: It was not granted here." in text
    installed(stage, account, entity_id=6)
    assert "Not made here (new)" in latchkey("sessions", *on(stage, tmp_path)).stdout.decode()
    assert "(new)" not in latchkey("sessions", *on(stage, tmp_path)).stdout.decode()


def test_no_sessions_are_said_with_where_was_looked(stage: Stage, account: Account, tmp_path: Path) -> None:
    text = latchkey("sessions", *on(stage, tmp_path)).stdout.decode()
    assert text.startswith(f"No sessions on {account.address} on Practice chain at block ")
    assert "Logs of blocks 0 to " in text


def test_an_account_that_is_not_in_the_book(stage: Stage, tmp_path: Path) -> None:
    other = stage.account(salt=3)
    installed(stage, other)
    [found] = result("sessions", "--account", str(other.address), "--json", *on(stage, tmp_path))
    assert found["account"] == other.address
    with Book.open(tmp_path / "book.sqlite") as book:
        assert book.accounts() == ()
    error = refusal("sessions", "--account", str(other.address), "--json", "--data-dir", str(tmp_path))
    assert error["path"] == "chainId"


def test_exit_codes(stage: Stage, account: Account, tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path))
    done = latchkey("sessions", *folder, "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "NotSet")
    done = latchkey("sessions", *folder, "--rpc", "http://127.0.0.1:9", "--chain-id", "31337")
    assert done.returncode == 1
    assert b"127.0.0.1:9" not in done.stderr
    done = latchkey("sessions", *folder, "--rpc", stage.net.url, "--chain-id", "1", "--account", str(account.address), "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "WrongChain")
    assert latchkey("sessions", *folder, "--account", "0x12").returncode == 2
    assert latchkey("watch", *folder, "--every", "1", "--rpc", stage.net.url).returncode == 2
    assert result("sessions", "--data-dir", str(tmp_path / "empty"), "--json") == []


def test_one_account_that_cannot_be_read_does_not_hide_another(stage: Stage, account: Account, tmp_path: Path) -> None:
    installed(stage, account)
    with Book.open(tmp_path / "book.sqlite") as book:
        book.add_account(replace(account, chain_id=8453))
    (tmp_path / "settings.json").write_text(json.dumps({"networks": [{"chainId": 31337, "rpc": stage.net.url}]}))
    done = latchkey("sessions", "--json", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert [row["chainId"] for row in json.loads(done.stdout)] == [31337]
    assert "on Base could not be read: No RPC is set for Base." in done.stderr.decode()


# --- watch


def test_once_says_what_is_new_and_ends(stage: Stage, account: Account, tmp_path: Path) -> None:
    def heard() -> list[dict[str, Any]]:
        done = latchkey("watch", "--once", "--json", *on(stage, tmp_path))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert heard() == []
    draft = installed(stage, account)
    [notice] = heard()
    assert list(notice) == ["kind", "level", "sentence", "chainId", "account", "entityId"]
    assert (notice["kind"], notice["level"], notice["entityId"]) == ("appeared", "danger", 5)
    assert heard() == []
    assert stage.owner_tx(account, uninstall_call(draft)).text == "done"
    assert heard() == []


def test_it_watches_until_it_is_interrupted(stage: Stage, account: Account, tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "latchkey", "watch", "--every", "2", *on(stage, tmp_path)]
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == b"Watching 1 account. Ctrl+C stops it.\n"
        with Book.open(tmp_path / "book.sqlite") as book:
            while not Readings(book).said(account):  # the first reading takes what there is as it is
                time.sleep(0.05)
        installed(stage, account)
        line = process.stdout.readline().decode()
        assert line.startswith("danger: A session that was not granted here is on Games (Practice chain): number 5, for ")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == b"\nStopped.\n"
