"""The Signed page: how a grant leaves, what is said of the key, and that a grant which was put aside is never called cancelled."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot
from tests.gui.conftest import NOW, OWNER, OWNER_KEY, PASSPHRASE, names_missing

from latchkey.accounts.system import system
from latchkey.codec import qr, ur
from latchkey.codec.hand_over import Envelope, Kind, encode
from latchkey.codec.inbox import open_text
from latchkey.core.draft import draft_from_json
from latchkey.core.request import Claims
from latchkey.core.types import to_hex
from latchkey.flow.accounts import from_owner
from latchkey.flow.keys import open_signer
from latchkey.store.paths import DataDir
from latchkey.store.records import GrantRecord, GrantState, KeyOrigin
from latchkey.ui.context import Context
from latchkey.ui.pages.parameters import ParametersDialog
from latchkey.ui.pages.signed import SignedPage
from latchkey.ui.widgets import Dialog, Toast
from latchkey.ui.window import Window
from latchkey.vault.model import Prompt, PromptMode

pytestmark = pytest.mark.gui

DAY = 86_400
DAPP_KEY = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def signed_grant(
    session_key: str = DAPP_KEY, *, name: str = "Skirmish Rooms", deployed: bool = False, **fields: Any
) -> GrantRecord:
    """A grant with its true signature, as the signer makes it, ready for the book."""
    account = from_owner(31337, OWNER, 0)
    account = replace(account, init_code=b"") if deployed else account
    draft = draft_from_json(
        {
            "system": "modular_account", "chainId": 31337, "account": str(account.address), "entityId": 7, "nonceKey": "0x77",
            "sequence": 0,
            "expiry": NOW + DAY, "sessionKey": session_key,
            "permissions": [
                {"type": "functions-on-contract", "data": {"address": DAPP_KEY, "functions": ["0x4e71d92d"]}},
                {"type": "native-token-transfer", "data": {"allowance": "0x0"}},
                {"type": "gas-limit", "data": {"limit": hex(10**16)}},
            ],
        }
    )  # fmt: skip
    face = system("modular_account")
    grant = face.build(draft)
    made = PrivateKey(bytes.fromhex(OWNER_KEY[2:])).sign_msg_hash(grant.digest).to_bytes()
    signed = face.assemble(grant, made[:64] + bytes([made[64] + 27]))
    sealed = fields.pop("sealed", b"")
    envelope = Envelope(
        kind=Kind.SIGNED_GRANT, permissions=draft.permissions, account=replace(account, label=""), expiry=draft.expiry,
        session_key=draft.session_key, entity_id=7, nonce=grant.nonce, blob=signed.blob, context=face.context(signed), request_id="ask-1",
        hand_over_key=bytes(32) if sealed else None, sealed_session_key=sealed, claims=Claims(dapp_name=name),
    )  # fmt: skip
    record = GrantRecord(
        draft, grant.nonce, grant.unsigned, NOW - 5, claims=envelope.claims, envelope=encode(envelope), state=GrantState.SIGNED,
        request_id="ask-1",
    )  # fmt: skip
    return replace(record, **fields)


@pytest.fixture
def show(make_window: Callable[..., Window]) -> Callable[..., SignedPage]:
    """The page as it opens on a grant that was just put into the book."""

    def show(record: GrantRecord, **options: Any) -> SignedPage:
        window = make_window(**options)
        kept = context_of(window).book.add_grant(record)
        window.show_page("signed", kept.id)
        page = window.page
        assert isinstance(page, SignedPage)
        QApplication.processEvents()
        return page

    return show


def context_of(window: Any) -> Context:
    return window._context


def state(page: SignedPage) -> GrantState:
    return context_of(page).book.grants()[0].state


def texts(page: SignedPage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisibleTo(page))


def read(image: QImage) -> list[str]:
    gray = image.convertToFormat(QImage.Format.Format_Grayscale8)
    return qr.read_codes(gray.constBits(), gray.width(), gray.height(), gray.bytesPerLine())


def test_the_code_on_the_page_is_the_grant(show: Callable[..., SignedPage], qtbot: QtBot) -> None:
    record = signed_grant()
    page = show(record)
    decoder = ur.Decoder()
    for _ in range(200):
        for text in read(page.qr.player.canvas.grab().toImage()):
            decoder.receive(text)
        if decoder.message is not None:
            break
        page.qr.player._next()
    assert decoder.message == record.envelope


def test_copying_text_and_link(show: Callable[..., SignedPage], qtbot: QtBot) -> None:
    record = signed_grant()
    page = show(record)
    for button in (page.copy, page.copy_link):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        opened = open_text(QGuiApplication.clipboard().text())
        assert isinstance(opened, Envelope)
        assert encode(opened) == record.envelope
    assert state(page) is GrantState.HANDED_OVER


def test_saving_a_file(show: Callable[..., SignedPage], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = signed_grant()
    page = show(record)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: ("", ""))
    qtbot.mouseClick(page.save, Qt.MouseButton.LeftButton)
    assert state(page) is GrantState.SIGNED
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(tmp_path / "gone" / "x.latchkey"), ""))
    qtbot.mouseClick(page.save, Qt.MouseButton.LeftButton)
    assert "could not be written" in page.window().findChild(Toast).text
    assert state(page) is GrantState.SIGNED
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(tmp_path / "x.latchkey"), ""))
    qtbot.mouseClick(page.save, Qt.MouseButton.LeftButton)
    assert (tmp_path / "x.latchkey").read_bytes() == record.envelope
    assert stat.S_IMODE((tmp_path / "x.latchkey").stat().st_mode) == 0o600
    assert state(page) is GrantState.HANDED_OVER


def test_done_leads_to_the_grants(show: Callable[..., SignedPage], qtbot: QtBot) -> None:
    page = show(signed_grant())
    window = page.window()
    qtbot.mouseClick(page.done, Qt.MouseButton.LeftButton)
    assert window.page.accessibleName() == "Grants"
    assert state(page) is GrantState.HANDED_OVER
    assert read(page.qr.player.canvas.grab().toImage()) == []


def test_put_aside_is_still_valid_and_never_cancelled(show: Callable[..., SignedPage], qtbot: QtBot) -> None:
    page = show(signed_grant())
    window = page.window()
    qtbot.mouseClick(page.aside, Qt.MouseButton.LeftButton)
    dialog = window.findChild(Dialog)
    said = "\n".join(label.text() for label in dialog.findChildren(QLabel))
    assert "still valid until" in said
    dialog.reject()
    assert state(page) is GrantState.SIGNED
    qtbot.mouseClick(page.aside, Qt.MouseButton.LeftButton)
    window.findChildren(Dialog)[-1].accept()
    assert state(page) is GrantState.PUT_ASIDE
    said += window.findChild(Toast).text + texts(page)
    assert "still valid until" in window.findChild(Toast).text
    assert "cancelled" not in said.lower().replace("canceled", "cancelled")


def test_names_of_others_are_claims(show: Callable[..., SignedPage]) -> None:
    page = show(signed_grant(name="<b>You</b>"))
    assert "Hand it to <b>You</b>" in texts(page)


def test_what_happens_next_speaks_of_deploying_only_when_it_may(show: Callable[..., SignedPage]) -> None:
    assert "deploys it too" in texts(show(signed_grant()))
    assert "deploys it too" not in texts(show(replace(signed_grant(deployed=True), nonce=1)))


def test_a_grant_without_a_hand_over_says_so(show: Callable[..., SignedPage]) -> None:
    page = show(replace(signed_grant(), envelope=b"damaged"))
    assert "cannot be handed over" in page.trouble.text
    assert not page.qr.isVisible()
    assert not page.aside.isVisible()


def test_parameters_for_developers(show: Callable[..., SignedPage], qtbot: QtBot, ma_vectors: Any) -> None:
    page = show(signed_grant())
    qtbot.mouseClick(page.developers, Qt.MouseButton.LeftButton)
    dialog = page.window().findChild(ParametersDialog)
    given = json.loads(dialog.text.toPlainText())
    account = from_owner(31337, OWNER, 0)
    assert given["accountAddress"] == account.address
    assert given["initCode"] == to_hex(account.init_code)
    assert given["deferredAction"].startswith("0x")
    assert given["context"] == "0x01" + given["deferredAction"][2:]
    assert given["sessionKey"] == DAPP_KEY


def test_every_control_has_a_name_and_a_place(show: Callable[..., SignedPage]) -> None:
    assert names_missing(show(signed_grant())) == []


# The key -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "The dApp made its own key, so no secret leaves this computer."),
        ({"request_id": ""}, "The key was made elsewhere, so no secret leaves this computer."),
        ({"key_origin": KeyOrigin.MADE, "sealed": b"x" * 113}, "sealed to the dApp's own key"),
        ({"key_origin": KeyOrigin.MADE}, "Save it as a file"),
    ],
)
def test_how_the_secret_goes(show: Callable[..., SignedPage], fields: dict[str, Any], said: str) -> None:
    page = show(signed_grant(**fields))
    assert said in texts(page)
    by_file = "file" in said
    assert page.key.save.isVisible() is page.key.code.isVisible() is by_file
    assert page.key.reveal.isVisible() is (fields.get("key_origin") is KeyOrigin.MADE)


@pytest.fixture
def own_key(folder: DataDir, passphrases: Callable[[str], int]) -> str:
    """A vault with the public test key and a session key made in it."""
    client = open_signer(folder, Prompt(PromptMode.FD, passphrases(f"{PASSPHRASE}\n"), script=True))
    client.import_key("Main key", source_fd=passphrases(OWNER_KEY))
    try:
        return str(client.make_session_key())
    finally:
        client.close()


def test_key_file_and_its_words(
    show: Callable[..., SignedPage], qtbot: QtBot, own_key: str, passphrases: Callable[[str], int], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The words come only once the file is there and the code is gone; here no desk may show them, so the signer says no."""
    page = show(signed_grant(own_key, key_origin=KeyOrigin.MADE), passphrase_fd=passphrases(f"{PASSPHRASE}\n"))
    path = tmp_path / "key.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(path), ""))
    assert not page.key.code.isEnabled()
    qtbot.mouseClick(page.key.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(path.exists, timeout=60_000)  # two key derivations, each meant to take its time
    keystore = json.loads(path.read_bytes())
    assert keystore["version"] == 3
    assert keystore["address"].lower() == own_key[2:].lower()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not page.key.code.isEnabled(), "the QR code is still in sight"
    qtbot.mouseClick(page.qr.toggle, Qt.MouseButton.LeftButton)
    assert read(page.qr.grab().toImage()) == []
    assert page.key.code.isEnabled()
    qtbot.mouseClick(page.key.code, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Only a person can do this" in getattr(page.window().findChild(Toast), "text", ""), timeout=60_000)
    qtbot.mouseClick(page.qr.toggle, Qt.MouseButton.LeftButton)
    assert not page.key.code.isEnabled()
    assert read(page.qr.grab().toImage()) != []
