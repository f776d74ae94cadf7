"""`latchkey vault ...`: secrets are typed at the terminal or come through file descriptors, and only the signer reads them."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from latchkey.cli.output import Output
from latchkey.core.types import Address
from latchkey.errors import BadInput, VaultError
from latchkey.flow.keys import open_signer, remember_keys, stand_in
from latchkey.language import tr
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.vault.client import SignerClient
from latchkey.vault.model import Prompt, PromptMode


def folder_of(options: Namespace) -> DataDir:
    name = getattr(options, "data_dir", None)
    return DataDir.open(Path(name) if name else None)


def prompt_of(options: Namespace) -> Prompt:
    """Passphrases from the descriptor when one is named; everything else, and every confirmation, from the terminal."""
    fd = options.passphrase_fd
    if fd is None:
        return Prompt(PromptMode.TERMINAL)
    try:
        os.fstat(fd)
    except (OSError, OverflowError):
        raise BadInput(tr("There is no such open file descriptor."), path="--passphrase-fd") from None
    return Prompt(PromptMode.FD, passphrase_fd=fd)


@contextmanager
def signer_of(folder: DataDir, options: Namespace) -> Iterator[SignerClient]:
    client = open_signer(folder, prompt_of(options))
    for sentence in stand_in(folder) or ():
        print(f"latchkey: {sentence}", file=sys.stderr)
    try:
        yield client
    finally:
        client.close()


def create(options: Namespace, output: Output) -> None:
    folder = folder_of(options)
    with folder.lock(), signer_of(folder, options) as client:
        address = client.create_key(options.words, options.label)
        _remember(folder, client)
    output.result({"address": str(address)}, tr("The new master key's address is {address}.", address=address))


def import_(options: Namespace, output: Output) -> None:
    folder = folder_of(options)
    with folder.lock(), signer_of(folder, options) as client, _source(options.file) as fd:
        address = client.import_key(options.label, source_fd=fd)
        _remember(folder, client)
    output.result({"address": str(address)}, tr("The master key's address is {address}.", address=address))


def export(options: Namespace, output: Output) -> None:
    folder = folder_of(options)
    address = Address.parse(options.address, path="address")
    with signer_of(folder, options) as client:
        client.unlock()
        keystore = client.export_keystore(address)
    if options.output is None:
        output.result(json.loads(keystore), keystore.decode())
        return
    path = Path(options.output)
    write_new(path, keystore)
    output.result({"file": str(path)}, tr("Written to {path}.", path=path))


def rename(options: Namespace, output: Output) -> None:
    folder, address = folder_of(options), Address.parse(options.address, path="address")
    with folder.lock(), signer_of(folder, options) as client:
        client.unlock()
        client.rename_key(address, options.label)
        _remember(folder, client)
    output.result({"address": str(address), "label": options.label}, tr("The key has its new name."))


def remove(options: Namespace, output: Output) -> None:
    folder, address = folder_of(options), Address.parse(options.address, path="address")
    with folder.lock(), signer_of(folder, options) as client:
        client.unlock()
        client.remove_key(address)
        _remember(folder, client)
    output.result({"removed": str(address)}, tr("The vault has forgotten the key."))


def keyring(options: Namespace, output: Output) -> None:
    folder, on = folder_of(options), options.switch == "on"
    with folder.lock(), signer_of(folder, options) as client:
        client.unlock()
        news = client.set_keyring(on)
    done = tr("The keyring of this computer opens the vault too.") if on else tr("Only the passphrase opens the vault.")
    output.result({"keyring": on, "news": news}, " ".join(filter(None, (done, news))))


def passphrase(options: Namespace, output: Output) -> None:
    folder = folder_of(options)
    with folder.lock(), signer_of(folder, options) as client:
        client.unlock()
        news = client.change_passphrase()
    output.result({"changed": True, "news": news}, " ".join(filter(None, (tr("The passphrase is changed."), news))))


def expert(options: Namespace, output: Output) -> None:
    folder = folder_of(options)
    on = options.switch == "on"
    with folder.lock(), signer_of(folder, options) as client:
        client.unlock()
        client.set_expert(on)
    output.result({"expert": on}, tr("The expert switch is {switch}.", switch=options.switch))


def list_(options: Namespace, output: Output) -> None:
    """From the book, which needs no passphrase; from the vault when a passphrase is given or the book knows nothing."""
    folder = folder_of(options)
    with Book.open(folder.book) as book:
        keys: list[Any] = list(book.keys())
    if options.passphrase_fd is not None or (not keys and folder.vault.exists()):
        with signer_of(folder, options) as client:
            client.unlock()
            keys = list(client.status().keys)
    rows = [{"address": str(k.address), "label": k.label, "kind": k.kind, "path": k.path} for k in keys]
    output.result({"keys": rows}, "\n".join("  ".join(filter(None, r.values())) for r in rows) or tr("The vault holds no key."))


def _remember(folder: DataDir, client: SignerClient) -> None:
    with Book.open(folder.book) as book:
        remember_keys(book, client.status().keys)


@contextmanager
def _source(name: str | None) -> Iterator[int | None]:
    """A descriptor that the signer reads the secret from; this process never does."""
    if name is None:
        yield None
    elif name == "-":
        yield 0
    else:
        try:
            fd = os.open(name, os.O_RDONLY)
        except OSError as error:
            raise BadInput(tr("The file cannot be read: {strerror}.", strerror=error.strerror), code="NoInput") from None
        try:
            yield fd
        finally:
            os.close(fd)


def write_new(path: Path, data: bytes) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise VaultError(tr("A file of that name is there already; it was not touched."), code="FileExists") from None
    except OSError as error:
        raise VaultError(tr("The file cannot be written: {strerror}.", strerror=error.strerror), code="CannotWrite") from None
    with os.fdopen(fd, "wb") as file:
        file.write(data)
