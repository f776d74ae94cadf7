"""The window's side in a process of its own: a client that does what it is told on standard input, one JSON object a line.

    {"do": method of SignerClient, "with": {arguments}} -> {"result": ...} or {"error": code, "trace": the whole traceback with locals}

Run as `python -m tests.vault.window FOLDER MODE`. The vault is kept in FOLDER as the program keeps it; what is logged goes to
standard error. Bytes travel as hex.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from latchkey.core.types import Address
from latchkey.errors import LatchkeyError, StoreError
from latchkey.store import atomic
from latchkey.vault.client import Preview, Prompt, PromptMode, SignerClient
from latchkey.vault.file import undamaged
from latchkey.vault.wire import to_account


def read_vault(path: Path) -> bytes | None:
    try:
        return atomic.read(path, valid=undamaged).data
    except StoreError:
        return None


def arguments(given: dict[str, Any]) -> dict[str, Any]:
    made = dict(given)
    for name in ("unsigned", "token", "hand_over_key"):
        if name in made:
            made[name] = bytes.fromhex(made[name])
    for name in ("address", "owner"):
        if name in made:
            made[name] = Address.parse(made[name])
    if "account" in made:
        account = made["account"]
        made["account"] = to_account({**account, "init_code": bytes.fromhex(account["init_code"])})
    return made


def shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Preview):
        return {"token": value.token.hex(), "digest": value.digest.hex()}
    return value if isinstance(value, str | None) else repr(value)


def do(client: SignerClient, call: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": shown(getattr(client, call["do"])(**arguments(call.get("with", {}))))}
    except LatchkeyError as error:
        whole = traceback.TracebackException.from_exception(error, capture_locals=True)
        logging.exception("a call failed")
        return {"error": error.code, "trace": "".join(whole.format())}


def main() -> None:
    logging.basicConfig(level=logging.DEBUG)
    path = Path(sys.argv[1]) / "vault"
    client = SignerClient(read_vault(path), lambda data: atomic.write(path, data, valid=undamaged), Prompt(PromptMode(sys.argv[2])))
    for line in sys.stdin:
        call = json.loads(line)
        if call["do"] == "start on a thread that ends":
            thread = threading.Thread(target=client.start)
            thread.start()
            thread.join()
            answer = {"result": None}
        elif call["do"] == "pid of the signer":
            answer = {"result": client._signer.pid if client._signer else None}
        else:
            answer = do(client, call)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
