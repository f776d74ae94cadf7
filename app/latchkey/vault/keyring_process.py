"""The keyring's process: one errand at the keyring of this computer, given by the signer over a pipe, and then its end.

It stands apart because a keyring is spoken to over a socket (D-Bus) and with libraries that the signer does not load. It sees the wrap
key and neither the vault nor a passphrase, and reaches no network.
    {"do": "fetch" | "keep" | "forget", "item": name, "key"?: 32 bytes}
    -> {"key"?: 32 bytes} or {"fault": "none" | "locked" | "missing" | "failed"}
Which keyrings count is a closed list: the systems' own. What a settings file or the environment names instead (plain files, nothing at
all, chains of several) is not looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from latchkey.offline import lock_down
from latchkey.vault.frames import read_frame, write_frame
from latchkey.vault.harden import harden, take_over_standard_streams

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "Latchkey"
Fields = dict[str, Any]


def main() -> int:
    """The body of the process."""
    harden()
    lock_down()
    source, sink = take_over_standard_streams()
    ask = read_frame(source)
    if ask is not None:
        write_frame(sink, _answer(ask))
    return 0


def known() -> Iterator[type[KeyringBackend]]:
    """The keyrings of this system, best first."""
    if sys.platform == "darwin":
        from keyring.backends import macOS

        yield macOS.Keyring
    elif sys.platform == "win32":
        from keyring.backends import Windows

        yield Windows.WinVaultKeyring
    else:
        from keyring.backends import SecretService, kwallet

        yield SecretService.Keyring
        yield kwallet.DBusKeyring


def usable() -> type[KeyringBackend] | None:
    """The first of them that is there."""
    return next((kind for kind in known() if kind.viable), None)


def _answer(ask: Fields) -> Fields:
    """What went wrong is told by a word: messages may quote what was given."""
    from keyring.errors import KeyringLocked

    try:
        kind = usable()
        return _do(kind(), ask) if kind is not None else {"fault": "none"}
    except KeyringLocked:
        return {"fault": "locked"}
    except Exception:  # noqa: BLE001 - the edge of the process; every keyring has errors of its own
        return {"fault": "failed"}


def _do(keyring: KeyringBackend, ask: Fields) -> Fields:
    from keyring.errors import PasswordDeleteError

    match ask["do"]:
        case "fetch":
            found = keyring.get_password(SERVICE, ask["item"])
            return {"fault": "missing"} if found is None else {"key": bytes.fromhex(found)}
        case "keep":
            keyring.set_password(SERVICE, ask["item"], ask["key"].hex())
            kept = keyring.get_password(SERVICE, ask["item"]) == ask["key"].hex()  # some lose what they take
            return {} if kept else {"fault": "failed"}
        case "forget":
            try:
                keyring.delete_password(SERVICE, ask["item"])
            except PasswordDeleteError:
                return {"fault": "missing"}
            return {}
    return {"fault": "failed"}
