"""Where a person is asked: a real pseudo-terminal, a process that speaks the desk's frames, descriptors."""

import os
import sys
import termios
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from latchkey.core.phrases import Finding, Level, Part, Phrase, Style, Words
from latchkey.errors import Declined, LatchkeyError, SignerError
from latchkey.vault.prompt import DeskChannel, FdChannel, TerminalChannel, channel, own_command
from latchkey.vault.questions import Confirmation, GivenKey, GivenKeystore, GivenWords, Questions
from latchkey.vault.test_keys import MASTERS
from tests.vault.material import REAL_KEY, REAL_WORDS, descriptor
from tests.vault.terminal import Person


@pytest.fixture
def person() -> Iterator[Person]:
    made = Person()
    yield made
    made.close()


class Asking:
    """A question asked on a thread, while the test is the person."""

    def __init__(self, person: Person, ask: Any) -> None:
        self.result: Any = None

        def run() -> None:
            try:
                self.result = ask(Questions(TerminalChannel(person.path)))
            except LatchkeyError as error:
                self.result = error

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def done(self) -> Any:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.result


def yes_to(*, typed: str = "", claim: str = "Skirmish") -> Confirmation:
    words = Words(
        Phrase((Part("Until tomorrow, key "), Part(str(MASTERS[1]), Style.ADDRESS), Part(" can act."))),
        (Phrase((Part("call "), Part(claim, Style.CLAIM))),),
        (Phrase((Part("send any ETH"),)),),
        (Phrase((Part("0.01 ETH"),)),),
        (("nonce", "0x01"), ("deadline", "1893456000")),
    )
    found = (Finding("eth-unlimited", Level.DANGER, "Nothing limits it.", "Set a limit."),)
    return Confirmation(
        "Let this key in?", MASTERS[0], "Practice chain, chain 31337", words, found, bytes(range(32)), "Sign", typed
    )


def test_a_passphrase_is_not_shown(person: Person) -> None:
    asking = Asking(person, lambda q: q.passphrase("Unlock your vault.", retry="That was wrong."))
    shown = person.answer("Passphrase: ", "canary p\u00e4ss")
    assert asking.done().reveal() == "canary p\u00e4ss".encode()
    assert "Unlock your vault." in shown
    assert "That was wrong." in shown
    os.write(person.slave, b"end")
    person.expect("end")
    assert "canary" not in person.seen
    assert termios.tcgetattr(person.slave)[3] & termios.ECHO


def test_a_new_passphrase_is_typed_twice(person: Person) -> None:
    asking = Asking(person, lambda q: q.new_passphrase("Choose one."))
    for line in ("first one", "not the same", "second one", "second one"):
        person.answer(": ", line)
    assert asking.done().reveal() == b"second one"
    assert "The two differ." in person.seen


def test_words_are_shown_once_and_wiped(person: Person) -> None:
    words = REAL_WORDS.split()
    asking = Asking(person, lambda q: q.show_mnemonic(words))
    shown = person.answer("Press Enter", "")
    assert asking.done() is None
    assert [word for word in shown.split() if word in words] == words
    assert person.expect("\x1b[3J").endswith("\x1b[2J")
    asking = Asking(person, lambda q: q.check_mnemonic([2, 7, 11]))
    for position in (2, 7, 11):
        person.answer(f"Word {position}: ", f" {words[position - 1].upper()} ")
    assert asking.done() == [words[1], words[6], words[10]]


def test_importing(person: Person, tmp_path: Any) -> None:
    asking = Asking(person, lambda q: q.import_secret())
    person.answer("file: ", REAL_WORDS)
    person.answer("none): ", "")
    given = asking.done()
    assert isinstance(given, GivenWords)
    assert given.words == REAL_WORDS
    asking = Asking(person, lambda q: q.import_secret(retry="Again."))
    assert "Again." in person.answer("file: ", REAL_KEY)
    assert asking.done() == GivenKey(REAL_KEY)
    file = tmp_path / "keystore.json"
    file.write_bytes(b"{}")
    asking = Asking(person, lambda q: q.import_secret())
    person.answer("file: ", str(file))
    person.answer("Password of the file: ", "its password")
    given = asking.done()
    assert isinstance(given, GivenKeystore)
    assert (given.json, given.password.reveal()) == (b"{}", b"its password")
    assert REAL_KEY not in person.seen


def test_choosing_an_address(person: Person) -> None:
    rows = [(f"m/{index}", MASTERS[index]) for index in range(5)]
    asking = Asking(person, lambda q: q.choose_address(rows))
    person.answer("[1]: ", "9")
    person.answer("[1]: ", "3")
    assert asking.done() == 2
    asking = Asking(person, lambda q: q.choose_address(rows))
    person.answer("[1]: ", "")
    assert asking.done() == 0
    asking = Asking(person, lambda q: q.choose_address(rows))
    person.answer("[1]: ", "m/44'/60'/0'/1")
    assert asking.done() == "m/44'/60'/0'/1"
    assert str(MASTERS[4]) in person.seen


def test_confirming_shows_everything_and_takes_nothing_but_the_word(person: Person) -> None:
    for typed, answers in (("", "yes"), ("I understand", "I understand")):
        asking = Asking(person, lambda q, typed=typed: q.confirm(yes_to(typed=typed)))
        shown = person.answer("to sign: ", answers)
        assert asking.done() is None
        for part in ("Let this key in?", str(MASTERS[0]), str(MASTERS[1]), "Practice chain", "call Skirmish", "It cannot", "0.01 ETH",
                     "DANGER: Nothing limits it.", "nonce: 0x01", bytes(range(32)).hex(),
                     "in words: abandon amount liar amount expire adjust cage candy"):  # fmt: skip
            assert part in shown
    for typed, answer in (("", "y"), ("", ""), ("I understand", "yes")):
        asking = Asking(person, lambda q, typed=typed: q.confirm(yes_to(typed=typed)))
        person.answer("to sign: ", answer)
        assert isinstance(asking.done(), Declined)


def test_a_terminal_obeys_no_text_of_others(person: Person) -> None:
    asking = Asking(person, lambda q: q.confirm(yes_to(claim="\x1b[2Ja\rb\u202ec\x9bd\nIt cannot harm")))
    shown = person.answer("to sign: ", "yes")
    assert asking.done() is None
    assert "\\u001b[2Ja\\u000db\\u202ec\\u009bd\\u000aIt cannot harm" in shown
    assert "\x1b" not in shown


def test_codes_and_raw_keys_are_wiped(person: Person) -> None:
    for ask, secret in (
        (lambda q: q.show_code(["abandon", "zoo"], "The code."), "zoo"),
        (lambda q: q.reveal(MASTERS[0], REAL_KEY), REAL_KEY),
    ):
        asking = Asking(person, ask)
        assert secret in person.answer("Press Enter", "")
        assert asking.done() is None
        person.expect("\x1b[3J\x1b[H")


def test_no_terminal(tmp_path: Any) -> None:
    with pytest.raises(SignerError) as caught:
        Questions(TerminalChannel(str(tmp_path / "none"))).passphrase("x")
    assert caught.value.code == "NoTerminal"


def test_the_end_of_the_terminal_is_a_no(person: Person) -> None:
    asking = Asking(person, lambda q: q.confirm(yes_to()))
    person.expect("to sign: ")
    os.write(person.fd, b"\x04")
    assert isinstance(asking.done(), Declined)


# --- the desk

DESK = """
import sys, json
from latchkey.vault.frames import read_frame, write_frame
source, sink = sys.stdin.buffer, sys.stdout.buffer
while (ask := read_frame(source)) is not None:
    what = ask["ask"]
    if what == "passphrase":
        write_frame(sink, {"id": ask["id"], "answer": {"passphrase": b"typed at the desk"}})
    elif what == "confirm":
        write_frame(sink, {"id": ask["id"], "declined": True})
    elif what == "show-code":
        write_frame(sink, {"id": ask["id"] + 1, "answer": {}})
    elif what == "reveal":
        write_frame(sink, {"id": ask["id"], "answer": "no map"})
    elif what == "import":
        sys.exit(1)
    elif what == "choose-address":
        sys.stdout.buffer.write(b"\\xff" * 8)
        sys.stdout.buffer.flush()
"""


@pytest.fixture
def desk() -> Iterator[DeskChannel]:
    made = DeskChannel([sys.executable, "-c", DESK])
    yield made
    made.close()


def test_the_desk_answers_and_declines_and_is_kept(desk: DeskChannel) -> None:
    questions = Questions(desk)
    assert questions.passphrase("Unlock.").reveal() == b"typed at the desk"
    first = desk._desk
    with pytest.raises(Declined):
        questions.confirm(yes_to())
    assert questions.passphrase("Unlock.").reveal() == b"typed at the desk"
    assert desk._desk is first


@pytest.mark.parametrize("ask", ["show-code", "reveal", "import", "choose-address"])
def test_a_desk_that_breaks_is_ended_and_opened_again(ask: str, desk: DeskChannel) -> None:
    with pytest.raises(SignerError):
        desk.ask(ask, {})
    assert Questions(desk).passphrase("Unlock.").reveal() == b"typed at the desk"


def test_no_desk() -> None:
    for command in (["/nowhere/at/all"], [sys.executable, "-c", ""]):
        with pytest.raises(SignerError) as caught:
            DeskChannel(command).ask("passphrase", {})
        assert caught.value.code == "NoDesk"


def test_a_desk_ends_with_its_channel(desk: DeskChannel) -> None:
    desk.ask("passphrase", {})
    process = desk._desk
    assert process is not None
    desk.close()
    assert process.returncode is not None


# --- descriptors


def test_a_line_for_each_question() -> None:
    made = FdChannel(descriptor("one\r\ntwo\nthree"), lambda: False, script=True)
    answers = [made.ask(name, {})["passphrase"] for name in ("passphrase", "new-passphrase", "passphrase", "passphrase")]
    assert answers == [b"one", b"two", b"three", b"three"]


@pytest.mark.parametrize(("may", "is_script", "code"), [(True, True, None), (True, False, None), (False, True, "PersonNeeded")])
def test_who_may_consent(may: bool, is_script: bool, code: str | None) -> None:
    questions = Questions(FdChannel(descriptor(""), lambda: may, script=is_script, terminal=TerminalChannel("/nowhere")))
    if code is None:
        questions.confirm(yes_to())
    else:
        with pytest.raises(SignerError) as caught:
            questions.confirm(yes_to())
        assert caught.value.code == code


def test_without_a_script_a_person_confirms_at_the_terminal(person: Person) -> None:
    terminal = TerminalChannel(person.path)
    made = FdChannel(descriptor(""), lambda: False, script=False, terminal=terminal)
    thread = threading.Thread(target=Questions(made).confirm, args=(yes_to(),))
    thread.start()
    person.answer("to sign: ", "yes")
    thread.join(20)
    assert not thread.is_alive()
    nobody = FdChannel(descriptor(""), lambda: False, script=False, terminal=TerminalChannel("/nowhere"))
    with pytest.raises(SignerError) as caught:
        Questions(nobody).confirm(yes_to())
    assert caught.value.code == "PersonNeeded"


def test_descriptors_that_give_nothing() -> None:
    with pytest.raises(SignerError) as caught:
        FdChannel(999, lambda: True, script=True).ask("passphrase", {})
    assert caught.value.code == "NoPassphrase"
    with pytest.raises(SignerError):
        channel("fd", None, True, lambda: True)


def test_channels_by_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(channel("desk", None, False, lambda: False), DeskChannel)
    assert isinstance(channel("terminal", None, False, lambda: False), TerminalChannel)
    assert isinstance(channel("fd", 3, False, lambda: False), FdChannel)
    assert own_command("desk")[-3:] == ["-m", "latchkey", "desk"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_command("desk") == [sys.executable, "desk"]
