"""Serves dApp pages on loopback, with Latchkey's and viem's modules as they are and QR codes as rows of modules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any
from urllib.request import Request, urlopen

from latchkey.codec.qr import matrix
from tests.devnet.node import MODULES

_PAGE = Path(__file__).parent
DAPP = _PAGE.parents[1] / "resources/dapp"
BRIDGE_PORT = "41571"
_TYPES = {".html": "text/html", ".mjs": "text/javascript", ".js": "text/javascript", ".json": "application/json"}
_IMPORT = re.compile(r"""^((?:import|export)\b(?:[\s\w{},*$]*\bfrom)?\s*)(['"])([@\w][\w@/.-]*)\2""", re.MULTILINE)
_CONDITIONS = ("browser", "import", "default")


@contextmanager
def served(
    world: dict[str, Any], bundler_url: str = "", *, files: Mapping[str, str] = MappingProxyType({}), bridge_port: int = 0
) -> Iterator[str]:
    """The page's address. `world`: what the page reads from world.json. The bundler answers pages of its own origin alone, so what
    the page has for it goes through here. `files`: more of them, by path. `bridge_port`: where the bridge is instead of its usual port."""

    class Handler(_Handler):
        files_ = {"/world.json": json.dumps(world), **files}
        bundler = bundler_url
        port = str(bridge_port or BRIDGE_PORT)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # some hundred small files: one connection serves many
    files_: dict[str, str]
    bundler: str
    port: str

    def do_GET(self) -> None:
        name = "/index.html" if self.path == "/" else self.path
        place = MODULES if name.startswith("/npm/") else DAPP if name.startswith("/latchkey") else _PAGE
        file = (place / name.removeprefix("/npm").lstrip("/")).resolve()
        if name in self.files_:
            text = _with_addresses(self.files_[name], MODULES) if name.endswith(".mjs") else self.files_[name]
            self._send(_TYPES[Path(name).suffix], text.replace(BRIDGE_PORT, self.port).encode())
        elif place is DAPP and file.is_file():
            self._send(_TYPES[file.suffix], file.read_text().replace(BRIDGE_PORT, self.port).encode())
        elif file.is_relative_to(place.resolve()) and file.is_file() and file.suffix in _TYPES:
            self._send(_TYPES[file.suffix], _browsable(file) if file.suffix != ".html" else file.read_bytes())
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = _forwarded(self.bundler, body) if self.path == "/bundler" else json.dumps(matrix(body.decode())).encode()
        self._send("application/json", answer)

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _forwarded(url: str, body: bytes) -> bytes:
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=30) as answer:
        return bytes(answer.read())


def _browsable(file: Path) -> bytes:
    """A browser wants addresses where Node looks names up in node_modules."""
    return _with_addresses(file.read_text(), file.parent).encode()


def _with_addresses(text: str, folder: Path) -> str:
    return _IMPORT.sub(lambda found: f"{found[1]}{found[2]}{_address(found[3], folder)}{found[2]}", text)


@cache
def _address(name: str, folder: Path) -> str:
    parts = name.split("/")
    package, rest = ("/".join(parts[:2]), parts[2:]) if name.startswith("@") else (parts[0], parts[1:])
    for place in (*(parent / "node_modules" for parent in folder.parents if parent.is_relative_to(MODULES)), MODULES):
        if (place / package).is_dir():
            exports = json.loads((place / package / "package.json").read_text())["exports"]
            target = _chosen(exports["/".join([".", *rest])])
            return f"/npm/{(place / package / target).resolve().relative_to(MODULES.resolve()).as_posix()}"
    return name


def _chosen(target: Any) -> str:
    while isinstance(target, dict):
        target = next(target[condition] for condition in _CONDITIONS if condition in target)
    return str(target)
