"""`latchkey practice` and `latchkey practice use`: the whole product without money or network."""

from __future__ import annotations

import signal
import subprocess
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from latchkey.cli.output import Output, read_input
from latchkey.flow.practice import PASSPHRASE, Ready, demo_dapp, practice, practice_folder
from latchkey.language import tr
from latchkey.store.paths import DataDir
from latchkey.vault.prompt import own_command

if TYPE_CHECKING:
    from latchkey.chain.dapp import Step


def run(options: Namespace, output: Output) -> None:
    """Until Ctrl+C, or until the window opened with --window is closed."""
    folder = _folder(options)
    with _ends_quietly(), practice(folder, clone_from=options.clone_from, port=options.port) as ready:
        output.result(_facts(ready), "\n".join(_lines(ready, stays=not options.window)))
        try:
            if options.window:
                subprocess.call([*own_command("--data-dir"), str(folder.root)])
            else:
                threading.Event().wait()
        except KeyboardInterrupt:
            output.say(tr("\nThe practice chain stopped."))


def use(options: Namespace, output: Output) -> int:
    """Print each step as it is done; 0 when the chain did all that the grant's words say."""
    as_expected = True
    with demo_dapp(_folder(options), read_input(options.file)) as dapp:
        for step in dapp.steps():
            as_expected = as_expected and step.expected
            text = f"{step.tries}.\n    {step.says}" + ("" if step.answer == "done" else f" [{step.answer}]")
            output.result(_step(step), text)
    if not as_expected and not output.json:
        output.say(tr("latchkey: The chain did something else than the grant's words say."))
    return 0 if as_expected else 1


def _folder(options: Namespace) -> DataDir:
    name = getattr(options, "data_dir", None)
    return practice_folder(Path(name) if name else None)


def _facts(ready: Ready) -> dict[str, object]:
    return {
        "url": ready.chain.url,
        "chainId": ready.account.chain_id,
        "dataDir": str(ready.folder.root),
        "passphrase": PASSPHRASE,
        "account": str(ready.account.address),
        "owner": str(ready.account.owner),
        "request": str(ready.request),
        "source": "clone" if ready.chain.cloned else "stand-in",
        "contracts": {p.name: [str(p.address), p.code_hash, str(p.source)] for p in ready.chain.placed},
    }


def _step(step: Step) -> dict[str, object]:
    """One line of `practice use --json`."""
    return {
        "step": step.name,
        "tries": step.tries,
        "says": step.says,
        "expected": step.expected,
        "answer": step.answer,
        "transaction": step.transaction,
    }


def _lines(ready: Ready, *, stays: bool) -> Iterator[str]:
    contracts = tr("copied from the chain you named") if ready.chain.cloned else tr("stand-ins, test equipment of Latchkey's own")
    folder = ready.folder.root
    yield tr("The practice chain runs. Nothing on it is worth anything, its keys are public, and it is gone when it stops.")
    yield tr("  chain       {url} (chain id {chain_id})", url=ready.chain.url, chain_id=ready.account.chain_id)
    yield f"  contracts   {contracts}"
    yield tr("  account     {address}, deployed, with 10 ETH and 1,000 of each test token", address=ready.account.address)
    yield tr("  window      latchkey --data-dir {folder}", folder=folder)
    yield f"  passphrase  {PASSPHRASE}"
    yield tr("  request     {request} (drop it on the window, or Ctrl+O)", request=ready.request)
    yield tr("  then        latchkey practice use GRANT_FILE --data-dir {folder}", folder=folder)
    if stays:
        yield "Ctrl+C stops it."


@contextmanager
def _ends_quietly() -> Iterator[None]:
    """A request to end counts as Ctrl+C, so that the chain is stopped too."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
