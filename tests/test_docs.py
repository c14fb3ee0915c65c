"""What the documents say is done here: commands run, examples compared, links followed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click import Context
from click.testing import CliRunner

from hooks.app import create_app
from hooks.cli import main
from tests.hooks.servers import served
from tests.patients import engine


ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LOCAL = "http://127.0.0.1:8080"
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
JSON = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(document: Path) -> list[str]:
    blocks = SHELL.findall(document.read_text(encoding="utf-8"))
    return [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines() if line]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_run(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "cds" / "sites" / "china.yaml", tmp_path)  # the policy that examples speak of
    for command in commands(document):
        run(command, document)


def run(command: str, document: Path) -> None:
    words = shlex.split(command)
    if words[0] == "curl":
        assert create_app().test_client().get(words[1].removeprefix("http://127.0.0.1:8080")).status_code == 200, command
        return
    if words[0] != "cobalamin":
        assert command.startswith("python3 -m venv"), f"{document.name}: nobody runs {command!r}"  # .ci/run does
        return
    if words[1] in ("serve", "record", "workbench"):
        command_named = main.get_command(Context(main), words[1])
        assert command_named is not None
        command_named.make_context(words[1], words[2:])
        return
    words, target = (words[:-2], words[-1]) if ">" in words else (words, None)
    with served(create_app()) if LOCAL in words else nullcontext(LOCAL) as base:
        result = CliRunner().invoke(main, [base if word == LOCAL else word for word in words[1:]])
    assert result.exit_code in ((0, 1) if words[1] in ("doctor", "policy", "replay") else (0,)), (command, result.output)
    if target is not None:
        Path(target).write_text(result.stdout, encoding="utf-8")


def test_the_decision_is_printed_as_documented() -> None:
    (example,) = JSON.findall((ROOT / "docs" / "decision-json.md").read_text(encoding="utf-8"))
    shown = CliRunner().invoke(main, ["fixture", "show", "food-bound-deficiency", "--as-written"]).stdout
    printed = json.loads(CliRunner().invoke(main, ["evaluate", "-", "--format", "json"], input=shown).stdout)
    assert_within(json.loads(example), printed)


def assert_within(part: Any, whole: Any) -> None:
    """Every member of the example stands in what is printed."""
    if isinstance(part, dict):
        for name, value in part.items():
            assert_within(value, whole[name])
    else:
        assert part == whole


@pytest.mark.parametrize("fact", ["scope", "b12_status", "absorption"])
def test_every_word_of_the_contract_is_documented(fact: str) -> None:
    text = (ROOT / "docs" / "decision-json.md").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith(f"| `{fact}`"))
    assert set(engine().library.labels[fact]) <= set(re.findall(r"`(\w+)`", line))


def test_one_command_passes_the_tests_here_and_in_ci() -> None:
    pattern = re.search(r"grep -E '(.+?)' README\.md", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert pattern is not None
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if re.search(pattern[1], line)]) == 1
