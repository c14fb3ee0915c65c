"""The discovery document (DISC-*, PREF-01..16)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from cds.codes import SYSTEMS
from cds.content import Library
from cds.leaves import Leaf
from hooks.fhir.keys import templates
from hooks.fhir.local import Local
from hooks.pages import Pages
from hooks.replies import answered
from hooks.routes import add_routes
from hooks.services import PATIENT_VIEW, SERVICES
from tests.patients import TODAY, request


CATALOGUE = {
    "patient-view",
    "order-select",
    "order-sign",
    "order-dispatch",
    "encounter-start",
    "encounter-discharge",
    "appointment-book",
    "problem-list-item-create",
    "allergyintolerance-create",
    "medication-refill",
}
"""The hooks of the HL7 library that are not deprecated."""


@pytest.fixture(name="service", params=SERVICES, ids=lambda service: service.hook)
def _service(client: FlaskClient, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each service as discovery lists it."""
    services = client.get("/cds-services").get_json()["services"]
    assert len({listed["id"] for listed in services}) == len(services) == len(SERVICES)
    return dict(next(listed for listed in services if listed["hook"] == request.param.hook))


def test_DISC_01_02_an_object_with_services(client: FlaskClient) -> None:
    response = client.get("/cds-services")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert response.get_json().keys() == {"services"}


def test_DISC_04_06_07_08_09_the_entry_is_complete(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"b12-[a-z-]+", service["id"])
    for member in ("title", "description", "usageRequirements"):
        assert re.search(r"\S", service[member])
        assert "<" not in service[member]
    assert service["hook"]
    assert all(isinstance(template, str) for template in service["prefetch"].values())


def test_DISC_03_without_a_service_the_list_is_empty(library: Library) -> None:
    app = Flask("none")
    add_routes(app, [], Pages(library, SERVICES), lambda: TODAY, lambda: answered({}))
    assert app.test_client().get("/cds-services").get_data() == b'{"services":[]}'


def test_DISC_05_CALL_01_RESP_01_STALE_06_each_id_leads_to_a_service_that_answers(
    client: FlaskClient, service: dict[str, Any]
) -> None:
    orders = {"orders": [{"code": 309593, "dose": "1 tablet daily"}], "chosen": [0], "new_problems": ["osteoporosis"]}
    vignette = {"age": 70, "problems": ["osteoporosis"], "hook": service["hook"], **orders}
    response = client.post(f"/cds-services/{service['id']}", json=request(vignette))
    assert response.status_code == 200
    assert isinstance(response.get_json()["cards"], list)


def test_DISC_10_11_versions_are_told(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", service["version"])
    assert service["hookVersion"] == {"problem-list-item-create": "0.1.0", "medication-refill": "0.1.0"}.get(
        service["hook"], "1.0"
    )


def test_DISC_12_14_15_16_ids_and_hooks(client: FlaskClient) -> None:
    services = client.get("/cds-services").get_json()["services"]
    assert len({service["id"] for service in services}) == len(services), "no pair twice, and no two versions under one id"
    for service in services:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._~-]*", service["id"])
        assert service["id"] != "feedback"
        assert service["hook"] in CATALOGUE


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/fhir+json", "application/json+fhir", "text/html", None]
)
def test_DISC_18_content_negotiation_never_fails(client: FlaskClient, accept: str | None) -> None:
    response = client.get("/cds-services", headers={"Accept": accept} if accept else {})
    assert (response.status_code, response.mimetype) == (200, "application/json")


def test_DISC_19_head_works_and_other_methods_do_not(client: FlaskClient) -> None:
    head = client.head("/cds-services")
    assert (head.status_code, head.get_data()) == (200, b"")
    for method in ("post", "put", "delete"):
        response = getattr(client, method)("/cds-services")
        assert response.status_code == 405
        assert "GET" in response.headers["Allow"]
        assert response.get_json()["issue"][0]["code"] == "not-supported"


def test_DISC_20_21_22_stable_with_a_slash_and_with_any_token(client: FlaskClient) -> None:
    plain = client.get("/cds-services").get_data()
    assert client.get("/cds-services/").get_data() == plain
    assert client.get("/cds-services", headers={"Authorization": "Bearer junk"}).get_data() == plain


def test_DISC_24_prefetch_keeps_its_authored_order(service: dict[str, Any]) -> None:
    asked = ["patient", "labs", "medications", "statements", "conditions", "procedures", "allergies"]
    assert list(service["prefetch"]) == asked


def test_DISC_25_the_service_may_live_below_a_path(app: Flask) -> None:
    mounted = Client(DispatcherMiddleware(lambda *_: pytest.fail("not below the path"), {"/r4": app}))
    assert len(mounted.get("/r4/cds-services").get_json()["services"]) == len(SERVICES)
    assert mounted.post("/r4/cds-services/b12-bone-health", json=request({"age": 40})).get_json() == {"cards": []}


def test_DISC_26_unknown_paths_are_not_success(client: FlaskClient) -> None:
    assert client.get("/cds-services/nope/none").status_code == 404
    for method in ("get", "put", "options", "post", "delete"):
        for path in ("/cds-services/nope", "/cds-services//nope", "/cds-services/nope/"):
            assert getattr(client, method)(path).status_code == 404
    assert client.get("/nowhere").get_json()["resourceType"] == "OperationOutcome"
    response = client.get("/cds-services/b12-bone-health")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_PREF_01_02_03_04_05_06_09_10_11_12_13_15_templates_are_portable(service: dict[str, Any]) -> None:
    for key, template in service["prefetch"].items():
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", key), "PREF-13"
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.patientId\}\}|\?.+)", template), "PREF-01"
        assert set(re.findall(r"\{\{(.*?)\}\}", template)) == {"context.patientId"}, "PREF-03, PREF-15"
        names = re.findall(r"[?&]([^=]+)=", template)
        assert len(names) == len(set(names)), "PREF-10"
        assert not {"_sort", "_count", "_include", "_revinclude", "date"} & set(names), "portable search only"
        assert ":" not in "".join(names), "no modifiers"
        assert not re.search(r"[ #]", template), "PREF-11"
        assert len(template) < 2000
    assert service["prefetch"]["labs"].count("http://loinc.org|") < 50


def test_templates_are_derived_from_what_the_rules_read(library: Library) -> None:
    assert list(templates(library, ["high_b12"])) == [
        "patient",
        "labs",
        "medications",
        "statements",
        "conditions",
        "procedures",
        "allergies",
    ]
    assert list(templates(library, ["b12_unit_error"])) == ["patient", "medications", "statements"]


def test_PREF_16_every_laboratory_code_we_ask_for_is_read(library: Library) -> None:
    codes = re.findall(r"\|([^,]+)", templates(library, library.rules)["labs"])
    read = {leaf.concept for leaf in library.sources.values() if isinstance(leaf, Leaf) and leaf.query == "labs"}
    for code in codes:
        assert {name for name, _ in library.terms["observation"].of_code(SYSTEMS["loinc"].uris[0], code)} & read


@pytest.mark.parametrize("key", ["patient", "labs", "medications", "statements", "conditions", "procedures", "allergies"])
def test_PREF_16_every_key_changes_some_answer(client: FlaskClient, key: str) -> None:
    absorbing = {"procedures": ["bariatric_surgery"], "allergies": ["cobalt"]}
    patient = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}], **absorbing}
    taken = [
        {"drug": "Vitamin B12 5000 mcg", "since": 400, "dose": "1 tablet daily", "kind": kind} for kind in ("order", "statement")
    ]
    body = request({**patient, "medicines": taken})
    whole = client.post("/cds-services/b12-bone-health", json=body).get_data()
    del body["prefetch"][key]
    assert client.post("/cds-services/b12-bone-health", json=body).get_data() != whole


def test_OPS_05_health_answers(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_a_clients_own_codes_of_results_are_searched_for(library: Library) -> None:
    local = Local(codes={("urn:his", "B12"): "b12_total", ("urn:his", "PPI"): "ppi"})
    assert (
        templates(library, PATIENT_VIEW.rules, local)["labs"] == f"{templates(library, PATIENT_VIEW.rules)['labs']},urn:his|B12"
    )
