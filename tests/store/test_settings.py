"""Settings: read strictly, defaults for what is missing, one sentence for what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.errors import BadInput, StoreError
from latchkey.store import settings
from latchkey.store.settings import Appearance, Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def test_no_file_means_the_defaults(path: Path) -> None:
    assert settings.load(path) == Settings(Appearance.SYSTEM, 5, b"")


@given(st.builds(Settings, st.sampled_from(Appearance), st.integers(1, 240), st.binary(max_size=settings.MAX_WINDOW)))
def test_what_is_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, value: Settings) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    settings.save(path, value)
    assert settings.load(path) == value


def test_unknown_fields_are_ignored_and_missing_ones_have_defaults(path: Path) -> None:
    path.write_text('{"appearance": "dark", "futureThing": [1, 2]}')
    assert settings.load(path) == Settings(Appearance.DARK)


@pytest.mark.parametrize(
    "value",
    [
        [], None, 1, {"appearance": "pink"}, {"appearance": None}, {"appearance": ["dark"]}, {"idleMinutes": 0}, {"idleMinutes": 241},
        {"idleMinutes": True}, {"idleMinutes": "5"}, {"idleMinutes": 5.5}, {"window": 7}, {"window": "!"}, {"window": "A" * 20000},
    ],
)  # fmt: skip
def test_a_wrong_value_is_a_fault(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))
    with pytest.raises(StoreError) as error:
        settings.load(path)
    assert error.value.code == "Damaged"


def test_the_last_good_copy_stands_in(path: Path) -> None:
    settings.save(path, Settings(Appearance.LIGHT))
    settings.save(path, Settings(Appearance.DARK))
    path.write_text("{")
    assert settings.load(path) == Settings(Appearance.LIGHT)


@given(st.binary(max_size=400))
def test_random_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    path.write_bytes(data)
    with pytest.raises(StoreError):
        settings.load(path)


@pytest.mark.parametrize("data", [b"[" * 60000, b"{" * 70000, b'{"idleMinutes": ' + b"9" * 5000 + b"}", b"\xff\xfe{}", b""])
def test_hostile_files(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(StoreError):
        settings.load(path)


def test_every_truncation(path: Path) -> None:
    settings.save(path, Settings(window=b"abc"))
    data = path.read_bytes()
    for end in range(len(data) - 2):
        path.write_bytes(data[:end])
        with pytest.raises(StoreError):
            settings.load(path)


@pytest.mark.parametrize("fields", [{"idle_minutes": 0}, {"idle_minutes": 241}, {"window": bytes(8193)}])
def test_impossible_settings_cannot_be_made(fields: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        Settings(**fields)
