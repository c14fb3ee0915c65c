"""What each prefetch key may bring, and what it means (PREF-20..40, VAL-14, VAL-26, VAL-27)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks.fhir.elements import remembered
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


def said(severity: Any = None, issue_type: Any = None, epic: str | None = None) -> dict[str, Any]:
    """An OperationOutcome of one issue, perhaps with an error number of Epic."""
    issue: dict[str, Any] = {"severity": severity, "code": issue_type}
    if epic is not None:
        issue["details"] = {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": epic}]}
    return {"resourceType": "OperationOutcome", "issue": [{name: value for name, value in issue.items() if value is not None}]}


@pytest.mark.parametrize(
    "nothing",
    [
        [said("warning", "processing", "4101")],
        [said("warning", "processing", "4101"), said("warning", "processing", "4119")],
        [said("warning", "informational", "4101")],
        [said("warning", "not-found")],
        [said("Information", "timeout")],
    ],
)
def test_PREF_25_epic_says_no_results_with_an_outcome_entry(client: FlaskClient, nothing: list[Any]) -> None:
    assert answer(client, with_key("labs", {**bundle(nothing), "total": 0})) == (200, ["B12Baseline"])


FORBIDDEN = said("warning", "forbidden")


@pytest.mark.parametrize(
    "lost",
    [
        said(None, "not-found"),
        said("warning", "Incomplete"),
        FORBIDDEN,
        said("warning", "suppressed", "59204"),
        said("warning", "processing"),
        said("warning", "timeout"),
        {"resourceType": "OperationOutcome"},
        {"resourceType": "OperationOutcome", "issue": []},
        {"resourceType": "OperationOutcome", "issue": ["odd"]},
    ],
)
def test_PREF_25_26_any_other_outcome_says_that_something_is_missing(client: FlaskClient, lost: dict[str, Any]) -> None:
    assert answer(client, with_key("labs", bundle([lost]))) == (412, ["prefetch.labs"])
    beside = decision(with_key("labs", bundle([observation({"b12_total": "142 pg/mL"}, TODAY), lost])))
    assert (beside["b12_status"], beside["facts"]["folate_results"]) == ("deficient", None)


def test_PREF_26_a_warning_instead_of_a_bundle_is_a_failure(client: FlaskClient) -> None:
    assert answer(client, with_key("labs", said("information", "not-found"))) == (412, ["prefetch.labs"])


ENCOUNTER = {"resourceType": "Encounter", "id": "e1"}


@pytest.mark.parametrize(
    ("value", "how"),
    [
        (patient(DEFICIENT, TODAY), "garbage"),
        (ENCOUNTER, "garbage"),
        (bundle([patient(DEFICIENT, TODAY)]), "garbage"),
        (bundle([ENCOUNTER]), "garbage"),
        (bundle([ENCOUNTER, patient(DEFICIENT, TODAY), said("information", "informational")]), "garbage"),
        (bundle([bundle([])]), "incomplete"),
        ({"resourceType": "Bundle", "total": 5}, "incomplete"),
        ({"resourceType": "Bundle", "total": "1", "entry": []}, "incomplete"),
        ({"resourceType": "Bundle", "entry": [{"response": {"status": "403", "outcome": FORBIDDEN}}]}, "failed"),
        ({"resourceType": "Bundle", "entry": [{"response": {"status": "204"}}]}, "garbage"),
        ({"resourceType": "Bundle", "entry": [{"response": "403"}]}, "incomplete"),
    ],
)
def test_ERR_01_a_required_key_that_brought_something_else_is_no_answer(client: FlaskClient, value: Any, how: str) -> None:
    body = with_key("conditions", value, results=[{"b12_total": "420 pg/mL"}])
    response = client.post(URL, json=body)
    assert response.status_code == 412
    (issue,) = response.get_json()["issue"]
    assert f"Prefetch key 'conditions' is {how}" in issue["details"]["text"]


@pytest.mark.parametrize(
    ("total", "complete"),
    [(0, True), (1, True), (2, False), ("2", False), (True, True), ("many", True), (None, True)],
)
def test_PREF_33_a_total_above_what_was_found_means_that_there_is_more(total: Any, complete: bool) -> None:
    found = {**bundle([observation({"b12_total": "142 pg/mL"}, TODAY), patient(DEFICIENT, TODAY)]), "total": total}
    decided = decision(with_key("labs", found))
    assert decided["b12_status"] == "deficient"
    assert decided["facts"]["folate_results"] == ([] if complete else None)


def test_a_key_of_ours_gives_whatever_else_it_brought() -> None:
    """Orders with their Medication, statements and conditions under one name, as some sites build it."""
    body = request({**DEFICIENT, "medicines": [{"drug": "omeprazole", "since": 900, "kind": "statement"}]})
    order = {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "authoredOn": "2025-01-01",
        "medicationReference": {"reference": "Medication/drug"},
    }
    drug = {"resourceType": "Medication", "id": "drug", "code": {"text": "metformin"}}
    taken = [entry["resource"] for entry in body["prefetch"]["statements"]["entry"]]
    body["prefetch"] |= {"medications": {**bundle([order, drug, *taken]), "total": 1}, "statements": bundle([])}
    chart = engine().evaluate(json.dumps(body).encode(), TODAY).decision.chart
    assert {"ppi", "metformin"} <= set(chart.records)
    assert (chart.retrieved["medicines"], chart.notes) == ("retrieved", ())


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


def test_ERR_08_every_key_that_failed_to_answer_is_named_and_no_optional_one_that_nobody_sent(client: FlaskClient) -> None:
    body = with_key("medications", outcome("error"), results=[{"b12_total": "420 pg/mL"}])
    body["prefetch"]["statements"] = outcome("error")
    texts = [issue["details"]["text"] for issue in client.post(URL, json=body).get_json()["issue"]]
    assert "Prefetch key 'medications' is failed: MedicationRequest failed." in texts[0]
    assert "Prefetch key 'statements' is failed: MedicationStatement failed." in texts[1]
    del body["prefetch"]["statements"]
    assert answer(client, body) == (412, ["prefetch.medications"])


def test_ERR_08_without_a_patient_all_that_is_missing_is_named_at_once(client: FlaskClient) -> None:
    body = request(DEFICIENT)
    body["prefetch"] = {"conditions": None, "medications": outcome("error")}
    missing = ["prefetch.patient", "prefetch.labs", "prefetch.medications"]
    assert answer(client, body) == (412, missing)


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


def test_an_order_that_names_nothing_is_told_where_nothing_else_can_be_said(client: FlaskClient) -> None:
    body = with_key("labs", bundle([observation({"b12_total": "420 pg/mL"}, TODAY)]))
    nameless = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    body["prefetch"]["medications"]["entry"].append({"resource": nameless})
    response = client.post(URL, json=body)
    assert response.status_code == 412
    assert "some MedicationRequest names nothing" in response.get_json()["issue"][0]["details"]["text"]
    body["prefetch"]["labs"] = bundle([observation({"b12_total": "142 pg/mL"}, TODAY)])
    assert answer(client, body)[0] == 200


def test_without_statements_a_card_says_so(client: FlaskClient) -> None:
    response = client.post(URL, json=with_key("statements", MISSING))
    assert "statements) were not supplied, only orders" in response.get_json()["cards"][0]["detail"]


def test_statements_alone_do_not_tell_what_is_ordered(client: FlaskClient) -> None:
    body = with_key("medications", MISSING, results=[{"b12_total": "420 pg/mL"}])
    assert decision(body)["absorption"] == "unknown"
    assert answer(client, body) == (412, ["prefetch.medications", "prefetch.statements"])


def test_orders_there_and_statements_failed_is_incomplete() -> None:
    assert decision(with_key("statements", outcome("error")))["absorption"] == "unknown"


def test_PREF_33_more_pages_mean_that_nothing_is_absent() -> None:
    paged = {**bundle([]), "link": [{"relation": "self", "url": "x"}, {"relation": "Next", "url": "y"}]}
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
        "prefetch.statements",
    ]
    assert {note["key"] for note in found["data_quality"]} == {"query_unasked", "statements_absent"}


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
        {"resource": {"resourceType": "Condition "}},
        {"resource": {"resourceType": "Encounter"}},
        {"resource": {"resourceType": "Observation", "code": 5, "subject": {"reference": f"Patient/{PATIENT}"}}},
        {"resource": {"resourceType": "Observation", "code": {"coding": [None, {"code": 7}, {"system": [], "code": "2132-9"}]}}},
        {"resource": {"resourceType": "Observation", "code": {"coding": "x"}, "component": [7, {"code": {}}]}},
    ],
)
def test_one_malformed_entry_among_good_ones_costs_only_itself(client: FlaskClient, odd: Any) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"].insert(0, odd)
    assert answer(client, body) == (200, ["B12Regimen"])


@pytest.mark.parametrize(
    "odd",
    [
        5,
        None,
        {},
        {"search": {"mode": "match"}},
        {"resource": None},
        {"resource": "text"},
        {"resource": {}},
        {"resource": {"resourceType": None}},
        {"resource": {"resourceType": "observation", "id": "o"}},
        {"resource": {"resourceType": "Observation ", "id": "o"}},
        {"resource": {"resourceType": "bundle"}},
        {"resource": {"resourceType": "?"}},
    ],
)
def test_PREF_33_an_unreadable_entry_is_counted_and_may_be_the_one_that_matters(odd: Any) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"] += [odd, odd]
    decided = decision(body)
    assert (decided["b12_status"], decided["facts"]["folate_results"]) == ("deficient", None)
    assert decided["data_quality"] == [
        {"key": "entry_unreadable", "resource": "prefetch.labs", "text": "2 entries could not be read"},
        {"key": "query_incomplete", "resource": "prefetch.labs", "text": "The result was supplied in part only"},
    ]


@pytest.mark.parametrize("kind", ["Encounter", "Provenance", "MedicationDispense", "FamilyMemberHistory"])
def test_PREF_30_entries_of_types_nobody_reads_are_passed_over(kind: str) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"].append({"resource": {"resourceType": kind, "id": "x", "period": 10**30}})
    assert decision(body)["data_quality"] == []
    assert decision(body)["facts"]["folate_results"] == []


def test_JSON_10_a_number_beyond_all_bounds_costs_the_entry_that_holds_it() -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"].append({"resource": {"resourceType": "Observation", "status": "!"}})
    raw = json.dumps(body).replace('"!"', "1e999").encode()
    assert [note.key for note in engine().evaluate(raw, TODAY).decision.chart.notes] == ["entry_unreadable", "query_incomplete"]


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


def test_VAL_27_a_fragment_of_this_patient_is_this_patient() -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"][0]["resource"]["subject"] = {"reference": f"Patient/{PATIENT}#name"}
    assert decision(body)["b12_status"] == "deficient"


def test_a_result_that_names_nobody_is_used_with_a_note() -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"][0]["resource"]["subject"] = None
    content = decision(body)
    assert content["b12_status"] == "deficient"
    assert [note["key"] for note in content["data_quality"]] == ["no_subject"]


OWN = {"reference": f"Patient/{PATIENT}"}
OTHER = {"reference": "Patient/p-999"}


@pytest.mark.parametrize(
    "whose",
    [
        {"subject": [OTHER]},
        {"subject": [OWN]},
        {"subject": {"reference": ["Patient/p-999"]}},
        {"subject": {"reference": {"reference": "Patient/p-999"}}},
        {"subject": {"Reference": f"Patient/{PATIENT}"}},
        {"subject": {"identifier": {"system": "urn:mrn", "value": "1"}}},
        {"subject": {"display": "Somebody Else"}},
        {"subject": {}},
        {"subject": ""},
        {"subject": 5},
        {"subject": True},
        {"subject": {"reference": "#contained"}},
        {"subject": {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}},
        {"subject": {"reference": "Patient/"}},
        {"subject": {}, "patient": OTHER},
        {"subject": OWN, "patient": OTHER},
        {"subject": OTHER, "patient": OWN},
    ],
)
def test_VAL_26_who_is_named_in_no_way_we_can_resolve_is_not_this_patient(client: FlaskClient, whose: dict[str, Any]) -> None:
    body = request(DEFICIENT)
    strange = {**body["prefetch"]["labs"]["entry"][0]["resource"], **whose}
    body["prefetch"]["labs"] = bundle([strange])
    assert answer(client, body) == (412, ["prefetch.labs"])
    own = observation({"b12_total": "420 pg/mL"}, TODAY)
    body["prefetch"]["labs"] = bundle([{**strange, "id": own["id"]}, own])
    decided = decision(body)
    assert [sample["value"] for sample in decided["facts"]["b12_total_results"] or ()] == [420]
    assert decided["facts"]["folate_results"] is None, "it may have been the patient's after all"
    assert [note["key"] for note in decided["data_quality"]] == ["query_incomplete", "other_patient"]


def test_VAL_26_a_result_that_plainly_is_another_s_leaves_the_answer_complete() -> None:
    body = request(DEFICIENT)
    own = body["prefetch"]["labs"]["entry"][0]["resource"]
    low = {**observation({"b12_total": "900 pg/mL"}, TODAY), "id": own["id"], "subject": OTHER, "patient": OTHER}
    body["prefetch"]["labs"] = bundle([low, own])
    decided = decision(body)
    assert (decided["b12_status"], decided["facts"]["folate_results"]) == ("deficient", [])
    assert [note["key"] for note in decided["data_quality"]] == ["other_patient"]


def test_VAL_26_statements_of_somebody_else_do_not_fail_the_orders(client: FlaskClient) -> None:
    body = request(
        {
            **DEFICIENT,
            "results": [{"b12_total": "420 pg/mL"}],
            "medicines": [{"drug": "omeprazole", "since": 9, "kind": "statement"}],
        }
    )
    body["prefetch"]["statements"]["entry"][0]["resource"]["subject"] = OTHER
    assert answer(client, body)[0] == 200
    assert "medicines: incomplete" in decision(body)["could_not_assess"][0]["because"]


def test_VAL_26_our_own_key_says_who_the_patient_is() -> None:
    body = request(DEFICIENT)
    child = {**body["prefetch"]["patient"], "birthDate": "2020-01-01"}
    body["prefetch"] = {"encounterBundle": bundle([child]), **body["prefetch"]}
    decided = decision(body)
    assert decided["facts"]["age_years"] == 72
    assert [note["key"] for note in decided["data_quality"]] == ["query_unasked", "same_id"]


FEW_AND_MANY = pytest.mark.parametrize("beside", [0, 6])
"""Other results: few are kept one by one, many at a stroke where that can be."""


def counts(number: int) -> list[dict[str, Any]]:
    """So many blood counts."""
    return [{"haemoglobin": "13.1 g/dL", "days_ago": day} for day in range(1, number + 1)]


@FEW_AND_MANY
@pytest.mark.parametrize("identity", ["", None])
def test_VAL_26_an_empty_id_is_no_id(identity: str | None, beside: int) -> None:
    body = request({**DEFICIENT, "results": [{"b12_total": "142 pg/mL"}, {"b12_total": "150 pg/mL"}, *counts(beside)]})
    for entry in body["prefetch"]["labs"]["entry"]:
        entry["resource"]["id"] = identity
    decided = decision(body)
    assert len(decided["facts"]["b12_total_results"]) == 2
    assert decided["data_quality"] == []


@FEW_AND_MANY
def test_the_same_resource_in_two_keys_counts_once(beside: int) -> None:
    body = request({**DEFICIENT, "results": [{"b12_total": "1200 pg/mL"}, *counts(beside)]})
    body["prefetch"]["recent"] = body["prefetch"]["labs"]
    assert [len(decision(body)["facts"][name]) for name in ("b12_total_results", "b12_results")] == [1, 1]


@FEW_AND_MANY
def test_two_resources_of_one_id_are_both_read_and_told(beside: int) -> None:
    body = request({**DEFICIENT, "results": [{"b12_total": "420 pg/mL"}, *counts(beside)]})
    low = observation({"b12_total": "150 pg/mL"}, TODAY)
    low["id"] = body["prefetch"]["labs"]["entry"][0]["resource"]["id"]
    body["prefetch"]["labs"]["entry"] += [{"resource": low}, {"resource": low}]
    decided = decision(body)
    assert decided["b12_status"] == "deficient"
    assert len(decided["facts"]["b12_total_results"]) == 2
    assert [note["key"] for note in decided["data_quality"]] == ["same_id"]


def test_VAL_26_results_of_somebody_else_alone_are_missing_results(client: FlaskClient) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["labs"]["entry"][0]["resource"]["subject"]["reference"] = "Patient/p2"
    assert answer(client, body) == (412, ["prefetch.labs"])
    assert [note["key"] for note in decision(body)["data_quality"]] == ["query_garbage", "other_patient"]


@pytest.mark.parametrize(
    ("members", "died", "why"),
    [
        ({}, False, []),
        ({"deceasedBoolean": False}, False, []),
        ({"deceasedBoolean": None}, False, []),
        ({"deceasedBoolean": True}, True, []),
        ({"deceasedBoolean": "false"}, False, []),
        ({"deceasedBoolean": " False "}, False, []),
        ({"deceasedBoolean": "", "deceasedDateTime": ""}, False, []),
        ({"deceasedBoolean": "true"}, True, []),
        ({"deceasedBoolean": "no"}, True, ["deceased_unclear"]),
        ({"deceasedBoolean": False, "deceasedDateTime": "2026"}, True, []),
        ({"deceasedBoolean": 0}, True, ["deceased_unclear"]),
        ({"deceasedDateTime": "2026"}, True, []),
        ({"deceasedDateTime": 2026}, True, ["deceased_unclear"]),
        ({"deceasedDateTime": {"value": "2026"}}, True, ["deceased_unclear"]),
    ],
)
def test_a_death_is_not_overlooked_for_the_way_it_is_written(members: dict[str, Any], died: bool, why: list[str]) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["patient"].update(members)
    chart = engine().evaluate(json.dumps(body).encode(), TODAY).decision.chart
    assert (chart.patient.deceased, [note.key for note in chart.notes]) == (died, why)


def test_of_coded_elements_only_short_ones_are_remembered() -> None:
    read: list[int] = []
    meaning = remembered(lambda element: read.append(len(element)))
    for size in (2048, 2048, 2049, 2049):
        meaning(b"x" * size)
    assert read == [2048, 2049, 2049]
