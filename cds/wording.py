"""Values in words: what a template's placeholders become on a card."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from typing import Any

from cds.chart import Measurement, Medicine, NoResult, Record
from cds.content import Library
from cds.facts.doses import Dose
from cds.facts.intake import Intake


MARKS = {"unverified": "†", "weak": "‡"}
"""Signs behind a number that nobody verified, or that was seen in a secondary source only."""

_MARKDOWN = re.compile(r"([\\`*_\[\]#|~!<>&])")
_LONGEST_NAME = 80
_LONGEST_READ = 4 * _LONGEST_NAME
_WHOLE_FROM = 100
"""Sums from here on are printed without decimals: they are no more exact than what they were added up from."""


@cache
def placeholders(template: str) -> frozenset[str]:
    """The names a template wants filled in. Raises ValueError for a placeholder that is not a plain name."""
    names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    if any(not name.isidentifier() for name in names):
        raise ValueError(f"a placeholder is a plain {{name}}, not {sorted(names)}")
    return frozenset(names)


def fill(template: str, value_of: Callable[[str], Any], library: Library, day: date) -> str:
    """The template with every placeholder put in words."""
    return template.format_map({name: say(name, value_of(name), library, day) for name in placeholders(template)})


def say(name: str, value: Any, library: Library, day: date) -> str:
    """One value in words; a parameter with its unit and, where it was not verified, its mark."""
    if name in library.parameters:
        parameter = library.parameters[name]
        return f"{amount(library.number(name, day), parameter.unit, library)}{MARKS.get(parameter.checked, '')}"
    match value:
        case None:
            return library.words.unknown
        case NoResult():
            return library.words.no_result
        case Measurement():
            return measurement(value, library)
        case Dose():
            same = value.low == value.high
            spread = number(value.preferred) if same else f"{number(value.low)}-{number(value.high)}"
            spread += _mark_of_dose(name, library)
            return f"{spread} {unit(value.unit, library)}" + ("" if same else f" ({number(value.preferred)} preferred)")
        case Intake():
            return intake(value, library)
        case tuple():
            return "; ".join(dict.fromkeys(_item(item, library) for item in value)) or library.words.nothing
        case str():
            return library.labels[name][value]
        case bool():
            return library.words.yes if value else library.words.no
    return number(value)


def _mark_of_dose(fact: str, library: Library) -> str:
    """The mark of the least checked of the numbers that a dose is made of."""
    checks = {library.parameters[name].checked for name in library.graph.inputs(fact) if name in library.parameters}
    return next((mark for check, mark in MARKS.items() if check in checks), "")


def _item(item: Any, library: Library) -> str:
    if isinstance(item, Medicine):
        return escaped(item.name)
    if isinstance(item, Measurement):
        return f"{library.title(item.concept)} {measurement(item, library)}"
    if isinstance(item, Record):
        return library.title(item.concept) + (f" ({item.day})" if item.day is not None else "")
    return library.title(item)


def measurement(value: Measurement, library: Library) -> str:
    """The result as the laboratory reported it, its unit in words where it is a UCUM code, with its qualifier and day."""
    reported, _, code = value.reported.partition(" ")
    said = f"{reported} {unit(code, library)}".strip()
    qualifier = library.value_sets[value.concept].qualifier.get("en")
    aside = ", ".join(str(part) for part in (qualifier, value.day) if part is not None)
    return f"{said} ({aside})" if aside else said


def intake(value: Intake, library: Library) -> str:
    """The sum, or what of it could be read."""
    known = amount(round(value.at_least) if value.at_least >= _WHOLE_FROM else value.at_least, value.unit, library)
    return known if value.ug is not None else f"{library.words.at_least} {known}"


def amount(value: float, unit_code: str, library: Library) -> str:
    """A number with its unit in words."""
    return f"{number(value)} {unit(unit_code, library)}".strip()


def number(value: float) -> str:
    """A number as people write it: 1,000 and not 1000.0; no more digits than it has."""
    return f"{value:,.10g}"


def unit(code: str, library: Library) -> str:
    """A UCUM unit in words, or as it is printed."""
    return library.words.units.get(code, code)


def escaped(text: str) -> str:
    """Text from a request made harmless: one line, no Markdown, no HTML, not endless."""
    return _escaped(text if len(text) <= _LONGEST_READ else f"{text[:_LONGEST_READ]}…")


@lru_cache(maxsize=1024)
def _escaped(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line.replace("://", ": //").replace("www.", "www .").replace("@", "(at)")  # GFM links bare addresses
    if len(line) > _LONGEST_NAME:
        line = line[: _LONGEST_NAME - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", line).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")
