"""Source attributes: which sources each rule rests on and which data about people it uses, read off the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import CodeType

from cds.chart import Patient
from cds.content import Library
from cds.leaves import Leaf


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something comes from: the references it rests on, and the latest day on which one of its numbers was checked."""

    cited: tuple[str, ...]
    revised: date


def stands_on(library: Library, rule: str) -> frozenset[str]:
    """Everything that decides whether and what a rule says: what it reads, and the scope that admits it."""
    graph = library.graph
    return graph.ancestors(rule) | graph.ancestors("scope") | {rule, "scope"}


def origin(library: Library, rules: Iterable[str]) -> Origin:
    """The origin of some rules together: what their words cite, then what their numbers cite."""
    cited: dict[str, None] = {}
    numbers: dict[str, None] = {}
    for rule in rules:
        signed, below = library.rules[rule], stands_on(library, rule)
        for cite in (*(advice.cite for advice in signed.advice.values()), *(note.cite for note in signed.notes.values())):
            cited |= dict.fromkeys(cite)
        numbers |= dict.fromkeys(name for name in library.parameters if name in below)
    parameters = [library.parameters[name] for name in numbers]
    for parameter in parameters:
        for dated in parameter.values.values():
            cited |= dict.fromkeys(dated.cite)
    return Origin(tuple(cited), max(parameter.checked_on for parameter in parameters))


def uses(library: Library, element: str, rules: Iterable[str]) -> tuple[str, ...]:
    """The facts and rules that read one kind of data about people, among everything that some rules stand on."""
    readers = _readers(library, element)
    below = frozenset().union(*(stands_on(library, rule) for rule in rules))
    return tuple(name for name in readers if name in below)


def _readers(library: Library, element: str) -> Iterator[str]:
    signed = library.attributes.elements[element]
    concepts = {name for name, leaf in library.sources.items() if isinstance(leaf, Leaf) and leaf.concept in signed.value_sets}
    for step in library.graph.steps:
        inputs = library.graph.inputs(step.name)
        if not concepts.isdisjoint(inputs) or (
            "patient" in inputs and not asked_of(step.function.__code__).isdisjoint(signed.patient)
        ):
            yield step.name


@cache
def asked_of(code: CodeType) -> frozenset[str]:
    """The attributes of a patient that a function names."""
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return frozenset(Patient.__struct_fields__).intersection(code.co_names).union(*map(asked_of, inner))
