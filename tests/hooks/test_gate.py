"""Who may call, as a client sees it: 401 or an answer (SEC-02 to SEC-04, SEC-37 to SEC-45)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks.app import Config, create_app
from hooks.trust.gate import Certificates, Gate, bearer
from hooks.trust.issuers import Issuer
from hooks.trust.replay import Replays
from tests.hooks.tokens import ISS, jwk, token
from tests.patients import TODAY, request


BASE = "https://cds.example.org"
URL = "/cds-services/b12-bone-health"
HEALTHY = {"age": 40, "sex": "male"}
Clients = Callable[..., FlaskClient]


@pytest.fixture(name="guarded")
def guarded_client(tmp_path: Path) -> Clients:
    def client(certificates: Certificates | None = None, **agreed: Any) -> FlaskClient:
        issuers = [Issuer(ISS, {"keys": [jwk()]}, **agreed)] if certificates is None else []
        gate = Gate(BASE, issuers, certificates, Replays(tmp_path / "replays") if issuers else None)
        return create_app(Config(today=lambda: TODAY, gate=gate)).test_client()

    return client


def fresh(**claims: Any) -> str:
    now = time.time()
    return token(**{"exp": now + 300, "iat": now, **claims})


def status(client: FlaskClient, authorization: str | None, **more: Any) -> int:
    headers = {"Authorization": authorization} if authorization is not None else {}
    return client.post(URL, json=request(HEALTHY), headers={**headers, **more.pop("headers", {})}, **more).status_code


def test_SEC_03_a_call_without_credentials_is_unauthorised(guarded: Clients) -> None:
    answer = guarded().post(URL, json=request(HEALTHY))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.get_json()["issue"][0]["code"] == "login"


def test_SEC_04_the_token_comes_as_bearer_in_any_case(guarded: Clients) -> None:
    client = guarded()
    assert status(client, f"bearer {fresh()}") == 200
    assert status(client, f"Bearer  {fresh(jti='second')} ") == 200


@pytest.mark.parametrize("header", ["", "null", "Bearer", "Bearer null", "Basic YTpi", "Bearer a.b.c, Bearer a.b.c"])
def test_SEC_04_anything_else_counts_as_none(guarded: Clients, header: str) -> None:
    assert status(guarded(), header) == 401


def test_SEC_30_replayed(guarded: Clients) -> None:
    client, sent = guarded(), f"Bearer {fresh()}"
    assert [status(client, sent), status(client, sent)] == [200, 401]


def test_SEC_23_the_host_header_decides_nothing(guarded: Clients) -> None:
    sent = fresh(aud=f"https://evil.example{URL}")
    assert status(guarded(), f"Bearer {sent}", headers={"Host": "evil.example"}) == 401


def test_SEC_37_all_refusals_look_alike_and_the_log_knows_why(guarded: Clients, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = guarded()
    bodies = {
        client.post(URL, json=request(HEALTHY), headers={"Authorization": f"Bearer {sent}"}).get_data()
        for sent in ("x", fresh(iss="https://other.example"), fresh(aud="x"), fresh(exp=1), fresh(serial=1))
    }
    assert len(bodies) == 1
    reasons = [message for message in caplog.messages if message.startswith("unauthorised")]
    assert reasons == [f"unauthorised: {name}" for name in ("form", "iss", "aud", "exp", "signature")]


def test_SEC_40_nothing_of_the_body_is_read_before(guarded: Clients) -> None:
    client = guarded()
    assert client.post(URL, data="{broken", content_type="text/html").status_code == 401
    assert client.post(URL, data=b" " * 11_000_000, content_type="application/json").status_code == 401
    assert client.post("/cds-services/nope", data="{}").status_code == 404


def test_SEC_39_discovery_is_public(guarded: Clients) -> None:
    client = guarded()
    for header in ("Bearer junk", f"Bearer {fresh()}"):
        assert client.get("/cds-services", headers={"Authorization": header}).status_code == 200


PROXY = Certificates((ip_network("10.1.0.0/16"),), ("CN=ehr.example.org",))
VOUCHED = {"X-Client-Verify": "SUCCESS", "X-Client-Subject": "CN=ehr.example.org"}


@pytest.mark.parametrize(
    ("headers", "peer", "expected"),
    [
        (VOUCHED, "10.1.2.3", 200),
        (VOUCHED, "10.2.0.1", 401),
        (VOUCHED, "", 401),
        ({**VOUCHED, "X-Client-Verify": "FAILED:expired"}, "10.1.2.3", 401),
        ({**VOUCHED, "X-Client-Subject": "CN=other"}, "10.1.2.3", 401),
        ({}, "10.1.2.3", 401),
        ({**VOUCHED, "Authorization": "Bearer x"}, "10.1.2.3", 401),
    ],
    ids=[
        "vouched for",
        "from outside",
        "from a local socket",
        "not verified",
        "another client",
        "no certificate",
        "a token nobody trusts",
    ],
)
def test_SEC_43_a_certificate_that_a_named_proxy_checked(
    guarded: Clients, headers: dict[str, str], peer: str, expected: int
) -> None:
    client = guarded(certificates=PROXY)
    assert status(client, None, headers=headers, environ_overrides={"REMOTE_ADDR": peer}) == expected


def test_SEC_45_the_token_for_the_FHIR_server_admits_nobody(guarded: Clients) -> None:
    assert bearer("Bearer opaque-access-token") == "opaque-access-token"
    assert status(guarded(), "Bearer opaque-access-token") == 401


def test_tokens_need_a_place_where_used_ones_are_remembered() -> None:
    with pytest.raises(ValueError, match="remembered"):
        Gate(BASE, [Issuer(ISS, {"keys": [jwk()]})])
