"""Tokens right and wrong, sent to the real server with two workers; `python -m tests.hooks.jwtmatrix` prints what each one got."""

from __future__ import annotations

import base64
import hmac
import json
import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import jwt
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.hooks.test_workers import BASE, PROFILE, SERVICE, Running, running
from tests.hooks.tokens import ENDPOINT, ISS, jwk, private_key, token


THEIRS = "https://theirs.example.org"
FEEDBACK = f"{ENDPOINT}/feedback"
_URL = "https://theirs.invalid/jwks"
_EPIC = "d3b+A/x="


class Got(NamedTuple):
    """What became of one call."""

    case: str
    expected: int
    status: int
    body: str


def agreed(folder: Path) -> dict[str, Any]:
    """A configuration of two clients; the keys of ours lie in a file, so that they can be exchanged."""
    exchange(folder, [jwk(), jwk("rsa", "RS384"), jwk(_EPIC), jwk("256", "ES256"), jwk("short", "weak"), jwk("enc", use="enc")])
    (folder / "theirs.json").write_text(json.dumps({"keys": [jwk("two", serial=2)]}), encoding="utf-8")
    ours = {"iss": [ISS], "jwks_file": "ours.json", "aud": ["agreed"]}
    theirs = {
        "iss": [THEIRS],
        "jwks_file": "theirs.json",
        "key_urls": [_URL],
        "tenants": ["east"],
        "subjects": ["b12"],
        "once": False,
    }
    for name, trust in (("ours", ours), ("theirs", theirs)):
        profile = yaml.safe_dump({**PROFILE, "name": name, "trust": trust}, allow_unicode=True)
        (folder / f"{name}.yaml").write_text(profile, encoding="utf-8")
    return {"clients": ["ours.yaml", "theirs.yaml"], "server": {"base_url": BASE, "workers": 2}, "feedback": {"store": "f.db"}}


def exchange(folder: Path, keys: list[dict[str, Any]]) -> None:
    """Put other keys into the file of ours."""
    (folder / "ours.json").write_text(json.dumps({"keys": keys}), encoding="utf-8")


def fresh(kind: str = "ES384", serial: int = 0, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token that is good now, and good once, but for what is given. Numbers of times count from now."""
    now = time.time()
    times = {name: now + claims[name] if type(claims[name]) is int else claims[name] for name in claims.keys() & _LATER}
    return token(kind, serial, header, **{"iat": now, "exp": now + 300, "jti": str(uuid4()), **claims, **times})


_LATER = {"iat", "exp", "nbf"}


def forged(header: dict[str, Any], secret: bytes | None = None, **claims: Any) -> str:
    """A token that no library would make: with any header, without a signature or with one by a shared secret."""
    content = {"iss": ISS, "aud": ENDPOINT, "iat": time.time(), "exp": time.time() + 300, "jti": str(uuid4()), **claims}
    unsigned = ".".join(_part(json.dumps(part).encode()) for part in ({"typ": "JWT", "kid": "one", **header}, content))
    signature = hmac.digest(secret, unsigned.encode(), f"sha{header['alg'][2:]}") if secret is not None else b""
    return f"{unsigned}.{_part(signature)}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bent(sent: str) -> str:
    """Another payload under the same signature."""
    header, payload, signature = sent.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return ".".join((header, _part(json.dumps({**claims, "sub": "somebody else"}).encode()), signature))


def good() -> Iterator[tuple[str, str]]:
    """What must be believed."""
    yield "ES384", fresh()
    yield "RS384", fresh("RS384", header={"kid": "rsa"})
    yield "scheme in small letters, typ jwt", fresh(header={"typ": "jwt"})
    yield "kid with + / =", fresh(header={"kid": _EPIC})
    yield "aud a list with the endpoint in it", fresh(aud=["https://other.example", ENDPOINT])
    yield "aud with capitals, port and slash", fresh(aud=ENDPOINT.replace("cds.example.org", "CDS.example.org:443") + "/")
    yield "aud as agreed", fresh(aud="agreed")
    yield "expired 30 s ago", fresh(iat=-200, exp=-30)
    yield "iat 30 s ahead", fresh(iat=30)
    yield "nbf 5 min ago", fresh(nbf=-300)
    yield "lifetime 3600 s", fresh(exp=3600, iat=0)
    yield "claims and header members nobody asked for", fresh(header={"x5t": "x"}, sub="x", scope="y", tenant="z")
    yield "jti of 2,000 characters", fresh(jti="j" * 2000 + str(uuid4()))
    yield "theirs, with tenant and subject", fresh(serial=2, header={"kid": "two"}, iss=THEIRS, tenant="east", sub="b12")


def bad() -> Iterator[tuple[str, str]]:
    """What proves nothing."""
    public = private_key("RS384", 0).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    embedded = jwt.encode({}, private_key("ES384", 9), algorithm="ES384").split(".")[2]
    yield "no JWT", "x"
    yield "two parts", "a.b"
    yield "header no JSON", "YQ.YQ.YQ"
    yield "header a list", f"W10.{fresh().split('.', 1)[1]}"
    yield "a character that base64url has not", f"{fresh()},"
    yield "a blank in the signature", f"{fresh()[:-4]} {fresh()[-4:]}"
    for alg in ("none", "None", "NONE"):
        yield f"alg {alg}", forged({"alg": alg})
        yield f"alg {alg}, with a signature", forged({"alg": alg}) + embedded
    for alg in ("HS256", "HS384", "HS512"):
        yield f"{alg} with the public key as secret", forged({"alg": alg, "kid": "rsa"}, public)
    yield "alg missing", forged({"alg": None})
    yield "alg a list", forged({"alg": ["ES384"]})
    yield "RS256, not agreed", fresh("RS256", header={"kid": "rsa"})
    yield "ES256, not agreed", fresh("ES256", header={"kid": "256"})
    yield "RS384 with the id of a key for ES384", fresh("RS384")
    yield "key of 1024 bits", fresh("weak", header={"kid": "short"})
    yield "key for encryption", fresh(header={"kid": "enc"})
    yield "kid unknown", fresh(header={"kid": "unknown"})
    yield "kid a path", fresh(header={"kid": "../../etc/passwd"})
    yield "kid a URL", fresh(header={"kid": "https://evil.invalid/key"})
    yield "kid with a line break and an end", fresh(header={"kid": "one\r\nX-Evil: 1\0"})
    yield "kid beyond ASCII", fresh(header={"kid": "ключ' OR 1=1 --"})
    yield "kid a number", forged({"alg": "ES384", "kid": 1}) + embedded
    yield "kid missing", forged({"alg": "ES384", "kid": None}) + embedded
    yield "typ missing", fresh(header={"typ": None})
    yield "typ at+jwt", fresh(header={"typ": "at+jwt"})
    yield "crit", fresh(header={"crit": ["x"], "x": 1})
    yield "b64 false", forged({"alg": "ES384", "b64": False}) + embedded
    yield "jku foreign", fresh(serial=9, header={"jku": "https://evil.invalid/jwks"})
    yield "jku loopback", fresh(serial=9, header={"jku": "https://127.0.0.1/jwks"})
    yield "jku of another client", fresh(header={"jku": _URL})
    yield "jku empty", fresh(header={"jku": ""})
    yield "jwk in the header", fresh(serial=9, header={"jwk": jwk(serial=9)})
    yield "x5u in the header", fresh(serial=9, header={"x5u": "https://evil.invalid/x"})
    yield "another key under a known kid", fresh(serial=9)
    yield "payload exchanged", _bent(fresh())
    yield "signature empty", fresh().rpartition(".")[0] + "."
    yield "signature of zeros", f"{fresh().rpartition('.')[0]}.{_part(bytes(96))}"
    yield "signature of one byte", f"{fresh().rpartition('.')[0]}.AA"
    yield "iss missing", fresh(iss=None)
    yield "iss unlisted", fresh(iss="https://evil.invalid")
    yield "iss with a slash", fresh(iss=f"{ISS}/")
    yield "iss a list", forged({"alg": "ES384"}, iss=[ISS]) + embedded
    yield "iss of another client, own key", fresh(iss=THEIRS, tenant="east", sub="b12")
    yield "iss of another client, its kid, own key", fresh(header={"kid": "two"}, iss=THEIRS, tenant="east", sub="b12")
    yield "theirs, tenant unlisted", fresh(serial=2, header={"kid": "two"}, iss=THEIRS, tenant="west", sub="b12")
    yield "theirs, tenant missing", fresh(serial=2, header={"kid": "two"}, iss=THEIRS, sub="b12")
    yield "theirs, subject unlisted", fresh(serial=2, header={"kid": "two"}, iss=THEIRS, tenant="east", sub="x")
    for name, aud in {
        "missing": None,
        "empty": "",
        "a number": 7,
        "of another service": f"{BASE}/cds-services/b12-order-sign",
        "of the feedback": FEEDBACK,
        "of the deployment": BASE,
        "of discovery": f"{BASE}/cds-services",
        "by http": ENDPOINT.replace("https", "http"),
        "longer": f"{ENDPOINT}x",
        "with another host before it": f"https://evil.invalid/{ENDPOINT}",
        "with a user": ENDPOINT.replace("//", "//evil@"),
        "with a fragment": f"{ENDPOINT}#x",
        "with a line break": ENDPOINT.replace("cds.", "cds.\n"),
        "an empty list": [],
        "a list of others": ["https://other.example", 7, None],
        "an object": {ENDPOINT: ENDPOINT},
    }.items():
        yield f"aud {name}", fresh(aud=aud)
    yield "expired 61 s ago", fresh(iat=-200, exp=-62)
    yield "expired long ago", fresh(iat=-90_000, exp=-86_400)
    for name, value in {"missing": None, "text": "soon", "true": True, "infinite": math.inf, "a list": [1]}.items():
        yield f"exp {name}", fresh(exp=value)
    yield "iat 2 min ahead", fresh(iat=120)
    yield "iat missing", fresh(iat=None)
    yield "iat text", fresh(iat="now")
    yield "nbf 5 min ahead", fresh(nbf=300)
    yield "nbf text", fresh(nbf="now")
    yield "lifetime 3601 s", fresh(iat=0, exp=3602)
    for name, value in {"missing": None, "empty": "", "a number": 5}.items():
        yield f"jti {name}", _with_jti(value)


def _with_jti(value: Any) -> str:
    now = time.time()
    claims = {"iss": ISS, "aud": ENDPOINT, "iat": now, "exp": now + 300, **({"jti": value} if value is not None else {})}
    return jwt.PyJWS().encode(json.dumps(claims).encode(), private_key("ES384", 0), "ES384", {"kid": "one"})


def matrix(folder: Path) -> Iterator[Got]:
    """Every case."""
    with running(folder, **agreed(folder)) as service:

        def got(case: str, expected: int, sent: str | None, path: str = SERVICE, body: Any = None) -> Got:
            return _got(service, case, expected, sent, path, body)

        yield got("no token", 401, None)
        for case, sent in good():
            yield got(case, 200, sent)
        for case, sent in bad():
            yield got(case, 401, sent)
        yield got("more than 8,190 bytes, which no header may have", 400, fresh(more="x" * 8_190))
        yield from _repeated(service)
        for case, aud in {"feedback, by its token": FEEDBACK, "feedback, by a token of the service": ENDPOINT}.items():
            sent = fresh(aud=aud)
            yield got(case, 200, sent, f"{SERVICE}/feedback", {"feedback": []})
            yield got("that token, for a call", 401, sent)
        yield got("feedback, no token", 401, None, f"{SERVICE}/feedback", {"feedback": []})
        rotated = fresh(serial=3, header={"kid": "three"})
        yield got("key not yet known", 401, rotated)
        exchange(folder, [jwk("three", serial=3)])
        yield got("the same token, its key is known now", 200, rotated)
        yield got("a key that was taken away", 401, fresh())


def _repeated(service: Running) -> Iterator[Got]:
    """One token on many connections, of which both workers get some: exactly one is answered."""
    sent = fresh()
    yield _got(service, "forged, with the jti of a token to come", 401, _bent(sent))
    yield _got(service, "that token, first", 200, sent)
    again = [_got(service, "that token, again, on two workers", 401, sent) for _ in range(12)]
    yield next((one for one in again if one.status != one.expected), again[0])
    own = fresh(serial=2, header={"kid": "two"}, iss=THEIRS, tenant="east", sub="b12")
    for place in ("first", "again, which is agreed with its issuer"):
        yield _got(service, f"a token of theirs, {place}", 200, own)


def _got(service: Running, case: str, expected: int, sent: str | None, path: str = SERVICE, body: Any = None) -> Got:
    answer = service.call(leave=sent, path=path, **({"sent": body} if body is not None else {}))
    return Got(case, expected, answer.status_code, answer.text.replace(answer.headers["X-Request-Id"], "ID"))


def main() -> None:
    """Print the table; what is not as it must be is marked."""
    with tempfile.TemporaryDirectory() as folder:
        found = list(matrix(Path(folder)))
    lines = ["| token | status |", "| --- | --- |"]
    lines += [
        f"| {one.case} | {one.status}{'' if one.status == one.expected else f' INSTEAD OF {one.expected}'} |" for one in found
    ]
    print("\n".join(lines))  # noqa: T201 - a command


if __name__ == "__main__":
    main()
