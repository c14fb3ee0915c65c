"""Doses as people write them, in English and Chinese."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.amounts import unit_of_dose
from cds.chart import Strength
from cds.content import Library
from cds.dosetext import read_dosage
from cds.frequency import times_per_day
from cds.strengthtext import strengths


@pytest.mark.parametrize(
    ("text", "amount", "unit", "per_day"),
    [
        ("1000 mcg daily", 1000, "ug", 1), ("1,000 mcg once daily by mouth", 1000, "ug", 1), ("1 mg IM monthly", 1000, "ug", Fraction(1, 30)),
        ("0.5mg tid 口服", 500, "ug", 3), ("1片 每日三次", 1, "unit", 3), ("两片 每日一次", 2, "unit", 1),
        ("Take 1 tablet by mouth twice daily", 1, "unit", 2), ("1 tab po q.d.", 1, "unit", 1), ("1 tab b.i.d.", 1, "unit", 2),
        ("inject 1 mL every 4 weeks", 1, "mL", Fraction(1, 28)), ("1000 mcg IM every 3 months", 1000, "ug", Fraction(1, 90)),
        ("500 mcg q8h", 500, "ug", 3), ("every other day 1 mg", 1000, "ug", Fraction(1, 2)), ("2 tablets every morning", 2, "unit", 1),
        ("1000 µg weekly", 1000, "ug", Fraction(1, 7)), ("1000mcg/day", 1000, "ug", 1), ("1 spray in one nostril weekly", 1, "spray", Fraction(1, 7)),
        ("甲钴胺片 0.5mg×20片 1片 每日三次", 1, "unit", 3), ("每日1次 每次2片", 2, "unit", 1), ("隔日一次 500微克", 500, "ug", Fraction(1, 2)),
        ("每3个月一次 1mg", 1000, "ug", Fraction(1, 90)), ("3 times a week 1 mg", 1000, "ug", Fraction(3, 7)),
        ("inject 1000 mcg weekly x4 then monthly", 1000, "ug", None), ("daily for 7 days then 1 mg weekly", 1000, "ug", None),
        ("as directed", None, None, None), ("1 mg every 0 days", 1000, "ug", None), ("1 mg 0 times a day", 1000, "ug", None), ("500 mcg or 1000 mcg daily", None, None, 1), ("Q6H PRN", None, None, 4),
    ],
)  # fmt: skip
def test_reads_a_dosage_line(text: str, amount: float | None, unit: str | None, per_day: float | Fraction | None) -> None:
    dosage = read_dosage(text)
    assert (dosage.amount, dosage.unit) == (amount, unit)
    assert dosage.per_day == (None if per_day is None else pytest.approx(float(per_day)))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mg", ("ug", 1000.0)), ("MCG", ("ug", 1.0)), ("μg", ("ug", 1.0)), ("毫克", ("ug", 1000.0)), ("{tbl}", ("unit", 1.0)),
        ("tablet(s)", ("unit", 1.0)), ("片", ("unit", 1.0)), ("mL", ("mL", 1.0)), ("IU", None), ("[iU]", None), ("", None), ("drop", None),
    ],
)  # fmt: skip
def test_dose_units(text: str, unit: tuple[str, float] | None) -> None:
    assert unit_of_dose(text) == unit


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("vitamin B12 0.5 MG/ACTUAT Nasal Spray", {"b12": Strength(500, "spray")}),
        ("folic acid 2.2 MG / vitamin B12 0.5 MG / vitamin B6 25 MG Oral Tablet",
         {"folic_acid": Strength(2200, "unit"), "b12": Strength(500, "unit"), "pyridoxine": Strength(25000, "unit")}),
        ("cyanocobalamin (VITAMIN B-12) 1,000 mcg tablet", {"b12": Strength(1000, "unit")}),
        ("cyanocobalamin 1,000 mcg/mL injection solution", {"b12": Strength(1000, "mL")}),
        ("hydroxocobalamin 1 mg/2 mL", {"b12": Strength(500, "mL")}),
        ("甲钴胺片 0.5mg×20片", {"b12": Strength(500, "unit")}),
        ("维生素B12注射液 1ml:0.5mg", {"b12": Strength(500, "mL")}),
        ("hydroxocobalamin 1 mg/0 mL", {}),
        ("vitamin B12 with folic acid 1 mg", {}),
        ("vitamin B12", {}),
        ("vitamin B12 500 mcg or 1000 mcg", {}),
        ("omeprazole 20 mg", {}),
    ],
)  # fmt: skip
def test_strength_from_a_product_name(library: Library, name: str, found: dict[str, Strength]) -> None:
    nutrients = ("b12", "folic_acid", "pyridoxine", "biotin")
    terms = library.terms["medicine"]
    assert strengths(name, lambda part: [n for n in terms.of_text(part) if n in nutrients]) == found


@pytest.mark.parametrize(
    "text", ["1" * 100_000, "1" * 999, "¼" * 999, "ﷺ" * 999, "1." * 400, "1." * 50_000, "1 mg daily" + " as told" * 200]
)
def test_a_text_nobody_writes_has_no_dose_and_costs_nothing(library: Library, text: str) -> None:
    dosage = read_dosage(text)
    assert (dosage.amount, dosage.unit, dosage.per_day) == (None, None, None)
    assert times_per_day(text) is None
    assert unit_of_dose(text) is None
    assert strengths(f"{text} mg", lambda part: ["b12"]) == {}


def test_the_end_of_a_number_is_not_another_number() -> None:
    for text in (".5 mg", "12345678901.5 mg", "1234567890 mg", "0.1234567890 mg", "1.5.5 mg"):
        assert read_dosage(text).amount is None, text
    assert times_per_day("13天2次") == pytest.approx(2 / 13)


@given(text=st.text(max_size=120))
def test_no_text_breaks_the_reader_or_yields_a_nonsensical_dose(text: str) -> None:
    dosage = read_dosage(text)
    assert dosage.amount is None or dosage.amount >= 0
    assert dosage.per_day is None or dosage.per_day > 0


@given(times=st.integers(1, 24), unit=st.sampled_from(["day", "week", "month"]))
def test_any_number_of_times_a_period(times: int, unit: str) -> None:
    assert times_per_day(f"{times} times a {unit}") == pytest.approx(times / {"day": 1, "week": 7, "month": 30}[unit])
