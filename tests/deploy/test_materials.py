"""The list of what an installation is made of, made of the one that runs the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from packaging.utils import canonicalize_name

from tests.deploy.stage import DEPLOY


def test_what_is_locked_is_listed_with_its_licence(tmp_path: Path) -> None:
    names = {"Flask", "fhir.resources", "psycopg", "SQLAlchemy"}
    lock = tmp_path / "lock"
    lock.write_text("".join(f"{name}=={version(name)} \\\n    --hash=sha256:0\n" for name in names), encoding="utf-8")
    listed(tmp_path, lock)
    bom = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert (bom["bomFormat"], bom["specVersion"], bom["metadata"]["component"]["name"]) == ("CycloneDX", "1.6", "cobalamin-cds")
    assert {part["name"] for part in bom["components"]} == names
    assert all(part["purl"].startswith(f"pkg:pypi/{canonicalize_name(part['name'])}@") for part in bom["components"])
    lines = (tmp_path / "licences.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| psycopg ")][0].endswith("| LGPL-3.0-only | look at its terms |")
    assert "not stated" not in "".join(lines)


def test_another_version_than_the_locked_one_is_no_release(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("flask==0.1 --hash=sha256:0\n", encoding="utf-8")
    assert "not what is locked: flask" in listed(tmp_path, lock, fails=True)
    assert not (tmp_path / "sbom.json").exists()


def listed(folder: Path, lock: Path, fails: bool = False) -> str:
    command = [sys.executable, str(DEPLOY / "materials.py"), sys.executable, str(folder), "--lock", str(lock)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode != 0) is fails, run.stderr
    return run.stderr
