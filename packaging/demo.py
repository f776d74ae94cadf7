"""`make demo`: Latchkey with a practice vault, an account and a sample request in a folder of its own, ready to try.

Without a display the same program runs on a virtual screen, and a script does what a person would do: open the request, go through
the wizard, unlock and confirm at the desk, and read the signed grant back from the QR code on the screen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication

from latchkey.chain.anvil import find_anvil, packaged_anvil
from latchkey.codec.qr import read_codes
from latchkey.codec.ur import Decoder
from latchkey.errors import ChainError
from latchkey.flow.keys import open_signer
from latchkey.flow.practice import PASSPHRASE, demo_dapp, furnish, practice, request_in
from latchkey.store.paths import DataDir
from latchkey.ui import app as program
from latchkey.ui.pages.signed import SignedPage
from latchkey.ui.pages.wizard import WizardPage
from latchkey.ui.window import Window
from latchkey.vault.model import Prompt, PromptMode

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "build" / "demo"
DATA = DEMO / "data"
REQUEST = DEMO / "skirmish-rooms.json"
LATCHKEY = (sys.executable, "-m", "latchkey", "--data-dir", str(DATA))


def main() -> int:
    prepare()
    if display_works():
        print(
            "Latchkey opens with a practice vault: public test keys for the local network 31337, which guard nothing.\n"
            f"  passphrase        {PASSPHRASE}\n"
            f"  a dApp's request  {REQUEST} (drop it on the window, or Ctrl+O)",
            flush=True,
        )
        return subprocess.call(LATCHKEY)
    with virtual_screen() as screen:
        return tour(screen)


# Getting ready -------------------------------------------------------------------------------------------------------------------


def prepare() -> None:
    """A fresh folder: the vault with the public test keys, the account of the first of them, and the request."""
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir(parents=True)
    folder = DataDir.open(DATA)
    furnish(folder)
    shutil.copy(request_in(folder), REQUEST)


@contextmanager
def passphrase() -> Iterator[int]:
    """A descriptor that the practice vault's passphrase can be read from, once."""
    source, sink = os.pipe()
    os.write(sink, PASSPHRASE.encode() + b"\n")
    os.close(sink)
    try:
        yield source
    finally:
        os.close(source)


def display_works() -> bool:
    """Whether Qt finds a screen where the environment points."""
    if sys.platform == "linux" and not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        return False
    probe = (sys.executable, "-c", "from PySide6.QtGui import QGuiApplication; QGuiApplication([])")
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Xvfb ("xcb"), or Qt's own screenless platform ("offscreen") where that cannot be had."""
    os.environ.pop("WAYLAND_DISPLAY", None)
    os.environ["LC_ALL"] = "C.UTF-8"
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        yield "offscreen"
        return
    source, sink = os.pipe()
    command = ["Xvfb", "-displayfd", str(sink), "-screen", "0", "1180x780x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(sink,), stderr=subprocess.DEVNULL)
    os.close(sink)
    try:
        with os.fdopen(source) as number:
            os.environ["DISPLAY"] = ":" + number.readline().strip()
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        yield "xcb"
    finally:
        server.terminate()
        server.wait()


# The tour ------------------------------------------------------------------------------------------------------------------------


def tour(screen: str) -> int:
    """Start the window as `latchkey` does, with the script in its event loop. Returns the exit code."""
    app = QApplication(["latchkey"])
    outcome = [1]

    def walk() -> None:
        try:
            Tour(app, desk_is_seen=screen == "xcb").walk()
            outcome[0] = 0
        finally:
            app.exit()

    QTimer.singleShot(0, walk)
    with passphrase() as fd:
        if screen == "offscreen":  # nobody can see the desk there: the practice vault may be confirmed by a script
            program.make_client = partial(open_signer, prompt=Prompt(PromptMode.FD, fd, script=True))
        program.run(DATA)
    return outcome[0]


class Tour:
    """What a person would do, step by step, with pictures of the whole screen."""

    def __init__(self, app: QApplication, *, desk_is_seen: bool) -> None:
        self._app, self._desk_is_seen, self._pictures = app, desk_is_seen, 0

    def walk(self) -> None:
        self._until("the window", lambda: any(isinstance(w, Window) and w.isVisible() for w in self._app.topLevelWidgets()))
        self.window = next(w for w in self._app.topLevelWidgets() if isinstance(w, Window))
        self._until("the book", self.window.rail.where.text)
        self._picture("grants", "an empty book of grants, the practice account at hand")
        self._unlock()
        self._open_request()
        self._look_back()
        self._step("account", "the request names its account")
        self._step("key", "the dApp brought its own public key")
        self._step("scope", 'what it asks for, with "no ETH" added by Latchkey')
        self._step("expiry", "when it ends")
        self._picture("review", "everything the exact bytes say, before the desk is asked")
        self._sign()
        self._picture("signed", "the signed grant, as an animated QR code")
        self._scan()

    def _open_request(self) -> None:
        """Drop the request's file on the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(REQUEST))])
        place, copy = QPoint(400, 400), Qt.DropAction.CopyAction
        no_buttons, no_keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        self._app.sendEvent(self.window, QDragEnterEvent(place, copy, data, no_buttons, no_keys))
        self._picture("drop", "a dApp's request, a file, is dropped on the window")
        self._app.sendEvent(self.window, QDropEvent(QPointF(place), copy, data, no_buttons, no_keys))

    def _look_back(self) -> None:
        """A request leads to its review at once; the steps before it are one button away each."""
        for name in ("review", "expiry", "scope", "key"):
            self._until(name, lambda name=name: type(self.window.page) is WizardPage and self.window.page.wizard.step == name)
            self._click("Back")

    def _step(self, name: str, what: str) -> None:
        self._until(name, lambda: type(self.window.page) is WizardPage and self.window.page.wizard.step == name)
        self._picture(name, what)
        self._click("Next")

    def _unlock(self) -> None:
        self._click("Unlock the keys")
        if self._desk_is_seen:
            self._at_desk("desk-unlock", "the desk, a process of its own, asks for the passphrase")
            xdotool("type", "--delay", "10", PASSPHRASE)
            xdotool("key", "Return")
            self._until("the desk to leave", lambda: not desk_is_up())
        self._until("open locks", lambda: self._button("Lock the keys"))

    def _sign(self) -> None:
        self._click("Sign")
        if self._desk_is_seen:
            self._at_desk("desk-confirm", "the desk shows what the signer read in the bytes; the script says yes")
            xdotool("key", "End", "Tab", "Return")
        self._until("the signed grant", lambda: type(self.window.page) is SignedPage)

    def _at_desk(self, name: str, what: str) -> None:
        self._until("the desk", desk_is_up)
        QTest.qWait(1500)  # it is drawn, has the focus, and its yes is no longer held back
        self._picture(name, what)

    def _scan(self) -> None:
        """Read the animated code off the screen, as the dApp's camera would, and keep what it says."""
        decoder = Decoder()

        def complete() -> bool:
            image = self._screen().convertToFormat(QImage.Format.Format_Grayscale8)
            for text in read_codes(image.constBits(), image.width(), image.height(), image.bytesPerLine()):
                decoder.receive(text)
            return decoder.message is not None

        self._until("the whole code", complete)
        grant = DEMO / "grant.latchkey"
        grant.write_bytes(decoder.message)
        print(
            f"\nRead back from the QR code on the screen into {grant.relative_to(ROOT)}; `latchkey explain` says of it:\n",
            flush=True,
        )
        subprocess.run([*LATCHKEY[:3], "explain", str(grant)], check=True)
        self._use(grant.read_bytes())

    def _use(self, grant: bytes) -> None:
        """The demo dApp takes the grant to the practice chain: use, limit, refusal, revocation."""
        os.environ.setdefault("LATCHKEY_ANVIL", anvil())
        folder = DataDir(DATA)
        try:
            with practice(folder) as ready, demo_dapp(folder, grant) as dapp:
                print(f"\nThe demo dApp uses the grant on the practice chain ({ready.chain.url}):\n", flush=True)
                for step in dapp.steps():
                    print(f"  {step.tries}.\n      {step.says} {'' if step.answer == 'done' else f'[{step.answer}]'}", flush=True)
                    if not step.expected:
                        raise RuntimeError("the chain did something else than the grant's words say")
        except ChainError as problem:
            print(f"\nThe practice chain is left out: {problem.text}", flush=True)

    # --- eyes and hands

    def _until(self, what: str, done: Callable[[], object], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                self._picture("stuck", f"waited in vain for {what}")
                raise TimeoutError(what)
            QTest.qWait(50)

    def _screen(self) -> QImage:
        return self._app.primaryScreen().grabWindow(0).toImage()

    def _picture(self, name: str, what: str) -> None:
        QTest.qWait(300)
        self._pictures += 1
        path = DEMO / f"{self._pictures:02}-{name}.png"
        self._screen().save(str(path))
        print(f"{path.relative_to(ROOT)}: {what}", flush=True)

    def _button(self, name: str) -> QAbstractButton | None:
        return next(
            (b for b in self.window.findChildren(QAbstractButton) if b.isVisible() and name in (b.accessibleName(), b.text())), None
        )

    def _click(self, name: str) -> None:
        self._until(f"the button {name}", lambda: (button := self._button(name)) is not None and button.isEnabled())
        QTest.mouseClick(self._button(name), Qt.MouseButton.LeftButton)


def anvil() -> str:
    """Where tests install it from npm, "" where that cannot be done: then it has to be on the PATH."""
    sys.path.insert(0, str(ROOT))
    from tests.devnet.node import NpmUnavailable, install

    if found := find_anvil():
        return str(found)
    try:
        return str(packaged_anvil(install()) or "")
    except NpmUnavailable as problem:
        print(f"\n{problem}", flush=True)
        return ""


def desk_is_up() -> bool:
    return (
        subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", "^Latchkey desk$"], capture_output=True, check=False
        ).returncode
        == 0
    )


def xdotool(*arguments: str) -> None:
    subprocess.run(["xdotool", *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
