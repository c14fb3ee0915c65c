"""Chart and library to decision: the facts in one pass, then every rule the patient's scope admits, the loudest advice first."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import replace

from cds.advice import LOUDNESS, Advice, Urgency
from cds.chart import Chart, Patient, Retrieval
from cds.content import Library
from cds.graph import Failure, Program, program
from cds.knowledge import AdviceWords
from cds.leaves import Given, Leaf, Query


REPORTED = (
    "scope",
    "scope_unanswered",
    "safety_hit",
    "baseline",
    "b12_status",
    "absorption",
    "absorption_may_be_worse",
    "regimen",
    "enteral_b12",
    "parenteral_b12",
    "rest_periods",
)
"""The facts every decision reports, whichever rules are switched on."""


class Statement(Struct, frozen=True):
    """One rule that spoke, and its signed half."""

    rule: str
    advice: Advice
    words: AdviceWords

    @property
    def named(self) -> str:
        """Rule and advice, as decisions and records name them."""
        return f"{self.rule}/{self.advice.key}"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be assessed: the fact or rule, the queries left unanswered, the values left unknown."""

    what: str
    queries: tuple[Query, ...]
    unknown: tuple[str, ...]


class Decision(Struct, frozen=True, dict=True):
    """What follows from a chart. `values` holds every fact by its place in the graph, None where unknown.

    held_back: what would have been said as well, beyond the number of cards that are shown. silent: what the site wants recorded
    and not shown.
    """

    chart: Chart
    library: Library
    values: list[Any]
    admitted: tuple[str, ...]
    statements: tuple[Statement, ...]
    held_back: tuple[Statement, ...]
    failures: Mapping[str, Failure]
    silent: tuple[Statement, ...] = ()

    def __getitem__(self, name: str) -> Any:
        """The value of a fact by name."""
        return self.values[self.library.graph.place[name]]

    @property
    def indicator(self) -> Urgency | None:
        """How loud the loudest advice is; None when there is nothing to say."""
        return self.statements[0].words.urgency if self.statements else None

    def without(self, rules: Container[str]) -> Decision:
        """The decision where the advice of some rules is not to be shown; what was beyond the number of cards moves up."""
        spoken = [statement for statement in (*self.statements, *self.held_back) if statement.rule not in rules]
        statements, held_back = _within(spoken, self.library.max_cards)
        return replace(self, statements=statements, held_back=held_back)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be assessed: rules that were stopped, the facts that came out unknown or may be worse, an open scope."""
        graph = self.library.graph
        stopped = [rule for rule in self.admitted if any(self[needed] is None for needed in graph.required(rule))]
        undecided = self["scope_unanswered"] or self["safety_hit"] is None
        open_scope = ["scope"] if undecided and self["scope"] == "safety_only" else []
        unknown = [name for name in ("b12_status", "absorption") if self[name] == "unknown"]
        perhaps = ["absorption"] if self["absorption_may_be_worse"] else []
        return tuple(self._gap(name) for name in dict.fromkeys((*self.failures, *open_scope, *unknown, *perhaps, *stopped)))

    @property
    def unanswered(self) -> tuple[Query, ...]:
        """The queries whose missing answers left a gap."""
        return tuple(dict.fromkeys(query for gap in self.gaps for query in gap.queries))

    def _gap(self, name: str) -> Gap:
        """Follow what is unknown down to where it began: a query nobody answered, or a value nobody could read."""
        queries: dict[Query, None] = {}
        unknown: dict[str, None] = {}
        waiting, seen = [name], {name}
        while waiting:
            current = waiting.pop()
            missing = [needed for needed in self.library.graph.inputs(current) if self[needed] is None]
            if not missing and current != name:
                unknown[current] = None
            for needed in missing:
                source = self.library.sources.get(needed)
                if isinstance(source, Leaf):
                    queries[source.query] = None
                elif needed not in seen:
                    seen.add(needed)
                    waiting.append(needed)
        return Gap(name, tuple(queries), tuple(unknown))


@dataclass(frozen=True)
class _Day:
    """What holds for every chart of a day: the day and the numbers (and room for the facts), the facts, per scope its rules."""

    today: date
    rest: tuple[Any, ...]
    facts: Program
    rules: Mapping[str, tuple[tuple[str, ...], Program]]


class Decider:
    """A set of rules ready to run: their facts planned once, in an order fixed at start."""

    def __init__(self, library: Library, rules: Iterable[str]) -> None:
        """`rules`: the names of the rules that speak. Raises KeyError for a name that is no rule."""
        self.library = library
        self.rules = tuple(rules)
        self._silent, self._max_cards = library.silent, library.max_cards
        graph = library.graph
        whole = {step.name: (place, step) for place, step in graph.plan((*self.rules, *REPORTED))}
        self._rules = {name: whole.pop(name) for name in self.rules}
        self._facts = tuple(whole.values())
        self._scope = graph.place["scope"]
        leaves = [(graph.place[name], source) for name, source in library.sources.items() if isinstance(source, Leaf)]
        self._leaves = {leaf.concept: place for place, leaf in leaves}
        self._given = [(graph.place[n], source.attribute) for n, source in library.sources.items() if isinstance(source, Given)]
        self._queries = [(place, leaf.query) for place, leaf in leaves]
        self._today = graph.place["today"]
        self._day = lru_cache(maxsize=8)(self._prepared)
        self._unseen = lru_cache(maxsize=1024)(self._without_records)

    def _prepared(self, today: date) -> _Day:
        """Evaluate a chart with nothing on it: whatever comes out on another chart from the same inputs is the same."""
        graph, signed = self.library.graph, self.library.rules
        numbers = self.library.numbers(today)
        rest = (*numbers, *(None,) * (len(graph.names) - len(self.library.sources) - len(numbers)))
        values = [*self._read(_empty_chart(today), today), *rest]
        broken = program([*self._facts, *self._rules.values()])(values)
        before = None if broken else values
        fixed = (self._today, *map(graph.place.__getitem__, self.library.parameters))
        admitted = {
            scope: tuple(name for name in self.rules if scope in signed[name].scopes)
            for scope in {scope for name in self.rules for scope in signed[name].scopes}
        }
        rules = {
            scope: (names, program([self._rules[name] for name in names], before, fixed)) for scope, names in admitted.items()
        }
        return _Day(today, rest, program(self._facts, before, fixed), rules)

    def prepare(self, today: date) -> None:
        """Work out now what holds for every chart of a day; else the first of them waits for it, for about 0.1 s."""
        self._day(today)

    def __call__(self, chart: Chart, asked: bool = True) -> Decision:
        """The decision for one chart. The same chart on the same day gives the same decision.

        asked: False where the question turned out to be about something else; then there are facts, and no rule speaks.
        """
        day = self._day(chart.today)
        values = self._read(chart, day.today)
        values += day.rest
        failures = day.facts(values)
        admitted, rules = day.rules.get(str(values[self._scope]), _NOBODY) if asked else _NOBODY
        failures |= rules(values)
        spoken = self._statements(admitted, values)
        silent = (
            [said for said in spoken if said.rule in self._silent and said.words.urgency != "critical"] if self._silent else ()
        )
        statements, held_back = _within([said for said in spoken if said not in silent] if silent else spoken, self._max_cards)
        return Decision(chart, self.library, values, admitted, statements, held_back, failures, tuple(silent))

    def _read(self, chart: Chart, today: date) -> list[Any]:
        """The values of all sources in graph order. `today`: one and the same object all day."""
        values = list(self._unseen(tuple(chart.retrieved.items())))
        for place, attribute in self._given:
            values[place] = getattr(chart, attribute)
        values[self._today] = today
        for concept, found in chart.records.items():
            if concept in self._leaves:
                values[self._leaves[concept]] = found
        for concept in chart.unclear:
            if concept not in chart.records and concept in self._leaves:
                values[self._leaves[concept]] = None
        return values

    def _without_records(self, retrieved: tuple[tuple[Query, Retrieval], ...]) -> tuple[Any, ...]:
        """The sources of a chart without records: () where the query was answered in full, and else nobody knows."""
        ending = dict(retrieved)
        values: list[Any] = [None] * len(self.library.sources)
        for place, query in self._queries:
            values[place] = () if ending[query] == "retrieved" else None
        return tuple(values)

    def _statements(self, admitted: Iterable[str], values: list[Any]) -> list[Statement]:
        place, signed = self.library.graph.place, self.library.rules
        statements = [
            Statement(rule, said, signed[rule].advice[said.key]) for rule in admitted if (said := values[place[rule]]) is not None
        ]
        return sorted(statements, key=lambda statement: LOUDNESS[statement.words.urgency])


def _within(spoken: list[Statement], most: int) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """What gets a card, the loudest first, and what is beyond their number; what is critical always gets one."""
    shown = max(most, sum(statement.words.urgency == "critical" for statement in spoken))
    return tuple(spoken[:shown]), tuple(spoken[shown:])


_NOBODY: tuple[tuple[str, ...], Program] = ((), program(()))
"""The rules of a scope that admits none."""


def _empty_chart(day: date) -> Chart:
    """A chart on which every query was answered and found nothing."""
    answered: dict[str, Retrieval] = dict.fromkeys(get_args(Query), "retrieved")
    return Chart(day, Patient("", None, None, False), answered, {})
