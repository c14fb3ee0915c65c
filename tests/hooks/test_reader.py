"""FHIR as it is really sent, resource by resource."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.chart import Chart, Measurement, Medicine
from hooks.fhir.local import STANDARD, Local
from hooks.fhir.prefetch import unpack
from hooks.fhir.reader import Reader
from tests.patients import PATIENT, TODAY, bundle, engine, request


SUBJECT = {"subject": {"reference": f"Patient/{PATIENT}"}}
LOINC = "http://loinc.org"
B12 = {"code": {"coding": [{"system": LOINC, "code": "2132-9"}]}}
PG = {"value": 142, "unit": "pg/mL"}


def chart(*resources: dict[str, Any], local: Local = STANDARD) -> Chart:
    """The chart of a woman with these resources."""
    reader = Reader(engine().library, local)
    raw = {"patient": {"resourceType": "Patient", "id": PATIENT, "birthDate": "1950"}, "all": bundle(resources)}
    supplied = unpack({key: json.dumps(value).encode() for key, value in raw.items()}, PATIENT)
    patient = reader.patient(supplied, PATIENT)
    assert patient is not None
    return reader.chart(supplied, patient, PATIENT, TODAY)


def observed(**members: Any) -> dict[str, Any]:
    base = {"resourceType": "Observation", "id": "o1", "status": "final", **SUBJECT, **B12, "effectiveDateTime": "2026-11-01"}
    return {name: value for name, value in {**base, **members}.items() if value is not ...}


def results(found: Chart, concept: str = "b12_total") -> list[str]:
    return [m.reported for m in found.records.get(concept, ()) if isinstance(m, Measurement)]


def notes(found: Chart) -> list[str]:
    return [note.key for note in found.notes if note.reference.startswith("Observation") or note.concept]


@pytest.mark.parametrize(
    ("members", "reported"),
    [
        ({"valueQuantity": PG}, ["142 pg/mL"]),
        ({"valueQuantity": {**PG, "system": "http://unitsofmeasure.org", "code": "pg/mL"}}, ["142 pg/mL"]),
        ({"valueQuantity": {"value": 142, "system": "http://unitsofmeasure.org", "code": "pg/mL"}}, ["142 pg/mL"]),
        ({"valueQuantity": {"value": 142, "unit": "pg/mL", "system": "http://example.org/units", "code": "77"}}, ["142 pg/mL"]),
        ({"valueQuantity": {"value": "142", "unit": "pg/mL"}}, ["142 pg/mL"]),
        ({"valueQuantity": {"value": 142, "unit": "pg/mL", "comparator": "<"}}, ["<142 pg/mL"]),
        ({"valueQuantity": {"value": 142.50, "unit": "ng/L"}}, ["142.5 ng/L"]),
        ({"valueString": "> 2000 pg/mL"}, [">2,000 pg/mL"]),
        ({"valueString": "＞２０００ pg/mL"}, [">2,000 pg/mL"]),
        ({"valueString": "&lt;150 pg/mL"}, ["<150 pg/mL"]),
        ({"valueString": "148 pg/mL (L)"}, ["148 pg/mL"]),
        ({"status": "corrected", "valueQuantity": PG}, ["142 pg/mL"]),
        ({"status": "Final ", "valueQuantity": PG}, ["142 pg/mL"]),
        ({"code": {"text": "Vitamin B12"}, "valueQuantity": PG}, ["142 pg/mL"]),
        ({"code": {"coding": [{"display": "维生素B12", "system": "http://his.example.cn", "code": "1"}]}, "valueQuantity": PG}, ["142 pg/mL"]),
        ({"code": {"coding": [{"system": LOINC, "code": "16695-9"}], "text": "Cobalamin, serum"}, "valueQuantity": PG}, ["142 pg/mL"]),
        ({"code": {"coding": [{"system": LOINC, "code": "16695-9"}]}, "specimen": {"display": "Plasma"}, "valueQuantity": PG}, ["142 pg/mL"]),
    ],
)  # fmt: skip
def test_results_that_are_read(members: dict[str, Any], reported: list[str]) -> None:
    found = chart(observed(**members))
    assert results(found) == reported
    assert notes(found) == []


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"valueQuantity": {"value": 142}}, ["unit_missing"]),
        ({"valueQuantity": {"value": 142, "unit": "pg/mL", "code": "nmol/L"}}, ["unit_conflict"]),
        ({"valueQuantity": {"value": 142, "unit": "pg/mL", "code": "wat"}}, ["unit_conflict"]),
        ({"valueQuantity": {"value": 142, "unit": "U/L"}}, ["unit"]),
        ({"valueQuantity": {"value": 142, "unit": "pg/mL", "comparator": "<>"}}, ["comparator"]),
        ({"valueQuantity": {"value": 19, "unit": "pg/mL"}}, ["implausible"]),
        ({"valueQuantity": {"value": 60, "unit": "ng/mL"}}, ["implausible"]),
        ({"valueQuantity": {"value": True, "unit": "pg/mL"}}, ["no_value"]),
        ({"valueQuantity": {"value": "a lot", "unit": "pg/mL"}}, ["no_value"]),
        ({"valueQuantity": {"value": 10**400, "unit": "pg/mL"}}, ["no_value"]),
        ({"valueQuantity": {"unit": "pg/mL"}}, ["no_value"]),
        ({"valueString": "See note"}, ["no_value"]),
        ({"valueString": "148-190 pg/mL"}, ["no_value"]),
        ({"valueInteger": 142}, ["unit_missing"]),
        ({}, ["no_value"]),
        ({"status": "preliminary", "valueQuantity": PG}, ["status"]),
        ({"status": "entered-in-error ", "valueQuantity": PG}, ["status"]),
        ({"status": ..., "valueQuantity": PG}, ["status"]),
        ({"effectiveDateTime": "2027-01-01", "valueQuantity": PG}, ["future"]),
        ({"code": {"coding": [{"system": LOINC, "code": "16695-9"}]}, "valueQuantity": PG}, []),
        ({"code": {"coding": [{"system": LOINC, "code": "2171-7"}], "text": "Vitamin B12 binding"}, "valueQuantity": PG}, []),
        ({"code": {"text": "Vitamin B12 binding capacity"}, "valueQuantity": PG}, []),
        ({"code": {"text": "Suspected: vitamin B12"}, "valueQuantity": PG}, []),
        ({"valueQuantity": {"value": 142, "unit": "pg/mL", "comparator": 5}}, ["comparator"]),
        ({"code": ...}, ["unnamed"]),
        ({"code": {"coding": [{"system": 5, "code": 5}], "text": 5}}, ["unnamed"]),
    ],
)
def test_results_that_are_not(members: dict[str, Any], why: list[str]) -> None:
    found = chart(observed(**members))
    assert results(found) == []
    assert notes(found) == why


@pytest.mark.parametrize(
    ("members", "day"),
    [
        ({"effectiveDateTime": "2026-10"}, "2026-10"),
        ({"effectiveDateTime": ..., "effectivePeriod": {"start": "2026-10-01", "end": "2026-10-03"}}, "2026-10-03"),
        ({"effectiveDateTime": ..., "effectivePeriod": {"start": "2026-10-01"}}, "2026-10-01"),
        ({"effectiveDateTime": ..., "effectiveInstant": "2026-10-01T10:00:00Z"}, "2026-10-01"),
        ({"effectiveDateTime": ..., "issued": "2026-10-02T10:00:00Z"}, "2026-10-02"),
        ({"effectiveDateTime": "soon", "issued": "2026-10-02T10:00:00Z"}, "2026-10-02"),
        ({"effectiveDateTime": "2026-11-22"}, "2026-11-22"),
        ({"effectiveDateTime": ...}, "None"),
    ],
)
def test_the_day_of_a_result(members: dict[str, Any], day: str) -> None:
    found = chart(observed(valueQuantity=PG, **members))
    assert [str(record.day) for record in found.records["b12_total"]] == [day]
    released = "issued" in members
    assert notes(found) == (["undated"] if day == "None" else ["date_issued"] if released else [])


def test_newest_first_and_the_undated_last() -> None:
    found = chart(
        observed(id="a", valueQuantity={**PG, "value": 100}, effectiveDateTime="2025-01-01"),
        observed(id="b", valueQuantity={**PG, "value": 200}, effectiveDateTime=...),
        observed(id="c", valueQuantity={**PG, "value": 300}),
    )
    assert results(found) == ["300 pg/mL", "100 pg/mL", "200 pg/mL"]


def test_components_are_read_like_results() -> None:
    panel = observed(code={"text": "B12 and folate"}, component=[{**B12, "valueQuantity": PG}, {"code": {"text": "Heart rate"}}])
    assert results(chart(panel)) == ["142 pg/mL"]


@pytest.mark.parametrize(
    ("reference_range", "limit"),
    [
        ([{"high": {"value": 0.4, "unit": "umol/L"}}], 0.4),
        ([{"high": {"value": 400, "unit": "nmol/L"}}], 0.4),
        ([{"high": {"value": 0.4}}], 0.4),
        ([{"high": {"value": 0.4, "unit": "mg/dL"}}], None),
        ([{"low": {"value": 0.1}}], None),
        ([{"high": {"value": 0.4}}, {"high": {"value": 0.3}}], None),
        ([], None),
        (None, None),
    ],
)
def test_the_laboratorys_own_limit_for_mma(reference_range: Any, limit: float | None) -> None:
    mma = {"coding": [{"system": LOINC, "code": "13964-2"}]}
    found = chart(observed(code=mma, valueQuantity={"value": 0.3, "unit": "umol/L"}, referenceRange=reference_range))
    (record,) = found.records["mma"]
    assert isinstance(record, Measurement)
    assert record.upper_limit == limit


def interpreted(code: str) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
    return {"interpretation": [{"coding": [{"system": system, "code": code}]}]}


@pytest.mark.parametrize(
    ("members", "positive"),
    [
        ({"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "10828004"}]}}, True),
        ({"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "260385009"}]}}, False),
        ({"valueCodeableConcept": {"text": "阳性"}}, True),
        ({"valueString": "not detected"}, False),
        ({"valueString": "Negative"}, False),
        (interpreted("POS"), True),
        ({"valueBoolean": True}, True),
        ({"valueQuantity": {"value": 30, "unit": "U/mL"}, "referenceRange": [{"high": {"value": 20, "unit": "U/mL"}}]}, True),
        ({"valueQuantity": {"value": 3, "unit": "U/mL"}, "referenceRange": [{"high": {"value": 20, "unit": "U/mL"}}]}, False),
        ({"valueQuantity": {"value": 30, "unit": "U/mL"}, "referenceRange": [{"high": {"value": 20, "unit": "kU/L"}}]}, None),
        ({"valueString": "borderline"}, None),
        ({"valueString": "Antibody none present"}, False),
        ({"valueQuantity": {"value": 5, "unit": "AU/mL"}, **interpreted("H")}, True),
        ({"valueQuantity": {"value": 5, "unit": "AU/mL"}, **interpreted("AA")}, True),
        ({"valueQuantity": {"value": 1, "unit": "AU/mL"}, **interpreted("N")}, False),
        ({"valueQuantity": {"value": 1, "unit": "AU/mL"}, **interpreted("NEG")}, False),
        ({"valueQuantity": {"value": 5, "unit": "AU/mL"}}, None),
        ({"valueString": "Negative", **interpreted("A")}, False),
    ],
)  # fmt: skip
def test_answers(members: dict[str, Any], positive: bool | None) -> None:
    antibody = {"coding": [{"system": LOINC, "code": "31444-3"}]}
    found = chart(observed(code=antibody, **members))
    (record,) = found.records["intrinsic_factor_antibody"]
    assert record.positive is positive  # type: ignore[attr-defined]
    assert notes(found) == (["answer"] if positive is None else [])


def problem(**members: Any) -> dict[str, Any]:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "84027009"}]}
    return {"resourceType": "Condition", "id": "c1", "code": code, **SUBJECT, **members}


@pytest.mark.parametrize(
    ("members", "counts", "why"),
    [
        ({}, True, []),
        ({"clinicalStatus": {"coding": [{"code": "active"}]}}, True, []),
        ({"clinicalStatus": "active", "verificationStatus": "confirmed"}, True, []),
        ({"clinicalStatus": {"coding": [{"code": "present"}]}}, True, ["status_unknown"]),
        ({"verificationStatus": {"coding": [{"code": "unconfirmed"}]}}, True, ["unconfirmed"]),
        ({"verificationStatus": {"coding": [{"code": "differential"}]}}, False, ["verification"]),
        ({"verificationStatus": {"text": "Entered-in-error"}}, False, ["verification"]),
        ({"verificationStatus": {"coding": [{"display": "Wrong"}], "text": "refuted"}}, False, ["verification"]),
        ({"code": {"text": "?恶性贫血"}}, False, ["doubted"]),
        ({"code": {"coding": [{"display": None}], "text": "恶性贫血"}}, True, []),
        ({"code": {"text": "Rule out pernicious anemia"}}, False, ["doubted"]),
        ({"code": {"text": "Possible pernicious anemia", "coding": [{"display": "Pernicious anemia"}]}}, False, ["doubted"]),
        ({"code": {"coding": [{"display": "Pernicious anemia", "system": "urn:local", "code": "1"}]}}, True, []),
    ],
)
def test_problems(members: dict[str, Any], counts: bool, why: list[str]) -> None:
    found = chart(problem(**members))
    assert bool(found.records.get("pernicious_anaemia")) is counts
    assert notes(found) == why


@pytest.mark.parametrize(
    ("members", "certain", "why"),
    [
        ({"code": {"text": "Subacute combined degeneration"}}, [True], []),
        ({"code": {"text": "Suspected subacute combined degeneration"}}, [False], [("unconfirmed", "only suspected")]),
        ({"code": {"text": "脊髓亚急性联合变性?"}}, [False], [("unconfirmed", "only suspected")]),
        (
            {"code": {"text": "Myelopathy?"}, "verificationStatus": {"text": "provisional"}},
            [False],
            [("unconfirmed", "provisional")],
        ),
        (
            {"code": {"text": "Myelopathy"}, "verificationStatus": {"text": "differential"}},
            [False],
            [("unconfirmed", "differential")],
        ),
        ({"code": {"text": "Myelopathy ruled out"}}, [], [("doubted", "")]),
        ({"code": {"text": "Suspected myelopathy"}, "clinicalStatus": {"text": "resolved"}}, [], [("inactive", "resolved")]),
        ({"code": {"text": "Suspected myelopathy", "coding": [{"display": "Myelopathy excluded"}]}}, [], [("doubted", "")]),
    ],
)
def test_a_suspected_red_flag_is_not_silenced(members: dict[str, Any], certain: list[bool], why: list[tuple[str, str]]) -> None:
    found = chart(problem(**members))
    assert [record.certain for record in found.records.get("neuro_major", ())] == certain  # type: ignore[attr-defined]
    assert [(note.key, note.detail) for note in found.notes if note.concept] == why


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("S/P total gastrectomy", {"gastric_surgery_status": True, "total_gastrectomy_status": True}),
        ("Possible total gastrectomy", {"gastric_surgery_status": True}),
        ("No gastrectomy", {"gastric_surgery_status": True}),
        ("Suspected myelopathy after gastrectomy", {"gastric_surgery_status": True, "neuro_major": False}),
        ("", {"gastric_surgery_status": True}),
    ],
)
def test_words_beside_a_code_add_to_it_and_deny_nothing(text: str, concepts: dict[str, bool]) -> None:
    coded = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z90.3"}], "text": text}
    found = chart(problem(code=coded))
    assert {name: r[0].certain for name, r in found.records.items()} == concepts  # type: ignore[attr-defined]
    assert "doubted" not in notes(found)


@pytest.mark.parametrize("kind", ["Condition", "Procedure", "AllergyIntolerance", "Observation"])
@pytest.mark.parametrize("code", [None, {}, [], 5, "Pernicious anaemia", {"coding": [{"system": 5, "code": 5}], "text": 5}])
def test_what_names_nothing_may_be_anything(kind: str, code: Any) -> None:
    resource = {"resourceType": kind, "id": "x", "status": "final", "code": code, **SUBJECT}
    found = chart(resource)
    worded = kind == "Observation" and isinstance(code, str)
    assert [note.reference for note in found.notes if note.key == "unnamed"] == ([] if worded else [f"{kind}/x"])


def test_a_name_without_end_is_not_read_to_its_end() -> None:
    found = chart(problem(code={"text": "ileal resection " + "1" * 100_000 + " cm pernicious anaemia"}))
    assert found.records == {}


def test_an_abatement_without_a_status_is_a_resolution() -> None:
    coeliac = {"coding": [{"system": "http://snomed.info/sct", "code": "396331005"}]}
    assert notes(chart(problem(code=coeliac, abatementDateTime="2020"))) == ["inactive"]
    assert notes(chart(problem(code=coeliac, abatementPeriod={"end": "2020"}))) == ["inactive"]
    assert notes(chart(problem(code=coeliac))) == []


@pytest.mark.parametrize(
    ("members", "done"),
    [
        ({"status": "completed", "performedDateTime": "2009"}, True),
        ({"performedPeriod": {"start": "2009-01", "end": "2009-02"}}, True),
        ({"status": "completed", "occurrenceDateTime": "2009-05-01"}, True),
        ({"status": "not-done"}, False),
        ({"status": "completed", "notDone": True}, False),
        ({"status": "in-progress"}, False),
    ],
)
def test_procedures(members: dict[str, Any], done: bool) -> None:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "26452005"}]}
    found = chart({"resourceType": "Procedure", "id": "x", "code": code, **SUBJECT, **members})
    assert bool(found.records) is done
    assert notes(found) == ([] if done else ["not_done"])


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"performedDateTime": "2026-11-22"}, []),
        ({"performedDateTime": "2026"}, []),
        ({"performedDateTime": "2026-12-01"}, [("future", "2026-12-01")]),
        ({"occurrencePeriod": {"start": "2027-01"}}, [("future", "2027-01")]),
    ],
)
def test_what_is_dated_ahead_was_not_done(members: dict[str, Any], why: list[tuple[str, str]]) -> None:
    code = {"text": "Total gastrectomy"}
    found = chart({"resourceType": "Procedure", "id": "x", "status": "completed", "code": code, **SUBJECT, **members})
    assert bool(found.records) is not bool(why)
    assert [(note.key, note.detail) for note in found.notes if note.concept] == why


@pytest.mark.parametrize(
    ("text", "length", "complete"),
    [
        ("Ileal resection", None, False),
        ("Ileal resection, 8 cm", 8, False),
        ("Ileal resection 250 mm", 25, False),
        ("回肠切除２５厘米", 25, False),
        ("Ileal resection, 60 cm from ligament of Treitz, 8 cm removed", None, False),
        ("Ileal resection 15-25 cm", None, False),
        ("Ileal resection 20 cm (20 cm)", 20, False),
        ("Complete resection of terminal ileum", None, True),
        ("Ileal resection, entire ileum", None, True),
        ("全部回肠切除", None, True),
        ("Ileocolic resection with complete mesocolic excision", None, False),
        ("末端回肠切除,肠梗阻完全解除", None, False),
    ],
)
def test_how_much_ileum_was_taken(text: str, length: float | None, complete: bool) -> None:
    found = chart({"resourceType": "Procedure", "id": "x", "code": {"text": text}, **SUBJECT})
    (record,) = found.records["ileal_resection"]
    assert (record.length_cm, record.complete) == (length, complete)  # type: ignore[attr-defined]


def test_a_planned_or_doubted_operation_in_words_is_no_operation() -> None:
    found = chart({"resourceType": "Procedure", "id": "x", "code": {"text": "Possible total gastrectomy"}, **SUBJECT})
    assert notes(found) == ["doubted"]


def test_a_procedure_that_matters_to_nobody_leaves_no_trace() -> None:
    assert notes(chart({"resourceType": "Procedure", "id": "x", "code": {"text": "Appendectomy"}, **SUBJECT})) == []


@pytest.mark.parametrize(
    ("members", "counts", "why"),
    [
        ({"code": {"text": "cyanocobalamin"}}, True, []),
        ({"substance": {"text": "钴过敏"}}, True, []),
        ({"code": {"text": "cyanocobalamin"}, "status": "confirmed"}, True, []),
        ({"code": {"text": "cyanocobalamin"}, "clinicalStatus": {"coding": [{"code": "inactive"}]}}, False, ["inactive"]),
        ({"code": {"text": "cyanocobalamin"}, "verificationStatus": {"coding": [{"code": "refuted"}]}}, False, ["inactive"]),
        ({"code": {"text": "No known allergy"}}, False, []),
        ({"code": {"text": "No allergy to cyanocobalamin"}}, False, ["doubted"]),
        ({"code": {"text": "Possible allergy to cyanocobalamin"}}, True, ["unconfirmed"]),
        (
            {"code": {"text": "cyanocobalamin"}, "verificationStatus": {"coding": [{"code": "unconfirmed"}]}},
            True,
            ["unconfirmed"],
        ),
        ({"code": {"text": "Drug reaction"}, "reaction": [{"substance": {"text": "hydroxocobalamin"}}]}, True, []),
        ({"code": {"text": "Vitamin B12"}, "reaction": [{"substance": {"text": "hydroxocobalamin"}}]}, True, []),
        ({"code": {"text": "Drug reaction"}, "reaction": [{"manifestation": [{"text": "Rash"}]}]}, False, []),
        ({"code": {"text": "Vitamin B complex (Neurobion)"}}, True, []),
    ],
)
def test_allergies(members: dict[str, Any], counts: bool, why: list[str]) -> None:
    found = chart({"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": f"Patient/{PATIENT}"}, **members})
    assert bool(found.records) is counts
    assert notes(found) == why


def ordered(**members: Any) -> dict[str, Any]:
    base = {"resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order", **SUBJECT}
    return {
        **base,
        "authoredOn": "2025-01-01",
        "medicationCodeableConcept": {"text": "cyanocobalamin 1000 mcg tablet"},
        **members,
    }


def medicine(found: Chart, concept: str = "b12") -> Medicine:
    (record,) = found.records[concept]
    assert isinstance(record, Medicine)
    return record


MEDICATION = {
    "resourceType": "Medication",
    "id": "drug",
    "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "309593"}]},
}


@pytest.mark.parametrize(
    ("members", "siblings"),
    [
        ({"medicationReference": {"reference": "#drug"}, "contained": [MEDICATION]}, []),
        ({"medicationReference": {"reference": "Medication/drug"}}, [MEDICATION]),
        ({"medicationReference": {"reference": "https://ehr.example.org/Medication/drug"}}, [MEDICATION]),
        ({"medicationReference": {"reference": "Medication/gone", "display": "cyanocobalamin 1000 mcg tablet"}}, []),
        ({"medication": {"concept": {"text": "cyanocobalamin 1000 mcg tablet"}}}, []),
        ({"medication": {"reference": {"reference": "Medication/drug"}}}, [MEDICATION]),
    ],
)
def test_VAL_21_a_medicine_is_found_wherever_it_stands(members: dict[str, Any], siblings: list[dict[str, Any]]) -> None:
    found = medicine(chart(ordered(medicationCodeableConcept=None, **members), *siblings))
    assert found.form == "cyanocobalamin"
    assert found.strengths["b12"].ug == 1000


@pytest.mark.parametrize(
    ("members", "current", "start", "end"),
    [
        ({}, True, "2025-01-01", None),
        ({"status": "completed"}, False, "2025-01-01", None),
        ({"status": "on-hold"}, False, "2025-01-01", None),
        ({"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": "2025-02", "end": "2025-03-01"}}}}]}, False, "2025-02", "2025-03-01"),
        ({"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": "2027-03-01"}}}}]}, True, "2025-01-01", "2027-03-01"),
        ({"authoredOn": "2026-12-01"}, False, "2026-12-01", None),
    ],
)  # fmt: skip
def test_courses_of_orders(members: dict[str, Any], current: bool, start: str, end: str | None) -> None:
    found = medicine(chart(ordered(**members)))
    assert (found.current, str(found.day), found.end and str(found.end)) == (current, start, end)


@pytest.mark.parametrize(
    "members", [{"status": "entered-in-error"}, {"status": "cancelled"}, {"status": "draft"}, {"doNotPerform": True}]
)
def test_orders_that_are_none(members: dict[str, Any]) -> None:
    found = chart(ordered(**members))
    assert not found.records
    assert notes(found) == ["not_taken"]


def stated(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": "s1",
        "status": "active",
        **SUBJECT,
        "medicationCodeableConcept": {"text": "cyanocobalamin"},
        **members,
    }


@pytest.mark.parametrize("members", [{"wasNotTaken": True}, {"taken": "n"}, {"status": "not-taken"}])
def test_statements_of_not_taking(members: dict[str, Any]) -> None:
    assert notes(chart(stated(**members))) == ["denied"]


@pytest.mark.parametrize(
    ("members", "start", "current", "why"),
    [
        ({"effectivePeriod": {"start": "2026-01-01"}}, "2026-01-01", True, []),
        ({"effectivePeriod": {"start": "2026-01-01", "end": "2026-02-01"}}, "2026-01-01", False, []),
        ({"effectiveDateTime": "2026-01-01"}, "2026-01-01", True, []),
        ({}, "None", True, ["start_unknown"]),
        ({"status": "present", "effectiveDateTime": "2026-01-01"}, "2026-01-01", True, ["status_unknown"]),
    ],
)
def test_courses_of_statements(members: dict[str, Any], start: str, current: bool, why: list[str]) -> None:
    found = chart(stated(**members))
    assert (str(medicine(found).day), medicine(found).current) == (start, current)
    assert notes(found) == why


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        (stated(), True),
        (stated(informationSource={"reference": "Patient/p1"}), True),
        (stated(informationSource={"reference": "RelatedPerson/7"}), True),
        (stated(informationSource={"reference": "Practitioner/7"}), False),
        (ordered(), False),
        (ordered(reportedBoolean=True), True),
        (ordered(reportedReference={"reference": "Patient/p1"}), True),
    ],
)
def test_who_told_us(resource: dict[str, Any], told: bool) -> None:
    assert medicine(chart(resource)).self_reported is told


@pytest.mark.parametrize(
    ("line", "amount", "unit", "per_day"),
    [
        ({"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "mg"}}], "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}}, 1000, "ug", 2),
        ({"doseAndRate": [{"type": {"coding": [{"code": "admin-amount"}]}, "doseQuantity": {"value": 2, "unit": "{tbl}"}},
                          {"type": {"coding": [{"code": "ordered"}]}, "doseQuantity": {"value": 1000, "unit": "mcg"}}],
          "timing": {"code": {"coding": [{"code": "BID"}]}}}, 1000, "ug", 2),
        ({"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "tablet"}, "high": {"value": 2, "unit": "tablet"}}}],
          "timing": {"repeat": {"frequency": 1, "frequencyMax": 3, "period": 1, "periodUnit": "d"}}}, 2, "unit", 3),
        ({"doseQuantity": {"value": 1, "code": "mL"}, "timing": {"repeat": {"period": 4, "periodUnit": "wk"}}}, 1, "mL", 1 / 28),
        ({"quantity": {"value": 1, "unit": "tablet"}, "timing": {"repeat": {"dayOfWeek": ["mon", "thu"]}}}, 1, "unit", 2 / 7),
        ({"text": "1 tablet daily"}, 1, "unit", 1),
        ({"patientInstruction": "1 tablet daily"}, 1, "unit", 1),
        ({"text": "twice daily", "doseQuantity": {"value": 1, "unit": "tablet"}}, 1, "unit", 2),
        ({"doseQuantity": {"value": 1, "unit": "tablet"}, "timing": {"code": {"text": "every other day"}}}, 1, "unit", 0.5),
        ({"doseQuantity": {"value": 1000, "unit": "IU"}, "timing": {"code": {"text": "daily"}}}, None, None, 1),
        ({"doseQuantity": {"value": 1, "unit": "tablet"}, "timing": {"repeat": {"frequency": 1}}}, 1, "unit", None),
        ({"doseQuantity": {"value": 1}, "timing": {"repeat": {"count": 3}}}, None, None, None),
        ({"text": "1 tablet", "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}}, 1, "unit", 2),
        ({"text": "daily", "doseQuantity": {"value": 1, "unit": "tablet"}, "timing": {"code": {"coding": [{"code": "C"}]}}}, 1, "unit", 1),
        ({}, None, None, None),
    ],
)  # fmt: skip
def test_dosage(line: dict[str, Any], amount: float | None, unit: str | None, per_day: float | None) -> None:
    (dosage,) = medicine(chart(ordered(dosageInstruction=[line]))).dosages
    assert (dosage.amount, dosage.unit) == (amount, unit)
    assert dosage.per_day == (None if per_day is None else pytest.approx(per_day))


@pytest.mark.parametrize(
    ("members", "route"),
    [
        ({"dosageInstruction": [{"route": {"coding": [{"system": "http://snomed.info/sct", "code": "78421000"}]}}]}, "intramuscular"),
        ({"dosageInstruction": [{"route": {"text": "under the tongue"}}]}, "sublingual"),
        ({"dosageInstruction": [{"text": "inject 1 mL SC weekly"}], "medicationCodeableConcept": {"text": "cyanocobalamin injection"}}, "subcutaneous"),
        ({"medicationCodeableConcept": {"text": "甲钴胺注射液"}}, "intramuscular"),
        ({"medicationCodeableConcept": {"text": "cyanocobalamin 1000 mcg/mL vial"}}, "intramuscular"),
        ({"medicationCodeableConcept": {"text": "hydroxocobalamin 1 mg ampoule"}}, "intramuscular"),
        ({"medicationCodeableConcept": {"text": "hydroxocobalamin prefilled syringe"}}, "intramuscular"),
        ({"medicationCodeableConcept": {"text": "维生素B12 安瓿"}}, "intramuscular"),
        ({"medicationCodeableConcept": {"text": "vitamin B12 drinkable vial"}}, "oral"),
        ({"medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "861113"}]}}, "nasal"),
        ({"medicationCodeableConcept": {"text": "cyanocobalamin"}}, None),
    ],
)  # fmt: skip
def test_route(members: dict[str, Any], route: str | None) -> None:
    assert medicine(chart(ordered(**members))).route == route


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("methylcobalamin 5 mg", "mecobalamin"),
        ("腺苷钴胺片", "adenosylcobalamin"),
        ("羟钴胺注射液", "hydroxocobalamin"),
        ("Vitamin B12", None),
    ],
)
def test_form(text: str, form: str | None) -> None:
    assert medicine(chart(ordered(medicationCodeableConcept={"text": text}))).form == form


def test_several_vitamins_in_one_product_are_a_combination() -> None:
    found = chart(
        ordered(medicationCodeableConcept={"text": "folic acid 2.5 MG / vitamin B12 2 MG / vitamin B6 25 MG Oral Tablet"})
    )
    assert set(found.records) == {"b12_combination"}
    assert medicine(found, "b12_combination").strengths["pyridoxine"].ug == 25000


def test_a_doubted_medicine_is_noted_and_not_counted() -> None:
    assert notes(chart(ordered(medicationCodeableConcept={"text": "no omeprazole"}))) == ["doubted"]


def test_partial_birth_date_is_noted() -> None:
    assert [(note.key, note.detail) for note in chart().notes] == [("partial_birth_date", "1950")]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["coding", "code", "system", "text", "value", "unit", "reference", "start", "x"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
BODY = request(
    {
        "age": 72,
        "problems": ["osteoporosis", "pernicious_anaemia"],
        "results": [{"b12_total": "142 pg/mL"}, {"intrinsic_factor_antibody": "positive"}],
        "medicines": [
            {"code": 309593, "since": 90, "dose": "1 tablet daily"},
            {"drug": "omeprazole", "since": 500, "kind": "statement"},
        ],
        "procedures": ["bariatric_surgery"],
        "allergies": ["cobalt"],
    }
)


@settings(max_examples=400)
@given(data=st.data())
def test_whatever_a_field_turns_into_the_request_is_answered(data: st.DataObject) -> None:
    body = json.loads(json.dumps(BODY))
    key = data.draw(st.sampled_from(["labs", "medications", "statements", "conditions", "procedures", "allergies"]))
    resource = data.draw(st.sampled_from(body["prefetch"][key]["entry"]))["resource"]
    member = data.draw(st.sampled_from([name for name in resource if name != "subject"]))
    if data.draw(st.booleans()):
        del resource[member]
    else:
        resource[member] = data.draw(JSON_VALUES)
    assert not engine().evaluate(json.dumps(body).encode(), TODAY).decision.failures
