"""The Sessions page with nothing, four and three hundred sessions, and one of them opened. `kept` is what tests fill books with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tests.gui.pictures import NOW, Stage, picture
from tests.sessions import draft, reading_of, session_of

from latchkey.accounts.system import system
from latchkey.core.account import Account
from latchkey.core.draft import Draft
from latchkey.core.functions import selector_of
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
    Root,
)
from latchkey.core.request import Claims
from latchkey.core.session import AccountReading, Block, Leftover, LimitKind, LogRange, Power, Session
from latchkey.core.types import Address
from latchkey.flow.accounts import from_address, from_owner
from latchkey.store.readings import Kept, Readings
from latchkey.store.records import GrantRecord, GrantState
from latchkey.store.settings import NetworkSettings

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from latchkey.store.book import Book

GAMES = from_owner(8453, Address.parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), 0, label="Games")
SAVINGS = from_address(1, "0x71C7656EC7ab88b098defB751B7401B5f6d8976F", label="Savings")
ROOMS = Address.parse("0xCf7Ed3AccA5a467e9e704C703E8D87F634fB0Fc9")
USDC = Address.parse("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")
HOUR, DAY = 3_600, 86_400
CLOSED = NetworkSettings(8453, "http://127.0.0.1:9")  # a port nobody answers on


def key(number: int) -> Address:
    return Address.from_bytes((0x3C44CDDDB6A900FA2B585DD299E03D12 + number).to_bytes(20, "big"))


def made(number: int, *permissions: Permission, ends: int = DAY, account: Account = GAMES) -> Draft:
    expiry = NOW + ends if ends else 0
    return draft(*permissions, entity_id=number, expiry=expiry, account=account, session_key=key(number))


def record(of: Draft, label: str = "", **fields: Any) -> GrantRecord:
    grant = system(of.system).build(of)
    return GrantRecord(
        of, grant.nonce, grant.unsigned, NOW - HOUR, label=label, envelope=b"envelope", state=GrantState.SIGNED, **fields
    )


def kept(
    book: Book, *sessions: Session, account: Account = GAMES, taken: int = NOW - 12, seen: bool = True, **changes: Any
) -> AccountReading:
    """Put these sessions into the book as the last reading of an account that is in it."""
    block = Block(31_204_918, b"\x0b" * 32, taken)
    reading = reading_of(*sessions, account=account, block=block, logs=LogRange(0, block.number), **changes)
    installed = {session.entity_id for session in sessions}
    sequences = {one.id: int(one.draft.entity_id in installed) for one in book.grants(account)}
    Readings(book).put(Kept(reading, taken, sequences))
    if seen:
        from latchkey.flow.session_rows import mark_of

        Readings(book).put_seen(account, {session.entity_id: mark_of(session) for session in sessions})
    return reading


GAS = GasLimit(10**16)
GAME = (FunctionsOnContract(ROOMS, (selector_of("move(uint8,uint8)"), selector_of("claim()"))), NativeTokenTransfer(0), GAS)
PAY = (Erc20TokenTransfer(USDC, 2_000 * 10**6), NativeTokenTransfer(0), GAS)


def four(book: Book, taken: int = NOW - 12) -> None:
    """As in the design: a game, a bot that has nearly used up its allowance, a root key of unknown origin, a grant that waits."""
    game, pay = made(1, *GAME, ends=6 * HOUR + 720), made(2, *PAY, ends=9 * DAY)
    root, claim = (
        made(3, Root(), ends=0),
        made(4, FunctionsOnAllContracts((selector_of("claim(uint256)"),)), NativeTokenTransfer(0), GAS),
    )
    book.add_grant(record(game, "Skirmish Rooms"))
    book.add_grant(record(pay, "Payroll bot"))
    book.add_grant(record(claim, "Claim rewards"))
    kept(
        book,
        session_of(game, left={LimitKind.GAS: 69 * 10**14}),
        session_of(pay, left={LimitKind.ERC20: 140 * 10**6}),
        session_of(root),
        taken=taken,
        powers=(Power("execution-function", ROOMS, "A module added the function poke() to the account."),),
        leftovers=(Leftover(ROOMS, 9, amount=7),),
    )


def many(book: Book, number: int) -> None:
    """A mixture: careful and careless, granted here and not, used up and over."""
    sessions = []
    for i in range(1, number + 1):
        what = (GAME, PAY, (ContractAccess(key(90_000 + i)), NativeTokenTransfer(i * 10**15), GAS))[i % 3]
        one = made(i, *what, ends=(i % 40 - 2) * 7_000 or DAY)
        if i % 10 and i <= 300:  # each is a transaction of its own
            book.add_grant(record(one, f"Session of day {i}" if i % 4 else "", claims=Claims(dapp_name=f"Skirmish Rooms {i}")))
        left = {LimitKind.GAS: 10**14 * (i % 101), LimitKind.ERC20: 10**6 * (i * 37 % 2_001)}
        sessions.append(session_of(one, left=left, granted=bool(i % 7)))
    kept(book, *sessions)


def _window(stage: Stage, fill: Any, *, size: tuple[int, int] = (1180, 780), accounts: tuple[Account, ...] = (GAMES,)) -> QWidget:
    window = stage.window(*accounts, size=size)
    if fill is not None:
        fill(window._context.book)
    window.show_page("sessions")
    return cast("QWidget", window)


def _opened(stage: Stage, number: int) -> QWidget:
    window = stage.window(GAMES, size=(1180, 1400))
    four(window._context.book)
    window.show_page("session", (GAMES.chain_id, GAMES.address, GAMES.system, number))
    return window


picture("sessions-none", lambda stage: _window(stage, lambda book: kept(book)))
picture("sessions-no-rpc", lambda stage: _window(stage, None))
picture("sessions-no-account", lambda stage: _window(stage, None, accounts=()))
picture("sessions-four", lambda stage: _window(stage, four))
picture("sessions-four-small", lambda stage: _window(stage, four, size=(900, 600)))
picture("sessions-many", lambda stage: _window(stage, lambda book: many(book, 300)))
picture("session-careful", lambda stage: _opened(stage, 1))
picture("session-root", lambda stage: _opened(stage, 3))
