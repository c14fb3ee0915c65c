"""How often, as people write it: "twice daily", "q8h", "3-monthly", "每3个月1针", "早晚各1片". What is not certain is None."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from cds.plaintext import NUMBER, any_of, figures, plain


DAYS_IN = {
    **dict.fromkeys(("h", "hour", "hours", "hourly", "hr", "hrs", "小时"), 1 / 24),
    **dict.fromkeys(("d", "day", "days", "daily", "天", "日", "晚", "早", "晨"), 1.0),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks", "weekly", "周", "星期", "礼拜"), 7.0),
    **dict.fromkeys(("mo", "mos", "mth", "mths", "month", "months", "monthly", "月", "个月"), 30.0),
    **dict.fromkeys(("quarter", "季度"), 90.0),
    **dict.fromkeys(("a", "y", "yr", "yrs", "year", "years", "yearly", "年"), 365.0),
}
"""Days in each period; a month counts 30, as in the 30-day sum of injections."""

TIMES_PER_DAY = {
    **dict.fromkeys(("qd", "od", "daily", "everyday"), 1.0),
    **dict.fromkeys(("bid", "bd"), 2.0),
    **dict.fromkeys(("tid", "tds"), 3.0),
    **dict.fromkeys(("qid", "qds"), 4.0),
    **dict.fromkeys(("qod", "eod", "alternate days", "alternate day", "隔日", "隔天"), 1 / 2),
    "tiw": 3 / 7,
    "biw": 2 / 7,
    **dict.fromkeys(("qw", "qwk", "weekly"), 1 / 7),
    **dict.fromkeys(("fortnightly", "every fortnight", "隔周"), 1 / 14),
    **dict.fromkeys(("monthly", "qmo"), 1 / 30),
    "隔月": 1 / 60,
    "quarterly": 1 / 90,
    **dict.fromkeys(("yearly", "annually"), 1 / 365),
}
"""Administrations per day of words and abbreviations that say it by themselves."""

_LATIN = any_of(word for word in DAYS_IN if word.isascii() and word != "a")
_PERIOD = rf"(?:(?:{_LATIN})(?![a-z])|{any_of(word for word in DAYS_IN if not word.isascii())})"
_PER = r"(?:a|an|per|each|every|in|/)"
_BEGIN = r"(?<![a-z0-9])"

_DOUBTFUL = re.compile(r"(?<![a-z])(?:bi|semi) ?(?:weekly|monthly)(?![a-z])")
_NO_FREQUENCY = re.compile(rf"分 ?{NUMBER} ?次|(?<![a-z])except [a-z]+")
_DURATION = re.compile(
    rf"(?:{_BEGIN}for (?:the )?(?:first |next |another |a total of )?|(?<![0-9a-z])x ?|连[服用续打]*|疗程|持续|共)"
    rf"({NUMBER}|an?) ?({_PERIOD})"
)
_TIMES = re.compile(
    rf"(?:(?<![0-9a-z])x ?|{_BEGIN}for |共|连[用续打]*)({NUMBER})(?: (?:doses|times|injections)| ?[次针支])?(?! ?(?:/|per |a |x|[0-9]|[a-z]+g(?![a-z]))|[a-z])"
)


def _rate(times: str, number: str | None, period: str) -> float:
    days = float(number or 1) * DAYS_IN[period]
    return float(times) / days if days else math.nan


_RATES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], float]], ...] = tuple(
    (re.compile(pattern), rate)
    for pattern, rate in (
        (rf"{_BEGIN}every other ({_PERIOD})", lambda m: _rate("1", "2", m[1])),
        (rf"每隔1 ?个?({_PERIOD})(?: ?1次)?", lambda m: _rate("1", "2", m[1])),
        (rf"{_BEGIN}({any_of(w for w in TIMES_PER_DAY if ' ' in w)})(?![a-z])|(隔[日天周月])(?:1次)?", lambda m: TIMES_PER_DAY[m[1] or m[2]]),
        # "5 days a week"
        (rf"({NUMBER}) ?days? ?{_PER} ?(week|month)(?![a-z])|每(周|月)({NUMBER})[天日]", lambda m: _rate(m[1] or m[4], None, m[2] or m[3])),
        # "3 times a day", "2x daily", "x 3 per day", "2 times every 4 weeks"
        (rf"({NUMBER}) ?(?:times?|x|doses?) ?{_PER}? ?({NUMBER})? ?({_PERIOD})", lambda m: _rate(m[1], m[2], m[3])),
        (rf"x ?({NUMBER}) ?(?:a|per|/) ?({_PERIOD})", lambda m: _rate(m[1], None, m[2])),
        # "3 monthly" is every three months; "2 daily" may be two tablets or twice
        (rf"({NUMBER})[ -]?(hourly|weekly|monthly|yearly)(?![a-z])", lambda m: _rate("1", m[1], m[2])),
        (rf"(?<![x×] )({NUMBER}) ?(?:daily|(?:a|per|/) ?(?:{_PERIOD}))", lambda m: math.nan if float(m[1]) != 1 else _rate("1", None, _last_period(m[0]))),
        # "every 4 weeks", "q8h", "every 3rd day"
        (rf"{_BEGIN}(?:every|each|q) ?({NUMBER.replace('(?<![a-z0-9.])', '(?<![0-9.])')})?(?:nd|rd|th)?[ -]?(?:calendar )?({_PERIOD})", lambda m: _rate("1", m[1], m[2])),
        # "3次/日", "1次/3月", "每日3次", "一日3次", "每3个月1次"
        (rf"({NUMBER}) ?次 ?[/每] ?({NUMBER})? ?({_PERIOD})", lambda m: _rate(m[1], m[2], m[3])),
        (rf"(?:每隔?)? ?({NUMBER.replace('(?<![a-z0-9.])', '(?<![0-9.])')})? ?({_PERIOD}) ?[服用打]{{0,2}} ?({NUMBER.replace('(?<![a-z0-9.])', '(?<![0-9.])')}) ?次", lambda m: _rate(m[3], m[1], m[2])),
        # "每月1针", "1日1片"
        (rf"每隔?({NUMBER})? ?({_PERIOD})(?!(?<=[周期拜])[一二三四五六日天])|({NUMBER})({_PERIOD})[服用打注射肌]{{0,4}}(?={NUMBER}[片粒支针])", lambda m: _rate("1", m[1] or m[3], m[2] or m[4])),
        # "1000 mcg/day", "per 24 hours"
        (rf"(?:/ ?|{_BEGIN}(?:per|an?|in) )({NUMBER})? ?({_PERIOD})", lambda m: _rate("1", m[1], m[2])),
        (rf"{_BEGIN}({any_of(w for w in TIMES_PER_DAY if w.isascii())})(?![a-z])", lambda m: TIMES_PER_DAY[m[1]]),
    )
)  # fmt: skip


def _last_period(words: str) -> str:
    return next(word for word in sorted(DAYS_IN, key=len, reverse=True) if words.endswith(word))


_PARTS_OF_DAY = re.compile(
    r"(?P<morning>(?<![a-z])(?:morning|breakfast|q?am)(?![a-z])|早|晨)|(?P<noon>(?<![a-z])(?:noon|midday|lunch)(?![a-z])|中午|午餐|中(?=[、,和及]?晚))|"
    r"(?P<evening>(?<![a-z])(?:evening|dinner|supper|q?pm)(?![a-z])|晚(?!上?睡前))|"
    r"(?P<night>(?<![a-z])(?:nightly|night|bedtime|bed|q?hs|qn)(?![a-z])|睡前)|(?P<clock>(?<![0-9:])(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?![0-9:]))"
)  # fmt: skip
_WEEKDAYS = {day: place for place, days in enumerate(("mon一", "tue二", "wed三", "thu四", "fri五", "sat六", "sun日天")) for day in (days[:3], *days[3:])}  # fmt: skip
_WEEKDAY = re.compile(
    r"(?<![a-z])(mon|tue|wed|thu|fri|sat|sun)(?:s|rs|urs|nes|ur|day|sday|nesday|rsday|ursday|urday)?s?(?![a-z])|(?:周|星期|礼拜|(?<=[一二三四五六日、,和]、)|(?<=[一二三四五六][、,和]))([一二三四五六日天])(?![次日天周片支针粒])"
)
_SPAN = re.compile(r" ?(?:-|to|through|thru|至|到|~) ?")
_MEALS = re.compile(r"(?<![a-z])(?:(?:with|after|before|at) (?:each |every )?meals?|mealtimes?)(?![a-z])|三餐|3餐")
_EITHER = re.compile(r"(?<![a-z])or(?![a-z])|或")


def times_per_day(text: str) -> float | None:
    """Administrations per day, at most, if the text says one frequency; None if it says none, or two, or one of two meanings."""
    return rate_of(figures(plain(text)))


def rate_of(words: str) -> float | None:
    """As `times_per_day`, of words in figures. Parts of the day count where nothing else is said, and must not say more."""
    if _DOUBTFUL.search(words):
        return None
    words = _NO_FREQUENCY.sub(" ; ", _DURATION.sub(" ; ", words))
    rest, found = words, dict[float, float]()
    for pattern, rate in _RATES:
        matches = list(pattern.finditer(rest))
        for match in matches:
            found[round(rate(match), 6)] = rate(match)
        if matches:
            rest = pattern.sub(" ; ", rest)
    parts = len({match[0] if match.lastgroup == "clock" else match.lastgroup for match in _PARTS_OF_DAY.finditer(words)})
    days = _weekdays(words)
    if not found:
        if parts or days:
            return (parts or 1) * (days or 7) / 7
        return 3.0 if _MEALS.search(words) else None
    said = next(iter(found.values()))
    if len(found) > 1 or not said > 0:
        return None
    more = parts > max(said, 1) or (said < 1 and days / 7 > said + 0.02)
    return None if more and not _EITHER.search(words) else said


def _weekdays(words: str) -> int:
    """How many days of the week are named, from Monday to Friday five."""
    named: set[int] = set()
    before: tuple[int, int] | None = None
    for match in _WEEKDAY.finditer(words):
        day = _WEEKDAYS[match[1] or match[2]]
        if before is not None and _SPAN.fullmatch(words, before[1], match.start()):
            named |= {(before[0] + step) % 7 for step in range((day - before[0]) % 7)}
        named.add(day)
        before = (day, match.end())
    return len(named)


def duration_of(words: str, per_day: float) -> float | None:
    """Days that a phase lasts: "for 2 weeks", "x 7 days", "连用7天", or so many times at its frequency: "x4", "共4次"."""
    if match := _DURATION.search(words):
        return (1.0 if match[1] in ("a", "an") else float(match[1])) * DAYS_IN[match[2]]
    if match := _TIMES.search(words):
        return float(match[1]) / per_day
    return None
