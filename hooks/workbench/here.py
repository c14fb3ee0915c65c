"""Who is let in: somebody on this machine, who asks for it by a name of this machine, and no page of another site."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from hooks.errors import Issue, RequestError
from hooks.replies import refused


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ELSEWHERE = Issue("forbidden", "The workbench answers on the machine it runs on, under its own address, and nowhere else.")


class Here:
    """Stands before everything that a workbench serves: the services it calls and their feedback too."""

    def __init__(self, inside: Callable[..., Iterable[bytes]]) -> None:
        """`inside`: the WSGI application."""
        self._inside = inside

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, as a WSGI server hands it over."""
        if is_here(environ):
            return self._inside(environ, start_response)
        return refused(RequestError(HTTPStatus.FORBIDDEN, [_ELSEWHERE])).send(start_response)


def is_here(environ: dict[str, Any]) -> bool:
    """Does the request come from this machine, for an address of this machine, from a page of that address or from none?

    The name that was asked for counts, too: a page from elsewhere may have had its own name lead here.
    """
    host = environ.get("HTTP_HOST", "")
    try:
        named = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    origin = environ.get("HTTP_ORIGIN")
    own = origin is None or origin.partition("://")[2] == host
    return environ.get("REMOTE_ADDR") in LOOPBACK and named in LOOPBACK and own
