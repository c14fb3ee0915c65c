"""Which web pages may call from a browser: CORS for discovery, services and feedback, and for nothing else (CORS-01..11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hooks.calls import Wsgi
from hooks.edge.config import ANYBODY, Cors, is_of_services


_PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, HEAD, POST"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Request-Id"),
    ("Access-Control-Max-Age", "7200"),
)
_EXPOSED = ("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate, X-Request-Id")
_VARY = ("Vary", "Origin")
_ASKED = "HTTP_ACCESS_CONTROL_REQUEST_METHOD"
_PRIVATE_ASKED = "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK"
_PRIVATE = ("Access-Control-Allow-Private-Network", "true")


class Browsers:
    """Adds to the answers of the services what browsers ask for, and answers their preflights."""

    def __init__(self, inside: Wsgi, cors: Cors) -> None:
        """`cors`: at least one origin."""
        self._inside, self._origins, self._development = inside, cors.origins, cors.development
        self._anybody = ANYBODY in cors.origins

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, as a WSGI server hands it over."""
        if not is_of_services(environ.get("PATH_INFO", "")):
            return self._inside(environ, start_response)
        origin = environ.get("HTTP_ORIGIN")
        granted = self._granted(origin)
        if origin is not None and environ["REQUEST_METHOD"] == "OPTIONS" and _ASKED in environ:
            private = self._development and environ.get(_PRIVATE_ASKED) == "true"
            more = (*_PREFLIGHT, *((_PRIVATE,) if private else ())) if self._is_listed(origin) else ()
            start_response("204 No Content", [*granted, *more])
            return ()

        def start(status: str, headers: list[tuple[str, str]], *broken: Any) -> Any:
            return start_response(status, [*headers, *granted, *((_EXPOSED,) if self._is_listed(origin) else ())], *broken)

        return self._inside(environ, start)

    def _is_listed(self, origin: str | None) -> bool:
        return origin is not None and (self._anybody or origin in self._origins)

    def _granted(self, origin: str | None) -> tuple[tuple[str, str], ...]:
        """Who may read the answer. Where that depends on who asks, nobody may keep it for somebody else (CORS-07)."""
        if self._anybody:
            return (("Access-Control-Allow-Origin", ANYBODY),) if origin is not None else ()
        return (("Access-Control-Allow-Origin", str(origin)), _VARY) if self._is_listed(origin) else (_VARY,)
