"""The window's door for what comes in: a dropped or chosen file, a pasted text, a picture with a QR code in it.

    open_dialog(context, window)        Ctrl+O
    open_mime(context, window, mime)    something was dropped
    open_text(context, window, text)    the command line's file or link
    scan_code(context, window)          Ctrl+Shift+O: camera, screen or picture (ui.scan)
    opened(context, window, found, source)      where each kind of thing goes, however it came in

Everything is read off the UI thread, with caps before anything is decoded. What does not open is said in the dialog, where another
try is at hand. Parts of an animated code, one picture each, wait there for one another.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QBuffer, QIODevice, QMimeData, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QImageReader, QPainter
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QWidget

from latchkey.errors import BadInput, LatchkeyError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets.buttons import primary, secondary
from latchkey.ui.widgets.dialogs import Dialog, is_asking
from latchkey.ui.widgets.surfaces import Banner
from latchkey.ui.widgets.text import Muted

if TYPE_CHECKING:
    from latchkey.codec.hand_over import Envelope
    from latchkey.codec.inbox import Anything
    from latchkey.codec.ur import Decoder
    from latchkey.core.request import SessionRequest

Source: TypeAlias = Path | str | bytes | QImage

PLACES = tr("Requests and QR pictures (*.latchkey *.json *.txt *.png *.jpg *.jpeg);;All files (*)")
MAX_SOURCES = 64
MAX_PICTURE_FILE = 16 << 20  # bytes
MAX_MEMORY = 128 << 20  # bytes, once decoded
_PICTURES = {b"\x89PNG": b"png", b"\xff\xd8\xff": b"jpeg"}
_WIDEST = {b"png": 8, b"jpeg": 4}  # bytes a pixel; asking Qt for the real depth crashes it (QImage.toPixelFormat in PySide6 6.11.3)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some parts of an animated code are here. `percent` of it is known."""

    percent: int


class Gatherer:
    """Opens what comes in. Keeps the parts of an animated code from one call to the next; not for two threads at once."""

    def __init__(self) -> None:
        self._decoder: Decoder | None = None

    def open(self, sources: Sequence[Source]) -> Anything | Waiting:
        """The one thing in `sources` that can be opened. Raises BadInput or NotServed with the first thing that was wrong."""
        if len(sources) > MAX_SOURCES:
            raise BadInput(tr("At most {max_sources} files are opened at once.", max_sources=MAX_SOURCES), code="TooMany")
        found: list[Anything] = []
        faults: list[LatchkeyError] = []
        waiting: Waiting | None = None
        for text in [text for source in sources for text in contents(source)]:
            try:
                opened = self._open(text)
            except LatchkeyError as error:
                faults.append(error)
                continue
            if isinstance(opened, Waiting):
                waiting = opened
            elif opened not in found:
                found.append(opened)
        if len(found) > 1:
            raise BadInput(tr("Several requests were found. Open them one at a time."), code="NotOne")
        if found:
            return found[0]
        if waiting is not None:
            return waiting
        raise faults[0]

    def _open(self, text: str | bytes) -> Anything | Waiting:
        from latchkey.codec.inbox import open_any as read
        from latchkey.codec.ur import PART

        if isinstance(text, str) and PART.match(text):
            whole = self._gather(text)
            if whole is None:
                return Waiting(self._decoder.percent if self._decoder else 0)
            self._decoder, text = None, whole
        try:
            return read(text)
        except BadInput as error:
            if error.code != "Picture":
                raise
            raise BadInput(tr("Of pictures only PNG and JPEG are opened: save it as one of these."), code="Picture") from None

    def _gather(self, part: str) -> str | None:
        """The whole as one text once enough parts are here. A part of another code starts afresh with that code."""
        from latchkey.codec.inbox import expect_part
        from latchkey.codec.ur import KINDS, Decoder

        expect_part(part, None)
        self._decoder = self._decoder or Decoder(KINDS.keys())
        try:
            self._decoder.receive(part)
        except BadInput as error:
            if error.code != "OtherCode":
                raise
            self._decoder = Decoder(KINDS.keys())
            self._decoder.receive(part)
        return self._decoder.text


def contents(source: Source) -> list[str] | list[bytes]:
    """The texts in one source: a picture's QR codes, or the text itself. Raises BadInput."""
    if isinstance(source, QImage):
        return codes(source)
    if isinstance(source, str):
        return [source]
    raw = _file(source) if isinstance(source, Path) else source
    kind = _picture_kind(raw)
    return codes(decode(raw, kind)) if kind else [raw]


def decode(raw: bytes, kind: bytes) -> QImage:
    """A PNG or JPEG, its size judged before a pixel of it is decoded. Raises BadInput."""
    from latchkey.codec.qr import MAX_SIDE

    buffer = QBuffer()
    buffer.setData(raw)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, kind)
    reader.setAutoDetectImageFormat(False)
    size = reader.size()
    if not size.isValid():
        raise _damaged()
    if max(size.width(), size.height()) > MAX_SIDE or size.width() * size.height() * _WIDEST[kind] > MAX_MEMORY:
        raise BadInput(tr("This picture is too large. Cut out the QR code and try again."), code="TooLarge")
    QImageReader.setAllocationLimit(MAX_MEMORY >> 20)
    image = reader.read()
    if image.isNull():
        raise _damaged()
    return image


def codes(image: QImage) -> list[str]:
    """The texts of the QR codes in a picture; BadInput when there are none."""
    from latchkey.codec.qr import read_codes

    if image.hasAlphaChannel():
        image = _on_white(image)
    gray = image.convertToFormat(QImage.Format.Format_Grayscale8)
    texts = read_codes(gray.constBits(), gray.width(), gray.height(), gray.bytesPerLine())
    if not texts:
        raise BadInput(tr("No QR code was found in this picture. A sharper or larger one may do."), code="NoCode")
    return texts


def _on_white(image: QImage) -> QImage:
    """What is transparent would come out black."""
    result = QImage(image.size(), QImage.Format.Format_RGB32)
    result.fill(Qt.GlobalColor.white)
    painter = QPainter(result)
    painter.drawImage(0, 0, image)
    painter.end()
    return result


def _picture_kind(raw: bytes) -> bytes:
    return next((kind for magic, kind in _PICTURES.items() if raw.startswith(magic)), b"")


def _file(path: Path) -> bytes:
    """A regular file, of which no more than its kind may have is read."""
    from latchkey.codec.files import read_capped

    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadInput(tr("This is not a file that can be read."), code="NotAFile")
        with path.open("rb") as file:
            if not _picture_kind(file.read(4)):
                file.seek(0)
                return read_capped(file)
            file.seek(0)
            raw = file.read(MAX_PICTURE_FILE + 1)
    except (OSError, ValueError):  # ValueError: a name with a NUL in it
        raise BadInput(tr("This file cannot be read."), code="CannotRead") from None
    if len(raw) > MAX_PICTURE_FILE:
        raise BadInput(
            tr("This picture is too large: at most {max_picture_file} MiB are read.", max_picture_file=MAX_PICTURE_FILE >> 20),
            code="TooLarge",
        )
    return raw


def _damaged() -> BadInput:
    return BadInput(tr("This picture is damaged or not what its first bytes say."), code="Damaged")


# Where it comes from -------------------------------------------------------------------------------------------------------------


def from_mime(data: QMimeData) -> list[Source]:
    """What was dropped or pasted: files, else a picture, else text. Raises BadInput for what none of these holds."""
    files = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if files:
        return list(files)
    for kind in ("image/png", "image/jpeg"):
        if data.hasFormat(kind):
            return [_capped(bytes(data.data(kind).data()))]
    if data.hasImage():
        return [QImage(data.imageData())]
    if data.hasText():
        return [data.text()]
    raise BadInput(tr("There is nothing here that Latchkey can open."), code="Empty")


def _capped(raw: bytes) -> bytes:
    if len(raw) > MAX_PICTURE_FILE:
        raise BadInput(
            tr("This picture is too large: at most {max_picture_file} MiB are read.", max_picture_file=MAX_PICTURE_FILE >> 20),
            code="TooLarge",
        )
    return raw


def open_dialog(context: Context, window: QWidget) -> None:
    """Ask for a file, a text or a picture."""
    _dialog(context, window).open()


def open_mime(context: Context, window: QWidget, data: QMimeData) -> None:
    """Open what was dropped on the window."""
    _dialog(context, window).take_mime(data)


def scan_code(context: Context, window: QWidget) -> None:
    """Scan whatever can be opened: with a camera, from the screen, from a picture."""
    from latchkey.ui.scan.dialog import scan

    scan(context, window, None, lambda found: opened(context, window, found, "qr"))


def open_text(context: Context, window: QWidget, text: str) -> None:
    """Open what the command line named: a `latchkey:` link, or a file. It comes by itself: what is typed into an open dialog stays."""
    dialog = _dialog(context, window)
    if dialog.edit.toPlainText():
        dialog = OpenDialog(context, window)
    dialog.take([text if text.lower().startswith("latchkey:") else Path(text)])


def is_reading(window: QWidget) -> bool:
    """Whether something that came in is being read."""
    return any(dialog.is_busy for dialog in window.findChildren(OpenDialog, options=Qt.FindChildOption.FindDirectChildrenOnly))


def _dialog(context: Context, window: QWidget) -> OpenDialog:
    """The one that is open already, for parts gather there."""
    dialog = window.findChild(OpenDialog, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return dialog if dialog is not None and dialog.isVisible() else OpenDialog(context, window)


class OpenDialog(Dialog):
    """Stays out of sight while what was dropped can simply be opened."""

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(tr("Open a request"), window)
        self._context, self._window = context, window
        self._gatherer = Gatherer()
        self._busy = False
        self._came_by = ""
        self.setAcceptDrops(True)
        self.banner = Banner()
        self.banner.hide()
        self.edit = PasteEdit(self.take_mime)
        self.file = secondary(tr("Choose file…"), self._choose, icon_name="file")
        self.go = primary(tr("Open"), self._open_text)
        self.go.setEnabled(False)
        self.edit.textChanged.connect(lambda: self.go.setEnabled(bool(self.edit.toPlainText().strip())))
        self.body.addWidget(
            Muted(tr("Drop a file or a picture of a QR code here, or paste either, or the request's text or link."))
        )
        self.body.addWidget(self.edit)
        self.body.addWidget(self.banner)
        self.scan = secondary(tr("Scan…"), self._scan, icon_name="qr")
        self.buttons.insertWidget(0, self.file)
        self.buttons.insertWidget(1, self.scan)
        self.buttons.addWidget(secondary(tr("Cancel"), self.reject))
        self.buttons.addWidget(self.go)
        self.edit.setFocus()

    @property
    def is_busy(self) -> bool:
        return self._busy

    def take(self, sources: Sequence[Source]) -> None:
        """Read `sources` and go where what they hold belongs, or say why not."""
        if self._busy:
            return
        self._busy = True
        self._came_by = _way(sources)
        self._context.tasks.run(
            lambda _job: self._gatherer.open(sources), self._opened, failed=self._failed, finished=self._rest, owner=self
        )

    def take_mime(self, data: QMimeData) -> None:
        try:
            sources = from_mime(data)
        except BadInput as error:
            self._failed(error)
        else:
            self.take(sources)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.take_mime(event.mimeData())

    def _choose(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, tr("Open a request"), str(Path.home()), PLACES)
        if names:
            self.take([Path(name) for name in names])

    def _open_text(self) -> None:
        text = self.edit.toPlainText()
        self.take([_named(text.strip()) or text])

    def _rest(self) -> None:
        self._busy = False

    def _opened(self, found: Anything | Waiting) -> None:
        if isinstance(found, Waiting):
            self._tell(
                "notice",
                tr("{percent} % of an animated code is here.", percent=found.percent),
                tr("Add the pictures of its other frames."),
            )
            return
        context, window = self._context, self._window
        self.close()
        self.deleteLater()
        opened(context, window, found, self._came_by)

    def _scan(self) -> None:
        self.close()
        scan_code(self._context, self._window)

    def _failed(self, error: LatchkeyError) -> None:
        self._tell("warning", error.text, "")

    def _tell(self, level: str, sentence: str, advice: str) -> None:
        if not self.isVisible() and is_asking():
            self._context.say(sentence)
            self.deleteLater()
            return
        self.banner.set(level, sentence, advice)
        self.banner.show()
        if not self.isVisible():
            self.open()


# Where it goes -------------------------------------------------------------------------------------------------------------------


def opened(context: Context, window: QWidget, found: Anything, source: str) -> None:
    """Bring what was found to the page or sheet that is for it. `source`: how it came, a value of store.requests.Source.

    While a question is open it takes nobody's eyes: a request waits on its page, and of anything else it is said that it came.
    """
    from latchkey.codec.eip681 import PayTo
    from latchkey.codec.eip4527 import EthSignature, EthSignRequest
    from latchkey.codec.hand_over import Envelope
    from latchkey.codec.hdkeys import HdKeys
    from latchkey.core.request import SessionRequest

    if is_asking() and not isinstance(found, SessionRequest):
        context.say(tr("Something else came in and was not opened. Finish what you are asked first, then open it again."))
        return
    match found:
        case SessionRequest():
            _request(context, window, found, source)
        case Envelope():
            _envelope(context, window, found)
        case EthSignRequest():
            context.navigate("approve", found)
        case EthSignature():
            from latchkey.ui.pages.device_sign import open_signature

            open_signature(context, window, found)
        case HdKeys() | PayTo():
            context.navigate("accounts", found)
        case _:
            context.navigate("approve", found)


def _request(context: Context, window: QWidget, request: SessionRequest, source: str) -> None:
    """Kept among the requests, and shown unless a question is open; of one that was answered before that is said."""
    from latchkey.store.requests import Source as Way
    from latchkey.ui.pages.request_refused import show_refused

    try:
        record = context.requests.arrived(request, Way(source))
    except LatchkeyError as error:
        if is_asking():
            context.say(error.text)
        else:
            show_refused(context, window, error)
        return
    if is_asking():
        context.say(tr("A request came in. It waits under Requests."))
    else:
        context.navigate("wizard", record)


def _envelope(context: Context, window: QWidget, envelope: Envelope) -> None:
    """Unsigned: to be approved here. Signed: a grant to be kept and handed over, or an ending to be sent."""
    from latchkey.codec.hand_over import ENDINGS, Kind

    if envelope.kind is Kind.SIGNED_GRANT:
        from latchkey.ui.pages.grant_answer import open_grant_answer

        open_grant_answer(context, window, envelope)
    elif envelope.kind in ENDINGS and envelope.signatures:
        if context.is_cut_off():
            return
        from latchkey.ui.pages.ending_answer import open_answer

        open_answer(context, window, envelope)
    else:
        context.navigate("approve", envelope)


def _named(line: str) -> Path | None:
    """The file whose whole path, or file: address, this is: file managers copy these."""
    place = QUrl(line).toLocalFile() if line.startswith("file:") else line
    return Path(place) if os.path.isabs(place) and os.path.isfile(place) else None  # noqa: PTH113, PTH117  Path's raise for some names


def _way(sources: Sequence[Source]) -> str:
    """How these came, as store.requests.Source has it."""
    match sources[0] if sources else "":
        case Path():
            return "file"
        case str() as text:
            return "link" if text.strip().lower().startswith("latchkey:") else "clipboard"
    return "qr"


class PasteEdit(QPlainTextEdit):
    """Text to paste into; a picture or a file that is pasted or dropped goes to `take` instead."""

    def __init__(self, take: Callable[[QMimeData], object]) -> None:
        super().__init__()
        self._take = take
        self.setAccessibleName(tr("The request's text"))
        self.setTabChangesFocus(True)
        self.setFont(theme.font(theme.BODY - 1, mono=True))
        self.setFixedHeight(self.fontMetrics().lineSpacing() * 7 + theme.space(3))

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasUrls() or source.hasImage() or source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasImage() or any(url.isLocalFile() for url in source.urls()):
            self._take(source)
        else:
            super().insertFromMimeData(source)
