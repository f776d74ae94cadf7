"""`latchkey grant build` and `latchkey grant sign`."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latchkey.accounts.system import Policy, system
from latchkey.cli.node import node_at
from latchkey.cli.output import Output, error_json, read_input, read_lines
from latchkey.codec.hand_over import decode
from latchkey.core.digest_words import digest_words
from latchkey.core.draft import draft_from_json
from latchkey.core.grant import Grant
from latchkey.core.types import to_hex
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, LatchkeyError, Refused
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.flow.granting import Granting, Prepared
    from latchkey.store.book import Book
    from latchkey.store.settings import Settings
    from latchkey.vault.client import SignerClient


def build(options: Namespace, output: Output) -> int:
    """Reads no book and no vault, only the clock; and with --rpc what the chain tells around the grant."""
    policy = Policy.COMPAT if options.compat else Policy.EXPERT if options.expert else Policy.STRICT
    if not options.lines:
        result = _build(read_input(options.file), policy)
        output.result(result | _around(result, options.rpc) if options.rpc else result)
        return 0
    if options.rpc:
        raise BadInput(tr("--rpc is for one draft, not for --lines."), path="rpc")
    for line in read_lines(options.file):
        try:
            result = _build(line, policy)
        except LatchkeyError as error:
            result = error_json(error)
        sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    return 0


def sign(options: Namespace, output: Output) -> None:
    """Show, ask, sign, keep in the book. A grant that the book holds signed already is given again without asking."""
    output.result(signed_json(sign_grant(read_input(options.file), options, output)))


def sign_grant(data: bytes, options: Namespace, output: Output) -> bytes:
    """The signed grant's envelope."""
    from latchkey.flow.signing import to_sign

    return sign_prepared(lambda at: to_sign(data, at.granting, at.book, now=at.now), options, output)


@dataclass(frozen=True, slots=True)
class Desk:
    """What preparing a grant may need."""

    granting: Granting
    book: Book
    client: SignerClient
    settings: Settings
    now: int


def sign_prepared(prepare: Callable[[Desk], Prepared], options: Namespace, output: Output) -> bytes:
    """Show what `prepare` gives, ask, sign, keep in the book. The signed grant's envelope."""
    from latchkey.cli.vault import folder_of, signer_of
    from latchkey.flow.chains import Chains
    from latchkey.flow.checking import Checks
    from latchkey.flow.granting import Granting, earlier
    from latchkey.flow.keys import remember_keys
    from latchkey.flow.signing import owned
    from latchkey.flow.similar import Replacing
    from latchkey.store.book import Book
    from latchkey.store.records import GrantState
    from latchkey.store.settings import load

    now = int(time.time())
    folder = folder_of(options)
    with folder.lock(), Book.open(folder.book) as book, signer_of(folder, options) as client:
        settings = load(folder.settings)
        checks = Checks(book, Chains(lambda: settings), lambda: now)
        granting = Granting(book, lambda: client, lambda: now, check=checks.check)
        prepared = prepare(Desk(granting, book, client, settings, now))
        record = earlier(prepared, book)
        if record is None or record.envelope is None:
            client.unlock()
            keys = client.status().keys
            remember_keys(book, keys)
            _say_similar(prepared, book, now, output)
            signed = granting.sign(owned(prepared, keys, options.owner))
            record = granting.keep(signed)
            for remark in signed.remarks:
                output.say(f"latchkey: {remark.sentence} {remark.advice}")
        if not Replacing(book, lambda: now).release_if_gone(record):
            raise Refused(tr("This grant waits until the one it replaces is gone."), code="Waiting")
        book.set_state(record.id, GrantState.HANDED_OVER)
    return record.envelope or b""


def _say_similar(prepared: Prepared, book: Book, now: int, output: Output) -> None:
    """What this dApp or this key holds already: both will stand."""
    from latchkey.flow.similar import find, lines, title

    draft = prepared.review.draft
    found = find(book, prepared.account, draft.session_key, prepared.claims, lambda: now, besides=prepared.review.grant.unsigned)
    if found:
        output.say(f"latchkey: {title(found)}:")
    for one in found:
        output.say("  " + "; ".join(line.plain for line in lines(one, now)))


def signed_json(envelope: bytes) -> dict[str, Any]:
    """The stable result of signing. `envelope`: the hand-over's bytes; `signature`: r||s||v."""
    opened = decode(envelope)
    signature = system("modular_account").decode_signed(opened.blob).signature or b""
    return {
        "signature": to_hex(signature[1:]),
        "blob": to_hex(opened.blob),
        "deferredActionData": to_hex(opened.blob[33:]),
        "context": to_hex(opened.context),
        "envelope": to_hex(envelope),
    }


def _around(result: dict[str, Any], rpc: str) -> dict[str, Any]:
    """What the rules say, with what the chain knows."""
    from latchkey.cli.explain import findings_json
    from latchkey.flow.surroundings import findings_online
    from latchkey.flow.trying import read_subject

    now = int(time.time())
    subject = read_subject(json.dumps(result).encode(), now=now)
    with node_at(rpc) as node:
        return {"findings": findings_json(findings_online(subject.unsigned, subject.account, node, now=now))}


def _build(text: bytes, policy: Policy) -> dict[str, Any]:
    value = read_json(text)
    draft = draft_from_json(value)
    face = system(draft.system)
    judged = draft
    if policy is Policy.COMPAT:
        from latchkey.accounts.modular_account.compat import as_written

        judged = as_written(draft, value)
    face.judge(judged, now=int(time.time()), policy=policy)
    return grant_json(face.build(draft))


def grant_json(grant: Grant) -> dict[str, Any]:
    """The stable result of building. `nonce`: 32 bytes; `unsigned`: flag || nonce || length || encoded data."""
    return {
        "call": to_hex(grant.call),
        "typedData": system(grant.draft.system).typed_data(grant),
        "digest": to_hex(grant.digest),
        "digestWords": " ".join(digest_words(grant.digest)),
        "nonce": f"0x{grant.nonce:064x}",
        "needsExecuteUserOp": grant.needs_execute_user_op,
        "unsigned": to_hex(grant.unsigned),
    }
