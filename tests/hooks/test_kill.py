"""What survives a killed process, tried on the real server: every card of an answer, and every report that was answered with 200."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from sqlalchemy import select

from hooks.feedback.config import FeedbackConfig
from hooks.feedback.entries import Keys, client_of
from hooks.feedback.mounting import Kept
from hooks.feedback.tables import CARD, FEEDBACK
from hooks.services import SERVICES
from tests.hooks.conftest import Opener
from tests.hooks.servers import free_port, started
from tests.patients import library, request


SALT = "the-salt-of-the-tests"
SERVICE = "b12-bone-health"
PATIENT = {"age": 72, "problems": ["osteoporosis"]}


@contextmanager
def serving(config: FeedbackConfig) -> Iterator[tuple[str, int]]:
    """The service with two workers in a process group of its own; its address and the group."""
    port, file = free_port(), config.folder.with_name("cobalamin.yaml")
    settings = {
        "server": {"port": port, "workers": 2},
        "feedback": {"store": str(config.store), "spool": str(config.folder)},
    }
    with started(file, settings, SALT, b"feedback is stored") as process:
        yield f"http://127.0.0.1:{port}/cds-services/{SERVICE}", process.pid


class Ehr:
    """Asks for cards and reports on them until the service is gone; remembers what was answered."""

    def __init__(self, base: str, name: str) -> None:
        """`base`: the service; `name`: of its hook instances."""
        self.base, self.name = base, name
        self.cards: list[str] = []
        self.reported: list[str] = []
        self.tried: list[str] = []

    def run(self) -> None:
        """Until nobody answers."""
        with suppress(requests.RequestException, ValueError):
            for number in range(100_000):
                self._ask(f"{self.name}-{number}")

    def _ask(self, instance: str) -> None:
        answer = requests.post(self.base, json={**request(PATIENT), "hookInstance": instance}, timeout=10)
        uuids = [card["uuid"] for card in answer.json()["cards"]]
        self.cards += uuids
        for uuid in uuids:
            self.tried.append(uuid)
            if requests.post(f"{self.base}/feedback", json=overridden(uuid), timeout=10).status_code == 200:
                self.reported.append(uuid)


def overridden(*uuids: str) -> dict[str, Any]:
    return {"feedback": [{"card": uuid, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T10:00:00Z"} for uuid in uuids]}


def test_a_killed_service_loses_no_card_and_no_report(database: str, opened: Opener, tmp_path: Path) -> None:
    config = FeedbackConfig(database, SALT, tmp_path / "spool")
    ehrs: list[Ehr] = []
    waiting = 0
    for life in range(2):
        with serving(config) as (base, group):
            now = [Ehr(base, f"life {life}, ehr {number}") for number in range(3)]
            threads = [Thread(target=ehr.run) for ehr in now]
            for thread in threads:
                thread.start()
            time.sleep(1.3)  # past the first round of the recorder, into the second
            os.killpg(group, signal.SIGKILL)
            for thread in threads:
                thread.join()
            ehrs += now
            waiting += sum(path.read_bytes().count(b"\n") for path in config.folder.glob("*.jsonl"))
    kept = Kept(config, lambda *_: [], SERVICES, library())  # the next start
    patience = time.monotonic() + 20
    while any(config.folder.glob("*.jsonl")) and time.monotonic() < patience:  # the system may not have let go of the dead yet
        time.sleep(0.1)
        kept.recorder.round()
    key = Keys(SALT)
    with opened(config.url).reading() as connection:
        cards = list(connection.execute(select(CARD.c.card_key)).scalars())
        events = list(connection.execute(select(FEEDBACK.c.card_key)).scalars())
    shown = {key.card(client_of(None), SERVICE, uuid) for ehr in ehrs for uuid in ehr.cards}
    reported = {key.card(client_of(None), SERVICE, uuid) for ehr in ehrs for uuid in ehr.reported}
    tried = {key.card(client_of(None), SERVICE, uuid) for ehr in ehrs for uuid in ehr.tried}
    sys.stdout.write(  # the result of the trial, for `pytest -s`
        f"{len(shown)} cards answered, {len(cards)} stored, {waiting} of them by the starts after a kill; "
        f"{len(reported)} reports answered, {len(events)} stored\n"
    )
    assert waiting > 0
    assert len(reported) > 10
    assert shown <= set(cards)
    assert len(cards) == len(set(cards)) <= len(shown) + 2 * 2  # each worker may have been stopped before it answered
    assert reported <= set(events) <= tried
    assert len(events) == len(set(events))
    assert list(config.folder.glob("*.jsonl")) == []
    kept.recorder.close()


@pytest.mark.parametrize("signalled", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_stopped_leaves_nothing_waiting(tmp_path: Path, opened: Opener, signalled: signal.Signals) -> None:
    config = FeedbackConfig(str(tmp_path / "feedback.db"), SALT)
    with serving(config) as (base, group):
        assert requests.post(base, json=request(PATIENT), timeout=10).status_code == 200
        os.kill(group, signalled)
        until = time.monotonic() + 20
        while list(config.folder.glob("*.jsonl")) and time.monotonic() < until:
            time.sleep(0.02)
    with opened(config.url).reading() as connection:
        assert len(connection.execute(select(CARD)).all()) == 1
