"""Records, counts and answers of the real server with several workers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.patients import request


CALLS = 40


@pytest.fixture(name="base")
def served(tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "hooks", "serve", "--port", str(port), "--workers", "2", "--metrics", "--json-logs"]
    kept = ["--audit", str(tmp_path / "audit.jsonl"), "--log-level", "info"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([*command, *kept], stderr=log, env={**os.environ, "COBALAMIN_SALT": "the-salt-of-the-tests"})
    try:
        until = time.monotonic() + 20
        while b"discovery at" not in (tmp_path / "log").read_bytes():
            assert time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def call(number: int) -> dict[str, Any]:
    """The request of a patient whom no other call is about."""
    sent = request({"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": f"{100 + number} pg/mL"}]})
    return {**sent, "hookInstance": f"call {number}"}


def test_OPS_03_CALL_11_several_workers_mix_no_patients_and_count_and_record_every_call(base: str, tmp_path: Path) -> None:
    def answered(number: int) -> tuple[str, list[dict[str, Any]], str]:
        answer = requests.post(f"{base}/cds-services/b12-bone-health", json=call(number), timeout=20)
        return answer.headers["X-Request-Id"], answer.json()["cards"], answer.headers["Server"]

    with ThreadPoolExecutor(8) as ehrs:
        answers = list(ehrs.map(answered, range(CALLS)))
    for number, (_, cards, server) in enumerate(answers):
        assert f"{100 + number} pg/mL" in json.dumps(cards)
        assert server == "gunicorn", "no version"
    records = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    names = {name for name, _, _ in answers}
    assert len(names) == CALLS
    assert {record["request"] for record in records} == names
    assert len(records) == CALLS
    logged = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    assert {line["request"] for line in logged if "request" in line} == names
    counts = requests.get(f"{base}/metrics", timeout=20).text
    assert f'cobalamin_calls_total{{client="generic",service="b12-bone-health",status="200"}} {CALLS}.0' in counts
