"""Why, and why not: the way from an advice down to records and signed numbers, read off the graph and not written by any rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal

from msgspec import Struct

from cds.chart import Measurement, Medicine, NoResult, Patient, Record
from cds.decide import Decision
from cds.facts.followup import FollowUpItem
from cds.leaves import Given, Leaf
from cds.signed import Language
from cds.sums import Intake
from cds.wording import Wording


_STANDING = {"seen": "source seen", "weak": "WEAK SOURCE", "unverified": "UNVERIFIED", "design": "our design"}
"""How a number stands. One that nobody verified is not to be overlooked."""


@dataclass(frozen=True)
class Node:
    """One fact with its value, what kind of thing it is, what it means, where it comes from, and what it stands on.

    `seen`: its own tree was already shown above.
    """

    name: str
    kind: Literal["rule", "fact", "chart", "number"]
    means: str
    value: str
    source: tuple[str, ...]
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
        return Node(node.name, node.kind, node.means, node.value, node.source, seen=True)
    seen.add(name)
    below = tuple(_node(decision, needed, language, seen) for needed in inputs)
    return Node(node.name, node.kind, node.means, node.value, node.source, below)


def _shallow(decision: Decision, name: str, language: Language) -> Node:
    library, value = decision.library, decision[name]
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
        why = "on record in a way that leaves it open" if state == "retrieved" else f"{source.query} {state}"
        said = show(value) if value is not None else f"unknown: {why}"
        references = tuple(record.reference for record in value or ())
        return Node(name, "chart", library.title(source.concept, language), said, references)
    if isinstance(source, Given):
        return Node(name, "chart", library.words[language].given[name], show(value), ())
    kind: Literal["rule", "fact"] = "rule" if name in library.rules else "fact"
    return Node(name, kind, library.meaning(name, language), show(value), ())


def is_barren(node: Node) -> bool:
    """Looked for and not found, in itself and in everything under it."""
    if node.kind == "number" or node.value not in ("none", "no", "no result"):
        return False
    return all(child.kind == "number" or child.name in ("patient", "today") or is_barren(child) for child in node.inputs)


def show(value: Any) -> str:
    """A value in one line, for people who read traces."""
    match value:
        case None:
            return "unknown"
        case NoResult():
            return "no result"
        case Measurement():
            return f"{value.reported} ({value.day or 'undated'})"
        case Intake():
            return " + ".join(f"{product.medicine.name}: {show(product.ug)}" for product in value.products) or "none"
        case FollowUpItem():
            return f"{value.name} {value.state}"
        case Medicine():
            return f"{value.name} (since {value.day or 'unknown'}{'' if value.current else ', not current'})"
        case Record():
            return f"{value.name or value.concept} ({value.day or 'undated'})"
        case Patient():
            return f"{value.gender or 'gender unknown'}, born {value.birth or 'unknown'}{', deceased' if value.deceased else ''}"
        case date():
            return value.isoformat()
        case bool():
            return "yes" if value else "no"
        case float() | int():
            return f"{value:,.10g}"
        case tuple():
            return "; ".join(map(show, value)) or "none"
        case dict():
            return ", ".join(f"{name} {show(part)}" for name, part in value.items())
        case str():
            return value
    names = value.__struct_fields__ if isinstance(value, Struct) else [field.name for field in fields(value)]
    parts = ((name, getattr(value, name)) for name in names)
    return ", ".join(f"{name} {show(part)}" for name, part in parts if part not in ((), None))
