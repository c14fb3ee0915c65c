"""What single members of a request may be, and what becomes of them (VAL-*, PREF-*, HOOK-*)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks.app import Config, create_app
from hooks.services import service_of
from tests.patients import PATIENT, TODAY, ago, bundle, medicine, observation, request


DEFICIENT: dict[str, Any] = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
TABLET = {"code": 309593, "dose": "1 tablet daily"}
ASKED = {**DEFICIENT, "orders": [TABLET], "chosen": [0], "new_problems": ["osteoporosis"]}
REQUIRED = [
    ("patient-view", "userId"),
    ("patient-view", "patientId"),
    ("order-select", "userId"),
    ("order-select", "patientId"),
    ("order-select", "selections"),
    ("order-select", "draftOrders"),
    ("order-sign", "userId"),
    ("order-sign", "patientId"),
    ("order-sign", "draftOrders"),
    ("encounter-discharge", "userId"),
    ("encounter-discharge", "patientId"),
    ("encounter-discharge", "encounterId"),
    ("problem-list-item-create", "userId"),
    ("problem-list-item-create", "patientId"),
    ("problem-list-item-create", "conditions"),
    ("medication-refill", "patientId"),
    ("medication-refill", "medications"),
]
"""What each hook's definition requires in its context."""


def post(client: FlaskClient, body: dict[str, Any]) -> Any:
    return client.post(f"/cds-services/{service_of(body['hook']).id}", json=body)


def cards(client: FlaskClient, body: dict[str, Any]) -> list[dict[str, Any]]:
    response = post(client, body)
    assert response.status_code == 200, response.get_data(as_text=True)
    return list(response.get_json()["cards"])


@pytest.mark.parametrize("value", [..., None, "", 7, True], ids=repr)
@pytest.mark.parametrize(("hook", "member"), REQUIRED)
def test_VAL_05_what_a_hook_requires_is_there_and_of_its_type(client: FlaskClient, hook: str, member: str, value: Any) -> None:
    body = request({**ASKED, "hook": hook})
    assert post(client, body).status_code == 200
    body["context"] = {name: given for name, given in {**body["context"], member: value}.items() if given is not ...}
    answer = post(client, body)
    assert answer.status_code == 400
    assert [issue["expression"] for issue in answer.get_json()["issue"]] == [[f"context.{member}"]]


@pytest.mark.parametrize("value", [..., None, "", " ", 7, [], {}], ids=repr)
@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
def test_VAL_01_02_04_the_envelope_is_there_and_of_its_type(client: FlaskClient, member: str, value: Any) -> None:
    body = {name: given for name, given in {**request(DEFICIENT), member: value}.items() if given is not ...}
    answer = client.post("/cds-services/b12-bone-health", json=body)
    assert answer.status_code == 400
    assert all(issue["expression"][0].startswith(member) for issue in answer.get_json()["issue"])


@pytest.mark.parametrize(
    "hook", ["order-select", "order-sign", "encounter-discharge", "problem-list-item-create", "medication-refill"]
)
def test_VAL_07_nobody_minds_members_of_others(client: FlaskClient, hook: str) -> None:
    body = request({**ASKED, "hook": hook})
    plain = cards(client, body)
    body |= {"foo": {"bar": [None]}, "extension": {"x": 1}}
    body["context"] |= {"foo": {}, "extension": []}
    body["prefetch"]["labs"]["entry"][0]["foo"] = body["prefetch"]["patient"]["foo"] = {"...": "x"}
    assert cards(client, body) == plain


@pytest.mark.parametrize("prefetch", [None, {}, ...])
def test_VAL_13_no_prefetch_in_any_form(client: FlaskClient, prefetch: Any) -> None:
    body = request(DEFICIENT)
    del body["prefetch"]
    if prefetch is not ...:
        body["prefetch"] = prefetch
    answer = post(client, body)
    assert answer.status_code == 412
    assert "is absent" in answer.get_json()["issue"][0]["details"]["text"]


@pytest.mark.parametrize("name", ["Zoë 🦴", "שלום עולם", "e\u0301\u0323\u0308", "𠮷野家"], ids=ascii)
@pytest.mark.parametrize("escaped", [True, False])
def test_VAL_29_any_unicode_survives(client: FlaskClient, name: str, escaped: bool) -> None:
    body = request({**DEFICIENT, "medicines": [{"drug": f"Cyanocobalamin {name}", "since": 400, "dose": "5000 mcg daily"}]})
    body["prefetch"]["patient"]["name"] = [{"family": name}]
    sent = json.dumps(body, ensure_ascii=escaped)
    answer = client.post("/cds-services/b12-bone-health", data=sent.encode(), content_type="application/json")
    assert answer.status_code == 200
    assert f"Cyanocobalamin {name}" in answer.get_data().decode("utf-8")


@pytest.mark.parametrize("birth", ["1950", "1950-03", "1950-03-01"])
@pytest.mark.parametrize("day", ["2026-10", "2026-10-20", "2026-10-20T08:30:00+08:00", "2026-10-20T08:30:00.123Z"])
def test_VAL_30_partial_dates_and_instants_with_offsets(client: FlaskClient, birth: str, day: str) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["patient"]["birthDate"] = birth
    body["prefetch"]["labs"]["entry"][0]["resource"]["effectiveDateTime"] = day
    (card,) = cards(client, body)
    assert "142 pg/mL" in card["summary"]


def test_PREF_32_a_bundle_without_a_next_link_is_complete(client: FlaskClient) -> None:
    body = request({"age": 40})
    assert cards(client, body) == []
    body["prefetch"]["labs"]["link"] = [{"relation": "self", "url": "https://ehr.example.org/fhir/Observation?patient=p1"}]
    assert cards(client, body) == []


def test_PREF_33_a_page_that_is_missing_is_no_silence(client: FlaskClient) -> None:
    more = [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]
    for results, status in (([{"b12_total": "420 pg/mL"}], 412), ([{"b12_total": "142 pg/mL"}], 200)):
        body = request({**DEFICIENT, "results": results})
        assert post(client, body).status_code == 200
        body["prefetch"]["labs"]["link"] = more
        assert post(client, body).status_code == status


def test_PREF_37_filters_of_the_client_are_not_relied_on(client: FlaskClient) -> None:
    results = [
        {"b12_total": "142 pg/mL", "days_ago": 5},
        {"b12_total": "420 pg/mL", "days_ago": 3, "status": "entered-in-error"},
        {"b12_total": "150 pg/mL", "days_ago": 3000},
        {"folate": "8 ng/mL", "days_ago": 1},
    ]
    other = {
        "resourceType": "Observation",
        "id": "sodium",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2951-2"}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": ago(TODAY, 0),
        "valueQuantity": {"value": 140, "unit": "mmol/L"},
    }
    stranger = {**observation({"b12_total": "90 pg/mL", "days_ago": 0}, TODAY), "subject": {"reference": "Patient/p2"}}
    found = [*(observation(result, TODAY) for result in results), other, stranger]
    said = set()
    for order in (found, found[::-1], found[3:] + found[:3]):
        body = request(DEFICIENT)
        body["prefetch"]["labs"] = bundle(order)
        said |= {card["summary"] for card in cards(client, body)}
    (summary,) = said
    assert "142 pg/mL" in summary


def test_HOOK_07_mixed_versions_in_one_context_are_no_fault(client: FlaskClient) -> None:
    body = request({**ASKED, "hook": "order-sign"})
    older = {
        **medicine(TABLET, TODAY),
        "resourceType": "MedicationOrder",
        "id": "older",
        "patient": {"reference": f"Patient/{PATIENT}"},
    }
    del older["subject"]
    oldest = {"resourceType": "ProcedureRequest", "id": "q", "subject": {"reference": f"Patient/{PATIENT}"}}
    body["context"]["draftOrders"]["entry"] += [{"resource": older}, {"resource": oldest}]
    assert cards(client, body)


def test_STALE_02_each_answer_is_all_there_is_to_say(client: FlaskClient) -> None:
    wrong = {"drug": "Cyanocobalamin", "structured": {"dose": "1000 mg", "route": "oral"}}
    right = {"drug": "Cyanocobalamin", "structured": {"dose": "1000 ug", "route": "oral"}}
    assert cards(client, request({**DEFICIENT, "hook": "order-select", "orders": [wrong], "chosen": [0]}))
    assert cards(client, request({**DEFICIENT, "hook": "order-sign", "orders": [right]})) == []


def test_STALE_03_nothing_of_an_earlier_call_is_remembered(client: FlaskClient) -> None:
    (card,) = cards(client, request(DEFICIENT))
    assert "142 pg/mL" in card["detail"]
    (card,) = cards(client, request({**DEFICIENT, "queries": {"labs": "null"}}))
    assert "142" not in card["detail"]


def test_STALE_04_no_hook_needs_another_before_it() -> None:
    body = request({**DEFICIENT, "orders": [{"drug": "Cyanocobalamin", "structured": {"dose": "1000 mg", "route": "oral"}}]})
    first = cards(create_app(Config(today=lambda: TODAY)).test_client(), body)
    later = create_app(Config(today=lambda: TODAY)).test_client()
    cards(later, request(DEFICIENT))
    assert cards(later, body) == first != []
