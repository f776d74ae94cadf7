"""Looks for codes in what a source sees: one picture at a time, always the newest, off the UI thread.

A picture is asked for when the one before it was read. So nothing queues up however slow reading is: pictures in between are never
taken. The tasks are the reader's own, for work of the window's counts as somebody being there, and would keep the keys unlocked.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QSize, QTimer, Signal
from PySide6.QtGui import QImage

from latchkey.errors import LatchkeyError
from latchkey.ui.scan.gathering import Gathering, Progress
from latchkey.ui.scan.picture import Frame, Picture, Source
from latchkey.ui.tasks import Tasks
from latchkey.ui.widgets.intake import Source as Kept
from latchkey.ui.widgets.intake import contents


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a code is: its corners as shares of the picture's width and height, and whether it could be read."""

    corners: tuple[tuple[float, float], ...]
    is_read: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """What came of one look. `preview` and `marks` are there when one was asked for and a picture came."""

    progress: Progress
    preview: QImage | None = None
    marks: tuple[Mark, ...] = ()


class Reader(QObject):
    """`seen` after each look, also after those that found nothing; `failed` when something inside went wrong, and it stopped."""

    seen = Signal(object)  # Sight
    failed = Signal(object)  # LatchkeyError

    def __init__(self, gathering: Gathering, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gathering = gathering
        self._gate = threading.Lock()  # gathering is for one thread at a time
        self._tasks = tasks = Tasks(self)
        self._source: Source | None = None
        self._room: QSize | None = None
        self._busy = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self.destroyed.connect(lambda: tasks.close())

    @property
    def is_watching(self) -> bool:
        return self._source is not None

    def watch(self, source: Source, room: QSize | None = None) -> None:
        """Look at what `source` sees from now on, instead of what it looked at before. `room`: make previews of that size."""
        self.stop()
        with self._gate:
            self._gathering.begin()
        self._source, self._room = source, room
        self._timer.start(source.interval)

    def resize(self, room: QSize) -> None:
        self._room = room

    def stop(self) -> None:
        """Look no more, and let go of the source."""
        self._timer.stop()
        source, self._source = self._source, None
        if source is not None:
            source.stop()

    def close(self) -> None:
        """Stop for good: nothing is told any more."""
        self.stop()
        self._tasks.close()

    def forget(self) -> None:
        """Begin again with no part of anything."""
        with self._gate:
            self._gathering.forget()
            progress = self._gathering.wait()
        self.seen.emit(Sight(progress))

    def open(self, kept: Sequence[Kept]) -> None:
        """Read files, pictures or texts once, beside what is being watched; `seen` tells what came of it."""
        self._tasks.run(lambda _job: self._read_kept(kept), self.seen.emit, failed=self._stopped, owner=self)

    # --- one look

    def _look(self) -> None:
        if self._busy or self._source is None:
            return
        source, frame = self._source, self._source.take()
        if frame is None:
            self._wait()
            return
        room, self._busy = self._room, True
        self._tasks.run(
            lambda _job: self._read(frame, room), lambda sight: self._told(source, sight), failed=self._stopped,
            finished=self._rest, owner=self,
        )  # fmt: skip

    def _wait(self) -> None:
        if self._gate.acquire(blocking=False):
            try:
                progress = self._gathering.wait()
            finally:
                self._gate.release()
            self.seen.emit(Sight(progress))

    def _read(self, frame: Frame, room: QSize | None) -> Sight:
        """On a worker."""
        picture = frame()
        codes = picture.codes()
        with self._gate:
            texts = [code.text for code in codes if code.text is not None]
            progress = self._gathering.take(texts, len(codes) - len(texts))
        if room is None:
            return Sight(progress)
        shown = [code for code in codes if code.text is not None] or codes  # others beside it are mostly its shadows
        marks = tuple(Mark(_shares(picture, code.corners), code.text is not None) for code in shown)
        return Sight(progress, picture.preview(room), marks)

    def _read_kept(self, kept: Sequence[Kept]) -> Sight:
        """On a worker."""
        with self._gate:
            progress = self._gathering.wait()
            for one in kept:
                try:
                    progress = self._gathering.take(contents(one))
                except LatchkeyError as error:
                    progress = self._gathering.say(error.text)
                if progress.found is not None:
                    break
        return Sight(progress)

    def _told(self, source: Source, sight: Sight) -> None:
        if source is self._source:
            self.seen.emit(sight)

    def _rest(self) -> None:
        self._busy = False

    def _stopped(self, error: LatchkeyError) -> None:
        self.stop()
        self.failed.emit(error)


def _shares(picture: Picture, corners: tuple[tuple[int, int], ...]) -> tuple[tuple[float, float], ...]:
    return tuple((x / picture.width, y / picture.height) for x, y in corners)
