"""The rulebook: every rule with its reason, words, facts, numbers and sources as plain data, for people who read and sign it."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Literal

from cds.advice import LOUDNESS, Urgency
from cds.content import Library
from cds.graph import Step
from cds.knowledge import Checked, Rule, SiteNumber
from cds.leaves import Given, Leaf
from cds.signed import LANGUAGES, InBoth, Language
from cds.wording import Wording, number


Kind = Literal["rule", "fact", "chart", "number"]

DOUBTFUL: tuple[Checked, ...] = ("unverified", "weak")
"""How numbers stand that need attention before anybody signs, the worst first."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a template: words as they stand, or with a `name` a number as it stands on the day, or a fact still to come."""

    text: str
    name: str | None = None


Pieces = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One part of an advice, or one note, in every language."""

    part: str
    said: Mapping[Language, Pieces]


@dataclass(frozen=True, slots=True)
class Branch:
    """One thing in the tree under a rule. `codes`: of a chart leaf, how many its value set has. `seen`: unfolded further up."""

    name: str
    kind: Kind
    means: str
    codes: int | None = None
    inputs: tuple[Branch, ...] = ()
    seen: bool = False


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A rule: the module it lives in, its reason, its paragraphs by advice and note, what it reads, and its tree."""

    name: str
    module: str
    reason: str
    signed: Rule
    advice: Mapping[str, tuple[Paragraph, ...]]
    notes: Mapping[str, Paragraph]
    reads: tuple[str, ...]
    numbers: tuple[str, ...]
    tree: Branch

    @property
    def loudness(self) -> tuple[Urgency, ...]:
        """How loud its advice may be, the loudest first."""
        return tuple(sorted({words.urgency for words in self.signed.advice.values()}, key=lambda urgency: LOUDNESS[urgency]))


@dataclass(frozen=True, slots=True)
class FactEntry:
    """A fact: what it means, what it needs, which of that may be unknown, and the words of its values where it has such."""

    name: str
    means: str
    inputs: tuple[str, ...]
    optional: frozenset[str]
    labels: Mapping[str, InBoth[str]]


@dataclass(frozen=True, slots=True)
class FactGroup:
    """The facts of one module, under what the module says it is about."""

    about: str
    facts: tuple[FactEntry, ...]


@dataclass(frozen=True, slots=True)
class NumberEntry:
    """A number as it stands on the day. `site`: what the hospital set instead of `shipped`. `other`: its values of other days."""

    name: str
    means: str
    value: str
    shipped: str
    since: date
    site: SiteNumber | None
    allowed: tuple[str, str] | None
    checked: Checked
    checked_on: date
    cited: tuple[str, ...]
    other: tuple[tuple[date, str], ...]
    read_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """The whole rulebook on one day, in the units of one language; every text that is signed in both is there in both."""

    day: date
    rules: tuple[RuleEntry, ...]
    facts: tuple[FactGroup, ...]
    numbers: Mapping[str, NumberEntry]

    def doubtful(self, names: Iterable[str]) -> tuple[NumberEntry, ...]:
        """Those of some numbers that nobody verified, or that were seen in a secondary source only; the worst first."""
        entries = [self.numbers[name] for name in names if self.numbers[name].checked in DOUBTFUL]
        return tuple(sorted(entries, key=lambda entry: DOUBTFUL.index(entry.checked)))


def book(library: Library, rules: Iterable[str], day: date, language: Language) -> Book:
    """The rulebook of some rules, in the order in which they are given."""
    wordings = {spoken: Wording(library, spoken) for spoken in LANGUAGES}
    return Book(
        day,
        tuple(_rule(library, name, day, wordings, language) for name in rules),
        tuple(_groups(library, language)),
        {name: _number(library, name, day, wordings[language]) for name in library.parameters},
    )


def _rule(library: Library, name: str, day: date, wordings: Mapping[Language, Wording], spoken: Language) -> RuleEntry:
    signed, graph = library.rules[name], library.graph
    below = graph.ancestors(name)

    def paragraph(part: str, texts: Mapping[Language, str]) -> Paragraph:
        said = {language: tuple(_pieces(library, text, day, wordings[language])) for language, text in texts.items()}
        return Paragraph(part, said)

    def parts(key: str) -> Iterator[Paragraph]:
        for part in ("summary", "finding", "rule", "limits"):
            texts = {language: getattr(signed.advice[key][language], part) for language in LANGUAGES}
            if any(texts.values()):
                yield paragraph(part, {language: text or "" for language, text in texts.items()})

    return RuleEntry(
        name,
        graph.step(name).function.__module__.rpartition(".")[2],
        library.docstring(name, spoken),
        signed,
        {key: tuple(parts(key)) for key in signed.advice},
        {key: paragraph(key, {language: note[language] for language in LANGUAGES}) for key, note in signed.notes.items()},
        tuple(source for source, leaf in library.sources.items() if isinstance(leaf, Leaf) and source in below),
        tuple(number for number in library.parameters if number in below),
        _branch(library, name, spoken, set()),
    )


def _pieces(library: Library, template: str, day: date, wording: Wording) -> Iterator[Piece]:
    for text, name, _, _ in string.Formatter().parse(template):
        if text:
            yield Piece(text)
        if name is not None:
            yield Piece(wording.parameter(name, day) if name in library.parameters else name, name)


def _branch(library: Library, name: str, language: Language, seen: set[str]) -> Branch:
    """The tree under a name. Every fact is unfolded once, at its first mention."""
    if name in library.parameters:
        return Branch(name, "number", library.parameters[name].meaning(language))
    source = library.sources.get(name)
    if isinstance(source, Leaf):
        return Branch(name, "chart", library.title(source.concept, language), len(library.value_sets[source.concept].codes))
    if isinstance(source, Given):
        return Branch(name, "chart", library.words[language].given[name])
    kind: Kind = "rule" if name in library.rules else "fact"
    means = library.meaning(name, language)
    if name in seen:
        return Branch(name, kind, means, seen=True)
    seen.add(name)
    below = tuple(_branch(library, needed, language, seen) for needed in library.graph.inputs(name))
    return Branch(name, kind, means, inputs=below)


def _groups(library: Library, language: Language) -> Iterator[FactGroup]:
    """The facts by module, in the order of the modules' names."""
    facts = [step for step in library.graph.steps if step.name not in library.rules]
    for module, steps in groupby(sorted(facts, key=lambda step: step.function.__module__), lambda step: step.function.__module__):
        yield FactGroup(library.about(module, language), tuple(_fact(library, step, language) for step in steps))


def _fact(library: Library, step: Step, language: Language) -> FactEntry:
    inputs = library.graph.inputs(step.name)
    optional = frozenset(inputs) - frozenset(library.graph.required(step.name))
    return FactEntry(step.name, library.docstring(step.name, language), inputs, optional, library.labels.get(step.name, {}))


def _number(library: Library, name: str, day: date, wording: Wording) -> NumberEntry:
    parameter = library.parameters[name]
    begun = [start for start in parameter.values if start <= day]
    since = max(begun) if begun else min(parameter.values)

    def said(value: float) -> str:
        return wording.amount(value, parameter.unit)

    allowed = parameter.sites_may_set
    return NumberEntry(
        name,
        parameter.meaning(wording.language),
        said(library.number(name, day)),
        said(parameter.values[since].value),
        since,
        library.site.parameters.get(name) if library.site is not None else None,
        (number(allowed[0]), said(allowed[1])) if allowed is not None else None,
        parameter.checked,
        parameter.checked_on,
        parameter.values[since].cite,
        tuple((start, said(value.value)) for start, value in parameter.values.items() if start != since),
        tuple(step.name for step in library.graph.steps if name in library.graph.inputs(step.name)),
    )
