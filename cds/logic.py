"""Three-valued helpers the facts share: evidence from several places, and the newest of several results.

`either` has a truth table, and tests/test_logic.py is that table: evidence anywhere is evidence; otherwise one unanswered
question leaves the whole unanswered; only when every question was answered with "none" is the answer none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from cds.chart import NO_RESULT, Measurement, NoResult, Record
from cds.exposure import Cover


Evidence = tuple[Record, ...]

R = TypeVar("R", bound=Record)


def either(*groups: tuple[R, ...] | None) -> tuple[R, ...] | None:
    """All records of all groups; None if there is none and some group is unknown."""
    found: tuple[R, ...] = ()
    for group in groups:
        if group:
            found += group
    return found if found or None not in groups else None


def since(records: Iterable[R], earliest: date) -> Iterator[R]:
    """The dated records that certainly lie on or after a day."""
    return (record for record in records if record.day is not None and record.day.first >= earliest)


def newest(records: Iterable[R]) -> R | None:
    """The first dated record: charts keep records newest first."""
    for record in records:
        if record.day is not None:
            return record
    return None


def newest_result(results: Iterable[Measurement]) -> Measurement | NoResult:
    """The result of the latest day, or the certainty that there is none."""
    return newest(results) or NO_RESULT


def certainly_below(result: Measurement | NoResult | None, cut: float) -> bool:
    """Is there a result, and is it below the cut whatever its comparator leaves open?"""
    return isinstance(result, Measurement) and result.value.below(cut) is True


def unanimous(answers: Sequence[bool | None]) -> bool | None:
    """What all of at least one answer say; None where they differ, or where some cannot tell."""
    return answers[0] if answers.count(answers[0]) == len(answers) else None


def days_apart(one: Record, other: Record) -> float:
    """Days between two records; endless where one has no date."""
    if one.day is None or other.day is None:
        return float("inf")
    return abs((one.day.last - other.day.last).days)


def drawn_on(cover: Cover | None, record: Record) -> bool:
    """Does the record fall under a treatment? Not where nothing is known of treatment: the caller decides what that means."""
    return cover is not None and record.day is not None and cover.includes(record.day.last)


def paired(
    results: Iterable[Measurement], sample: Measurement | NoResult, cover: Cover | None, window_days: float
) -> Measurement | NoResult:
    """The newest result that may be read together with a sample: drawn near it and on the same side of treatment."""
    if isinstance(sample, NoResult):
        return NO_RESULT
    treated = drawn_on(cover, sample)
    for result in results:
        if result.day is not None and days_apart(result, sample) <= window_days and drawn_on(cover, result) == treated:
            return result
    return NO_RESULT
