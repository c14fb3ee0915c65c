"""FHIR timing: how often a dose is given at most, from which day, and until when."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from cds.days import Day
from cds.dosetext import lasts
from cds.frequency import DAYS_IN, TIMES_PER_DAY, times_per_day
from hooks.fhir.elements import code, codings, first_day, first_object, number, objects, text, wording


_DAYS_IN = {**DAYS_IN, "s": 1 / 86400, "min": 1 / 1440}
_LIFETIME_DAYS = 36500
_SHORTEST_PERIOD = 1e-3
_WEEK = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_EVERY_MEAL = frozenset(("ac", "pc", "c"))
_CODES = {**TIMES_PER_DAY, **dict.fromkeys(("am", "pm", "bed"), 1.0), "wk": 1 / 7, "mo": 1 / 30}

CONTRADICTORY = math.nan
"""A frequency said twice and differently. Nothing else may fill its place."""


def frequency(timing: Any) -> float | None:
    """Administrations per day, at most: by the repeat and by the code or its words, which FHIR wants to say the same."""
    for item in objects(timing):
        repeated = next((rate for repeat in objects(item.get("repeat")) if (rate := _repeated(repeat)) is not None), None)
        named = _named(item.get("code"))
        if repeated is None or named is None:
            return named if repeated is None else repeated
        return repeated if agree(repeated, named) else CONTRADICTORY
    return None


def agree(one: float, other: float) -> bool:
    """Are two frequencies the same? "Monthly" and "every 4 weeks" are."""
    return abs(one - other) <= 0.1 * max(one, other)


def _repeated(repeat: dict[str, Any]) -> float | None:
    """By frequency and period, else by days of the week, else by the times of the day.

    Of a range (`frequencyMax`, `periodMax`) the end that gives more. Each time of the day is a dose, whatever `frequency` says;
    so is each weekday of a period of weeks. `AC` and its like stand for every meal only where no frequency is given.
    """
    times, unit = number(repeat.get("frequencyMax")), code(repeat.get("periodUnit")) or code(repeat.get("periodUnits"))
    times = number(repeat.get("frequency")) if times is None else times
    weekdays = set(_words(repeat.get("dayOfWeek")))
    if (times is not None and times <= 0) or weekdays - _WEEK:
        return None
    moments = {*_words(repeat.get("timeOfDay")), *_words(repeat.get("when"))}
    meals = 2 * len(moments & _EVERY_MEAL) if times is None else 0
    doses = max(times or 1, len(moments) + meals)
    period = number(repeat.get("period"))
    if period is None:
        return doses * len(weekdays or _WEEK) / 7 if weekdays or moments else None
    days = period * _DAYS_IN.get(unit, 0)
    if days < _SHORTEST_PERIOD:
        return None
    if not weekdays:
        return doses / days
    if days <= 1:
        return doses / days * len(weekdays) / 7
    return max(doses, len(weekdays) * max(1, len(moments))) / days if days >= _DAYS_IN["wk"] else None


def _words(value: Any) -> list[str]:
    return [text(item).lower() for item in (value if isinstance(value, list) else [value]) if text(item)]


def _named(concept: Any) -> float | None:
    """By a code such as BID or Q8H, else by the words of the timing."""
    for _, value in codings(concept):
        rate = _CODES.get(value.lower()) or times_per_day(value)
        if rate is not None:
            return rate
    words = wording(concept)
    return times_per_day(words) if words else None


def bounds(lines: Any, authored: Any) -> tuple[Day | None, Day | None]:
    """Start and end of a course as its dosage lines bound it; the start falls back on the day it was written.

    A course ends with its last line, and not at all while one line has no end.
    """
    periods = [period for line in objects(lines) for repeat in _repeats(line) for period in objects(repeat.get("boundsPeriod"))]
    starts = [begun for period in periods if (begun := first_day(period.get("start")))]
    start = min(starts, key=lambda begun: begun.first) if starts else first_day(authored)
    ends = [end for _, _, end in spans(lines, start)]
    return start, None if None in ends else max((end for end in ends if end is not None), key=lambda end: end.last, default=None)


def spans(lines: Any, start: Day | None) -> Iterator[tuple[dict[str, Any], Day | None, Day | None]]:
    """Each line with its first and last day. Lines numbered apart follow each other, those of one number go together.

    A line lasts as its bounds or its count of doses say; where another follows, also as its words say ("weekly x4").
    """
    numbered = [(number(line.get("sequence")), line) for line in objects(lines)]
    if len(numbered) > 1:
        numbered.sort(key=lambda pair: pair[0] or 0)
    begun, number_now, latest = start, None, start
    for place, line in numbered:
        if place != number_now:
            number_now, begun = place, latest
        first, end = begun, None
        for repeat in _repeats(line):
            period = first_object(repeat.get("boundsPeriod"))
            first, end = first_day(period.get("start")) or first, first_day(period.get("end"))
        followed = place is not None and place != numbered[-1][0]
        days = _days(line, followed) if end is None and first is not None else None
        if first is not None and days is not None:
            end = later(first, max(math.ceil(days) - 1, 0))
        if end is not None and (latest is None or end.last >= latest.last):
            latest = later(end, 1)
        yield line, first, end


_MEASURED = frozenset(("boundsRange", "boundsDuration", "count", "countMax"))
"""What bounds a line without naming a day."""


def _days(line: dict[str, Any], followed: bool) -> float | None:
    """How long a line lasts from its first day; of a range the longer end."""
    for repeat in _repeats(line):
        if _MEASURED.isdisjoint(repeat):
            continue
        span = first_object(first_object(repeat.get("boundsRange")).get("high"))
        bounded = duration_days(next(iter(objects(repeat.get("boundsDuration"))), span))
        if bounded is not None:
            return bounded
        count = number(repeat.get("countMax")) or number(repeat.get("count"))
        rate = frequency(line.get("timing")) if count is not None and count > 0 else None
        if count is not None and rate is not None and rate > 0:
            return count / rate
    words = text(line.get("text")) or text(line.get("patientInstruction"))
    return lasts(words) if followed and words else None


def later(day: Day, days: float) -> Day:
    """The day so many days after it, at most a lifetime, as precise as it is."""
    span = timedelta(min(days, _LIFETIME_DAYS))
    return Day(day.first + span, day.last + span)


def duration_days(duration: dict[str, Any]) -> float | None:
    """A duration in days."""
    value, unit = number(duration.get("value")), code(duration.get("code")) or code(duration.get("unit"))
    return value * _DAYS_IN[unit] if value is not None and value > 0 and unit in _DAYS_IN else None


def _repeats(line: dict[str, Any]) -> Sequence[dict[str, Any]]:
    timing = line.get("timing")
    if isinstance(timing, dict):
        return objects(timing.get("repeat"))
    return [repeat for item in objects(timing) for repeat in objects(item.get("repeat"))]
