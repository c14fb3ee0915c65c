"""Hooks that bring orders, refills or problems of their own (HOOK-*, VAL-17 to 25, ACT-*)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks.fhir.echo import with_route, with_unit
from hooks.services import service_of
from tests.patients import PATIENT, TODAY, bundle, engine, medicine, request


TABLET = {"code": 309593, "dose": "1 tablet daily"}
UNTESTED = {"age": 70, "problems": ["osteoporosis"], "orders": [TABLET]}
MISWRITTEN = {"drug": "Cyanocobalamin", "structured": {"dose": "1000 mg", "route": "oral"}}
TESTED = {"age": 70, "problems": ["osteoporosis"], "results": [{"b12_total": "150 pg/mL"}]}


def send(client: FlaskClient, body: dict[str, Any]) -> Any:
    return client.post(f"/cds-services/{service_of(body['hook']).id}", json=body)


def cards(client: FlaskClient, body: dict[str, Any]) -> list[dict[str, Any]]:
    response = send(client, body)
    assert response.status_code == 200, response.get_data(as_text=True)
    return list(response.get_json()["cards"])


def ordered(resource: dict[str, Any], *others: dict[str, Any], hook: str = "order-sign", **patient: Any) -> dict[str, Any]:
    """An order hook with resources as drafts."""
    body = request({**TESTED, **patient, "hook": hook, "orders": []})
    body["context"]["draftOrders"] = bundle([resource, *others])
    return body


def draft(**members: Any) -> dict[str, Any]:
    """The miswritten order with members replaced; ... takes one away."""
    resource = {**medicine(MISWRITTEN, TODAY), "status": "draft", "id": "d1", **members}
    return {name: value for name, value in resource.items() if value is not ...}


def targets(cards: list[dict[str, Any]]) -> list[str]:
    """What the suggestions would change or delete."""
    actions = [action for card in cards for suggestion in card.get("suggestions", []) for action in suggestion["actions"]]
    return [
        action.get("resourceId") or f"MedicationRequest/{action['resource']['id']}"
        for action in actions
        if action["type"] != "create"
    ]


def test_HOOK_01_order_select_speaks_of_what_was_selected(client: FlaskClient) -> None:
    other = {"drug": "Cyanocobalamin 500 mcg", "structured": {"dose": "2000 mg", "route": "oral"}}
    body = request({**TESTED, "hook": "order-select", "orders": [MISWRITTEN, other], "chosen": [1]})
    said = cards(client, body)
    assert set(targets(said)) == {body["context"]["selections"][0]}
    assert "Cyanocobalamin 500 mcg" in said[0]["detail"]


@pytest.mark.parametrize("selections", [["MedicationRequest/ghost"], []])
def test_VAL_17_a_selection_of_nothing_gives_nothing(client: FlaskClient, selections: list[str]) -> None:
    body = request({**UNTESTED, "hook": "order-select"})
    body["context"]["selections"] = selections
    assert cards(client, body) == []


def test_VAL_17_a_selection_may_be_a_bare_id(client: FlaskClient) -> None:
    body = request({**UNTESTED, "hook": "order-select", "chosen": [0]})
    body["context"]["selections"] = [body["context"]["draftOrders"]["entry"][0]["resource"]["id"]]
    assert len(cards(client, body)) == 1


def test_HOOK_02_order_sign_knows_no_selections(client: FlaskClient) -> None:
    body = request(UNTESTED)
    plain = cards(client, body)
    body["context"]["selections"] = ["MedicationRequest/ghost"]
    assert cards(client, body) == plain
    assert len(plain) == 1


def test_VAL_18_a_bundle_without_type_or_entries(client: FlaskClient) -> None:
    body = request(UNTESTED)
    whole = cards(client, body)
    del body["context"]["draftOrders"]["type"]
    assert cards(client, body) == whole
    del body["context"]["draftOrders"]["entry"]
    assert cards(client, body) == []
    body["context"]["draftOrders"] = {"resourceType": "Patient"}
    assert send(client, body).status_code == 400


def test_VAL_19_21_a_medication_beside_the_order_is_looked_up(client: FlaskClient) -> None:
    drug = {"resourceType": "Medication", "id": "drug", "code": {"text": "Vitamin B12 1000 mcg tablet"}}
    order = draft(medicationCodeableConcept=..., medicationReference={"reference": "Medication/drug"}, dosageInstruction=...)
    (unreadable,) = cards(client, ordered(order, drug))
    assert "Vitamin B12 1000 mcg tablet" in unreadable["detail"]
    contained = draft(
        medicationCodeableConcept=...,
        dosageInstruction=...,
        medicationReference={"reference": "#drug"},
        contained=[{**drug, "id": "drug"}],
    )
    assert len(cards(client, ordered(contained))) == 1
    body = ordered(order)
    body["prefetch"]["medications"]["entry"].append({"resource": drug})
    assert len(cards(client, body)) == 1


@pytest.mark.parametrize(
    "odd",
    [
        draft(medicationCodeableConcept=..., intent=..., requester={"extension": [{"url": "x"}]}),
        draft(dosageInstruction={}, category={"text": "x"}, reasonCode=[]),
        draft(medicationCodeableConcept={"coding": [{}]}),
        {"resourceType": "ServiceRequest", "id": "s1", "status": "draft"},
        {"resourceType": "NutritionOrder"},
        {},
        {"resourceType": 7},
    ],
)
def test_VAL_20_24_half_entered_orders_break_nothing(client: FlaskClient, odd: dict[str, Any]) -> None:
    body = ordered(odd, draft(id="d2"))
    body["context"]["draftOrders"]["entry"] += [{}, {"resource": None}, "x"]
    assert "MedicationRequest/d2" in targets(cards(client, body))


@pytest.mark.parametrize(
    ("status", "count"), [("draft", 1), ("active", 1), ("cancelled", 0), ("stopped", 0), ("entered-in-error", 0)]
)
def test_VAL_22_what_is_signed_again_counts_and_what_is_withdrawn_does_not(client: FlaskClient, status: str, count: int) -> None:
    assert len(cards(client, ordered(draft(status=status)))) == count


def test_what_must_not_be_given_is_no_order(client: FlaskClient) -> None:
    assert cards(client, ordered(draft(doNotPerform=True))) == []


@pytest.mark.parametrize("odd_id", ["x" * 180, "a‑b", "with space"])
def test_VAL_23_odd_ids_are_echoed(client: FlaskClient, odd_id: str) -> None:
    assert targets(cards(client, ordered(draft(id=odd_id)))) == [f"MedicationRequest/{odd_id}"]


def test_a_draft_without_id_cannot_be_changed(client: FlaskClient) -> None:
    (card,) = cards(client, ordered(draft(id=...)))
    assert "suggestions" not in card


def test_VAL_25_orders_of_DSTU2(client: FlaskClient) -> None:
    order = draft(resourceType="MedicationOrder", subject=..., patient={"reference": f"Patient/{PATIENT}"})
    (card,) = cards(client, ordered(order))
    assert "suggestions" not in card


def test_VAL_26_an_order_for_somebody_else_is_left_alone_and_reported(client: FlaskClient) -> None:
    order = draft(subject={"reference": "Patient/somebody-else"})
    assert cards(client, ordered(order)) == []
    evaluation = engine("order-sign").evaluate(json.dumps(ordered(order)).encode(), TODAY)
    assert [note.key for note in evaluation.decision.chart.notes] == ["other_patient"]


def test_ACT_04_05_an_update_carries_the_whole_order_with_every_digit(client: FlaskClient) -> None:
    order = draft(extension=[{"url": "http://example.org/x", "valueString": "y"}], note=[], text=None)
    body = json.dumps(ordered(order)).replace('"value": 1000.0', '"value": 1000.00')
    answer = client.post("/cds-services/b12-order-sign", data=body, headers={"Content-Type": "application/json"})
    assert '"value":1000.00' in answer.get_data(as_text=True)
    (action,) = answer.get_json()["cards"][0]["suggestions"][0]["actions"]
    expected = {**order}
    del expected["note"], expected["text"]
    (line,) = expected["dosageInstruction"]
    dose = {**line["doseAndRate"][0]["doseQuantity"], "unit": "ug", "code": "ug"}
    expected["dosageInstruction"] = [{**line, "doseAndRate": [{"doseQuantity": dose}]}]
    assert action == {"type": "update", "description": action["description"], "resource": expected}


@pytest.mark.parametrize(
    "invalid", [{"category": {"text": "x"}}, {"status": ["draft"]}, {"dosageInstruction": [{"text": "1000 mg"}]}]
)
def test_ACT_12_nothing_invalid_is_echoed(invalid: dict[str, Any]) -> None:
    assert with_unit(draft(**invalid), "mg", "ug") is None


def test_a_change_that_changes_nothing_is_none() -> None:
    assert with_unit(draft(), "g", "ug") is None
    assert with_route({}, {}) is None


def test_HOOK_03_a_new_problem_is_judged_and_never_changed(client: FlaskClient) -> None:
    body = request({"hook": "problem-list-item-create", "age": 70, "new_problems": ["osteoporosis"]})
    (card,) = cards(client, body)
    assert "Osteoporosis" in card["detail"]
    assert targets([card]) == []


def test_a_new_problem_that_the_prefetch_brings_too_counts_once(client: FlaskClient) -> None:
    body = request(
        {
            "hook": "problem-list-item-create",
            "age": 70,
            "problems": ["pernicious_anaemia"],
            "new_problems": ["pernicious_anaemia"],
        }
    )
    (card,) = cards(client, body)
    assert "2 entries" not in card["detail"]


def test_a_new_problem_of_another_kind_is_none_of_our_business(client: FlaskClient) -> None:
    body = request({"hook": "problem-list-item-create", "age": 70, "problems": ["osteoporosis"]})
    flu = {
        "resourceType": "Condition",
        "id": "flu",
        "code": {"text": "Influenza"},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    body["context"]["conditions"] = bundle([flu])
    assert cards(client, body) == []


def test_HOOK_04_a_refill_needs_neither_user_nor_encounter(client: FlaskClient) -> None:
    body = request({**UNTESTED, "hook": "medication-refill"})
    del body["context"]["userId"]
    assert cards(client, body) == []


def test_HOOK_05_a_discharge_needs_its_encounter_and_may_be_asked_about_often(client: FlaskClient) -> None:
    body = request({"hook": "encounter-discharge", "age": 70, "problems": ["osteoporosis"]})
    first = cards(client, body)
    assert [cards(client, body), cards(client, body)] == [first, first]
    assert len(first) == 1
    del body["context"]["encounterId"]
    assert send(client, body).status_code == 400


def test_VAL_05_an_order_hook_without_its_orders_is_no_request(client: FlaskClient) -> None:
    for hook, member in (("order-sign", "draftOrders"), ("order-select", "selections"), ("medication-refill", "medications")):
        body = request({**UNTESTED, "hook": hook})
        del body["context"][member]
        response = send(client, body)
        assert (response.status_code, response.get_json()["issue"][0]["expression"]) == (400, [f"context.{member}"])


def test_what_could_not_be_checked_about_an_order_is_no_silence(client: FlaskClient) -> None:
    body = request({"age": 70, "problems": ["osteoporosis"], "orders": [{"drug": "omeprazole"}], "queries": {"labs": "missing"}})
    response = send(client, body)
    assert response.status_code == 412
    assert response.get_json()["issue"][0]["expression"] == ["prefetch.labs"]


def test_an_order_that_does_not_concern_us_needs_nothing(client: FlaskClient) -> None:
    body = request({"age": 70, "orders": [{"drug": "ibuprofen 400 mg"}]})
    body["prefetch"] = {}
    assert cards(client, body) == []
    body = request(UNTESTED)
    body["prefetch"] = {}
    response = send(client, body)
    assert (response.status_code, response.get_json()["issue"][0]["expression"]) == (412, ["prefetch.patient"])


def test_two_drafts_of_one_id_are_told_and_not_changed(client: FlaskClient) -> None:
    other = draft(medicationCodeableConcept={"text": "Hydroxocobalamin"})
    assert targets(cards(client, ordered(draft(), other))) == []


def test_one_order_is_changed_once_however_many_cards_speak_of_it(client: FlaskClient) -> None:
    both = {"drug": "Cyanocobalamin", "structured": {"dose": "1000 mg", "route": "intravenous"}}
    said = cards(client, request({**TESTED, "orders": [both]}))
    assert [card["indicator"] for card in said] == ["critical", "warning"]
    assert len(targets(said)) == 1


def test_SUG_02_two_orders_of_one_name_have_suggestions_of_their_own(client: FlaskClient) -> None:
    said = cards(client, ordered(draft(id="a"), draft(id="b")))
    assert sorted(targets(said[:1])) == ["MedicationRequest/a", "MedicationRequest/b"]
    uuids = [suggestion["uuid"] for card in said for suggestion in card.get("suggestions", [])]
    assert len(set(uuids)) == len(uuids)


def test_one_course_in_the_place_of_several_orders(client: FlaskClient) -> None:
    swallowed = [{"drug": "Vitamin B12 1000 mcg tablet", "dose": "1 tablet daily"}, {"code": 309593, "dose": "1 tablet daily"}]
    patient = {"age": 70, "problems": ["osteoporosis", "neuro_major"], "results": [{"b12_total": "100 pg/mL"}]}
    (card, *_) = cards(client, request({**patient, "orders": swallowed}))
    types = [action["type"] for suggestion in card["suggestions"] for action in suggestion["actions"]]
    assert sorted(types) == ["create", "delete", "delete"]


LINE = draft()["dosageInstruction"][0]


@pytest.mark.parametrize(
    "stale",
    [
        {"dosageInstruction": [{**LINE, "text": "1000 mg for 7 days only"}]},
        {"dosageInstruction": [{**LINE, "additionalInstruction": [{"text": "hold if potassium is low"}]}]},
        {"dosageInstruction": [{**LINE, "maxDosePerAdministration": {"value": 1000, "unit": "mg"}}]},
        {
            "dosageInstruction": [
                {**LINE, "doseAndRate": [{**LINE["doseAndRate"][0], "rateQuantity": {"value": 1, "unit": "mg/h"}}]}
            ]
        },
        {"dosageInstruction": [LINE, LINE]},
        {"text": {"status": "generated", "div": "<div>1000 mg</div>"}},
        {"identifier": [{"value": "1"}, None]},
    ],
)
def test_ACT_04_what_would_go_on_saying_the_old_thing_is_not_sent_back(stale: dict[str, Any]) -> None:
    assert with_unit(draft(**stale), "mg", "ug") is None


def test_a_draft_without_bottom_is_not_sent_back() -> None:
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"extension": [deep]}
    assert with_unit(draft(extension=[deep]), "mg", "ug") is None


@pytest.mark.parametrize("odd", ["1e99999999999999999999", "1e400"])
def test_a_number_nobody_can_hold_is_no_fault_of_ours(client: FlaskClient, odd: str) -> None:
    body = json.dumps(request(UNTESTED))[:-1] + f', "extension": {{"x": {odd}}}}}'
    response = client.post("/cds-services/b12-order-sign", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400)


def test_VAL_15_an_id_with_a_history_is_the_id(client: FlaskClient) -> None:
    body = request(UNTESTED)
    body["context"]["patientId"] = f"{PATIENT}/_history/3"
    assert len(cards(client, body)) == 1
    body["context"]["patientId"] = "Patient/"
    assert send(client, body).status_code == 400


def test_a_bundle_of_thousands_is_refused(client: FlaskClient) -> None:
    body = ordered(*[draft(id=str(place)) for place in range(501)])
    assert send(client, body).status_code == 400


@pytest.mark.parametrize("odd_id", [{"value": "x"}, ["x"], None])
def test_a_problem_with_an_odd_id_breaks_nothing(client: FlaskClient, odd_id: Any) -> None:
    body = request({"hook": "problem-list-item-create", "age": 70, "problems": ["osteopenia"], "new_problems": ["osteoporosis"]})
    body["prefetch"]["conditions"]["entry"][0]["resource"]["id"] = odd_id
    body["context"]["conditions"]["entry"][0]["resource"]["id"] = odd_id
    assert len(cards(client, body)) == 1


UNKNOWN_DRUG = draft(medicationCodeableConcept=..., medicationReference={"reference": "Medication/nowhere"})
UNKNOWN_OWNER = draft(subject={"display": "the patient in bed 4"})


@pytest.mark.parametrize("unresolved", [UNKNOWN_DRUG, UNKNOWN_OWNER])
def test_VAL_21_26_an_order_that_may_be_ours_is_not_passed_over(client: FlaskClient, unresolved: dict[str, Any]) -> None:
    response = send(client, ordered(unresolved))
    assert (response.status_code, response.get_json()["issue"][0]["expression"]) == (412, ["context.draftOrders"])
    assert len(cards(client, ordered(unresolved, draft(id="d2")))) >= 1


def test_VAL_21_an_unresolved_order_that_was_not_selected_is_passed_over(client: FlaskClient) -> None:
    body = ordered(UNKNOWN_DRUG, {**medicine({"drug": "ibuprofen"}, TODAY), "id": "d2"}, hook="order-select")
    body["context"]["selections"] = ["MedicationRequest/d2"]
    assert cards(client, body) == []


def test_VAL_21_a_medication_is_found_where_it_stands_in_the_bundle(client: FlaskClient) -> None:
    order = draft(medicationCodeableConcept=..., medicationReference={"reference": "urn:uuid:0f1e"})
    body = ordered(order)
    drug = {"resourceType": "Medication", "code": {"text": "Cyanocobalamin"}}
    body["context"]["draftOrders"]["entry"].append({"fullUrl": "urn:uuid:0f1e", "resource": drug})
    assert [card["indicator"] for card in cards(client, body)] == ["critical"]
