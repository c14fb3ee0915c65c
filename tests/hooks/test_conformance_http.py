"""What HTTP asks of every answer: framing, methods, media types, and that every refusal is an OperationOutcome."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hooks.app import Config, create_app
from hooks.examples import fixture
from hooks.services import SERVICES
from hooks.trust.gate import Gate
from tests.hooks.checker import walk
from tests.hooks.test_cli import handled
from tests.patients import PATIENT, TODAY, outcome, request


URL = "/cds-services/b12-bone-health"
DEFICIENT: dict[str, Any] = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
HEALTHY = {"age": 40, "sex": "male"}
PATHS = ["/cds-services", *(f"/cds-services/{service.id}" for service in SERVICES)]
PLACES = [*PATHS, "/cds-services/nope", "/healthz", "/nowhere", "/"]


def strictly(text: str) -> Any:
    """The content of a text that is JSON and nothing more."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("path", ["/cds-services", "/healthz", "/nowhere", URL])
def test_JSON_01_06_all_that_leaves_is_strict_JSON(client: FlaskClient, path: str) -> None:
    answer = client.post(path, json=request(DEFICIENT)) if path == URL else client.get(path)
    assert answer.headers["Content-Type"] == "application/json"
    assert strictly(answer.get_data().decode("utf-8"))
    assert answer.get_data()[:1] == b"{"


def test_JSON_02_03_05_discovery_holds_nothing_blank(client: FlaskClient) -> None:
    for where, value in walk(client.get("/cds-services").get_json()):
        assert value not in (None, [], {}), where
        assert not isinstance(value, str) or re.search(r"\S", value), where


def test_JSON_04_what_has_no_value_is_left_out(client: FlaskClient) -> None:
    body = request(DEFICIENT)
    body["context"]["userId"] = f"Patient/{PATIENT}"
    (card,) = client.post(URL, json=body).get_json()["cards"]
    assert not {"suggestions", "selectionBehavior", "links"} & card.keys()


@pytest.mark.parametrize("path", PATHS[1:])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_CALL_03_a_service_takes_POST_only(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert (answer.get_data() == b"") is (method == "HEAD")


def test_CALL_03_an_answer_to_HEAD_has_no_body() -> None:
    assert handled(b"HEAD /cds-services/b12-bone-health HTTP/1.1\r\nHost: x\r\n\r\n") == (405, b"")
    assert handled(b"HEAD /cds-services HTTP/1.1\r\nHost: x\r\n\r\n") == (200, b"")


@pytest.mark.parametrize(
    "path", ["/cds-services//b12-bone-health", "/cds-services/b12-bone-health/", "/cds-services/b12-bone-health?x=1"]
)
def test_CALL_12_18_slashes_and_queries_over_the_wire(path: str) -> None:
    sent = json.dumps(fixture("child").request)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    assert handled((head + sent).encode()) == (200, b'{"cards":[]}')


def test_CALL_08_an_answer_takes_no_half_second(client: FlaskClient) -> None:
    body, took = request(DEFICIENT), []
    for _ in range(100):
        start = time.perf_counter()
        assert client.post(URL, json=body).status_code == 200
        took.append(time.perf_counter() - start)
    assert sorted(took)[94] < 0.5


def test_CALL_10_a_hook_instance_may_come_again(client: FlaskClient) -> None:
    orders = request({**DEFICIENT, "orders": []})
    for path, body in ((URL, request(DEFICIENT)), (URL, request(HEALTHY)), ("/cds-services/b12-order-sign", orders)):
        assert client.post(path, json=body).status_code == 200


def test_CALL_11_calls_at_the_same_time_do_not_mix_patients(app: Flask) -> None:
    def references(number: int) -> set[str]:
        """The patients an answer names, and the result that the request of this one brought."""
        patient = f"p-{number}"
        sent = json.dumps(request({**DEFICIENT, "results": [{"b12_total": f"{100 + number} pg/mL"}]}))
        sent = sent.replace(f'"{PATIENT}"', f'"{patient}"').replace(f"Patient/{PATIENT}", f"Patient/{patient}")
        text = app.test_client().post(URL, data=sent, content_type="application/json").get_data(as_text=True)
        return {*re.findall(r"Patient/[\w-]+", text), *re.findall(r"\d+ pg/mL \(", text)}

    with ThreadPoolExecutor(max_workers=8) as at_once:
        found = list(at_once.map(references, range(20)))
    assert found == [{f"Patient/p-{number}", f"{100 + number} pg/mL ("} for number in range(20)]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_CALL_13_nothing_redirects(client: FlaskClient, method: str, path: str) -> None:
    for variant in (path, f"{path}/", f"/{path}", path.replace("cds-services/", "cds-services//"), f"{path}?x=1"):
        answer = client.open(variant, method=method)
        assert answer.status_code in (200, 204, 400, 404, 405, 415), (method, variant)


Refusal = Callable[[FlaskClient], TestResponse]

REFUSALS: list[tuple[int, str, Refusal]] = [
    (400, "structure", lambda client: client.post(URL, data="{", content_type="application/json")),
    (400, "required", lambda client: client.post(URL, json={})),
    (400, "value", lambda client: client.post(URL, json={**request(HEALTHY), "hookInstance": 7})),
    (400, "invariant", lambda client: client.post(URL, json={**request(HEALTHY), "hook": "order-sign"})),
    (404, "not-found", lambda client: client.post("/cds-services/nope", json=request(HEALTHY))),
    (404, "not-found", lambda client: client.get("/nowhere")),
    (405, "not-supported", lambda client: client.get(URL)),
    (405, "not-supported", lambda client: client.post("/cds-services")),
    (412, "processing", lambda client: client.post(URL, json={**request(HEALTHY), "prefetch": {}})),
    (412, "processing", lambda client: client.post(URL, json=request({**DEFICIENT, "queries": {"labs": "failed"}}))),
    (413, "too-long", lambda client: client.post(URL, data=b" " * 11_000_000, content_type="application/json")),
    (415, "not-supported", lambda client: client.post(URL, data="{}", content_type="text/plain")),
]


def check_refusal(answer: TestResponse, status: int, code: str) -> None:
    """An OperationOutcome and nothing else: no page, and no card."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    body = strictly(answer.get_data(as_text=True))
    assert body.keys() == {"resourceType", "issue"}
    assert body["resourceType"] == "OperationOutcome"
    assert body["issue"][0]["code"] == code
    assert all(issue["severity"] == "error" and issue["details"]["text"] for issue in body["issue"])
    for where, value in walk(body):
        assert value not in (None, "", [], {}), where


@pytest.mark.parametrize(("status", "code", "call"), REFUSALS)
def test_ERR_05_06_07_10_11_a_refusal_is_an_operation_outcome(client: FlaskClient, status: int, code: str, call: Refusal) -> None:
    check_refusal(call(client), status, code)


def test_ERR_05_06_07_who_is_not_known_gets_one_too() -> None:
    app = create_app(Config(today=lambda: TODAY, gate=Gate("https://cds.example.org", [])))
    check_refusal(app.test_client().post(URL, json=request(HEALTHY)), 401, "login")


def test_ERR_05_06_07_11_a_fault_of_ours_is_one_too(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def explode(*_: Any) -> None:
        raise RuntimeError("Zaphod")

    monkeypatch.setattr("hooks.engine.unpack", explode)
    app = create_app(Config(today=lambda: TODAY))
    caplog.set_level(logging.DEBUG)
    check_refusal(app.test_client().post(URL, json=request(HEALTHY)), 500, "exception")


def test_ERR_01_without_data_and_without_a_way_to_get_it(client: FlaskClient) -> None:
    for service in SERVICES:
        orders = {"orders": [{"code": 309593, "dose": "1 tablet daily"}], "chosen": [0], "new_problems": ["osteoporosis"]}
        body = request({**DEFICIENT, "hook": service.hook, **orders})
        del body["prefetch"]
        check_refusal(client.post(f"/cds-services/{service.id}", json=body), 412, "processing")


def test_ERR_03_an_order_that_is_not_ours_needs_no_data(client: FlaskClient) -> None:
    body = request({"age": 70, "hook": "order-select", "orders": [{"drug": "ibuprofen 400 mg"}], "chosen": [0]})
    body["prefetch"] = {"patient": outcome("error")}
    answer = client.post("/cds-services/b12-order-select", json=body)
    assert (answer.status_code, answer.get_json()) == (200, {"cards": []})


@pytest.mark.parametrize("path", ["/cds-services", "/healthz", "/nowhere", URL])
def test_RESP_23_nothing_is_stored_on_the_way(client: FlaskClient, path: str) -> None:
    answer = client.post(path, json=request(DEFICIENT)) if path == URL else client.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
