"""Runs of treatment: merged, bounded, and never longer than the record allows."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.chart import Medicine
from cds.days import on, parse_day
from cds.exposure import cover_of, latest_run, runs


TODAY = date(2026, 11, 21)


def course(start: str | None, end: str | None = None, current: bool = False) -> Medicine:
    return Medicine(
        "MedicationRequest/1", "ppi", "omeprazole", parse_day(start), end=parse_day(end), current=current, self_reported=False
    )


def test_a_gap_of_thirty_days_does_not_interrupt() -> None:
    (run,) = runs((course("2025-01-01", "2025-06-01"), course("2025-07-01", current=True)), TODAY, 30)
    assert (run.start, run.end, run.current, len(run.medicines)) == (date(2025, 1, 1), TODAY, True, 2)


def test_a_gap_of_thirty_one_days_does() -> None:
    first, second = runs((course("2025-01-01", "2025-06-01"), course("2025-07-02", current=True)), TODAY, 30)
    assert (first.days, second.start) == (151, date(2025, 7, 2))


def test_overlapping_courses_are_one() -> None:
    (run,) = runs((course("2025-01-01", "2025-12-31"), course("2025-03-01", "2025-04-01")), TODAY, 30)
    assert run.end == date(2025, 12, 31)


def test_a_partial_start_counts_as_late_and_a_partial_end_as_early() -> None:
    (run,) = runs((course("2024", "2025-06"),), TODAY, 30)
    assert (run.start, run.end) == (date(2024, 12, 31), date(2025, 6, 1))


def test_this_year_without_a_month_is_a_start_today_at_the_latest() -> None:
    (run,) = runs((course("2026", current=True),), TODAY, 30)
    assert run.days == 0


def test_a_stopped_course_without_an_end_covers_its_first_day() -> None:
    (run,) = runs((course("2025-01-01"),), TODAY, 30)
    assert run.days == 0


def test_a_future_course_does_not_count() -> None:
    assert runs((course("2026-12-01"),), TODAY, 30) == ()


def test_a_current_course_of_unknown_start_has_no_length() -> None:
    (run,) = runs((course(None, current=True), course(None)), TODAY, 30)
    assert (run.start, run.days, run.current) == (None, None, True)


def test_the_latest_run_is_the_one_going_on() -> None:
    all_runs = runs((course("2020-01-01", "2026-11-01"), course("2026-01-01", current=True)), TODAY, 0)
    latest = latest_run(all_runs, TODAY, 90)
    assert latest is not None
    assert latest.current


def test_a_run_that_ended_too_long_ago_is_not_recent() -> None:
    assert latest_run(runs((course("2020-01-01", "2026-08-22"),), TODAY, 30), TODAY, 90) is None


@pytest.mark.parametrize(
    ("day", "covered"),
    [("2026-01-04", False), ("2026-01-05", True), ("2026-04-30", True), ("2026-05-01", False)],
)
def test_cover_begins_after_the_grace_days_and_outlasts_the_end(day: str, covered: bool) -> None:
    cover = cover_of((course("2026-01-01", "2026-01-30"),), TODAY, 3, 90, 365)
    assert cover.includes(date.fromisoformat(day)) is covered


def test_an_unknown_start_covers_everything_before() -> None:
    assert cover_of((course(None, current=True),), TODAY, 3, 90, 365).includes(date(1999, 1, 1))


def test_a_start_known_by_its_year_may_have_been_new_year() -> None:
    assert cover_of((course("2026", current=True),), TODAY, 3, 90, 365).includes(date(2026, 2, 1))


@pytest.mark.parametrize(("day", "covered"), [("2026-01-05", True), ("2026-03-31", True), ("2026-04-03", False)])
def test_an_end_nobody_recorded_may_have_been_much_later(day: str, covered: bool) -> None:
    assert cover_of((course("2025-01-01"),), TODAY, 3, 90, 365).includes(date.fromisoformat(day)) is covered


def test_a_course_without_any_day_that_is_over_covers_nothing() -> None:
    assert cover_of((course(None),), TODAY, 3, 90, 365).windows == ()


COURSES = st.lists(
    st.builds(
        lambda start, length: (TODAY - timedelta(days=start), length), start=st.integers(0, 2000), length=st.integers(0, 800)
    ),
    max_size=8,
)


@given(courses=COURSES, gap=st.integers(0, 60))
def test_runs_are_apart_in_order_and_cover_every_course(courses: list[tuple[date, int]], gap: int) -> None:
    medicines = tuple(
        Medicine("M/1", "ppi", "", on(start), end=on(start + timedelta(days=length)), current=False, self_reported=False)
        for start, length in courses
    )
    found = runs(medicines, TODAY, gap)
    assert sum(len(run.medicines) for run in found) == len(medicines)
    for earlier, later in pairwise(found):
        assert later.start is not None
        assert (later.start - earlier.end).days > gap
    for run in found:
        assert run.end <= TODAY
        assert run.days is not None
        assert run.days >= 0
