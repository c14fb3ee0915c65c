"""The laws of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import fields

from cds.content import Library
from cds.decide import REPORTED, Decider
from cds.facts.regimen import RowName
from cds.knowledge import Topic
from cds.leaves import GIVEN
from cds.library import read_yaml
from hooks.services import SERVICES
from hooks.wire import Received, Sent


ROOT = Path(__file__).parent.parent
CDS = sorted((ROOT / "cds").rglob("*.py"))
HOOKS = sorted((ROOT / "hooks").rglob("*.py"))
RULES = sorted(path for path in (ROOT / "cds" / "rules").glob("*.py") if path.stem != "__init__")


def test_every_rule_has_its_words_and_its_vignettes() -> None:
    for path in RULES:
        assert path.with_suffix(".yaml").exists()
        assert (ROOT / "tests" / "vignettes" / f"{path.stem}.yaml").exists()


def test_words_stand_beside_the_module_that_uses_them(library: Library) -> None:
    for path in RULES:
        functions = {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}
        assert read_yaml(path.with_suffix(".yaml"), Topic).rules.keys() <= functions


@pytest.mark.parametrize("path", CDS, ids=lambda path: path.name)
def test_medicine_asks_no_clock_no_environment_and_opens_no_file(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\.(today|now|utcnow)\(|os\.environ|getenv", source)
    if path.name != "library.py":
        assert not re.search(r"\bopen\(|read_text|read_bytes", source)


@pytest.mark.parametrize("path", [*CDS, *HOOKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_opens_with_one_sentence_and_is_no_novel(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or ""
    assert re.match(r"[^\n]+[.?!]($|\n)", docstring), "what lives here?"
    assert len(source.splitlines()) <= 260


@pytest.mark.parametrize("path", [*CDS, *HOOKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_raised_is_made_there(path: Path) -> None:
    """An exception that is kept keeps the frames of everybody it was raised for, and their requests."""
    raised = [node.exc for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Raise)]
    assert not [error.id for error in raised if isinstance(error, ast.Name) and error.id.isupper()]


def test_every_fact_is_used_and_every_rule_is_in_service(library: Library) -> None:
    rules = {rule for service in SERVICES for rule in service.rules}
    assert rules == set(library.rules)
    planned = {step.name for _, step in library.graph.plan((*rules, *REPORTED))}
    assert {step.name for step in library.graph.steps} == planned


def test_a_service_of_one_rule_can_be_built(library: Library) -> None:
    assert Decider(library, ["referral"]).rules == ("referral",)


def test_what_every_chart_has_is_said(library: Library) -> None:
    assert all(words.given.keys() == GIVEN.keys() for words in library.words.values())


def test_every_regimen_row_has_words(library: Library) -> None:
    assert set(library.labels["regimen_row"]) == set(get_args(RowName))


def test_requests_keep_what_they_brought_and_responses_invent_nothing() -> None:
    for received in Received.__subclasses__():
        assert received.model_config["extra"] == "allow"
    for sent in Sent.__subclasses__():
        for field in fields(sent):
            assert field.required or field.default is None, f"{sent.__name__}.{field.name} would be filled in"
            assert sent.__struct_config__.forbid_unknown_fields
            assert sent.__struct_config__.omit_defaults
