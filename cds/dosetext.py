"""Doses written for people: "1000 mcg daily", "1片 每日三次", "cyanocobalamin 1,000 mcg/mL". What is not certain is None."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from cds.chart import Dosage, DoseUnit, Strength


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_UG_IN = {
    "ng": 1e-3,
    **dict.fromkeys(("ug", "mcg", "microgram", "micrograms", "微克"), 1.0),
    **dict.fromkeys(("mg", "milligram", "milligrams", "毫克"), 1e3),
    **dict.fromkeys(("g", "gram", "克"), 1e6),
}
"""ug in one of each mass unit. International units are absent on purpose: B12 has none."""

_COUNTED_UNITS: Mapping[str, DoseUnit] = {
    **dict.fromkeys(("tablet", "tablets", "tab", "tabs", "tbl", "capsule", "capsules", "cap", "caps", "pill", "pills"), "unit"),
    **dict.fromkeys(("lozenge", "lozenges", "gummy", "gummies", "each", "ea", "片", "粒", "颗", "枚"), "unit"),
    **dict.fromkeys(("ml", "cc", "毫升"), "mL"),
    **dict.fromkeys(("spray", "sprays", "actuation", "actuat", "puff", "喷"), "spray"),
}

_NUMBER_WORDS = {
    "one": 1.0,
    "two": 2.0,
    "three": 3.0,
    "four": 4.0,
    "half": 0.5,
    "once": 1.0,
    "twice": 2.0,
    "一": 1.0,
    "二": 2.0,
    "两": 2.0,
    "三": 3.0,
    "四": 4.0,
    "六": 6.0,
    "八": 8.0,
    "半": 0.5,
}

_DAYS_IN = {
    **dict.fromkeys(("h", "hour", "hours", "hrs", "小时"), 1 / 24),
    **dict.fromkeys(("d", "day", "days", "daily", "天", "日", "morning", "night", "evening"), 1.0),
    **dict.fromkeys(("w", "wk", "week", "weeks", "weekly", "周", "星期"), 7.0),
    **dict.fromkeys(("mo", "month", "months", "monthly", "月", "个月"), 30.0),
    **dict.fromkeys(("a", "year", "years", "年"), 365.0),
}
"""Days in each period; a month counts 30, as in the 30-day sum of injections."""

TIMES_PER_DAY = {
    **dict.fromkeys(("qd", "od", "daily", "nightly", "qhs", "qam", "qpm", "am", "pm"), 1.0),
    **dict.fromkeys(("bid", "bd"), 2.0),
    **dict.fromkeys(("tid", "tds"), 3.0),
    **dict.fromkeys(("qid", "qds"), 4.0),
    **dict.fromkeys(("qod", "隔日", "隔天", "every other day", "alternate days"), 1 / 2),
    **dict.fromkeys(("tiw",), 3 / 7),
    **dict.fromkeys(("biw",), 2 / 7),
    **dict.fromkeys(("qw", "weekly", "wk"), 1 / 7),
    **dict.fromkeys(("fortnightly",), 1 / 14),
    **dict.fromkeys(("monthly", "mo"), 1 / 30),
}
"""Administrations per day of the usual abbreviations, which are also the codes of FHIR's Timing.code."""

LONGEST = 1000
"""Characters. Nobody writes a longer dosage, and what is longer is not read for one."""

_NUMBER = r"(?<![0-9.])[0-9]{1,9}(?:\.[0-9]{1,9})?"
_COUNTING = rf"(?:{_NUMBER}|{_any_of(_NUMBER_WORDS)})"
_PERIOD = _any_of(_DAYS_IN)
_BEGIN, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"

_FREQUENCIES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], float]], ...] = (
    # "alternate days", before "days" is read as a period
    (re.compile(rf"{_BEGIN}(every other day|alternate days){_END}"), lambda m: TIMES_PER_DAY[m[1]]),
    # "twice daily", "3 times a day", "once per week"
    (
        re.compile(
            rf"{_BEGIN}({_COUNTING})(?: times?)? ?(?:a |per |each |every |/ ?)?(day|daily|week|weekly|month|monthly){_END}"
        ),
        lambda m: _number(m[1]) / _DAYS_IN[m[2]],
    ),
    # "every 4 weeks", "q8h", "each morning"
    (
        re.compile(rf"{_BEGIN}(?:every|each|q) ?({_COUNTING})? ?({_PERIOD}){_END}"),
        lambda m: 1 / (_number(m[1] or "1") * _DAYS_IN[m[2]]),
    ),
    # "每3个月一次", "一日3次"
    (
        re.compile(rf"[每一1]({_COUNTING})?({_PERIOD})({_COUNTING})次"),
        lambda m: _number(m[3]) / (_number(m[1] or "1") * _DAYS_IN[m[2]]),
    ),
    # "1000 mcg/day"
    (re.compile(rf"(?:/ ?|per |a )(day|week|month){_END}"), lambda m: 1 / _DAYS_IN[m[1]]),
    # "daily", "tid"
    (re.compile(rf"{_BEGIN}({_any_of(TIMES_PER_DAY)}){_END}"), lambda m: TIMES_PER_DAY[m[1]]),
)

_MASS = re.compile(rf"({_NUMBER}) ?({_any_of(_UG_IN)})(?![a-z])")
_COUNTED = re.compile(rf"(?<![a-z0-9.])({_COUNTING}) ?({_any_of(_COUNTED_UNITS)})(?![a-z])")
_PACK_SIZE = re.compile(rf"[×x*] ?{_NUMBER} ?[片粒支]")
_MASS_IN_VOLUME = re.compile(rf"({_NUMBER}) ?(mg|mcg|ug|g) ?/ ?({_NUMBER})? ?(ml|actuat|actuation|spray)(?![a-z])")
_VOLUME_WITH_MASS = re.compile(rf"({_NUMBER}) ?ml ?: ?({_NUMBER}) ?(mg|mcg|ug|g)(?![a-z])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_DOTTED = re.compile(r"\b[a-z](?:\.[a-z])+\b\.?")


def _number(text: str) -> float:
    return _NUMBER_WORDS[text] if text in _NUMBER_WORDS else float(text)


def plain(text: str) -> str:
    """Text ready for matching: NFKC, lower case, mu as u, no thousands commas, "b.i.d." as "bid", single blanks.

    Nothing at all of a text that is longer than anybody writes: its end may say the opposite of its beginning.
    """
    if len(text) > LONGEST:
        return ""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("μ", "u")
    text = text.lower()
    if "," in text:
        text = _THOUSANDS.sub("", text)
    if "." in text:
        text = _DOTTED.sub(lambda m: m[0].replace(".", ""), text)
    return " ".join(text.split())


def unit_of_dose(text: str) -> tuple[DoseUnit, float] | None:
    """The dose unit a string names and its worth: ("ug", 1000.0) for mg, ("unit", 1.0) for tablets; None for anything else."""
    word = plain(text).removesuffix("(s)").strip("{}[]()")
    if word in _UG_IN:
        return "ug", _UG_IN[word]
    return (_COUNTED_UNITS[word], 1.0) if word in _COUNTED_UNITS else None


def times_per_day(text: str) -> float | None:
    """Administrations per day, if the text names exactly one frequency; "daily for a week, then weekly" names two."""
    words = plain(text)
    found: dict[float, float] = {}
    for pattern, rate in _FREQUENCIES:
        for match in pattern.finditer(words):
            with suppress(ZeroDivisionError):  # "every 0 days" says nothing
                found[round(rate(match), 6)] = rate(match)
        words = pattern.sub(" ; ", words)
    return found.popitem()[1] or None if len(found) == 1 else None


def read_dosage(text: str) -> Dosage:
    """A dosage line read from words; whatever is missing, or said twice and differently, stays None."""
    words = _PACK_SIZE.sub(" ", plain(text))
    per_day = times_per_day(words)
    counted = {(_number(number), _COUNTED_UNITS[unit]) for number, unit in _COUNTED.findall(words)}
    masses = {float(number) * _UG_IN[unit] for number, unit in _MASS.findall(words)}
    if len(counted) == 1:
        return Dosage(*counted.pop(), per_day, text)
    if len(masses) == 1 and not counted:
        return Dosage(masses.pop(), "ug", per_day, text)
    return Dosage(None, None, per_day, text)


def strengths(name: str, nutrients_in: Callable[[str], Iterable[str]]) -> dict[str, Strength]:
    """The strength of each nutrient a product name states: "folic acid 2.2 MG / vitamin B12 0.5 MG Oral Tablet".

    `nutrients_in` names the nutrients a piece of text speaks of. A part that names two of them has no strength to share out.
    """
    found: dict[str, Strength] = {}
    for part in plain(name).split(" / "):
        nutrients = tuple(nutrients_in(part))
        strength = _strength(_PACK_SIZE.sub(" ", part))
        if len(nutrients) == 1 and strength is not None:
            found[nutrients[0]] = strength
    return found


def _strength(part: str) -> Strength | None:
    if match := _VOLUME_WITH_MASS.search(part):
        return _per(match[2], match[3], match[1], "ml")
    if match := _MASS_IN_VOLUME.search(part):
        return _per(match[1], match[2], match[3] or "1", match[4])
    masses = {float(number) * _UG_IN[unit] for number, unit in _MASS.findall(part)}
    return Strength(masses.pop(), "unit") if len(masses) == 1 else None


def _per(mass: str, unit: str, amount: str, basis: str) -> Strength | None:
    if float(amount) == 0:
        return None
    return Strength(float(mass) * _UG_IN[unit] / float(amount), "mL" if basis == "ml" else "spray")
