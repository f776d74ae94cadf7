"""The Sessions pages over real cached readings: what is listed, filters, keys, selection, empty states, and that scrolling never stalls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from tests.gui import session_pictures as made
from tests.gui.conftest import NOW, names_missing
from tests.gui.session_pictures import DAY, GAMES, GAS, PAY, SAVINGS, USDC, four, kept, many
from tests.sessions import session_of

from latchkey.core.permissions import NativeTokenTransfer
from latchkey.core.session import LimitKind
from latchkey.flow.ending_plan import Cancel, Lower, Revoke, RevokeAll, Tighten
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.readings import Readings
from latchkey.store.settings import NetworkSettings
from latchkey.ui.pages.session import SessionPage, TightenDialog
from latchkey.ui.pages.session_list import Parts
from latchkey.ui.pages.sessions import SessionsPage
from latchkey.ui.widgets import Banner, Button, EmptyState
from latchkey.ui.widgets.row_parts import HEIGHT
from latchkey.ui.window import Window

pytestmark = pytest.mark.gui
Fill = Callable[[Book], Any]
MOST_STALL = 0.05  # s


@pytest.fixture
def shown(folder: DataDir, make_window: Callable[..., Window], qtbot: QtBot) -> Callable[..., Window]:
    """A window on the Sessions page, over a book that was filled."""

    def make(fill: Fill | None = None, *accounts: Any, **settings: Any) -> Window:
        with Book.open(folder.book) as book:
            for account in accounts or (GAMES,):
                book.add_account(account)
            if fill:
                fill(book)
        window = make_window("sessions", **settings)
        qtbot.waitUntil(lambda: page_of(window)._shown is not None, timeout=60_000)
        return window

    return make


@pytest.fixture
def endings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """What the ending sheet was opened for."""
    asked: list[tuple[Any, Any]] = []
    monkeypatch.setattr("latchkey.ui.pages.ending.open_ending", lambda _context, _parent, views, what: asked.append((views, what)))
    return asked


def page_of(window: Window) -> SessionsPage:
    page = window._pages["sessions"]
    assert isinstance(page, SessionsPage)
    return page


def titles(window: Window) -> list[str]:
    page = page_of(window)
    assert page.list is not None
    return [entry.title for entry in page.list.model_.rows]


def empty_text(window: Window) -> str:
    state = page_of(window)._stack.currentWidget()
    assert isinstance(state, EmptyState)
    return " ".join(getattr(child, "text", str)() for child in state.children())


# --- what is listed


def test_four_sessions_the_unknown_root_key_first(shown: Callable[..., Window]) -> None:
    window = shown(four)
    page = page_of(window)
    assert titles(window) == ["Not made here", "Skirmish Rooms", "Payroll bot", "Claim rewards"]
    root, game, pay, claim = page.list.model_.rows
    assert [entry.chips[0][0] for entry in (root, game, pay, claim)] == [
        "Full control", "Active", "Nearly used up", "Waiting for first use"
    ]  # fmt: skip
    assert [bar.text for bar in game.bars] == ["Gas: 0.0069 of 0.01 ETH left"]
    assert game.bars[0].used == pytest.approx(0.31)
    assert pay.bars[0].text == "140 of 2000 USDC left"
    assert pay.bars[0].tone == "warn"
    assert root.bars[0].text == "No limits"
    assert root.ends == ("Never ends", "until revoked")
    assert game.ends[0] == "6 h 12 min"
    assert [entry.verb for entry in (root, game, pay, claim)] == ["Revoke", "Revoke", "Revoke", "Cancel"]
    assert page.counts.text() == "3 active · 1 with full control · 1 waiting for first use · read 12 s ago"
    assert "Skirmish Rooms. Active. 2 functions on 0xCf7E…0Fc9." in game.spoken


def test_what_appeared_since_the_last_look_is_new_until_the_page_is_left(shown: Callable[..., Window], qtbot: QtBot) -> None:
    def fill(book: Book) -> None:
        kept(book)  # looked at while there was nothing
        kept(book, session_of(made.made(1, *PAY)), seen=False)

    window = shown(fill)
    [entry] = page_of(window).list.model_.rows
    assert ("New", "accent") in entry.chips
    window._context.navigate("settings")
    window._context.navigate("sessions")
    qtbot.waitUntil(lambda: ("New", "accent") not in page_of(window).list.model_.rows[0].chips)


def test_closing_the_window_is_leaving_the_page(shown: Callable[..., Window]) -> None:
    window = shown(lambda book: kept(book, session_of(made.made(1, *PAY)), seen=False))
    window.close()
    assert Readings(window._context.book).seen(GAMES) is not None


def test_a_limit_of_unknown_beginning_has_no_bar(shown: Callable[..., Window]) -> None:
    one = session_of(made.made(1, NativeTokenTransfer(0), GAS), left={LimitKind.GAS: 10**15}, granted=False)
    window = shown(lambda book: kept(book, one))
    bars = page_of(window).list.model_.rows[0].bars
    assert [(bar.text, bar.used) for bar in bars if "Gas" in bar.text] == [("Gas: 0.001 ETH left", None)]


def test_three_hundred_are_listed(shown: Callable[..., Window]) -> None:
    window = shown(lambda book: many(book, 300))
    entries = page_of(window).list.model_.rows
    assert len(entries) == 300
    assert entries[-1].chips[0][0] == "Expired"
    assert names_missing(window) == []


# --- filters


@pytest.mark.parametrize(
    ("state", "left"),
    [("Active", 3), ("Waiting for first use", 1), ("Nearly used up", 1), ("Full control", 1), ("Expired", 0)],
)
def test_states_narrow_the_list(shown: Callable[..., Window], state: str, left: int) -> None:
    window = shown(four)
    page = page_of(window)
    page.state.setCurrentText(state)
    if left:
        assert len(titles(window)) == left
    else:
        assert "No session passes" in empty_text(window)
        next(button for button in page._stack.currentWidget().findChildren(Button) if button.text() == "Show all").click()
        assert len(titles(window)) == 4


def test_what_is_over_is_shown_when_asked_for(shown: Callable[..., Window]) -> None:
    """Grants that were cancelled, expired unused, or whose session has gone: under their state alone, with nothing left to end."""

    def fill(book: Book) -> None:
        for number, label in ((5, "Old game"), (6, "Never used")):
            book.add_grant(made.record(made.made(number, *PAY, ends=-DAY if number == 6 else DAY), label))
        four(book)
        known = Readings(book).get(GAMES)
        ids = {record.draft.entity_id: record.id for record in book.grants(GAMES)}
        Readings(book).put(replace(known, sequences={**known.sequences, ids[5]: 1, ids[6]: 0}))

    page = page_of(window := shown(fill))
    assert len(titles(window)) == 4
    assert "1 waiting" in page.counts.text()
    page.state.setCurrentText("Revoked or cancelled")
    assert [(entry.title, entry.chips[0][0], entry.verb) for entry in page.list.model_.rows] == [("Old game", "Cancelled", "")]
    page.state.setCurrentText("Expired")
    assert [(entry.title, entry.chips[0][0], entry.verb) for entry in page.list.model_.rows] == [("Never used", "Expired", "")]


def test_search_risk_account_and_network_narrow_too(shown: Callable[..., Window], qtbot: QtBot) -> None:
    def fill(book: Book) -> None:
        four(book)
        kept(book, session_of(made.made(7, *PAY, account=SAVINGS)), account=SAVINGS)

    window = shown(fill, GAMES, SAVINGS)
    page = page_of(window)
    assert len(titles(window)) == 5
    page.network.setCurrentText("Ethereum")
    assert len(titles(window)) == 1
    page._show_all()
    page.account.setCurrentText("Games on Base")
    assert len(titles(window)) == 4
    page.risk.setCurrentText("Dangers")
    assert titles(window) == ["Not made here"]
    page._show_all()
    page.search.setText(str(USDC).lower()[:12])
    qtbot.waitUntil(lambda: titles(window)[-1] == "Payroll bot")


# --- by keyboard and mouse


def test_keys_open_tick_and_revoke(shown: Callable[..., Window], endings: list[Any], qtbot: QtBot) -> None:
    window = shown(four)
    view = page_of(window).list
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Home)
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert endings.pop()[1] == [Revoke((3,))]
    for _ in range(2):
        QTest.keyClick(view, Qt.Key.Key_Space)
        QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_End)
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert page_of(window).chosen.text() == "3 selected"
    QTest.keyClick(view, Qt.Key.Key_Delete)
    views, what = endings.pop()
    assert [one.account for one in views] == [GAMES, GAMES]
    [waiting] = window._context.book.grants(GAMES)[:1]
    assert what == [Revoke((3, 1)), Cancel((waiting.id,))]
    QTest.keyClick(view, Qt.Key.Key_Home)
    QTest.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.page.row is not None)
    assert window.page.title.text() == "Not made here"


def test_the_mouse_ticks_opens_and_revokes(shown: Callable[..., Window], endings: list[Any], qtbot: QtBot) -> None:
    window = shown(four)
    page, view = page_of(window), page_of(window).list
    parts = Parts(view.visualRect(view.model_.index(1)))
    click(view, parts.tick.center())
    assert [entry.title for entry in view.model_.chosen()] == ["Skirmish Rooms"]
    assert page.revoke_chosen.isEnabled()
    click(view, parts.button.center())
    assert endings.pop()[1] == [Revoke((1,))]
    above = Parts(view.visualRect(view.model_.index(0)))
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=above.text.center())
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=parts.button.center())
    assert endings == []  # what was not pressed is not clicked
    page.untick.click()
    assert not page.revoke_chosen.isEnabled()
    click(view, parts.text.center())
    qtbot.waitUntil(lambda: isinstance(window.page, SessionPage) and window.page.row is not None)


def test_revoke_all_is_one_click_from_the_start(shown: Callable[..., Window], endings: list[Any]) -> None:
    window = shown(four)
    page_of(window).revoke_all.click()
    [(views, what)] = endings
    assert [view.account for view in views] == [GAMES]
    assert what == RevokeAll()


def test_a_choice_survives_a_new_reading(shown: Callable[..., Window], qtbot: QtBot) -> None:
    window = shown(four)
    view = page_of(window).list
    view.model_.tick(view.model_.rows[1])
    before = page_of(window)._shown
    window._context.changed.emit("readings")
    qtbot.waitUntil(lambda: page_of(window)._shown is not before)
    assert [entry.title for entry in view.model_.chosen()] == ["Skirmish Rooms"]


# --- nothing to show


def test_without_an_rpc_nothing_is_asked_and_settings_are_offered(shown: Callable[..., Window]) -> None:
    window = shown()
    assert "No RPC is set" in empty_text(window)
    page_of(window)._stack.currentWidget().findChild(Button).click()
    assert window.page.accessibleName() == "Settings"


def test_no_sessions_are_said_with_account_network_block_and_range(shown: Callable[..., Window]) -> None:
    text = empty_text(shown(lambda book: kept(book)))
    assert "Base" in text
    assert "31204918" in text
    assert "all of them" in text


def test_an_rpc_that_fails_leaves_what_was_there(shown: Callable[..., Window], qtbot: QtBot) -> None:
    dead = NetworkSettings(8453, "http://127.0.0.1:9")
    window = shown(lambda book: four(book, NOW - DAY), networks=(dead,))
    page = page_of(window)
    qtbot.waitUntil(lambda: page._errors != {} and page._stop is None, timeout=60_000)
    qtbot.waitUntil(lambda: any("could not be read" in banner.text for banner in page.findChildren(Banner)))
    assert len(titles(window)) == 4


# --- one session


def test_one_session_says_everything_and_can_be_tightened(shown: Callable[..., Window], endings: list[Any], qtbot: QtBot) -> None:
    window = shown(four)
    window._context.navigate("session", (GAMES.chain_id, GAMES.address, GAMES.system, 2))
    page = window._pages["session"]
    qtbot.waitUntil(lambda: page.row is not None)
    assert page.title.text() == "Payroll bot"
    assert names_missing(window) == []
    page.tighten.click()
    dialog = window.findChild(TightenDialog)
    tokens = next(field for limit, _, field in dialog.lowered if limit.kind is LimitKind.ERC20)
    dialog.go.click()
    assert dialog.fault.isVisible()
    tokens.editor.setText("141")
    dialog.go.click()
    assert tokens.error == "A limit can only be lowered here."
    tokens.editor.setText("100.5")
    dialog.go.click()
    [(view, what)] = endings
    assert view.account == GAMES
    assert what == Tighten(2, (Lower(LimitKind.ERC20, 100_500_000, USDC),), None)


def test_a_session_that_is_gone_says_so(shown: Callable[..., Window], qtbot: QtBot) -> None:
    window = shown(four)
    window._context.navigate("session", (GAMES.chain_id, GAMES.address, GAMES.system, 99))
    qtbot.waitUntil(lambda: any("not on the chain" in banner.text for banner in window.page.findChildren(Banner)))


# --- watching


def test_watching_runs_while_unlocked_and_an_rpc_is_set(
    shown: Callable[..., Window], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    runs: list[threading.Event] = []
    monkeypatch.setattr("latchkey.flow.watch.Watch.run", lambda _watch, _say, stop: (runs.append(stop), stop.wait(5)))
    window = shown(four)
    watching, unlocked = window._context._watching, SimpleNamespace(unlocked=True, keys=(), expert=False)
    window._context.set_status(unlocked)
    assert not watching.is_running  # no RPC
    window._context.change_settings(networks=(NetworkSettings(8453, "http://127.0.0.1:9"),))
    qtbot.waitUntil(lambda: len(runs) == 1)
    window._context.set_status(None)
    assert runs[0].is_set()
    assert not watching.is_running


# --- scrolling


def test_a_thousand_rows_scroll_without_a_stall(shown: Callable[..., Window]) -> None:
    """The longest stretch of the window's own thread, in its CPU time: what others do on this machine does not count."""
    window = shown(lambda book: many(book, 1_000))
    view = page_of(window).list
    assert view.model_.rowCount() == 1_000
    stalls = list(_stretches(window, view))
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()
    assert max(stalls) < MOST_STALL


def _stretches(window: Window, view: Any) -> Iterator[float]:
    bar = view.verticalScrollBar()
    app = QApplication.instance()
    for value in range(0, bar.maximum() + 5 * HEIGHT, 5 * HEIGHT):
        begun = time.thread_time()
        bar.setValue(value)
        app.processEvents()
        yield time.thread_time() - begun


def click(view: Any, where: QPoint) -> None:
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)
