"""`cobalamin lint`: a service with many defects is found out, ours is clean, and each defect has its own id."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec import to_builtins
from werkzeug.wrappers import Request, Response

from hooks.app import Config, create_app
from hooks.cli import main
from hooks.examples import fixtures
from hooks.kit.lintcalls import shipped
from hooks.kit.lintcards import lint_response
from hooks.kit.lintdiscovery import lint_discovery
from hooks.kit.requirements import requirements
from hooks.trust.gate import Gate
from hooks.trust.issuers import Issuer
from hooks.trust.replay import Replays
from tests.conformance import ROWS
from tests.hooks.servers import served
from tests.hooks.test_kit_fire import private_jwk
from tests.hooks.tokens import jwk
from tests.patients import answered, request


CARD = {"summary": "s", "indicator": "info", "source": {"label": "l"}}
SUGGESTION = {"label": "l", "actions": [{"type": "create", "description": "d", "resource": {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "subject": {"reference": "Patient/p1"}}}]}  # fmt: skip
SERVICE = {"hook": "patient-view", "id": "one", "title": "t", "description": "d"}
OURS = create_app()


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "400"}).invoke(main, ["lint", *arguments], input=given)


def found(*arguments: str) -> dict[str, str]:
    """What a service or a file is said to lack: the severity by id."""
    result = run(*arguments, "--format", "json")
    assert result.stdout, result.output
    return {finding["id"]: finding["severity"] for finding in reversed(json.loads(result.stdout)["findings"])}


def test_requirements_are_those_of_the_table() -> None:
    assert requirements() is requirements()
    assert (Path(__file__).parent.parent.parent / "hooks" / "kit" / "conformance.yaml").resolve() == ROWS


@pytest.mark.parametrize(("kind", "said"), [("application/json", "and is no JSON"), ("text/html", "answers text/html instead")])
def test_an_answer_that_is_no_json_is_told_by_what_it_says_of_itself(kind: str, said: str) -> None:
    @Request.application
    def page(_: Request) -> Response:
        return Response("<html>", content_type=kind)

    with served(page) as base:
        assert said in run(base).stdout


def test_what_could_not_be_checked_is_a_note() -> None:
    @Request.application
    def choosy(asked: Request) -> Response:
        services = [{**SERVICE, "hook": "order-dispatch", "id": "other"}, SERVICE]
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "required"}]}
        listed = asked.path.endswith("/cds-services")
        known = asked.path.rpartition("/")[2] in ("one", "other")
        return Response(
            json.dumps({"services": services} if listed else outcome),
            200 if listed else 412 if known else 404,
            content_type="application/json" if listed else "application/fhir+json",
        )

    with served(choosy) as base:
        result = run(base)
    assert result.exit_code == 0, result.stdout
    assert "was not called: there is no request for order-dispatch" in result.stdout
    assert "answered no request with 200, so its cards were not checked" in result.stdout
    assert "0 errors, 0 warnings, 2 notes." in result.stdout


def test_what_is_valid_elsewhere_is_not_complained_of() -> None:
    """Other services may do what ours does not: suggest without acting, link in Markdown, fill gaps as FHIR does."""
    given = {"given": ["a", None], "_given": [None, {"extension": [{"url": "http://x.example", "valueString": "y"}]}]}
    drafted = {"resourceType": "Patient", "name": [given]}
    suggestions = [{"label": "l"}, {"label": "m", "actions": [{"type": "create", "description": "d", "resource": drafted}]}]
    detail = "B12 <60 and a > b; see <https://b12.example/x> or <me@b12.example>"
    card = {**CARD, "detail": detail, "suggestions": suggestions, "selectionBehavior": "any"}
    assert [found for found in lint_response({"cards": [card]}) if found.severity != "note"] == []
    assert list(lint_discovery({"services": [{**SERVICE, "prefetch": {"item-1": "Patient/{{context.patientId}}"}}]})) == []


# --- running services -----------------------------------------------------------------------------------------------------


def test_ours_is_clean() -> None:
    with served(OURS) as base:
        result = run(base)
        assert result.stdout == "Nothing to mend.\n", result.output
        assert result.exit_code == 0
        assert found(f"{base}/cds-services/b12-order-sign", "--strict") == {}


def test_ours_is_clean_for_callers_with_tokens(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text(private_jwk("ES384", kid="one"), encoding="utf-8")
    gate = Gate(
        "https://cds.example", [Issuer("me", {"keys": [jwk("one")]}, audiences=("us",))], replays=Replays(tmp_path / "used")
    )
    with served(create_app(Config(gate=gate, base_url="https://cds.example"))) as base:
        url = f"{base}/cds-services/b12-problem-list"
        assert found(url, "--key", str(key), "--issuer", "me", "--audience", "us") == {}
        assert found(url)["CALL-01"] == "error"


def test_an_open_service_is_found_to_be_open(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text(private_jwk("ES384", kid="one"), encoding="utf-8")
    with served(OURS) as base:
        told = found(f"{base}/cds-services/b12-problem-list", "--key", str(key), "--issuer", "me", "--browser")
    assert told == dict.fromkeys(("SEC-03", "SEC-06", "CORS-01", "CORS-02"), "error")


SLOW = "take your time"


@Request.application
def broken(asked: Request) -> Response:
    """A service that does everything wrong that a client can notice."""
    if asked.method == "OPTIONS":
        return Response(headers={"Access-Control-Allow-Origin": "*"})
    if asked.path == "/cds-services":
        if "html" in asked.headers.get("Accept", ""):
            return Response("<html>", content_type="text/html")
        services = [
            {"hook": "patient-view", "id": "b12", "description": "<b>B12</b>", "prefetch": {"p": "Patient/{{context.patientId}}", "l 1": "/Observation?patient={{context.patientId}}"}},
            {"hook": "patient-view", "id": "b12", "title": "", "description": "d"},
            {"hook": "medication-prescribe", "id": "old", "title": "t", "description": "d"},
            {"hook": "order-sign", "id": "gone", "title": "t", "description": "d"},
            {"hook": "order-select", "id": "elsewhere", "title": "t", "description": "d"},
            {"hook": "encounter-discharge", "id": "needy", "title": "t", "description": "d"},
            "not a service",
        ]  # fmt: skip
        return Response(json.dumps({"services": services, "count": 7}), content_type="text/json")
    if asked.path.endswith("/gone"):
        return Response("no such page", 404)
    if asked.path.endswith("/elsewhere"):
        return Response("", 302, {"Location": "/login"})
    if asked.path.endswith("/needy"):
        return Response('{"resourceType": "OperationOutcome"}', 412, content_type="application/json")
    if not asked.path.endswith("/b12"):
        return Response("{}")
    try:
        call = json.loads(asked.get_data())
        call["context"]["patientId"]
    except Exception:  # noqa: BLE001 - as careless as it is meant to be
        return Response('Traceback (most recent call last):\n  File "x"', 500)
    if (
        "extension" in call
        or "orgExampleUnknown" in call
        or call.get("hookInstance") == "4711"
        or "charset" in (asked.content_type or "")
    ):
        return Response("Bad Request", 400)
    if call["hookInstance"] == SLOW:
        time.sleep(0.51)
    cards = [{**CARD, "summary": "x" * 150, "indicator": "hard-stop"}, {**CARD, "detail": str(time.time())}]
    return Response(json.dumps({"cards": cards}), content_type="application/json")


def test_a_broken_service_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request({"age": 71})), encoding="utf-8")
    slow = tmp_path / "slow.json"
    slow.write_text(json.dumps({**request({"age": 71}), "hookInstance": SLOW}), encoding="utf-8")
    orders = [tmp_path / f"{hook}.json" for hook in ("order-sign", "order-select", "encounter-discharge")]
    for order in orders:
        order.write_text(json.dumps(next(f.request for f in fixtures() if f.request["hook"] == order.stem)), encoding="utf-8")
    with served(broken) as base:
        told = found(
            base, "--request", str(path), *(word for order in (*orders, slow) for word in ("--request", str(order))), "--browser"
        )
        shown = run(base, "--request", str(path))
    errors = {name for name, severity in told.items() if severity == "error"}
    assert errors == {
        "JSON-01", "JSON-03", "DISC-02", "DISC-05", "DISC-06", "PREF-01", "PREF-13", "CALL-01", "CALL-04",
        "VAL-01", "VAL-02", "VAL-04", "VAL-05", "EXT-01", "RESP-04", "RESP-05",
    }  # fmt: skip
    assert {name for name, severity in told.items() if severity == "warning"} == {"DISC-07", "CALL-08", "ERR-05"}
    assert {name for name, severity in told.items() if severity == "note"} == {
        "DISC-14", "DISC-18", "VER-02", "CALL-02", "CALL-03", "CALL-09", "CALL-13", "VAL-03", "VAL-07", "JSON-08", "JSON-09", "ERR-09",
    }  # fmt: skip
    assert shown.exit_code == 1
    assert "was not called: there is no request for medication-prescribe" in shown.stdout
    assert "A summary is one line of fewer than 140 characters." in shown.stdout


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [("[]", 200, {"DISC-02"}), ('{"services": 5}', 200, {"DISC-02"}), ("{}", 500, {"DISC-01"})],
)
def test_what_is_no_discovery_is_told(body: str, status: int, expected: set[str]) -> None:
    @Request.application
    def application(asked: Request) -> Response:
        return Response(body, status if asked.method == "GET" else 404, content_type="application/json")

    with served(application) as base:
        assert found(base).keys() == expected


def test_a_service_with_other_prefetch_keys_gets_its_own() -> None:
    bodies = []

    @Request.application
    def application(asked: Request) -> Response:
        if asked.method == "GET":
            service = {
                **SERVICE,
                "prefetch": {"thePatient": "Patient/{{context.patientId}}", "labs": "Observation?patient={{context.patientId}}"},
            }
            return Response(json.dumps({"services": [service]}), content_type="application/json")
        bodies.append(json.loads(asked.get_data()) if asked.path.endswith("/one") else {})
        return Response('{"cards": []}', content_type="application/json")

    with served(application) as base:
        run(base)
    names = [
        set(body["prefetch"]) for body in bodies if isinstance(body, dict) and body.get("hookInstance") and "prefetch" in body
    ]
    assert names
    assert all(name == {"thePatient", "labs"} for name in names)


def test_requests_are_shipped_for_all_our_hooks() -> None:
    assert len(shipped(date(2026, 11, 21))) == 6


# --- saved documents ------------------------------------------------------------------------------------------------------


def test_saved_documents_are_checked(tmp_path: Path) -> None:
    sent = request({"age": 71, "results": [{"b12_total": "120 pg/mL"}], "problems": ["osteoporosis"]})
    response, asked = tmp_path / "response.json", tmp_path / "request.json"
    asked.write_text(json.dumps(sent), encoding="utf-8")
    with served(OURS) as base:
        told = CliRunner().invoke(main, ["fire", base, str(asked), "--format", "json"])
    response.write_text(json.dumps(json.loads(told.stdout)["response"]), encoding="utf-8")
    assert found(str(response), "--request", str(asked)) == {}
    sent["context"]["patientId"] = "somebody-else"
    asked.write_text(json.dumps(sent), encoding="utf-8")
    assert found(str(response), "--request", str(asked)) == {"RESP-21": "note"}
    response.write_text(json.dumps({"services": [{**SERVICE, "title": 5}]}), encoding="utf-8")
    assert run(str(response)).exit_code == 0
    assert run(str(response), "--strict").exit_code == 1
    assert "1 warning, 0 notes" in run(str(response)).stdout


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("nowhere.json", None, "cannot be read (No such file"), ("x.json", "[]", "holds an array"), ("x.json", "{", "is no JSON")],
)
def test_what_is_no_document_is_told(name: str, content: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = run(str(path))
    assert result.exit_code == 2
    assert said in result.stderr


def ids(findings: Iterator[Any]) -> set[str]:
    return {finding.id for finding in findings}


def acting(**action: Any) -> dict[str, Any]:
    return card(suggestions=[{"label": "l", "actions": [{"type": "create", "description": "d", **action}]}])


def card(**members: Any) -> dict[str, Any]:
    behaviour = {"selectionBehavior": "any"} if "suggestions" in members else {}
    return {"cards": [{**CARD, **behaviour, **members}]}


UUID = "c0d2d8e6-26a5-4a2a-8f2e-3b0a4a9d2f10"
GOOD = SUGGESTION["actions"][0]["resource"]  # type: ignore[index]  # it is a list


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], "RESP-01"),
        ({"cards": 5}, "RESP-01"),
        ({"cards": ["x"]}, "RESP-01"),
        ({"cards": [], "more": 1}, "RESP-03"),
        ({"cards": [], "extension": {"mine": None}}, ""),
        (card(), ""),
        (card(suggestions=[SUGGESTION]), ""),
        (card(detail=None), "JSON-02"),
        (card(detail=""), "JSON-03"),
        (card(detail="  "), "JSON-05"),
        (card(links=[]), "JSON-03"),
        (card(mine=1), "EXT-05"),
        (card(extension={"mine": 1, "org.example.it": {}}), "EXT-03"),
        (card(extension="x"), ""),
        (card(summary=5), "RESP-04"),
        (card(summary="a\nb"), "RESP-04"),
        (card(indicator="hard-stop"), "RESP-05"),
        (card(detail=5), "RESP-11"),
        (card(detail="<p>x</p>"), "RESP-12"),
        (card(detail="B12 < 200, folate > 4"), ""),
        (card(source="x"), "RESP-06"),
        (card(source={"label": "l", "url": "/x"}), "RESP-07"),
        (card(source={"label": "l", "icon": "x.png"}), "RESP-08"),
        (card(source={"label": "l", "topic": {"code": "c"}}), "RESP-09"),
        (card(source={"label": "l", "topic": "c"}), "RESP-09"),
        (card(source={"label": "l", "mine": 1}), "EXT-05"),
        (card(uuid="x"), "RESP-13"),
        (card(uuid=5), "RESP-13"),
        ({"cards": [{**CARD, "uuid": UUID}, {**CARD, "uuid": UUID}]}, "RESP-13"),
        (card(suggestions=[SUGGESTION], selectionBehavior=None), "RESP-14 JSON-02"),
        (card(suggestions=[SUGGESTION], selectionBehavior="one"), "RESP-15"),
        (card(selectionBehavior="any"), "RESP-16"),
        (card(suggestions=[{**SUGGESTION, "isRecommended": True}] * 2, selectionBehavior="at-most-one"), "RESP-17"),
        (card(overrideReasons=[{"code": "c", "system": "s"}]), "RESP-18"),
        (card(overrideReasons=[{"code": "c", "system": "s", "display": "d"}] * 2), "RESP-19"),
        ({"cards": [CARD, {**CARD, "indicator": "critical"}]}, "RESP-22"),
        (card(suggestions=[{**SUGGESTION, "label": " "}]), "SUG-01 JSON-05"),
        (card(suggestions=[{**SUGGESTION, "uuid": "u"}] * 2), "SUG-02"),
        (card(suggestions=[{**SUGGESTION, "isRecommended": False}]), "SUG-03"),
        (card(suggestions=[{"label": "l", "actions": ["x"]}]), "SUG-04"),
        (card(suggestions=[{**SUGGESTION, "actionSelectionBehavior": "some"}]), "SUG-08"),
        (acting(type="make"), "ACT-01"),
        (acting(description=None, resource=GOOD), "ACT-02 JSON-02"),
        (acting(), "ACT-03"),
        (acting(resource={"resourceType": "Nothing"}), "ACT-03"),
        (acting(resource={"resourceType": "ServiceRequest"}), "ACT-03"),
        (acting(resource=json.dumps(GOOD)), "JSON-07"),
        (acting(type="update"), "ACT-04"),
        (acting(type="update", resource=GOOD), "ACT-04"),
        (acting(type="update", resource={**GOOD, "id": "1"}), ""),
        (acting(type="delete"), "ACT-06"),
        (acting(type="delete", resourceId="x"), "ACT-06"),
        (acting(type="delete", resourceId="A/1", resource=GOOD), "ACT-06"),
        (acting(type="delete", resourceId="A/1"), ""),
        (acting(resource={**GOOD, "id": "x"}), "ACT-10"),
        (acting(resource={**GOOD, "subject": {"reference": "Patient/other"}}), "RESP-21"),
        (card(links=[{"label": "l", "type": "absolute", "url": "https://x"}]), ""),
        (card(links=[{"label": "l", "type": "absolute"}]), "LINK-01"),
        (card(links=[{"label": "l", "type": "absolute", "url": "http://x"}]), "LINK-02"),
        (card(links=[{"label": "l", "type": "odd", "url": "https://x"}]), "LINK-03"),
        (card(links=[{"label": "l", "type": "absolute", "url": "https://x", "appContext": "a"}]), "LINK-04"),
        (card(links=[{"label": "l", "type": "smart", "url": "https://x", "appContext": {"a": 1}}]), "LINK-05"),
        (card(links=[{"label": "l", "type": "smart", "url": "https://x?iss=1"}]), "LINK-06"),
        ({"cards": [], "systemActions": []}, "SYS-03"),
        ({"cards": [], "systemActions": ["x"]}, "SYS-04"),
        ({"cards": [], "systemActions": [{"type": "create", "resource": GOOD}]}, "ACT-02"),
    ],
)
def test_every_defect_of_an_answer_has_its_id(document: Any, expected: str) -> None:
    assert ids(lint_response(document, {"context": {"patientId": "p1"}})) == set(expected.split())


def service(**members: Any) -> dict[str, Any]:
    return {"services": [{**SERVICE, **members}]}


def template(text: Any, hook: str = "patient-view") -> dict[str, Any]:
    return service(hook=hook, prefetch={"key": text})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], "DISC-02"),
        ({"services": 1}, "DISC-02"),
        ({"services": [1]}, "DISC-02"),
        ({"services": [], "x": 1}, "DISC-02"),
        ({"services": []}, ""),
        (service(), ""),
        (service(mine=1), "EXT-05"),
        (service(hook=None), "DISC-04 JSON-02"),
        (service(hook="patientView"), "DISC-16"),
        (service(hook="org.example.hook"), ""),
        (service(hook="order-review"), "VER-02"),
        (service(id=""), "DISC-05 JSON-03"),
        (service(id="a b"), "DISC-15"),
        (service(id="feedback"), "DISC-15"),
        (service(description=5), "DISC-06"),
        (service(description="<b>x</b>"), "DISC-06"),
        (service(title=5), "DISC-07"),
        (service(version="2"), "DISC-10"),
        (service(version=2), "DISC-10"),
        (service(version="2.0.1"), ""),
        (service(prefetch=[1]), "DISC-08"),
        ({"services": [SERVICE, SERVICE]}, "DISC-14"),
        (template(5), "DISC-08"),
        (service(prefetch={"a b": "Patient/1"}), "PREF-13"),
        (service(prefetch={"a": "Patient/{{ context.patientId }}"}), "PREF-02"),
        (template("/Patient/1"), "PREF-01"),
        (template("https://x/Patient/1"), "PREF-01"),
        (template("Patient/{{context.patientId"), "PREF-02"),
        (template("Patient/{{context.encounterId}}"), ""),
        (template("Task/{{context.medications}}"), "PREF-03"),
        (template("Task/{{context.medications}}", "org.example.hook"), ""),
        (template("Task/{{context.performer}}", "order-dispatch"), ""),
        (template("Task/{{context.draftOrders.X.id}}"), "PREF-04"),
        (template("Task/{{patientId}}"), "PREF-05"),
        (template("Task/{{userPatientId}}"), ""),
        (template("Task?date={{today()}}"), "PREF-06"),
        (template("Task?_include=a"), "PREF-09"),
        (template("Task?subject.name=a"), "PREF-09"),
        (template("Task?code:in=a&_count=5&_sort=-date"), ""),
        (template("Task?a=1&a=2"), "PREF-10"),
        (template("Task?a=b c"), "PREF-11"),
        (template("Task?a=http://x?y"), "PREF-11"),
        (template("Task?sort:desc=date"), "PREF-12"),
    ],
)
def test_every_defect_of_a_discovery_has_its_id(document: Any, expected: str) -> None:
    assert ids(lint_discovery(document)) == set(expected.split())


@pytest.mark.parametrize("fixture", list(fixtures()), ids=lambda fixture: fixture.name)
def test_all_our_cards_are_clean(fixture: Any) -> None:
    cards = answered(json.dumps(fixture.request), fixture.written_for).cards
    assert list(lint_response({"cards": to_builtins(cards)}, fixture.request)) == []
