"""What holds of all answers together: every vignette and every fixture, sent over HTTP (RESP-*, SUG-*, ACT-*, SYS-*, LINK-*)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import permutations
from typing import Any

from flask.testing import FlaskClient
from markdown_it import MarkdownIt

from hooks.app import Config, create_app
from hooks.examples import fixtures
from hooks.services import service_of
from tests.hooks.checker import actions, check_answer, suggestions, walk
from tests.patients import PATIENT, TODAY, engine, request
from tests.test_vignettes import VIGNETTES


DEFICIENT: dict[str, Any] = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
MISWRITTEN = {"drug": "Cyanocobalamin", "structured": {"dose": "1000 mg", "route": "oral"}}


@dataclass(frozen=True)
class Answered:
    """A request and the body of the answer it got."""

    request: dict[str, Any]
    body: dict[str, Any]

    @property
    def drafts(self) -> dict[str, dict[str, Any]]:
        """The orders that the context brought, by reference."""
        entries = self.request["context"].get("draftOrders", {}).get("entry", [])
        return {f"{entry['resource']['resourceType']}/{entry['resource']['id']}": entry["resource"] for entry in entries}


@cache
def client_on(day: date) -> FlaskClient:
    """A client of the service on some day."""
    return create_app(Config(today=lambda: day)).test_client()


@cache
def corpus() -> tuple[Answered, ...]:
    """Every call that is answered with 200."""
    days = {TODAY: [request(vignette) for vignette in VIGNETTES]}
    for fixture in fixtures():
        days.setdefault(fixture.written_for, []).append(fixture.request)
    found = []
    for day, requests in days.items():
        client = client_on(day)
        for sent in requests:
            answer = client.post(f"/cds-services/{service_of(sent['hook']).id}", json=sent)
            assert answer.status_code in (200, 412)
            if answer.status_code == 200:
                found.append(Answered(sent, answer.get_json()))
    return tuple(found)


def cards() -> list[dict[str, Any]]:
    """All cards of the corpus."""
    return [card for answered in corpus() for card in answered.body["cards"]]


def post(client: FlaskClient, body: dict[str, Any]) -> list[dict[str, Any]]:
    return list(client.post(f"/cds-services/{service_of(body['hook']).id}", json=body).get_json()["cards"])


def test_VER_01_every_answer_is_conformant() -> None:
    assert len(corpus()) > 500
    for answered in corpus():
        check_answer(answered.body, answered.request["context"]["patientId"])


def test_RESP_04_also_where_names_are_long(client: FlaskClient) -> None:
    for name in ("Cyanocobalamin " + "x" * 80, "Vitamin B12 " + "𝔅" * 80, "Cyanocobalamin 1000 mcg\nper tablet\r\n\u2028"):
        for dose in ({"dose": "5000 mcg daily"}, {"structured": MISWRITTEN["structured"]}):
            medicine = {"drug": name, "since": 400, **dose}
            for vignette in ({**DEFICIENT, "medicines": [medicine]}, {**DEFICIENT, "orders": [medicine]}):
                said = post(client, request(vignette))
                assert said
                check_answer({"cards": said}, PATIENT)


def test_RESP_07_LINK_09_urls_are_those_of_the_sources_and_tell_nothing_of_a_patient() -> None:
    known = {str(source.url) for source in engine().library.references.values() if source.url}
    linked = {card["source"]["url"] for card in cards() if "url" in card["source"]}
    for card in cards():
        linked |= set(re.findall(r"\]\(([^)]*)\)", card["detail"])) | set(re.findall(r"https?://[^\s)]+", card["detail"]))
    assert linked
    assert linked <= known
    assert all(re.match(r"https://[^/]+", url) for url in linked)


def test_RESP_11_details_read_well_as_markdown() -> None:
    for card in cards():
        text = re.sub(r"<[^>]+>", "", MarkdownIt("gfm-like", {"linkify": False}).render(card["detail"]))
        assert not re.search(r"\*\*|\]\(|^#|^- ", text, re.MULTILINE), text


def test_RESP_19_override_codes_always_mean_the_same() -> None:
    meaning = defaultdict(set)
    for answered in corpus():
        if "language" not in json.dumps(answered.request.get("extension", {})):
            for card in answered.body["cards"]:
                for reason in card["overrideReasons"]:
                    meaning[reason["system"], reason["code"]].add(reason["display"])
    assert meaning
    assert all(len(displays) == 1 for displays in meaning.values())


def test_RESP_21_ACT_08_a_card_speaks_of_this_patient_and_these_orders() -> None:
    for answered in corpus():
        patient = answered.request["context"]["patientId"]
        assert set(re.findall(r"Patient/[\w.-]+", json.dumps(answered.body))) <= {f"Patient/{patient}"}
        for action in actions(answered.body, "update", "delete"):
            assert target(action) in answered.drafts


def target(action: dict[str, Any]) -> str:
    """The reference of what an action changes or deletes."""
    resource = action.get("resource", {})
    return str(action.get("resourceId") or f"{resource['resourceType']}/{resource['id']}")


def after(drafts: dict[str, dict[str, Any]], applied: Any) -> tuple[dict[str, Any], list[str]]:
    """The drafts once actions were applied one by one, and what was created."""
    left, created = dict(drafts), []
    for action in applied:
        if action["type"] == "create":
            created.append(json.dumps(action["resource"], sort_keys=True))
        elif action["type"] == "update":
            assert target(action) in left
            left[target(action)] = action["resource"]
        else:
            del left[target(action)]
    return left, sorted(created)


def test_SUG_05_06_actions_of_a_suggestion_go_together_in_any_order() -> None:
    several = 0
    for answered in corpus():
        for suggestion in suggestions(answered.body):
            acts = suggestion["actions"]
            several += len(acts) > 1
            left, created = after(answered.drafts, acts)
            assert len(set(created)) == len(created), "nothing is ordered twice"
            orders = permutations(acts) if len(acts) < 5 else [acts[::-1], acts[1:] + acts[:1]]
            assert all(after(answered.drafts, order) == (left, created) for order in orders)
    assert several


def test_SUG_07_SYS_06_EXT_02_07_nothing_that_has_to_be_agreed_is_sent() -> None:
    for answered in corpus():
        body = json.loads(json.dumps(answered.body))
        for action in actions(body):
            action.pop("resource", None)
        names = {where.rpartition(".")[2] for where, _ in walk(body)}
        assert not {"actionSelectionBehavior", "systemActions", "extension", "autolaunchable", "appContext"} & names


def test_ACT_11_a_card_makes_sense_without_its_suggestions(client: FlaskClient) -> None:
    body = request({**DEFICIENT, "orders": [MISWRITTEN]})
    offering = post(client, body)
    assert any(suggestions({"cards": offering}))
    body["context"]["userId"] = f"Patient/{PATIENT}"
    told = post(client, body)
    for shown in ("summary", "detail"):
        assert [card[shown] for card in told] == [card[shown] for card in offering]
    assert not any(suggestions({"cards": told}))


def test_EXT_06_nothing_hangs_on_an_extension() -> None:
    for fixture in fixtures():
        client = client_on(fixture.written_for)
        assert post(client, {**fixture.request, "extension": {}}) == post(client, fixture.request)


def test_STALE_05_a_card_says_of_what_day_its_results_are(client: FlaskClient) -> None:
    (card,) = post(client, request(DEFICIENT))
    assert "142 pg/mL (2026-11-11)" in card["detail"]
