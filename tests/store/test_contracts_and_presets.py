"""Contracts whose functions are named, and own presets: kept, found again, forgotten, brought back, and never trusted when read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from latchkey.core.functions import Function, read_functions, selector_of
from latchkey.core.own_presets import OwnPreset
from latchkey.core.permissions import FunctionsOnContract, GasLimit, NativeTokenTransfer
from latchkey.core.types import Address, Selector
from latchkey.errors import BadInput, StoreError
from latchkey.store.book import Book
from latchkey.store.contracts import Contracts, KeptContract
from latchkey.store.presets import Presets

GAME = Address.parse("0x" + "11" * 20)
SAMPLE = Path(__file__).parent / "samples" / "book-v2.sqlite"
CASTLE = KeptContract(8453, GAME, "Castle", read_functions("wiggle(uint8,uint8) 0x12345678"), 1_790_000_000)
SCOPE = (FunctionsOnContract(GAME, (selector_of("claim()"),)), NativeTokenTransfer(0), GasLimit(10**16))
MOVES = OwnPreset("Castle moves", 8453, 86_400, SCOPE, ("claim()",))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.open(tmp_path / "book") as opened:
        yield opened


def test_a_contract_is_kept_replaced_renamed_and_forgotten(book: Book) -> None:
    contracts = Contracts(book)
    contracts.keep(CASTLE)
    assert contracts.all() == contracts.on(8453) == (CASTLE,)
    assert contracts.at(8453, GAME) == CASTLE
    assert contracts.at(1, GAME) is None
    assert contracts.on(1) == ()
    more = replace(CASTLE, functions=(*CASTLE.functions, *read_functions("forge(uint256)")))
    contracts.keep(more)
    assert contracts.all() == (more,)
    contracts.rename(8453, GAME, "Old castle")
    assert contracts.at(8453, GAME) == replace(more, label="Old castle")
    contracts.forget(8453, GAME)
    assert contracts.all() == ()
    for late in (lambda: contracts.forget(8453, GAME), lambda: contracts.rename(8453, GAME, "x")):
        with pytest.raises(StoreError) as caught:
            late()
        assert caught.value.code == "Missing"


def test_what_is_too_much_is_not_kept(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latchkey.store.contracts.MAX_KEPT", 3)
    contracts = Contracts(book)
    long = tuple(Function(selector_of(f"f{'x' * 900}{i}()"), f"f{'x' * 900}{i}()") for i in range(400))
    with pytest.raises(BadInput):
        contracts.keep(replace(CASTLE, functions=long))
    with pytest.raises(BadInput):
        contracts.keep(replace(CASTLE, label="two\nlines"))
    assert contracts.all() == ()
    for number in range(3):
        contracts.keep(replace(CASTLE, address=Address.from_bytes(number.to_bytes(20, "big")), functions=()))
    contracts.keep(replace(CASTLE, address=Address.from_bytes(bytes(20)), label="again", functions=()))
    with pytest.raises(StoreError) as caught:
        contracts.keep(CASTLE)
    assert caught.value.code == "TooMany"


def test_presets_have_names_of_their_own(book: Book) -> None:
    presets = Presets(book)
    first = presets.add(MOVES)
    assert presets.all() == (first,)
    with pytest.raises(StoreError) as caught:
        presets.add(MOVES)
    assert caught.value.code == "Exists"
    assert presets.free_name("Castle moves") == "Castle moves (2)"
    assert presets.free_name("castle MOVES") == "castle MOVES (2)"
    assert presets.free_name("Other") == "Other"
    second = presets.add(replace(MOVES, name="a second"))
    with pytest.raises(StoreError) as caught:
        presets.rename(second.id, "Castle moves")
    assert caught.value.code == "Exists"
    presets.rename(second.id, "Zebra")
    assert [kept.preset.name for kept in presets.all()] == ["Castle moves", "Zebra"]
    with pytest.raises(BadInput):
        presets.rename(second.id, "  ")
    with pytest.raises(StoreError):
        presets.rename(99, "Nobody")


def test_a_deleted_preset_comes_back_as_it_was(book: Book) -> None:
    presets = Presets(book)
    kept, other = presets.add(MOVES), presets.add(replace(MOVES, name="other"))
    presets.delete(kept.id)
    assert presets.all() == (other,)
    presets.restore(kept)
    assert presets.all() == (kept, other)
    with pytest.raises(StoreError):
        presets.delete(99)


def test_the_sample_of_version_2(tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path / "book")
    with Book.open(tmp_path / "book") as book:
        (contract,) = Contracts(book).all()
        assert [f.signature for f in contract.functions] == ["claim()", "wiggle(uint8,uint8)"]
        assert Presets(book).all()[0].preset == MOVES


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE contracts SET functions = '[1]'",
        "UPDATE contracts SET functions = '{}'",
        "UPDATE contracts SET functions = '[\"<b>\"]'",
        "UPDATE contracts SET address = '0x11'",
        "UPDATE contracts SET label = char(8238)",
        "UPDATE presets SET preset = '{}'",
        "UPDATE presets SET name = char(8238)",
    ],
)
def test_a_spoilt_entry_is_damage(tmp_path: Path, statement: str) -> None:
    shutil.copy(SAMPLE, tmp_path / "book")
    with Book.open(tmp_path / "book") as book:
        with book._transaction() as connection:
            connection.execute(statement)
        with pytest.raises(StoreError) as caught:
            (Contracts(book).all(), Presets(book).all())
        assert caught.value.code == "Damaged"


def test_only_selectors_can_be_kept_too(book: Book) -> None:
    Contracts(book).keep(replace(CASTLE, functions=(Function(Selector.parse("0x12345678")),)))
    assert Contracts(book).all()[0].functions == (Function(Selector.parse("0x12345678")),)
