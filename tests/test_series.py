"""Two results of one series: what may be compared, and by how much they differ."""

from __future__ import annotations

from datetime import date

import pytest

from cds.chart import NO_RESULT, Measurement
from cds.days import on
from cds.intervals import Interval, interval
from cds.series import Answer, baseline_of, change_of, percent_change


START = date(2026, 6, 1)


def result(day: date | None, value: Interval, scale: str = "ug/L", name: str = "BALP") -> Measurement:
    return Measurement("Observation/1", "balp", name, on(day) if day is not None else None, value, scale, "")


AFTER = result(date(2026, 9, 1), interval(25))


@pytest.mark.parametrize(
    ("before", "same_name", "found"),
    [
        (result(date(2026, 5, 1), interval(20)), True, True),
        (result(date(2026, 6, 4), interval(20)), True, True),
        (result(date(2026, 6, 5), interval(20)), True, False),
        (result(date(2025, 12, 3), interval(20)), True, True),
        (result(date(2025, 12, 2), interval(20)), True, False),
        (result(None, interval(20)), True, False),
        (result(date(2026, 5, 1), interval(20), scale="U/L"), True, False),
        (result(date(2026, 5, 1), interval(20), name="Ostase"), True, False),
        (result(date(2026, 5, 1), interval(20), name="Ostase"), False, True),
    ],
)
def test_only_one_series_is_compared(before: Measurement, same_name: bool, found: bool) -> None:
    assert baseline_of([before], AFTER, START, 180, 3, same_name) == (before if found else NO_RESULT)


def test_without_a_start_or_a_later_result_there_is_no_baseline() -> None:
    before = result(date(2026, 5, 1), interval(20))
    assert baseline_of([before], AFTER, None, 180, 3) == NO_RESULT
    assert baseline_of([before], NO_RESULT, START, 180, 3) == NO_RESULT


@pytest.mark.parametrize(
    ("before", "after", "change", "percent"),
    [
        (AFTER, result(START, interval(20)), -5, -20),
        (AFTER, NO_RESULT, None, None),
        (NO_RESULT, AFTER, None, None),
        (result(START, interval(20, "<")), AFTER, None, None),
        (AFTER, result(START, interval(20, ">")), None, None),
        (result(START, interval(0)), AFTER, 25, None),
    ],
)
def test_a_change_needs_two_numbers(before: Answer, after: Answer, change: float | None, percent: float | None) -> None:
    assert change_of(before, after) == change
    assert percent_change(before, after) == percent
