"""Back-ups of the feedback store, taken and put back while two services share it; and what the older version makes of a newer store."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, func, inspect, select, text

from hooks.feedback import migrations
from hooks.feedback.tables import CARD, FEEDBACK
from tests.deploy.stage import DEPLOY, VOUCHED, caller, running_service, running_services
from tests.hooks.conftest import Opener, programs
from tests.patients import request


SERVICE = "cds-services/b12-bone-health"


def script(name: str, *words: str, fails: bool = False, piped: bytes = b"") -> str:
    """What a script prints: the complaint of one that must fail."""
    environment = {**os.environ, "PATH": f"{programs()}:{os.environ['PATH']}", "PYTHON": sys.executable}
    run = subprocess.run([DEPLOY / name, *words], env=environment, capture_output=True, input=piped, check=False)
    assert (run.returncode != 0) is fails, run.stderr
    return (run.stderr if fails else run.stdout).decode().strip()


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
    with running_services(tmp_path, 2, COBALAMIN_STORE=database) as (one, two):
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
        connection.execute(text("CREATE TABLE of_tomorrow (card_key TEXT REFERENCES card (card_key))"))
    engine.dispose()
    with running_service(tmp_path, COBALAMIN_STORE=database) as port:
        (uuid,) = asked(port, "with a store of tomorrow")
        assert reported(port, uuid) == 503
        script("restore.sh", copy, database)
        assert reported(port, uuid) == 200
        until(opened, database, (1, 1))  # the card had waited
    assert "of_tomorrow" not in inspect(engine).get_table_names(), "the newer version would make it again, and could not"
    engine.dispose()


def test_a_copy_of_an_older_version_is_brought_up_to_date_again(database: str, opened: Opener, tmp_path: Path) -> None:
    engine = create_engine(database)

    def version() -> str:
        with engine.connect() as connection:
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())

    with engine.begin() as connection:  # as the first version left it
        scripts = Config(attributes={"connection": connection})
        scripts.set_main_option("script_location", str(Path(migrations.__file__).parent))
        command.upgrade(scripts, "0001")
    copy = script("backup.sh", database, str(tmp_path / "copies"))
    opened(database).migrate()
    newest = version()
    script("restore.sh", copy, database)
    assert version() == "0001" != newest
    opened(database).migrate()
    assert version() == newest
    engine.dispose()


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


def test_no_store_no_copy(database: str, tmp_path: Path) -> None:
    """Whether there is nothing, or something else, of which a copy would only look like one."""
    folder = tmp_path / "copies"
    if database.startswith("sqlite"):
        assert "is no store" in script("backup.sh", str(tmp_path / "none.db"), str(folder), fails=True)
        sqlite3.connect(tmp_path / "feedback.db").close()
        (tmp_path / "feedback.db").touch()
    assert "is no store" in script("backup.sh", database, str(folder), fails=True)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_copy_may_come_through_a_pipe(database: str, opened: Opener, tmp_path: Path) -> None:
    """As under compose, from outside into the container of the database."""
    opened(database).migrate()
    copy = Path(script("backup.sh", database, str(tmp_path)))
    script("restore.sh", "-", database, piped=copy.read_bytes())
    assert counts(opened, database) == (0, 0)
    assert script("restore.sh", "-", database, piped=copy.read_bytes()[:3000], fails=True)


def test_a_damaged_store_has_to_be_moved_away(tmp_path: Path, opened: Opener) -> None:
    store = tmp_path / "feedback.db"
    kept = opened(f"sqlite:///{store}")
    kept.migrate()
    kept.close()
    copy = script("backup.sh", str(store), str(tmp_path / "copies"))
    for damaged in (store.read_bytes()[:5000], b"no database at all"):
        store.write_bytes(damaged)
        assert "move what is there away" in script("restore.sh", copy, str(store), fails=True)
    store.unlink()
    script("restore.sh", copy, str(store))
    kept.check()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root restores for somebody else")
def test_what_root_restores_is_the_services_to_write(tmp_path: Path, opened: Opener) -> None:
    store, state = tmp_path / "feedback.db", tmp_path / "state"
    opened(f"sqlite:///{store}").migrate()
    state.mkdir()
    os.chown(state, 61_772, 61_773)
    script("restore.sh", script("backup.sh", str(store), str(tmp_path / "copies")), str(state / "feedback.db"))
    found = (state / "feedback.db").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (61_772, 61_773, 0o600)


def test_a_state_that_is_not_there_is_made_by_the_service(tmp_path: Path, opened: Opener) -> None:
    store = tmp_path / "feedback.db"
    opened(f"sqlite:///{store}").migrate()
    copy = script("backup.sh", str(store), str(tmp_path / "copies"))
    assert "start the service once" in script("restore.sh", copy, str(tmp_path / "state" / "feedback.db"), fails=True)
