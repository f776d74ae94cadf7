"""What came of an ending: the chain is asked again, and only what it says then counts.

Which views are asked is written into the book before anything is sent, so whoever sees it mined can judge it, after a restart too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from latchkey.accounts.modular_account import proof
from latchkey.accounts.modular_account.proof import Check, Rule
from latchkey.chain.node import RpcError
from latchkey.chain.refusals import data_of, refused, reverts
from latchkey.core.account import Account
from latchkey.core.reading import Cancel as CancelStep
from latchkey.core.reading import Step, Uninstall
from latchkey.core.types import Address, hex_bytes, to_hex
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, ChainError
from latchkey.flow.ending_plan import Item
from latchkey.language import tr
from latchkey.store.endings import EndingItem, ItemKind, ItemState

if TYPE_CHECKING:
    from latchkey.chain.node import Node
    from latchkey.chain.send import Landed


@dataclass(frozen=True, slots=True)
class ItemResult:
    """`sentence`: what came of it. `transaction`: 32 bytes and `block`, once it is in one."""

    kind: ItemKind
    entity_id: int
    grant_id: int
    state: ItemState
    sentence: str
    transaction: bytes | None = None
    block: int | None = None


def result_of(item: EndingItem) -> ItemResult:
    return ItemResult(item.kind, item.entity_id, item.grant_id, item.state, item.sentence, item.transaction, item.block)


# Before -----------------------------------------------------------------------------------------------------------------------------


def to_keep(item: Item, account: Account, batch: int) -> EndingItem:
    """The item as the book keeps it, with what is to be asked afterwards."""
    must: Sequence[Check] = ()
    clean: Sequence[Check] = ()
    match item.kind:
        case ItemKind.REVOKE:
            assert item.session is not None
            must = proof.ended(item.session)
            clean = proof.forgotten(item.session) if item.clean else ()
        case ItemKind.CANCEL:
            must = proof.cancelled(account.address, item.nonce)
        case ItemKind.LOWER:
            assert item.session is not None
            assert item.limit is not None
            must = proof.lowered(item.session, item.limit, item.to)
            to = [item.limit.kind.value, str(item.limit.token or ""), str(item.to)]
            return _kept(item.kind, item.entity_id, must, clean, batch=batch, whole=item.clean, to=to)
        case ItemKind.SHORTEN:
            assert item.session is not None
            must = proof.shortened(item.session, item.to)
        case ItemKind.CLEAN:
            must = proof.cleaned(account.address, item.leftovers)
    return _kept(item.kind, item.entity_id, must, clean, batch=batch, grant_id=item.grant_id, whole=item.clean)


def of_steps(steps: Iterable[Step], account: Account, batch: int) -> tuple[EndingItem, ...]:
    """Items of an operation that was signed elsewhere or earlier, by what its bytes say. Tightening is told by nothing but the receipt."""
    found: dict[tuple[ItemKind, int], EndingItem] = {}
    for step in steps:
        match step:
            case Uninstall(entity_id):
                must = proof.gone(account.address, entity_id)
                found[ItemKind.REVOKE, entity_id] = _kept(ItemKind.REVOKE, entity_id, must, (), batch=batch, whole=False)
            case CancelStep():
                must = proof.cancelled(account.address, step.key << 64)
                found[ItemKind.CANCEL, step.entity_id] = _kept(ItemKind.CANCEL, step.entity_id, must, (), batch=batch)
            case _:
                entity_id = getattr(step, "entity_id", 0)
                if (ItemKind.REVOKE, entity_id) not in found:
                    found[ItemKind.LOWER, entity_id] = _kept(ItemKind.LOWER, entity_id, (), (), batch=batch)
    return tuple(found.values())


def _kept(
    kind: ItemKind,
    entity_id: int,
    must: Sequence[Check],
    clean: Sequence[Check],
    *,
    batch: int,
    grant_id: int = 0,
    whole: bool = True,
    to: Sequence[str] = (),
) -> EndingItem:
    """`to`: the limit that is lowered (kind, token) and what it is lowered to."""
    detail = {"must": list(map(_check_out, must)), "clean": list(map(_check_out, clean)), "whole": whole}
    if to:
        detail["to"] = list(to)
    return EndingItem(kind, entity_id, batch, grant_id, json.dumps(detail, separators=(",", ":")))


def _check_out(check: Check) -> list[str]:
    return [str(check.to), to_hex(check.data), check.rule.value, to_hex(check.value), str(check.sender or "")]


def _check_in(value: Any) -> Check:
    to, data, rule, wanted, sender = value
    return Check(Address.parse(to), hex_bytes(data), Rule(rule), hex_bytes(wanted), Address.parse(sender) if sender else None)


def _checks(detail: Mapping[str, Any], name: str) -> list[Check]:
    try:
        return list(map(_check_in, detail.get(name, ())))
    except (BadInput, TypeError, ValueError):
        return []


# After ------------------------------------------------------------------------------------------------------------------------------


def settled(node: Node, account: Account, item: EndingItem, landed: Landed) -> EndingItem:
    """Judge an item whose operation is in a block and was not undone. Raises ChainError when the chain cannot be asked."""
    detail = read_json(item.detail)
    must, clean = _checks(detail, "must"), _checks(detail, "clean")
    holds = _holding(node, [*must, *clean])
    state, sentence = _judged(item, detail, landed, account, holds[: len(must)], holds[len(must) :])
    if item.kind is ItemKind.LOWER and state is ItemState.DONE and _was_less(node, must, landed.block - 1):
        state = ItemState.FAILED
        sentence = tr(
            "The key spent more of it before this was in a block, so this gave some back. Lower it once more, or revoke the session."
        )
    return replace(item, state=state, sentence=sentence, transaction=landed.transaction, block=landed.block)


def overtaken(node: Node, item: EndingItem, error: ChainError) -> EndingItem:
    """An item whose operation came to nothing. When what was wanted is so all the same, somebody else did it."""
    must = _checks(read_json(item.detail), "must")
    try:
        done = bool(must) and item.kind in (ItemKind.REVOKE, ItemKind.CANCEL) and all(_holding(node, must))
    except ChainError:
        done = False
    if done:
        return replace(item, state=ItemState.DONE, sentence="The chain says it is over, though by something else than this.")
    return replace(item, state=ItemState.FAILED, sentence=error.text)


def _judged(
    item: EndingItem, detail: Mapping[str, Any], landed: Landed, account: Account, must: list[bool], clean: list[bool]
) -> tuple[ItemState, str]:
    block = tr("block {block}", block=landed.block)
    if not all(must):
        return ItemState.FAILED, tr(
            "It was mined in {block}, but {not_so} Read the account again and try once more.",
            block=block,
            not_so=_NOT_SO[item.kind],
        )
    if item.kind is not ItemKind.REVOKE:
        return ItemState.DONE, tr("{so} in {block}.", so=_SO[item.kind], block=block)
    flags = proof.uninstalled(landed.logs, account.address)
    if not flags.get(item.entity_id):
        return ItemState.FAILED, tr(
            "Its key is ended ({block}) and refused, but a module would not forget what it keeps. {clean}",
            block=block,
            clean=_CLEAN,
        )
    if not all(clean):
        return ItemState.FAILED, tr(
            "Its key is ended ({block}) and refused, but something of it is still stored. {clean}", block=block, clean=_CLEAN
        )
    if not detail.get("whole"):
        return ItemState.DONE, tr(
            "Ended in {block}: its key is refused. What its modules may still keep can be cleaned.", block=block
        )
    return ItemState.DONE, tr("Ended in {block}: its key is refused, and nothing of it is stored any more.", block=block)


_CLEAN = tr("Clean it, so that it cannot come back into force.")
_SO = {
    ItemKind.CANCEL: tr("Cancelled"),
    ItemKind.LOWER: tr("Lowered"),
    ItemKind.SHORTEN: tr("Shortened"),
    ItemKind.CLEAN: tr("Cleaned"),
}
_NOT_SO = {
    ItemKind.REVOKE: tr("the session is still there."),
    ItemKind.CANCEL: tr("the grant can still be used."),
    ItemKind.LOWER: tr("the limit is not what it was set to."),
    ItemKind.SHORTEN: tr("the end is not what it was set to."),
    ItemKind.CLEAN: tr("something is still stored."),
}


def _holding(node: Node, checks: Sequence[Check], tag: str = "latest") -> list[bool]:
    asked = []
    for check in checks:
        call = {"to": check.to, "data": to_hex(check.data)} | ({"from": check.sender} if check.sender else {})
        asked.append(("eth_call", call, tag))
    answers = node.many(asked) if asked else []
    return [_holds(check, answer) for check, answer in zip(checks, answers, strict=True)]


def _holds(check: Check, answer: Any) -> bool:
    if isinstance(answer, RpcError):
        if not reverts(answer):
            raise refused(answer)
        return check.holds(None, data_of(answer))
    try:
        return check.holds(hex_bytes(answer))
    except BadInput:
        raise ChainError(tr("The RPC answers with something that is no value; use another one."), code="BadAnswer") from None


def _was_less(node: Node, must: Sequence[Check], block: int) -> bool:
    """Was there less left, the block before, than it was set to? False where the node does not remember."""
    for check in must:
        try:
            answer = hex_bytes(node.call("eth_call", {"to": check.to, "data": to_hex(check.data)}, hex(block)), size=32)
        except (ChainError, BadInput):
            continue
        if int.from_bytes(answer, "big") < int.from_bytes(check.value, "big"):
            return True
    return False
