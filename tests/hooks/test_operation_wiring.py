"""The id, the record, the counts and the readiness of a running application."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from flask.testing import FlaskClient

from cds.library import KnowledgeError
from hooks.app import Config, create_app
from hooks.feedback.config import FeedbackConfig
from hooks.feedback.entries import Keys
from hooks.operation.audit import Record
from hooks.operation.auditevents import audit_event
from hooks.operation.config import OperationConfig
from tests.patients import PATIENT, TODAY, request


SALT = "the-salt-of-the-tests"
URL = "/cds-services/b12-bone-health"
SICK = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
Running = Callable[..., FlaskClient]


@pytest.fixture(name="running")
def running_application(tmp_path: Path) -> Running:
    def running(**more: Any) -> FlaskClient:
        settled = {"audit": tmp_path / "audit.jsonl", "salt": SALT, "metrics": True, **more.pop("operation", {})}
        return create_app(Config(today=lambda: TODAY, operation=OperationConfig(**settled), **more)).test_client()

    return running


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]


def test_ERR_14_every_answer_has_an_id_that_its_refusal_and_its_log_repeat(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    client = running(operation={"log_level": "info"})
    for path in (URL, "/nowhere", "/cds-services"):
        answer = client.post(path, json={}, headers={"X-Request-Id": "gateway-0815"})
        assert answer.headers["X-Request-Id"] == "gateway-0815"
        assert all(issue["diagnostics"] == "Request gateway-0815" for issue in answer.get_json()["issue"])
    one, other = (client.get("/healthz").headers["X-Request-Id"] for _ in range(2))
    assert one != other
    assert re.fullmatch("[0-9a-f]{32}", one)


def test_OPS_01_a_call_leaves_a_record_before_its_answer(running: Running, tmp_path: Path) -> None:
    answer = running().post(URL, json=request(SICK), headers={"X-Request-Id": "gateway-0815"})
    (record,) = records(tmp_path)
    keys = Keys(SALT)
    assert record["request"] == "gateway-0815"
    assert (record["service"], record["status"], record["hook"], record["client"]) == (
        "b12-bone-health",
        200,
        "patient-view",
        "generic",
    )
    assert record["patient"] == keys.key("patient", "anybody", PATIENT)
    assert record["user"] == keys.key("user", "anybody", "Practitioner/1")
    assert record["cards"] == [keys.card("anybody", "b12-bone-health", card["uuid"]) for card in answer.get_json()["cards"]]
    assert len(record["advice"]) == len(record["cards"]) > 0
    assert record["prefetch"]["labs"] == "data"
    assert record["ms"].keys() == {"trust", "receive", "read", "decide", "write"}
    AuditEvent.model_validate(audit_event(Record(**record)))


@pytest.mark.parametrize(
    ("status", "call"),
    [
        (405, {"method": "GET"}),
        (415, {"method": "POST", "data": "x"}),
        (400, {"method": "POST", "json": {}}),
        (412, {"method": "POST", "json": {**request(SICK), "prefetch": {}}}),
    ],
)
def test_OPS_01_so_does_a_refused_one(running: Running, tmp_path: Path, status: int, call: dict[str, Any]) -> None:
    assert running().open(URL, **call).status_code == status
    (record,) = records(tmp_path)
    assert record["status"] == status
    assert not record.keys() & {"advice", "cards", "silent", "held_back"}


def test_a_record_that_cannot_be_written_stops_the_start_but_no_advice(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KnowledgeError, match="audit file"):
        running(operation={"audit": tmp_path / "missing" / "audit.jsonl"})
    client = running()
    monkeypatch.setattr("os.write", lambda *_: 3)
    assert client.post(URL, json=request(SICK)).status_code == 200
    monkeypatch.undo()
    assert "a call is not on record: OSError" in caplog.messages
    assert "cobalamin_unrecorded_total 1.0" in client.get("/metrics").text


def test_metrics_count_and_name_nobody(running: Running) -> None:
    client = running()
    client.post(URL, json=request(SICK))
    client.post(URL, json={})
    text = client.get("/metrics").text
    for expected in (
        'cobalamin_calls_total{client="generic",service="b12-bone-health",status="200"} 1.0',
        'cobalamin_calls_total{client="unknown",service="b12-bone-health",status="400"} 1.0',
        'cobalamin_phase_seconds_count{phase="decide"} 1.0',
        'cobalamin_prefetch_total{client="generic",key="labs",state="data"} 1.0',
    ):
        assert expected in text
    assert re.search(r'cobalamin_cards_total\{indicator="\w+",rule="\w+",state="shown"\} 1\.0', text)


def test_a_fault_of_the_counts_costs_no_answer(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = running()
    monkeypatch.setattr("hooks.trail.Trail.fetched", lambda _: 1 / 0)
    assert client.post(URL, json=request(SICK)).status_code == 200
    assert "a call is not counted: ZeroDivisionError" in caplog.messages
    assert "a call is not on record: ZeroDivisionError" in caplog.messages


def test_without_operation_there_is_no_page_of_counts() -> None:
    client = create_app(Config()).test_client()
    assert client.get("/metrics").status_code == 404
    assert client.get("/readyz").get_json() == {"status": "ready"}


def test_readiness_tells_what_is_missing_and_no_secret(
    running: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = tmp_path / "store" / "feedback.db"
    store.parent.mkdir()
    client = running(feedback=FeedbackConfig(str(store), SALT))
    assert client.get("/readyz").get_json() == {"status": "ready"}
    (tmp_path / "audit.jsonl").unlink()
    (tmp_path / "audit.jsonl").mkdir()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (503, {"status": "not ready", "reasons": ["audit: IsADirectoryError"]})


@pytest.mark.parametrize("wrong", [{"audit": Path("x")}, {"audit": Path("x"), "salt": "short"}, {"log_level": "loud"}])
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"the salt is a secret|the log level is one of"):
        OperationConfig(**wrong)


def test_each_call_is_a_line_from_info_on(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    running(operation={"audit": None, "metrics": False, "log_level": "info"}).post(URL, json=request(SICK))
    assert re.fullmatch(r"b12-bone-health answered 200 in \d+\.\d ms", caplog.messages[-1])


@pytest.mark.parametrize("path", [URL, "/cds-services", "/healthz", "/readyz", "/metrics", "/rulebook", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_every_answer_says_what_browsers_must_not_do(running: Running, path: str, method: str) -> None:
    headers = running().open(path, method=method).headers
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert headers.get_all("Referrer-Policy") == ["no-referrer"]
    assert "Strict-Transport-Security" not in headers


def test_https_is_insisted_on_where_it_is_known(running: Running) -> None:
    assert running(base_url="https://cds.example.org").get("/healthz").headers["Strict-Transport-Security"] == "max-age=31536000"
