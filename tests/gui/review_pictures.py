"""Ten reviews from harmless to root, in the window and at the desk, and what stands around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from tests.gui.pictures import NOW, Stage, picture
from tests.vault.material import REAL_KEY, Person, real_master, says, sealed

from latchkey.core.account import Account
from latchkey.core.functions import selector_of
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Permission,
    Root,
)
from latchkey.core.presets import DAY
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Address, Selector
from latchkey.flow import wizard
from latchkey.flow.accounts import from_owner
from latchkey.flow.granting import Ids
from latchkey.vault.keeper import Keeper
from latchkey.vault.keys import address_of, raw_key
from latchkey.vault.model import Status
from latchkey.vault.questions import Fields, Questions
from latchkey.vault.signing import Signing

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from latchkey.ui.pages.wizard import WizardPage
    from latchkey.ui.window import Window

OWNER = address_of(raw_key(REAL_KEY).key)
BASE, MAINNET = from_owner(8453, OWNER, label="Game account"), from_owner(1, OWNER, label="Savings")
KEY = Address.parse("0x71C7656EC7ab88b098defB751B7401B5f6d8976F")
ROOMS, ROUTER = (
    Address.parse("0xCf7Ed3AccA5a467e9e704C703E8D87F634fB0Fc9"),
    Address.parse("0x2626664c2603336E57B271c5C0b26F421741e481"),
)
USDC = Address.parse("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")
UNKNOWN_TOKEN = Address.parse("0x5FbDB2315678afecb367f032d93F642f64180aa3")
PAYEE, PAYMASTER = (
    Address.parse("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    Address.parse("0x90F79bf6EB2c4f870365E785982E1f101E93b906"),
)
MOVE, CLAIM = selector_of("move(uint8,uint8)"), selector_of("claim()")
SWAP = Selector.parse("0x38ed1739")
CLAIMS = Claims(
    "Skirmish Rooms", "https://skirmish.example", ((ROOMS, "Skirmish Rooms", "", None),), ("move(uint8,uint8)", "claim()")
)
ETH = 10**18
IDS = Ids(0x1A2B3C, 0x5EED << 64 | 7)


@dataclass(frozen=True, slots=True)
class Scene:
    """One review. `narrow` changes the wizard as a person would; `expert`: the vault's switch."""

    name: str
    permissions: tuple[Permission, ...]
    account: Account = BASE
    span: int = 8 * 3600
    claims: Claims = CLAIMS
    expert: bool = False
    narrow: Callable[[wizard.WizardState], wizard.WizardState] = lambda state: state


def _narrower(state: wizard.WizardState) -> wizard.WizardState:
    state = wizard.remove_card(state, state.cards[1].id)
    token = state.cards[1]
    return wizard.edit_card(state, token.id, replace(token.form, amount="25"))


def _many() -> tuple[Permission, ...]:
    listed = (
        FunctionsOnContract(Address.from_bytes(bytes([7] * 18 + [n, 1])), (CLAIM, Selector.from_bytes(bytes([1, 2, 3, n]))))
        for n in range(30)
    )
    return (*listed, NativeTokenTransfer(0), GasLimit(ETH // 100))


SCENES = (
    Scene("01-careful", (FunctionsOnContract(ROOMS, (MOVE, CLAIM)), NativeTokenTransfer(0), GasLimit(ETH // 100))),
    Scene(
        "02-token-with-a-limit",
        (Erc20TokenTransfer(USDC, 50_000_000), NativeTokenTransfer(0), GasLimit(ETH // 200)),
        span=7 * DAY,
        claims=Claims("Ledgerly", "https://ledgerly.example"),
    ),
    Scene(
        "03-narrowed",
        (
            FunctionsOnContract(ROOMS, (MOVE, CLAIM)),
            ContractAccess(ROUTER),
            Erc20TokenTransfer(USDC, 50_000_000),
            NativeTokenTransfer(0),
            GasLimit(ETH // 50),
        ),
        narrow=_narrower,
    ),
    Scene(
        "04-swap",
        (
            FunctionsOnContract(ROUTER, (SWAP,)),
            Erc20TokenTransfer(UNKNOWN_TOKEN, 1_000 * ETH),
            NativeTokenTransfer(ETH // 10),
            GasLimit(ETH // 50),
        ),
        claims=Claims("Trade desk", "https://trade.example", ((UNKNOWN_TOKEN, "Sunflower", "SUN", 18),)),
    ),
    Scene(
        "05-paymaster",
        (FunctionsOnContract(ROOMS, (MOVE,)), NativeTokenTransfer(0), PaymasterGuard(PAYMASTER)),
        span=DAY,
        expert=True,
    ),
    Scene("06-many", _many()),
    Scene("07-whole-contract", (ContractAccess(ROUTER), NativeTokenTransfer(ETH // 2)), span=40 * DAY),
    Scene("08-token-functions-anywhere", (FunctionsOnAllContracts((Selector.parse("0xa9059cbb"), CLAIM)), GasLimit(ETH // 100))),
    Scene(
        "09-functions-of-the-account",
        (AccountFunctions((Selector.parse("0xbc197c81"),)), ContractAccess(PAYEE), NativeTokenTransfer(2**256 - 1)),
        account=MAINNET,
        expert=True,
    ),
    Scene("10-root", (Root(),), account=MAINNET, claims=Claims("xX Airdrop Xx", "https://airdrop.example"), expert=True),
)


def asked(scene: Scene, **fields: Any) -> SessionRequest:
    values: dict[str, Any] = {"account": scene.account.address, "chain_id": scene.account.chain_id, "expiry": NOW + scene.span}
    values |= {"session_key": KEY, "claims": scene.claims}
    return SessionRequest(scene.permissions, "request-1", **(values | fields))


def in_window(scene: Scene, stage: Stage, *, size: tuple[int, int] | None = None) -> Window:
    """The window on the review of this scene."""
    from latchkey.flow.wizard import Step

    window = stage.window(scene.account, **({"size": size} if size else {}))
    if scene.expert:
        window._context.set_status(Status(exists=True, unlocked=True, expert=True))
    window.show_page("wizard", asked(scene))
    page = cast("WizardPage", window.page)
    page.granting.choose = lambda _book, _account: IDS
    page.wizard.state = scene.narrow(page.wizard.state)
    page.wizard.step = Step.REVIEW
    page._entered()
    return window


@cache
def _signer(expert: bool) -> tuple[Signing, Person]:
    """The signer's own parts, unlocked, with somebody who says yes."""
    person = Person(("passphrase", says()), *[("confirm", {})] * 1000)
    keeper = Keeper(sealed(real_master(), expert=expert), Questions(person), clock=lambda: float(NOW))
    keeper.unlock()
    return Signing(keeper), person


def confirmation(scene: Scene, window: Window) -> Fields:
    """What the signer asks at the desk for the grant that stands in this window."""
    prepared = cast("WizardPage", window.page)._prepared
    assert prepared is not None
    signing, person = _signer(scene.expert)
    signing.sign(signing.preview_grant(prepared.review.grant.unsigned, scene.account, OWNER, scene.claims).token)
    return person.asked[-1][1]


def at_desk(scene: Scene, stage: Stage) -> QWidget:
    """The desk with what the signer asks."""
    return desk(stage, confirmation(scene, in_window(scene, stage)))


def desk(stage: Stage, ask: Fields) -> QWidget:
    from PySide6.QtCore import QObject, Signal

    from latchkey.ui.desk.window import DeskWindow

    class Pipe(QObject):
        """Goes nowhere: nobody answers a picture."""

        asked, closed = Signal(dict), Signal()

        def answer(self, _ask: int, _answer: Fields) -> None: ...

        def decline(self, _ask: int) -> None: ...

    window = DeskWindow(Pipe())  # type: ignore[arg-type]
    window._pipe.setParent(window)
    stage.keep(window)
    window.ask({"ask": "confirm", "id": 1, **ask})
    stage.settle(0.8)  # the yes is armed after a moment
    return window


def desk_end(stage: Stage) -> QWidget:
    """The end of what is to be read, where the yes becomes possible."""
    from latchkey.ui.desk.confirm import ConfirmPage

    window = at_desk(SCENES[2], stage)
    [page] = window.findChildren(ConfirmPage)
    bar = page.reading.verticalScrollBar()
    bar.setValue(bar.maximum())
    return window


def unfolded(stage: Stage) -> QWidget:
    """Narrowing in place, and a limit that goes beyond what was asked."""
    window = in_window(SCENES[2], stage, size=(1180, 1900))
    page = cast("WizardPage", window.page)
    rows = page.review.asked._rows
    for row in (rows[0], rows[2], rows[-1]):
        row._toggle()
    gas = next(c for c in page.wizard.state.cards if c.form.kind == "gas-limit")
    page._edited(wizard.edit_card(page.wizard.state, gas.id, replace(gas.form, amount="0.5")))
    return window


def similar(stage: Stage, *, signed: bool = False) -> QWidget:
    """The same dApp asks again."""
    from latchkey.codec.hand_over import Envelope, Kind, encode
    from latchkey.store.records import GrantState
    from latchkey.store.replacing import Replacements

    window = in_window(SCENES[0], stage)
    page, book = cast("WizardPage", window.page), window._context.book
    prepared = page._prepared
    assert prepared is not None
    record = replace(page.granting._record(prepared), created=NOW - 3 * DAY, label="Rooms, first key")
    hand_over = Envelope(
        Kind.UNSIGNED_GRANT,
        record.draft.permissions,
        replace(BASE, label=""),
        record.draft.expiry,
        KEY,
        entity_id=record.draft.entity_id,
        nonce=record.nonce,
        unsigned=record.unsigned,
    )
    old = book.add_grant(replace(record, envelope=encode(hand_over), state=GrantState.SIGNED))
    page.granting.choose = lambda _book, _account: Ids(IDS.entity_id + 1, IDS.nonce_key + 1)
    again = asked(
        replace(SCENES[0], permissions=(*SCENES[0].permissions[:2], GasLimit(ETH // 20)), span=2 * DAY), session_key=PAYEE
    )
    window.show_page("wizard", replace(again, request_id="request-2"))
    page.wizard.step = wizard.Step.REVIEW
    page._entered()
    if signed:
        assert page._prepared is not None
        new = replace(page.granting._record(page._prepared), envelope=encode(hand_over), state=GrantState.SIGNED)
        number = book.add_grant(new).id
        Replacements(book).hold(number, (old.draft.entity_id,))
        page.wizard.finish()
        window.show_page("signed", number)
    return window


def waiting(stage: Stage) -> QWidget:
    return similar(stage, signed=True)


for scene in SCENES:
    picture(f"review-{scene.name}-window", partial(in_window, scene))
    picture(f"review-{scene.name}-desk", partial(at_desk, scene))
picture("review-03-narrowed-desk-end", desk_end)
picture("review-narrowing-in-place", unfolded)
picture("review-similar", similar)
picture("signed-waiting", waiting)
picture("review-smallest-window", partial(in_window, SCENES[2], size=(900, 600)))
