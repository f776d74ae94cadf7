"""`latchkey sessions`: what is active on chain, how much of it is left, and when it ends."""

from __future__ import annotations

import shutil
import textwrap
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from latchkey.cli.network_options import chains_of, named_accounts
from latchkey.cli.output import Output
from latchkey.cli.vault import folder_of
from latchkey.core.account import Account
from latchkey.core.moments import span
from latchkey.core.networks import network
from latchkey.core.permissions import permissions_to_json
from latchkey.core.phrases import Finding, Phrase, Style
from latchkey.core.request import NO_CLAIMS
from latchkey.core.session import Limit
from latchkey.core.types import to_hex
from latchkey.core.words_pieces import Names
from latchkey.core.words_sessions import limit_line
from latchkey.errors import LatchkeyError
from latchkey.flow.session_rows import Row, View
from latchkey.flow.sessions import Sessions
from latchkey.flow.wallet_api import installed
from latchkey.language import tr
from latchkey.store.book import Book

_COLUMNS = ("ID", "WHO", "STATE", "ENDS", "MAY DO")
_WIDTHS = (6, 22, 22, 18)


def run(options: Namespace, output: Output) -> int:
    """0 when every account was read whole; 1 when one could not be read, or some blocks of its history: then no session is not none."""
    found: dict[Account, View | LatchkeyError] = {}
    folder = folder_of(options)
    with Book.open(folder.book) as book:
        chains = chains_of(options, folder)
        accounts = named_accounts(options, book)
        sessions = Sessions(book, chains, lambda: int(time.time()))
        sessions.refresh_all(accounts, lambda account, result: found.update({account: result}))
        views = [view for account in accounts if isinstance(view := found[account], View)]
        errors = {account: error for account in accounts if isinstance(error := found[account], LatchkeyError)}
        if errors and not views:
            raise next(iter(errors.values()))
        output.result([row_json(row) for view in views for row in view.rows], "\n".join(_text(views)))
        if not output.json:
            for view in views:
                sessions.looked(view)
    for account, error in errors.items():
        output.say(tr("latchkey: {called} could not be read: {error_text}", called=_called(account), error_text=error.text))
    for view in views:
        if not view.complete:
            output.say(f"latchkey: {_called(view.account)}: {view.basis(view.taken)}")
    return 0 if not errors and all(view.complete for view in views) else 1


# --- JSON


def row_json(row: Row) -> dict[str, Any]:
    """The stable shape. Amounts are decimal text in base units, times chain seconds (0: none)."""
    session = row.session
    return {
        "chainId": session.account.chain_id,
        "account": str(session.account.address),
        "system": session.account.system,
        "entityId": session.entity_id,
        "signer": session.signer and str(session.signer),
        "state": row.state.value,
        "permissions": permissions_to_json(session.install.permissions),
        "limits": [_limit_json(limit) for limit in session.limits],
        "validAfter": session.valid_after,
        "validUntil": session.valid_until,
        "context": session.signer and to_hex(installed(session)),
        "findings": [finding_json(finding) for finding in row.findings],
        "block": row.block.number,
        "complete": row.complete,
    }


def finding_json(finding: Finding) -> dict[str, str]:
    return {"id": finding.id, "level": str(finding.level), "sentence": finding.sentence, "advice": finding.advice}


def _limit_json(limit: Limit) -> dict[str, Any]:
    return {
        "kind": limit.kind.value,
        "token": limit.token and str(limit.token),
        "left": str(limit.left),
        "granted": None if limit.granted is None else str(limit.granted),
    }


# --- for people


def _text(views: Sequence[View]) -> Iterator[str]:
    if not views:
        yield tr("No accounts are in the book. Name one with --account, or add it in the window.")
    for index, view in enumerate(views):
        if index:
            yield ""
        yield from _account(view)


def _account(view: View) -> Iterator[str]:
    if view.rows:
        yield f"{_called(view.account)}. {view.basis(view.taken)}"
        yield ""
        yield _line(_COLUMNS)
        for row in view.rows:
            yield from _row(row, view.now)
    else:
        yield view.empty.plain
    yield from _marks(view.findings)
    if view.open_grants:
        yield tr("  Grants that may still become sessions:")
    for pending in view.open_grants:
        name = pending.record.label or tr("number {entity_id}", entity_id=pending.record.draft.entity_id)
        yield from _wrapped(f"        {name}: {pending.sentence}", "          ")


def _row(row: Row, now: int) -> Iterator[str]:
    ends = (
        "never" if not row.ends else f"{span(row.ends - now)}" if row.ends >= now else tr("{span} ago", span=span(now - row.ends))
    )
    new = " (new)" if row.since_last_look else ""
    yield _line((str(row.session.entity_id), short(row.title) + new, row.state.value, ends, short(row.line)))
    names = Names(row.session.account, NO_CLAIMS)
    for limit in row.session.limits:
        if limit.granted != 0:
            yield from _wrapped(f"        {short(limit_line(limit, names))}", "          ")
    yield from _marks(row.findings)


def _marks(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        yield from _wrapped(f"        {finding.level}: {finding.sentence} {finding.advice}", "          ")


def _line(cells: Sequence[str]) -> str:
    """Cells that are too long push the others on; nothing is cut."""
    padded = [cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=False)]
    return "  " + " ".join((*padded, cells[-1])).rstrip()


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, max(60, shutil.get_terminal_size((120, 24)).columns), subsequent_indent=indent)


def short(phrase: Phrase) -> str:
    """Addresses cut in the middle: a list is for finding things; --json has them whole."""
    return "".join(f"{p.text[:6]}…{p.text[-4:]}" if p.style is Style.ADDRESS else p.text for p in phrase.parts)


def _called(account: Account) -> str:
    name = f"{account.label}, " if account.label else ""
    return tr("{name}{address} on {name2}", name=name, address=account.address, name2=network(account.chain_id).name)
