"""A real signer in its own process, with a vault that holds nothing but a public test key and is answered by a script."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from latchkey.core.types import Address
from latchkey.vault.client import SignerClient
from latchkey.vault.model import Prompt, PromptMode

OWNER = Address.parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")  # the first public test key
_OWNER_SECRET = b"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n"
_PASSPHRASE = b"nobody keeps anything in this test vault\n"


@contextmanager
def scripted_signer() -> Iterator[SignerClient]:
    """A client whose vault is made, unlocked and confirmed without a person; only public test keys allow that."""
    kept: list[bytes] = []
    with _pipe(_PASSPHRASE * 40) as passphrase, _pipe(_OWNER_SECRET) as secret:
        client = SignerClient(None, kept.append, Prompt(PromptMode.FD, passphrase_fd=passphrase, script=True))
        try:
            assert client.import_key(label="Test key", source_fd=secret) == OWNER
            yield client
        finally:
            client.close()


@contextmanager
def _pipe(content: bytes) -> Iterator[int]:
    source, sink = os.pipe()
    os.write(sink, content)
    os.close(sink)
    try:
        yield source
    finally:
        os.close(source)
