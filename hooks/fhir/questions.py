"""What an Observation asks, by its code: the concepts of our value sets, by standard codes, the client's own, or words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from cds.codes import Measures
from cds.content import Library
from cds.terms import Said
from hooks.fhir.elements import codings, is_named, objects, opened, text, wording
from hooks.fhir.local import Local
from hooks.fhir.resources import Observation


_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 2048
_OF_OBSERVATIONS = ("measurement", "finding")
_SERUM = ("serum", "plasma", "血清", "血浆")


class Asked(Struct, frozen=True):
    """One concept of a question, measured or answered in words.

    `serum_only`: only serum or plasma will do. `measures`: what the code says that the unit counts.
    """

    concept: str
    measured: bool
    serum_only: bool = False
    measures: Measures | None = None


class Question(Struct, frozen=True):
    """What an Observation or a component is about. `named`: is there any code or word? What names nothing may be anything."""

    asked: tuple[Asked, ...]
    name: str
    named: bool


class Questions:
    """Reads codes against the value sets of one library and the agreements with one client."""

    def __init__(self, library: Library, local: Local) -> None:
        """Keep the tables, and what the bytes of a code mean: a hospital has a few thousand tests, and sends no others."""
        self._terms = library.terms["observation"]
        kinds = {name: value_set.kind for name, value_set in library.value_sets.items()}
        self._local = {pair: name for pair, name in local.codes.items() if kinds.get(name) in _OF_OBSERVATIONS}
        self._measured = frozenset(name for name, kind in kinds.items() if kind == "measurement")
        self._known: dict[bytes, Question] = {}

    def of(self, element: bytes) -> Question:
        """What a code asks."""
        found = self._known.get(element)
        if found is not None:
            return found
        question = self._read(_as_concept(opened(element)))
        if len(element) <= _LONGEST_REMEMBERED:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[element] = question
        return question

    def _read(self, concept: dict[str, Any]) -> Question:
        """What a client has agreed on comes first. Words are consulted only where no code of a known system is beside them."""
        pairs, name = codings(concept), wording(concept)
        agreed = dict.fromkeys(self._local[pair] for pair in pairs if pair in self._local)
        if agreed:
            return Question(tuple(map(self._plainly, agreed)), name, named=True)
        found: dict[str, list[Asked]] = {}
        coded = False
        for system, value in pairs:
            if matches := self._terms.of_code(system, value):
                coded = True
                for match, entry in matches:
                    found.setdefault(match, []).append(
                        Asked(match, match in self._measured, entry.needs_specimen, entry.measures)
                    )
            elif not coded:
                coded = self._terms.knows_system(system)
        if coded:
            return Question(tuple(map(_together, found.values())), name, named=True)
        said = self._terms.of_text(name).items() if name else ()
        return Question(tuple(self._plainly(match) for match, how in said if how is Said.STATED), name, is_named(concept))

    def _plainly(self, concept: str) -> Asked:
        return Asked(concept, concept in self._measured)


def _together(asked: list[Asked]) -> Asked:
    """Several codes for one concept: one that needs no specimen is enough, and codes of two kinds of unit contradict none."""
    kinds = {one.measures for one in asked}
    first = asked[0]
    measures = kinds.pop() if len(kinds) == 1 else None
    return Asked(first.concept, first.measured, all(one.serum_only for one in asked), measures)


def _as_concept(value: Any) -> dict[str, Any]:
    """A CodeableConcept from what was sent in its place: a Coding, an array of either, or a bare string."""
    if isinstance(value, str):
        return {"text": value}
    parts = [part if "coding" in part or "text" in part else {"coding": [part]} for part in objects(value)]
    if len(parts) == 1:
        return parts[0]
    words = next((text(part.get("text")) for part in parts if text(part.get("text"))), "")
    return {"coding": [coding for part in parts for coding in objects(part.get("coding"))], "text": words}


def from_serum(name: str, resource: Observation) -> bool:
    """Does the record say that this was serum or plasma, where the code alone does not?"""
    words = f"{name} {' '.join(_specimens(resource))}".lower()
    return any(word in words for word in _SERUM)


def _specimens(resource: Observation) -> Iterator[str]:
    for specimen in objects(opened(resource.specimen)):
        yield text(specimen.get("display"))
