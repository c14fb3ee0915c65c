"""Two results of one series, before and on a treatment. What differs in assay, name or unit is never compared or converted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from cds.chart import NO_RESULT, Measurement, NoResult


Answer = Measurement | NoResult
"""A result, or the certainty that there is none."""


def baseline_of(
    results: Iterable[Measurement],
    after: Answer,
    start: date | None,
    before_days: float,
    grace_days: float,
    same_name: bool = False,
) -> Answer:
    """The newest result from `before_days` before a start to `grace_days` after it, of the concept and scale of `after`.

    same_name: the laboratory must have called it the same, where a code or unit alone does not tell one assay from another.
    """
    if start is None or not isinstance(after, Measurement):
        return NO_RESULT
    first, last = start - timedelta(days=before_days), start + timedelta(days=grace_days)
    for result in results:
        if result.day is None or not first <= result.day.last <= last:
            continue
        if (result.concept, result.scale) == (after.concept, after.scale) and (not same_name or result.name == after.name):
            return result
    return NO_RESULT


def change_of(before: Answer, after: Answer) -> float | None:
    """By how much the value changed, in its own scale; unknown where one is missing or only bounded by a comparator."""
    if not isinstance(before, Measurement) or not isinstance(after, Measurement):
        return None
    if before.value.exact is None or after.value.exact is None:
        return None
    return after.value.exact - before.value.exact


def percent_change(before: Answer, after: Answer) -> float | None:
    """The change in percent of the value before; unknown as in `change_of`, and from nothing."""
    change = change_of(before, after)
    if change is None or not isinstance(before, Measurement) or not before.value.low:
        return None
    return float(f"{100 * change / before.value.low:.10g}")
