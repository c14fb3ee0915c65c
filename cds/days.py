"""Dates as precise as they were written: "2024-05" is a month, and never quietly becomes its first day."""

from __future__ import annotations

import calendar
import re
from datetime import date

from msgspec import Struct


class Day(Struct, frozen=True, gc=False):
    """A date of day, month or year precision: any day from `first` to `last` may have been meant."""

    first: date
    last: date

    def __str__(self) -> str:
        if self.first == self.last:
            return self.first.isoformat()
        if self.first.year != self.last.year:
            return f"{self.first:%Y}/{self.last:%Y}"
        return f"{self.first:%Y-%m}" if self.first.month == self.last.month else f"{self.first:%Y}"


FIRST_YEAR, LAST_YEAR = 1850, 2200
"""Whoever wrote a year before or after these mistyped it, or meant "unknown": nobody who is treated was born before."""

_BEFORE_TIME = ("", "T", " ")
_MONTH_OR_YEAR = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")


def on(day: date) -> Day:
    """The precise Day of a calendar date."""
    return Day(day, day)


def parse_day(text: object) -> Day | None:
    """The day a FHIR date, dateTime or instant names, or None where it names none.

    The calendar day is read as written: a result of 23:30-05:00 belongs to the day its laboratory put on it. Times without
    seconds, without offset or after a blank are illegal FHIR and common in the field; none of them changes the day.
    """
    if not isinstance(text, str):
        return None
    try:
        if len(text) >= 10 and text[4] == text[7] == "-" and text[10:11] in _BEFORE_TIME:
            first = last = date.fromisoformat(text[:10])
        elif match := _MONTH_OR_YEAR.fullmatch(text):
            first = date(int(match[1]), int(match[2] or 1), 1)
            month = int(match[2] or 12)
            last = first.replace(month=month, day=calendar.monthrange(first.year, month)[1])
        else:
            return parse_day(text.strip()) if text != text.strip() else None
    except ValueError:
        return None
    return Day(first, last) if FIRST_YEAR <= first.year <= LAST_YEAR else None


def years_between(birth: Day, today: date) -> int:
    """Completed years of age in years; from a partial birth date the lowest age it allows (a child is never called an adult)."""
    latest = birth.last
    return today.year - latest.year - ((today.month, today.day) < (latest.month, latest.day))
