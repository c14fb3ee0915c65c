"""A client whose calls are signed: its keys, its profile, and a fresh token for each of its calls."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import cast
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import get_default_algorithms


BASE = "https://cds.example.org"
_ISS = "https://ehr.example.org"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}


class Signer:
    """Keys of one client, one for each algorithm."""

    def __init__(self, algorithms: Iterable[str]) -> None:
        """Make the keys."""
        self._keys = {algorithm: _key(algorithm) for algorithm in algorithms}

    def __getstate__(self) -> dict[str, bytes]:
        """The keys as they go to another process."""
        how = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return {algorithm: key.private_bytes(*how) for algorithm, key in self._keys.items()}

    def __setstate__(self, written: dict[str, bytes]) -> None:
        """Read them there."""
        self._keys = {name: cast(Key, serialization.load_pem_private_key(pem, None)) for name, pem in written.items()}

    def profile(self, folder: Path) -> Path:
        """The client as the service is told of it: a file, with its key set beside."""
        public = [{**_public(algorithm, key), "kid": algorithm, "alg": algorithm} for algorithm, key in self._keys.items()]
        (folder / "keys.json").write_text(json.dumps({"keys": public}), encoding="utf-8")
        trust = {"iss": [_ISS], "jwks_file": "keys.json", "algs": list(self._keys)}
        file = folder / "signing.yaml"
        file.write_text(json.dumps({"based_on": "generic", "trust": trust}), encoding="utf-8")
        return file

    def token(self, algorithm: str, path: str) -> str:
        """A token for one call of a path."""
        now = int(time.time())
        claims = {"iss": _ISS, "aud": BASE + path, "iat": now, "exp": now + 300, "jti": uuid4().hex}
        return jwt.encode(claims, self._keys[algorithm], algorithm, headers={"kid": algorithm})


def _key(algorithm: str) -> Key:
    return ec.generate_private_key(_CURVES[algorithm]) if algorithm in _CURVES else rsa.generate_private_key(65537, 2048)


def _public(algorithm: str, key: Key) -> dict[str, str]:
    return dict(json.loads(get_default_algorithms()[algorithm].to_jwk(key.public_key())))
