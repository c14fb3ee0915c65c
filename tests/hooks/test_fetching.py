"""Fetching what prefetch did not bring: when, what, by whose leave, and that it makes no difference (PREF-20..38, FHIR-01..20)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.engine import Evaluation
from hooks.errors import RequestError
from hooks.examples import Fixture, fixture
from hooks.fhir.access import Access
from hooks.fhir.faults import MEND, Fault
from hooks.fhir.fetching import Fetcher
from hooks.fhir.keys import KEYS, templates
from hooks.report import report
from hooks.services import PATIENT_VIEW
from hooks.wire import HookRequest
from tests.hooks.dialects import DIALECTS, PATIENCE_S, PATIENTS, fetched, fetching, gist, hospital, record, supplied
from tests.hooks.stub import LOOPBACK, TOKEN, Asked, Behaviour, Stub, reply, stub
from tests.patients import PATIENT, TODAY, bundle, engine, library, observation, outcome, patient, request


VIGNETTE: dict[str, Any] = {
    "age": 72,
    "problems": ["osteoporosis"],
    "results": [{"b12_total": "142 pg/mL"}, {"homocysteine": "22 umol/L", "days_ago": 20}],
    "medicines": [{"drug": "omeprazole", "since": 900}, {"drug": "metformin 500 mg", "kind": "statement", "since": 900}],
}
FULL = request(VIGNETTE)
NAMES = ("patient", *(key.name for key in KEYS))
GRANT: dict[str, Any] = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "user/*.read",
    "subject": "us",
}
SECRETS = (TOKEN, PATIENT)


@pytest.fixture
def ehr() -> Iterator[Stub]:
    """The FHIR server of a hospital, which holds the record of this patient."""
    with stub(hospital("generic", record(FULL["prefetch"]))) as server:
        yield server


def body(server: Stub | str, *, without: tuple[str, ...] = NAMES, grant: Any = GRANT, **prefetch: Any) -> bytes:
    """The request of this patient, some keys left out and some replaced, with the way to a server."""
    kept = {key: value for key, value in FULL["prefetch"].items() if key not in without} | prefetch
    address = server if isinstance(server, str) else server.base
    leave = {"fhirServer": address} | ({"fhirAuthorization": grant} if grant is not None else {})
    return json.dumps({**FULL, **leave, "prefetch": kept}).encode()


def evaluate(server: Stub, sent: bytes, **access: Any) -> Evaluation:
    """What a service with access to this server makes of a request."""
    usual = {"bases": (server.base,), "deadline_s": PATIENCE_S}
    return fetching("patient-view", Access(**{**usual, **access})).evaluate(sent, TODAY)


def refusal(server: Stub, sent: bytes, **access: Any) -> RequestError:
    """Why such a request was not answered."""
    try:
        found = evaluate(server, sent, **access).refusal
    except RequestError as error:
        found = error
    assert found is not None
    assert found.status == 412
    assert not any(secret in str(found) for secret in (*SECRETS, server.origin))
    return found


def kinds(server: Stub) -> list[str]:
    """The resource types a server was asked for."""
    return sorted(asked.path.split("/")[2] for asked in server.asked)


def content(evaluation: Evaluation) -> dict[str, Any]:
    """Decision and cards, the notes in whatever order."""
    found = report(evaluation)
    found["decision"]["data_quality"].sort(key=json.dumps)
    return found


EXPECTED = content(engine().evaluate(json.dumps(FULL).encode(), TODAY))


def test_PREF_20_38_with_nothing_supplied_everything_is_fetched_and_the_answer_is_the_same(ehr: Stub) -> None:
    assert content(evaluate(ehr, body(ehr))) == EXPECTED
    assert kinds(ehr) == sorted(["Patient", *(key.brings.__name__ for key in KEYS)])


def test_with_everything_supplied_nothing_is_asked(ehr: Stub) -> None:
    assert content(evaluate(ehr, body(ehr, without=()))) == EXPECTED
    assert ehr.connections == 0


@pytest.mark.parametrize("name", NAMES)
def test_PREF_21_27_only_what_is_missing_is_fetched(ehr: Stub, name: str) -> None:
    assert content(evaluate(ehr, body(ehr, without=(name,)))) == EXPECTED
    assert len(ehr.asked) == 1


@pytest.mark.parametrize(
    "value",
    [None, bundle([]), outcome("error"), {**bundle([outcome("warning")]), "total": 0}],
    ids=["null", "empty", "failed", "no"],
)
def test_PREF_23_26_what_the_client_answered_or_could_not_is_not_asked_again(ehr: Stub, value: Any) -> None:
    evaluate(ehr, body(ehr, without=(), allergies=value))
    assert ehr.asked == []


@pytest.mark.parametrize(
    "value",
    [
        "<html>error</html>",
        7,
        {"resourceType": "Encounter"},
        {**bundle([]), "total": 3},
        bundle([observation({"b12_total": "142 pg/mL"}, TODAY), outcome("error")]),
        {
            **bundle([observation({"b12_total": "142 pg/mL"}, TODAY)]),
            "link": [{"relation": "next", "url": "https://elsewhere.example/fhir"}],
        },
    ],
    ids=["html", "number", "kind", "total", "part", "foreign"],
)
def test_what_the_client_sent_in_part_or_as_garbage_is_asked_for(ehr: Stub, value: Any) -> None:
    assert content(evaluate(ehr, body(ehr, without=(), labs=value))) == EXPECTED
    assert kinds(ehr) == ["Observation"]


def test_what_the_client_sent_under_a_name_of_its_own_is_kept_and_completed(ehr: Stub) -> None:
    own = bundle([observation({"b12_total": "150 pg/mL", "days_ago": 40}, TODAY)])
    found = evaluate(ehr, body(ehr, without=("labs",), OurLabKey=own)).decision
    assert kinds(ehr) == ["Observation"]
    assert [record.day.first.day for record in found["b12_total_results"]] == [11, 12]
    assert found["folate_results"] == ()


def page(resources: list[dict[str, Any]], url: str) -> dict[str, Any]:
    return {**bundle(resources), "link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": url}]}


def test_PREF_31_a_further_page_of_what_was_supplied_is_read_with_the_token() -> None:
    first, second = FULL["prefetch"]["labs"]["entry"]
    with stub(lambda _: [reply(json.dumps(bundle([second["resource"]])).encode())]) as server:
        for address in (f"{server.base}/Observation?page=2", "Observation?page=2", "/fhir/Observation?page=2"):
            found = evaluate(server, body(server, without=(), labs=page([first["resource"]], address)))
            assert content(found) == EXPECTED
        assert {asked.target for asked in server.asked} == {"/fhir/Observation?page=2"}
        assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {TOKEN}"}


def test_PREF_34_a_next_link_to_elsewhere_is_never_followed(ehr: Stub) -> None:
    with stub(lambda _: [reply(b"{}")]) as foreign:
        labs = page([observation({"b12_total": "142 pg/mL"}, TODAY)], f"{foreign.base}/Observation?page=2")
        evaluate(ehr, body(ehr, without=(), labs=labs))
        assert foreign.connections == 0


def test_a_worse_answer_does_not_replace_what_the_client_sent_in_part() -> None:
    part = {**bundle([observation({"b12_total": "142 pg/mL"}, TODAY)]), "total": 2}
    with stub(lambda _: [reply(b"", "503 Service Unavailable")]) as server:
        found = evaluate(server, body(server, without=(), labs=part))
        assert found.decision["b12_status"] == "deficient"
        assert [note.key for note in found.decision.chart.notes] == ["fetch_broken", "query_incomplete"]


def test_parts_from_both_sides_are_read_together() -> None:
    first, second = (entry["resource"] for entry in FULL["prefetch"]["labs"]["entry"])
    with stub(lambda _: [reply(json.dumps({**bundle([second]), "total": 2}).encode())]) as server:
        found = evaluate(server, body(server, without=(), labs={**bundle([first]), "total": 2})).decision
        assert len(found["b12_total_results"]) == len(found["homocysteine_results"]) == 1
        assert found["folate_results"] is None
        assert [note.key for note in found.chart.notes] == ["query_incomplete"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [(patient({"age": 30}, TODAY) | {"id": "p2"}, "200 OK"), (outcome("error"), "404 Not Found"), (None, "410 Gone")],
)
def test_VAL_26_28_the_patient_is_fetched_and_nobody_else_will_do(sent: Any, status: str) -> None:
    with stub(lambda _: [reply(json.dumps(sent).encode(), status)]) as server:
        issue, *_ = refusal(server, body(server, without=("patient",))).issues
        assert issue.where == "prefetch.patient"
        assert server.asked[0].target == f"/fhir/Patient/{PATIENT}"


def test_VAL_26_where_somebody_else_was_sent_as_the_patient_nothing_is_asked(ehr: Stub) -> None:
    somebody = patient({"age": 30}, TODAY) | {"id": "p2"}
    assert refusal(ehr, body(ehr, without=(), patient=somebody)).issues[0].where == "prefetch.patient"
    assert ehr.connections == 0


def test_VAL_26_a_stray_resource_of_another_patient_is_refused_when_fetched_too() -> None:
    stray = {**observation({"b12_total": "900 pg/mL", "days_ago": 1}, TODAY), "subject": {"reference": "Patient/p2"}}
    with stub(hospital("generic", [*record(FULL["prefetch"]), stray])) as server:
        found = evaluate(server, body(server))
        assert found.decision["b12_status"] == EXPECTED["decision"]["b12_status"]
        assert [note.key for note in found.decision.chart.notes] == ["other_patient"]


def test_without_access_nothing_is_ever_asked(ehr: Stub) -> None:
    with pytest.raises(RequestError, match="412") as refused:
        engine().evaluate(body(ehr), TODAY)
    assert "fhirServer" not in str(refused.value)
    assert ehr.connections == 0


UNLISTED = ("/other", "/fhirx", "/fhir/../admin", "/fhir?x=1", "/fhir#x", "/fhir\\@elsewhere", "/%66hir", "/fhir%2f..")


@pytest.mark.parametrize("address", UNLISTED)
def test_FHIR_05_an_address_that_is_not_listed_is_not_asked(ehr: Stub, address: str) -> None:
    address = address.removeprefix("/fhir") if address in ("/fhirx",) else address
    refused = refusal(ehr, body(f"{ehr.origin}{address}" if address.startswith("/") else f"{ehr.base}{address}"))
    assert all(issue.text.endswith(MEND["unlisted"]) for issue in refused.issues)
    assert ehr.connections == 0


@pytest.mark.parametrize("server", ["http://169.254.169.254/latest", "https://127.0.0.1/fhir", "http://user@127.0.0.1/fhir"])
def test_FHIR_05_nor_is_another_origin(ehr: Stub, server: str) -> None:
    assert refusal(ehr, body(server)).issues[0].text.endswith(MEND["unlisted"])
    assert content(evaluate(ehr, body(server, without=()))) == EXPECTED
    assert ehr.connections == 0


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_FHIR_07_a_slash_more_or_less_makes_no_difference(ehr: Stub, slash: str) -> None:
    assert content(evaluate(ehr, body(ehr.base + slash), bases=(f"{ehr.origin}/",))) == EXPECTED
    assert not any("//" in asked.path for asked in ehr.asked)


@pytest.mark.parametrize(
    ("grant", "fault"),
    [
        (None, "no_token"),
        ({**GRANT, "access_token": ""}, "no_token"),
        ({**GRANT, "access_token": f"{TOKEN}\r\nX: y"}, "bad_token"),
        ({**GRANT, "access_token": f"{TOKEN}é"}, "bad_token"),
        ({**GRANT, "token_type": "mac"}, "no_bearer"),
        ({**GRANT, "expires_in": 0}, "expired"),
        ({**GRANT, "expires_in": -1}, "expired"),
        ({**GRANT, "expires_in": "abc"}, "expired"),
        ({**GRANT, "expires_in": True}, "expired"),
        ({**GRANT, "patient": "p2"}, "other_token"),
    ],
)
def test_FHIR_04_08_13_VAL_09_11_without_leave_nothing_is_asked(ehr: Stub, grant: Any, fault: Fault) -> None:
    assert refusal(ehr, body(ehr, grant=grant)).issues[0].text.endswith(MEND[fault])
    assert ehr.connections == 0
    assert content(evaluate(ehr, body(ehr, without=(), grant=grant))) == EXPECTED


@pytest.mark.parametrize(
    "grant",
    [
        {"access_token": TOKEN},
        {**GRANT, "token_type": "bearer"},
        {**GRANT, "token_type": "BEARER"},
        {**GRANT, "expires_in": "600"},
        {**GRANT, "expires_in": 600.5},
        {**GRANT, "patient": PATIENT},
        {**GRANT, "patient": f"Patient/{PATIENT}"},
        {**GRANT, "scope": "Observation.Read (Labs) (R4) PATIENT.READ"},
        {**GRANT, "scope": "user/Observation.Read"},
        {**GRANT, "scope": "launch openid fhirUser online_access"},
        {**GRANT, "scope": "patient/*.rs launch/patient"},
        {**GRANT, "scope": 5},
    ],
)
def test_FHIR_01_08_11_VAL_11_leave_in_whatever_shape(ehr: Stub, grant: Any) -> None:
    assert content(evaluate(ehr, body(ehr, grant=grant))) == EXPECTED
    assert {asked.headers["authorization"] for asked in ehr.asked} == {f"Bearer {TOKEN}"}


def test_FHIR_04_a_server_that_is_open_is_asked_without_a_token(ehr: Stub) -> None:
    with stub(lambda asked: [reply(b"", "401 Unauthorized")]) as server:
        evaluate(server, body(server, without=("procedures",), grant=None), open=True)
        assert [asked.headers.get("authorization") for asked in server.asked] == [None]


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        ("user/Patient.read user/Condition.*", ["Condition", "Patient"]),
        (
            "patient/Condition.rs patient/Patient.r patient/Observation.r patient/Procedure.s",
            ["Condition", "Patient", "Procedure"],
        ),
        ("user/Observation.rs?category=laboratory user/*.write user/Condition.cud", ["Observation"]),
    ],
)
def test_FHIR_09_10_12_what_no_scope_covers_is_not_asked(ehr: Stub, scope: str, asked: list[str]) -> None:
    said = refusal(ehr, body(ehr, grant={**GRANT, "scope": scope}))
    assert kinds(ehr) == asked
    assert any(issue.text.endswith(MEND["out_of_scope"]) for issue in said.issues)


@pytest.mark.parametrize("identity", [".", "..", "..."])
def test_an_id_that_is_a_way_up_is_not_asked_for(ehr: Stub, identity: str) -> None:
    sent = json.loads(body(ehr))
    sent["context"]["patientId"] = identity
    assert MEND["bad_id"] in str(refusal(ehr, json.dumps(sent).encode()))
    assert ehr.connections == 0


def test_an_id_is_never_read_as_part_of_a_url(ehr: Stub) -> None:
    sent = json.loads(body(ehr))
    sent["context"]["patientId"] = "p1&_include=*?#%2e%2e"
    refusal(ehr, json.dumps(sent).encode())
    assert {asked.query["patient"] for asked in ehr.asked if "patient" in asked.query} == {"p1&_include=*?#%2e%2e"}
    assert "/fhir/Patient/p1%26_include%3D%2A%3F%23%252e%252e" in {asked.path for asked in ehr.asked}


def test_FHIR_16_17_18_queries_are_those_we_agreed_on(ehr: Stub) -> None:
    evaluate(ehr, body(ehr))
    agreed = {
        template.replace("{{context.patientId}}", PATIENT) for template in templates(library(), PATIENT_VIEW.rules).values()
    }
    asked = {
        one.path.removeprefix("/fhir/")
        + ("?" + "&".join(f"{name}={value}" for name, value in one.query.items()) if one.query else "")
        for one in ehr.asked
    }
    assert asked == agreed
    assert {one.method for one in ehr.asked} == {"GET"}
    assert {one.headers["accept"] for one in ehr.asked} == {"application/fhir+json"}
    assert all(len(one.target) < 2000 for one in ehr.asked)


def test_FHIR_02_a_redirect_is_not_followed(ehr: Stub) -> None:
    with stub(lambda _: [reply(b"", "302 Found", Location=f"{ehr.base}/Patient/{PATIENT}")]) as server:
        assert MEND["redirected"] in str(refusal(server, body(server)))
    assert ehr.connections == 0


@pytest.mark.parametrize(
    ("base", "why"),
    [
        ("http://fhir.example/r4", "not encrypted"),
        ("http://10.0.0.1/r4", "not encrypted"),
        ("ftp://fhir.example", "no FHIR base"),
        ("https://user@fhir.example/", "no FHIR base"),
        ("https://fhir.example/r4?x=1", "no FHIR base"),
        ("", "no FHIR base"),
    ],
)
def test_FHIR_06_a_base_that_may_not_be_listed_stops_the_start(base: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Fetcher(Access((base,)), {})


@pytest.mark.parametrize(
    "base", ["http://localhost:8080/fhir", "http://[::1]/fhir", "https://fhir.example", "https://10.0.0.1/r4/"]
)
def test_FHIR_05_06_bases_that_may(base: str) -> None:
    assert Fetcher(Access((base,)), {}) is not None


def test_FHIR_19_a_certificate_is_verified() -> None:
    with stub(hospital("generic", record(FULL["prefetch"])), encrypted=True) as server:
        assert MEND["untrusted"] in str(refusal(server, body(server)))
        assert server.asked == []
        assert content(evaluate(server, body(server), authority=str(LOOPBACK))) == EXPECTED


def test_nobody_is_there(ehr: Stub) -> None:
    ehr.close()
    assert MEND["unreachable"] in str(refusal(ehr, body(ehr)))


def test_connections_are_kept(ehr: Stub) -> None:
    for _ in range(5):
        evaluate(ehr, body(ehr, without=("procedures",)))
    assert (len(ehr.asked), ehr.connections) == (5, 1)


def test_FHIR_03_SEC_38_neither_token_nor_patient_is_written_anywhere(ehr: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    other = "an0ther-t0ken"
    evaluate(ehr, body(ehr))
    refusal(ehr, body(ehr, grant={**GRANT, "access_token": other}))
    with stub(lambda _: [b"HTTP/1.1 200 OK\r\n: broken header\r\nContent-Length: 2\r\n\r\n{}"]) as server:
        refusal(server, body(server))
    said = "".join(f"{entry.name} {entry.getMessage()} {entry.args!r} {entry.exc_text}" for entry in caplog.records)
    assert not any(secret in said for secret in (*SECRETS, other))
    sent = HookRequest.model_validate({**json.loads(body(ehr)), "prefetch": {}, "context": {}})
    assert TOKEN not in repr(sent)
    assert TOKEN not in str(sent)


DRUG = {"resourceType": "Medication", "id": "d1", "code": {"text": "omeprazole 20 mg"}}
DRUG_OF = {"reference": "Medication/d1"}


def nameless(**medication: Any) -> dict[str, Any]:
    """An order that does not say itself what it is of."""
    order = deepcopy(FULL["prefetch"]["medications"]["entry"][0]["resource"])
    del order["medicationCodeableConcept"]
    return dict(order | medication)


@pytest.mark.parametrize(
    "medication", [{"medicationReference": DRUG_OF}, {"medication": {"reference": DRUG_OF}}], ids=["R4", "R5"]
)
@pytest.mark.parametrize("without", [(), NAMES])
def test_VAL_21_a_drug_that_only_a_reference_names_is_read(medication: Any, without: tuple[str, ...]) -> None:
    orders = bundle([nameless(**medication)])
    with stub(hospital("generic", [*record({**FULL["prefetch"], "medications": orders}), DRUG])) as server:
        found = evaluate(server, body(server, without=without, **({} if without else {"medications": orders})))
        assert [asked.path for asked in server.asked if "Medication/" in asked.path] == ["/fhir/Medication/d1"]
        assert len(server.asked) == (1 if not without else len(NAMES) + 1)
        assert [drug.name for drug in found.decision["proton_pump_inhibitors"]] == ["omeprazole 20 mg"]
        assert found.decision.chart.notes == ()


@pytest.mark.parametrize(
    ("reference", "answer", "asked"),
    [
        ({"reference": "Medication/d1"}, DRUG | {"id": "d2"}, 1),
        ({"reference": "Medication/d1"}, {"resourceType": "Patient", "id": "d1"}, 1),
        ({"reference": "Medication/d1"}, "<html>", 1),
        ({"reference": "Medication/.."}, DRUG, 0),
        ({"reference": "https://elsewhere.example/Medication/d1"}, DRUG, 0),
        ({"reference": "Substance/d1"}, DRUG, 0),
        ({"reference": "#d1"}, DRUG, 0),
        ({"reference": "Medication/d1", "display": "omeprazole"}, DRUG, 0),
        ({"display": "omeprazole"}, DRUG, 0),
        ({"reference": 5}, DRUG, 0),
    ],
)
def test_VAL_21_other_references_lead_nowhere(reference: Any, answer: Any, asked: int) -> None:
    with stub(lambda _: [reply(json.dumps(answer).encode())]) as server:
        found = evaluate(server, body(server, without=(), medications=bundle([nameless(medicationReference=reference)])))
        assert len(server.asked) == asked
        assert bool(found.decision["proton_pump_inhibitors"]) == ("display" in reference)
        assert "display" in reference or found.decision.chart.retrieved["medicines"] == "incomplete"


def test_VAL_21_reads_are_bounded_and_never_beyond_the_scope() -> None:
    orders = [nameless(medicationReference={"reference": f"Medication/{n}"}) | {"id": str(n)} for n in range(40)]
    with stub(hospital("generic", [])) as server:
        evaluate(server, body(server, without=(), medications=bundle(orders)))
        assert len(server.asked) == 20
        evaluate(server, body(server, without=(), medications=bundle(orders), grant={**GRANT, "scope": "user/Observation.rs"}))
        assert len(server.asked) == 20


ORDER = fixture("order-sign-mg-for-ug")


def test_ERR_03_an_order_that_is_not_ours_asks_nothing(ehr: Stub) -> None:
    sent = deepcopy(ORDER.request) | {"fhirServer": ehr.base, "fhirAuthorization": GRANT, "prefetch": {}}
    for entry in sent["context"]["draftOrders"]["entry"]:
        entry["resource"]["medicationCodeableConcept"] = {"text": "ibuprofen 400 mg"}
    found = fetching("order-sign", Access((ehr.base,))).evaluate(json.dumps(sent).encode(), ORDER.written_for)
    assert (found.cards, found.refusal, ehr.connections) == ([], None, 0)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_patients_in_every_dialect(dialect: Any) -> None:
    patients = [fixture(name) for name in PATIENTS]
    assert [gist(found) for found in fetched(patients, dialect)] == [gist(supplied(one)) for one in patients]


def store(held: list[dict[str, Any]]) -> Behaviour:
    """A server that answers every search with all it holds of that type, three to a page, and with all its Medications."""

    def behave(asked: Asked) -> list[bytes]:
        kind, _, identity = asked.path.removeprefix("/fhir/").partition("/")
        found = [one for one in held if one["resourceType"] == kind]
        if identity:
            return [reply(json.dumps(found[0]).encode())]
        start = int(asked.query.get("from", 0))
        shown = bundle([*found[start : start + 3], *(one for one in held if one["resourceType"] == "Medication")])
        if len(found) > start + 3:
            shown["link"] = [{"relation": "next", "url": f"{kind}?from={start + 3}"}]
        return [reply(json.dumps({**shown, "total": len(found)}).encode())]

    return behave


@pytest.fixture(scope="module")
def shelf() -> Iterator[tuple[Stub, list[dict[str, Any]]]]:
    """Such a server, and what it holds."""
    held: list[dict[str, Any]] = []
    with stub(store(held)) as server:
        yield server, held


WHOLE = [fixture(name) for name in PATIENTS]
KINDS = {key.name: key.brings.__name__ for key in KEYS}


def in_part(value: dict[str, Any], key: str, count: int, base: str) -> dict[str, Any]:
    """The first of what a key brought, with a link to the rest, if there is a rest."""
    matches = [entry for entry in value.get("entry", []) if entry["resource"]["resourceType"] == KINDS[key]]
    if count >= len(matches):
        return value
    beside = [entry for entry in value["entry"] if entry not in matches]
    following = {"relation": "next", "url": f"{base}/{KINDS[key]}?from={count}"}
    return {"resourceType": "Bundle", "entry": [*matches[:count], *beside], "link": [following]}


@given(st.sampled_from(WHOLE), st.fixed_dictionaries({name: st.integers(-1, 12) for name in NAMES}))
def test_PREF_38_however_the_data_came_the_answer_is_the_same(
    shelf: tuple[Stub, list[dict[str, Any]]], one: Fixture, came: dict[str, int]
) -> None:
    """`came`: -1, the key is absent; else so many resources came by prefetch, and a link to the rest if there are more."""
    hook, whole = one.request["hook"], one.request["prefetch"]
    server, held = shelf
    held[:] = record(whole)
    prefetch = {
        key: in_part(value, key, came[key], server.base) if key in KINDS and value is not None else value
        for key, value in whole.items()
        if came[key] >= 0
    }
    sent = {**one.request, "fhirServer": server.base, "fhirAuthorization": GRANT, "prefetch": prefetch}
    found = fetching(hook, Access((server.base,), deadline_s=PATIENCE_S)).evaluate(json.dumps(sent).encode(), one.written_for)
    assert content(found) == content(engine(hook).evaluate(json.dumps(one.request).encode(), one.written_for))
    assert found.refusal is None


def test_every_service_can_be_given_access() -> None:
    assert all(fetching(hook, Access(())) for hook in ("order-select", "medication-refill"))
