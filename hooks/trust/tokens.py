"""A client's JSON Web Token, checked claim by claim (SEC-04 to SEC-36); the same checks refuse a call and explain a refusal."""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jwt
import msgspec
from msgspec import Struct

from hooks.trust.issuers import Issuer
from hooks.trust.keysets import KeySet, key_set
from hooks.trust.replay import Replays


_LONGEST = 16 * 1024
"""No client's token is longer: Epic's has about 1,500 characters."""
_LAST_SECOND = 253402300800
"""The year 10000 begins: no token is meant to last so long, and larger numbers are no times."""
_PORTS = {"https": ":443", "http": ":80"}
_parts = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?P<port>(?::[0-9]+)?)(?P<path>(?:/[^?#]*)?)(?P<query>(?:\?[^#]*)?)",
    re.IGNORECASE,
).fullmatch


class Check(Struct, frozen=True):
    """One thing that must hold of a token: what it is about, whether it holds, and a sentence for whoever set the client up."""

    name: str
    holds: bool
    text: str


class Caller(Struct, frozen=True):
    """Whom a valid token comes from."""

    iss: str
    tenant: str | None = None
    sub: str | None = None
    jti: str | None = None


class Untrusted(Exception):  # noqa: N818 - it is no error of ours
    """A token that proves nothing. `reason` is for the log: names of claims, never their values."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class Tokens:
    """Checks tokens of the trusted issuers."""

    def __init__(self, issuers: Iterable[Issuer], replays: Replays, clock: Callable[[], float] = time.time) -> None:
        """Raises KeySetError or OSError for keys that are at hand and of no use. Keys behind a URL are fetched when needed."""
        self._issuers = {issuer.iss: issuer for issuer in issuers}
        self._replays, self._clock = replays, clock
        self._keys: dict[tuple[str, str | None], KeySet] = {}
        for issuer in self._issuers.values():
            self._keys[issuer.iss, None] = registered = key_set(issuer.keys, issuer.algorithms, issuer.networks, issuer.authority)
            own = issuer.keys if isinstance(issuer.keys, str) else None
            for url in issuer.key_urls:
                self._keys[issuer.iss, url] = key_set(url, issuer.algorithms, issuer.networks, issuer.authority)
            if own is not None:
                self._keys[issuer.iss, own] = registered
        self.key_sets = {iss: self._keys[iss, None] for iss in self._issuers}

    def caller(self, token: str, endpoints: Iterable[str]) -> Caller:
        """Whom the token comes from, if all of it holds. Raises Untrusted. `endpoints`: the URLs it may be addressed to.

        A token is used up only when everything else about it held (SEC-32).
        """
        claims: dict[str, Any] = {}
        for check in self.checks(token, endpoints, claims):
            if not check.holds:
                raise Untrusted(check.name)
        if self._issuers[claims["iss"]].once and not self._replays.first(
            claims["iss"], claims["jti"], claims["exp"] + self._issuers[claims["iss"]].skew_s, self._clock()
        ):
            raise Untrusted("jti")
        return Caller(claims["iss"], _text(claims.get("tenant")), _text(claims.get("sub")), claims["jti"])

    def checks(self, token: str, endpoints: Iterable[str], claims: dict[str, Any] | None = None) -> Iterator[Check]:
        """Every check of a token, in order; where one makes the next meaningless it is the last. `claims` is filled in."""
        claims = {} if claims is None else claims
        header = _header(token)
        yield Check(
            "form", header is not None, "The token has three parts, of which the first two are JSON objects in base64url."
        )
        if header is None:
            return
        claims.update(_part(token, 1) or {})
        yield from _header_checks(header)
        issuer = self._issuers.get(claims.get("iss")) if isinstance(claims.get("iss"), str) else None  # type: ignore[arg-type]
        yield Check("iss", issuer is not None, "iss is, letter for letter, an issuer that this service trusts.")
        if issuer is None:
            return
        algorithm, jku = header.get("alg"), header.get("jku")
        agreed = isinstance(algorithm, str) and algorithm in issuer.algorithms
        yield Check("alg", agreed, f"alg is agreed with the issuer: {', '.join(issuer.algorithms)}.")
        keys = self._keys.get((issuer.iss, jku)) if jku is None or isinstance(jku, str) else None
        yield Check("jku", keys is not None, "jku is absent, or a key set URL that is agreed with this issuer.")
        if not agreed or keys is None or not isinstance(header.get("kid"), str):
            return
        key = keys.find(header["kid"], str(algorithm))
        yield Check("kid", key is not None, "kid names a key of the issuer's key set that is fit for this algorithm.")
        if key is None:
            return
        yield Check("signature", _signed(token, key, str(algorithm)), "The signature is that of this key over header and claims.")
        yield from _claim_checks(claims, issuer, endpoints, self._clock())


def _header_checks(header: dict[str, Any]) -> Iterator[Check]:
    yield Check("typ", str(header.get("typ")).upper() == "JWT", "typ is JWT.")
    yield Check("crit", "crit" not in header, "Nothing is declared critical: no extension is understood here.")
    kid = header.get("kid")
    yield Check("kid", isinstance(kid, str) and kid != "", "kid is there, as text.")


def _claim_checks(claims: dict[str, Any], issuer: Issuer, endpoints: Iterable[str], now: float) -> Iterator[Check]:
    aud, exp, iat, nbf = claims.get("aud"), _time(claims.get("exp")), _time(claims.get("iat")), _time(claims.get("nbf"))
    accepted = {*map(normalised, endpoints), *map(normalised, issuer.audiences)}
    named = aud if isinstance(aud, list) else [aud]
    addressed = any(isinstance(one, str) and one and normalised(one) in accepted for one in named)
    yield Check("aud", addressed, "aud is, or contains, the URL of the endpoint that is called, or what was agreed in its place.")
    yield Check("exp", exp is not None and now <= exp + issuer.skew_s, "exp is a time, and not past.")
    yield Check("iat", iat is not None and iat <= now + issuer.skew_s, "iat is a time, and not in the future.")
    short = exp is not None and iat is not None and exp - iat <= issuer.lifetime_s
    yield Check("lifetime", short, f"From iat to exp it is at most {issuer.lifetime_s} s.")
    begun = claims.get("nbf") is None or (nbf is not None and nbf <= now + issuer.skew_s)
    yield Check("nbf", begun, "nbf is absent, or a time that has come.")
    jti = claims.get("jti")
    yield Check("jti", isinstance(jti, str) and jti != "", "jti is there, as text.")
    yield Check("tenant", not issuer.tenants or claims.get("tenant") in issuer.tenants, "tenant is one of those agreed.")
    yield Check("sub", not issuer.subjects or claims.get("sub") in issuer.subjects, "sub is one of those agreed.")


def normalised(url: str) -> str:
    """A URL as it is compared: scheme and host in small letters, no default port, no slash at the end (SEC-23)."""
    parts = _parts(url)
    if parts is None:
        return url
    scheme, host = parts["scheme"].lower(), parts["host"].lower()
    port = "" if parts["port"] == _PORTS[scheme] else parts["port"]
    return f"{scheme}://{host}{port}{parts['path'].rstrip('/')}{parts['query']}"


def _signed(token: str, key: jwt.PyJWK, algorithm: str) -> bool:
    try:
        jwt.PyJWS().decode(token, key, algorithms=[algorithm])
    except jwt.PyJWTError:
        return False
    return True


def _header(token: str) -> dict[str, Any] | None:
    header = _part(token, 0) if len(token) <= _LONGEST and token.count(".") == 2 and token.isascii() else None
    return header if header is not None and _part(token, 1) is not None else None


def _part(token: str, place: int) -> dict[str, Any] | None:
    part = token.split(".")[place]
    try:
        value = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (NotBase64, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _time(value: Any) -> float | None:
    usual = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LAST_SECOND
    return float(value) if usual else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
