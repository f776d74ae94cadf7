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
from PySide6.QtWidgets import QDialog, QLineEdit, QVBoxLayout
from pytestqt.qtbot import QtBot
from tests.gui.conftest import PASSPHRASE
from tests.gui.test_desk_process import focused, press, type_text, wait_for_focus
from tests.gui.test_window import unlocked
from tests.vault.material import OWNER, grant_named, public_master, sealed, sma, unsigned

from latchkey.errors import LatchkeyError
from latchkey.ui.context import Context
from latchkey.vault import file
from latchkey.vault.client import SignerClient
from latchkey.vault.model import Prompt

LONGEST = 0.2  # seconds from the wish to the signer's end


# --- the idle clock


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
    thread.join(5)
    assert errors == ["Locked"]
    assert not client.take_use()


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _until(holds: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
