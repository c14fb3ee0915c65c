"""Cards: what every one of them must be, and what some of them must say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from flask.testing import FlaskClient
from markdown_it import MarkdownIt
from msgspec import convert, to_builtins
from msgspec.json import encode
from msgspec.structs import replace

from cds.library import load
from cds.signed import LANGUAGES, Language
from hooks.cards import CardWriter
from hooks.engine import Engine
from hooks.examples import fixtures
from hooks.report import report
from hooks.services import PATIENT_VIEW
from hooks.wire import Card
from tests.hooks.checker import check_answer, claims
from tests.patients import PATIENT, TODAY, answered, engine, evaluate, request
from tests.test_vignettes import VIGNETTES


DEFICIENT = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
URL = "/cds-services/b12-bone-health"


@pytest.mark.parametrize("vignette", VIGNETTES, ids=lambda v: f"{v['file']}: {v['name']}")
def test_every_vignette_gives_conformant_cards(vignette: dict[str, Any]) -> None:
    cards = to_builtins(evaluate(vignette).cards)
    check_answer({"cards": cards}, PATIENT)


@pytest.mark.parametrize(
    "text",
    [
        "Vitamin B12 prevents fractures.",
        "B12 improves bone density.",
        "维生素B12可预防骨折。",
        "补充维生素B12能降低髋部骨折风险。",
        "长期补充可减少骨折。",
        "维生素B12有助于提高骨密度。",
        "可改善骨质量，增加骨量。",
        "补充后骨密度明显提高，骨折风险下降。",
    ],
)
def test_what_no_card_may_claim_is_found_in_both_languages(text: str) -> None:
    assert claims(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_trials_have_not_shown_is_said_and_not_claimed(language: Language) -> None:
    limits = engine().library.words[language].limits
    assert claims("\n".join(limits)) == []
    assert any(said in limits[0] for said in ("Trials have not shown", "临床试验未显示"))


def test_a_unit_text_nobody_knows_never_reaches_a_card() -> None:
    body = request(DEFICIENT)
    quantity = body["prefetch"]["labs"]["entry"][0]["resource"]["valueQuantity"]
    quantity["unit"] = "<img src=x onerror=alert(1)> corrected value 900 " + "x" * 200
    (card,) = engine().evaluate(json.dumps(body).encode(), TODAY).cards
    assert "Vitamin B12 142 pg/mL (2026-11-11)" in card.summary
    assert "corrected" not in encode(card).decode()


def test_active_b12_is_never_taken_for_total_b12() -> None:
    (card,) = evaluate({**DEFICIENT, "results": [{"b12_active": "20 pmol/L"}]}).cards
    assert "Vitamin B12 20 pmol/L (active, 2026-11-11)" in card.summary


@pytest.mark.parametrize("fixture", list(fixtures()), ids=lambda fixture: fixture.name)
def test_every_fixture_gives_conformant_cards(fixture: Any) -> None:
    evaluation = engine(fixture.request["hook"]).evaluate(json.dumps(fixture.request).encode(), fixture.written_for)
    cards = to_builtins(evaluation.cards)
    check_answer({"cards": cards}, fixture.request["context"]["patientId"])


@pytest.mark.parametrize("vignette", VIGNETTES, ids=lambda v: f"{v['file']}: {v['name']}")
def test_no_dose_is_proposed_for_anybody_excluded(vignette: dict[str, Any]) -> None:
    evaluation = evaluate(vignette)
    if evaluation.decision["scope"] in ("in_scope_osteoporosis", "in_scope_at_risk") and not evaluation.decision["b12_allergies"]:
        return
    text = json.dumps([{**card, "detail": None} for card in to_builtins(evaluation.cards)])
    assert '"resourceType": "MedicationRequest"' not in text
    assert evaluation.decision["regimen"].dose is None


def test_a_card_shows_its_basis(client: FlaskClient) -> None:
    vignette = {
        **DEFICIENT,
        "results": [
            *DEFICIENT["results"],
            {"homocysteine": "22 umol/L", "days_ago": 12},
            {"folate": "8 ng/mL", "status": "preliminary"},
        ],  # type: ignore[misc]
        "medicines": [{"drug": "omeprazole 20 mg", "since": 400}],
        "queries": {"allergies": "missing"},
    }
    (card,) = client.post(URL, json=request(vignette)).get_json()["cards"]
    for shown in (
        "**Finding**",
        "Vitamin B12 status: deficient",
        "**Inputs used**",
        "- Vitamin B12 (total): 142 pg/mL (2026-11-11)",
        "- Homocysteine: 22 µmol/L (2026-11-09)",
        "- Proton pump inhibitor: omeprazole 20 mg (2025-10-17)",
        "- Osteoporosis: 2025-10-17",
        "**Not available to this check**",
        "- allergies: not supplied by the requesting system",
        "Methylmalonic acid",
        "Folate (serum), Observation/folate-10-8 ng/mL: Not used: status preliminary",
        "**Rule**",
        "**Sources**",
        "**Limits**",
        "Trials have not shown fewer fractures",
    ):
        assert shown in card["detail"], shown


def test_a_number_nobody_verified_looks_different(client: FlaskClient) -> None:
    vignette = {**DEFICIENT, "results": [*DEFICIENT["results"], {"haemoglobin": "62 g/L"}]}  # type: ignore[misc]
    (card,) = client.post(URL, json=request(vignette)).get_json()["cards"]
    assert "Haemoglobin below 70 g/L†" in card["detail"]
    assert card["detail"].endswith("† not verified against a public source")


def test_an_undated_problem_is_shown_as_such(client: FlaskClient) -> None:
    vignette = {**DEFICIENT, "problems": [{"osteoporosis": {"days_ago": None}}]}
    (card,) = client.post(URL, json=request(vignette)).get_json()["cards"]
    assert "- Osteoporosis: on record, no date" in card["detail"]


def test_the_regimen_comes_with_the_missing_baseline_and_its_alternatives(client: FlaskClient) -> None:
    (card,) = client.post(URL, json=request(DEFICIENT)).get_json()["cards"]
    assert card["selectionBehavior"] == "at-most-one"
    oral, sublingual, tests = card["suggestions"]
    assert oral["isRecommended"]
    assert "isRecommended" not in sublingual
    assert oral["label"] == (
        "cyanocobalamin 1,000 µg oral, once a day for 90 days; take Homocysteine, Folate (serum), Haemoglobin, Estimated GFR first; "
        "review on 2027-02-19"
    )
    *orders, prescription, b12, homocysteine = [action["resource"] for action in oral["actions"]]
    assert [order["code"]["coding"][0]["code"] for order in orders] == ["13965-9", "2284-8", "718-7", "98979-8"]
    assert prescription["medicationCodeableConcept"]["coding"][0]["code"] == "309593"
    (dosage,) = prescription["dosageInstruction"]
    assert dosage["timing"]["repeat"] == {
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
        "boundsDuration": {"value": 90.0, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"},
    }
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 1000
    assert [planned["code"]["coding"][0]["code"] for planned in (b12, homocysteine)] == ["2132-9", "13965-9"]
    assert {planned["occurrenceDateTime"] for planned in (b12, homocysteine)} == {"2027-02-19"}
    assert oral["actions"][-1]["description"] == "Homocysteine on 2027-02-19"
    assert {action["resource"]["resourceType"] for action in tests["actions"]} == {"ServiceRequest"}
    assert not any(
        "occurrenceDateTime" in resource for resource in (*orders, *(action["resource"] for action in tests["actions"]))
    )


def prescribed(actions: Any) -> dict[str, Any]:
    """The one prescription among the drafts of a suggestion."""
    (resource,) = (a["resource"] for a in to_builtins(actions) if a["resource"]["resourceType"] == "MedicationRequest")
    return dict(resource)


@pytest.mark.parametrize(
    ("problem", "row", "planned"),
    [
        ("pernicious_anaemia", 0, ["homocysteine"]),
        ("pernicious_anaemia", 1, ["homocysteine"]),
        ("malabsorption", 0, ["homocysteine"]),
        ("malabsorption", 1, ["b12_total", "homocysteine"]),
    ],
)
def test_a_review_leaves_out_serum_b12_where_it_is_no_guide(problem: str, row: int, planned: list[str]) -> None:
    (card,) = evaluate({**DEFICIENT, "problems": ["osteoporosis", problem]}).cards
    assert card.suggestions is not None
    resources = [action.resource or {} for action in card.suggestions[row].actions]
    codes = [resource["code"]["coding"][0]["code"] for resource in resources if "occurrenceDateTime" in resource]
    assert codes == [engine().library.value_sets[name].order for name in planned]


def test_under_haematology_no_review_is_planned() -> None:
    evaluation = evaluate({**DEFICIENT, "results": [*DEFICIENT["results"], {"haemoglobin": "62 g/L"}]})  # type: ignore[misc]
    assert "MedicationRequest" in encode(evaluation.cards).decode()
    assert "occurrenceDateTime" not in encode(evaluation.cards).decode()


FOLLOWED = {
    "age": 72,
    "problems": ["osteoporosis", {"muscle_pain": {"days_ago": 130}}],
    "results": [
        {"b12_total": "140 pg/mL", "days_ago": 95},
        {"homocysteine": "24 umol/L", "days_ago": 130},
        {"chair_stand": "11 {#}/(30.s)", "days_ago": 20},
        {"falls": "yes", "days_ago": 95},
    ],
    "medicines": [{"code": 309593, "since": 92, "dose": "1 tablet daily"}],
}


def test_the_follow_up_card_lists_nine_items() -> None:
    (card,) = evaluate(FOLLOWED).cards
    finding = card.detail.partition("**Inputs used**")[0].strip().splitlines()
    assert finding[2:] == [
        "Follow-up on record:",
        "",
        "- Serum vitamin B12: Vitamin B12 (total) 140 pg/mL (2026-08-18), due",
        "- Homocysteine: 24 µmol/L (2026-07-14), overdue",
        "- Muscle strength (grip or 30-second chair stand): 30-second chair stand 11 in 30 seconds (2026-11-01), up to date",
        "- Bone alkaline phosphatase: no baseline and no osteoporosis drug, not followed",
        "- Beta-CTX: no baseline and no osteoporosis drug, not followed",
        "- Falls: yes (2026-08-18), due",
        "- Gait: no entry on record",
        "- Muscle pain: Muscle pain or myalgia (2026-07-14), overdue",
        "- Numbness or tingling of the limbs: no entry on record",
    ]
    assert card.suggestions is not None
    (suggestion,) = card.suggestions
    assert [(action.resource or {})["code"]["coding"][0]["code"] for action in suggestion.actions] == ["2132-9", "13965-9"]


def test_the_follow_up_card_is_said_in_chinese() -> None:
    library = engine().library
    (statement,) = (evaluation := evaluate(FOLLOWED)).decision.statements
    detail = CardWriter(library, "zh-CN").detail(evaluation.decision, statement)
    assert "- 同型半胱氨酸" in detail
    assert "逾期未复查" in detail
    assert "无记录" in detail


def test_an_undated_answer_is_shown_as_such() -> None:
    results = [*FOLLOWED["results"], {"limb_sensation": "no", "days_ago": None}]  # type: ignore[misc]
    (card,) = evaluate({**FOLLOWED, "results": results}).cards
    assert "- Numbness or tingling of the limbs: no (on record, no date), unknown" in card.detail


def test_injections_load_first_and_then_maintain(client: FlaskClient) -> None:
    vignette = {**DEFICIENT, "problems": ["osteoporosis", "pernicious_anaemia"]}
    (card,) = client.post(URL, json=request(vignette)).get_json()["cards"]
    prescription = prescribed(card["suggestions"][0]["actions"])
    assert [line["text"] for line in prescription["dosageInstruction"]] == [
        "1,000 µg intramuscular 3 times a week for 14 days",
        "1,000 µg intramuscular every 8 weeks",
    ]
    assert prescription["medicationCodeableConcept"]["coding"][0]["display"] == "hydroxocobalamin 1 MG/ML Injectable Solution"


def test_a_neurological_emergency_is_ordered_urgently_every_other_day(client: FlaskClient) -> None:
    vignette = {**DEFICIENT, "problems": ["osteoporosis", "neuro_major"]}
    (card,) = client.post(URL, json=request(vignette)).get_json()["cards"]
    prescription = prescribed(card["suggestions"][0]["actions"])
    orders = [a["resource"] for a in card["suggestions"][0]["actions"] if a["resource"]["resourceType"] == "ServiceRequest"]
    assert {order.get("priority") for order in orders if "occurrenceDateTime" not in order} == {"urgent"}
    assert {order.get("priority") for order in orders if "occurrenceDateTime" in order} == {None}
    assert [line["text"] for line in prescription["dosageInstruction"]] == [
        "1,000 µg intramuscular every 2 days for 21 days",
        "1,000 µg intramuscular every 8 weeks",
    ]


def test_a_form_without_a_listed_product_is_ordered_by_its_ingredient() -> None:
    vignette = {
        **DEFICIENT,
        "problems": ["osteoporosis", "pernicious_anaemia", "leber_optic_neuropathy"],
        "medicines": [{"drug": "warfarin", "since": 9}],
    }
    (card,) = evaluate(vignette).cards
    assert card.suggestions is not None
    forms = [prescribed(s.actions)["medicationCodeableConcept"]["coding"][0]["display"] for s in card.suggestions[:2]]
    assert forms == ["hydroxocobalamin 1 MG/ML Injectable Solution", "mecobalamin 1 MG Oral Capsule"]


def test_a_dose_of_which_there_is_no_product_is_ordered_by_its_ingredient(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    own = "{value: 2000, reason: Example, approved_by: Dr Example, approved_on: 2026-11-01}"
    site.write_text(
        f"site: Example\nparameters:\n  oral_dose_max_ug: {own}\n  oral_dose_confirmed_deficiency_ug: {own}\n", encoding="utf-8"
    )
    (card,) = Engine(load(site), PATIENT_VIEW).evaluate(json.dumps(request(DEFICIENT)).encode(), TODAY).cards
    assert card.suggestions is not None
    medication = prescribed(card.suggestions[0].actions)["medicationCodeableConcept"]
    assert medication == {
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "11248", "display": ANY}],
        "text": "cyanocobalamin 2,000 µg",
    }


def test_the_encounter_goes_along_where_the_client_names_one(client: FlaskClient) -> None:
    body = request(DEFICIENT)
    body["context"]["encounterId"] = "Encounter/e1"
    (card,) = client.post(URL, json=body).get_json()["cards"]
    assert card["suggestions"][0]["actions"][0]["resource"]["encounter"] == {"reference": "Encounter/e1"}


@pytest.mark.parametrize("user", ["Patient/p1", "RelatedPerson/7"])
def test_HOOK_06_a_patient_gets_no_order_suggestions(client: FlaskClient, user: str) -> None:
    body = request(DEFICIENT)
    body["context"]["userId"] = user
    (card,) = client.post(URL, json=body).get_json()["cards"]
    assert "suggestions" not in card
    assert "selectionBehavior" not in card


def test_CALL_09_RESP_13_the_same_request_gives_the_same_uuids_and_another_instance_others(client: FlaskClient) -> None:
    first, again = (client.post(URL, json=request(DEFICIENT)).get_data() for _ in range(2))
    other = client.post(URL, json={**request(DEFICIENT), "hookInstance": "another"}).get_json()
    assert first == again
    assert json.loads(first)["cards"][0]["uuid"] != other["cards"][0]["uuid"]


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>[x](javascript:alert(1)) cyanocobalamin",
        "cyanocobalamin `code` **bold** # head\n\n- list",
        "cyanocobalamin https://evil.example www.evil.example me@evil.example",
        "cyanocobalamin " + "x" * 500,
        "cyanocobalamin \u202e\u0000 \U0001f4a9",
    ],
)
def test_RESP_12_text_of_the_request_is_text_on_the_card(name: str) -> None:
    vignette = {**DEFICIENT, "medicines": [{"drug": name, "since": 400, "dose": "5000 mcg daily"}]}
    detail = evaluate(vignette).cards[0].detail
    html = MarkdownIt("commonmark").render(detail)
    for element in ("<img", "<h1", "<code", 'href="javascript:', 'href="http:', "<script"):
        assert element not in html, element
    assert "x" * 100 not in html
    assert "://evil" not in html


def test_a_card_of_the_wrong_shape_cannot_be_built() -> None:
    built = evaluate(DEFICIENT).cards[0]
    with pytest.raises(ValueError, match="a summary is filled and short"):
        replace(built, summary="")
    card = to_builtins(built)
    for broken in (
        {**card, "summary": "x" * 140},
        {**card, "indicator": "hard-stop"},
        {**card, "unknown": 1},
        {name: value for name, value in card.items() if name != "selectionBehavior"},
        {name: value for name, value in card.items() if name != "suggestions"},
    ):
        with pytest.raises(ValueError, match=r"summary|hard-stop|unknown|come together"):
            convert(broken, Card)


TALKATIVE = {
    "age": 72,
    "problems": ["osteoporosis", "neuro_major", "excess_symptoms"],
    "results": [{"b12_total": "142 pg/mL"}, {"potassium": "2.9 mmol/L"}, {"haemoglobin": "65 g/L"}],
    "medicines": [
        {"drug": "Vitamin B12 5000 mcg tablet", "since": 400, "dose": "1 tablet daily"},
        {"drug": "Methylcobalamin 2000 mcg", "since": 400, "dose": "1 tablet daily"},
        {"drug": "Vitamin B6 100 mg tablet", "since": 400, "dose": "1 tablet daily"},
    ],
}


@pytest.mark.parametrize(("most", "shown"), [(1, 3), (3, 3), (4, 4), (8, 6)])
def test_so_many_cards_and_no_more_but_every_critical_one(most: int, shown: int, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(f"site: Example\nmax_cards: {most}\n", encoding="utf-8")
    evaluation = Engine(load(site), PATIENT_VIEW).evaluate(json.dumps(request(TALKATIVE)).encode(), TODAY)
    indicators = [card.indicator for card in evaluation.cards]
    assert (len(indicators), indicators.count("critical")) == (shown, 3)
    titles = [load().rules[statement.rule].title.en for statement in evaluation.decision.held_back]
    assert all(title in evaluation.cards[-1].detail.rpartition("Also worth a look")[2] for title in titles)
    assert ("Also worth a look" in evaluation.cards[-1].detail) is bool(titles)
    assert report(evaluation)["decision"]["held_back"] == [f"{s.rule}/{s.advice.key}" for s in evaluation.decision.held_back]


def test_today_is_an_argument() -> None:
    assert evaluate(DEFICIENT, TODAY).decision.chart.today == TODAY


@pytest.mark.parametrize(
    ("more", "english", "chinese"),
    [
        (
            {"kind": "statement", "status": "not-taken"},
            "MedicationStatement/309593-100-statement: Not used: somebody says that it is not taken; an order on record counts",
            "（MedicationStatement/309593-100-statement）：未采用：该记录称未在使用；如另有有效医嘱，仍按医嘱计",
        ),
        (
            {"status": "on-hold"},
            "MedicationRequest/309593-100-order: On hold: counts as not taken today",
            "（MedicationRequest/309593-100-order）：已暂停：按目前未使用计",
        ),
    ],
)
def test_a_card_on_b12_tells_of_a_record_that_says_otherwise(more: dict[str, Any], english: str, chinese: str) -> None:
    ordered = {"code": 309593, "since": 200, "dose": "2 tablets daily"}
    sent = json.dumps(
        request({"age": 72, "problems": ["osteoporosis"], "medicines": [ordered, {"code": 309593, "since": 100, **more}]})
    )
    assert english in answered(sent, TODAY).cards[0].detail
    assert chinese in answered(sent, TODAY, "zh-CN").cards[0].detail
