"""`latchkey --self-test`: does this installation work here? For installers, and for a bundle that may have lost a part.

Each check is one line: ok or the reason why not. Nothing is written outside a temporary folder, nothing is asked of anybody.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from latchkey import __version__
from latchkey.cli.output import Output
from latchkey.errors import LatchkeyError
from latchkey.offline import is_offline
from latchkey.shipped import resource
from latchkey.vault.prompt import own_command

_SECONDS = 60
_PRACTICE = b"open the practice vault\n"  # flow.practice.PASSPHRASE, which an offline program cannot load

# A published grant (aa-sdk 4.88.5): contract-access on 0x11..11 for anvil key 1, until 2030.
_DRAFT = {
    "system": "modular_account",
    "chainId": 31337,
    "account": "0x65b5DE0251f553B2208762a4724303E750294D96",
    "entityId": 1,
    "nonceKey": "0x0",
    "sequence": 0,
    "expiry": 1893456000,
    "sessionKey": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "permissions": [{"type": "contract-access", "data": {"address": "0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D"}}],
}
_DIGEST = "0xb5414f5846de567f3983ce3a036dc5451c36728522c9972aae09c1a4a35fb4c1"


def main(output: Output) -> int:
    """Run every check; 0 when all are well."""
    checks = {
        "grants": _grants,
        "recovery words": _recovery_words,
        "QR codes": _qr_codes,
        "camera": _camera,
        "window": _window,
        "storage": _storage,
        "signer": _signer,
        "vault": _vault,
        "desk": _desk,
        "bridge": _bridge,
        "chain client": _chain,
        "keyring": _keyring,
    }
    results = {name: _run(check) for name, check in checks.items()}
    failed = [name for name, (well, _) in results.items() if not well]
    lines = [f"{'ok  ' if well else 'FAIL'} {name}: {detail}" for name, (well, detail) in results.items()]
    verdict = f"{len(failed)} of {len(results)} checks failed" if failed else "all well"
    output.result(
        {
            "version": __version__,
            "ok": not failed,
            "checks": {name: {"ok": well, "detail": detail} for name, (well, detail) in results.items()},
        },
        "\n".join([*lines, f"Latchkey {__version__} on Python {sys.version.split()[0]}: {verdict}"]),
    )
    return 1 if failed else 0


def _run(check: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, check()
    except LatchkeyError as error:
        return False, error.text
    except Exception as error:  # noqa: BLE001 - a self-test reports whatever is broken
        return False, f"{type(error).__name__}: {error}"


def _grants() -> str:
    from latchkey.accounts.review import review
    from latchkey.accounts.system import Policy, system
    from latchkey.core.account import Account, Mode
    from latchkey.core.draft import draft_from_json
    from latchkey.core.types import to_hex

    draft = draft_from_json(_DRAFT)
    grant = system(draft.system).build(draft)
    if to_hex(grant.digest) != _DIGEST:
        raise ValueError("a published grant is built differently here")
    found = review(
        grant.unsigned,
        Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS),
        now=1_790_000_000,
        policy=Policy.STRICT,
    )
    return f"a published grant is built, read back and worded ({len(found.words.can)} powers)"


def _recovery_words() -> str:
    from eth_account.hdaccount.mnemonic import Mnemonic
    from eth_account.types import Language

    words = Mnemonic(Language.ENGLISH).wordlist
    if len(words) != 2048:
        raise ValueError("the word list is not whole")
    return "2048 words"


def _qr_codes() -> str:
    from latchkey.codec.qr import matrix, read_codes

    text, scale, quiet = "UR:LATCHKEY-GRANT/AEADAOLAZMJENDEOTI", 4, 4
    modules = matrix(text)
    side = (len(modules) + 2 * quiet) * scale
    gray = bytearray(b"\xff" * (side * side))
    for y, row in enumerate(modules):
        for x, dark in enumerate(row):
            if dark:
                for line in range((y + quiet) * scale, (y + quiet + 1) * scale):
                    start = line * side + (x + quiet) * scale
                    gray[start : start + scale] = bytes(scale)
    if read_codes(memoryview(gray), side, side, side) != [text]:
        raise ValueError("a code was drawn and not read back")
    return "drawn and read back"


def _camera() -> str:
    """Qt's plug-in for cameras loads; that there is none is fine."""
    from latchkey.ui.scan.capture import count_cameras

    return f"can be spoken to, {count_cameras()} found"


def _window() -> str:
    """The real window, painted once: a missing plug-in or resource ends it before."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*own_command("--data-dir"), folder],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={**_offscreen(), "LATCHKEY_FIRST_PAINT": "1"},
        )
    line = done.stdout.decode(errors="replace").strip()
    if done.returncode != 0 or not line.startswith("first-paint"):
        raise ValueError(done.stderr.decode(errors="replace").strip()[-300:] or f"ended with {done.returncode}")
    return f"painted after {line.split()[1]} ms"


def _storage() -> str:
    from latchkey.store import atomic
    from latchkey.store.book import Book

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        atomic.write(path, b"one")
        book = Book.open(Path(folder) / "book.sqlite")
        book.close()
    return "files are replaced whole, the book opens"


def _signer() -> str:
    from latchkey.vault.client import Prompt, PromptMode, SignerClient

    client = SignerClient(None, lambda _: None, Prompt(PromptMode.TERMINAL))
    client.start()
    try:
        status = client.status()
    finally:
        client.close()
    return f"starts, is {'unlocked' if status.unlocked else 'locked'}, ends"


def _vault() -> str:
    """The practice vault, whose passphrase is public, opened where every vault is: in the signer."""
    from latchkey.vault.client import Prompt, PromptMode, SignerClient

    source, sink = os.pipe()
    os.write(sink, _PRACTICE)
    os.close(sink)
    vault = resource("practice/vault.latchkey-vault").read_bytes()
    client = SignerClient(vault, lambda _: None, Prompt(PromptMode.FD, source, script=True))
    try:
        client.unlock()
        keys = len(client.status().keys)
    finally:
        client.close()
        os.close(source)
    if not keys:
        raise ValueError("the practice vault holds no key")
    return f"the practice vault opens, {keys} {'key' if keys == 1 else 'keys'}"


def _bridge() -> str:
    """Starts and leaves when its pipe closes; it listens nowhere before it is told where."""
    if is_offline():
        return "not part of an offline Latchkey"
    done = subprocess.run(own_command("bridge"), input=b"", capture_output=True, timeout=_SECONDS, check=False)
    if done.returncode != 1 or done.stderr:  # 1: nobody said where to listen
        raise ValueError(f"ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return "starts and ends with its pipe"


def _chain() -> str:
    """The client, its TLS, and that it says so when nobody answers: at a port of this computer that nothing uses."""
    if is_offline():
        return "not part of an offline Latchkey"
    from latchkey.chain.node import Node
    from latchkey.chain.wire import Unreachable, authorities

    node = Node("http://127.0.0.1:1")
    try:
        node.call("eth_chainId")
        raise ValueError("something answers on port 1 of this computer")
    except Unreachable:
        pass
    finally:
        node.close()
    if not (known := authorities()):
        raise ValueError("no certificate authorities are found, so no RPC can be reached safely")
    return f"works, {known} certificate authorities known"


def _desk() -> str:
    """Starts and leaves when its pipe closes, as it does when the signer ends."""
    done = subprocess.run(own_command("desk"), input=b"", capture_output=True, timeout=_SECONDS, check=False, env=_offscreen())
    if done.returncode != 0:
        raise ValueError(f"ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return "starts and ends with its pipe"


def _keyring() -> str:
    """The process that asks it is there and answers, whether there is a keyring on this computer or not."""
    from latchkey.vault.os_keyring import OsKeyring

    answers = {"NoItem": "is there", "KeyringLocked": "is there, locked", "NoKeyring": "is none here"}
    try:
        OsKeyring().fetch(bytes(16))
    except LatchkeyError as error:
        if error.code not in answers:
            raise
        return f"{answers[error.code]} (not used unless you choose it)"
    raise ValueError("an item that nobody put there")


def _offscreen() -> dict[str, str]:
    """Qt's own screenless platform, unless there is a screen."""
    has_screen: Sequence[str] = [name for name in ("DISPLAY", "WAYLAND_DISPLAY") if os.environ.get(name)]
    return dict(os.environ) if has_screen or sys.platform != "linux" else {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
