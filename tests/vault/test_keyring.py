"""The keyring of the computer opens the vault too: on a real Secret Service of the test's own, with everything that can go wrong there."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from latchkey.errors import Declined, VaultError, WrongPassphrase
from latchkey.vault import file, keyring_process
from latchkey.vault.keeper import Keeper
from latchkey.vault.os_keyring import OsKeyring
from latchkey.vault.prompt import own_command
from latchkey.vault.questions import Questions
from latchkey.vault.test_keys import MASTERS
from tests.counts import count
from tests.processes import started
from tests.secret_service import LACKING, SecretService, secret_service
from tests.vault.material import PASSPHRASE, Person, public_master, says, sealed, secret
from tests.vault.scanner import Exact, Hunt, forms_of, may_read, scan_process, scan_tree
from tests.vault.terminal import Person as AtTerminal
from tests.vault.terminal import Window

pytestmark = [
    pytest.mark.usefixtures("derived_quickly"),
    pytest.mark.skipif(bool(LACKING), reason=LACKING),
    # The keyring library leaves connections behind when it fails; in the program its process ends.
    pytest.mark.filterwarnings("ignore:.*:ResourceWarning", "ignore:.*:pytest.PytestUnraisableExceptionWarning"),
]

ITEM = bytes(range(16))
ASKED: tuple[str, dict[str, Any]] = ("passphrase", says())
SAMPLES = Path(__file__).parent / "samples"
SAMPLE_PASSPHRASE = "sample of format one"
NEW = "quite another passphrase"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretService]:
    with secret_service() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def vault(derived_quickly: None) -> bytes:
    return sealed(public_master(0), cost=file.FLOOR)


class Here(OsKeyring):
    """The errand without its process, which takes a while to start; the tests at the end of this file take the process."""

    def _exchange(self, ask: dict[str, Any]) -> dict[str, Any]:
        return keyring_process._answer(ask)


def keeper(vault: bytes, *answers: Any) -> tuple[Keeper, Person]:
    person = Person(*answers)
    return Keeper(vault, Questions(person), keyring=Here(), sleep=lambda _: None), person


def switched_on(vault: bytes) -> bytes:
    made, _ = keeper(vault, ASKED, ASKED)
    made.unlock()
    assert made.set_keyring(True) == ""
    assert made.status().keyring
    assert made.unsaved is not None
    return made.unsaved


def opens_by_keyring(vault: bytes) -> None:
    made, person = keeper(vault)
    made.unlock()
    assert person.asked == []
    assert made.status().keys[0].address == MASTERS[0]


def asks_after_all(vault: bytes, because: str, passphrase: str = PASSPHRASE) -> Keeper:
    """Opens by the passphrase, and the person was told why."""
    made, person = keeper(vault, ("passphrase", says(passphrase)))
    made.unlock()
    assert because in person.asked[0][1]["retry"]
    assert "Your passphrase opens the vault as ever." in person.asked[0][1]["retry"]
    assert made.status().unlocked
    return made


# --- at work


def test_off_until_switched_on(service: SecretService, vault: bytes) -> None:
    made, person = keeper(vault, ASKED)
    made.unlock()
    assert person.done
    assert not made.status().keyring
    assert service.secrets() == []


def test_on_it_opens_without_a_question_and_off_it_leaves_nothing(service: SecretService, vault: bytes) -> None:
    on = switched_on(vault)
    opens_by_keyring(on)
    (kept,) = service.secrets()
    wrap = secret(bytes.fromhex(kept.decode()))
    opened = file.open_by_keyring(on, wrap)
    assert not opened.data_key.same_as(wrap)
    assert wrap.reveal() not in on
    made, person = keeper(on, ASKED)
    made.unlock()
    assert made.set_keyring(False) == ""
    assert person.done
    assert not made.status().keyring
    assert made.unsaved is not None
    assert service.secrets() == []
    assert file.item_of(made.unsaved) is None
    # what was in the keyring leads to nothing that is written from now on
    assert not file.open_vault(made.unsaved, secret(PASSPHRASE)).data_key.same_as(opened.data_key)


def test_the_passphrase_is_asked_before_anything_is_switched(service: SecretService, vault: bytes) -> None:
    made, person = keeper(vault, ASKED, ("passphrase", says("not this one")), ("passphrase", None))
    made.unlock()
    with pytest.raises(Declined):
        made.set_keyring(True)
    assert "Every program that runs as you" in person.asked[1][1]["purpose"]
    assert service.secrets() == []
    assert made.unsaved is None


def test_a_new_passphrase_changes_the_item_too(service: SecretService, vault: bytes) -> None:
    on = switched_on(vault)
    (before,) = service.secrets()
    made, _ = keeper(on, ASKED, ("new-passphrase", says(NEW)))
    made.unlock()
    assert made.change_passphrase() == ""
    assert made.unsaved is not None
    (after,) = service.secrets()
    assert after != before
    opens_by_keyring(made.unsaved)
    asks_after_all(on, "does not fit this vault")  # an older vault was put back: its own passphrase opens it
    with pytest.raises(WrongPassphrase):
        file.open_vault(made.unsaved, secret(PASSPHRASE))


def test_a_dearer_vault_is_still_opened(service: SecretService) -> None:
    on = switched_on(sealed(public_master(0), cost=file.FLOOR))
    cheap = file.seal(file.dearer(file.open_vault(on, secret(PASSPHRASE)), secret(PASSPHRASE), file.LEAST))
    made, _ = keeper(cheap, ASKED)
    service.lock()
    made.unlock()
    assert made.unsaved is not None
    assert file.check(made.unsaved)[0] == file.FLOOR
    assert file.item_of(made.unsaved) == file.item_of(on)


def test_what_takes_keys_out_needs_the_passphrase_still(service: SecretService, vault: bytes) -> None:
    """The keyring is open to whoever sits there."""
    yes: tuple[str, dict[str, Any]] = ("confirm", {})
    made, person = keeper(switched_on(vault), yes, ("passphrase", None), yes, ASKED, ("new-passphrase", says(NEW)), yes)
    made.unlock()
    with pytest.raises(Declined):
        made.export_keystore(MASTERS[0])
    assert made.export_keystore(MASTERS[0]).startswith(b"{")
    made.set_expert(True)  # typed once, that is known
    assert person.done


# --- what goes wrong


def test_a_locked_keyring(service: SecretService, vault: bytes) -> None:
    on = switched_on(vault)
    service.lock()
    asks_after_all(on, "is locked and was not opened")


def test_a_deleted_item(service: SecretService, vault: bytes) -> None:
    on = switched_on(vault)
    service.empty()
    made = asks_after_all(on, "no longer holds what opens this vault")
    made.questions = Questions(Person(ASKED))
    assert made.set_keyring(False) == ""  # what is gone need not be removed


def test_a_wrong_item(service: SecretService, vault: bytes) -> None:
    on = switched_on(vault)
    service.change(bytes(32).hex().encode())
    asks_after_all(on, "does not fit this vault")
    for wrong in (b"not hexadecimal", b"00" * 31, b"")[: count(1, 3)]:
        service.change(wrong)
        asks_after_all(on, "did not do what it was asked")


def test_a_daemon_that_was_killed(service: SecretService, vault: bytes) -> None:
    on = switched_on(vault)
    service.kill()
    made = asks_after_all(on, "no keyring that Latchkey uses, or it does not run")
    made.questions = Questions(Person(ASKED, ("new-passphrase", says(NEW)), ("passphrase", says(NEW)), ("passphrase", says(NEW))))
    assert "no longer opens the vault" in made.change_passphrase()
    assert made.unsaved is not None
    assert file.item_of(made.unsaved) is None
    before = made.unsaved
    with pytest.raises(VaultError) as caught:
        made.set_keyring(True)
    assert caught.value.code == "NoKeyring"
    assert made.unsaved is before


def test_an_item_that_cannot_be_removed_is_said(service: SecretService, vault: bytes) -> None:
    made, _ = keeper(switched_on(vault), ASKED)
    made.unlock()
    service.lock()
    assert "opens nothing any more, but could not be removed" in made.set_keyring(False)
    assert not made.status().keyring


def test_a_keyring_that_nobody_is_let_to(vault: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with secret_service(denied=True) as service:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", service.environment["DBUS_SESSION_BUS_ADDRESS"])
        made, _ = keeper(vault, ASKED, ASKED)
        made.unlock()
        with pytest.raises(VaultError, match="refused") as caught:
            made.set_keyring(True)
        assert caught.value.code == "KeyringFailed"
        assert made.unsaved is None


def test_no_bus_at_all(vault: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    made, _ = keeper(vault, ASKED)
    made.unlock()
    with pytest.raises(VaultError) as caught:
        made.set_keyring(True)
    assert caught.value.code == "NoKeyring"
    assert made.unsaved is None


def test_one_that_never_answers_and_one_that_babbles() -> None:
    for command, code in (
        (["sleep", "20"], "KeyringSilent"),
        (["echo", "hello"], "KeyringFailed"),
        (["/no/such"], "KeyringFailed"),
    ):
        with pytest.raises(VaultError) as caught:
            OsKeyring(command, patience=0.3).fetch(ITEM)
        assert caught.value.code == code


@pytest.mark.parametrize(
    "named", ["keyring.backends.null.Keyring", "keyrings.alt.file.PlaintextKeyring", "keyring.backends.chainer.ChainerBackend"]
)
def test_only_the_systems_own_keyrings_count(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the settings of Python's keyring library name."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", named)
    (tmp_path / "python_keyring").mkdir()
    (tmp_path / "python_keyring" / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring={named}\n")
    with pytest.raises(VaultError) as caught:
        OsKeyring().keep(ITEM)
    assert caught.value.code == "NoKeyring"


# --- the process, and the whole with a window: what it sees


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_window_never_sees_the_wrap_key(service: SecretService, tmp_path: Path) -> None:
    (tmp_path / "vault").write_bytes((SAMPLES / "vault-1.latchkey-vault").read_bytes())
    person = AtTerminal()
    window = Window(tmp_path, person)
    try:
        if (why := may_read(window.process.pid)) is not None:
            pytest.skip(why)
        window.send("set_keyring", on=True)
        assert window.answer()["error"] == "Locked"
        window.send("unlock")
        person.answer("Passphrase: ", SAMPLE_PASSPHRASE)
        window.result()
        window.send("set_keyring", on=True)
        person.answer("Passphrase: ", SAMPLE_PASSPHRASE)
        window.result()
        window.do("lock")
        began = time.perf_counter()
        window.do("unlock")  # and nobody was asked
        took = time.perf_counter() - began
        assert "keyring=True" in window.do("status")
        assert took < 30
        wrap = bytes.fromhex(service.secrets()[0].decode())
        opened = file.open_by_keyring((tmp_path / "vault").read_bytes(), secret(wrap))
        hunts: list[Hunt] = [*forms_of("wrap key", wrap), *forms_of("data key", opened.data_key.reveal())]
        signer = window.do("pid of the signer")
        assert scan_process(signer, [Exact("data key", opened.data_key.reveal())]) == {"data key"}
        assert scan_process(window.process.pid, hunts) == set()
        assert scan_tree(tmp_path, hunts) == set()
        window.send("set_keyring", on=False)
        person.answer("Passphrase: ", SAMPLE_PASSPHRASE)
        window.result()
        assert service.secrets() == []
        # the last good copy is none that the item would open
        assert (tmp_path / "vault").read_bytes() == (tmp_path / "vault.bak").read_bytes()
    finally:
        window.close()
        person.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_keyrings_process_gives_up_what_the_signer_does(service: SecretService) -> None:
    """It waits for its errand: looked at in the meantime."""
    with started(own_command("keyring"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        about = Path(f"/proc/{process.pid}")
        while "Seccomp:\t2" not in (status := (about / "status").read_text()):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert "NoNewPrivs:\t1" in status
        assert (about / "mem").stat().st_uid == 0
        process.kill()
