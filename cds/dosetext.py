"""Doses written for people: "1000 mcg daily", "1片 每日三次", "weekly x4 then monthly". What is not certain is None."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds.amounts import CONCENTRATION, COUNTED, COUNTED_UNITS, EACH, MASS, PACK, UG_IN, mass
from cds.chart import Dosage, DoseUnit
from cds.frequency import changes, duration_of, rate_of
from cds.plaintext import NUMBER, any_of, figures, plain


_MASS_UNIT, _ANY_UNIT = any_of(UG_IN), any_of((*UG_IN, *COUNTED_UNITS))
_IN_A_DAY = r"(?:(?:/|per|in|an?|every|each|within) ?(?:1 )?(?:24 ?(?:hours?|hrs?|h|小时)|days?|d|[日天])|daily)(?![a-z])"
_AT_MOST = r"(?:max(?:imum)?(?: dose)?(?: of)?|not (?:to )?exceed(?:ing)?|no more than|不超过|最多|最大量?)"
_OF_A_DAY = rf"(?:每[日天]|1[日天]|24 ?小时内?)(?:用量|总量|剂量)?{_AT_MOST}|{_AT_MOST}每[日天]"
_CAP = re.compile(rf"{_AT_MOST}[: ]*({NUMBER}) ?({_ANY_UNIT})(?:\(s\))? ?{_IN_A_DAY}|(?:{_OF_A_DAY})({NUMBER}) ?({_ANY_UNIT})")
_COUNT = rf"{NUMBER} ?(?:{_ANY_UNIT})(?![a-z])(?:\(s\))?"
_SUPPLY = re.compile(
    rf"(?<![a-z])(?:dispense|disp|quantity|qty)[: ]*(?:{_COUNT}|{NUMBER})|# ?(?:{_COUNT}|{NUMBER})|{_COUNT},? {NUMBER} ?refills?"
)
_MULTIPLIED = re.compile(
    rf"({NUMBER}) ?[x*] ?({NUMBER}) ?({_MASS_UNIT})(?![a-z])|"
    rf"({NUMBER}) ?({_MASS_UNIT}) ?[x*] ?({NUMBER})(?! ?(?:days?|weeks?|months?|/|per|a )|[a-z0-9天日周月次])"
)
_TWO_NUMBERS = re.compile(rf"(?<![a-z0-9.])[0-9]+ [0-9][0-9.]* ?(?:{_MASS_UNIT})(?![a-z])")
_TOTAL = re.compile(r"(?<![a-z])total(?![a-z])|共计|合计")
_BARE = re.compile(
    rf"(?<!b[ -])(?<!b){NUMBER} ?(?=(?:in the|at|every|each) (?:morning|noon|evening|night|bedtime))|"
    rf"[早中晚] ?{NUMBER}(?! ?[^早中晚 ])"
)
_COUNT_FOLLOWS = re.compile(rf"({_MASS_UNIT}) ?[(=]")
_EACH_NOSTRIL = re.compile(r"(?<![a-z])(?:each|both|per) nostrils?(?![a-z])|[每双两]侧?鼻")
_AS_NEEDED = re.compile(r"(?<![a-z])(?:prn|(?:as|if|when) (?:needed|required|necessary))(?![a-z])|必要时|需要时|按需")
_NEXT = re.compile(
    r"(?<![a-z])(?:and )?(?:then|followed by|thereafter|subsequently|after ?wards?|after that|after(?= every))(?![a-z])|"
    r"(?:然后|其?[以此之]?后)?[改续继][为以用]|然后|[以之此其]后|后(?=每)|[,;]"
)
"""What stands between two phases of a course."""


def read_dosage(text: str, days: float | None = None) -> Dosage:
    """A dosage line read from words; whatever is missing, or said twice and differently, stays None.

    A dose that changes in the course ("weekly x4 then monthly") is the one of the phase that runs `days` after its start: unknown
    without it, or where a phase that has another after it does not say how long it lasts. An amount stated once holds for all.
    """
    words = _SUPPLY.sub(" ", figures(plain(text)))
    most, most_unit, words = _cap(words)
    read = (_running(words, days, text) if days is not None and changes(words) else None) or _dosage(words, text)
    if most is None or (read.amount is not None and read.per_day is not None and not _AS_NEEDED.search(words)):
        return read
    return Dosage(read.amount, read.unit, read.per_day, text, read.mass_ug, most, most_unit)


def lasts(text: str) -> float | None:
    """For how many days a line that another one follows says that it goes on; None where it does not say."""
    words = figures(plain(text))
    per_day = rate_of(words)
    return duration_of(words, per_day) if per_day is not None else None


def _phases(words: str) -> Iterator[tuple[str, float]]:
    """Parts of the text that each name a frequency, with it. What names none belongs to the part before it."""
    kept, rate = "", None
    for part in _NEXT.split(words):
        found = rate_of(part)
        if found is not None and rate is not None:
            yield kept, rate
            kept, rate = part, found
        else:
            kept, rate = f"{kept} , {part}" if kept else part, rate if found is None else found
    if rate is not None:
        yield kept, rate


def _running(words: str, days: float, text: str) -> Dosage | None:
    """The dosage of one of several phases; None where there are not several, or nobody can tell which it is."""
    phases = list(_phases(words))
    if len(phases) < 2:
        return None
    over = 0
    for part, rate in phases[:-1]:
        lasting = duration_of(part, rate)
        if lasting is None:
            return None
        days -= lasting
        if days < 0:
            break
        over += 1
    said = [_dosage(part, text) for part, _ in phases[: over + 1]]
    dose = next((read for read in reversed(said) if read.amount is not None), None) or _dosage(words, text)
    return Dosage(dose.amount, dose.unit, said[-1].per_day, text, dose.mass_ug)


def _dosage(words: str, text: str) -> Dosage:
    """One dose at one frequency. A count is the dose where there is one, and the mass beside it says what it must come to."""
    per_day = rate_of(words)
    words = PACK.sub(" ", words)
    if _TWO_NUMBERS.search(words) or _BARE.search(words):
        return Dosage(None, None, per_day, text)
    contents = {mass(m[1] or m[3], m[2] or m[4]) for m in EACH.finditer(words)}
    per_ml = {mass(m[1], m[2]) / float(m[3] or 1) for m in CONCENTRATION.finditer(words) if float(m[3] or 1)}
    words = CONCENTRATION.sub(" ; ", words)
    counted = {(float(number), COUNTED_UNITS[unit]) for number, unit in COUNTED.findall(words)}
    if len(counted) == 1:
        ((amount, unit),) = counted
        if unit == "spray" and _EACH_NOSTRIL.search(words):
            amount *= 2
        single = contents if unit in ("unit", "container") else per_ml if unit == "mL" else set()
        masses = {amount * one for one in single} or _masses(words)
        whole = bool(single) or amount == 1 or unit == "mL" or any(p.search(words) for p in (_TOTAL, _COUNT_FOLLOWS, _MULTIPLIED))
        return Dosage(amount, unit, per_day, text, masses.pop() if len(masses) == 1 and whole else None)
    masses = _masses(words)
    return Dosage(masses.pop(), "ug", per_day, text) if len(masses) == 1 and not counted else Dosage(None, None, per_day, text)


def _masses(words: str) -> set[float]:
    """Every mass named, "2 x 500 mcg" as one of 1000."""
    products = [(m[1] or m[6], mass(m[2] or m[4], m[3] or m[5])) for m in _MULTIPLIED.finditer(words)]
    single = {mass(number, unit) for number, unit in MASS.findall(_MULTIPLIED.sub(" ; ", words))}
    return single | {float(times) * one for times, one in products}


def _cap(words: str) -> tuple[float | None, DoseUnit | None, str]:
    """The most of it in a day, as amount and unit, and the words without it."""
    match = _CAP.search(words)
    if match is None:
        return None, None, words
    number, unit = match[1] or match[3], match[2] or match[4]
    rest = words[: match.start()] + " ; " + words[match.end() :]
    return (mass(number, unit), "ug", rest) if unit in UG_IN else (float(number), COUNTED_UNITS[unit], rest)
