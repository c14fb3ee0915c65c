"""De-identified requests: no planted marker survives, and what is decided stays what it was."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.examples import EXTENSION, fixtures, written_for
from hooks.kit.deciding import Policy
from hooks.kit.deidentify import Deidentifier
from hooks.kit.shifting import LONGEST_SHIFT_DAYS
from hooks.kit.vocabulary import Vocabulary
from tests.hooks.planting import CALLS, Planter
from tests.patients import TODAY, library, request
from tests.test_properties import PATIENTS
from tests.test_vignettes import VIGNETTES


DEIDENTIFIER = Deidentifier(library(), b"a secret")
POLICY = Policy()
SCRUBBED = Vocabulary(library()).scrubbed

MARKERS = st.sampled_from(["Zqxvarro", "ZQXV7731905", "zqxv@example.org", "O'Zqxvan", "12 Zqxv Road", "甄蕤", "+49 170 7731905"])
FOUND = re.compile(r"zqxv|7731905|甄|蕤", re.IGNORECASE)
NOT_KEPT = {"Aged 121", "Gestational diabetes long ago"}
"""Vignettes whose decision hangs on what must not stay: an age nobody reaches, a word nobody else reads."""


def planted(value: Any, marker: str, key: str = "", parent: str = "") -> Any:
    """A request with a marker wherever a person may be named: in names, ids, notes, narratives, extensions, and in words."""
    if isinstance(value, list):
        return [planted(item, marker, key, parent) for item in value]
    if isinstance(value, dict):
        told = {name: planted(item, marker, name, key) for name, item in value.items()}
        if "resourceType" in told and told["resourceType"] != "Bundle":
            told |= {
                "text": {"status": "generated", "div": f"<div>{marker}</div>"},
                "name": [{"family": marker, "text": marker}],
                "note": [{"text": marker, "authorString": marker}],
                "extension": [{"url": f"https://{marker}.example", "valueString": marker}],
                "performer": [{"display": marker, "reference": f"Practitioner/{marker}"}],
                "meta": {"source": marker},
                "identifier": [{"system": marker, "value": f"{marker}-{told.get('id')}"}],
                "contained": [{"resourceType": "Practitioner", "id": marker, "name": [{"text": marker}]}, {"resourceType": "Patient", "address": marker}],
            }  # fmt: skip
        if "reference" in told:
            told["display"] = f"{told.get('display', '')} {marker}"
            told["identifier"] = {"value": marker}
        return told
    if key in ("text", "display") and isinstance(value, str):
        return f"{value} {marker}" if parent != "code" or key == "display" else value
    return value


def original(vignette: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(request(vignette)))  # type: ignore[no-any-return]


@given(PATIENTS, MARKERS)
def test_no_planted_marker_survives_and_the_decision_stays(patient: dict[str, Any], marker: str) -> None:
    sent = original({**patient, "age": min(patient["age"], 89)})
    sent["context"] |= {"userId": f"Practitioner/{marker}", "encounterId": marker, "anything": marker}
    sent["fhirServer"] = f"https://{re.sub('[^a-z]', '', marker.lower())}.example"
    sent["fhirAuthorization"] = {"access_token": marker}
    sent["extension"] = {"org.example": marker}
    sent["prefetch"] = {
        **planted(sent["prefetch"], marker),
        "other": {"resourceType": "Practitioner", "name": marker},
        f"{marker} key": None,
    }
    made = DEIDENTIFIER.request(sent, TODAY)
    assert not FOUND.search(json.dumps(made, ensure_ascii=False))
    before, after = POLICY.essence(sent, TODAY), POLICY.essence(made)
    assert after == before


@pytest.mark.parametrize("name", ["p-103", "pat.7731905"])
def test_the_ids_of_patients_do_not_survive(name: str) -> None:
    sent = json.loads(
        json.dumps(original({"age": 70, "problems": ["osteoporosis"]}))
        .replace('"p1"', f'"{name}"')
        .replace("Patient/p1", f"Patient/{name}")
    )
    made = DEIDENTIFIER.request(sent, TODAY)
    assert name not in json.dumps(made)
    assert made["prefetch"]["patient"]["id"] == made["context"]["patientId"]
    assert POLICY.essence(made) == POLICY.essence(sent, TODAY)


@pytest.mark.parametrize("fixture", list(fixtures()), ids=lambda fixture: fixture.name)
def test_every_fixture_is_decided_as_before(fixture: Any) -> None:
    made = DEIDENTIFIER.request(fixture.request, fixture.written_for)
    assert POLICY.essence(made) == POLICY.essence(fixture.request, fixture.written_for)
    assert "Example" not in json.dumps(made)


@pytest.mark.parametrize(
    "vignette", [v for v in VIGNETTES if v["name"] not in NOT_KEPT], ids=lambda v: f"{v['file']}: {v['name']}"
)
def test_every_vignette_is_decided_as_before(vignette: dict[str, Any]) -> None:
    sent = original(vignette)
    assert POLICY.essence(DEIDENTIFIER.request(sent, TODAY)) == POLICY.essence(sent, TODAY)


def test_dates_are_shifted_by_one_number_of_days_and_as_precise_as_they_were() -> None:
    sent = {
        "hook": "patient-view",
        "hookInstance": "x",
        "context": {"userId": "Practitioner/1", "patientId": "p1"},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "p1", "birthDate": "1950-03-04"},
            "conditions": {"resourceType": "Condition", "id": "c", "onsetDateTime": "2020-05", "recordedDate": "2021", "abatementString": "resolved in 2019-01-05, or 2999-99"},
            "labs": {"resourceType": "Observation", "id": "o", "effectiveDateTime": "2026-11-01T08:30:00+08:00", "issued": "2026-11-02T10:00:00.000Z by Zqxv"},
        },
    }  # fmt: skip
    made = DEIDENTIFIER.request(sent, TODAY)
    shift = written_for(made) - TODAY  # type: ignore[operator]  # it is written
    assert -LONGEST_SHIFT_DAYS <= shift.days <= -1
    held = made["prefetch"]
    assert held["patient"]["birthDate"] == (date(1950, 3, 4) + shift).isoformat()
    assert held["conditions"]["onsetDateTime"] == (date(2020, 5, 16) + shift).isoformat()[:7]
    assert held["conditions"]["recordedDate"] == (date(2021, 7, 2) + shift).isoformat()[:4]
    assert held["labs"]["effectiveDateTime"] == (date(2026, 11, 1) + shift).isoformat() + "T08:30:00+08:00"
    assert "Zqxv" not in json.dumps(made)
    assert (date(2019, 1, 5) + shift).isoformat() in held["conditions"]["abatementString"]
    assert DEIDENTIFIER.request(sent, TODAY) == made
    assert DEIDENTIFIER.request({**sent, "hookInstance": "y"}, TODAY)["hookInstance"] != made["hookInstance"]
    other = Deidentifier(library(), b"another").request(sent, TODAY)
    assert other["context"]["patientId"] != made["context"]["patientId"]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("osteoporosis, seen 03/04/1951", "osteoporosis, seen ~"),
        ("osteoporosis since 2019", "osteoporosis since YEAR"),
        ("osteoporosis 2019-05-03 at 2 pm", "osteoporosis DAY at 2 pm"),
        ("骨质疏松症 2019年5月3日", "骨质疏松症 ~"),
        ("vitamin B12 2000 mcg", "vitamin B12 2000 mcg"),
        ("2000", "2000"),
        ("2019-99", "~"),
        ("osteoporosis 12 March 1950", "osteoporosis ~"),
        ("osteoporosis, May 3rd 1950", "osteoporosis, ~"),
        ("osteoporosis 12-Mar-50", "osteoporosis ~"),
        ("1 tablet may help osteoporosis", "1 tablet xx xx osteoporosis"),
        ("osteoporosis 05 03 1950", "osteoporosis ~"),
        ("osteoporosis 5.3.50", "osteoporosis ~"),
        ("骨质疏松症 五月三日", "骨质疏松症 ~"),
        ("vitamin B12 0.5-1.25 mg", "vitamin B12 0.5-1.25 mg"),
        ("osteoporosis at 95 years", "osteoporosis at 90 years"),
        ("95-year-old, osteoporosis", "90-year-xx, osteoporosis"),
        ("95岁 骨质疏松症", "90岁 骨质疏松症"),
        ("97 years", "90 years"),
        ("osteoporosis at 89 years", "osteoporosis at 89 years"),
    ],
)
def test_dates_in_words_are_shifted_or_dropped(words: str, kept: str) -> None:
    sent = original({"age": 70})
    sent["prefetch"]["conditions"] = {"resourceType": "Condition", "code": {"text": words}}
    made = DEIDENTIFIER.request(sent, TODAY)
    shift = written_for(made) - TODAY  # type: ignore[operator]  # it is written
    sent["prefetch"]["labs"] = {"resourceType": "Observation", "valueString": "1950", "effectivePeriod": {"start": "2019"}}
    held = DEIDENTIFIER.request(sent, TODAY)["prefetch"]["labs"]
    assert held["valueString"] == "1950"
    assert held["effectivePeriod"]["start"] == (date(2019, 7, 2) + shift).isoformat()[:4]
    year, day = (date(2019, 7, 2) + shift).isoformat()[:4], (date(2019, 5, 3) + shift).isoformat()
    assert made["prefetch"]["conditions"]["code"]["text"] == kept.replace("YEAR", year).replace("DAY", day)


@pytest.mark.parametrize(("born", "age"), [("1935-01-01", 90), ("1937-11-01", 89), ("1926", 90), ("soon", None), (None, None)])
def test_the_very_old_are_ninety(born: Any, age: int | None) -> None:
    sent = original({"age": 70})
    sent["prefetch"]["patient"]["birthDate"] = born
    sent["prefetch"]["conditions"] = {
        "resourceType": "Condition",
        "onsetAge": {"value": 95},
        "onsetRange": {"low": {"value": 80}, "high": {"value": 93}},
    }
    made = DEIDENTIFIER.request(sent, TODAY)
    told = made["prefetch"]["patient"]["birthDate"]
    today = written_for(made)
    assert today is not None
    assert (told and (today - date.fromisoformat(told)) // timedelta(days=365.25)) == age
    assert made["prefetch"]["conditions"]["onsetAge"]["value"] == 90
    assert made["prefetch"]["conditions"]["onsetRange"] == {"low": {"value": 80}, "high": {"value": 90}}


def test_an_age_that_was_measured_is_an_age() -> None:
    sent = original({"age": 70})
    sent["prefetch"]["labs"] = {"resourceType": "Observation", "valueQuantity": {"value": 97, "unit": "years", "code": "a"}}
    assert DEIDENTIFIER.request(sent, TODAY)["prefetch"]["labs"]["valueQuantity"]["value"] == 90
    sent["prefetch"]["labs"]["valueQuantity"] = {"value": 97, "unit": "pg/mL"}
    assert DEIDENTIFIER.request(sent, TODAY)["prefetch"]["labs"]["valueQuantity"]["value"] == 97


@pytest.mark.parametrize("hook", list(CALLS))
def test_each_field_in_turn_says_nothing_of_a_person_but_where_codes_and_keys_of_prefetch_stand(hook: str) -> None:
    """Also names of members: what no reader knows within an element is dropped with its name."""
    planter = Planter()
    survived: set[str] = set()
    for changed in planter.each_in_turn(planter.request(hook)):
        with suppress(KeyError, AttributeError):  # what is no request is not recorded
            survived |= planter.found(json.dumps(DEIDENTIFIER.request(changed, TODAY)).encode())
    told = {re.sub(r"\.\d+|zq\d+qz", "", where) for where in survived}
    kept = r"a key of prefetch|a laboratory value|the name of prefetch\.\w*|hook|.*\.(code|type|gender|(clinicalS|verificationS|s)tatus|intent)"
    assert [where for where in told if not re.fullmatch(kept, where)] == []


def test_units_that_are_agreed_with_a_client_are_words_of_its_own() -> None:
    sent = original({"age": 70})
    sent["prefetch"]["labs"] = {"resourceType": "Observation", "valueQuantity": {"value": 97, "unit": "Zqxvs"}}
    agreed = Deidentifier(library(), b"a secret", ["Zqxvs"])
    assert agreed.request(sent, TODAY)["prefetch"]["labs"]["valueQuantity"]["unit"] == "Zqxvs"
    assert DEIDENTIFIER.request(sent, TODAY)["prefetch"]["labs"]["valueQuantity"]["unit"] == "xx"


def test_what_has_odd_shapes_breaks_nothing() -> None:
    sent = {
        "hook": "order-select",
        "context": {"patientId": "p1", "selections": ["MedicationRequest/d", 5], "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "MedicationRequest", "id": "d", "subject": {"reference": "Patient/p1"}}}, "x"]}, "userId": 5},
        "prefetch": {
            "a": None, "b": "some words", "c": 5, "d": {"resourceType": "not a type"}, "e": {"resourceType": "Zqxv"},
            "f": {"resourceType": "Bundle", "total": 1, "link": [{"relation": "next", "url": "https://x/?name=Zqxv"}], "entry": [{"fullUrl": "urn:uuid:abc", "response": {"status": "404 Zqxv"}}, {"fullUrl": "https://x/Medication/m1/_history/2"}, {"fullUrl": ""}]},
            "g": {"resourceType": "MedicationRequest", "id": 7731905, "medicationReference": {"reference": "#m"}, "contained": [{"resourceType": "Medication", "id": "#m", "code": {"text": "Vitamin B12"}}],
                  "dosageInstruction": [{"timing": {"repeat": {"timeOfDay": ["08:00", "20:00:00"]}}}], "status": " ", "subject": "Patient/p1#frag", "intent": "a sentence about Zqxv"},
            "h": {"resourceType": "Condition", "code": {"coding": [{"system": "a b Zqxv", "code": "M81", "extension": [{"url": "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit", "valueCoding": {"code": "V"}}, {"url": "x"}]}]}},
            "i": {"resourceType": "Observation", "identifier": [{"system": "s", "value": "A1"}, {"value": ""}, {"value": 5}]},
            "j": {"resourceType": "Bundle"},
        },
    }  # fmt: skip
    made = DEIDENTIFIER.request(sent, TODAY)
    held = made["prefetch"]
    assert not FOUND.search(json.dumps({name: value for name, value in made.items() if name != "extension"}))
    assert held["a"] is None
    assert (held["b"], held["c"], held["d"]) == ("xx xx", 5, {})
    assert held["f"]["link"] == [{"relation": "next"}]
    assert held["f"]["entry"][0]["response"] == {"status": "404"}
    assert held["f"]["entry"][0]["fullUrl"].startswith("urn:uuid:r")
    assert held["f"]["entry"][1]["fullUrl"].startswith("Medication/r")
    assert held["g"]["id"] is None
    assert held["g"]["medicationReference"]["reference"] == "#" + held["g"]["contained"][0]["id"]
    assert held["g"]["dosageInstruction"][0]["timing"]["repeat"]["timeOfDay"] == ["08:00", "20:00:00"]
    assert held["h"]["code"]["coding"][0]["extension"][0]["valueCode"] == "V"
    assert held["i"]["identifier"][0]["value"].startswith("r")
    assert held["i"]["identifier"][1:] == [{}, {}]
    assert made["context"]["selections"] == [f"MedicationRequest/{made['context']['draftOrders']['entry'][0]['resource']['id']}"]
    assert made["extension"][EXTENSION]["title"] == "recorded, de-identified"
    assert "prefetch" not in DEIDENTIFIER.request({"hook": "patient-view", "context": {}}, TODAY)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Vitamin B12 [Mass/volume] in Serum or Plasma", "Vitamin B12 [Mass/volume] in Serum or Plasma"),
        ("no documented osteoporosis", "no xx osteoporosis"),
        ("Cyanocobalamin 1000 mcg, ask John Smith", "Cyanocobalamin 1000 mcg, xx xx xx"),
        ("osteoporosis, MRN 4702703", "osteoporosis, xx ~"),
        ("osteoporosis Zqxv7731", "osteoporosis xx"),
        ("4702703", "~"),
        ("John May", "xx xx"),
        ("take 500mg vitamin B12 x4", "xx 500mg vitamin B12 x4"),
        ("vitamin B12 99Zqxv", "vitamin B12 xx"),
        ("骨质疏松症史，张三丰", "骨质疏松症史,某某某"),
        ("维生素B12 每日三次 欧阳锋", "维生素B12 每日三次 某某某"),
        ("钾", "钾"),
        ("μmol/L", "umol/L"),
        ("×10⁹/L", "×109/L"),
        ("132,5", "132,5"),
        ("<150", "<150"),
        ("555-0100", "~"),
        ("osteoporosis 555 0100", "osteoporosis ~"),
        ("vitamin B12 (617) 555-0100", "vitamin B12 ~"),
        ("vitamin B12 617.555.0100", "vitamin B12 ~"),
        ("osteoporosis 123-45-6789", "osteoporosis ~"),
        ("osteoporosis 02134", "osteoporosis ~"),
        ("osteoporosis 47 02 703", "osteoporosis ~"),
        ("vitamin B12 500-1000 mcg", "vitamin B12 500-1000 mcg"),
        ("Vitamin B-12 5,000 mcg", "Vitamin B-12 5,000 mcg"),
        ("vitamin B12 1-0-1-0", "vitamin B12 1-0-1-0"),
        ("vitamin B12 0.025 mg", "vitamin B12 0.025 mg"),
        ("vitamin B12 10 000 mcg", "vitamin B12 10 000 mcg"),
        ("--", "~"),
    ],
)
def test_of_words_those_stay_that_our_readers_know(text: str, kept: str) -> None:
    assert SCRUBBED(text) == kept
