"""The catalogue of sentences, resources/locale/latchkey.pot: `make catalogue` writes it, a test holds it current.

What is extracted is the first argument of tr() and say(), and both forms of trn(), read from the source and not by running it. Places are
named by file alone, so that the catalogue changes only when a sentence does. A translation is made from it with any gettext tool, as
resources/locale/LANGUAGE/LC_MESSAGES/latchkey.po and .mo; the window then speaks it with LATCHKEY_LANGUAGE=LANGUAGE.
"""

from __future__ import annotations

import ast
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "app" / "latchkey"
CATALOGUE = ROOT / "resources" / "locale" / "latchkey.pot"
_CALLS = {"tr": 1, "say": 1, "trn": 2}  # how many of its first arguments are sentences
_PASSING_ON = ("app/latchkey/core/words_pieces.py",)  # `say` itself
_HEADER = """# Sentences of Latchkey. Made by `make catalogue`; do not edit.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""


@dataclass(frozen=True, slots=True)
class Said:
    """A call that makes a sentence: its forms (two where it counts), and the names of the values it is given."""

    file: str
    line: int
    forms: tuple[str, ...]
    values: frozenset[str]

    @property
    def fault(self) -> str:
        """What is wrong with it: not written out, a place without a value, a value without a place; "" if nothing is."""
        if not self.forms:
            return "" if self.file in _PASSING_ON else f"{self.file}:{self.line}: the sentence is not written out"
        places = frozenset().union(*(_places(form) for form in self.forms)) - ({"count"} if len(self.forms) > 1 else set())
        given = self.values if self.values or len(self.forms) > 1 else places  # without values braces stay as they are
        return "" if places == given else f"{self.file}:{self.line}: {sorted(places ^ given)} in {self.forms[0]!r}"


def sentences() -> Iterator[Said]:
    """Every sentence of the program, file by file."""
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
                said = _said(name, node)
                if said.forms or node.func.id != "say":  # what reports progress is called so too
                    yield said


def catalogue() -> str:
    """The whole .pot file."""
    places: dict[tuple[str, ...], set[str]] = {}
    for said in filter(lambda said: said.forms, sentences()):
        places.setdefault(said.forms, set()).add(said.file)
    entries = (_entry(forms, sorted(files)) for forms, files in sorted(places.items()))
    return "\n".join((_HEADER, *entries))


def _said(file: str, call: ast.Call) -> Said:
    first = call.args[: _CALLS[call.func.id]]  # type: ignore[attr-defined]
    forms = tuple(one.value for one in first if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return Said(file, call.lineno, forms, frozenset(keyword.arg for keyword in call.keywords if keyword.arg))


def _places(form: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(form) if name)


def _entry(forms: tuple[str, ...], files: list[str]) -> str:
    braces = ["#, python-brace-format"] if any(_places(form) for form in forms) else []
    texts = [f"msgid {_quoted(forms[0])}"]
    if len(forms) > 1:
        texts += [f"msgid_plural {_quoted(forms[1])}", 'msgstr[0] ""', 'msgstr[1] ""']
    else:
        texts.append('msgstr ""')
    return "\n".join((*(f"#: {file}" for file in files), *braces, *texts, ""))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def main() -> int:
    faults = [said.fault for said in sentences() if said.fault]
    if faults:
        print(*faults, sep="\n", file=sys.stderr)
        return 1
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    CATALOGUE.write_text(catalogue(), encoding="utf-8")
    print(f"{catalogue().count('msgid ') - 1} sentences in {CATALOGUE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
