"""Who may call: a signed token, or a certificate that a named proxy has checked. Asked before anything of the body is read."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from msgspec import Struct

from hooks.errors import Issue, RequestError
from hooks.networks import Network, address_of
from hooks.trust.issuers import Issuer
from hooks.trust.keysets import KeySet
from hooks.trust.replay import Replays
from hooks.trust.tokens import Caller, Tokens, Untrusted


_LOG = logging.getLogger("cobalamin")

UNAUTHORISED = (Issue("login", "The call is not authenticated; the operator finds the reason in the log."),)
"""The same for every reason: whoever guesses learns nothing (SEC-37)."""


FORGETFUL = (Issue("transient", "The service cannot authenticate anybody at present; call again later."),)
"""Used tokens cannot be remembered: a full disk, a lock that stays."""


class Certificates(Struct, frozen=True):
    """Clients whose certificates a proxy checks (SEC-43). `proxies`: the only addresses whose headers are believed.

    `verified`: the header in which the proxy says SUCCESS, as nginx does in `ssl_client_verify`. `subject`: the header with the
    distinguished name of the certificate. `clients`: the names that may call.
    """

    proxies: tuple[Network, ...]
    clients: tuple[str, ...]
    verified: str = "X-Client-Verify"
    subject: str = "X-Client-Subject"


class Door(Protocol):
    """Whatever decides who is answered."""

    def admit(self, environ: Mapping[str, Any], endpoints: Iterable[str]) -> Caller | None:
        """Who calls, if that is known. Raises RequestError for whoever is not answered."""


class Gate:
    """Admits callers, or everybody where the deployment has declared itself open."""

    def __init__(
        self, base_url: str, issuers: Iterable[Issuer], certificates: Certificates | None = None, replays: Replays | None = None
    ) -> None:
        """`base_url`: where clients reach the service; tokens are addressed to it. Raises ValueError without `replays`."""
        self._base_url, self._certificates = base_url.rstrip("/"), certificates
        trusted = tuple(issuers)
        if trusted and replays is None:
            raise ValueError("tokens are good once only where used ones are remembered; name a file for them")
        self._tokens = Tokens(trusted, replays) if replays is not None else None
        self.replays = replays
        self.key_sets: Mapping[str, KeySet] = self._tokens.key_sets if self._tokens is not None else {}

    @property
    def proofs(self) -> tuple[str, ...]:
        """By what callers prove who they are: `token`, `certificate` or either."""
        found = {"token": self._tokens, "certificate": self._certificates}
        return tuple(name for name, checked in found.items() if checked is not None)

    def admit(self, environ: Mapping[str, Any], endpoints: Iterable[str]) -> Caller:
        """Who calls. `endpoints`: the paths a token may be addressed to. Raises RequestError 401, or 503 if it cannot tell."""
        try:
            token = bearer(environ.get("HTTP_AUTHORIZATION"))
            if token is None:
                return self._certified(environ)
            if self._tokens is None:
                raise Untrusted("no issuer is trusted")
            return self._tokens.caller(token, [self._base_url + endpoint for endpoint in endpoints])
        except Untrusted as refusal:
            _LOG.warning("unauthorised: %s", refusal.reason)
            raise RequestError(HTTPStatus.UNAUTHORIZED, UNAUTHORISED) from None
        except sqlite3.Error as error:
            _LOG.error("used tokens cannot be remembered, and nobody is admitted: %s", type(error).__name__)
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, FORGETFUL, 5) from None

    def _certified(self, environ: Mapping[str, Any]) -> Caller:
        """The client that a proxy vouches for; the same headers from anybody else are nobody's word."""
        trusted = self._certificates
        if trusted is None:
            raise Untrusted("no token")
        peer = address_of(environ.get("REMOTE_ADDR", ""))
        if peer is None or not any(peer in network for network in trusted.proxies):
            raise Untrusted("no token, and not from a named proxy")
        name = environ.get(_variable(trusted.subject), "")
        if environ.get(_variable(trusted.verified)) != "SUCCESS" or name not in trusted.clients:
            raise Untrusted("no token, and no certificate of a client")
        return Caller(name)


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header; None where there is none (SEC-04)."""
    scheme, _, token = (header or "").strip().partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token not in ("", "null") else None


def _variable(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")
