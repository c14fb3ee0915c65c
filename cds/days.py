"""Dates as precise as they were written: "2024-05" is a month, and never quietly becomes its first day."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

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
_TIME_AND_OFFSET = re.compile(r"[T ]([0-9]{2}):([0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)? ?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))")


def on(day: date) -> Day:
    """The precise Day of a calendar date."""
    return Day(day, day)


def parse_day(text: object, zone: tzinfo | None = None) -> Day | None:
    """The day a FHIR date, dateTime or instant names, or None where it names none.

    The calendar day is read as written: a result of 23:30-05:00 belongs to the day its laboratory put on it. With a `zone`, an
    instant with an offset belongs to the day it has there; without an offset it was written there. Times without seconds, without
    offset or after a blank are illegal FHIR and common in the field; none of them changes the day.
    """
    if not isinstance(text, str):
        return None
    if len(text) >= 10 and text[10:11] in _BEFORE_TIME:
        day = _written(text[:10])
        if day is not None:
            return day if zone is None or len(text) == 10 else _there(day, text[10:], zone)
    try:
        if match := _MONTH_OR_YEAR.fullmatch(text):
            first = date(int(match[1]), int(match[2] or 1), 1)
            month = int(match[2] or 12)
            return _sane(Day(first, first.replace(month=month, day=calendar.monthrange(first.year, month)[1])))
    except ValueError:
        return None
    return parse_day(text.strip(), zone) if text != text.strip() else None


@lru_cache(maxsize=8192)
def _written(text: str) -> Day | None:
    """The day of ten characters; kept, as the days of people's lives are few and each is read a thousand times."""
    if not text[4] == text[7] == "-":
        return None
    try:
        return _sane(on(date.fromisoformat(text)))
    except ValueError:
        return None


def _sane(day: Day) -> Day | None:
    return day if FIRST_YEAR <= day.first.year <= LAST_YEAR else None


def _there(day: Day, rest: str, zone: tzinfo) -> Day:
    """The day an instant has in a zone, if the rest gives its offset. 24:00 is the end of the day it is written on."""
    match = _TIME_AND_OFFSET.fullmatch(rest)
    if match is None:
        return day
    hour, minute, offset = int(match[1]), int(match[2]), timedelta(hours=int(match[4] or 0), minutes=int(match[5] or 0))
    if hour > 24 or minute > 59 or offset >= timedelta(days=1):
        return day
    if hour == 24:
        hour, minute = 23, 59
    from_utc = timezone(-offset if match[3] == "-" else offset)
    return on(datetime.combine(day.first, time(hour, minute, tzinfo=from_utc)).astimezone(zone).date())


def years_between(birth: Day, today: date) -> int:
    """Completed years of age in years; from a partial birth date the lowest age it allows (a child is never called an adult)."""
    latest = birth.last
    return today.year - latest.year - ((today.month, today.day) < (latest.month, latest.day))
