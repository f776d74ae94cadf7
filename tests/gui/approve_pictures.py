"""Pictures of approving what was prepared elsewhere, and of having a hardware wallet sign."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.gui.pictures import NOW, picture

if TYPE_CHECKING:
    from tests.gui.pictures import Stage

    from latchkey.codec.hand_over import Envelope
    from latchkey.ui.window import Window

OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
DAPP = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
KEY = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def show(window: Any, what: object) -> None:
    """From another page, so that nothing that is being read is asked about."""
    window.show_page("grants")
    window.show_page("approve", what)


def _window(stage: Stage, *, keys: int = 1) -> Window:
    from latchkey.core.types import Address
    from latchkey.flow.accounts import from_owner
    from latchkey.store.records import MasterKeyRecord

    window = stage.window(from_owner(31337, OWNER, label="Game account"))
    for number, address in enumerate((OWNER, KEY)[:keys]):
        window._context.book.put_key(MasterKeyRecord(Address.parse(address), ("Main", "Second")[number], "raw", ""))
    return window


def _unsigned(window: Window, **changes: Any) -> Envelope:
    """A careful grant that another machine prepared four minutes ago."""
    from latchkey.accounts.review import review
    from latchkey.accounts.system import Policy, system
    from latchkey.codec.hand_over import decode
    from latchkey.core.draft import Draft
    from latchkey.core.permissions import FunctionsOnContract, GasLimit, NativeTokenTransfer
    from latchkey.core.request import Claims
    from latchkey.core.types import Address, Selector
    from latchkey.flow.accounts import from_owner
    from latchkey.flow.granting import Granting, Prepared
    from latchkey.store.book import Book

    account, dapp = from_owner(31337, OWNER), Address.parse(DAPP)
    claims = Claims("Skirmish Rooms", "https://rooms.example", ((dapp, "Rooms", "", None),), ("move(uint8,uint8)",))
    scope = (FunctionsOnContract(dapp, (Selector.parse("0x87c13943"),)), NativeTokenTransfer(0), GasLimit(2 * 10**16))
    key = Address.parse(KEY)
    draft = replace(Draft("modular_account", 31337, account.address, 2**21, 77, 0, NOW + 80_000, key, scope), **changes)
    shown = review(system("modular_account").build(draft).unsigned, account, now=NOW, policy=Policy.EXPERT, claims=claims)
    with Book.open(window._context.data_dir.root / "elsewhere.sqlite") as book:
        granting = Granting(book, lambda: None, lambda: NOW - 240)  # type: ignore[arg-type,return-value]
        return decode(granting.keep_unsigned(Prepared(account, shown, claims=claims))[1])


def grant(stage: Stage) -> Any:
    window = _window(stage)
    show(window, _unsigned(window))
    return window


def wide(stage: Stage) -> Any:
    """Too much, and the two clocks are a day apart."""
    from latchkey.core.permissions import Root

    window = _window(stage)
    unsigned = _unsigned(window, permissions=(Root(),), expiry=0)
    show(window, replace(unsigned, created=NOW + 90_000))
    return window


def ending(stage: Stage) -> Any:
    window = _window(stage)
    show(window, _ending())
    return window


def _ending() -> Envelope:
    from tests.endings import operation_of, session_of
    from tests.flow.test_foreign import grant as made

    from latchkey.accounts.modular_account import ending, userop
    from latchkey.flow.accounts import from_owner
    from latchkey.flow.ending_envelopes import operations_envelope

    account = from_owner(31337, OWNER)
    session = session_of(made(account).draft, account)
    raws = [userop.to_bytes(operation_of(account, ending.end_call(session), max_fee_per_gas=fee)) for fee in (2 * 10**9, 3 * 10**9)]
    return operations_envelope(raws, account, now=NOW - 3_700)


def refused(stage: Stage) -> Any:
    from latchkey.codec.eip4527 import DataType, EthSignRequest
    from latchkey.codec.hdkeys import KeyPath

    window = _window(stage)
    asked = EthSignRequest(bytes(32), DataType.PERSONAL_MESSAGE, KeyPath.parse("m/44'/60'/0'/0/0"), origin="Somebody")
    show(window, asked)
    return window


def which(stage: Stage) -> Any:
    from latchkey.core.account import Account, Mode
    from latchkey.core.types import Address

    window = _window(stage, keys=2)
    unsigned = _unsigned(window)
    assert unsigned.account is not None
    bare = Account(31337, Address.parse(DAPP), "modular_account", Mode.ADDRESS)
    show(window, replace(unsigned, account=bare))
    return window


def signed(stage: Stage) -> Any:
    from latchkey.flow.handing import of_envelope

    window = _window(stage)
    unsigned = _unsigned(window)
    show(window, unsigned)
    page: Any = window.page
    page._signed(of_envelope(unsigned, note="Show it to the camera of the machine that prepared it, or bring it the file."))
    page.card.player.pause.click()
    return window


def carry(stage: Stage, **device: Any) -> Any:
    """The online machine: a grant that waits for its signature."""
    from latchkey.accounts.review import review
    from latchkey.accounts.system import Policy
    from latchkey.flow.accounts import from_owner
    from latchkey.flow.granting import Granting, Prepared

    window = stage.window(from_owner(31337, OWNER, label="Game account"), **device)
    context = window._context
    unsigned, account = _unsigned(window), context.book.accounts()[0]
    shown = review(unsigned.unsigned, account, now=NOW, policy=Policy.EXPERT, claims=unsigned.claims)
    granting = Granting(context.book, lambda: context.client, context.clock)
    record, _ = granting.keep_unsigned(Prepared(account, shown, "Skirmish", unsigned.claims))
    window.show_page("grant", record.id)
    page: Any = window.page
    page._carry.card.player.pause.click()
    return window


def small(stage: Stage) -> Any:
    return carry(stage, size=(900, 600))


def device(stage: Stage) -> Any:
    """Over it, what the hardware wallet is shown."""
    from latchkey.codec.hdkeys import HdAddress, KeyPath
    from latchkey.core.types import Address
    from latchkey.flow import devices
    from latchkey.ui.pages.carry import sign_by_device
    from latchkey.ui.pages.device_sign import DeviceSheet

    window = carry(stage)
    path = KeyPath.parse("m/44'/60'/0'/0/0", 0x73C5DA0A)
    devices.keep(window._context.book, HdAddress(Address.parse(OWNER), path), "Keystone")
    sign_by_device(window._context, window, 1)
    sheet: Any = window.findChild(DeviceSheet)
    sheet.card.player.pause.click()
    return sheet


def device_operation(stage: Stage) -> Any:
    from latchkey.codec.hdkeys import HdAddress, KeyPath
    from latchkey.core.types import Address
    from latchkey.ui.pages.device_sign import DeviceSheet

    window = _window(stage)
    key = HdAddress(Address.parse(OWNER), KeyPath.parse("m/44'/60'/0'/0/0", 0x73C5DA0A))
    sheet = DeviceSheet(window._context, window, (_ending(),), key, lambda _signed: None)
    sheet.open()
    return sheet


def bringing(stage: Stage) -> Any:
    window = carry(stage)
    page: Any = window.page
    page._carry.bring.click()
    from latchkey.ui.pages.bring import BringDialog

    return window.findChild(BringDialog)


def accounts(stage: Stage) -> Any:
    from latchkey.codec.hdkeys import HdAddress, KeyPath
    from latchkey.core.types import Address
    from latchkey.flow import devices
    from latchkey.flow.accounts import from_owner

    window = stage.window(from_owner(31337, KEY, label="Treasury"))
    path = KeyPath.parse("m/44'/60'/0'/0/0", 0x73C5DA0A)
    devices.keep(window._context.book, HdAddress(Address.parse(KEY), path), "Keystone")
    window.show_page("accounts")
    return window


picture("carry-grant", carry)
picture("carry-small", small)
picture("device-grant", device)
picture("device-operation", device_operation)
picture("bring-answer", bringing)
picture("accounts-devices", accounts)
picture("approve-grant", grant)
picture("approve-wide", wide)
picture("approve-ending", ending)
picture("approve-refused", refused)
picture("approve-which", which)
picture("approve-signed", signed)
