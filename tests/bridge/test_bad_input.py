"""Every field of every method with whatever somebody may put there: an error with one sentence, never a trace, never a hang."""

from __future__ import annotations

import copy
import json
import string
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from latchkey.bridge.calls import METHODS, Ask, ask_of, read_call
from latchkey.bridge.faults import Fault
from latchkey.flow.requests import refusal
from tests.bridge.house import PAGE, REQUEST, House
from tests.counts import count
from tests.store.grants import ACCOUNT

VALID: dict[str, list[Any]] = {
    "latchkey_pair": [{"code": "123456", "name": "Rooms"}],
    "latchkey_authenticate": [{"token": "t" * 43}],
    "eth_accounts": [],
    "eth_requestAccounts": [],
    "eth_chainId": [],
    "wallet_switchEthereumChain": [{"chainId": "0x7a69"}],
    "wallet_getCapabilities": [str(ACCOUNT.address), ["0x1", "0x7a69"]],
    "wallet_createSession": [
        REQUEST
        | {
            "account": str(ACCOUNT.address),
            "permissions": [
                {"type": "gas-limit", "data": {"limit": "0x1"}},
                {"type": "functions-on-contract", "data": {"address": str(ACCOUNT.address), "functions": ["0x12345678"]}},
            ],
            "latchkey": {"name": "Rooms", "url": PAGE, "requestId": "r", "names": [], "functions": ["move(uint8,uint8)"]},
        }
    ],
    "latchkey_getSessions": [],
    "latchkey_revokeSession": [{"chainId": "0x7a69", "account": str(ACCOUNT.address), "entityId": 7}],
}

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.text(string.hexdigits, max_size=70).map("0x".__add__),
    st.sampled_from(
        ["", "0x", "0x0", "__proto__", "a" * 5000, "\ud800", "\u202e", "0X1", "-1", "1e999", "\x00", "' OR 1=1", "../../x", "<b>"]
    ),
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field."""
    yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*path, name))
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, (*path, number))


def changed(value: Any, path: tuple[Any, ...], make: Any) -> Any:
    """A copy in which one field is `make(field)`."""
    if not path:
        return make(value)
    result = copy.copy(value)
    result[path[0]] = changed(value[path[0]], path[1:], make)
    return result


CALLS = [
    (method, path)
    for method, params in VALID.items()
    for path in places({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
]


def test_every_method_is_here() -> None:
    assert set(VALID) == set(METHODS)
    assert all(isinstance(ask_of(read_call(json.dumps(call(method)))), Ask) for method in VALID)


def call(method: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": VALID[method]}


def check_sentence(code: Any, message: Any) -> None:
    assert isinstance(code, int)
    assert isinstance(message, str)
    assert message.isprintable()
    assert message.endswith((".", ";"))
    assert 10 < len(message) < 400
    for word in ("Traceback", "File ", "Error(", "object at 0x", "pydantic", "latchkey.codec", "latchkey.core"):
        assert word not in message


@pytest.mark.soak
@settings(max_examples=count(6, 200))
@given(data=st.data())
@pytest.mark.parametrize(
    ("method", "path"), CALLS, ids=lambda part: part if isinstance(part, str) else ".".join(map(str, part)) or "call"
)
def test_every_field_of_every_method(method: str, path: tuple[Any, ...], data: DataObject) -> None:
    """Read in this process: what goes to the window is whole, everything else is a Fault."""
    bad = changed(call(method), path, lambda _old: data.draw(anything))
    judge(json.dumps(bad))


@pytest.mark.soak
@pytest.mark.timeout(count(300, 3600))
@settings(max_examples=count(100, 20_000))
@given(text=st.text(max_size=300) | st.binary(max_size=300) | anything.map(json.dumps))
def test_any_text(text: str | bytes) -> None:
    judge(text)


def judge(text: str | bytes) -> None:
    try:
        ask = ask_of(read_call(text))
    except Fault as fault:
        check_sentence(fault.code, fault.message)
    else:
        json.dumps(ask.fields)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '"x"', "[" * 100_000, '{"a":' * 50_000, '{"jsonrpc":"2.0","jsonrpc":"2.0"}', "NaN", "\ufeff{}",
     '{"jsonrpc":"2.0","id":1e400,"method":"eth_accounts"}', "{}" * 1000, '{"jsonrpc":"2.0","id":' + "9" * 5000 + ',"method":"x"}'],
    ids=range(14),
)  # fmt: skip
def test_what_is_no_json_rpc(text: str) -> None:
    with pytest.raises(Fault) as found:
        read_call(text)
    check_sentence(found.value.code, found.value.message)


# --- through the wire, to the window and back

PAGES = 24  # each has a rate of its own


@pytest.fixture(scope="module")
def tokens(shared: House) -> dict[str, str]:
    """Many pages, and a person who refuses everything at once."""
    found = {}
    for number in range(PAGES):
        page = f"https://bad-{number}.example"
        found[page] = shared.pair(page)

    def refuse() -> None:
        for record in shared.requests.open():
            shared.requests.answer(record.id, refusal("not-now"))

    shared.requests.on_change(refuse)
    return found


@pytest.mark.soak
@pytest.mark.timeout(count(300, 3600))
def test_bad_calls_through_the_wire(shared: House, tokens: dict[str, str]) -> None:
    pages, seen = list(tokens), [0]

    @settings(max_examples=count(60, 3000))
    @given(data=st.data())
    def send(data: DataObject) -> None:
        page = pages[seen[0] % PAGES]
        seen[0] += 1
        method, path = data.draw(st.sampled_from([one for one in CALLS if one[0] != "latchkey_pair"]))
        bad = changed(call(method), path, lambda _old: data.draw(anything))
        reply = shared.post(json.dumps(bad), origin=page, token=tokens[page])
        answer = reply.json
        assert answer["jsonrpc"] == "2.0"
        assert "result" in answer or check_sentence(answer["error"]["code"], answer["error"]["message"]) is None
        assert answer.get("error", {}).get("code") != -32603, answer

    send()
    assert shared.call("eth_accounts", origin=pages[0], token=tokens[pages[0]]) == [ACCOUNT.address]
    assert shared.book.grants() == ()
