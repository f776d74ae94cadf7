"""What a session's call would do on the real account, found out without sending anything and without a signature.

The account does for the EntryPoint whatever validation and execution ask of it, and of a wrong session signature it says so only after
every hook has had its say. So the EntryPoint's part is played for the length of one request: deploy the account where it has no code,
install the grant that is pending, validate the operation, execute its call; or let the key call by itself.

    eth_call with state overrides   a few bytes of code stand at the EntryPoint's address and make these calls one after the other;
                                    nearly every RPC has it
    eth_simulateV1                  makes the same calls from that address; asked where the first does not work, and first where the
                                    call names the EntryPoint itself, which then has its own code

Where an RPC has neither, CannotSimulate says so. The account is as it really is: its balances, and what used limits have left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from latchkey.accounts.modular_account.addresses import ENTRY_POINT, SEMI_MODULAR_ACCOUNT_7702, SINGLE_SIGNER
from latchkey.accounts.modular_account.build import nonce_key
from latchkey.accounts.modular_account.model import EXECUTE_USER_OP, Fees, Stage
from latchkey.accounts.modular_account.userop import STUB_SIGNATURE, UserOperation, to_bytes, user_op_hash
from latchkey.chain.node import RpcError
from latchkey.chain.reasons import named
from latchkey.core.account import Account, Mode
from latchkey.core.reading import Install
from latchkey.core.types import Address, hex_bytes, keccak, to_hex
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.chain.node import Node

#: Makes the calls in its calldata, each to(20) || length(4) || data; returns of each success(1) || length(4) || answer, of which at
#: most 16 KiB are kept. On the stack: how far the calldata is read, how far memory is written.
RELAY = hex_bytes(
    "0x60006000"
    "5b81361115605a57"  # until all is read
    "816014013560e01c"  # the data's length
    "80836018018337"  # the data into memory
    "6000600082846000873560601c5af18253"  # call with it; success
    "909101601801"  # on to the next call
    "3d61400081811015603e57905b50"  # the answer's length, at most so much
    "8060e01b8360010152806000846005013e909101600501"  # that, and the answer
    "600456"
    "5b6000f3"
)
OUT_OF_TIME = "AA22 expired or not due"

_VALIDATION = keccak(b"getValidationData(bytes24)")[:4]
_VALIDATE = keccak(b"validateUserOp((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes),bytes32,uint256)")[:4]
_RUNTIME = keccak(b"executeWithRuntimeValidation(bytes,bytes)")[:4]
_ERROR_TEXT = keccak(b"Error(string)")[:4]
_HOOKS = {
    keccak(f"{name}(bytes24,bytes)".encode())[:4]: name
    for name in ("PreUserOpValidationHookReverted", "PreRuntimeValidationHookReverted", "PreExecHookReverted")
}
_SIGNERS = keccak(b"signers(uint32,address)")[:4]
_DELEGATION = hex_bytes("0xef0100")
_NOT_AN_ANSWER = (AttributeError, LookupError, TypeError, ValueError)  # what comes of JSON of another shape
_NEVER = 2**48 - 1
_MOST = 256 * 1024  # bytes of all answers together


class CannotSimulate(ChainError):
    """Nothing was found out. `.code`: NoOverrides, NotDeployed, GrantNotTaken, IdTaken, BadAnswer."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried. `install`: installValidation calldata of a grant that is pending, b"" when there is none. `call_data`: what the
    account is asked to do. `fees`: None when the key calls by itself. `at`: chain second; None for the newest block's."""

    account: Account
    session: Install
    install: bytes
    call_data: bytes
    fees: Fees | None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Simulated:
    """What the chain says. `stage` None: it was done. `module`: whose error it is, None for the account or the EntryPoint.

    `of_target`: the account let the call through and the called contract failed. `error`: its name, "" for none; `selector`: the first
    4 bytes of the error, "" for none; `text`: what the called contract says, text from outside. `block`: as of which block, `time`:
    its second or the one that was pretended. `installed`: the session was there already. `timed`: whether what contracts see as the
    time is the time that was asked for.
    """

    stage: Stage | None
    module: Address | None
    error: str
    selector: str
    block: int
    time: int
    installed: bool
    of_target: bool = False
    text: str = ""
    timed: bool = True


def simulate(node: Node, trial: Trial) -> Simulated:
    """Raises CannotSimulate, and the ChainErrors of the node."""
    around = _look(node, trial)
    before, during = tuple(_before(trial, around)), _during(trial)
    time = around.time if trial.at is None else trial.at
    answers, timed = _ask(node, trial, around, [*before, *during], None if time == around.time else time)
    for step, (success, answer) in zip(before, answers, strict=False):
        if not success:
            raise CannotSimulate(step.otherwise.format(named(answer)), code="GrantNotTaken")
    said = Simulated(None, None, "", "", around.block, time, around.installed, timed=timed)
    later = answers[len(before) :]
    return _by_operation(said, later) if trial.fees is not None else _by_transaction(said, later[0])


@dataclass(frozen=True, slots=True)
class _Step:
    """One call from the EntryPoint's address. `otherwise`: what it means that it fails."""

    to: Address
    data: bytes
    otherwise: str = ""


_Answer = tuple[bool, bytes]


# --- what is there


@dataclass(frozen=True, slots=True)
class _Around:
    block: int
    time: int
    deployed: bool
    installed: bool


def _look(node: Node, trial: Trial) -> _Around:
    """Where the chain is, whether the account is deployed, and whether the session is on it already."""
    account, entity_id, key = trial.account.address, trial.session.entity_id, trial.session.session_key
    located = SINGLE_SIGNER.raw + entity_id.to_bytes(4, "big")
    head, code, found, signer = node.many(
        [
            ("eth_getBlockByNumber", "latest", False),
            ("eth_getCode", account, "latest"),
            ("eth_call", {"to": account, "data": to_hex(_VALIDATION + located.ljust(32, b"\0"))}, "latest"),
            (
                "eth_call",
                {"to": SINGLE_SIGNER, "data": to_hex(_SIGNERS + encode(["uint32", "address"], [entity_id, account]))},
                "latest",
            ),
        ]
    )
    try:
        around = _Around(int(head["number"], 16), int(head["timestamp"], 16), bool(hex_bytes(code)), _is_there(found))
        if around.installed and key is not None and hex_bytes(signer)[-20:] != key.raw:
            raise CannotSimulate(
                tr("Another key is on the account under this grant's id, so what this one would do cannot be tried."),
                code="IdTaken",
            )
    except (BadInput, DecodingError, *_NOT_AN_ANSWER):
        raise _bad_answer() from None
    return around


def _is_there(found: Any) -> bool:
    """Of getValidationData's answer; an account without code, or one that does not know the question, has nothing."""
    data = b"" if isinstance(found, RpcError) else hex_bytes(found)
    return bool(data) and any(decode(["(uint8,bytes25[],bytes25[],bytes4[])"], data)[0])


# --- what the EntryPoint would do


def _before(trial: Trial, around: _Around) -> Iterator[_Step]:
    account = trial.account
    if not around.deployed and account.mode is not Mode.EIP7702:
        if not account.init_code:
            raise CannotSimulate(
                tr(
                    "The account has no code on this network yet, and how it is deployed is not known here; nothing can be tried on it."
                ),
                code="NotDeployed",
            )
        otherwise = tr("The account cannot be deployed the way that is known here ({0}), so nothing can be tried on it.")
        yield _Step(Address.from_bytes(account.init_code[:20]), account.init_code[20:], otherwise)
    if trial.install and not around.installed:
        otherwise = tr("The account would not take this grant now ({0}), so nothing can be tried with it.")
        yield _Step(account.address, trial.install, otherwise)


def _during(trial: Trial) -> tuple[_Step, ...]:
    """Validation and execution, or the key's own call by way of the code that stands at its address."""
    account, session = trial.account.address, trial.session
    if trial.fees is None:
        authorization = bytes([session.is_global]) + session.entity_id.to_bytes(4, "big") + b"\xff"
        call = _RUNTIME + encode(["bytes", "bytes"], [trial.call_data, authorization])
        return (_Step(session.session_key or ENTRY_POINT, _relayed([_Step(account, call)])),)
    op = _operation(trial, trial.fees)
    op_hash = user_op_hash(op, trial.account.chain_id)
    encoded = to_bytes(op, STUB_SIGNATURE)[32:]
    execution = trial.call_data
    if execution[:4] == EXECUTE_USER_OP.raw:
        execution = EXECUTE_USER_OP.raw + _word(64) + op_hash + encoded
    return _Step(account, _VALIDATE + _word(96) + op_hash + _word(0) + encoded), _Step(account, execution)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _operation(trial: Trial, fees: Fees) -> UserOperation:
    paid = b""
    if fees.paymaster is not None:
        limits = (fees.paymaster_verification_gas_limit, fees.paymaster_post_op_gas_limit)
        paid = fees.paymaster.raw + b"".join(limit.to_bytes(16, "big") for limit in limits)
    return UserOperation(
        sender=trial.account.address,
        nonce=nonce_key(0, trial.session.entity_id, is_global=trial.session.is_global, is_deferred=False) << 64,
        call_data=trial.call_data,
        call_gas_limit=fees.call_gas_limit,
        verification_gas_limit=fees.verification_gas_limit,
        pre_verification_gas=fees.pre_verification_gas,
        max_fee_per_gas=fees.max_fee_per_gas,
        max_priority_fee_per_gas=fees.max_fee_per_gas,
        paymaster_and_data=paid,
    )


# --- asking


def _ask(node: Node, trial: Trial, around: _Around, steps: Sequence[_Step], time: int | None) -> tuple[list[_Answer], bool]:
    """What came of each step, and whether contracts saw the time that was asked for. `time` None: the newest block's will do."""
    codes: dict[str, dict[str, str]] = {}
    if trial.account.mode is Mode.EIP7702 and not around.deployed:
        codes[trial.account.address] = {"code": to_hex(_DELEGATION + SEMI_MODULAR_ACCOUNT_7702.raw)}
    if trial.fees is None and trial.session.session_key is not None:
        codes[trial.session.session_key] = {"code": to_hex(RELAY)}
    for moment in (time, None) if time is not None else (None,):
        for ask in (_by_simulation, _by_call) if ENTRY_POINT.raw in trial.call_data else (_by_call, _by_simulation):
            try:
                return ask(node, steps, codes, moment), moment == time
            except (RpcError, BadInput, *_NOT_AN_ANSWER):
                continue
    raise CannotSimulate(
        tr("This RPC cannot try calls: it takes no state overrides and does not know eth_simulateV1. Another RPC may."),
        code="NoOverrides",
    )


def _by_call(node: Node, steps: Sequence[_Step], codes: dict[str, dict[str, str]], time: int | None) -> list[_Answer]:
    """Raises ValueError when the answer is not the relay's: then the overrides were ignored."""
    request = {"to": ENTRY_POINT, "data": to_hex(_relayed(steps))}
    pretended = [{"time": hex(time)}] if time is not None else []
    answer = node.call("eth_call", request, "latest", {ENTRY_POINT: {"code": to_hex(RELAY)}, **codes}, *pretended)
    return _answers(hex_bytes(answer, limit=_MOST), len(steps))


def _by_simulation(node: Node, steps: Sequence[_Step], codes: dict[str, dict[str, str]], time: int | None) -> list[_Answer]:
    block: dict[str, Any] = {"calls": [{"from": ENTRY_POINT, "to": s.to, "data": to_hex(s.data)} for s in steps]}
    block |= {"stateOverrides": codes} if codes else {}
    block |= {"blockOverrides": {"time": hex(time)}} if time is not None else {}
    calls = node.call("eth_simulateV1", {"blockStateCalls": [block]}, "latest")[0]["calls"]
    if len(calls) != len(steps):
        raise ValueError
    return [_simulated(call) for call in calls]


def _simulated(call: dict[str, Any]) -> _Answer:
    success = int(call["status"], 16) == 1
    given = call.get("returnData", "0x")
    if not success and given == "0x":
        given = (call.get("error") or {}).get("data") or "0x"
    return success, hex_bytes(given, limit=_MOST)


def _relayed(steps: Sequence[_Step]) -> bytes:
    return b"".join(s.to.raw + len(s.data).to_bytes(4, "big") + s.data for s in steps)


def _answers(data: bytes, count: int) -> list[_Answer]:
    """What the relay returned for `count` calls. Raises ValueError when it is not that."""
    found, at = [], 0
    while at < len(data):
        end = at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")
        if data[at] > 1 or end > len(data):
            raise ValueError
        found.append((data[at] == 1, data[at + 5 : end]))
        at = end
    if len(found) != count:
        raise ValueError
    return found


# --- what it means


def _by_operation(said: Simulated, answers: Sequence[_Answer]) -> Simulated:
    """As the EntryPoint does: a revert of validation, then the times that validation gave back, then execution."""
    (valid, validation), (done, execution) = answers
    if not valid:
        return _error(said, Stage.VALIDATION, validation)
    if len(validation) != 32:
        raise _bad_answer()
    last = int.from_bytes(validation[6:12], "big") or _NEVER
    first = int.from_bytes(validation[:6], "big")
    if not first <= said.time <= last:
        return replace(said, stage=Stage.VALIDATION, error=OUT_OF_TIME)
    return said if done else _error(said, Stage.EXECUTION, execution)


def _by_transaction(said: Simulated, answer: _Answer) -> Simulated:
    """The key's own call reverts as a whole; what kind of error it is tells when."""
    if not answer[0]:
        raise _bad_answer()
    try:
        ((done, data),) = _answers(answer[1], 1)
    except ValueError:
        raise _bad_answer() from None
    if done:
        return said
    validation = _HOOKS.get(data[:4]) == "PreRuntimeValidationHookReverted" or named(data) in _BEFORE_EXECUTION
    return _error(said, Stage.VALIDATION if validation else Stage.EXECUTION, data)


_BEFORE_EXECUTION = {"UnrecognizedFunction", "ValidationFunctionMissing", "SelfCallRecursionDepthExceeded"}


def _error(said: Simulated, stage: Stage, data: bytes) -> Simulated:
    module, inner = _unwrapped(data)
    name = named(inner) if inner else ""
    of_target = stage is Stage.EXECUTION and module is None
    text = _text(inner) if of_target else ""
    selector = to_hex(inner[:4]) if inner else ""
    return replace(said, stage=stage, module=module, error=name, selector=selector, of_target=of_target, text=text)


def _unwrapped(data: bytes) -> tuple[Address | None, bytes]:
    """Whose error it is, and the error itself."""
    if data[:4] not in _HOOKS:
        return None, data
    try:
        entity, reason = decode(["bytes24", "bytes"], data[4:])
    except DecodingError:
        return None, data
    return Address.from_bytes(entity[:20]), reason


def _text(data: bytes) -> str:
    try:
        return str(decode(["string"], data[4:])[0]) if data[:4] == _ERROR_TEXT else ""
    except (DecodingError, UnicodeDecodeError):
        return ""


def _bad_answer() -> CannotSimulate:
    return CannotSimulate(tr("The RPC answers with something that is no trial's result; try another one."), code="BadAnswer")


def gas_price(node: Node, chain_id: int) -> int:
    """wei per gas, 0 where the node does not tell. Raises ChainError, also when the node serves another network than this."""
    found, price = node.many([("eth_chainId",), ("eth_gasPrice",)])
    try:
        if int(found, 16) != chain_id:
            raise CannotSimulate(
                tr("The RPC that is set for this network serves another one; set the right one in Settings."), code="WrongChain"
            )
        return 0 if isinstance(price, RpcError) else int(price, 16)
    except (TypeError, ValueError):
        raise _bad_answer() from None
