"""Amount entry: exact both ways, and a refusal for everything that is not a plain decimal."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.amounts import BASE_UNITS, ETH, GWEI, MAX_DECIMALS, WEI, Unit, format_amount, natural_unit, parse_amount
from latchkey.core.types import MAX_UINT256
from latchkey.errors import BadInput

units = st.builds(Unit, st.just("T"), st.integers(0, MAX_DECIMALS))


@given(st.integers(0, MAX_UINT256), units)
def test_what_is_printed_reads_back_exactly(value: int, unit: Unit) -> None:
    assert parse_amount(format_amount(value, unit), unit) == value


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_a_sentence(text: str) -> None:
    with suppress(BadInput):
        assert 0 <= parse_amount(text, ETH) <= MAX_UINT256


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("0", ETH, 0),
        ("1", ETH, 10**18),
        ("0.1", ETH, 10**17),
        (".5", ETH, 5 * 10**17),
        ("1.", ETH, 10**18),
        (" 0.01 ", ETH, 10**16),
        ("0.000000000000000001", ETH, 1),
        ("0.1000000000000000000000", ETH, 10**17),
        ("0.3", ETH, 300000000000000000),
        ("2.5", GWEI, 2_500_000_000),
        ("007", WEI, 7),
        ("250.50", Unit("USDC", 6), 250_500_000),
        (str(MAX_UINT256), WEI, MAX_UINT256),
    ],
)
def test_read(text: str, unit: Unit, value: int) -> None:
    assert parse_amount(text, unit) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "1,5",
        "1 000",
        "-1",
        "+1",
        "1e18",
        "0x10",
        "1.2.3",
        "١",
        "٣.٥",
        "1_000",
        "½",
        "NaN",
        "1" * 101,
        "0.0000000000000000001",
        str(MAX_UINT256 + 1),
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_amount(text, ETH, path="limit")
    assert caught.value.path == "limit"


def test_base_units_are_whole() -> None:
    with pytest.raises(BadInput, match="Base units are whole"):
        parse_amount("0.5", BASE_UNITS)


@pytest.mark.parametrize(("wei", "unit"), [(0, ETH), (1, WEI), (300_000, WEI), (10**9, GWEI), (10**12, ETH), (10**18, ETH)])
def test_natural_unit(wei: int, unit: Unit) -> None:
    assert natural_unit(wei) == unit
