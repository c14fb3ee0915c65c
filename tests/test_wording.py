"""How values read on a card: every kind of value, unknown ones too, and text from outside made harmless."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds.chart import NO_RESULT
from cds.content import Library
from cds.facts.doses import Dose
from cds.sums import Intake
from cds.wording import Wording, escaped, spaced
from tests.patients import evaluate


VALUES = evaluate(
    {
        "age": 72,
        "problems": ["osteoporosis", {"atrophic_gastritis": {"days_ago": None}}],
        "results": [{"b12_total": "142 pg/mL"}, {"b12_total": "150 pmol/L", "days_ago": 100}, {"homocysteine": "22 umol/L"}],
        "medicines": [{"drug": "omeprazole", "since": 900}, {"drug": "vitamin B12 1000 mcg daily", "since": 90}],
    }
).decision


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("nobody", None, "unknown"),
        ("nobody", NO_RESULT, "no result"),
        ("nobody", True, "yes"),
        ("nobody", False, "no"),
        ("nobody", 1234.5, "1,234.5"),
        ("nobody", (), "none"),
        ("scope", "in_scope_at_risk", "in scope, at risk"),
        ("b12_sample", VALUES["b12_sample"], "142 pg/mL (2026-11-11)"),
        (
            "b12_total_results",
            VALUES["b12_total_results"],
            "Vitamin B12 (total) 142 pg/mL (2026-11-11); Vitamin B12 (total) 150 pmol/L (2026-08-13)",
        ),
        ("atrophic_gastritis", VALUES["atrophic_gastritis"], "Atrophic gastritis or achlorhydria"),
        ("osteoporosis", VALUES["osteoporosis"], "Osteoporosis (2025-10-17)"),
        ("current_b12_products", VALUES["current_b12_products"], "vitamin B12 1000 mcg daily"),
    ],
)
def test_values_in_words(library: Library, name: str, value: Any, said: str) -> None:
    assert Wording(library).say(name, value) == said


CHINESE_VALUES = [
    ("nobody", None, "不明"),
    ("nobody", NO_RESULT, "无结果"),
    ("nobody", True, "是"),
    ("nobody", (), "无"),
    ("b12_status", "probable_deficiency", "很可能缺乏"),
    ("b12_sample", VALUES["b12_sample"], "142 pg/mL（2026-11-11）"),
    (
        "b12_samples",
        (VALUES["b12_sample"], VALUES["homocysteine"]),
        "总维生素B12 142 pg/mL（2026-11-11）；同型半胱氨酸22 µmol/L（2026-11-11）",
    ),
    ("atrophic_gastritis", VALUES["atrophic_gastritis"], "萎缩性胃炎或胃酸缺乏"),
    ("oral_dose", Dose(500, 1000, 1000, "ug/d"), "500～1,000‡ µg/日（首选1,000）"),
    ("full_dose", Dose(1000, 1000, 1000, "ug/d"), "1,000 µg/日"),
    ("nobody", Intake((), "ug/d", 600.4, None), "至少600 µg/日"),
]


@pytest.mark.parametrize(("name", "value", "said"), CHINESE_VALUES)
def test_values_in_chinese(library: Library, name: str, value: Any, said: str) -> None:
    assert Wording(library, "zh-CN").say(name, value) == said


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [("90", "天", "90天"), ("500", "µg", "500 µg"), ("（活性）", "20", "（活性）20"), ("142", "", "142")],
)
def test_chinese_needs_no_blanks(left: str, right: str, both: str) -> None:
    assert spaced(left, right) == both


def test_a_number_is_said_as_it_stood_on_the_day(library: Library) -> None:
    marked = {name: Wording(library).parameter(name, date(2026, 11, 21)) for name in library.parameters}
    assert marked["mcv_high_gt"] == "100 fL†"
    assert all(said.endswith("†") is (library.parameters[name].checked == "unverified") for name, said in marked.items())
    assert all(said.endswith("‡") is (library.parameters[name].checked == "weak") for name, said in marked.items())


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("vitamin *B12* [x](http://e.org)", r"vitamin \*B12\* \[x\](http: //e.org)"),
        ("<script>a & b</script>", "&lt;script&gt;a &amp; b&lt;/script&gt;"),
        ("two\nlines\x07 www.e.org me@e.org", "two lines www .e.org me(at)e.org"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_text_from_outside_is_only_text(text: str, harmless: str) -> None:
    assert escaped(text) == harmless


def test_of_an_endless_text_only_the_beginning_is_kept() -> None:
    assert escaped("x" * 10_000_000) == "x" * 79 + "…"
    assert escaped("x" + " " * 1000 + "y") == "x …"


@pytest.mark.parametrize(
    ("reported", "said"),
    [
        ("0.35 ng/mL", "0.35 ng/mL (= 350 pg/mL, 2026-11-11)"),
        ("<0.35 ng/mL", "<0.35 ng/mL (= <350 pg/mL, 2026-11-11)"),
        ("350 ng/L", "350 ng/L (2026-11-11)"),
        ("258 pmol/L", "258 pmol/L (2026-11-11)"),
    ],
)
def test_a_result_in_another_unit_than_its_thresholds_is_shown_in_theirs_too(library: Library, reported: str, said: str) -> None:
    decision = evaluate({"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": reported}]}).decision
    assert Wording(library).measurement(decision["b12_total_results"][0], converted=True) == said
