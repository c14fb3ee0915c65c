"""An HTTP server on loopback that says and does exactly what a test wants, byte by byte."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit


HANG_UP = b""
"""Ends the connection; what comes after it is not sent."""

BASE = "/fhir"
LOOPBACK = Path(__file__).parent / "loopback.pem"
"""Key and certificate of a server on loopback, whom nobody trusts who is not told to."""

TOKEN = "s3cret-t0ken"  # noqa: S105 - it opens nothing


class Asked(NamedTuple):
    """One request as it came: its target, and its headers by lower-case name."""

    method: str
    target: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        """The path alone."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The parameters, decoded."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


Behaviour = Callable[[Asked], Iterable[bytes | float]]
"""What a server sends for a request: bytes, and pauses in seconds."""


class Stub:
    """A running server, what it was asked, and how many connections were opened."""

    def __init__(self, behave: Behaviour, *, encrypted: bool = False) -> None:
        """Listen on a free port."""
        self._behave = behave
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if encrypted else None
        if self._context is not None:
            self._context.load_cert_chain(LOOPBACK)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.asked: list[Asked] = []
        self.connections = 0
        self.origin = f"http{'s' if encrypted else ''}://127.0.0.1:{self._socket.getsockname()[1]}"
        self.base = self.origin + BASE
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            while first := lines.readline().decode():
                method, target, _ = first.split(" ")
                headers = {}
                while (line := lines.readline().decode().strip()) != "":
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                asked = Asked(method, target, headers)
                self.asked.append(asked)
                for part in self._behave(asked):
                    if isinstance(part, float):
                        time.sleep(part)
                    elif part == HANG_UP:
                        return
                    else:
                        connection.sendall(part)

    def close(self) -> None:
        """Open no more connections."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def stub(behave: Behaviour, *, encrypted: bool = False) -> Iterator[Stub]:
    """A server until the end of the block."""
    server = Stub(behave, encrypted=encrypted)
    try:
        yield server
    finally:
        server.close()


def reply(body: bytes, status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    """A whole answer; `length`: what is said of its length, if that is not true."""
    told = {"Content-Type": "application/fhir+json", "Content-Length": str(len(body) if length is None else length), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body
