"""The way back in a real browser: the system is asked to open the address, Chromium does, and the page alone reads the answer."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.bridge.secure_page import NAME
from tests.certificate import certificate
from tests.gui.test_signed import signed_grant

from latchkey.codec.link import PREFIX, from_link, to_link
from latchkey.core.callback import with_answer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.gui,
    pytest.mark.xdist_group("clients"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here (Debian: apt-get install chromium)"),
]

_PAGE = b"<!doctype html><meta charset=utf-8><script>fetch('/told', {method: 'POST', body: location.href})</script>"
# What the system opens links with: a browser that takes this test's own certificate.
_OPENER = """#!/bin/sh
echo $$ > {pid}
exec {chromium} --headless=new --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage --user-data-dir={folder}/profile \
  --ignore-certificate-errors --host-resolver-rules="MAP {name} 127.0.0.1" "$1"
"""
_PROGRAM = """
import sys
from PySide6.QtWidgets import QApplication, QWidget
from latchkey.ui.pages import returning
app = QApplication([])
returning._open(QWidget(), sys.argv[1])
"""


@dataclass
class Site:
    """A page by https. `asked`: the first lines of every request it got; `told`: the address as the page itself sees it."""

    port: int
    asked: list[str] = field(default_factory=list)
    told: str = ""
    heard: Event = field(default_factory=Event)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.requestline)
            self._answer(_PAGE)

        def do_POST(self) -> None:
            made.told = self.rfile.read(int(self.headers["Content-Length"])).decode()
            made.heard.set()
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path, NAME))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        made = Site(server.server_port)
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment in which links open in Chromium; of Qt's platforms for tests only xcb opens any."""
    folder, pid = tmp_path / "bin", tmp_path / "pid"
    folder.mkdir()
    opener = folder / "xdg-open"
    opener.write_text(_OPENER.format(pid=pid, chromium=CHROMIUM, folder=tmp_path, name=NAME))
    opener.chmod(0o755)
    yield {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "QT_QPA_PLATFORM": "xcb"}
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_the_page_reads_the_answer_and_its_server_is_not_sent_it(site: Site, system: dict[str, str]) -> None:
    envelope = signed_grant().envelope or b""
    callback = f"https://{NAME}:{site.port}/back?a=%20"
    url = with_answer(callback, to_link(envelope).removeprefix(PREFIX))
    subprocess.run([sys.executable, "-c", _PROGRAM, url], env=system, check=True)
    assert site.heard.wait(40)
    assert site.told == url
    assert from_link(PREFIX + site.told.partition("#latchkey=")[2]) == envelope
    assert "GET /back?a=%20 HTTP/1.1" in site.asked
    assert not any("latchkey" in line for line in site.asked)
