"""One patient as DSTU2, STU3, R4, R4B and R5 write her: the version of FHIR changes no decision."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hooks.engine import Evaluation
from hooks.report import report
from tests.hooks.test_reader import SUBJECT
from tests.patients import TODAY, bundle, engine, request


VERSIONS = ("DSTU2", "STU3", "R4", "R4B", "R5")
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}


def coded(system: str, code: str, text: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], "text": text}


B12_TABLET = coded(RXNORM, "309593", "vitamin B12 1 MG Oral Tablet")
OMEPRAZOLE = coded(RXNORM, "7646", "omeprazole")
METFORMIN = coded(RXNORM, "6809", "metformin")
WARFARIN = coded(RXNORM, "11289", "warfarin")
OSTEOPOROSIS = coded("http://snomed.info/sct", "64859006", "Osteoporosis")
PERNICIOUS = coded("http://snomed.info/sct", "84027009", "Pernicious anemia")
GASTRECTOMY = coded("http://snomed.info/sct", "26452005", "Total gastrectomy")
COBALT = coded("http://snomed.info/sct", "3702007", "Cobalt")


def state(version: str, code: str) -> Any:
    """A clinical or verification status: a code until STU3, a concept since."""
    return code if version in ("DSTU2", "STU3") else {"coding": [{"code": code}]}


def drug(version: str, concept: dict[str, Any]) -> dict[str, Any]:
    return {"medication": {"concept": concept}} if version == "R5" else {"medicationCodeableConcept": concept}


def whose(version: str) -> dict[str, Any]:
    return {"patient" if version == "DSTU2" else "subject": SUBJECT["subject"]}


def dose(version: str) -> dict[str, Any]:
    """One tablet a day, by mouth, as the structure of each version has it."""
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnits": "d"}} if version == "DSTU2" else DAILY
    quantity, line = {"value": 1, "unit": "tablet"}, {"timing": timing, "route": {"text": "oral"}}
    return line | ({"doseAndRate": [{"doseQuantity": quantity}]} if version[:2] in ("R4", "R5") else {"doseQuantity": quantity})


def order(version: str) -> dict[str, Any]:
    """B12, a tablet a day."""
    written = {"dateWritten": "2026-05-01"} if version == "DSTU2" else {"authoredOn": "2026-05-01", "intent": "order"}
    category = {"STU3": {"coding": [{"code": "outpatient"}]}}.get(version, [{"coding": [{"code": "outpatient"}]}])
    return {
        "resourceType": "MedicationOrder" if version == "DSTU2" else "MedicationRequest",
        "id": "b12",
        "status": "active",
        "category": category,
        **written,
        **drug(version, B12_TABLET),
        **whose(version),
        "dosageInstruction": [dose(version)],
    }


def ended(version: str) -> dict[str, Any]:
    """An order of warfarin that ended years ago: by a date where there is one for it."""
    ending: dict[str, Any] = {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": "2019-06-01"}}}}]}
    if version == "DSTU2":
        ending = {"dateEnded": "2019-06-01", "dateWritten": "2019-01-01"}
    elif version == "R5":
        ending = {"effectiveDosePeriod": {"start": "2019-01-01", "end": "2019-06-01"}}
    return {
        **order(version),
        "id": "old",
        "status": "completed",
        "dosageInstruction": [],
        **({} if version == "DSTU2" else {"authoredOn": "2019-01-01"}),
        **ending,
        **drug(version, WARFARIN),
    }


def statement(version: str, key: str, concept: dict[str, Any], **members: Any) -> dict[str, Any]:
    told = {"reference": "Practitioner/1"}
    base = {"resourceType": "MedicationStatement", "id": key, "status": "recorded" if version == "R5" else "active"}
    return {
        **base,
        **drug(version, concept),
        **whose(version),
        "informationSource": [told] if version == "R5" else told,
        "effectivePeriod": {"start": "2024-01-01"},
        **({"taken": "y"} if version == "STU3" else {}),
        **members,
    }


SAYS: dict[str, dict[str, dict[str, Any]]] = {
    "taken": {
        "DSTU2": {"wasNotTaken": False},
        "STU3": {"taken": "y"},
        "R4": {"status": "active"},
        "R5": {"adherence": {"code": {"coding": [{"code": "taking-not-as-directed"}]}}},
    },
    "not taken": {
        "DSTU2": {"wasNotTaken": True, "reasonNotTaken": [{"text": "nausea"}]},
        "STU3": {"taken": "n", "reasonNotTaken": [{"text": "nausea"}]},
        "R4": {"status": "not-taken", "statusReason": [{"text": "nausea"}]},
        "R5": {"adherence": {"code": {"coding": [{"code": "not-taking"}]}, "reason": {"text": "nausea"}}},
    },
    "unknown": {
        "DSTU2": {"wasNotTaken": False, "reasonNotTaken": [{"text": "nausea"}]},
        "STU3": {"taken": "unk"},
        "R4": {"status": "unknown"},
        "R5": {"adherence": {"code": {"coding": [{"code": "unknown"}]}}},
    },
    "stopped": {
        "DSTU2": {"status": "completed"},
        "STU3": {"status": "stopped"},
        "R4": {"status": "stopped"},
        "R5": {"adherence": {"code": {"coding": [{"code": "stopped-as-directed"}]}}},
    },
}
"""How each version says whether a statement is of something taken; R4B says all of this as R4."""


def said(version: str, how: str) -> dict[str, Any]:
    return SAYS[how]["R4" if version == "R4B" else version]


def condition(version: str, key: str, concept: dict[str, Any], clinical: str, verification: str) -> dict[str, Any]:
    dated = {"DSTU2": "dateRecorded", "STU3": "assertedDate"}.get(version, "recordedDate")
    return {
        "resourceType": "Condition",
        "id": key,
        "code": concept,
        "clinicalStatus": state(version, clinical),
        "verificationStatus": state(version, verification),
        **whose(version),
        dated: "2020-03-01",
    }


def procedure(version: str, done: bool) -> dict[str, Any]:
    undone: dict[str, dict[str, Any]] = {
        "DSTU2": {"status": "completed", "notPerformed": True},
        "STU3": {"status": "completed", "notDone": True},
    }
    status = {"status": "completed"} if done else undone.get(version, {"status": "not-done"})
    dated = "occurrencePeriod" if version == "R5" else "performedPeriod"
    return {"resourceType": "Procedure", "id": "x", "code": GASTRECTOMY, **status, **whose(version), dated: {"start": "2015"}}


def allergy(version: str, held: bool) -> dict[str, Any]:
    base: dict[str, Any] = {"resourceType": "AllergyIntolerance", "id": "a", "patient": SUBJECT["subject"]}
    if version == "DSTU2":
        return {**base, "substance": COBALT, "status": "confirmed" if held else "refuted"}
    verified = {"verificationStatus": state(version, "confirmed" if held else "refuted")}
    clinical = {"clinicalStatus": state(version, "active")} if held else {}
    return {**base, "code": COBALT, **clinical, **verified}


def sent(version: str, ppi: str = "taken", operated: bool = False, allergic: bool = False) -> dict[str, Any]:
    """The request of a woman of 76 on B12 and, perhaps, on a PPI."""
    body = request({"age": 76, "results": [{"b12_total": "190 pg/mL", "days_ago": 300}]})
    body["prefetch"]["patient"] |= {"deceasedBoolean": False}
    body["prefetch"] |= {
        "medications": bundle([order(version), ended(version)]),
        "statements": bundle(
            [
                statement(version, "ppi", OMEPRAZOLE, **said(version, ppi)),
                statement(version, "met", METFORMIN, **said(version, "not taken")),
            ]
        ),
        "conditions": bundle(
            [
                condition(version, "op", OSTEOPOROSIS, "active", "confirmed"),
                condition(version, "pa", PERNICIOUS, "active", "refuted"),
            ]
        ),
        "procedures": bundle([procedure(version, operated)]),
        "allergies": bundle([allergy(version, allergic)]),
    }
    return body


def evaluated(version: str, ppi: str = "taken", operated: bool = False, allergic: bool = False) -> Evaluation:
    return engine().evaluate(json.dumps(sent(version, ppi, operated, allergic)).encode(), TODAY)


def decided(evaluation: Evaluation) -> dict[str, Any]:
    """Everything that was concluded, and the cards; a DSTU2 order is only called otherwise."""
    whole = json.loads(json.dumps(report(evaluation)).replace("MedicationOrder/", "MedicationRequest/"))
    return {**whole["decision"], "cards": whole["cards"]}


@pytest.mark.parametrize("ppi", SAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_of_fhir_changes_no_decision(version: str, ppi: str) -> None:
    found, reference = decided(evaluated(version, ppi)), decided(evaluated("R4", ppi))
    for one in (found, reference):
        one["data_quality"] = sorted((note["key"], note["resource"]) for note in one["data_quality"])
    assert found == reference
    assert found["enteral_b12_ug_per_day"] == 1000
    assert found["cards"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("how", "current", "why"),
    [("taken", [True], []), ("not taken", [], ["denied"]), ("unknown", None, ["taking_unknown"]), ("stopped", [False], [])],
)
def test_whether_it_is_taken_in_each_version(version: str, how: str, current: list[bool] | None, why: list[str]) -> None:
    decision = evaluated(version, how).decision
    taken = decision["proton_pump_inhibitors"]
    assert (None if taken is None else [drug.current for drug in taken]) == current
    assert [note.key for note in decision.chart.notes if note.concept == "ppi"] == why


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_done_and_what_is_not_tolerated_in_each_version(version: str) -> None:
    one, other = evaluated(version, operated=True, allergic=True).decision, evaluated(version).decision
    assert [len(one[name]) for name in ("total_gastrectomies", "cobalt_allergies")] == [1, 1]
    assert [len(other[name]) for name in ("total_gastrectomies", "cobalt_allergies")] == [0, 0]
