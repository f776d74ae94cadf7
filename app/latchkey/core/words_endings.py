"""Words for what takes power away: what ends, what is cancelled, what is tightened, what stays, and what it costs.

The bytes name a session by its id alone. What else is said of it (its name, its key, what was left) is somebody's word and stands there
as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latchkey.core.account import Account
from latchkey.core.amounts import GWEI, format_amount
from latchkey.core.ending import Ending, Known
from latchkey.core.lookalikes import clean
from latchkey.core.moments import until, utc
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.networks import network
from latchkey.core.phrases import Part, Phrase, Purpose, Style, Words
from latchkey.core.reading import Bundle, Cancel, Clean, Lower, Operation, Shorten, Step, Transaction, Uninstall
from latchkey.core.request import Claims
from latchkey.core.session import Limit, LimitKind
from latchkey.core.types import keccak, to_hex
from latchkey.core.words_pieces import Names, address_part, code, phrase, say, strong
from latchkey.language import tr, trn

_WITH_RUNTIME_VALIDATION = bytes.fromhex("f2680c0f")
_KIND = {LimitKind.NATIVE: tr("{coin} limit"), LimitKind.GAS: tr("gas limit"), LimitKind.ERC20: tr("token limit")}


def describe_endings(
    endings: Sequence[Ending], *, account: Account, now: int, known: Sequence[Known] = (), notes: Notes = NO_NOTES
) -> Words:
    """What signing all of them does. They hold nothing but known steps. `known`: what is said of the sessions they name."""
    told = _Told(endings, Names(account, Claims(), notes), now, {one.entity_id: one for one in known})
    return Words(
        told.headline(),
        tuple(told.will()),
        tuple(told.will_not()),
        tuple(told.most()),
        tuple(_signed(endings, account)),
        Purpose.ENDING,
    )


class _Told:
    def __init__(self, endings: Sequence[Ending], names: Names, now: int, known: dict[int, Known]) -> None:
        self.endings, self.names, self.now, self.known = endings, names, now, known
        self.steps = [step for ending in endings for step in steps_of(ending.reading)]
        self.ended = {step.entity_id: step for step in self.steps if isinstance(step, Uninstall)}
        self.cancelled = _counted([step for step in self.steps if isinstance(step, Cancel)])
        self.changed = [s for s in self.steps if isinstance(s, Lower | Shorten) and s.entity_id not in self.ended]
        self._introduced: set[int] = set()
        self.cleaned = {s.entity_id for s in self.steps if isinstance(s, Clean | Lower) and s.entity_id in self.ended}

    # --- in one sentence

    def headline(self) -> Phrase:
        parts: list[list[Part]] = []
        if self.ended:
            parts.append([strong(tr("ends ")), Part(_sessions(list(self.ended)))])
        if grants := [cancel for cancel in self.cancelled if cancel.is_grant]:
            parts.append([strong(tr("cancels ")), Part(trn("a signed grant", "{count} signed grants", len(grants)))])
        if others := len(self.cancelled) - len(grants):
            parts.append([strong(tr("cancels ")), Part(trn("a waiting operation", "{count} waiting operations", others))])
        if self.changed:
            verb = tr("tightens ") if all(map(self._is_less, self.changed)) else tr("sets the limits of ")
            parts.append([strong(verb), Part(_sessions(list(dict.fromkeys(s.entity_id for s in self.changed))))])
        said = [part for place, one in enumerate(parts) for part in (*_joint(place, len(parts)), *one)]
        carried = sum(
            len(e.reading.bundle.operations) for e in self.endings if isinstance(e.reading, Transaction) and e.reading.bundle
        )
        orders = trn("an order that the owner signed", "{count} orders that the owner signed", carried)
        start = tr("This carries {orders} to the chain, and ", orders=orders) if carried else tr("This ")
        return say("{start}{said} of your account {whose}.", start=start, said=said, whose=self.names.whose())

    # --- it will

    def will(self) -> Iterator[Phrase]:
        dead = tr("can do nothing more once this has succeeded on the chain")
        for entity_id in self.ended:
            yield phrase(
                strong(tr("end ")), self._session(entity_id), tr(": its key {dead}", dead=dead) if len(self.ended) == 1 else ""
            )
        if len(self.ended) > 1:
            yield say("leave their keys without any power: they {dead}", dead=dead)
        yield from self._kept()
        for cancel, times in self.cancelled.items():
            yield self._cancel(cancel, times)
        for one in self.changed:
            yield self._lower(one) if isinstance(one, Lower) else self._shorten(one)
        if any(isinstance(e.reading, Operation) and e.reading.init_code for e in self.endings):
            yield say("put the account's code on the chain first, for it is not there yet")

    def _session(self, entity_id: int) -> list[Part]:
        """The key is named where the session is first."""
        known = self.known.get(entity_id) or Known(entity_id)
        label = clean(known.label)
        said = [Part(f"“{label}”", Style.CLAIM)] if label else []
        if known.key and entity_id not in self._introduced:
            said += [Part(tr(", key ") if said else tr("of key "), Style.CLAIM), address_part(known.key)]
        self._introduced.add(entity_id)
        about = [Part(tr(" (said to be "), Style.CLAIM), *said, Part(")", Style.CLAIM)] if said else []
        return [*say("session {entity_id}{about}", entity_id=entity_id, about=about).parts]

    def _kept(self) -> Iterator[Phrase]:
        """What the endings clear and what they leave; the bytes do not tell how many hooks there are."""
        given = {entity_id: [bool(data) for data in step.hook_data] for entity_id, step in self.ended.items()}
        whole = [e for e, data in given.items() if data and all(data)]
        part = [e for e, data in given.items() if any(data) and not all(data)]
        cleaned = [e for e, data in given.items() if not any(data) and e in self.cleaned]
        left = [e for e, data in given.items() if not any(data) and e not in self.cleaned]
        back = tr("they come back if the same id is ever granted again")
        if whole:
            yield say("clear the limits and lists of {sessions}", sessions=_sessions(whole))
        if part:
            yield say(
                "clear some limits and lists of {sessions} and leave the others stored: {back}", sessions=_sessions(part), back=back
            )
        if cleaned:
            yield say("clear what {sessions} left stored", sessions=_sessions(cleaned))
        if left:
            yield say("leave any limits and lists of {sessions} stored on the chain: {back}", sessions=_sessions(left), back=back)
        if keyed := [entity_id for entity_id, step in self.ended.items() if not step.uninstall_data]:
            yield say("leave the key of {sessions} stored with its module, where it has no force", sessions=_sessions(keyed))

    def _cancel(self, cancel: Cancel, times: int) -> Phrase:
        key = [*say("nonce key {key}", key=code(hex(cancel.key >> 40))).parts]
        often = tr(", {times} nonces from the next one on", times=times) if times > 1 else ""
        if cancel.is_grant:
            start = tr(" the signed grant for session {entity_id} (", entity_id=cancel.entity_id)
            return say(
                "{cancel}{start}{key}){often}: it can never be used any more",
                cancel=strong(tr("cancel")),
                start=start,
                key=key,
                often=often,
            )
        whose = tr("you signed ahead") if cancel.entity_id == 0 else tr("session {entity_id} signed", entity_id=cancel.entity_id)
        return say(
            "{cancel} the next operation {whose} under {key}{often}", cancel=strong(tr("cancel")), whose=whose, key=key, often=often
        )

    def _lower(self, step: Lower) -> Phrase:
        limit = self._limit(step)
        what = _KIND[_kind(step)].format(coin=self.names.coin)
        to = self.names.coins(step.amount) if step.token is None else self.names.tokens(step.amount, step.token)
        start = [
            *say(
                "{lower} what is left of the {what} of ", lower=strong(tr("lower") if self._is_less(step) else tr("set")), what=what
            ).parts
        ]
        was = self.known[step.entity_id] if limit else None
        return say(
            "{start}{session}{from_} to {to}",
            start=start,
            session=self._session(step.entity_id),
            from_=self._from(limit, was),
            to=to,
        )

    def _is_less(self, step: Lower | Shorten) -> bool:
        """By what is said of the session; to nothing is less in any case."""
        if isinstance(step, Shorten):
            known = self.known.get(step.entity_id)
            return known is not None and step.until < known.until
        limit = self._limit(step)
        return step.amount == 0 or (limit is not None and step.amount < limit.left)

    def _from(self, limit: Limit | None, known: Known | None) -> list[Part]:
        if limit is None or known is None:
            return []
        left = [self.names.coins(limit.left)] if limit.token is None else [strong(self.names.amount(limit.left, limit.token))]
        return [*say(" from {left}{read_at}", left=left, read_at=Part(_read_at(known), Style.CLAIM)).parts]

    def _limit(self, step: Lower) -> Limit | None:
        known = self.known.get(step.entity_id)
        return next((x for x in known.limits if (x.kind, x.token) == (_kind(step), step.token)), None) if known else None

    def _shorten(self, step: Shorten) -> Phrase:
        known = self.known.get(step.entity_id)
        was = (
            [*say(", instead of {time}{read_at}", time=utc(known.until), read_at=Part(_read_at(known), Style.CLAIM)).parts]
            if known and known.until
            else []
        )
        begins = tr(", from {time} on", time=utc(step.after)) if step.after else ""
        return say(
            "let {session} work{begins} {until}{was}",
            session=self._session(step.entity_id),
            begins=begins,
            until=strong(tr("until {until}", until=until(step.until, self.now))),
            was=was,
        )

    # --- it will not

    def will_not(self) -> Iterator[Phrase]:
        if self.ended:
            yield say(
                "take back what a session approved, spent or signed before: approvals to others stay until you take them back"
            )
            if not any(cancel.is_grant for cancel in self.cancelled):
                yield say("stop a grant that is signed but not used yet; that takes cancelling it")
        elif self.changed:
            yield say("take back what a session approved or spent before")
        if any(cancel.is_grant for cancel in self.cancelled) and not self.ended:
            yield say("end a session whose grant was used already")
        if self.ended or self.cancelled:
            yield say("be undone; a new session has to be granted instead")
        yield say("send money or tokens, or let any key in")
        if any(isinstance(ending.reading, Operation) for ending in self.endings):
            yield say("lapse by itself: whoever has it may send it, until it is used or cancelled, or the owner changes")

    # --- most it can cost

    def most(self) -> Iterator[Phrase]:
        if len(self.endings) > 1:
            yield say(
                "{total} in gas for all of them together:",
                total=self.names.coins(sum(ending.reading.most for ending in self.endings)),
            )
        for ending in self.endings:
            yield from self._cost(ending)

    def _cost(self, ending: Ending) -> Iterator[Phrase]:
        reading = ending.reading
        count = (
            tr(" This is the dearest of {count}; only one of them can ever be used.", count=len(ending.fees))
            if len(ending.fees) > 1
            else ""
        )
        payer = tr("the account") if isinstance(reading, Operation) else tr("the key that sends it, from its own money")
        units = tr(
            " in gas, paid by {payer} ({gas} units at up to {amount} gwei).{count}",
            payer=payer,
            gas=reading.gas,
            amount=format_amount(reading.max_fee_per_gas, GWEI),
            count=count,
        )
        yield phrase(self.names.coins(reading.most), units)
        if isinstance(reading, Transaction) and reading.bundle:
            back = sum(op.most for op in reading.bundle.operations)
            yield say(
                "Of that the account pays back its part, up to {back}, to the key that sends it.", back=self.names.coins(back)
            )


def steps_of(reading: Operation | Transaction) -> tuple[Step, ...]:
    """All steps, those of operations that a transaction carries too."""
    if isinstance(reading, Transaction) and reading.bundle is not None:
        return tuple(step for op in reading.bundle.operations for step in op.steps)
    return reading.steps


def _counted(cancels: Sequence[Cancel]) -> dict[Cancel, int]:
    return {cancel: cancels.count(cancel) for cancel in dict.fromkeys(cancels)}


def _sessions(entity_ids: Sequence[int]) -> str:
    if len(entity_ids) > 5:
        return tr("{count} sessions", count=len(entity_ids))
    *others, last = map(str, entity_ids)
    return tr("sessions {others} and {last}", others=", ".join(others), last=last) if others else tr("session {last}", last=last)


def _joint(place: int, count: int) -> list[Part]:
    return [Part("" if place == 0 else tr(" and ") if place == count - 1 else ", ")]


def _kind(step: Lower) -> LimitKind:
    return LimitKind.ERC20 if step.token else LimitKind.GAS if step.is_gas else LimitKind.NATIVE


def _read_at(known: Known) -> str:
    return tr(" (as read at block {block})", block=known.block) if known.block else tr(" (as was said)")


# --- what is signed


def _signed(endings: Sequence[Ending], account: Account) -> Iterator[tuple[str, str]]:
    yield tr("Network"), tr("{name} (chain id {chain_id})", name=network(account.chain_id).name, chain_id=account.chain_id)
    yield tr("Account"), str(account.address)
    for number, ending in enumerate(endings, 1):
        which = f"{number}: " if len(endings) > 1 else ""
        fees = (
            [(tr("Highest fee of each"), ", ".join(tr("{fee} wei per gas", fee=fee) for fee in ending.fees))]
            if len(ending.fees) > 1
            else []
        )
        reading = ending.reading
        fields = _operation(reading) if isinstance(reading, Operation) else _transaction(reading)
        yield from ((which + label, value) for label, value in (*fields, *fees))


def _operation(op: Operation) -> Iterator[tuple[str, str]]:
    yield tr("Kind"), tr("User operation for EntryPoint 0.7: an order of the account's owner, carried to the chain by anybody")
    yield tr("Sender"), str(op.sender)
    yield tr("Nonce"), f"0x{op.nonce:064x}"
    yield (
        tr("Nonce key"),
        tr(
            "{nonce_key}, entity {entity_id}, options {options}, sequence {sequence}",
            nonce_key=hex(op.nonce_key),
            entity_id=op.entity_id,
            options=op.options,
            sequence=op.sequence,
        ),
    )
    yield tr("Verification gas limit"), str(op.verification_gas_limit)
    yield tr("Call gas limit"), str(op.call_gas_limit)
    yield tr("Gas before verification"), str(op.pre_verification_gas)
    yield from _fees(op)
    yield tr("Deploys the account"), _bytes(op.init_code) if op.init_code else tr("no")
    yield tr("Paymaster"), to_hex(op.paymaster_and_data) if op.paymaster_and_data else tr("none")
    yield tr("Call"), _bytes(op.call_data)
    yield from _steps(op.steps)


def _transaction(t: Transaction) -> Iterator[tuple[str, str]]:
    yield tr("Kind"), tr("Transaction of type 2 (EIP-1559), sent by the key that signs it")
    yield tr("Chain id"), str(t.chain_id)
    yield tr("Transaction number of the key"), str(t.nonce)
    yield tr("To"), str(t.to)
    yield tr("Value"), tr("{t} wei", t=t.value)
    yield tr("Gas limit"), str(t.gas)
    yield from _fees(t)
    yield tr("Data"), _bytes(t.data)
    if t.bundle is not None:
        yield from _bundle(t.bundle)
    elif t.data[:4] == _WITH_RUNTIME_VALIDATION:
        yield tr("Function"), tr("executeWithRuntimeValidation, as the owner (entity 0, global)")
    yield from _steps(t.steps)


def _bundle(bundle: Bundle) -> Iterator[tuple[str, str]]:
    yield tr("Function"), "handleOps"
    yield tr("Gas is paid back to"), str(bundle.beneficiary)
    for number, (op, signature) in enumerate(zip(bundle.operations, bundle.signatures, strict=True), 1):
        yield from ((tr("Operation {number}, {label}", number=number, label=label), value) for label, value in _operation(op))
        yield tr("Operation {number}, signature", number=number), to_hex(signature)


def _steps(steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    for number, step in enumerate(steps, 1):
        yield tr("Step {number}", number=number), _step(step)


def _step(step: Step) -> str:
    match step:
        case Uninstall(entity_id, module, own, hook_data):
            hooks = ", ".join(_short(data) for data in hook_data)
            return tr(
                "uninstallValidation: entity {entity_id}, module {module}, its data {short}, data for hooks [{hooks}]",
                entity_id=entity_id,
                module=module,
                short=_short(own),
                hooks=hooks,
            )
        case Cancel(key):
            return tr(
                "EntryPoint.incrementNonce: key {key} (entity {entity_id}, options {key2})",
                key=hex(key),
                entity_id=step.entity_id,
                key2=key & 0xFF,
            )
        case Lower(module, storage_id, token, amount):
            of = tr(", token {token}", token=token) if token else ""
            return tr(
                "updateLimits of {module}: id {storage_id}{of}, amount {amount}",
                module=module,
                storage_id=storage_id,
                of=of,
                amount=amount,
            )
        case Shorten(entity_id, last, first):
            return tr(
                "setTimeRange: entity {entity_id}, until {last} ({time}), from {first}",
                entity_id=entity_id,
                last=last,
                time=utc(last),
                first=first,
            )
        case Clean(module, storage_id, entries):
            listed = "; ".join(f"{e.target} {' '.join(e.selectors)}".rstrip() for e in entries)
            return tr(
                "{module} forgets id {storage_id}{value}{listed}",
                module=module,
                storage_id=storage_id,
                value=": " if listed else "",
                listed=listed,
            )
    return tr("something else")  # never signed, so never shown


def _short(data: bytes) -> str:
    return to_hex(data) if len(data) <= 32 else _bytes(data)


def _fees(reading: Operation | Transaction) -> Iterator[tuple[str, str]]:
    yield tr("Highest fee"), tr("{max_fee_per_gas} wei per gas", max_fee_per_gas=reading.max_fee_per_gas)
    yield (
        tr("Priority fee"),
        tr("{max_priority_fee_per_gas} wei per gas", max_priority_fee_per_gas=reading.max_priority_fee_per_gas),
    )


def _bytes(data: bytes) -> str:
    return tr("{data}, {count} bytes, hash {keccak}", data=to_hex(data[:4]), count=len(data), keccak=to_hex(keccak(data)))
