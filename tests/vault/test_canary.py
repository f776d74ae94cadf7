"""Nothing secret reaches the window's side: not its memory, not a file, not a log, not an exception.

A window process does everything a person does with keys - create, import words, a raw key and a keystore, export, make and sign for a
session key, hand it over, show it, mistype - at a terminal whose person is this test. The scanner is shown to find every secret's
form first, and the secrets themselves in the signer; then it looks everywhere else.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount

from latchkey.core.types import Address
from latchkey.vault import keys, seal
from latchkey.vault.test_keys import MASTERS, MNEMONIC
from latchkey.vault.wire import from_account
from tests.processes import started
from tests.vault.material import OWNER, grant_named, secret, sma, unsigned
from tests.vault.scanner import Exact, Hunt, Words, forms_of, may_read, scan_process, scan_tree, text_forms
from tests.vault.terminal import Person, Window

PASSPHRASE = "canary in the coal mine 7391"
SECOND_PASSPHRASE = "linnet upon a garden wall 5520"
MISTYPED = "robin below the kitchen sink 8844"
EXPORT_PASSPHRASE = "wren behind the waterfall 1016"
BIP39_PASSPHRASE = "swift above the tower 6627"
KEYSTORE_PASSWORD = "siskin under the arches 3095"


# --- the scanner finds


def planted(raw: bytes, words: list[str], passphrase: str) -> dict[str, str]:
    """Python that leaves a secret in one form each; the secret itself comes over standard input, a byte at a time as numbers."""
    return {
        "raw": "kept = bytes(raw)",
        "hex": "kept = bytes(raw).hex()",
        "upper hex": "kept = bytes(raw).hex().upper()",
        "decimal": "kept = str(int.from_bytes(bytes(raw), 'big'))",
        "base64": "import base64; kept = base64.b64encode(bytes(raw))",
        "hex, utf-16": "kept = bytes(raw).hex().encode('utf-16-le')",
        "an integer": "kept = int.from_bytes(bytes(raw), 'big').to_bytes(len(raw), 'little')",
        "words": "kept = [str(w) for w in words]",
        "words, utf-16": "kept = ' '.join(words).encode('utf-16-le')",
        "passphrase": "kept = passphrase",
        "passphrase, utf-16": "kept = passphrase.encode('utf-16-le')",
        "passphrase, base64": "import base64; kept = base64.b64encode(passphrase.encode())",
    }


PLANT = """
import json, sys
def plant():
    given = json.loads(sys.stdin.readline())
    raw, words, passphrase = given["raw"], given["words"].split(), given["passphrase"]
    {how}
    return kept
held = plant() if {plant} else None
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_scanner_finds_every_form() -> None:
    """And finds nothing where nothing is: the same program without the line that keeps the secret."""
    raw, words = bytes(range(100, 132)), ["legal", "winner", "thank", "year", "wave", "sausage", "worth", "useful"]
    hunts: list[Hunt] = [*forms_of("key", raw), Words("words", tuple(words)), *text_forms("passphrase", PASSPHRASE)]
    wanted = {
        "raw": "key, raw", "hex": "key, hex, utf-8", "upper hex": "key, upper hex, utf-8", "decimal": "key, decimal, utf-8",
        "base64": "key, base64, utf-8", "hex, utf-16": "key, hex, utf-16", "an integer": "key, reversed", "words": "words",
        "words, utf-16": "words", "passphrase": "passphrase, utf-8", "passphrase, utf-16": "passphrase, utf-16",
        "passphrase, base64": "passphrase, as base64",
    }  # fmt: skip
    for kind, how in planted(raw, words, PASSPHRASE).items():
        assert wanted[kind] in scan_program(PLANT.format(how=how, plant=True), raw, words, hunts), kind
    assert scan_program(PLANT.format(how="pass", plant=False), raw, words, hunts) == set()


def scan_program(program: str, raw: bytes, words: list[str], hunts: list[Hunt]) -> set[str]:
    with started([sys.executable, "-I", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if "plant() if True" in program:
                given = {"raw": list(raw), "words": " ".join(words), "passphrase": PASSPHRASE}
                process.stdin.write(json.dumps(given).encode() + b"\n")
                process.stdin.flush()
            assert process.stdout.readline() == b"ready\n"
            if (why := may_read(process.pid)) is not None:
                pytest.skip(why)
            return scan_process(process.pid, hunts)
        finally:
            process.kill()


def test_the_scanner_finds_in_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log.txt").write_text(f"unlocked with {PASSPHRASE}")
    (tmp_path / base64.b16encode(PASSPHRASE.encode()).decode().lower()).touch()
    found = scan_tree(tmp_path, text_forms("passphrase", PASSPHRASE))
    assert found == {"passphrase, utf-8: log.txt", f"passphrase, as hex: {PASSPHRASE.encode().hex()}"}


# --- the session


@dataclass
class Session:
    """What the person knows at the end, and what the window said."""

    window: Window
    person: Person
    home: Path
    said: list[dict[str, Any]] = field(default_factory=list)
    hunts: list[Hunt] = field(default_factory=list)
    in_signer: list[Hunt] = field(default_factory=list)

    def do(self, do: str, *answers: tuple[str, str], **arguments: Any) -> Any:
        """One call, with the person's answers to the questions it raises."""
        self.window.send(do, **arguments)
        for question, line in answers:
            self.person.answer(question, line)
        answer = self.window.answer()
        self.said.append(answer)
        return answer.get("result")

    def watch_key(self, name: str, key: bytes) -> None:
        self.hunts += forms_of(name, key)
        self.in_signer.append(Exact(f"{name}, raw", key))

    def watch_words(self, name: str, words: list[str], passphrase: str = "") -> None:
        self.hunts += [Words(f"{name}, words", tuple(words)), *text_forms(f"{name}, phrase", " ".join(words))]
        entropy = keys.entropy_of(" ".join(words))
        self.watch_key(f"{name}, entropy", entropy.reveal())
        seed = keys.seed_of(" ".join(words), passphrase)
        self.hunts += forms_of(f"{name}, seed", seed.reveal())
        self.hunts += forms_of(f"{name}, key", keys.derive(seed, keys.DEFAULT_PATH).reveal())


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, ma_vectors: dict[str, Any]) -> Iterator[Session]:
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    home, person = tmp_path_factory.mktemp("home"), Person()
    made = Session(Window(home, person), person, home)
    try:
        if (why := may_read(made.window.process.pid)) is not None:
            pytest.skip(why)
        for name, passphrase in (
            ("passphrase", PASSPHRASE), ("second passphrase", SECOND_PASSPHRASE), ("mistyped", MISTYPED),
            ("export passphrase", EXPORT_PASSPHRASE), ("words' passphrase", BIP39_PASSPHRASE), ("keystore password", KEYSTORE_PASSWORD),
        ):  # fmt: skip
            made.hunts += text_forms(name, passphrase)
        create(made)
        import_three(made)
        export(made)
        session_key(made, ma_vectors)
        mistakes(made)
        yield made
    finally:
        made.window.close()
        person.close()


def create(session: Session) -> None:
    session.window.send("create_key", words=24, label="savings")
    words = [word for word in session.person.answer("Press Enter", "").split("1. ", 1)[1].split() if word.isalpha()]
    assert len(words) == 24
    for _ in range(3):
        session.person.expect("Word ")
        position = int(session.person.expect(": "))
        session.person.type(words[position - 1])
    session.person.answer("New passphrase: ", PASSPHRASE)
    session.person.answer("again: ", PASSPHRASE)
    address = session.window.result()
    session.watch_words("created", words)
    assert keys.address_of(keys.derive(keys.seed_of(" ".join(words)), keys.DEFAULT_PATH)) == address


def import_three(session: Session) -> None:
    """Words with a passphrase, a raw key, a keystore file. Made here, so that nobody else has them."""
    words = keys.words_of(keys.new_entropy(12))
    session.do("import_key", ("file: ", " ".join(words)), ("none): ", BIP39_PASSPHRASE), ("[1]: ", "1"), label="imported words")
    session.watch_words("imported", words, BIP39_PASSPHRASE)
    raw = keys.new_key()
    session.do("import_key", ("file: ", "0x" + raw.reveal().hex()), label="raw")
    session.watch_key("raw key", raw.reveal())
    kept = keys.new_key()
    keystore = session.home.parent / "given.json"
    keystore.write_bytes(keys.to_keystore(kept, secret(KEYSTORE_PASSWORD)))
    session.do("import_key", ("file: ", str(keystore)), ("Password of the file: ", KEYSTORE_PASSWORD), label="keystore")
    session.watch_key("keystore key", kept.reveal())
    session.do("import_key", ("file: ", MNEMONIC), ("none): ", ""), ("[1]: ", "1"), label="public")
    status = session.do("status")
    assert status.count("MasterKey") == 5
    assert str(keys.address_of(kept)) in status


def export(session: Session) -> None:
    status = session.do("status")
    address = Address.parse(status.split("MasterKey(address='")[1][:42])
    answers = [("to export: ", "yes"), ("New passphrase: ", EXPORT_PASSPHRASE), ("again: ", EXPORT_PASSPHRASE)]
    exported = json.loads(bytes.fromhex(session.do("export_keystore", *answers, address=address)))
    (session.home / "exported.json").write_text(json.dumps(exported))
    assert EthAccount.from_key(EthAccount.decrypt(exported, EXPORT_PASSPHRASE)).address == address


def session_key(session: Session, ma_vectors: dict[str, Any]) -> None:
    account = {**from_account(sma(ma_vectors)), "init_code": ""}
    grant = grant_named(ma_vectors, "contract-access, expiry")
    preview = session.do("preview_grant", unsigned=unsigned(grant).hex(), account=account, owner=OWNER)
    signature = session.do("sign", ("to sign: ", "I understand"), token=preview["token"])
    assert "0x" + signature == grant["expected"]["ownerSignature"]
    address = session.do("make_session_key")
    private = bytes(range(32))
    hand_over_key = "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
    sealed = session.do("seal_session_key", address=address, hand_over_key=hand_over_key, request_id="request", account=account)
    bound = seal.info("request", 31337, sma(ma_vectors).address)
    key = seal.open_sealed(bytes.fromhex(sealed), private, bound)
    assert keys.address_of(key) == address
    keystore = session.do("session_keystore", address=address)
    session.window.send("show_code", address=address)
    code = [word for word in session.person.answer("Press Enter", "").split("1. ", 1)[1].split() if word.isalpha()]
    session.window.result()
    assert bytes(EthAccount.decrypt(json.loads(bytes.fromhex(keystore)), " ".join(code))) == key.reveal()
    session.do("reveal_session_key", ("to show: ", "reveal"), ("Press Enter", ""), address=address)
    session.watch_key("session key", key.reveal())
    session.hunts += [Words("six-word code", tuple(code)), *text_forms("six-word code", " ".join(code))]


def mistakes(session: Session) -> None:
    """Every error the window may see, whose tracebacks are kept with all their locals."""
    session.do("change_passphrase", ("Passphrase: ", MISTYPED), ("Passphrase: ", PASSPHRASE), ("New passphrase: ", "short"),
               ("again: ", "short"), ("New passphrase: ", SECOND_PASSPHRASE), ("again: ", SECOND_PASSPHRASE))  # fmt: skip
    broken = "abandon " * 11 + "zoo"
    session.do("import_key", ("file: ", broken), ("none): ", ""), ("file: ", "0x" + "00" * 32), ("file: ", "\x04"), label="")
    session.do("set_expert", ("to turn on: ", "no"), on=True)
    session.do("sign", token="00" * 16)
    codes = [answer["error"] for answer in session.said if "error" in answer]
    assert codes == ["Declined", "Declined", "PreviewGone"]


def test_the_signer_holds_what_is_looked_for(session: Session) -> None:
    """Or else the hunt below would prove nothing."""
    signer = session.do("pid of the signer")
    if (why := may_read(signer)) is not None:
        pytest.skip(why)
    wanted = {hunt.name for hunt in session.in_signer}
    assert len(wanted) == 5
    assert scan_process(signer, session.in_signer) == wanted


def test_the_windows_memory_holds_no_secret(session: Session) -> None:
    window = session.window.process.pid
    assert len(session.hunts) > 200
    assert scan_process(window, session.hunts) == set()
    # What the window may know is found there: the scanner was looking at the right process.
    assert scan_process(window, [Exact("an address", str(MASTERS[0]).encode())]) == {"an address"}


def test_no_file_holds_a_secret(session: Session) -> None:
    files = {path.name for path in session.home.rglob("*") if path.is_file()}
    assert {"vault", "vault.bak", "window.log", "exported.json"} <= files
    assert scan_tree(session.home, session.hunts) == set()


def test_no_log_and_no_exception_holds_a_secret(session: Session) -> None:
    log = session.window.log.read_bytes()
    assert log.count(b"a call failed") == 3
    told = json.dumps(session.said).encode() + log
    assert b"capture" not in told
    assert {hunt.name for hunt in session.hunts if hunt.found_in(told)} == set()


def test_after_locking_nothing_is_left_of_the_signer(session: Session) -> None:
    """Last of all: the process is gone, and the vault opens with the new passphrase only."""
    signer = session.do("pid of the signer")
    session.do("lock")
    assert not Path(f"/proc/{signer}").exists()
    session.do("unlock", ("Passphrase: ", PASSPHRASE), ("Passphrase: ", SECOND_PASSPHRASE))
    assert "unlocked=True" in session.do("status")
    assert scan_process(session.window.process.pid, session.hunts) == set()
