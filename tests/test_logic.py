"""Evidence, absence and ignorance: the truth table, cell by cell."""

from __future__ import annotations

import pytest

from cds.chart import NO_RESULT, Condition, Measurement, NoResult
from cds.days import parse_day
from cds.intervals import interval
from cds.logic import days_apart, either, newest, newest_result, paired, since


def problem(day: str | None = None) -> Condition:
    return Condition("Condition/1", "osteoporosis", "Osteoporosis", parse_day(day), certain=True)


def result(value: float, day: str | None) -> Measurement:
    return Measurement("Observation/1", "mma", "MMA", parse_day(day), interval(value), "umol/L", f"{value} umol/L")


E, N, U = (problem(),), (), None  # evidence, none recorded, unknown


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [(E, E, E + E), (E, N, E), (E, U, E), (N, E, E), (N, N, N), (N, U, U), (U, E, E), (U, N, U), (U, U, U)],
)
def test_either(
    one: tuple[Condition, ...] | None, other: tuple[Condition, ...] | None, together: tuple[Condition, ...] | None
) -> None:
    assert either(one, other) == together


def test_no_result_is_neither_true_nor_unknown() -> None:
    assert isinstance(newest_result([]), NoResult)
    assert not NO_RESULT
    assert newest_result([]) is not None


def test_newest_is_the_first_that_has_a_date() -> None:
    dated = problem("2024-05-17")
    assert newest([problem(), dated, problem("2023")]) == dated
    assert newest([problem()]) is None


def test_the_first_listed_wins_on_the_same_day() -> None:
    first, second = result(1, "2024-05-17"), result(2, "2024-05-17")
    assert newest([first, second]) is first


def test_since_takes_only_what_certainly_lies_in_the_window() -> None:
    day = parse_day("2024-03-15")
    assert day is not None
    assert tuple(since((problem("2024-03-15"), problem("2024-03"), problem("2024-04"), problem()), day.first)) == (
        problem("2024-03-15"),
        problem("2024-04"),
    )


def test_an_undated_record_is_near_to_nothing() -> None:
    assert days_apart(problem(), problem("2024-01-01")) == float("inf")


def test_nothing_pairs_with_a_missing_sample() -> None:
    assert paired([result(0.3, "2024-01-01")], NO_RESULT, None, 90) is NO_RESULT
