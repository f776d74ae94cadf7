"""UR, version 2 (BCR-2020-005): bytes as one code, or as an endless stream of parts of which any large enough share will do.

The first parts are the fragments themselves, each later one the XOR of some of them (a fountain code). Which ones follows from
the part's number and the message's CRC-32, by the generator and sampler the specification fixes, so no part names them.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import count

from latchkey.codec import bytewords, cbor
from latchkey.errors import BadInput, NotServed
from latchkey.language import tr

TYPE = "latchkey-grant"
SIGN_REQUEST, SIGNATURE, HDKEY, ACCOUNT = "eth-sign-request", "eth-signature", "crypto-hdkey", "crypto-account"
#: The types that are read, and what a person calls them.
KINDS: Mapping[str, str] = {
    TYPE: tr("a Latchkey hand-over"),
    SIGN_REQUEST: tr("a signing request for a hardware wallet"),
    SIGNATURE: tr("a hardware wallet's signature"),
    HDKEY: tr("a hardware wallet's public key"),
    ACCOUNT: tr("a hardware wallet's account"),
}
_OTHER_KINDS: Mapping[str, str] = {
    "bytes": tr("a UR code of plain bytes"),
    "crypto-psbt": tr("a Bitcoin transaction"),
    "psbt": tr("a Bitcoin transaction"),
    "crypto-multi-accounts": tr("a hardware wallet's list of keys for several coins; choose a single Ethereum account on it"),
    "eth-batch-sign-request": tr("a list of signing requests"),
    "eth-batch-signature": tr("a list of a hardware wallet's signatures"),
}
FRAGMENT = 200  # bytes; up to 61 modules a side, which any camera reads; fewer make coarser pictures, more take a good camera
MIN_FRAGMENT, MAX_FRAGMENT = 10, 300
MAX_PARTS = 1000
MAX_MESSAGE = 256 * 1024
MAX_SINGLE = 1800  # characters of a single code; a denser one is hard to scan
MAX_TEXT = 2 * (MAX_MESSAGE + 64)

PART = re.compile(r"\s*ur:[a-z0-9-]+/[0-9]+-[0-9]+/", re.IGNORECASE)  # how a part of an animated code begins
_UR = re.compile(r"ur:([a-z0-9-]+)/(?:([0-9]{1,10})-([0-9]{1,10})/)?([a-z]+)")


def encode(message: bytes, kind: str = TYPE) -> str:
    """One UR holding all of `message`, lower case."""
    return f"ur:{kind}/{bytewords.encode(message)}"


def single_text(message: bytes, kind: str = TYPE) -> str | None:
    """One upper-case UR for a single QR code, or None where it would be longer than 1,800 characters."""
    text = encode(message, kind).upper()
    return text if len(text) <= MAX_SINGLE else None


def qr_texts(message: bytes, fragment: int = FRAGMENT, kind: str = TYPE) -> Iterator[str]:
    """Upper-case URs for an animated QR code, without end: first every fragment once, then mixtures.

    A message that fits one fragment is the same single UR each time. `fragment`: most bytes in one part, 10 to 300.
    """
    encoder = Encoder(message, fragment, kind)
    return (encoder.part(number).upper() for number in count(1))


def decode(text: str, kind: str = TYPE) -> bytes:
    """The message of a single UR of that type. Raises BadInput; code "OnePartOfMany" for a part of an animated code."""
    return read(text, (kind,))[1]


def read(text: str, kinds: Collection[str] = KINDS.keys()) -> tuple[str, bytes]:
    """Type and message of a single UR of one of these types. Raises BadInput and NotServed as `decode` does."""
    kind, sequence, payload = _split(text, kinds)
    if sequence is not None:
        raise BadInput(
            tr(
                "This is part {sequence} of an animated code of {sequence2} parts or more: scan the code until it is complete.",
                sequence=sequence[0],
                sequence2=sequence[1],
            ),
            code="OnePartOfMany",
        )
    return kind, bytewords.decode(payload)


class Encoder:
    """The parts of one message. `count`: how many fragments it has; parts 1 to `count` are the fragments."""

    def __init__(self, message: bytes, fragment: int = FRAGMENT, kind: str = TYPE) -> None:
        if not MIN_FRAGMENT <= fragment <= MAX_FRAGMENT:
            raise BadInput(
                tr(
                    "A part holds from {min_fragment} to {max_fragment} bytes.",
                    min_fragment=MIN_FRAGMENT,
                    max_fragment=MAX_FRAGMENT,
                )
            )
        self.count = -(-len(message) // fragment)
        if not message or len(message) > MAX_MESSAGE or self.count > MAX_PARTS:
            raise BadInput(
                tr("An animated code has from 1 to {max_parts} parts: choose larger parts.", max_parts=MAX_PARTS), code="TooLarge"
            )
        self._message, self._kind = message, kind
        self._size = -(-len(message) // self.count)
        self._checksum = zlib.crc32(message)
        self._fragments = _fragments(message, self._size)
        self._choose = _Chooser(self.count, self._checksum)

    def part(self, number: int) -> str:
        """Part `number`, counted from 1, lower case."""
        if self.count == 1:
            return encode(self._message, self._kind)
        data = _mix(self._fragments, self._choose(number)).to_bytes(self._size, "big")
        payload = cbor.dump([number, self.count, len(self._message), self._checksum, data])
        return f"ur:{self._kind}/{number}-{self.count}/{bytewords.encode(payload)}"


class Decoder:
    """Gathers parts in any order until the message is complete.

    Each part is an equation over the fragments; equations are kept reduced, one for each fragment at most, so memory is bounded
    and no part that could help is lost. `seen`: different parts taken; `expected`: fragments of the message, 0 before the first;
    `percent`: share of the message that is determined; `message`: the bytes, None until complete;
    `kind`: their type, "" before the first part; `text`: the whole as one UR, for `inbox`, None until complete.

    `kinds`: the types that are taken, `KINDS` for all that are read.
    """

    def __init__(self, kinds: Collection[str] = (TYPE,)) -> None:
        self.message: bytes | None = None
        self._kinds = kinds
        self._forget()

    def _forget(self) -> None:
        self.kind = ""
        self._header: tuple[int, int, int, int] | None = None
        self._choose: Callable[[int], int] = lambda _: 0
        self._numbers: set[int] = set()
        self._rows: dict[int, tuple[int, int]] = {}  # lowest fragment's bit -> (all fragments' bits, data)

    @property
    def text(self) -> str | None:
        return None if self.message is None else encode(self.message, self.kind)

    @property
    def seen(self) -> int:
        return len(self._numbers)

    @property
    def expected(self) -> int:
        return self._header[0] if self._header else 0

    @property
    def percent(self) -> int:
        if self.message is not None:
            return 100
        return 100 * len(self._rows) // self.expected if self.expected else 0

    def receive(self, text: str) -> None:
        """Take one scanned text; a part taken before changes nothing.

        Raises BadInput for what is no part (state is kept), code "OtherCode" for a part of another code, and "Damaged" when the
        complete message does not fit its checksum; then everything is forgotten and scanning starts again.
        """
        if self.message is not None:
            return
        kind, sequence, payload = _split(text, self._kinds)
        body = bytewords.decode(payload)
        if sequence is None:
            self._single(kind, body)
            return
        number, header, data = _read_part(sequence, body)
        if self._header is None:
            self.kind, self._header = kind, header
            self._choose = _Chooser(header[0], header[2])
        elif (kind, header) != (self.kind, self._header):
            raise BadInput(tr("This part belongs to another code than the parts before it."), code="OtherCode")
        if number not in self._numbers and len(self._numbers) < 4 * MAX_PARTS:
            self._numbers.add(number)
            self._add(self._choose(number), int.from_bytes(data, "big"))
        if len(self._rows) == self.expected:
            self._finish()

    def _single(self, kind: str, body: bytes) -> None:
        if self._header is not None:
            raise BadInput(tr("This is another code than the one whose parts came before it."), code="OtherCode")
        self.kind, self.message = kind, body

    def _add(self, fragments: int, data: int) -> None:
        while fragments:
            lowest = fragments & -fragments
            row = self._rows.get(lowest)
            if row is None:
                self._rows[lowest] = (fragments, data)
                return
            fragments, data = fragments ^ row[0], data ^ row[1]

    def _finish(self) -> None:
        """Resolve from the last fragment to the first: the fragments in a row above its lowest are known by then."""
        parts, length, checksum, size = self._header or (0, 0, 0, 0)
        known: list[int] = [0] * parts
        for index in reversed(range(parts)):
            fragments, data = self._rows[1 << index]
            known[index] = data ^ _mix(known, fragments ^ (1 << index))
        message = b"".join(data.to_bytes(size, "big") for data in known)[:length]
        if zlib.crc32(message) != checksum:
            self._forget()
            raise BadInput(tr("The scanned parts do not fit together. Scan the code again."), code="Damaged")
        self.message = message


def _split(text: str, kinds: Collection[str]) -> tuple[str, tuple[int, int] | None, str]:
    """Type, sequence (number, count) or None, and the bytewords of a UR of one of `kinds`."""
    if len(text) > MAX_TEXT:
        raise BadInput(tr("This code is too long."), code="TooLarge")
    match = _UR.fullmatch(text.strip().lower())
    if match is None:
        raise BadInput(tr("This is not a UR code."), code="NotUr")
    kind, number, parts, payload = match.groups()
    if kind not in kinds:
        what = KINDS.get(kind) or _OTHER_KINDS.get(kind) or tr("a UR code of another type")
        expected = tr("one that Latchkey reads") if len(kinds) == len(KINDS) else " or ".join(KINDS[one] for one in kinds)
        raise NotServed(tr("This is {what}; expected {expected}.", what=what, expected=expected), code="OtherUrType")
    return kind, (None if number is None else (int(number), int(parts))), payload


def _read_part(sequence: tuple[int, int], body: bytes) -> tuple[int, tuple[int, int, int, int], bytes]:
    """Part number, header (parts, message length, checksum, fragment length) and data, checked against each other."""
    values = cbor.load(body)
    if not isinstance(values, list) or [type(v) for v in values] != [int, int, int, int, bytes]:
        raise BadInput(tr("The part does not hold what a part of an animated code holds."), code="Damaged")
    number, parts, length, checksum, data = values
    if (number, parts) != sequence or number < 1 or number >= 2**32 or checksum >= 2**32:
        raise BadInput(tr("The part's numbers do not fit each other."), code="Damaged")
    if not 1 <= parts <= MAX_PARTS or length > MAX_MESSAGE:
        raise BadInput(
            tr(
                "This code is too large: at most {max_parts} parts and {max_message} KiB are read.",
                max_parts=MAX_PARTS,
                max_message=MAX_MESSAGE // 1024,
            ),
            code="TooLarge",
        )
    if not len(data) * (parts - 1) < length <= len(data) * parts:
        raise BadInput(tr("The part's length does not fit the message's."), code="Damaged")
    return number, (parts, length, checksum, len(data)), data


# The fountain --------------------------------------------------------------------------------------------------------------------


def _fragments(message: bytes, size: int) -> list[int]:
    """The message in pieces of `size` bytes, the last one filled up with zeros, as numbers (they are only ever XORed)."""
    return [int.from_bytes(message[i : i + size].ljust(size, b"\0"), "big") for i in range(0, len(message), size)]


def _mix(fragments: list[int], chosen: int) -> int:
    """XOR of the fragments whose bits are set in `chosen`."""
    data = 0
    while chosen:
        lowest = chosen & -chosen
        data ^= fragments[lowest.bit_length() - 1]
        chosen ^= lowest
    return data


class _Chooser:
    """Which fragments a part of a message is made of, as bits."""

    def __init__(self, parts: int, checksum: int) -> None:
        self._parts = parts
        self._checksum = checksum.to_bytes(4, "big")
        self._degree = _Sampler([1 / degree for degree in range(1, parts + 1)])

    def __call__(self, number: int) -> int:
        if number <= self._parts:
            return 1 << (number - 1)
        random = _Xoshiro(number.to_bytes(4, "big") + self._checksum)
        degree = self._degree.draw(random) + 1
        left = list(range(self._parts))
        chosen = 0
        for _ in range(degree):
            chosen |= 1 << left.pop(random.below(len(left)))
        return chosen


class _Sampler:
    """Draws an index by weight, by the alias method with the table built in the order the specification fixes."""

    def __init__(self, weights: list[float]) -> None:
        total, size = sum(weights), len(weights)
        shares = [weight * size / total for weight in weights]
        small = [i for i in reversed(range(size)) if shares[i] < 1]
        large = [i for i in reversed(range(size)) if shares[i] >= 1]
        self._chance = [1.0] * size
        self._alias = [0] * size
        while small and large:
            low, high = small.pop(), large.pop()
            self._chance[low], self._alias[low] = shares[low], high
            shares[high] += shares[low] - 1
            (small if shares[high] < 1 else large).append(high)

    def draw(self, random: _Xoshiro) -> int:
        first, second = random.fraction(), random.fraction()
        index = int(len(self._chance) * first)
        return index if second < self._chance[index] else self._alias[index]


class _Xoshiro:
    """xoshiro256** seeded with the SHA-256 of `seed`."""

    def __init__(self, seed: bytes) -> None:
        digest = hashlib.sha256(seed).digest()
        self._state = [int.from_bytes(digest[i : i + 8], "big") for i in range(0, 32, 8)]

    def next(self) -> int:
        a, b, c, d = self._state
        result = _rotate(b * 5 & _U64, 7) * 9 & _U64
        c, d = c ^ a, d ^ b
        self._state = [a ^ d, b ^ c, c ^ (b << 17 & _U64), _rotate(d, 45)]
        return result

    def fraction(self) -> float:
        return self.next() / 2**64

    def below(self, bound: int) -> int:
        return int(self.fraction() * bound)


_U64 = 2**64 - 1


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _U64
