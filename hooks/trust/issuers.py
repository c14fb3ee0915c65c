"""What the tokens of one client must be like: its issuer, its keys, the audiences and claims agreed with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from msgspec import Struct

from hooks.networks import Network
from hooks.wire import require_web_address


Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"]
"""Signatures with a private and a public key. With a shared secret, or with none, whoever can check could also sign."""

ALGORITHMS: tuple[str, ...] = get_args(Algorithm)
CURVE_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
"""The curve that belongs to each algorithm on elliptic curves (RFC 7518, 3.4)."""


class Issuer(Struct, frozen=True):
    """One trusted issuer. Raises ValueError where the agreement cannot be kept.

    `keys`: a JWK Set as an object, a file of one, or its https URL. `key_urls`: what a token may name in `jku` beside that URL.
    `audiences`: values of `aud` agreed beside the URL of the endpoint (SEC-24). `tenants`, `subjects`: who of them may call;
    none named means all. `once`: is a token good for one call only? Tools for tests send theirs again (SEC-33).
    `networks`: private networks in which its key sets may lie. `authority`: a PEM file with whom their servers trust, where that
    is not the usual ones.
    """

    iss: str
    keys: dict[str, Any] | Path | str
    key_urls: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ("ES384", "RS384")
    audiences: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    skew_s: int = 60
    lifetime_s: int = 3600
    once: bool = True
    networks: tuple[Network, ...] = ()
    authority: str | None = None

    def __post_init__(self) -> None:
        """Hold that signatures prove something, and that keys come from where nobody can exchange them on the way."""
        unsafe = [algorithm for algorithm in self.algorithms if algorithm not in ALGORITHMS]
        if unsafe or not self.algorithms:
            raise ValueError(f"algorithms must be some of {', '.join(ALGORITHMS)}, not {', '.join(unsafe) or 'none at all'}")
        for url in (*self.key_urls, *((self.keys,) if isinstance(self.keys, str) else ())):
            require_web_address(url)
            if not url.lower().startswith("https://"):
                raise ValueError(f"keys are fetched by https only, not from {url!r}")
