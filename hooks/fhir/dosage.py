"""FHIR dosage to one Dosage per line: structured elements first, the words beside them for what is missing."""

from __future__ import annotations

from typing import Any

from cds.chart import Dosage, DoseUnit
from cds.days import Day
from cds.dosetext import TIMES_PER_DAY, read_dosage, times_per_day, unit_of_dose
from hooks.fhir.elements import code, codings, first_day, number, objects, text, wording


_DAYS_IN = {"s": 1 / 86400, "min": 1 / 1440, "h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.0, "a": 365.0}
_PREFERRED_DOSES = ("ordered", "calculated")


def dosages(lines: Any) -> tuple[Dosage, ...]:
    """All dosage lines of a statement or order."""
    return tuple(_dosage(line) for line in objects(lines))


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
    return Dosage(amount, unit, per_day, words)


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
            if period and unit in _DAYS_IN:
                return (times or 1) / (period * _DAYS_IN[unit])
            if isinstance(weekdays, list) and weekdays:
                return len(weekdays) * (times or 1) / 7
        for _, value in codings(item.get("code")):
            if value.lower() in TIMES_PER_DAY:
                return TIMES_PER_DAY[value.lower()]
        if words := wording(item.get("code")):
            return times_per_day(words)
    return None


def bounds(lines: Any, authored: Any) -> tuple[Day | None, Day | None]:
    """Start and end of a course as its dosage lines bound it; the start falls back on the day it was written."""
    start, end = None, None
    for line in objects(lines):
        for timing in objects(line.get("timing")):
            for repeat in objects(timing.get("repeat")):
                for period in objects(repeat.get("boundsPeriod")):
                    start = start or first_day(period.get("start"))
                    end = end or first_day(period.get("end"))
    return start or first_day(authored), end


def route_words(lines: Any) -> list[Any]:
    """The route elements of all lines."""
    return [line["route"] for line in objects(lines) if "route" in line]
