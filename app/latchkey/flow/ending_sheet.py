"""What a sheet of endings shows: for each account what will end, the ways to send it, what came of it, and what is worth doing then.

    job = prepare_job(ending, sessions, Job(view, RevokeAll()), now)     planned, with its ways; or job.trouble says why not
    sending: job.way is the one chosen; results go into job.results
    again(job), cleaning(job, view)                                      what to ask for next, None when there is nothing

Toolkit-free. What asks the chain blocks; use a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING

from latchkey.accounts import transaction as transactions
from latchkey.accounts.modular_account.build import HALF
from latchkey.accounts.modular_account.userop import to_bytes
from latchkey.accounts.system import system
from latchkey.chain.fees import Fee
from latchkey.core.ending import Ending as Told
from latchkey.core.ending import Known
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.phrases import Words
from latchkey.core.words_endings import describe_endings
from latchkey.errors import LatchkeyError, Refused
from latchkey.flow.ending_plan import Cancel, Clean, Plan, Revoke, RevokeAll, Tighten, What
from latchkey.flow.ending_results import ItemResult
from latchkey.flow.ending_ways import Way, WayKind, operation, own_gas, transaction
from latchkey.language import tr, trn
from latchkey.store.endings import ItemKind, ItemState

if TYPE_CHECKING:
    from latchkey.flow.ending import Ending
    from latchkey.flow.session_rows import View
    from latchkey.flow.sessions import Sessions

_OLD = 30  # seconds after which a reading is taken anew before anything is planned on it
_LEVEL = Fee(1, 1)


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted of one account, and how far it is. `trouble`: why nothing comes of it, or what it broke off with."""

    view: View
    what: What
    plan: Plan | None = None
    ways: tuple[Way, ...] = ()
    way: Way | None = None
    results: tuple[ItemResult, ...] = ()
    trouble: LatchkeyError | None = None

    @property
    def ready(self) -> bool:
        """It can be signed here and sent."""
        return self.plan is not None and self.way is not None and self.way.possible and not self.results


def prepare_job(
    ending: Ending,
    sessions: Sessions,
    job: Job,
    now: int,
    *,
    fresh: bool = False,
    say: Callable[[str], object] = lambda _text: None,
    stop: Event | None = None,
) -> Job:
    """Read again what is old (or anyhow: `fresh`), try everything, ask what it costs. What hinders it stands in `trouble`."""
    view = job.view
    try:
        if fresh or now - view.taken > _OLD:
            say(tr("Reading the account again."))
            view = sessions.refresh(view.account, stop=stop)
        say(tr("Trying it on the chain."))
        plan = ending.plan(view.reading, job.what, stop)
        if not plan.batches:
            return replace(job, view=view, plan=plan)
        say(tr("Asking what it costs."))
        ways = ending.ways(plan, stop)
    except LatchkeyError as error:
        return replace(job, view=view, plan=None, trouble=error)
    best = next((way for way in ways if way.possible and way.kind is not WayKind.EXPORT), None)
    return Job(view, job.what, plan, ways, best)


# What it says -----------------------------------------------------------------------------------------------------------------------


def words_of(plan: Plan, view: View, now: int, notes: Notes = NO_NOTES) -> Words:
    """What the plan does, worded by the same rules as what is signed. Its cost is the way's to say."""
    face, account = system(plan.account.system), plan.account
    told = []
    for number, batch in enumerate(plan.batches):
        if plan.deployed:  # the plainest form; what is true of operations alone stands at the desk
            made = transaction(account.chain_id, account.address, face.owner_call(batch.call_data), number, batch.gas, _LEVEL)
            told.append(Told(face.decode_transaction(transactions.to_bytes(made), account.address), (1,)))
        else:
            gas = own_gas(batch.gas, batch.call_data, deploys=True)
            told.append(Told(face.decode_operation(to_bytes(operation(plan, batch, number, gas, _LEVEL))), (1,)))
    return describe_endings(told, account=account, now=now, known=tuple(_known(view)), notes=notes)


def _known(view: View) -> Iterator[Known]:
    for row in view.rows:
        s = row.session
        yield Known(s.entity_id, row.label, s.signer, s.limits, s.valid_until, view.reading.block.number)
    open_ids = {row.session.entity_id for row in view.rows}
    for pending in view.pending:
        draft = pending.record.draft
        if draft.entity_id not in open_ids:
            yield Known(draft.entity_id, pending.record.label, draft.session_key)


def title_of(view: View, kind: ItemKind, entity_id: int, grant_id: int) -> str:
    """Of an item, for a list: "Game key (session 5)"."""
    if kind is ItemKind.CANCEL:
        label = next((p.record.label for p in view.pending if p.record.id == grant_id), "")
        return (
            tr("{label} (grant for session {entity_id})", label=label, entity_id=entity_id)
            if label
            else tr("Grant for session {entity_id}", entity_id=entity_id)
        )
    label = next((row.label for row in view.rows if row.session.entity_id == entity_id), "")
    name = (
        tr("{label} (session {entity_id})", label=label, entity_id=entity_id)
        if label
        else tr("Session {entity_id}", entity_id=entity_id)
    )
    return f"{name}: {_CHANGES[kind]}" if kind in _CHANGES else name


_CHANGES = {ItemKind.LOWER: tr("limit"), ItemKind.SHORTEN: tr("end"), ItemKind.CLEAN: tr("what it left")}


def heading(jobs: tuple[Job, ...]) -> str:
    """What the sheet is about."""
    what = jobs[0].what
    where = jobs[0].view.account.label if len(jobs) == 1 else tr("{count} accounts", count=len(jobs))
    match what:
        case RevokeAll():
            return tr("Revoke everything on {where}", where=where) if where else tr("Revoke everything")
        case Revoke():
            count = sum(len(job.what.entity_ids) for job in jobs if isinstance(job.what, Revoke))
            return trn("Revoke this session", "Revoke {count} sessions", count)
        case Cancel(grants):
            return trn("Cancel this grant", "Cancel {count} grants", len(grants))
        case Tighten():
            return tr("Tighten this session")
        case Clean():
            return tr("Clean up what was left")


def verb(jobs: tuple[Job, ...]) -> str:
    match jobs[0].what:
        case RevokeAll():
            return tr("Revoke all")
        case Revoke():
            return tr("Revoke")
        case Cancel(grants):
            return trn("Cancel grant", "Cancel grants", len(grants))
        case Tighten():
            return tr("Tighten")
        case Clean():
            return tr("Clean up")


def summary(results: Sequence[ItemResult]) -> str:
    """ "2 done, 1 failed." """
    count = {state: sum(result.state is state for result in results) for state in ItemState}
    done, failed, pending = count[ItemState.DONE], count[ItemState.FAILED], count[ItemState.PENDING]
    if not failed and not pending:
        return trn("Done.", "All {count} are done.", done)
    said = [
        f"{number} {what}" for number, what in ((done, tr("done")), (failed, tr("failed")), (pending, tr("on the way"))) if number
    ]
    return f"{', '.join(said)}."


# What is next ------------------------------------------------------------------------------------------------------------------------


def again(job: Job) -> What | None:
    """The same for what failed, or did not get so far."""
    if isinstance(job.what, Tighten | Clean) or not job.results:
        wanted: What | None = job.what if job.trouble or _failed(job) else None
        return wanted
    failed = _failed(job)
    ids = tuple(dict.fromkeys(r.entity_id for r in failed if r.kind is ItemKind.REVOKE and r.block is None))
    grants = tuple(r.grant_id for r in failed if r.kind is ItemKind.CANCEL and r.grant_id)
    if ids and grants:
        return RevokeAll()
    return Revoke(ids) if ids else Cancel(grants) if grants else None


def _failed(job: Job) -> list[ItemResult]:
    return [result for result in job.results if result.state is ItemState.FAILED]


def may_be_cleaned(job: Job) -> frozenset[int]:
    """Ids whose key is ended while something of them may still be stored."""
    partly = {item.entity_id for item in job.plan.items if not item.clean} if job.plan else set()
    return frozenset(
        r.entity_id
        for r in job.results
        if r.kind is ItemKind.REVOKE
        and r.block is not None
        and (r.state is ItemState.FAILED or (r.state is ItemState.DONE and r.entity_id in partly))
    )


def cleaning(view: View, ids: frozenset[int]) -> Clean:
    """What the chain still has of these. Raises Refused when there is nothing."""
    halves = ids | {entity_id + HALF for entity_id in ids}
    found = tuple(left for left in view.reading.leftovers if left.entity_id in halves)
    if not found:
        raise Refused(tr("Nothing of it is stored any more."), code="NothingToDo")
    return Clean(found)
