"""Since when, where no date says it: an age, a range of ages, words such as "2009?"."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import msgspec

from cds.days import Day, parse_day
from hooks.fhir.elements import number, objects, opened, text
from hooks.fhir.resources import NOT_SENT


_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d(?:-\d\d(?:-\d\d)?)?)(?![\d-])")
_YEARS = ("", "a", "yr", "yrs", "year", "years", "岁")
_OLDEST = 150


def told_day(birth: Day | None, words: Any, *ages: msgspec.Raw) -> Day | None:
    """The one date in some words, else the time at which the patient had one of these ages, which are kept as they came."""
    found = set(_DATE.findall(text(words)))
    if len(found) == 1:
        return parse_day(found.pop())
    return next((day for age in ages if age is not NOT_SENT and (day := _at_age(birth, opened(age))) is not None), None)


def _at_age(birth: Day | None, age: Any) -> Day | None:
    """All days on which the patient had this age, or one within this range of ages, in years; no other unit is read."""
    for given in objects(age):
        low, high = (next(iter(objects(given.get(end))), given) for end in ("low", "high"))
        first, last = _years(low), _years(high)
        if birth is not None and first is not None and last is not None:
            return Day(_birthday(birth.first, first), _birthday(birth.last, last + 1))
    return None


def _years(age: dict[str, Any]) -> int | None:
    years, unit = number(age.get("value")), text(age.get("code")) or text(age.get("unit"))
    return int(years) if years is not None and 0 <= years <= _OLDEST and unit.lower() in _YEARS else None


def _birthday(birth: date, age: int) -> date:
    """Of somebody born on 29 February the first of March, in other years."""
    year = birth.year + age
    return birth.replace(year=year, month=3, day=1) if (birth.month, birth.day) == (2, 29) else birth.replace(year=year)
