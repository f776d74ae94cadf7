"""Reading JSON that came from outside: capped in size, depth and count, then checked against a model, all or nothing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from latchkey.errors import BadInput
from latchkey.language import tr

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_VALUES = 10_000
# A string without an end is a token too: else each quote within it would be tried as a beginning, in quadratic time.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.?)*+"?|[\[\]{}]', re.DOTALL)


def read_json(text: str | bytes) -> Any:
    """Parse JSON of at most 256 KiB, 32 levels and 10,000 values; duplicate keys, NaN and Infinity are refused.

    Raises BadInput with a sentence that never quotes the input.
    """
    if len(text) > MAX_BYTES:
        raise BadInput(tr("This is too long: at most {max_bytes} KiB are read.", max_bytes=MAX_BYTES // 1024), code="TooLarge")
    try:
        text = text if isinstance(text, str) else text.decode("utf-8-sig")
        openings = text.count("[") + text.count("{")  # those within strings too: there are never fewer than levels
        if openings > MAX_DEPTH:
            _check_depth(text)
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except BadInput:
        raise
    except json.JSONDecodeError as error:
        raise BadInput(
            tr("This is not valid JSON (line {lineno}, column {colno}).", lineno=error.lineno, colno=error.colno), code="NotJson"
        ) from None
    except ValueError:
        raise BadInput(
            tr("This is not valid JSON: text that is not UTF-8, or a number with too many digits."), code="NotJson"
        ) from None
    if openings + text.count(",") >= MAX_VALUES:  # a value stands first, behind an opening bracket or behind a comma
        _check_shape(value)
    return value


def check(adapter: TypeAdapter[T], value: Any, path: str = "") -> T:
    """Validate `value` against a model; the first fault becomes a BadInput whose path names the field."""
    from pydantic import ValidationError  # here, for the window reads its settings before it can afford pydantic

    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = join(path, fault["loc"])
        raise BadInput(_sentence(fault, where), path=where) from None


def join(path: str, steps: tuple[int | str, ...]) -> str:
    """'permissions' + (0, 'data') -> 'permissions[0].data'; outside text in a step is cut to 40 printable characters."""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            name = "".join(c for c in step if c.isascii() and c.isprintable())[:40]
            path = f"{path}.{name}" if path else name
    return path


def _sentence(fault: Any, where: str) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    field = where or tr("The input")
    match kind:
        case "latchkey":
            return f"{field}: {context['text']}"
        case "missing":
            return tr("{field} is missing.", field=field)
        case "unexpected_keyword_argument" | "extra_forbidden":
            return tr("{field} is not a field Latchkey knows; a request is read whole or not at all.", field=field)
        case "too_long":
            return tr("{field} has too many entries: at most {get} are allowed.", field=field, get=context.get("max_length"))
        case "literal_error" | "enum":
            return tr("{field} has a value that is not one of those allowed: {get}.", field=field, get=context.get("expected"))
    return f"{field}: {fault['msg'][:1].lower()}{fault['msg'][1:]}."


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadInput(tr("A field stands twice in one object; it is not clear which one counts."), code="DuplicateField")
    return result


def _no_constant(_name: str) -> Any:
    raise BadInput(tr("NaN and Infinity are not JSON."), code="NotJson")


def _check_depth(text: str) -> None:
    """Before anything parses the text: Python's JSON reader recurses, and a library may have lifted the limit that would stop it.

    (py_ecc, which eth-account loads, sets it to 100,000; half as many brackets then overflow the stack and end the process.)
    """
    depth = 0
    for token in _TOKENS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            raise BadInput(
                tr("This is nested too deeply: at most {max_depth} levels are read.", max_depth=MAX_DEPTH), code="TooDeep"
            )


def _check_shape(value: Any) -> None:
    count, level = 0, [value]
    while level:
        count += len(level)
        if count > MAX_VALUES:
            raise BadInput(tr("This holds too many values: at most {max_values} are read.", max_values=MAX_VALUES), code="TooMany")
        level = [child for item in level for child in _children(item)]


def _children(item: Any) -> Any:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()
