"""The edge of the service, as callers meet it: gateways (SEC-01, SEC-43), browsers (CORS-01..11), and too many calls (ERR-13)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds.library import KnowledgeError
from hooks.app import Config, create_app
from hooks.edge.config import Cors, Proxies, Rates
from hooks.edge.rates import Counts, Limited
from hooks.feedback.config import FeedbackConfig
from hooks.trust.gate import Gate
from hooks.trust.issuers import Issuer
from hooks.trust.replay import Replays
from tests.hooks.test_gate import BASE, HEALTHY, fresh
from tests.hooks.tokens import ISS, jwk
from tests.patients import TODAY, request


SERVICE = "/cds-services/b12-bone-health"
EHR = "https://ehr.example.org"
PLACES = [f"/cds-services{before}{path}{after}" for path in ("b12-bone-health", "b12-bone-health/feedback", "nobody")
          for before in ("/", "//") for after in ("", "/")] + ["/cds-services", "/cds-services/"]  # fmt: skip
METHODS, HEADERS, ORIGIN = (f"Access-Control-Allow-{name}" for name in ("Methods", "Headers", "Origin"))


def app(**settings: Any) -> FlaskClient:
    return create_app(Config(today=lambda: TODAY, **settings)).test_client()


def guarded(folder: Path, **settings: Any) -> FlaskClient:
    return app(gate=Gate(BASE, [Issuer(ISS, {"keys": [jwk()]})], replays=Replays(folder / "used")), **settings)


@pytest.fixture(name="paged")
def called_by_pages(tmp_path: Path) -> FlaskClient:
    feedback = FeedbackConfig(str(tmp_path / "feedback.db"), "the-salt-of-the-tests")
    return guarded(tmp_path, cors=Cors(frozenset([EHR])), feedback=feedback, body_limit=20_000)


def preflight(client: FlaskClient, path: str, method: str = "POST", origin: str = EHR, **more: str) -> TestResponse:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
    return client.options(path, headers={**asked, **{name.replace("_", "-"): value for name, value in more.items()}})


@pytest.mark.parametrize(("path", "method"), [("/cds-services", "GET"), (SERVICE, "POST"), (f"{SERVICE}/feedback", "POST")])
def test_CORS_01_02_03_a_page_may_ask_for_discovery_call_a_service_and_send_feedback(
    paged: FlaskClient, path: str, method: str
) -> None:
    answer = preflight(paged, path, method)
    assert (answer.status_code, answer.data, answer.headers[ORIGIN]) == (204, b"", EHR)
    assert method in answer.headers[METHODS].split(", ")
    assert {"authorization", "content-type"} <= set(answer.headers[HEADERS].lower().split(", "))


@pytest.mark.parametrize("path", PLACES)
def test_CORS_08_09_a_preflight_needs_no_token_reads_no_body_and_may_be_kept(paged: FlaskClient, path: str) -> None:
    answer = preflight(paged, path, Content_Length="99999999")
    assert answer.status_code == 204
    assert 0 < int(answer.headers["Access-Control-Max-Age"]) <= 7200


def every_status(client: FlaskClient, origin: str) -> dict[int, TestResponse]:
    """An answer of each status to a page."""

    def post(path: str = SERVICE, token: bool = True, **more: Any) -> TestResponse:
        leave = {"Authorization": f"Bearer {fresh(jti=str(len(answers)))}"} if token else {}
        return client.post(path, headers={"Origin": origin, **leave}, **more)

    answers: list[TestResponse] = []
    answers.append(post(json=request(HEALTHY)))
    answers.append(post(data=b"{", content_type="application/json"))
    answers.append(post(json=request(HEALTHY), token=False))
    answers.append(post("/cds-services/nobody", json={}))
    answers.append(client.put(SERVICE, headers={"Origin": origin}))
    answers.append(post(json={**request(HEALTHY), "prefetch": {}}))
    answers.append(post(data=b" " * 30_000, content_type="application/json"))
    answers.append(post(data=b"{}", content_type="text/plain"))
    return {answer.status_code: answer for answer in answers}


def test_CORS_04_05_07_every_answer_to_a_listed_page_says_so_and_allows_no_credentials(
    paged: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = every_status(paged, EHR)
    monkeypatch.setattr("hooks.calls.require_json", None)
    answers[500] = paged.post(SERVICE, headers={"Origin": EHR, "Authorization": f"Bearer {fresh(jti='last')}"})
    assert sorted(answers) == [200, 400, 401, 404, 405, 412, 413, 415, 500]
    answers[204] = preflight(paged, SERVICE)
    for answer in answers.values():
        assert answer.headers[ORIGIN] == EHR
        assert "Origin" in answer.headers.getlist("Vary")
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Retry-After" in answers[401].headers["Access-Control-Expose-Headers"]


def test_CORS_04_more_slashes_change_nothing_of_it(paged: FlaskClient) -> None:
    answer = paged.get("/", headers={"Origin": EHR}, environ_overrides={"PATH_INFO": "//cds-services"})
    assert (answer.status_code, answer.headers[ORIGIN]) == (200, EHR)


def test_CORS_06_a_page_that_is_not_listed_gets_no_leave(paged: FlaskClient) -> None:
    answers = every_status(paged, "https://evil.example")
    assert sorted(answers) == [200, 400, 401, 404, 405, 412, 413, 415], "as without a page"
    assert not any(ORIGIN in answer.headers for answer in answers.values())
    for origin in ("https://evil.example", f"{EHR}.evil.example", EHR.upper(), "null", "*"):
        for answer in (preflight(paged, SERVICE, origin=origin), paged.get("/cds-services", headers={"Origin": origin})):
            assert (answer.status_code // 100, answer.headers.get(ORIGIN), answer.headers.get(METHODS)) == (2, None, None)


def test_CORS_07_11_without_an_origin_nothing_changes_but_that_answers_depend_on_it(tmp_path: Path) -> None:
    plain, paged = app(), app(cors=Cors(frozenset([EHR])))
    for path, sent in ((SERVICE, request(HEALTHY)), ("/cds-services/nobody", {})):
        before, after = plain.post(path, json=sent), paged.post(path, json=sent)
        assert (before.status_code, before.data) == (after.status_code, after.data) or before.status_code == 404
        headers = [header for header in after.headers.items() if header[0] not in ("X-Request-Id", "Content-Length")]
        assert [header for header in headers if header != ("Vary", "Origin")] == [
            header for header in before.headers.items() if header[0] not in ("X-Request-Id", "Content-Length")
        ]
        assert ("Vary", "Origin") in headers
    assert "Origin" not in paged.get("/healthz").headers.getlist("Vary"), "pages have no business there"
    assert plain.options(SERVICE).status_code == paged.options(SERVICE, headers={"Origin": EHR}).status_code == 405


@pytest.mark.parametrize("development", [True, False])
def test_CORS_10_a_private_network_may_be_reached_in_tests_only(development: bool) -> None:
    client = app(cors=Cors(frozenset([EHR]), development))
    answer = preflight(client, SERVICE, Access_Control_Request_Private_Network="true")
    assert answer.status_code == 204
    assert answer.headers.get("Access-Control-Allow-Private-Network") == ("true" if development else None)
    assert "Access-Control-Allow-Private-Network" not in preflight(client, SERVICE).headers


def test_CORS_05_anybody_is_a_star_without_credentials() -> None:
    client = app(cors=Cors(frozenset(["*"]), development=True))
    for answer in (preflight(client, SERVICE, origin="null"), client.get("/cds-services", headers={"Origin": "null"})):
        assert (answer.headers[ORIGIN], "Access-Control-Allow-Credentials" in answer.headers) == ("*", False)
    assert ORIGIN not in client.get("/cds-services").headers


GATEWAY = Proxies((ip_network("10.1.0.0/16"), ip_network("fd00::1/128")))
FROM_GATEWAY = {"REMOTE_ADDR": "10.1.2.3"}


@pytest.mark.parametrize(
    ("peer", "told", "expected"),
    [
        ("10.1.2.3", "https", 200),
        ("10.1.2.3", "HTTPS, https", 200),
        ("::ffff:10.1.2.3", "https", 200),
        ("fd00::1", "https", 200),
        ("10.1.2.3", "http", 403),
        ("10.1.2.3", "https, http", 403),
        ("10.1.2.3", None, 403),
        ("10.2.0.1", "https", 403),
        ("127.0.0.1", "https", 403),
        ("", "https", 403),
    ],
)
def test_SEC_01_with_a_gateway_only_what_it_took_by_https_is_answered(peer: str, told: str | None, expected: int) -> None:
    client = app(proxies=GATEWAY)
    headers = {"X-Forwarded-Proto": told} if told is not None else {}
    answer = client.post(SERVICE, json=request(HEALTHY), headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert answer.status_code == expected
    assert expected == 200 or answer.get_json()["issue"][0]["code"] == "security"
    assert client.get("/cds-services", headers=headers, environ_overrides={"REMOTE_ADDR": peer}).status_code == expected


@pytest.mark.parametrize("path", ["//cds-services", "///cds-services/", f"/{SERVICE}", f"/{SERVICE}/feedback"])
def test_SEC_01_more_slashes_lead_to_no_back_door(path: str) -> None:
    assert app(proxies=GATEWAY).get("/", environ_overrides={"PATH_INFO": path}).status_code == 403


def test_SEC_01_probes_come_directly_and_pages_not_by_http_through_the_gateway() -> None:
    client = app(proxies=GATEWAY)
    assert client.get("/healthz").status_code == 200
    assert client.get("/healthz", environ_overrides=FROM_GATEWAY).status_code == 200
    assert client.get("/rulebook", headers={"X-Forwarded-Proto": "http"}, environ_overrides=FROM_GATEWAY).status_code == 403


CERTIFIED = "means: {en: Ours, zh-CN: 本院}\nmode: silent\ntrust: {certificates: ['CN=ehr.example.org,O=Ours']}"
VOUCHED = {"X-Forwarded-Proto": "https", "X-Client-Verify": "SUCCESS", "X-Client-Subject": "CN=ehr.example.org,O=Ours"}


def test_SEC_43_a_profile_names_certificates_and_the_gateway_checks_them(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(CERTIFIED, encoding="utf-8")
    clients = (str(tmp_path / "ours.yaml"), "generic")
    client = app(clients=clients, proxies=GATEWAY)
    deficient = request({"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]})

    def called(**changed: str) -> tuple[int, Any]:
        headers = {**VOUCHED, **{name.replace("_", "-"): value for name, value in changed.items()}}
        answer = client.post(SERVICE, json=deficient, headers=headers, environ_overrides=FROM_GATEWAY)
        return answer.status_code, answer.get_json()

    assert called() == (200, {"cards": []}), "the certificate says which client it is, and that one is silent"
    assert called(X_Client_Verify="NONE")[0] == 401
    assert called(X_Client_Subject="CN=other")[0] == 401
    with pytest.raises(KnowledgeError, match=r"ours: trust\.certificates: nobody is named who checks them"):
        app(clients=clients)
    anybody = app(clients=clients, open=True)
    assert anybody.post(SERVICE, json=deficient).status_code == 200


def seconds(answer: TestResponse) -> int:
    return int(answer.headers["Retry-After"])


def test_ERR_13_a_client_that_calls_too_often_gets_429_and_no_other(tmp_path: Path) -> None:
    client = app(rates=Rates(tmp_path / "rates", client="3/hour"))

    def called(peer: str, path: str = SERVICE) -> TestResponse:
        return client.post(path, json=request(HEALTHY), environ_overrides={"REMOTE_ADDR": peer})

    assert [called("10.0.0.1").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert called("10.0.0.2").status_code == 200
    refused = called("10.0.0.1")
    assert 0 < seconds(refused) <= 3600
    assert refused.get_json()["issue"][0]["code"] == "throttled"
    assert client.get("/cds-services", environ_overrides={"REMOTE_ADDR": "10.0.0.1"}).status_code == 200


def test_ERR_13_overload_is_a_503_that_says_when_to_come_back(tmp_path: Path) -> None:
    client = app(rates=Rates(tmp_path / "rates", service="4/minute"))
    statuses = [client.post(SERVICE, json=request(HEALTHY), environ_overrides={"REMOTE_ADDR": f"10.0.0.{n}"}) for n in range(6)]
    assert [answer.status_code for answer in statuses] == [200, 200, 200, 200, 503, 503]
    assert 0 < seconds(statuses[-1]) <= 60


def test_a_client_is_counted_by_what_it_proved_and_strangers_use_up_nothing(tmp_path: Path) -> None:
    client = guarded(tmp_path, rates=Rates(tmp_path / "rates", client="2/hour", service="2/hour"))

    def called(**claims: str) -> int:
        leave = {"Authorization": f"Bearer {fresh(**claims)}"} if claims else {}
        return client.post(SERVICE, json=request(HEALTHY), headers=leave).status_code

    assert [called() for _ in range(5)] == [401] * 5
    assert [called(jti="a"), called(jti="b"), called(jti="c")] == [200, 200, 429]
    assert called(jti="d", tenant="another") == 503


@pytest.mark.parametrize(
    ("passed", "who"),
    [("1.2.3.4", "1.2.3.4"), ("9.9.9.9, 1.2.3.4, 10.1.0.9", "1.2.3.4"), ("", "10.1.2.3"), ("9.9.9.9, unknown", "10.1.2.3"),
     ("10.1.0.8, 10.1.0.9", "10.1.0.8")],
)  # fmt: skip
def test_behind_a_gateway_the_address_is_the_last_one_that_is_no_gateway(tmp_path: Path, passed: str, who: str) -> None:
    client = app(proxies=GATEWAY, rates=Rates(tmp_path / "rates", client="1/hour"))
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": passed}
    assert client.post(SERVICE, json=request(HEALTHY), headers=headers, environ_overrides=FROM_GATEWAY).status_code == 200
    with sqlite3.connect(tmp_path / "rates") as counted:
        assert [name.split("/")[2] for (name,) in counted.execute("SELECT name FROM counts")] == [who]


def test_counters_that_break_stop_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = Limited(None, Rates(tmp_path / "rates", client="1/hour"))

    def broken(*_: object, **__: object) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(limited._counts, "incr", broken)
    assert [limited.admit({}, ()) for _ in range(3)] == [None] * 3
    assert caplog.messages[0] == "calls cannot be counted, and are answered without: OperationalError"
    with pytest.raises(KnowledgeError, match=r"rate: .*rates cannot be written \(unable to open database file\)"):
        app(rates=Rates(tmp_path / "nowhere" / "rates", client="1/hour"))


def test_a_counter_begins_anew_when_its_time_is_over(tmp_path: Path) -> None:
    now = [1000.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731
    counts, others = Counts(tmp_path / "counts", clock), Counts(tmp_path / "counts", clock)
    assert [counts.incr("a", 60), others.incr("a", 60), counts.incr("b", 60, amount=5)] == [1, 2, 5]
    assert (counts.get("a"), counts.get_expiry("a"), counts.get("c"), counts.check()) == (2, 1060.0, 0, True)
    now[0] = 1060.0
    assert (counts.get("a"), counts.incr("a", 60), counts.get_expiry("a")) == (0, 1, 1120.0)
    counts.clear("a")
    assert counts.get("a") == 0
    now[0] = 1130.0
    assert counts.incr("c", 60) == 1
    assert counts.reset() == 1, "what was over was forgotten by itself"
    assert counts.base_exceptions is sqlite3.Error
