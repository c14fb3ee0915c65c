"""What the documents say is done here: commands run, examples compared, links followed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click import Command, Context, Group
from click.testing import CliRunner

from hooks.app import create_app
from hooks.cli import main
from tests.hooks.servers import served
from tests.patients import engine


ROOT = Path(__file__).parent.parent
WORKED = ROOT / "docs" / "extending.md"
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
BLOCK = re.compile(r"(?:^`([^`\n]+)`:\n\n)?^```([\w-]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A block, and the name of the file that it is, where that stands above it."""
JSON = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
HERE = "http://127.0.0.1:8080"
FINDING = ("doctor", "policy", "replay")
"""Commands that end with 1 where there is something to complain of, as there is in some examples."""


def blocks(document: Path) -> list[tuple[str, str, str]]:
    """Name of the file, language and content of each block, in order."""
    return BLOCK.findall(document.read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_table_loses_a_cell(document: Path) -> None:
    """A bar within a cell that is not escaped would end it, and what comes behind the last column is dropped."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()]
        assert len(set(rows)) == 1, table.splitlines()[0]


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if path != WORKED], ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_do_what_they_say(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written, commands run, and what is shown below a command is what it prints; "..." stands for anything."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "cds" / "sites" / "china.yaml", tmp_path)  # the policy that examples speak of
    for name, language, content in blocks(document):
        if name:
            Path(name).write_text(content, encoding="utf-8")
        elif language == "sh":
            for line in content.splitlines():
                run(line.partition(" #")[0].strip(), document)
        elif language == "shell-session":
            for command, shown in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", content, re.MULTILINE):
                assert_shows(run(command, document, (0, 1, 2, 3)), shown)


def assert_shows(printed: str, shown: str) -> None:
    """What is shown stands in what is printed, in this order; how lines are filled does not matter."""
    rest = " ".join(printed.split())
    for part in (" ".join(part.split()) for part in shown.split("...") if part.strip()):
        before, found, rest = rest.partition(part)
        assert found, f"{part!r} is not in {before!r}"


def run(line: str, document: Path, statuses: Sequence[int] = (0,)) -> str:
    """What the commands of a line print, each reading what the one before printed; what they may end with."""
    command, _, target = line.partition(" > ")
    printed = ""
    for words in map(shlex.split, command.split(" | ")):
        printed = run_one(words, printed, document, statuses)
    if target:
        Path(target.strip()).write_text(printed, encoding="utf-8")
    return printed


def run_one(words: list[str], given: str, document: Path, statuses: Sequence[int]) -> str:
    match words:
        case []:
            return ""
        case ["curl", *options]:
            return fetched(options, given)
        case ["python", script] if Path(script).exists():
            return subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout
        case ["cobalamin", ("serve" | "record" | "workbench") as name, *options]:
            command = main.get_command(Context(main), name)
            assert command is not None
            command.make_context(name, options)
            return ""
        case ["cobalamin", name, *_]:
            with served(create_app()) if HERE in words else nullcontext(HERE) as base:
                result = CliRunner().invoke(main, [base if word == HERE else word for word in words[1:]], input=given)
            assert result.exit_code in ((0, 1) if name in FINDING else statuses), (words, result.output)
            return result.stdout if result.exit_code == 0 else result.output
    assert is_for_contributors(words), f"{document.name}: nobody runs {words!r}"
    return ""


def is_for_contributors(words: list[str]) -> bool:
    """Is it a command that takes long, or that other tests or `.ci/run` run, with what it needs?"""
    match [word for word in words if not re.fullmatch(r"[A-Z_]+=\w+", word)]:
        case ["python3", "-m", "venv", *_]:
            return True
        case ["python", "-m", module, *_]:
            ours = ROOT / module.replace(".", "/")
            return ours.is_dir() or ours.with_suffix(".py").is_file() or find_spec(module) is not None
        case ["pytest", *arguments]:
            return all((ROOT / argument).exists() for argument in arguments if argument.endswith(".py"))
        case ["sphinx-build", *arguments]:
            return "docs" in arguments
    return False


def fetched(options: list[str], given: str) -> str:
    """What a service answers that runs with every default."""
    (url,) = (option for option in options if option.startswith(HERE))
    client = create_app().test_client()
    if "-d" in options:
        body = options[options.index("-d") + 1]
        content = given if body == "@-" else Path(body.removeprefix("@")).read_text(encoding="utf-8")
        answer = client.post(url.removeprefix(HERE), data=content, content_type="application/json")
    else:
        answer = client.get(url.removeprefix(HERE))
    assert answer.status_code == 200, (url, answer.text)
    return answer.text


HELP = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
OF_HELP = [line for line in re.findall(r"^cobalamin .+$", HELP, re.MULTILINE) if "[OPTIONS]" not in line]


@pytest.mark.parametrize("line", OF_HELP)
def test_examples_of_the_help_can_be_typed(line: str) -> None:
    """Commands and options are there, and as many arguments as are taken; the files they speak of are the reader's."""
    command: Command | None = main
    _, *words = shlex.split(re.split(r" [|>] ", line)[0])
    while isinstance(command, Group):
        name, *words = words
        command = command.get_command(Context(command), name)
    assert command is not None
    assert command.make_parser(Context(command)).parse_args(words)[1] == []


def test_every_command_shows_an_example() -> None:
    sections = re.split(r"^###? (cobalamin .+)$", HELP, flags=re.MULTILINE)[1:]
    for title, text in zip(sections[::2], sections[1::2], strict=True):
        assert text.count("```text") != 1, f"{title} shows its usage alone"


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
