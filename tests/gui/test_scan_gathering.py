"""What texts amount to, one picture after another: no Qt, no camera, a clock that is moved by hand."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import count

from latchkey.codec import bytewords, cbor, ur
from latchkey.codec.eip681 import PayTo
from latchkey.codec.eip4527 import EthSignature, write_signature
from latchkey.codec.hand_over import Envelope, encode, request_envelope
from latchkey.codec.hdkeys import HdKeys
from latchkey.codec.inbox import open_text
from latchkey.codec.link import to_link
from latchkey.core.phrases import Level
from latchkey.core.request import SessionRequest
from latchkey.ui.scan import gathering
from latchkey.ui.scan.gathering import Gathering, Progress

ADDRESS = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
REQUEST: dict[str, Any] = {
    "account": ADDRESS,
    "chainId": "0x7a69",
    "expirySec": 1893456000,
    "key": {"publicKey": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "type": "secp256k1"},
    "permissions": [{"type": "contract-access", "data": {"address": "0x5FbDB2315678afecb367f032d93F642f64180aa3"}}],
}


def raw(**changes: Any) -> bytes:
    request = open_text(json.dumps({**REQUEST, **changes}))
    assert isinstance(request, SessionRequest)
    return encode(request_envelope(request))


RAW, OTHER = raw(), raw(expirySec=1893456001)
WC = "wc:7f6e504bfad60b485450578e05678ed3e8e8c4751d3c6160be17160d63ec90f9@2?relay-protocol=irn"
SECRET = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def parts(message: bytes = RAW, fragment: int = 30, kind: str = ur.TYPE, count: int = 0) -> list[str]:
    encoder = ur.Encoder(message, fragment, kind)
    return [encoder.part(number).upper() for number in range(1, (count or encoder.count) + 1)]


def said(progress: Progress) -> str:
    return progress.notice.sentence if progress.notice else ""


@pytest.mark.parametrize("text", [json.dumps(REQUEST), to_link(RAW), ur.encode(RAW).upper()])
def test_one_code_is_enough(text: str) -> None:
    found = Gathering().take([text]).found
    assert isinstance(found, SessionRequest)
    assert found.permissions == open_text(RAW).permissions


def test_an_address_is_found_unless_it_is_not_what_is_wanted() -> None:
    assert Gathering().take([ADDRESS]).found == PayTo(open_text(RAW).account)  # type: ignore[union-attr, arg-type]
    assert Gathering(frozenset({PayTo, HdKeys})).take([f"ethereum:{ADDRESS}"]).found is not None
    progress = Gathering(frozenset({EthSignature})).take([ADDRESS])
    assert progress.found is None
    assert said(progress) == "This is an address; expected a hardware wallet's signature."


def test_parts_in_any_order_with_losses(clock: Clock) -> None:
    one, shown = Gathering(clock=clock), parts(count=60)
    random.Random(5).shuffle(shown)
    percent = 0
    for number, part in enumerate(shown, start=1):
        clock.now += 0.03
        progress = one.take([part])
        if progress.found is not None:
            break
        assert progress.parts == number
        assert percent <= progress.percent < 100
        percent = progress.percent
    assert progress.found == open_text(RAW)
    assert one.wait().parts == 0, "what was found is forgotten"


def test_the_same_part_again_counts_once(clock: Clock) -> None:
    one, shown = Gathering(clock=clock), parts()
    one.take([shown[0]])
    assert one.take([shown[0]]).parts == 1
    assert one.take([shown[0], shown[1]]).parts == 2


def test_the_first_part_tells_the_wrong_kind() -> None:
    signature = write_signature(EthSignature(bytes(65), bytes(16), "a device with a very long name"))
    stream = parts(signature, 20, ur.SIGNATURE)
    assert len(stream) > 2
    progress = Gathering(frozenset({SessionRequest, Envelope})).take(stream[:1])
    assert progress.parts == 0
    assert said(progress) == "This is a hardware wallet's signature; expected a session request or a Latchkey hand-over."
    everything = Gathering()
    for part in stream:
        progress = everything.take([part])
    assert isinstance(progress.found, EthSignature)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WC, "WalletConnect"),
        ("https://dapp.example/session", "web address"),
        ("UR:CRYPTO-SEED/1-3/LPADAXCSENCYLOBEMOHSHKAOEYADGDRPJYLKGYPA", "looks like a secret"),
        ("ur:crypto-psbt/1-3/lpadaxcsencylobemohs", "Bitcoin"),
        (SECRET, "looks like a secret"),
        ("hello", "nothing that Latchkey can open"),
    ],
)
def test_what_is_something_else_says_so_and_scanning_goes_on(clock: Clock, text: str, words: str) -> None:
    one = Gathering(clock=clock)
    one.take(parts()[:2])
    for _ in range(3):
        clock.now += 0.03
        progress = one.take([text])
        assert words in said(progress)
        assert text not in said(progress)
    assert progress.parts == 2
    for part in parts()[2:]:
        progress = one.take([part])
    assert progress.found == open_text(RAW)


def test_a_text_is_read_once(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | bytes] = []
    real = gathering.inbox.open_any
    monkeypatch.setattr(gathering.inbox, "open_any", lambda text: (asked.append(text), real(text))[1])
    one = Gathering(clock=clock)
    for _ in range(50):
        one.take([WC])
    assert asked == [WC]
    for number in range(200):
        one.take([f"hello {number}"])
    assert len(one._refused) <= 32


def test_what_was_said_goes_after_some_seconds(clock: Clock) -> None:
    one = Gathering(clock=clock)
    assert said(one.take([WC]))
    clock.now += gathering.STAYS - 0.1
    assert said(one.take([]))
    clock.now += 0.2
    assert not said(one.take([]))
    one.take([WC])
    assert not said(one.take(parts()[:1])), "a part that helps is better news"


def test_several_things_at_once_are_not_guessed_between() -> None:
    one = Gathering()
    progress = one.take([to_link(RAW), to_link(OTHER)])
    assert progress.found is None
    assert "several codes" in said(progress)
    assert one.take([to_link(RAW), WC]).found == open_text(RAW), "one of them is none"


# Another animated code ----------------------------------------------------------------------------------------------------------


def test_a_stray_part_of_another_code_is_said_and_changes_nothing(clock: Clock) -> None:
    one, mine, other = Gathering(clock=clock), parts(), parts(OTHER)
    for mine_part, other_part in zip(mine[:-1], other, strict=False):
        one.take([mine_part])
        progress = one.take([other_part])
        assert "part of another animated code" in said(progress)
    assert one.take([mine[-1]]).found == open_text(RAW)


def test_another_code_that_stays_is_taken(clock: Clock) -> None:
    one, mine, other = Gathering(clock=clock), parts(), parts(OTHER)
    one.take(mine[:3])
    for part in other[: gathering.OTHERS]:
        clock.now += 0.2
        progress = one.take([part])
    assert "began again" in said(progress)
    assert progress.notice is not None
    assert progress.notice.level is Level.NOTICE
    assert progress.parts == gathering.OTHERS
    for part in other[gathering.OTHERS :]:
        progress = one.take([part])
    assert progress.found == open_text(OTHER)


def test_parts_that_do_not_fit_together_start_afresh(clock: Clock) -> None:
    """A part with the right head and the wrong content spoils the whole, which its checksum shows."""
    encoder = ur.Encoder(RAW, 60)
    head = [2, encoder.count, len(RAW), encoder._checksum]
    forged = bytewords.encode(cbor.dump([*head, bytes(encoder._size)]))
    one, shown = Gathering(clock=clock), parts(RAW, 60)
    progress = one.take([f"ur:{ur.TYPE}/2-{encoder.count}/{forged}"])
    for part in shown:
        progress = one.take([part])
        assert progress.found is None
    assert "do not fit together" in said(progress)
    for part in shown:
        progress = one.take([part])
    assert progress.found == open_text(RAW)


# What holds up -------------------------------------------------------------------------------------------------------------------


def look(one: Gathering, clock: Clock, seconds: float, texts: list[str], unreadable: int = 0) -> Progress:
    for _ in range(int(seconds * 10)):
        clock.now += 0.1
        progress = one.take(texts, unreadable)
    return progress


def test_too_dense(clock: Clock) -> None:
    one = Gathering(clock=clock)
    assert not said(look(one, clock, 0.4, [], unreadable=1))
    assert "too dense or too blurred" in said(look(one, clock, 1, [], unreadable=1))
    assert not said(look(one, clock, gathering.SOME_TIME + gathering.STAYS, []))
    look(one, clock, 1, [parts()[0]])
    assert not said(look(one, clock, 2, [], unreadable=1)), "it was read a moment ago"
    assert "lower the density" in (look(one, clock, 3, [], unreadable=1).notice or gathering.Notice("")).advice


def test_an_odd_shape_now_and_then_is_no_dense_code(clock: Clock) -> None:
    one = Gathering(clock=clock)
    for _ in range(30):
        look(one, clock, 0.3, [])
        assert "too dense" not in said(look(one, clock, 0.1, [], unreadable=1))


def test_nothing_for_long_is_advised_about(clock: Clock) -> None:
    one = Gathering(clock=clock)
    assert not said(look(one, clock, gathering.NOTHING_AT_ALL - 1, []))
    progress = look(one, clock, 2, [])
    assert said(progress) == "No code is in sight."
    assert not said(look(one, clock, 0.1, parts()[:1]))


def test_an_animated_code_that_stands_still(clock: Clock) -> None:
    one = Gathering(clock=clock)
    assert not said(look(one, clock, gathering.STANDS_STILL, parts()[:1]))
    assert "No new part" in said(look(one, clock, 0.5, parts()[:1]))


@pytest.mark.parametrize("texts", [[], [WC], parts()[:1]], ids=["nothing", "something else", "one part"])
def test_patience_ends(clock: Clock, texts: list[str]) -> None:
    one = Gathering(clock=clock)
    one.take(texts)
    assert not look(one, clock, gathering.PATIENCE - 5, texts).is_over
    assert look(one, clock, 10, texts).is_over
    one.begin()
    assert not look(one, clock, 10, texts).is_over
    assert one.wait().parts == (1 if texts and texts != [WC] else 0), "what was gathered stays"
    one.forget()
    assert one.wait().parts == 0


def test_caps(clock: Clock) -> None:
    """Parts without end, of a code too large to be one, and texts of any length: bounded, and said."""
    one = Gathering(clock=clock)
    large = bytewords.encode(cbor.dump([1, 5000, 5000 * 100, 7, bytes(100)]))
    assert "too large" in said(one.take([f"ur:{ur.TYPE}/1-5000/{large}"]))
    assert "too long" in said(one.take(["x" * 300_000]))
    assert one.take([]).parts == 0


def changed(text: str, at: int, sign: str) -> str:
    """With another letter at one place."""
    return text[: at % len(text)] + sign + text[at % len(text) + 1 :]


@given(st.data())
@settings(max_examples=count(60, 1500))
def test_whatever_is_shown_nothing_breaks(data: st.DataObject) -> None:
    """Parts, parts with a letter changed, parts of other codes and any text, in any order: a sentence at worst, and the caps hold."""
    clock = Clock()
    one = Gathering(clock=clock)
    whole = st.sampled_from([*parts(), *parts(OTHER), *parts(bytes(200), 30, ur.SIGNATURE), WC, ADDRESS, to_link(RAW), SECRET])
    spoilt = st.builds(changed, whole, st.integers(0, 500), st.characters())
    for texts in data.draw(st.lists(st.lists(whole | spoilt | st.text(max_size=80), max_size=3), max_size=25)):
        clock.now += data.draw(st.sampled_from((0.03, 1.0, 7.0)))
        progress = one.take(texts, data.draw(st.integers(0, 2)))
        assert 0 <= progress.percent < 100 or progress.found is not None
        assert SECRET not in said(progress)
        assert len(one._sights) <= 100
