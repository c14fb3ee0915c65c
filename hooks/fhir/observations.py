"""Observations to measurements and findings: which concept, which value, in which unit, on which day. Doubt becomes a note."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from cds.chart import Finding, Measurement, Note, Record
from cds.content import Library
from cds.days import Day, parse_day
from cds.intervals import COMPARATORS, interval
from cds.terms import Said
from cds.units import Unit
from cds.wording import number as written
from hooks.fhir.elements import UCUM, code, codings, day, is_named, number, objects, opened, plain_text, remembered, text, wording
from hooks.fhir.resources import NOT_SENT, READ_PART, READ_QUANTITY, Observation, Part, Quantity, Resource, reference_of


_NUMBER_IN_TEXT = re.compile(r"(<=|>=|<|>)?\s*(\d+(?:\.\d+)?)\s*([^\d\s(][^\s(]*)?\s*(?:\([LHN]+\)|[↑↓])?")
_COUNTED = ("final", "amended", "corrected")
_UNIT_SYSTEMS = ("", *UCUM)
_SERUM = ("serum", "plasma", "血清", "血浆")


class Reading(msgspec.Struct, frozen=True):
    """What one resource gave: records, and notes on what it could not give. `unread`: it may have been anything.

    `unclear`: the concepts that it names and that nobody can tell to be there or not.
    """

    records: tuple[Record, ...] = ()
    notes: tuple[Note, ...] = ()
    unread: bool = False
    unclear: tuple[str, ...] = ()


NOTHING = Reading()


def unnamed(resource: Resource) -> Reading:
    """A resource without any code or word for what it is about: not the same as one about something else."""
    return Reading(notes=(Note("unnamed", reference_of(resource), "", ""),), unread=True)


@dataclass(frozen=True, slots=True)
class Question:
    """What an Observation or a component asks, by its code: the concepts, each with whether only serum or plasma will do.

    `named`: is there any code or word at all? What names nothing may be anything.
    """

    concepts: tuple[tuple[str, bool], ...]
    name: str
    named: bool


class ObservationReader:
    """Reads Observations against the value sets of one library."""

    def __init__(self, library: Library) -> None:
        """Keep the tables that every Observation is held against."""
        self._sets = library.value_sets
        self._units = library.units
        self._terms = library.terms["observation"]
        self._answers = library.terms["answer"]
        self._question = remembered(self._asked)
        self._unit = lru_cache(maxsize=4096)(self._unit_of)

    def read(self, resource: Observation, today: date) -> Reading:
        """One Observation with its components. An Observation of something we do not read gives nothing, not even a note."""
        question = self._question(bytes(resource.code))
        if not question.named:
            return unnamed(resource)
        if not question.concepts and resource.component is NOT_SENT:
            return NOTHING
        asked: list[tuple[Question, Part]] = [(question, resource)]
        if resource.component is not NOT_SENT:
            asked += self._components(resource)
        records: list[Record] = []
        notes: list[Note] = []
        for question, part in asked:
            for concept, serum_only in question.concepts:
                if serum_only and not _from_serum(question.name, resource):
                    continue
                result = self._result(concept, question.name, part, resource, today)
                if isinstance(result, Note):
                    notes.append(result)
                    continue
                records.append(result)
                if result.day is None:
                    notes.append(Note("undated", result.reference, concept, ""))
                if isinstance(result, Finding) and result.positive is None:
                    notes.append(Note("answer", result.reference, concept, ""))
        return Reading(tuple(records), tuple(notes)) if records or notes else NOTHING

    def _components(self, resource: Observation) -> Iterator[tuple[Question, Part]]:
        for component in objects(opened(resource.component)):
            part = READ_PART.decode(msgspec.json.encode(component))
            yield self._question(bytes(part.code)), part

    def _asked(self, element: bytes) -> Question:
        """What a code asks. Words are consulted only where no code of a known system stands beside them."""
        concept = opened(element)
        found: dict[str, bool] = {}
        coded, name = False, wording(concept)
        for system, value in codings(concept):
            if matches := self._terms.of_code(system, value):
                coded = True
                for match, entry in matches:
                    found[match] = found.get(match, True) and entry.needs_specimen
            elif not coded:
                coded = self._terms.knows_system(system)
        if not coded and name:
            found = {match: False for match, said in self._terms.of_text(name).items() if said is Said.STATED}
        return Question(tuple(found.items()), name, is_named(concept))

    def _result(self, concept: str, name: str, part: Part, resource: Observation, today: date) -> Measurement | Finding | Note:
        status = code(resource.status)
        if status not in _COUNTED:
            return Note("status", reference_of(resource), concept, status or "-")
        if self._sets[concept].kind == "measurement":
            return self._measurement(concept, name, part, resource, today)
        return self._finding(concept, name, part, resource)

    def _measurement(self, concept: str, name: str, part: Part, resource: Observation, today: date) -> Measurement | Note:
        reference = reference_of(resource)
        comparator, value, unit_text, unit_code = _reported(part)
        if value is None:
            return Note("no_value", reference, concept, "")
        reported = f"{comparator or ''}{written(value)} {unit_text or unit_code}".strip()
        if comparator is not None and comparator not in COMPARATORS:
            return Note("comparator", reference, concept, reported)
        unit = self._unit(concept, unit_text, unit_code)
        if unit is None:
            return Note("unit", reference, concept, reported)
        if unit_text and self._units[concept].find(unit_text) is None:
            reported = f"{comparator or ''}{written(value)} {unit.symbol}"  # a text nobody knows is not repeated on a card
        value_set = self._sets[concept]
        low, high = value_set.plausible[unit.scale]
        scaled = unit.in_scale(value)
        if not low <= scaled <= high or (unit.at_most is not None and value > unit.at_most):
            return Note("implausible", reference, concept, reported)
        taken = _taken(resource)
        if taken is not None and taken.first > today + timedelta(days=1):
            return Note("future", reference, concept, str(taken))
        upper = self._upper_limit(concept, part, unit) if value_set.own_limit else None
        return Measurement(reference, concept, name, taken, interval(scaled, comparator), unit.scale, reported, upper)

    def _unit_of(self, concept: str, unit_text: str, unit_code: str) -> Unit | None:
        """The unit, where code and text agree on one we know. A code we do not know is not overruled by the text beside it."""
        table = self._units[concept]
        if not unit_text and not unit_code and self._sets[concept].unit_optional:
            return table.find(self._sets[concept].canonical or "")
        worded = table.find(unit_text) if unit_text else None
        if not unit_code or unit_code == unit_text:
            return worded
        coded = table.find(unit_code)
        if coded and worded and (coded.scale, coded.factor) != (worded.scale, worded.factor):
            return None
        return coded

    def _upper_limit(self, concept: str, part: Part, unit: Unit) -> float | None:
        """The laboratory's own upper limit of normal, if it sent exactly one, in a unit we know."""
        ranges = list(objects(opened(part.referenceRange)))
        if len(ranges) != 1:
            return None
        high = next(objects(ranges[0].get("high")), {})
        value, limit_unit = number(high.get("value")), self._units[concept].find(text(high.get("unit")) or text(high.get("code")))
        if value is None or (limit_unit is None and (text(high.get("unit")) or text(high.get("code")))):
            return None
        return (limit_unit or unit).in_scale(value)

    def _finding(self, concept: str, name: str, part: Part, resource: Observation) -> Finding:
        """A coded or worded answer, of any age: by itself, else as the laboratory interprets it, else by its own limit."""
        answer, interpretation = opened(part.valueCodeableConcept), opened(part.interpretation)
        positive = self._verdict(concept, answer, wording(answer), text(part.valueString))
        if positive is None and isinstance(part.valueBoolean, bool):
            positive = part.valueBoolean
        if positive is None:
            positive = self._verdict(concept, interpretation, wording(interpretation))
        if positive is None:
            positive = _above_limit(part)
        return Finding(reference_of(resource), concept, name, _taken(resource), positive)

    def _verdict(self, concept: str, element: Any, *words: str) -> bool | None:
        """Positive or negative by the answers of the value set; None where a code and its words tell neither."""
        value_set = self._sets[concept]
        answers = {name for system, value in codings(element) for name, _ in self._answers.of_code(system, value)}
        for said in words:
            answers.update(name for name, how in self._answers.of_text(said).items() if how is Said.STATED)
        return False if answers & set(value_set.negative) else True if answers & set(value_set.positive) else None


def _above_limit(part: Part) -> bool | None:
    """Is a number above the laboratory's own limit, where it sent exactly one, in the same unit?"""
    ranges = list(objects(opened(part.referenceRange)))
    high = next(objects(ranges[0].get("high")), {}) if len(ranges) == 1 else {}
    given = _quantity(part)
    value, limit = number(given.value) if given is not None else None, number(high.get("value"))
    if given is None or value is None or limit is None or text(high.get("unit")) != text(given.unit):
        return None
    return value > limit


def _reported(part: Part) -> tuple[str | None, float | None, str, str]:
    """Comparator, number, unit text and unit code, from a Quantity or from a number written into a string."""
    quantity = _quantity(part)
    if quantity is not None:
        coded = text(quantity.code) if text(quantity.system) in _UNIT_SYSTEMS else ""
        comparator = text(quantity.comparator) or (None if quantity.comparator in (None, "") else "?")
        return comparator, number(quantity.value), text(quantity.unit), coded
    match = _NUMBER_IN_TEXT.fullmatch(plain_text(text(part.valueString)))
    if match:
        return match[1], number(match[2]), match[3] or "", ""
    return None, number(part.valueInteger), "", ""


def _quantity(part: Part) -> Quantity | None:
    try:
        return READ_QUANTITY.decode(part.valueQuantity)
    except msgspec.ValidationError:
        return None  # not an object


def _taken(resource: Observation) -> Day | None:
    first = parse_day(resource.effectiveDateTime)
    return first or day(opened(resource.effectivePeriod), resource.effectiveInstant, resource.issued)


def _from_serum(name: str, resource: Observation) -> bool:
    """Does the record say that this was serum or plasma, where the code alone does not?"""
    specimen = next(objects(opened(resource.specimen)), {})
    words = f"{name} {text(specimen.get('display'))}".lower()
    return any(word in words for word in _SERUM)
