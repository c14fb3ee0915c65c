"""How values read on a card: every kind of value, unknown ones too, and text from outside made harmless."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cds.chart import NO_RESULT
from cds.content import Library
from cds.wording import Wording, escaped
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
