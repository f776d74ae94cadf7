"""`latchkey sign`: whatever may be signed, on the machine that holds the key; it needs no network."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from latchkey.cli.grant import sign_grant, signed_json
from latchkey.cli.output import Output, read_input
from latchkey.codec.eip4527 import EthSignRequest, read_signature
from latchkey.codec.hand_over import Envelope, encode
from latchkey.core.types import to_hex
from latchkey.errors import BadInput
from latchkey.flow.handing import HandOver
from latchkey.language import tr


def sign(options: Namespace, output: Output) -> None:
    """A grant, or what ends, cancels or tightens: shown, asked, signed. Prints JSON; `--output` writes the signed hand-over, or the
    `eth-signature` for another wallet's `eth-sign-request`."""
    from latchkey.cli.vault import write_new
    from latchkey.flow.signing import asked_to_sign, ending_to_sign

    data = read_input(options.file)
    path = Path(options.output) if options.output else None
    if path and path.exists():  # found out before anything is signed
        raise BadInput(tr("A file of that name is there already; it was not touched."), code="FileExists", path="output")
    asked = asked_to_sign(data)
    ending = ending_to_sign(data) if asked is None else None
    if asked is not None:
        answer = _answer(asked, options)
        envelope, result = answer.file, _answer_json(answer)
    elif ending is None:
        envelope = sign_grant(data, options, output)
        result = signed_json(envelope)
    else:
        signed = _sign_ending(ending, options)
        envelope, result = encode(signed), signed_ending_json(signed)
    if path:
        write_new(path, envelope)
    output.result(result)


def _sign_ending(envelope: Envelope, options: Namespace) -> Envelope:
    from latchkey.cli.vault import folder_of, signer_of
    from latchkey.flow.keys import remember_keys
    from latchkey.flow.signing import sign_ending
    from latchkey.store.book import Book

    folder = folder_of(options)
    with folder.lock(), Book.open(folder.book) as book, signer_of(folder, options) as client:
        client.unlock()
        remember_keys(book, client.status().keys)
        return sign_ending(envelope, client, book, wanted=options.owner, now=int(time.time()))


def _answer(asked: EthSignRequest, options: Namespace) -> HandOver:
    from latchkey.cli.vault import folder_of, signer_of
    from latchkey.flow.approving import Approvals
    from latchkey.flow.chains import Chains
    from latchkey.flow.keys import remember_keys
    from latchkey.store.book import Book
    from latchkey.store.settings import load

    folder = folder_of(options)
    with folder.lock(), Book.open(folder.book) as book, signer_of(folder, options) as client:
        client.unlock()
        remember_keys(book, client.status().keys)
        settings = load(folder.settings)
        approvals = Approvals(book, lambda: client, Chains(lambda: settings), lambda: int(time.time()))
        return approvals.read(asked).sign(client)


def _answer_json(answer: HandOver) -> dict[str, Any]:
    """The stable result. `signature`: r||s||v as the wallet that asked expects it; `ur`: the same for a QR code."""
    signature = read_signature(answer.message)
    return {
        "kind": answer.kind,
        "signature": to_hex(signature.signature),
        "requestId": to_hex(signature.request_id),
        "ur": answer.copied,
    }


def signed_ending_json(signed: Envelope) -> dict[str, Any]:
    """The stable result. `signatures`: r||s||v of each operation or transaction, in order; `envelope`: the hand-over's bytes."""
    return {
        "kind": str(signed.kind),
        "signatures": [to_hex(signature) for signature in signed.signatures],
        "envelope": to_hex(encode(signed)),
    }
