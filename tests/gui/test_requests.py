"""The Requests page and what opens from it: a record is reviewed, granted, refused, muted; by mouse and by keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot
from tests.gui.conftest import NOW, names_missing
from tests.gui.request_pictures import PAGE, asked
from tests.gui.session_pictures import GAMES, four
from tests.gui.test_signed import signed_grant
from tests.gui.test_wizard import ACCOUNT, Driver, book_filled, drive, drive_signer, request  # noqa: F401

from latchkey.codec.hand_over import decode
from latchkey.codec.link import PREFIX, from_link
from latchkey.core.request import RevocationRequest, SessionRequest
from latchkey.flow.requests import OTHER, REASONS, Answer, Record, Requests, RequestState, Source, refusal
from latchkey.flow.wizard import Step
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.records import GrantState, KeyOrigin
from latchkey.ui.pages.ending import EndingDialog
from latchkey.ui.pages.refusing import RefuseDialog
from latchkey.ui.pages.request_details import DetailsDialog
from latchkey.ui.pages.request_list import Parts, RequestList
from latchkey.ui.pages.requests import MutedDialog, RequestsPage
from latchkey.ui.pages.signed import SignedPage
from latchkey.ui.widgets import Dialog, confirm
from latchkey.ui.window import Window

pytestmark = pytest.mark.gui

MakeWindow = Callable[..., Window]


def requests_of(window: Window) -> Requests:
    return window._context.requests


def by_page(window: Window, wanted: Any, origin: str = PAGE) -> tuple[Record, list[Answer]]:
    told: list[Answer] = []
    record = requests_of(window).arrived(wanted, Source.BRIDGE, origin=origin, proven=True, reply=told.append)
    return record, told


def shown(window: Window, qtbot: QtBot, rows: int) -> RequestsPage:
    """The page, once it shows so many rows."""
    if not isinstance(window.page, RequestsPage):
        window.show_page("requests")
    page = window.page
    assert isinstance(page, RequestsPage)
    qtbot.waitUntil(lambda: page.list is not None and len(page.list.model_.rows) == rows)
    return page


def the_list(page: RequestsPage) -> RequestList:
    assert page.list is not None
    return page.list


def press(widget: QWidget, text: str) -> None:
    button = next(b for b in widget.findChildren(QPushButton) if b.isVisible() and b.accessibleName() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def dialog(window: Window, qtbot: QtBot, kind: type[Any]) -> Any:
    qtbot.waitUntil(lambda: any(one.isVisible() for one in window.findChildren(kind)))
    return next(one for one in window.findChildren(kind) if one.isVisible())


# --- the page


def test_nothing_yet_says_what_to_do(make_window: MakeWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window, wanted = make_window(), list[bool]()
    monkeypatch.setattr(window, "open_request", lambda: wanted.append(True))
    window._context.wanted.connect(lambda: wanted.append(True))
    window.show_page("requests")
    qtbot.waitUntil(lambda: any(b.text() == "Open request…" and b.isVisible() for b in window.page.findChildren(QPushButton)))
    assert not window.page.clear.isVisible()
    assert not window.rail.badge.isVisible()
    assert names_missing(window) == []


def test_it_fills_by_itself_and_the_rail_counts(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window("requests")
    requests_of(window).arrived(asked(1), Source.LINK)
    page = shown(window, qtbot, 1)
    by_page(window, asked(2))
    shown(window, qtbot, 2)
    assert window.rail.badge.text() == "2"
    assert window.rail.entries["requests"].accessibleName() == "Requests, 2 new"
    proven, unproven = (row.spoken for row in the_list(page).model_.rows)
    assert proven.startswith(f"{PAGE}. New, Sender proven. Base · ")
    assert unproven.startswith("Calls itself “Skirmish Rooms”. New, Sender unproven. ")
    window.show_page("accounts")  # what was shown has been seen
    qtbot.waitUntil(lambda: not window.rail.badge.isVisible())
    assert {r.state for r in requests_of(window).all()} == {RequestState.SEEN}
    assert names_missing(window) == []


def test_by_keyboard(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    with qtbot.waitActive(window):
        window.activateWindow()
    first, told = by_page(window, asked(1))
    requests_of(window).arrived(asked(2), Source.FILE)
    rows = the_list(shown(window, qtbot, 2))
    qtbot.waitUntil(rows.hasFocus)
    QTest.keyClick(rows, Qt.Key.Key_Down)
    QTest.keyClick(rows, Qt.Key.Key_Delete)
    sheet = dialog(window, qtbot, RefuseDialog)
    qtbot.waitUntil(sheet.isActiveWindow)
    QTest.keyClick(sheet.focusWidget(), Qt.Key.Key_Down)
    QTest.keyClick(sheet.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(told))
    assert (told[0].state, told[0].code) == (RequestState.REFUSED, "too-much")
    assert requests_of(window).get(first.id).state is RequestState.REFUSED  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: rows.model_.rows[1].verbs == ("", ""))
    QTest.keyClick(rows, Qt.Key.Key_Return)
    assert dialog(window, qtbot, DetailsDialog).windowTitle() == PAGE


def test_the_buttons_of_a_row(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    by_page(window, asked(1))
    rows = the_list(shown(window, qtbot, 1))
    parts = Parts(rows.visualRect(rows.model_.index(0)))
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=parts.no.center())
    dialog(window, qtbot, RefuseDialog).reject()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=parts.yes.center())
    assert window.page_name == "wizard"


def test_own_words_reach_who_asked(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    _, told = by_page(window, asked(1))
    page = shown(window, qtbot, 1)
    page._refuse(the_list(page).model_.rows[0])
    sheet = dialog(window, qtbot, RefuseDialog)
    assert PAGE in sheet._consequence()
    assert names_missing(sheet) == []
    QTest.keyClicks(sheet.own, "Only for an hour, please")
    assert list(REASONS)[sheet.reasons.checkedId()] == OTHER
    assert not sheet.mute.isChecked()
    sheet.mute.setChecked(True)
    press(sheet, "Refuse")
    qtbot.waitUntil(lambda: bool(told))
    assert told == [Answer(RequestState.REFUSED, "Only for an hour, please", code=OTHER)]
    assert requests_of(window).is_muted(PAGE)


def test_muting_and_hearing_again(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    _, told = by_page(window, asked(1))
    page = shown(window, qtbot, 1)
    row = the_list(page).model_.rows[0]
    mute = next(action for action in page.menu(row).actions() if action.text() == "Mute this page…")
    mute.trigger()
    press(dialog(window, qtbot, Dialog), "Mute")
    qtbot.waitUntil(lambda: bool(told) and page.muted.isVisible())
    assert told[0].code == "muted"
    press(page, "Muted pages…")
    sheet = dialog(window, qtbot, MutedDialog)
    assert names_missing(sheet) == []
    press(sheet, f"Hear {PAGE} again")
    qtbot.waitUntil(lambda: not page.muted.isVisible())
    by_page(window, asked(2))
    shown(window, qtbot, 2)


def test_a_page_that_is_not_proven_cannot_be_muted(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    requests_of(window).arrived(asked(1), Source.LINK)
    page = shown(window, qtbot, 1)
    texts = [action.text() for action in page.menu(the_list(page).model_.rows[0]).actions()]
    assert texts == ["Review", "What it asks for…", "Refuse…"]


def test_what_was_answered_can_be_cleared(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    record, _ = by_page(window, asked(1))
    requests_of(window).answer(record.id, refusal("not-now"))
    page = shown(window, qtbot, 1)
    press(page, "Clear what was answered…")
    press(dialog(window, qtbot, Dialog), "Clear")
    qtbot.waitUntil(lambda: requests_of(window).all() == ())
    qtbot.waitUntil(lambda: any(b.text() == "Open request…" and b.isVisible() for b in page.findChildren(QPushButton)))


def test_a_thousand_are_no_trouble(make_window: MakeWindow, folder: DataDir, qtbot: QtBot) -> None:
    with Book.open(folder.book) as book:
        Requests(book, lambda: NOW).arrived(asked(1), Source.LINK)
        columns = "kind, digest, system, content, source, origin, proven, arrived, answered, code, reason, grant_id"
        copied = f"SELECT ?, 'refused', {columns} FROM request_records WHERE id = 1"
        copy = f"INSERT INTO request_records (request_id, state, {columns}) {copied}"
        with book._transaction() as connection:  # as one transaction: a thousand would take their time
            connection.executemany(copy, [(f"copy-{number}",) for number in range(999)])
    window = make_window()
    begun = time.process_time()
    page = shown(window, qtbot, 1000)
    assert time.process_time() - begun < 10  # read on a worker; the page can be used meanwhile
    rows, longest = the_list(page), 0.0
    for row in range(0, 1000, 50):
        begun = time.process_time()
        rows.scrollTo(rows.model_.index(row))
        rows.grab()
        longest = max(longest, time.process_time() - begun)
    assert longest < 1


# --- the wizard


def test_a_whole_request_opens_on_its_review(drive: Driver, qtbot: QtBot) -> None:  # noqa: F811
    record, _ = by_page(drive.window, request())
    drive.open(record)
    assert drive.step is Step.REVIEW
    card = drive.page.review.asker
    assert (card.who.text(), card.chip.text()) == (f"{PAGE} asks", "Sender proven")
    assert "through the bridge" in card.how.text()
    assert names_missing(drive.page) == []
    drive.window.show_page("grants")  # nothing was changed: leaving asks nothing, and it stays open
    assert [r.id for r in requests_of(drive.window).open()] == [record.id]


def test_an_unproven_sender_is_called_so(drive: Driver, qtbot: QtBot) -> None:  # noqa: F811
    record = requests_of(drive.window).arrived(request(), Source.LINK)
    drive.open(record)
    assert drive.page.review.asker.chip.text() == "Sender unproven"
    assert "<b>" in drive.page.review.asker.who.text()  # shown as it is, never as markup
    qtbot.waitUntil(lambda: "Nothing proves who sent this request" in drive.texts())


def test_what_is_missing_is_asked_first(drive: Driver) -> None:  # noqa: F811
    keyless = request(session_key=None, hand_over_key=bytes(range(32)), claims=replace(request().claims, dapp_name="Other"))
    for wanted, step in ((request(account="0x" + "ab" * 20), Step.ACCOUNT), (keyless, Step.KEY)):
        record = requests_of(drive.window).arrived(replace(wanted, request_id=step.value), Source.LINK)
        drive.window.show_page("grants")
        drive.open(record)
        assert drive.step is step


def test_signing_answers_it(drive_signer: Driver, qtbot: QtBot) -> None:  # noqa: F811
    record, told = by_page(drive_signer.window, request())
    drive_signer.open(record)
    with qtbot.waitSignal(drive_signer.page.signed, timeout=60_000) as caught:
        drive_signer.click("Sign")
    grant = caught.args[0]
    assert [(answer.state, answer.grant_id) for answer in told] == [(RequestState.GRANTED, grant.id)]
    page = drive_signer.window.page
    assert isinstance(page, SignedPage)
    assert page._told.isVisible()
    assert page._told.text.startswith(f"{PAGE} has it.")
    rows = the_list(shown(drive_signer.window, qtbot, 1))
    rows.opened.emit(rows.model_.rows[0])
    assert drive_signer.window.page_name == "grant"


def test_refusing_from_the_review(drive: Driver, qtbot: QtBot) -> None:  # noqa: F811
    record, told = by_page(drive.window, request())
    drive.open(record)
    drive.click("Refuse…")
    press(dialog(drive.window, qtbot, RefuseDialog), "Refuse")
    qtbot.waitUntil(lambda: bool(told))
    assert drive.window.page_name == "requests"
    assert told[0].code == "not-now"


def test_who_asked_has_gone(drive: Driver, qtbot: QtBot) -> None:  # noqa: F811
    record, _ = by_page(drive.window, request())
    drive.open(record)
    assert drive.button("Sign").isEnabled()
    requests_of(drive.window).withdraw(record.id)
    qtbot.waitUntil(lambda: not drive.button("Sign").isEnabled())
    assert "has gone" in drive.page.review.asker.over.text
    assert not any(b.text().replace("&", "") == "Refuse…" and b.isVisible() for b in drive.page.findChildren(QPushButton))


def test_another_one_does_not_take_the_place_of_what_is_read(drive: Driver, qtbot: QtBot) -> None:  # noqa: F811
    first, _ = by_page(drive.window, request())
    second = requests_of(drive.window).arrived(replace(request(), request_id="request-2"), Source.LINK)
    drive.open(first)
    drive.open(first)  # the very one: nothing to ask
    drive.open(second)
    sheet = dialog(drive.window, qtbot, Dialog)
    assert drive.page.review.asker.chip.text() == "Sender proven"
    press(sheet, "Go on here")
    qtbot.waitUntil(lambda: requests_of(drive.window).get(first.id).state is RequestState.SEEN)
    assert requests_of(drive.window).get(second.id).state is RequestState.NEW
    assert drive.window.rail.badge.text() == "1"  # what was put off is still to be looked at
    drive.open(second)
    sheet = dialog(drive.window, qtbot, Dialog)
    press(sheet, "Open")
    qtbot.waitUntil(lambda: drive.page.review.asker.chip.text() == "Sender unproven")
    assert len(requests_of(drive.window).open()) == 2


def test_nothing_comes_between_the_person_and_the_desk(drive: Driver) -> None:  # noqa: F811
    first, _ = by_page(drive.window, request())
    drive.open(first)
    drive.page._busy("Read and confirm it at the desk.")
    drive.open(requests_of(drive.window).arrived(replace(request(), request_id="request-2"), Source.LINK))
    assert drive.page.review.asker.chip.text() == "Sender proven"
    assert not any(one.isVisible() for one in drive.window.findChildren(Dialog))
    drive.page._busy("")


# --- requests to end


def test_a_request_to_end_opens_the_sheet_for_just_that(make_window: MakeWindow, folder: DataDir, qtbot: QtBot) -> None:
    with Book.open(folder.book) as book:
        book.add_account(GAMES)
        four(book)
    window = make_window()
    by_page(window, RevocationRequest("e-1", GAMES.chain_id, GAMES.address, (1,)))
    rows = the_list(shown(window, qtbot, 1))
    assert "End session 1 of Games on Base" in rows.model_.rows[0].line
    said: list[str] = []
    window._context.said.connect(said.append)
    rows.opened.emit(rows.model_.rows[0])
    question = confirm(window, "Sure?", "Nothing is lost.", "Do it", lambda: None)  # came up while the account is read
    qtbot.waitUntil(lambda: bool(said))
    assert not window.findChildren(EndingDialog)
    question.reject()
    rows.opened.emit(rows.model_.rows[0])
    sheet = dialog(window, qtbot, EndingDialog)
    assert [job.what.entity_ids for job in sheet.jobs] == [(1,)]
    qtbot.waitUntil(lambda: not window._context.tasks.busy)
    sheet.reject()


def test_what_has_ended_already_is_answered(make_window: MakeWindow, folder: DataDir, qtbot: QtBot) -> None:
    with Book.open(folder.book) as book:
        book.add_account(GAMES)
        four(book)
    window = make_window()
    _, told = by_page(window, RevocationRequest("e-1", GAMES.chain_id, GAMES.address, (77,)))
    rows = the_list(shown(window, qtbot, 1))
    rows.opened.emit(rows.model_.rows[0])
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].state is RequestState.GRANTED


# --- the way back


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser is given to open."""
    urls: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: urls.append(bytes(QUrl(url).toEncoded().data()).decode()) or True)
    return urls


def answered(window: Window, callback: str = "https://rooms.example/back?a=%20", **fields: Any) -> SignedPage:
    """The page of a grant that answers a request which names an address."""
    wanted: SessionRequest = replace(request(), request_id="ask-1", callback=callback, account=ACCOUNT.address)
    requests_of(window).arrived(wanted, Source.LINK)
    kept = window._context.book.add_grant(signed_grant(**fields))
    window.show_page("signed", kept.id)
    page = window.page
    assert isinstance(page, SignedPage)
    return page


def test_the_way_back_is_shown_whole_and_taken_by_the_person(make_window: MakeWindow, qtbot: QtBot, opened: list[str]) -> None:
    window = make_window()
    page = answered(window)
    assert [r.state for r in requests_of(window).all()] == [RequestState.GRANTED]
    qtbot.mouseClick(page.back, Qt.MouseButton.LeftButton)
    sheet = dialog(window, qtbot, Dialog)
    assert sheet.windowTitle() == "Return to rooms.example?"
    assert opened == []
    assert any("https://rooms.example/back?a=%20" in getattr(child, "text", str)() for child in sheet.findChildren(QWidget))
    press(sheet, "Open in the browser")
    (url,) = opened
    callback, _, payload = url.partition("#latchkey=")
    assert callback == "https://rooms.example/back?a=%20"
    record = window._context.book.grants()[0]
    assert from_link(PREFIX + payload) == record.envelope
    assert record.state is GrantState.HANDED_OVER


@pytest.mark.parametrize("fields", [{"key_origin": KeyOrigin.MADE}, {"sealed": b"sealed to the dApp"}])
def test_a_key_that_was_made_here_never_goes_that_way(make_window: MakeWindow, fields: dict[str, Any]) -> None:
    page = answered(make_window(), **fields)
    assert not page.back.isVisible()
    envelope = decode(page._context.book.grants()[0].envelope or b"")
    assert page._back_to == ""
    assert bool(envelope.sealed_session_key) is ("sealed" in fields)


def test_a_refusal_may_be_taken_back_too(make_window: MakeWindow, qtbot: QtBot, opened: list[str]) -> None:
    window = make_window()
    requests_of(window).arrived(replace(request(), callback="https://rooms.example/back"), Source.LINK)
    page = shown(window, qtbot, 1)
    page._refuse(the_list(page).model_.rows[0])
    press(dialog(window, qtbot, RefuseDialog), "Refuse")
    press(dialog(window, qtbot, Dialog), "Open in the browser")
    assert opened == ["https://rooms.example/back#latchkey-refused=not-now&requestId=request-1&reason=Not%20now."]
