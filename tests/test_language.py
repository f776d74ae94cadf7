"""Sentences go through translation: the catalogue holds them all, each with its values, and another language is spoken when it is there."""

from __future__ import annotations

import json
import os
import runpy
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from latchkey import language
from latchkey.language import pseudo, tr, trn

ROOT = Path(__file__).parents[1]
CATALOGUE = runpy.run_path(str(ROOT / "packaging" / "catalogue.py"))


def test_the_catalogue_is_current() -> None:
    """`make catalogue` writes it."""
    assert CATALOGUE["CATALOGUE"].read_text("utf-8") == CATALOGUE["catalogue"]()


def test_every_sentence_is_written_out_and_has_its_values() -> None:
    said = list(CATALOGUE["sentences"]())
    assert len(said) > 2_000
    assert [one.fault for one in said if one.fault] == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('tr("Read {count} blocks", number=3)', "['count', 'number']"),
        ('tr("Read")', ""),
        ("tr(text)", "not written out"),
        ('trn("{count} day", "{count} days", n)', ""),
        ('trn("{count} day of {month}", "{count} days of {month}", n)', "['month']"),
        ('say("call {name}", name=x)', ""),
        ('tr("The value {0} stays")', ""),
    ],
)
def test_faults_are_found(source: str, fault: str) -> None:
    import ast

    call: Any = ast.parse(source).body[0]
    assert fault in CATALOGUE["_said"]("here.py", call.value).fault
    assert bool(fault) == bool(CATALOGUE["_said"]("here.py", call.value).fault)


def test_english_needs_no_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(language.VARIABLE, raising=False)
    language._catalogue.cache_clear()
    assert tr("Nothing is active on {network}.", network="{Base}") == "Nothing is active on {Base}."
    assert tr("As {it} stands") == "As {it} stands"
    assert [trn("{count} day", "{count} days", n) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


def test_pseudo_keeps_places() -> None:
    assert pseudo("Nothing is active on {network}.").startswith("[Ñöthîñg îs åçtîvé öñ {network}.·")
    assert pseudo("") == "[]"


def _mo(texts: dict[str, str]) -> bytes:
    """A compiled gettext catalogue."""
    keys = sorted(texts)
    heads, body = [], b""
    start = 28 + 16 * len(keys)
    for group in (keys, [texts[key] for key in keys]):
        for text in group:
            raw = text.encode()
            heads.append(struct.pack("<II", len(raw), start + len(body)))
            body += raw + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, 0) + b"".join(heads) + body


def test_another_language_is_spoken_where_its_catalogue_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "de" / "LC_MESSAGES"
    place.mkdir(parents=True)
    texts = {
        "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n",
        "Nothing is active on {network}.": "Auf {network} ist nichts aktiv.",
        "{count} day\0{count} days": "{count} Tag\0{count} Tage",
    }
    (place / "latchkey.mo").write_bytes(_mo(texts))
    monkeypatch.setattr(language, "resource", lambda _name: tmp_path)
    monkeypatch.setenv(language.VARIABLE, "de")
    language._catalogue.cache_clear()
    try:
        assert tr("Nothing is active on {network}.", network="Base") == "Auf Base ist nichts aktiv."
        assert [trn("{count} day", "{count} days", n) for n in (1, 2)] == ["1 Tag", "2 Tage"]
        assert tr("Not in the catalogue") == "Not in the catalogue"
        monkeypatch.setenv(language.VARIABLE, "xx")
        language._catalogue.cache_clear()
        assert tr("Nothing is active on {network}.", network="Base") == "Nothing is active on Base."
        monkeypatch.setattr(language, "resource", lambda _name: tmp_path / "ours")
        for path in (str(tmp_path / "de"), "../de", "de/../../de"):  # the desk's sentences are nobody else's
            monkeypatch.setenv(language.VARIABLE, path)
            language._catalogue.cache_clear()
            assert tr("Nothing is active on {network}.", network="Base") == "Nothing is active on Base."
    finally:
        language._catalogue.cache_clear()


def test_codes_are_the_same_in_every_language() -> None:
    """Scripts read codes; people read sentences."""
    found = {}
    for spoken in ("", "pseudo"):
        done = subprocess.run(
            [sys.executable, "-m", "latchkey", "--json", "account", "predict", "--owner", "nobody"],
            env={**os.environ, language.VARIABLE: spoken}, capture_output=True, text=True, check=False, timeout=250,
        )  # fmt: skip
        found[spoken] = json.loads(done.stdout or done.stderr)["error"] | {"status": done.returncode}
    assert found[""].pop("message") != found["pseudo"].pop("message")
    assert found[""] == found["pseudo"]
