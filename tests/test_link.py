"""How a desktop starts the program: from the menu, for a latchkey: link, for a file; what stands behind `--` is never an option."""

from __future__ import annotations

import pytest

from latchkey import __main__ as program
from latchkey.ui import app


@pytest.mark.parametrize(
    ("arguments", "opened"),
    [
        ([], None),
        (["latchkey:abc"], "latchkey:abc"),
        (["file:///home/someone/a%20grant.latchkey"], "/home/someone/a grant.latchkey"),
        (["--offline"], "--offline"),
        (["--data-dir"], "--data-dir"),
    ],
)
def test_opens_the_window_with_what_it_is_given(monkeypatch: pytest.MonkeyPatch, arguments: list[str], opened: str | None) -> None:
    calls: list[tuple[str | None, str | None]] = []
    monkeypatch.setattr(app, "main", lambda data_dir=None, request=None: calls.append((data_dir, request)) or 0)
    monkeypatch.setattr("latchkey.offline.lock_down", lambda: pytest.fail("an argument behind -- was taken for an option"))
    assert program.main(["--link", "--", *arguments]) == 0
    assert program.main(["--data-dir", "stick", "--link", "--", *arguments]) == 0
    assert calls == [(None, opened), ("stick", opened)]
