"""What each prefetch key may bring, and what it means (PREF-20..40, VAL-14, VAL-26, VAL-27)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks.report import report
from tests.patients import PATIENT, TODAY, bundle, engine, observation, outcome, patient, request


URL = "/cds-services/b12-bone-health"
DEFICIENT: dict[str, Any] = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
MISSING = object()


def with_key(key: str, value: Any, **vignette: Any) -> dict[str, Any]:
    """The request of a deficient woman, one prefetch key replaced."""
    body = request({**DEFICIENT, **vignette})
    if value is MISSING:
        del body["prefetch"][key]
    else:
        body["prefetch"][key] = value
    return body


def answer(client: FlaskClient, body: dict[str, Any]) -> tuple[int, list[str]]:
    """Status, and card topics or the places an OperationOutcome names."""
    response = client.post(URL, json=body)
    content = response.get_json()
    if response.status_code == 200:
        return 200, [card["source"]["topic"]["code"] for card in content["cards"]]
    return response.status_code, [issue["expression"][0] for issue in content["issue"]]


def decision(body: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = report(engine().evaluate(json.dumps(body).encode(), TODAY))["decision"]
    return content


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (MISSING, "is absent"),
        (None, "is null"),
        (outcome("error"), "is failed"),
        ("<html>error</html>", "is garbage"),
        (7, "is garbage"),
        (
            {"resourceType": "Patient", "id": "p2", "birthDate": "1950-01-01"},
            "brought no Patient with the id of context.patientId",
        ),
        (bundle([]), "is empty"),
    ],
)
def test_PREF_22_28_VAL_26_without_the_patient_there_is_no_answer(client: FlaskClient, value: Any, why: str) -> None:
    response = client.post(URL, json=with_key("patient", value))
    assert response.status_code == 412
    (issue,) = response.get_json()["issue"]
    assert (issue["code"], issue["expression"]) == ("processing", ["prefetch.patient"])
    assert why in issue["details"]["text"]


def test_PREF_39_a_read_answered_as_a_bundle_and_a_search_as_a_resource(client: FlaskClient) -> None:
    assert answer(client, with_key("patient", bundle([patient(DEFICIENT, TODAY)]))) == (200, ["B12Regimen"])
    assert answer(client, with_key("labs", observation({"b12_total": "142 pg/mL"}, TODAY))) == (200, ["B12Regimen"])


@pytest.mark.parametrize(
    "value", [None, bundle([]), {"resourceType": "Bundle", "total": 0}, {"resourceType": "Bundle", "entry": None}]
)
def test_PREF_23_24_looked_and_found_nothing(client: FlaskClient, value: Any) -> None:
    assert answer(client, with_key("labs", value)) == (200, ["B12Baseline"])


def test_PREF_25_epic_says_no_results_with_an_outcome_entry(client: FlaskClient) -> None:
    assert answer(client, with_key("labs", bundle([outcome("warning")]))) == (200, ["B12Baseline"])


@pytest.mark.parametrize(
    "value",
    [
        MISSING,
        outcome("error"),
        bundle([outcome("fatal")]),
        "<html>error</html>",
        7,
        True,
        [],
        {"resourceType": "Bundle", "entry": {}},
        {},
    ],
)
def test_PREF_22_26_VAL_14_not_looked_is_not_nothing(client: FlaskClient, value: Any) -> None:
    assert answer(client, with_key("labs", value)) == (412, ["prefetch.labs"])


def test_ERR_08_every_key_that_could_have_answered_is_named(client: FlaskClient) -> None:
    body = with_key("medications", outcome("error"), results=[{"b12_total": "420 pg/mL"}])
    del body["prefetch"]["statements"]
    response = client.post(URL, json=body)
    texts = [issue["details"]["text"] for issue in response.get_json()["issue"]]
    assert "Prefetch key 'medications' is failed: MedicationRequest failed." in texts[0]
    assert "Prefetch key 'statements' is absent: MedicationStatement failed." in texts[1]


@pytest.mark.parametrize("key", ["procedures", "allergies", "statements"])
@pytest.mark.parametrize("value", [MISSING, outcome("error"), "<html>"])
def test_ERR_04_optional_data_never_fails_the_call(client: FlaskClient, key: str, value: Any) -> None:
    assert answer(client, with_key(key, value))[0] == 200
    assert answer(client, with_key(key, value, results=[{"b12_total": "420 pg/mL"}]))[0] == 200


def test_ERR_03_nothing_is_demanded_for_a_child(client: FlaskClient) -> None:
    body = request({"age": 12})
    body["prefetch"] = {"patient": body["prefetch"]["patient"]}
    assert answer(client, body) == (200, [])


def test_an_order_list_is_enough_where_statements_do_not_exist() -> None:
    assert decision(with_key("statements", MISSING))["absorption"] == "normal"


def test_statements_alone_do_not_tell_what_is_ordered(client: FlaskClient) -> None:
    body = with_key("medications", MISSING, results=[{"b12_total": "420 pg/mL"}])
    assert decision(body)["absorption"] == "unknown"
    assert answer(client, body) == (412, ["prefetch.medications", "prefetch.statements"])


def test_orders_there_and_statements_failed_is_incomplete() -> None:
    assert decision(with_key("statements", outcome("error")))["absorption"] == "unknown"


def test_PREF_31_33_more_pages_mean_that_nothing_is_absent() -> None:
    paged = {**bundle([]), "link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]}
    assert decision(with_key("procedures", paged))["absorption"] == "unknown"
    found = {**bundle([observation({"b12_total": "142 pg/mL"}, TODAY)]), "link": [{"relation": "next"}]}
    incomplete = decision(with_key("labs", found))
    assert incomplete["b12_status"] == "deficient"
    assert incomplete["data_quality"][0] == {
        "key": "query_incomplete",
        "resource": "prefetch.labs",
        "text": "The result was supplied in part only",
    }


def test_an_error_beside_results_is_incomplete() -> None:
    both = bundle([observation({"b12_total": "142 pg/mL"}, TODAY), outcome("error")])
    assert "query_incomplete" in [note["key"] for note in decision(with_key("labs", both))["data_quality"]]


@pytest.mark.parametrize(
    ("key", "alias"),
    [
        ("labs", "Observations"),
        ("medications", "medication_requests"),
        ("conditions", "problemList"),
        ("procedures", "SurgicalHistory"),
    ],
)
def test_keys_are_known_by_their_aliases(key: str, alias: str) -> None:
    body = request(DEFICIENT)
    body["prefetch"][alias] = body["prefetch"].pop(key)
    assert decision(body)["b12_status"] == "deficient"
    assert decision(body)["absorption"] == "normal"


def test_or_by_what_they_bring_and_then_nothing_counts_as_absent() -> None:
    body = request({**DEFICIENT, "medicines": [{"drug": "omeprazole", "since": 900}]})
    body["prefetch"] = {f"key{place}": value for place, value in enumerate(body["prefetch"].values())}
    found = decision(body)
    assert found["b12_status"] == "deficient"
    assert found["facts"]["proton_pump_inhibitors"][0]["name"] == "omeprazole"
    assert found["facts"]["folate_results"] is None
    assert [note["resource"] for note in found["data_quality"]] == [
        "prefetch.key0",
        "prefetch.key1",
        "prefetch.key2",
        "prefetch.key4",
    ]
    assert {note["key"] for note in found["data_quality"]} == {"query_unasked"}


@pytest.mark.parametrize(
    ("first", "second", "complete"),
    [
        (("labs", bundle([])), ("results", bundle([])), True),
        (("labs", bundle([])), ("results", outcome("error")), False),
        (("labs", outcome("error")), ("results", bundle([])), False),
        (("labs", bundle([])), ("b12", bundle([observation({"b12_total": "142 pg/mL"}, TODAY)])), True),
        (("labs", outcome("error")), ("b12", bundle([observation({"b12_total": "142 pg/mL"}, TODAY)])), False),
    ],
)
def test_several_keys_for_one_query_complete_it_only_together(first: Any, second: Any, complete: bool) -> None:
    body = with_key("labs", MISSING)
    body["prefetch"] |= {first[0]: first[1], second[0]: second[1]}
    assert decision(body)["facts"]["folate_results"] == ([] if complete else None)


def test_PREF_29_keys_of_others_are_left_alone(client: FlaskClient) -> None:
    body = with_key("deviceRequestBundle", bundle([{"resourceType": "DeviceRequest", "id": "d"}]))
    body["prefetch"]["note"] = "text"
    assert decision(body)["data_quality"] == []
    assert answer(client, body) == (200, ["B12Regimen"])


@pytest.mark.parametrize("kind", ["searchset", "collection", None])
def test_PREF_40_the_type_of_a_bundle_does_not_matter(client: FlaskClient, kind: str | None) -> None:
    body = request(DEFICIENT)
    for value in body["prefetch"].values():
        if value["resourceType"] == "Bundle":
            value["type"] = kind
    assert answer(client, body) == (200, ["B12Regimen"])


@pytest.mark.parametrize(
    "odd",
    [
        5,
        None,
        "text",
        {"resource": "text"},
        {"resource": 7},
        {"resource": None},
        {},
        {"resource": {}},
        {"resource": {"resourceType": 7}},
        {"resource": {"resourceType": "Observation", "code": 5, "subject": {"reference": f"Patient/{PATIENT}"}}},
        {"resource": {"resourceType": "Observation", "code": {"coding": [None, {"code": 7}, {"system": [], "code": "2132-9"}]}}},
        {"resource": {"resourceType": "Observation", "code": {"coding": "x"}, "component": [7, {"code": {}}]}},
    ],
)
def test_one_malformed_entry_among_good_ones_costs_only_itself(client: FlaskClient, odd: Any) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"].insert(0, odd)
    assert answer(client, body) == (200, ["B12Regimen"])


def test_unreadable_entries_are_counted() -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"] += [5, {"resource": "text"}]
    assert decision(body)["data_quality"] == [
        {"key": "entry_unreadable", "resource": "prefetch.labs", "text": "2 entries could not be read"}
    ]


def test_VAL_26_a_stray_result_of_another_patient_is_reported_and_has_no_influence(client: FlaskClient) -> None:
    stray = {**observation({"b12_total": "900 pg/mL", "days_ago": 1}, TODAY), "subject": {"reference": "Patient/p2"}}
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"].append({"resource": stray})
    assert answer(client, body) == (200, ["B12Regimen"])
    (note,) = decision(body)["data_quality"]
    assert (note["key"], note["resource"]) == ("other_patient", f"Observation/{stray['id']}")


def test_VAL_26_two_patients_in_one_key(client: FlaskClient) -> None:
    other = {"resourceType": "Patient", "id": "p2", "birthDate": "2020-01-01"}
    body = with_key("patient", bundle([other, patient(DEFICIENT, TODAY)]))
    assert answer(client, body) == (200, ["B12Regimen"])
    assert decision(body)["data_quality"][0]["resource"] == "Patient/p2"


def test_VAL_26_an_answer_about_somebody_else_is_no_answer() -> None:
    body = request({**DEFICIENT, "procedures": ["b12_review"]})
    for entry in body["prefetch"]["procedures"]["entry"]:
        entry["resource"]["subject"]["reference"] = "Patient/p2"
    assert decision(body)["absorption"] == "unknown"


@pytest.mark.parametrize(
    "subject",
    [
        f"Patient/{PATIENT}",
        f"https://ehr.example.org/fhir/Patient/{PATIENT}",
        f"Patient/{PATIENT}/_history/2",
        PATIENT,
        f"urn:uuid:{PATIENT}",
    ],
)
def test_VAL_27_references_in_every_form(subject: str) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"][0]["resource"]["subject"] = {"reference": subject}
    assert decision(body)["b12_status"] == "deficient"


@pytest.mark.parametrize(
    "subject", [{"reference": f"Group/{PATIENT}"}, {"reference": f"Device/{PATIENT}"}, {"reference": "Patient/p11"}]
)
def test_VAL_27_what_is_not_this_patient(subject: Any) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"][0]["resource"]["subject"] = subject
    assert decision(body)["b12_status"] == "unknown"


@pytest.mark.parametrize("subject", [None, {}, {"display": "Somebody"}, 7])
def test_a_result_that_names_nobody_is_used_with_a_note(subject: Any) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"][0]["resource"]["subject"] = subject
    content = decision(body)
    assert content["b12_status"] == "deficient"
    assert [note["key"] for note in content["data_quality"]] == ["no_subject"]


def test_the_same_resource_in_two_keys_counts_once() -> None:
    body = request({**DEFICIENT, "results": [{"b12_total": "1200 pg/mL"}]})
    body["prefetch"]["recent"] = body["prefetch"]["labs"]
    assert [len(decision(body)["facts"][name]) for name in ("b12_total_results", "b12_results")] == [1, 1]


def test_two_resources_of_one_id_are_both_read_and_told() -> None:
    body = request({**DEFICIENT, "results": [{"b12_total": "420 pg/mL"}]})
    low = observation({"b12_total": "150 pg/mL"}, TODAY)
    low["id"] = body["prefetch"]["labs"]["entry"][0]["resource"]["id"]
    body["prefetch"]["labs"]["entry"].append({"resource": low})
    decided = decision(body)
    assert decided["b12_status"] == "deficient"
    assert [note["key"] for note in decided["data_quality"]] == ["same_id"]


def test_VAL_26_results_of_somebody_else_alone_are_missing_results(client: FlaskClient) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"][0]["resource"]["subject"]["reference"] = "Patient/p2"
    assert answer(client, body) == (412, ["prefetch.labs"])
    assert [note["key"] for note in decision(body)["data_quality"]] == ["other_patient"]
