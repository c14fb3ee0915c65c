"""What a reported number means: its unit, by text and code or as the client has agreed, its scale, and whether it can be true."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from cds.codes import Measures
from cds.content import Library
from cds.intervals import COMPARATORS, Interval, interval
from cds.units import Unit
from cds.wording import number as written
from hooks.fhir.elements import UCUM
from hooks.fhir.local import Local
from hooks.fhir.quantities import READ_USUAL, Reported, Usual


_UNIT_SYSTEMS = ("", *UCUM)
_LONGEST_REMEMBERED = 256


class Meant(msgspec.Struct, frozen=True):
    """A number that can be used, as an interval of its unit's scale, and as the laboratory wrote it.

    `own_limit`: the laboratory's own upper limit counts for this analyte. `contradicts`: the LOINC code is that of a mass and the
    unit one of moles, or the other way round. The unit is what was printed beside the number, and wins.
    """

    value: Interval
    unit: Unit
    shown: str
    own_limit: bool
    contradicts: bool


class Refused(msgspec.Struct, frozen=True):
    """A number that cannot be used: the key of the note that says why, and what it quotes."""

    why: str
    quoted: str


class Scales:
    """Reads numbers with their units against the value sets of one library and the agreements with one client."""

    def __init__(self, library: Library, local: Local) -> None:
        """Keep the tables, and what was last made of Quantities: most analytes have a few hundred values in all the world."""
        self._sets = library.value_sets
        self._units = library.units
        self._local = local.units
        self._unit = lru_cache(maxsize=4096)(self._unit_of)
        self._remembered = lru_cache(maxsize=8192)(self._usual)

    def usual(self, concept: str, measures: Measures | None, element: bytes) -> Meant | Refused | None:
        """What the bytes of a Quantity mean; None where it is not written as the standard has it."""
        read = self._remembered if len(element) <= _LONGEST_REMEMBERED else self._usual
        return read(concept, measures, element)

    def _usual(self, concept: str, measures: Measures | None, element: bytes) -> Meant | Refused | None:
        try:
            given = READ_USUAL.decode(element)
        except msgspec.ValidationError:
            return None
        return self.of(concept, measures, given.value, given)

    def of(self, concept: str, measures: Measures | None, value: float, given: Usual | Reported) -> Meant | Refused:
        """What a number means as a result of a concept. `measures`: what its LOINC code says that the unit counts."""
        code = given.code.strip() if given.system.strip() in _UNIT_SYSTEMS else ""  # other codes are no units
        text = given.unit.strip()
        unit = self._unit(concept, text, code)
        sign = given.comparator or ""
        if isinstance(unit, str):
            named = " / ".join(dict.fromkeys(filter(None, (text, code))))
            return Refused(unit, f"{sign}{written(value)} {named}".rstrip())
        known = _alike(self.find(concept, text), unit)  # a text nobody knows is not repeated
        shown = f"{sign}{written(value)} {text if known else unit.symbol}"
        if sign and sign not in COMPARATORS:
            return Refused("comparator", shown)
        value_set = self._sets[concept]
        low, high = value_set.plausible[unit.scale]
        scaled = unit.in_scale(value)
        if not low <= scaled <= high or (unit.at_most is not None and value > unit.at_most):
            return Refused("implausible", shown)
        contradicts = measures is not None and unit.measures not in (None, measures)
        return Meant(interval(scaled, sign or None), unit, shown, value_set.own_limit, contradicts)

    def _unit_of(self, concept: str, unit: str, code: str) -> Unit | str:
        """The unit, or the key of the note that says why there is none. A code nobody knows is not overruled by the text."""
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
