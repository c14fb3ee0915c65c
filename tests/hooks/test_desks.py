"""Which client is calling, and what that changes: mode, triggers, missing data, language, the day."""

from __future__ import annotations

import json
import logging
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins

from cds.content import Library
from cds.library import KnowledgeError
from cds.signed import LANGUAGES, Language
from hooks import desks as desks_module
from hooks.app import Config, create_app
from hooks.clientfiles import client
from hooks.desks import Desks
from hooks.engine import Engine
from hooks.errors import RequestError
from hooks.profiles import Profile
from hooks.services import PATIENT_VIEW, service_of
from hooks.wire import HookRequest
from tests.hooks.checker import check_answer, walk
from tests.patients import PATIENT, TODAY, request


DEFICIENT = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
TRIGGER = "com.epic.cdshooks.request.bpa-trigger-action"
URL = "/cds-services/b12-bone-health"


def profile(library: Library, name: str, *bases: str, **changes: Any) -> Profile:
    means = client("generic", library).means
    return Profile.model_validate({"name": name, "means": means, "fhir": {"bases": bases}, **changes})


def called(desks: Desks, server: str | None) -> str:
    sent = HookRequest.model_validate({"hook": "patient-view", "hookInstance": "1", "context": {}, "fhirServer": server})
    return desks.of(sent).profile.name


@pytest.mark.parametrize(
    ("clients", "server", "who"),
    [
        ([], None, "generic"),
        ([], "https://a.example/fhir", "generic"),
        (["a"], "https://a.example/fhir", "a"),
        (["a"], "https://elsewhere.example/fhir", "a"),
        (["a"], None, "a"),
        (["a", "b"], "https://a.example/fhir/r4", "a"),
        (["a", "b"], "https://b.example/fhir", "b"),
        (["a", "b"], "https://elsewhere.example/fhir", "generic"),
        (["a", "b"], None, "generic"),
        (["a", "a-r4"], "https://a.example/fhir/r4", "a-r4"),
        (["a", "a-r4"], "https://a.example/fhir/r5", "a"),
        (["a", "platform"], None, "platform"),
        (["a", "platform"], "https://elsewhere.example/fhir", "generic"),
        (["a", "platform", "platform2"], None, "generic"),
    ],
)
def test_who_is_calling(clients: list[str], server: str | None, who: str, library: Library) -> None:
    known = {
        "a": profile(library, "a", "https://a.example/fhir"),
        "a-r4": profile(library, "a-r4", "https://a.example/fhir/r4"),
        "b": profile(library, "b", "https://b.example/fhir"),
        "platform": profile(library, "platform"),
        "platform2": profile(library, "platform2"),
    }
    assert called(Desks(library, [known[name] for name in clients]), server) == who


def test_clients_that_could_not_be_told_apart_stop_the_start(library: Library) -> None:
    with pytest.raises(KnowledgeError, match="two clients are named a; give one of them another `name`"):
        Desks(library, [profile(library, "a"), profile(library, "a")])
    shared = [profile(library, name, "https://a.example/fhir") for name in ("a", "b")]
    with pytest.raises(KnowledgeError, match=r"https://a\.example/fhir belongs to a and to b; keep one"):
        Desks(library, shared)


def test_a_desk_holds_what_readers_and_fetching_need(library: Library) -> None:
    with_all = profile(library, "a", "https://a.example/fhir", codes={"urn:lab": {"1": "b12_total"}}, zone="Asia/Shanghai")
    desk = Desks(library, [with_all]).of(HookRequest(hook="h", hookInstance="1", context={}))
    assert desk.reader.local == with_all.local()
    assert desk.access == with_all.access() is not None


def engine(library: Library, hook: str = "patient-view", **changes: Any) -> Engine:
    return Engine(library, service_of(hook), Desks(library, [profile(library, "ours", **changes)]))


def sent(vignette: dict[str, Any] = DEFICIENT, **members: Any) -> bytes:
    return json.dumps({**request(vignette), **members}).encode()


def test_the_key_of_a_client_is_understood_as_ours(library: Library) -> None:
    body = request(DEFICIENT)
    body["prefetch"]["LGL 4711"] = body["prefetch"].pop("labs")
    renamed = json.dumps(body).encode()
    answer = engine(library, prefetch={"aliases": {"LGL 4711": "labs"}}).answer(renamed, TODAY)
    assert answer == engine(library).answer(sent(), TODAY)
    notes = engine(library).evaluate(renamed, TODAY).decision.chart.notes
    assert "query_unasked" in {note.key for note in notes}


def test_off_answers_at_once_and_says_so(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert engine(library, mode="off").answer(sent(prefetch={}), TODAY).cards == []
    assert caplog.messages == ["client ours is off: nothing was evaluated, no card was sent"]


def test_off_is_no_excuse_for_what_is_no_request(library: Library) -> None:
    with pytest.raises(RequestError) as refusal:
        engine(library, mode="off").answer(b"[]", TODAY)
    assert refusal.value.status == 400


def test_silent_evaluates_and_names_the_topics_and_nobody(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    silent = engine(library, mode="silent")
    with caplog.at_level(logging.INFO):
        assert silent.answer(sent(), TODAY).cards == []
        assert silent.answer(sent({"age": 72}), TODAY).cards == []
    assert caplog.messages == [
        "client ours is silent: evaluated, no card was sent; left out: B12Regimen",
        "client ours is silent: evaluated, no card was sent; left out: none",
    ]
    assert silent.evaluate(sent(), TODAY).cards


def test_silent_still_refuses_so_that_faults_are_found_first(library: Library) -> None:
    with pytest.raises(RequestError) as refusal:
        engine(library, mode="silent").answer(sent(prefetch={}), TODAY)
    assert refusal.value.status == 412


@pytest.mark.parametrize(
    ("extension", "cards"),
    [
        ({TRIGGER: "60"}, 1),
        ({TRIGGER: 23}, 1),
        ({TRIGGER: "5"}, 0),
        ({TRIGGER: ["60"]}, 1),
        ({TRIGGER: [5, 18]}, 0),
        ({TRIGGER: " 60"}, 1),
        ({TRIGGER: None}, 1),
        ({TRIGGER: ""}, 1),
        ({TRIGGER: {"value": 5}}, 1),
        ({}, 1),
        ([], 1),
        (None, 1),
        ("x", 1),
    ],
)
def test_a_trigger_nobody_asked_for_is_answered_without_cards(
    extension: Any, cards: int, library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = engine(library, triggers={TRIGGER: [60, 23]})
    with caplog.at_level(logging.INFO):
        assert len(chosen.answer(sent(extension=extension), TODAY).cards) == cards
    assert caplog.messages == [] if cards else ["client ours does not want this trigger: nothing was evaluated, no card was sent"]


def test_a_request_without_extension_is_evaluated(library: Library) -> None:
    assert len(engine(library, triggers={TRIGGER: [60]}).answer(sent(), TODAY).cards) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("missing", "said"), [("patient", "patient"), ("labs", "labs")])
def test_missing_data_may_be_a_card(missing: str, said: str, language: Language, library: Library) -> None:
    body = sent({**DEFICIENT, "problems": [], "results": [], "queries": {missing: "missing"}})
    with pytest.raises(RequestError) as refusal:
        engine(library).answer(body, TODAY, language)
    assert refusal.value.status == 412
    (card,) = to_builtins(engine(library, on_missing="card").answer(body, TODAY, language).cards)
    words = library.words[language]
    assert card["indicator"] == "info"
    assert words.unchecked["meaning"] in card["detail"]
    assert {"patient": words.given["patient"], "labs": words.queries["labs"]}[said] in card["detail"]
    assert card["source"]["topic"]["code"] == "B12NotChecked"
    check_answer({"cards": [card]}, PATIENT)
    assert all(value not in ("", [], {}, None) for _, value in walk(card))


def test_a_card_about_what_was_missing_says_no_more_than_is_known(library: Library) -> None:
    unresolved = {"hook": "order-sign", **DEFICIENT, "orders": [{"drug": "cyanocobalamin 1000 mcg tablet"}]}
    body = request(unresolved)
    del body["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"]
    body["context"]["draftOrders"]["entry"][0]["resource"]["medicationReference"] = {"reference": "Medication/ghost"}
    (card,) = engine(library, "order-sign", on_missing="card").answer(json.dumps(body).encode(), TODAY).cards
    assert card.detail == "Nothing was concluded. This is no all-clear."


def test_only_missing_data_becomes_a_card(library: Library) -> None:
    with pytest.raises(RequestError) as refusal:
        engine(library, on_missing="card").answer(b"{}", TODAY)
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("profiled", "asked", "spoken"),
    [(None, None, "en"), ("zh-CN", None, "zh-CN"), ("zh-CN", "en", "en"), (None, "zh-CN", "zh-CN")],
)
def test_the_request_chooses_the_language_then_the_client(
    profiled: Language | None, asked: Language | None, spoken: Language, library: Library
) -> None:
    answer = engine(library, language=profiled).answer(sent(), TODAY, asked)
    assert answer.language == spoken
    assert ("维生素" in answer.cards[0].summary) == (spoken == "zh-CN")


class Clock(datetime):
    """Half past eleven at night in London on the day of the vignettes."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Clock:
        """The same moment, told in any zone."""
        return cls.fromisoformat("2026-11-21T23:30:00+00:00").astimezone(tz)


@pytest.mark.parametrize(("zone", "today"), [("Europe/London", TODAY), ("Asia/Shanghai", date(2026, 11, 22))])
def test_today_is_the_day_it_is_where_the_client_is(
    zone: str, today: date, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks_module, "datetime", Clock)
    assert engine(library, zone=zone).evaluate(sent()).decision.chart.today == today
    assert engine(library, zone=zone).answer(sent()).cards


def test_a_deployment_names_its_clients(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text("based_on: prefetch-only\nlanguage: zh-CN\n", encoding="utf-8")
    app = create_app(Config(clients=(str(path),), today=lambda: TODAY))
    response = app.test_client().post(URL, json=request(DEFICIENT))
    assert response.headers["Content-Language"] == "zh-CN"
    assert caplog.messages == []


def test_a_client_for_development_is_announced(caplog: pytest.LogCaptureFixture) -> None:
    create_app(Config(clients=("sandbox",), open=True))
    assert caplog.messages == ["client sandbox is for development only; its calls prove nothing about who sent them"]


def test_without_a_day_of_its_own_the_service_asks_the_clock() -> None:
    response = create_app().test_client().post(URL, json=request({"age": 72}, date.today()))
    assert response.get_json() == {"cards": []}


def test_a_client_that_does_not_fit_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="There is no client 'cerner'"):
        create_app(Config(clients=("cerner",)))


def test_all_services_share_what_is_kept_ready(library: Library) -> None:
    shared = Desks(library)
    request_ = HookRequest(hook="h", hookInstance="1", context={})
    assert Engine(library, PATIENT_VIEW, shared)._desks.of(request_) is shared.of(request_)
