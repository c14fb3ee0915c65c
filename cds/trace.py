"""Why, and why not: the way from an advice down to records and signed numbers, read off the graph and not written by any rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Literal

from msgspec import Struct

from cds.chart import Measurement, Medicine, NoResult, Patient, Record
from cds.decide import Decision
from cds.facts.followup import FollowUpItem
from cds.knowledge import StandingWords
from cds.leaves import Given, Leaf
from cds.signed import Language
from cds.sums import Intake
from cds.wording import Wording


_STANDING = {"seen": "source seen", "weak": "WEAK SOURCE", "unverified": "UNVERIFIED", "design": "our design"}
"""How a number stands. One that nobody verified is not to be overlooked."""


@dataclass(frozen=True)
class Node:
    """One fact with its value, what kind of thing it is, what it means, where it comes from, and what it stands on.

    `nothing`: it was looked for and not found. `seen`: its own tree was already shown above.
    """

    name: str
    kind: Literal["rule", "fact", "chart", "number"]
    means: str
    value: str
    source: tuple[str, ...]
    nothing: bool = False
    inputs: tuple[Node, ...] = ()
    seen: bool = False


@dataclass(frozen=True)
class Silence:
    """Why a rule said nothing: it is not for this scope, it was stopped by something unknown, or its condition did not hold."""

    rule: str
    title: str
    reason: Literal["scope", "stopped", "condition", "failed"]
    inputs: tuple[Node, ...]


def why(decision: Decision, name: str, language: Language = "en") -> Node:
    """The tree under a rule or fact. Every fact is unfolded once, at its first mention."""
    return _node(decision, name, language, set())


def why_not(decision: Decision, language: Language = "en") -> Iterator[Silence]:
    """Every rule of the library that did not speak, and what it looked at."""
    spoken = {said.rule for said in (*decision.statements, *decision.held_back, *decision.silent)}
    graph = decision.library.graph
    for rule, signed in decision.library.rules.items():
        if rule in spoken:
            continue
        title, inputs = signed.title[language], tuple(_shallow(decision, name, language) for name in graph.inputs(rule))
        if rule not in decision.admitted:
            yield Silence(rule, title, "scope", (_shallow(decision, "scope", language),))
        elif rule in decision.failures:
            yield Silence(rule, title, "failed", inputs)
        elif any(decision[needed] is None for needed in graph.required(rule)):
            missing = [name for name in graph.required(rule) if decision[name] is None]
            yield Silence(rule, title, "stopped", tuple(_node(decision, name, language, set()) for name in missing))
        else:
            yield Silence(rule, title, "condition", inputs)


def _node(decision: Decision, name: str, language: Language, seen: set[str]) -> Node:
    node = _shallow(decision, name, language)
    inputs = decision.library.graph.inputs(name)
    if name in seen and inputs:
        return replace(node, seen=True)
    seen.add(name)
    return replace(node, inputs=tuple(_node(decision, needed, language, seen) for needed in inputs))


def _shallow(decision: Decision, name: str, language: Language) -> Node:
    library, value = decision.library, decision[name]
    words = library.words[language]
    said = show(value, words)
    nothing = said in (words.nothing, words.no, words.no_result)
    if name in library.parameters:
        parameter, day = library.parameters[name], decision.chart.today
        site = library.site.parameters.get(name) if library.site else None
        dated = parameter.on(day)
        start = max([d for d in parameter.values if d <= day], default=min(parameter.values))
        cited = tuple(library.references[key][language].label for key in dated.cite)
        origin = (f"set by the site: {site.reason}",) if site is not None else (f"since {start}", *cited)
        standing = f"{_STANDING[parameter.checked]}, last checked {parameter.checked_on}"
        amount = Wording(library, language).amount(float(value), parameter.unit)
        return Node(name, "number", parameter.meaning(language), amount, (*origin, standing))
    source = library.sources.get(name)
    if isinstance(source, Leaf):
        state = decision.chart.retrieved[source.query]
        why = words.queries[source.query] + words.colon + words.retrieval.get(state, words.shown["left_open"])
        said = said if value is not None else words.unknown + why.join(words.brackets)
        references = tuple(record.reference for record in value or ())
        return Node(name, "chart", library.title(source.concept, language), said, references, nothing)
    if isinstance(source, Given):
        return Node(name, "chart", words.given[name], said, (), nothing)
    kind: Literal["rule", "fact"] = "rule" if name in library.rules else "fact"
    return Node(name, kind, library.meaning(name, language), said, (), nothing)


def is_barren(node: Node) -> bool:
    """Looked for and not found, in itself and in everything under it."""
    if not node.nothing:
        return False
    return all(child.kind == "number" or child.name in ("patient", "today") or is_barren(child) for child in node.inputs)


def show(value: Any, words: StandingWords) -> str:
    """A value in one line, for people who read traces."""
    match value:
        case None | "unknown":
            return words.unknown
        case NoResult():
            return words.no_result
        case "none":
            return words.nothing
        case Measurement():
            return value.reported + str(value.day or words.shown["undated"]).join(words.brackets)
        case Intake():
            products = ((product.medicine.name, show(product.ug, words)) for product in value.products)
            return " + ".join(map(words.colon.join, products)) or words.nothing
        case FollowUpItem():
            return f"{value.name} {value.state}"
        case Medicine():
            since = words.shown["since" if value.day else "since_unknown"].format(day=value.day)
            ended = () if value.current else (words.shown["not_current"],)
            return value.name + words.beside.join((since, *ended)).join(words.brackets)
        case Record():
            return (value.name or value.concept) + str(value.day or words.shown["undated"]).join(words.brackets)
        case Patient():
            born = words.shown["born" if value.birth else "born_unknown"].format(birth=value.birth)
            died = (words.shown["deceased"],) if value.deceased else ()
            gender = words.shown.get(f"gender_{value.gender or 'unknown'}", str(value.gender))
            return words.beside.join((gender, born, *died))
        case date():
            return value.isoformat()
        case bool():
            return words.yes if value else words.no
        case float() | int():
            return f"{value:,.10g}"
        case tuple():
            return words.joined.join(show(part, words) for part in value) or words.nothing
        case dict():
            return ", ".join(f"{name} {show(part, words)}" for name, part in value.items())
        case str():
            return value
    names = value.__struct_fields__ if isinstance(value, Struct) else [field.name for field in fields(value)]
    parts = ((name, getattr(value, name)) for name in names)
    return ", ".join(f"{name} {show(part, words)}" for name, part in parts if part not in ((), None)) or words.nothing
