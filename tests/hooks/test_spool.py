"""Cards between the answer and the store: waiting, taken over, bounded; and the recorder that keeps them moving."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from msgspec.structs import replace as altered
from sqlalchemy import select

from hooks.feedback.config import store_url
from hooks.feedback.entries import Keys
from hooks.feedback.recorder import Recorder
from hooks.feedback.spool import Spool, _size
from hooks.feedback.store import Store, StoreError
from hooks.feedback.tables import CARD
from hooks.services import ORDER_SIGN, PATIENT_VIEW
from tests.patients import answered, request


def taken(spool: Spool) -> list[bytes]:
    """What waits, taken out."""
    lines: list[bytes] = []
    spool.drain(lines.extend)
    return lines


def test_lines_wait_in_order_and_are_taken_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "deep" / "spool")
    for number in range(3):
        spool.append(b"%d\n" % number)
    assert taken(spool) == [b"0", b"1", b"2"]
    assert taken(spool) == []
    spool.append(b"3\n")
    assert taken(spool) == [b"3"]
    assert list((tmp_path / "deep" / "spool").iterdir()) == []
    assert (tmp_path / "deep" / "spool").stat().st_mode & 0o077 == 0


def test_what_cannot_be_taken_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"kept\n")

    def away(lines: list[bytes]) -> None:
        raise StoreError(OSError("away"))

    for _ in range(3):
        with pytest.raises(StoreError):
            spool.drain(away)
        spool.append(b"later\n")
    assert len(list(tmp_path.iterdir())) == 2  # what waited at first, and what came after
    assert taken(spool) == [b"kept", b"later", b"later", b"later"]


def test_the_file_of_a_living_process_is_left_to_it(tmp_path: Path) -> None:
    mine, theirs = Spool(tmp_path), Spool(tmp_path)
    theirs.append(b"theirs\n")
    assert taken(mine) == []
    assert taken(theirs) == [b"theirs"]


def test_the_file_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"parent\n")
    if (child := os.fork()) == 0:
        spool.append(b"child\n")
        os._exit(0)
    os.waitpid(child, 0)
    assert taken(Spool(tmp_path)) == [b"child"]
    assert taken(spool) == [b"parent"]


def test_a_forked_process_writes_files_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started, unused = Spool(tmp_path), Spool(tmp_path)
    started.append(b"parent\n")
    monkeypatch.setattr("hooks.feedback.spool.os.getpid", lambda: 1)
    for spool in (started, unused):
        spool.append(b"child\n")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_that_is_gone_takes_no_room(tmp_path: Path) -> None:
    assert _size(tmp_path / "gone") == 0


def test_what_somebody_else_is_taking_is_not_taken_twice(tmp_path: Path) -> None:
    spool, other = Spool(tmp_path), Spool(tmp_path)
    spool.append(b"once\n")
    seen: list[list[bytes]] = []

    def slowly(lines: list[bytes]) -> None:
        seen.extend([lines, taken(other)])

    spool.drain(slowly)
    assert seen == [[b"once"], []]


def test_a_file_that_vanishes_is_nobodys_loss(tmp_path: Path) -> None:
    spool, other = Spool(tmp_path, file_size=1), Spool(tmp_path)
    spool.append(b"first\n")
    spool.append(b"second\n")
    seen: list[bytes] = []

    def race(lines: list[bytes]) -> None:
        seen.extend(lines)
        if len(seen) == 1:
            seen.extend(taken(other))

    spool.drain(race)
    assert sorted(seen) == [b"first", b"second"]


def test_a_file_taken_between_opening_and_locking_is_not_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, file_size=1)
    spool.append(b"once\n")
    (path,) = tmp_path.iterdir()
    monkeypatch.setattr("hooks.feedback.spool.fcntl.flock", lambda *_: path.unlink())
    assert taken(spool) == []


def test_a_full_disk_loses_the_line_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, write = Spool(tmp_path), os.write
    spool.append(b"before\n")
    with monkeypatch.context() as patch:
        patch.setattr("hooks.feedback.spool.os.write", lambda file, line: write(file, line[:3]))
        with pytest.raises(OSError, match="disk is full"):
            spool.append(b"in the middle\n")
    spool.append(b"after\n")
    assert taken(spool) == [b"before", b"in ", b"after"]


def test_no_more_waits_than_there_is_room_for(tmp_path: Path) -> None:
    spool = Spool(tmp_path, room=10, file_size=4)
    for _ in range(3):
        spool.append(b"12345\n")

    def away(lines: list[bytes]) -> None:
        raise StoreError(OSError("away"))

    with pytest.raises(StoreError):
        spool.drain(away)
    with pytest.raises(OSError, match="away for too long"):
        spool.append(b"lost\n")
    assert taken(spool) == [b"12345"] * 3
    spool.append(b"again\n")


def test_a_directory_that_cannot_be_written_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hooks.feedback.spool.os.access", lambda *_: False)
    with pytest.raises(PermissionError, match="cannot be written"):
        Spool(tmp_path)


def test_threads_share_a_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path, file_size=200)
    lines: list[bytes] = []

    def write() -> None:
        for _ in range(200):
            spool.append(b"x" * 20 + b"\n")

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        spool.drain(lines.extend)
    spool.drain(lines.extend)
    assert lines == [b"x" * 20] * 800


LATE = datetime(2026, 11, 21, tzinfo=UTC)
PATIENT = {"age": 72, "problems": ["osteoporosis"]}


class Kit:
    """A recorder on a store of its own, whose thread does nothing by itself unless it is told to."""

    def __init__(self, folder: Path, every_s: float = 3600) -> None:
        """In a folder."""
        self.store = Store(store_url(str(folder / "feedback.db")))
        self.spool, self.now = Spool(folder / "spool"), LATE
        self.recorder = Recorder(self.store, self.spool, Keys("s" * 16), timedelta(days=30), lambda: self.now, every_s)

    def rows(self) -> list[tuple[str, str]]:
        """Rule and state of the stored cards."""
        with self.store.reading() as connection:
            return [(row.rule, row.state) for row in connection.execute(select(CARD).order_by(CARD.c.id))]


@pytest.fixture(name="kit")
def recorder_kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path)
    yield kit
    kit.recorder.close()


def test_the_thread_brings_cards_into_the_store(tmp_path: Path) -> None:
    kit = Kit(tmp_path, every_s=0.01)
    kit.recorder.record(PATIENT_VIEW, "north", answered(json.dumps(request(PATIENT)), LATE.date()))
    until = time.monotonic() + 20
    while not kit.rows() and time.monotonic() < until:
        time.sleep(0.01)
    assert kit.rows() == [("b12_baseline", "shown")]
    kit.recorder.close()


def test_closing_brings_the_last_cards_into_the_store(kit: Kit) -> None:
    kit.recorder.record(PATIENT_VIEW, "north", answered(json.dumps(request(PATIENT)), LATE.date()))
    kit.recorder.close()
    assert kit.rows() == [("b12_baseline", "shown")]


def test_a_recorder_starts_one_thread(kit: Kit) -> None:
    evaluation = answered(json.dumps(request(PATIENT)), LATE.date())
    threads = [Thread(target=kit.recorder.record, args=(PATIENT_VIEW, str(number), evaluation)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kit.recorder._start()
    kit.recorder.round()
    assert len(kit.rows()) == 8


def test_silent_cards_are_told_apart(kit: Kit) -> None:
    evaluation = answered(json.dumps(request(PATIENT)), LATE.date())
    kit.recorder.record(PATIENT_VIEW, "north", evaluation, silent=True)
    kit.recorder.round()
    assert kit.rows() == [("b12_baseline", "silent")]


def test_what_was_held_back_fired_as_well(kit: Kit) -> None:
    evaluation = answered(json.dumps(request(PATIENT)), LATE.date())
    (statement,) = evaluation.decision.statements
    decision = altered(evaluation.decision, held_back=(altered(statement, rule="companions"),))
    held = replace(evaluation, decision=decision)
    for _ in range(2):
        kit.recorder.record(PATIENT_VIEW, "north", held)
    kit.recorder.round()
    assert kit.rows() == [("b12_baseline", "shown"), ("companions", "held_back")]


def test_an_answer_without_cards_leaves_nothing(kit: Kit) -> None:
    kit.recorder.record(ORDER_SIGN, "north", answered(json.dumps(request({"age": 40, "sex": "male"})), LATE.date()))
    assert taken(kit.spool) == []


def test_nobody_asked_is_not_somebody(kit: Kit) -> None:
    evaluation = answered(json.dumps(request(PATIENT)), LATE.date())
    anonymous = replace(evaluation, context=evaluation.context.model_copy(update={"userId": None}))
    kit.recorder.record(PATIENT_VIEW, "north", anonymous)
    kit.recorder.round()
    with kit.store.reading() as connection:
        assert connection.execute(select(CARD.c.user_key)).scalar_one() is None


def test_what_is_too_old_goes_by_itself(kit: Kit) -> None:
    evaluation = answered(json.dumps(request(PATIENT)), LATE.date())
    kit.recorder.record(PATIENT_VIEW, "north", evaluation)
    kit.recorder.round()
    kit.now += timedelta(days=31)
    kit.recorder.record(PATIENT_VIEW, "south", evaluation)
    kit.recorder.round()
    assert len(kit.rows()) == 1
    kit.now += timedelta(hours=1)
    kit.recorder.round()  # not yet time to look again
    assert len(kit.rows()) == 1


def test_a_torn_line_is_left_out_and_the_rest_is_kept(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    kit.spool.append(b'{"card_key":"MAR\n')
    kit.recorder.record(PATIENT_VIEW, "north", answered(json.dumps(request(PATIENT)), LATE.date()))
    kit.recorder.round()
    assert len(kit.rows()) == 1
    assert caplog.messages == ["a recorded card cannot be read and is left out"]


def test_trouble_is_logged_when_it_begins_and_when_it_ends(
    kit: Kit, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (OSError("MARKER"), StoreError(ValueError("MARKER")), StoreError(ValueError("MARKER"))):
        with monkeypatch.context() as patch:
            patch.setattr(kit.spool, "drain", lambda _, raised=error: (_ for _ in ()).throw(raised))
            kit.recorder.round()
    kit.recorder.round()
    trouble = "cards wait for the feedback store"
    assert caplog.messages == [f"{trouble}: OSError", f"{trouble}: ValueError", f"{trouble}: no longer"]
