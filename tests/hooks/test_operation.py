"""The record of each call, logs and metrics: what is in them, and what never is."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from msgspec.structs import fields

from hooks.operation.audit import AuditLog, Record
from hooks.operation.auditevents import audit_event
from hooks.operation.config import SHARED
from hooks.operation.logs import JsonLines, TextLines, logging_to_stderr, now
from hooks.operation.metrics import Metrics
from hooks.requestid import identified, request_id
from hooks.trail import PHASES


RECORD = Record(
    time="2026-11-22T08:00:00.000Z",
    request="0123456789abcdef",
    service="b12-bone-health",
    status=200,
    hook="patient-view",
    hookInstance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    client="epic",
    user="c0ffee",
    patient="decade",
    advice=("b12_regimen/start",),
    silent=("b12_follow_up/overdue",),
    held_back=("b12_dose/no_added_benefit",),
    prefetch={"labs": "data", "procedures": "null"},
    fetched={"conditions": "late"},
    knowledge="2026.11",
    ms={"read": 0.2},
)


def test_OPS_01_a_record_is_one_line_and_says_only_what_is_known(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log.keep(RECORD)
    log.keep(Record(time=now(), request="r", service="s", status=401))
    first, second = (json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines())
    assert msgspec.convert(first, Record) == RECORD
    assert second.keys() == {"time", "request", "service", "status"}


def test_a_record_is_still_written_after_the_file_was_rotated(tmp_path: Path) -> None:
    log, file = AuditLog(tmp_path / "audit.jsonl"), tmp_path / "audit.jsonl"
    file.rename(tmp_path / "audit.jsonl.1")
    log.keep(RECORD)
    assert file.exists()
    with pytest.raises(OSError, match="No such"):
        AuditLog(tmp_path / "missing" / "audit.jsonl")


_KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
from hooks.operation.audit import AuditLog, Record
AuditLog(Path(sys.argv[1])).keep(Record(time="t", request="r", service="s", status=200))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_that_is_killed_after_the_record_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(file)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert json.loads(file.read_text())["request"] == "r"


@pytest.mark.parametrize(("status", "outcome"), [(200, "0"), (412, "4"), (500, "8")])
def test_a_record_is_a_valid_audit_event(status: int, outcome: str) -> None:
    event = audit_event(msgspec.structs.replace(RECORD, status=status))
    assert event["outcome"] == outcome
    AuditEvent.model_validate(event)
    AuditEvent.model_validate(audit_event(Record(time=RECORD.time, request="r", service="s", status=status)))


def line(name: str, message: str, error: BaseException | None = None) -> dict[str, str]:
    info = (type(error), error, error.__traceback__) if error is not None else None
    content: dict[str, str] = json.loads(JsonLines().format(logging.LogRecord(name, 30, "x.py", 1, message, None, info)))
    return content


def test_OPS_02_logs_hold_our_words_and_nobody_elses() -> None:
    before = request_id.set("abc")
    assert line("cobalamin", "refused with 400")["message"] == "refused with 400"
    assert "Patient" not in json.dumps(line("urllib3.connectionpool", "GET /Patient/123"))
    try:
        raise ValueError("Mrs Marker, born 1950")
    except ValueError as error:
        said = line("cobalamin", "unexpected ValueError", error)
    request_id.reset(before)
    assert said["error"] == "ValueError"
    assert said["where"].startswith("test_operation.py:")
    assert said["request"] == "abc"
    assert "Marker" not in json.dumps(said)
    assert line("cobalamin", "x").keys() == {"time", "level", "logger", "message"}


def test_lines_of_text_say_the_same() -> None:
    said = TextLines().format(logging.LogRecord("cobalamin", 30, "x.py", 1, "said", None, (ValueError, ValueError("no"), None)))
    assert said.split(" ", 1)[1] == "WARNING cobalamin: said [error ValueError] [where ]"


@pytest.mark.parametrize(("as_json", "said"), [(True, '"message": "said"'), (False, "WARNING cobalamin: said\n")])
def test_all_logs_of_the_process_are_such_lines(capsys: pytest.CaptureFixture[str], as_json: bool, said: str) -> None:
    before = logging.root.handlers[:], logging.root.level
    with logging_to_stderr("info", as_json):
        logging.getLogger("cobalamin").warning("said")
        logging.getLogger("urllib3").debug("never")
    (told,) = capsys.readouterr().err.splitlines(keepends=True)
    assert said in told
    assert (logging.root.handlers[:], logging.root.level) == before


@pytest.mark.parametrize("header", [None, "", "short", "a b c d e f g", "x" * 65, "line\nbreak-line"])
def test_ERR_14_a_request_gets_an_id_of_its_own_unless_the_gateway_gave_a_harmless_one(header: str | None) -> None:
    assert identified("gateway-0123") == "gateway-0123"
    assert len(identified(header)) == 32


_WORKER = """
import os
from hooks.operation.metrics import Metrics
from hooks.trail import Trail
metrics = Metrics()
if os.fork() == 0:
    metrics.called("s", Trail(), 200, {})
    os._exit(0)
os.wait()
metrics.called("s", Trail(), 200, {})
print(metrics.text().decode())
"""


def test_metrics_of_all_workers_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARED, str(tmp_path))
    assert Metrics().text() == b"", "the library counts in one process here, and looks into the empty directory"


def test_metrics_of_all_workers_add_up(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _WORKER], env={**os.environ, SHARED: str(tmp_path)}, check=True, capture_output=True, text=True
    )
    assert 'cobalamin_calls_total{client="unknown",service="s",status="200"} 2.0' in said.stdout


def metric_rows() -> list[str]:
    """The lines of the table of metrics, from the metrics themselves."""
    registered: Any = Metrics()._registry._collector_to_names
    ending = {"counter": "_total"}
    return [
        f"| `{metric._name}{ending.get(metric._type, '')}` | {', '.join(f'`{label}`' for label in metric._labelnames) or '-'} "
        f"| {metric._documentation} |"
        for metric in sorted(registered, key=lambda metric: metric._name)
    ]


def test_the_page_names_every_metric_every_phase_and_every_member_of_a_record() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operation.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("| `cobalamin_")] == metric_rows()
    assert ", ".join(f"`{phase}`" for phase in PHASES) in page
    rows = [line for line in page.splitlines() if line.startswith("| `") and not line.startswith("| `cobalamin_")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])} == {
        field.name for field in fields(Record)
    }
