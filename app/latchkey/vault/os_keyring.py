"""The signer's side of the keyring: errands for a process of its own (keyring_process), and sentences for what goes wrong there."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from latchkey.errors import SignerError, VaultError
from latchkey.language import tr
from latchkey.vault.file import Wrap
from latchkey.vault.frames import read_frame, write_frame
from latchkey.vault.harden import clean_environment
from latchkey.vault.prompt import own_command
from latchkey.vault.secret import SecretBytes

PATIENCE = 60  # seconds: the system may ask a person to open the keyring

_FAULTS = {
    "none": ("NoKeyring", tr("This computer has no keyring that Latchkey uses, or it does not run.")),
    "locked": ("KeyringLocked", tr("The keyring of this computer is locked and was not opened.")),
    "missing": ("NoItem", tr("The keyring of this computer no longer holds what opens this vault.")),
    "silent": ("KeyringSilent", tr("The keyring of this computer did not answer in time.")),
    "failed": ("KeyringFailed", tr("The keyring of this computer refused, or did not do what it was asked.")),
}


class OsKeyring:
    """Keeps wrap keys under names that tell nothing. Every call raises VaultError with a sentence when the keyring will not."""

    def __init__(self, command: Sequence[str] | None = None, patience: float = PATIENCE) -> None:
        self._command, self._patience = list(command or own_command("keyring")), patience

    def check(self) -> None:
        """Whether there is one and it opens: before a person is asked for anything on its account."""
        try:
            self._send("fetch", os.urandom(16))
        except VaultError as error:
            if error.code != "NoItem":
                raise

    def keep(self, item: bytes) -> Wrap:
        """A fresh wrap key, kept under this name in place of an earlier one."""
        wrap = Wrap(item, SecretBytes(os.urandom(32)))
        self._send("keep", item, key=wrap.key.reveal())
        return wrap

    def fetch(self, item: bytes) -> SecretBytes:
        key = self._send("fetch", item).get("key")
        if not isinstance(key, bytes) or len(key) != 32:
            raise _fault("failed")
        return SecretBytes(key)

    def forget(self, item: bytes) -> None:
        """Also when it is gone already."""
        try:
            self._send("forget", item)
        except VaultError as error:
            if error.code != "NoItem":
                raise

    def _send(self, errand: str, item: bytes, **more: bytes) -> dict[str, Any]:
        answer = self._exchange({"do": errand, "item": f"vault {item.hex()}", **more})
        if "fault" in answer:
            raise _fault(answer["fault"])
        return answer

    def _exchange(self, ask: dict[str, Any]) -> dict[str, Any]:
        frame = io.BytesIO()
        write_frame(frame, ask)
        try:
            done = subprocess.run(
                self._command,
                input=frame.getvalue(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._patience,
                check=False,
                env=clean_environment(),
                cwd="/" if sys.platform != "win32" else None,
            )
            answer = read_frame(io.BytesIO(done.stdout))
        except subprocess.TimeoutExpired:
            raise _fault("silent") from None
        except (OSError, SignerError):
            raise _fault("failed") from None
        return answer if answer is not None else {"fault": "failed"}


def _fault(name: object) -> VaultError:
    code, sentence = _FAULTS.get(str(name), _FAULTS["failed"])
    return VaultError(sentence, code=code)
