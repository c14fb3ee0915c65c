"""What is guaranteed of resting cards when something fails: workers, machines, killed processes, lost files, slow answers."""

from __future__ import annotations

import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from msgspec.structs import replace
from werkzeug.test import EnvironBuilder

from hooks.feedback.config import FeedbackConfig, FeedbackError
from hooks.feedback.memory import ForgottenError, Memory, Override, Shown
from hooks.feedback.mounting import MEMORY
from hooks.feedback.store import StoreError
from tests.hooks.clinic import SALT, START, Clinic
from tests.hooks.conftest import Opener
from tests.hooks.test_kill import overridden, serving
from tests.patients import request


UNMEASURED = "b12_baseline/unmeasured"
RESTS: tuple[list[str], dict[str, str]] = ([], {UNMEASURED: "snoozed"})
REPEATED: tuple[list[str], dict[str, str]] = ([], {UNMEASURED: "repeated"})
SHOWN: tuple[list[str], dict[str, str]] = ([UNMEASURED], {})
TROUBLE = "no card is held back, as it is not known who was shown which"

LOST = "who was shown which card, or overrode it, is not remembered"


def memory_of(clinic: Clinic) -> Path:
    return clinic.config.folder / MEMORY


def test_a_memory_that_cannot_be_read_holds_nothing_back(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    clinic.opens(encounter="e1")

    def rename(*names: tuple[str, str]) -> None:
        with sqlite3.connect(memory_of(clinic)) as connection:
            for before, after in names:
                connection.execute(f"ALTER TABLE {before} RENAME TO {after}")

    rename(("shown", "hidden"), ("overridden", "gone"))
    caplog.clear()
    for _ in range(3):
        assert clinic.opens(encounter="e1")[0] == 200
        assert clinic.last_seen() == SHOWN
    assert clinic.overrides("b12_baseline", "specialist") == 200  # it is stored all the same
    clinic.kept.recorder.round()
    clinic.now += timedelta(hours=7)
    clinic.kept.recorder.round()
    rename(("hidden", "shown"), ("gone", "overridden"))
    assert caplog.messages == [f"{TROUBLE}: OperationalError", f"{LOST}: OperationalError"]
    clinic.now += timedelta(minutes=1)
    clinic.opens(encounter="e1")
    assert clinic.last_seen() == REPEATED
    clinic.opens()
    assert caplog.messages[2:] == [f"{TROUBLE}: no longer", f"{LOST}: no longer"]


def test_no_answer_waits_for_a_worker_that_hangs(clinic: Clinic) -> None:
    with sqlite3.connect(memory_of(clinic), isolation_level=None) as hanging:
        hanging.execute("BEGIN IMMEDIATE")
        begun = datetime.now(UTC)
        assert len(clinic.opens(encounter="e1")[1]) == 1
        assert datetime.now(UTC) - begun < timedelta(seconds=1)
        hanging.execute("ROLLBACK")
    clinic.opens(encounter="e1")
    assert clinic.last_seen() == SHOWN  # it could not be remembered
    clinic.opens(encounter="e1")
    assert clinic.last_seen() == REPEATED


def test_a_memory_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    config = FeedbackConfig(str(tmp_path / "feedback.db"), SALT)
    config.folder.mkdir()
    (config.folder / MEMORY).write_bytes(b"no database" * 1000)
    with pytest.raises(FeedbackError, match=r"shown.db cannot be used \(DatabaseError\); it may be deleted"):
        Clinic(config)


def test_identities_that_cannot_be_made_hold_nothing_back(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clinic.opens(encounter="e1")

    def broken(*_: object) -> str:
        raise ValueError("MARKER")

    monkeypatch.setattr("hooks.feedback.questions.Questions._inputs", broken)
    clinic.opens(encounter="e1")
    assert clinic.last_seen() == SHOWN
    assert caplog.messages == [f"{TROUBLE}: ValueError"]


def test_while_the_database_is_away_cards_come_and_repeats_rest(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise StoreError(OSError("away"))

    monkeypatch.setattr("hooks.feedback.store.Store.migrate", away)
    clinic.opens(encounter="e1")
    assert clinic.last_seen() == SHOWN
    clinic.kept.recorder.round()
    assert clinic.overrides("b12_baseline", "specialist") == 503  # what was not stored does not silence anything
    clinic.opens(encounter="e2")
    assert clinic.last_seen() == SHOWN
    clinic.opens(encounter="e2")
    assert clinic.last_seen() == REPEATED


def test_a_lost_memory_learns_overrides_from_the_store(tmp_path: Path) -> None:
    config = FeedbackConfig(str(tmp_path / "feedback.db"), SALT)
    clinic = Clinic(config)
    clinic.opens(encounter="e1")
    clinic.overrides("b12_baseline", "specialist")
    clinic.kept.recorder.close()
    for path in config.folder.iterdir():
        path.unlink()
    again = Clinic(config)
    again.opens(encounter="e1")
    assert again.last_seen() == RESTS
    again.kept.recorder.close()


def test_machines_share_overrides_through_the_store(database: str, tmp_path: Path) -> None:
    here, there = (Clinic(FeedbackConfig(database, SALT, tmp_path / name)) for name in ("here", "there"))
    here.opens(encounter="e1")
    there.opens(encounter="e1")
    assert there.last_seen() == SHOWN  # what was shown is known where it was shown
    here.kept.recorder.round()
    there.last = here.last
    assert there.overrides("b12_baseline", "specialist") == 200  # the report comes to the other machine
    here.opens()
    assert here.last_seen() == SHOWN
    for clinic in (here, there):
        clinic.now += timedelta(seconds=6)
        clinic.kept.recorder.round()
        clinic.opens()
        assert clinic.last_seen() == RESTS
        clinic.kept.recorder.close()


def test_a_report_that_is_dated_in_the_future_happened_when_it_came(clinic: Clinic) -> None:
    clinic.opens()
    clinic.overrides("b12_baseline", "later", at=START + timedelta(days=3000))
    clinic.now += timedelta(hours=23)
    clinic.opens()
    assert clinic.last_seen() == RESTS
    clinic.now += timedelta(hours=2)
    clinic.opens()
    assert clinic.last_seen() == SHOWN


def test_a_report_that_comes_late_does_not_undo_a_later_one(clinic: Clinic) -> None:
    clinic.opens()
    clinic.now += timedelta(hours=3)
    clinic.overrides("b12_baseline", "specialist", at=START + timedelta(hours=2))
    clinic.overrides("b12_baseline", "later", at=START + timedelta(hours=1))
    clinic.now += timedelta(days=2)
    clinic.opens()
    assert clinic.last_seen() == RESTS


def test_an_answer_that_came_late_does_not_count_as_shown(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hooks.calls.PATIENCE_S", 0)
    clinic.opens(encounter="e1")
    clinic.opens(encounter="e1")
    assert clinic.last_seen() == SHOWN


def test_an_answer_that_nobody_took_does_not_count_as_shown(clinic: Clinic) -> None:
    context = {"userId": "Practitioner/dr-a", "patientId": "p1", "encounterId": "e1"}
    sent = {**request({"age": 72, "problems": ["osteoporosis"]}), "hookInstance": "lost", "context": context}
    environ = EnvironBuilder("/cds-services/b12-bone-health", method="POST", json=sent).get_environ()
    service: Any = clinic.ehr.application.wsgi_app
    answer = iter(service(environ, lambda *_: None))
    assert next(answer).startswith(b'{"cards":[{')
    answer.close()  # as a server does when its client has gone
    clinic.opens(encounter="e1")
    assert clinic.last_seen() == SHOWN


def test_what_is_too_old_is_forgotten(clinic: Clinic) -> None:
    clinic.opens(encounter="e1")
    clinic.overrides("b12_baseline", "later")
    clinic.now += timedelta(days=91)
    clinic.kept.recorder.round()
    with sqlite3.connect(memory_of(clinic)) as connection:
        assert connection.execute("SELECT count(*) FROM shown").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM overridden").fetchone() == (0,)


def test_a_process_opens_the_memory_for_itself(tmp_path: Path) -> None:
    memory, entry = Memory(tmp_path / MEMORY), Shown("question", "instance", "", "card", START)
    memory.show([entry])
    if (child := os.fork()) == 0:
        memory.show([replace(entry, instance="other")])
        os._exit(len(memory.recall(["question"], "other", "").answered))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    memory.override([Override("question", "later", START)])
    known = memory.recall(["question", "unknown"], "other", "e1")
    assert known == ({"question"}, {}, {"question": Override("question", "later", START)})
    assert memory.recall(["question"], "third", "").seen == {"question": START}
    assert (memory.question("card"), memory.question("another")) == ("question", None)
    memory.close()
    memory.close()


def test_a_memory_says_what_kind_of_trouble_it_has(tmp_path: Path) -> None:
    with pytest.raises(ForgottenError, match="OperationalError"):
        Memory(tmp_path / "nowhere" / MEMORY)


def test_workers_share_the_memory_and_a_killed_service_keeps_it(tmp_path: Path, opened: Opener) -> None:
    config = FeedbackConfig(str(tmp_path / "feedback.db"), SALT)
    sent = request({"age": 72, "problems": ["osteoporosis"]})

    def opens(base: str, call: str, encounter: str) -> list[str]:
        context = {"userId": "Practitioner/1", "patientId": "p1", "encounterId": encounter}
        answer = requests.post(base, json={**sent, "hookInstance": call, "context": context}, timeout=10)
        return [card["uuid"] for card in answer.json()["cards"]]

    with serving(config) as (base, group):
        (card,) = opens(base, "first", "e1")
        assert [opens(base, f"repeat {number}", "e1") for number in range(20)] == [[]] * 20
        assert [opens(base, "first", "e1") for _ in range(20)] == [[card]] * 20
        (other,) = opens(base, "second", "e2")
        later = overridden(other)
        later["feedback"][0] |= {
            "outcomeTimestamp": datetime.now(UTC).isoformat(),
            "overrideReason": {"reason": {"code": "specialist"}},
        }
        assert requests.post(f"{base}/feedback", json=later, timeout=10).status_code == 200
        assert [opens(base, f"elsewhere {number}", "") for number in range(20)] == [[]] * 20
        os.killpg(group, signal.SIGKILL)
    with serving(config) as (base, _):
        assert opens(base, "after the kill", "e1") == []
        assert opens(base, "first", "e1") == [card]
    with opened(config.url).reading() as connection:
        states = [row.state for row in connection.exec_driver_sql("SELECT state FROM card")]
    assert {"shown", "repeated", "snoozed"} == set(states)
