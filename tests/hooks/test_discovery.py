"""The discovery document (DISC-*, PREF-01..16)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds.codes import SYSTEMS
from cds.content import Library
from cds.leaves import Leaf
from hooks.fhir.prefetch import templates
from hooks.services import SERVICES


@pytest.fixture(params=SERVICES, ids=lambda service: service.hook)
def service(client: FlaskClient, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each service as discovery lists it."""
    services = client.get("/cds-services").get_json()["services"]
    assert len({listed["id"] for listed in services}) == len(services) == len(SERVICES)
    return dict(next(listed for listed in services if listed["hook"] == request.param.hook))


def test_DISC_01_02_an_object_with_services(client: FlaskClient) -> None:
    response = client.get("/cds-services")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert response.get_json().keys() == {"services"}


def test_DISC_04_to_09_the_entry_is_complete(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"b12-[a-z-]+", service["id"])
    for member in ("title", "description", "usageRequirements"):
        assert re.search(r"\S", service[member])
        assert "<" not in service[member]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/fhir+json", "text/html", None])
def test_DISC_18_content_negotiation_never_fails(client: FlaskClient, accept: str | None) -> None:
    response = client.get("/cds-services", headers={"Accept": accept} if accept else {})
    assert (response.status_code, response.mimetype) == (200, "application/json")


def test_DISC_19_head_works_and_other_methods_do_not(client: FlaskClient) -> None:
    assert client.head("/cds-services").status_code == 200
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


def test_DISC_26_unknown_paths_are_not_success(client: FlaskClient) -> None:
    assert client.get("/cds-services/nope/none").status_code == 404
    for method in ("get", "put", "options", "post", "delete"):
        for path in ("/cds-services/nope", "/cds-services//nope", "/cds-services/nope/"):
            assert getattr(client, method)(path).status_code == 404
    assert client.get("/nowhere").get_json()["resourceType"] == "OperationOutcome"
    response = client.get("/cds-services/b12-bone-health")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_PREF_01_to_13_templates_are_portable(service: dict[str, Any]) -> None:
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


def test_health_answers(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
