"""Medicines, problems, procedures and allergies as hospitals send them, beyond what the other files of tests show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds.chart import Chart, Condition, Medicine
from cds.trace import why
from hooks.fhir.local import Local
from hooks.fhir.owncodes import ndc_forms
from hooks.fhir.prefetch import unpack
from hooks.fhir.reader import Reader
from hooks.report import report
from tests.hooks.test_reader import MEDICATION, SUBJECT, chart, medicine, notes, ordered, problem, stated
from tests.patients import PATIENT, TODAY, bundle, engine, evaluate, request


NDC = "http://hl7.org/fhir/sid/ndc"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
HIS = "http://his.example.cn/drug"
LOCAL = Local(
    codes={
        (HIS, "XY0012"): "ppi",
        ("urn:oid:2.16.840.1.113883.6.69", "0000-1234-05"): "b12",
        (NDC, "55111-682-01"): "metformin",
        (NDC, "1234567890"): "h2ra",
        (NDC, "12345-0678-90"): "pcab",
        (HIS, "ROUTE-3"): "intramuscular",
        (HIS, "D-9"): "osteoporosis",
        (HIS, "OP-1"): "total_gastrectomy",
        (HIS, "ALG-7"): "cobalt",
        ("urn:oid:2.16.840.1.113883.6.88", "999"): "ppi",
    }
)


def known(*resources: dict[str, Any], local: Local = LOCAL) -> Chart:
    """The chart of a woman at a client with codes of its own."""
    raw = {"patient": {"resourceType": "Patient", "id": PATIENT, "birthDate": "1950-06-15"}, "all": bundle(resources)}
    supplied = unpack({key: json.dumps(value).encode() for key, value in raw.items()}, PATIENT)
    reader = Reader(engine().library, local)
    patient = reader.patient(supplied, PATIENT)
    assert patient is not None
    return reader.chart(supplied, patient, PATIENT, TODAY)


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize(
    ("system", "code", "concepts"),
    [
        (HIS, "XY0012", {"ppi"}),
        (f" {HIS.upper()} ", " xy0012", {"ppi"}),
        (HIS, "XY001", set()),
        ("http://other.example.cn/drug", "XY0012", set()),
        (RXNORM, "999", {"ppi"}),
        (NDC, "00000-1234-05", {"b12"}),
        (NDC, "00000123405", {"b12"}),
        ("2.16.840.1.113883.6.69", "0000123405", {"b12"}),
        (NDC, "0000-1234-5", set()),
        (NDC, "55111068201", {"metformin"}),
        (NDC, "55111-0682-01", {"metformin"}),
        (NDC, "55111-682-1", set()),
        (NDC, "5511168201", {"metformin"}),
        (NDC, "12345-678-90", set()),  # two entries of the map, which mean two things
        (NDC, "a tablet", set()),
    ],
)
def test_a_clients_own_codes(system: str, code: str, concepts: set[str]) -> None:
    assert known(ordered(medicationCodeableConcept=coded(system, code))).records.keys() == concepts


@pytest.mark.parametrize(
    ("ndc", "forms"),
    [
        ("55111-682-01", ("55111068201",)),
        ("0069-4200-30", ("00069420030",)),
        ("12345-6789-1", ("12345678901",)),
        ("12345-6789-01", ("12345678901",)),
        (" 12345678901 ", ("12345678901",)),
        ("1234567890", ("01234567890", "12345067890", "12345678900")),
        ("123-45-6", ()),
        ("1234-567-89", ()),
        ("123456789", ()),
        ("١٢٣٤٥٦٧٨٩٠١", ()),
        ("", ()),
    ],
)
def test_the_forms_of_an_ndc(ndc: str, forms: tuple[str, ...]) -> None:
    assert ndc_forms(ndc) == forms


def test_own_codes_for_problems_procedures_allergies_and_routes() -> None:
    found = known(
        problem(code=coded(HIS, "d-9")),
        {"resourceType": "Procedure", "id": "x", "code": coded(HIS, "OP-1"), **SUBJECT},
        {"resourceType": "AllergyIntolerance", "id": "a", "code": coded(HIS, "ALG-7"), "patient": SUBJECT["subject"]},
        ordered(dosageInstruction=[{"route": coded(HIS, "ROUTE-3")}]),
    )
    assert found.records.keys() == {"osteoporosis", "total_gastrectomy", "cobalt", "b12"}
    assert medicine(found).route == "intramuscular"


def test_an_own_code_for_nothing_stops_the_start() -> None:
    with pytest.raises(ValueError, match="no such value set"):
        known(local=Local(codes={(HIS, "1"): "b13"}))


@pytest.mark.parametrize(
    "system",
    [
        "urn:oid:2.16.840.1.113883.6.96",
        "2.16.840.1.113883.6.96",
        "https://snomed.info/sct/",
        "http://snomed.info/sct|20240301",
        "http://snomed.info/sct/900000000000207008/version/20240301",
        "SNOMED CT",
    ],
)
def test_a_system_however_its_uri_is_spelt(system: str) -> None:
    assert known(problem(code=coded(system, "64859006"))).records.keys() == {"osteoporosis"}


@pytest.mark.parametrize(
    ("system", "code", "counts"),
    [
        ("http://hl7.org/fhir/sid/icd-10-cm", "M810", True),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "M81.00", True),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "m81.00 ", True),
        ("urn:oid:2.16.156.10011.2.3.3.11", "M81.000x001", True),
        ("urn:oid:2.16.156.10011.2.3.3.11.3", "M81.900", True),
        ("http://hl7.org/fhir/sid/icd-10", "M81.0", True),
        ("http://hl7.org/fhir/sid/icd-10-am", "M81.09", True),
        ("http://hl7.org/fhir/sid/icd-10-pcs", "M81", False),
        ("http://hl7.org/fhir/sid/icd-10", "M8", False),
        ("http://hl7.org/fhir/sid/icd-9-cm", "M81", False),
    ],
)
def test_ICD_10_in_its_national_variants(system: str, code: str, counts: bool) -> None:
    assert ("osteoporosis" in known(problem(code=coded(system, code))).records) is counts


@pytest.mark.parametrize(
    ("extension", "records", "why"),
    [
        ({"valueCoding": {"code": "G"}}, ["osteoporosis"], []),
        ({"valueCoding": {"code": "Z"}}, ["osteoporosis"], []),
        ({"valueCoding": {"code": "A"}}, [], ["doubted"]),
        ({"valueCoding": {"code": "V"}}, [], ["doubted"]),
        ({"valueCode": "a"}, [], ["doubted"]),
        ({}, ["osteoporosis"], []),
    ],
)
def test_what_german_claims_exclude(extension: dict[str, Any], records: list[str], why: list[str]) -> None:
    url = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
    coding = {"system": "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "code": "M81.0", "extension": [{"url": url, **extension}]}
    found = chart(problem(code={"coding": [coding]}))
    assert (list(found.records), notes(found)) == (records, why)


def test_other_extensions_of_a_code_say_nothing_of_it() -> None:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": "D51.0", "extension": [{"url": "http://x/y", "valueCode": "A"}]}
    assert chart(problem(code={"coding": [coding]})).records


def test_what_words_deny_beside_a_code_is_told() -> None:
    found = chart(problem(code={**coded("http://hl7.org/fhir/sid/icd-10-cm", "M81.0"), "text": "R/O osteoporosis"}))
    assert (list(found.records), notes(found)) == (["osteoporosis"], ["contradicted"])


@pytest.mark.parametrize("text", ["Family history of osteoporosis", "No evidence of osteoporosis", "Osteoporosis, rule-out",
                                  "R/O osteoporosis", "疑似骨质疏松症", "排除骨质疏松症", "骨质疏松症家族史", "骨质疏松症待排"])  # fmt: skip
def test_words_that_are_no_evidence_are_noted(text: str) -> None:
    found = chart(problem(code={"text": text}))
    assert (list(found.records), notes(found)) == ([], ["doubted"])


def test_a_family_history_is_not_the_patients() -> None:
    body = request({"age": 70})
    relative = {"resourceType": "FamilyMemberHistory", "id": "f", "patient": SUBJECT["subject"], "condition": [problem()]}
    body["prefetch"]["conditions"] = bundle([problem(), relative])
    found = engine().evaluate(json.dumps(body).encode(), TODAY).decision.chart
    assert [record.reference for records in found.records.values() for record in records] == ["Condition/c1"]


OPEN = {"code": coded("http://snomed.info/sct", "396331005")}
"""Coeliac disease, which is over when it is over."""


@pytest.mark.parametrize(
    ("abatement", "over"),
    [
        ({"abatementBoolean": True}, True),
        ({"abatementBoolean": "true"}, True),
        ({"abatementBoolean": False}, False),
        ({"abatementAge": {"value": 60, "unit": "a"}}, True),
        ({"abatementQuantity": {"value": 60, "unit": "a"}}, True),
        ({"abatementRange": {"low": {"value": 50}}}, True),
        ({"abatementRange": None}, False),
        ({"abatementString": "last spring"}, True),
        ({"abatementBoolean": True, "clinicalStatus": "active"}, False),
    ],
)
def test_a_problem_that_is_over(abatement: dict[str, Any], over: bool) -> None:
    assert notes(chart(problem(**OPEN, **abatement))) == (["inactive"] if over else [])


@pytest.mark.parametrize(
    ("onset", "day"),
    [
        ({"onsetDateTime": "2009-04-01", "recordedDate": "2020-01-01"}, "2009-04-01"),
        ({"onsetPeriod": {"start": "2009-04"}}, "2009-04"),
        ({"onsetString": "2009?"}, "2009"),
        ({"onsetString": "since 2009-04"}, "2009-04"),
        ({"onsetString": "2009 or 2010", "recordedDate": "2020-01-01"}, "2020-01-01"),
        ({"onsetString": "childhood", "recordedDate": "2020-01-01"}, "2020-01-01"),
        ({"onsetAge": {"value": 50, "unit": "a"}, "recordedDate": "2020-01-01"}, "2000/2001"),
        ({"onsetQuantity": {"value": 50, "code": "a"}}, "2000/2001"),
        ({"onsetRange": {"low": {"value": 50}, "high": {"value": 59}}}, "2000/2010"),
        ({"onsetRange": {"high": {"value": 59}}}, "None"),
        ({"onsetAge": {"value": 3, "unit": "mo"}, "dateRecorded": "2020"}, "2020"),
        ({"onsetAge": {"value": 999, "unit": "a"}, "assertedDate": "2020"}, "2020"),
        ({"onsetAge": "fifty"}, "None"),
        ({}, "None"),
    ],
)
def test_since_when_a_problem_exists(onset: dict[str, Any], day: str) -> None:
    (record,) = known(problem(**onset)).records["pernicious_anaemia"]
    assert str(record.day) == day


@pytest.mark.parametrize(("birth", "day"), [("1952-02-29", "2002-03-01"), ("1952-02-28", "2002-02-28"), (None, None)])
def test_a_birthday_on_the_day_that_most_years_lack(birth: str | None, day: str | None) -> None:
    body = request({"birth": birth, "problems": ["osteoporosis"]} if birth else {"problems": ["osteoporosis"]})
    del body["prefetch"]["conditions"]["entry"][0]["resource"]["onsetDateTime"]
    body["prefetch"]["conditions"]["entry"][0]["resource"]["onsetAge"] = {"value": 50, "unit": "years"}
    (record,) = engine().evaluate(json.dumps(body).encode(), TODAY).decision.chart.records["osteoporosis"]
    assert (None if record.day is None else str(record.day.first)) == day


@pytest.mark.parametrize(
    ("members", "day", "why"),
    [
        ({"performedString": "2009?"}, "2009", []),
        ({"performedAge": {"value": 50, "unit": "yr"}}, "2000/2001", []),
        ({"occurrenceString": "2009"}, "2009", []),
        ({"occurrenceAge": {"value": 50, "unit": "岁"}}, "2000/2001", []),
        ({"status": "unknown"}, "None", ["status_unknown"]),
        ({"notPerformed": "true"}, None, ["not_done"]),
        ({"status": "aborted"}, None, ["not_done"]),
        ({"status": "entered-in-error"}, None, ["not_done"]),
    ],
)
def test_procedures_of_every_version(members: dict[str, Any], day: str | None, why: list[str]) -> None:
    found = known({"resourceType": "Procedure", "id": "x", "code": {"text": "Total gastrectomy"}, **SUBJECT, **members})
    assert [str(record.day) for record in found.records.get("total_gastrectomy", ())] == ([] if day is None else [day])
    assert notes(found) == why


@pytest.mark.parametrize(
    ("members", "counts", "why"),
    [
        ({"status": "unconfirmed"}, True, [("unconfirmed", "unconfirmed")]),
        ({"status": "confirmed"}, True, []),
        ({"status": "active"}, True, []),
        ({"status": "entered-in-error"}, False, [("inactive", "entered-in-error")]),
        ({"status": "resolved"}, False, [("inactive", "resolved")]),
        ({"clinicalStatus": "active", "verificationStatus": "refuted"}, False, [("inactive", "refuted")]),
        ({"verificationStatus": {"coding": [{"code": "presumed"}]}}, True, [("unconfirmed", "presumed")]),
    ],
)
def test_allergies_of_every_version(members: dict[str, Any], counts: bool, why: list[tuple[str, str]]) -> None:
    found = chart(
        {"resourceType": "AllergyIntolerance", "id": "a", "code": {"text": "cobalt"}, "patient": SUBJECT["subject"], **members}
    )
    assert bool(found.records) is counts
    assert [(note.key, note.detail) for note in found.notes if note.concept] == why


MASKED = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "error"}]}


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        (ordered(status="entered-in-error", medicationCodeableConcept=MASKED), "not_taken"),
        (ordered(doNotPerform="true", medicationCodeableConcept=MASKED), "not_taken"),
        (ordered(intent="option", medicationCodeableConcept=MASKED), "not_taken"),
        (stated(taken="n", medicationCodeableConcept=MASKED), "not_taken"),
        (problem(code=MASKED, verificationStatus="entered-in-error"), "verification"),
        ({"resourceType": "Procedure", "id": "x", "status": "not-done", **SUBJECT}, "not_done"),
        ({"resourceType": "AllergyIntolerance", "id": "a", "status": "entered-in-error", **SUBJECT}, "inactive"),
    ],
)
def test_what_never_was_need_not_say_what_it_would_have_been(resource: dict[str, Any], key: str) -> None:
    found = chart(resource)
    assert [note.key for note in found.notes if not note.reference.startswith(("Patient", "prefetch"))] == [key]


UUID = "0b6b5f3e-4c3a-4d0e-9d51-3a0d4a1a2b3c"


@pytest.mark.parametrize(
    ("reference", "entry"),
    [
        (f"urn:uuid:{UUID}", {"fullUrl": f"urn:uuid:{UUID}", "resource": MEDICATION}),
        (f"urn:uuid:{UUID}", {"fullUrl": f"urn:uuid:{UUID}", "resource": {**MEDICATION, "id": UUID}}),
        (f"urn:uuid:{UUID}", {"fullUrl": f"urn:uuid:{UUID}", "resource": {k: v for k, v in MEDICATION.items() if k != "id"}}),
        ("Medication/77", {"fullUrl": "https://ehr.example.org/fhir/Medication/77", "resource": {**MEDICATION, "id": None}}),
        ("Medication/drug/_history/3", {"fullUrl": "https://ehr.example.org/fhir/Medication/drug", "resource": MEDICATION}),
    ],
)
@pytest.mark.parametrize("odd", [False, True])
def test_a_medicine_beside_the_order_that_is_found_by_its_address(reference: str, entry: dict[str, Any], odd: bool) -> None:
    body = request({"age": 76, "problems": ["osteoporosis"]})
    order = ordered(medicationCodeableConcept=None, medicationReference={"reference": reference})
    strange: list[Any] = [
        {"resource": {"resourceType": "Medication", "id": {}, "code": 5}},
        {"resource": {"kind": "Medication"}},
        5,
        "x",
    ]
    body["prefetch"]["medications"]["entry"] = [{"resource": order}, entry, *(strange if odd else [])]
    found = engine().evaluate(json.dumps(body).encode(), TODAY).decision.chart
    assert [record.concept for records in found.records.values() for record in records if isinstance(record, Medicine)] == ["b12"]


COMPOUND = {"resourceType": "Medication", "id": "drug"}
B12 = {"text": "cyanocobalamin"}


@pytest.mark.parametrize(
    "made_of",
    [
        {"ingredient": [{"itemCodeableConcept": B12, "strength": {"numerator": {"value": 15, "unit": "mg"}}}]},
        {"ingredient": [{"item": {"concept": B12}}]},
        {"ingredient": [{"itemReference": {"display": "cyanocobalamin"}}]},
        {"product": {"ingredient": [{"item": {"display": "cyanocobalamin"}}]}},
    ],
)
@pytest.mark.parametrize("contained", [False, True])
def test_a_drug_without_a_name_is_what_it_is_made_of(made_of: dict[str, Any], contained: bool) -> None:
    drug = {**COMPOUND, **made_of, **({"id": "#drug"} if contained else {})}
    order = ordered(
        medicationCodeableConcept=None,
        medicationReference={"reference": "#drug" if contained else "Medication/drug"},
        **({"contained": [drug]} if contained else {}),
    )
    found = chart(order, *([] if contained else [drug]))
    assert medicine(found).strengths == {}


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ({"medicationReference": {"reference": "Medication/gone"}}, "medication_absent"),
        ({"medicationReference": "Medication/gone"}, "medication_absent"),
        ({"medicationReference": {"reference": "#gone"}}, "medication_absent"),
        ({"medication": {"reference": {"reference": "Medication/gone"}}}, "medication_absent"),
        ({"medicationReference": {"identifier": {"value": "5"}}}, "unnamed"),
    ],
)
def test_a_medicine_that_cannot_be_found_is_missed(reference: dict[str, Any], key: str) -> None:
    found = chart(ordered(medicationCodeableConcept=None, **reference))
    assert [note.key for note in found.notes if note.reference == "MedicationRequest/m1"] == [key]
    assert found.retrieved["medicines"] != "retrieved"


def test_a_reference_that_is_only_a_string() -> None:
    assert medicine(chart(ordered(medicationCodeableConcept=None, medicationReference="Medication/drug"), MEDICATION))


def test_epics_medication_of_many_codes_is_one_drug_of_its_coded_strength() -> None:
    codes = [
        ("urn:oid:1.2.840.114350.1.13", "9"),
        (RXNORM, "11248"),
        (RXNORM, "309593"),
        ("urn:oid:2.16.840.1.113883.6.88", "309593"),
    ]
    wrong = {"value": 15, "unit": "MG/5ML"}
    drug = {
        "resourceType": "Medication",
        "id": "e.x",
        "code": {"coding": [{"system": system, "code": code} for system, code in codes]},
        "ingredient": [{"itemCodeableConcept": B12, "strength": {"numerator": wrong, "denominator": wrong}}],
    }
    found = medicine(chart(ordered(medicationCodeableConcept=None, medicationReference={"reference": "Medication/e.x"}), drug))
    assert found.strengths["b12"].ug == 1000


@pytest.mark.parametrize(
    "members",
    [
        {"statusReason": [{"text": "Patient not taking"}]},
        {"dosageInstruction": [{"text": "1 tablet daily (PATIENT NOT TAKING: reported on 3 May 2026)"}]},
        {"dosageInstruction": [{"patientInstruction": "患者自行停药"}]},
        {"medicationCodeableConcept": {"text": "cyanocobalamin 1000 mcg tablet (no longer taking)"}},
        {"medicationCodeableConcept": {"text": "甲钴胺片 未服用"}},
        *(
            {"dosageInstruction": [{"text": text}]}
            for text in (
                "1 tablet daily - pt isn’t taking",
                "has not taken since May",
                "no longer takes it",
                "doesn't take",
                "Pt stopped it",
                "Discontinued by patient",
                "self-discontinued",
                "已经停药",
                "停药2月",
                "患者拒服",
                "没有在吃",
            )
        ),
    ],
)
def test_an_active_order_of_which_words_say_that_it_is_not_taken(members: dict[str, Any]) -> None:
    found = chart(ordered(**members))
    assert (medicine(found).current, found.unclear, notes(found)) == (False, ("b12",), ["taking_unknown"])


@pytest.mark.parametrize(
    "text",
    [
        "1 tablet daily, not with food",
        "stop taking if rash",
        "未开封保存",
        "1 tablet daily when taking metformin",
        "Call us if you stopped taking it.",
        "If you are not taking metformin, skip",
        "如已停药请告知",
        "未服完勿停",
    ],
)
def test_instructions_are_no_denial(text: str) -> None:
    assert medicine(chart(ordered(dosageInstruction=[{"text": text}]))).current


def test_of_what_is_over_it_need_not_be_known_whether_it_was_taken() -> None:
    dated = {"effectivePeriod": {"start": "2015-01-01", "end": "2015-06-01"}}
    for members in ({"taken": "unk", "status": "completed"}, {"taken": "unk", **dated}, {"status": "unknown", **dated}):
        found = chart(stated(**members))
        assert (medicine(found).current, found.unclear, notes(found)) == (False, (), [])


def test_what_words_doubt_is_not_left_open() -> None:
    found = chart(stated(status="unknown", medicationCodeableConcept={"text": "no omeprazole"}))
    assert (found.records, found.unclear, notes(found)) == ({}, (), ["doubted"])


@pytest.mark.parametrize(
    ("members", "current", "why"),
    [
        ({"taken": "y", "reasonNotTaken": [{"text": "nausea"}]}, None, "taking_unknown"),
        ({"reasonNotTaken": [{"text": "nausea"}]}, False, "denied"),
        ({"reasonNotTaken": []}, True, "start_unknown"),
        ({"wasNotTaken": "true"}, False, "denied"),
        ({"taken": "na"}, None, "taking_unknown"),
        ({"taken": 5}, None, "taking_unknown"),
        ({"adherence": {"code": {"text": "sometimes"}}}, None, "taking_unknown"),
        ({"adherence": "taking"}, None, "taking_unknown"),
        ({"status": "entered-in-error", "adherence": {"code": {"coding": [{"code": "taking"}]}}}, False, "not_taken"),
        ({"status": "draft"}, False, "not_taken"),
        ({"status": "entered-in-error", "taken": "unk"}, False, "not_taken"),
        ({"status": "intended"}, True, "start_unknown"),
    ],
)
def test_what_a_statement_says_of_taking(members: dict[str, Any], current: bool | None, why: str) -> None:
    found = chart(stated(**members))
    assert found.unclear == (("b12",) if current is None else ())
    assert [record.current for record in found.records.get("b12", ()) if isinstance(record, Medicine)] == (
        [] if current is False else [bool(current)]
    )
    assert notes(found) == [why]


def test_B12_of_which_nobody_knows_is_neither_taken_nor_not() -> None:
    body = request({"age": 76, "problems": ["osteoporosis"], "results": [{"b12_total": "190 pg/mL"}]})
    body["prefetch"]["statements"] = bundle([stated(status="unknown")])
    found = engine().evaluate(json.dumps(body).encode(), TODAY)
    assert [card.detail.count("neither as taken nor as not taken") for card in found.cards] == [1]
    assert found.decision["enteral_b12"].ug is None
    body["prefetch"]["medications"] = bundle([ordered(dosageInstruction=[{"text": "1 tablet by mouth daily"}])])
    beside = engine().evaluate(json.dumps(body).encode(), TODAY).decision["enteral_b12"]
    assert (beside.ug, beside.at_least) == (None, 1000)


def test_a_cause_of_which_nobody_knows_is_unknown() -> None:
    patient = {"age": 76, "problems": ["osteoporosis"], "results": [{"b12_total": "120 pg/mL"}, {"homocysteine": "22 umol/L"}]}
    body = request(patient)
    body["prefetch"]["statements"] = bundle([stated(status="unknown", medicationCodeableConcept={"text": "omeprazole"})])
    found = engine().evaluate(json.dumps(body).encode(), TODAY)
    assert (found.decision["absorption"], evaluate(patient).decision["absorption"]) == ("unknown", "normal")
    assert [statement.advice.key for statement in found.decision.statements] == ["absorption_unknown"]
    assert "medicines: unclear" in str(report(found))
    assert "on record in a way that leaves it open" in str(why(found.decision, "proton_pump_inhibitors"))


@pytest.mark.parametrize(
    ("resource", "start", "end"),
    [
        (ordered(authoredOn=None, dateWritten="2024-01-01", dateEnded="2024-05-01"), "2024-01-01", "2024-05-01"),
        (ordered(effectiveDosePeriod={"start": "2025-02-01", "end": "2025-03-01"}), "2025-02-01", "2025-03-01"),
        (ordered(effectiveDosePeriod={}), "2025-01-01", None),
        (stated(effectiveTiming={"repeat": {"boundsPeriod": {"start": "2025-02-01"}}}), "2025-02-01", None),
    ],
)
def test_courses_of_every_version(resource: dict[str, Any], start: str, end: str | None) -> None:
    found = medicine(chart(resource))
    assert (str(found.day), found.end and str(found.end)) == (start, end)


@pytest.mark.parametrize(
    ("lines", "amount"),
    [({}, 2), ({"dosageInstruction": []}, 2), ({"dosageInstruction": [{"text": "1 tablet daily"}]}, 1)],
)
def test_a_dosage_that_is_only_rendered(lines: dict[str, Any], amount: int) -> None:
    (dosage,) = medicine(chart(ordered(renderedDosageInstruction="2 tablets daily", **lines))).dosages
    assert (dosage.amount, dosage.per_day) == (amount, 1)


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        (stated(informationSource=[{"reference": "Patient/p1"}, {"reference": "RelatedPerson/1"}]), True),
        (stated(informationSource=[{"reference": "Patient/p1"}, {"reference": "Practitioner/1"}]), False),
        (ordered(reported=True), True),
        (ordered(reportedBoolean="true"), True),
        (ordered(informationSource=[{"reference": "Patient/p1"}]), True),
    ],
)
def test_who_told_us_in_R5(resource: dict[str, Any], told: bool) -> None:
    assert medicine(chart(resource)).self_reported is told


def test_orders_of_two_versions_beside_each_other() -> None:
    older = {**ordered(id="m1"), "resourceType": "MedicationOrder"}
    found = chart(ordered(), older)
    assert sorted(record.reference for record in found.records["b12"]) == ["MedicationOrder/m1", "MedicationRequest/m1"]


def test_of_two_versions_of_a_person_the_one_who_died_counts() -> None:
    body = request({"age": 76, "problems": ["osteoporosis"]})
    person = body["prefetch"]["patient"]
    body["prefetch"]["patient"] = bundle([person, {**person, "deceasedBoolean": True}])
    assert engine().evaluate(json.dumps(body).encode(), TODAY).decision.chart.patient.deceased


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("aripiprazole 10 mg", set()),
        ("brexpiprazole", set()),
        ("mycophenolate mofetil", set()),
        ("左亚叶酸钙注射液", set()),
        ("亚叶酸钙片", set()),
        ("叶酸片 0.4mg", {"folic_acid"}),
        ("5-甲基四氢叶酸", {"folic_acid"}),
        ("vitamin B1 2 mg", set()),
        ("维生素B1 2片", set()),
        ("维生素B12片", {"b12"}),
        ("苯乙双胍", set()),
        ("西格列汀二甲双胍片", {"metformin"}),
        ("sitagliptin 50 mg / metformin 1000 mg", {"metformin"}),
        ("Janumet XR", {"metformin"}),
        ("Prilosec OTC", {"ppi"}),
        ("lafutidine", {"h2ra"}),
        ("pyridostigmine", set()),
        ("voriconazole", set()),
        ("oxcarbazepine", set()),
        ("Methycobal 500 mcg", {"b12"}),
        ("heparin flush 10 units/mL", set()),
        ("多磺酸粘多糖(类肝素)乳膏", set()),
        ("voquezna triple pak", {"helicobacter_eradication"}),
        ("voquezna", {"pcab"}),
    ],
)
def test_names_that_hold_other_names(text: str, concepts: set[str]) -> None:
    assert chart(ordered(medicationCodeableConcept={"text": text})).records.keys() == concepts


def test_doubt_and_certainty_of_what_a_client_coded_itself() -> None:
    (record,) = known(problem(code={**coded(HIS, "D-9"), "text": "骨质疏松症"})).records["osteoporosis"]
    assert isinstance(record, Condition)
    assert record.certain
