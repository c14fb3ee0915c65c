"""What tests start from: databases, SQLite always and PostgreSQL where it is installed, and a clinic; each test has its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hooks.feedback.config import FeedbackConfig, store_url
from hooks.feedback.store import Store
from tests.hooks.clinic import SALT, Clinic


Opener = Callable[[str], Store]

_NUMBERS = count()


def programs() -> Path | None:
    """Where initdb is: on the path, or where Debian keeps it."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


@pytest.fixture(scope="session", name="postgresql")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server for this run, reached by a socket in a directory of its own. Its database is `postgres`."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    name = user.get("user") or pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if user:
        shutil.chown(folder, "postgres", "postgres")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **user}
    subprocess.run([str(found / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", name, "--no-sync"], **quiet)
    control = [str(found / "pg_ctl"), "-D", str(folder / "data"), "-w"]
    subprocess.run([*control, "-l", str(folder / "log"), "-o", options, "start"], **quiet)
    try:
        yield f"postgresql://{name}@/postgres?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind, as its URL."""
    if request.param == "sqlite":
        return store_url(str(tmp_path / "feedback.db"))
    server: str = request.getfixturevalue("postgresql")
    name = f"test{next(_NUMBERS)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return store_url(server.replace("/postgres?", f"/{name}?"))


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens stores, and closes them at the end."""
    stores = []

    def opener(url: str) -> Store:
        stores.append(Store(url))
        return stores[-1]

    yield opener
    for store in stores:
        store.close()


@pytest.fixture(name="clinic")
def clinic_of_its_own(tmp_path: Path) -> Iterator[Clinic]:
    """A clinic whose store is new."""
    clinic = Clinic(FeedbackConfig(str(tmp_path / "feedback.db"), SALT))
    yield clinic
    clinic.kept.recorder.close()
