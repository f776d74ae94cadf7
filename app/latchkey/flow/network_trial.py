"""Trying the addresses a person has entered for a network, before they are kept: each RPC and the bundler, one line of judgement each.

Only here, and where something is read or sent, is a network asked; the person pressed Test.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from latchkey.core.endpoints import is_open
from latchkey.core.moments import span
from latchkey.core.networks import network
from latchkey.core.session import Block
from latchkey.errors import ChainError
from latchkey.flow.chains import Chains
from latchkey.language import tr
from latchkey.store.settings import NetworkSettings, Settings

if TYPE_CHECKING:
    from latchkey.chain.node import Node
    from latchkey.chain.probe import Examined

PRACTICE: Final = 31337  # makes blocks only when asked to
_BEHIND: Final = 300  # seconds
_DEEP: Final = 32  # blocks below the newest, where two nodes have to agree


_CAUSES: Final = {
    "Unreachable": tr("Is the address right, does the node run, and is this computer online?"),
    "TooSlow": tr("Something takes calls there and says nothing. Is the port right?"),
    "NoTls": tr("A node on this computer mostly speaks http://."),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be said of one address. `field`: "rpc", "secondRpc" or "bundler"; `level`: "good", "warning" or "danger"."""

    field: str
    level: str
    sentence: str
    advice: str = ""


def try_network(
    named: NetworkSettings, proxy: str = "", *, stop: threading.Event | None = None, clock: Callable[[], float] = time.time
) -> tuple[Trial, ...]:
    """Blocks for some requests. Raises ChainError with code "Stopped"; what is wrong with an address is a Trial."""
    settings = Settings(networks=(named,), proxy=proxy)
    chains = Chains(lambda: settings)
    try:
        return tuple(_trials(named, chains, stop, clock))
    finally:
        chains.close()


def _trials(named: NetworkSettings, chains: Chains, stop: threading.Event | None, clock: Callable[[], float]) -> Iterator[Trial]:
    heads: dict[str, tuple[Node, Block]] = {}
    for field, url in (("rpc", named.rpc), ("secondRpc", named.second_rpc)):
        if not url:
            continue
        node = (
            chains.node(named.chain_id) if field == "rpc" else chains.second(named.chain_id) or chains.node(named.chain_id)
        ).stoppable(stop)
        try:
            found = _examined(node, clock)
        except ChainError as problem:
            yield _failed(field, problem)
            continue
        yield _judged(field, found, named.chain_id)
        if found.chain_id == named.chain_id:
            heads[field] = node, found.head
        if is_open(url):
            yield _open(field)
    if len(heads) == 2 and (trial := _agreement(*heads.values())) is not None:
        yield trial
    bundler = chains.bundler(named.chain_id)
    if bundler is not None:
        yield _bundler(bundler.stoppable(stop), named.chain_id)
        if is_open(named.bundler):
            yield _open("bundler")


def _examined(node: Node, clock: Callable[[], float]) -> Examined:
    from latchkey.chain.probe import examine

    return examine(node, clock)


def _judged(field: str, found: Examined, chain_id: int) -> Trial:
    if found.chain_id != chain_id:
        return _elsewhere(field, "RPC", found.chain_id, chain_id)
    newest = tr("Newest block {number:,}, {span} old.", number=found.head.number, span=span(max(0, found.age)))
    if found.age > _BEHIND and chain_id != PRACTICE:
        return Trial(
            field,
            "warning",
            tr("Its newest block, {number:,}, is {span} old.", number=found.head.number, span=span(found.age)),
            tr("It is behind. Use another one."),
        )
    if not found.log_range:
        return Trial(field, "warning", tr("It gives no events, so sessions cannot be listed."), tr("Use another one."))
    return Trial(
        field,
        "good",
        tr("{name}, chain {chain_id}. {newest}", name=network(chain_id).name, chain_id=chain_id, newest=newest),
        f"{_batches(found)} {_events(found)}",
    )


def _batches(found: Examined) -> str:
    return tr("Takes a hundred calls at once.") if found.batch else tr("Takes one or a few calls at once, so reading is slower.")


def _events(found: Examined) -> str:
    if found.whole:
        return tr("Gives the events of the whole chain at once.")
    slow = tr(" The first reading of an account may take long.") if found.log_range < 2_000 else ""
    return tr("Gives the events of {log_range:,} blocks at once.{slow}", log_range=found.log_range, slow=slow)


def _bundler(node: Node, chain_id: int) -> Trial:
    from latchkey.chain.probe import examine_bundler

    try:
        found, serves = examine_bundler(node)
    except ChainError as problem:
        if problem.code == "RpcError":
            sentence = tr("What answers there is no bundler.")
            return Trial("bundler", "danger", sentence, tr("A bundler mostly has another address than the RPC."))
        return _failed("bundler", problem)
    if found != chain_id:
        return _elsewhere("bundler", "bundler", found, chain_id)
    if not serves:
        return Trial("bundler", "danger", tr("This bundler does not serve EntryPoint 0.7."), tr("Use another one."))
    return Trial(
        "bundler", "good", tr("{name}, chain {chain_id}. Serves EntryPoint 0.7.", name=network(chain_id).name, chain_id=chain_id)
    )


def _agreement(first: tuple[Node, Block], second: tuple[Node, Block]) -> Trial | None:
    """Both have to know the same block a little below the newest; None when they do."""
    deep = max(0, min(first[1].number, second[1].number) - _DEEP)
    try:
        if first[0].head(deep).hash == second[0].head(deep).hash:
            return None
    except ChainError as problem:
        return _failed("secondRpc", problem)
    return Trial(
        "secondRpc", "danger", tr("The two RPCs do not show the same chain."), tr("One of them is wrong. Do not use both.")
    )


def _elsewhere(field: str, what: str, found: int, wanted: int) -> Trial:
    return Trial(
        field,
        "danger",
        tr("This {what} is for {name} (chain {found}).", what=what, name=network(found).name, found=found),
        tr("Give one for {name}.", name=network(wanted).name),
    )


def _open(field: str) -> Trial:
    return Trial(
        field,
        "warning",
        tr("Everybody on the way can read and change what is said there."),
        tr("Use an address that begins with https://."),
    )


def _failed(field: str, problem: ChainError) -> Trial:
    if problem.code == "Stopped":
        raise problem
    return Trial(field, "danger", problem.text, _CAUSES.get(problem.code, ""))
