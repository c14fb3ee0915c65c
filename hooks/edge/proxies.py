"""The gateways in front: what they say of a call is believed, and of nobody else (SEC-01, SEC-43)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from hooks.calls import Wsgi
from hooks.edge.config import UNSAFE, Proxies, is_of_services
from hooks.errors import RequestError
from hooks.networks import address_of
from hooks.replies import refused


PEER = "cobalamin.peer"
"""In the environ of a request: the address it came from, as far back as named gateways tell."""

_UNSAFE = RequestError(HTTPStatus.FORBIDDEN, [UNSAFE])


class BehindProxies:
    """Answers calls only if a named gateway took them by https, and says how; other pages also directly, for probes.

    What counts hops, as ProxyFix does, believes whoever is near enough; here only addresses count.
    """

    def __init__(self, inside: Wsgi, proxies: Proxies) -> None:
        """`proxies`: at least one network."""
        self._inside, self._networks = inside, proxies.networks
        self._is_proxy = lru_cache(4096)(self._lies_in)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, as a WSGI server hands it over."""
        peer: str = environ.get("REMOTE_ADDR", "")
        if self._is_proxy(peer):
            taken = [scheme.strip().lower() for scheme in environ.get("HTTP_X_FORWARDED_PROTO", "").split(",")]
            safe, unsafe = all(scheme == "https" for scheme in taken), "http" in taken
            environ[PEER] = self._origin(peer, environ.get("HTTP_X_FORWARDED_FOR", ""))
        else:
            safe, unsafe, environ[PEER] = False, False, peer
        if unsafe or (not safe and is_of_services(environ.get("PATH_INFO", ""))):
            return refused(_UNSAFE).send(start_response)
        return self._inside(environ, start_response)

    def _origin(self, peer: str, passed: str) -> str:
        """The last address that is no gateway of ours; what comes before it anybody may have written."""
        for hop in reversed(passed.split(",")):
            if (address := address_of(hop.strip())) is None:
                return peer
            peer = str(address)
            if not self._is_proxy(peer):
                return peer
        return peer

    def _lies_in(self, text: str) -> bool:
        address = address_of(text)
        return address is not None and any(address in network for network in self._networks)
