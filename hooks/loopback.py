"""The real service in a process of its own on this machine, for a demonstration."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import requests


@contextmanager
def running_service() -> Iterator[tuple[str, requests.Session]]:
    """The real service in a process of its own, on a free loopback port; its address, and a session that reaches it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "hooks", "serve", "--port", str(port)]
    with (
        requests.Session() as ehr,
        subprocess.Popen(command, stderr=subprocess.DEVNULL) as process,  # noqa: S603 - our own command, no outside input
    ):
        ehr.trust_env = False  # a proxy would look for 127.0.0.1 on its own machine
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_until_up(ehr, base, process)
            yield base, ehr
        finally:
            process.terminate()


def _wait_until_up(ehr: requests.Session, base: str, process: subprocess.Popen[bytes], patience_s: float = 20) -> None:
    deadline = time.monotonic() + patience_s
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ehr.get(f"{base}/healthz", timeout=1)
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
        else:
            return
    raise click.ClickException("The service did not start; run `cobalamin serve` to see why.")
