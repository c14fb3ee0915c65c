"""The feedback endpoint, row by row of the requirements (FB-01 to FB-22)."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from hooks.app import Config, create_app
from hooks.feedback.config import FeedbackConfig
from hooks.feedback.mounting import Kept
from hooks.feedback.statistics import Reason, Statistics, statistics
from hooks.feedback.store import Store
from hooks.feedback.tables import FEEDBACK
from hooks.services import SERVICES
from hooks.trust.gate import Gate
from hooks.trust.issuers import Issuer
from hooks.trust.replay import Replays
from tests.hooks.tokens import ISS, jwk, token
from tests.patients import TODAY, request


SERVICE = "/cds-services/b12-bone-health"
URL = f"{SERVICE}/feedback"
PATIENT = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
CARD_ID = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
WHEN = "2026-01-02T03:04:05.678Z"
OVERRIDDEN = {"card": CARD_ID, "outcome": "overridden", "outcomeTimestamp": WHEN}
ACCEPTED = {**OVERRIDDEN, "outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}]}
Rows = Callable[[], list[Any]]
SALT = "the-salt-of-the-tests"


class Deployment:
    """A service with a store, as its EHR and as its operator see it."""

    def __init__(self, config: FeedbackConfig, gate: Gate | None = None) -> None:
        """Start it."""
        made: list[Kept] = []

        class Remembered(Kept):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                made.append(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hooks.feedback.mounting.Kept", Remembered)
            self.ehr = create_app(Config(today=lambda: TODAY, feedback=config, gate=gate)).test_client()
        self.config, self.recorder, self._store = config, made[0].recorder, Store(config.url)

    def rows(self) -> list[Any]:
        """The events, in time order."""
        with self._store.reading() as connection:
            return list(connection.execute(select(FEEDBACK).order_by(FEEDBACK.c.outcome_at)))

    def counted(self) -> Statistics:
        """What a report would show."""
        self.recorder.round()
        with self._store.reading() as connection:
            return statistics(connection)

    def empty(self) -> None:
        """Forget all cards and events."""
        self.recorder.round()
        self._store.purge(datetime.max.replace(tzinfo=UTC))

    def close(self) -> None:
        """End it."""
        self.recorder.close()
        self._store.close()


@pytest.fixture(scope="module", name="running")
def running_deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    running = Deployment(FeedbackConfig(str(tmp_path_factory.mktemp("store") / "feedback.db"), SALT))
    yield running
    running.close()


@pytest.fixture(name="here")
def empty_deployment(running: Deployment) -> Iterator[Deployment]:
    yield running
    running.empty()


@pytest.fixture(name="ehr")
def client_of_a_service_with_a_store(here: Deployment) -> FlaskClient:
    return here.ehr


@pytest.fixture(name="rows")
def stored_events(here: Deployment) -> Rows:
    return here.rows


def post(ehr: FlaskClient, *items: Any, url: str = URL, **more: Any) -> int:
    return ehr.post(url, json={"feedback": list(items)}, **more).status_code


def refusal(ehr: FlaskClient, body: Any) -> tuple[int, set[str]]:
    """The status, and the places an OperationOutcome names."""
    data = body if isinstance(body, bytes) else json.dumps(body)
    answer = ehr.post(URL, data=data, content_type="application/json")
    outcome = answer.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    return answer.status_code, {issue.get("expression", [""])[0] for issue in outcome["issue"]}


def without(name: str, item: dict[str, Any] = OVERRIDDEN) -> dict[str, Any]:
    return {member: value for member, value in item.items() if member != name}


@pytest.mark.parametrize("service", [service.id for service in SERVICES])
def test_FB_01_every_service_takes_feedback(ehr: FlaskClient, service: str) -> None:
    answer = ehr.post(f"/cds-services/{service}/feedback", json={"feedback": [ACCEPTED]})
    assert (answer.status_code, answer.get_json()) == (200, {"received": 1})
    assert answer.mimetype == "application/json"


@pytest.mark.parametrize("url", [f"{URL}/", f"/cds-services/{URL.removeprefix('/cds-services')}"])
def test_FB_01_a_slash_too_many_is_no_redirect(ehr: FlaskClient, url: str) -> None:
    assert post(ehr, OVERRIDDEN, url=url) == 200


@pytest.mark.parametrize(
    "body", [{}, [], {"feedback": {}}, {"feedback": None}, b"", b"{", b"\xff", b"[" * 100_000, b'{"feedback":"\xff"}']
)
def test_FB_02_the_body_is_an_object_with_an_array(ehr: FlaskClient, body: Any) -> None:
    assert refusal(ehr, body)[0] == 400


@pytest.mark.parametrize(
    "item", [without("card"), {**OVERRIDDEN, "card": ""}, {**OVERRIDDEN, "card": 1}, {**OVERRIDDEN, "card": " "}]
)
def test_FB_03_an_item_names_its_card(ehr: FlaskClient, item: Any) -> None:
    assert refusal(ehr, {"feedback": [item]}) == (400, {"feedback[0].card"})


@pytest.mark.parametrize("item", [without("outcome"), {**OVERRIDDEN, "outcome": "ignored"}, {**ACCEPTED, "outcome": "Accepted"}])
def test_FB_04_the_outcome_is_one_of_two(ehr: FlaskClient, item: Any) -> None:
    assert refusal(ehr, {"feedback": [item]}) == (400, {"feedback[0].outcome"})


@pytest.mark.parametrize(
    "item",
    [
        without("acceptedSuggestions", ACCEPTED),
        {**ACCEPTED, "acceptedSuggestions": []},
        {**ACCEPTED, "acceptedSuggestions": [{}]},
    ],
)
def test_FB_05_accepted_names_what_was_accepted(ehr: FlaskClient, item: Any) -> None:
    assert refusal(ehr, {"feedback": [item]})[0] == 400


def test_FB_06_overridden_needs_no_reason(ehr: FlaskClient, rows: Rows) -> None:
    assert post(ehr, OVERRIDDEN) == 200
    (row,) = rows()
    assert (row.outcome, row.reason_code, row.comment, row.extension, row.accepted) == ("overridden", None, None, None, None)


@pytest.mark.parametrize("reason", [{}, {"userComment": " "}, {"reason": None}, {"extension": {}}])
def test_FB_07_an_override_reason_says_something(ehr: FlaskClient, reason: Any) -> None:
    assert refusal(ehr, {"feedback": [{**OVERRIDDEN, "overrideReason": reason}]}) == (400, {"feedback[0].overrideReason"})


def test_FB_07_a_reason_or_a_comment_is_enough(ehr: FlaskClient, rows: Rows) -> None:
    coded = {"reason": {"code": "x", "system": "urn:s", "display": "X"}}
    assert post(ehr, {**OVERRIDDEN, "overrideReason": coded}, {**OVERRIDDEN, "overrideReason": {"userComment": "why"}}) == 200
    assert [(row.reason_code, row.reason_system, row.reason_display, row.comment) for row in rows()] == [
        ("x", "urn:s", "X", None),
        (None, None, None, "why"),
    ]


def test_FB_08_a_reason_needs_its_code_alone(ehr: FlaskClient) -> None:
    assert post(ehr, {**OVERRIDDEN, "overrideReason": {"reason": {"code": "x"}}}) == 200
    body = {"feedback": [{**OVERRIDDEN, "overrideReason": {"reason": {"system": "y"}}}]}
    assert refusal(ehr, body) == (400, {"feedback[0].overrideReason.reason.code"})


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (WHEN, "2026-01-02 03:04:05.678000"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02 01:04:05"),
        ("2026-01-02t03:04:05.123456789z", "2026-01-02 03:04:05.123456"),
        ("2016-12-31T23:59:60Z", "2017-01-01 00:00:00"),
    ],
)
def test_FB_09_moments_become_UTC(ehr: FlaskClient, rows: Rows, said: str, meant: str) -> None:
    assert post(ehr, {**OVERRIDDEN, "outcomeTimestamp": said}) == 200
    (row,) = rows()
    assert row.outcome_at == datetime.fromisoformat(meant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    ["2020-12-11", "now", f"{WHEN} UTC", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "0001-01-01T00:00:00+23:59", "2026-01-02T03:04:61Z", "٢٠٢٦-01-02T03:04:05Z", 5, None],
)  # fmt: skip
def test_FB_09_anything_else_is_no_moment(ehr: FlaskClient, said: Any) -> None:
    assert refusal(ehr, {"feedback": [{**OVERRIDDEN, "outcomeTimestamp": said}]}) == (400, {"feedback[0].outcomeTimestamp"})


def test_FB_09_it_is_required(ehr: FlaskClient) -> None:
    assert refusal(ehr, {"feedback": [without("outcomeTimestamp")]}) == (400, {"feedback[0].outcomeTimestamp"})


def test_FB_10_one_call_reports_several_cards(ehr: FlaskClient, rows: Rows) -> None:
    assert post(ehr, *({**OVERRIDDEN, "card": f"card {place}"} for place in range(3))) == 200
    assert len({row.card_key for row in rows()}) == 3


def test_FB_11_repeats_change_nothing(ehr: FlaskClient, rows: Rows) -> None:
    items = [{**OVERRIDDEN, "overrideReason": {"userComment": "why"}}, ACCEPTED]
    assert [post(ehr, *items), post(ehr, *items), post(ehr, items[0], items[0])] == [200] * 3
    assert len(rows()) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"card": "another"}, {"outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}]}, {"outcomeTimestamp": "2026-01-02T03:04:06Z"},
        {"overrideReason": {"userComment": "x"}}, {"overrideReason": {"reason": {"code": "x"}}}, {"extension": {"x": 1}},
    ],
)  # fmt: skip
def test_FB_11_whatever_differs_is_another_report(ehr: FlaskClient, rows: Rows, other: dict[str, Any]) -> None:
    assert post(ehr, OVERRIDDEN, {**OVERRIDDEN, **other}) == 200
    assert len(rows()) == 2


def test_FB_12_both_outcomes_of_a_card_are_kept(ehr: FlaskClient, rows: Rows) -> None:
    assert post(ehr, {**OVERRIDDEN, "outcomeTimestamp": "2026-01-02T03:09:00Z"}) == 200
    assert post(ehr, ACCEPTED) == 200
    assert [row.outcome for row in rows()] == ["accepted", "overridden"]


@pytest.mark.parametrize("card", ["123456", "x" * 194, "维生素", "\x00"])
def test_FB_13_a_card_nobody_knows_is_kept(ehr: FlaskClient, rows: Rows, here: Deployment, card: str) -> None:
    assert post(ehr, {**OVERRIDDEN, "card": card}) == 200
    assert len(rows()) == 1
    assert here.counted().unmatched == {"anybody": 1}


EPIC = "com.epic.cdshooks.feedback.overrideReason."
EPIC_CODED = {"reason": {"code": "x", "system": "urn:s", "display": "X"}, "userComment": "why"}
EPIC_EXTENDED = {
    "extension": {f"{EPIC}reasonCategory": "45", f"{EPIC}reasonDisplay": "Not now", f"{EPIC}reasonTitle": "Later"},
    "userComment": "why",
}


def test_FB_14_Epics_shapes_are_understood(ehr: FlaskClient, rows: Rows) -> None:
    items = [{**OVERRIDDEN, "card": "123456", "overrideReasons": shape} for shape in (EPIC_CODED, EPIC_EXTENDED)]
    assert post(ehr, *items) == 200
    coded, extended = rows()
    assert (coded.reason_code, coded.reason_system, coded.reason_display, coded.comment) == ("x", "urn:s", "X", "why")
    assert (extended.reason_code, extended.reason_system, extended.reason_display, extended.comment) == (
        "45",
        None,
        "Not now",
        "why",
    )
    assert json.loads(extended.extension) == {"overrideReason": EPIC_EXTENDED["extension"]}


@pytest.mark.parametrize(
    ("extension", "code", "display"),
    [
        ({f"{EPIC}reasonCategory": "45", f"{EPIC}reasonTitle": "Later"}, "45", "Later"),
        ({f"{EPIC}reasonCategory": "45", f"{EPIC}reasonTitle": 5}, "45", None),
        ({f"{EPIC}reasonCategory": 45}, None, None),
        ({f"{EPIC}reasonCategory": " "}, None, None),
        ({"other": {"deep": [1]}}, None, None),
    ],
)
def test_FB_14_an_extension_alone_is_enough(
    ehr: FlaskClient, rows: Rows, extension: Any, code: str | None, display: str | None
) -> None:
    assert post(ehr, {**OVERRIDDEN, "overrideReasons": {"extension": extension}}) == 200
    (row,) = rows()
    assert (row.reason_code, row.reason_display) == (code, display)


def test_FB_15_an_empty_batch_is_none_the_worse(ehr: FlaskClient, rows: Rows) -> None:
    assert ehr.post(URL, json={"feedback": []}).get_json() == {"received": 0}
    assert rows() == []


def test_FB_16_the_gate_is_that_of_the_service(tmp_path: Path) -> None:
    gate = Gate(
        "https://cds.example.org", [Issuer(ISS, {"keys": [jwk()]}, tenants=("south",))], None, Replays(tmp_path / "replays")
    )
    guarded = Deployment(FeedbackConfig(str(tmp_path / "feedback.db"), SALT), gate)
    ehr = guarded.ehr
    assert post(ehr, OVERRIDDEN) == 401
    assert ehr.post(URL, data="{broken").status_code == 401
    for number, (path, status) in enumerate([(SERVICE, 200), (URL, 200), ("/cds-services/b12-order-sign", 401), ("", 401)]):
        now = time.time()
        sent = token(exp=now + 300, iat=now, jti=str(number), aud=f"https://cds.example.org{path}", tenant="south")
        assert post(ehr, {**OVERRIDDEN, "card": str(number)}, headers={"Authorization": f"Bearer {sent}"}) == status
    assert {row.client for row in guarded.rows()} == {f"{ISS}#south"}
    guarded.close()


def test_FB_17_routes_that_are_none(ehr: FlaskClient) -> None:
    for url in ("/cds-services/nope/feedback", f"{SERVICE}/analytics/{CARD_ID}", f"{URL}/{CARD_ID}"):
        assert post(ehr, OVERRIDDEN, url=url) == 404
    for method in (ehr.get, ehr.put, ehr.delete):
        answer = method(URL)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert answer.get_json()["resourceType"] == "OperationOutcome"
    assert ehr.post(URL, data="{}", content_type="text/plain").status_code == 415


def test_FB_17_without_a_store_there_is_no_endpoint(client: FlaskClient) -> None:
    assert post(client, OVERRIDDEN) == 404


def test_FB_18_a_batch_is_stored_whole_or_not_at_all(ehr: FlaskClient, rows: Rows) -> None:
    body = {"feedback": [OVERRIDDEN, ACCEPTED, {**without("card"), "outcome": "ignored"}]}
    assert refusal(ehr, body) == (400, {"feedback[2].card", "feedback[2].outcome"})
    assert rows() == []


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ({"overrideReason": {"userComment": "x" * 1_000_000}}, "feedback[0].overrideReason.userComment"),
        ({"overrideReason": {"reason": {"code": "x" * 4001}}}, "feedback[0].overrideReason.reason.code"),
        ({"card": "x" * 4001}, "feedback[0].card"),
        ({"extension": {"x": "y" * 4000}}, "feedback[0].extension"),
    ],
)
def test_FB_19_a_text_too_long_is_refused(ehr: FlaskClient, rows: Rows, item: dict[str, Any], place: str) -> None:
    assert refusal(ehr, {"feedback": [{**OVERRIDDEN, **item}]}) == (413, {place})
    assert rows() == []
    assert post(ehr, {**OVERRIDDEN, "overrideReason": {"userComment": "x" * 4000}}) == 200


def test_FB_19_a_body_too_large_is_refused(ehr: FlaskClient) -> None:
    assert refusal(ehr, b" " * (1024 * 1024 + 1))[0] == 413


def test_FB_19_a_comment_is_never_logged(
    ehr: FlaskClient, rows: Rows, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    item = {
        **OVERRIDDEN,
        "card": "MARKER",
        "overrideReason": {"userComment": "MARKER", "reason": {"code": "MARKER"}, "extension": {"MARKER": 1}},
    }
    assert post(ehr, item) == 200
    assert post(ehr, item, {**item, "outcome": "MARKER", "outcomeTimestamp": "MARKER"}) == 400
    monkeypatch.setattr(Store, "add", lambda *_: 1 / 0)
    assert post(ehr, item) == 500
    assert "MARKER" not in caplog.text
    assert b"MARKER" not in ehr.post(URL, json={"feedback": [{**item, "outcome": "MARKER", "MARKER": 1}]}).data
    assert rows()[0].comment == "MARKER"


def test_FB_20_what_is_unknown_is_ignored_and_extensions_are_kept(ehr: FlaskClient, rows: Rows) -> None:
    item = {**OVERRIDDEN, "unknown": [1], "extension": {"org.example": {"b": 1, "a": 2.50}}}
    assert ehr.post(URL, json={"feedback": [item], "more": 1}).status_code == 200
    assert rows()[0].extension == '{"item":{"org.example":{"a":2.5,"b":1}}}'


def test_FB_21_without_its_store_the_service_advises_and_takes_no_feedback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "mounted"
    config = FeedbackConfig(str(folder / "feedback.db"), SALT, tmp_path / "spool")
    away = Deployment(config)
    ehr = away.ehr
    assert ehr.post(SERVICE, json=request(PATIENT)).status_code == 200
    assert refusal(ehr, {"feedback": [OVERRIDDEN]}) == (503, {""})
    assert "cards wait for the feedback store: OperationalError" in caplog.text
    folder.mkdir()
    assert post(ehr, OVERRIDDEN) == 200
    assert away.counted().total().shown == 1
    assert "cards wait for the feedback store: no longer" in caplog.text
    away.close()


def test_FB_21_a_spool_that_fails_stops_no_advice(
    ehr: FlaskClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("MARKER")

    with monkeypatch.context() as patch:
        patch.setattr("hooks.feedback.spool.Spool.append", full)
        for _ in range(2):
            assert len(ehr.post(SERVICE, json=request(PATIENT)).get_json()["cards"]) > 0
    ehr.post(SERVICE, json=request(PATIENT))
    assert caplog.messages == ["cards are not recorded: OSError", "cards are not recorded: no longer"]


def written(folder: Path) -> list[bytes]:
    """All files of a store, while cards go from one to the other."""
    found = []
    for path in folder.rglob("*"):
        with suppress(OSError):
            found.append(path.read_bytes())
    return found


def test_FB_22_a_card_without_a_report_counts_as_just_that(ehr: FlaskClient, here: Deployment) -> None:
    sent = [{**request(PATIENT), "hookInstance": f"i{number}"} for number in range(3)]
    cards = [card["uuid"] for body in sent for card in ehr.post(SERVICE, json=body).get_json()["cards"]]
    assert len(cards) == 3
    assert (
        post(ehr, {**ACCEPTED, "card": cards[0]}, {**OVERRIDDEN, "card": cards[1], "overrideReason": {"reason": {"code": "x"}}})
        == 200
    )
    total = here.counted().total()
    assert (total.fired, total.shown, total.accepted, total.overridden, total.no_report) == (3, 3, 1, 1, 1)
    assert total.reasons == {Reason(None, "x"): 1}
    assert here.counted().unmatched == {}


def test_a_card_is_known_where_it_was_shown_and_nowhere_else(ehr: FlaskClient, here: Deployment) -> None:
    (card,) = ehr.post(SERVICE, json=request(PATIENT)).get_json()["cards"]
    assert post(ehr, {**OVERRIDDEN, "card": card["uuid"]}, url="/cds-services/b12-order-sign/feedback") == 200
    assert here.counted().total().no_report == 1


def test_the_same_request_shows_its_cards_once(ehr: FlaskClient, here: Deployment) -> None:
    for _ in range(2):
        ehr.post(SERVICE, json=request(PATIENT))
        assert here.counted().total().shown == 1


def test_a_refused_request_shows_nothing(ehr: FlaskClient, here: Deployment) -> None:
    body = {**request(PATIENT), "prefetch": {}}
    assert ehr.post(SERVICE, json=body).status_code == 412
    assert here.counted().groups == {}


def test_nothing_of_the_patient_or_the_user_is_in_the_store(ehr: FlaskClient, here: Deployment) -> None:
    body = json.loads(json.dumps(request(PATIENT)).replace('"p1"', '"MARKER"').replace("Patient/p1", "Patient/MARKER"))
    body["context"] |= {"userId": "Practitioner/MARKER", "patientId": "MARKER", "encounterId": "MARKER"}
    body["prefetch"]["patient"] |= {
        "name": [{"text": "MARKER"}],
        "identifier": [{"value": "MARKER"}],
        "telecom": [{"value": "MARKER"}],
    }
    body |= {"hookInstance": "MARKER", "extension": {"MARKER": "MARKER"}}
    (card,) = ehr.post(SERVICE, json=body).get_json()["cards"]
    suggestion = card["suggestions"][0]["uuid"]
    item = {**ACCEPTED, "card": card["uuid"], "acceptedSuggestions": [{"id": suggestion}, {"id": "MARKER"}], "MARKER": "MARKER"}
    assert post(ehr, item) == 200
    folder = here.config.folder.parent
    contents = written(folder)
    assert here.counted().total().accepted == 1
    contents += written(folder)
    assert any(b"b12_regimen" in content for content in contents)
    for secret in ("MARKER", card["uuid"], suggestion, SALT):
        assert not any(secret.encode() in content for content in contents), secret


def test_feedback_leaves_discovery_as_it_is(ehr: FlaskClient, client: FlaskClient) -> None:
    assert ehr.get("/cds-services").data == client.get("/cds-services").data
