"""`latchkey explain`."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from latchkey.cli.node import node_at
from latchkey.cli.output import Output, read_input
from latchkey.core.account import Account, Mode
from latchkey.core.digest_words import digest_words
from latchkey.core.phrases import Finding
from latchkey.core.types import Address, to_hex
from latchkey.errors import BadInput
from latchkey.flow.explain import Explanation
from latchkey.flow.explain import explain as explain_bytes
from latchkey.language import tr


def explain(options: Namespace, output: Output) -> None:
    data, now, account = read_input(options.file), int(time.time()), account_of(options)
    found = explain_bytes(data, now=now, account=account)
    if options.rpc and found.draft is not None and found.draft["account"] is not None:
        found = replace(found, findings=_online(data, options.rpc, found, now, account))
    output.result(explanation_json(found), "\n".join(_lines(found)))


def _online(data: bytes, rpc: str, found: Explanation, now: int, account: Account | None) -> tuple[Finding, ...]:
    from latchkey.flow.surroundings import findings_online
    from latchkey.flow.trying import read_subject

    subject = read_subject(data, now=now, account=account)
    with node_at(rpc) as node:
        return findings_online(subject.unsigned, subject.account, node, now=now, signed=found.signer is not None)


def account_of(options: Namespace) -> Account | None:
    """What --account and --chain-id name."""
    if options.account is None and options.chain_id is None:
        return None
    if options.account is None or options.chain_id is None or options.chain_id < 1:
        raise BadInput(tr("Name both: --account and --chain-id."), path="account")
    return Account(options.chain_id, Address.parse(options.account, path="account"), "modular_account", Mode.ADDRESS)


def explanation_json(found: Explanation) -> dict[str, Any]:
    """The stable shape; `draft` is null when the bytes grant nothing that a draft can say."""
    words = found.words
    return {
        "draft": found.draft,
        "headline": words.headline.plain,
        "can": [p.plain for p in words.can],
        "cannot": [p.plain for p in words.cannot],
        "mostYouCanLose": [p.plain for p in words.most_you_can_lose],
        "purpose": str(words.purpose),
        "findings": findings_json(found.findings),
        "signed": [list(row) for row in words.signed],
        "digest": to_hex(found.digest) if found.digest else None,
        "digestWords": " ".join(digest_words(found.digest)) if found.digest else None,
        "lessThanAsked": [p.plain for p in found.less],
        "signer": found.signer and str(found.signer),
        "envelope": found.envelope,
    }


def findings_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"id": f.id, "level": str(f.level), "sentence": f.sentence, "advice": f.advice} for f in findings]


def _lines(found: Explanation) -> Iterator[str]:
    words = found.words
    yield words.headline.plain
    headings = words.headings
    for title, phrases in ((headings.can, words.can), (headings.cannot, words.cannot), (headings.most, words.most_you_can_lose)):
        if phrases:
            yield f"\n{title}"
            yield from (f"  - {phrase.plain}" for phrase in phrases)
    if found.less:
        yield tr("\nIt says that the request asked for more")
        yield from (f"  - {phrase.plain}" for phrase in found.less)
    if found.findings:
        yield "\nMind"
        yield from (f"  - {f.level}: {f.sentence} {f.advice} [{f.id}]" for f in found.findings)
    yield tr("\nWhat is signed")
    yield from (f"  {label}: {value}" for label, value in words.signed)
    if found.digest:
        yield tr("  Digest: {digest}", digest=to_hex(found.digest))
        yield tr("  Digest in words: {digest_words}", digest_words=" ".join(digest_words(found.digest)))
    if found.signer:
        yield tr("  Signed by the key of: {signer}", signer=found.signer)
