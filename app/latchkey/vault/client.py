"""The client: what the window and the command line hold of the signer. It never sees a secret.

Calls block (use them on a worker thread), one at a time, and raise LatchkeyError subclasses as the signer raised them. The signer
process starts with the first call and ends with `lock`: forgetting is the end of a process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, BinaryIO, cast

from latchkey.core.account import Account
from latchkey.core.draft import draft_from_json
from latchkey.core.ending import Known
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.phrases import Finding, Words
from latchkey.core.request import Claims
from latchkey.core.types import Address
from latchkey.errors import LatchkeyError, Locked, SignerError
from latchkey.language import tr
from latchkey.vault.frames import USED, read_frame, write_frame
from latchkey.vault.harden import clean_environment
from latchkey.vault.model import BreakGlass, EndingPreview, MasterKey, Preview, Prompt, PromptMode, SessionKey, Status
from latchkey.vault.prompt import own_command
from latchkey.vault.wire import from_account, from_known, read, to_error

__all__ = [
    "BreakGlass",
    "EndingPreview",
    "MasterKey",
    "Preview",
    "Prompt",
    "PromptMode",
    "SessionKey",
    "SignerClient",
    "Status",
]

NO_CLAIMS = Claims()


class SignerClient:
    """`vault`: the sealed file, None when there is none yet. `save` writes its new bytes before a call returns; when it raises, the
    signer is ended, so that what it knows and what is on the disk stay the same. `command`: another way to start the signer.
    """

    def __init__(
        self,
        vault: bytes | None,
        save: Callable[[bytes], None],
        prompt: Prompt = Prompt(),  # noqa: B008 - frozen
        command: Sequence[str] | None = None,
    ) -> None:
        self._vault, self._save, self._prompt = vault, save, prompt
        self._command = list(command or own_command("signer"))
        self._turn = threading.Lock()  # held for the length of a call
        self._signer: subprocess.Popen[bytes] | None = None
        self._calls = 0
        self._locks = 0  # how often it was locked
        self._begun = threading.local()  # `.locks`: how often, when what this thread is at was begun
        self._used = False

    # --- the process

    @property
    def is_running(self) -> bool:
        """Whether there is a signer, unlocked or not."""
        return self._signer is not None

    def take_use(self) -> bool:
        """Whether a person did something at the desk since this was asked last."""
        used, self._used = self._used, False
        return used

    def start(self) -> None:
        """Start the signer now instead of at the first call."""
        with self._turn:
            self._running(self._locks)

    @property
    def moment(self) -> int:
        """Now, for `since`."""
        return self._locks

    @contextmanager
    def since(self, moment: int) -> Iterator[None]:
        """What this thread does in here was begun at that `moment`: every call raises Locked when it was locked since. With the keyring on,
        a call would otherwise open again what the person has just locked."""
        self._begun.locks = moment
        try:
            yield
        finally:
            del self._begun.locks

    def lock(self) -> None:
        """End the signer at once, also in the middle of a call (which then raises Locked), and whatever was begun with `since`."""
        self._locks += 1
        self._end()

    def _end(self) -> None:
        signer, self._signer = self._signer, None
        if signer is not None:
            signer.kill()
            signer.wait()
            for pipe in (signer.stdin, signer.stdout):
                with suppress(OSError):
                    cast(BinaryIO, pipe).close()

    close = lock

    # --- the vault

    def status(self) -> Status:
        """Starts nothing: without a signer the vault is locked."""
        with self._turn:
            signer, locks = self._signer, self._locks
            if signer is None or signer.poll() is not None:
                return Status(exists=self._vault is not None, unlocked=False)
            return read(Status, self._call("status", locks))

    def unlock(self) -> None:
        """Ask for the passphrase. Raises Declined, WrongPassphrase (where nobody can be asked again), VaultError."""
        self._do("unlock")

    def create_key(self, words: int = 24, label: str = "") -> Address:
        """A new master key of 12 or 24 recovery words; makes the vault when there is none."""
        return Address.parse(self._do("create_key", words=words, label=label))

    def import_key(self, label: str = "", source_fd: int | None = None, path: str | None = None) -> Address:
        """Import at the desk or terminal, or from a descriptor: recovery words (their passphrase on a second line), a private key in
        hexadecimal, or keystore JSON. `path`: derivation path of words. A descriptor is passed on at the signer's start, so a running
        signer is ended first.
        """
        with self._turn:
            locks = self._locks
            if source_fd is not None:
                self._end()
                self._running(locks, source_fd)
            return Address.parse(self._call("import_key", locks, label=label, source=source_fd is not None, path=path))

    def export_keystore(self, address: Address) -> bytes:
        """The master key as V3 JSON under a passphrase the person chooses."""
        return cast(bytes, self._do("export_keystore", address=address))

    def rename_key(self, address: Address, label: str) -> None:
        """Raises BadInput, Refused (no such key), Locked."""
        self._do("rename_key", address=address, label=label)

    def remove_key(self, address: Address) -> None:
        """Forget a master key, after a typed yes. Raises Declined, Refused (no such key, or the only one), Locked."""
        self._do_for_good("remove_key", address=address)

    def set_expert(self, on: bool) -> None:
        self._do("set_expert", on=on)

    def change_passphrase(self) -> str:
        """Returns what a person should know besides, "" for nothing."""
        return str(self._do_for_good("change_passphrase"))

    def set_keyring(self, on: bool) -> str:
        """Let the keyring of this computer open the vault too, or no longer. Returns what a person should know besides, "" for nothing.
        Raises Declined, Locked, VaultError (the keyring will not)."""
        return str(self._do_for_good("set_keyring", on=on))

    # --- the Wallet APIs' key: kept in the vault, used by the window, for the signer talks to no network

    def keep_api_key(self, key: str) -> None:
        """ "" forgets it. Raises BadInput, Locked."""
        self._do("keep_api_key", key=key)

    def api_key(self) -> str:
        """ "" when none is kept. For one call at a time: never to be kept, shown or logged. Raises Locked."""
        return str(self._do("api_key"))

    # --- signing

    def preview_grant(
        self, unsigned: bytes, account: Account, owner: Address, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES
    ) -> Preview:
        """What the signer reads in the bytes. Raises Refused, Mismatch, CannotDecode, Locked."""
        names = {"claims": asdict(claims), "notes": asdict(notes)}
        made = self._do("preview_grant", unsigned=unsigned, account=from_account(account), owner=owner, **names)
        return Preview(
            token=made["token"],
            draft=draft_from_json(made["draft"]),
            words=read(Words, made["words"]),
            findings=tuple(read(Finding, finding) for finding in made["findings"]),
            digest=made["digest"],
        )

    def sign(self, token: bytes) -> bytes:
        """Sign a preview after the person's yes: r||s||v, 65 bytes. Raises Declined, Refused (token spent or too old), Locked."""
        return cast(bytes, self._do("sign", token=token))

    # --- ending, cancelling, tightening

    def preview_operations(
        self, operations: Sequence[bytes], account: Account, owner: Address, known: Sequence[Known] = ()
    ) -> EndingPreview:
        """What the signer reads in unsigned operations; several with one nonce are one at several fees. `known`: what is said of the
        sessions they name, shown as such. Raises Refused, Mismatch, CannotDecode, Locked."""
        return self._preview_endings("operations", operations, account, owner, known)

    def preview_transactions(
        self, transactions: Sequence[bytes], account: Account, key: Address, known: Sequence[Known] = ()
    ) -> EndingPreview:
        """The same for transactions of `key`: the owner, or any master key for those that carry operations the owner signed."""
        return self._preview_endings("transactions", transactions, account, key, known)

    def _preview_endings(
        self, what: str, datas: Sequence[bytes], account: Account, key: Address, known: Sequence[Known]
    ) -> EndingPreview:
        said = list(map(from_known, known))
        made = self._do("preview_endings", what=what, datas=list(datas), account=from_account(account), key=key, known=said)
        return EndingPreview(
            token=made["token"],
            words=read(Words, made["words"]),
            findings=tuple(read(Finding, finding) for finding in made["findings"]),
            digest=made["digest"],
            digests=tuple(made["digests"]),
        )

    def sign_all(self, token: bytes) -> tuple[bytes, ...]:
        """Sign everything of a preview after one yes: r||s||v of each, in order. Raises Declined, Refused (token spent or old), Locked."""
        return tuple(self._do("sign_all", token=token))

    def keep_break_glass(self, account: Account, owner: Address, operations: Sequence[bytes], signatures: Sequence[bytes]) -> str:
        """Keep signed operations in the vault, in place of the account's earlier set. Returns the set's id."""
        arguments = {"operations": list(operations), "signatures": list(signatures)}
        return str(self._do("keep_break_glass", account=from_account(account), owner=owner, **arguments))

    def break_glass(self) -> tuple[BreakGlass, ...]:
        """Every set that is kept. Raises Locked."""
        return tuple(read(BreakGlass, one) for one in self._do("break_glass"))

    def forget_break_glass(self, set_id: str) -> None:
        """Take a set out of the vault; on the chain nothing changes. Raises Refused."""
        self._do("forget_break_glass", set=set_id)

    # --- session keys made here

    def make_session_key(self) -> Address:
        return Address.parse(self._do("make_session_key"))

    def seal_session_key(self, address: Address, hand_over_key: bytes, request_id: str, account: Account) -> bytes:
        """Sealed to the request's X25519 key (seal.py). Raises Refused when it was sealed for another request before."""
        sealed = self._do(
            "seal_session_key", address=address, hand_over_key=hand_over_key, request_id=request_id, account=from_account(account)
        )
        return cast(bytes, sealed)

    def session_keystore(self, address: Address) -> bytes:
        """As V3 JSON under a code of six words; `show_code` shows the code at the desk."""
        return cast(bytes, self._do("session_keystore", address=address))

    def show_code(self, address: Address) -> None:
        self._do("show_code", address=address)

    def reveal_session_key(self, address: Address) -> None:
        """Show the raw key at the desk, behind a typed yes."""
        self._do("reveal_session_key", address=address)

    # --- calls

    def _do(self, verb: str, **arguments: Any) -> Any:
        """What waited for its turn while the person locked is not done any more: with the keyring on it would open the vault again."""
        locks = self._began()
        with self._turn:
            return self._call(verb, locks, **arguments)

    def _do_for_good(self, verb: str, **arguments: Any) -> Any:
        """The new file is saved twice: the last good copy must not open, or tell, what the person took back."""
        locks = self._began()
        with self._turn:
            answer = self._call(verb, locks, **arguments)
            self._keep(cast(bytes, self._vault))
            return answer

    def _began(self) -> int:
        return getattr(self._begun, "locks", self._locks)

    def _call(self, verb: str, locks: int, **arguments: Any) -> Any:
        signer = self._running(locks)
        self._calls += 1
        try:
            write_frame(cast(BinaryIO, signer.stdin), {**arguments, "id": self._calls, "verb": verb})
            while (answer := read_frame(cast(BinaryIO, signer.stdout))) == USED:
                self._used = True
        except (OSError, ValueError):  # ValueError: `lock` closed the pipes
            answer = None
        if answer is None or answer.get("id") != self._calls:
            raise self._gone(signer)
        if "vault" in answer:
            self._keep(answer["vault"])
        if "error" in answer:
            raise to_error(answer["error"])
        return answer["result"]

    def _keep(self, sealed: bytes) -> None:
        try:
            self._save(sealed)
        except BaseException:
            self.lock()
            raise
        self._vault = sealed

    def _gone(self, signer: subprocess.Popen[bytes]) -> LatchkeyError:
        if self._signer is not signer:
            return _locked()
        self.lock()
        return SignerError(tr("The signer ended unexpectedly; nothing was done. Unlock the vault again."), code="SignerGone")

    def _running(self, locks: int, source_fd: int | None = None) -> subprocess.Popen[bytes]:
        """The signer, started if there is none. Raises Locked when it was locked more often than `locks`, also while it starts."""
        if self._locks != locks:
            raise _locked()
        signer = self._signer
        if signer is not None and signer.poll() is None:
            return signer
        self._end()
        with _copies(self._prompt.passphrase_fd, source_fd) as (passphrase_fd, source):
            signer = self._signer = _spawn(self._command, [fd for fd in (passphrase_fd, source) if fd is not None])
        if self._locks != locks:
            self._end()
            raise _locked()
        prompt = {**asdict(self._prompt), "passphrase_fd": passphrase_fd}
        opening = {"verb": "open", "vault": self._vault, "prompt": prompt, "source_fd": source}
        try:
            write_frame(cast(BinaryIO, signer.stdin), opening)
        except (OSError, ValueError):  # ValueError: `lock` closed the pipes, on another thread
            raise self._gone(signer) from None
        return signer


def _locked() -> Locked:
    return Locked(tr("Latchkey was locked while this was under way; nothing more was done. Begin again when you want it."))


@contextmanager
def _copies(*fds: int | None) -> Iterator[list[int | None]]:
    """Copies of descriptors under numbers a child can keep: its first three are taken."""
    copies = [None if fd is None else os.dup(fd) for fd in fds]
    try:
        yield copies
    finally:
        for copy in copies:
            if copy is not None:
                os.close(copy)


def _spawn(command: list[str], fds: Sequence[int]) -> subprocess.Popen[bytes]:
    """Start the signer from a thread that lives as long as it does.

    The signer asks Linux to be killed with its parent, and there a parent is the *thread* that started the process: a pool's worker
    that retires would take the signer along.
    """
    made: list[subprocess.Popen[bytes] | OSError] = []
    ready = threading.Event()

    def keep() -> None:
        try:
            signer = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=clean_environment(),
                cwd="/" if sys.platform != "win32" else None,
                pass_fds=fds if sys.platform != "win32" else (),
            )
        except OSError as error:
            made.append(error)
            ready.set()
            return
        made.append(signer)
        ready.set()
        signer.wait()

    threading.Thread(target=keep, name="signer-keeper", daemon=True).start()
    ready.wait()
    if isinstance(made[0], OSError):
        raise SignerError(tr("The signer could not be started."), code="NoSigner")
    return made[0]
