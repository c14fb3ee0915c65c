"""The store, on both databases: tables, pseudonyms, repeats, age, troubles (FB-10 to FB-13, FB-21)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Timer

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec.structs import replace
from sqlalchemy import select, text

from hooks.feedback.config import FeedbackConfig, store_url
from hooks.feedback.entries import Event, Firing, Keys
from hooks.feedback.store import Store, StoreError
from hooks.feedback.tables import CARD, FEEDBACK, METADATA
from tests.hooks.cards import AT, event, firing
from tests.hooks.conftest import Opener


def stored(store: Store) -> tuple[int, int]:
    """How many cards and events there are."""
    with store.reading() as connection:
        cards, events = connection.execute(select(CARD)).all(), connection.execute(select(FEEDBACK)).all()
    return len(cards), len(events)


def test_the_migrations_make_the_tables_that_the_software_knows(database: str, opened: Opener) -> None:
    store = opened(database)
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    store.close()


def test_many_processes_may_migrate_at_once(database: str, opened: Opener) -> None:
    command = [sys.executable, "-c", f"from hooks.feedback.store import Store; Store({database!r}).migrate()"]
    started = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in started] == [0] * 4
    assert stored(opened(database)) == (0, 0)


def test_migrating_again_changes_nothing_and_keeps_what_is_there(database: str, opened: Opener) -> None:
    first = opened(database)
    first.add([firing()])
    first.migrate()
    first.close()
    second = opened(database)
    second.migrate()
    assert stored(second) == (1, 0)


def test_a_store_of_newer_software_is_left_alone(database: str, opened: Opener) -> None:
    store = opened(database)
    store.add([firing()])
    with store.reading() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        opened(database).add([event()])


def test_FB_11_nothing_is_stored_twice(database: str, opened: Opener) -> None:
    store = opened(database)
    for _ in range(2):
        store.add([firing(), firing("other")])
        store.add([event(), event("later")])
    store.add([])
    assert stored(store) == (2, 2)


def test_moments_come_back_in_UTC(database: str, opened: Opener) -> None:
    store = opened(database)
    there = AT.astimezone(timezone(timedelta(hours=14)))
    store.add([replace(firing(), shown_at=there)])
    with store.reading() as connection:
        assert connection.execute(select(CARD.c.shown_at)).scalar_one() == AT
        assert connection.execute(text("SELECT shown_at FROM card")).scalar_one() in (
            str(AT)[:-6] + ".000000",
            AT.replace(tzinfo=None),
        )


def test_text_of_all_kinds_is_kept(database: str, opened: Opener) -> None:
    store = opened(database)
    store.add([replace(event(), comment="维生素B12 %s 'quoted' \u202e 😀", reason_code="x" * 4000)])
    with store.reading() as connection:
        assert connection.execute(select(FEEDBACK.c.comment)).scalar_one() == "维生素B12 %s 'quoted' \u202e 😀"


def test_a_purge_deletes_old_cards_with_what_was_said_of_them(database: str, opened: Opener) -> None:
    store, day = opened(database), timedelta(days=1)
    late = AT + 9 * day
    store.add([firing("old"), replace(firing("new"), shown_at=late)])
    store.add(
        [
            replace(event("on the old card", "old"), received_at=late),
            replace(event("on the new card", "new"), received_at=late),
            event("unmatched, old", "nobody"),
            replace(event("unmatched, new", "nobody"), received_at=late),
        ]
    )
    assert store.purge(AT + day) == (1, 2)
    assert stored(store) == (1, 2)
    assert store.purge(AT + day) == (0, 0)


def test_what_was_purged_is_gone_from_the_file(tmp_path: Path, opened: Opener) -> None:
    file = tmp_path / "feedback.db"
    store = opened(store_url(str(file)))
    store.add([replace(event(f"{place}"), comment=f"marker-in-a-comment-{place}") for place in range(200)])
    assert any(b"marker-in-a-comment" in path.read_bytes() for path in tmp_path.iterdir())
    assert store.purge(AT + timedelta(days=1)).events == 200
    assert not any(b"marker-in-a-comment" in path.read_bytes() for path in tmp_path.iterdir())


def test_readers_and_writers_do_not_wait_for_each_other(database: str, opened: Opener) -> None:
    store, other = opened(database), opened(database)
    store.add([firing()])
    with store.reading() as connection:
        before = connection.execute(select(CARD)).all()
        other.add([firing("other")])
        assert connection.execute(select(CARD)).all() == before
    assert stored(store) == (2, 0)


def test_FB_21_a_store_that_is_away_says_so_and_comes_back(tmp_path: Path, opened: Opener) -> None:
    folder = tmp_path / "mounted"
    store = opened(store_url(str(folder / "feedback.db")))
    with pytest.raises(StoreError, match="unable to open") as raised:
        store.add([firing()])
    assert raised.value.kind == "OperationalError"
    folder.mkdir()
    store.add([firing()])
    assert stored(store) == (1, 0)


def test_FB_21_a_server_that_is_away_says_so_and_names_no_password(tmp_path: Path, opened: Opener) -> None:
    store = opened(store_url(f"postgresql://user:secret-word@/none?host={tmp_path}"))
    with pytest.raises(StoreError) as raised:
        store.add([firing()])
    assert "secret-word" not in str(raised.value)


def test_a_locked_store_is_not_waited_for_long(tmp_path: Path, opened: Opener) -> None:
    store = opened(store_url(str(tmp_path / "feedback.db")))
    store.add([firing()])
    with sqlite3.connect(tmp_path / "feedback.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.add([event()])
        other.execute("ROLLBACK")
    other.close()
    store.add([event()])
    assert stored(store) == (1, 1)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch, opened: Opener) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match="psycopg"):
        opened(store_url("postgresql://cds@db/feedback"))


def test_a_new_file_that_somebody_is_writing_is_waited_for(
    tmp_path: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "feedback.db"
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE others (x)")
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("hooks.feedback.store._PATIENCE_S", 0)
    with pytest.raises(StoreError, match="locked"):
        opened(store_url(str(file))).migrate()
    monkeypatch.setattr("hooks.feedback.store._PATIENCE_S", 20)
    Timer(0.2, lambda: other.execute("ROLLBACK")).start()
    opened(store_url(str(file))).migrate()
    other.close()


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ("feedback.db", "sqlite:///feedback.db"),
        ("/var/lib/feedback.db", "sqlite:////var/lib/feedback.db"),
        ("sqlite:///feedback.db", "sqlite:///feedback.db"),
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_a_store_is_named_by_a_file_or_a_URL(named: str, url: str) -> None:
    assert store_url(named) == url


@pytest.mark.parametrize("named", ["mysql://u@h/d", "sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql+pg8000://h/d"])
def test_other_stores_are_refused(named: str) -> None:
    with pytest.raises(ValueError, match="a store is"):
        store_url(named)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"salt": "short"}, "at least 16"),
        ({"retention_days": 0}, "a day at least"),
        ({"store": "postgresql://u@h/d"}, "name a spool"),
        ({"store": "mysql://u@h/d"}, "a store is"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FeedbackConfig(**{"store": "feedback.db", "salt": "s" * 16, **settings})  # type: ignore[arg-type]  # that is the point


def test_a_configuration_does_not_print_its_secrets(tmp_path: Path) -> None:
    config = FeedbackConfig("postgresql://user:secret-word@h/d", "secret-salt-of-ours", tmp_path)
    assert "secret" not in repr(config)
    assert config.folder == tmp_path
    assert FeedbackConfig("/data/f.db", "s" * 16).folder == Path("/data/f.db.spool")


def test_pseudonyms_need_the_salt_and_do_not_run_into_each_other() -> None:
    one, other = Keys("s" * 16), Keys("t" * 16)
    assert one.key("patient", "p1") == one.key("patient", "p1")
    keys = [one.key("patient", "p1"), other.key("patient", "p1"), one.key("user", "p1"), one.key("patient", "p", "1")]
    assert len(set(keys)) == len(keys)
    assert one.key("patient", "\ud800")


def test_entries_are_what_the_tables_hold() -> None:
    assert list(Firing.__struct_fields__) == [column.name for column in CARD.columns][1:]
    assert list(Event.__struct_fields__) == [column.name for column in FEEDBACK.columns][1:]
    assert AT.tzinfo is UTC
    assert isinstance(AT, datetime)
