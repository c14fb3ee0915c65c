"""Results that were sent again: corrected ones replace what they correct, withdrawn ones take it away, copies count once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cds.chart import Finding, Measurement, Note, Record
from hooks.fhir.elements import code, local_id, objects, opened, text
from hooks.fhir.resources import Observation


CORRECTING = ("amended", "corrected")
WITHDRAWN = ("cancelled", "entered-in-error")

Read = tuple[Record, str, Observation]
"""A record with the status and the resource it was read from."""

Changed = tuple[str, str, Observation]
"""The concept and the status of a result that replaces or takes back another, and the result."""


@dataclass(slots=True)
class _Later:
    """What was sent later of one result: was it corrected or withdrawn, and when at the latest, as far as that is known?"""

    corrected: bool = False
    corrected_at: datetime | None = None
    withdrawn: bool = False
    withdrawn_at: datetime | None = None

    def add(self, status: str, at: datetime | None) -> None:
        """Another change. A withdrawal of an unknown time may have been the last word, and stays it."""
        if status in CORRECTING:
            self.corrected = True
            self.corrected_at = max(filter(None, (self.corrected_at, at)), default=None)
        elif not self.withdrawn or self.withdrawn_at is not None:
            self.withdrawn_at = max(at, self.withdrawn_at or at) if at is not None else None
            self.withdrawn = True

    def overtakes(self, status: str, at: datetime | None) -> str:
        """The note that a result of this status and time gets, if any. The correction of a correction must be the later one."""
        if self.withdrawn and (at is None or self.withdrawn_at is None or at <= self.withdrawn_at):
            return "withdrawn"
        if status not in CORRECTING:
            return "superseded" if self.corrected else ""
        return "superseded" if self.corrected_at is not None and at is not None and at < self.corrected_at else ""


def overtaken(read: Iterable[Read], changed: Iterable[Changed]) -> dict[int, Note]:
    """The records that a later version replaced or withdrew, by identity, and why.

    One result is known by its id or an identifier (its accession number) to be the same as another of the same analyte; a
    correction also by the very time of the sample.
    """
    later = defaultdict[tuple[str, ...], _Later](_Later)
    for concept, status, resource in changed:
        at = _issued(resource)
        if status not in WITHDRAWN:
            for name in _replaced(concept, resource):
                later[name].add("corrected", at)
        if status != "final":
            for name in _names(concept, resource, timed=status in CORRECTING):
                later[name].add(status, at)
    found: dict[int, Note] = {}
    for record, status, resource in read:
        known = [later[name] for name in _names(record.concept, resource, timed=True) if name in later]
        said = {one.overtakes(status, _issued(resource)) for one in known}
        if key := next((key for key in ("withdrawn", "superseded") if key in said), ""):
            found[id(record)] = Note(key, record.reference, record.concept, "")
    return found


def _names(concept: str, resource: Observation, timed: bool) -> Iterator[tuple[str, ...]]:
    """What a result of one analyte may be known by. A day alone has room for two samples, and is no time."""
    if isinstance(resource.id, str) and resource.id:
        yield concept, "id", resource.id
    when = resource.effectiveDateTime
    day = when[: len("2026-11-01")] if isinstance(when, str) else ""
    for identifier in objects(opened(resource.identifier)):
        if text(identifier.get("value")):  # of a standing order all samples may have one
            yield concept, "identifier", text(identifier.get("system")), text(identifier["value"]), day
    if timed and isinstance(when, str) and len(when) > len(day):
        yield concept, "time", _instant(when)


def _instant(when: str) -> str:
    """A time in one spelling, in UTC where it says its zone; what is no time, as it is."""
    try:
        at = datetime.fromisoformat(when)
    except ValueError:
        return when
    return (at.astimezone(UTC) if at.tzinfo is not None else at).isoformat()


def _replaced(concept: str, resource: Observation) -> Iterator[tuple[str, ...]]:
    """What a result of DSTU2 or STU3 says that it replaces."""
    for related in objects(opened(resource.related)):
        if code(related.get("type")) == "replaces" and (target := local_id(related.get("target"))):
            yield concept, "id", target


def _issued(resource: Observation) -> datetime | None:
    """When it was released; None where that is not said, or not in which zone."""
    try:
        at = datetime.fromisoformat(text(resource.issued))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def once_each(records: Sequence[Record], notes: list[Note]) -> tuple[Record, ...]:
    """Results without those that repeat another of the same name, day and value, as a panel and its member do."""
    known: set[tuple[Any, ...]] = set()
    kept: list[Record] = []
    for record in records:
        what = (record.name.casefold(), record.day, _said(record))
        if record.day is not None and what in known:
            notes.append(Note("duplicate", record.reference, record.concept, ""))
        else:
            known.add(what)
            kept.append(record)
    return tuple(kept)


def _said(record: Record) -> tuple[Any, ...]:
    if isinstance(record, Measurement):
        return record.value, record.scale, record.upper_limit
    return (record.positive if isinstance(record, Finding) else record.reference,)
