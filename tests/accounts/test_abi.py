"""Our few ABI shapes against eth_abi."""

from __future__ import annotations

from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from latchkey.accounts.modular_account import abi
from latchkey.core.types import Address

addresses = st.binary(min_size=20, max_size=20).map(Address.from_bytes)
four_bytes = st.binary(min_size=4, max_size=4)
inputs = st.tuples(addresses, st.booleans(), st.booleans(), st.integers(0, 2**256 - 1), st.lists(four_bytes, max_size=5))


@given(st.integers(0, 2**32 - 1), st.lists(inputs, max_size=4))
def test_allowlist(entity_id: int, entries: list[abi.AllowlistInput]) -> None:
    theirs = encode(
        ["uint32", "(address,bool,bool,uint256,bytes4[])[]"],
        [entity_id, [(target.raw, *rest) for target, *rest in entries]],
    )
    assert abi.allowlist(entity_id, entries) == theirs


@given(st.binary(max_size=80), st.lists(four_bytes, max_size=4), st.lists(st.binary(max_size=70), max_size=4))
def test_dynamic_values(raw: bytes, chosen: list[bytes], items: list[bytes]) -> None:
    tails = [abi.selectors(chosen), abi.dynamic(raw), abi.array([abi.dynamic(item) for item in items])]
    ours = b"".join((abi.left(b"\x01" * 25), *abi.tail_offsets(4, tails), *tails))
    assert ours == encode(["bytes25", "bytes4[]", "bytes", "bytes[]"], [b"\x01" * 25, chosen, raw, items])
