"""The list of what an installation is made of, made of the one that runs the tests."""

from __future__ import annotations

import runpy
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from cyclonedx.model.bom import Bom

from tests.deploy.stage import DEPLOY


VENDOR = DEPLOY.parent / "hooks" / "workbench" / "static" / "vendor"


@pytest.fixture(scope="module")
def materials() -> SimpleNamespace:
    """The program, as a module."""
    return SimpleNamespace(**runpy.run_path(str(DEPLOY / "materials.py")))


@pytest.fixture(scope="module")
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


def test_what_is_shipped_for_browsers_is_listed_too(materials: SimpleNamespace, installed: Bom) -> None:
    known = yaml.safe_load((VENDOR / "vendor.yaml").read_text(encoding="utf-8"))
    assert set(known) == {path.name for path in VENDOR.rglob("*.js")}
    bom = materials.narrowed(installed, {}, materials.shipped(Path(sys.executable)))
    assert {str(part.purl) for part in bom.components} == {
        f"pkg:npm/{one['package'].replace('@', '%40')}@{one['version']}" for one in known.values()
    }
    assert {str(found.content) for part in bom.components for found in part.hashes} == {one["sha256"] for one in known.values()}
    (needs,) = (one for one in bom.dependencies if one.ref == bom.metadata.component.bom_ref)
    assert {inner.ref.value for inner in needs.dependencies} == {part.bom_ref.value for part in bom.components}
    rows = materials.licences(bom.components)
    assert all(f"| {one['package']} | {one['version']} | {one['license']} |  |" in rows for one in known.values())


def test_another_file_than_the_one_that_was_taken_over_is_no_release(materials: SimpleNamespace, tmp_path: Path) -> None:
    known = yaml.safe_load((VENDOR / "vendor.yaml").read_text(encoding="utf-8"))["d3.min.js"]
    (tmp_path / "d3.min.js").write_text("something else")
    with pytest.raises(SystemExit, match="not what was taken over"):
        materials.script(tmp_path / "d3.min.js", known)


def test_another_version_than_the_locked_one_is_no_release(materials: SimpleNamespace, installed: Bom) -> None:
    with pytest.raises(SystemExit, match="not what is locked: flask"):
        materials.narrowed(installed, {"flask": {"0.1", "0.2"}})
