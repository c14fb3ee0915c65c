"""A service call: what is a request, what is not, and what is said to it (CALL-*, VAL-*, JSON-*, ERR-*)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from msgspec import DecodeError

from cds.library import load
from hooks.app import Config, create_app
from hooks.engine import Engine
from hooks.members import members_of
from hooks.services import PATIENT_VIEW
from tests.patients import TODAY, request


URL = "/cds-services/b12-bone-health"
DEFICIENT = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
HEALTHY = {"age": 40, "sex": "male"}
JSON = {"Content-Type": "application/json"}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def refusal(
    client: FlaskClient, body: bytes | str | dict[str, Any], headers: dict[str, str] = JSON
) -> tuple[int, list[str], list[str]]:
    """Status, issue codes and places of an answer that must be an OperationOutcome."""
    data = json.dumps(body) if isinstance(body, dict) else body
    response = client.post(URL, data=data, headers=headers)
    assert response.mimetype == "application/json"
    outcome = response.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert all(issue["severity"] == "error" and issue["details"]["text"] for issue in outcome["issue"])
    return (
        response.status_code,
        [issue["code"] for issue in outcome["issue"]],
        [issue.get("expression", [""])[0] for issue in outcome["issue"]],
    )


def test_CALL_01_a_request_is_answered_with_cards(client: FlaskClient) -> None:
    response = client.post(URL, json=request(DEFICIENT))
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert [card["indicator"] for card in response.get_json()["cards"]] == ["warning"]


def test_RESP_02_nothing_to_say_is_an_empty_array(client: FlaskClient) -> None:
    assert client.post(URL, json=request(HEALTHY)).get_data() == b'{"cards":[]}'


@pytest.mark.parametrize(
    "path",
    ["/cds-services/nope", URL.upper(), "/cds-services/B12-BONE-HEALTH", f"{URL}/analytics", "/cds-services/nope/feedback"],
)
def test_CALL_02_14_unknown_services_are_not_found(client: FlaskClient, path: str) -> None:
    response = client.post(path, json=request(HEALTHY))
    assert response.status_code == 404
    assert response.get_json()["issue"][0]["code"] == "not-found"


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/fhir+json"])
def test_CALL_04_json_in_any_dress(client: FlaskClient, kind: str) -> None:
    response = client.post(URL, data=json.dumps(request(HEALTHY)), headers={"Content-Type": kind})
    assert response.status_code == 200


def test_CALL_16_no_encoding_is_told_in_any_case(client: FlaskClient) -> None:
    response = client.post(URL, json=request(HEALTHY), headers={"Content-Encoding": "Identity"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/json"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {**JSON, "Content-Encoding": "gzip"},
    ],
)
def test_CALL_05_16_anything_else_is_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    assert refusal(client, b"{}", headers)[:2] == (415, ["not-supported"])


@pytest.mark.parametrize("path", [f"{URL}/", "/cds-services//b12-bone-health", f"{URL}?x=1"])
def test_CALL_12_13_18_slashes_and_queries_are_served_directly(client: FlaskClient, path: str) -> None:
    assert client.post(path, json=request(HEALTHY)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a":1,}', b"[]", b'"x"', b"1", b"true", b"null", b'{"hook":NaN}', b'{"hook":Infinity}', b'{"hook":1e999}', b"<html>",
     b"\xff\xfe", b'{"hook":"\xff"}', b"[" * 5000 + b"]" * 5000, b'{"context":' + b"[" * 5000 + b"]" * 5000 + b"}"],
)  # fmt: skip
def test_JSON_08_to_11_what_is_no_json_object(client: FlaskClient, body: bytes) -> None:
    status, codes, _ = refusal(client, body)
    assert status == 400
    assert codes == ["structure"]


@pytest.mark.parametrize(
    "broken",
    [b'{"entry": [NaN]}', b"[" * 5000 + b"]" * 5000, b'{"resourceType": "Bundle", "id": "\xff"}', b'{"note": "\xed\xa0\x80"}'],
)
def test_JSON_08_to_11_also_inside_prefetch(client: FlaskClient, broken: bytes) -> None:
    body = json.dumps(request(DEFICIENT)).encode().replace(b'"labs": {', b'"labs": ' + broken + b', "spare": {', 1)
    assert refusal(client, body)[0] == 400


def test_JSON_12_five_megabytes_are_read_and_more_than_the_limit_is_not(client: FlaskClient) -> None:
    body = request(DEFICIENT)
    note = {"resource": {"resourceType": "Observation", "id": "n", "note": [{"text": "x" * 5_000_000}]}}
    body["prefetch"]["labs"]["entry"].append(note)
    assert client.post(URL, json=body).status_code == 200
    note["resource"]["note"] = [{"text": "x" * 11_000_000}]
    assert refusal(client, body)[:2] == (413, ["too-long"])


def test_JSON_13_a_byte_order_mark_is_tolerated(client: FlaskClient) -> None:
    response = client.post(URL, data=b"\xef\xbb\xbf" + json.dumps(request(DEFICIENT)).encode(), headers=JSON)
    assert len(response.get_json()["cards"]) == 1


@pytest.mark.parametrize(
    "twice",
    [
        ('"hook":', '"hook": "order-sign", "hook":'),
        ('"hook":', '"hook": {}, "hook":'),
        ('"hook":', '"hoo\\u006b": [1], "hook":'),
        ('"hookInstance":', '"extension": [[1], "]"], "extension": 7, "hookInstance":'),
        ('"hookInstance":', '"extension": 7, "extension": ["x"], "hookInstance":'),
        ('"context":', '"context": {"patientId": "p1"}, "context":'),
        ('"patientId":', '"patientId": "p2", "patientId":'),
        ('"prefetch":', '"prefetch": {}, "prefetch":'),
        ('"prefetch":', '"prefetch": 7, "prefetch":'),
        ('"labs":', '"labs": null, "labs":'),
    ],
)
def test_JSON_14_a_member_that_stands_twice_is_refused(client: FlaskClient, twice: tuple[str, str]) -> None:
    body = json.dumps(request(DEFICIENT)).replace(*twice, 1)
    assert refusal(client, body)[:2] == (400, ["structure"])
    assert "twice" in client.post(URL, data=body, headers=JSON).get_json()["issue"][0]["details"]["text"]


def test_JSON_14_but_what_only_looks_like_it_is_not(client: FlaskClient) -> None:
    odd = '"extension": [{"hook": "\\"", "hook": "]"}, "\u00fc"], "foo\\u006b\\"": "\\\\", "empty": { }, "hook":'
    body = json.dumps(request(DEFICIENT)).replace('"hook":', odd, 1)
    assert client.post(URL, data=body.encode(), headers=JSON).status_code == 200


@given(
    st.dictionaries(st.text(), JSON_VALUES | st.dictionaries(st.text(), JSON_VALUES, max_size=3), min_size=1, max_size=4),
    st.sampled_from(["", " ", "\n\t"]),
    st.booleans(),
    st.data(),
)
def test_JSON_14_whatever_stands_beside_it(members: dict[str, Any], space: str, escaped: bool, data: st.DataObject) -> None:
    def said(value: Any) -> str:
        return json.dumps(value, ensure_ascii=escaped, separators=(f"{space},", f":{space}"))

    pairs = [f"{said(name)}{space}:{space}{said(value)}" for name, value in members.items()]
    body = f"{space}{{{space}{f'{space},{space}'.join(pairs)}{space}}}{space}"
    assert members_of(body.encode()).keys() == members.keys()
    again = f"{said(data.draw(st.sampled_from(list(members))))}:{said(data.draw(JSON_VALUES))}"
    pairs.insert(data.draw(st.integers(0, len(pairs))), again)
    with pytest.raises(DecodeError):
        members_of(f"{{{','.join(pairs)}}}".encode())


def changed(**members: Any) -> dict[str, Any]:
    """A request with members replaced; ... takes one away."""
    body = request(DEFICIENT)
    body.update(members)
    return {name: value for name, value in body.items() if value is not ...}


def in_context(**members: Any) -> dict[str, Any]:
    context = {**request(DEFICIENT)["context"], **members}
    return changed(context={name: value for name, value in context.items() if value is not ...})


@pytest.mark.parametrize(
    ("body", "codes", "places"),
    [
        (changed(hook=...), ["required"], ["hook"]),
        (changed(hook=None), ["value"], ["hook"]),
        (changed(hook=""), ["value"], ["hook"]),
        (changed(hook=1), ["value"], ["hook"]),
        (changed(hook="order-sign"), ["invariant"], ["hook"]),
        (changed(hook="medication-prescribe"), ["invariant"], ["hook"]),
        (changed(hookInstance=...), ["required"], ["hookInstance"]),
        (changed(hookInstance=" "), ["value"], ["hookInstance"]),
        (changed(context=...), ["required"], ["context"]),
        (changed(context=None), ["value"], ["context"]),
        (changed(context=[]), ["value"], ["context"]),
        (changed(context="x"), ["value"], ["context"]),
        (changed(context={}), ["required", "required"], ["context.userId", "context.patientId"]),
        (in_context(patientId=...), ["required"], ["context.patientId"]),
        (in_context(patientId=None), ["value"], ["context.patientId"]),
        (in_context(patientId=""), ["value"], ["context.patientId"]),
        (in_context(patientId=7), ["value"], ["context.patientId"]),
        (in_context(patientId="Practitioner/1"), ["value"], ["context.patientId"]),
        (in_context(userId=...), ["required"], ["context.userId"]),
        (changed(prefetch=[]), ["value"], ["prefetch"]),
        (changed(prefetch="x"), ["value"], ["prefetch"]),
        (changed(fhirServer="file:///etc/passwd"), ["value"], ["fhirServer"]),
        (changed(fhirServer="fhir"), ["value"], ["fhirServer"]),
        (changed(fhirServer="https://"), ["value"], ["fhirServer"]),
        (changed(fhirServer="https:///fhir"), ["value"], ["fhirServer"]),
        (changed(fhirServer="https://ehr.example.org/a b"), ["value"], ["fhirServer"]),
        (changed(fhirServer=7), ["value"], ["fhirServer"]),
        (changed(fhirAuthorization="x", fhirServer="https://ehr.example.org"), ["value"], ["fhirAuthorization"]),
        (changed(fhirAuthorization=[], fhirServer="https://ehr.example.org"), ["value"], ["fhirAuthorization"]),
        (changed(fhirAuthorization={"access_token": "t"}), ["value"], ["$"]),
        (changed(hook=..., hookInstance=..., context=...), ["required"] * 3, ["hook", "hookInstance", "context"]),
        ({}, ["required"] * 3, ["hook", "hookInstance", "context"]),
    ],
)
def test_VAL_01_02_04_05_08_10_12_13_15_28_CALL_06_ERR_12_VER_02_what_is_no_request(
    client: FlaskClient, body: Any, codes: list[str], places: list[str]
) -> None:
    assert refusal(client, body) == (400, codes, places)


@pytest.mark.parametrize(
    "body",
    [
        changed(hookInstance="123"),
        changed(fhirServer=None),
        changed(fhirServer=""),
        changed(fhirAuthorization=None),
        changed(fhirServer="https://ehr.example.org", fhirAuthorization={"access_token": ""}),
        changed(extension=[]),
        changed(extension="x"),
        changed(extension=None),
        changed(fhirServer="https://ehr.example.org", fhirAuthorization={"extension": {"x": 1}, "need_patient_banner": True}),
        changed(hookInstance="D1577C69-DFBE-44AD-BA6D-3E05E953B2EA"),
        changed(extension={"com.epic.cdshooks.request.bpa-trigger-action": "60"}),
        changed(user="Practitioner/1", patient="1", foo=[None]),
        in_context(encounterId=None),
        in_context(encounterId=""),
        in_context(encounterId=" "),
        changed(fhirServer="HTTPS://ehr.example.org"),
        in_context(userId="Device/9"),
        in_context(userId="123"),
        in_context(patientId="Patient/p1"),
        in_context(patientId="https://ehr.example.org/fhir/Patient/p1/_history/2"),
        in_context(extension={}),
    ],
)
def test_VAL_03_06_07_09_10_12_15_16_CALL_15_EXT_01_04_what_is_odd_and_still_a_request(
    client: FlaskClient, body: dict[str, Any]
) -> None:
    response = client.post(URL, json=body)
    assert response.status_code == 200
    assert len(response.get_json()["cards"]) == 1


@pytest.mark.parametrize(
    ("user", "may_order"),
    [
        ("https://ehr.example.org/fhir/Patient/p-104", False),
        ("https://ehr.example.org/fhir/RelatedPerson/7/", False),
        (" Patient/1", False),
        ("patient/1", False),
        ("Patient /1", False),
        ("Patient/1/_history/2 ", False),
        ("https://ehr.example.org/patient/fhir/Practitioner/1", True),
        ("123", True),
    ],
)
def test_HOOK_06_patients_and_relatives_are_known_however_they_are_written(
    client: FlaskClient, user: str, may_order: bool
) -> None:
    (card,) = client.post(URL, json=in_context(userId=user)).get_json()["cards"]
    assert ("suggestions" in card) is may_order


def test_ERR_09_an_error_repeats_nothing_of_the_request_and_neither_does_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    marker = "Zaphod-Beeblebrox"
    caplog.set_level(logging.DEBUG)
    bodies: list[Any] = [
        changed(hook=marker),
        changed(hookInstance={"x": marker}),
        in_context(patientId=f"{marker}/1"),
        changed(fhirServer=marker),
        changed(prefetch={"patient": {"resourceType": "Patient", "id": marker}}),
        changed(prefetch={"labs": marker}),
        f'{{"hook": "{marker}"',
    ]
    for body in bodies:
        response = client.post(URL, data=json.dumps(body) if isinstance(body, dict) else body, headers=JSON)
        assert response.status_code in (400, 412)
        assert marker not in response.get_data(as_text=True)
        assert "Traceback" not in response.get_data(as_text=True)
    client.post(URL, json=request({**DEFICIENT, "medicines": [{"drug": marker, "since": 9}]}))
    assert marker not in caplog.text


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Engine]:
    """A service in which one fact or rule, named with its module, raises."""

    def service(path: str) -> Engine:
        module, _, name = path.rpartition(".")

        @wraps(getattr(import_module(module), name))
        def raising(*_: Any) -> Any:
            raise ZeroDivisionError("Zaphod")

        monkeypatch.setattr(path, raising)
        return Engine(load(), PATIENT_VIEW)

    return service


BODY = json.dumps(request({**DEFICIENT, "problems": ["osteoporosis", "neuro_major"]})).encode()
QUIET = json.dumps(request({**DEFICIENT, "results": [{"b12_total": "420 pg/mL"}]})).encode()


@pytest.mark.parametrize(
    "broken",
    ["cds.rules.red_flags.potassium_red_flag", "cds.facts.metabolites.kidney_reading", "cds.facts.baseline.fresh_since"],
)
def test_ERR_15_a_broken_safety_rule_or_what_it_stands_on_fails_the_call(breaking: Callable[[str], Engine], broken: str) -> None:
    for body in (BODY, QUIET):
        refused = breaking(broken).evaluate(body, TODAY).refusal
        assert refused is not None
        assert (refused.status, refused.issues[0].code) == (500, "exception")


def test_ERR_15_a_broken_advisory_rule_leaves_the_others_speaking(
    breaking: Callable[[str], Engine], caplog: pytest.LogCaptureFixture
) -> None:
    evaluation = breaking("cds.rules.high_dose.b12_duplicates").evaluate(BODY, TODAY)
    assert evaluation.refusal is None
    assert [gap.what for gap in evaluation.decision.gaps] == ["b12_duplicates"]
    assert caplog.messages == ["b12_duplicates broke: ZeroDivisionError"]


def test_silence_is_not_an_answer_when_anything_broke(breaking: Callable[[str], Engine]) -> None:
    assert breaking("cds.rules.high_dose.b12_duplicates").evaluate(QUIET, TODAY).refusal is not None


def test_DISC_17_a_fault_of_a_route_is_an_operation_outcome_too(caplog: pytest.LogCaptureFixture) -> None:
    def explode() -> str:
        raise RuntimeError("Zaphod")

    app = create_app(Config(today=lambda: TODAY))
    app.add_url_rule("/broken", view_func=explode)
    response = app.test_client().get("/broken")
    assert (response.status_code, response.get_json()["issue"][0]["code"]) == (500, "exception")
    assert "Zaphod" not in response.get_data(as_text=True) + caplog.text


def test_ERR_09_OPS_04_an_unexpected_fault_is_an_operation_outcome_without_its_message(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: Any, **__: Any) -> None:
        raise RuntimeError("Zaphod")

    monkeypatch.setattr("hooks.engine.unpack", explode)
    response = create_app(Config(today=lambda: TODAY)).test_client().post(URL, json=request(DEFICIENT))
    assert response.status_code == 500
    assert response.get_json()["issue"][0]["code"] == "exception"
    assert "Zaphod" not in response.get_data(as_text=True) + caplog.text
    assert "RuntimeError" in caplog.text
