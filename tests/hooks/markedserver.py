"""The real server, run on requests full of markers, and on what is no request."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress

from tests.hooks.searching import SALT, VIEW, Search


def served(search: Search) -> None:
    """The real server, at DEBUG: what is well-formed, what is no HTTP, and what ends in the middle."""
    planter, folder = search.planter, search.folder / "served"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kept = ["--audit", str(folder / "audit.jsonl"), "--store", str(folder / "feedback.db"), "--metrics"]
    command = [sys.executable, "-m", "hooks", "serve", "--port", str(port), "--workers", "2", *kept, "--log-level", "debug"]
    with (folder / "printed").open("wb") as printed:
        server = subprocess.Popen(command, stdout=printed, stderr=printed, env={**os.environ, "COBALAMIN_SALT": SALT})
    try:
        until = time.monotonic() + 20
        while b"Listening" not in (folder / "printed").read_bytes():
            assert time.monotonic() < until, (folder / "printed").read_text()
            time.sleep(0.05)
        body = json.dumps(planter.request("patient-view")).encode()
        headers = "".join(f"{name}: {value}\r\n" for name, value in planter.headers().items())
        post = f"POST {VIEW}?patient={planter.marker('the query')} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}"
        whole = post.encode() + b"Content-Length: %d\r\n\r\n" % len(body)
        chunked = post.encode() + b"Transfer-Encoding: chunked\r\n\r\n"
        marker = planter.marker("what is no HTTP").encode()
        for path, sent in {
            "patient-view": whole + body,
            "in chunks": chunked + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
            "a broken chunk": chunked + marker + b"\r\n",
            "broken JSON": whole + body[:-1] + b"x",
            "two lengths": whole[:-2] + b"Content-Length: 3\r\n\r\n" + body,
            "another page": b"GET /%b?%b HTTP/1.1\r\nHost: x\r\n\r\n" % (marker, marker),
            "no request line": marker + b"\r\n\r\n",
            "no method": b"%b / HTTP/1.1\r\n\r\n" % marker,
            "no version": b"GET /%b %b\r\n\r\n" % (marker, marker),
            "no header": b"GET / HTTP/1.1\r\n%b\r\n\r\n" % marker,
            "a long line": b"GET /%b HTTP/1.1\r\n\r\n" % (marker * 2000),
            "hung up": whole + body[:99],
            "counts": b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
        }.items():
            head, _, content = _exchanged(port, sent, hang_up=path == "hung up").partition(b"\r\n\r\n")
            status = int(head.split(b" ")[1]) if head else 0
            search.ran[f"served by gunicorn: {path}"][status] += 1
            search.written["headers of answers"].append(head)
            search.written["page /metrics" if path == "counts" else "bodies of refusals"].append(
                content if status != 200 or path == "counts" else b""
            )
    finally:
        server.terminate()
        server.wait(10)
    for name, sink in (("printed", "printed by gunicorn"), ("audit.jsonl", "audit"), ("feedback.db", "store")):
        search.written[sink].append((folder / name).read_bytes())


def _exchanged(port: int, sent: bytes, hang_up: bool) -> bytes:
    """What comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        if hang_up:
            return b""
        connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            return b"".join(iter(lambda: connection.recv(65536), b""))
    return b""
