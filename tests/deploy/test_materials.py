"""The list of what an installation is made of, made of the one that runs the tests."""

from __future__ import annotations

import runpy
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from cyclonedx.model.bom import Bom

from tests.deploy.stage import DEPLOY


@pytest.fixture(scope="module")
def materials() -> SimpleNamespace:
    """The program, as a module."""
    return SimpleNamespace(**runpy.run_path(str(DEPLOY / "materials.py")))


@pytest.fixture
def installed(materials: SimpleNamespace) -> Bom:
    """What is installed here."""
    bom: Bom = materials.described(Path(sys.executable))
    return bom


def test_what_is_locked_is_listed_with_its_licence(materials: SimpleNamespace, installed: Bom, tmp_path: Path) -> None:
    names = {"Flask", "fhir.resources", "psycopg", "SQLAlchemy"}
    lock = tmp_path / "lock"
    entries = [f"{name}=={version(name)} \\\n    --hash=sha256:0\n" for name in names]
    entries.append("flask==99.0 ; python_full_version >= '99' \\\n    --hash=sha256:0\n")
    lock.write_text("".join(entries), encoding="utf-8")
    bom = materials.narrowed(installed, materials.locked(lock))
    assert bom.metadata.component.name == "cobalamin-cds"
    assert {str(part.purl) for part in bom.components} == {f"pkg:pypi/{name.lower()}@{version(name)}" for name in names}
    (needs,) = (one for one in bom.dependencies if one.ref == bom.metadata.component.bom_ref)
    assert needs.dependencies
    lines = materials.licences(bom.components).splitlines()
    assert next(line for line in lines if line.startswith("| psycopg ")).endswith("| LGPL-3.0-only | look at its terms |")
    assert "not stated" not in "".join(lines)


def test_another_version_than_the_locked_one_is_no_release(materials: SimpleNamespace, installed: Bom) -> None:
    with pytest.raises(SystemExit, match="not what is locked: flask"):
        materials.narrowed(installed, {"flask": {"0.1", "0.2"}})
