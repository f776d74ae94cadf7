"""Trying everything on the practice chain: a data folder of its own with a vault of public test keys, a deployed account and a dApp.

What stands in the folder beside the usual files:
    practice.json        where the chain is; also the mark that this folder is for practice
    demo-request.json    what the demo dApp asks for
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latchkey.chain.anvil import CHAIN_ID, find_anvil
from latchkey.core.account import Account, Mode
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, ChainError, StoreError
from latchkey.flow.accounts import from_owner, same_place
from latchkey.language import tr
from latchkey.shipped import resource
from latchkey.store import atomic
from latchkey.store.paths import DataDir
from latchkey.vault.prompt import own_command
from latchkey.vault.test_keys import MASTER_PATH, MASTERS

if TYPE_CHECKING:
    from latchkey.chain.dapp import DemoDapp
    from latchkey.chain.practice import Practice

PASSPHRASE = "open the practice vault"  # noqa: S105 - printed for everybody: the keys behind it are public
FOLDER = "practice"


@dataclass(frozen=True, slots=True)
class Ready:
    """A practice chain that runs, and all that is there to try it with."""

    chain: Practice
    folder: DataDir
    account: Account

    @property
    def request(self) -> Path:
        return request_in(self.folder)


def practice_folder(named: Path | None) -> DataDir:
    """The folder named, or "practice" in the usual place. Raises StoreError."""
    return DataDir.open(named or DataDir.open().root / FOLDER)


@contextmanager
def practice(folder: DataDir, *, clone_from: str = "", port: int = 0) -> Iterator[Ready]:
    """Everything ready, for the length of the block. Raises ChainError (no anvil, an RPC that cannot be copied from; then nothing was
    set up), StoreError when the folder holds somebody's own vault.
    """
    from latchkey.chain.practice import deploy, practice_chain

    program = find_anvil()
    if program is None:
        raise ChainError(
            tr("anvil, which runs the practice chain, is not here: install Foundry, or name the program in LATCHKEY_ANVIL."),
            code="NoAnvil",
        )
    _check_folder(folder)
    with practice_chain(program, clone_from=clone_from, port=port) as chain:
        account = furnish(folder)
        deploy(chain.rpc, account)
        _mark(folder, chain.url)
        _set_rpc(folder, chain.url)
        try:
            yield Ready(chain, folder, account)
        finally:
            with suppress(StoreError):
                _mark(folder, "")
                _set_rpc(folder, "", instead_of=chain.url)


@contextmanager
def demo_dapp(folder: DataDir, envelope: bytes) -> Iterator[DemoDapp]:
    """The demo dApp with a grant, on the chain that runs for this folder. Raises BadInput, ChainError."""
    from latchkey.chain.dapp import DemoDapp
    from latchkey.chain.practice import connect
    from latchkey.codec.hand_over import Envelope
    from latchkey.codec.inbox import open_text

    incoming = open_text(envelope)
    if not isinstance(incoming, Envelope):
        raise BadInput(tr("This is a request; the demo dApp needs the signed grant."), code="NotSigned")
    with closing(connect(_url(folder))) as rpc:
        yield DemoDapp(rpc, incoming)


def open_window(root: Path, command: Sequence[str] = ()) -> Path:
    """Start `latchkey practice --window` for the folder; the request to try, once all is ready. Blocks. Raises ChainError.

    A process of its own: it ends the chain when its window is closed, and goes on when this program ends.
    """
    command = [*(command or own_command("practice")), "--window", "--json", "--data-dir", str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    assert process.stdout is not None
    with process.stdout:
        line = process.stdout.readline()
    threading.Thread(target=process.wait, daemon=True).start()
    facts = read_json(line) if line.strip() else {}
    if isinstance(facts, dict) and isinstance(facts.get("request"), str):
        return Path(facts["request"])
    fault = facts.get("error") if isinstance(facts, dict) else None
    raise ChainError(str(fault["message"]) if fault else tr("The practice chain could not be started."), code="NotStarted")


# The folder ----------------------------------------------------------------------------------------------------------------------


def request_in(folder: DataDir) -> Path:
    """Where the demo dApp's request stands."""
    return folder.root / "demo-request.json"


def _place(folder: DataDir) -> Path:
    return folder.root / "practice.json"


def _check_folder(folder: DataDir) -> None:
    if folder.vault.exists() and not _place(folder).exists():
        raise StoreError(tr("This folder holds a vault of your own; practice in another one."), code="NotForPractice")


def _mark(folder: DataDir, url: str) -> None:
    atomic.write(_place(folder), json.dumps({"chainId": CHAIN_ID, "url": url}).encode())


def _set_rpc(folder: DataDir, url: str, *, instead_of: str | None = None) -> None:
    """Name the chain in the folder's settings, so that its window can read it at once; or take it out again, when it still stands
    there. Raises StoreError."""
    from latchkey.store.settings import NetworkSettings, load, save

    settings = load(folder.settings)
    if instead_of in (None, settings.network(CHAIN_ID).rpc):
        save(folder.settings, settings.with_network(NetworkSettings(CHAIN_ID, rpc=url)))


def _url(folder: DataDir) -> str:
    try:
        marked = read_json(_place(folder).read_bytes())
    except (OSError, BadInput):
        marked = None
    url = marked.get("url") if isinstance(marked, dict) else ""
    if not isinstance(url, str) or not url.startswith("http://127.0.0.1:"):
        raise ChainError(tr("The practice chain does not run; start it with `latchkey practice`."), code="NotRunning")
    return url


def furnish(folder: DataDir) -> Account:
    """Vault, account and request, each made where it is missing; needs no chain. The account. Raises StoreError.

    The vault is a shipped file, for making one takes as long as guessing its passphrase should. A window that has the folder open
    has everything already, so the folder is only held when something is made.
    """
    from latchkey.store.book import Book
    from latchkey.store.records import MasterKeyRecord

    account = from_owner(CHAIN_ID, str(MASTERS[0]), mode=Mode.SMA, label=tr("Game account"))
    try:
        if not folder.vault.exists():
            with folder.lock(), Book.open(folder.book) as book:
                book.put_key(MasterKeyRecord(MASTERS[0], tr("Practice key"), "mnemonic", MASTER_PATH + "0"))
                if not any(same_place(known, account) for known in book.accounts()):
                    book.add_account(account)
                _mark(folder, "")
                atomic.write(folder.vault, resource("practice/vault.latchkey-vault").read_bytes())
        shutil.copyfile(resource("practice/request.json"), request_in(folder))
    except OSError as error:
        raise StoreError(
            tr("The data folder {root} cannot be used: {strerror}.", root=folder.root, strerror=error.strerror), code="NoDataFolder"
        ) from None
    return account
