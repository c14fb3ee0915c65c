"""The command `cobalamin record`: a proxy on this machine that keeps what it forwards, de-identified."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from hooks.console import print_json
from hooks.examples import written_for
from hooks.kit.deciding import Policy
from hooks.kit.deidentify import Deidentifier
from hooks.kit.inputs import request_of
from hooks.kit.services import Session, place_of
from hooks.mistakes import Mistake
from hooks.options import clients_option, format_option, site_option, today_option
from hooks.services import service_of


_NOT_FORWARDED = ("connection", "host", "keep-alive", "transfer-encoding", "te", "upgrade", "content-length", "accept-encoding")
_NOT_RETURNED = (*_NOT_FORWARDED, "content-encoding", "server", "date")
_LARGEST = 20 * 1024 * 1024


class Recorder:
    """Keeps requests in a folder, de-identified, where that changes no decision."""

    def __init__(self, folder: Path, today: date | None, policy: Policy | None = None) -> None:
        """`today`: the day the calls are made on; None: that of the clock. The secret lasts as long as the recorder.

        `policy`: what no decision may change under; None: the defaults.
        """
        self._policy = policy or Policy()
        self._deidentifier = Deidentifier(self._policy.library, secrets.token_bytes(32), self._policy.units)
        self._folder, self._today = folder, today
        self._lock = threading.Lock()
        self.kept = self.left_out = 0

    def keep(self, body: bytes) -> str:
        """Keep one request, or say why not. Nothing of the request is ever said."""
        day = self._today or date.today()
        with self._lock:
            try:
                request = request_of(body, "the request")
                made = self._deidentifier.request(request, day)
                same = self._policy.essence(request, day) == self._policy.essence(made)
            except Mistake:
                return self._left("it is no hook request")
            except Exception as error:  # noqa: BLE001 - a recorder must not break what it records; only the kind is told
                return self._left(f"it could not be read ({type(error).__name__})")
            if not same:
                return self._left("the decision would change without what tells whose it is")
            self.kept += 1
            hook = service_of(made["hook"]).hook
            numbers = (int(name.name[:4]) for name in self._folder.glob("[0-9][0-9][0-9][0-9]-*.json"))
            path = self._folder / f"{max(numbers, default=0) + 1:04}-{hook}.json"
            path.write_text(json.dumps(made, ensure_ascii=False, indent=1), encoding="utf-8")
            moment = datetime.combine(written_for(made) or day, time.min, UTC).timestamp()
            os.utime(path, (moment, moment))  # when it was written would tell by how much it was shifted
            return f"kept as {path.name}"

    def _left(self, why: str) -> str:
        self.left_out += 1
        return f"not kept: {why}"


def proxy(target: str, port: int, recorder: Recorder, most: int | None = None) -> ThreadingHTTPServer:
    """A server on loopback that forwards to `target` and records the calls. It stops after `most` of them."""
    parts = urlsplit(target)
    origin, below = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def _forward(self) -> None:
            if not self.path.startswith("/"):  # behind the origin it could name another host
                self.close_connection = True
                self._send(400, {}, b"Send the path alone; the recorder knows where the service is.")
                return
            length = self.headers.get("Content-Length", "0")
            if self.headers.get("Transfer-Encoding") or not length.isdecimal() or int(length) > _LARGEST:
                self.close_connection = True
                self._send(411, {}, b"Send a Content-Length of at most 20 MiB through the recorder.")
                return
            body = self.rfile.read(int(length))
            sent = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_FORWARDED}
            try:
                with closing(Session(target)) as session:
                    answer = session.ask(self.command, f"{origin}{below}{self.path}", body, {**_AS_IT_IS, **sent})
            except Mistake as mistake:
                self._send(502, {}, mistake.message.encode())
                return
            self._send(answer.status, answer.headers, answer.body)
            if self.command == "POST" and "/cds-services/" in self.path and not self.path.rstrip("/").endswith("/feedback"):
                click.echo(f"{answer.status} in {answer.ms:.0f} ms, {recorder.keep(body)}", err=True)
                if most is not None and recorder.kept + recorder.left_out >= most:
                    threading.Thread(target=self.server.shutdown, daemon=True).start()

        def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _NOT_RETURNED:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the standard library calls it
            """Say nothing of single requests."""

        do_GET = do_POST = do_OPTIONS = do_HEAD = do_PUT = do_DELETE = do_PATCH = _forward

    return _Server(("127.0.0.1", port), Handler)


class _Server(ThreadingHTTPServer):
    """One that tells of a client that hung up in a sentence."""

    def handle_error(self, *_: Any) -> None:
        """A call that could not be answered; neither who called nor what is said."""
        click.echo(f"A call broke off ({type(sys.exception()).__name__}); it is not kept", err=True)


_AS_IT_IS: dict[str, str | None] = {"User-Agent": None, "Accept": None, "Accept-Encoding": None, "Connection": None}


@contextmanager
def _until_told(server: ThreadingHTTPServer) -> Iterator[None]:
    """Ends at Ctrl-C and SIGTERM, after what is under way."""

    def end(*_: Any) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    before = {told: signal.signal(told, end) for told in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for told, handler in before.items():
            signal.signal(told, handler)
        server.server_close()


@click.command("record")
@click.argument("url")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), default=8081, show_default=True, help="Port on 127.0.0.1 to listen on.")
@click.option("--count", type=click.IntRange(1), help="Stop after so many calls. Default: at Ctrl-C.")
@today_option
@site_option
@clients_option
@format_option
def command(
    url: str,
    folder: Path,
    port: int,
    count: int | None,
    today: date | None,
    site: Path | None,
    clients: tuple[str, ...],
    format_: str,
) -> None:
    """Record calls, de-identified: a proxy on this machine between a client and a service.

    Point the client to http://127.0.0.1:8081 instead of URL. Every call is forwarded as it came, and a copy is written into
    FOLDER: dates shifted by some days (the same for all requests of one patient), ids replaced, names, identifiers, addresses,
    notes, narratives and extensions dropped, of free text only words that this service knows, ages above 89 made 90. A copy
    that would be decided otherwise than its original is not kept; --site and --client say by whose numbers and codes. What this
    claims, and what not, is in docs/kit.md.

    Example: cobalamin record http://127.0.0.1:8080 recorded --count 100

    Exit status: 0 stopped as asked; 2 something given cannot be used.
    """
    target = place_of(url).discovery.removesuffix("/cds-services")
    policy = Policy(site, clients)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        recorder = Recorder(folder, today, policy)
        server = proxy(target, port, recorder, count)
    except OSError as error:
        raise Mistake(f"Cannot record into {folder} on port {port}: {error.strerror}; choose another by --port.") from None
    click.echo(f"Listening on http://127.0.0.1:{port} for {target}; what is kept goes to {folder}", err=True)
    with _until_told(server):
        server.serve_forever(poll_interval=0.1)
    click.echo(f"{recorder.kept} kept, {recorder.left_out} not kept", err=True)
    if format_ == "json":
        print_json({"folder": str(folder), "kept": recorder.kept, "not_kept": recorder.left_out})
