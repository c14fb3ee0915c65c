"""The bundle and its installation as far as they need no package index: a Python stands in that makes empty installations."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.deploy.stage import DEPLOY
from tests.deploy.steps import ROOT


_PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ]
mkdir -p "$3/bin"
printf '#!/bin/sh\\nexit "${PYTHONPATH:+3}${FAILING:-0}"\\n' >"$3/bin/pip"
printf '#!/bin/sh\\necho "cobalamin of %s"\\n' "$3" >"$3/bin/cobalamin"
chmod +x "$3/bin/pip" "$3/bin/cobalamin"
"""


@pytest.fixture(name="python")
def stand_in(tmp_path: Path) -> Path:
    """A Python whose installations are empty."""
    python = tmp_path / "python"
    python.write_text(_PYTHON)
    python.chmod(0o755)
    return python


def run(python: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a script does with that Python."""
    environment = {**os.environ, "PYTHON": str(python), **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def bundle(folder: Path, version: str) -> Path:
    """What wheelhouse.sh packs of a version, unpacked and without its packages."""
    place = folder / f"cobalamin-cds-{version}"
    shutil.copytree(DEPLOY, place / "deploy")
    shutil.copy(DEPLOY / "install.sh", place)
    wheel = place / f"cobalamin_cds-{version}-py3-none-any.whl"
    wheel.touch()
    (place / "SHA256SUMS").write_text(f"{sha256(b'').hexdigest()}  {wheel.name}\n")
    return place


def test_an_upgrade_lies_beside_what_runs_until_somebody_turns_to_it(python: Path, tmp_path: Path) -> None:
    opt = tmp_path / "opt"
    opt.mkdir()
    for version in ("1.0", "1.1"):
        installed = run(python, str(bundle(tmp_path, version) / "install.sh"), str(opt))
        assert installed.returncode == 0, installed.stderr
        assert (opt / "cobalamin").resolve().name == "cobalamin-1.0"
    assert f"ln -sfn {opt}/cobalamin-1.1 {opt}/cobalamin" in installed.stderr
    assert (opt / "cobalamin-1.1" / "deploy" / "backup.sh").exists()


def test_an_installation_that_failed_leaves_nothing(python: Path, tmp_path: Path) -> None:
    place = bundle(tmp_path, "1.0")
    assert run(python, str(place / "install.sh"), str(tmp_path), FAILING="1").returncode != 0
    assert not (tmp_path / "cobalamin-1.0").exists()
    assert run(python, str(place / "install.sh"), str(tmp_path)).returncode == 0


def test_what_happens_to_lie_on_the_path_of_python_is_not_taken_for_installed(python: Path, tmp_path: Path) -> None:
    installed = run(python, str(bundle(tmp_path, "1.0") / "install.sh"), str(tmp_path), PYTHONPATH=str(ROOT))
    assert installed.returncode == 0, installed.stderr


def test_a_changed_bundle_is_not_installed(python: Path, tmp_path: Path) -> None:
    place = bundle(tmp_path, "1.0")
    next(place.glob("*.whl")).write_text("something else")
    assert "WARNING" in run(python, str(place / "install.sh"), str(tmp_path)).stderr
    assert not (tmp_path / "cobalamin-1.0").exists()


def test_no_secret_is_packed(python: Path, tmp_path: Path) -> None:
    for name in ("cds", "hooks", "fixtures", "tests/vignettes"):
        (tmp_path / "project" / name).mkdir(parents=True)
    for name in ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "cds/__init__.py", "docs/deployment.md"):
        (tmp_path / "project" / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "project" / name)
    shutil.copytree(DEPLOY, tmp_path / "project" / "deploy")
    (tmp_path / "project" / "deploy" / ".env").write_text("COBALAMIN_SALT=secret-word")
    packed = run(python, str(tmp_path / "project" / "deploy" / "wheelhouse.sh"), str(tmp_path / "out"))
    assert packed.returncode == 0, packed.stderr
    (archive,) = (tmp_path / "out").iterdir()
    with tarfile.open(archive) as opened:
        names = [Path(name).name for name in opened.getnames()]
    assert "install.sh" in names
    assert [name for name in names if name.startswith(".")] == []
