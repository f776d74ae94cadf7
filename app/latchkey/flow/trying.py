"""Trying a call: what an account would do if a session's key asked for it, and which rule decides. Nothing is signed or sent.

    subject = of_grant(unsigned, account)                       or of_session(session), or read_subject(data) for pasted bytes
    answer = try_call(subject, Question(target, data=...), now=now, node=node)

Answered twice: by Latchkey's own model of the account's rules, always, and by the chain itself where there is a node, with a pending
grant installed for the length of the question. Where the two differ, that is what the answer says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from latchkey.accounts.modular_account.model import (
    EXECUTE_USER_OP,
    Denied,
    Fees,
    InnerCall,
    Outcome,
    Session,
    Stage,
    attempt,
    call_data_of,
    session_of_install,
)
from latchkey.accounts.modular_account.rules import sentence
from latchkey.accounts.review import exact
from latchkey.accounts.system import system
from latchkey.codec.hand_over import from_json
from latchkey.core.account import Account, Mode
from latchkey.core.amounts import BASE_UNITS, ETH, Unit, format_amount, parse_amount
from latchkey.core.arguments import calldata
from latchkey.core.draft import draft_from_json
from latchkey.core.forms import named
from latchkey.core.functions import Function, function_of
from latchkey.core.lookalikes import clean
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.networks import network
from latchkey.core.permissions import ContractAccess, FunctionsOnContract
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.powers import PLAIN_PAYMENT, install_gas, powers_of
from latchkey.core.reading import Install
from latchkey.core.request import NO_CLAIMS, Claims
from latchkey.core.tokens import token as reviewed_token
from latchkey.core.types import Address, hex_bytes
from latchkey.core.words import describe
from latchkey.core.words_pieces import Names, code, phrase, say
from latchkey.errors import BadInput, CannotDecode, ChainError, LatchkeyError
from latchkey.flow.accounts import find, recognise
from latchkey.flow.explain import explain
from latchkey.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from latchkey.chain.node import Node
    from latchkey.chain.simulate import Simulated
    from latchkey.core.session import Session as Installed

_PRE_VERIFICATION, _VERIFICATION, _CALL = 60_000, 250_000, 300_000  # gas units an ordinary operation declares
_PAYMASTER_GAS = 100_000
NO_NODE = tr("No RPC was named, so only Latchkey's own reading is shown.")
_LIMITS = ("ExceededTokenLimit", "ExceededNativeTokenLimit")
TRANSFER, APPROVE = "transfer(address,uint256)", "approve(address,uint256)"
_AMOUNTS = {  # of a token's functions: which argument counts the token itself
    TRANSFER: 1,
    APPROVE: 1,
    "increaseAllowance(address,uint256)": 1,
    "decreaseAllowance(address,uint256)": 1,
    "transferFrom(address,address,uint256)": 2,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose powers are tried. `unsigned`, `call`: the grant's bytes and its installValidation calldata while it is pending, b"" for a
    session that is on the chain."""

    account: Account
    install: Install
    unsigned: bytes = b""
    call: bytes = b""
    claims: Claims = NO_CLAIMS
    notes: Notes = NO_NOTES

    def owned_by(self, owner: Address) -> Subject:
        """With how the account is deployed, where its address follows from this owner."""
        known = recognise(self.account.chain_id, self.account.address, [owner])
        return replace(self, account=known) if known else self


@dataclass(frozen=True, slots=True)
class Question:
    """`target` None: `data` is what the account itself is asked, byte for byte. `value`: wei. `at`: chain second, None for now.

    `by_key`: the key calls with a transaction of its own instead of an operation. `paymaster`: who pays for gas; None for the account,
    or for the paymaster that the key is bound to. `signature`, `arguments`: what `data` was made of, where the person typed that.
    """

    target: Address | None
    data: bytes = b""
    value: int = 0
    at: int | None = None
    by_key: bool = False
    paymaster: Address | None = None
    signature: str = ""
    arguments: tuple[str, ...] = ()


class Verdict(StrEnum):
    ALLOWED = "allowed"
    REFUSED = "refused"  # a rule of the session or the account stands against it
    FAILS = "fails"  # the account lets it through, the called contract does not do it
    DIFFERENT = "different"  # model and chain do not say the same
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """`asked`: what the account is asked to do. `model`, `chain`: None where that one cannot tell; their sentences then say why.

    `agree`: None unless both told. `at`: the chain second it is about. `remarks`: what else to know.
    """

    verdict: Verdict
    headline: Phrase
    asked: tuple[Phrase, ...]
    at: int
    model: Outcome | None
    model_says: Phrase
    chain: Simulated | None
    chain_says: Phrase
    agree: bool | None
    remarks: tuple[Phrase, ...] = ()


# --- subjects


def of_grant(unsigned: bytes, account: Account, *, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> Subject:
    """A grant, signed or not, that may be pending. Raises CannotDecode, Mismatch."""
    grant, reading = exact(unsigned, account)
    if not isinstance(reading.action, Install):
        raise CannotDecode(tr("The signed action is not the installation of a session key."), path="call")
    return Subject(account, reading.action, unsigned, grant.call, claims, notes)


def of_session(session: Installed, *, notes: Notes = NO_NOTES) -> Subject:
    """A session as the chain tells it, with what its limits have left."""
    return Subject(session.account, session.install, notes=notes)


def read_subject(data: bytes, *, now: int, account: Account | None = None, accounts: Iterable[Account] = ()) -> Subject:
    """A grant in any form that `explain` reads. `account`: where the bytes name none. `accounts`: those known here."""
    found = explain(data, now=now, account=account)
    value = dict(found.draft or {})
    if not value or value["account"] is None:
        raise BadInput(tr("A call is tried with a grant of a named account; name both: --account and --chain-id."), path="account")
    value["nonceKey"], value["sequence"] = value["nonceKey"] or "0x0", value["sequence"] or 0
    draft = draft_from_json(value)
    envelope = from_json(found.envelope) if found.envelope else None
    place = Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)
    known = (envelope.account if envelope else None) or find(accounts, draft.chain_id, draft.account) or account or place
    grant = system(draft.system).build(draft)
    return of_grant(grant.unsigned, known, claims=envelope.claims if envelope else NO_CLAIMS)


# --- what may be chosen


@dataclass(frozen=True, slots=True)
class Choice:
    """Something the grant names. `target` None: any contract. `function` None: any function, or a plain payment."""

    target: Address | None
    function: Function | None = None


def choices(subject: Subject) -> tuple[Choice, ...]:
    """The contracts and functions the grant is about, each once; the person fills in what is open."""
    powers = powers_of(subject.install.permissions, is_global=subject.install.is_global)
    offered = (*subject.notes.functions, *subject.claims.functions)
    found: list[Choice] = []
    for contract in powers.contracts:
        if isinstance(contract, FunctionsOnContract):
            found += [Choice(contract.address, function) for function in named(contract.functions, offered)]
        elif isinstance(contract, ContractAccess):
            found.append(Choice(contract.address))
    for token in powers.tokens:
        found += [Choice(token.address, function_of(s)) for s in (TRANSFER, APPROVE)]
    found += [Choice(None, function) for function in named(powers.anywhere, offered) if function.selector != PLAIN_PAYMENT]
    if PLAIN_PAYMENT in powers.anywhere or powers.is_root:
        found.append(Choice(None))
    return tuple(dict.fromkeys(found))


def amount_units(chain_id: int, target: str, signature: str) -> dict[int, Unit]:
    """Which arguments of a call are amounts of the called token, and how each is counted: in units of its own where the token is on our
    list, else in base units. `target`, `signature`: as typed so far."""
    try:
        number = _AMOUNTS.get(function_of(signature.strip().removeprefix("function ")).signature or "")
        known = reviewed_token(chain_id, Address.parse(target.strip()))
    except BadInput:
        return {}
    return {} if number is None else {number: known.unit if known else BASE_UNITS}


def parse_moment(text: str, *, path: str = "at") -> int:
    """Chain seconds from "1790000000" or "2026-12-01T10:00" (UTC where no other offset stands). Raises BadInput."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 13:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise BadInput(tr("Write a time as 2026-12-01 10:00 (UTC), or as a number of seconds."), path=path) from None


@dataclass(frozen=True, slots=True)
class TryForm:
    """A question as a person types it. `pasted`: `calldata` counts, and without a target it is what the account itself is asked;
    else `signature` with `arguments`, and without a signature it is a plain payment. `amount`: in the network's coin."""

    target: str = ""
    signature: str = ""
    arguments: tuple[str, ...] = ()
    pasted: bool = False
    calldata: str = ""
    amount: str = ""
    at: str = ""
    by_key: bool = False


def read_form(form: TryForm) -> Question:
    """Raises BadInput; `.path` is the field of the form ("arguments[1]")."""
    target = Address.parse(form.target.strip(), path="target") if form.target.strip() else None
    signature = "" if form.pasted or not form.signature.strip() else _signature(form.signature)
    if form.pasted:
        data = hex_bytes("".join(form.calldata.split()) or "0x", path="calldata")
        if target is None and not data:
            raise BadInput(
                tr("Paste what the account is asked, or name the contract that is called."), code="Blank", path="calldata"
            )
    else:
        if target is None:
            raise BadInput(tr("Enter the contract that is called: 0x and 40 hexadecimal digits."), code="Blank", path="target")
        data = calldata(signature, form.arguments) if signature else b""
    return Question(
        target=target,
        data=data,
        value=parse_amount(form.amount, ETH, path="amount") if form.amount.strip() else 0,
        at=parse_moment(form.at, path="at") if form.at.strip() else None,
        by_key=form.by_key,
        signature=signature,
        arguments=form.arguments if signature else (),
    )


def _signature(text: str) -> str:
    if re.fullmatch(r"0[xX][0-9a-fA-F]{8}", text.strip()):
        raise BadInput(
            tr("Its arguments are not known from a selector alone: write claim(uint256), or paste the calldata."), path="signature"
        )
    try:
        return function_of(text.strip().removeprefix("function ")).signature or ""
    except BadInput as error:
        raise BadInput(error.text, code=error.code, path="signature") from None


# --- trying


def try_call(subject: Subject, question: Question, *, now: int, node: Node | None = None, why_not: str = NO_NODE) -> Answer:
    """Blocks while the node is asked; what goes wrong there is told in the answer, as is `why_not`, why there is no node. Raises BadInput
    for a question that is none."""
    account, names = subject.account, Names(subject.account, subject.claims, subject.notes)
    session: Session | None = None
    gap = ""
    try:
        session = session_of_install(subject.install, account.address)
    except CannotDecode as error:
        gap = error.text
    price, chain_gap = _price(node, account.chain_id, why_not)
    fees = None if question.by_key else _fees(subject, question, price)
    data = _call_data(subject, session, question, fees)
    chain, chain_gap = (None, chain_gap) if node is None or chain_gap else _ask_chain(node, subject, question, data, fees)
    at = question.at if question.at is not None else chain.time if chain else now
    model: Outcome | None = None
    if session is not None:
        try:
            model = attempt(session, data, now=at, fees=fees, names=names)
        except CannotDecode as error:
            gap = error.text
    agree = None
    if model is not None and chain is not None and not _is_used_up(subject, model, chain):
        agree = same(model, chain, by_key=question.by_key)
    verdict = _verdict(model, chain, agree)
    return Answer(
        verdict=verdict,
        headline=_headline(verdict, model, chain, question.by_key),
        asked=_asked(subject, question, data, names, at),
        at=at,
        model=model,
        model_says=_model_says(model, gap),
        chain=chain,
        chain_says=_chain_says(chain, chain_gap, model if agree else None),
        agree=agree,
        remarks=tuple(_remarks(subject, question, fees, chain, names)),
    )


def _price(node: Node | None, chain_id: int, why_not: str) -> tuple[int, str]:
    """wei per gas that an operation would declare, and why there is no chain to ask ("" when there is)."""
    floor = network(chain_id).fee_floor
    if node is None:
        return floor, why_not
    from latchkey.chain.simulate import gas_price

    try:
        return max(floor, gas_price(node, chain_id)), ""
    except ChainError as error:
        return floor, error.text


def _fees(subject: Subject, question: Question, price: int) -> Fees:
    """What an ordinary sender declares; the first operation also installs the key."""
    powers = powers_of(subject.install.permissions, is_global=subject.install.is_global)
    first = install_gas(powers, expires=bool(subject.install.expiry)) if subject.call else 0
    paymaster = question.paymaster or powers.paymaster
    shared = _PAYMASTER_GAS if paymaster else 0
    return Fees(_PRE_VERIFICATION, _VERIFICATION + first, _CALL, price, paymaster, shared, shared)


def _call_data(subject: Subject, session: Session | None, question: Question, fees: Fees | None) -> bytes:
    if question.target is None:
        return question.data
    wraps = fees is not None and (session.has_execution_hooks if session else subject.install.has_execution_hooks)
    if question.target == subject.account.address:
        if question.value:
            raise BadInput(tr("An account does not send coins to itself through a session."), path="value")
        data = question.data
    else:
        data = call_data_of([InnerCall(question.target, question.value, question.data)])
    return EXECUTE_USER_OP.raw + data if wraps else data


def _asked(subject: Subject, question: Question, data: bytes, names: Names, at: int) -> tuple[Phrase, ...]:
    """What the account is asked to do; each line goes on from "It is asked to"."""
    if question.signature and question.target is not None:
        with_ = [*say(" with {arguments}", arguments=code(", ".join(_told(subject, question)))).parts] if question.arguments else []
        sent = [*say(", sending {question}", question=names.coins(question.value)).parts] if question.value else []
        return (
            say(
                "call {signature} on {target}{with_}{sent}",
                signature=code(question.signature),
                target=names.named(question.target),
                with_=with_,
                sent=sent,
            ),
        )
    inner = data[4:] if data[:4] == EXECUTE_USER_OP.raw else data
    try:
        reading = system(subject.account.system).decode_call(inner, account=subject.account.address)
    except CannotDecode as error:
        return (say("do something that cannot be read: {error_text}", error_text=error.text),)
    words = describe(reading, account=subject.account, now=at, claims=subject.claims, notes=subject.notes)
    return words.can or (words.headline,)


def _told(subject: Subject, question: Question) -> Iterator[str]:
    """The arguments as they were typed; an amount of a token on our list in its own unit, too."""
    units = amount_units(subject.account.chain_id, str(question.target), question.signature)
    for number, text in enumerate(question.arguments):
        unit = units.get(number, BASE_UNITS)
        if unit.decimals:
            amount = format_amount(int(text, 16 if "x" in text.lower() else 10), unit)
            yield tr("{amount} {symbol} ({count} base units)", amount=amount, symbol=unit.name, count=clean(text))
        else:
            yield clean(text)


def _ask_chain(node: Node, subject: Subject, question: Question, data: bytes, fees: Fees | None) -> tuple[Simulated | None, str]:
    from latchkey.chain.simulate import Trial, simulate

    try:
        return simulate(node, Trial(subject.account, subject.install, subject.call, data, fees, question.at)), ""
    except LatchkeyError as error:
        return None, error.text


def _is_used_up(subject: Subject, model: Outcome, chain: Simulated) -> bool:
    """The grant is in use already, and what it has left is too little: the model, which knows the grant alone, cannot tell."""
    return bool(subject.call) and chain.installed and not isinstance(model, Denied) and chain.error in _LIMITS


def same(model: Outcome, chain: Simulated, *, by_key: bool = False) -> bool:
    """Both let it through, or the same rule decides at the same stage. Of a call nobody can read only the stage is told, and of a
    transaction not even that."""
    if not isinstance(model, Denied):
        return chain.stage is None or chain.of_target
    unreadable = not model.error and model.module is None
    if model.stage is not chain.stage and not (unreadable and by_key):
        return False
    if unreadable:
        return not chain.error
    return (model.module, model.selector or model.error) == (chain.module, chain.selector or chain.error)


def _verdict(model: Outcome | None, chain: Simulated | None, agree: bool | None) -> Verdict:
    if agree is False:
        return Verdict.DIFFERENT
    if chain is not None:
        if chain.stage is None:
            return Verdict.ALLOWED
        return Verdict.FAILS if chain.of_target and not isinstance(model, Denied) else Verdict.REFUSED
    if model is None:
        return Verdict.UNKNOWN
    return Verdict.REFUSED if isinstance(model, Denied) else Verdict.ALLOWED


# --- words


def _headline(verdict: Verdict, model: Outcome | None, chain: Simulated | None, by_key: bool) -> Phrase:
    match verdict:
        case Verdict.ALLOWED if chain is None:
            return say("The account would let it through. Whether the called contract then does it, only the chain can tell.")
        case Verdict.ALLOWED:
            return say("The account would do it.")
        case Verdict.FAILS:
            return say("The account would let it through, and the called contract would refuse it.")
        case Verdict.DIFFERENT:
            return say("Latchkey's reading and the chain do not say the same. Rely on neither before you know why.")
        case Verdict.UNKNOWN:
            return say("Nobody can tell what the account would do.")
    stage = model.stage if isinstance(model, Denied) else chain.stage if chain else None
    return phrase(_stage_words(stage, by_key))


def _stage_words(stage: Stage | None, by_key: bool) -> str:
    if by_key:
        return tr("The account would refuse it; the key pays for the attempt.")
    if stage is Stage.EXECUTION:
        return tr("The account would undo it; gas is paid all the same.")
    return tr("The account would refuse it; nothing happens and nothing is paid.")


def _model_says(model: Outcome | None, gap: str) -> Phrase:
    if model is None:
        return say("It cannot tell: {gap}", gap=gap)
    if isinstance(model, Denied):
        return model.sentence
    return say("No rule of this key stands against it.")


def _chain_says(chain: Simulated | None, gap: str, model: Outcome | None) -> Phrase:
    """`model`: the model's outcome where it is the same; it knows the amounts, and they are told already."""
    if chain is None:
        return phrase(gap)
    if chain.stage is None:
        return say("It is done.")
    if isinstance(model, Denied):
        return say("The same rule decides.")
    if chain.of_target:
        name = [Part(" ("), code(chain.error), Part(")")] if chain.error and not chain.text else []
        said = [Part(f": “{clean(chain.text, 120)}”", Style.CLAIM)] if chain.text else []
        return say(
            "The account lets it through; the called contract refuses it{name}{said}{value}",
            name=name,
            said=said,
            value="" if said else ".",
        )
    name = [Part(" ("), code(chain.error), Part(")")] if chain.error else []
    return phrase(sentence(chain.error, chain.stage), name)


def _remarks(subject: Subject, question: Question, fees: Fees | None, chain: Simulated | None, names: Names) -> Iterator[Phrase]:
    powers = powers_of(subject.install.permissions, is_global=subject.install.is_global)
    if fees is not None and powers.gas is not None and fees.charge:
        what = tr("as the first operation, which also installs the key") if subject.call else tr("as an ordinary operation")
        yield say("Gas is counted {what}, declared at {charge}.", what=what, charge=names.coins(fees.charge))
    if fees is not None and fees.paymaster is not None:
        yield say("Gas is paid by paymaster {paymaster}.", paymaster=names.named(fees.paymaster))
    if chain is None:
        return
    if chain.installed and subject.call:
        yield say("The key is on the account already: the chain counts what its limits have left, the model the whole of them.")
    if not chain.timed:
        yield say("The RPC cannot pretend another time, so what contracts do is as of its newest block.")
