"""What the window opens: files, texts, links and pictures, the hostile ones among them."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QSize, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QTransform
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from latchkey.codec import ur
from latchkey.codec.hand_over import encode, request_envelope
from latchkey.codec.inbox import open_text
from latchkey.codec.link import to_link
from latchkey.core.request import SessionRequest
from latchkey.errors import BadInput, LatchkeyError, NotServed
from latchkey.flow.requests import Record, RequestState, Source
from latchkey.ui.context import Context
from latchkey.ui.single import Visits
from latchkey.ui.widgets import confirm, intake
from latchkey.ui.widgets.intake import Gatherer, OpenDialog, Waiting, from_mime
from latchkey.ui.widgets.qr_player import _picture
from latchkey.ui.window import Window

pytestmark = pytest.mark.gui

ADDRESS = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
REQUEST = {
    "account": ADDRESS,
    "chainId": "0x7a69",
    "expirySec": 1893456000,
    "key": {"publicKey": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "type": "secp256k1"},
    "permissions": [{"type": "contract-access", "data": {"address": "0x5FbDB2315678afecb367f032d93F642f64180aa3"}}],
}
TEXT = json.dumps(REQUEST)
EXPECTED = open_text(TEXT)
assert isinstance(EXPECTED, SessionRequest)
RAW = encode(request_envelope(EXPECTED))


def png(image: QImage, kind: str = "PNG") -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, kind)
    return bytes(buffer.data().data())


def qr(text: str, scale: int = 6) -> QImage:
    small = _picture(text).convertToFormat(QImage.Format.Format_RGB32)
    return small.scaled(small.size() * scale)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def claimed_png(width: int, height: int, *, depth: int = 8, colour: int = 2, rows: int = 1) -> bytes:
    """A PNG that says it is this large and holds well compressed zeros for `rows` of it."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    channels = {0: 1, 2: 3, 6: 4}[colour]
    pixels = zlib.compress(bytes((width * channels * depth // 8 + 1) * rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


# What opens ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("request.json", TEXT.encode()),
        ("request.txt", ("  " + TEXT + "\n").encode()),
        ("request.latchkey", RAW),
        ("link.txt", to_link(RAW).encode()),
        ("code.png", png(qr(TEXT))),
        ("code.jpg", png(qr(TEXT), "JPEG")),
        ("picture-without-a-suffix", png(qr(to_link(RAW), 3))),
        ("single.png", png(qr(ur.encode(RAW).upper(), 4))),
    ],
)
def test_files(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    opened = Gatherer().open([path])
    assert isinstance(opened, SessionRequest)
    assert opened.permissions == EXPECTED.permissions
    assert (opened.account, opened.chain_id, opened.session_key) == (EXPECTED.account, EXPECTED.chain_id, EXPECTED.session_key)


def photographed(image: QImage) -> QImage:
    """Turned, on a grey table, not quite black on not quite white."""
    table = QImage(900, 900, QImage.Format.Format_RGB32)
    table.fill(QColor(120, 110, 100))
    painter = QPainter(table)
    painter.setOpacity(0.8)
    painter.translate(450, 450)
    painter.rotate(17)
    painter.drawImage(-image.width() // 2, -image.height() // 2, image)
    painter.end()
    return table


@pytest.mark.parametrize(
    "shape",
    [
        lambda image: image,
        photographed,
        lambda image: image.transformed(QTransform().rotate(180)),
        lambda image: image.convertToFormat(QImage.Format.Format_Mono),
        lambda image: image.copy(0, 0, image.width() - 1, image.height() - 1),
    ],
    ids=["plain", "photographed", "upside down", "mono", "odd width"],
)
def test_pictures_from_the_clipboard(shape: Callable[[QImage], QImage]) -> None:
    opened = Gatherer().open([shape(qr(to_link(RAW), 4))])
    assert isinstance(opened, SessionRequest)


def test_a_code_on_transparent_ground() -> None:
    image = qr(to_link(RAW), 4).convertToFormat(QImage.Format.Format_ARGB32)
    for y in range(image.height()):
        for x in range(image.width()):
            if image.pixelColor(x, y) == QColor(Qt.GlobalColor.white):
                image.setPixel(x, y, 0)
    assert isinstance(Gatherer().open([png(image)]), SessionRequest)


def parts(fragment: int = 60) -> list[str]:
    encoder = ur.Encoder(RAW, fragment)
    return [encoder.part(number).upper() for number in range(1, encoder.count + 1)]


def test_parts_of_an_animated_code_wait_for_one_another(tmp_path: Path) -> None:
    gatherer, pictures = Gatherer(), parts()
    assert len(pictures) >= 3
    last = -1
    for part in pictures[:-1]:
        waiting = gatherer.open([qr(part)])
        assert isinstance(waiting, Waiting)
        assert waiting.percent > last
        last = waiting.percent
    assert gatherer.open([qr(pictures[0])]) == waiting
    assert gatherer.open([pictures[-1]]) == open_text(RAW)
    assert isinstance(gatherer.open([pictures[0]]), Waiting), "a complete code is forgotten"


def test_all_parts_at_once_in_any_order(tmp_path: Path) -> None:
    files = []
    for number, part in enumerate(reversed(parts())):
        path = tmp_path / f"{number}.png"
        path.write_bytes(png(qr(part)))
        files.append(path)
    assert Gatherer().open(files) == open_text(RAW)


def test_a_part_of_another_code_starts_afresh() -> None:
    gatherer, mine = Gatherer(), parts()
    other = ur.Encoder(b"\x84\x68latchkey" + bytes(range(200)), 60).part(1).upper()
    assert isinstance(gatherer.open([other]), Waiting)
    for part in mine[:-1]:
        gatherer.open([part])
    assert gatherer.open([mine[-1]]) == open_text(RAW)


def test_two_codes_in_one_picture() -> None:
    """The request beside an address of a web page: only one of them can be opened, so that one is."""
    one, two = qr(to_link(RAW), 3), qr("https://dapp.example/session", 4)
    page = QImage(QSize(one.width() + two.width() + 40, one.height()), QImage.Format.Format_RGB32)
    page.fill(Qt.GlobalColor.white)
    painter = QPainter(page)
    painter.drawImage(0, 0, one)
    painter.drawImage(one.width() + 40, 0, two)
    painter.end()
    assert isinstance(Gatherer().open([page]), SessionRequest)


# What does not -------------------------------------------------------------------------------------------------------------------


def refusal(*sources: Any) -> LatchkeyError:
    with pytest.raises(LatchkeyError) as caught:
        Gatherer().open(list(sources))
    return caught.value


def test_two_different_requests_are_not_guessed_between() -> None:
    other = json.dumps({**REQUEST, "expirySec": 1893456001})
    assert refusal(TEXT, other).code == "NotOne"
    assert Gatherer().open([TEXT, TEXT]) == EXPECTED


def test_too_many_files_at_once() -> None:
    assert refusal(*[TEXT] * 65).code == "TooMany"


def test_what_is_known_but_not_served_says_so() -> None:
    assert isinstance(refusal(qr("wc:7f6e504bfad60b485450578e05678ed3e8e8c4751d3c6160be17160d63ec90f9@2")), NotServed)


def test_pictures_without_a_code() -> None:
    blank = QImage(300, 300, QImage.Format.Format_RGB32)
    blank.fill(Qt.GlobalColor.white)
    assert refusal(blank).code == "NoCode"


@pytest.mark.qt_log_ignore("libpng", "jpeg", "JPEG", "QImage")
@pytest.mark.parametrize("cut", [5, 20, 60, 0.3, 0.9])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_truncated_pictures(cut: float, kind: str) -> None:
    whole = png(qr(to_link(RAW)), kind)
    short = whole[: int(cut if cut > 1 else len(whole) * cut)]
    with pytest.raises(BadInput) as caught:
        Gatherer().open([short])
    assert caught.value.code in ("Damaged", "NoCode")


@pytest.mark.parametrize(
    "bomb",
    [
        claimed_png(8193, 10),
        claimed_png(10, 8193),
        claimed_png(2**31 - 1, 2**31 - 1, rows=0),
        claimed_png(8192, 8192, rows=100),
        claimed_png(4100, 4100, depth=16, colour=6),
        claimed_png(100_000, 100_000, depth=1, colour=0),
    ],
    ids=["wide", "high", "widest", "bomb", "deep", "one bit"],
)
def test_pictures_that_would_fill_the_memory_are_not_decoded(monkeypatch: pytest.MonkeyPatch, bomb: bytes) -> None:
    assert len(bomb) < 1 << 16
    monkeypatch.setattr(intake.QImageReader, "read", lambda _self: pytest.fail("it was decoded"))
    assert refusal(bomb).code in ("TooLarge", "Damaged")


@pytest.mark.qt_log_ignore("libpng")
def test_a_picture_with_less_in_it_than_it_says() -> None:
    assert refusal(claimed_png(2000, 2000, rows=3)).code in ("Damaged", "NoCode")


def test_a_picture_is_what_its_first_bytes_say() -> None:
    """No other decoder is tried, whatever the suffix or the rest of the file."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    assert refusal(b"\x89PNG\r\n\x1a\n" + svg).code == "Damaged"
    assert refusal(svg).code == "NotKnown"
    other = refusal(png(qr(TEXT, 1), "BMP"))
    assert other.code == "Picture"
    assert "PNG" in other.text


def test_files_too_large_are_not_read_whole(tmp_path: Path) -> None:
    text, picture = tmp_path / "a.json", tmp_path / "b.png"
    text.write_bytes(b" " * (256 * 1024 + 1))
    with picture.open("wb") as file:
        file.write(b"\x89PNG")
        file.truncate(intake.MAX_PICTURE_FILE + 1)
    assert refusal(text).code == refusal(picture).code == "TooLarge"


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, Path("/dev/zero")):
        assert refusal(path).code == "NotAFile"
    for path in (tmp_path / "gone", Path("a\0b")):
        assert refusal(path).code == "CannotRead"


def test_no_secret_comes_back_in_a_sentence() -> None:
    secret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    for source in (secret, qr(secret), secret.encode()):
        error = refusal(source)
        assert error.code == "LooksLikeSecret"
        assert secret[:8] not in error.text


# Dropped and pasted --------------------------------------------------------------------------------------------------------------


def mime(**content: Any) -> QMimeData:
    data = QMimeData()
    if "urls" in content:
        data.setUrls([QUrl(url) for url in content["urls"]])
    if "png" in content:
        data.setData("image/png", QByteArray(content["png"]))
    if "image" in content:
        data.setImageData(content["image"])
    if "text" in content:
        data.setText(content["text"])
    return data


def test_from_mime_takes_the_most_telling_part(tmp_path: Path) -> None:
    picture = png(qr(TEXT))
    assert from_mime(mime(urls=[f"file://{tmp_path}/a b.json"], text="x")) == [tmp_path / "a b.json"]
    assert from_mime(mime(urls=["https://dapp.example/code.png"], png=picture)) == [picture]
    assert from_mime(mime(text=TEXT)) == [TEXT]
    (image,) = from_mime(mime(image=qr(TEXT)))
    assert isinstance(image, QImage)
    with pytest.raises(BadInput):
        from_mime(mime())
    with pytest.raises(BadInput):
        from_mime(mime(png=bytes(intake.MAX_PICTURE_FILE + 1)))


@pytest.fixture
def window(make_window: Callable[..., Window]) -> Window:
    return make_window()


@pytest.fixture
def arrived(window: Window, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where things were brought; of a request's record the request and how it came."""
    brought: list[Any] = []

    def navigate(page: str, payload: Any = None) -> None:
        brought.append((page, payload.request, payload.source) if isinstance(payload, Record) else (page, payload))

    monkeypatch.setattr(context_of(window), "navigate", navigate)
    return brought


def context_of(window: Window) -> Context:
    return window._context


def test_a_dropped_file_goes_straight_to_the_wizard(qtbot: QtBot, window: Window, arrived: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(TEXT)
    intake.open_mime(context_of(window), window, mime(urls=[path.as_uri()]))
    qtbot.waitUntil(lambda: bool(arrived))
    assert arrived == [("wizard", EXPECTED, Source.FILE)]
    assert not any(dialog.isVisible() for dialog in window.findChildren(OpenDialog))


def test_the_command_lines_file_or_link(qtbot: QtBot, window: Window, arrived: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "request.latchkey"
    path.write_bytes(RAW)
    for text in (str(path), to_link(RAW)):
        arrived.clear()
        intake.open_text(context_of(window), window, text)
        qtbot.waitUntil(lambda: bool(arrived))
        assert arrived == [("wizard", open_text(RAW), Source.FILE)], "the same request again is the one that waits already"


def test_what_comes_while_a_question_is_open_waits(qtbot: QtBot, window: Window, arrived: list[Any], tmp_path: Path) -> None:
    """However much it is, whatever it is: one question at a time, and nothing stands over what is read."""
    context, visits, said = context_of(window), Visits(context_of(window), window), []
    context.said.connect(said.append)
    ending = tmp_path / "grant.latchkey"
    ending.write_text(json.dumps({"sessionId": "0x"}))
    wanted = [to_link(encode(request_envelope(replace(EXPECTED, request_id=f"r-{n}")))) for n in range(3)]
    question = confirm(window, "Sure?", "Nothing is lost.", "Do it", lambda: None)
    for what in (*wanted, wanted[0], str(ending), "latchkey:nonsense"):
        visits.came(what)
    assert not said, "before the book is open"
    visits.ready()
    qtbot.waitUntil(lambda: len(said) == 6, timeout=20_000)
    assert said[:4] == ["A request came in. It waits under Requests."] * 4
    assert QApplication.activeModalWidget() is question
    assert not any(one.isVisible() for one in window.findChildren(OpenDialog))
    assert not arrived
    assert [one.state for one in context.requests.open()] == [RequestState.NEW] * 3
    assert window.rail.badge.text() == "3"
    question.reject()
    visits.came(wanted[0])
    qtbot.waitUntil(lambda: bool(arrived))
    visits.door.close()


def test_what_was_typed_stays_when_a_link_comes(qtbot: QtBot, window: Window, arrived: list[Any]) -> None:
    intake.open_dialog(context_of(window), window)
    dialog = window.findChild(OpenDialog)
    dialog.edit.setPlainText("half of it")
    intake.open_text(context_of(window), window, to_link(RAW))
    qtbot.waitUntil(lambda: bool(context_of(window).requests.open()))
    assert (dialog.isVisible(), dialog.edit.toPlainText(), arrived) == (True, "half of it", [])


def test_what_does_not_open_is_said_in_the_dialog(qtbot: QtBot, window: Window, arrived: list[Any]) -> None:
    intake.open_mime(context_of(window), window, mime(text="hello"))
    qtbot.waitUntil(lambda: bool(window.findChildren(OpenDialog)) and window.findChild(OpenDialog).isVisible())
    dialog = window.findChild(OpenDialog)
    assert "nothing that Latchkey can open" in dialog.banner.text
    dialog.edit.setPlainText(TEXT)
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(arrived))
    assert arrived == [("wizard", EXPECTED, Source.CLIPBOARD)]


def test_dropped_parts_gather_in_one_dialog(qtbot: QtBot, window: Window, arrived: list[Any]) -> None:
    for part in parts():
        intake.open_mime(context_of(window), window, mime(image=qr(part)))
        qtbot.waitUntil(lambda: not context_of(window).tasks.busy)
    qtbot.waitUntil(lambda: bool(arrived))
    assert arrived == [("wizard", open_text(RAW), Source.QR)]


def test_pasting_a_picture_into_the_dialog(qtbot: QtBot, window: Window, arrived: list[Any]) -> None:
    intake.open_dialog(context_of(window), window)
    dialog = window.findChild(OpenDialog)
    assert not dialog.go.isEnabled()
    QGuiApplication.clipboard().setImage(qr(to_link(RAW), 4))
    qtbot.keyClick(dialog.edit, "V", Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(arrived))
    assert arrived == [("wizard", open_text(RAW), Source.QR)]


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_the_place_of_a_file_as_file_managers_copy_it(
    qtbot: QtBot, window: Window, arrived: list[Any], tmp_path: Path, prefix: str
) -> None:
    path = tmp_path / "request.json"
    path.write_text(TEXT)
    intake.open_dialog(context_of(window), window)
    dialog = window.findChild(OpenDialog)
    dialog.edit.setPlainText(f"{prefix}{path}\n")
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(arrived))
    assert arrived == [("wizard", EXPECTED, Source.FILE)]
    assert not any(
        intake._named(line) for line in ("request.json", "/nowhere/at.all", "/" + "x" * 300, "/a\0b", "https://x.example/a")
    )


def test_choosing_files(qtbot: QtBot, window: Window, arrived: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "request.json"
    path.write_text(TEXT)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_args: ([str(path)], ""))
    intake.open_dialog(context_of(window), window)
    qtbot.mouseClick(window.findChild(OpenDialog).file, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(arrived))
    assert arrived == [("wizard", EXPECTED, Source.FILE)]
