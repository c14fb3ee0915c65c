"""Cards as each client can show them: what a profile promises holds of every vignette, and what is split stays true."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from msgspec import to_builtins

from cds.content import Library
from cds.signed import LANGUAGES, Language
from hooks.clientfiles import client, shipped
from hooks.desks import Desks
from hooks.engine import Engine, Evaluation
from hooks.examples import Fixture, fixtures
from hooks.profiles import CardStyle, Profile
from hooks.rendering import Renderer, plain, undisputed
from hooks.services import service_of
from hooks.wire import Action, Card, Coding, Source, Suggestion
from tests.hooks.checker import check_answer
from tests.patients import PATIENT, TODAY, answered, library, request
from tests.test_vignettes import VIGNETTES


PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
STYLES = {
    **{name: client(name, library()).cards for name in shipped()},
    "plain, without links": CardStyle(detail="plain", links=False),
    "html, without links": CardStyle(detail="html", detail_type=True, links=False),
    "at-most-one": CardStyle(selection=("at-most-one",), one_action=True),
    "short": CardStyle(summary_max=50),
    "1.x": CardStyle(version=1),
    "nothing deleted": CardStyle(actions=("create", "update")),
}
OF_TODAY = [name for name, style in STYLES.items() if style.version == 2]
FIXTURES = list(fixtures())
PREGNANT_OR_NOT = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}


@cache
def engine_for(style: str, hook: str) -> Engine:
    profile = Profile(name=style, means=client("generic", library()).means, cards=STYLES[style])
    return Engine(library(), service_of(hook), Desks(library(), [profile]))


def shown(style: str, sent: dict[str, Any], today: date = TODAY, language: Language = "en") -> list[dict[str, Any]]:
    evaluation = engine_for(style, sent["hook"]).evaluate(json.dumps(sent).encode(), today, language)
    cards: list[dict[str, Any]] = to_builtins(evaluation.cards)
    return cards


def bare(sent: dict[str, Any], today: date = TODAY, language: Language = "en") -> Evaluation:
    return answered(json.dumps(sent), today, language)


@pytest.mark.parametrize("style", OF_TODAY)
def test_what_a_client_can_show_holds_of_every_vignette(style: str) -> None:
    for vignette in VIGNETTES:
        sent = request(vignette)
        check_style(STYLES[style], shown(style, sent), to_builtins(bare(sent).cards), PATIENT)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", OF_TODAY)
def test_and_of_every_fixture(style: str, language: Language) -> None:
    for fixture in FIXTURES:
        cards = shown(style, fixture.request, fixture.written_for, language)
        before = to_builtins(bare(fixture.request, fixture.written_for, language).cards)
        check_style(STYLES[style], cards, before, fixture.request["context"]["patientId"])


def check_style(style: CardStyle, cards: list[dict[str, Any]], before: list[dict[str, Any]], patient_id: str) -> None:
    """No card is lost, all are valid, and none needs what the client does not have."""
    assert [card["uuid"] for card in cards] == [card["uuid"] for card in before]
    valid = [{name: value for name, value in card.items() if name != "extension"} for card in cards]
    check_answer({"cards": [{**card, "detail": "-"} if style.detail == "html" else card for card in valid]}, patient_id)
    for card, original in zip(cards, before, strict=True):
        assert len(card["summary"]) <= style.summary_max
        assert card["summary"] == original["summary"] or original["summary"] in card["detail"] or style.detail != "markdown"
        assert ("extension" in card) == (style.detail_type and style.detail != "markdown")
        if not style.links:
            assert "url" not in card["source"]
            assert "http" not in card["detail"]
        if style.detail == "html":
            Checked().feed(card["detail"])
        if style.detail == "plain":
            assert "**" not in card["detail"]
            assert "](" not in card["detail"]
        check_suggestions(style, card, original)


def check_suggestions(style: CardStyle, card: dict[str, Any], original: dict[str, Any]) -> None:
    suggestions = card.get("suggestions", [])
    assert card.get("selectionBehavior") in (None, *style.selection)
    offered = [said["description"] for s in original.get("suggestions", []) for said in s["actions"]]
    recommended = [s for s in original.get("suggestions", []) if s.get("isRecommended")]
    for suggestion in suggestions:
        assert {action["type"] for action in suggestion["actions"]} <= set(style.actions)
        if style.one_action:
            (action,) = suggestion["actions"]
            assert suggestion["label"] == action["description"]
        for action in suggestion["actions"]:
            assert any(action["description"].startswith(description) for description in offered)
            if action["type"] == "create":
                check_order(style, action)
    if "at-most-one" not in style.selection and original.get("selectionBehavior") == "at-most-one":
        assert len([s for s in suggestions for a in s["actions"] if ordered(a) == "MedicationRequest"]) <= 1
        assert all(s.get("isRecommended") for s in suggestions) == bool(recommended and suggestions) or not suggestions


def check_order(style: CardStyle, action: dict[str, Any]) -> None:
    order = action["resource"]
    if not style.order_details:
        assert "occurrenceDateTime" not in order
        assert ordered(action) != "MedicationRequest" or re.search("local defaults|本院默认值", action["description"])
    if style.order_category:
        assert [coding["code"] for c in order["category"] for coding in c["coding"]] == [style.order_category]
    systems = {
        coding["system"]
        for element in ("code", "medicationCodeableConcept")
        for coding in order.get(element, {}).get("coding", [])
    }
    assert "rxnorm" not in style.oids or "http://www.nlm.nih.gov/research/umls/rxnorm" not in systems


def ordered(action: dict[str, Any]) -> str:
    return str(action["resource"]["resourceType"]) if action["type"] == "create" else ""


class Checked(HTMLParser):
    """HTML of nothing but paragraphs, lists, emphasis and links to where publications are."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing but what our own Markdown becomes."""
        assert tag in {"p", "ul", "li", "strong", "em", "a", "br"}, tag
        assert {name for name, _ in attrs} <= {"href"}
        assert all(str(url).startswith("https://") for _, url in attrs)


def test_the_default_is_the_card_as_it_was_written() -> None:
    sent = request(PREGNANT_OR_NOT)
    assert shown("generic", sent) == to_builtins(bare(sent).cards) == shown("hapi", sent) == shown("prefetch-only", sent)


def test_epic_gets_each_test_and_the_course_alone() -> None:
    (before,) = to_builtins(bare(request(PREGNANT_OR_NOT)).cards)
    (card,) = shown("epic", request(PREGNANT_OR_NOT))
    assert before["selectionBehavior"] == "at-most-one"
    assert card["selectionBehavior"] == "any"
    assert [(s["label"], s.get("isRecommended")) for s in card["suggestions"]] == [
        ("Homocysteine", True),
        ("Folate (serum)", True),
        ("Haemoglobin", True),
        ("Estimated GFR", True),
        (
            "cyanocobalamin 1,000 µg oral, once a day for 90 days; the order opens with local defaults, so set dose and schedule",
            True,
        ),
    ]
    course = card["suggestions"][-1]["actions"][0]["resource"]
    (coding,) = course["medicationCodeableConcept"]["coding"]
    assert coding == {"system": "urn:oid:2.16.840.1.113883.6.88", "code": "309593", "display": "vitamin B12 1 MG Oral Tablet"}
    assert course["category"] == [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category",
                    "code": "outpatient",
                    "display": "Outpatient",
                }
            ]
        }
    ]
    assert (course["status"], course["intent"]) == ("draft", "proposal")
    assert {name: value for name, value in card.items() if name not in ("suggestions", "selectionBehavior")} == {
        name: value for name, value in before.items() if name not in ("suggestions", "selectionBehavior")
    }


def test_the_same_call_gets_the_same_uuids_also_where_suggestions_were_split() -> None:
    first, second = (shown("epic", request(PREGNANT_OR_NOT)) for _ in range(2))
    other = shown("epic", {**request(PREGNANT_OR_NOT), "hookInstance": "another"})
    assert first == second
    assert not {s["uuid"] for s in first[0]["suggestions"]} & {s["uuid"] for s in other[0]["suggestions"]}


def test_an_order_is_in_the_codes_of_the_client_where_it_gave_any(library: Library) -> None:
    orders = {"loinc|13965-9": "LAB4711", "rxnorm|309593": "30015"}
    style = STYLES["epic"].model_copy(update={"orders": orders})
    (card,) = bare(request(PREGNANT_OR_NOT)).cards
    written = Renderer(library, style, "en").card(card)
    codings = {
        suggestion.label: (order.get("code") or order["medicationCodeableConcept"])["coding"]
        for suggestion in written.suggestions or []
        if (order := suggestion.actions[0].resource) is not None
    }
    assert codings["Homocysteine"] == [{"system": PREFERENCE_LIST, "code": "LAB4711"}]
    assert codings["Folate (serum)"][0]["system"] == "http://loinc.org"
    assert [c for label, c in codings.items() if label.startswith("cyano")] == [[{"system": PREFERENCE_LIST, "code": "30015"}]]


@pytest.mark.parametrize("client", ["epic", "at-most-one"])
def test_what_replaces_a_draft_is_never_its_deletion_alone(client: str) -> None:
    fixture = next(f for f in FIXTURES if f.name == "order-select-tablets-for-cord-signs")
    before = [s for card in bare(fixture.request, fixture.written_for).cards for s in card.suggestions or []]
    assert any([action.type for action in suggestion.actions] == ["delete", "create"] for suggestion in before)
    after = [s for card in shown(client, fixture.request, fixture.written_for) for s in card.get("suggestions", [])]
    assert not any(s["label"].startswith(("Remove the order", "Instead of")) for s in after)
    assert not any(action["type"] == "delete" for s in after for action in s["actions"])
    assert any(s["label"].startswith("hydroxocobalamin") and s["isRecommended"] for s in after)


@pytest.mark.parametrize("known", FIXTURES, ids=lambda known: known.name)
def test_SUG_09_at_epic_a_suggestion_is_one_action(known: Fixture) -> None:
    for card in shown("epic", known.request, known.written_for):
        assert all(len(suggestion["actions"]) == 1 for suggestion in card.get("suggestions", []))


def test_ACT_07_RESP_15_SYS_01_VER_01_a_client_of_1_x_is_answered_as_it_reads() -> None:
    targets = []
    for known in FIXTURES:
        cards = shown("1.x", known.request, known.written_for)
        assert all(card.get("selectionBehavior", "at-most-one") == "at-most-one" for card in cards)
        for action in (action for card in cards for s in card.get("suggestions", []) for action in s["actions"]):
            if action["type"] == "delete":
                assert "resourceId" not in action
                targets.append(action["resource"])
            else:
                assert isinstance(action["resource"], dict)
    assert targets
    assert all(re.fullmatch(r"[A-Z]\w+/[\w.-]+", target) for target in targets)


def test_what_changes_a_draft_is_left_out_where_nothing_may_be_changed() -> None:
    fixture = next(f for f in FIXTURES if f.name == "order-sign-mg-for-ug")
    before = bare(fixture.request, fixture.written_for)
    updates = [a for card in before.cards for s in card.suggestions or [] for a in s.actions if a.type == "update"]
    assert updates
    assert not any("suggestions" in card for card in shown("oracle", fixture.request, fixture.written_for))
    left = [s for card in shown("epic", fixture.request, fixture.written_for) for s in card.get("suggestions", [])]
    assert all(action["type"] != "update" for suggestion in left for action in suggestion["actions"])


def test_a_summary_that_does_not_fit_gives_way_to_the_title(library: Library) -> None:
    (before,) = bare(request(PREGNANT_OR_NOT)).cards
    (card,) = shown("short", request(PREGNANT_OR_NOT))
    assert len(before.summary) > 50
    assert card["summary"] == "Route and dose of vitamin B12"
    assert card["detail"] == f"{before.summary}\n\n{before.detail}"


def test_html_is_typed_for_epic_and_nothing_of_a_request_is_markup(library: Library) -> None:
    sent = request(
        {**PREGNANT_OR_NOT, "medicines": [{"drug": "omeprazole <img src=x onerror=alert(1)>[x](javascript:1)", "since": 400}]}
    )
    (card,) = shown("html, without links", sent)
    assert card["extension"] == {"com.epic.cdshooks.card.detail.content-type": "text/html"}
    assert "<strong>Finding</strong>" in card["detail"]
    assert "<img" not in card["detail"]
    assert "&lt;img src=x" in card["detail"]
    Checked().feed(card["detail"])


def test_markdown_as_text() -> None:
    text = "**Finding**\n\nLow \\*B12\\*  \nand `x`\nso.\n\n- one [a title](https://a.example/)\n- &lt;two&gt;\n\nEnd† <b>"
    assert plain(text) == "Finding\n\nLow *B12*\nand x\nso.\n\n- one a title (https://a.example/)\n- <two>\n\nEnd† <b>"


def suggestion(label: str, *descriptions: str, recommended: bool | None = None) -> Suggestion:
    actions = [Action(type="delete", description=said, resourceId=f"MedicationRequest/{said}") for said in descriptions]
    return Suggestion(label=label, uuid=label, actions=actions, isRecommended=recommended)


def test_of_alternatives_the_recommended_one_is_left_or_what_all_have_in_common() -> None:
    first, second, tests = suggestion("a", "t", "a"), suggestion("b", "t", "b"), suggestion("tests", "t")
    assert undisputed([first, second, tests]) == [tests]
    assert undisputed([first, second]) == []
    best = suggestion("b", "t", "b", recommended=True)
    assert undisputed([first, best, tests]) == [best]


@pytest.mark.parametrize(
    ("style", "behaviour", "labels", "recommended"),
    [
        (CardStyle(), "any", ["a", "b"], [True, True]),
        (CardStyle(selection=("at-most-one",)), "at-most-one", ["a", "b"], [True, None]),
        (CardStyle(one_action=True), "any", ["t", "a", "b"], [True, True, True]),
        (CardStyle(one_action=True, selection=("at-most-one",)), "at-most-one", ["t", "a", "b"], [True, None, None]),
        (CardStyle(actions=("create",)), None, [], []),
    ],
)
def test_suggestions_are_offered_as_the_client_can_take_them(
    style: CardStyle, behaviour: str | None, labels: list[str], recommended: list[bool | None], library: Library
) -> None:
    card = Card(
        uuid="u",
        summary="s",
        detail="d",
        indicator="info",
        source=Source(label="l", topic=Coding(system="s", code="c", display="d")),
        suggestions=[suggestion("a", "t", "a", recommended=True), suggestion("b", "t", "b", recommended=True)],
        selectionBehavior="any",
    )
    written = Renderer(library, style, "en").card(card)
    assert written.selectionBehavior == behaviour
    assert [s.label for s in written.suggestions or []] == labels
    assert [s.isRecommended for s in written.suggestions or []] == recommended


def test_half_of_what_replaces_a_draft_is_not_offered_where_the_other_half_cannot_be(library: Library) -> None:
    fixture = next(f for f in FIXTURES if f.name == "order-select-tablets-for-cord-signs")
    cards = bare(fixture.request, fixture.written_for).cards
    replacing = [s for card in cards for s in card.suggestions or [] if {a.type for a in s.actions} == {"create", "delete"}]
    assert replacing
    renderer = Renderer(library, STYLES["epic"].model_copy(update={"actions": ("create",)}), "en")
    labels = [s.label for card in cards for s in renderer.card(card).suggestions or []]
    assert not {action.description for s in replacing for action in s.actions} & set(labels)


def test_a_bare_ingredient_is_not_ordered_where_its_dose_would_be_lost(library: Library) -> None:
    (card,) = bare(request(PREGNANT_OR_NOT)).cards
    assert card.suggestions is not None
    course = card.suggestions[0].actions[-3]
    assert course.resource is not None
    drug = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "11248", "display": "vitamin B12"}]}
    action = Action(type="create", description="x", resource={**course.resource, "medicationCodeableConcept": drug})
    offered = Suggestion(label="x", uuid="x", actions=[action])
    for details, left in ((False, 0), (True, 1)):
        renderer = Renderer(library, CardStyle(order_details=details), "en")
        changed = Card(
            uuid="u",
            summary="s",
            detail="d",
            indicator="info",
            source=card.source,
            suggestions=[offered],
            selectionBehavior="any",
        )
        assert len(renderer.card(changed).suggestions or []) == left
