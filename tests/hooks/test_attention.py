"""Cards that rest: the stories of attention.yaml through the whole service; silent rules; what a card says of it; what is kept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import structs
from sqlalchemy import select

from cds.library import KnowledgeError, load
from hooks.engine import Engine
from hooks.errors import RequestError
from hooks.feedback.config import FeedbackConfig
from hooks.feedback.entries import Keys
from hooks.feedback.mounting import MEMORY
from hooks.feedback.questions import Questions
from hooks.feedback.reasons import Reasons
from hooks.feedback.tables import CARD
from hooks.operation.audit import Record
from hooks.operation.auditevents import audit_event
from hooks.operation.config import OperationConfig
from hooks.profiles import Profile
from hooks.report import report
from hooks.resting import Resting, View
from hooks.services import PATIENT_VIEW
from hooks.trail import Trail
from tests.hooks.cards import event
from tests.hooks.clinic import BASELINE, SALT, START, Clinic
from tests.patients import TODAY, evaluate, library, request


STORIES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "attention.yaml").read_text(encoding="utf-8"))
UNMEASURED = "b12_baseline/unmeasured"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story["name"])
def test_story(clinic: Clinic, story: dict[str, Any]) -> None:
    for step in story["steps"]:
        clinic.now = START + timedelta(days=step["day"])
        user = step.get("user", "dr-a")
        if "overridden" in step:
            ((rule, reason),) = step["overridden"].items()
            assert clinic.overrides(rule, reason, user) == 200
        elif "accepted" in step:
            taken = {"outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}]}
            assert clinic.reports(step["accepted"], taken, user) == 200
        else:
            patient = {**story["patient"], **step.get("record", {})}
            status, cards = clinic.opens(patient, user, step.get("encounter"), step.get("call"))
            if "refused" in step:
                assert (status, cards) == (step["refused"], [])
            else:
                assert clinic.last_seen() == (step["shown"], step.get("resting", {}))
                assert len(cards) == len(step["shown"])


ON_B12 = {
    **BASELINE,
    "results": [{"b12_total": "420 pg/mL", "days_ago": 730}, {"b12_total": "800 pg/mL"}],
    "medicines": [
        {"drug": "vitamin B12", "since": 700, "dose": "1000 mcg orally daily"},
        {"drug": "vitamin B12", "since": 700, "dose": "1000 mcg intramuscular every 12 weeks"},
    ],
}
IN_LEBER = {
    "age": 70,
    "problems": ["osteoporosis", "leber_optic_neuropathy"],
    "medicines": [{"code": 309593, "since": 60, "dose": "1 tablet daily"}],
}


def test_the_last_card_names_what_rests_and_why(clinic: Clinic) -> None:
    clinic.opens(IN_LEBER, encounter="e1")
    rested = list(clinic.last[("dr-a")][1])[1:]
    assert rested
    clinic.overrides(rested[0], "specialist")
    _, cards = clinic.opens(IN_LEBER, encounter="e1")
    said = cards[-1]["detail"].partition("**Also worth a look**")[2]
    assert "held back from you until 2027-02-19, as you overrode it: Managed by a specialist" in said
    _, cards = clinic.opens(IN_LEBER, encounter="e1", language="zh-CN")
    said = cards[-1]["detail"].partition("**另请关注**")[2]
    assert "您已选择“由专科管理”，2027-02-19前不再提示" in said
    clinic.opens(IN_LEBER, encounter="e2", user="dr-b")
    _, cards = clinic.opens(IN_LEBER, encounter="e2", user="dr-b", language="zh-CN")
    assert "本次就诊已向您提示，2026-12-21前不再重复" in cards[-1]["detail"]
    _, cards = clinic.opens(IN_LEBER, encounter="e2", user="dr-b")
    assert "held back from you until 2026-12-21, as you were shown it in this encounter" in cards[-1]["detail"]


def test_a_decision_says_what_rests_and_why(clinic: Clinic) -> None:
    clinic.opens(encounter="e1")
    clinic.opens(encounter="e1")
    decision = report(clinic.seen[-1])["decision"]
    repeated = {"advice": UNMEASURED, "because": "repeated", "until": "2026-12-21T09:00:00+00:00"}
    assert (decision["advice"], decision["resting"]) == ([], [repeated])
    clinic.overrides("b12_baseline", "later")
    clinic.opens(encounter="e1")
    snoozed = {"advice": UNMEASURED, "because": "snoozed", "until": "2026-11-22T09:00:00+00:00", "reason": "later"}
    assert report(clinic.seen[-1])["decision"]["resting"] == [snoozed]


def test_what_rests_makes_room_for_what_was_beyond_the_number_of_cards(tmp_path: Path) -> None:
    policy = tmp_path / "one.yaml"
    policy.write_text("site: One card at a time\nmax_cards: 1\n", encoding="utf-8")
    clinic = Clinic(FeedbackConfig(str(tmp_path / "feedback.db"), SALT), site=policy)
    clinic.opens(ON_B12, encounter="e1")
    spoken = [said.named for said in (*clinic.seen[-1].decision.statements, *clinic.seen[-1].decision.held_back)]
    assert len(spoken) > 1
    for first, second in pairwise(spoken):
        clinic.opens(ON_B12, encounter="e1")
        assert clinic.last_seen()[0] == [second], first
    clinic.kept.recorder.close()


def test_a_site_switches_resting_off(tmp_path: Path) -> None:
    numbers = [name for name in library().parameters if name.startswith("rest_")]
    choice = "{value: 0, reason: Always shown, approved_by: nobody, approved_on: 2026-11-22}"
    policy = tmp_path / "always.yaml"
    policy.write_text("site: Always\nparameters:\n" + "".join(f"  {name}: {choice}\n" for name in numbers), encoding="utf-8")
    clinic = Clinic(FeedbackConfig(str(tmp_path / "feedback.db"), SALT), site=policy)
    for _ in range(3):
        assert len(clinic.opens(encounter="e1")[1]) == 1
        assert clinic.overrides("b12_baseline", "specialist") == 200
    clinic.kept.recorder.close()


EPIC = {"extension": {"com.epic.cdshooks.feedback.overrideReason.reasonCategory": "45"}}
REASONS = "override_reasons: {'45': specialist, 'urn:ehr|7': later}"


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ({"overrideReasons": EPIC}, 90),
        ({"overrideReason": {"reason": {"code": "7", "system": "urn:ehr"}}}, 1),
        ({"overrideReason": {"reason": {"code": "7"}}}, 0),
        ({"overrideReason": {"reason": {"code": "45", "system": "urn:ehr"}}}, 0),
        ({"overrideReason": {"reason": {"code": "later"}}}, 1),
    ],
)
def test_a_client_explains_its_own_reasons_in_its_profile(tmp_path: Path, given: dict[str, Any], days: int) -> None:
    profile = tmp_path / "ehr.yaml"
    profile.write_text(f"based_on: epic\n{REASONS}\n", encoding="utf-8")
    clinic = Clinic(FeedbackConfig(str(tmp_path / "feedback.db"), SALT), clients=(str(profile),))
    clinic.opens()
    assert clinic.reports("b12_baseline", {"outcome": "overridden", **given}) == 200
    for day in (0.01, abs(days - 0.01), days + 0.01):
        clinic.now = START + timedelta(days=day)
        clinic.opens()
        assert clinic.last_seen()[1] == ({UNMEASURED: "snoozed"} if day < days else {})
    clinic.kept.recorder.close()


@pytest.mark.parametrize(
    ("client", "meant"),
    [("https://ehr.example", "specialist"), ("https://ehr.example#1111", "specialist"), ("https://other.example", "45")],
)
def test_reasons_belong_to_the_client_whose_token_it_is(client: str, meant: str) -> None:
    base = {"means": {"en": "a", "zh-CN": "b"}}
    ours, theirs = (
        Profile.model_validate(
            {
                **base,
                "name": name,
                "trust": {"iss": [f"https://{name}.example"], "jwks_url": f"https://{name}.example/jwks.json"},
                "override_reasons": reasons,
            }
        )
        for name, reasons in (("ehr", {"45": "specialist"}), ("other", {}))
    )
    reported = structs.replace(event("1", "overridden"), client=client, reason_code="45")
    assert Reasons([ours, theirs]).ours(reported) == meant
    assert Reasons([ours, theirs]).ours(structs.replace(reported, outcome="accepted")) is None


def test_a_patient_of_another_server_is_somebody_else(clinic: Clinic) -> None:
    """Where no token says who calls, two EHRs may use the same ids."""
    for server in ("https://north.example/fhir", "https://south.example/fhir"):
        clinic.opens(encounter="e1", server=server)
        assert clinic.last_seen() == ([UNMEASURED], {})
        clinic.opens(encounter="e1", server=server)
        assert clinic.last_seen() == ([], {UNMEASURED: "repeated"})


def questions_of(sent: dict[str, Any], patient: str = "pseudonym", salt: str = SALT) -> set[str]:
    """The keys of everything that is said to a request."""
    decision = Engine(library(), PATIENT_VIEW).evaluate(json.dumps(sent).encode(), TODAY).decision
    questions = Questions(library(), Keys(salt))
    return {questions.key(decision, said, PATIENT_VIEW, patient) for said in (*decision.statements, *decision.held_back)}


def test_how_a_server_numbers_and_orders_its_resources_makes_no_new_question() -> None:
    sent = request(ON_B12)
    asked = questions_of(sent)
    assert len(asked) == 2
    for bundle in sent["prefetch"].values():
        for place, entry in enumerate(bundle.get("entry", ())):
            entry["resource"]["id"] = f"renumbered-{place}"
        bundle.get("entry", []).reverse()
    assert questions_of({**sent, "hookInstance": "another"}) == asked


def test_the_patient_and_the_salt_are_part_of_the_question() -> None:
    asked = questions_of(request(ON_B12))
    assert not asked & questions_of(request(ON_B12), "somebody else")
    assert not asked & questions_of(request(ON_B12), salt="another salt of 16")


def test_the_knowledge_is_part_of_the_question() -> None:
    decision = evaluate(BASELINE).decision
    (said,) = decision.statements
    later = replace(library(), version="another")
    keys = {Questions(known, Keys(SALT)).key(decision, said, PATIENT_VIEW, "p") for known in (library(), later)}
    assert len(keys) == 2


def test_every_reason_of_ours_has_a_period() -> None:
    periods = evaluate(BASELINE).decision["rest_periods"]
    assert periods.override.keys() == library().words["en"].overrides.keys()


def test_the_page_for_hospitals_says_what_is_signed(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "feedback.md").read_text(encoding="utf-8")
    said = {name: row for row in page.splitlines() if row.startswith("|") for name in re.findall(r"`(rest_\w+)`", row)}
    numbers = {name: library().number(name, TODAY) for name in library().parameters if name.startswith("rest_")}
    assert {name: int(re.findall(r"(\d+) days?", row)[0]) for name, row in said.items()} == numbers
    (policy,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "site.yaml").write_text(policy, encoding="utf-8")
    assert load(tmp_path / "site.yaml").silent == {"b12_deescalation"}


def test_an_empty_answer_never_hides_that_data_were_missing() -> None:
    """What rests says nothing of what could not be looked at."""
    body = json.dumps(request({**ON_B12, "queries": {"labs": "failed"}})).encode()
    engine = Engine(library(), PATIENT_VIEW)
    assert engine.answer(body, TODAY).cards

    def all_rest(decision: Any, *_: object) -> View:
        return View(tuple(Resting(said, "repeated", START) for said in (*decision.statements, *decision.held_back)))

    trail = Trail()
    trail.attend = all_rest
    with pytest.raises(RequestError) as refused:
        engine.answer(body, TODAY, trail=trail)
    assert refused.value.status == 412


SILENT = """
site: Example
silent:
  {rule}: {{reason: We look at it first, approved_by: Dr Example, approved_on: 2026-11-22}}
"""


def silenced(folder: Path, rule: str) -> Path:
    policy = folder / "silent.yaml"
    policy.write_text(SILENT.format(rule=rule), encoding="utf-8")
    return policy


@pytest.mark.parametrize(
    ("rule", "message"),
    [("neurological_red_flag", "keeps patients from harm and is never silent"), ("b12_baselin", "'b12_baselin' is no rule")],
)
def test_a_rule_that_keeps_from_harm_is_never_silent(tmp_path: Path, rule: str, message: str) -> None:
    with pytest.raises(KnowledgeError, match=message):
        load(silenced(tmp_path, rule))


def test_a_silent_rule_is_evaluated_and_recorded_and_not_shown(tmp_path: Path) -> None:
    clinic = Clinic(FeedbackConfig(str(tmp_path / "feedback.db"), SALT), site=silenced(tmp_path, "b12_baseline"))
    assert clinic.opens() == (200, [])
    assert report(clinic.seen[-1])["decision"]["silent"] == [UNMEASURED]
    clinic.kept.recorder.close()
    with clinic.store().reading() as connection:
        rows = connection.execute(select(CARD.c.rule, CARD.c.state, CARD.c.question)).all()
    assert [(rule, state) for rule, state, _ in rows] == [("b12_baseline", "silent")]
    assert rows[0].question


def test_what_is_critical_of_a_silent_rule_is_shown(tmp_path: Path) -> None:
    low = {**BASELINE, "results": [{"b12_total": "420 pg/mL"}, {"calcium_total": "1.6 mmol/L"}, {"albumin": "40 g/L"}]}
    loud = evaluate(low).decision.statements[0]
    assert (loud.rule, loud.words.urgency) == ("companions", "critical")
    engine = Engine(load(silenced(tmp_path, "companions")), PATIENT_VIEW)
    decision = engine.evaluate(json.dumps(request(low)).encode(), TODAY).decision
    assert loud.named in [said.named for said in decision.statements]
    assert decision.silent == ()


def test_nothing_is_remembered_of_a_silent_client(tmp_path: Path) -> None:
    profile = tmp_path / "silent-ehr.yaml"
    profile.write_text("based_on: generic\nname: quiet\nmode: silent\n", encoding="utf-8")
    clinic = Clinic(FeedbackConfig(str(tmp_path / "feedback.db"), SALT), clients=(str(profile),))
    for _ in range(2):
        assert clinic.opens(encounter="e1") == (200, [])
        assert clinic.last_seen() == ([UNMEASURED], {})
    clinic.kept.recorder.close()
    with clinic.store().reading() as connection:
        rows = connection.execute(select(CARD.c.state, CARD.c.question)).all()
    assert [row.state for row in rows] == ["silent", "silent"]
    assert len({row.question for row in rows}) == 1


def test_cards_and_memory_name_nobody(tmp_path: Path) -> None:
    clinic = Clinic(FeedbackConfig(str(tmp_path / "feedback.db"), SALT))
    clinic.opens(user="MARKER-user", encounter="MARKER-encounter", call="MARKER-call")
    clinic.overrides("b12_baseline", "later", "MARKER-user")
    clinic.opens(user="MARKER-user", encounter="MARKER-encounter")
    clinic.kept.recorder.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == MEMORY for path in files)
    written = b"".join(path.read_bytes() for path in files)
    assert b"MARKER" not in written
    assert b"Practitioner" not in written


def test_records_and_counts_say_what_rests_and_what_is_silent(tmp_path: Path) -> None:
    operation = OperationConfig(tmp_path / "audit.jsonl", SALT, metrics=True)
    policy = silenced(tmp_path, "b12_duplicates")
    clinic = Clinic(FeedbackConfig(str(tmp_path / "feedback.db"), SALT), site=policy, operation=operation)
    clinic.opens(ON_B12, encounter="e1")
    (shown,) = clinic.last_seen()[0]
    clinic.opens(ON_B12, encounter="e1")
    clinic.overrides(shown.partition("/")[0], "later")
    clinic.opens(ON_B12, encounter="e1")
    first, second, third = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    silent = ["b12_duplicates/several_products"]
    assert (first["advice"], first["silent"]) == ([shown], silent)
    assert "resting" not in first
    assert (second["silent"], second["resting"]) == (silent, {shown: "held back until 2026-12-21T09:00:00+00:00: repeated"})
    assert third["resting"] == {shown: "held back until 2026-11-22T09:00:00+00:00: snoozed, later"}
    assert not {"advice", "cards"} & (second.keys() | third.keys())
    said = str(audit_event(Record(**third)))
    assert f"{shown} (held back until 2026-11-22T09:00:00+00:00: snoozed, later)" in said
    counted = clinic.ehr.get("/metrics").get_data(as_text=True)
    for state, rule in (("shown", shown), ("repeated", shown), ("snoozed", shown)):
        assert re.search(rf'cobalamin_cards_total{{[^}}]*rule="{rule.partition("/")[0]}"[^}}]*state="{state}"}} 1.0', counted)
    assert re.search(r'cobalamin_cards_total{[^}]*rule="b12_duplicates"[^}]*state="silent"} 3.0', counted)
    clinic.kept.recorder.close()
