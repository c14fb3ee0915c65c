"""Dates and ages of a recorded request: shifted by one number of days, as precise as they were; the very old are ninety."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from cds.days import Day, parse_day, years_between
from hooks.fhir.elements import number, text


LONGEST_SHIFT_DAYS = 364
OLDEST = 89
"""Years. Who is older is made 90: there are few, and an age tells which."""

_DATED = re.compile(r"date|time|start|end|authored|issued|event", re.IGNORECASE)
"""Elements in which four digits are a year; elsewhere they may be a result."""
_SPOKEN = ("onsetString", "abatementString", "performedString", "occurrenceString")
_ISO = r"(?<!\d)(?:19|20)\d\d-\d\d(?:-\d\d)?(?![\d-])"
_IN_DIGITS = "|".join(rf"\d{{1,2}}{mark} ?\d{{1,2}}{mark} ?(?:19|20)?\d\d" for mark in ("-", "/", r"\."))
_OTHER_DATES = (
    r"(?<![\d.,])(?:(?:19|20)\d\d ?[/.年] ?\d{1,2}(?: ?[/.月] ?\d{1,2}日?)?"
    rf"|{_IN_DIGITS}|\d{{1,2}} \d{{1,2}} (?:19|20)\d\d)(?!\d|[.,]\d)"
)
_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?|may(?=[ ,.-]{0,2}(?:(?:19|20)?\d\d\b|\d{1,2}(?:st|nd|rd|th)|\d,? (?:19|20)\d\d)))\b\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_FEW = r"[\d一二三四五六七八九十]{1,3}"
_SPELT = rf"\b(?:{_DAY}[ .-]{{0,2}}{_MONTHS}|{_MONTHS} ?{_DAY}\b)(?:[ ,.-]{{0,2}}(?:19|20)?\d\d\b)?|{_FEW} ?月 ?{_FEW} ?[日号]"
_YEAR = r"(?<![\d.,])(?:19|20)\d\d(?!\d|[.,]\d| ?[a-zA-Zµμ毫微克国%/])"
"""A year, and no amount: what follows is no unit."""
_DATES = re.compile(f"({_OTHER_DATES}|{_SPELT})|({_ISO}|{_YEAR})", re.IGNORECASE)
_SPOKEN_AGE = re.compile(r"(?<![\d.,])(?:9\d|1[0-2]\d)(?= ?-? ?(?:years?|yrs?|y[./]?o|y|周?岁|jahre?)(?![a-z]))", re.IGNORECASE)
_AMOUNT = re.compile(r"[<>=≤≥]* ?\d+(?:[.,]\d+)?(?: ?[^\W\d_]\S{0,11}| ?%)?")
_REST = re.compile(r"[T ][0-9:.]{1,18} ?(?:Z|z|[+-]\d\d:?\d\d)?|")


class Shifter:
    """Shifts what belongs to one patient."""

    def __init__(self, shift: timedelta, today: date) -> None:
        """`today`: the day of the call, before it is shifted."""
        self._shift, self._today = shift, today

    def alone(self, key: str, value: str) -> str | None:
        """An element that is a date, shifted; None for one that is none."""
        day = parse_day(value)
        if day is None or (len(value.strip()) == len("2026") and not _DATED.search(key)):
            return None
        return self._shifted(value.strip(), day)

    def within(self, key: str, value: str, scrubbed: Callable[[str], str]) -> str:
        """Words, with the dates in them shifted or, where their spelling can be read in two ways, dropped."""
        value = _SPOKEN_AGE.sub(str(OLDEST + 1), value)
        if key not in _SPOKEN and _AMOUNT.fullmatch(value.strip()):
            return scrubbed(value)
        said = []
        for place, part in enumerate(_DATES.split(value)):
            if not part or part.isspace():
                said.append(part or "")
            elif place % 3 == 0:
                said.append(scrubbed(part))
            else:
                day = parse_day(part) if place % 3 == 2 else None
                said.append(self._shifted(part, day) if day is not None else "~")
        return "".join(said)

    def birth(self, value: Any) -> str | None:
        """The day of birth, shifted as everything; of the very old that of somebody of 90."""
        day = parse_day(value)
        if day is None:
            return None
        if years_between(day, self._today) > OLDEST:
            return (self._today + self._shift - timedelta(round((OLDEST + 1.5) * 365.25))).isoformat()
        return self._shifted(value.strip(), day)

    def _shifted(self, value: str, day: Day) -> str:
        """A date, as precise as it was; of a month or a year its middle is shifted. The time of day stays."""
        moved = (day.first + (day.last - day.first) / 2 + self._shift).isoformat()
        rest = value[len(moved) :]
        return moved[: len(value)] + (rest if _REST.fullmatch(rest) else "")


_YEARS = frozenset(("a", "yr", "yrs", "y", "year", "years", "岁"))


def in_years(quantity: Mapping[str, Any]) -> bool:
    """Is it a number of years?"""
    return not _YEARS.isdisjoint(text(quantity.get(name)).lower() for name in ("unit", "code"))


def aged(value: Any) -> Any:
    """An age in years, of the very old 90. What is younger stays."""
    years = number(value)
    return OLDEST + 1 if years is not None and years > OLDEST else value
