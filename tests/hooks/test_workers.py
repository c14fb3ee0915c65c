"""The real server with several workers: what one knows all know (OPS-03), and how requests and the service end in time."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import yaml
from gunicorn.arbiter import Arbiter
from sqlalchemy import select

from hooks.app import create_app
from hooks.ending import Alarm, Announced, Announcing, Notice, TooLateError
from hooks.feedback.config import store_url
from hooks.feedback.tables import CARD, FEEDBACK
from hooks.serving import Server, Worker
from tests.hooks.conftest import Opener
from tests.hooks.dialects import hospital, record
from tests.hooks.servers import free_port, started
from tests.hooks.stub import TOKEN, Asked, stub
from tests.hooks.test_cli import CHILD, POST, handled
from tests.hooks.tokens import ISS, jwk, token
from tests.patients import request


SALT = "the-salt-of-the-tests"
SERVICE = "/cds-services/b12-bone-health"
BASE = "https://cds.example.org"
DEFICIENT = request({"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]})
PROFILE: dict[str, Any] = {"means": {"en": "Ours", "zh-CN": "本院"}}


class Running(NamedTuple):
    """A service in a process group of its own."""

    address: str
    process: subprocess.Popen[bytes]

    def call(self, sent: Any = DEFICIENT, leave: str | None = None, path: str = SERVICE) -> requests.Response:
        """One call, by a connection of its own."""
        headers = {"Authorization": f"Bearer {leave}"} if leave is not None else {}
        return requests.post(self.address + path, json=sent, headers=headers, timeout=30)


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Running]:
    """The service with a configuration."""
    port = free_port()
    settings["server"] = {"port": port, "workers": 4, **settings.get("server", {})}
    with started(folder / "cobalamin.yaml", settings, SALT, b"Listening") as process:
        yield Running(f"http://127.0.0.1:{port}", process)


def at_once(ask: Callable[[int], requests.Response], times: int = 20) -> Counter[int]:
    """The statuses of calls that come together."""
    with ThreadPoolExecutor(8) as pool:
        return Counter(answer.status_code for answer in pool.map(ask, range(times)))


def chart(instance: str) -> dict[str, Any]:
    return {**DEFICIENT, "hookInstance": instance}


def leave(jti: str) -> str:
    return token(exp=time.time() + 300, iat=time.time(), jti=jti)


def test_OPS_03_SEC_31_four_workers_are_as_good_as_one(tmp_path: Path, opened: Opener) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [jwk()]}), encoding="utf-8")
    ours = {**PROFILE, "trust": {"iss": [ISS], "jwks_file": "keys.json"}}
    (tmp_path / "ours.yaml").write_text(yaml.safe_dump(ours), encoding="utf-8")
    settings = {
        "server": {"base_url": BASE},
        "clients": ["ours.yaml"],
        "feedback": {"store": "feedback.db"},
        "metrics": {"page": True},
        "rate": {"client": "50/hour"},
    }
    with running(tmp_path, **settings) as service:
        assert at_once(lambda n: service.call(chart(f"call-{n}"), leave(f"call-{n}"))) == {200: 20}
        replayed = leave("again")
        assert at_once(lambda _: service.call(chart("again"), replayed)) == {200: 1, 401: 19}
        assert at_once(lambda n: service.call(json.loads(CHILD) | {"hook": "order-sign"}, leave(f"odd-{n}")), 4) == {400: 4}
        (card,) = service.call(chart("card"), leave("card")).json()["cards"]
        report = {"feedback": [{"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-21T10:00:00Z"}]}
        path = f"{SERVICE}/feedback"
        assert at_once(lambda n: service.call(report, leave(f"report-{n}"), path), 8) == {200: 8}, "repeats count once"
        counted = requests.get(f"{service.address}/metrics", timeout=10).text
        calls = {
            line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in counted.splitlines() if "calls_total{" in line
        }
        assert sum(count for labels, count in calls.items() if 'status="200"' in labels) == 22, "whoever of the four is asked"
        assert at_once(lambda n: service.call(chart(f"more-{n}"), leave(f"more-{n}")), 20) == {200: 16, 429: 4}, (
            "all count together"
        )
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(20)
    with opened(store_url(str(tmp_path / "feedback.db"))).reading() as connection:
        assert len(connection.execute(select(CARD)).all()) == 38, "a card of each answer, whichever worker gave it"
        assert len(connection.execute(select(FEEDBACK)).all()) == 1


def slow(seconds: float) -> Callable[[Asked], list[bytes | float]]:
    """A hospital that takes its time."""
    known = hospital("generic", record(DEFICIENT["prefetch"]))
    return lambda asked: [seconds, *known(asked)]


def unprefetched(base: str) -> dict[str, Any]:
    grant = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read", "subject": "us"}
    return {**DEFICIENT, "prefetch": {}, "fhirServer": base, "fhirAuthorization": grant}


def profile_for(folder: Path, base: str, patience_s: float) -> None:
    fhir = {"bases": [base], "deadline_ms": int(patience_s * 1000)}
    (folder / "slow.yaml").write_text(yaml.safe_dump({**PROFILE, "fhir": fhir}), encoding="utf-8")


def test_what_is_under_way_is_answered_after_SIGTERM_and_readyz_says_that_it_ends(tmp_path: Path) -> None:
    with stub(slow(1.5)) as ehr, ThreadPoolExecutor(1) as pool:
        profile_for(tmp_path, ehr.base, 6)
        with running(tmp_path, server={"workers": 2, "notice_s": 1}, clients=["slow.yaml"]) as service:
            assert requests.get(f"{service.address}/readyz", timeout=10).status_code == 200
            under_way = pool.submit(service.call, unprefetched(ehr.base))
            while not ehr.asked:
                time.sleep(0.01)
            service.process.send_signal(signal.SIGTERM)
            patience = time.monotonic() + 5
            while (ready := requests.get(f"{service.address}/readyz", timeout=10)).status_code == 200:
                assert time.monotonic() < patience
            assert (ready.status_code, ready.json()["issue"][0]["code"]) == (503, "transient")
            assert service.call().status_code == 200, "who was not told yet is still answered"
            answer = under_way.result()
            assert (answer.status_code, len(answer.json()["cards"])) == (200, 1)
            assert service.process.wait(20) == 0
            with pytest.raises(requests.ConnectionError):
                service.call()


def test_a_worker_that_had_to_give_up_a_request_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path, server={"workers": 1, "deadline_s": 1}) as service:
        assert service.call().status_code == 200
        host, port = service.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as trickle:
            trickle.sendall(POST + b"Content-Length: 5\r\n\r\n{")
            said = trickle.recv(1000)
        assert said.startswith(b"HTTP/1.1 503 ")
        assert service.call().status_code == 200


@pytest.fixture(name="replaced")
def replaced_workers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each worker that answered, whether it goes, and another comes."""
    going: list[bool] = []

    class Watched(Worker):
        def handle(self, listener: Any, client: Any, addr: Any) -> None:
            super().handle(listener, client, addr)
            going.append(not self.alive)

    monkeypatch.setattr("tests.hooks.test_cli.Worker", Watched)
    return going


def test_a_deadline_ends_what_no_handler_of_errors_sees(replaced: list[bool]) -> None:
    def stuck(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        try:
            time.sleep(5)
        except Exception:  # noqa: BLE001 - it must not end here
            start_response("200 OK", [])
        return []

    began = time.monotonic()
    status, body = handled(POST + b"Content-Length: 2\r\n\r\n{}", stuck, deadline_s=0.1)
    assert (status, json.loads(body)["issue"][0]["code"]) == (503, "timeout")
    assert time.monotonic() - began < 2
    assert replaced == [True]


def test_what_was_begun_to_be_answered_is_not_answered_twice(replaced: list[bool]) -> None:
    def endless(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        while True:
            yield b"x"
            time.sleep(0.02)

    status, body = handled(b"GET / HTTP/1.1\r\n\r\n", endless, deadline_s=0.1)
    assert status == 200
    assert b"timeout" not in body
    assert replaced == [True]
    assert handled(b"GET /healthz HTTP/1.1\r\n\r\n")[0] == 200
    assert replaced == [True, False]


def test_a_deadline_that_is_kept_rings_no_more() -> None:
    alarm = Alarm()
    alarm.set(0.05)
    alarm.set(0)
    time.sleep(0.1)
    alarm.set(0.01)
    with pytest.raises(TooLateError):
        time.sleep(5)


def test_the_end_is_announced_before_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    notice, slept = Notice(), list[float]()
    monkeypatch.setattr(time, "sleep", slept.append)
    with pytest.raises(StopIteration):
        Announcing(Server(create_app(), "127.0.0.1", 8099, 1), notice, 3).handle_term()
    assert (notice.given, slept) == (True, [3])
    told: list[str] = []
    Announced(lambda *_: [], notice)({"PATH_INFO": "/readyz"}, lambda status, _: told.append(status))
    assert told == ["503 Service Unavailable"]
    assert list(Announced(lambda *_: [b"x"], notice)({"PATH_INFO": SERVICE}, None)) == [b"x"]  # type: ignore[arg-type]


def test_the_server_ends_when_its_master_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Arbiter, "run", lambda arbiter: None)
    server = Server(create_app(), "127.0.0.1", 8099, 1, deadline_s=7)
    server.run()
    assert (server.cfg.timeout, server.cfg.graceful_timeout) == (17, 17)
