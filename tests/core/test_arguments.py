"""Typed arguments to calldata, held against eth_abi's own decoder; what is no value of its type is refused where it stands."""

from __future__ import annotations

import pytest
from eth_abi import decode

from latchkey.core.arguments import calldata, parameters
from latchkey.core.functions import selector_of
from latchkey.errors import BadInput

A = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.mark.parametrize(
    ("signature", "kinds"),
    [
        ("claim()", ()),
        ("transfer(address to, uint amount)", ("address", "uint256")),
        ("f((address,uint8[2])[] orders,bytes4,string)", ("(address,uint8[2])[]", "bytes4", "string")),
    ],
)
def test_parameters(signature: str, kinds: tuple[str, ...]) -> None:
    assert parameters(signature) == kinds


@pytest.mark.parametrize(
    ("signature", "texts", "values"),
    [
        ("f()", (), ()),
        ("f(address,uint256)", (A, " 250000 "), (A.lower(), 250000)),
        ("f(uint8,int8)", ("0xff", "-128"), (255, -128)),
        ("f(bool,bool)", ("Yes", "false"), (True, False)),
        ("f(string,bytes,bytes4)", ("hi there", "0x", "0x01020304"), ("hi there", b"", b"\1\2\3\4")),
        ("f(uint16[])", ("[1, 2, 0x3, 4]".replace("0x3", '"0x3"'),), ((1, 2, 3, 4),)),
        ("f((address,bool)[2])", (f'[["{A}", true], ["{A}", "no"]]',), (((A.lower(), True), (A.lower(), False)),)),
        ("f(uint256[2][])", ("[[1,2],[3,4]]",), (((1, 2), (3, 4)),)),
    ],
)
def test_what_is_typed_is_what_is_encoded(signature: str, texts: tuple[str, ...], values: tuple[object, ...]) -> None:
    data = calldata(signature, texts)
    kinds = parameters(signature)
    canonical = f"f({','.join(kinds)})"
    assert data[:4] == selector_of(canonical).raw
    assert decode(kinds, data[4:]) == values


@pytest.mark.parametrize(
    ("signature", "texts", "path"),
    [
        ("f(uint8)", ("256",), "arguments[0]"),
        ("f(uint8)", ("-1",), "arguments[0]"),
        ("f(int8)", ("128",), "arguments[0]"),
        ("f(uint8)", ("1.5",), "arguments[0]"),
        ("f(uint8)", ("",), "arguments[0]"),
        ("f(uint8,address)", ("1", "0x12"), "arguments[1]"),
        ("f(bool)", ("maybe",), "arguments[0]"),
        ("f(bytes4)", ("0x01",), "arguments[0]"),
        ("f(bytes)", ("01",), "arguments[0]"),
        ("f(uint8[])", ("1",), "arguments[0]"),
        ("f(uint8[])", ("[1",), ""),
        ("f(uint8[])", ("[1.5]",), "arguments[0][0]"),
        ("f(uint8[])", ("[null]",), "arguments[0][0]"),
        ("f(uint8[2])", ("[1]",), "arguments[0]"),
        ("f((uint8,bool))", ("[1]",), "arguments[0]"),
        ("f(uint8[][])", ("[[1],[300]]",), "arguments[0][1][0]"),
        ("f(uint8)", (), "arguments"),
        ("f()", ("1",), "arguments"),
        ("f(fixed128x18)", ("1",), "arguments[0]"),
        ("f(string)", ("x" * 70_000,), "arguments[0]"),
        ("f(", (), ""),
    ],
)
def test_what_is_no_value_is_refused_where_it_stands(signature: str, texts: tuple[str, ...], path: str) -> None:
    with pytest.raises(BadInput) as caught:
        calldata(signature, texts)
    assert caught.value.path == path
    assert caught.value.text.endswith(".")
