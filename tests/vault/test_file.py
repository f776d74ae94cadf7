"""The vault file: what it takes, what it refuses, and that format 1 opens for ever."""

import hashlib
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.errors import VaultError, WrongPassphrase
from latchkey.vault import contents as contents_
from latchkey.vault import file
from latchkey.vault.contents import Binding, Contents, Mnemonic, RawKey, Session
from latchkey.vault.model import BreakGlass
from latchkey.vault.test_keys import MASTERS, SESSIONS
from tests.counts import count
from tests.vault.material import PASSPHRASE, public_master, public_raw, sealed, secret

SAMPLES = Path(__file__).parent / "samples"
SALT = range(20, 52)
NONCE_AND_KEY = range(52, 112)
BODY_NONCE = range(112, 124)


@pytest.fixture(scope="module")
def vault() -> bytes:
    return sealed(public_master(0), public_raw(1))


def flipped(data: bytes, place: int, *, fix: bool) -> bytes:
    """One byte changed; `fix`: the checksum made to fit again, as somebody who means harm would."""
    changed = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
    return changed[:-32] + hashlib.sha256(changed[:-32]).digest() if fix else changed


def test_what_goes_in_comes_out(vault: bytes) -> None:
    held = file.open_vault(vault, secret(PASSPHRASE)).contents
    assert [master.address for master in held.masters] == list(MASTERS[:2])
    first, second = (master.secret for master in held.masters)
    assert isinstance(first, Mnemonic)
    assert isinstance(second, RawKey)
    assert first.path == "m/44'/60'/0'/0/0"


def test_no_secret_stands_in_the_file_in_the_clear(vault: bytes) -> None:
    for master in file.open_vault(vault, secret(PASSPHRASE)).contents.masters:
        assert isinstance(master.secret, Mnemonic | RawKey)
        raw = master.secret.entropy if isinstance(master.secret, Mnemonic) else master.secret.key
        assert raw.reveal() not in vault
        assert master.address.raw not in vault


def test_changed_contents_need_no_passphrase(vault: bytes) -> None:
    opened = file.open_vault(vault, secret(PASSPHRASE))
    again = file.seal(opened.holding(replace(opened.contents, expert=True)))
    assert again[:112] == vault[:112]
    assert again[112:124] != vault[112:124]
    assert file.open_vault(again, secret(PASSPHRASE)).contents.expert
    assert file.seal(opened) != file.seal(opened)


def test_a_wrong_passphrase_is_told_from_damage(vault: bytes) -> None:
    with pytest.raises(WrongPassphrase):
        file.open_vault(vault, secret("another passphrase"))
    for place in (0, 9, 30, 80, 130, len(vault) - 1):
        with pytest.raises(VaultError) as caught:
            file.open_vault(flipped(vault, place, fix=False), secret(PASSPHRASE))
        assert not isinstance(caught.value, WrongPassphrase)
    assert file.undamaged(vault)
    assert not file.undamaged(flipped(vault, 80, fix=False))


def test_the_passphrase_is_one_however_it_is_composed() -> None:
    data = sealed(public_master(0), passphrase="Gruene und gruene Voegel: \u00fc")
    file.open_vault(data, secret("Gruene und gruene Voegel: u\u0308"))


@pytest.mark.parametrize("place", [*range(11), *NONCE_AND_KEY, *BODY_NONCE])
@pytest.mark.usefixtures("derived_once")
def test_no_byte_of_the_header_can_be_changed(vault: bytes, place: int) -> None:
    with pytest.raises(VaultError):
        file.open_vault(flipped(vault, place, fix=True), secret(PASSPHRASE))


def test_neither_can_the_salt_or_the_cost(vault: bytes) -> None:
    for place in SALT[:: count(16, 1)]:
        with pytest.raises(WrongPassphrase):
            file.open_vault(flipped(vault, place, fix=True), secret(PASSPHRASE))
    for place, value in ((14, 1), (18, 4), (19, 2)):  # still within bounds: 64 MiB + 1 KiB, four passes, two lanes
        changed = vault[:place] + bytes([value]) + vault[place + 1 : -32]
        with pytest.raises(WrongPassphrase):
            file.open_vault(changed + hashlib.sha256(changed).digest(), secret(PASSPHRASE))


@pytest.mark.usefixtures("derived_once")
def test_nor_any_byte_of_the_body(vault: bytes) -> None:
    for place in range(124, len(vault) - 32, count(7, 1)):
        with pytest.raises(VaultError):
            file.open_vault(flipped(vault, place, fix=True), secret(PASSPHRASE))


@pytest.mark.usefixtures("derived_once")
def test_a_body_belongs_to_its_header() -> None:
    """The body of an older file of the same vault opens; that of another vault, or moved to another wrap, does not."""
    one, other = sealed(public_master(0)), sealed(public_master(1))
    mixed = one[:112] + other[112:-32]
    with pytest.raises(VaultError):
        file.open_vault(mixed + hashlib.sha256(mixed).digest(), secret(PASSPHRASE))


@pytest.mark.parametrize(
    "cost",
    [
        file.Cost(64 * 1024 - 1, 3, 1),
        file.Cost(64 * 1024, 2, 1),
        file.Cost(64 * 1024, 3, 0),
        file.Cost(1024 * 1024 + 1, 3, 1),
        file.Cost(2**32 - 1, 3, 1),
        file.Cost(64 * 1024, 11, 1),
        file.Cost(64 * 1024, 2**32 - 1, 1),
        file.Cost(64 * 1024, 3, 17),
    ],
)
def test_costs_out_of_bounds_are_refused_before_anything_is_derived(vault: bytes, cost: file.Cost) -> None:
    header = vault[:11] + cost.memory_kib.to_bytes(4, "big") + cost.passes.to_bytes(4, "big") + bytes([cost.lanes])
    changed = header + vault[20:-32]
    with pytest.raises(VaultError) as caught:
        file.open_vault(changed + hashlib.sha256(changed).digest(), secret(PASSPHRASE))
    assert caught.value.code == "KdfOutOfBounds"
    with pytest.raises(VaultError):
        file.create(Contents(), secret(PASSPHRASE), cost)


def test_a_newer_format_is_refused_with_a_sentence(vault: bytes) -> None:
    newer = vault[:8] + (3).to_bytes(2, "big") + b"whatever comes then"
    newer += hashlib.sha256(newer).digest()
    assert file.undamaged(newer)
    with pytest.raises(VaultError, match="format 3, made by a newer Latchkey") as caught:
        file.check(newer)
    assert caught.value.code == "VaultTooNew"


# --- format 2: the keyring opens it too

WRAP = file.Wrap(bytes(range(100, 116)), secret(bytes(range(32))))


@pytest.fixture(scope="module")
def slotted() -> bytes:
    return file.seal(file.create(Contents(masters=(public_master(0),)), secret(PASSPHRASE), file.LEAST, WRAP))


@pytest.mark.usefixtures("derived_once")
def test_a_slot_opens_beside_the_passphrase(slotted: bytes, vault: bytes) -> None:
    by_keyring, by_passphrase = file.open_by_keyring(slotted, WRAP.key), file.open_vault(slotted, secret(PASSPHRASE))
    assert by_keyring.data_key.same_as(by_passphrase.data_key)
    assert by_keyring.item == file.item_of(slotted) == WRAP.item
    assert file.item_of(vault) is None
    assert file.open_vault(vault, secret(PASSPHRASE)).item is None
    again = file.seal(by_keyring.holding(Contents(masters=(public_master(1),))))
    assert file.open_vault(again, secret(PASSPHRASE)).contents.masters[0].address == MASTERS[1]
    assert WRAP.key.reveal() not in slotted


def test_a_wrong_item_is_told_from_damage(slotted: bytes) -> None:
    with pytest.raises(VaultError) as caught:
        file.open_by_keyring(slotted, secret(bytes(32)))
    assert caught.value.code == "WrongItem"


@pytest.mark.usefixtures("derived_once")
@pytest.mark.parametrize("place", range(112, 188 + 12, count(5, 1)))
def test_no_byte_of_the_slot_can_be_changed(slotted: bytes, place: int) -> None:
    changed = flipped(slotted, place, fix=True)
    with pytest.raises(VaultError):
        file.open_vault(changed, secret(PASSPHRASE))
    with pytest.raises(VaultError):
        file.open_by_keyring(changed, WRAP.key)


@pytest.mark.usefixtures("derived_once")
def test_a_slot_cannot_be_cut_out_or_put_in(slotted: bytes, vault: bytes) -> None:
    without = slotted[:8] + vault[8:10] + slotted[10:112] + slotted[188:-32]
    with_one = vault[:8] + slotted[8:10] + vault[10:112] + slotted[112:188] + vault[112:-32]
    for data in (without, with_one):
        with pytest.raises(VaultError):
            file.open_vault(data + hashlib.sha256(data).digest(), secret(PASSPHRASE))


@pytest.mark.usefixtures("derived_once")
def test_a_dearer_vault_keeps_its_slot(slotted: bytes) -> None:
    dear = file.dearer(file.open_vault(slotted, secret(PASSPHRASE)), secret(PASSPHRASE), file.FLOOR)
    data = file.seal(dear)
    assert file.open_by_keyring(data, WRAP.key).cost == file.open_vault(data, secret(PASSPHRASE)).cost == file.FLOOR
    assert data[20:52] != slotted[20:52]  # the salt


def test_the_sample_of_format_2_opens_for_ever() -> None:
    data = (SAMPLES / "vault-2.latchkey-vault").read_bytes()
    for opened in (file.open_vault(data, secret("sample of format two")), file.open_by_keyring(data, WRAP.key)):
        assert [master.address for master in opened.contents.masters] == [MASTERS[0]]
        assert opened.item == WRAP.item


# --- what deriving costs


@pytest.mark.parametrize(
    ("takes", "cost"),
    [
        (2.0, file.FLOOR),
        (1.0, file.FLOOR),
        (0.5, file.Cost(256 * 1024, 3, 4)),
        (0.25, file.Cost(256 * 1024, 6, 4)),
        (0.001, file.Cost(256 * 1024, 10, 4)),
    ],
)
def test_the_cost_follows_the_machine(takes: float, cost: file.Cost) -> None:
    """As if the floor took so long here."""
    times = iter([10.0, 10.0 + takes])
    made = file.measured(clock=lambda: next(times))
    assert made == cost
    assert not file.is_cheap(made)


def test_the_measured_cost_takes_about_a_second_here() -> None:
    """In seconds of the processor, because this machine has other things to do."""
    cost = file.measured(clock=time.process_time)
    began = time.process_time()
    file._derive(secret(PASSPHRASE), bytes(32), cost)
    took = time.process_time() - began
    assert 0.2 < took < 5 or cost in (file.FLOOR, file.Cost(256 * 1024, 10, 4))


# --- what is no vault


def test_other_files_and_large_ones_are_refused(vault: bytes) -> None:
    for data, code in ((b"", "NotAVault"), (b"{}", "NotAVault"), (vault[:60], "DamagedVault"), (bytes(1 << 20), "TooLarge")):
        with pytest.raises(VaultError) as caught:
            file.check(data)
        assert caught.value.code == code


@given(st.binary(max_size=300))
def test_noise_is_no_vault(noise: bytes) -> None:
    for data in (noise, file.MAGIC + noise, file.MAGIC + noise + hashlib.sha256(file.MAGIC + noise).digest()):
        with pytest.raises(VaultError):
            file.check(data)


@given(st.binary(max_size=200))
def test_noise_inside_is_no_contents(noise: bytes) -> None:
    with pytest.raises(VaultError):
        contents_.load(noise)


def everything() -> Contents:
    return Contents(
        masters=(public_master(0), public_raw(1)),
        sessions=(
            Session(SESSIONS[0], 1, secret(bytes(31) + b"\x01")),
            Session(SESSIONS[1], 2, secret(bytes(31) + b"\x02"), Binding(31337, MASTERS[2], "request-1", bytes(32))),
        ),
        expert=True,
        break_glass=(BreakGlass(8453, SESSIONS[3], MASTERS[0], 3, (b"operation", b"another"), (bytes(65), bytes(65))),),
        api_key=secret(b"alchemy-0123"),
    )


def test_contents_survive_the_round() -> None:
    once = contents_.dump(everything())
    assert contents_.dump(contents_.load(once)) == once


@given(st.data())
def test_changed_contents_are_refused_or_stay_whole(data: st.DataObject) -> None:
    whole = contents_.dump(everything())
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    with suppress(VaultError):
        assert contents_.dump(contents_.load(changed)) == changed


def test_newer_contents_are_refused() -> None:
    whole = contents_.dump(everything())
    at = whole.index(b"version") + len(b"version")
    with pytest.raises(VaultError) as caught:
        contents_.load(whole[:at] + b"\x02" + whole[at + 1 :])
    assert caught.value.code == "VaultTooNew"


def test_a_full_vault_says_so() -> None:
    many = tuple(Session(SESSIONS[0], 1, secret(bytes(32))) for _ in range(8000))
    vault = file.create(Contents(), secret(PASSPHRASE), file.LEAST)
    with pytest.raises(VaultError) as caught:
        file.seal(vault.holding(Contents(sessions=many)))
    assert caught.value.code == "VaultFull"


def test_the_sample_of_format_1_opens_for_ever() -> None:
    """samples/README.md says what is in it."""
    vault = file.open_vault((SAMPLES / "vault-1.latchkey-vault").read_bytes(), secret("sample of format one"))
    held = vault.contents
    assert [(master.address, master.label) for master in held.masters] == [(MASTERS[0], "words"), (MASTERS[1], "raw key")]
    assert [(type(master.secret), master.created) for master in held.masters] == [
        (Mnemonic, 1_790_000_000),
        (RawKey, 1_790_000_001),
    ]
    assert [(session.address, session.created) for session in held.sessions] == [
        (SESSIONS[0], 1_790_000_002),
        (SESSIONS[1], 1_790_000_003),
    ]
    assert held.sessions[0].bound is None
    assert held.sessions[1].bound == Binding(31337, MASTERS[2], "request-1", bytes(range(32)))
    assert held.expert
    assert vault.cost == file.LEAST


def test_the_sample_with_a_break_glass_set_opens_for_ever() -> None:
    vault = file.open_vault((SAMPLES / "vault-1-break-glass.latchkey-vault").read_bytes(), secret("sample of format one"))
    (kept,) = vault.contents.break_glass
    assert (kept.chain_id, kept.owner, kept.created, len(kept.operations)) == (31337, MASTERS[0], 1_790_000_004, 2)
    assert kept.id == "43add924c2e4a497"
    assert [master.address for master in vault.contents.masters] == [MASTERS[0]]


def test_the_sample_with_an_api_key_opens_for_ever() -> None:
    vault = file.open_vault((SAMPLES / "vault-1-api-key.latchkey-vault").read_bytes(), secret("sample of format one"))
    assert vault.contents.api_key is not None
    assert vault.contents.api_key.reveal() == b"sample-key-0123456789"


def test_without_a_set_the_contents_are_those_of_before() -> None:
    """So that a vault opens with an earlier Latchkey as long as nothing newer is in it."""
    sample = file.open_vault((SAMPLES / "vault-1.latchkey-vault").read_bytes(), secret("sample of format one"))
    newer = (b"breakGlass", b"apiKey")
    assert not any(name in contents_.dump(sample.contents) for name in newer)
    assert all(name in contents_.dump(everything()) for name in newer)
