"""Contracts whose functions the person keeps by name, in the book: what is used the next time the same contract comes up."""

from __future__ import annotations

import sqlite3
from typing import Any

from latchkey.core.functions import Function, read_functions
from latchkey.core.types import Address
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, StoreError
from latchkey.language import tr
from latchkey.store.book import Book, _checking, _json, _label
from latchkey.store.records import KeptContract

__all__ = ["Contracts", "KeptContract"]

MAX_KEPT = 500
_MISSING = tr("This contract is not kept.")


class Contracts:
    """The table's methods; each is one transaction of the book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def all(self) -> tuple[KeptContract, ...]:
        """By network, then by name."""
        return tuple(map(_contract, self._book._rows("SELECT * FROM contracts ORDER BY chain_id, label COLLATE NOCASE, address")))

    def on(self, chain_id: int) -> tuple[KeptContract, ...]:
        return tuple(one for one in self.all() if one.chain_id == chain_id)

    def at(self, chain_id: int, address: Address) -> KeptContract | None:
        rows = self._book._rows("SELECT * FROM contracts WHERE chain_id = ? AND address = ?", (chain_id, address))
        return _contract(rows[0]) if rows else None

    def keep(self, contract: KeptContract) -> None:
        """Keep it, or replace what was kept for this address. Raises BadInput for what is too large, StoreError."""
        if self.at(contract.chain_id, contract.address) is None and len(self.all()) >= MAX_KEPT:
            raise StoreError(tr("At most {max_kept} contracts are kept; forget one first.", max_kept=MAX_KEPT), code="TooMany")
        functions = _json([function.signature or str(function.selector) for function in contract.functions])
        values = (contract.chain_id, contract.address, _label(contract.label), functions, contract.kept)
        with self._book._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO contracts VALUES (?, ?, ?, ?, ?)", values)

    def rename(self, chain_id: int, address: Address, name: str) -> None:
        """Raises StoreError (code "Missing"), BadInput."""
        statement = "UPDATE contracts SET label = ? WHERE chain_id = ? AND address = ?"
        self._book._change(statement, (_label(name), chain_id, address), _MISSING)

    def forget(self, chain_id: int, address: Address) -> None:
        """Raises StoreError (code "Missing")."""
        self._book._change("DELETE FROM contracts WHERE chain_id = ? AND address = ?", (chain_id, address), _MISSING)


def _contract(row: sqlite3.Row) -> KeptContract:
    with _checking():
        return KeptContract(
            row["chain_id"],
            Address.parse(row["address"]),
            _label(row["label"]),
            _functions(read_json(row["functions"])),
            row["kept"],
        )


def _functions(texts: Any) -> tuple[Function, ...]:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadInput(tr("Expected a list of functions."))
    return read_functions("\n".join(texts)) if texts else ()
