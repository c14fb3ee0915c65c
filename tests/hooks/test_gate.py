"""Who may call, as a client sees it: 401 or an answer (SEC-02 to SEC-04, SEC-37 to SEC-45)."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds.library import KnowledgeError
from hooks.app import Config, create_app
from hooks.cli import main
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


def test_SEC_30_where_used_tokens_cannot_be_remembered_nobody_is_admitted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replays = Replays(tmp_path / "used")
    gate = Gate(BASE, [Issuer(ISS, {"keys": [jwk()]})], replays=replays)
    client = create_app(Config(today=lambda: TODAY, gate=gate)).test_client()
    assert client.get("/readyz").status_code == 200
    full = replays._shared.connection(0)
    full.execute(f"PRAGMA max_page_count = {full.execute('PRAGMA page_count').fetchone()[0]}")
    statuses = {status(client, f"Bearer {fresh(jti=str(place))}") for place in range(200)}
    assert statuses == {200, 503}, "until the disk is full"
    assert "used tokens cannot be remembered, and nobody is admitted: OperationalError" in caplog.messages
    full.execute("PRAGMA query_only = ON")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["reasons"]) == (503, ["used tokens: OperationalError"])


def test_SEC_23_the_host_header_decides_nothing(guarded: Clients) -> None:
    sent = fresh(aud=f"https://evil.example{URL}")
    assert status(guarded(), f"Bearer {sent}", headers={"Host": "evil.example"}) == 401


def test_SEC_37_all_refusals_look_alike_and_the_log_knows_why(guarded: Clients, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = guarded()
    bodies = {
        client.post(
            URL, json=request(HEALTHY), headers={"Authorization": f"Bearer {sent}", "X-Request-Id": "the-same"}
        ).get_data()
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
        (VOUCHED, "::ffff:10.1.2.3", 200),
        (VOUCHED, "10.2.0.1", 401),
        (VOUCHED, "", 401),
        ({**VOUCHED, "X-Client-Verify": "FAILED:expired"}, "10.1.2.3", 401),
        ({**VOUCHED, "X-Client-Subject": "CN=other"}, "10.1.2.3", 401),
        ({}, "10.1.2.3", 401),
        ({**VOUCHED, "Authorization": "Bearer x"}, "10.1.2.3", 401),
    ],
    ids=[
        "vouched for",
        "over IPv6",
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


PROFILE = """
name: ours
means: {en: Ours, zh-CN: 本院}
mode: silent
trust: {iss: ["https://ehr.example.org/fhir"], jwks_file: keys.json}
"""


@pytest.fixture(name="site")
def site_folder(tmp_path: Path) -> Path:
    (tmp_path / "ours.yaml").write_text(PROFILE, encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [jwk()]}), encoding="utf-8")
    return tmp_path


def config(site: Path, **more: Any) -> Config:
    usual: dict[str, Any] = {"clients": (str(site / "ours.yaml"), "generic"), "base_url": BASE, "used_tokens": site / "used"}
    return Config(today=lambda: TODAY, **{**usual, **more})


def test_SEC_02_a_client_with_issuers_makes_everybody_prove_themselves(site: Path) -> None:
    client = create_app(config(site)).test_client()
    assert status(client, None) == 401
    deficient = request({"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]})
    answer = client.post(URL, json=deficient, headers={"Authorization": f"Bearer {fresh()}"})
    assert (answer.status_code, answer.get_json()) == (200, {"cards": []}), (
        "the token says which client it is, and that one is silent"
    )
    open_to_all = create_app(config(site, open=True)).test_client()
    assert len(open_to_all.post(URL, json=deficient).get_json()["cards"]) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"base_url": None}, "give --base-url"),
        ({"used_tokens": Path("/nowhere/used")}, "unable to open database file"),
    ],
)
def test_tokens_that_could_not_be_checked_stop_the_start(site: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(KnowledgeError, match=told):
        create_app(config(site, **change))


def test_SEC_18_a_key_file_without_a_usable_key_stops_the_start(site: Path) -> None:
    (site / "keys.json").write_text('{"keys": []}', encoding="utf-8")
    with pytest.raises(KnowledgeError, match="None of the keys"):
        create_app(config(site))


def test_two_clients_have_no_issuer_in_common(site: Path) -> None:
    (site / "theirs.yaml").write_text(PROFILE.replace("name: ours", "name: theirs"), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"trust: https://ehr\.example\.org/fhir is ours and theirs"):
        create_app(config(site, clients=(str(site / "ours.yaml"), str(site / "theirs.yaml"))))


@pytest.mark.parametrize(("claims", "wrong"), [({}, []), ({"aud": "x", "exp": 5}, ["aud", "exp"])])
def test_auth_explain_says_claim_by_claim_what_is_wrong(
    site: Path, claims: dict[str, Any], wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "token.txt").write_text(f"Bearer {fresh(**claims)}\n", encoding="utf-8")
    arguments = ["auth", "explain", str(site / "token.txt"), "--client", str(site / "ours.yaml"), "--endpoint", f"{BASE}{URL}"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == bool(wrong)
    said = capsys.readouterr().out
    assert [line.split()[1] for line in said.splitlines() if line.startswith("WRONG")] == wrong
    assert fresh(**claims).split(".")[1][:20] not in said


def test_auth_explain_names_a_profile_that_does_not_fit(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["auth", "explain", str(site / "keys.json"), "--client", "nobody", "--endpoint", BASE])
    assert "There is no client 'nobody'" in capsys.readouterr().err
