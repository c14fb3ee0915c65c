"""Tokens as a CDS client signs them, with a key of its own from a PEM file or a JWK."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from hooks.kit.inputs import object_of
from hooks.mistakes import Mistake


Sign = Callable[[str], str]
"""A fresh token for the URL that is called."""

_LIFETIME_S = 300
_OF_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_OF_KIND = {"RSA": "RS384", "OKP": "EdDSA"}


def signer(key: Path, issuer: str | None, audience: str | None, kid: str | None, jku: str | None) -> Sign:
    """Signs as this issuer. `audience`: what stands in aud in place of the URL. Raises Mistake."""
    import jwt  # cryptography takes its time

    if issuer is None:
        raise Mistake("--key signs a token that says who calls, and nobody is named; add --issuer, as the service has it listed.")
    jwk = _jwk(key)
    algorithm = jwk.get("alg") or _OF_CURVE.get(str(jwk.get("crv"))) or _OF_KIND[jwk["kty"]]
    identity = kid or jwk.get("kid")
    if not identity:
        raise Mistake(f"{key} does not say by which id the service knows it; add --kid, as it stands in your JWK Set.")
    try:
        private = jwt.PyJWK(jwk, algorithm=algorithm).key
        header = {"kid": identity, **({"jku": jku} if jku else {})}
        jwt.encode({}, private, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Mistake(f"{key} holds no private key that can sign; give the private half (PEM, or a JWK with its `d`).") from None

    def sign(url: str) -> str:
        now = int(time.time())
        claims = {"iss": issuer, "aud": audience or url, "iat": now, "exp": now + _LIFETIME_S, "jti": str(uuid4())}
        return jwt.encode(claims, private, algorithm=algorithm, headers=header)

    return sign


def _jwk(file: Path) -> dict[str, Any]:
    """A private key as a JWK. Raises Mistake."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from jwt.algorithms import get_default_algorithms

    try:
        content = file.read_bytes()
    except OSError as error:
        raise Mistake(f"{file} cannot be read ({error.strerror}); name the file of your private key.") from None
    if not content.lstrip().startswith(b"-----"):
        jwk = object_of(content, str(file), "a private key as PEM or JWK")
        if jwk.get("kty") not in ("EC", *_OF_KIND) or "d" not in jwk:
            raise Mistake(f"{file} is no private JWK of EC, RSA or OKP; give one with `kty` and `d`, or a PEM file.")
        return jwk
    kinds = {EllipticCurvePrivateKey: "ES384", RSAPrivateKey: "RS384", Ed25519PrivateKey: "EdDSA"}
    try:
        private = load_pem_private_key(content, password=None)
        algorithm = next(name for kind, name in kinds.items() if isinstance(private, kind))
    except (ValueError, TypeError, StopIteration):
        raise Mistake(
            f"{file} holds no private EC, RSA or Ed25519 key without a password; decrypt it, or give another."
        ) from None
    jwk = get_default_algorithms()[algorithm].to_jwk(private, as_dict=True)
    return dict(jwk)
