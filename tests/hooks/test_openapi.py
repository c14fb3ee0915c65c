"""The OpenAPI document: valid, complete, and as the service behaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import TestResponse

from hooks.app import MEBIBYTE, Config, create_app
from hooks.edge.config import Proxies, Rates
from hooks.examples import fixture, fixtures
from hooks.feedback.store import Store, StoreError
from hooks.openapi.operations import refusal_name
from hooks.openapi.shown import REQUEST
from hooks.operation.audit import AuditLog
from hooks.services import SERVICES
from hooks.trust.gate import Certificates, Gate
from tests.hooks.schemas import BASE, DEPLOYMENTS, DOCUMENT, deployment, fresh, held_against, summary
from tests.patients import request


URL = "/cds-services/b12-bone-health"
JSON = "application/json"
HEALTHY = {"age": 40, "sex": "male"}


@pytest.fixture(scope="module", name="deployed", params=DEPLOYMENTS)
def deployments(request: pytest.FixtureRequest) -> Iterator[Flask]:
    with TemporaryDirectory() as folder:
        yield deployment(Path(folder), *DEPLOYMENTS[request.param])


def document(app: Flask) -> Any:
    answer = app.test_client().get(DOCUMENT)
    assert answer.mimetype == JSON
    return answer.get_json()


def validator(document: Any, name: str) -> OAS31Validator:
    """A validator for one schema of the document."""
    registry: Any = Registry().with_resource("urn:d", Resource.from_contents({"$id": "urn:d", "$schema": DIALECT, **document}))
    return OAS31Validator({"$ref": f"urn:d#/components/schemas/{name}"}, registry=registry)


DIALECT = "https://json-schema.org/draft/2020-12/schema"


def test_the_document_is_valid(deployed: Flask) -> None:
    described = document(deployed)
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []
    assert list(validator(described, "OpenAPI").iter_errors(described)) == []


def test_every_path_is_described(deployed: Flask) -> None:
    described = document(deployed)
    services = {f"/cds-services/{service.id}" for service in SERVICES}
    feedback = {f"{path}/feedback" for path in services if deployed.test_client().get(f"{path}/feedback").status_code == 405}
    assert set(described["paths"]) == {rule.rule for rule in deployed.url_map.iter_rules()} | services | feedback
    assert bool(feedback) is ("Feedback" in {tag for _, operation in operations(described) for tag in operation["tags"]})


def operations(described: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in described["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def test_what_is_referred_to_is_there_and_everything_there_is_referred_to(deployed: Flask) -> None:
    described = document(deployed)
    text = json.dumps(described)
    for kind in ("schemas", "responses", "headers", "parameters"):
        for name in described["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text, name


def test_tokens_are_asked_for_where_the_document_says_so(deployed: Flask) -> None:
    described, trusted = document(deployed), deployed.config["GATE"] is not None
    for path, operation in operations(described):
        secured = "security" in operation
        assert secured is (trusted and path.startswith("/cds-services/"))
        assert ("401" in operation["responses"]) is secured
    assert ("securitySchemes" in described["components"]) is trusted


def test_certificates_are_a_way_to_prove_oneself() -> None:
    certificates = Certificates((ip_network("10.0.0.0/8"),), ("CN=ehr",))
    described = document(create_app(Config(gate=Gate(BASE, [], certificates), base_url=BASE)))
    assert described["components"]["securitySchemes"]["certificate"]["type"] == "mutualTLS"
    assert described["paths"][URL]["post"]["security"] == [{"certificate": []}]
    assert described["servers"] == [{"url": BASE}]


def test_several_hooks_under_one_id_are_a_choice() -> None:
    described = document(create_app(Config(ids={"order-sign": "orders", "order-select": "orders"})))
    body = described["paths"]["/cds-services/orders"]["post"]["requestBody"]["content"][JSON]
    assert body["schema"]["oneOf"] == [
        {"$ref": "#/components/schemas/OrderSelectRequest"},
        {"$ref": "#/components/schemas/OrderSignRequest"},
    ]
    assert len(body["examples"]) == 2
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []


@pytest.mark.parametrize("known", list(fixtures()), ids=lambda known: known.name)
def test_fixtures_and_their_answers_are_as_described(known: Any, app: Flask) -> None:
    described = document(app)
    (path,) = (f"/cds-services/{service.id}" for service in SERVICES if service.hook == known.request["hook"])
    schema = described["paths"][path]["post"]["requestBody"]["content"][JSON]["schema"]["$ref"]
    assert list(validator(described, schema.rpartition("/")[2]).iter_errors(known.request)) == []
    assert list(validator(described, "Response").iter_errors(known.response)) == []


def test_the_examples_are_answered_as_shown(tmp_path: Path) -> None:
    described = document(deployment(tmp_path, False, True))
    for path, operation in operations(described):
        shown = operation["responses"]["200"]["content"].get(JSON, {}).get("examples", {})
        for name, example in shown.items():
            known = fixture(name)
            client = create_app(Config(today=lambda known=known: known.written_for)).test_client()  # type: ignore[misc]
            body = operation["requestBody"]["content"][JSON]["examples"][name]["value"]
            assert client.post(path, json=body).get_json() == example["value"]
    feedback = described["paths"][f"{URL}/feedback"]["post"]["requestBody"]["content"][JSON]["examples"]
    assert set(feedback) == {"accepted", "overridden"}
    client = deployment(tmp_path, False, True).test_client()
    assert [client.post(f"{URL}/feedback", json=shown["value"]).status_code for shown in feedback.values()] == [200, 200]


@pytest.fixture(name="guarded")
def guarded_deployment(tmp_path: Path) -> Flask:
    return deployment(tmp_path, True, True)


def posted(app: Flask, path: str, body: Any, kind: str = JSON, token: bool = True) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body)
    headers = {"Authorization": f"Bearer {fresh(path)}"} if token else {}
    headers["X-Request-Id"] = REQUEST
    return app.test_client().post(path, data=data, content_type=kind, headers=headers)


def check_documented(described: Any, path: str, answers: list[TestResponse]) -> None:
    """These answers, and no others, are what the document says."""
    responses = described["paths"][path]["post"]["responses"]
    assert {str(answer.status_code) for answer in answers} == set(responses)
    for answer in answers:
        response = responses[str(answer.status_code)]
        if "$ref" in response:
            response = described["components"]["responses"][response["$ref"].rpartition("/")[2]]
            assert response["content"][JSON]["schema"] == {"$ref": "#/components/schemas/OperationOutcome"}
            assert list(validator(described, "OperationOutcome").iter_errors(answer.get_json())) == []
        assert answer.mimetype in response["content"]
        for name, said in response["headers"].items():
            header = described["components"]["headers"][name] if "$ref" in said else said
            assert list(OAS31Validator(header["schema"]).iter_errors(answer.headers[name])) == [], name


def failing(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def test_a_call_is_answered_with_all_documented_statuses_and_no_others(guarded: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    described, body = document(guarded), request(HEALTHY)
    answers = [
        posted(guarded, URL, body),
        posted(guarded, URL, {}),
        posted(guarded, URL, body, token=False),
        posted(guarded, URL, {**body, "prefetch": {}}),
        posted(guarded, URL, b" " * (10 * MEBIBYTE + 1)),
        posted(guarded, URL, body, "text/plain"),
    ]
    monkeypatch.setattr("hooks.engine.unpack", failing(RuntimeError()))
    check_documented(described, URL, [*answers, posted(guarded, URL, body)])


def test_feedback_is_answered_with_all_documented_statuses_and_no_others(guarded: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{URL}/feedback"
    body: dict[str, Any] = {"feedback": []}
    answers = [
        posted(guarded, path, body),
        posted(guarded, path, {}),
        posted(guarded, path, body, token=False),
        posted(guarded, path, b" " * (MEBIBYTE + 1)),
        posted(guarded, path, body, "text/plain"),
    ]
    for error in (StoreError(RuntimeError()), RuntimeError()):
        monkeypatch.setattr(Store, "add", failing(error))
        answers.append(posted(guarded, path, body))
    check_documented(document(guarded), path, answers)


def test_the_refusals_shown_are_those_given(guarded: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {name: answer["content"][JSON]["example"] for name, answer in document(guarded)["components"]["responses"].items()}
    assert posted(guarded, URL, {}).get_json() == shown[refusal_name(400)]
    assert posted(guarded, URL, {}, token=False).get_json() == shown[refusal_name(401)]
    assert posted(guarded, URL, {**fixture("sandbox-recorded").request, "prefetch": {}}).get_json() == shown[refusal_name(412)]
    assert posted(guarded, URL, b" " * (10 * MEBIBYTE + 1)).get_json() == shown[refusal_name(413)]
    assert posted(guarded, URL, {}, "text/plain").get_json() == shown[refusal_name(415)]
    for error, status in ((StoreError(RuntimeError()), 503), (RuntimeError(), 500)):
        monkeypatch.setattr(Store, "add", failing(error))
        assert posted(guarded, f"{URL}/feedback", {"feedback": []}).get_json() == shown[refusal_name(status)]


def test_what_the_edge_refuses_is_described_where_there_is_one(tmp_path: Path) -> None:
    edge = Proxies((ip_network("127.0.0.1/32"),)), Rates(tmp_path / "counts", client="1/minute")
    app = create_app(Config(proxies=edge[0], rates=edge[1]))
    described = document(app)
    assert {"403", "429", "503"} <= described["paths"][URL]["post"]["responses"].keys()
    shown = {name: answer["content"][JSON]["example"] for name, answer in described["components"]["responses"].items()}

    def called(scheme: str) -> Any:
        headers = {"X-Forwarded-Proto": scheme, "X-Request-Id": REQUEST}
        return app.test_client().post(URL, json={}, headers=headers)

    assert called("http").get_json() == shown[refusal_name(403)]
    assert called("https").status_code == 400
    again = called("https")
    assert (again.status_code, again.get_json()) == (429, shown[refusal_name(429)])
    assert 0 < int(again.headers["Retry-After"]) <= 60


def test_a_service_that_is_not_ready_says_so_as_documented(guarded: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hooks.operation.readiness.REMEMBERED_S", 0)
    ready, described = guarded.test_client().get("/readyz"), document(guarded)
    monkeypatch.setattr(AuditLog, "_open", failing(OSError()))
    monkeypatch.setattr(Store, "_open", failing(OSError()))
    unready = guarded.test_client().get("/readyz")
    assert [ready.status_code, unready.status_code] == [200, 503]
    assert unready.get_json().keys() == {"status", "reasons", "warnings"}
    for answer in (ready, unready):
        assert list(validator(described, "Readiness").iter_errors(answer.get_json())) == []


def test_a_page_that_fails_says_so_as_documented() -> None:
    app = create_app()
    described = document(app)
    app.before_request_funcs[None] = [failing(RuntimeError())]
    for path, methods in described["paths"].items():
        if "get" in methods:
            assert set(methods["get"]["responses"]) == {"200", "500", *(["503"] if path == "/readyz" else [])}
            assert app.test_client().get(path).status_code == 500


IDS = ["p", "p q", "", " ", " p", "\x1f", "\x85p", "/p", "Patient/p", "Patient/", "Patient/ ", "Patient/p/", "x/Patient/p", "Patient/p/q",
    "https://ehr.example/fhir/Patient/p", "http://p", "Encounter/p", "XPatient/p", "Patient/p/_history/1", "p/_history/1",
    "Patient/p/_history/", "Encounter/p/_history/Patient/p", 1, None, ["p"]]  # fmt: skip
SERVERS = ["", " ", "\x1c", "http://a", "HTTPS://a/b?c#d", "https://[::1]/x", "https://", "https:///x", "ftp://a", "a", "https://a b",
    "https://é.example", "https://a/\n", "https://a\n", "https://[x]", "https://a]", 1, None, {}]  # fmt: skip


@pytest.mark.parametrize(
    ("member", "values"),
    [
        ("context.patientId", IDS),
        (
            "context.encounterId",
            [str(value).replace("Patient", "Encounter") if isinstance(value, str) else value for value in IDS],
        ),
        ("context.userId", ["p", "", " ", "\x1f", "\x85", "\u2003", 1, None]),
        ("fhirServer", SERVERS),
        ("prefetch", [{}, None, [], "", 1]),
        ("hook", ["patient-view", "order-sign", "", 1]),
    ],
)
def test_what_the_schema_refuses_the_service_refuses_and_nothing_else(
    member: str, values: list[Any], client: FlaskClient
) -> None:
    judge = validator(client.get(DOCUMENT).get_json(), "PatientViewRequest")
    for value in values:
        body = request(HEALTHY)
        where, _, name = member.rpartition(".")
        (body[where] if where else body)[name] = value
        assert (client.post(URL, json=body).status_code != 400) is judge.is_valid(body), value


@pytest.mark.parametrize("server", [None, "", " ", "https://a"])
@pytest.mark.parametrize("authorization", [None, {}, {"access_token": "x"}, "", []])
def test_a_token_without_its_server_is_refused_by_both(server: Any, authorization: Any, client: FlaskClient) -> None:
    judge = validator(client.get(DOCUMENT).get_json(), "PatientViewRequest")
    for present in ({"fhirServer", "fhirAuthorization"}, {"fhirAuthorization"}):
        members = {"fhirServer": server, "fhirAuthorization": authorization}
        body = {**request(HEALTHY), **{name: members[name] for name in present}}
        assert (client.post(URL, json=body).status_code != 400) is judge.is_valid(body)


@pytest.mark.filterwarnings("error")
def test_the_service_behaves_as_described(tmp_path: Path) -> None:
    app = deployment(tmp_path, True, True)
    found = held_against(
        app,
        examples=2,
        seed=1,
        bounds=r"^(?!.+(sign|select|list|refill|discharge)/feedback|.+(order-sign|refill|list|discharge)$)",
    )
    assert found.failures == [], summary(found, 1)
    assert {200, 400, 401, 405, 412, 413, 415} <= found.statuses.keys()
    paths = {path for path, _ in operations(document(app))} - {DOCUMENT}  # schemathesis does not ask for what it has
    assert {label.partition(" ")[2] for label in found.requests} == paths
    assert found.requests.total() > 800


def test_a_service_without_store_and_tokens_behaves_as_described(app: Flask) -> None:
    found = held_against(app, examples=2, seed=1, bounds="^/$")
    assert found.failures == [], summary(found, 1)
    assert {200, 400, 412} <= found.statuses.keys()


def test_a_document_that_is_wrong_is_found_out(app: Flask) -> None:
    described = document(app)
    described["paths"] = {URL: described["paths"][URL]}
    del described["paths"][URL]["post"]["responses"]["412"]
    described["components"]["schemas"]["OperationOutcome"]["required"].append("text")
    wrong = Flask("wrong")
    wrong.config["GATE"] = None
    wrong.add_url_rule(DOCUMENT, view_func=lambda: described)
    wrong.wsgi_app = DispatcherMiddleware(wrong.wsgi_app, {"/cds-services": put_back(app)})  # type: ignore[method-assign]
    found = held_against(wrong, examples=2, seed=1, bounds="^/$")
    checks = {failure.split(": ")[1] for failure in found.failures}
    assert {"status_code_conformance", "response_schema_conformance"} <= checks


def put_back(app: Flask) -> Any:
    """The application under the path it is mounted at."""
    return lambda environ, start: app(
        {**environ, "SCRIPT_NAME": "", "PATH_INFO": environ["SCRIPT_NAME"] + environ["PATH_INFO"]}, start
    )
