"""The service under gunicorn: settings, what each worker does before its first request, and what it refuses by itself."""

from __future__ import annotations

import gc
import logging
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from errno import ECONNRESET
from http import HTTPStatus
from typing import Any

from flask import Flask
from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.workers.sync import SyncWorker

from hooks.ending import LATE, Alarm, Announced, Announcing, Notice, TooLateError
from hooks.errors import Issue, RequestError
from hooks.operation.envelope import SAFE
from hooks.replies import LINES, Reply, failed, refused
from hooks.requestid import identified, request_id


PATIENCE_S = 5
"""A request that has not arrived after so many seconds is given up, and so is an answer that nobody takes: its worker is busy."""

_GRACE_S = 10
"""A worker that does not even notice its deadline is killed after so much longer."""

_SIGN_OF_LIFE_S = 0.5
"""Between two of them of a worker; the master waits for many times as long."""

_CHUNK = 64 * 1024
"""What is read at a time: nearly all requests at once."""

_MORE_FOLLOWS = getattr(socket, "MSG_MORE", 0)

_NO_HTTP = Issue("structure", "The request is not HTTP/1.1 as this service reads it; check request line, headers and chunks.")


class Server(BaseApplication):
    """Gunicorn around one application, loaded before the workers fork so that faulty knowledge stops the start."""

    def __init__(
        self,
        app: Flask,
        host: str,
        port: int,
        workers: int,
        ready: Callable[[], None] = lambda: None,
        deadline_s: float = 20,
        notice_s: float = 0,
    ) -> None:
        """`workers`: processes; each answers one request at a time. `ready` is called once the port is bound.

        `deadline_s`: after which a request is given up. `notice_s`: how long calls are still taken after SIGTERM, while /readyz
        says that it will end; then what is under way is answered, and nothing new.
        """
        self._app = app
        self._notice, self._notice_s = Notice(), notice_s
        self.deadline_s = deadline_s
        self._settings = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": workers,
            "worker_class": Worker,
            "preload_app": True,
            "timeout": int(deadline_s + _GRACE_S),
            "graceful_timeout": int(deadline_s + _GRACE_S),
            "accesslog": None,
            "errorlog": None,
            "logger_class": Told,
            # no header says who asks, by which scheme or for what: not even to a proxy is it allowed
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "forwarded_allow_ips": "*",
            "when_ready": lambda _: ready(),
            "post_worker_init": prepare,
            "control_socket_disable": True,  # nobody steers it from outside, and its home may be read-only
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn; the environment and its own files are not asked."""
        for name in self._settings.keys() & self.cfg.settings:  # an older gunicorn knows fewer
            self.cfg.set(name, self._settings[name])

    def run(self) -> None:
        """Serve until somebody ends it."""
        Announcing(self, self._notice, self._notice_s).run()

    def load(self) -> Any:
        """The application gunicorn runs."""
        return Announced(self._app, self._notice)


class Told(Logger):
    """Gunicorn's log goes where all others go, and by their rules."""

    def setup(self, cfg: Any) -> None:
        """Leave handlers and level to the root."""
        super().setup(cfg)
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)


class Worker(SyncWorker):
    """A worker that no slow client stops for long, and whose refusals look like all others and repeat nothing (ERR-09, 10).

    One that had to give up a request is replaced: nobody knows in what it was interrupted.
    """

    def __init__(self, *arguments: Any) -> None:
        """As gunicorn makes it, in the process that it will work in or in the one that forks it."""
        super().__init__(*arguments)
        self._alarm = Alarm()
        self._silent_until = 0.0

    def notify(self) -> None:
        """Tell the master that this worker is alive, not with every request."""
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + _SIGN_OF_LIFE_S
            super().notify()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Answer one connection, with a limited patience, and by its deadline."""
        self._alarm.set(self.app.deadline_s)  # type: ignore[attr-defined]  # the application is our Server
        try:
            super().handle(listener, _Impatient(client), addr)  # type: ignore[arg-type]  # gunicorn reads it by its methods alone
        finally:
            self._alarm.set(0)
            self.alive = self.alive and not self._alarm.rang

    def handle_request(self, listener: Any, req: Any, client: Any, addr: Any) -> Any:
        """Answer a request. A client that has nothing more to send is not waited for until it hangs up."""
        answered = super().handle_request(listener, req, client, addr)
        client.finished = getattr(req.body.reader, "length", None) == 0
        return answered

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002 - as gunicorn calls it
        """Answer what gunicorn could not read as HTTP, or what failed outside the application."""
        name = identified(None)
        before = request_id.set(name)
        reply = self._excuse(exc)
        request_id.reset(before)
        length = ("Content-Length", str(len(reply.body)))
        headers = (*reply.headers, *SAFE, ("X-Request-Id", name), ("Connection", "close"), length)
        lines = [f"HTTP/1.1 {LINES[reply.status]}", *(": ".join(header) for header in headers), "", ""]
        with suppress(OSError):
            util.write_nonblock(client, "\r\n".join(lines).encode() + reply.body)

    def _excuse(self, error: BaseException) -> Reply:
        """What is answered instead."""
        if isinstance(error, TooLateError):
            return refused(LATE)
        return refused(RequestError(HTTPStatus.BAD_REQUEST, [_NO_HTTP])) if isinstance(error, ParseException) else failed(error)


class _Impatient:
    """A client's socket that reads as closed when its request takes too long; all else is the socket's own.

    `finished`: its request was read to the end and answered. What it sent beyond that is taken, as a close would else cut off the
    answer, and nothing more is waited for.
    """

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self.finished = False
        self._until = time.monotonic() + PATIENCE_S

    def recv(self, size: int) -> bytes:
        """What has come; nothing once patience has ended."""
        if self.finished:
            self._client.setblocking(False)
        try:
            return self._client.recv(max(size, _CHUNK)) if time.monotonic() < self._until else b""
        except BlockingIOError:
            return b""

    def sendall(self, content: bytes) -> None:
        """Send it all; a client that takes nothing for so long counts as gone."""
        try:
            self._client.sendall(content, _MORE_FOLLOWS)
        except BlockingIOError:
            raise ConnectionResetError(ECONNRESET, "The client takes nothing.") from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def prepare(worker: Any) -> None:
    """Make a worker ready for its first request."""
    for listener in worker.sockets:
        limit_patience(listener)
    settle()


def limit_patience(listener: Any) -> None:
    """Have every connection that is accepted here give up a client in time: it has what its listener has."""
    patience = struct.pack("ll", int(PATIENCE_S), int(PATIENCE_S % 1 * 1e6))
    for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        listener.setsockopt(socket.SOL_SOCKET, direction, patience)


def settle() -> None:
    """Take the knowledge out of garbage collection, and collect rarely: a request leaves no cycles, only many small objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
