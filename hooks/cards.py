"""Decision to cards: one card per statement, with its inputs, what was missing, the rule, the sources and the limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from msgspec.structs import replace

from cds.chart import Measurement, Medicine, Record
from cds.content import Library
from cds.decide import Decision, Statement
from cds.knowledge import Reference
from cds.leaves import Leaf
from cds.signed import Language
from cds.wording import MARKS, Wording, escaped
from hooks.contexts import Context
from hooks.resting import Resting
from hooks.suggestions import SuggestionWriter, stable_uuid
from hooks.wire import Card, Coding, Source


TOPIC_SYSTEM = "urn:cobalamin-cds:topic"
OVERRIDE_SYSTEM = "urn:cobalamin-cds:override-reason"
TELLING = frozenset(
    (
        "status",
        "no_value",
        "comparator",
        "ambiguous",
        "absent",
        "interpreted",
        "members",
        "unit_missing",
        "unit",
        "unit_conflict",
        "unit_class",
        "implausible",
        "superseded",
        "withdrawn",
        "future",
        "undated",
        "answer",
        "doubted",
        "unconfirmed",
        "start_unknown",
        "contradicted",
        "taking_unknown",
        "denied",
        "on_hold",
    )
)
"""The data-quality notes that a reader of the card must know: somebody may see a result or a problem that we did not use."""


class _Basis:
    """What one rule reads of the chart: places in the graph with their titles, the tests among them, the queries they need."""

    def __init__(self, library: Library, rule: str, title: Callable[[str], str]) -> None:
        below = library.graph.ancestors(rule)
        leaves = {name: leaf for name, leaf in library.sources.items() if isinstance(leaf, Leaf) and name in below}
        place = library.graph.place
        self.reads = tuple((place[name], title(leaf.concept)) for name, leaf in leaves.items())
        missed = {name for name, value_set in library.value_sets.items() if not value_set.optional}
        tests = ((name, leaf) for name, leaf in leaves.items() if leaf.kind == "measurement" and leaf.concept in missed)
        self.tests = tuple((place[name], title(leaf.concept)) for name, leaf in tests)
        self.queries = tuple(dict.fromkeys(leaf.query for leaf in leaves.values()))
        self.titles = {leaf.concept: title(leaf.concept) for leaf in leaves.values()}


class CardWriter:
    """Writes cards in the words of one library and language."""

    def __init__(self, library: Library, language: Language, base_url: str | None = None, links: bool = True) -> None:
        """Work out once what each rule reads; what is the same on many cards is put into words once and then kept.

        `base_url`: where the service is reached; cards then lead to their rule in the rulebook, else to the source they cite.
        `links`: False where a card must lead nowhere.
        """
        self._links = links
        self._base_url = base_url.rstrip("/") if base_url is not None else None
        self._library = library
        self._wording = Wording(library, language)
        self._words = self._wording.words
        self._suggestions = SuggestionWriter(library, self._wording)
        self._basis = {rule: _Basis(library, rule, self._wording.title) for rule in library.rules}
        self._overrides = {
            rule: [Coding(system=OVERRIDE_SYSTEM, code=code, display=self._words.overrides[code]) for code in signed.overrides]
            for rule, signed in library.rules.items()
        }
        self._source = cache(self._sourced)
        self._outline = lru_cache(maxsize=1024)(self._outlined)

    def cards(
        self,
        decision: Decision,
        context: Context,
        instance: str,
        drafts: Mapping[str, dict[str, Any]],
        resting: Iterable[Resting] = (),
    ) -> list[Card]:
        """The cards of a decision. The same request gives the same uuids, another `instance` (hook instance) gives others.

        drafts: the orders that suggestions may change, by reference, as they were sent. The loudest card has the first choice.
        resting: what is held back from this user; the last card, if there is one, names it.
        """
        left = dict(drafts)
        cards = [self._card(decision, statement, context, instance, left) for statement in decision.statements]
        if cards and (decision.held_back or resting):
            cards[-1] = replace(cards[-1], detail=f"{cards[-1].detail}\n\n{self._held_back(decision.held_back, resting)}")
        return cards

    def _held_back(self, statements: Iterable[Statement], resting: Iterable[Resting]) -> str:
        """What was not given a card of its own, by the titles of the rules; why, where this user has dealt with it."""
        words, titles = self._words, [self._title(statement) for statement in statements]
        for rest in resting:
            why = words.resting[rest.because].format(reason=words.overrides.get(rest.reason or ""), day=rest.until.date())
            titles.append(self._wording.aside(self._title(rest.statement), why))
        return _section(words.headings["held_back"], items=titles)

    def _title(self, statement: Statement) -> str:
        return self._library.rules[statement.rule].title[self._wording.language]

    def _card(
        self, decision: Decision, statement: Statement, context: Context, instance: str, drafts: dict[str, dict[str, Any]]
    ) -> Card:
        rule = self._library.rules[statement.rule]
        identity = f"{instance}|{context.patientId}|{rule.topic}|{statement.advice.key}"
        suggestions, behaviour = self._suggestions.of(statement, context, identity, drafts)
        return Card(
            uuid=stable_uuid(identity),
            summary=self._fill(decision, statement.words[self._wording.language].summary),
            detail=self.detail(decision, statement),
            indicator=statement.words.urgency,
            source=self._source(statement.rule, statement.words.cite[0]),
            suggestions=suggestions or None,
            selectionBehavior=behaviour,
            overrideReasons=self._overrides[statement.rule],
        )

    def _sourced(self, rule: str, citation: str) -> Source:
        source, signed = self._library.references[citation], self._library.rules[rule]
        topic = Coding(system=TOPIC_SYSTEM, code=signed.topic, display=signed.title[self._wording.language])
        said = source[self._wording.language]
        url = source.url if self._base_url is None else f"{self._base_url}/rulebook#{rule}"
        return Source(label=said.label, topic=topic, url=url if self._links else None)

    def detail(self, decision: Decision, statement: Statement) -> str:
        """The basis of a card as Markdown, so that a clinician can judge it without us."""
        words, rule = self._words, statement.rule
        finding, judgement = self._outline(rule, statement.advice.key, statement.advice.notes)
        sections = [
            self._fill(decision, finding),
            _section(words.headings["inputs"], items=self._inputs(decision, rule)),
            _section(words.headings["missing"], items=self._missing(decision, rule)),
            self._fill(decision, judgement),
        ]
        text = "\n\n".join(filter(None, sections))
        marks = [f"{mark} {words.checked[state]}" for state, mark in MARKS.items() if mark in text]
        return text if not marks else f"{text}\n\n{words.joined.join(marks)}"

    def _outlined(self, rule: str, key: str, chosen: tuple[str, ...]) -> tuple[str, str]:
        """What stands before and what stands after the inputs, as templates."""
        words, signed, language = self._words, self._library.rules[rule], self._wording.language
        advice, notes = signed.advice[key], [signed.notes[note] for note in chosen]
        said = advice[language]
        cited = dict.fromkeys((*advice.cite, *(citation for note in notes for citation in note.cite)))
        judgement = (
            _section(words.headings["rule"], said.rule),
            _section(words.headings["sources"], items=[self._cited(self._library.references[citation]) for citation in cited]),
            _section(words.headings["limits"], items=[*filter(None, [said.limits]), *words.limits]),
        )
        return _section(words.headings["finding"], said.finding, [note[language] for note in notes]), "\n\n".join(judgement)

    def _cited(self, reference: Reference) -> str:
        named = reference[self._wording.language]
        title = f"[{named.title}]({reference.url})" if reference.url and self._links else named.title
        return f"{title}. {named.publisher}, {reference.date or self._words.no_date}."

    def _fill(self, decision: Decision, template: str) -> str:
        return self._wording.fill(template, decision.__getitem__, decision.chart.today)

    def _inputs(self, decision: Decision, rule: str) -> Iterator[str]:
        """Every record the rule read: the newest result of each test, every problem, procedure, allergy and medicine."""
        values = decision.values
        for records, title in [(values[place], title) for place, title in self._basis[rule].reads if values[place]]:
            newest = records[0]
            measured = self._wording.measurement(newest, converted=True) if isinstance(newest, Measurement) else None
            yield f"{title}{self._words.colon}{measured or self._words.joined.join(self._mentions(records))}"

    def _mentions(self, records: Iterable[Record]) -> Iterator[str]:
        """A medicine by its own name, anything else by its days alone, as its title already names it; repeats together."""
        words = self._words
        groups: defaultdict[str, list[Record]] = defaultdict(list)
        for record in records:
            groups[record.name if isinstance(record, Medicine) else ""].append(record)
        for name, group in groups.items():
            days = [record.day for record in group if record.day is not None]
            when = str(days[0]) if days else words.undated
            if len(group) > 1 and days:
                when = words.entries.format(first=days[-1], last=days[0], count=len(group))
            yield self._wording.aside(escaped(name), when) if name else when

    def _missing(self, decision: Decision, rule: str) -> Iterator[str]:
        """Queries nobody answered in full, and tests without a result."""
        words, basis, values = self._words, self._basis[rule], decision.values
        for query in basis.queries:
            state = decision.chart.retrieved[query]
            if state != "retrieved":
                yield f"{words.queries[query]}{words.colon}{words.retrieval[state]}"
        if "medicines" in basis.queries and any(note.key == "statements_absent" for note in decision.chart.notes):
            yield words.notes["statements_absent"]
        absent = [title for place, title in basis.tests if values[place] == ()]
        if absent:
            yield f"{words.no_result}{words.colon}{words.listed.join(absent)}"
        told: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for note in decision.chart.notes:
            if note.concept in basis.titles and note.key in TELLING:
                detail = words.codes.get(note.detail) or escaped(note.detail)
                told[note.concept, words.notes[note.key].format(detail=detail)].append(note.reference)
        for (concept, text), references in told.items():
            first, others = escaped(references[0]), len(references) - 1
            where = words.and_others.format(reference=first, count=others) if others else first
            yield words.concerning.format(title=basis.titles[concept], reference=where, text=text)


def _section(heading: str, sentence: str = "", items: Iterable[str] = ()) -> str:
    """A paragraph and the list that belongs to it, under their heading; nothing where there is neither."""
    listed = "\n".join([f"- {item}" for item in items])
    said = f"{sentence}\n\n{listed}" if sentence and listed else sentence or listed
    return said and f"**{heading}**\n\n{said}"
