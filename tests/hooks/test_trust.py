"""Whose token is believed: SEC-04 to SEC-38, one row after the other."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from jwt.algorithms import get_default_algorithms

from hooks.trust.issuers import Issuer
from hooks.trust.keysets import COOL_DOWN_S, FRESH_S, STALE_S, FetchedKeys, KeySetError, key_set
from hooks.trust.replay import Replays
from hooks.trust.tokens import Tokens, Untrusted, normalised
from tests.hooks.tokens import ENDPOINT, ISS, NOW, jwk, private_key, token


KEYS = {"keys": [jwk()]}
URL = "https://ehr.example.org/jwks.json"


@pytest.fixture(name="replays")
def replay_store(tmp_path: Path) -> Replays:
    return Replays(tmp_path / "replays")


def verdict(replays: Replays, sent: str, keys: Any = None, now: float = NOW, **agreed: Any) -> str | None:
    """None for a token that is believed, else the name of the check that failed."""
    try:
        Tokens([Issuer(ISS, keys or KEYS, **agreed)], replays, lambda: now).caller(sent, [ENDPOINT])
    except Untrusted as refusal:
        return refusal.reason
    return None


def raw(header: dict[str, Any], claims: dict[str, Any] | None = None, signature: bytes = b"") -> str:
    """A token put together by hand, as no library would."""
    content = claims or {"iss": ISS, "aud": ENDPOINT, "exp": NOW + 300, "iat": NOW, "jti": "first"}
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (_json(header), _json(content), signature))


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "sent", ["", "a.b", "a.b.c", "!.!.!", "bnVsbA.bnVsbA.", token() + ".x", "é.é.é", "a" * 20_000 + "..", "W10.W10."]
)
def test_SEC_05_a_malformed_token_proves_nothing(replays: Replays, sent: str) -> None:
    assert verdict(replays, sent) == "form"


@pytest.mark.parametrize("alg", ["none", "None", "NONE"])
@pytest.mark.parametrize("signature", [b"", b"x" * 96])
def test_SEC_06_no_token_without_a_signature(replays: Replays, alg: str, signature: bytes) -> None:
    assert verdict(replays, raw({"typ": "JWT", "alg": alg, "kid": "one"}, signature=signature)) == "alg"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_SEC_07_no_shared_secret_not_even_a_public_key_as_one(replays: Replays, alg: str) -> None:
    unsigned = raw({"typ": "JWT", "alg": alg, "kid": "one"}).rstrip(".")
    secret = json.dumps(jwk(kind="RS384")).encode()
    forged = hmac.new(secret, unsigned.encode(), getattr(hashlib, f"sha{alg[2:]}")).digest()
    sent = f"{unsigned}.{base64.urlsafe_b64encode(forged).rstrip(b'=').decode()}"
    assert verdict(replays, sent, {"keys": [jwk(kind="RS384")]}) == "alg"
    with pytest.raises(ValueError, match=alg):
        Issuer(ISS, KEYS, algorithms=(alg,))


def test_SEC_08_two_algorithms_unless_others_are_agreed(replays: Replays) -> None:
    both = {"keys": [jwk(), jwk("two", "RS384")]}
    assert verdict(replays, token(), both) is None
    assert verdict(replays, token("RS384", header={"kid": "two"}, jti="second"), both) is None
    rs256 = token("RS256", header={"kid": "two"}, jti="third")
    keys = {"keys": [jwk("two", "RS256")]}
    assert verdict(replays, rs256, keys) == "alg"
    assert verdict(replays, rs256, keys, algorithms=("RS256",)) is None


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # the forger does not care
@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (jwk(), "RS384"),
        (jwk(alg="ES256"), "ES384"),
        (jwk(kind="ES256"), "ES384"),
        (jwk(use="enc"), "ES384"),
        (jwk(kind="weak"), "weak"),
    ],
    ids=["another type", "for another algorithm", "another curve", "for encryption", "SEC-42 too short"],
)
def test_SEC_09_42_the_key_must_fit_the_algorithm(replays: Replays, key: dict[str, Any], kind: str) -> None:
    assert verdict(replays, token(kind), {"keys": [key, jwk("spare", "RS384"), jwk("spare")]}) == "kid"


@pytest.mark.parametrize("kid", [None, 7, "", "unknown", "../../etc/passwd"])
def test_SEC_10_kid_is_there_and_known(replays: Replays, kid: Any) -> None:
    header = {"typ": "JWT", "alg": "ES384", **({"kid": kid} if kid is not None else {})}
    assert verdict(replays, raw(header, signature=b"x" * 96)) == "kid"


def test_SEC_11_kid_is_text_and_nothing_else(replays: Replays) -> None:
    epic = "d3b+A/x="
    assert verdict(replays, token(header={"kid": epic}), {"keys": [jwk(epic)]}) is None


@pytest.mark.parametrize(("typ", "expected"), [("jwt", None), ("at+jwt", "typ"), (None, "typ")])
def test_SEC_12_typ_is_JWT(replays: Replays, typ: str | None, expected: str | None) -> None:
    assert verdict(replays, token(header={"typ": typ})) == expected


@responses.activate
def test_SEC_13_an_unlisted_key_url_is_never_asked(replays: Replays) -> None:
    responses.get("https://evil.example/jwks", json=KEYS)
    assert verdict(replays, token(header={"jku": "https://evil.example/jwks"})) == "jku"
    assert verdict(replays, token(header={"jku": 7})) == "jku"
    assert not responses.calls


@responses.activate
def test_SEC_13_a_listed_key_url_is(replays: Replays) -> None:
    responses.get(URL, json=KEYS)
    assert verdict(replays, token(header={"jku": URL}), {"keys": [jwk("other")]}, key_urls=(URL,)) is None
    assert verdict(replays, token(header={"jku": URL}, jti="second"), URL) is None


def test_SEC_14_without_a_key_url_the_registered_set_counts(replays: Replays) -> None:
    assert verdict(replays, token()) is None


def test_SEC_15_a_key_url_belongs_to_its_issuer(replays: Replays) -> None:
    theirs = Issuer("https://b.example", KEYS, key_urls=("https://b.example/jwks",))
    trusted = Tokens([Issuer(ISS, {"keys": [jwk("own")]}), theirs], replays, lambda: NOW)
    with pytest.raises(Untrusted, match="jku"):
        trusted.caller(token(header={"jku": "https://b.example/jwks"}), [ENDPOINT])


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 302, "headers": {"Location": "https://evil.example"}},
        {"status": 500},
        {"body": b" " * 300_000},
        {"body": b"<html>"},
        {"json": []},
        {"json": {"keys": {}}},
        {"body": requests.Timeout()},
    ],
    ids=["redirect", "error", "too large", "HTML", "no object", "no list", "no answer"],
)
@responses.activate
def test_SEC_16_whatever_a_key_url_answers_a_failure_is_no_trust(replays: Replays, answer: dict[str, Any]) -> None:
    responses.get(URL, **answer)
    assert verdict(replays, token(), URL) == "kid"


@pytest.mark.parametrize("url", ["http://ehr.example.org/jwks", "ftp://ehr.example.org", "jwks.json"])
def test_SEC_16_keys_come_by_https(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        Issuer(ISS, url)
    with pytest.raises(ValueError, match="http"):
        Issuer(ISS, KEYS, key_urls=(url,))


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@responses.activate
def test_SEC_17_a_new_key_is_learnt_and_an_old_one_forgotten() -> None:
    clock = Clock()
    keys = FetchedKeys(URL, ("ES384",), clock)
    responses.get(URL, json=KEYS)
    assert keys.age_s is None
    assert keys.find("one", "ES384")
    clock.now = 1
    assert keys.find("one", "ES384")
    assert len(responses.calls) == 1, "known, and fresh"
    responses.replace(responses.GET, URL, json={"keys": [jwk("two")]})
    assert keys.find("two", "ES384") is None, "asked a moment ago"
    clock.now = COOL_DOWN_S
    assert keys.find("two", "ES384")
    assert keys.find("one", "ES384") is None, "it is no longer in the set"
    assert keys.age_s == 0
    assert len(responses.calls) == 2


@responses.activate
def test_SEC_10_unknown_keys_cause_one_question_in_a_while() -> None:
    clock = Clock()
    keys = FetchedKeys(URL, ("ES384",), clock)
    responses.get(URL, json=KEYS)
    for serial in range(50):
        assert keys.find(f"unknown-{serial}", "ES384") is None
    assert len(responses.calls) == 1


@responses.activate
def test_SEC_17_known_keys_outlive_a_silent_endpoint_but_not_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    keys = FetchedKeys(URL, ("ES384",), clock)
    responses.get(URL, json=KEYS)
    assert keys.find("one", "ES384")
    responses.replace(responses.GET, URL, status=503)
    clock.now = FRESH_S + 1
    assert keys.find("one", "ES384"), "stale, and better than nobody"
    assert caplog.messages == ["no key set from an issuer: KeySetError"]
    assert keys.at_hand()
    clock.now = STALE_S
    assert keys.find("one", "ES384") is None
    assert not keys.at_hand()


@responses.activate
def test_SEC_17_a_set_without_a_usable_key_is_asked_for_again_to_be_ready() -> None:
    clock = Clock()
    keys = FetchedKeys(URL, ("ES384",), clock)
    responses.get(URL, json={"keys": []})
    assert not keys.at_hand()
    responses.replace(responses.GET, URL, json=KEYS)
    assert not keys.at_hand(), "asked a moment ago"
    clock.now = COOL_DOWN_S
    assert keys.at_hand()


def test_SEC_18_keys_of_no_use_are_passed_over(replays: Replays) -> None:
    odd = [jwk("one", use="enc"), {"kty": "SM2", "kid": "one"}, {"kty": "EC", "kid": "one", "crv": "P-384"}, "text", {"kid": 1}]
    assert verdict(replays, token(), {"keys": [*odd, jwk()]}) is None


def test_SEC_18_a_set_without_a_usable_key_stops_the_start() -> None:
    with pytest.raises(KeySetError, match="None of the keys"):
        key_set({"keys": [jwk(use="enc")]}, ("ES384",))


def test_a_private_key_in_the_set_is_used_by_its_public_half(replays: Replays) -> None:
    assert verdict(replays, token(), {"keys": [jwk(d="c2VjcmV0")]}) is None


def test_SEC_17_a_key_file_is_read_again_when_it_changes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(KEYS))
    keys = key_set(file, ("ES384",))
    assert keys.find("one", "ES384")
    _rewrite(file, json.dumps({"keys": [jwk("two")]}), 1)
    assert keys.find("one", "ES384") is None
    assert keys.find("two", "ES384")
    _rewrite(file, "{", 2)
    assert keys.find("two", "ES384"), "half a file changes nothing"
    file.unlink()
    assert keys.find("two", "ES384")
    _rewrite(file, '{"keys": []}', 3)
    assert keys.find("two", "ES384") is None, "whoever takes all keys away means it"
    assert caplog.messages == [
        "a key file cannot be read, its keys stay as they were: KeySetError",
        "a key file holds no usable key any more: its client is locked out",
    ]
    with pytest.raises(OSError, match="No such file"):
        key_set(tmp_path / "no file", ("ES384",))


def _rewrite(file: Path, content: str, later: int) -> None:
    file.write_text(content)
    os.utime(file, (NOW + later, NOW + later))


def test_SEC_19_the_signature_is_checked(replays: Replays) -> None:
    header, payload, signature = token().split(".")
    other = raw({}, {"iss": ISS, "aud": ENDPOINT, "exp": NOW + 300, "iat": NOW, "jti": "other"}).split(".")[1]
    assert verdict(replays, f"{header}.{other}.{signature}") == "signature"
    assert verdict(replays, f"{header}.{payload}.{signature[:-8]}AAAAAAAA") == "signature"
    assert verdict(replays, token(serial=1)) == "signature"


@pytest.mark.parametrize("iss", [None, "https://other.example", f"{ISS}/", 5, [ISS]])
def test_SEC_20_iss_is_on_the_list_letter_for_letter(replays: Replays, iss: Any) -> None:
    claims = {"aud": ENDPOINT, "exp": NOW + 300, "iat": NOW, "jti": "first", **({"iss": iss} if iss is not None else {})}
    assert verdict(replays, raw({"typ": "JWT", "alg": "ES384", "kid": "one"}, claims, b"x" * 96)) == "iss"


@pytest.mark.parametrize(
    ("aud", "expected"),
    [
        (ENDPOINT, None),
        ([ENDPOINT], None),
        (["https://x.example", ENDPOINT], None),
        ("https://CDS.example.org:443/cds-services/b12-bone-health/", None),
        ("https://cds.example.org/cds-services/b12-order-sign", "aud"),
        ("https://cds.example.org", "aud"),
        ("http://cds.example.org/cds-services/b12-bone-health", "aud"),
        ("https://cds.example.org:8443/cds-services/b12-bone-health", "aud"),
        ("https://evil.example/cds-services/b12-bone-health", "aud"),
        ("https://[::1/cds", "aud"),
        (["https://x.example"], "aud"),
        ([], "aud"),
        ("", "aud"),
        (None, "aud"),
        (5, "aud"),
        ("sand_man", "aud"),
    ],
)
def test_SEC_21_22_23_aud_is_the_endpoint(replays: Replays, aud: Any, expected: str | None) -> None:
    assert verdict(replays, token(aud=aud)) == expected


def test_SEC_24_an_audience_that_was_agreed(replays: Replays) -> None:
    assert verdict(replays, token(aud="sand_man"), audiences=("sand_man",)) is None


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": NOW - 30}, None),
        ({"exp": NOW - 61}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"iat": NOW + 30}, None),
        ({"iat": NOW + 120, "exp": NOW + 300}, "iat"),
        ({"iat": None}, "iat"),
        ({"exp": NOW + 3600}, None),
        ({"exp": NOW + 3601}, "lifetime"),
        ({"nbf": NOW - 300}, None),
        ({"nbf": NOW + 300}, "nbf"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"sub": "client-7", "scope": "x"}, None),
    ],
    ids=str,
)
def test_SEC_25_to_29_and_35_times_and_identity(replays: Replays, claims: dict[str, Any], expected: str | None) -> None:
    assert verdict(replays, token(**claims)) == expected


@pytest.mark.parametrize(("claim", "value"), [("exp", "soon"), ("iat", "now"), ("nbf", "then"), ("jti", 5)])
def test_SEC_25_to_29_claims_of_the_wrong_type(replays: Replays, claim: str, value: Any) -> None:
    claims = {"iss": ISS, "aud": ENDPOINT, "exp": NOW + 300, "iat": NOW, "jti": "first", claim: value}
    header = {"typ": "JWT", "alg": "ES384", "kid": "one"}
    unsigned = raw(header, claims).rstrip(".")
    signed = get_default_algorithms()["ES384"].sign(unsigned.encode(), private_key("ES384", 0))
    assert verdict(replays, f"{unsigned}.{base64.urlsafe_b64encode(signed).rstrip(b'=').decode()}") == claim


def test_SEC_30_a_token_is_good_once(replays: Replays) -> None:
    trusted = Tokens([Issuer(ISS, KEYS), Issuer("https://b.example", KEYS)], replays, lambda: NOW)
    sent = token()
    assert trusted.caller(sent, [ENDPOINT]).iss == ISS
    with pytest.raises(Untrusted, match="jti"):
        trusted.caller(sent, [ENDPOINT])
    assert trusted.caller(token(iss="https://b.example"), [ENDPOINT]).iss == "https://b.example"


_WORKER = """
import json, sys
from pathlib import Path
from hooks.trust.issuers import Issuer
from hooks.trust.replay import Replays
from hooks.trust.tokens import Tokens, Untrusted
file, keys, iss, endpoint, now, sent = json.load(sys.stdin)
try:
    Tokens([Issuer(iss, keys)], Replays(Path(file)), lambda: now).caller(sent, [endpoint])
    print("believed")
except Untrusted as refusal:
    print(refusal.reason)
"""


def test_SEC_31_workers_share_what_was_used_and_forget_it_in_time(tmp_path: Path) -> None:
    file = tmp_path / "replays"
    told = json.dumps([str(file), KEYS, ISS, ENDPOINT, NOW, token()])
    piped: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen([sys.executable, "-c", _WORKER], **piped) for _ in range(2)]
    assert {worker.communicate(told, timeout=60)[0].strip() for worker in workers} == {"believed", "jti"}
    replays = Replays(file)
    assert len(replays) == 1
    assert replays.first(ISS, "later", NOW + 900, NOW + 800)
    assert len(replays) == 1, "the expired one is gone"


def test_SEC_32_a_forgery_does_not_use_up_the_true_token(replays: Replays) -> None:
    trusted = Tokens([Issuer(ISS, KEYS)], replays, lambda: NOW)
    with pytest.raises(Untrusted, match="signature"):
        trusted.caller(token(serial=1), [ENDPOINT])
    assert trusted.caller(token(), [ENDPOINT])


def test_SEC_33_tools_for_tests_may_send_theirs_again(replays: Replays) -> None:
    trusted = Tokens([Issuer(ISS, KEYS, once=False)], replays, lambda: NOW)
    assert [trusted.caller(token(), [ENDPOINT]).iss for _ in range(3)] == [ISS] * 3


@pytest.mark.parametrize(("claim", "agreed"), [("tenant", "tenants"), ("sub", "subjects")])
def test_SEC_34_tenants_and_subjects_are_on_the_list_if_there_is_one(replays: Replays, claim: str, agreed: str) -> None:
    listed: dict[str, Any] = {agreed: ("north",)}
    north, south = (dict[str, Any]({claim: where, "jti": where}) for where in ("north", "south"))
    assert verdict(replays, token(**north), **listed) is None
    assert verdict(replays, token(**south), **listed) == claim
    assert verdict(replays, token(jti="3"), **listed) == claim
    assert verdict(replays, token(**south)) is None


def test_SEC_36_keys_in_the_token_prove_nothing_and_nothing_is_critical(replays: Replays) -> None:
    assert verdict(replays, token(serial=1, header={"jwk": jwk(serial=1)})) == "signature"
    assert verdict(replays, token(header={"crit": ["x"], "x": 1})) == "crit"


def test_SEC_44_the_published_example_verifies_at_its_own_time(replays: Replays) -> None:
    key = {
        "kty": "EC",
        "use": "sig",
        "crv": "P-384",
        "kid": "example-kid",
        "x": "46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
        "y": "XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI",
        "alg": "ES384",
    }
    published = (
        "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImV4YW1wbGUta2lkIiwiamt1IjoiaHR0cHM6Ly9maGlyLWVoci5leGFtcGxlLmNvbS9qd2tfdXJp"
        "In0.eyJpc3MiOiJodHRwczovL2ZoaXItZWhyLmV4YW1wbGUuY29tLyIsImF1ZCI6Imh0dHBzOi8vY2RzLmV4YW1wbGUub3JnL2Nkcy1zZXJ2aWNlcy9zb21l"
        "LXNlcnZpY2UiLCJleHAiOjE0MjI1Njg4NjAsImlhdCI6MTMxMTI4MDk3MCwianRpIjoiZWUyMmIwMjEtZTFiNy00NjExLWJhNWItOGVlYzZhMzNhYzFlIiwi"
        "dGVuYW50IjoiMmRkZDZjM2EtOGU5YS00NGM2LWEzMDUtNTIxMTFhZDMwMmEyIn0.d1WfLjGRKlcWB94l9do4cM8REXeYJLL6SGUBO8VHZhfM8mwKYP70EMxJ"
        "67War4TQblEpaQrp11wx5p7oPFm2ETYgCicS84vXWEIYTdjooZdooCSDf2L8-i4awdoUwiEb"
    )
    issuer = Issuer(
        "https://fhir-ehr.example.com/", {"keys": [key]}, key_urls=("https://fhir-ehr.example.com/jwk_uri",), lifetime_s=2**31
    )
    endpoint = ["https://cds.example.org/cds-services/some-service"]
    with responses.RequestsMock() as answers:
        answers.get("https://fhir-ehr.example.com/jwk_uri", json={"keys": [key]})
        caller = Tokens([issuer], replays, lambda: 1311280970).caller(published, endpoint)
        assert caller.tenant == "2ddd6c3a-8e9a-44c6-a305-52111ad302a2"
        with pytest.raises(Untrusted, match="exp"):
            Tokens([issuer], replays, lambda: NOW).caller(published, endpoint)


def test_SEC_38_nothing_of_a_token_is_logged_or_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sent = token(jti="the-secret-identity")
    assert verdict(Replays(tmp_path / "replays"), sent) is None
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(part in caplog.text or part.encode() in kept for part in (*sent.split("."), "the-secret-identity"))


@pytest.mark.parametrize(
    ("sent", "failed"),
    [
        ("no token", ["form"]),
        (token(iss="https://other.example"), ["iss"]),
        (token(header={"kid": "unknown"}), ["kid"]),
        (token("RS384"), ["alg"]),
    ],
    ids=["form", "issuer", "key", "algorithm"],
)
def test_what_makes_the_next_check_meaningless_is_the_last(replays: Replays, sent: str, failed: list[str]) -> None:
    checks = list(Tokens([Issuer(ISS, KEYS, algorithms=("ES384",))], replays, lambda: NOW).checks(sent, [ENDPOINT]))
    assert [check.name for check in checks if not check.holds] == failed


def test_every_check_has_a_sentence(replays: Replays) -> None:
    checks = list(Tokens([Issuer(ISS, KEYS)], replays, lambda: NOW).checks(token(exp=NOW - 900, aud="x"), [ENDPOINT]))
    assert [check.name for check in checks if not check.holds] == ["aud", "exp"]
    assert all(check.text.endswith(".") for check in checks)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://A.b:443/c/", "https://a.b/c"),
        ("http://a:8080/x?y=1", "http://a:8080/x?y=1"),
        ("plain", "plain"),
        ("https://a:b/", "https://a:b/"),
        ("https://[FD00::1]:443", "https://[fd00::1]"),
        ("https://evil@a.b/c", "https://evil@a.b/c"),
        ("https://a.b/c#d", "https://a.b/c#d"),
        ("https://a.b\n/c", "https://a.b\n/c"),
    ],
)
def test_urls_are_compared_without_what_makes_no_difference(url: str, expected: str) -> None:
    assert normalised(url) == expected
