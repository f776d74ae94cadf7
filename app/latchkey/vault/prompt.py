"""Where a person is asked: at the desk, at the terminal, or - for a passphrase - through a file descriptor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, TextIO, cast

from latchkey.core.phrases import HEADINGS, Purpose
from latchkey.errors import Declined, SignerError
from latchkey.language import tr
from latchkey.offline import is_offline
from latchkey.vault.frames import USED, read_frame, write_frame
from latchkey.vault.harden import clean_environment
from latchkey.vault.model import PromptMode
from latchkey.vault.questions import Channel, Fields

_MAX_LINE = 64 * 1024


def own_command(part: str) -> list[str]:
    """How this program starts a part of itself ("signer", "desk"): isolated from the caller's Python settings and current folder."""
    offline = ["--offline"] if is_offline() else []
    if getattr(sys, "frozen", False):
        return [sys.executable, *offline, part]
    return [sys.executable, "-I", "-B", "-m", "latchkey", *offline, part]


class DeskChannel:
    """Starts the desk at the first ask and keeps it while the signer lives. `on_use`: called while a person is at work there."""

    retries = True

    def __init__(self, command: Sequence[str] | None = None, on_use: Callable[[], None] = lambda: None) -> None:
        self._command, self._on_use = list(command or own_command("desk")), on_use
        self._desk: subprocess.Popen[bytes] | None = None
        self._asks = 0

    def ask(self, name: str, fields: Fields) -> Fields:
        self._asks += 1
        reply = self._exchange({**fields, "id": self._asks, "ask": name})
        if reply.get("id") == self._asks:
            if reply.get("declined") is True:
                raise Declined(tr("You said no at the desk; nothing was done."))
            if isinstance(answer := reply.get("answer"), dict):
                return answer
        self.close()  # what it says next cannot be trusted either
        raise SignerError(tr("The desk's answer could not be understood; nothing was done."), code="BrokenAnswer")

    def _exchange(self, ask: Fields) -> Fields:
        source, sink = self._pipes()
        try:
            write_frame(sink, ask)
            while (reply := read_frame(source)) == USED:
                self._on_use()
        except OSError:
            reply = None
        except SignerError:
            self.close()
            raise
        if reply is None:
            self.close()
            raise SignerError(tr("The desk closed or could not be opened; nothing was done."), code="NoDesk")
        return reply

    def close(self) -> None:
        desk, self._desk = self._desk, None
        if desk is not None:
            desk.kill()
            desk.wait()
            for pipe in (desk.stdin, desk.stdout):
                with suppress(OSError):
                    cast(BinaryIO, pipe).close()

    def _pipes(self) -> tuple[BinaryIO, BinaryIO]:
        if self._desk is not None and self._desk.poll() is not None:
            self.close()
        if self._desk is None:
            try:
                self._desk = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=clean_environment(),
                    cwd="/" if sys.platform != "win32" else None,
                )
            except OSError:
                raise SignerError(tr("The desk could not be opened; nothing was done."), code="NoDesk") from None
        return cast(BinaryIO, self._desk.stdout), cast(BinaryIO, self._desk.stdin)


class TerminalChannel:
    """Asks on the controlling terminal, never on standard input or output: those may be a pipe."""

    retries = True

    def __init__(self, path: str = "/dev/tty") -> None:
        self._path = path

    def ask(self, name: str, fields: Fields) -> Fields:
        asks: dict[str, Callable[[_Terminal, Fields], Fields]] = {
            "passphrase": _ask_passphrase,
            "new-passphrase": _ask_new_passphrase,
            "show-mnemonic": _show_mnemonic,
            "check-mnemonic": _check_mnemonic,
            "import": _ask_import,
            "choose-address": _choose_address,
            "confirm": _confirm,
            "show-code": _show_code,
            "reveal": _reveal,
        }
        with self._open() as terminal:
            try:
                return asks[name](terminal, fields)
            except KeyboardInterrupt:
                terminal.say("")
                raise Declined(tr("You stopped at the terminal; nothing was done.")) from None

    def close(self) -> None:
        """Nothing is kept open between asks."""

    @contextmanager
    def _open(self) -> Iterator[_Terminal]:
        try:
            fd = os.open(self._path, os.O_RDWR | getattr(os, "O_NOCTTY", 0))
        except OSError:
            raise SignerError(
                tr("There is no terminal to ask on: confirm at the desk, or run this in a terminal."), code="NoTerminal"
            ) from None
        with (
            os.fdopen(fd, "r", encoding="utf-8", errors="surrogateescape") as source,
            os.fdopen(os.dup(fd), "w", encoding="utf-8", errors="replace") as sink,
        ):
            yield _Terminal(source, sink)


class FdChannel:
    """Passphrases come from a descriptor, a line for each question; after the last line, that one answers again.

    Everything else is asked on the terminal.
    `may_consent` says whether this vault's confirmations may be given by the script: that is so for public test keys alone.
    """

    retries = False

    def __init__(self, fd: int, may_consent: Callable[[], bool], *, script: bool, terminal: TerminalChannel | None = None) -> None:
        self._fd, self._may_consent, self._script = fd, may_consent, script
        self._terminal = terminal or TerminalChannel()
        self._last = b""

    def ask(self, name: str, fields: Fields) -> Fields:
        match name:
            case "passphrase" | "new-passphrase":
                return {"passphrase": self._passphrase()}
            case "confirm" if self._may_consent():
                return {}
        if self._script:
            raise SignerError(tr("Only a person can do this, at the desk or at a terminal."), code="PersonNeeded")
        try:
            return self._terminal.ask(name, fields)
        except SignerError as error:
            if error.code != "NoTerminal":
                raise
            raise SignerError(
                tr("This vault can only be confirmed by a person, and there is no terminal."), code="PersonNeeded"
            ) from None

    def close(self) -> None:
        """The descriptor ends with the process."""

    def _passphrase(self) -> bytes:
        """Read byte by byte: what follows the line is not ours yet."""
        line = bytearray()
        try:
            while (byte := os.read(self._fd, 1)) not in (b"", b"\n"):
                line += byte
                if len(line) > _MAX_LINE:
                    raise SignerError(tr("The line with the passphrase is too long."), code="NoPassphrase")
        except OSError:
            raise SignerError(tr("The file descriptor for the passphrase cannot be read."), code="NoPassphrase") from None
        self._last = bytes(line.removesuffix(b"\r")) or self._last
        return self._last


def channel(
    mode: str, passphrase_fd: int | None, script: bool, may_consent: Callable[[], bool], on_use: Callable[[], None] = lambda: None
) -> Channel:
    """The channel of a prompt mode (model.Prompt)."""
    match PromptMode(mode):
        case PromptMode.DESK:
            return DeskChannel(on_use=on_use)
        case PromptMode.TERMINAL:
            return TerminalChannel()
        case PromptMode.FD:
            if passphrase_fd is None:
                raise SignerError(tr("No file descriptor for the passphrase was given."), code="NoPassphrase")
            return FdChannel(passphrase_fd, may_consent, script=script)


class _Terminal:
    """Lines out, lines in. What others wrote is made harmless: a terminal obeys control characters."""

    def __init__(self, source: TextIO, sink: TextIO) -> None:
        self._source, self._sink = source, sink

    def say(self, text: str) -> None:
        self._put("".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text) + "\n")

    def line(self, prompt: str) -> str:
        """A line as typed. The end of the input is a no."""
        self._put(prompt)
        line = self._source.readline(_MAX_LINE)
        if not line.endswith("\n"):
            raise Declined(tr("The terminal was closed; nothing was done."))
        return line.strip()

    def hidden(self, prompt: str) -> str:
        """A line that is not shown while it is typed."""
        import termios

        fd = self._source.fileno()
        before = termios.tcgetattr(fd)
        quiet = [*before]
        quiet[3] &= ~termios.ECHO
        try:
            termios.tcsetattr(fd, termios.TCSAFLUSH, quiet)
            return self.line(prompt)
        finally:
            termios.tcsetattr(fd, termios.TCSAFLUSH, before)
            self._put("\n")

    def wipe(self) -> None:
        """Clear the screen and what has scrolled off it, where the terminal can."""
        self._put("\x1b[2J\x1b[3J\x1b[H")

    def _put(self, text: str) -> None:
        self._sink.write(text)
        self._sink.flush()


def _ask_passphrase(terminal: _Terminal, ask: Fields) -> Fields:
    terminal.say(ask["purpose"])
    if "retry" in ask:
        terminal.say(ask["retry"])
    return {"passphrase": _secret(terminal.hidden("Passphrase: "))}


def _ask_new_passphrase(terminal: _Terminal, ask: Fields) -> Fields:
    terminal.say(ask["purpose"])
    if "retry" in ask:
        terminal.say(ask["retry"])
    while True:
        first = terminal.hidden(tr("New passphrase: "))
        if first == terminal.hidden(tr("The same again: ")):
            return {"passphrase": _secret(first)}
        terminal.say(tr("The two differ."))


def _show_mnemonic(terminal: _Terminal, ask: Fields) -> Fields:
    if "retry" in ask:
        terminal.say(ask["retry"])
    terminal.say(tr("Recovery words. Write them on paper, in this order; whoever has them has the key."))
    _numbered(terminal, ask["words"])
    terminal.line(tr("Press Enter when they are written down; the screen is cleared then. "))
    terminal.wipe()
    return {}


def _check_mnemonic(terminal: _Terminal, ask: Fields) -> Fields:
    terminal.say(tr("Type these words from your paper."))
    return {"words": [terminal.hidden(tr("Word {position}: ", position=position)) for position in ask["positions"]]}


def _ask_import(terminal: _Terminal, ask: Fields) -> Fields:
    terminal.say(tr("Type the recovery words, a private key in hexadecimal, or the path of a keystore file. It is not shown."))
    if "retry" in ask:
        terminal.say(ask["retry"])
    text = terminal.hidden(tr("Words, key or file: "))
    if len(text.split()) > 3:
        return {
            "kind": "mnemonic",
            "words": text,
            "passphrase": _secret(terminal.hidden(tr("Passphrase of the words (usually none): "))),
        }
    if os.path.isfile(text):  # noqa: PTH113 - a path as typed
        with open(text, "rb") as file:  # noqa: PTH123
            return {
                "kind": "keystore",
                "json": file.read(_MAX_LINE),
                "password": _secret(terminal.hidden(tr("Password of the file: "))),
            }
    return {"kind": "raw", "key": text}


def _choose_address(terminal: _Terminal, ask: Fields) -> Fields:
    for number, row in enumerate(ask["rows"], 1):
        terminal.say(f"{number:3}  {row['address']}  {row['path']}")
    while True:
        answer = terminal.line(tr("Number of the address, or another derivation path [1]: ")) or "1"
        if answer.startswith("m/"):
            return {"path": answer}
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(ask["rows"]):
            return {"index": int(answer) - 1}


def _confirm(terminal: _Terminal, ask: Fields) -> Fields:
    for line in _confirmation(ask):
        terminal.say(line)
    wanted = ask.get("typed", "yes")
    if terminal.line(tr('Type "{wanted}" to {lower}: ', wanted=wanted, lower=ask["verb"].lower())) != wanted:
        raise Declined(tr("You said no at the terminal; nothing was done."))
    return {}


def _confirmation(ask: Fields) -> Iterable[str]:
    """Everything a person has to read before the yes, a line at a time."""
    words = ask["words"]
    headings = HEADINGS[Purpose(words["purpose"])]
    yield from (
        "",
        f"== {ask['title']} ==",
        tr("{account} on {network}", account=ask["account"], network=ask["network"]) if ask["network"] else ask["account"],
        "",
        _plain(words["headline"]),
    )
    for heading, name in ((headings.can, "can"), (headings.cannot, "cannot"), (headings.most, "lose")):
        if words[name]:
            yield heading
            yield from (f"  - {_plain(phrase)}" for phrase in words[name])
    for finding in ask["findings"]:
        yield f"{finding['level'].upper()}: {finding['sentence']} {finding['advice']}"
    if ask["signed"]:
        yield tr("What is signed")
        yield from (f"  {label}: {value}" for label, value in ask["signed"])
    if ask["digest"]:
        yield tr("  digest: {ask}", ask=ask["digest"])
        yield tr("  in words: {ask}", ask=" ".join(ask["digest_words"]))


def _show_code(terminal: _Terminal, ask: Fields) -> Fields:
    terminal.say(ask["purpose"])
    _numbered(terminal, ask["words"])
    terminal.line(tr("Press Enter when done; the screen is cleared then. "))
    terminal.wipe()
    return {}


def _reveal(terminal: _Terminal, ask: Fields) -> Fields:
    terminal.say(tr("Private key of {ask}. Whoever has it can do all this key may do.", ask=ask["address"]))
    terminal.say(ask["secret"])
    terminal.line(tr("Press Enter when done; the screen is cleared then. "))
    terminal.wipe()
    return {}


def _numbered(terminal: _Terminal, words: list[str]) -> None:
    for start in range(0, len(words), 3):
        terminal.say("  ".join(f"{number:2}. {word:10}" for number, word in enumerate(words[start : start + 3], start + 1)))


def _plain(phrase: list[list[Any]]) -> str:
    return "".join(text for _style, text in phrase)


def _secret(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
