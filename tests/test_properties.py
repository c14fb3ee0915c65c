"""What must hold for everybody: patients nobody would think of, put together from what the vignettes are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cds.graph import program
from hooks.engine import Evaluation
from hooks.report import report
from tests.hooks.checker import check_answer
from tests.patients import PATIENT, TODAY, engine, request
from tests.test_vignettes import VIGNETTES


def every(name: str) -> list[Any]:
    """What the vignettes hold of one kind, each thing once."""
    return list({repr(entry): entry for vignette in VIGNETTES for entry in vignette.get(name, [])}.values())


def some(name: str, most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(every(name)), max_size=most, unique_by=repr)


PATIENTS = st.fixed_dictionaries(
    {
        "age": st.sampled_from([5, 17, 18, 33, 49, 52, 68, 74, 91]),
        "sex": st.sampled_from(["female", "male", "unknown"]),
        "problems": st.tuples(
            st.sampled_from([["osteoporosis"], ["osteopenia"], []]), some("problems", 3), some("problems", 1)
        ).map(lambda parts: list({repr(entry): entry for part in parts for entry in part}.values())),
        "procedures": some("procedures", 2),
        "allergies": some("allergies", 1),
        "medicines": some("medicines", 3),
        "results": some("results", 5),
    }
)
OPTIONAL_QUERIES = ("statements", "procedures", "allergies")
REQUIRED_QUERIES = ("labs", "medications", "conditions")


def decided(body: Mapping[str, Any]) -> Evaluation:
    return engine().evaluate(json.dumps(body).encode(), TODAY)


def said(evaluation: Evaluation) -> dict[str, Any]:
    """What the evaluation says, without what depends on the order or the number of resources looked at."""
    whole = report(evaluation)["decision"]
    return {name: whole[name] for name in whole if name not in ("facts", "data_quality")}


@given(PATIENTS)
def test_every_answer_is_sound_and_the_excluded_get_no_dose(patient: dict[str, Any]) -> None:
    evaluation = decided(request(patient))
    whole = report(evaluation)
    check_answer({"cards": whole["cards"]}, PATIENT)
    assert evaluation.decision.failures == {}
    ordered = [
        action["resource"]["resourceType"]
        for card in whole["cards"]
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
    ]
    if whole["decision"]["scope"] not in ("in_scope_osteoporosis", "in_scope_at_risk"):
        assert whole["decision"]["regimen"]["dose"] is None
        assert "MedicationRequest" not in ordered
    if whole["decision"]["regimen"]["dose"] is None:
        assert "MedicationRequest" not in ordered


@given(PATIENTS, st.randoms(use_true_random=False))
def test_the_order_of_the_resources_changes_nothing(patient: dict[str, Any], random: Any) -> None:
    body = request(patient)
    before = said(decided(body))
    for value in body["prefetch"].values():
        random.shuffle(value.get("entry", []))
    assert said(decided(body)) == before


@given(PATIENTS, st.sampled_from((*OPTIONAL_QUERIES, *REQUIRED_QUERIES)), st.sampled_from(["absent", "failed", "garbage"]))
def test_a_query_nobody_answered_never_reassures(patient: dict[str, Any], query: str, how: str) -> None:
    body = request(patient)
    before = decided(body)
    if how == "absent":
        del body["prefetch"][query]
    else:
        failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
        body["prefetch"][query] = failed if how == "failed" else "<html>Bad gateway</html>"
    after = decided(body)
    if before.decision["absorption"] not in ("normal", "not_assessed"):
        assert after.decision["absorption"] != "normal"
    treated = bool(before.decision["on_b12"])  # what is not seen any more may have been the treatment
    unlikely = query == "conditions" or not before.decision["pregnancy_possible"]  # a pregnancy of 70, an inborn error
    excluded = before.decision["scope"] in ("refer_only", "safety_only") and unlikely
    told = query in ("labs", "conditions", "procedures") and not excluded and not treated
    if told and before.decision["regimen"].dose is None:
        assert after.decision["regimen"].dose is None
    if not after.cards:
        noted = any(note.key == "statements_absent" for note in after.decision.chart.notes)
        assert not before.cards or after.refusal is not None or after.decision.gaps or noted


@given(PATIENTS, PATIENTS)
def test_other_peoples_resources_are_named_and_never_used(patient: dict[str, Any], stranger: dict[str, Any]) -> None:
    body, theirs = request(patient), request(stranger)
    before = decided(body)
    strange = 0
    for key, value in theirs["prefetch"].items():
        own = body["prefetch"][key].get("entry")
        for entry in value.get("entry", []) if own else []:  # an answer about nobody but others is a failed one
            resource = entry["resource"]
            subject = "patient" if "patient" in resource else "subject"
            entry["resource"] = resource | {"id": f"theirs-{resource['id']}", subject: {"reference": "Patient/somebody-else"}}
            own.insert(0, entry)
            strange += 1
    after = decided(body)
    assert said(after) == said(before)
    notes = [note for note in after.decision.chart.notes if note.key == "other_patient"]
    assert len(notes) == strange


IN_OTHER_UNITS = [
    ("b12_total", st.integers(100, 900), "pg/mL", lambda value: f"{value} ng/L"),
    ("b12_total", st.integers(100, 900), "pg/mL", lambda value: f"{value / 1000} ng/mL"),
    ("b12_total", st.integers(80, 700), "pmol/L", lambda value: f"{value / 1000} nmol/L"),
    ("mma", st.integers(30, 900).map(lambda value: value / 1000), "umol/L", lambda value: f"{value * 1000:.10g} nmol/L"),
    ("folate", st.integers(1, 30), "ng/mL", lambda value: f"{value} ug/L"),
    ("haemoglobin", st.integers(50, 160), "g/L", lambda value: f"{value / 10} g/dL"),
]


@pytest.mark.parametrize(("analyte", "values", "unit", "other"), IN_OTHER_UNITS, ids=lambda case: str(case)[:12])
def test_the_unit_a_laboratory_prefers_changes_nothing(
    analyte: str, values: st.SearchStrategy[float], unit: str, other: Any
) -> None:
    rest = [{name: said} for name, said in (("b12_total", "240 pg/mL"), ("homocysteine", "13 umol/L")) if name != analyte]

    @given(values)
    def holds(value: float) -> None:
        one, two = (
            decided(request({"age": 72, "problems": ["osteoporosis"], "results": [*rest, {analyte: result}]}))
            for result in (f"{value} {unit}", other(value))
        )
        classes = ("scope", "b12_status", "absorption", "regimen")
        assert [one.decision[name] for name in classes] == [two.decision[name] for name in classes]
        assert [card.indicator for card in one.cards] == [card.indicator for card in two.cards]
        assert not two.decision.chart.notes

    holds()


@given(PATIENTS)
def test_reusing_the_empty_chart_gives_what_evaluating_everything_gives(patient: dict[str, Any]) -> None:
    decision = decided(request(patient)).decision
    library = decision.library
    graph = library.graph
    given = len(library.sources) + len(library.parameters)
    values = decision.values[:given] + [None] * (len(graph.names) - given)
    program(graph.plan((*decision.admitted, "scope", "regimen", "enteral_b12", "parenteral_b12")))(values)
    for place, step in graph.plan(decision.admitted):
        assert decision.values[place] == values[place], step.name


@given(PATIENTS, st.integers(1, 400))
def test_a_day_later_nothing_but_the_day_has_changed(patient: dict[str, Any], days: int) -> None:
    assume(not any("since_year" in medicine for medicine in patient["medicines"]))  # a calendar year stays where it is
    later = TODAY + timedelta(days=days)
    moved = engine().evaluate(json.dumps(request(patient, later)).encode(), later)
    classes = ("scope", "b12_status", "absorption", "regimen", "enteral_b12_ug_per_day", "parenteral_b12_ug_per_30_days")
    now, then = report(moved)["decision"], report(decided(request(patient)))["decision"]
    assert [now[name] for name in classes] == [then[name] for name in classes]
