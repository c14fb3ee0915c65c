"""The public keys of an issuer: which of a JWK Set are usable, and how a set behind a URL is kept fresh."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jwt
import msgspec
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from hooks.networks import Adapter, Network, PrivateAddressError, reaching
from hooks.trust.issuers import CURVE_OF


FRESH_S = 600
"""A set from a URL is used so long before it is asked for again."""
COOL_DOWN_S = 60
"""After any attempt nobody asks again for so long, however many unknown keys are named (SEC-10)."""
STALE_S = 24 * 3600
"""While the URL does not answer, known keys are trusted for so long."""

_LARGEST = 256 * 1024
_PIECE = 16 * 1024
_PATIENCE_S = 2.0
_RSA_BITS = 2048

_LOG = logging.getLogger("cobalamin")

Keys = Mapping[tuple[str, str], jwt.PyJWK]
"""Usable keys by the id and the algorithm they are for."""


class KeySetError(ValueError):
    """What should be a JWK Set is none; the message quotes nothing of it."""


def usable(key_set: Any, algorithms: tuple[str, ...]) -> Keys:
    """The keys of a JWK Set that may check a signature; what is for something else, weak or unknown is passed over (SEC-18)."""
    listed = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(listed, list):
        raise KeySetError("A JWK Set is an object with an array of keys.")
    found = {}
    for jwk in listed:
        for algorithm in algorithms:
            if isinstance(jwk, dict) and _fits(jwk, algorithm) and (key := _strong(jwk, algorithm)) is not None:
                found[jwk["kid"], algorithm] = key
    return found


def _fits(jwk: dict[str, Any], algorithm: str) -> bool:
    """Is the key for signatures, by this algorithm? A key that says nothing is for every algorithm of its type (SEC-09)."""
    kind = {"E": "EC", "R": "RSA", "P": "RSA"}[algorithm[0]] if algorithm != "EdDSA" else "OKP"
    return (
        isinstance(jwk.get("kid"), str)
        and jwk.get("kty") == kind
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", algorithm) == algorithm
        and jwk.get("crv") == CURVE_OF.get(algorithm, jwk.get("crv"))
    )


def _strong(jwk: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    """The key, unless it is broken or short (SEC-42). Of a private one, which nobody should have sent, only the public half."""
    public = {name: value for name, value in jwk.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth")}
    try:
        key = jwt.PyJWK(public, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return None if isinstance(key.key, RSAPublicKey) and key.key.key_size < _RSA_BITS else key


class KeptKeys:
    """Keys that were handed over once: in the configuration, or as a file, which is read again when it changes."""

    age_s = None
    """They do not age."""

    def __init__(self, source: dict[str, Any] | Path, algorithms: tuple[str, ...]) -> None:
        """Raises KeySetError or OSError where there is no key set, or none of its keys is usable."""
        self._source, self._algorithms, self._read_at = source, algorithms, 0.0
        self._keys: Keys = {}
        if not self._read():
            raise KeySetError("None of the keys can check a signature of the algorithms agreed with the issuer.")

    def find(self, kid: str, algorithm: str) -> jwt.PyJWK | None:
        """The key with this id, for this algorithm."""
        self._look_again()
        return self._keys.get((kid, algorithm))

    def at_hand(self) -> bool:
        """Is there any key?"""
        self._look_again()
        return bool(self._keys)

    def _look_again(self) -> None:
        if isinstance(self._source, Path) and self._changed(self._source):
            try:
                if not self._read():
                    _LOG.warning("a key file holds no usable key any more: its client is locked out")
            except (OSError, ValueError) as error:
                _LOG.warning("a key file cannot be read, its keys stay as they were: %s", type(error).__name__)

    def _changed(self, file: Path) -> bool:
        try:
            return file.stat().st_mtime != self._read_at
        except OSError:
            return False

    def _read(self) -> Keys:
        source = self._source
        if isinstance(source, Path):
            self._read_at = source.stat().st_mtime
            source = _decoded(source.read_bytes())
        self._keys = usable(source, self._algorithms)
        return self._keys


class FetchedKeys:
    """Keys behind an https URL: kept while fresh, asked for again when a key is unknown, kept longer while nobody answers."""

    def __init__(
        self,
        url: str,
        algorithms: tuple[str, ...],
        clock: Callable[[], float] = time.monotonic,
        networks: tuple[Network, ...] = (),
        authority: str | None = None,
    ) -> None:
        """Nothing is fetched before it is needed: the service must start while an EHR is down."""
        self._url, self._algorithms, self._clock = url, algorithms, clock
        self._networks, self._authority = networks, authority
        self._keys: Keys = {}
        self._tried: float | None = None
        self._fetched: float | None = None

    def find(self, kid: str, algorithm: str) -> jwt.PyJWK | None:
        """The key with this id, for this algorithm; an unknown one may be new (SEC-17)."""
        now = self._clock()
        fresh = self._fetched is not None and now - self._fetched < FRESH_S
        known = self._keys.get((kid, algorithm)) if fresh else None
        if known is None:
            self._ask(now)
        return self._keys.get((kid, algorithm)) if self._trusted(now) else None

    def at_hand(self) -> bool:
        """Is there any key, be it an old one? Where there is none, the set is asked for."""
        now = self._clock()
        if not (self._keys and self._trusted(now)):
            self._ask(now)
        return bool(self._keys) and self._trusted(now)

    def _ask(self, now: float) -> None:
        """Fetch the set, unless somebody just tried."""
        if self._tried is None or now - self._tried >= COOL_DOWN_S:
            self._tried = now
            try:
                self._keys, self._fetched = usable(_fetch(self._url, self._networks, self._authority), self._algorithms), now
            except (OSError, ValueError) as error:  # those of the library among them
                _LOG.warning("no key set from an issuer: %s", type(error).__name__)
            except PrivateAddressError:
                _LOG.error("a key set lies at a private address; list its network in the profile of the client (networks)")

    def _trusted(self, now: float) -> bool:
        return self._fetched is not None and now - self._fetched < STALE_S

    @property
    def age_s(self) -> float | None:
        """Seconds since the set was last fetched; None if it never was."""
        return None if self._fetched is None else self._clock() - self._fetched


KeySet = KeptKeys | FetchedKeys


def key_set(
    source: dict[str, Any] | Path | str,
    algorithms: tuple[str, ...],
    networks: tuple[Network, ...] = (),
    authority: str | None = None,
) -> KeySet:
    """The keys of a source. Raises KeySetError or OSError for one that is at hand and holds no usable key."""
    if isinstance(source, str):
        return FetchedKeys(source, algorithms, networks=networks, authority=authority)
    return KeptKeys(source, algorithms)


def _fetch(url: str, networks: tuple[Network, ...], authority: str | None) -> Any:
    """A JWK Set from its URL: no redirect, no proxy of the environment, not too large, not too slow (SEC-16)."""
    deadline = time.monotonic() + _PATIENCE_S
    with requests.Session() as session, reaching(networks):
        session.trust_env, session.verify = False, authority or True
        session.mount("https://", Adapter())
        with session.get(url, timeout=_PATIENCE_S, allow_redirects=False, stream=True) as answer:
            if answer.status_code != requests.codes.ok:
                raise KeySetError("The key set URL did not answer with 200.")
            content = b""
            while piece := answer.raw.read1(_PIECE, decode_content=True):  # not read(), which waits for all of a piece
                content += piece
                if len(content) > _LARGEST or time.monotonic() > deadline:
                    raise KeySetError("The key set is too large or comes too slowly.")
    return _decoded(content)


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        raise KeySetError("The key set is no JSON.") from None
