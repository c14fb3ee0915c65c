"""CDS services as a client meets them: their discovery, and calls over HTTP, timed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import click
import requests

from hooks.mistakes import Mistake
from hooks.wire import is_web_address


_PATIENCE_S = 30
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PATH = "/cds-services"
NOTHING: Mapping[str, str] = MappingProxyType({})


class Answer(NamedTuple):
    """What came back: status, headers, body, and how long it took in ms."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    ms: float

    def content(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body.decode())
        except (ValueError, RecursionError):
            return None


class Place(NamedTuple):
    """Where services are: the URL of their discovery, and the id of one, where the URL names it."""

    discovery: str
    id: str | None

    def service(self, identity: str) -> str:
        """The URL of one service."""
        return f"{self.discovery}/{identity}"


def place_of(url: str) -> Place:
    """From the address of a deployment, of its discovery, or of one service. Raises Mistake."""
    if not is_web_address(url) or {"?", "#"}.intersection(url):
        raise Mistake(f"{shown(url)!r} is no address of a service; give an absolute URL such as http://127.0.0.1:8080.")
    before, found, after = url.rstrip("/").partition(_PATH)
    return Place(before + _PATH, after.strip("/") or None if found else None)


def shown(url: str) -> str:
    """An address as it may be printed: without user, password and query, which may be secrets."""
    return re.sub(r"(?<=//)[^/?#]*@|[?#].*", "", url, flags=re.DOTALL)


class Session:
    """A client over HTTP. Proxies of the environment are used, but never for this machine itself."""

    def __init__(self, url: str) -> None:
        """Nothing is sent yet. Within a command its connections are closed with it; elsewhere somebody has to `close` them."""
        self._http = requests.Session()
        self.close = self._http.close
        if command := click.get_current_context(silent=True):
            command.call_on_close(self.close)
        self._http.trust_env = urlsplit(url).hostname not in LOOPBACK

    def ask(self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str | None] | None = None) -> Answer:
        """One exchange; redirects are not followed, as no client follows them. Raises Mistake where nobody answers."""
        started = time.perf_counter()
        try:
            answer = self._http.request(
                method, url, data=body, headers=headers, timeout=_PATIENCE_S, allow_redirects=False
            )  # fmt: skip
        except (requests.RequestException, ValueError) as error:
            raise Mistake(
                f"{shown(url)} did not answer ({_why(error)}); is the service running, and is that its address?"
            ) from None
        return Answer(answer.status_code, answer.headers, answer.content, (time.perf_counter() - started) * 1000)

    def services(self, place: Place, headers: Mapping[str, str] = NOTHING) -> list[dict[str, Any]]:
        """What discovery lists. `headers`: a token, where there is one. Raises Mistake where it is no discovery document."""
        answer = self.ask("GET", place.discovery, headers={"Accept": "application/json", **headers})
        content = answer.content()
        listed = content.get("services") if isinstance(content, dict) else None
        if answer.status != requests.codes.ok or not isinstance(listed, list):
            moved = 300 <= answer.status < 400
            mend = "it redirects, so give the final address" if moved else "give the address under which /cds-services is found"
            raise Mistake(f"{shown(place.discovery)} answered {answer.status} and no list of services; {mend}.")
        return [service for service in listed if isinstance(service, dict)]


def _why(error: Exception) -> str:
    """The kind of failure in plain words."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate could not be verified"
    if isinstance(error, ValueError):
        return "it is no address that can be called"
    if isinstance(error, requests.Timeout):
        return f"not within {_PATIENCE_S} s"
    return "no connection" if isinstance(error, requests.ConnectionError) else type(error).__name__


def service_for(listed: list[dict[str, Any]], hook: str, identity: str | None) -> dict[str, Any]:
    """The service a request is meant for: that of an id, else the only one of its hook. Raises Mistake."""
    known = [service for service in listed if service.get("id") == identity] if identity else listed
    fitting = [service for service in known if service.get("hook") == hook]
    if len(fitting) == 1:
        return fitting[0]
    offered = ", ".join(f"{service.get('id')} on {service.get('hook')}" for service in listed) or "nothing"
    if fitting:
        raise Mistake(f"{len(fitting)} services answer {hook}; choose one by --service. Offered: {offered}.")
    raise Mistake(f"No service {identity or ''} answers {hook}; offered: {offered}.".replace("  ", " "))
