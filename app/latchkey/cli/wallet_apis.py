"""`latchkey wallet-apis`: sessions that Alchemy's service compiles, asked for from here. What a dApp was given goes to `latchkey sign`."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

from latchkey.cli.grant import Desk, sign_prepared, signed_json
from latchkey.cli.output import Output, read_input
from latchkey.cli.vault import folder_of, signer_of
from latchkey.codec.inbox import open_as
from latchkey.core.request import SessionRequest
from latchkey.errors import BadInput
from latchkey.flow import wallet_api
from latchkey.flow.granting import Prepared
from latchkey.language import tr
from latchkey.store.settings import load, save

_MAX_FILE = 1024


def create(options: Namespace, output: Output) -> None:
    """Refused when the service made another session than the one asked for."""
    request = open_as(read_input(options.file), SessionRequest)

    def prepare(at: Desk) -> Prepared:
        answer = wallet_api.Service(at.client, lambda: at.settings).create(request)
        return wallet_api.asked(answer, at.book, now=at.now, wanted=request)

    output.result(signed_json(sign_prepared(prepare, options, output)))


def key(options: Namespace, output: Output) -> None:
    given, folder = read_input(options.file, _MAX_FILE), folder_of(options)
    try:
        text = given.decode("ascii").strip()
    except UnicodeDecodeError:
        raise BadInput(tr("An API key is plain text."), path="apiKey") from None
    with folder.lock(), signer_of(folder, options) as client:
        client.unlock()
        client.keep_api_key(text)
    output.result({"kept": bool(text)}, tr("The key is in your vault.") if text else tr("The key is forgotten."))


def address(options: Namespace, output: Output) -> None:
    folder = folder_of(options)
    with folder.lock():
        settings = load(folder.settings)
        if options.url is not None:
            settings = replace(settings, wallet_api=options.url)
            save(folder.settings, settings)
    output.result({"address": settings.wallet_api}, settings.wallet_api or tr("The Wallet APIs are not asked."))
