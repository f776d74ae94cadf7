"""Where each kind of thing goes once it was opened or scanned; an account's address or a wallet's keys, into the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from tests.gui.conftest import names_missing
from tests.gui.scanning import SyntheticCamera, photo
from tests.gui.test_scan_gathering import ADDRESS

from latchkey.codec.eip681 import read_link
from latchkey.codec.eip4527 import DataType, EthSignature, EthSignRequest
from latchkey.codec.hand_over import Envelope, Kind
from latchkey.codec.hdkeys import ETHEREUM, HdKey, HdKeys, KeyPath
from latchkey.core.account import Mode
from latchkey.core.types import Address
from latchkey.ui.pages.accounts import AccountsPage
from latchkey.ui.pages.ending_answer import AnswerSheet
from latchkey.ui.pages.grant_answer import GrantAnswerSheet
from latchkey.ui.scan.dialog import ScanDialog
from latchkey.ui.widgets import Dialog
from latchkey.ui.widgets.intake import opened
from latchkey.ui.window import Window

pytestmark = pytest.mark.gui

PUBLIC = bytes.fromhex("0379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")  # the curve's own point
KEYS = HdKeys((HdKey(PUBLIC, bytes(31) + b"\1", KeyPath.parse("m/44'/60'/0'"), coin=ETHEREUM),), 0x73C5DA0A)


@pytest.fixture
def window(make_window: Callable[..., Window]) -> Window:
    return make_window()


def test_what_is_to_be_signed_goes_to_the_approve_page(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    brought: list[Any] = []
    monkeypatch.setattr(window._context, "navigate", lambda page, payload=None: brought.append((page, payload)))
    request = EthSignRequest(b"{}", DataType.TYPED_DATA, KeyPath.parse("m/44'/60'/0'/0/0"))
    for kind in (Kind.UNSIGNED_GRANT, Kind.UNSIGNED_REVOCATION, Kind.UNSIGNED_CANCELLATION, Kind.UNSIGNED_TRANSACTION):
        opened(window._context, window, Envelope(kind), "file")
    opened(window._context, window, request, "qr")
    assert [page for page, _ in brought] == ["approve"] * 5
    assert brought[-1][1] is request


@pytest.mark.parametrize(
    ("kind", "sheet"),
    [(Kind.SIGNED_GRANT, GrantAnswerSheet), (Kind.SIGNED_REVOCATION, AnswerSheet), (Kind.SIGNED_TRANSACTION, AnswerSheet)],
)
def test_what_is_signed_gets_a_sheet(window: Window, qtbot: QtBot, kind: Kind, sheet: type[Dialog]) -> None:
    """These hold nothing, which their sheets say."""
    opened(window._context, window, Envelope(kind, signatures=(bytes(65),)), "file")
    [shown] = window.findChildren(sheet)
    assert shown.isVisible()
    shown.reject()


def test_a_signature_that_nobody_waits_for(window: Window, qtbot: QtBot) -> None:
    opened(window._context, window, EthSignature(bytes(65), bytes(16)), "qr")
    [shown] = [dialog for dialog in window.findChildren(Dialog) if dialog.isVisible()]
    assert "signature" in shown.windowTitle()
    shown.reject()


def test_an_address_and_a_payment_link_open_the_account_form(window: Window) -> None:
    opened(window._context, window, read_link(f"ethereum:{ADDRESS}@8453"), "qr")
    page = window.page
    assert isinstance(page, AccountsPage)
    assert page.form_card is not None
    account = page.form_card.form.account()
    assert account is not None
    assert (account.chain_id, str(account.address), account.mode) == (8453, ADDRESS, Mode.ADDRESS)


def test_a_payment_link_of_a_network_without_a_name(window: Window) -> None:
    opened(window._context, window, read_link(f"ethereum:{ADDRESS}@987654321"), "qr")
    assert isinstance(window.page, AccountsPage)
    assert window.page.form_card is not None
    account = window.page.form_card.form.account()
    assert account is not None
    assert account.chain_id == 987654321


def test_a_wallets_keys_open_the_account_form_with_its_addresses(window: Window) -> None:
    opened(window._context, window, KEYS, "qr")
    assert isinstance(window.page, AccountsPage)
    assert window.page.form_card is not None
    form = window.page.form_card.form
    account = form.account()
    assert account is not None
    assert account.owner == KEYS.addresses(1)[0].address
    assert form.key.editor.count() > 2, "several to choose from, and another"


def test_scanning_into_the_account_form(window: Window, qtbot: QtBot) -> None:
    """From the form's own button: the address goes where one is asked for."""
    window._context.navigate("accounts", "add")
    page = window.page
    assert isinstance(page, AccountsPage)
    assert page.form_card is not None
    assert names_missing(page.form_card) == []
    page.form_card.scan.click()
    dialog = window.findChild(ScanDialog)
    qtbot.waitUntil(lambda: "No camera" in dialog.camera.view._text)
    camera = SyntheticCamera(dialog)
    dialog.camera.run(camera)
    camera.show(photo(ADDRESS, side=400))
    form = page.form_card.form
    qtbot.waitUntil(lambda: form.owner.editor.text() == ADDRESS)
    account = form.account()
    assert account is not None
    assert account.owner == Address.parse(ADDRESS)
    assert account.mode is Mode.SMA
