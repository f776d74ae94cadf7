"""Settings: read strictly, defaults for what is missing, one sentence for what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.errors import BadInput, StoreError
from latchkey.store import settings
from latchkey.store.settings import Appearance, Change, NetworkSettings, Settings

BASE = NetworkSettings(
    8453, rpc="https://rpc.example/secret", second_rpc="https://other.example/", bundler="https://bundler.example/"
)
OWN = NetworkSettings(7, rpc="http://127.0.0.1:1")
FULL = Settings(Appearance.DARK, 10, b"window", (OWN, BASE), "socks5://ann:word@127.0.0.1:9050")


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


# --- networks


def test_networks_and_proxy_are_kept(path: Path) -> None:
    settings.save(path, FULL)
    assert settings.load(path) == FULL
    assert path.stat().st_mode & 0o077 == 0
    assert settings.load(path).network(8453) == BASE
    assert settings.load(path).network(1) == NetworkSettings(1)


def test_the_addresses_are_in_no_repr() -> None:
    """They may hold keys."""
    shown = repr(FULL) + str(FULL) + repr(Change("proxy", "", "secret"))
    assert not any(word in shown for word in ("secret", "example", "word", "127.0.0.1"))


def test_an_entry_is_replaced_and_an_empty_one_dropped() -> None:
    assert FULL.with_network(NetworkSettings(1, rpc="https://a.example")).network(1).rpc == "https://a.example"
    assert [one.chain_id for one in FULL.with_network(NetworkSettings(1, rpc="https://a.example")).networks] == [1, 7, 8453]
    assert FULL.with_network(NetworkSettings(8453)).networks == (OWN,)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"rpc": "ftp://a"}, "rpc"),
        ({"rpc": "wss://a.example"}, "rpc"),
        ({"rpc": "https://"}, "rpc"),
        ({"rpc": "https://a b"}, "rpc"),
        ({"rpc": "https://a.example/" + "x" * 1000}, "rpc"),
        ({"rpc": "https://a.example\n.b"}, "rpc"),
        ({"rpc": "https://a.example", "second_rpc": "https://a.example"}, "secondRpc"),
        ({"second_rpc": "https://a.example"}, "secondRpc"),
        ({"rpc": "https://a.example", "second_rpc": "x"}, "secondRpc"),
        ({"bundler": "javascript:alert(1)"}, "bundler"),
        ({"chain_id": 0}, "chainId"),
        ({"chain_id": 2**63}, "chainId"),
    ],
)
def test_networks_that_cannot_be(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(BadInput) as refusal:
        NetworkSettings(**{"chain_id": 1, **fields})
    assert refusal.value.path == path
    assert "example" not in refusal.value.text


@pytest.mark.parametrize("proxy", ["x", "socks4://a", "ftp://a", "http://", "socks5://a:0", "socks5://a b:1", "file:///etc/passwd"])
def test_proxies_that_cannot_be(proxy: str) -> None:
    with pytest.raises(BadInput):
        Settings(proxy=proxy)


@pytest.mark.parametrize(
    "value",
    [
        {"networks": 7}, {"networks": [7]}, {"networks": [{}]}, {"networks": [{"chainId": "1"}]}, {"networks": [{"chainId": True}]},
        {"networks": [{"chainId": 1, "rpc": 7}]}, {"networks": [{"chainId": 1, "rpc": "x"}]}, {"proxy": 7}, {"proxy": "x"},
        {"networks": [{"chainId": 1, "rpc": "http://a"}, {"chainId": 1, "rpc": "http://b"}]},
        {"networks": [{"chainId": n, "rpc": "http://a"} for n in range(1, 60)]},
    ],
)  # fmt: skip
def test_wrong_networks_are_a_fault(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))
    with pytest.raises(StoreError):
        settings.load(path)


def test_the_largest_settings_can_be_read_again(path: Path) -> None:
    url = "https://" + "a" * 60 + ".example/" + "x" * 900
    many = tuple(NetworkSettings(n, rpc=url, second_rpc=url + "y", bundler=url) for n in range(1, settings.MAX_NETWORKS + 1))
    settings.save(path, Settings(networks=many, window=bytes(settings.MAX_WINDOW)))
    assert settings.load(path).networks == many


# --- to another computer and from there


def test_an_export_has_no_addresses_unless_they_are_wanted() -> None:
    plain = settings.export(FULL, addresses=False)
    assert json.loads(plain) == {"appearance": "dark", "idleMinutes": 10}
    whole = json.loads(settings.export(FULL, addresses=True))
    assert whole.keys() == {"appearance", "idleMinutes", "networks", "proxy", "walletApi"}
    assert whole["proxy"] == FULL.proxy


def test_an_import_tells_every_change() -> None:
    wanted, changes = settings.import_(
        settings.export(FULL, addresses=True), Settings(networks=(NetworkSettings(1, rpc="http://mine"),))
    )
    assert wanted == Settings(Appearance.DARK, 10, b"", (NetworkSettings(1, rpc="http://mine"), OWN, BASE), FULL.proxy)
    assert changes == (
        Change("appearance", "system", "dark"),
        Change("idleMinutes", "5", "10"),
        Change("proxy", "", FULL.proxy),
        Change("networks[7].rpc", "", OWN.rpc),
        Change("networks[8453].rpc", "", BASE.rpc),
        Change("networks[8453].secondRpc", "", BASE.second_rpc),
        Change("networks[8453].bundler", "", BASE.bundler),
    )
    assert settings.import_(settings.export(FULL, addresses=True), FULL) == (FULL, ())
    assert settings.import_(settings.export(FULL, addresses=False), FULL) == (FULL, ())


@given(
    st.builds(
        Settings,
        st.sampled_from(Appearance),
        st.integers(1, 240),
        st.binary(max_size=9),
        st.sampled_from([(), (OWN,), (OWN, BASE)]),
        st.sampled_from(["", FULL.proxy]),
    )
)
def test_nothing_changes_that_was_not_told(value: Settings) -> None:
    wanted, changes = settings.import_(settings.export(FULL, addresses=True), value)
    told = {change.path.partition("[")[0] for change in changes}
    assert (wanted.networks != value.networks) is ("networks" in told)
    assert (wanted.proxy != value.proxy) is ("proxy" in told)
    assert (wanted.appearance != value.appearance) is ("appearance" in told)
    assert (wanted.idle_minutes != value.idle_minutes) is ("idleMinutes" in told)
    assert wanted.window == value.window


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"window": ""}', b'{"other": 1}', b'{"networks": [{"chainId": 1, "rpc": "x"}]}', b"\xff"]
)
def test_what_cannot_be_imported(data: bytes) -> None:
    with pytest.raises(BadInput):
        settings.import_(data, FULL)
