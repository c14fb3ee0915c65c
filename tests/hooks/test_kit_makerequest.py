"""`cobalamin make-request`: what it builds is answered by the service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hooks.cli import main
from hooks.services import SERVICES
from tests.patients import engine


BUNDLES = Path(__file__).parent.parent.parent / "fixtures" / "bundles"
ORDER = {
    "resourceType": "MedicationRequest",
    "id": "d1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/p"},
    "medicationReference": {"reference": "Medication/m"},
}
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1950-01-01"}
DATA: list[dict[str, Any]] = [
    PATIENT,
    ORDER,
    {"resourceType": "MedicationRequest", "id": "a1", "status": "active", "intent": "order", "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": "Metformin"}},
    {"resourceType": "Medication", "id": "m", "code": {"text": "Vitamin B12 1000 ug tablet"}},
    {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p"}, "code": {"text": "Osteoporosis"}, "recordedDate": "2020-01-01"},
    {"resourceType": "Condition", "id": "c2", "subject": {"reference": "Patient/p"}, "code": {"text": "Gastrectomy"}, "onsetDateTime": "2021"},
    {"resourceType": "Condition", "id": "c3", "subject": {"reference": "Patient/p"}, "code": {"text": "x"}, "recordedDate": "soon"},
    {"resourceType": "Encounter", "id": "e1", "period": {"start": "2020"}},
    {"resourceType": "Encounter", "id": "e2", "period": {"start": "2022"}},
    {"resourceType": "Encounter", "id": "e3"},
    {"resourceType": "Observation", "id": "o1", "subject": {"reference": "Patient/p"}, "code": {"text": "Vitamin B12"}},
]  # fmt: skip


def make(resources: Any, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["make-request", "-", *arguments], input=json.dumps(resources))


def built(resources: Any, *arguments: str) -> dict[str, Any]:
    result = make(resources, *arguments)
    assert result.exit_code == 0, result.output
    request: dict[str, Any] = json.loads(result.stdout)
    return request


@pytest.mark.parametrize("path", sorted(BUNDLES.glob("*.json")), ids=lambda path: path.stem)
@pytest.mark.parametrize("hook", ["patient-view", "problem-list-item-create", "encounter-discharge"])
def test_what_is_built_of_others_patients_is_answered(path: Path, hook: str) -> None:
    result = CliRunner().invoke(main, ["make-request", str(path), "--hook", hook, "--encounter", "Encounter/e"])
    if hook == "problem-list-item-create" and '"Condition"' not in path.read_text(encoding="utf-8"):
        assert result.exit_code == 2
        return
    assert result.exit_code == 0, result.output
    engine(hook).evaluate(result.stdout.encode())


@pytest.mark.parametrize("hook", [service.hook for service in SERVICES])
def test_all_hooks_are_built_and_answered(hook: str) -> None:
    request = built(DATA, "--hook", hook, "--fhir-server", "https://ehr.example/fhir")
    evaluation = engine(hook).evaluate(json.dumps(request).encode())
    assert evaluation.refusal is None
    assert request["context"]["encounterId"] == "e2"
    assert request["fhirServer"] == "https://ehr.example/fhir"
    drafts = request["context"].get("draftOrders", request["context"].get("medications", {})).get("entry", [])
    listed = {entry["resource"]["id"] for entry in request["prefetch"]["medications"].get("entry", ())}
    assert ("d1" in listed) != (hook.startswith("order"))
    assert len(evaluation.decision.chart.drafts) == sum(entry["resource"]["resourceType"] != "Medication" for entry in drafts)


def test_what_the_hook_is_about_is_chosen() -> None:
    drafts = built(DATA, "--hook", "order-select")["context"]
    assert drafts["selections"] == ["MedicationRequest/d1"]
    assert [entry["resource"]["id"] for entry in drafts["draftOrders"]["entry"]] == ["d1", "m"]
    chosen = built(DATA, "--hook", "order-select", "--about", "d1", "--about", "MedicationRequest/a1", "--select", "a1")[
        "context"
    ]
    assert chosen["selections"] == ["MedicationRequest/a1"]
    (problem,) = built(DATA, "--hook", "problem-list-item-create")["context"]["conditions"]["entry"]
    assert problem["resource"]["id"] == "c2"
    (refill,) = built(DATA, "--hook", "medication-refill")["context"]["medications"]["entry"]
    assert refill["resource"]["id"] == "a1"


def test_drafts_come_from_files(tmp_path: Path) -> None:
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps({**ORDER, "id": "n1"}), encoding="utf-8")
    context = built(DATA, "--hook", "order-sign", "--draft", str(draft))["context"]
    assert [entry["resource"]["id"] for entry in context["draftOrders"]["entry"]] == ["n1", "m"]


def test_prefetch_is_left_out_on_demand() -> None:
    assert "prefetch" not in built(DATA, "--no-prefetch")


def test_what_no_template_asks_for_is_named() -> None:
    result = make(DATA)
    assert "prefetch labs: 0 resources" in result.stderr
    assert "not asked for: 3 Encounter, 1 Observation" in result.stderr
    assert "not asked for" not in make([PATIENT]).stderr


def test_resources_come_in_many_wrappings() -> None:
    entries = [{"resource": {"resourceType": "Patient"}, "fullUrl": "urn:uuid:u1"}, "x", {"resource": None}]
    assert built({"resourceType": "Bundle", "entry": entries})["context"]["patientId"] == "u1"
    assert built(PATIENT)["context"]["patientId"] == "p"
    request = {
        "hook": "order-sign",
        "context": {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": ORDER}]}},
        "prefetch": {"patient": PATIENT},
    }
    assert built(request, "--hook", "order-sign")["context"]["patientId"] == "p"
    lines = "\n".join(json.dumps(resource) for resource in DATA)
    result = CliRunner().invoke(main, ["make-request", "-"], input=lines)
    assert json.loads(result.stdout)["context"]["patientId"] == "p"


@pytest.mark.parametrize(
    ("given", "arguments", "said"),
    [
        ("{", (), "is no JSON from line 1"),
        ('{"a": 1}\n{"a": ', (), "line 2, is no JSON"),
        ("{\n}\n{", (), "is no JSON from line 3"),
        ("[]", (), "holds no FHIR resource"),
        ('{"resourceType": "Bundle"}', (), "holds no FHIR resource"),
        ('{"resourceType": "Patient"}', (), "holds no Patient with an id; it holds none at all"),
        (json.dumps([PATIENT, {**PATIENT, "id": "q"}]), (), "holds 2 patients (p, q); choose one by --patient"),
        (json.dumps([PATIENT]), ("--patient", "q"), "holds no Patient q; it holds p"),
        (json.dumps([PATIENT]), ("--hook", "encounter-discharge"), "add --encounter"),
        (json.dumps([PATIENT]), ("--hook", "order-sign"), "give a file by --draft"),
        (json.dumps([PATIENT]), ("--about", "x"), "about nothing but the patient"),
        (json.dumps(DATA), ("--hook", "order-sign", "--about", "x"), "with the id x"),
        (json.dumps(DATA), ("--hook", "order-select", "--select", "x"), "is none of the drafts; they are MedicationRequest/d1"),
        ("1", ("--hook", "unknown"), "Invalid value for '--hook'"),
    ],
)
def test_what_is_missing_is_told(given: str, arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, ["make-request", "-", *arguments], input=given)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_one_of_several_patients_is_chosen() -> None:
    assert built([PATIENT, {**PATIENT, "id": "q"}], "--patient", "Patient/q")["context"]["patientId"] == "q"
