"""FHIR dosage to one Dosage per line: structured elements first, the words beside them for what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from cds.chart import Dosage, DoseUnit
from cds.days import Day
from cds.dosetext import TIMES_PER_DAY, read_dosage, times_per_day, unit_of_dose
from hooks.fhir.elements import code, codings, first_day, number, objects, text, wording


_DAYS_IN = {"s": 1 / 86400, "min": 1 / 1440, "h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.0, "a": 365.0}
_LIFETIME_DAYS = 36500
_SHORTEST_PERIOD = 1e-3
_ENDLESS = 1e9
_PREFERRED_DOSES = ("ordered", "calculated")


def dosages(lines: Any, start: Day | None, today: date) -> tuple[Dosage, ...]:
    """The dosage lines that have begun and are not over, as phases follow each other; all where none is running."""
    spans = list(_spans(lines, start))
    running = [
        line for line, begun, end in spans if (begun is None or begun.first <= today) and (end is None or end.last >= today)
    ]
    return tuple(map(_dosage, running or [line for line, _, _ in spans]))


def bounds(lines: Any, authored: Any) -> tuple[Day | None, Day | None]:
    """Start and end of a course as its dosage lines bound it; the start falls back on the day it was written.

    A course ends with its last line, and not at all while one line has no end.
    """
    periods = [period for line in objects(lines) for repeat in _repeats(line) for period in objects(repeat.get("boundsPeriod"))]
    start = next((begun for period in periods if (begun := first_day(period.get("start")))), None) or first_day(authored)
    ends = [end for _, _, end in _spans(lines, start)]
    return start, None if None in ends else max((end for end in ends if end is not None), key=lambda end: end.last, default=None)


def _spans(lines: Any, start: Day | None) -> Iterator[tuple[dict[str, Any], Day | None, Day | None]]:
    """Each line with its first day and its end. Lines numbered apart follow each other, those of one number go together."""
    begun, number_now, latest = start, None, start
    for line in sorted(objects(lines), key=lambda line: number(line.get("sequence")) or 0):
        if number(line.get("sequence")) != number_now:
            number_now, begun = number(line.get("sequence")), latest
        end: Day | None = None
        for repeat in _repeats(line):
            end = next((day for period in objects(repeat.get("boundsPeriod")) if (day := first_day(period.get("end")))), end)
            days = duration_days(next(objects(repeat.get("boundsDuration")), {}))
            if begun is not None and days is not None:
                end = latest = later(begun, days)
        yield line, begun, end


def later(day: Day, days: float) -> Day:
    """The day so many days after it, at most a lifetime, as precise as it is."""
    span = timedelta(min(days, _LIFETIME_DAYS))
    return Day(day.first + span, day.last + span)


def duration_days(duration: dict[str, Any]) -> float | None:
    """A duration in days."""
    value, unit = number(duration.get("value")), code(duration.get("code")) or code(duration.get("unit"))
    return value * _DAYS_IN[unit] if value is not None and value > 0 and unit in _DAYS_IN else None


def _repeats(line: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for timing in objects(line.get("timing")):
        yield from objects(timing.get("repeat"))


def _dosage(line: dict[str, Any]) -> Dosage:
    words = text(line.get("text")) or text(line.get("patientInstruction"))
    amount, unit = _dose(line)
    per_day = _times_per_day(line.get("timing"))
    if words and (amount is None or unit is None or per_day is None):
        read = read_dosage(words)
        if amount is None or unit is None:
            amount, unit = read.amount, read.unit
        if per_day is None:
            per_day = read.per_day
    return Dosage(_sane(amount), unit, _sane(per_day), words)


def _sane(value: float | None) -> float | None:
    """A number that a dose or a frequency can be: not negative, not endless. Anything else is unreadable."""
    return value if value is not None and 0 <= value < _ENDLESS else None


def _dose(line: dict[str, Any]) -> tuple[float | None, DoseUnit | None]:
    """The dose of one administration; of a range its upper end. Epic sends three entries per order: the ordered one counts."""
    entries = list(objects(line.get("doseAndRate"))) or [line]
    chosen = min(entries, key=lambda entry: _rank(code(entry.get("type"))))
    quantity = next(objects(chosen.get("doseQuantity") or chosen.get("quantityQuantity") or chosen.get("quantity")), None)
    if quantity is None:
        quantity = next(objects(next(objects(chosen.get("doseRange")), {}).get("high")), {})
    amount = number(quantity.get("value"))
    named = unit_of_dose(text(quantity.get("unit"))) or unit_of_dose(text(quantity.get("code")))
    if amount is None or named is None:
        return None, None
    return amount * named[1], named[0]


def _rank(kind: str) -> int:
    return _PREFERRED_DOSES.index(kind) if kind in _PREFERRED_DOSES else len(_PREFERRED_DOSES)


def _times_per_day(timing: Any) -> float | None:
    """Administrations per day, at most: from the repeat, else from a code such as BID, else from the words of the timing."""
    for item in objects(timing):
        for repeat in objects(item.get("repeat")):
            period, unit = number(repeat.get("period")), code(repeat.get("periodUnit"))
            times = number(repeat.get("frequencyMax")) or number(repeat.get("frequency"))
            weekdays = repeat.get("dayOfWeek")
            if period and period > _SHORTEST_PERIOD and unit in _DAYS_IN:
                return (times or 1) / (period * _DAYS_IN[unit])
            if isinstance(weekdays, list) and weekdays:
                return len(weekdays) * (times or 1) / 7
        for _, value in codings(item.get("code")):
            if value.lower() in TIMES_PER_DAY:
                return TIMES_PER_DAY[value.lower()]
        if words := wording(item.get("code")):
            return times_per_day(words)
    return None


def route_words(lines: Any) -> list[Any]:
    """The route elements of all lines."""
    return [line["route"] for line in objects(lines) if "route" in line]
