"""Back-ups of the feedback store, taken and put back while two services share it; and what the older version makes of a newer store."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text

from hooks.feedback.tables import CARD, FEEDBACK
from tests.deploy.stage import DEPLOY, VOUCHED, caller, running_service
from tests.hooks.conftest import Opener, programs
from tests.patients import request


SERVICE = "cds-services/b12-bone-health"


def script(name: str, *words: str, fails: bool = False) -> str:
    """What a script prints: the complaint of one that must fail."""
    environment = {**os.environ, "PATH": f"{programs()}:{os.environ['PATH']}", "PYTHON": sys.executable}
    run = subprocess.run([DEPLOY / name, *words], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode != 0) is fails, run.stderr
    return run.stderr if fails else run.stdout.strip()


def counts(opened: Opener, url: str) -> tuple[int, int]:
    """How many cards and reports there are."""
    with opened(url).reading() as connection:
        cards, reports = (connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (CARD, FEEDBACK))
        return cards, reports


def until(opened: Opener, url: str, expected: tuple[int, int], patience_s: float = 10) -> None:
    """Wait until the cards are in the store."""
    deadline = time.monotonic() + patience_s
    while (found := counts(opened, url)) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def asked(port: int, instance: str) -> list[str]:
    """The cards of one call."""
    body = {**request({"age": 72, "problems": ["osteoporosis"]}), "hookInstance": instance}
    answer = caller().post(f"http://127.0.0.1:{port}/{SERVICE}", json=body, headers=VOUCHED, timeout=10)
    return [card["uuid"] for card in answer.json()["cards"]]


def reported(port: int, *uuids: str) -> int:
    """The status of a report."""
    event = {"outcome": "overridden", "outcomeTimestamp": "2026-11-21T10:00:00Z"}
    body = {"feedback": [{"card": uuid, **event} for uuid in uuids]}
    return caller().post(f"http://127.0.0.1:{port}/{SERVICE}/feedback", json=body, headers=VOUCHED, timeout=10).status_code


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # of SQLite, the workers of one service show it
def test_two_services_share_a_store_and_what_was_saved_comes_back(database: str, opened: Opener, tmp_path: Path) -> None:
    with (
        running_service(tmp_path / "1", COBALAMIN_STORE=database) as one,
        running_service(tmp_path / "2", COBALAMIN_STORE=database) as two,
    ):
        uuids = [uuid for number in range(4) for port in (one, two) for uuid in asked(port, f"{port} {number}")]
        assert reported(one, *uuids) == 200  # whoever showed them
        saved = len(uuids), len(uuids)
        until(opened, database, saved)
        copy = script("backup.sh", database, str(tmp_path / "copies"))
        assert reported(two, *asked(two, "after the copy")) == 200
        until(opened, database, (saved[0] + 1, saved[1] + 1))
        script("restore.sh", copy, database)
        assert counts(opened, database) == saved
        assert reported(two, *asked(one, "after the restoration")) == 200
        until(opened, database, (saved[0] + 1, saved[1] + 1))
    assert Path(copy).stat().st_mode & 0o077 == 0


def test_a_rollback_is_a_restored_copy(database: str, opened: Opener, tmp_path: Path) -> None:
    opened(database).migrate()
    copy = script("backup.sh", database, str(tmp_path))
    engine = create_engine(database)
    with engine.begin() as connection:  # as a newer version leaves it
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("ALTER TABLE card ADD COLUMN of_tomorrow TEXT"))
    engine.dispose()
    with running_service(tmp_path, COBALAMIN_STORE=database) as port:
        (uuid,) = asked(port, "with a store of tomorrow")
        assert reported(port, uuid) == 503
        script("restore.sh", copy, database)
        assert reported(port, uuid) == 200
        until(opened, database, (1, 1))  # the card had waited


def test_a_copy_that_is_none_changes_nothing(database: str, opened: Opener, tmp_path: Path) -> None:
    opened(database).migrate()
    (tmp_path / "torn").write_bytes(Path(script("backup.sh", database, str(tmp_path))).read_bytes()[:3000])
    (tmp_path / "other").write_bytes(b"something else")
    for name in ("torn", "other", "missing"):
        assert script("restore.sh", str(tmp_path / name), database, fails=True)
        assert counts(opened, database) == (0, 0)


def test_old_copies_go(tmp_path: Path, opened: Opener) -> None:
    store, old = tmp_path / "feedback.db", tmp_path / "cobalamin-20260101T000000Z.db"
    opened(f"sqlite:///{store}").migrate()
    old.touch()
    os.utime(old, (0, 0))
    copy = script("backup.sh", str(store), str(tmp_path), "30")
    assert not old.exists()
    assert Path(copy).exists()


def test_no_store_no_copy(tmp_path: Path) -> None:
    assert "is no store" in script("backup.sh", str(tmp_path / "none.db"), str(tmp_path), fails=True)
