"""The id, the record, the counts and the readiness of a running application."""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fhir.resources.R4B.auditevent import AuditEvent
from flask import Flask
from flask.testing import FlaskClient

from cds.library import KnowledgeError
from hooks.app import Config, create_app
from hooks.cli import main
from hooks.feedback.config import FeedbackConfig
from hooks.feedback.entries import Keys
from hooks.feedback.mounting import Kept
from hooks.operation.audit import AuditLog, Record
from hooks.operation.auditevents import audit_event
from hooks.operation.config import OperationConfig
from hooks.trust.gate import Gate
from hooks.trust.issuers import Issuer
from hooks.trust.replay import Replays
from tests.hooks.test_cards import TALKATIVE
from tests.hooks.tokens import jwk
from tests.patients import PATIENT, TODAY, request


SALT = "the-salt-of-the-tests"
URL = "/cds-services/b12-bone-health"
SICK = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
Running = Callable[..., FlaskClient]


@pytest.fixture(name="running")
def running_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Starts applications, and closes their stores at the end."""
    stores = []

    class Remembered(Kept):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            stores.append(self.store)

    def running(**more: Any) -> FlaskClient:
        settled = {"audit": tmp_path / "audit.jsonl", "salt": SALT, "metrics": True, **more.pop("operation", {})}
        return create_app(Config(today=lambda: TODAY, operation=OperationConfig(**settled), **more)).test_client()

    monkeypatch.setattr("hooks.feedback.mounting.Kept", Remembered)
    yield running
    for store in stores:
        store.close()


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
    client = running(operation={"metrics": False})
    monkeypatch.setattr("os.write", lambda *_: 3)
    assert client.post(URL, json=request(SICK)).status_code == 200


@pytest.mark.parametrize(("followed_by", "left"), [(b"", 1), (b'{"of": "another worker"}\n', 2)])
def test_OPS_01_on_a_full_disk_no_record_is_lost_in_the_half_of_another(
    followed_by: bytes, left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, write = tmp_path / "audit.jsonl", os.write
    log = AuditLog(file)

    def torn(descriptor: int, line: bytes) -> int:
        written = write(descriptor, line[:9])
        with file.open("ab") as another:
            another.write(followed_by)
        return written

    log.keep(Record("", "before", "", 200))
    with monkeypatch.context() as patch:
        patch.setattr("os.write", torn)
        with pytest.raises(OSError, match="disk is full"):
            log.keep(Record("", "torn", "", 200))
    log.keep(Record("", "after", "", 200))
    lines = file.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["request"] for line in (lines[0], lines[-1])] == ["before", "after"]
    assert len(lines) == left + 1


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


def test_what_was_held_back_or_shown_to_nobody_is_recorded_and_counted_as_such(running: Running, tmp_path: Path) -> None:
    (tmp_path / "silent.yaml").write_text("name: ours\nmeans: {en: Ours, zh-CN: 本院}\nmode: silent\n", encoding="utf-8")
    for more in ({}, {"clients": (str(tmp_path / "silent.yaml"),)}):
        client = running(**more)
        assert client.post(URL, json=request(TALKATIVE)).status_code == 200
        assert re.search(
            r'cobalamin_cards_total\{indicator="\w+",rule="\w+",state="held_back"\} 1\.0', client.get("/metrics").text
        )
    assert re.search(r'cobalamin_cards_total\{indicator="\w+",rule="\w+",state="silent"\} 1\.0', client.get("/metrics").text)
    loud, silent = records(tmp_path)
    assert (loud["advice"], loud["held_back"]) == (silent["silent"], silent["held_back"])
    assert len(loud["cards"]) == 4
    assert not silent.keys() & {"advice", "cards"}


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


def readiness(client: FlaskClient) -> tuple[int, dict[str, Any]]:
    answer = client.get("/readyz")
    return answer.status_code, answer.get_json()


def test_a_record_or_a_spool_that_cannot_be_written_sends_calls_elsewhere(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = running(feedback=FeedbackConfig(str(tmp_path / "feedback.db"), SALT))
    assert readiness(client) == (200, {"status": "ready"})
    (tmp_path / "audit.jsonl").unlink()
    (tmp_path / "audit.jsonl").mkdir()
    monkeypatch.setattr("os.access", lambda *_: False)
    reasons = ["audit: IsADirectoryError", "spool: PermissionError"]
    assert readiness(client) == (503, {"status": "not ready", "reasons": reasons})


def test_on_a_full_disk_calls_go_elsewhere(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = running(feedback=FeedbackConfig(str(tmp_path / "feedback.db"), SALT))
    full = os.statvfs_result((*os.statvfs(tmp_path)[:4], 0, *os.statvfs(tmp_path)[5:]))
    monkeypatch.setattr("hooks.sharedfile.os.statvfs", lambda _: full)
    assert readiness(client) == (503, {"status": "not ready", "reasons": ["audit: OSError", "spool: OSError"]})


def test_a_store_that_is_away_is_only_told_of_as_cards_wait_for_it(database: str, running: Running, tmp_path: Path) -> None:
    client = running(feedback=FeedbackConfig(database, SALT, tmp_path / "spool"))
    assert readiness(client) == (200, {"status": "ready"})
    away = FeedbackConfig("postgresql://nobody@/nothing?host=/nowhere", SALT, tmp_path / "spool")
    warnings = ["feedback: OperationalError"]
    assert readiness(running(feedback=away)) == (200, {"status": "ready", "warnings": warnings})


def test_a_store_that_takes_nothing_is_told_of_and_not_asked_all_the_time(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = running(feedback=FeedbackConfig(str(tmp_path / "feedback.db"), SALT))
    with sqlite3.connect(tmp_path / "feedback.db") as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert readiness(client) == (200, {"status": "ready", "warnings": ["feedback: OperationalError"]})
        connection.rollback()
    connection.close()
    assert "warnings" in readiness(client)[1], "remembered"
    monkeypatch.setattr("hooks.operation.readiness.REMEMBERED_S", 0)
    assert readiness(client) == (200, {"status": "ready"})


def keyed(running: Running, *keys: Any) -> FlaskClient:
    """A service that trusts one issuer for each source of keys."""
    issuers = [Issuer(f"https://{place}.example", source) for place, source in enumerate(keys)]
    return running(gate=Gate("https://cds.example.org", issuers, replays=Replays(Path(":memory:"))))


URL_OF_KEYS = "https://0.example/keys"


def test_without_any_keys_calls_go_elsewhere_and_nobody_outside_learns_whose(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hooks.trust.keysets._fetch", lambda *_: {"keys": 1})
    assert readiness(keyed(running, {"keys": [jwk()]})) == (200, {"status": "ready"})
    told = "no keys of 1 of {} issuers of tokens; the log names them"
    assert readiness(keyed(running, URL_OF_KEYS)) == (503, {"status": "not ready", "reasons": [told.format(1)]})
    assert "no keys to check tokens with, of https://0.example" in caplog.messages
    never = keyed(running, URL_OF_KEYS)
    assert [readiness(never)[0] for _ in range(2)] == [503, 503]
    two = keyed(running, URL_OF_KEYS, {"keys": [jwk()]})
    assert readiness(two) == (200, {"status": "ready", "warnings": [told.format(2)]})
    assert "key_set_age_seconds{" not in two.get("/metrics").text


def test_keys_are_fetched_to_be_ready_and_their_age_is_shown(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hooks.trust.keysets._fetch", lambda *_: {"keys": [jwk()]})
    client = keyed(running, URL_OF_KEYS, {"keys": [jwk()]})
    assert [readiness(client) for _ in range(2)] == [(200, {"status": "ready"})] * 2
    (age,) = re.findall(r'key_set_age_seconds{issuer="https://(.)\.example"} (.*)', client.get("/metrics").text)
    assert age[0] == "0"
    assert 0 <= float(age[1]) < 60


def test_options_of_the_service_become_its_operation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[Config] = []

    def remembered(config: Config) -> Flask:
        made.append(config)
        return create_app(config)

    monkeypatch.setattr("hooks.starting.create_app", remembered)
    monkeypatch.setattr("hooks.serving.Server.run", lambda _: None)
    kept = ["--audit", str(tmp_path / "audit.jsonl"), "--metrics", "--json-logs", "--log-level", "info"]
    served = CliRunner().invoke(main, ["serve", "--port", "8099", *kept], env={"COBALAMIN_SALT": SALT})
    assert served.exit_code == 0, served.output
    assert made[0].operation == OperationConfig(tmp_path / "audit.jsonl", SALT, metrics=True, json_logs=True, log_level="info")
    assert SALT not in repr(made[0])
    refused = CliRunner().invoke(main, ["serve", *kept], env={"COBALAMIN_SALT": None})
    assert (refused.exit_code, "environment: COBALAMIN_SALT: is a secret" in refused.stderr) == (2, True)


@pytest.mark.parametrize("wrong", [{"audit": Path("x")}, {"audit": Path("x"), "salt": "short"}, {"log_level": "loud"}])
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"the salt is a secret|the log level is one of"):
        OperationConfig(**wrong)


def test_each_call_is_a_line_from_info_on(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    running(operation={"audit": None, "metrics": False, "log_level": "info"}).post(URL, json=request(SICK))
    assert re.fullmatch(r"b12-bone-health answered 200 in \d+\.\d ms", caplog.messages[-1])


def test_every_answer_says_what_browsers_must_not_do(running: Running) -> None:
    client = running()
    for path in (URL, "/cds-services", "/healthz", "/readyz", "/metrics", "/rulebook", "/nowhere"):
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            headers = client.open(path, method=method).headers
            assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
            assert headers.get_all("Referrer-Policy") == ["no-referrer"]
            assert "Strict-Transport-Security" not in headers


def test_https_is_insisted_on_where_it_is_known(running: Running) -> None:
    assert running(base_url="https://cds.example.org").get("/healthz").headers["Strict-Transport-Security"] == "max-age=31536000"
