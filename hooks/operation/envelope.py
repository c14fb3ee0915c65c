"""What every answer carries, whoever made it: the id of its request, and what browsers must not do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hooks.calls import Wsgi
from hooks.requestid import identified, request_id


SAFE = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
_HTTPS_ONLY = ("Strict-Transport-Security", "max-age=31536000")
"""For a year, the host alone: what else its domain serves is not ours to say."""


class Envelope:
    """Around the whole application: nothing is answered without it."""

    def __init__(self, inside: Wsgi, https: bool) -> None:
        """`https`: clients reach the service by https, so it may tell them to never come by http."""
        self._inside = inside
        self._headers = (*SAFE, _HTTPS_ONLY) if https else SAFE

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, as a WSGI server hands it over."""
        name = identified(environ.get("HTTP_X_REQUEST_ID"))
        before = request_id.set(name)

        def start(status: str, headers: list[tuple[str, str]], *broken: Any) -> Any:
            return start_response(status, [*headers, *self._headers, ("X-Request-Id", name)], *broken)

        try:
            return self._inside(environ, start)
        finally:
            request_id.reset(before)
