"""`latchkey try`: what the account would do with a call of a grant's key, by the model and, with --rpc, by the chain."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from latchkey.accounts.modular_account.model import Denied
from latchkey.cli.explain import account_of
from latchkey.cli.node import node_at
from latchkey.cli.output import Output, read_input
from latchkey.core.amounts import ETH, parse_amount
from latchkey.core.arguments import calldata
from latchkey.core.functions import function_of
from latchkey.core.types import Address, hex_bytes
from latchkey.errors import BadInput
from latchkey.flow.trying import Answer, Question, Verdict, parse_moment, read_subject, try_call
from latchkey.language import tr


def run(options: Namespace, output: Output) -> int:
    """0 when the account would do it, 1 when not or when nobody can tell."""
    now = int(time.time())
    question = _question(options)
    subject = read_subject(read_input(options.file), now=now, account=account_of(options))
    if options.owner:
        subject = subject.owned_by(Address.parse(options.owner, path="owner"))
    with node_at(options.rpc) as node:
        answer = try_call(subject, question, now=now, node=node)
    output.result(_json(answer), "\n".join(_lines(answer, bool(node))))
    return 0 if answer.verdict is Verdict.ALLOWED else 1


def _question(options: Namespace) -> Question:
    if options.function and options.data:
        raise BadInput(tr("Give --data, or --function with --arg for each argument, not both."), path="data")
    data = calldata(options.function, options.arg or []) if options.function else hex_bytes(options.data or "0x", path="data")
    target = Address.parse(options.to, path="to") if options.to else None
    if target is None and not data:
        raise BadInput(tr("Name the contract with --to, or give with --data what the account itself is asked."), path="to")
    return Question(
        target=target,
        data=data,
        value=parse_amount(options.value, ETH, path="value") if options.value else 0,
        at=parse_moment(options.at) if options.at else None,
        by_key=options.by_key,
        paymaster=Address.parse(options.paymaster, path="paymaster") if options.paymaster else None,
        signature=function_of(options.function).signature or "" if options.function else "",
        arguments=tuple(options.arg or ()),
    )


def _json(answer: Answer) -> dict[str, Any]:
    """The stable shape; `chain` is null when the chain was not asked or could not tell, `model.outcome` when the model cannot."""
    model, chain = answer.model, answer.chain
    told = None
    if chain is not None:
        told = {
            "outcome": "done" if chain.stage is None else "contract" if chain.of_target else str(chain.stage),
            "module": chain.module and str(chain.module),
            "error": chain.error,
            "selector": chain.selector,
            "block": chain.block,
            "installed": chain.installed,
        }
    denied = model if isinstance(model, Denied) else None
    return {
        "verdict": str(answer.verdict),
        "headline": answer.headline.plain,
        "asked": [p.plain for p in answer.asked],
        "at": answer.at,
        "model": {
            "outcome": None if model is None else str(denied.stage) if denied else "allowed",
            "module": str(denied.module) if denied and denied.module else None,
            "error": denied.error if denied else "",
            "selector": denied.selector if denied else "",
            "says": answer.model_says.plain,
        },
        "chain": told,
        "chainSays": answer.chain_says.plain,
        "agree": answer.agree,
        "remarks": [p.plain for p in answer.remarks],
    }


def _lines(answer: Answer, online: bool) -> Iterator[str]:
    yield answer.headline.plain
    yield tr("\nIt is asked to")
    yield from (f"  - {p.plain}" for p in answer.asked)
    yield tr("\nLatchkey's model")
    yield f"  {answer.model_says.plain}"
    if online:
        yield tr("\nThe chain") + (tr(", at block {block}", block=answer.chain.block) if answer.chain else "")
        yield f"  {answer.chain_says.plain}"
    if answer.agree is not None:
        yield tr("\nThey agree.") if answer.agree else tr("\nThey do not agree.")
    yield from (f"\n{p.plain}" for p in answer.remarks)
