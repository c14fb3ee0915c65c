"""The identity of a card: the same patient, question, inputs and knowledge give the same key, in whichever call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import astuple

from cds.advice import Advice, OrderTests, StartB12
from cds.content import Library
from cds.decide import Decision, Statement
from cds.leaves import Leaf
from hooks.cards import TELLING
from hooks.feedback.entries import Keys
from hooks.services import Service


_PEOPLE_AND_ORDERS = ("patient", "drafts", "chosen")
"""What a chart has beside the leaves that an advice may stand on; the day alone does not make a new question."""

_written = msgspec.json.Encoder().encode


class Questions:
    """Makes the keys of one library."""

    def __init__(self, library: Library, keys: Keys) -> None:
        """Work out once what each rule stands on."""
        place, self._library, self._keys = library.graph.place, library, keys
        self._places: dict[str, tuple[int, ...]] = {}
        self._leaves: dict[str, tuple[Leaf, ...]] = {}
        for rule in library.rules:
            below = library.graph.ancestors(rule)
            leaves = {name: source for name, source in library.sources.items() if isinstance(source, Leaf) and name in below}
            given = [name for name in _PEOPLE_AND_ORDERS if name in below]
            self._places[rule] = tuple(place[name] for name in (*given, *leaves))
            self._leaves[rule] = tuple(leaves.values())

    def key(self, decision: Decision, statement: Statement, service: Service, patient: str) -> str:
        """The key of one advice. `patient`: a pseudonym.

        It is another one as soon as anything is that the advice stands on: a record, how a query ended, a note on the quality of
        the data, the notes and the urgency of the advice, what it proposes, the knowledge. How a server numbers its resources
        does not matter, nor in which order it sends them.
        """
        rule, advice = statement.rule, statement.advice
        said = (service.hook, rule, advice.key, statement.words.urgency, ",".join(advice.notes), _proposed(advice))
        return self._keys.key("question", patient, *said, self._library.version, self._inputs(decision, rule))

    def _inputs(self, decision: Decision, rule: str) -> str:
        values, chart, leaves = decision.values, decision.chart, self._leaves[rule]
        concepts = {leaf.concept for leaf in leaves}
        inputs = [(place, _records(values[place])) for place in self._places[rule] if values[place] != ()]
        endings = [chart.retrieved[query] for query in dict.fromkeys(leaf.query for leaf in leaves)]
        telling = [note for note in chart.notes if note.concept in concepts and note.key in TELLING]
        notes = sorted((note.key, note.concept, note.detail) for note in telling)
        return _written((inputs, endings, notes)).decode()


def _proposed(advice: Advice) -> str:
    """The tests and courses: with time alone another test falls due. Not the day of a review, which is another one every day."""
    tests = (test for action in advice.actions if isinstance(action, OrderTests) for test in action.analytes)
    courses = ((one.route, one.form, one.dose_ug, one.schedules) for one in advice.actions if isinstance(one, StartB12))
    return _written((tuple(tests), tuple(courses))).decode()


def _records(value: Any) -> Any:
    """A person or records without their references, in an order of our own; None where nobody knows."""
    if value is None:
        return None
    return sorted(map(_content, value)) if isinstance(value, Iterable) else _content(value)


def _content(record: Any) -> str:
    """Everything about it but its reference, which every record has first."""
    return _written(astuple(record)[1:]).decode()
