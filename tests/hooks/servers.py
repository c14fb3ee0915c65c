"""Applications on loopback, over real HTTP: in a thread of this process, or the command in processes of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - as Werkzeug calls it
        """Say nothing."""


@contextmanager
def served(app: Callable[..., Any]) -> Iterator[str]:
    """The address of an application until the end of the block."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(file: Path, settings: Mapping[str, Any], salt: str, says: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """`cobalamin serve` with these settings, in a process group of its own, once it says that; killed at the end of the block."""
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = [sys.executable, "-m", "hooks", "serve", "--config", str(file)]
    environment = {**os.environ, "COBALAMIN_SALT": salt}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, start_new_session=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert says in said, said + process.stderr.read()
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
