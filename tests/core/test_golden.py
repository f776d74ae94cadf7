"""Texts that were read line by line. A change here is a change of what people read before they sign: read it as they do.

To write them anew: `python -m tests.core.golden_cases`.
"""

from __future__ import annotations

import pytest

from tests.core.golden_cases import FILES, FOLDER, Case

CASES = [(name, case) for name, cases in FILES.items() for case in cases]


def golden(name: str) -> dict[str, str]:
    texts = (FOLDER / f"{name}.txt").read_text().split("== ")[1:]
    return {head: body.removesuffix("\n") for head, _, body in (text.partition("\n") for text in texts)}


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}-{case.name}" for name, case in CASES])
def test_the_text_is_as_it_was_read(name: str, case: Case) -> None:
    assert case.text().removesuffix("\n") == golden(name)[case.name].removesuffix("\n")


def test_there_are_enough_and_none_is_left_over() -> None:
    assert len(CASES) >= 60
    for name, cases in FILES.items():
        assert list(golden(name)) == [case.name for case in cases]
