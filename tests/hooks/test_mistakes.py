"""Every command ends with a sentence and a status where something is wrong, and with JSON where JSON was asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from hooks.cli import main
from hooks.examples import fixture


SERVERS = ("serve", "workbench")
"""What runs until it is stopped has nothing to print as JSON."""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = {" ".join(path): command for path, command in commands(main) if path[0] not in SERVERS}


def run(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=given)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "empty.json": b"",
        "binary.json": b"\x00\xff\xfe\x80",
        "array.json": b"[]",
        "cut.json": b'{"hook":',
        "patient.json": b'{"resourceType": "Patient", "name": [{"family": "Zqxvarro"}]}',
        "broken.yaml": b"a: [",
        "binary.yaml": b"\x80\x81",
        "list.yaml": b"- 1",
        "good.json": json.dumps(fixture("child").request).encode(),
    }.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_prints_json_and_says_as_json_what_is_wrong(name: str) -> None:
    (choice,) = (option.type for option in COMMANDS[name].params if "--format" in option.opts)
    assert isinstance(choice, click.Choice)
    assert "json" in choice.choices
    for asked in (("--format", "json"), ("--format=json",)):
        result = run(*name.split(), "--no-such-option", *asked)
        assert result.exit_code == 2
        assert "No such option" in result.stderr
        told = json.loads(result.stdout)
        assert told["exit_status"] == 2
        assert "No such option" in told["error"]
    assert run(*name.split(), "--no-such-option").stdout == ""


FILES = ("nowhere.json", "folder", "empty.json", "binary.json", "array.json", "cut.json", "patient.json")
POLICIES = ("nowhere.yaml", "folder", "broken.yaml", "binary.yaml", "list.yaml")
NOBODY = "http://127.0.0.1:1"
WRONG = [
    *((command, file) for file in FILES for command in ("evaluate", "explain", "doctor", "lint")),
    *(("replay", file, "--against", "default") for file in FILES),
    *(("fire", NOBODY, file) for file in FILES),
    *(("make-request", file) for file in FILES if file != "patient.json"),
    *(("fire", NOBODY, "good.json", "--key", file, "--issuer", "x") for file in FILES),
    *(("fire", NOBODY, "good.json", "--fhir-token-file", file, "--fhir-server", NOBODY) for file in FILES),
    *(("auth", "explain", file, "--endpoint", "https://x.example") for file in FILES),
    *((*command, file) for file in POLICIES for command in (("policy", "check"), ("policy", "diff"), ("config", "check"))),
    *(("policy", "try", file, "good.json") for file in POLICIES),
    *(("config", "show", file) for file in POLICIES),
    *(("site-sheet", file) for file in POLICIES),
    *(("evaluate", "good.json", option, file) for file in POLICIES for option in ("--site", "--client")),
    *(("rulebook", "--site", file) for file in POLICIES),
    *(("auth", "explain", "good.json", "--endpoint", "https://x.example", "--client", file) for file in POLICIES),
    *(("record", NOBODY, "out", "--site", file) for file in POLICIES),
    ("rulebook", "--output", "nowhere/rulebook.html"),
    ("replay", "good.json", "--save", "nowhere/saved.json"),
    ("replay", "good.json", "--save", "good.json"),
    ("feedback", "report", "--store", "nowhere.db"),
    ("feedback", "purge", "--store", "nowhere.db"),
    ("feedback", "migrate", "--store", "nowhere/x.db"),
    ("audit", "export", "nowhere.jsonl"),
    ("demo", "nobody"),
    ("fixture", "show", "nobody"),
    *((command, NOBODY, *more) for command, more in (("fire", ["good.json"]), ("lint", []))),
    *(("fire", f"http://127.0.0.1:{port}", "good.json") for port in (0, 99_999)),
    ("fire", "http://name:Zqxvarro@127.0.0.1:1", "good.json"),
    ("fire", "http://127.0.0.1:1/?token=Zqxvarro", "good.json"),
    ("fire", NOBODY, "good.json", "--fhir-server", "http://name:Zqxvarro@127.0.0.1:1"),
    ("doctor", "--url", "http://127.0.0.1:1/?token=Zqxvarro"),
    ("record", "http://127.0.0.1:1/?token=Zqxvarro", "out"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_what_is_wrong_is_a_sentence_and_a_status(arguments: tuple[str, ...]) -> None:
    result = run(*arguments, "--format", "json")
    assert result.exit_code in (1, 2, 3), result.output
    assert "The fault is ours" not in result.output
    assert "Zqxvarro" not in result.output
    told = json.loads(result.stdout)
    if "resourceType" in told:  # what the service would answer
        assert "The service would answer 400:" in result.stderr
    elif result.exit_code > 1:
        assert told == {"error": told["error"], "exit_status": 2}
        assert "Error: " in result.stderr


def printed(*arguments: str, status: int = 0) -> Any:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def test_what_commands_print_for_people_is_there_for_tools_as_well() -> None:
    listed = printed("fixture", "list")
    assert {"name": "child", "hook": "patient-view", "title": fixture("child").title} in listed
    told = printed("demo", "pregnant")
    assert (told["fixture"], told["status"], told["decision"]["scope"]) == ("pregnant", 200, "refer_only")
    assert told["cards"]
    explained = printed("explain", "good.json")
    assert explained["decision"]["scope"] == "excluded"
    assert explained["why"] == {}
    assert {silence["reason"] for silence in explained["why_not"]} == {"scope"}
    assert printed("config", "example")["server"]["port"] == 8080
    assert printed("make-request", "good.json")["context"]["patientId"] == fixture("child").request["context"]["patientId"]
    assert printed("fixture", "show", "child")["hook"] == "patient-view"
    book = printed("rulebook", "--language", "zh-CN")
    assert (book["language"], book["rules"][0]["signed"]["title"].keys()) == ("zh-CN", {"en", "zh-CN"})
    assert book["numbers"]


def test_the_trace_of_what_is_held_back_is_explained_as_well() -> None:
    request = json.dumps(fixture("neurological-red-flag").request)
    told = json.loads(run("explain", "-", "--format", "json", given=request).stdout)
    (first, *_) = told["decision"]["advice"]
    assert told["why"][first["rule"]]["inputs"]
    Path("one.yaml").write_text("site: One\nmax_cards: 1\n", encoding="utf-8")
    few = json.loads(run("explain", "-", "--format", "json", "--site", "one.yaml", given=request).stdout)
    assert set(few["why"]) == set(told["why"]) | {named.partition("/")[0] for named in few["decision"]["held_back"]}


def test_a_token_is_judged_for_tools_as_well(tmp_path: Path) -> None:
    told = printed("auth", "explain", "binary.json", "--endpoint", "https://x.example", status=1)
    assert told["believed"] is False
    assert told["checks"][0]["name"] == "form"


def test_a_configuration_that_does_not_fit_is_json_as_well() -> None:
    told = printed("config", "show", "list.yaml", status=1)
    assert (told["fits"], told["faults"][0]["file"]) == (False, "list.yaml")


def test_what_breaks_is_our_fault_and_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("of Zqxvarro")

    monkeypatch.setattr("hooks.cli.load", broken)
    result = run("evaluate", "good.json", "--format", "json")
    assert result.exit_code == 70
    assert "The fault is ours: ValueError at " in result.stderr
    assert "test_mistakes.py:" in json.loads(result.stdout)["error"]
    assert "Zqxvarro" not in result.output


@pytest.mark.parametrize(("wish", "coloured"), [("", True), ("1", False)])
def test_who_wants_no_colour_gets_none(wish: str, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", wish)
    shown = CliRunner().invoke(main, ["policy", "check", "list.yaml"], color=True).stdout
    assert ("\x1b[31m" in shown) is coloured


def test_what_is_interrupted_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hooks.cli.load", interrupted)
    result = run("evaluate", "good.json", "--format", "json")
    assert result.exit_code == 130
    assert json.loads(result.stdout) == {"error": "Interrupted.", "exit_status": 130}


def test_help_and_what_goes_well_end_with_0() -> None:
    assert run("--help").exit_code == 0
    assert run("fire", "--help").exit_code == 0
    assert run("fixture", "list").exit_code == 0
    assert main.main(["fixture", "list"], standalone_mode=False) is None


@pytest.mark.parametrize("command", [("rulebook",), ("lint", "good.json"), ("fixture", "show", "child"), ("config", "example")])
def test_who_reads_the_first_line_only_sees_no_traceback(command: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hooks", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == ""
