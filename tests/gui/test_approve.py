"""Approving what was prepared elsewhere, and having a hardware wallet sign: the pages over a real book and a real signer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from tests.flow.test_foreign import DEVICE, DEVICE_ACCOUNT, DEVICE_KEY, device_signs
from tests.flow.test_foreign import grant as made
from tests.gui.conftest import NOW, OWNER_KEY, PASSPHRASE, SOMEONE, names_missing
from tests.gui.test_intake import qr

from latchkey.accounts.review import review
from latchkey.accounts.system import Policy
from latchkey.codec import ur
from latchkey.codec.eip4527 import DataType, EthSignRequest, read_sign_request, read_signature
from latchkey.codec.hand_over import Envelope, Kind, decode
from latchkey.codec.hdkeys import HdKey, HdKeys, KeyPath
from latchkey.core.account import Account, Mode
from latchkey.core.types import Address
from latchkey.flow.accounts import from_owner
from latchkey.flow.granting import Granting, Prepared
from latchkey.flow.keys import open_signer, remember_keys
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.records import GrantState
from latchkey.ui.pages.approve import ApprovePage
from latchkey.ui.pages.bring import BringDialog
from latchkey.ui.pages.device_sign import DeviceSheet, open_signature
from latchkey.ui.pages.grant import GrantPage
from latchkey.ui.pages.grant_answer import GrantAnswerSheet
from latchkey.ui.pages.signed import SignedPage
from latchkey.ui.widgets import Banner, Dialog, Label, TextView
from latchkey.ui.window import Window
from latchkey.vault.model import Prompt, PromptMode

pytestmark = pytest.mark.gui

OWNER = Address.parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
ACCOUNT = from_owner(31337, OWNER)
DRAFT = replace(made(ACCOUNT).draft, expiry=NOW + 86_400)


@pytest.fixture
def window(folder: DataDir, passphrases: Callable[[str], int], make_window: Callable[..., Window]) -> Window:
    """Its vault holds the owner's (public) key."""
    with Book.open(folder.book) as book:
        client = open_signer(folder, Prompt(PromptMode.FD, passphrases(f"{PASSPHRASE}\n"), script=True))
        client.import_key("Owner", passphrases(OWNER_KEY + "\n"))
        remember_keys(book, client.status().keys)
        client.close()
    return make_window(passphrase_fd=passphrases(f"{PASSPHRASE}\n" * 20))


def unsigned(account: Account, folder: Any, **changes: Any) -> Envelope:
    """As another machine prepares it."""
    from latchkey.accounts.system import system

    draft = replace(DRAFT, account=account.address, **changes)
    shown = review(system("modular_account").build(draft).unsigned, account, now=NOW, policy=Policy.EXPERT)
    with Book.open(folder / "elsewhere.sqlite") as book:
        granting = Granting(book, lambda: None, lambda: NOW - 60)  # type: ignore[arg-type,return-value]
        return decode(granting.keep_unsigned(Prepared(account, shown))[1])


@pytest.fixture
def bare(make_window: Callable[..., Window]) -> Window:
    """It has no key at all."""
    return make_window()


def texts(widget: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(part.text() for kind in (Label, TextView) for part in widget.findChildren(kind) if part.isVisible())


def test_a_grant_of_another_machine(window: Window, tmp_path: Any, qtbot: QtBot) -> None:
    window.show_page("approve", unsigned(ACCOUNT, tmp_path))
    page: Any = window.page
    assert isinstance(page, ApprovePage)
    said = texts(page)
    for part in ("What nobody has checked", "Two clocks", "Compare", "So it was prepared 1 min ago.", "not in your list"):
        assert part in said, part
    assert names_missing(page) == []
    qtbot.mouseClick(page.sign_button, Qt.MouseButton.LeftButton)
    assert page.may_leave()
    signing = page._one
    window.show_page("approve", unsigned(replace(ACCOUNT, chain_id=1), tmp_path / ".."))
    assert page._one is signing  # what the desk asks about stays
    qtbot.waitUntil(lambda: page.card is not None, timeout=30_000)
    assert page.may_leave() == ""
    goes_back = page.card.shown
    assert decode(goes_back.message).kind is Kind.SIGNED_GRANT
    assert page.card.copy_link.isVisible()
    assert page.card.player.canvas._image is not None
    assert names_missing(page) == []
    [kept] = window._context.book.grants()
    assert kept.state is GrantState.SIGNED
    page.back.click()
    assert page.card.player.canvas._image is None
    window.show_page("approve", unsigned(ACCOUNT, tmp_path / "..", nonce_key=5))
    assert page.trouble.isVisible()
    assert "the two would merge" in page.trouble.text


def test_what_is_being_read_is_not_replaced(window: Window, tmp_path: Any) -> None:
    """By a link, say, which a web page can open at any moment."""
    window.show_page("approve", unsigned(ACCOUNT, tmp_path))
    page: Any = window.page
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    reading, other = page._one, unsigned(replace(ACCOUNT, chain_id=1), elsewhere)
    window.hide()
    window.show()
    window.show_page("approve", other)
    assert page._one is reading
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, Dialog)
    dialog.reject()
    window.show_page("grants")
    window.show_page("approve", other)
    assert page._found == other


def test_what_another_wallet_asks_for_is_answered_to_it(window: Window, qtbot: QtBot) -> None:
    import json

    from latchkey.accounts.system import system

    face = system("modular_account")
    typed = json.dumps(face.typed_data(face.build(DRAFT))).encode()
    asked = EthSignRequest(typed, DataType.TYPED_DATA, KeyPath.parse("m/44'/60'/0'/0/0"), bytes(16), 31337, OWNER, "Rooms")
    window.show_page("approve", asked)
    page: Any = window.page
    assert "The sender calls itself Rooms" in texts(page)
    page.sign_button.click()
    qtbot.waitUntil(lambda: page.card is not None, timeout=30_000)
    assert page.card.shown.kind == ur.SIGNATURE
    assert read_signature(page.card.shown.message).request_id == bytes(16)
    assert not page.card.copy_link.isVisible()


@pytest.mark.parametrize("kind", [DataType.PERSONAL_MESSAGE, DataType.LEGACY_TRANSACTION])
def test_what_is_refused_says_why_and_offers_no_signature(bare: Window, kind: DataType) -> None:
    bare.show_page("approve", EthSignRequest(bytes(32), kind, KeyPath.parse("m/44'/60'/0'/0/0")))
    page: Any = bare.page
    assert page.trouble.isVisible()
    assert "nothing else" in page.trouble.text
    assert not page.sign_button.isVisible()
    page.sign()
    assert bare._context.book.grants() == ()


def test_of_several_keys_one_is_chosen(window: Window, tmp_path: Any) -> None:
    context = window._context
    context.book.put_key(replace(context.book.keys()[0], address=Address.parse(SOMEONE), label="Second"))
    nameless = Account(31337, Address.parse("0x" + "ab" * 20), "modular_account", Mode.ADDRESS)
    window.show_page("approve", unsigned(nameless, tmp_path))
    page: Any = window.page
    assert page.owner.isVisible()
    assert not page.sign_button.isVisible()
    box = page.owner.editor
    assert box.count() == 3
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert page.sign_button.isVisible()
    assert page._one.shown.account.owner == SOMEONE


# --- a hardware wallet


def shown_by_the_device() -> HdKeys:
    from coincurve import PrivateKey

    public = PrivateKey(bytes(DEVICE.key)).public_key.format()
    return HdKeys((HdKey(public, b"", DEVICE_KEY.path, None, None, 60, "Keystone"),), DEVICE_KEY.path.fingerprint)


def add_device(window: Window) -> None:
    """Its account by its scanned key."""
    window.show_page("accounts", "add")
    page: Any = window.page
    form = page.form_card.form
    form.network.editor.setCurrentIndex(form.network.editor.findData(31337))
    form.take(shown_by_the_device())
    assert str(form.account().address) == DEVICE_ACCOUNT.address
    page.form_card.save.click()


def sheet_of(window: Window, qtbot: QtBot) -> Any:
    qtbot.waitUntil(lambda: any(sheet.isVisible() for sheet in window.findChildren(DeviceSheet)), timeout=30_000)
    return next(sheet for sheet in window.findChildren(DeviceSheet) if sheet.isVisible())


def to_review(window: Window) -> Any:
    from latchkey.core.request import SessionRequest
    from latchkey.flow.wizard import Step

    asked = SessionRequest(
        DRAFT.permissions,
        "r-1",
        account=DEVICE_ACCOUNT.address,
        chain_id=31337,
        expiry=NOW + 8 * 3600,
        session_key=DRAFT.session_key,
    )
    window.show_page("wizard", asked)
    page: Any = window.page
    page.go(Step.REVIEW)
    return page


def test_a_hardware_wallet_signs_a_grant(bare: Window, qtbot: QtBot) -> None:
    window = bare
    add_device(window)
    assert "Hardware wallets" in texts(window.page)
    assert names_missing(window.page) == []
    page = to_review(window)
    assert page._next.text() == "&Sign with the hardware wallet…"
    page._next.click()
    sheet = sheet_of(window, qtbot)
    assert isinstance(window.page, GrantPage)
    assert names_missing(sheet) == []
    asked = read_sign_request(sheet.card.shown.message)
    assert (sheet.card.shown.kind, asked.path, asked.address) == (ur.SIGN_REQUEST, DEVICE_KEY.path, DEVICE.address)
    good = device_signs(asked)
    bringing: Any = sheet.ask()
    assert isinstance(bringing, BringDialog)
    bringing.take(replace(good, signature=good.signature[:40] + bytes(1) + good.signature[41:]))
    assert "not" in bringing.banner.text
    bringing.take(replace(good, request_id=bytes(16)))
    assert "another request" in bringing.banner.text
    bringing.open_all([qr(ur.encode(_content(good), ur.SIGNATURE).upper())])
    qtbot.waitUntil(lambda: isinstance(window.page, SignedPage), timeout=30_000)
    [record] = window._context.book.grants()
    assert record.state is GrantState.SIGNED
    assert decode(record.envelope or b"").account == replace(DEVICE_ACCOUNT, label="")


def _content(signature: Any) -> bytes:
    from latchkey.codec.eip4527 import write_signature

    return write_signature(signature)


def test_a_signature_that_comes_later_finds_its_grant(bare: Window, qtbot: QtBot) -> None:
    window = bare
    add_device(window)
    to_review(window)._next.click()
    sheet = sheet_of(window, qtbot)
    answer = device_signs(sheet.request)
    sheet.reject()
    window.show_page("grants")
    open_signature(window._context, window, replace(answer, request_id=bytes(16)))
    nobody = next(d for d in window.findChildren(Dialog) if d.isVisible() and not isinstance(d, DeviceSheet))
    assert "No grant here waits for this signature." in nobody.findChild(Banner).text
    nobody.accept()
    open_signature(window._context, window, answer)
    found: Any = window.findChild(GrantAnswerSheet)
    found.go.click()
    qtbot.waitUntil(lambda: isinstance(window.page, SignedPage), timeout=30_000)


def test_a_hardware_wallet_is_forgotten(bare: Window, qtbot: QtBot) -> None:
    window = bare
    add_device(window)
    page: Any = window.page
    trash = next(b for b in page.findChildren(QPushButton) if b.accessibleName().startswith("Forget the hardware wallet"))
    trash.click()
    dialog = next(d for d in window.findChildren(Dialog) if d.isVisible())
    dialog.accept()
    assert window._context.book.keys() == ()
    assert "Hardware wallets" not in texts(page)
