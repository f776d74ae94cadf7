"""From a request that a page sends over the bridge to its review on the screen, beside a call that no person answers."""

from __future__ import annotations

import hashlib
import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.first_paint import screen
from tests.bench.report import Row, Subject

RUNS = 25
GOAL = 150  # ms
PAGE, TOKEN = "https://rooms.example", "a token for the bench"

TEXT = """Milliseconds, {runs} runs on {screen}: from the first byte that a paired page's `wallet_createSession` sends to the bridge until \
the review of exactly that request was painted in the window, which showed another page until then. The request names two functions of one \
contract, a gas limit and an end. The other: a whole `eth_accounts` call, question and answer, to the same bridge in the same run."""


def measure() -> Subject:
    with screen() as (name, env), TemporaryDirectory() as folder:
        port = _furnish(Path(folder))
        command = [sys.executable, "-m", "tests.bench.requests_page", folder]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as window:
            try:
                _said(window, "ready")
                runs = [(_shown(window, port, number), _call(port)) for number in range(RUNS + 2)][2:]
            finally:
                window.terminate()
    shown, call = (median(column) for column in zip(*runs, strict=True))
    row = Row("a request until its review is shown", shown, call, "ms", shown / call, (f"{GOAL} ms or less", shown <= GOAL))
    return Subject("A request over the bridge", TEXT.format(runs=RUNS, screen=name), "a call", (row,))


def _furnish(folder: Path) -> int:
    """A book with an account and a page that was let in; the bridge on."""
    from latchkey.core.types import Address
    from latchkey.flow.accounts import from_owner
    from latchkey.flow.practice import furnish
    from latchkey.store.book import Book
    from latchkey.store.pairings import Pairing, Pairings
    from latchkey.store.paths import DataDir
    from latchkey.store.settings import Settings, save
    from tests.bridge.house import free_port

    data, port, now = DataDir.open(folder), free_port(), int(time.time())
    account = from_owner(31337, Address.parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), 0, label="Game account")
    furnish(data)
    with Book.open(data.book) as book:
        for known in book.accounts():
            book.remove_account(known)
        book.add_account(account)
        hashed = hashlib.sha256(TOKEN.encode()).digest()
        Pairings(book).add(Pairing(PAGE, "Rooms", hashed, account.chain_id, account.address, now, now))
    save(data.settings, Settings(bridge=True, bridge_port=port))
    return port


def _said(window: subprocess.Popen[str], word: str) -> str:
    assert window.stdout is not None
    for line in window.stdout:
        if line.split()[:1] == [word]:
            return line
    raise SystemExit("the window ended")


def _shown(window: subprocess.Popen[str], port: int, number: int) -> float:
    request = {
        "chainId": "0x7a69",
        "expirySec": int(time.time()) + 3600,
        "key": {"publicKey": "0x" + "5e" * 20, "type": "secp256k1"},
        "permissions": [
            {"type": "functions-on-contract", "data": {"address": "0x" + "ab" * 20, "functions": ["0x12345678", "0xa6f2ae3a"]}},
            {"type": "gas-limit", "data": {"limit": "0x2386f26fc10000"}},
        ],
        "latchkey": {"name": "Rooms", "requestId": f"bench-{number}"},
    }
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    start = time.perf_counter()
    _send(line, "wallet_createSession", request)
    at = float(_said(window, f"bench-{number}").split()[1])
    line.close()
    _said(window, "free")
    return (at - start) * 1000


def _call(port: int) -> float:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    start = time.perf_counter()
    _send(line, "eth_accounts")
    assert json.loads(line.getresponse().read())["result"]
    taken = (time.perf_counter() - start) * 1000
    line.close()
    return taken


def _send(line: http.client.HTTPConnection, method: str, *params: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    headers = {"Origin": PAGE, "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    line.request("POST", "/", body, headers)
