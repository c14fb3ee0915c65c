"""The page on how to add something is followed step by step, in a copy of the project."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.test_docs import ROOT, WORKED, blocks


COPIED = ("cds", "docs", "fixtures", "hooks", "tests", "setup.cfg", "README.md", "CHANGELOG.md")
PACKAGES = {"cobalamin_fixtures": "fixtures", "cobalamin_vignettes": "tests/vignettes"}
"""Installed under other names than they have in the project; the copy must not find those of the project."""
PROGRAMS = {"python": [], "pytest": ["-m", "pytest"], "cobalamin": ["-m", "hooks"]}


def test_every_worked_example_works(tmp_path: Path) -> None:
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for name, folder in PACKAGES.items():
        (tmp_path / name).symlink_to(tmp_path / folder)
    for name, language, content in blocks(WORKED):
        if name:
            (tmp_path / name).write_text(content, encoding="utf-8")
        elif language == "diff":
            change(tmp_path, content)
        elif language == "sh":
            for line in content.splitlines():
                follow(tmp_path, line)
        else:
            shown, text = (
                content.strip(),
                "".join(path.read_text(encoding="utf-8") for path in (ROOT / "cds").rglob(f"*.{language}")),
            )
            assert shown in text, "what is only shown stands in the project"


def change(house: Path, difference: str) -> None:
    """Take lines with a minus out and put lines with a plus in, where they stand."""
    head, *lines = difference.splitlines(keepends=True)
    path = house / head.removeprefix("--- ").strip()
    before, after = ("".join(line[1:] for line in lines if line[0] in kind) for kind in (" -", " +"))
    content = path.read_text(encoding="utf-8")
    assert content.count(before) == 1, (path.name, before)
    path.write_text(content.replace(before, after), encoding="utf-8")


def follow(house: Path, line: str) -> None:
    """Run a command of the page in the copy."""
    program, *arguments = shlex.split(line)
    command = [sys.executable, *PROGRAMS[program], *arguments]
    environment = {**os.environ, "PYTHONPATH": str(house), "PYTEST_ADDOPTS": "-n 0"}
    ran = subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, (line, ran.stdout[-3000:], ran.stderr)
