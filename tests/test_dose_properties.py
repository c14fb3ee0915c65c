"""What must hold of every dose: other units, other words, another order or a split line never change what is summed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.sums import Intake
from tests.hooks.test_reader import ordered
from tests.patients import TODAY, engine, request


AMOUNTS = st.integers(1, 40).map(lambda quarter: quarter * 250)
"""ug in one dose, up to what counts as a typing error."""

FREQUENCIES = [
    ("once daily", "每日一次", {"frequency": 1, "period": 1, "periodUnit": "d"}),
    ("twice daily", "每日两次", {"frequency": 2, "period": 1, "periodUnit": "d"}),
    ("tid", "一日3次", {"frequency": 3, "period": 1, "periodUnit": "d"}),
    ("every 8 hours", "每8小时一次", {"frequency": 1, "period": 8, "periodUnit": "h"}),
    ("every other day", "隔日一次", {"frequency": 1, "period": 2, "periodUnit": "d"}),
    ("weekly", "每周一次", {"frequency": 1, "period": 1, "periodUnit": "wk"}),
    ("3 times a week", "每周3次", {"frequency": 3, "period": 1, "periodUnit": "wk"}),
    ("on Mondays and Thursdays", "每周一、四", {"dayOfWeek": ["mon", "thu"]}),
    ("every 2 weeks", "每两周一次", {"frequency": 1, "period": 2, "periodUnit": "wk"}),
    ("monthly", "每月1次", {"frequency": 1, "period": 1, "periodUnit": "mo"}),
    ("every 3 months", "每3个月一次", {"frequency": 1, "period": 3, "periodUnit": "mo"}),
]
UNREADABLE = ["as directed", "1000 IU daily", "2 drops daily", "遵医嘱", "500 mcg or 1 mg daily", "1 mg biweekly"]
ROUTES = [("by mouth", "口服", "enteral_b12"), ("IM", "肌注", "parenteral_b12")]


def intake(name: str, *orders: list[Any], drug: str = "vitamin B12") -> Intake:
    """The sum of orders, each a list of dosage lines in words or structure, through the whole service."""
    body = request({"age": 72, "problems": ["osteoporosis"]})
    body["prefetch"]["medications"]["entry"] = [
        {
            "resource": ordered(
                id=f"order-{place}",
                medicationCodeableConcept={"text": f"{drug} {'or cobalamin ' * place}"},
                dosageInstruction=[{"text": line} if isinstance(line, str) else line for line in lines],
            )
        }
        for place, lines in enumerate(orders)
    ]
    found = engine().evaluate(json.dumps(body).encode(), TODAY).decision[name]
    assert isinstance(found, Intake)
    return found


def in_units(ug: int) -> list[str]:
    return [f"{ug} mcg", f"{ug} µg", f"{ug:,} μg", f"{ug / 1000:g} mg", f"{ug}微克", f"{ug / 1000:g}毫克", f"{ug / 1000:g}mg"]


@given(AMOUNTS, st.sampled_from(FREQUENCIES), st.sampled_from(ROUTES))
def test_a_dose_is_the_same_in_every_unit_language_and_structure(ug: int, frequency: Any, route: Any) -> None:
    english, chinese, repeat = frequency
    en, zh, name = route
    said = [f"{amount} {en} {english}" for amount in in_units(ug)] + [f"{zh} {chinese} 每次{amount}" for amount in in_units(ug)]
    route_words = {"route": {"text": en}, "timing": {"repeat": repeat}}
    quantities = [(ug, "ug"), (ug / 1000, "mg"), (ug * 1000, "ng"), (ug / 1_000_000, "g")]
    lines: list[Any] = [{**route_words, "doseAndRate": [{"doseQuantity": {"value": v, "unit": u}}]} for v, u in quantities]
    sums = [intake(name, [line]).ug for line in (*said, *lines)]
    assert sums[0]
    assert sums == [pytest.approx(sums[0])] * len(sums)


@given(AMOUNTS, st.sampled_from(FREQUENCIES), st.integers(2, 5))
def test_splitting_a_line_does_not_change_the_sum(ug: int, frequency: Any, parts: int) -> None:
    english, chinese, repeat = frequency
    whole = intake("enteral_b12", [f"{ug} mcg {english}"]).ug
    assert intake("enteral_b12", [f"{ug / parts:.6f} mcg {english}"] * parts).ug == pytest.approx(whole, rel=1e-4)
    assert intake("enteral_b12", *[[f"{ug / parts:.6f} mcg {chinese}"]] * parts).ug == pytest.approx(whole, rel=1e-4)
    line = {"doseAndRate": [{"doseQuantity": {"value": ug / parts, "unit": "ug"}}], "timing": {"repeat": repeat}}
    assert intake("enteral_b12", [line] * parts).ug == pytest.approx(whole)


LINES = st.lists(
    st.tuples(AMOUNTS, st.sampled_from(FREQUENCIES)).map(lambda pair: f"{pair[0]} mcg {pair[1][0]}"), min_size=1, max_size=4
)


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(lines: list[str], random: Any) -> None:
    shuffled = random.sample(lines, len(lines))
    assert intake("enteral_b12", shuffled).ug == pytest.approx(intake("enteral_b12", lines).ug)


@given(LINES, st.sampled_from(UNREADABLE), st.booleans(), st.integers(0, 4))
def test_an_unreadable_line_makes_the_sum_unknown_and_never_smaller(
    lines: list[str], strange: str, apart: bool, place: int
) -> None:
    before = intake("enteral_b12", lines)
    after = intake("enteral_b12", lines, [strange]) if apart else intake("enteral_b12", [*lines[:place], strange, *lines[place:]])
    assert after.ug is None
    assert after.at_least == pytest.approx(before.ug)


@given(AMOUNTS, st.integers(1, 6), st.integers(1, 12))
def test_what_is_taken_as_needed_counts_at_its_maximum(ug: int, times: int, most: int) -> None:
    repeat = {"timing": {"repeat": {"frequency": 1, "frequencyMax": times, "period": 1, "periodUnit": "d"}}}
    dose = {"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "ug"}, "high": {"value": ug, "unit": "ug"}}}]}
    ceiling = {"numerator": {"value": ug * most, "unit": "ug"}, "denominator": {"value": 1, "unit": "d"}}
    line = {**repeat, **dose, "asNeededBoolean": True}
    assert intake("enteral_b12", [line]).ug == pytest.approx(ug * times)
    assert intake("enteral_b12", [{**line, "maxDosePerPeriod": ceiling}]).ug == pytest.approx(ug * min(times, most))
    words = [
        f"{ug} mcg up to {times} times a day as needed, max {ug * most} mcg per day",
        f"必要时{ug}微克 每日{times}次 每日不超过{ug * most}微克",
    ]
    assert [intake("enteral_b12", [said]).ug for said in words] == [pytest.approx(ug * min(times, most))] * 2


@given(AMOUNTS, st.sampled_from(FREQUENCIES), AMOUNTS, st.sampled_from(FREQUENCIES))
def test_swallowed_and_injected_are_never_added(swallowed: int, one: Any, injected: int, other: Any) -> None:
    orders = [f"{swallowed} mcg by mouth {one[0]}"], [f"{injected} mcg IM {other[0]}"]
    for name, alone in (("enteral_b12", orders[0]), ("parenteral_b12", orders[1])):
        assert intake(name, *orders).ug == intake(name, alone).ug


@given(
    st.text(
        st.sampled_from("0123456789.,-/xX× ()一二两三半片支次日周月每隔mgcuµ~至daily once to or then for q h max"), max_size=80
    )
)
def test_no_words_make_a_dose_that_no_dose_can_be(words: str) -> None:
    products = (*intake("enteral_b12", [words]).products, *intake("parenteral_b12", [words]).products)
    assert len(products) == 1
    assert products[0].ug is None or 0 < products[0].ug < float("inf")
