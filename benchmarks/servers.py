"""Services under gunicorn with one worker, and the CPU time their worker spends on a request."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from itertools import chain, repeat
from pathlib import Path

import psutil

from benchmarks.tokens import BASE, Signer


OURS = ("-m", "hooks", "serve", "--port")
FLOOR = ("-m", "gunicorn", "--workers", "1", "--log-level", "warning", "benchmarks.floor:app", "--bind")
_CLIENTS = 4
SERVICE = "/cds-services/b12-bone-health"
JSON = {"Content-Type": "application/json"}


class Worker:
    """The one worker of a running service."""

    def __init__(self, port: int, master: int) -> None:
        """Wait until the service answers and find its worker."""
        self._port = port
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.post(b"{}")
                break
            except OSError:
                time.sleep(0.05)
        (self._process,) = psutil.Process(master).children()

    def post(self, body: bytes, token: str | None = None) -> int:
        """Fire one request on a connection of its own; the status of the answer.

        As little work is done as can be: the client shares the machine's caches with what it measures.
        """
        headers = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(body))}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with socket.create_connection(("127.0.0.1", self._port), timeout=10) as connection:
            connection.sendall(f"POST {SERVICE} HTTP/1.1\r\n{head}\r\n".encode() + body)
            answer = connection.recv(65536)
            while connection.recv(65536):
                pass
        return int(answer.split(b" ", 2)[1])

    def cpu_us(self, body: bytes, requests: int, tokens: Iterable[str] = ()) -> float:
        """Microseconds of CPU, user and system, that the worker spends on one request. Raises RuntimeError on a refusal.

        `tokens`: one for each request, where they are signed.

        A few clients fire at once, so that the next request is always waiting: a worker that wakes up for each request pays
        the machine's price of waking, which is not the service's.
        """
        before = self._spent_us()
        with ThreadPoolExecutor(_CLIENTS) as clients:
            statuses = list(clients.map(self.post, [body] * requests, chain(tokens, repeat(None))))
        spent = self._spent_us() - before
        if set(statuses) != {HTTPStatus.OK}:
            raise RuntimeError("the service refused a benchmark request")
        return spent / requests

    def _spent_us(self) -> float:
        """Microseconds of CPU so far: from Linux to the nanosecond, where psutil counts in hundredths of a second."""
        schedule = Path(f"/proc/{self._process.pid}/schedstat")
        if schedule.exists():
            return int(schedule.read_text().split()[0]) / 1e3
        times = self._process.cpu_times()
        return (times.user + times.system) * 1e6


def trusting(signer: Signer, folder: Path) -> tuple[str, ...]:
    """Our service, to which only one client may talk; its files are in `folder`."""
    client = str(signer.profile(folder))
    return (*OURS[:-1], "--client", client, "--base-url", BASE, "--used-tokens", str(folder / "used-tokens"), "--port")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(arguments: tuple[str, ...]) -> Iterator[Worker]:
    """A service on a free port of loopback, until the end of the block."""
    port = free_port()
    address = str(port) if arguments[-1] == "--port" else f"127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, *arguments, address], stderr=subprocess.DEVNULL) as process:
        try:
            yield Worker(port, process.pid)
        finally:
            process.terminate()
