"""The signer as a process: what a client gets from it, what it gives up at its start, and when it ends."""

import contextlib
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount

from latchkey.errors import BadInput, Locked, Refused, SignerError, StoreError, VaultError, WrongPassphrase
from latchkey.vault import client as module
from latchkey.vault import file, harden, seal
from latchkey.vault.client import Prompt, PromptMode, SignerClient, Status
from latchkey.vault.frames import read_frame, write_frame
from latchkey.vault.prompt import own_command
from latchkey.vault.test_keys import MASTERS, MNEMONIC, SESSIONS
from tests.vault.material import (
    OWNER,
    PASSPHRASE,
    REAL_KEY,
    descriptor,
    grant_named,
    public_master,
    public_raw,
    real_master,
    sealed,
    secret,
    sma,
    unsigned,
)
from tests.vault.terminal import Person, Window

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="these switches are Linux's")


@pytest.fixture(scope="module")
def expert_vault() -> bytes:
    return sealed(public_master(0), public_raw(1), expert=True, cost=file.FLOOR)


def script(vault: bytes | None, passphrase: str = PASSPHRASE, saved: list[bytes] | None = None) -> SignerClient:
    kept: list[bytes] = [] if saved is None else saved
    return SignerClient(vault, kept.append, Prompt(PromptMode.FD, descriptor(passphrase + "\n"), script=True))


@pytest.fixture(scope="module")
def client(expert_vault: bytes) -> Iterator[SignerClient]:
    made = script(expert_vault)
    made.unlock()
    yield made
    made.close()


def pid(client: SignerClient) -> int:
    assert client._signer is not None
    return client._signer.pid


def alive(process: int) -> bool:
    """Running: neither gone nor waiting to be collected."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(process: int, seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while alive(process) and time.monotonic() < until:
        time.sleep(0.01)
    return not alive(process)


# --- what a client gets


def test_status(client: SignerClient) -> None:
    status = client.status()
    assert (status.exists, status.unlocked, status.test_only, status.expert) == (True, True, True, True)
    assert [(key.address, key.label, key.kind) for key in status.keys] == [
        (MASTERS[0], "anvil 0", "mnemonic"),
        (MASTERS[1], "anvil 1", "raw"),
    ]


def test_an_api_key_is_kept_and_given_back_while_the_vault_is_open(expert_vault: bytes) -> None:
    saved: list[bytes] = []
    client = script(expert_vault, saved=saved)
    client.unlock()
    assert (client.api_key(), client.status().has_api_key) == ("", False)
    client.keep_api_key("alchemy-0123")
    client.lock()

    again = script(saved[-1], saved=saved)
    with pytest.raises(Locked):
        again.api_key()
    again.unlock()
    assert (again.api_key(), again.status().has_api_key) == ("alchemy-0123", True)
    for wrong in ("two words", "k" * 201, "schlüssel", "line\n"):
        with pytest.raises(BadInput) as caught:
            again.keep_api_key(wrong)
        assert wrong not in caught.value.text
    again.keep_api_key("")
    assert not again.status().has_api_key
    again.close()
    assert file.open_vault(saved[-1], secret(PASSPHRASE)).contents.api_key is None


GRANTS = [
    "root", "contract-access, expiry", "functions-on-contract two contracts", "account-functions + gas-limit", "erc20 one token, expiry",
    "native + erc20 + gas-limit + contract-access + expiry", "contract-access, nonceKey max uint152",
    "erc20, session key = anvil 2, entity 5, deadline max uint48", "session key equals owner",
]  # fmt: skip


@pytest.mark.parametrize("name", GRANTS)
def test_published_grants_get_their_published_signature(name: str, client: SignerClient, ma_vectors: dict[str, Any]) -> None:
    grant = grant_named(ma_vectors, name)
    preview = client.preview_grant(unsigned(grant), sma(ma_vectors), OWNER)
    assert preview.digest.hex() == grant["expected"]["deferredActionDigest"][2:]
    assert preview.draft.expiry == grant["input"]["deadline"]
    assert str(preview.draft.session_key) in preview.words.headline.plain
    assert "0x" + client.sign(preview.token).hex() == grant["expected"]["ownerSignature"]
    with pytest.raises(Refused) as caught:
        client.sign(preview.token)
    assert caught.value.code == "PreviewGone"


def test_refusals_arrive_as_they_were_raised(client: SignerClient, ma_vectors: dict[str, Any]) -> None:
    grant = grant_named(ma_vectors, "contract-access, expiry")
    for account, owner, code in (
        (sma(ma_vectors, chain_id=1), OWNER, "PublicTestKey"),
        (sma(ma_vectors), MASTERS[1], "WrongOwner"),
        (sma(ma_vectors), MASTERS[7], "UnknownKey"),
    ):
        with pytest.raises(Refused) as caught:
            client.preview_grant(unsigned(grant), account, owner)
        assert caught.value.code == code
        assert caught.value.text.endswith(".")
    with pytest.raises(Refused):
        client.sign(bytes(16))


def test_there_is_no_verb_for_anything_else(client: SignerClient) -> None:
    for verb in ("sign_hash", "sign_digest", "export", "modules", "__class__", ""):
        with pytest.raises(SignerError) as caught:
            client._do(verb, digest=bytes(32))
        assert caught.value.code == "UnknownVerb"


def test_nonsense_is_answered_without_quoting_it(client: SignerClient) -> None:
    for arguments in ({}, {"token": []}, {"token": {"canary": 1}}):
        with pytest.raises((SignerError, Refused)) as caught:
            client._do("sign", **arguments)
        assert "canary" not in caught.value.text
    with pytest.raises(SignerError) as internal:
        client._do("create_key")
    assert internal.value.code == "Internal"
    assert client.status().unlocked


def test_session_keys(expert_vault: bytes, ma_vectors: dict[str, Any]) -> None:
    saved: list[bytes] = []
    client = script(expert_vault, saved=saved)
    client.unlock()
    address = client.make_session_key()
    assert address == SESSIONS[0]
    assert [session.address for session in file.open_vault(saved[-1], secret(PASSPHRASE)).contents.sessions] == [address]
    private = bytes(range(32))
    public = bytes.fromhex("8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f")
    account = sma(ma_vectors)
    sealed_key = client.seal_session_key(address, public, "request-1", account)
    key = seal.open_sealed(sealed_key, private, seal.info("request-1", account.chain_id, account.address))
    assert EthAccount.from_key(key.reveal()).address == address
    assert client.status().session_keys[0].request_id == "request-1"
    assert json.loads(client.session_keystore(address))["address"].lower() == address[2:].lower()
    for only_for_people in (client.show_code, client.reveal_session_key):
        with pytest.raises(SignerError) as caught:
            only_for_people(address)
        assert caught.value.code == "PersonNeeded"
    client.close()


def test_create_by_script_from_the_public_words() -> None:
    saved: list[bytes] = []
    client = script(None, saved=saved)
    assert client.status() == Status(exists=False, unlocked=False)
    assert client.import_key("practice", descriptor(MNEMONIC), "m/44'/60'/0'/0/3") == MASTERS[3]
    assert client.status().test_only
    exported = json.loads(client.export_keystore(MASTERS[3]))
    assert EthAccount.from_key(EthAccount.decrypt(exported, PASSPHRASE)).address == MASTERS[3]
    client.change_passphrase()
    assert saved[-1] == saved[-2]
    client.close()
    again = script(saved[-1])
    again.unlock()
    assert again.status().keys[0].label == "practice"
    with pytest.raises(SignerError) as caught:
        again.create_key(12)
    assert caught.value.code == "PersonNeeded"
    again.close()


def test_a_script_is_no_person_for_real_keys() -> None:
    client = script(None)
    with pytest.raises(SignerError) as caught:
        client.import_key("real", descriptor(REAL_KEY))
    assert caught.value.code == "PersonNeeded"
    client.close()
    client = script(sealed(public_master(0), real_master()))
    with pytest.raises(SignerError) as caught:
        client.unlock()
    assert caught.value.code == "PersonNeeded"
    assert not client.status().unlocked
    client.close()


def test_real_keys_open_with_a_descriptor_but_are_confirmed_by_a_person() -> None:
    """Run where there is no terminal: a new session has none."""
    saved: list[bytes] = []
    prompt = Prompt(PromptMode.FD, descriptor(PASSPHRASE + "\n"))
    command = [sys.executable, "-c", "import os; os.setsid(); from latchkey.vault.signer import main; main()"]
    client = SignerClient(sealed(real_master(), cost=file.FLOOR), saved.append, prompt, command)
    client.unlock()
    assert not client.status().test_only
    with pytest.raises(SignerError) as caught:
        client.export_keystore(real_master().address)
    assert caught.value.code == "PersonNeeded"
    client.close()


def test_wrong_passphrase_and_damage(expert_vault: bytes) -> None:
    client = script(expert_vault, "not the passphrase")
    with pytest.raises(WrongPassphrase):
        client.unlock()
    with pytest.raises(Locked):
        client.make_session_key()
    client.close()
    client = script(expert_vault[:-1] + b"\x00")
    with pytest.raises(VaultError, match="damaged"):
        client.unlock()
    client.close()
    client = script(None)
    with pytest.raises(VaultError, match="no vault"):
        client.unlock()
    with pytest.raises(BadInput):
        client.import_key("x", descriptor("no key at all"))
    client.close()


def test_what_cannot_be_saved_is_not_known_either(expert_vault: bytes) -> None:
    def full(_data: bytes) -> None:
        raise StoreError("The disk is full.")

    client = SignerClient(expert_vault, full, Prompt(PromptMode.FD, descriptor(PASSPHRASE), script=True))
    client.unlock()
    process = pid(client)
    with pytest.raises(StoreError):
        client.make_session_key()
    assert gone(process)
    assert not client.status().unlocked
    client.close()


# --- when it ends


def test_lock_is_the_end_of_the_process(expert_vault: bytes) -> None:
    client = script(expert_vault)
    client.unlock()
    process = pid(client)
    before = time.monotonic()
    client.lock()
    assert time.monotonic() - before < 5
    assert gone(process, 0)
    assert client.status() == Status(exists=True, unlocked=False)
    client.lock()
    client.close()


@LINUX
def test_unlocking_takes_little_beyond_deriving(expert_vault: bytes) -> None:
    """From the moment the passphrase is there, while which the signer has loaded what it needs. In seconds of the processor, because
    this machine has other things to do."""
    cost, _ = file.check(expert_vault)
    readable, writable = os.pipe()
    client = SignerClient(expert_vault, lambda _: None, Prompt(PromptMode.FD, readable, script=True))
    assert not client._do("status")["unlocked"]
    before = cpu_once_quiet(pid(client))
    os.write(writable, PASSPHRASE.encode() + b"\n")
    client.unlock()
    unlocking = cpu_once_quiet(pid(client)) - before
    began = time.process_time()
    file._derive(secret(PASSPHRASE), bytes(32), cost)
    deriving = time.process_time() - began
    client.close()
    for fd in (readable, writable):
        os.close(fd)
    assert unlocking - deriving < 0.5


def cpu_once_quiet(process: int) -> float:
    """Seconds of the processor it has used, once it uses no more."""
    used = -1
    while True:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        now = int(fields[11]) + int(fields[12])
        if now == used and fields[0] == "S":  # it waits, and not for a processor
            return used / os.sysconf("SC_CLK_TCK")
        used = now
        time.sleep(0.2)


@pytest.mark.parametrize("name", ["_spawn", "write_frame"])
def test_lock_while_it_starts(expert_vault: bytes, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From another thread, while the process is started or between that and its first frame."""
    client, do = script(expert_vault), getattr(module, name)

    def locked_then(*arguments: Any) -> Any:
        client.lock()
        return do(*arguments)

    monkeypatch.setattr(module, name, locked_then)
    with pytest.raises(Locked):
        client.unlock()
    assert not client.is_running


def test_locking_ends_what_was_begun_before_and_nothing_else_does(expert_vault: bytes) -> None:
    client = script(expert_vault)
    before = client.moment
    client.start()  # is no lock, nor is the end of what was there before
    with client.since(before):
        client.unlock()
        client.lock()
        with pytest.raises(Locked, match="was locked while"):
            client.unlock()
        assert not client.status().unlocked
    assert not client.is_running


def test_lock_in_the_middle_of_a_call(expert_vault: bytes) -> None:
    """The passphrase never comes: the call ends all the same."""
    assert locked_while_unlocking(expert_vault, 1) < 5


def locked_while_unlocking(vault: bytes, threads: int) -> float:
    """As many try to unlock, and none gets a passphrase; seconds from locking until all have been told so."""
    readable, writable = os.pipe()
    client = SignerClient(vault, lambda _: None, Prompt(PromptMode.FD, readable, script=True))

    def unlock() -> None:
        with pytest.raises(Locked):
            client.unlock()

    with ThreadPoolExecutor(threads) as pool:
        told = [pool.submit(unlock) for _ in range(threads)]
        while client._signer is None:
            time.sleep(0.01)
        time.sleep(0.3)
        before = time.monotonic()
        client.lock()
        for one in told:
            one.result(20)
        took = time.monotonic() - before
    assert not client.is_running
    os.close(readable)
    os.close(writable)
    return took


def test_what_waits_for_its_turn_is_locked_out_too(expert_vault: bytes) -> None:
    """Else it would start a signer anew, which a keyring opens without asking."""
    locked_while_unlocking(expert_vault, 3)


def test_a_signer_that_died_says_so_and_starts_again(expert_vault: bytes) -> None:
    client = script(expert_vault)
    client.unlock()
    os.kill(pid(client), signal.SIGKILL)
    assert gone(pid(client))
    with pytest.raises(SignerError):  # gone, or locked when the end was noticed before
        client.make_session_key()
    assert not client.status().unlocked
    client.close()
    client = SignerClient(None, lambda _: None, command=[sys.executable, "-c", "pass"])
    with pytest.raises(SignerError) as caught:
        client.unlock()
    assert caught.value.code == "SignerGone"
    with pytest.raises(SignerError) as caught:
        SignerClient(None, lambda _: None, command=["/nowhere/at/all"]).start()
    assert caught.value.code == "NoSigner"


def test_one_call_at_a_time(client: SignerClient) -> None:
    found: list[Status] = []
    threads = [threading.Thread(target=lambda: found.append(client.status())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@LINUX
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None], ids=["killed", "terminated", "closed"])
def test_it_does_not_outlive_its_window(how: signal.Signals | None, tmp_path: Path) -> None:
    """Also while it waits for a person, and not before: the thread that started it may end."""
    person = Person()
    (tmp_path / "vault").write_bytes(sealed(public_master(0)))
    window = Window(tmp_path, person)
    window.do("start on a thread that ends")
    process = window.do("pid of the signer")
    window.send("unlock")
    person.expect("Passphrase: ")
    assert alive(process)
    if how is None:
        os.kill(window.process.pid, signal.SIGSTOP)  # the signer sees no more than its pipe
        os.kill(process, 0)
        os.kill(window.process.pid, signal.SIGKILL)
    else:
        os.kill(window.process.pid, how)
    assert gone(process)
    window.close()
    person.close()


# --- what it gives up


@LINUX
def test_hardening_as_the_kernel_sees_it(client: SignerClient) -> None:
    process = Path(f"/proc/{pid(client)}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    assert re.search(r"Max core file size\s+0\s+0\s", (process / "limits").read_text())
    # Not dumpable: its files under /proc belong to root, so another process of the same user cannot read its memory.
    assert (process / "mem").stat().st_uid == 0
    links = {int(link.name): link.readlink().as_posix() for link in (process / "fd").iterdir()}
    assert [links[fd] for fd in (0, 1, 2)] == ["/dev/null"] * 3
    assert all(target.startswith("pipe:") for fd, target in links.items() if fd > 2)
    assert len(links) == 6  # its two pipes and the passphrase's
    names = {line.partition(b"=")[0] for line in (process / "environ").read_bytes().split(b"\0") if line}
    assert not {name for name in names if name.startswith((b"PYTHON", b"LD_", b"PATH"))}
    maps = (process / "maps").read_text()
    assert not re.search(r"PySide6|shiboken|libQt6|web3|aiohttp|_sqlite3|_ssl\.", maps)


PROBE = """
import os, subprocess, sys
os.setgid(65534), os.setuid(65534)
with subprocess.Popen([sys.executable, "-I", "-c", sys.argv[1]], stdin=-1, stdout=-1) as child:
    assert child.stdout.readline() == b"ready\\n"
    try:
        open(f"/proc/{child.pid}/mem", "rb").close()
        print("readable")
    except PermissionError:
        print("refused")
    child.kill()
"""


@LINUX
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user to try")
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="needs a Python that every user may run")
@pytest.mark.parametrize(("call", "outcome"), [("", "readable"), ("harden()", "refused")], ids=["plain", "hardened"])
def test_another_process_of_the_same_user_cannot_read_it(call: str, outcome: str) -> None:
    code = f"{inspect.getsource(harden)}\n{call}\nprint('ready', flush=True)\nsys.stdin.read()"
    done = subprocess.run(["/usr/bin/python3", "-I", "-c", PROBE, code], capture_output=True, text=True, timeout=250, check=False)
    assert done.stdout.strip() == outcome, done.stderr


# --- frames as a hostile window may send them


def test_hostile_frames_end_it_or_are_answered(expert_vault: bytes) -> None:
    opening = {
        "verb": "open",
        "vault": expert_vault,
        "prompt": {"mode": "terminal", "passphrase_fd": None, "script": False},
        "source_fd": None,
    }
    for noise in (b"\xff" * 8, b"\x00\x00\x00\x01\xff", b"\x00\x10\x00\x01", b"\x00\x00\x00\x05abc"):
        process = subprocess.Popen(own_command("signer"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        write_frame(process.stdin, opening)
        write_frame(process.stdin, {"id": 1, "verb": "status"})
        answer = read_frame(process.stdout)
        assert answer is not None
        assert answer["result"]["unlocked"] is False
        write_frame(process.stdin, {"id": [2], "verb": {"a": 1}})
        answer = read_frame(process.stdout)
        assert answer is not None
        assert answer["error"]["code"] == "UnknownVerb"
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(noise)
            process.stdin.close()
        assert process.wait(60) == 0
        assert process.stdout.read() == b""
        process.stdout.close()
