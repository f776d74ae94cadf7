"""`latchkey revoke`, `cancel`, `tighten`, `clean`, `send`, `resume` and `break-glass`: what ends sessions, from the command line.

0 when all of it is done; 1 when something failed or is not in a block yet; 2 when it was refused before anything was sent.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from latchkey.chain.refusals import coins
from latchkey.cli.network_options import chains_of, named_accounts
from latchkey.cli.output import Output, read_input
from latchkey.cli.vault import folder_of, signer_of, write_new
from latchkey.codec.hand_over import Envelope, encode
from latchkey.codec.inbox import open_text
from latchkey.core.account import Account
from latchkey.core.amounts import ETH, parse_amount
from latchkey.core.networks import network
from latchkey.core.session import AccountReading, LimitKind
from latchkey.core.types import Address, to_hex
from latchkey.errors import BadInput
from latchkey.flow.break_glass import BreakGlass, Glass
from latchkey.flow.chains import Chains
from latchkey.flow.ending import (
    Cancel,
    Clean,
    Ending,
    ItemResult,
    Lower,
    Plan,
    Revoke,
    RevokeAll,
    Tighten,
    Way,
    WayKind,
    What,
    chosen,
)
from latchkey.flow.keys import remember_keys
from latchkey.flow.sessions import Sessions
from latchkey.language import tr
from latchkey.store.book import Book
from latchkey.store.endings import ItemState
from latchkey.store.paths import DataDir
from latchkey.vault.client import SignerClient


def revoke(options: Namespace, output: Output) -> int:
    if bool(options.all) == bool(options.entity):
        raise BadInput(tr("Say which: --entity N, as often as you like, or --all."), path="entity")
    return _end(options, output, lambda _: RevokeAll() if options.all else Revoke(tuple(options.entity)))


def cancel(options: Namespace, output: Output) -> int:
    """The grants named by number, or with --entity by the session they would become; with --all every one that could still be used."""
    return _end(options, output, lambda at: Cancel(_grants(options, at)))


def tighten(options: Namespace, output: Output) -> int:
    lower = [Lower(kind, parse_amount(text, ETH, path=path)) for kind, text, path in _coins(options) if text is not None]
    lower += [_token(text) for text in options.token or ()]
    until = None if options.until is None else _moment(options.until)
    if not lower and until is None:
        raise BadInput(tr("Say what shall be less: --native, --gas, --token or --until."), path="native")
    return _end(options, output, lambda _: Tighten(options.entity, tuple(lower), until))


def clean(options: Namespace, output: Output) -> int:
    """Everything that ended sessions left stored."""
    return _end(options, output, lambda at: Clean(at.reading.leftovers))


def send(options: Namespace, output: Output) -> int:
    """What another machine signed."""
    incoming = open_text(read_input(options.file))
    if not isinstance(incoming, Envelope):
        raise BadInput(tr("This is no signed revocation, cancellation or transaction."), code="NotSigned")
    if incoming.account and options.chain_id is None:
        options.chain_id = incoming.account.chain_id
    with _desk(options, unlock=False) as at:
        return _told(output, at.ending.accept(incoming, output.say))


def resume(options: Namespace, output: Output) -> int:
    """What was on its way when the program ended. Nothing is signed."""
    with _desk(options, unlock=False) as at:
        return _told(output, at.ending.resume(output.say))


# --- break-glass


def make(options: Namespace, output: Output) -> int:
    folder = folder_of(options)
    with folder.lock(), _desk(options, folder=folder) as at:
        account = _one_account(options, at)
        glass = at.glass
        kept = glass.sign_and_keep(glass.prepare(_reading(at, account)))
    output.result(_glass_json(kept), "\n".join((tr("Kept in the vault as {id}.", id=kept.id), *kept.sentences)))
    return 0


def list_(options: Namespace, output: Output) -> int:
    with _desk(options) as at:
        kept = at.glass.sets()
    lines = [
        line
        for one in kept
        for line in (
            tr("{id}  {address} on {name}", id=one.id, address=one.account.address, name=network(one.account.chain_id).name),
            *one.sentences,
        )
    ]
    output.result([_glass_json(one) for one in kept], "\n".join(lines) or tr("The vault holds no break-glass set."))
    return 0


def use(options: Namespace, output: Output) -> int:
    via = WayKind(options.via) if options.via else None
    with _desk(options) as at:
        return _told(output, at.glass.use(options.id, via=via, progress=output.say))


# --- one ending


@dataclass(frozen=True, slots=True)
class _At:
    """Everything an ending needs, for the length of a command."""

    book: Book
    chains: Chains
    client: SignerClient

    @property
    def ending(self) -> Ending:
        return Ending(self.book, self._unlocked, self.chains, _now)

    @property
    def glass(self) -> BreakGlass:
        return BreakGlass(self.book, self._unlocked, self.chains, _now)

    def _unlocked(self) -> SignerClient:
        if not self.client.status().unlocked:
            self.client.unlock()
        return self.client


@dataclass(frozen=True, slots=True)
class _Read:
    at: _At
    account: Account
    reading: AccountReading


@contextmanager
def _desk(options: Namespace, *, folder: DataDir | None = None, unlock: bool = True) -> Iterator[_At]:
    """`unlock`: now, so that every key of the vault is known; else when something is to be signed."""
    folder = folder or folder_of(options)
    with Book.open(folder.book) as book, signer_of(folder, options) as client:
        if unlock:
            client.unlock()
            remember_keys(book, client.status().keys)
        yield _At(book, chains_of(options, folder), client)


def _end(options: Namespace, output: Output, what: Any) -> int:
    unlock = not options.dry_run and options.via != WayKind.EXPORT  # for another machine nothing is signed here
    with _desk(options, unlock=unlock) as at:
        account = _one_account(options, at)
        read = _Read(at, account, _reading(at, account))
        wanted: What = what(read)
        plan = at.ending.plan(read.reading, wanted)
        for one in plan.impossible:
            output.say(f"latchkey: {one.kind} {one.entity_id}: {one.sentence}")
        ways = at.ending.ways(plan)
        if options.dry_run:
            output.result(_plan_json(plan, ways), "\n".join(_plan_lines(plan, ways)))
            return 0
        way = chosen(ways, WayKind(options.via) if options.via else None)
        output.say(f"It goes by {way.kind}, and costs {way.payer} at most {coins(account.chain_id, way.most)}. {way.note}".rstrip())
        prepared = at.ending.prepare(plan, way)
        if way.kind is WayKind.EXPORT:
            return _exported(options, output, at.ending.export(prepared))
        return _told(output, at.ending.sign_and_send(prepared, output.say)) or int(bool(plan.impossible))


def _exported(options: Namespace, output: Output, envelopes: Sequence[Envelope]) -> int:
    if options.output is None:
        raise BadInput(tr("Say where the unsigned hand-over is to be written, with --output."), path="output")
    files = [options.output] if len(envelopes) == 1 else [f"{options.output}.{n}" for n in range(1, len(envelopes) + 1)]
    for file, envelope in zip(files, envelopes, strict=True):
        write_new(Path(file), encode(envelope))
    text = tr(
        "Written to {files}. Sign it there with `latchkey sign`, then `latchkey send` what comes back.", files=", ".join(files)
    )
    output.result({"files": files}, text)
    return 0


def _one_account(options: Namespace, at: _At) -> Account:
    found = named_accounts(options, at.book)
    if len(found) != 1:
        raise BadInput(
            tr("Name the account with --account, and its network with --chain-id where it is on several."), path="account"
        )
    return found[0]


def _reading(at: _At, account: Account) -> AccountReading:
    return Sessions(at.book, at.chains, _now).refresh(account).reading


def _grants(options: Namespace, read: _Read) -> tuple[int, ...]:
    records = read.at.book.grants(read.account)
    if options.all:
        found = [r.id for r in records if not 0 < r.draft.expiry < read.reading.block.time]
    elif options.entity:
        found = [r.id for r in records if r.draft.entity_id in options.entity]
    else:
        found = list(options.grant or ())
    if not found:
        raise BadInput(tr("Say which grant: --grant N (its number in the book), --entity N, or --all."), path="grant")
    return tuple(found)


def _coins(options: Namespace) -> Iterator[tuple[LimitKind, str | None, str]]:
    yield LimitKind.NATIVE, options.native, "native"
    yield LimitKind.GAS, options.gas, "gas"


def _token(text: str) -> Lower:
    address, _, amount = text.partition("=")
    if not amount.isascii() or not amount.isdigit():
        raise BadInput(tr("A token's limit is written ADDRESS=AMOUNT, the amount in its smallest units."), path="token")
    return Lower(LimitKind.ERC20, int(amount), Address.parse(address, path="token"))


def _moment(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(tr("A time is written 2026-12-01T10:00 (UTC), or in seconds."), path="until") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _now() -> int:
    return int(time.time())


# --- printing


def _told(output: Output, results: Sequence[ItemResult]) -> int:
    text = "\n".join(f"{r.kind} {r.entity_id}: {r.sentence}" for r in results) or tr("Nothing was on its way.")
    output.result([_result_json(r) for r in results], text)
    sys.stdout.flush()
    return 0 if all(r.state is ItemState.DONE for r in results) else 1


def _result_json(result: ItemResult) -> dict[str, Any]:
    """The stable shape of one result."""
    return {
        "kind": result.kind.value,
        "entityId": result.entity_id,
        "grant": result.grant_id or None,
        "state": result.state.value,
        "sentence": result.sentence,
        "transaction": result.transaction and to_hex(result.transaction),
        "block": result.block,
    }


def _plan_json(plan: Plan, ways: Sequence[Way]) -> dict[str, Any]:
    return {
        "chainId": plan.account.chain_id,
        "account": str(plan.account.address),
        "block": plan.reading.block.number,
        "items": [
            {"kind": i.kind.value, "entityId": i.entity_id, "grant": i.grant_id or None, "gas": i.gas, "note": i.note}
            for i in plan.items
        ],
        "impossible": [
            {"kind": i.kind.value, "entityId": i.entity_id, "grant": i.grant_id or None, "sentence": i.sentence}
            for i in plan.impossible
        ],
        "operations": len(plan.batches),
        "ways": [
            {
                "way": w.kind.value,
                "possible": w.possible,
                "whyNot": w.why_not,
                "most": str(w.most),
                "payer": w.payer and str(w.payer),
                "note": w.note,
            }
            for w in ways
        ],
    }


def _plan_lines(plan: Plan, ways: Sequence[Way]) -> Iterator[str]:
    for item in plan.items:
        yield f"{item.kind} {item.entity_id}{': ' + item.note if item.note else ''}"
    for way in ways:
        cost = (
            tr("at most {chain_id} from {payer}", chain_id=coins(plan.account.chain_id, way.most), payer=way.payer)
            if way.possible
            else way.why_not
        )
        yield f"  {way.kind}: {cost}"


def _glass_json(one: Glass) -> dict[str, Any]:
    return {
        "id": one.id,
        "chainId": one.account.chain_id,
        "account": str(one.account.address),
        "created": one.created,
        "entityIds": list(one.covers.entity_ids),
        "grants": len(one.covers.nonce_keys),
        "needs": str(one.covers.needs),
        "most": str(one.covers.most),
        "sentences": list(one.sentences),
    }
