"""A person's own presets, in the book: each under a name of its own, kept as the text of its file."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from latchkey.core.own_presets import OwnPreset, preset_json, preset_name, read_preset
from latchkey.errors import StoreError
from latchkey.language import tr
from latchkey.store.book import Book, _checking

MAX_KEPT = 200
_MISSING = tr("This preset is not kept.")


@dataclass(frozen=True, slots=True)
class KeptPreset:
    """`id`: its number in the book."""

    id: int
    preset: OwnPreset


class Presets:
    """The table's methods; each is one transaction of the book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def all(self) -> tuple[KeptPreset, ...]:
        """By name."""
        return tuple(map(_preset, self._book._rows("SELECT * FROM presets ORDER BY name COLLATE NOCASE")))

    def add(self, preset: OwnPreset) -> KeptPreset:
        """Raises StoreError, code "Exists" when the name is taken."""
        if len(self.all()) >= MAX_KEPT:
            raise StoreError(tr("At most {max_kept} presets are kept; delete one first.", max_kept=MAX_KEPT), code="TooMany")
        text = preset_json(preset)
        read_preset(text)  # what cannot be read again is not kept
        return KeptPreset(self._book._insert("presets", _taken(preset.name), name=preset.name, preset=text), preset)

    def restore(self, kept: KeptPreset) -> None:
        """Put one back that was just deleted. Raises StoreError."""
        preset = kept.preset
        self._book._insert("presets", _taken(preset.name), id=kept.id, name=preset.name, preset=preset_json(preset))

    def rename(self, number: int, name: str) -> None:
        """Raises StoreError (code "Exists" or "Missing"), BadInput."""
        name = preset_name(name)
        with self._book._transaction() as connection:
            try:
                changed = connection.execute("UPDATE presets SET name = ? WHERE id = ?", (name, number)).rowcount
            except sqlite3.IntegrityError:
                raise StoreError(_taken(name), code="Exists") from None
            if changed != 1:
                raise StoreError(_MISSING, code="Missing")

    def delete(self, number: int) -> None:
        """Raises StoreError (code "Missing")."""
        self._book._change("DELETE FROM presets WHERE id = ?", (number,), _MISSING)

    def free_name(self, name: str) -> str:
        """This name, or the first of "name (2)", "name (3)" ... that is free."""
        taken = {kept.preset.name.casefold() for kept in self.all()}
        tries = (name if n == 1 else f"{name[:58].rstrip()} ({n})" for n in range(1, MAX_KEPT + 2))
        return next(one for one in tries if one.casefold() not in taken)


def _taken(name: str) -> str:
    return tr("A preset called {name} is there already.", name=name)


def _preset(row: sqlite3.Row) -> KeptPreset:
    with _checking():
        return KeptPreset(row["id"], replace(read_preset(row["preset"]), name=preset_name(row["name"])))
