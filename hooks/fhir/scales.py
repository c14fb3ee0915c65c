"""In which unit a result is: text and code must agree on one that its analyte knows, or the client has said what it means."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct

from cds.codes import Measures
from cds.content import Library
from cds.units import Unit
from hooks.fhir.elements import UCUM
from hooks.fhir.local import Local
from hooks.fhir.quantities import LONGEST


_UNIT_SYSTEMS = ("", *UCUM)


class Scale(Struct, frozen=True):
    """A unit that is understood: how it is shown, the range in which a value of it is plausible, and whether the code differs.

    `contradicts`: the LOINC code is that of a mass and the unit one of moles, or the other way round. The unit is what was
    printed beside the number, and wins.
    """

    unit: Unit
    shown: str
    low: float
    high: float
    contradicts: bool


class Scales:
    """Reads units against the value sets of one library and the agreements with one client."""

    def __init__(self, library: Library, local: Local) -> None:
        """Keep the tables."""
        self._sets = library.value_sets
        self._units = library.units
        self._local = local.units
        self._remembered = lru_cache(maxsize=4096)(self._of)

    def of(self, concept: str, measures: Measures | None, unit: str, system: str, code: str) -> Scale | str:
        """The scale of a result of a concept, or the key of the note that says why there is none.

        `measures`: what its LOINC code says that the unit counts. A code of a system that is not UCUM is no unit.
        """
        read = self._remembered if len(unit) + len(system) + len(code) <= LONGEST else self._of
        return read(concept, measures, unit, system, code)

    def _of(self, concept: str, measures: Measures | None, unit: str, system: str, code: str) -> Scale | str:
        unit, code = unit.strip(), code.strip() if system.strip() in _UNIT_SYSTEMS else ""
        found = self._unit(concept, unit, code)
        if isinstance(found, str):
            return found
        shown = unit if _alike(self.find(concept, unit), found) else found.symbol  # a text nobody knows is not repeated
        low, high = self._sets[concept].plausible[found.scale]
        if found.at_most is not None:
            high = min(high, found.in_scale(found.at_most))
        return Scale(found, shown, low, high, measures is not None and found.measures not in (None, measures))

    def _unit(self, concept: str, unit: str, code: str) -> Unit | str:
        """A code nobody knows is not overruled by the text beside it."""
        said: Mapping[str, str] = self._local.get(concept, {})
        unit, code = said.get(unit, unit) if unit else "", said.get(code, code) if code else ""
        if not unit and not code:
            meant = said.get("") or (self._sets[concept].canonical if self._sets[concept].unit_optional else None)
            return self.find(concept, meant or "") or "unit_missing"
        worded, coded = self.find(concept, unit), self.find(concept, code or unit)
        if worded is not None and not _alike(worded, coded):
            return "unit_conflict"
        return coded or "unit"

    def find(self, concept: str, unit: str) -> Unit | None:
        """The unit of a concept that a string names by itself."""
        return self._units[concept].find(unit) if unit else None


def _alike(one: Unit | None, other: Unit | None) -> bool:
    """Are these two known, and worth the same?"""
    return one is not None and other is not None and (one.scale, one.factor) == (other.scale, other.factor)
