"""The token kit: keys of the kinds that occur, and tokens right and wrong, as an EHR or a forger would make them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import get_default_algorithms


NOW = 1_790_000_000.0
"""The clock of the tests, in seconds since 1970."""
ISS = "https://ehr.example.org/fhir"
ENDPOINT = "https://cds.example.org/cds-services/b12-bone-health"


@cache
def private_key(kind: str, serial: int) -> Any:
    """A key of a kind; another `serial` gives another key of the same kind."""
    if kind.startswith("ES"):
        return ec.generate_private_key({"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}[kind])
    return rsa.generate_private_key(65537, 1024 if kind == "weak" else 2048)


def jwk(kid: str = "one", kind: str = "ES384", serial: int = 0, **members: Any) -> dict[str, Any]:
    """The public half, as it stands in a JWK Set; a member of None is left out."""
    algorithm = get_default_algorithms()["ES384" if kind.startswith("ES") else "RS384"]
    key = json.loads(algorithm.to_jwk(private_key(kind, serial).public_key()))
    return {name: value for name, value in {**key, "kid": kid, **members}.items() if value is not None}


def token(kind: str = "ES384", serial: int = 0, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token that is good at NOW, but for the claims and header members given; what is None is left out."""
    content = {"iss": ISS, "aud": ENDPOINT, "exp": NOW + 300, "iat": NOW, "jti": "first", **claims}
    members = {"kid": "one", **(header or {})}
    return jwt.encode(
        {name: value for name, value in content.items() if value is not None},
        private_key(kind, serial),
        algorithm={"weak": "RS384"}.get(kind, kind),
        headers=members,
    )
