"""What the texts of one picture after another amount to: something that can be opened, a share of an animated code, or a sentence.

Thirty pictures a second show the same code again and again, so a text that was refused is not read a second time, and a sentence
about a picture stays for some seconds after it. Parts of one animated code are gathered; when the parts of another one are all that
is seen any more, gathering begins again with that one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from latchkey.codec import inbox, ur
from latchkey.core.phrases import Level
from latchkey.errors import BadInput, LatchkeyError
from latchkey.language import tr

STAYS = 4.0  # seconds a sentence stays after what it is about was last seen
SOME_TIME = 3.0  # seconds that are looked back on to tell that a code cannot be read
FEW = 5  # pictures in them
NOTHING_AT_ALL = 12.0  # seconds after which advice is given
STANDS_STILL = 6.0  # seconds without a new part of an animated code
OTHERS = 4  # different parts of another code after which that one is taken
PATIENCE = 300.0  # seconds without anything new after which scanning stops
_REMEMBERED = 32


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person is told about what is seen. `level`: core.phrases.Level."""

    sentence: str
    advice: str = ""
    level: Level = Level.WARNING


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. `found`: the one thing that was scanned. `parts` of an animated code are here, which determine `percent` of it;
    both are 0 when there is none. `is_over`: nothing new came for so long that nobody seems to be there."""

    found: inbox.Anything | None = None
    parts: int = 0
    percent: int = 0
    notice: Notice | None = None
    is_over: bool = False


class Gathering:
    """`expected`: the types that are taken, None for whatever can be opened. Not for two threads at once."""

    def __init__(self, expected: frozenset[type] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._expected, self._clock = expected, clock
        self._decoder: ur.Decoder | None = None
        self._other: ur.Decoder | None = None  # the parts of another code, while it is not clear which one is meant
        self._refused: dict[str | bytes, LatchkeyError] = {}
        self._notice: tuple[float, Notice] | None = None
        self._sights: deque[tuple[float, bool, bool]] = deque(maxlen=100)  # when; whether any was read; any could not be
        self.begin()

    def begin(self) -> None:
        """Scanning starts, or goes on after a pause; what was gathered stays."""
        now = self._clock()
        self._news = self._seen = now  # something new came; any code was read
        self._sights.clear()

    def forget(self) -> None:
        """Begin again with nothing."""
        self._decoder = self._other = self._notice = None
        self.begin()

    def take(self, texts: Sequence[str | bytes], unreadable: int = 0) -> Progress:
        """One picture: the texts of its codes, and how many there were that could not be read."""
        now = self._clock()
        self._sights.append((now, bool(texts), unreadable > 0))
        found: list[inbox.Anything] = []
        for text in dict.fromkeys(texts):
            self._seen = now
            try:
                opened = self._open(text, now)
            except LatchkeyError as error:
                self._notice = now, Notice(error.text)
                continue
            if opened is not None and opened not in found:
                found.append(opened)
        if len(found) == 1:
            return self._progress(now, found[0])
        if found:
            advice = tr("Show one of them, or choose a region around it.")
            self._notice = now, Notice(tr("There are several codes that can be opened."), advice)
        return self.wait(now)

    def wait(self, now: float | None = None) -> Progress:
        """Where it stands with nothing more to look at; says so when there was nothing for long."""
        now = self._clock() if now is None else now
        self._advise(now)
        return self._progress(now)

    def say(self, sentence: str) -> Progress:
        """Something is wrong with a picture as such."""
        now = self._clock()
        self._notice = now, Notice(sentence)
        return self._progress(now)

    def _progress(self, now: float, found: inbox.Anything | None = None) -> Progress:
        decoder = self._decoder
        parts, percent = (decoder.seen, decoder.percent) if decoder is not None else (0, 0)
        notice = self._notice[1] if self._notice is not None else None
        return Progress(found, parts, percent, notice, found is None and now - self._news > PATIENCE)

    def _open(self, text: str | bytes, now: float) -> inbox.Anything | None:
        """What one text is, or None for a part of something; each fault is found out once."""
        if text in self._refused:
            raise self._refused[text]
        try:
            whole = self._part(text, now) if isinstance(text, str) and ur.PART.match(text) else text
            return None if whole is None else inbox.expect(inbox.open_any(whole), self._expected)
        except LatchkeyError as error:
            if error.code not in _PASSING:
                if len(self._refused) >= _REMEMBERED:
                    self._refused.clear()
                self._refused[text] = error
            raise

    def _part(self, part: str, now: float) -> str | None:
        """The whole UR, once this part makes it whole."""
        inbox.expect_part(part, self._expected)
        if self._decoder is None:
            self._decoder = ur.Decoder(ur.KINDS.keys())
        before = self._decoder.seen
        try:
            self._decoder.receive(part)
        except BadInput as error:
            if error.code != "OtherCode":
                raise
            self._part_of_another(part, now)
        else:
            if self._decoder.seen > before:
                self._news, self._other, self._notice = now, None, None
        if self._decoder is not None and (whole := self._decoder.text) is not None:
            self._decoder = self._other = None
            return whole
        return None

    def _part_of_another(self, part: str, now: float) -> None:
        """Take the other code once several parts of it came and none of the first one between them."""
        if self._other is None:
            self._other = ur.Decoder(ur.KINDS.keys())
        try:
            self._other.receive(part)
        except BadInput as error:
            if error.code != "OtherCode":
                raise
            self._other = None  # a third one
        if self._other is not None and (self._other.seen >= OTHERS or self._other.message is not None):
            self._decoder, self._other, self._news = self._other, None, now
            self._notice = now, Notice(tr("Another code is shown now: scanning began again with it."), level=Level.NOTICE)
        else:
            advice = tr("Go back to the first one, or keep this one in sight to begin again with it.")
            self._notice = now, Notice(tr("This is a part of another animated code."), advice)

    def _advise(self, now: float) -> None:
        """What holds up: too dense, standing still, nothing there. What was said goes when it is over."""
        if self._cannot_be_read(now):
            self._notice = now, Notice(_TOO_DENSE, _ASK_COARSER)
        elif self._notice is not None and now - self._notice[0] <= STAYS:
            return
        elif self._decoder is not None and self._seen > self._news + STANDS_STILL and now - self._seen < 1:
            self._notice = now, Notice(tr("No new part came for some time."), tr("If the code stands still, let it run."))
        elif now - self._seen > NOTHING_AT_ALL:
            self._notice = now, Notice(_NOTHING, _CLOSER, Level.NOTICE)
        else:
            self._notice = None

    def _cannot_be_read(self, now: float) -> bool:
        """A code was there in most of the last pictures and in none of them to be read."""
        while self._sights and now - self._sights[0][0] > SOME_TIME:
            self._sights.popleft()
        spoilt = sum(unreadable for _, _, unreadable in self._sights)
        return spoilt >= FEW and 2 * spoilt > len(self._sights) and not any(read for _, read, _ in self._sights)


_PASSING = {"OtherCode", "Damaged"}  # what another part may mend
_TOO_DENSE = tr("There is a code, but it is too dense or too blurred to be read.")
_ASK_COARSER = tr("Hold it closer and still. If that does not help, lower the density where it is shown.")
_NOTHING = tr("No code is in sight.")
_CLOSER = tr("It should fill about half of the picture, flat and in good light; a dense code has to come closer.")
