"""`cobalamin audit export`: which records, in which form, and what becomes of lines that cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from fhir.resources.R4B.auditevent import AuditEvent

from hooks.cli import main
from hooks.feedback.entries import Keys
from hooks.operation.audit import Record


SALT = "the-salt-of-the-tests"
KEYS = Keys(SALT)
RECORDS = [
    Record("2026-11-20T23:59:59.999Z", "one", "s", 200, client="epic", patient=KEYS.key("patient", "anybody", "123")),
    Record("2026-11-21T00:00:00.000Z", "two", "s", 400),
    Record("2026-11-22T12:00:00.000Z", "three", "s", 200, iss="i", tenant="t", patient=KEYS.key("patient", "i#t", "123")),
]
LINES = [msgspec.json.encode(record) for record in RECORDS]


@pytest.fixture(name="file")
def audit_file(tmp_path: Path) -> Path:
    file = tmp_path / "audit.jsonl"
    file.write_bytes(b"\n".join(LINES) + b"\n")
    return file


def export(*arguments: Any, salt: str | None = SALT) -> Result:
    return CliRunner().invoke(main, ["audit", "export", *map(str, arguments)], env={"COBALAMIN_SALT": salt})


def requests(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["request"] for line in result.stdout.splitlines()]


def test_OPS_01_records_leave_as_audit_events(file: Path) -> None:
    events = [json.loads(line) for line in export(file).stdout.splitlines()]
    assert [event["entity"][0]["what"]["identifier"]["value"] for event in events] == ["one", "two", "three"]
    for event in events:
        AuditEvent.model_validate(event)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([], ["one", "two", "three"]),
        (["--since", "2026-11-21"], ["two", "three"]),
        (["--since", "2026-11-21T08:00:00+0800"], ["two", "three"]),
        (["--since", "2026-11-21T00:01"], ["three"]),
        (["--until", "2026-11-21"], ["one"]),
        (["--since", "2026-11-21", "--until", "2026-11-22T12:00:00"], ["two"]),
        (["--client", "epic"], ["one"]),
        (["--patient", "123"], ["one", "three"]),
        (["--patient", "124"], []),
    ],
)
def test_calls_are_chosen(file: Path, chosen: list[str], expected: list[str]) -> None:
    assert requests(export(file, "--format", "json", *chosen)) == expected


def test_rotated_and_gzipped_files_are_read_in_turn_into_a_file(file: Path, tmp_path: Path) -> None:
    older = tmp_path / "audit.jsonl.1.gz"
    older.write_bytes(gzip.compress(LINES[0] + b"\n"))
    output = tmp_path / "out.ndjson"
    assert export(older, file, "--format", "json", "--output", output).stdout == ""
    assert [json.loads(line)["request"] for line in output.read_text().splitlines()] == ["one", "one", "two", "three"]


def test_half_a_line_costs_no_other_and_is_told(file: Path) -> None:
    file.write_bytes(
        LINES[0][:40] + LINES[1] + b"\n" + LINES[0][:40] + b"\n\n" + b'{"time":"then","request":"r","service":"s","status":1}\n'
    )
    result = export(file, "--format", "json")
    assert [json.loads(line)["request"] for line in result.stdout.splitlines()] == ["two"]
    assert (result.exit_code, result.stderr) == (1, "3 lines cannot be read and are left out.\n")


def test_a_packed_file_that_ends_too_early_is_read_so_far(file: Path) -> None:
    file.write_bytes(gzip.compress(b"\n".join(LINES))[:-9])
    result = export(file, "--format", "json")
    assert (result.exit_code, result.stderr) == (1, "1 lines cannot be read and are left out.\n")


def test_what_cannot_be_done_is_said(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "needs the salt" in export(file, "--patient", "1", salt="short").stderr
    assert "Cannot write" in export(file, "--output", tmp_path / "missing" / "x").stderr
    assert export(file, "--since", "yesterday").exit_code == 2
    monkeypatch.setattr("pathlib.Path.open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert "Permission denied" in export(file).stderr
