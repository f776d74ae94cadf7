"""Two machines and the air between them: what one screen shows the other's camera sees, and nothing else goes from one to the other.

The online machine has the account, the practice chain's RPC and no key. The other one has the owner's key, runs with --offline, and, where
namespaces are allowed, in a network namespace of its own that holds nothing. Each has its own screen, window, signer, vault and book.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from latchkey.codec.hand_over import Envelope, decode
from latchkey.core.account import Account
from latchkey.core.grant import SignedGrant
from latchkey.core.permissions import FunctionsOnContract, GasLimit, NativeTokenTransfer, permissions_to_json
from latchkey.flow.keys import open_signer, remember_keys
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import NetworkSettings, Settings, save
from latchkey.vault.model import Prompt, PromptMode
from tests.chain import abi
from tests.chain.cases import DAY, MOVE, functions
from tests.chain.stage import FACE, GAS, SESSION, Stage
from tests.chain.state import stored
from tests.devnet.devnet import CHAIN_ID, devnet
from tests.devnet.needed import packages
from tests.devnet.places import GAME
from tests.gui.conftest import OWNER_KEY, PASSPHRASE

pytestmark = [
    pytest.mark.gui,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        sys.platform != "linux" or not shutil.which("xvfb-run"), reason="needs a screen of its own for each machine"
    ),
]

ROOT = Path(__file__).parents[1]
PATIENCE = 150.0
PICTURES = os.environ.get("LATCHKEY_PICTURES")


def no_network() -> list[str]:
    """How to start a program where there is no network, [] where that is not allowed."""
    for command in (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]):
        if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return []


@dataclass
class Machine:
    """A running Latchkey and what it shows."""

    name: str
    process: subprocess.Popen[str]
    folder: Path
    pictures: int = 0

    def ask(self, do: str, **asked: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **asked}) + "\n")
        self.process.stdin.flush()
        line = self._line()
        while not line.startswith("{"):  # what xvfb-run says, and standard error, which it puts there too
            print(f"{self.name}: {line}", end="")
            line = self._line()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _line(self) -> str:
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], PATIENCE)[0], f"the {self.name} machine does not answer"
        line = self.process.stdout.readline()
        assert line, f"the {self.name} machine has ended"
        return line

    def sees(self, name: str) -> bool:
        return bool(self.ask("sees", name=name)["done"])

    def wait(self, name: str) -> None:
        until(f"{name} on the {self.name} machine", lambda: self.sees(name))

    def click(self, name: str) -> None:
        until(f"{name} on the {self.name} machine", lambda: self.ask("click", name=name)["done"])

    def words(self) -> list[str]:
        found: list[str] = self.ask("digest")["words"]
        return found

    def look(self) -> Image.Image:
        """A picture of what it shows, as whoever stands before it sees it."""
        path = self.folder / "screen.png"
        self.ask("picture", path=str(path))
        picture = Image.open(path)
        picture.load()
        self.pictures += 1
        if PICTURES:
            shutil.copy(path, Path(PICTURES) / f"air-gap-{self.name}-{self.pictures:03}.png")
        return picture

    def sees_now(self, picture: Image.Image) -> None:
        """Its camera has this before it."""
        path = self.folder / "camera.bmp"
        picture.save(path)
        self.ask("camera", path=str(path))

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


def until(what: str, check: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


@contextmanager
def machine(
    name: str, folder: Path, *arguments: str, passphrase: bool = False, before: list[str] | None = None
) -> Iterator[Machine]:
    home = folder / "home"
    home.mkdir(parents=True)
    with ExitStack() as stack:
        fd = stack.enter_context(secret(f"{PASSPHRASE}\n" * 20)) if passphrase else None
        command = [
            *(before or []),
            "xvfb-run",
            "-a",
            "-s",
            "-screen 0 1400x1000x24",
            sys.executable,
            "-m",
            "tests.gui.air_gap_driver",
        ]
        environment = {**os.environ, "HOME": str(home), "LATCHKEY_APPEARANCE": "light"}
        process = subprocess.Popen(
            [*command, str(folder / "data"), str(fd) if fd is not None else "-", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment, pass_fds=[fd] if fd is not None else [],
        )  # fmt: skip
        running = Machine(name, process, folder)
        try:
            yield running
        finally:
            running.end()


@contextmanager
def secret(text: str) -> Iterator[int]:
    reader, writer = os.pipe()
    os.write(writer, text.encode())
    os.close(writer)
    try:
        yield reader
    finally:
        os.close(reader)


# --- the air between


def carry(there: Machine, here: Machine, until_it_sees: str) -> int:
    """Hold `here`'s camera before `there`'s screen. Every fourth picture is lost, the others are turned, blurred, dim and noisy. Returns
    how many pictures it took."""
    rng, shown = random.Random(20261121), 0
    end = time.monotonic() + PATIENCE
    while not here.sees(until_it_sees):
        assert time.monotonic() < end, f"the {here.name} machine did not get it"
        picture = there.look()
        shown += 1
        if shown % 4:
            here.sees_now(through_the_air(picture, rng))
    return shown


def through_the_air(picture: Image.Image, rng: random.Random) -> Image.Image:
    seen = picture.convert("L").resize((1280, 1280 * picture.height // picture.width), Image.Resampling.BILINEAR)
    seen = seen.rotate(rng.uniform(-8, 8), Image.Resampling.BILINEAR, fillcolor=90).filter(ImageFilter.GaussianBlur(0.8))
    seen = seen.point(lambda value: 20 + value * 3 // 4)
    return Image.blend(seen, Image.effect_noise(seen.size, 40), 0.08)


# --- what is at stake


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    packages()
    with devnet() as net:
        yield Stage(net)


@pytest.fixture
def account(stage: Stage, tmp_path: Path) -> Account:
    """Deployed; the online machine knows it by its owner, the cold machine has the owner's (public) key."""
    account = stage.account()
    folder = DataDir.open(tmp_path / "online" / "data")
    save(folder.settings, Settings(networks=(NetworkSettings(CHAIN_ID, rpc=stage.net.url),)))
    with Book.open(folder.book) as book:
        book.add_account(account)
    cold = DataDir.open(tmp_path / "cold" / "data")
    with Book.open(cold.book) as book, secret(f"{PASSPHRASE}\n") as passphrase, secret(OWNER_KEY + "\n") as key:
        client = open_signer(cold, Prompt(PromptMode.FD, passphrase, script=True))
        client.import_key("Owner", key)
        remember_keys(book, client.status().keys)
        client.close()
    return account


@pytest.fixture
def request_file(stage: Stage, account: Account, tmp_path: Path) -> Path:
    """What a dApp that has a key of its own asks for."""
    scope = (FunctionsOnContract(GAME, functions(MOVE)), NativeTokenTransfer(0), GasLimit(20 * GAS.promised))
    asked = {
        "account": account.address, "chainId": hex(CHAIN_ID), "expirySec": stage.now() + DAY,
        "key": {"publicKey": SESSION.address, "type": "secp256k1"}, "permissions": permissions_to_json(scope),
    }  # fmt: skip
    path = tmp_path / "request.json"
    path.write_text(json.dumps(asked))
    return path


@pytest.fixture
def machines(account: Account, request_file: Path, tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    online, cold = tmp_path / "online", tmp_path / "cold"
    with (
        machine("online", online, str(request_file)) as first,
        machine("cold", cold, "--offline", passphrase=True, before=no_network()) as second,
    ):
        yield first, second


def test_the_cold_machine_stands_where_there_is_no_network() -> None:
    """Where namespaces are not allowed the other test runs all the same, behind the offline profile's own fences alone."""
    if not (before := no_network()):
        pytest.skip("network namespaces are not allowed here")
    cards = subprocess.run([*before, "cat", "/proc/net/dev"], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert [line.split(":")[0].strip() for line in cards] == ["lo"]


def test_a_grant_and_its_revocation_through_the_air(machines: tuple[Machine, Machine], stage: Stage, account: Account) -> None:
    online, cold = machines
    cold.wait("Latchkey (offline)")
    assert_is_cut_off(cold)
    assert_says_so(cold)
    assert not online.sees("This machine")

    prepare(online)
    open_scanner(cold)
    carry(online, cold, "Sign a grant for another machine")
    assert cold.words() == online.words()
    answer(cold)
    bring(online)
    carry(cold, online, "The signature fits")
    assert online.words() == cold.words()
    online.click("Keep it")
    online.wait("Copy grant")
    session = stage.session(signed_grant(online, account), account)
    assert session.first(abi.execute(GAME, 0, MOVE)).text == "done"
    assert stored(stage, session.draft)

    online.click("Sessions")
    online.click("Revoke all…")
    online.click("Export for the cold machine…")
    open_scanner(cold)
    carry(online, cold, "Sign for another machine")
    assert cold.words() == online.words()
    answer(cold)
    bring(online)
    carry(cold, online, "Done")
    assert "refused" in session.later(abi.execute(GAME, 0, MOVE)).text
    assert not stored(stage, session.draft)
    online.click("Close")
    online.click("Settings")
    online.wait("Networks")


def assert_is_cut_off(cold: Machine) -> None:
    """The window and its signer: no card but loopback where namespaces are allowed, no socket but local ones in any case."""
    programs = [
        pid for pid in descendants(cold.process.pid) if b"python" in (Path("/proc") / pid / "cmdline").read_bytes().split(b"\0")[0]
    ]
    assert programs
    for pid in programs:
        assert "Seccomp:\t2" in (Path("/proc") / pid / "status").read_text()
        if no_network():
            cards = (Path("/proc") / pid / "net" / "dev").read_text().splitlines()[2:]
            assert [line.split(":")[0].strip() for line in cards] == ["lo"]


def assert_says_so(cold: Machine) -> None:
    """Its pages are those of a machine without a network; what would need one is not there."""
    cold.click("Sessions")
    cold.wait("Sessions are read from the network, and this Latchkey asks none.")
    cold.click("This machine")
    cold.wait("What of it looks online")
    cold.click("Settings")
    cold.wait("Master keys")
    assert not cold.sees("Networks")


def descendants(pid: int) -> list[str]:
    found = []
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        for child in (task / "children").read_text().split():
            found += [child, *descendants(int(child))]
    return [str(pid), *found]


def prepare(online: Machine) -> None:
    """Through the wizard, as far as its review, and out for the other machine."""
    until("the wizard's review", lambda: online.sees("For another machine…") or (online.ask("click", name="Next") and False))
    online.click("For another machine…")
    play_fast(online, once="Bring the signed answer…")


def play_fast(here: Machine, *, once: str) -> None:
    """Its codes change as often as they can, from when `once` is there."""
    here.wait(once)
    for _ in range(4):
        here.click("Faster")


def open_scanner(cold: Machine) -> None:
    cold.click("Grants")
    cold.click("Open request…")
    cold.click("Scan…")
    cold.wait("Scan a code")


def answer(cold: Machine) -> None:
    cold.click("Sign…")
    play_fast(cold, once="Save file…")


def bring(online: Machine) -> None:
    online.click("Bring the signed answer…")
    online.click("Scan it…")
    online.wait("Scan a code")


def signed_grant(online: Machine, account: Account) -> SignedGrant:
    """As the dApp gets it from the online machine."""
    with Book.open(online.folder / "data" / "book.sqlite") as book:
        [record] = book.grants()
    envelope: Envelope = decode(record.envelope or b"")
    reading = FACE.decode_signed(envelope.blob)
    return FACE.assemble(FACE.build(record.draft), (reading.signature or b"")[1:])
