"""Values in words: what a template's placeholders become on a card."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from typing import Any

from cds.chart import Finding, Measurement, Medicine, NoResult, Record
from cds.content import Library
from cds.facts.doses import Dose
from cds.facts.followup import FollowUpItem
from cds.signed import Language
from cds.sums import Intake


MARKS = {"unverified": "†", "weak": "‡"}
"""Signs behind a number that nobody verified, or that was seen in a secondary source only."""

_MARKDOWN = re.compile(r"([\\`*_\[\]#|~!<>&])")
_LONGEST_NAME = 80
_LONGEST_READ = 4 * _LONGEST_NAME
_CHINESE_FROM = "\u2e80"
"""From here on letters are Chinese, and punctuation is as wide as they are."""
_WHOLE_FROM = 100
"""Sums from here on are printed without decimals: they are no more exact than what they were added up from."""


@cache
def placeholders(template: str) -> frozenset[str]:
    """The names a template wants filled in. Raises ValueError for a placeholder that is not a plain name."""
    names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    if any(not name.isidentifier() for name in names):
        raise ValueError(f"a placeholder is a plain {{name}}, not {sorted(names)}")
    return frozenset(names)


class Wording:
    """Puts values and templates into the words of one library, in one language."""

    def __init__(self, library: Library, language: Language = "en") -> None:
        """`library`: its words, titles and numbers."""
        self._library = library
        self.language: Language = language
        self.words = library.words[language]
        sets = library.value_sets.items()
        self._qualifiers = {name: value_set.qualifier[language] for name, value_set in sets if value_set.qualifier}
        self._settled = lru_cache(maxsize=4096)(self._settle)
        self._dose = lru_cache(maxsize=1024)(self._dose_in_words)
        self._result = lru_cache(maxsize=4096)(self._result_in_words)

    def fill(self, template: str, value_of: Callable[[str], Any], day: date) -> str:
        """The template with every placeholder put in words."""
        text, facts = self._settled(template, day)
        return text.format_map({name: self.say(name, value_of(name)) for name in facts}) if facts else text

    def _settle(self, template: str, day: date) -> tuple[str, tuple[str, ...]]:
        """The template with its numbers in words, as they stand all day; and the facts that are still to be filled in."""
        names = placeholders(template)
        facts = tuple(names - self._library.parameters.keys())
        return template.format_map({n: f"{{{n}}}" if n in facts else self.parameter(n, day) for n in names}), facts

    def parameter(self, name: str, day: date) -> str:
        """A parameter as it stands on a day, with its unit and, where it was not verified, its mark."""
        parameter = self._library.parameters[name]
        return self.amount(self._library.number(name, day), parameter.unit) + MARKS.get(parameter.checked, "")

    def say(self, name: str, value: Any) -> str:
        """The value of a fact."""
        words = self.words
        match value:
            case str():
                return self._library.labels[name][value][self.language]
            case (FollowUpItem(), *_):
                return "\n\n" + "\n".join(f"- {self.follow_up(item)}" for item in value)
            case tuple():
                return words.joined.join(dict.fromkeys(map(self._item, value))) or words.nothing
            case None:
                return words.unknown
            case NoResult():
                return words.no_result
            case Measurement():
                return self.measurement(value)
            case Dose():
                return self._dose(name, value)
            case Intake():
                return self.intake(value)
            case bool():
                return words.yes if value else words.no
        return number(value)

    def _dose_in_words(self, name: str, dose: Dose) -> str:
        """A dose range, with what to prefer of it; `name`: the fact it is, whose numbers may be unverified."""
        same = dose.low == dose.high
        spread = number(dose.high) if same else self.words.range.format(low=number(dose.low), high=number(dose.high))
        said = spaced(spread + self._least_checked(name), self.unit(dose.unit))
        return said if same else self.aside(said, self.words.preferred.format(dose=number(dose.preferred)))

    def _least_checked(self, fact: str) -> str:
        """The mark of the least checked of the numbers that a dose is made of."""
        library = self._library
        checks = {library.parameters[name].checked for name in library.graph.inputs(fact) if name in library.parameters}
        return next((mark for check, mark in MARKS.items() if check in checks), "")

    def _item(self, item: Any) -> str:
        if isinstance(item, Medicine):
            return escaped(item.name)
        if isinstance(item, Measurement):
            return spaced(self.title(item.concept), self.measurement(item))
        if isinstance(item, Record):
            return self.title(item.concept) if item.day is None else self.aside(self.title(item.concept), str(item.day))
        return self.title(item)

    def title(self, concept: str) -> str:
        """The title of a value set."""
        return self._library.title(concept, self.language)

    def aside(self, said: str, aside: str) -> str:
        """Something with an aside in brackets."""
        opening, closing = self.words.brackets
        return f"{said}{opening}{aside}{closing}"

    def measurement(self, value: Measurement, converted: bool = False) -> str:
        """The result as the laboratory reported it, its unit in words where it is a UCUM code, with its qualifier and day.

        converted: also in the unit of the thresholds, where the laboratory reports in another.
        """
        said, beside = self._result(value.concept, value.reported, value.value.bound, value.scale if converted else "")
        if value.day is not None:
            beside = (*beside, str(value.day))
        return self.aside(said, self.words.beside.join(beside)) if beside else said

    def _result_in_words(self, concept: str, reported: str, bound: float, scale: str) -> tuple[str, tuple[str, ...]]:
        """A result without its day, and what is said beside it: itself in another `scale`, and its qualifier."""
        value, _, code = reported.partition(" ")
        conversion = self._conversion(value, bound, scale) if scale not in ("", code) else ""
        return spaced(value, self.unit(code)), tuple(filter(None, (conversion, self._qualifiers.get(concept))))

    def _conversion(self, reported: str, bound: float, scale: str) -> str:
        """The value as the thresholds are written; empty where only the spelling of the unit differs."""
        sign = reported[: len(reported) - len(reported.lstrip("<>="))]
        same = reported[len(sign) :] == number(bound)
        return "" if same else f"= {sign}{self.amount(float(f'{bound:.4g}'), scale)}"

    def intake(self, value: Intake) -> str:
        """The sum, or what of it could be read."""
        known = self.amount(round(value.at_least) if value.at_least >= _WHOLE_FROM else value.at_least, value.unit)
        return known if value.ug is not None else self.words.at_least.format(dose=known)

    def follow_up(self, item: FollowUpItem) -> str:
        """An item of the follow-up in one line: its last entry and how it stands."""
        labels, last = self._library.labels, item.last
        name, state = labels["follow_up_item"][item.name][self.language], labels["follow_up_state"][item.state][self.language]
        if last is None:
            return f"{name}{self.words.colon}{state}"
        if isinstance(last, Measurement) and self.title(last.concept) == name:
            said = self.measurement(last)
        elif isinstance(last, Finding) and last.positive is not None:
            said = self.aside(self.words.yes if last.positive else self.words.no, str(last.day or self.words.undated))
        else:
            said = self._item(last)
        return f"{name}{self.words.colon}{said}{self.words.listed}{state}"

    def amount(self, value: float, unit: str) -> str:
        """A number with its unit in words."""
        return spaced(number(value), self.unit(unit))

    def unit(self, code: str) -> str:
        """A UCUM unit in words, or as it is printed."""
        return self.words.units.get(code, code)


def number(value: float) -> str:
    """A number as people write it: 1,000 and not 1000.0; no more digits than it has."""
    return f"{value:,.10g}"


def spaced(left: str, right: str) -> str:
    """Two things beside each other, with a space between them where neither ends in Chinese."""
    return f"{left} {right}" if left[-1:] < _CHINESE_FROM and "" < right < _CHINESE_FROM else left + right


def escaped(text: str) -> str:
    """Text from a request made harmless: one line, no Markdown, no HTML, not endless."""
    return _escaped(text if len(text) <= _LONGEST_READ else f"{text[:_LONGEST_READ]}…")


def one_line(text: str) -> str:
    """Text from a request where plain text is shown: one line, not endless."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:_LONGEST_READ]).split())
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"


@lru_cache(maxsize=1024)
def _escaped(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line.replace("://", ": //").replace("www.", "www .").replace("@", "(at)")  # GFM links bare addresses
    if len(line) > _LONGEST_NAME:
        line = line[: _LONGEST_NAME - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", line).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")
