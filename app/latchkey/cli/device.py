"""`latchkey device ...`: hardware wallets that speak EIP-4527 sign; their codes come and go as text, whoever draws and scans them."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path

from latchkey.cli.grant import signed_json
from latchkey.cli.output import Output, read_input
from latchkey.cli.sign import signed_ending_json
from latchkey.cli.vault import folder_of, signer_of, write_new
from latchkey.codec.eip4527 import EthSignature
from latchkey.codec.hand_over import Envelope, Kind, decode, encode
from latchkey.codec.hdkeys import HdAddress, HdKeys
from latchkey.codec.inbox import open_any, open_as
from latchkey.core.types import Address, hex_bytes, to_hex
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, Refused
from latchkey.flow import devices, foreign
from latchkey.flow.handing import of_sign_request
from latchkey.flow.signing import ending_to_sign, to_sign
from latchkey.language import tr
from latchkey.store.book import Book


def add(options: Namespace, output: Output) -> None:
    """Keep one of a device's addresses, so that it can own accounts."""
    shown = devices.offered(open_as(read_input(options.file), HdKeys))
    wanted = Address.parse(options.address, path="address") if options.address else shown[0].address
    key = next((one for one in shown if one.address == wanted), None)
    if key is None:
        raise BadInput(tr("This is none of the first addresses that the device showed."), path="address")
    folder = folder_of(options)
    with folder.lock(), Book.open(folder.book) as book:
        devices.keep(book, key, options.label)
    output.result({"address": str(key.address)}, tr("The device's address is {address}.", address=key.address))


def ask(options: Namespace, output: Output) -> None:
    """What the device is shown, one code for each signature. A grant is kept: its nonce and entity id are taken from here on."""
    from latchkey.flow.granting import Granting, earlier
    from latchkey.store.carried import Carried

    data, now, folder = read_input(options.file), int(time.time()), folder_of(options)
    with folder.lock(), Book.open(folder.book) as book, signer_of(folder, options) as client:
        envelope = ending_to_sign(data)
        if envelope is None:
            granting = Granting(book, lambda: client, lambda: now)
            prepared = to_sign(data, granting, book, now=now)
            _key(book, prepared.account.owner, options)  # before anything is kept
            record = earlier(prepared, book)
            carried = Carried(book).get(record.id) if record is not None else granting.keep_unsigned(prepared)[1]
            if carried is None or (record is not None and record.envelope is not None):
                raise Refused(tr("This grant is signed already."), code="SignedAlready")
            envelope = decode(carried)
        key = _key(book, envelope.account.owner if envelope.account else None, options)
        requests = foreign.to_sign(envelope, key, now=now)
    shown = [{"dataType": request.data_type.name, "ur": of_sign_request(request).copied} for request in requests]
    output.result({"requests": shown, "unsigned": to_hex(encode(envelope))})


def answer(options: Namespace, output: Output) -> None:
    """The same hand-over with the device's signatures, each held against what went out. A grant is kept in the book."""
    from latchkey.flow.granting import Granting

    path = Path(options.output) if options.output else None
    if path and path.exists():
        raise BadInput(tr("A file of that name is there already; it was not touched."), code="FileExists", path="output")
    unsigned, now, folder = open_any(_asked(read_input(options.file))), int(time.time()), folder_of(options)
    if not isinstance(unsigned, Envelope):
        raise BadInput(tr("Give the unsigned hand-over that the device was asked about."), path="file")
    answers = [open_as(read_input(name), EthSignature) for name in options.signature]
    with folder.lock(), Book.open(folder.book) as book, signer_of(folder, options) as client:
        key = _key(book, unsigned.account.owner if unsigned.account else None, options)
        signed = foreign.signed_by(unsigned, key, foreign.to_sign(unsigned, key, now=now), answers, now=now)
        raw = encode(signed)
        if signed.kind is Kind.SIGNED_GRANT:
            raw = Granting(book, lambda: client, lambda: now).accept_signed(signed).envelope or raw
    if path:
        write_new(path, raw)
    output.result(signed_json(raw) if signed.kind is Kind.SIGNED_GRANT else signed_ending_json(signed))


def _asked(data: bytes) -> bytes:
    """The hand-over's bytes where `device ask` printed them; anything else as it is."""
    value = read_json(data) if data.lstrip()[:1] == b"{" else None
    return (
        hex_bytes(value["unsigned"], path="unsigned")
        if isinstance(value, dict) and "requests" in value and "unsigned" in value
        else data
    )


def _key(book: Book, owner: Address | None, options: Namespace) -> HdAddress:
    """The device's key for this owner; the only device's where neither the account nor --owner names one."""
    wanted = Address.parse(options.owner, path="owner") if options.owner else owner
    found = [key for key in devices.devices(book) if wanted in (None, key.address)]
    if len(found) != 1:
        raise Refused(tr("No hardware wallet is known to own this account: add it, or name it with --owner."), code="NoDevice")
    return devices.read(found[0])
