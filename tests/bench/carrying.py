"""How long 2 kB take through the air, from one screen to one camera: our codes and reader beside animated-qr's component and scanner."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from latchkey.codec import ur
from latchkey.codec.qr import read_codes
from tests.bench.report import Row, Subject
from tests.devnet.animated_qr import AnimatedQr
from tests.devnet.node import version
from tests.gui.scanning import photo

SIZE, A_SECOND, RUNS, LOST = 2048, 10, 15, (0, 0.2, 0.4)
GIVEN_UP = 600  # frames
SOFT = {"side": 320, "turn": 5.0, "blur": 2.0, "noise": 0.05}
SHARP = {"side": 420, "turn": 5.0, "blur": 1.0, "noise": 0.05}

Carry = Callable[[Iterable[str]], int | None]


def measure() -> Subject:
    raw = random.Random(2048).randbytes(SIZE)
    encoder = ur.Encoder(raw)
    ours = [encoder.part(number).upper() for number in range(1, GIVEN_UP + 1)]
    rows: list[Row] = []
    with AnimatedQr() as peer:
        usual, alike = (peer.play(ur.TYPE, raw, GIVEN_UP, capacity) for capacity in (None, ur.FRAGMENT))

        def theirs(parts: Iterable[str]) -> int | None:
            return _theirs(peer, raw, parts)

        for lost in LOST:
            rows.append(_row(f"the same density, {lost:.0%} lost", (ours, _ours), (alike, theirs), lost, SHARP))
        for lost in LOST:
            rows.append(_row(f"as they come, {lost:.0%} lost", (ours, _ours), (usual, theirs), lost, SHARP))
        rows.append(_row("as they come, out of focus", (ours, _ours), (usual, theirs), 0, SOFT))
    return Subject(
        "Carrying 2 kB by QR code",
        f"{SIZE:,} random bytes at {A_SECOND} frames a second, in milliseconds until the message is whole. Every frame is drawn, turned "
        f"by 5 degrees, blurred (1 pixel of a camera's 1280 x 720, the code {SHARP['side']} pixels wide; out of focus: 2 pixels, "
        f"{SOFT['side']} wide) and read by the same QR reader on both sides; then lost by chance, {RUNS} times over. "
        f"{1000 * GIVEN_UP // A_SECOND:,} ms: given up, no frame can be read.\n\n"
        "animated-qr's own component turns its frames and its own scanner gathers them. As it comes it puts 400 bytes into a code, "
        f"Latchkey {ur.FRAGMENT}; at the same density both put {ur.FRAGMENT}. Ratio: Latchkey / animated-qr, less is better.",
        f"@keystonehq/animated-qr {version('@keystonehq/animated-qr')}",
        tuple(rows),
    )


def _row(
    what: str, our: tuple[Sequence[str], Carry], their: tuple[Sequence[str], Carry], lost: float, camera: dict[str, float]
) -> Row:
    found = [_time(parts, carry, lost, camera) for parts, carry in (our, their)]
    return Row(what, found[0], found[1], "ms", found[0] / found[1])


def _time(parts: Sequence[str], carry: Carry, lost: float, camera: dict[str, float]) -> float:
    """Milliseconds, the median of the runs."""
    frames: list[float] = []
    for seed in range(RUNS if lost else 1):
        rng = random.Random(seed)
        shown = [number for number in range(len(parts)) if rng.random() >= lost]
        taken = carry(text for number in shown for text in _seen(parts[number], camera, number))
        frames.append(GIVEN_UP if taken is None else shown[taken - 1] + 1)
    return 1000 * median(frames) / A_SECOND


def _ours(parts: Iterable[str]) -> int | None:
    decoder = ur.Decoder()
    for number, text in enumerate(parts, 1):
        decoder.receive(text)
        if decoder.message is not None:
            return number
    return None


def _theirs(peer: AnimatedQr, raw: bytes, parts: Iterable[str]) -> int | None:
    """Its scanner is a process away: it is asked again with one more until it has everything."""
    read: list[str] = []
    for text in parts:
        read.append(text)
        message, taken = peer.scan(ur.TYPE, read)
        if message is not None:
            assert message == raw
            return taken
    return None


_read: dict[tuple[str, float], list[str]] = {}


def _seen(text: str, camera: dict[str, float], number: int) -> list[str]:
    """What the reader finds in a picture of this code. Frames far beyond what any message takes are not drawn any more."""
    key = (text, camera["blur"])
    if key not in _read:
        picture = photo(text, **camera) if number < 120 else None  # type: ignore[arg-type]
        _read[key] = [] if picture is None else read_codes(picture.tobytes(), picture.width, picture.height, picture.width)
    return _read[key]
