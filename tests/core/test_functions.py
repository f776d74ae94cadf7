"""The function picker's reader: every way a person may paste functions, and nothing quoted back."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.functions import function_of, known_signature, offered_signature, read_functions, selector_of
from latchkey.core.known_functions import KNOWN
from latchkey.core.types import Selector
from latchkey.errors import BadInput

TRANSFER, APPROVE = "0xa9059cbb", "0x095ea7b3"


def selectors(text: str) -> list[str]:
    return [str(f.selector) for f in read_functions(text)]


@pytest.mark.parametrize(
    "text",
    [
        "transfer(address,uint256)\napprove(address,uint256)",
        "transfer(address,uint256), approve(address,uint256)",
        "transfer(address,uint256);approve(address,uint256);",
        "0xa9059cbb 0x095EA7B3",
        "0xa9059cbb, approve(address spender, uint amount)",
        "function transfer(address to, uint256 amount) external returns (bool);\nfunction approve(address, uint) external;",
        "interface IERC20 { // token\n event Transfer(address a);\n function transfer(address payable to,\n uint256 v) external;"
        " /* function nope(); */ function approve(address a, uint256 b) external returns (bool); }",
        json.dumps(["function transfer(address to, uint256 amount)", "event Transfer(address)", "approve(address,uint256)"]),
        json.dumps(
            [
                {"type": "function", "name": "transfer", "inputs": [{"type": "address"}, {"type": "uint256", "name": "v"}]},
                {"type": "event", "name": "Transfer", "inputs": []},
                {"name": "approve", "inputs": [{"type": "address"}, {"type": "uint"}], "outputs": []},
            ]
        ),
        json.dumps(
            {
                "contractName": "Token",
                "abi": [
                    {"type": "constructor", "inputs": []},
                    {"type": "function", "name": "transfer", "inputs": [{"type": "address"}, {"type": "uint256"}]},
                    {"type": "function", "name": "approve", "inputs": [{"type": "address"}, {"type": "uint256"}]},
                ],
            }
        ),
    ],
)
def test_transfer_and_approve_however_written(text: str) -> None:
    assert selectors(text) == [TRANSFER, APPROVE]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("f()", "f()"),
        ("f( )", "f()"),
        ("f(uint)", "f(uint256)"),
        ("f(int[] memory a, byte b)", "f(int256[],bytes1)"),
        ("f(uint[3][] calldata)", "f(uint256[3][])"),
        ("f((uint,address payable)[2] memory x)", "f((uint256,address)[2])"),
        ("f(tuple(uint a, (bool, string) b) t)", "f((uint256,(bool,string)))"),
        (
            "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160) params) external payable",
            "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
        ),
        ("_a$1(bytes32,fixed)", "_a$1(bytes32,fixed128x18)"),
    ],
)
def test_canonical(written: str, canonical: str) -> None:
    function = function_of(written)
    assert function.signature == canonical
    assert function.selector == selector_of(canonical)


def test_tuples_in_an_abi() -> None:
    inputs = [{"type": "tuple[]", "components": [{"type": "address"}, {"type": "tuple", "components": [{"type": "uint8[2]"}]}]}]
    assert (
        read_functions(json.dumps([{"type": "function", "name": "f", "inputs": inputs}]))[0].signature
        == "f((address,(uint8[2]))[])"
    )


def test_readers_are_marked() -> None:
    text = "function a() external view returns (uint);function b() external;function c() public pure;"
    assert [f.reads_only for f in read_functions(text)] == [True, False, True]


def test_a_selector_stands_once() -> None:
    assert selectors("transfer(address,uint256) 0xa9059cbb transfer(address,uint)") == [TRANSFER]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "hello",
        "f(",
        "f(uint256",
        "f)",
        "f(Piece)",
        "f(uint256[)",
        "f(uint255)",
        "f(bytes33)",
        "f(uint256 a b)",
        "f(,)",
        "1f()",
        "0xa9059c",
        "0xa9059cbb00",
        "f(uint256 memory a-b)",
        "function f(IERC20 token) external",
        "[]",
        "{}",
        '{"abi": 1}',
        "[1,",
        "[1]",
        '[{"type":"function"}]',
        '[{"type":"function","name":"f","inputs":1}]',
        '[{"type":"function","name":"f","inputs":[{"type":"Piece"}]}]',
        '[{"type":"function","name":"f;g","inputs":[]}]',
        "f" + "(" * 2000 + ")" * 2000,
        "f(address(uint))",
        "f(foo(uint256))",
        "f(uint256 (a))",
    ],
)
def test_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_functions(text)
    assert caught.value.text.endswith(".")
    assert "Piece" not in caught.value.text


def test_the_function_at_fault_is_counted() -> None:
    with pytest.raises(BadInput, match="Function 2") as caught:
        read_functions("claim()\nmove(Piece)\n")
    assert caught.value.path == "functions[1]"
    with pytest.raises(BadInput, match="Entry 1 of the ABI"):
        read_functions('[{"type":"function","name":"f","inputs":[{"type":"Piece"}]}]')


def test_too_much_is_refused() -> None:
    with pytest.raises(BadInput, match="too many functions"):
        read_functions(" ".join(f"f{i}()" for i in range(2001)))
    with pytest.raises(BadInput, match="too long"):
        read_functions("f() " * 100_000)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(BadInput):
        assert read_functions(text)


@given(st.text(alphabet="()[]{},; \nuintaddress8256function0xf", max_size=80))
def test_no_near_signature_breaks_the_reader(text: str) -> None:
    with suppress(BadInput):
        for function in read_functions(text):
            assert function.signature is None or selector_of(function.signature) == function.selector


def test_every_known_selector_is_the_hash_of_its_signature() -> None:
    assert len(KNOWN) > 150
    for selector, signature in KNOWN.items():
        assert selector_of(signature) == Selector.parse(selector)
        assert function_of(signature).signature == signature


def test_names() -> None:
    assert known_signature(Selector.parse(TRANSFER)) == "transfer(address,uint256)"
    assert known_signature(Selector.parse("0x12345678")) is None


def test_an_offered_name_counts_only_when_its_hash_agrees() -> None:
    offered = ("function forge(uint id) external", "broken(", "transfer(address,uint256)")
    assert offered_signature(selector_of("forge(uint256)"), offered) == "forge(uint256)"
    assert offered_signature(Selector.parse("0x12345678"), offered) is None
