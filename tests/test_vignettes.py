"""The specification a clinician can read: every vignette through the whole path, every row of the decision tables covered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hooks.engine import Evaluation
from hooks.report import report
from tests.patients import engine, evaluate, value_sets


HERE = Path(__file__).parent
TABLES = HERE.parent / "docs" / "decision-tables.md"
VIGNETTES: list[dict[str, Any]] = [
    {"file": path.stem, **vignette}
    for path in sorted((HERE / "vignettes").glob("*.yaml"))
    for vignette in yaml.safe_load(path.read_text(encoding="utf-8"))
]
EXPECTABLE = {
    "scope",
    "status",
    "absorption",
    "action",
    "first",
    "acceptable",
    "dose",
    "form",
    "enteral",
    "parenteral",
    "indicator",
    "advice",
    "notes",
    "could_not_assess",
    "data_quality",
    "refused",
    "tests",
    "changes",
    "facts",
    "items",
}


def outcome(vignette: dict[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    """Of all that may be expected, what this vignette expects, as it came out."""
    decision, regimen = report(evaluation)["decision"], report(evaluation)["decision"]["regimen"]
    got: dict[str, Any] = {
        "scope": decision["scope"],
        "status": decision["b12_status"],
        "absorption": decision["absorption"],
        "action": regimen["action"],
        "first": regimen["routes_first_line"],
        "acceptable": regimen["routes_acceptable"],
        "dose": regimen["dose"] and [regimen["dose"]["low"], regimen["dose"]["high"], regimen["dose"]["preferred"]],
        "form": regimen["form"],
        "enteral": decision["enteral_b12_ug_per_day"],
        "parenteral": decision["parenteral_b12_ug_per_30_days"],
        "indicator": decision["indicator"],
        "advice": [f"{said['rule']}/{said['key']}" for said in decision["advice"]],
        "notes": sorted({note for statement in evaluation.decision.statements for note in statement.advice.notes}),
        "could_not_assess": [gap["what"] for gap in decision["could_not_assess"]],
        "data_quality": [note["key"] for note in decision["data_quality"]],
        "refused": evaluation.refusal.status if evaluation.refusal else None,
        "changes": sorted(
            {
                action.type
                for card in evaluation.cards
                for suggestion in card.suggestions or ()
                for action in suggestion.actions
                if action.type != "create"
            }
        ),
        "tests": sorted(
            {
                test
                for statement in evaluation.decision.statements
                for action in statement.advice.actions
                for test in getattr(action, "analytes", ())
            }
        ),
        "facts": {name: decision["facts"][name] for name in vignette["expect"].get("facts", {})},
        "items": {
            item["name"]: item["state"]
            for item in decision["facts"]["follow_up_items"] or ()
            if item["name"] in vignette["expect"].get("items", ())
        },
    }
    return {name: got[name] for name in vignette["expect"]}


@pytest.mark.parametrize("vignette", VIGNETTES, ids=lambda v: f"{v['file']}: {v['name']}")
def test_vignette(vignette: dict[str, Any]) -> None:
    evaluation = evaluate(vignette)
    assert vignette["expect"].keys() <= EXPECTABLE
    assert outcome(vignette, evaluation) == vignette["expect"]
    assert not evaluation.decision.failures


def test_every_row_of_the_decision_tables_is_covered() -> None:
    rows = set(re.findall(r"^\| (C\d+\.\w+) \|", TABLES.read_text(encoding="utf-8"), re.MULTILINE))
    covered = {row for vignette in VIGNETTES for row in vignette["rows"]}
    assert rows - covered == set(), "rows that no vignette covers"
    assert covered - rows == set(), "vignettes that name rows no table has"


def test_every_advice_is_given_by_some_vignette() -> None:
    given, noted = set(), set()
    for vignette in VIGNETTES:
        for statement in evaluate(vignette).decision.statements:
            given.add(f"{statement.rule}/{statement.advice.key}")
            noted |= {f"{statement.rule}/{note}" for note in statement.advice.notes}
    rules = engine().library.rules
    assert {f"{name}/{key}" for name, rule in rules.items() for key in rule.advice} == given
    shared = rules["b12_regimen"].notes.keys() & rules["neurological_red_flag"].notes.keys()  # those of a fact both stand on
    own = {f"{name}/{note}" for name, rule in rules.items() for note in rule.notes.keys() - shared}
    assert own == {note for note in noted if note.partition("/")[2] not in shared}
    assert shared <= {note.partition("/")[2] for note in noted}


def test_every_value_set_is_read_in_some_vignette() -> None:
    read = {concept for v in VIGNETTES for concept in evaluate(v).decision.chart.records}
    known = {name for name, value_set in value_sets().items() if value_set.kind not in ("route", "answer")}
    assert known == read


def test_vignettes_are_told_apart_by_their_names() -> None:
    names = [vignette["name"] for vignette in VIGNETTES]
    assert len(names) == len(set(names))
    assert len(names) >= 45
