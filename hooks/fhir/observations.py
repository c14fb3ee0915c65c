"""Observations to measurements and findings: which concept, which value, in which unit, on which day. Doubt becomes a note."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property

import msgspec

from cds.chart import Finding, Measurement, Note
from cds.content import Library
from cds.days import Day, parse_day
from cds.units import Unit
from hooks.fhir.answers import Answers, own_limit
from hooks.fhir.corrections import CORRECTING, WITHDRAWN, Changed, Read, overtaken
from hooks.fhir.elements import code, day, first_object, local_id, objects, opened, wording
from hooks.fhir.local import STANDARD, Local
from hooks.fhir.owners import names_nobody
from hooks.fhir.quantities import Reported, reported
from hooks.fhir.questions import Asked, Question, Questions, from_serum
from hooks.fhir.readings import Reading, unnamed
from hooks.fhir.resources import NOT_SENT, READ_PART, READ_PARTS, Observation, Part, reference_of
from hooks.fhir.scales import Refused, Scales


_COUNTED = ("final", *CORRECTING)
_LONGEST_QUOTE = 80


class ObservationReader:
    """Reads Observations against the value sets of one library and the agreements with one client."""

    def __init__(self, library: Library, local: Local = STANDARD) -> None:
        """Keep the tables that every Observation is held against."""
        self.questions = Questions(library, local)
        self.scales = Scales(library, local)
        self.answers = Answers(library)
        self.zone = local.zone

    def read(self, resources: Sequence[Observation], today: date) -> Reading:
        """All Observations of a chart: a result may be corrected by another one, or be the panel that lists others.

        One of something we do not read gives nothing, not even a note.
        """
        question_of, gathered, unread = self.questions.of, _Results(self, resources, today), False
        for resource in resources:
            question = question_of(bytes(resource.code))
            if resource.component is not NOT_SENT:
                gathered.add_panel(resource, question)
            elif question.asked:
                gathered.add(resource, question, resource)
            if not question.named:
                gathered.notes += unnamed(resource).notes
                unread = True
        return gathered.all(unread)


class _Results:
    """The results of one chart, as they are gathered."""

    def __init__(self, reader: ObservationReader, beside: Sequence[Observation], today: date) -> None:
        self._questions, self._scales, self._answers, self._zone = reader.questions, reader.scales, reader.answers, reader.zone
        self._beside = beside
        self._latest = today + timedelta(days=1)  # it may be tomorrow where the laboratory is
        self._read: list[Read] = []
        self._changed: list[Changed] = []
        self.notes: list[Note] = []

    def add_panel(self, resource: Observation, question: Question) -> None:
        """An Observation with components. Without a value of its own it lacks nothing where they have theirs."""
        before = len(self._read), len(self.notes)
        for part in _components(resource):
            asked = self._questions.of(bytes(part.code))
            if asked.asked:
                self.add(resource, asked, part)
        self.add(resource, question, resource, told=before != (len(self._read), len(self.notes)))

    def add(self, resource: Observation, question: Question, part: Part, told: bool = False) -> None:
        """The answer of one part to everything that its code asks. `told`: the components have said it already."""
        status = resource.status
        if status not in _COUNTED:
            status = code(status)
        for asked in question.asked:
            concept = asked.concept
            if asked.serum_only and not from_serum(question.name, resource):
                continue
            if status not in _COUNTED:
                self._note("status", resource, concept, status or "-")
                if status in WITHDRAWN:
                    self._changed.append((concept, status, resource))
                continue
            if part is resource and part.valueQuantity is NOT_SENT and self._is_panel(resource, concept, told):
                continue
            if status != "final" or resource.related is not NOT_SENT:
                self._changed.append((concept, status, resource))  # what was corrected is wrong, even if the correction is no use
            record = (self._measurement if asked.measured else self._finding)(asked, question.name, part, resource)
            if record is None:
                continue
            self._read.append((record, status, resource))
            if names_nobody(resource):
                self._note("no_subject", resource, concept)

    def all(self, unread: bool) -> Reading:
        """What was gathered, without what a later version replaced or withdrew."""
        if self._changed and (lost := overtaken(self._read, self._changed)):
            self.notes += lost.values()
            self._read = [entry for entry in self._read if id(entry[0]) not in lost]
        return Reading(tuple([record for record, _, _ in self._read]), tuple(self.notes), unread)

    def _note(self, key: str, resource: Observation, concept: str, detail: str = "") -> None:
        self.notes.append(Note(key, reference_of(resource), concept, detail[:_LONGEST_QUOTE]))

    def _measurement(self, asked: Asked, name: str, part: Part, resource: Observation) -> Measurement | None:
        concept = asked.concept
        meant = self._scales.usual(concept, asked.measures, bytes(part.valueQuantity))
        if meant is None:
            given = reported(part)
            if given.value is None:
                self._lacking(given, part, resource, concept)
                return None
            meant = self._scales.of(concept, asked.measures, given.value, given)
        if isinstance(meant, Refused):
            self._note(meant.why, resource, concept, meant.quoted)
            return None
        taken = parse_day(resource.effectiveDateTime, self._zone) or self._other_day(resource, concept)
        if taken is not None and taken.first > self._latest:
            self._note("future", resource, concept, str(taken))
            return None
        if meant.contradicts:
            self._note("unit_class", resource, concept)
        unit = meant.unit
        upper = self._upper_limit(concept, part, unit) if meant.own_limit else None
        return Measurement(reference_of(resource), concept, name, taken, meant.value, unit.scale, meant.shown, upper)

    def _lacking(self, given: Reported, part: Part, resource: Observation, concept: str) -> None:
        """Why there is no number, as far as the record says."""
        absent, interpretation = opened(part.dataAbsentReason), opened(part.interpretation)
        if given.doubt:
            self._note("ambiguous", resource, concept, given.doubt)
        elif reason := code(absent):
            self._note("absent", resource, concept, reason)
        elif said := (wording(interpretation) or code(interpretation)):
            self._note("interpreted", resource, concept, said)
        else:
            self._note("no_value", resource, concept)

    def _upper_limit(self, concept: str, part: Part, unit: Unit) -> float | None:
        """The laboratory's own upper limit of normal, in a unit we know or that of the value."""
        limit = own_limit(part)
        if limit is None:
            return None
        known = self._scales.find(concept, limit[1]) if limit[1] else unit
        return known.in_scale(limit[0]) if known is not None else None

    def _finding(self, asked: Asked, name: str, part: Part, resource: Observation) -> Finding | None:
        """A coded or worded answer, of any age."""
        taken = parse_day(resource.effectiveDateTime, self._zone) or self._other_day(resource, asked.concept)
        if taken is not None and taken.first > self._latest:
            self._note("future", resource, asked.concept, str(taken))
            return None
        positive = self._answers.positive(asked.concept, part)
        if positive is None:
            absent = code(opened(part.dataAbsentReason))
            self._note("absent" if absent else "answer", resource, asked.concept, absent)
        return Finding(reference_of(resource), asked.concept, name, taken, positive)

    def _other_day(self, resource: Observation, concept: str) -> Day | None:
        """The day where it is not said in the usual place; that of the release is better than none, and not the same."""
        zone, timing = self._zone, first_object(opened(resource.effectiveTiming))
        events = timing.get("event")
        event = events[-1] if isinstance(events, list) and events else None
        bounds = next((repeat.get("boundsPeriod") for repeat in objects(timing.get("repeat"))), None)
        taken = day(opened(resource.effectivePeriod), resource.effectiveInstant, event, bounds, zone=zone)
        if taken is None:
            taken = parse_day(resource.issued, zone)
            self._note("undated" if taken is None else "date_issued", resource, concept)
        return taken

    def _is_panel(self, resource: Observation, concept: str, told: bool) -> bool:
        """Does it have no answer of its own, and lists others? They are read on their own, if they came with it."""
        answers = (resource.valueString, resource.valueInteger, resource.valueBoolean)
        elements = (resource.valueCodeableConcept, resource.interpretation)
        if any(answer is not None for answer in answers) or any(element is not NOT_SENT for element in elements):
            return False
        members = list(_members(resource))
        if members and not self._ids.issuperset(members):
            self._note("members", resource, concept)
        return told or bool(members)

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(resource.id for resource in self._beside if isinstance(resource.id, str))


def _components(resource: Observation) -> list[Part]:
    try:
        return READ_PARTS.decode(resource.component)
    except msgspec.ValidationError:  # not an array of objects
        return [READ_PART.decode(msgspec.json.encode(part)) for part in objects(opened(resource.component))]


def _members(resource: Observation) -> Iterator[str]:
    """The ids of the members of a panel, as R4 lists them and as DSTU2 and STU3 do."""
    for member in objects(opened(resource.hasMember)):
        yield local_id(member)
    for related in objects(opened(resource.related)):
        if code(related.get("type")) == "has-member":
            yield local_id(related.get("target"))
