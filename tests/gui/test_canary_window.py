"""Nothing secret reaches the window: the canary test over the real window, the real signer and the real desk on a real screen.

A person creates a key, imports another, exports one, grants two sessions whose keys are made here (one handed over sealed, one as a
file under six words) and looks at one of them: with xdotool, as real keys and a real mouse. What the desk shows is read from the
desk's memory. After each phase the window's memory, every file of the run, its log and both clipboards are searched for every form of
every secret known by then. The hunts are shown to find: the keys in the signer, what is typed and shown at the desk, and at the end a
passphrase typed into the window by mistake.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from eth_account import Account as EthAccount
from PySide6.QtGui import QClipboard
from PySide6.QtWidgets import QApplication
from tests.gui.test_end_to_end import DESK, Latchkey, photograph, press, say_yes, type_text, until, xdotool
from tests.vault.scanner import Exact, Hunt, Words, forms_of, may_read, memory, scan_process, scan_tree, text_forms

from latchkey.codec.hand_over import decode
from latchkey.core.types import Address
from latchkey.flow.accounts import from_owner
from latchkey.store.book import Book
from latchkey.vault import keys, seal
from latchkey.vault.secret import SecretBytes

pytestmark = [
    pytest.mark.gui,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux" or not shutil.which("xdotool"), reason="types with xdotool and reads /proc"),
]

ROOT = Path(__file__).resolve().parents[2]
CHAIN_ID = 31337
PASSPHRASE = "canary on the window sill 7391"
EXPORT_PASSPHRASE = "wren behind the waterfall 1016"
WORDS_PASSPHRASE = "swift above the tower 6627"
DAPP_KEY = bytes(range(1, 33))
PERMISSIONS = [
    {"type": "native-token-transfer", "data": {"allowance": "0x2386f26fc10000"}},
    {"type": "contract-access", "data": {"address": "0x5FbDB2315678afecb367f032d93F642f64180aa3"}},
    {"type": "gas-limit", "data": {"limit": "0x2386f26fc10000"}},
]
_WORD_FIELD = re.compile(rb"W\0o\0r\0d\0 \0((?:[0-9]\0){1,2})(?::\0 \0((?:[a-z]\0){3,8}))?\0\0")  # UTF-16


@dataclass
class Run(Latchkey):
    """The running program, the person's hands, and what the person knows."""

    home: Path
    hunts: list[Hunt] = field(default_factory=list)
    found: dict[str, set[str]] = field(default_factory=dict)  # phase -> what was found where nothing may be
    proofs: dict[str, set[str]] = field(default_factory=dict)  # phase -> what was not found where it has to be

    def __post_init__(self) -> None:
        self.data, self.log = self.home / "data", self.home / "window.log"
        for name in ("data", "tmp"):
            (self.home / name).mkdir()
        places = {"HOME": self.home, "TMPDIR": self.home / "tmp"}
        places |= {f"XDG_{name}_HOME": self.home / name.lower() for name in ("DATA", "CONFIG", "CACHE", "STATE")}
        environment = {**os.environ, **{name: str(path) for name, path in places.items()}, "LATCHKEY_APPEARANCE": "light"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.gui.canary_driver", str(self.data)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=environment,
            )  # fmt: skip
        self.scale, self._desk = 1, ""

    # --- hands

    def click(self, name: str) -> None:
        """In the window, once the desk is out of the way."""
        until("the desk to close", lambda: xdotool("getwindowfocus", "getwindowname") != DESK)
        self._desk = ""
        until(f"{name} to stand still", lambda: self.wait_for(name) == (time.sleep(0.25) or self.wait_for(name)))
        super().click(name)

    def fill(self, name: str, text: str) -> None:
        self.click(name)
        self.press("ctrl+a")
        type_text(text)

    def at_the_desk(self, picture: str) -> None:
        """Wait for the desk's next page."""
        self.desk()
        self.photograph(picture)

    def photograph(self, name: str) -> None:
        """For a person to look at, where asked for."""
        if folder := os.environ.get("LATCHKEY_PICTURES"):
            photograph(Path(folder) / f"{name}.png")

    def agree(self, picture: str, typed: str = "") -> None:
        """Read a confirmation to its end and say yes."""
        self.at_the_desk(picture)
        press("End")
        x, y, width, height = (int(part.split("=")[1]) for part in self._desk.splitlines()[1:5])
        if typed:
            press("Tab")
            type_text(typed)
        say_yes(x, y, width, height)

    # --- what the person sees

    @property
    def signer(self) -> int:
        return child_of(self.process.pid, "signer")

    @property
    def desk_process(self) -> int:
        return child_of(self.signer, "desk")

    def shown_words(self, count: int) -> list[str]:
        """Press the button that shows words, and read them as a screen reader would be told them: "Word 1: ..."."""
        press("space")

        def words() -> list[str]:
            found = dict(pair for pair in self._fields() if pair[1])
            return [found[number] for number in sorted(found)] if len(found) == count else []

        return until("the words on the desk", words)

    def asked_positions(self, count: int) -> list[int]:
        """Which words the desk asks for: its fields are called "Word 7"."""

        def positions() -> list[int]:
            found = sorted({number for number, word in self._fields() if not word})
            return found if len(found) == count else []

        return until("the positions on the desk", positions)

    def _fields(self) -> set[tuple[int, str]]:
        texts = [match.groups(b"") for data in memory(self.desk_process) for match in _WORD_FIELD.finditer(data)]
        return {(int(number.decode("utf-16-le")), word.decode("utf-16-le")) for number, word in texts}

    # --- what is looked for, and where

    def watch_text(self, name: str, text: str) -> None:
        self.hunts += text_forms(name, text)

    def watch_key(self, name: str, key: bytes) -> None:
        self.hunts += forms_of(name, key)

    def watch_words(self, name: str, words: list[str], passphrase: str = "") -> None:
        phrase = " ".join(words)
        self.hunts.append(Words(f"{name}, words", tuple(words)))
        self.watch_text(f"{name}, phrase", phrase)
        self.watch_key(f"{name}, entropy", keys.entropy_of(phrase).reveal())
        seed = keys.seed_of(phrase, passphrase)
        self.watch_key(f"{name}, seed", seed.reveal())
        self.watch_key(f"{name}, key", keys.derive(seed, keys.DEFAULT_PATH).reveal())

    def prove(self, phase: str, pid: int, *names: str) -> None:
        """These hunts find where the secret has to be."""
        wanted = [hunt for hunt in self.hunts if hunt.name in names]
        assert len(wanted) == len(names)
        self.proofs[phase] = set(names) - scan_process(pid, wanted)

    def search(self, phase: str) -> None:
        """Memory, files, log and clipboards: everywhere a secret must not be."""
        found = {f"memory: {name}" for name in scan_process(self.process.pid, self.hunts)}
        found |= {f"file: {name}" for name in scan_tree(self.home, self.hunts)}
        for place, data in clipboards():
            found |= {f"{place}: {hunt.name}" for hunt in self.hunts if hunt.found_in(data)}
        self.found[phase] = found


def child_of(parent: int, part: str) -> int:
    """The process that a process started for a part of the program."""

    def find() -> int | None:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                started_by = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if started_by == parent and (entry / "cmdline").read_bytes().rstrip(b"\0").endswith(part.encode()):
                    return int(entry.name)
            except OSError:
                continue
        return None

    return until(f"the {part}", find)


def clipboards() -> Iterator[tuple[str, bytes]]:
    """Everything that can be pasted on this screen, in every format it is offered in."""
    QApplication.processEvents()  # or else Qt answers with what it read before the last copy
    for mode in (QClipboard.Mode.Clipboard, QClipboard.Mode.Selection):
        offered = QApplication.clipboard().mimeData(mode)
        for kind in offered.formats() if offered is not None else ():
            yield f"{mode.name} as {kind}", bytes(offered.data(kind).data())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, qapp: QApplication) -> Iterator[Run]:
    """`qapp` reads the clipboards and keeps the screen, which starts anew whenever its last client leaves."""
    made = Run(tmp_path_factory.mktemp("home"))
    try:
        for name, text in (("passphrase", PASSPHRASE), ("export", EXPORT_PASSPHRASE), ("words' passphrase", WORDS_PASSPHRASE)):
            made.watch_text(name, text)
        owner = create(made)
        add_account(made)
        import_another(made)
        export(made)
        unlock_again(made)
        grant_sealed(made, owner)
        grant_by_file(made, owner)
        yield made
    finally:
        made.photograph("at-the-end")
        made.end()


def create(run: Run) -> Address:
    """Twelve words: shown, written down, asked for, and a passphrase."""
    run.fill("Name of the key", "Main key")
    run.click("Create a key…")
    run.at_the_desk("words-hidden")
    if (why := may_read(run.signer)) is not None:
        pytest.skip(why)
    words = run.shown_words(12)
    run.photograph("words-shown")
    run.watch_words("created", words)
    run.prove("words at the desk", run.desk_process, "created, words")
    run.prove("a new key in the signer", run.signer, "created, entropy, raw")
    run.search("while the words are shown")
    press("Tab", "Tab", "space")
    run.at_the_desk("words-asked")
    for position in run.asked_positions(3):
        type_text(words[position - 1] + " ")
    run.photograph("words-answered")
    press("space")
    new_passphrase(run, PASSPHRASE, "passphrase")
    run.wait_for("Add this account")
    run.search("after the key was created")
    return Address.parse(EthAccount.from_key(keys.derive(keys.seed_of(" ".join(words)), keys.DEFAULT_PATH).reveal()).address)


def new_passphrase(run: Run, text: str, name: str) -> None:
    """Typed twice, and an attempt to copy it."""
    run.at_the_desk("new-passphrase")
    type_text(text)
    press("ctrl+a", "ctrl+c", "ctrl+Insert", "End")
    run.prove(f"{name} at the desk", run.desk_process, f"{name}, utf-16")
    press("Return")
    type_text(text)
    run.photograph("new-passphrase-typed")
    run.search(f"while the {name} is typed")
    press("Return")


def add_account(run: Run) -> None:
    run.click("Network")
    type_text("Practice")
    press("Return")
    run.fill("Name", "Game account")
    run.click("Add this account")
    run.click("Go to my grants")


def import_another(run: Run) -> None:
    """Twelve words with a passphrase of their own."""
    words = keys.words_of(keys.new_entropy(12))
    run.watch_words("imported", words, WORDS_PASSPHRASE)
    run.click("Settings")
    run.click("Add another key")
    run.fill("Name of the key", "Second key")
    run.click("Import one…")
    run.at_the_desk("import")
    type_text(" ".join(words) + " ")
    type_text(WORDS_PASSPHRASE)
    run.photograph("import-typed")
    run.prove("the import at the desk", run.desk_process, "words' passphrase, utf-16")
    run.search("while words are typed")
    press("Return")
    run.at_the_desk("choose-address")
    press("Return")
    run.wait_for("Export Second key as a keystore")
    run.prove("both keys in the signer", run.signer, "created, entropy, raw", "imported, entropy, raw")
    run.search("after the import")


def export(run: Run) -> None:
    run.click("Export Second key as a keystore")
    run.agree("export")
    new_passphrase(run, EXPORT_PASSPHRASE, "export")
    save_as(run, run.home / "exported.json")
    run.search("after the export")


def save_as(run: Run, path: Path) -> None:
    choose_file(run, path)
    until(path.name, path.exists)


def choose_file(run: Run, path: Path) -> None:
    """In the window's file dialog, which opens with the keyboard at the name."""
    run.wait_for("File name:")
    time.sleep(0.3)
    type_text(str(path))
    press("Return")


def unlock_again(run: Run) -> None:
    """A new signer and a new desk, which have seen nothing of the words."""
    signer = run.signer
    run.click("Lock the keys")
    run.click("Unlock the keys")
    run.at_the_desk("passphrase")
    assert not Path(f"/proc/{signer}").exists()
    type_text(PASSPHRASE)
    press("Return")
    run.wait_for("Lock the keys")
    run.search("after unlocking")


def request(run: Run, owner: Address, **extension: str) -> Path:
    """What a dApp asks that has no key of its own."""
    params = {
        "account": from_owner(CHAIN_ID, owner, 0).address, "chainId": hex(CHAIN_ID), "expirySec": int(time.time()) + 86_400,
        "permissions": PERMISSIONS, "latchkey": {"name": "Canary", **extension},
    }  # fmt: skip
    path = run.home / f"{extension['requestId']}.json"
    path.write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "wallet_createSession", "params": [params]}))
    return path


def grant(run: Run, path: Path) -> None:
    """Open the request and go through the wizard, with a key made here, up to the Signed page."""
    run.click("Grants")
    run.click("Open request…")
    run.click("Choose file…")
    choose_file(run, path)
    for step in ("2 of 5: Key", "3 of 5: Scope", "4 of 5: Expiry"):  # its account is known
        run.wait_for(f"Step {step}")
        if step == "2 of 5: Key":
            run.click("Latchkey makes the key")
        run.click("Next")
    run.wait_for("Step 5 of 5: Review")
    if run.find("Keep both"):  # the dApp of the first request asks again
        run.click("Keep both")
    run.click("Sign")
    run.agree("sign")
    run.wait_for("Copy grant")


def grant_sealed(run: Run, owner: Address) -> None:
    """The session key leaves sealed in the grant; the dApp opens it."""
    private = X25519PrivateKey.from_private_bytes(DAPP_KEY)
    grant(run, request(run, owner, requestId="canary-1", handOverKey="0x" + private.public_key().public_bytes_raw().hex()))
    run.click("Copy grant")
    with Book.open(run.data / "book.sqlite") as book:
        (record,) = book.grants()
    envelope = decode(record.envelope or b"")
    bound = seal.info("canary-1", CHAIN_ID, envelope.account.address)
    key = seal.open_sealed(envelope.sealed_session_key, DAPP_KEY, bound)
    assert keys.address_of(key) == record.draft.session_key
    run.watch_key("sealed session key", key.reveal())
    run.prove("a session key in the signer", run.signer, "sealed session key, raw")
    until("the copied grant", lambda: any(b"canary-1" in data for _, data in clipboards()))
    run.search("after the sealed grant")
    run.click("Done")


def grant_by_file(run: Run, owner: Address) -> None:
    """The session key leaves as a file; its six words, and the key itself, are shown at the desk."""
    grant(run, request(run, owner, requestId="canary-2"))
    run.click("Save key file…")
    path = run.home / "session.json"
    save_as(run, path)
    until("the code to be hidden", lambda: run.find("Show the QR code") or run.click("Hide the QR code"))
    run.click("Show the words at the desk…")
    run.at_the_desk("code")
    code = run.shown_words(6)
    run.photograph("code-shown")
    key = SecretBytes(bytes(EthAccount.decrypt(json.loads(path.read_bytes()), " ".join(code))))
    run.hunts.append(Words("code", tuple(code)))
    run.watch_text("code, phrase", " ".join(code))
    run.watch_key("session key", key.reveal())
    run.prove("the other session key in the signer", run.signer, "session key, raw")
    run.search("while the code is shown")
    press("Tab", "space")
    run.click("Show the private key at the desk…")
    run.agree("show-key", typed="reveal")
    run.at_the_desk("private-key")
    xdotool("keydown", "space")
    time.sleep(0.5)
    run.photograph("private-key-shown")
    run.search("while the key is shown")
    xdotool("keyup", "space")
    press("Tab", "space")
    run.click("Done")
    run.search("at the end")


# --- what came of it


def test_the_hunts_find_the_secrets_where_they_are(run: Run) -> None:
    """In the signer and at the desk; or else what follows would prove nothing."""
    assert {phase: missing for phase, missing in run.proofs.items() if missing} == {}


def test_nothing_secret_reached_the_window_a_file_or_a_clipboard(run: Run) -> None:
    assert len(run.hunts) > 200
    assert {phase: found for phase, found in run.found.items() if found} == {}


def test_the_search_saw_the_window_and_its_files(run: Run) -> None:
    """What the window may know is found in it, and the files are those of a whole session."""
    assert scan_process(run.process.pid, [Exact("a name", b"Game account")]) == {"a name"}
    files = {path.name for path in run.home.rglob("*") if path.is_file()}
    assert {
        "vault.latchkey-vault",
        "vault.latchkey-vault.bak",
        "book.sqlite",
        "window.log",
        "exported.json",
        "session.json",
    } <= files
    assert run.log.read_bytes() == b""


def test_a_passphrase_in_the_window_is_found(run: Run) -> None:
    """Last of all, a person mistakes the window for the desk, and copies what was typed there: the same search finds it."""
    run.click("Settings")
    run.click("Add another key")
    run.fill("Name of the key", PASSPHRASE)
    run.press("ctrl+a")
    press("ctrl+c")
    until("the copy", lambda: any(PASSPHRASE.encode() in data for _, data in clipboards()))
    run.search("leak")
    places = {name.partition(":")[0] for name in run.found["leak"]}
    assert places >= {"memory", "Clipboard as text/plain", "Selection as text/plain"}, places
