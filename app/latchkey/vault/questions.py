"""What the signer asks a person, and the shape of each answer.

A `Channel` brings one ask to wherever the person is (prompt.py); the answers are checked here, because even the desk is another process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from latchkey.core.digest_words import digest_words
from latchkey.core.phrases import Finding, Phrase, Words
from latchkey.core.types import Address
from latchkey.errors import SignerError
from latchkey.language import tr
from latchkey.vault.secret import SecretBytes

Fields = dict[str, Any]
MAX_ANSWER = 64 * 1024


class Channel(Protocol):
    """`retries`: a person sits there and may be asked again after a wrong answer."""

    retries: bool

    def ask(self, name: str, fields: Fields) -> Fields:
        """Ask and wait. Raises Declined when the person said no, SignerError when nobody can be asked."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person says yes to. `typed`: a word to type before the yes is taken, empty for none."""

    title: str
    account: Address
    network: str
    words: Words
    findings: tuple[Finding, ...]
    digest: bytes
    verb: str
    typed: str = ""


@dataclass(frozen=True, slots=True)
class GivenWords:
    words: str
    passphrase: SecretBytes


@dataclass(frozen=True, slots=True)
class GivenKey:
    text: str


@dataclass(frozen=True, slots=True)
class GivenKeystore:
    json: bytes
    password: SecretBytes


Given = GivenWords | GivenKey | GivenKeystore


class Questions:
    """Typed questions over a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def retries(self) -> bool:
        return self._channel.retries

    def close(self) -> None:
        self._channel.close()

    def passphrase(self, purpose: str, *, retry: str = "", wait: int = 0) -> SecretBytes:
        """`retry`: why it is asked again. `wait`: seconds before another attempt is taken."""
        return SecretBytes(_bytes(self._ask("passphrase", purpose=purpose, retry=retry, wait=wait), "passphrase"))

    def new_passphrase(self, purpose: str, *, own: Sequence[str] = (), retry: str = "") -> SecretBytes:
        """`own`: names that a guesser of this vault's passphrase would try."""
        return SecretBytes(_bytes(self._ask("new-passphrase", purpose=purpose, own=list(own), retry=retry), "passphrase"))

    def show_mnemonic(self, words: Sequence[str], *, retry: str = "") -> None:
        self._ask("show-mnemonic", words=list(words), retry=retry)

    def check_mnemonic(self, positions: Sequence[int]) -> list[str]:
        """The words at these places, counted from 1."""
        words = self._ask("check-mnemonic", positions=list(positions)).get("words")
        if not isinstance(words, list) or len(words) != len(positions) or not all(isinstance(word, str) for word in words):
            raise _misshapen()
        return [word.strip().lower() for word in words]

    def import_secret(self, *, retry: str = "") -> Given:
        answer = self._ask("import", retry=retry)
        match answer.get("kind"):
            case "mnemonic":
                return GivenWords(_text(answer, "words"), SecretBytes(_bytes(answer, "passphrase")))
            case "raw":
                return GivenKey(_text(answer, "key"))
            case "keystore":
                return GivenKeystore(_bytes(answer, "json"), SecretBytes(_bytes(answer, "password")))
        raise _misshapen()

    def choose_address(self, rows: Sequence[tuple[str, Address]]) -> int | str:
        """The index of a row, or another derivation path to show rows of."""
        answer = self._ask("choose-address", rows=[{"path": path, "address": str(address)} for path, address in rows])
        if "path" in answer:
            return _text(answer, "path")
        index = answer.get("index")
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(rows):
            raise _misshapen()
        return index

    def confirm(self, what: Confirmation) -> None:
        """Returns when the person said yes; raises Declined otherwise."""
        self._ask(
            "confirm",
            title=what.title,
            account=str(what.account),
            network=what.network,
            words={
                "headline": _parts(what.words.headline),
                "can": [_parts(phrase) for phrase in what.words.can],
                "cannot": [_parts(phrase) for phrase in what.words.cannot],
                "lose": [_parts(phrase) for phrase in what.words.most_you_can_lose],
                "purpose": str(what.words.purpose),
            },
            findings=[{"id": f.id, "level": str(f.level), "sentence": f.sentence, "advice": f.advice} for f in what.findings],
            signed=[list(field) for field in what.words.signed],
            digest="0x" + what.digest.hex() if what.digest else "",
            digest_words=list(digest_words(what.digest)) if what.digest else [],
            verb=what.verb,
            typed=what.typed,
        )

    def show_code(self, words: Sequence[str], purpose: str) -> None:
        self._ask("show-code", words=list(words), purpose=purpose)

    def reveal(self, address: Address, secret: str) -> None:
        self._ask("reveal", address=str(address), secret=secret)

    def _ask(self, name: str, **fields: Any) -> Fields:
        """Optional fields that say nothing are left out."""
        optional = {"retry", "wait", "typed", "own"}
        return self._channel.ask(name, {key: value for key, value in fields.items() if value or key not in optional})


def _parts(phrase: Phrase) -> list[list[str]]:
    return [[str(part.style), part.text] for part in phrase.parts]


def _bytes(answer: Fields, name: str) -> bytes:
    value = answer.get(name)
    if not isinstance(value, bytes) or len(value) > MAX_ANSWER:
        raise _misshapen()
    return value


def _text(answer: Fields, name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or len(value) > MAX_ANSWER:
        raise _misshapen()
    return value


def _misshapen() -> SignerError:
    return SignerError(tr("The answer could not be understood. Try again."), code="BrokenAnswer")
