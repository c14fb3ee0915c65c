"""Text made ready for matching, and numbers made ready for counting: "１,０００ µg", "two", "半片", "1-2" as figures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


LONGEST = 1000
"""Characters. Nobody writes a longer dosage, and what is longer is not read for one."""

FIGURE = r"(?<![0-9.])(?<![0-9],)[0-9]{1,9}(?:\.[0-9]{1,9})?(?![0-9.,]*[0-9])"
"""A whole number or decimal. The end of another number, ".5" or "1,0000" is none: it would be a tenth or the tenfold."""

NUMBER = rf"(?<![a-z]){FIGURE}"
"""A figure that is no part of a name, as the 12 of B12 is."""

_VULGAR = str.maketrans({"¼": ".25", "½": ".5", "¾": ".75"})
_MIXED = re.compile(r"(?<=\d) +(?=[¼½¾])")
_BARE_VULGAR = re.compile(r"(?<!\d)(?=[¼½¾])")
_THOUSANDS = re.compile(r"(?<=\d)(?<!(?<!\d)0),(?=\d{3}(?!\d))")
_DOTTED = re.compile(r"\b[a-z](?:\.[a-z])+\b\.?")


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of these words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def plain(text: str) -> str:
    """Text ready for matching: NFKC, lower case, mu as u, no thousands commas, "b.i.d." as "bid", single blanks.

    Nothing at all of a text that is longer than anybody writes: its end may say the opposite of its beginning.
    """
    if len(text) > LONGEST:
        return ""
    if not text.isascii():
        if "½" in text or "¼" in text or "¾" in text:
            text = _BARE_VULGAR.sub(" 0", _MIXED.sub("", text)).translate(_VULGAR)
        text = unicodedata.normalize("NFKC", text).replace("μ", "u")
        if len(text) > 2 * LONGEST:
            return ""
    text = text.lower()
    if "," in text:
        text = _THOUSANDS.sub("", text)
    if "." in text:
        text = _DOTTED.sub(lambda m: m[0].replace(".", ""), text)
    return " ".join(text.split())


_EN = {
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
}
_EN |= {"eleven": "11", "twelve": "12", "fourteen": "14", "twenty": "20", "thirty": "30", "ninety": "90"}
_EN |= {"first": "1", "second": "2", "third": "3", "fourth": "4"}
_ZH = {**{name: figure for figure, name in enumerate("一二三四五六七八九", start=1)}, "两": 2}
_ZH_NUMBER = rf"(?:[{''.join(_ZH)}]?十[{''.join(_ZH)}]?|[{''.join(_ZH)}])"
_ZH_COUNTED = "[片粒颗枚丸支针瓶次日天周月年个毫微克小星礼喷半]"
_MASS_AHEAD = r"(?=[0-9][0-9.]* ?(?:m|mc|u)?g(?![a-z]))"

_WEEKDAY = "mon|tue|wed|thu|fri|sat|sun"
_STEPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), written)
    for pattern, written in (
        (r"[‐-―−]|(?<=\d) ?(?:～|~|至|到|或) ?(?=\d)", "-"),
        (rf"(?<=day|mon|tue|wed|thu|fri|sat|sun)-(?={_WEEKDAY})", " to "),
        (r"(?<=[a-z])-(?=[a-z])", " "),
        (r" ?[×✕✖] ?|(?<=[mcu]g) ?x ?(?=\d)|(?<![a-z])x(?=\d)", " x "),
        (r"(?<!\d)(\d{1,6}) \(\1\)", r"\1"),
        # "0,5 mg" of half the world; "1 000" of the other half, but "2 500 mcg" may be two of 500
        (r"(?<![\d.,])(\d{1,3}),(\d{1,2})(?= ?(?:mg|mcg|ug|g|ml|毫|微))", r"\1.\2"),
        (r"(?<![\d.,a-z])0,(?=\d{3} ?(?:mg|mcg|ug|g|ml|毫|微))", "0."),
        (r"(?<![\d.,a-z-])([1-9]\d{0,2}) 000(?![\d.,])", r"\g<1>000"),
        # halves and quarters
        (r"(?<![\d./])([0-9]{1,2})(?: and a half|[ -](?:and )?1[/⁄]2)(?![\d/])", r"\1.5"),
        (r"(?<![\d./])1[/⁄]2(?![\d/])|(?<![a-z0-9])(?:1 )?half(?: of)?(?: an?)?(?![a-z])", "0.5"),
        (r"(?<![\d./])1[/⁄]4(?![\d/])", "0.25"),
        (r"(?<![\d./])3[/⁄]4(?![\d/])", "0.75"),
        (r"(?<![\d.])([0-9]{1,2})([片粒支])半", r"\1.5\2"),
        (r"半(?=[片粒支颗年个日天])", "0.5"),
        (r"(?<![a-z])once(?![a-z])", "1 time"),
        (r"(?<![a-z])twice(?![a-z])", "2 times"),
        (r"(?<![a-z])thrice(?![a-z])", "3 times"),
    )
)
_EN_NUMBER = re.compile(rf"(?<![a-z])({any_of(_EN)})(?![a-z])(?: ({_MASS_AHEAD}))?")
_ZH_FIGURE = re.compile(
    rf"(?<![第十])({_ZH_NUMBER})(?={_ZH_COUNTED})|(?<![第十周期拜])({_ZH_NUMBER})(?= ?[至到或~-] ?{_ZH_NUMBER})"
)
_BY_PART_OF_DAY = re.compile(r"(?<![0-9.,/-])([0-9](?:\.5)?(?:-[0-9](?:\.5)?){2,3})(?![0-9.,/-])((?: ?(?:[a-z]{1,10}|[片粒]))?)")
_UNIT_WORD = "[a-z]{1,10}|[片粒支针毫微克升]{1,2}"
_VALUE = r"[0-9]{1,6}(?:\.[0-9]{1,4})?"
_RANGE = rf"({_VALUE})(?: ?({_UNIT_WORD}))? ?(?:-|to|or) ?({_VALUE})(?![0-9.,/-])"
_EVERY_RANGE = re.compile(rf"((?<![a-z])(?:every|each|q)|每隔?) ?{_RANGE}")
_ANY_RANGE = re.compile(rf"(?<![a-z0-9.,/-]){_RANGE}(?: ?({_UNIT_WORD}))?")


def figures(words: str) -> str:
    """Plain text with its numbers in figures, and each range at the end that gives more: "1-2 tablets", "every 4-6 hours".

    The higher dose and the shorter interval overstate an intake and hide none.
    """
    words = _EN_NUMBER.sub(lambda m: _EN[m[1]] if m[2] is None else f"{_EN[m[1]]} x ", words)
    if not words.isascii():
        words = _ZH_FIGURE.sub(lambda m: str(_zh_value(m[1] or m[2])), words)
    for pattern, written in _STEPS:
        words = pattern.sub(written, words)
    words = _BY_PART_OF_DAY.sub(_scheme, words)
    words = _EVERY_RANGE.sub(lambda m: f"{m[1]} {min(m[2], m[4], key=float)}" if m[3] is None else m[0], words)
    return _ANY_RANGE.sub(_upper_end, words)


def _scheme(match: re.Match[str]) -> str:
    """Doses of morning, noon and night, as the largest and how often it makes the sum: "2-0-1" is 2, 1.5 times a day."""
    doses = [float(dose) for dose in match[1].split("-")]
    most = max(doses)
    return f"{most:g}{match[2]} ; {sum(doses) / most:.6g} times a day " if most else match[0]


def _upper_end(match: re.Match[str]) -> str:
    """Two numbers of one unit are a range; "500 mcg or 1 mg" and "500 mcg or 1000 mcg" name two doses."""
    low, unit, high, unit_after = match.groups()
    if unit is not None and (unit != unit_after or " or " in match[0]):
        return match[0]
    return max(low, high, key=float) + match[0][match.end(3) - match.start() :]


def _zh_value(numeral: str) -> int:
    tens, ten, ones = numeral.rpartition("十")
    return (_ZH[tens] if tens else 1) * 10 * bool(ten) + (_ZH[ones] if ones else 0)
