"""Patients in shorthand, made into the hook requests an EHR would send."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

from cds.codes import SYSTEMS
from cds.content import Library
from cds.library import load
from cds.signed import Language
from hooks.engine import Engine, Evaluation
from hooks.fhir.elements import UCUM
from hooks.services import service_of


TODAY = date(2026, 11, 21)
PATIENT = "p1"

_CODE_OF_ACTIVITY = {"balp": "1777-2"}
_RESULT = re.compile(r"(?P<comparator><=|>=|<|>)?\s*(?P<value>-?[\d.]+)\s*(?P<unit>.*)")


@cache
def engine(hook: str = "patient-view") -> Engine:
    """The service under test, built once for each hook."""
    return Engine(library(), service_of(hook))


@cache
def library() -> Library:
    """The knowledge under test, read once."""
    return load()


def evaluate(vignette: Mapping[str, Any], today: date = TODAY) -> Evaluation:
    """Send a patient in shorthand through the whole path: FHIR, reader, decision, cards."""
    return answered(json.dumps(request(vignette, today)), today)


@cache
def answered(sent: str, today: date, language: Language = "en") -> Evaluation:
    """What the service makes of a request: worked out once, though many tests look at it."""
    return engine(json.loads(sent)["hook"]).evaluate(sent.encode(), today, language)


def request(vignette: Mapping[str, Any], today: date = TODAY) -> dict[str, Any]:
    """The patient-view request of a patient in shorthand."""
    prefetch: dict[str, Any] = {
        "patient": patient(vignette, today),
        "labs": bundle(observation(entry, today) for entry in vignette.get("results", [])),
        "medications": bundle(medicine(m, today) for m in vignette.get("medicines", []) if m.get("kind", "order") == "order"),
        "statements": bundle(medicine(m, today) for m in vignette.get("medicines", []) if m.get("kind") == "statement"),
        "conditions": bundle(condition(entry, today) for entry in vignette.get("problems", [])),
        "procedures": bundle(procedure(entry, today) for entry in vignette.get("procedures", [])),
        "allergies": bundle(allergy(entry) for entry in vignette.get("allergies", [])),
    }
    for key, ending in vignette.get("queries", {}).items():
        if ending == "missing":
            del prefetch[key]
        else:
            prefetch[key] = {"null": None, "failed": outcome("error"), "empty": bundle([])}[ending]
    hook = vignette.get("hook", "order-sign" if "orders" in vignette else "patient-view")
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": PATIENT, **context(hook, vignette, today)},
        "prefetch": prefetch,
    }


def context(hook: str, vignette: Mapping[str, Any], today: date) -> dict[str, Any]:
    """What the context of a hook holds beside user and patient: `orders` as drafts, `new_problems`; `chosen` are selections."""
    drafts = [{**medicine(order, today), "status": "draft"} for order in vignette.get("orders", [])]
    match hook:
        case "order-sign":
            return {"draftOrders": bundle(drafts)}
        case "order-select":
            chosen = [f"{drafts[place]['resourceType']}/{drafts[place]['id']}" for place in vignette.get("chosen", [])]
            return {"draftOrders": bundle(drafts), "selections": chosen}
        case "medication-refill":
            return {"medications": bundle(drafts)}
        case "encounter-discharge":
            return {"encounterId": "e1"}
        case "problem-list-item-create":
            return {"conditions": bundle(condition(entry, today) for entry in vignette.get("new_problems", []))}
    return {}


def patient(vignette: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The Patient resource; `age` is reached on the day, unless a birth date is given."""
    birth = vignette.get("birth", f"{today.year - vignette['age']}-{today:%m-%d}" if "age" in vignette else None)
    resource = {"resourceType": "Patient", "id": PATIENT, "gender": vignette.get("sex", "female"), "birthDate": birth}
    if vignette.get("deceased"):
        resource["deceasedDateTime"] = today.isoformat()
    return {name: value for name, value in resource.items() if value is not None}


def observation(entry: Mapping[str, Any], today: date) -> dict[str, Any]:
    """A result: `b12_total: 142 pg/mL`, or a finding: `intrinsic_factor_antibody: positive`; `text`: in words, without a code."""
    name = next(key for key in entry if key in value_sets())
    value_set, said = value_sets()[name], str(entry[name])
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"{name}-{entry.get('days_ago', 10)}-{said}",
        "status": entry.get("status", "final"),
        "code": {"text": entry["text"]} if "text" in entry else {"coding": [coding_for(name, said)]},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    if entry.get("days_ago", 10) is not None:
        resource["effectiveDateTime"] = ago(today, entry.get("days_ago", 10))
    if value_set.kind == "finding":
        return resource | {"valueCodeableConcept": {"text": said}}
    match = _RESULT.fullmatch(said)
    assert match, said
    quantity: dict[str, Any] = {"value": float(match["value"])}
    if match["unit"]:
        quantity |= {"unit": match["unit"], "system": "http://unitsofmeasure.org", "code": entry.get("code", match["unit"])}
    if match["comparator"]:
        quantity["comparator"] = match["comparator"]
    if "upper_limit" in entry:
        resource["referenceRange"] = [{"high": {"value": entry["upper_limit"], "unit": match["unit"]}}]
    return resource | {"valueQuantity": quantity}


def condition(entry: Any, today: date) -> dict[str, Any]:
    """A problem: the name of a value set, or a mapping that adds days_ago, status, verification, code or text."""
    name, more = named(entry)
    resource: dict[str, Any] = {
        "resourceType": "Condition",
        "id": f"{name}-{more.get('text', '')}",
        "clinicalStatus": {"coding": [{"code": more.get("status", "active")}]},
        "verificationStatus": {"coding": [{"code": more.get("verification", "confirmed")}]},
        "code": concept(name, more),
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    if more.get("days_ago", 400) is not None:
        resource["onsetDateTime"] = ago(today, more.get("days_ago", 400))
    return resource


def procedure(entry: Any, today: date) -> dict[str, Any]:
    """A procedure: the name of a value set, or a mapping that adds days_ago, status or text."""
    name, more = named(entry)
    return {
        "resourceType": "Procedure",
        "id": name,
        "status": more.get("status", "completed"),
        "code": concept(name, more) | ({"text": more["words"]} if "words" in more else {}),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "performedDateTime": ago(today, more.get("days_ago", 900)),
    }


def allergy(entry: Any) -> dict[str, Any]:
    """An allergy: the name of a value set, or a mapping that adds status or text."""
    name, more = named(entry)
    return {
        "resourceType": "AllergyIntolerance",
        "id": name,
        "clinicalStatus": {"coding": [{"code": more.get("status", "active")}]},
        "code": concept(name, more),
        "patient": {"reference": f"Patient/{PATIENT}"},
    }


def medicine(entry: Mapping[str, Any], today: date) -> dict[str, Any]:
    """A medicine: its name in words, `since` days ago (none: nobody recorded it), `until`, `dose` in words, `kind`.

    `since_year`: only the year is known. `phases`: an order of several dosage lines, each for so many `days`.
    """
    drug: dict[str, Any] = {"text": entry["drug"]} if "drug" in entry else {}
    if "code" in entry:
        drug["coding"] = [{"system": SYSTEMS["rxnorm"].uris[0], "code": str(entry["code"])}]
    period = {name: ago(today, entry[key]) for name, key in (("start", "since"), ("end", "until")) if entry.get(key) is not None}
    if "since_year" in entry:
        period["start"] = str(entry["since_year"])
    dosage: dict[str, Any] = {"text": entry["dose"]} if "dose" in entry else {}
    common = {
        "id": f"{entry.get('drug', entry.get('code'))}-{entry.get('since')}-{entry.get('kind', 'order')}",
        "status": entry.get("status", "active"),
        "medicationCodeableConcept": drug,
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    if entry.get("kind") == "statement":
        source = {"informationSource": {"reference": "Practitioner/1"}} if entry.get("told_by") == "clinician" else {}
        return {"resourceType": "MedicationStatement", **common, "effectivePeriod": period, "dosage": [dosage], **source}
    dosage["timing"] = {"repeat": {"boundsPeriod": period} if period else {}}
    if "structured" in entry:
        dosage |= structured(entry["structured"])
    lines = [phase_line(place, phase) for place, phase in enumerate(entry.get("phases", []), start=1)]
    authored = {"authoredOn": period["start"]} if lines else {}
    return {"resourceType": "MedicationRequest", **common, "intent": "order", **authored, "dosageInstruction": lines or [dosage]}


def structured(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A dosage in codes: `dose` as "1000 mg", `times` a day, `route` by the name of its value set."""
    value, unit = entry["dose"].split(" ")
    code = next(code for code in value_sets()[entry["route"]].codes if code.system == "sct")
    return {
        "timing": {"repeat": {"frequency": entry.get("times", 1), "period": 1, "periodUnit": "d"}},
        "route": {"coding": [{"system": SYSTEMS["sct"].uris[0], "code": code.code, "display": code.label}]},
        "doseAndRate": [{"doseQuantity": {"value": float(value), "unit": unit, "system": UCUM[0], "code": unit}}],
    }


def phase_line(place: int, phase: Mapping[str, Any]) -> dict[str, Any]:
    """One dosage line of several, bounded by days where the phase says so."""
    bounds = {"boundsDuration": {"value": phase["days"], "unit": "d", "code": "d"}} if "days" in phase else {}
    return {"sequence": place, "text": phase["dose"], "timing": {"repeat": bounds}}


def named(entry: Any) -> tuple[str, dict[str, Any]]:
    """The name of a shorthand entry and what is said beside it."""
    if isinstance(entry, str):
        return entry, {}
    ((name, more),) = entry.items()
    return name, more or {}


def concept(name: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """A CodeableConcept: the first code of the value set, or only words where words are given."""
    if "text" in more:
        return {"text": more["text"]}
    if "code" in more:
        system, code = more["code"].split(" ")
        return {"coding": [{"system": SYSTEMS[system].uris[0], "code": code}]}
    value_set = value_sets()[name]
    if not value_set.codes:
        return {"text": value_set.text.en[0]}
    return {"coding": [{"system": SYSTEMS[value_set.codes[0].system].uris[0], "code": value_set.codes[0].code}]}


def coding_for(name: str, said: str) -> dict[str, str]:
    """The LOINC code a laboratory would use: the one that fits mass, moles or activity."""
    codes = {code.code: code for code in value_sets()[name].codes if code.system == "loinc"}
    usual = value_sets()[name].order or value_sets()[name].codes[0].code
    unit = library().units[name].find(said.split(" ", 1)[-1]) if name in library().units else None
    if said.endswith("U/L"):
        usual = _CODE_OF_ACTIVITY.get(name, usual)
    elif unit is not None and usual in codes and codes[usual].measures not in (None, unit.measures):
        usual = next((code for code, entry in codes.items() if entry.measures == unit.measures), usual)
    return {"system": SYSTEMS["loinc"].uris[0], "code": usual}


def ago(today: date, days: int) -> str:
    """The date some days ago."""
    return (today - timedelta(days=days)).isoformat()


def bundle(resources: Any) -> dict[str, Any]:
    """A searchset."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource} for resource in resources]}


def outcome(severity: str) -> dict[str, Any]:
    """An OperationOutcome in place of a result."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "timeout"}]}


@cache
def value_sets() -> Mapping[str, Any]:
    """The value sets of the library under test."""
    return engine().library.value_sets
