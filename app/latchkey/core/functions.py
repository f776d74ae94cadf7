"""Which functions a person means: an ABI, Solidity source, signatures or selectors, read into selectors.

A selector is four bytes of a hash: a name is only ever a likely reading of it, and two functions may share one. So names
come from a small table of common functions (`known_signature`) or from the sender, checked against the hash (`offered_signature`),
and whatever has no name stays hex.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from latchkey.core.known_functions import KNOWN
from latchkey.core.types import Selector, keccak
from latchkey.core.untrusted import MAX_BYTES, read_json
from latchkey.errors import BadInput
from latchkey.language import tr

MAX_FUNCTIONS = 2000
MAX_SIGNATURE = 1000  # characters; the longest in use have some three hundred
MAX_TYPE = 100  # characters; what reads types takes numbers of any length and arrays of any depth
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_COMMENT = re.compile(
    r"//[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*(?:\*/|\Z)"
)  # one that is not closed goes to the end: never looked for twice
_KEYWORD = re.compile(r"\bfunction\s+(?=[A-Za-z_$])")
_SELECTOR = re.compile(r"0[xX][0-9a-fA-F]{8}(?![0-9a-fA-F])")
_SEPARATORS = re.compile(r"[\s,;]+")
_LOCATIONS = {"memory", "calldata", "storage", "payable", "indexed"}
_TYPE = re.compile(r"[a-z0-9]*")
_ARRAY = re.compile(r"(?:\[[0-9]*\])*")


@dataclass(frozen=True, slots=True)
class Function:
    """`signature`: canonical, "transfer(address,uint256)", None where only the selector is known. `reads_only`: view or pure."""

    selector: Selector
    signature: str | None = None
    reads_only: bool = False


def read_functions(text: str) -> tuple[Function, ...]:
    """Functions in pasted text: JSON ABI (or an artifact with an "abi"), Solidity source, signatures, selectors.

    Each selector once, in order. Raises BadInput with a sentence that counts the function at fault but never quotes it.
    """
    text = text.strip()
    if not text:
        raise BadInput(
            tr("Paste an ABI, function signatures such as claim(uint256), or selectors such as 0xa9059cbb."), code="Blank"
        )
    if len(text) > MAX_BYTES:
        raise BadInput(tr("This is too long: at most {max_bytes} KiB are read.", max_bytes=MAX_BYTES // 1024), code="TooLarge")
    found = _from_abi(read_json(text)) if text[0] in "[{" else _from_source(_COMMENT.sub(" ", text))
    unique: dict[Selector, Function] = {}
    for index, function in enumerate(found):
        if index == MAX_FUNCTIONS:
            raise BadInput(
                tr("This holds too many functions: at most {max_functions} are read.", max_functions=MAX_FUNCTIONS), code="TooMany"
            )
        unique.setdefault(function.selector, function)
    if not unique:
        raise BadInput(tr("No function was found in this text."), code="NoFunctions")
    return tuple(unique.values())


def function_of(signature: str) -> Function:
    """The function of one canonical or sloppy signature: "move(uint8 x, uint y)" is move(uint8,uint256)."""
    name, _, rest = signature.strip().partition("(")
    if not _NAME.fullmatch(name.strip()):
        raise BadInput(tr("A function signature looks like claim(uint256)."))
    inside, after = _balanced("(" + rest, 0)
    canonical = _short(f"{name.strip()}({','.join(_types(inside))})")
    words = set(_SEPARATORS.split(("(" + rest)[after:]))
    return Function(selector_of(canonical), canonical, reads_only=bool(words & {"view", "pure"}))


def _short(signature: str) -> str:
    if len(signature) > MAX_SIGNATURE:
        raise BadInput(
            tr("A function's signature is too long: at most {max_signature} characters are read.", max_signature=MAX_SIGNATURE),
            code="TooLarge",
        )
    return signature


def selector_of(signature: str) -> Selector:
    """First four bytes of the Keccak-256 hash of a canonical signature."""
    return Selector.from_bytes(keccak(signature.encode())[:4])


def known_signature(selector: Selector) -> str | None:
    """A common function's signature for a selector; a likely name, not a proof."""
    return KNOWN.get(str(selector))


def offered_signature(selector: Selector, offered: Sequence[str]) -> str | None:
    """The one of these signatures that really has this selector, in canonical form; None when none has, or two different ones do."""
    found = _offered(tuple(offered)).get(selector, ())
    return found[0] if len(found) == 1 else None


def colliding(selectors: Iterable[Selector], offered: Sequence[str]) -> bool:
    """Whether one of these selectors is offered under a name that is not its only one: another is offered too, or commonly known."""
    for selector in selectors:
        found = _offered(tuple(offered)).get(selector, ())
        if len({*found, known_signature(selector) or (found[0] if found else "")} - {""}) > 1:
            return True
    return False


def _from_abi(value: Any) -> Iterator[Function]:
    entries = value.get("abi") if isinstance(value, dict) else value
    if not isinstance(entries, list):
        raise BadInput(tr('An ABI is a JSON list of functions, or an object with such a list as "abi".'))
    for index, entry in enumerate(entries):
        try:
            if isinstance(entry, str):
                yield from _from_source(entry) if _is_function(entry) else ()
            elif isinstance(entry, dict) and entry.get("type", "function") == "function":
                yield _from_entry(entry)
        except BadInput as error:
            raise BadInput(
                tr("Entry {index} of the ABI: {error_text}", index=index + 1, error_text=error.text), path=f"abi[{index}]"
            ) from None


def _is_function(entry: str) -> bool:
    return entry.split(" ", 1)[0] not in {"event", "error", "constructor", "fallback", "receive", "struct"}


def _from_entry(entry: Mapping[str, Any]) -> Function:
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadInput(tr("its name is missing or is not a name."))
    canonical = _short(f"{name}({','.join(_entry_types(entry.get('inputs', [])))})")
    reads_only = entry.get("stateMutability") in ("view", "pure") or entry.get("constant") is True
    return Function(selector_of(canonical), canonical, reads_only)


def _entry_types(inputs: Any) -> list[str]:
    if not isinstance(inputs, list):
        raise BadInput(tr("its inputs are not a list."))
    return [_entry_type(item) for item in inputs]


def _entry_type(item: Any) -> str:
    kind = item.get("type") if isinstance(item, dict) else None
    if not isinstance(kind, str):
        raise BadInput(tr("an input has no type."))
    if kind.startswith("tuple") and _ARRAY.fullmatch(kind[5:]):
        return f"({','.join(_entry_types(item.get('components', [])))}){kind[5:]}"
    return _checked(kind)


def _from_source(text: str) -> Iterator[Function]:
    """Solidity with the word `function`, everything else in it passed over; or bare signatures and selectors."""
    starts = [match.end() for match in _KEYWORD.finditer(text)]
    if starts:
        for number, start in enumerate(starts, 1):
            end = starts[number] if number < len(starts) else len(text)
            yield _numbered(re.split(r"[;{]", text[start:end], maxsplit=1)[0], number)
    else:
        for number, item in enumerate(_items(text), 1):
            yield _numbered(item, number)


def _numbered(item: str, number: int) -> Function:
    try:
        return Function(Selector.parse(item)) if _SELECTOR.fullmatch(item) else function_of(item)
    except BadInput as error:
        raise BadInput(
            tr("Function {number}: {lower}{error_text}", number=number, lower=error.text[:1].lower(), error_text=error.text[1:]),
            path=f"functions[{number - 1}]",
        ) from None


def _items(text: str) -> Iterator[str]:
    """Split at blanks, commas, semicolons and line ends that are outside of parentheses."""
    place = 0
    while place < len(text):
        if separator := _SEPARATORS.match(text, place):
            place = separator.end()
            continue
        start = place
        while place < len(text) and text[place] not in " \t\r\n,;(":
            place += 1
        if place < len(text) and text[place] == "(":
            _, place = _balanced(text, place)
        yield text[start:place]


def _balanced(text: str, start: int) -> tuple[str, int]:
    """What stands between the parenthesis at `start` and its partner, and the place behind the partner."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return text[start + 1 : place], place + 1
        if depth > 32:
            break
    raise BadInput(tr("A parenthesis is not closed, or there are too many within one another."))


def _types(inside: str) -> list[str]:
    """Canonical types of a parameter list: names and data locations dropped, tuples kept."""
    return [_parameter(part) for part in _parts(inside)] if inside.strip() else []


def _parts(inside: str) -> Iterator[str]:
    depth, start = 0, 0
    for place, character in enumerate(inside):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            yield inside[start:place]
            start = place + 1
    yield inside[start:]


def _parameter(text: str) -> str:
    text = text.strip()
    place = _end(_TYPE, text, 0)
    kind = text[:place]
    if kind in ("", "tuple") and text[place : place + 1] == "(":
        inside, place = _balanced(text, place)
        kind = f"({','.join(_types(inside))})"
    end = _end(_ARRAY, text, place)
    words = text[end:].split()
    names = [word for word in words if word not in _LOCATIONS]
    if (text[end : end + 1] or " ") not in " \t\r\n" or len(names) > 1 or not all(_NAME.fullmatch(name) for name in names):
        raise BadInput(_NOT_A_TYPE)
    suffix = text[place:end]
    return _short(kind + suffix) if kind.startswith("(") else _checked(kind + suffix)


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


_NOT_A_TYPE = tr("A parameter's type is not one an ABI knows (a struct, enum or contract name?). Paste the contract's ABI instead.")


@lru_cache(maxsize=1024)
def _checked(kind: str) -> str:
    """One elementary type, spelled in full ("uint" is uint256); tuples are taken apart before."""
    if len(kind) > MAX_TYPE:
        raise BadInput(_NOT_A_TYPE)
    from eth_abi.exceptions import ABITypeError, ParseError  # slow to load, needed only when somebody pastes functions
    from eth_abi.grammar import BasicType, normalize, parse

    try:
        full: str = normalize(kind)  # type: ignore[no-untyped-call]
        parsed = parse(full)
        parsed.validate()
    except (ParseError, ABITypeError, ValueError):
        raise BadInput(_NOT_A_TYPE) from None
    if not isinstance(parsed, BasicType) or parsed.base not in _BASES:
        raise BadInput(_NOT_A_TYPE)
    return full


_BASES = {"uint", "int", "address", "bool", "bytes", "string", "function", "fixed", "ufixed"}


@lru_cache(maxsize=64)
def _offered(offered: tuple[str, ...]) -> dict[Selector, tuple[str, ...]]:
    result: dict[Selector, tuple[str, ...]] = {}
    for text in offered[:MAX_FUNCTIONS]:
        try:
            function = function_of(text.removeprefix("function "))
        except BadInput:
            continue
        have, signature = result.get(function.selector, ()), function.signature or ""
        result[function.selector] = have if signature in have else (*have, signature)
    return result
