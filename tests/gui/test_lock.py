"""Locking: what counts as somebody being there, how fast it is, and that nothing typed is lost by it."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDateTimeEdit,
    QDialog,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
)
from pytestqt.qtbot import QtBot
from tests.counts import SOAK
from tests.gui.conftest import OWNER_KEY, PASSPHRASE, fill
from tests.gui.test_desk_process import focused, press, type_text, wait_for_focus
from tests.gui.test_window import unlocked
from tests.gui.test_wizard import CONTRACT, KEY, Driver
from tests.vault.material import OWNER, grant_named, public_master, sealed, sma, unsigned

from latchkey.errors import LatchkeyError
from latchkey.flow.wizard import Step
from latchkey.store.paths import DataDir
from latchkey.ui.context import Context
from latchkey.ui.window import Window
from latchkey.vault import file
from latchkey.vault.client import SignerClient
from latchkey.vault.model import Prompt

LONGEST = 5  # seconds from the wish to the signer's end: a blink, but on a machine that has other things to do


# --- the idle clock


def test_the_clock_stands_still_once_the_window_is_closed(make_context: Callable[..., Context]) -> None:
    """Or it would lock, and say so, in a window that is gone."""
    context = make_context(idle_minutes=1)
    context.set_status(unlocked())
    assert context.lock._timer.isActive()
    context.close()
    assert not context.lock._timer.isActive()


def test_keys_in_a_dialog_are_use(make_context: Callable[..., Context], qtbot: QtBot) -> None:
    context = make_context(idle_minutes=1)
    context.set_status(unlocked())
    dialog = QDialog()
    edit = QLineEdit(dialog)
    QVBoxLayout(dialog).addWidget(edit)
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    for _ in range(30):
        context.lock._tick()
    assert context.lock.sentence == "Unlocked · locks in 30 s"
    qtbot.keyClick(dialog.windowHandle(), Qt.Key.Key_A)
    context.lock._tick()
    assert context.lock.sentence == "Unlocked · locks in 59 s"


def test_work_in_the_background_is_no_use(make_context: Callable[..., Context], qtbot: QtBot) -> None:
    context, go = make_context(idle_minutes=1), threading.Event()
    context.set_status(unlocked())
    context.tasks.run(lambda _job: go.wait(20))
    for _ in range(60):
        context.lock._tick()
    go.set()
    qtbot.waitUntil(lambda: not context.lock.unlocked)


def test_a_signer_that_still_asks_is_ended_too(make_context: Callable[..., Context], qtbot: QtBot) -> None:
    """It is not unlocked, but the words of a new key may stand at its desk."""
    context = make_context()
    context.client.start()
    signer = context.client._signer
    assert signer is not None
    assert not context.lock.unlocked
    assert context.lock.at_once()
    assert signer.returncode is not None
    assert not context.lock.at_once()


@pytest.mark.parametrize("is_open", [True, False])
def test_what_is_under_way_does_not_open_it_again(
    make_context: Callable[..., Context], folder: DataDir, passphrases: Callable[[str], int], qtbot: QtBot, is_open: bool
) -> None:
    """The chain is asked before the signer is; here a script opens the vault without a person, as a keyring would."""
    fill(folder)
    context, go, failed = make_context(passphrase_fd=passphrases(f"{PASSPHRASE}\n" * 3)), threading.Event(), []
    context.client.import_key(source_fd=passphrases(OWNER_KEY + "\n"))
    if not is_open:
        context.client.lock()
    context.ask_signer(lambda client: go.wait(20) and client.unlock(), failed=failed.append)
    assert context.lock.at_once() is is_open
    go.set()
    qtbot.waitUntil(lambda: bool(failed), timeout=20_000)
    assert failed[0].text.startswith("Latchkey was locked while this was under way")
    assert not context.client.is_running


# --- with the desk open and a signature being asked for


@pytest.fixture
def at_the_desk(qapp: Any) -> Iterator[SignerClient]:
    """A client whose signer asks at a real desk. `qapp` keeps the screen."""
    vault = sealed(public_master(0), cost=file.FLOOR)
    client = SignerClient(vault, lambda _: None, Prompt())
    yield client
    client.close()


@pytest.mark.gui
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("xdotool"), reason="types with xdotool")
def test_locking_ends_signer_and_desk_in_the_middle_of_signing(at_the_desk: SignerClient, ma_vectors: dict[str, Any]) -> None:
    client, errors = at_the_desk, []

    def sign() -> None:
        try:
            client.unlock()
            made = client.preview_grant(unsigned(grant_named(ma_vectors, "contract-access, expiry")), sma(ma_vectors), OWNER)
            client.sign(made.token)
        except LatchkeyError as error:
            errors.append(error.code)

    thread = threading.Thread(target=sign)
    thread.start()
    wait_for_focus("Latchkey desk")
    type_text(PASSPHRASE)
    press("Return")
    signer = client._signer
    assert signer is not None
    _until(lambda: client._calls == 3 and focused() == "Latchkey desk")  # unlock, preview, sign
    press("Down")
    _until(client.take_use)
    (desk,) = _children(signer.pid)
    began = time.monotonic()
    client.lock()
    took = time.monotonic() - began
    assert not Path(f"/proc/{signer.pid}").exists()
    assert took < LONGEST
    _until(lambda: not _runs(desk), LONGEST)
    thread.join(60)
    assert errors == ["Locked"]
    assert not client.take_use()


# --- in the middle of something


@pytest.fixture
def drive(make_window: Callable[..., Window], qtbot: QtBot, folder: DataDir, passphrases: Callable[[str], int]) -> Driver:
    """A window with accounts, whose signer is answered by a script as often as it asks."""
    fill(folder)
    window = make_window(passphrase_fd=passphrases(f"{PASSPHRASE}\n" * 12))
    window._context.client.import_key("Main key", source_fd=passphrases(OWNER_KEY + "\n"))
    with qtbot.waitActive(window):
        window.activateWindow()
    _unlock(window, qtbot)
    return Driver(window, qtbot)


def _unlock(window: Window, qtbot: QtBot) -> None:
    window._context.lock.unlock()
    qtbot.waitUntil(lambda: window._context.lock.unlocked, timeout=30_000)


def _standing(drive: Driver) -> tuple[Any, ...]:
    """All that a person has put in so far, typed halfway or chosen, and where they are."""
    page = drive.page
    texts = [(edit.accessibleName(), edit.text()) for edit in page.findChildren(QLineEdit)]
    texts += [(edit.accessibleName(), edit.toPlainText()) for edit in page.findChildren(QPlainTextEdit)]
    choices = [(box.accessibleName(), box.isChecked()) for box in page.findChildren(QAbstractButton) if box.isCheckable()]
    choices += [(box.accessibleName(), box.currentIndex()) for box in page.findChildren(QComboBox)]
    dates = [(edit.accessibleName(), edit.dateTime()) for edit in page.findChildren(QDateTimeEdit)]
    state = page.wizard.state
    return drive.step, state, texts, choices, dates, QApplication.focusWidget()


def _lock_and_unlock(drive: Driver, qtbot: QtBot) -> None:
    """With Ctrl+L; nothing may have changed in between, nor after."""
    before = _standing(drive)
    drive.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not drive.window._context.lock.unlocked)
    assert _standing(drive) == before
    assert drive.window.page.isVisible()
    _unlock(drive.window, qtbot)
    assert _standing(drive) == before


@pytest.mark.gui
def test_nothing_typed_into_the_wizard_is_lost(drive: Driver, qtbot: QtBot) -> None:
    drive.open()
    drive.press(Qt.Key.Key_Space)  # the first account
    if SOAK:
        _lock_and_unlock(drive, qtbot)
    drive.enter()
    assert drive.step is Step.KEY
    drive.type(str(KEY)[:20])  # half an address
    _lock_and_unlock(drive, qtbot)
    drive.type(str(KEY)[20:])
    drive.tab_to("Your name")
    drive.type("Che")
    if SOAK:
        _lock_and_unlock(drive, qtbot)
    drive.type("ss")
    drive.enter()
    assert drive.step is Step.SCOPE
    drive.tab_to("Game session")
    drive.press(Qt.Key.Key_Space)
    drive.type(str(CONTRACT))
    drive.tab_to("Add functions")
    drive.type("move(uint8,")  # not added, not even whole
    _lock_and_unlock(drive, qtbot)
    drive.type("uint8)")
    drive.enter(2)
    assert drive.step is Step.EXPIRY
    drive.press(Qt.Key.Key_Down)
    _lock_and_unlock(drive, qtbot)
    drive.enter()
    assert drive.step is Step.REVIEW
    assert "move(uint8,uint8)" in drive.texts()
    before = _standing(drive)
    drive.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not drive.window._context.lock.unlocked)
    assert _standing(drive) == before
    with qtbot.waitSignal(drive.page.signed, timeout=60_000) as caught:  # signing unlocks by itself
        drive.press(Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    assert caught.args[0].label == "Chess"
    assert caught.args[0].draft.session_key == KEY


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _until(holds: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
