"""Section 12: what the chain really lets through, and that Latchkey says so or refuses to sign it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from latchkey.accounts.modular_account import decode
from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ALLOWLIST_V200,
    ENTRY_POINT,
    FACTORY,
    NATIVE_TOKEN_LIMIT,
    SINGLE_SIGNER,
    TIME_RANGE,
)
from latchkey.accounts.modular_account.build import HALF, deferred_digest
from latchkey.accounts.modular_account.deferred import assemble
from latchkey.accounts.system import Policy
from latchkey.core.account import Account
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
    Root,
)
from latchkey.core.phrases import Phrase, Words
from latchkey.core.reading import unknown_in
from latchkey.core.types import Address, Selector
from latchkey.errors import CannotDecode, Refused
from tests.chain import abi
from tests.chain.cases import BUY, DAY, MOVE, PRACTICE, dollars, functions
from tests.chain.stage import (
    COUNT,
    ETHER,
    FACE,
    GAS,
    OTHER_OWNER,
    OTHER_SESSION,
    OWNER,
    RECEIVER,
    STRANGER,
    Gas,
    Session,
    Stage,
)
from tests.chain.state import tokens_left
from tests.chain.test_limits import granted
from tests.devnet.places import COIN, COUNTER, DOLLAR, GAME, MODULE, NFT, ROUTER


def sentences(phrases: Iterable[Phrase]) -> str:
    return "\n".join("".join(part.text for part in phrase.parts) for phrase in phrases)


def said(stage: Stage, session: Session) -> tuple[Words, set[str]]:
    """What the owner reads before signing, and the findings beside it."""
    review = stage.review(session.draft, session.account)
    return review.words, {f.id for f in review.findings}


def refused_by_latchkey(stage: Stage, account: Account, *permissions: Permission, policy: Policy = Policy.EXPERT) -> str:
    with pytest.raises((Refused, CannotDecode)) as refusal:
        stage.review(stage.draft(account, *permissions), account, policy=policy)
    return refusal.value.code


def unchecked(stage: Stage, account: Account, *permissions: Permission) -> Session:
    """A session Latchkey would not grant."""
    return stage.session(stage.grant(stage.draft(account, *permissions), account, checked=False), account)


# --- 1. ETH is not limited by a list of contracts


@pytest.mark.parametrize(
    ("permission", "call"),
    [
        (ContractAccess(GAME), BUY),
        (FunctionsOnContract(GAME, functions(BUY)), BUY),
        (FunctionsOnAllContracts(functions(BUY)), BUY),
    ],
)
def test_any_amount_of_eth_leaves_with_an_allowed_call(stage: Stage, permission: Permission, call: bytes) -> None:
    session = granted(stage, permission)
    words, found = said(stage, session)
    assert "eth-unlimited" in found
    assert "any amount of ETH" in sentences(words.can)
    assert session.first(abi.execute(GAME, 9 * ETHER, call)).text == "done"


@pytest.mark.parametrize("permission", [ContractAccess(GAME), FunctionsOnAllContracts(functions(BUY))])
def test_a_limit_of_zero_keeps_all_eth(stage: Stage, permission: Permission) -> None:
    session = granted(stage, permission, NativeTokenTransfer(0))
    words, found = said(stage, session)
    assert "eth-unlimited" not in found
    assert "send or attach any ETH (limit 0)" in sentences(words.cannot)
    over = "failed: PreExecHookReverted(NativeTokenLimitModule:1, ExceededNativeTokenLimit())"
    assert session.first(abi.execute(GAME, 1, BUY)).text == over


# --- 2. a token without a limit


def test_contract_access_on_a_token_is_all_of_it(stage: Stage) -> None:
    session = granted(stage, ContractAccess(DOLLAR))
    words, found = said(stage, session)
    assert "token-whole-contract" in found
    assert f"All you hold of {DOLLAR}" in sentences(words.most_you_can_lose)
    assert session.first(dollars(1000 * 10**6)).text == "done"
    assert stage.tokens(DOLLAR, session.account.address) == 0


@pytest.mark.parametrize(
    ("signature", "finding"),
    [
        ("transfer(address,uint256)", "transfer-anywhere"),
        ("approve(address,uint256)", "approve-anywhere"),
        ("increaseAllowance(address,uint256)", "approve-anywhere"),
    ],
)
def test_token_functions_anywhere_are_all_tokens(stage: Stage, signature: str, finding: str) -> None:
    session = granted(stage, FunctionsOnAllContracts(functions(abi.selector(signature))))
    words, found = said(stage, session)
    assert finding in found
    assert "Tokens and NFTs of any kind" in sentences(words.most_you_can_lose)
    take = abi.execute_batch(*((token, 0, abi.call(signature, STRANGER.address, 500 * 10**6)) for token in (DOLLAR, COIN)))
    assert session.first(take).text == "done"
    if signature.startswith("transfer"):
        assert stage.tokens(DOLLAR, STRANGER.address) == 500 * 10**6
    else:
        rest = abi.call("transferFrom(address,address,uint256)", session.account.address, STRANGER.address, 500 * 10**6)
        assert stage.transact(STRANGER, COIN, rest).text == "done"


def test_operators_anywhere_are_all_nfts(stage: Stage) -> None:
    session = granted(stage, FunctionsOnAllContracts(functions(abi.selector("setApprovalForAll(address,bool)"))))
    assert "set-approval-anywhere" in said(stage, session)[1]
    stage.transact(STRANGER, NFT, abi.call("mint(address)", session.account.address))
    assert session.first(abi.execute(NFT, 0, abi.call("setApprovalForAll(address,bool)", STRANGER.address, True))).text == "done"
    take = abi.call("transferFrom(address,address,uint256)", session.account.address, STRANGER.address, 1)
    assert stage.transact(STRANGER, NFT, take).text == "done"


def test_a_listed_token_keeps_its_limit_beside_functions_anywhere(stage: Stage) -> None:
    """functions-on-all does not reach a contract that has an entry of its own."""
    session = granted(
        stage, Erc20TokenTransfer(DOLLAR, 5), FunctionsOnAllContracts(functions(abi.selector("transfer(address,uint256)")))
    )
    assert session.first(dollars(6)).text.endswith("ExceededTokenLimit())")
    assert session.later(abi.execute(COIN, 0, abi.transfer(RECEIVER, ETHER))).text == "done"
    assert session.later(
        abi.execute(DOLLAR, 0, abi.call("transferFrom(address,address,uint256)", RECEIVER, RECEIVER, 0))
    ).text.endswith("SelectorNotAllowed())")


# --- 3. targets that lift limits


def test_the_entry_point_as_target_gives_the_deposit_away(stage: Stage) -> None:
    account = stage.account()
    assert refused_by_latchkey(stage, account, ContractAccess(ENTRY_POINT)) == "ForbiddenTargetError"
    deposit = abi.call("depositTo(address)", account.address)
    assert stage.transact(OWNER, ENTRY_POINT, deposit, value=ETHER).text == "done"
    before = stage.balance(RECEIVER)
    session = unchecked(stage, account, ContractAccess(ENTRY_POINT))
    take = abi.execute(ENTRY_POINT, 0, abi.call("withdrawTo(address,uint256)", RECEIVER, ETHER // 2))
    assert session.first(take).text == "done"
    assert stage.balance(RECEIVER) - before == ETHER // 2


def test_a_module_as_target_lifts_the_sessions_own_limits(stage: Stage) -> None:
    account = stage.account()
    for module in (ALLOWLIST, NATIVE_TOKEN_LIMIT, TIME_RANGE, SINGLE_SIGNER, FACTORY, account.address):
        code = refused_by_latchkey(stage, account, ContractAccess(module))
        assert code in ("ForbiddenTargetError", "AccountAddressAsTargetError")
    session = unchecked(stage, account, Erc20TokenTransfer(DOLLAR, 1), ContractAccess(ALLOWLIST))
    raise_limit = abi.call("updateLimits(uint32,address,bool,uint256)", 1 + HALF, DOLLAR, True, 10**9)
    assert session.first(abi.execute(ALLOWLIST, 0, raise_limit)).text == "done"
    assert session.later(dollars(500)).text == "done"


@pytest.mark.parametrize(
    ("signature", "module"),
    [
        ("updateLimits(uint32,uint256)", NATIVE_TOKEN_LIMIT),
        ("setTimeRange(uint32,uint48,uint48)", TIME_RANGE),
        ("transferSigner(uint32,address)", SINGLE_SIGNER),
        ("updateAllowlist(uint32,(address,bool,bool,uint256,bytes4[])[])", ALLOWLIST),
        ("onInstall(bytes)", NATIVE_TOKEN_LIMIT),
    ],
)
def test_functions_anywhere_reach_the_modules(stage: Stage, signature: str, module: Address) -> None:
    account = stage.account()
    permissions = (FunctionsOnAllContracts(functions(abi.selector(signature))), NativeTokenTransfer(0))
    assert refused_by_latchkey(stage, account, *permissions) == "SelectorNotAllowed"
    values = {
        "updateLimits": (1, ETHER),
        "setTimeRange": (1, 0, 1),
        "transferSigner": (2, STRANGER.address),
        "updateAllowlist": (1, [(GAME, False, False, 0, [])]),
        "onInstall": ((1).to_bytes(32, "big") + ETHER.to_bytes(32, "big"),),
    }[signature.partition("(")[0]]
    session = unchecked(stage, account, *permissions)
    assert session.first(abi.execute(module, 0, abi.call(signature, *values))).text == "done"
    if module == NATIVE_TOKEN_LIMIT:
        assert stage.view(NATIVE_TOKEN_LIMIT, "(uint256)", "limits(uint256,address)", 1, account.address) == ETHER
    if module == ALLOWLIST:
        assert session.later(abi.execute(GAME, 0, MOVE)).text == "done"


def test_the_list_does_not_reach_into_other_contracts(stage: Stage) -> None:
    """A router the account once approved moves its tokens for the session, whatever the session's own token limit."""
    session = granted(
        stage, FunctionsOnContract(ROUTER, functions(abi.selector("aggregate((address,bytes)[])"))), NativeTokenTransfer(0)
    )
    words, found = said(stage, session)
    assert "nested-calls" in found
    assert "calls packed inside other calls" in sentences(words.most_you_can_lose)
    assert stage.owner_tx(session.account, abi.execute(DOLLAR, 0, abi.approve(ROUTER, 500))).text == "done"
    inner = abi.call("transferFrom(address,address,uint256)", session.account.address, STRANGER.address, 500)
    assert session.first(abi.execute(ROUTER, 0, abi.call("aggregate((address,bytes)[])", [(DOLLAR, inner)]))).text == "done"
    assert stage.tokens(DOLLAR, STRANGER.address) == 500


# --- 4. root is the owner


def test_root_takes_the_account(stage: Stage) -> None:
    session = granted(stage, Root(), expires_in=DAY)
    words, found = said(stage, session)
    assert "root" in found
    assert "the account itself" in sentences(words.most_you_can_lose)
    assert "replace the owner" in sentences(words.can)
    take = abi.call("updateFallbackSignerData(address,bool)", STRANGER.address, False)
    assert session.first(take).text == "done"
    assert stage.owner_tx(session.account, COUNT).text == "reverted: FallbackSignerMismatch()"
    assert stage.owner_tx(session.account, COUNT, owner=STRANGER).text == "done"


def test_root_outlives_its_expiry(stage: Stage) -> None:
    session = granted(stage, Root(), expires_in=DAY)
    assert "remove its own expiry" in sentences(said(stage, session)[0].can)
    sibling = replace(session.draft, entity_id=2, expiry=0, session_key=OTHER_SESSION.address)
    assert session.first(FACE.build(sibling).call).text == "done"
    stage.next_block_at(session.draft.expiry + 1)
    assert session.later(COUNT).text == "refused: AA22 expired or not due"
    other = stage.session(stage.grant(sibling, session.account), session.account)
    assert other.later(abi.execute(RECEIVER, ETHER)).text == "done"


def test_root_needs_the_expert_switch(stage: Stage) -> None:
    assert refused_by_latchkey(stage, stage.account(), Root(), policy=Policy.STRICT) == "ExpertRequiredError"


# --- 5. to 8.


def test_no_limit_at_all_can_be_emptied_as_gas_by_a_first_operation(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER), NativeTokenTransfer(0))
    words, found = said(stage, session)
    assert "gas-unlimited" in found
    assert "All ETH in the account and its gas deposit, in gas" in sentences(words.most_you_can_lose)
    fee = 8 * ETHER // 3_000_000
    session.gas = Gas(call=60_000, verification=900_000, pre_verification=2_000_000, max_fee=fee, priority_fee=fee)
    outcome = session.first(COUNT)
    assert outcome.text == "done"
    assert outcome.gas_cost > 5 * ETHER


def test_a_gas_limit_holds_that_back(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER), NativeTokenTransfer(0), GasLimit(ETHER // 10))
    assert "gas-unlimited" not in said(stage, session)[1]
    fee = 8 * ETHER // 3_000_000
    session.gas = Gas(call=60_000, verification=900_000, pre_verification=2_000_000, max_fee=fee, priority_fee=fee)
    assert session.first(COUNT).text.endswith("ExceededNativeTokenLimit())")
    session.gas = GAS
    assert session.first(COUNT).text == "done"


@pytest.mark.parametrize(("verification", "expected"), [(60_000, "refused"), (3_000_000, "done")])
def test_the_first_operation_needs_a_large_verification_limit(stage: Stage, verification: int, expected: str) -> None:
    session = granted(stage, ContractAccess(COUNTER), NativeTokenTransfer(0))
    session.gas = Gas(verification=verification)
    assert session.first(COUNT).text.partition(":")[0] == expected


# --- what aa-sdk lets through


def test_taking_the_account_by_an_account_function(stage: Stage) -> None:
    account = stage.account()
    takeover = abi.call("updateFallbackSignerData(address,bool)", STRANGER.address, False)
    assert refused_by_latchkey(stage, account, AccountFunctions(functions(takeover))) == "SelectorNotAllowed"
    session = unchecked(stage, account, AccountFunctions(functions(takeover)))
    assert session.first(takeover).text == "done"
    assert stage.owner_tx(account, COUNT, owner=STRANGER).text == "done"


def test_installing_code_by_an_account_function(stage: Stage) -> None:
    """aa-sdk's list of forbidden selectors has a wrong value for installExecution."""
    account = stage.account()
    types = "((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[])"
    install = abi.call(f"installExecution(address,{types},bytes)", MODULE, ([(PRACTICE[:4], True, True)], [], []), b"")
    assert install[:4].hex() == "001a63e9"
    assert refused_by_latchkey(stage, account, AccountFunctions(functions(install))) == "SelectorNotAllowed"
    session = unchecked(stage, account, AccountFunctions(functions(install)))
    assert session.first(install).text == "done"
    assert stage.transact(STRANGER, account.address, PRACTICE).text == "done"


def test_one_token_twice(stage: Stage) -> None:
    """The last amount counts, not the sum."""
    account = stage.account()
    twice = (Erc20TokenTransfer(DOLLAR, 100), Erc20TokenTransfer(DOLLAR, 7))
    assert refused_by_latchkey(stage, account, *twice) == "DuplicateTokenError"
    session = unchecked(stage, account, *twice)
    assert session.first(dollars(8)).text.endswith("ExceededTokenLimit())")
    assert tokens_left(stage, session.draft, DOLLAR) == 7


def test_a_token_with_a_limit_and_with_access(stage: Stage) -> None:
    """The limit holds, and whatever is no transfer or approval is stopped by it too: the access adds nothing."""
    account = stage.account()
    both = (Erc20TokenTransfer(DOLLAR, 7), ContractAccess(DOLLAR))
    assert refused_by_latchkey(stage, account, *both) == "DuplicateTokenError"
    session = unchecked(stage, account, *both)
    limit = f"failed: PreExecHookReverted(AllowlistModule:{1 + HALF}, "
    assert session.first(dollars(8)).text == f"{limit}ExceededTokenLimit())"
    take = abi.call("transferFrom(address,address,uint256)", account.address, STRANGER.address, 1)
    assert session.later(abi.execute(DOLLAR, 0, take)).text == f"{limit}SelectorNotAllowed())"
    assert session.later(dollars(7)).text == "done"


def test_one_function_twice(stage: Stage) -> None:
    account = stage.account()
    twice = AccountFunctions((Selector.from_bytes(PRACTICE[:4]),) * 2)
    assert refused_by_latchkey(stage, account, twice) == "DuplicateSelectorError"
    refused = f"refused: AA23 reverted, ValidationAlreadySet(0x{PRACTICE[:4].hex()}, SingleSignerValidationModule:1)"
    assert unchecked(stage, account, twice).first(PRACTICE).text == refused


def test_hooks_compiled_twice(stage: Stage) -> None:
    """Trap 9: aa-sdk's builder, compiled twice, names every hook twice."""
    account = stage.account()
    twice = (GasLimit(ETHER), GasLimit(ETHER), ContractAccess(COUNTER))
    assert refused_by_latchkey(stage, account, *twice) == "UnknownBytes"
    assert unchecked(stage, account, *twice).first(COUNT).text == "refused: AA23 reverted, PreValidationHookDuplicate()"


def test_the_superseded_allowlist_is_no_list(stage: Stage) -> None:
    """Of a grant that names it, Latchkey says that it cannot be read; wrapped calls pass it whatever they are."""
    account = stage.account()
    draft = stage.draft(account, ContractAccess(GAME))
    grant = FACE.build(draft)
    old = grant.unsigned.replace(ALLOWLIST.raw, ALLOWLIST_V200.raw)
    assert old != grant.unsigned
    reading = decode.decode_unsigned(old)
    assert unknown_in(reading)
    call = grant.call.replace(ALLOWLIST.raw, ALLOWLIST_V200.raw)
    changed = replace(grant, call=call, unsigned=old)
    digest = deferred_digest(draft.chain_id, draft.account, grant.nonce, 0, call)
    session = stage.session(assemble(replace(changed, digest=digest), OWNER.sign(digest)), account)
    assert session.first(COUNT, wrapped=False).text.endswith("AddressNotAllowed())")
    assert session.first(COUNT, wrapped=True).text == "done"
    assert session.later(dollars(500), wrapped=True).text == "done"


def test_another_owner_is_not_helped_by_any_of_this(stage: Stage) -> None:
    """A session of one account is nothing to another account, even of the same owner and id."""
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    for owner, salt in ((OWNER, 5), (OTHER_OWNER, 0)):
        other = stage.session(session.signed, stage.account(owner=owner, salt=salt))
        assert other.later(COUNT).text == "refused: AA23 reverted, ValidationFunctionMissing(0xb61d27f6)"
