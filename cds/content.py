"""All signed knowledge of a running service in one value, and the tables derived from it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from cds.concepts import Code, ValueSet
from cds.graph import Graph
from cds.knowledge import MAX_CARDS, Docstrings, Parameter, Reference, Rule, SitePolicy, SourceAttributes, StandingWords
from cds.leaves import Given, Leaf
from cds.signed import InBoth, Language
from cds.terms import Terms
from cds.units import Unit, UnitTable


@dataclass(frozen=True)
class Library:
    """Everything signed, checked against everything coded. `cds.library.load` builds it."""

    graph: Graph
    sources: Mapping[str, Leaf | Given]
    parameters: Mapping[str, Parameter]
    site: SitePolicy | None
    rules: Mapping[str, Rule]
    references: Mapping[str, Reference]
    value_sets: Mapping[str, ValueSet]
    words: Mapping[Language, StandingWords]
    labels: Mapping[str, Mapping[str, InBoth[str]]]
    docstrings: Mapping[str, Docstrings]
    code_sources: Mapping[str, str]
    attributes: SourceAttributes
    version: str

    def number(self, name: str, day: date) -> bool | int | float:
        """The value of a parameter on a day: the site's where it set one, else the one then in force."""
        if self.site is not None and name in self.site.parameters:
            return self.site.parameters[name].value
        return self.parameters[name].on(day).value

    def numbers(self, day: date) -> tuple[bool | int | float, ...]:
        """All parameters on a day, in graph order."""
        return tuple(self.number(name, day) for name in self.parameters)

    @cached_property
    def terms(self) -> Mapping[str, Terms]:
        """The value sets of each kind, turned round for reading; an observation may be a measurement or a finding."""
        groups: dict[str, dict[str, ValueSet]] = {}
        for name, value_set in self.value_sets.items():
            group = "observation" if value_set.kind in ("measurement", "finding") else value_set.kind
            groups.setdefault(group, {})[name] = value_set
        return {group: Terms(members) for group, members in groups.items()}

    @cached_property
    def units(self) -> Mapping[str, UnitTable]:
        """The unit table of each measurement."""
        return {name: unit_table(value_set) for name, value_set in self.value_sets.items() if value_set.kind == "measurement"}

    @cached_property
    def products(self) -> Mapping[tuple[str, str, float], Code]:
        """The product to propose for a form, a route and a dose in ug."""
        return {
            (str(code.form), route, code.order_as.ug): code
            for value_set in self.value_sets.values()
            for code in value_set.codes
            if code.order_as is not None
            for route in code.order_as.routes
        }

    def about(self, module: str, language: Language = "en") -> str:
        """What a module of facts or rules is about: the first line of its docstring."""
        return (sys.modules[module].__doc__ or "").split("\n")[0] if language == "en" else self.docstrings[module].about

    def docstring(self, name: str, language: Language = "en") -> str:
        """What a fact or rule means, and why: all that its docstring says."""
        function = self.graph.step(name).function
        return inspect.getdoc(function) or "" if language == "en" else self.docstrings[function.__module__].means[name]

    def meaning(self, name: str, language: Language = "en") -> str:
        """What a fact or rule means: the first line of its docstring."""
        return self.docstring(name, language).split("\n")[0]

    def title(self, concept: str, language: Language = "en") -> str:
        """The title of a value set."""
        return self.value_sets[concept].title[language]

    @property
    def max_cards(self) -> int:
        """The most cards for one answer."""
        return self.site.max_cards if self.site is not None else MAX_CARDS

    @property
    def silent(self) -> frozenset[str]:
        """The rules of which only what is critical is shown."""
        return frozenset(self.site.silent) if self.site is not None else frozenset()

    @property
    def language(self) -> Language:
        """The language of cards where the request asks for none."""
        return self.site.language if self.site is not None else "en"


def unit_table(value_set: ValueSet) -> UnitTable:
    """The units of a measurement value set."""
    return UnitTable(
        (Unit(entry.unit, entry.scale or str(value_set.canonical), entry.factor, entry.at_most), entry.also)
        for entry in value_set.units
    )
