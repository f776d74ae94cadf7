"""The signer process: holds the keys, reads what it is to sign, asks the person, signs. It ends with its pipe, and so does every secret.

The window speaks to it in frames over standard input and output, one call at a time:
    {"id": n, "verb": name, ...arguments} -> {"id": n, "result": {...}, "vault"?: sealed bytes to save} or {"id": n, "error": {...}}
While a person is at work at the desk, {"used": true} goes out before the answer, now and then.
The first frame is {"verb": "open", "vault": bytes | null, "prompt": {mode, passphrase_fd, script}, "source_fd": n | null}.
Nothing that is returned holds a passphrase, a seed, recovery words or a key of an account in the clear.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO

from latchkey.language import tr
from latchkey.vault import gate
from latchkey.vault.harden import clean_environment, close_all_but, harden, take_over_standard_streams

Fields = dict[str, Any]
Verb = Callable[[Fields], Any]
_MAX_SOURCE = 64 * 1024


def main() -> int:
    """The body of the process; returns only to end it."""
    harden()
    source, sink = take_over_standard_streams()
    environment = clean_environment()
    os.environ.clear()
    os.environ.update(environment, PYDANTIC_DISABLE_PLUGINS="__all__")
    gate.close()
    _serve(source, sink)
    return 0


def _serve(source: BinaryIO, sink: BinaryIO) -> None:
    from latchkey.vault.frames import USED, write_frame

    calls: queue.SimpleQueue[Fields] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(source, calls), daemon=True).start()
    opening = calls.get()
    prompt, source_fd = opening["prompt"], opening["source_fd"]
    close_all_but(*(fd for fd in (source.fileno(), sink.fileno(), prompt["passphrase_fd"], source_fd) if fd is not None))
    verbs, take_unsaved = _verbs(opening["vault"], prompt, source_fd, lambda: write_frame(sink, USED))
    # Slow to load and needed soon: it loads while the passphrase is typed. Not earlier, for two threads that import pydantic at once
    # meet half-made modules.
    threading.Thread(target=import_module, args=("eth_account.hdaccount",), daemon=True).start()
    while True:
        write_frame(sink, _answer(calls.get(), verbs, take_unsaved))


def _read(source: BinaryIO, calls: queue.SimpleQueue[Fields]) -> None:
    """On a thread of its own, so that the end of the pipe ends the process even while a person is being asked."""
    from latchkey.errors import SignerError
    from latchkey.vault.frames import read_frame

    try:
        while (frame := read_frame(source)) is not None:
            calls.put(frame)
    except (SignerError, OSError):
        pass
    os._exit(0)


def _answer(call: Fields, verbs: dict[str, Verb], take_unsaved: Callable[[], bytes | None]) -> Fields:
    """One call, one answer. Whatever unforeseen happens is answered without its message: that may quote what it was given."""
    from latchkey.errors import LatchkeyError, SignerError
    from latchkey.vault.wire import from_error

    number = call.get("id")
    try:
        verb = verbs.get(str(call.get("verb")))
        if verb is None:
            raise SignerError(tr("The signer does not do this."), code="UnknownVerb")
        answer = {"id": number, "result": verb(call)}
    except LatchkeyError as error:
        answer = {"id": number, "error": from_error(error)}
    except Exception:  # noqa: BLE001 - the edge of the process
        unforeseen = SignerError(tr("Something unforeseen happened in the signer; nothing was signed."), code="Internal")
        answer = {"id": number, "error": from_error(unforeseen)}
    if (sealed := take_unsaved()) is not None:
        answer["vault"] = sealed
    return answer


def _read_all(fd: int) -> bytes:
    with os.fdopen(fd, "rb", closefd=False) as file:
        return file.read(_MAX_SOURCE)


def _verbs(
    sealed: bytes | None, prompt: Fields, source_fd: int | None, on_use: Callable[[], None]
) -> tuple[dict[str, Verb], Callable[[], bytes | None]]:
    """Everything the window can ask for; there is nothing else."""
    from dataclasses import asdict

    from latchkey.core.draft import draft_to_json
    from latchkey.core.names import Notes
    from latchkey.core.request import Claims
    from latchkey.core.types import Address
    from latchkey.vault.endings import Endings
    from latchkey.vault.keeper import Keeper
    from latchkey.vault.prompt import channel
    from latchkey.vault.questions import Questions
    from latchkey.vault.sessions import Sessions
    from latchkey.vault.signing import Signing
    from latchkey.vault.wire import read, to_account, to_known

    questions = Questions(channel(prompt["mode"], prompt["passphrase_fd"], prompt["script"], lambda: keeper.test_only, on_use))
    keeper = Keeper(sealed, questions, script=prompt["script"])
    signing, sessions, endings = Signing(keeper), Sessions(keeper), Endings(keeper)

    def preview(call: Fields) -> Fields:
        account, claims = to_account(call["account"]), read(Claims, call["claims"])
        made = signing.preview_grant(call["unsigned"], account, Address.parse(call["owner"]), claims, read(Notes, call["notes"]))
        return {**asdict(made), "draft": draft_to_json(made.draft)}

    def preview_endings(call: Fields) -> Fields:
        previews = {"operations": endings.preview_operations, "transactions": endings.preview_transactions}
        known = tuple(map(to_known, call["known"]))
        return asdict(previews[call["what"]](tuple(call["datas"]), to_account(call["account"]), Address.parse(call["key"]), known))

    def keep_break_glass(call: Fields) -> str:
        account, owner = to_account(call["account"]), Address.parse(call["owner"])
        return endings.keep_break_glass(account, owner, tuple(call["operations"]), tuple(call["signatures"]))

    def import_key(call: Fields) -> str:
        source = None if source_fd is None or not call["source"] else _read_all(source_fd)
        return keeper.import_key(call["label"], source, call["path"])

    def address(call: Fields) -> Address:
        return Address.parse(call["address"])

    def take_unsaved() -> bytes | None:
        unsaved, keeper.unsaved = keeper.unsaved, None
        return unsaved

    return {
        "status": lambda call: asdict(keeper.status()),
        "unlock": lambda call: keeper.unlock(),
        "create_key": lambda call: keeper.create_key(call["words"], call["label"]),
        "import_key": import_key,
        "export_keystore": lambda call: keeper.export_keystore(address(call)),
        "rename_key": lambda call: keeper.rename_key(address(call), call["label"]),
        "remove_key": lambda call: keeper.remove_key(address(call)),
        "set_expert": lambda call: keeper.set_expert(call["on"] is True),
        "change_passphrase": lambda call: keeper.change_passphrase(),
        "set_keyring": lambda call: keeper.set_keyring(call["on"] is True),
        "keep_api_key": lambda call: keeper.keep_api_key(call["key"]),
        "api_key": lambda call: keeper.api_key(),
        "preview_grant": preview,
        "sign": lambda call: signing.sign(call["token"]),
        "preview_endings": preview_endings,
        "sign_all": lambda call: list(endings.sign_all(call["token"])),
        "keep_break_glass": keep_break_glass,
        "break_glass": lambda call: [asdict(one) for one in endings.break_glass()],
        "forget_break_glass": lambda call: endings.forget_break_glass(call["set"]),
        "make_session_key": lambda call: sessions.make(),
        "seal_session_key": lambda call: sessions.seal(
            address(call), call["hand_over_key"], call["request_id"], to_account(call["account"])
        ),
        "session_keystore": lambda call: sessions.keystore(address(call)),
        "show_code": lambda call: sessions.show_code(address(call)),
        "reveal_session_key": lambda call: sessions.reveal(address(call)),
    }, take_unsaved
