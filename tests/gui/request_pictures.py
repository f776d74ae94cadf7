"""The Requests page with none, some and a thousand requests, and what opens from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from tests.gui.pictures import NOW, Stage, picture
from tests.gui.session_pictures import GAME, GAMES, PAY, ROOMS, four, key

from latchkey.core.permissions import ContractAccess, GasLimit, NativeTokenTransfer
from latchkey.core.request import Claims, RevocationRequest, SessionRequest
from latchkey.flow.requests import Answer, Requests, RequestState, Source, refusal

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from latchkey.store.book import Book

HOUR, DAY = 3_600, 86_400
PAGE = "https://rooms.example"
LONG = "https://a-very-long-name-of-a-page-that-somebody-has-chosen-to-see-what-happens.games.example:8443"


def asked(number: int, *permissions: Any, name: str = "Skirmish Rooms", **fields: Any) -> SessionRequest:
    values = {"chain_id": 8453, "session_key": key(number), "expiry": NOW + 6 * HOUR, "claims": Claims(name, PAGE)}
    return SessionRequest(permissions or GAME, f"r-{number}", **(values | fields))


def some(book: Book) -> Requests:
    """One of each kind and state."""
    clock = [NOW - 3 * DAY]
    requests = Requests(book, lambda: clock[0])

    def came(request: Any, source: Source, ago: int, **fields: Any) -> int:
        clock[0] = NOW - ago
        return requests.arrived(request, source, **fields).id

    refused = came(asked(1), Source.LINK, 2 * DAY)
    requests.answer(refused, refusal("too-much"))
    came(asked(2, expiry=NOW - DAY), Source.QR, DAY + HOUR)
    gone = came(asked(3), Source.BRIDGE, 5 * HOUR, origin="https://another.example", proven=True)
    requests.withdraw(gone)
    came(
        asked(4, ContractAccess(ROOMS), NativeTokenTransfer(10**18), name="", claims=Claims(), chain_id=None), Source.FILE, 2 * HOUR
    )
    came(asked(5, *PAY, name="Payroll"), Source.CLIPBOARD, HOUR)
    seen = came(
        asked(6, GasLimit(10**16), name="A name that is as long as names may be, which is eighty characters, as here"),
        Source.LINK,
        1500,
    )
    requests.see(seen)
    came(asked(7), Source.BRIDGE, 600, origin=LONG, proven=True)
    came(RevocationRequest("e-1", 8453, GAMES.address, (1,)), Source.BRIDGE, 240, origin=PAGE, proven=True)
    came(asked(8), Source.BRIDGE, 20, origin=PAGE, proven=True)
    clock[0] = NOW
    requests.mute("https://noisy.example")
    return requests


def many(book: Book, number: int) -> None:
    requests = Requests(book, lambda: NOW - 60)
    for i in range(number):
        record = requests.arrived(asked(i + 100, name=f"Game {i}"), Source.LINK)
        if i < number - 12:
            requests.answer(record.id, refusal("not-now"))


def _window(stage: Stage, fill: Any = None, *, size: tuple[int, int] = (1180, 780), **settings: Any) -> Any:
    window = stage.window(GAMES, size=size, **settings)
    if fill is not None:
        context = window._context
        context._requests = None
        made = fill(context.book)
        context._requests = made or Requests(context.book, context.clock)
        context._requests._clock = context.clock
        context._requests.on_change(context._requested.emit)
    window.rail.count_requests()
    window.show_page("requests")
    return window


def _refusing(stage: Stage, request: SessionRequest, **fields: Any) -> QWidget:
    from latchkey.ui.pages.refusing import RefuseDialog

    window = _window(stage, some)
    context = window._context
    record = context.requests.arrived(request, Source.LINK if not fields else Source.BRIDGE, **fields)
    dialog = RefuseDialog(context, window, record)
    dialog.show()
    return cast("QWidget", stage.keep(dialog))


def _details(stage: Stage) -> QWidget:
    from latchkey.ui.pages.request_details import DetailsDialog

    window = _window(stage, some)
    dialog = DetailsDialog(window._context, window, window._context.requests.all()[-1])
    dialog.show()
    return cast("QWidget", stage.keep(dialog))


def _muted(stage: Stage) -> QWidget:
    from latchkey.ui.pages.requests import MutedDialog

    window = _window(stage)
    muted = (("https://noisy.example", NOW - DAY), (LONG, NOW - 30 * DAY))
    dialog = MutedDialog(window, muted, lambda _origin: None, NOW)
    dialog.show()
    return cast("QWidget", stage.keep(dialog))


def _returning(stage: Stage) -> QWidget:
    from latchkey.core.callback import with_answer
    from latchkey.ui.pages.returning import offer_return

    callback = "https://rooms.example/play/table-7/back?seat=3&token=0123456789abcdef0123456789abcdef0123456789abcdef"
    return cast("QWidget", stage.keep(offer_return(_window(stage), callback, with_answer(callback, "x" * 1_204))))


def _review(stage: Stage, source: Source, **fields: Any) -> QWidget:
    window = _window(stage, four, size=(1180, 1240))
    context = window._context
    request = asked(900, account=GAMES.address)
    record = context.requests.arrived(request, source, **fields)
    window.show_page("wizard", record)
    return cast("QWidget", window)


def _gone(stage: Stage) -> QWidget:
    window = cast("Any", _review(stage, Source.BRIDGE, origin=PAGE, proven=True))
    requests = window._context.requests
    requests.withdraw(requests.open()[0].id)
    return cast("QWidget", window)


def _signed(stage: Stage, source: Source, **fields: Any) -> QWidget:
    """A grant that answers a request: it went back by itself, or may be taken back."""
    from tests.gui.test_signed import signed_grant

    window = _window(stage, size=(1180, 1000))
    requests = window._context.requests
    wanted = replace(asked(1), request_id="ask-1", callback="https://rooms.example/back")
    requests.arrived(wanted, source, **fields)
    record = window._context.book.add_grant(signed_grant())
    requests.answer(requests.open()[0].id, Answer(RequestState.GRANTED, grant_id=record.id))
    window.show_page("signed", record.id)
    return cast("QWidget", window)


picture("request-review-gone", _gone)
picture("request-signed-back", lambda stage: _signed(stage, Source.LINK))
picture("request-signed-told", lambda stage: _signed(stage, Source.BRIDGE, origin=PAGE, proven=True))
picture("requests-none", lambda stage: _window(stage))
picture("requests-some", lambda stage: _window(stage, some, size=(1180, 860)))
picture("requests-some-small", lambda stage: _window(stage, some, size=(900, 600)))
picture("requests-many", lambda stage: _window(stage, lambda book: many(book, 300)))
picture("request-refusing-page", lambda stage: _refusing(stage, asked(50), origin=PAGE, proven=True))
picture("request-refusing-link", lambda stage: _refusing(stage, asked(51, callback="https://rooms.example/back")))
picture("request-details", _details)
picture("request-muted", _muted)
picture("request-returning", _returning)
picture("request-review-proven", lambda stage: _review(stage, Source.BRIDGE, origin=PAGE, proven=True))
picture("request-review-unproven", lambda stage: _review(stage, Source.LINK))
