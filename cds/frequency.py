"""How often, as people write it: "twice daily", "q8h", "3-monthly", "每3个月1针", "早晚各1片". What is not certain is None."""

from __future__ import annotations

import math
import re

from cds.plaintext import FIGURE, NUMBER, any_of, figures, plain


DAYS_IN = {
    **dict.fromkeys(("h", "hour", "hours", "hourly", "hr", "hrs", "小时"), 1 / 24),
    **dict.fromkeys(("d", "day", "days", "daily", "天", "日", "晚", "早", "晨"), 1.0),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks", "weekly", "周", "星期", "礼拜"), 7.0),
    **dict.fromkeys(("fortnight", "fortnights"), 14.0),
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
    **dict.fromkeys(("fortnightly", "隔周"), 1 / 14),
    **dict.fromkeys(("monthly", "qmo"), 1 / 30),
    "隔月": 1 / 60,
    "quarterly": 1 / 90,
    **dict.fromkeys(("yearly", "annually"), 1 / 365),
}
"""Administrations per day of words and abbreviations that say it by themselves."""

_LATIN = any_of(word for word in DAYS_IN if word.isascii() and word != "a")
_PERIOD = rf"(?:(?:{_LATIN})(?![a-z])|{any_of(word for word in DAYS_IN if not word.isascii())})"
_BEGIN = r"(?<![a-z0-9])"
_PER = r"(?:an?|per|each|every|in|/)"
_P, _TIMES, _EVERY = rf"(?P<period>{_PERIOD})", rf"(?P<times>{NUMBER})", rf"(?P<every>{NUMBER})"

_ENGLISH = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_BEGIN}(?P<other>every other) {_P}",
        rf"{_BEGIN}(?P<word>{any_of(word for word in TIMES_PER_DAY if ' ' in word)})(?![a-z])",
        rf"{_TIMES} ?days? ?{_PER} ?(?P<period>week|month)(?![a-z])",  # 5 days a week
        rf"{_TIMES} ?(?:times?|x|doses?) ?{_PER}? ?{_EVERY}? ?{_P}",  # 3 times a day, 2x daily, 2 times every 4 weeks
        rf"x ?{_TIMES} ?(?:a|per|/) ?{_P}",
        rf"{_EVERY}[ -]?(?P<period>hourly|weekly|monthly|yearly)(?![a-z])",  # 3-monthly is every three months
        rf"(?P<bare>{NUMBER}) ?(?:(?=daily)|(?:an?|per|/) ?){_P}",  # 2 daily may be two tablets or twice
        rf"{_BEGIN}(?:every|each|q) ?(?P<every>{FIGURE})?(?:nd|rd|th)?[ -]?{_P}",  # every 4 weeks, q8h, every 3rd day
        rf"(?:/ ?|{_BEGIN}(?:per|an?) ){_EVERY}? ?{_P}",  # 1000 mcg/day, per 24 hours
        rf"{_BEGIN}(?P<word>{any_of(word for word in TIMES_PER_DAY if word.isascii())})(?![a-z])",
    )
)
_CHINESE = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<other>每隔1) ?个?{_P}(?: ?1 ?次)?",
        r"(?P<word>隔[日天周月])(?: ?1 ?次)?",
        rf"每(?P<period>周|月){_TIMES}[天日]",
        rf"{_TIMES} ?次 ?[/每] ?{_EVERY}? ?{_P}",  # 3次/日, 1次/3月
        rf"(?:每隔?)? ?(?P<every>{FIGURE})? ?{_P} ?[服用打]{{0,2}} ?(?P<times>{FIGURE}) ?次",  # 每日3次, 每3个月1次
        rf"每隔?{_EVERY}? ?{_P}(?!(?<=[周期拜])[一二三四五六日天])",  # 每月1针
        rf"{_EVERY}{_P}[服用打注射肌]{{0,4}}(?= ?{NUMBER} ?(?:[片粒支针毫微]|mc?g|ug))",  # 3个月1针
    )
)

_DOUBTFUL = re.compile(r"(?<![a-z])(?:bi|semi) ?(?:weekly|monthly)(?![a-z])")
_NO_FREQUENCY = re.compile(rf"分 ?{NUMBER} ?次|(?<![a-z])except [a-z]+")
_DURATION = re.compile(
    rf"(?:{_BEGIN}for (?:the )?(?:first |next |another |a total of )?|{_BEGIN}x ?|连[服用续打]*|疗程|持续|共)"
    rf"({NUMBER}|an?) ?({_PERIOD})"
)
_COUNT = re.compile(
    rf"(?:{_BEGIN}x ?|{_BEGIN}for |共|连[用续打]*)({NUMBER})(?: (?:doses|times|injections)| ?[次针支])?"
    r"(?! ?(?:/|per |a |x|[0-9]|[a-z]+g(?![a-z])|[片粒颗枚丸])|[a-z])"
)


def _rate(match: re.Match[str]) -> float:
    """Times per day of a match; not a number where it has two meanings, or none ("every 0 days")."""
    said = match.groupdict()
    if said.get("word"):
        return TIMES_PER_DAY[said["word"]]
    days = (2 if said.get("other") else float(said.get("every") or 1)) * DAYS_IN[said["period"]]
    certain = days > 0 and float(said.get("bare") or 1) == 1
    return float(said.get("times") or 1) / days if certain else math.nan


_PARTS_OF_DAY = re.compile(
    r"(?P<morning>(?<![a-z])(?:morning|breakfast|mane|(?<!i )q?am)(?![a-z])|早|晨|上午)|"
    r"(?P<noon>(?<![a-z])(?:(?:after)?noon|midday|lunch)(?![a-z])|中午|午餐|下午|午后|中(?= ?[0-9]|[、,和及]?晚))|"
    r"(?P<evening>(?<![a-z])(?:evening|dinner|supper|tea ?time|q?pm)(?![a-z])|晚(?!上?睡前))|"
    r"(?P<night>(?<![a-z])(?:(?:mid)?night(?:ly)?|bedtime|(?:before|at|to) bed|nocte|q?hs|qn)(?![a-z])|睡前)|"
    r"(?P<clock>(?<![0-9:])(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?![0-9:]))"
)
_WEEKDAYS = {
    **{name: place for place, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
    **{name: place for place, name in enumerate("一二三四五六日")},
    "天": 6,
}
_WEEKDAY = re.compile(
    r"(?<![a-z])(mon|tue|wed|thu|fri|sat|sun)(?:s|rs|urs|nes|ur)?(?:days?)?(?![a-z])|"
    r"(?:周|星期|礼拜|(?<=[一二三四五六][、,和]))([一二三四五六日天])(?![次日天周片支针粒])"
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
    for pattern in _ENGLISH if words.isascii() else (*_CHINESE, *_ENGLISH):
        matches = list(pattern.finditer(rest))
        for rate in map(_rate, matches):
            found[round(rate, 6)] = rate
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


def changes(words: str) -> bool:
    """May the text speak of a phase that lasts for a time? Then it has to be taken apart."""
    return _DURATION.search(words) is not None or _COUNT.search(words) is not None


def duration_of(words: str, per_day: float) -> float | None:
    """Days that a phase lasts: "for 2 weeks", "x 7 days", "连用7天", or so many times at its frequency: "x4", "共4次"."""
    if match := _DURATION.search(words):
        return (1.0 if match[1] in ("a", "an") else float(match[1])) * DAYS_IN[match[2]]
    if match := _COUNT.search(words):
        return float(match[1]) / per_day
    return None
