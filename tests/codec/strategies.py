"""Hypothesis strategies for envelopes and requests: everything the format allows, and nothing it refuses."""

from dataclasses import replace

from hypothesis import strategies as st

from latchkey.codec.hand_over import ENDINGS, Envelope, Kind
from latchkey.codec.text import clean
from latchkey.core.account import Account, Mode
from latchkey.core.narrow import Asked
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Root,
)
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Address, Selector

addresses = st.binary(min_size=20, max_size=20).map(Address.from_bytes)
selectors = st.lists(st.binary(min_size=4, max_size=4).map(Selector.from_bytes), max_size=4).map(tuple)
amounts = st.one_of(st.sampled_from((0, 1, 255, 256, 2**64 - 1, 2**64, 2**256 - 1)), st.integers(0, 2**256 - 1))
permission = st.one_of(
    st.builds(NativeTokenTransfer, amounts),
    st.builds(Erc20TokenTransfer, addresses, amounts),
    st.builds(GasLimit, amounts),
    st.builds(ContractAccess, addresses),
    st.builds(AccountFunctions, selectors),
    st.builds(FunctionsOnAllContracts, selectors),
    st.builds(FunctionsOnContract, addresses, selectors),
    st.just(Root()),
    st.builds(PaymasterGuard, addresses),
)
permissions = st.lists(permission, min_size=1, max_size=5).map(tuple)
chain_ids = st.one_of(st.sampled_from((1, 8453, 31337, 2**63 - 1)), st.integers(1, 2**63 - 1))
zeroish = st.lists(st.one_of(st.binary(max_size=8), st.integers(1, 600).map(bytes)), max_size=6).map(b"".join)
filled = zeroish.map(lambda raw: raw or b"\0")
key_types = st.sampled_from(("secp256k1", "contract"))
request_ids = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)
expiries = st.integers(0, 2**48 - 1)


def lines(limit: int) -> st.SearchStrategy[str]:
    return st.text(max_size=limit + 5).map(lambda text: clean(text, limit))


claims = st.builds(
    Claims,
    lines(80),
    lines(256),
    st.lists(
        st.tuples(addresses, lines(80), lines(20), st.none() | st.integers(0, 77)), max_size=3, unique_by=lambda name: name[0]
    ).map(tuple),
    st.lists(lines(200), max_size=3).map(tuple),
    st.booleans(),
)
keys32 = st.binary(min_size=32, max_size=32)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    chain_id, address, owner = draw(chain_ids), draw(addresses), draw(addresses)
    mode = draw(st.sampled_from(Mode))
    known = {
        Mode.SMA: (owner, draw(amounts)),
        Mode.MA: (owner, draw(amounts)),
        Mode.EIP7702: (address, None),
        Mode.ADDRESS: (draw(st.none() | st.just(owner)), None),
    }
    return Account(chain_id, address, "modular_account", mode, *known[mode], draw(zeroish))


@st.composite
def requests(draw: st.DrawFn, account_needs_network: bool = True) -> SessionRequest:
    account, chain_id = draw(st.none() | addresses), draw(st.none() | chain_ids)
    if account and account_needs_network:
        chain_id = chain_id or 1
    key = draw(st.none() | addresses)
    return SessionRequest(
        permissions=draw(permissions),
        request_id=draw(request_ids),
        account=account,
        chain_id=chain_id,
        expiry=draw(st.none() | expiries),
        session_key=key,
        key_type=draw(key_types) if key else "secp256k1",
        hand_over_key=draw(st.none() | keys32),
        claims=draw(claims),
        system=draw(st.sampled_from(("modular_account", "kernel"))),
        callback=draw(st.sampled_from(("", "https://rooms.example/back?a=1"))),
    )


@st.composite
def grants(draw: st.DrawFn) -> Envelope:
    """Unsigned and signed grants."""
    request_id = draw(st.just("") | request_ids)
    unsigned = Envelope(
        kind=Kind.UNSIGNED_GRANT,
        permissions=draw(permissions),
        account=draw(accounts()),
        expiry=draw(expiries),
        session_key=draw(addresses),
        key_type=draw(key_types),
        entity_id=draw(st.integers(0, 2**32 - 1)),
        nonce=draw(amounts),
        unsigned=draw(filled),
        request_id=request_id,
        hand_over_key=draw(st.none() | keys32),
        claims=draw(claims),
        asked=draw(st.none() | st.builds(Asked, permissions, st.none() | expiries)) if request_id else None,
    )
    if draw(st.booleans()):
        return unsigned
    blob = draw(filled)
    return replace(
        unsigned,
        kind=Kind.SIGNED_GRANT,
        unsigned=b"",
        blob=blob,
        context=draw(st.sampled_from((b"", b"\x01" + blob, b"\x02\x00\x00\x00\x00\x07", b"\x01"))),
        sealed_session_key=draw(st.binary(max_size=120)) if unsigned.hand_over_key else b"",
        session_keystore=draw(st.sampled_from(("", '{"version":3}'))),
    )


@st.composite
def endings(draw: st.DrawFn) -> Envelope:
    """Revocations, cancellations and owner's transactions, unsigned and signed."""
    kind = draw(st.sampled_from(sorted(ENDINGS)))
    datas = tuple(draw(st.lists(filled, min_size=1, max_size=4)))
    signature = st.binary(min_size=65, max_size=65)
    count = len(datas) if kind is kind.signed else 0
    return Envelope(
        kind=kind,
        account=draw(accounts()),
        signatures=tuple(draw(st.lists(signature, min_size=count, max_size=count))),
        created=draw(expiries),
        **{"transactions" if kind.endswith("transaction") else "operations": datas},
    )
