"""FHIR dosage to one Dosage per line: structured elements and the words beside them, which must not contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from cds.amounts import same, unit_of_dose
from cds.chart import Dosage, DoseUnit
from cds.days import Day
from cds.dosetext import read_dosage
from hooks.fhir.elements import code, first_object, number, objects, text
from hooks.fhir.timing import CONTRADICTORY, agree, duration_days, frequency, spans


_ENDLESS = 1e9
_TYPES = ("ordered", "calculated", "", "admin-amount")
Amount = tuple[float, DoseUnit]
_NO_WORDS = Dosage(None, None, None)


def dosages(lines: Any, start: Day | None, today: date) -> tuple[Dosage, ...]:
    """The dosage lines that have begun and are not over, as phases follow each other; all where none is running."""
    every = list(spans(lines, start))
    running = [
        span for span in every if (span[1] is None or span[1].first <= today) and (span[2] is None or span[2].last >= today)
    ]
    return tuple(_dosage(line, begun, today) for line, begun, _ in running or every)


def _dosage(line: dict[str, Any], begun: Day | None, today: date) -> Dosage:
    """What structure and words say together.

    The structure stands where it is complete, and the words fill what it lacks. But words that read differently, of a dose in
    the same unit or of a frequency, are a discrepancy for a person to clear up: what they contradict is unknown. A mass in the
    words beside a structured count is kept, to be held against the strength of the product.
    """
    words, read = text(line.get("text")) or text(line.get("patientInstruction")), _NO_WORDS
    for said in (words, text(line.get("patientInstruction"))):
        if said and (read.amount is None or read.per_day is None):
            read = _merged(read, _read(said, begun, today))
    structured, most, per_day = _dose(line), _most(line), frequency(line.get("timing"))
    amount, unit, mass_ug = read.amount, read.unit, read.mass_ug
    if structured is not None:
        amount, unit = structured
        if unit == read.unit and read.amount is not None:
            amount = amount if same(amount, read.amount) else CONTRADICTORY
        elif unit == "ug":
            amount, mass_ug = amount if mass_ug is None or same(amount, mass_ug) else CONTRADICTORY, None
        else:
            mass_ug = read.amount if read.unit == "ug" else mass_ug
    if per_day is None:
        per_day = read.per_day
    elif read.per_day is not None and not agree(per_day, read.per_day):
        per_day = CONTRADICTORY
    amount, per_day = _sane(amount), _sane(per_day)
    if most is None and read.most and read.most_unit is not None:
        most = read.most, read.most_unit
    if most is None or not (_as_needed(line) or amount is None or per_day is None or read.most):
        return Dosage(amount, unit, per_day, words, mass_ug)
    return Dosage(amount, unit, per_day, words, mass_ug, *most)


def _read(words: str, begun: Day | None, today: date) -> Dosage:
    """The words, as of today. Where the start is not known to the day, only what holds for all days that it may have been."""
    if begun is None:
        return read_dosage(words)
    read = read_dosage(words, max((today - begun.last).days, 0))
    if begun.first != begun.last and read != read_dosage(words, max((today - begun.first).days, 0)):
        return read_dosage(words)
    return read


def _merged(one: Dosage, other: Dosage) -> Dosage:
    """One reading with what it lacks taken from another one."""
    dose = one if one.amount is not None else other
    cap = one if one.most is not None else other
    per_day = one.per_day if one.per_day is not None else other.per_day
    return Dosage(dose.amount, dose.unit, per_day, one.text, dose.mass_ug, cap.most, cap.most_unit)


def _as_needed(line: dict[str, Any]) -> bool:
    """Taken only when needed? Such a dose counts as often as it may be taken, up to its maximum."""
    return (
        line.get("asNeededBoolean") is True
        or line.get("asNeeded") is True
        or bool(line.get("asNeededCodeableConcept") or line.get("asNeededFor"))
    )


def _sane(value: float | None) -> float | None:
    """A number that a dose or a frequency can be: not negative, not endless. Anything else is unreadable."""
    return value if value is not None and 0 < value < _ENDLESS else None


def _dose(line: dict[str, Any]) -> Amount | None:
    """The dose of one administration.

    Epic sends up to three entries per order, which say one thing in three ways and are never added: what was ordered counts; a
    dose ordered per kilogram cannot be read, and then the one calculated from it counts; the amount to hand out comes last, as
    it only counts tablets. Entries of one kind that differ leave the dose unknown.
    """
    entries = list(objects(line.get("doseAndRate"))) or [line]
    for kind in _TYPES:
        found = {amount for entry in entries if _type(entry) == kind and (amount := _amount(entry)) is not None}
        if found:
            return found.pop() if len(found) == 1 else None
    return _quantity(first_object(line.get("maxDosePerAdministration")))


def _type(entry: dict[str, Any]) -> str:
    kind = code(entry.get("type"))
    return kind if kind in _TYPES else ""


def _amount(entry: dict[str, Any]) -> Amount | None:
    """A quantity, or of a range its upper end: the most that may be taken. A range without one has no dose to count."""
    for name in ("doseQuantity", "doseSimpleQuantity", "quantityQuantity", "quantity"):
        for quantity in objects(entry.get(name)):
            return _quantity(quantity)
    for name in ("doseRange", "quantityRange"):
        for limits in objects(entry.get(name)):
            return _quantity(first_object(limits.get("high")))
    return None


def _quantity(quantity: dict[str, Any]) -> Amount | None:
    """Value and unit, by the unit's words and its code, which must not say two things. "More than" is no amount."""
    value = number(quantity.get("value"))
    named = {meant for key in ("unit", "code") if (meant := unit_of_dose(text(quantity.get(key)))) is not None}
    if value is None or len(named) != 1 or text(quantity.get("comparator")).startswith(">"):
        return None
    ((unit, worth),) = named
    return float(f"{value * worth:.10g}"), unit


def _most(line: dict[str, Any]) -> Amount | None:
    """The most of it in a day: its maximum per period, or its rate. An hourly rate does not say how long it runs."""
    for ratio in (*objects(line.get("maxDosePerPeriod")), *_rates(line)):
        amount, days = (
            _quantity(first_object(ratio.get("numerator"))),
            duration_days(first_object(ratio.get("denominator"))),
        )
        if amount is not None and days is not None and 0 < amount[0] < _ENDLESS:
            return amount[0] / days, amount[1]
    return None


def _rates(line: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rates that are stated for a day or longer."""
    for entry in objects(line.get("doseAndRate")):
        for ratio in objects(entry.get("rateRatio")):
            if (duration_days(first_object(ratio.get("denominator"))) or 0) >= 1:
                yield ratio


def route_words(lines: Any) -> list[Any]:
    """The route elements of all lines."""
    return [line["route"] for line in objects(lines) if "route" in line]
