"""A web page by https, of a name that leads to this computer and an address that counts as public: what a real dApp is to a browser."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.certificate import certificate

NAME = "rooms.example"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><meta charset=utf-8><title>Skirmish Rooms</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def secure_page(folder: Path) -> Iterator[int]:
    """The port it is served at; its certificate is its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder, NAME))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def browser_arguments(port: int) -> list[str]:
    """The name leads here, and the page's address counts as one of the internet, so what it asks of this computer is judged as such."""
    return [f"--host-resolver-rules=MAP {NAME} 127.0.0.1", f"--ip-address-space-overrides=127.0.0.1:{port}=public"]
