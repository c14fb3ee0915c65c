"""The trace: from an advice down to records and signed numbers, and the reason of every silence."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from cds.chart import NO_RESULT
from cds.decide import Decision
from cds.facts.followup import FollowUpItem
from cds.graph import Failure
from cds.trace import Node, is_barren, show, why, why_not
from tests.patients import engine, evaluate


def decided(**vignette: Any) -> Decision:
    return evaluate({"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}], **vignette}).decision


def nodes(node: Node) -> dict[str, Node]:
    found = {node.name: node}
    for child in node.inputs:
        found = {**nodes(child), **found}
    return found


def test_the_way_down_ends_at_records_and_dated_numbers() -> None:
    decision = decided()
    found = nodes(why(decision, "b12_regimen"))
    assert found["b12_total_results"].source == ("Observation/b12_total-10-142 pg/mL",)
    assert found["b12_total_results"].value == "142 pg/mL (2026-11-11)"
    number = found["b12_total_deficient_lt_pgml"]
    assert (number.kind, number.value) == ("number", "180 pg/mL")
    assert number.source[0].startswith("since 20")
    assert number.source[-1].startswith("source seen, last checked 20")
    assert set(found) - {"b12_regimen"} == decision.library.graph.ancestors("b12_regimen")


def test_the_way_down_is_told_in_the_language_asked_for() -> None:
    decision = decided()
    library = decision.library
    found = nodes(why(decision, "b12_regimen", "zh-CN"))
    assert found["b12_regimen"].means == library.docstrings["cds.rules.regimen"].means["b12_regimen"].split("\n")[0]
    assert found["b12_lacking"].means == "是否确定或很可能缺乏维生素B12？"
    assert found["b12_total_results"].means == "总维生素B12"
    assert found["baseline_max_age_days"].value.endswith("天")
    english, said = nodes(why(decision, "b12_regimen")), found.values()
    assert [node.name for node in said if not re.search("[\u4e00-\u9fff]", node.means)] == []
    assert english["b12_lacking"].means == "Is B12 lacking, certainly or probably?"
    assert english.keys() == found.keys()
    silences = list(why_not(decision, "zh-CN"))
    assert [silence.rule for silence in silences] == [silence.rule for silence in why_not(decision)]
    assert all(silence.title == library.rules[silence.rule].title.zh for silence in silences)


def test_an_unread_query_is_unknown_with_its_reason() -> None:
    found = nodes(why(decided(queries={"procedures": "failed"}), "b12_regimen"))
    assert found["bariatric_operations"].value == "unknown (procedures: could not be retrieved)"


def test_every_rule_speaks_or_has_a_reason_not_to() -> None:
    decision = decided()
    spoken = {statement.rule for statement in decision.statements}
    silent = {silence.rule: silence.reason for silence in why_not(decision)}
    assert spoken.isdisjoint(silent)
    assert spoken | set(silent) == set(decision.library.rules)
    assert silent["referral"] == "scope"
    assert silent["high_b12"] == "condition"


def test_a_stopped_rule_names_what_stopped_it() -> None:
    (stopped,) = [s for s in why_not(decided(medicines=[{"drug": "vitamin B12", "since": 99}])) if s.reason == "stopped"]
    assert (stopped.rule, [node.name for node in stopped.inputs]) == ("b12_dose", ["unmonitored_high_dose"])


def test_a_broken_rule_is_not_taken_for_a_silent_one() -> None:
    decision = replace(decided(), failures={"high_b12": Failure("ZeroDivisionError")})
    (failed,) = [s for s in why_not(decision) if s.reason == "failed"]
    assert failed.rule == "high_b12"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "unknown"),
        (NO_RESULT, "no result"),
        (True, "yes"),
        (False, "no"),
        (1234.5, "1,234.5"),
        ((), "none"),
        (("oral", "sublingual"), "oral; sublingual"),
        (date(2026, 11, 21), "2026-11-21"),
        ((FollowUpItem("b12", "due"), FollowUpItem("gait", "never")), "b12 due; gait never"),
    ],
)
def test_values_in_one_line(value: Any, said: str) -> None:
    assert show(value, engine().library.words["en"]) == said


def test_values_are_shown_in_their_language() -> None:
    medicines = [{"drug": "omeprazole", "since": 800}, {"drug": "metformin", "since": 800, "until": 400}, {"drug": "colchicine"}]
    decision = decided(medicines=medicines, queries={"procedures": "failed"}, deceased=True)
    found = nodes(why(decision, "b12_regimen", "zh-CN"))
    assert {
        name: found[name].value for name in ("bariatric_operations", "proton_pump_inhibitors", "metformin", "colchicine")
    } == {
        "bariatric_operations": "不明（手术与操作：未能获取）",
        "proton_pump_inhibitors": "omeprazole（自2024-09-12起）",
        "metformin": "metformin（自2024-09-12起，非在用）",
        "colchicine": "colchicine（开始日期不明）",
    }
    assert found["patient"].value == "女，1954-11-21出生，已死亡"
    assert (found["mma_reading"].value, found["mma"].value, found["kidney_reading"].value) == ("无", "无结果", "不明")
    english = nodes(why(decision, "b12_regimen"))
    assert [name for name in found if is_barren(found[name])] == [name for name in english if is_barren(english[name])] != []
