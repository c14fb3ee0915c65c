"""What the cards of one answer say together: one voice for each question, the loudest first, and nothing against each other."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cds.knowledge import MAX_CARDS
from hooks.engine import Evaluation
from hooks.services import SERVICES
from hooks.wire import Action
from tests.patients import TODAY, engine, request
from tests.test_properties import PATIENTS, some


ASKED = st.fixed_dictionaries(
    {
        "hook": st.sampled_from([service.hook for service in SERVICES]),
        "orders": some("orders", 3),
        "new_problems": some("problems", 2),
    }
)
FORBIDDING = {
    "contraindicated_b12",
    "referral",
    "order_b12_contraindicated/cyanocobalamin_in_leber",
    "order_b12_contraindicated/despite_allergy",
    "b12_regimen/allergy",
}
"""What says that B12, or this B12, must not be given."""

CUTTING = {
    "b12_dose/measure_and_step_down",
    "b12_dose/injections_too_often",
    "order_b12_sum",
    "b12_unit_error",
    "b12_deescalation",
}
"""What says that there is more B12 than needed."""

NEEDING_INJECTIONS = {"neurological_red_flag", "blood_count_red_flag"}


def asked(patient: dict[str, Any], question: dict[str, Any]) -> Evaluation:
    body = request({**patient, **question})
    if question["hook"] == "order-select":
        body["context"]["selections"] = [entry["resource"]["id"] for entry in body["context"]["draftOrders"]["entry"]]
    return engine(body["hook"]).evaluate(json.dumps(body).encode(), TODAY)


def spoken(evaluation: Evaluation, names: set[str]) -> bool:
    """Does the answer say one of these: a rule, or one advice of it?"""
    statements = (*evaluation.decision.statements, *evaluation.decision.held_back)
    return any({s.rule, f"{s.rule}/{s.advice.key}"} & names for s in statements)


def actions(evaluation: Evaluation) -> list[list[Action]]:
    """The actions of each card."""
    return [[a for s in card.suggestions or () for a in s.actions] for card in evaluation.cards]


def courses(acts: list[Action]) -> list[Action]:
    return [act for act in acts if act.type == "create" and act.resource and act.resource["resourceType"] == "MedicationRequest"]


@given(PATIENTS, ASKED)
def test_one_card_for_each_question_the_loudest_first_and_not_too_many(patient: dict[str, Any], question: dict[str, Any]) -> None:
    evaluation = asked(patient, question)
    topics = [card.source.topic.code for card in evaluation.cards]
    assert len(topics) == len(set(topics))
    loudness = [["critical", "warning", "info"].index(card.indicator) for card in evaluation.cards]
    assert loudness == sorted(loudness)
    assert len(loudness) <= max(MAX_CARDS, loudness.count(0))
    assert not any(statement.words.urgency == "critical" for statement in evaluation.decision.held_back)


@given(PATIENTS, ASKED)
def test_no_card_speaks_against_another(patient: dict[str, Any], question: dict[str, Any]) -> None:
    evaluation = asked(patient, question)
    proposing = [acts for acts in actions(evaluation) if courses(acts)]
    assert len(proposing) <= 1, "two cards propose courses"
    if spoken(evaluation, FORBIDDING):
        assert not proposing, "one forbids what another proposes"
    if proposing and spoken(evaluation, CUTTING):
        assert spoken(evaluation, NEEDING_INJECTIONS) or question["hook"].startswith("order"), "one cuts what another starts"
    changed = [act.resource["id"] for acts in actions(evaluation) for act in acts if act.type == "update" and act.resource]
    assert len(changed) == len(set(changed)), "two changes of one draft overwrite each other"


@given(PATIENTS, ASKED)
def test_changes_touch_drafts_alone(patient: dict[str, Any], question: dict[str, Any]) -> None:
    evaluation = asked(patient, question)
    drafts = {medicine.reference for medicine in evaluation.decision.chart.drafts}
    for act in (act for acts in actions(evaluation) for act in acts if act.type != "create"):
        assert question["hook"] in ("order-select", "order-sign")
        assert (act.resourceId or f"MedicationRequest/{act.resource and act.resource['id']}") in drafts
