"""The units cds thinks in: per analyte, which unit strings are understood and what they are worth. A unit is never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from cds.codes import Measures


_OF_MASS = re.compile(r"[munpk]?g/")


@dataclass(frozen=True, slots=True)
class Unit:
    """One way to report an analyte: multiply by `factor` to get the value in `scale`, the unit its thresholds are written in.

    An analyte may have two scales (B12: pg/mL and pmol/L), because guidelines publish a pair of rounded cut-offs and a
    conversion between them would move a patient across one. `at_most` is the largest number that can honestly carry this unit.
    """

    symbol: str
    scale: str
    factor: float
    at_most: float | None = None

    @property
    def measures(self) -> Measures | None:
        """Does it count mass or moles? None for what counts neither (cells, activity, equivalents)."""
        return "moles" if "mol" in self.symbol else "mass" if _OF_MASS.match(self.symbol) else None

    def in_scale(self, value: float) -> float:
        """A value reported in this unit, in its scale. Rounded to 10 digits: 0.35 ng/mL is exactly 350 pg/mL."""
        return value if self.factor == 1 else float(f"{value * self.factor:.10g}")


def spelling(text: str) -> str:
    """A unit string in the form the tables are kept in: NFKC, micro sign and Greek mu as "u", no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).split()).replace("μ", "u")


def spellings_of(symbol: str) -> Iterable[str]:
    """The harmless variants of a UCUM symbol: all capitals (HL7 v2 feeds), small l for litre, "mc" for micro.

    Mixed case is no variant: "Mmol" is not "mmol".
    """
    plain = spelling(symbol)
    for form in (plain, plain.replace("ug", "mcg").replace("umol", "mcmol")):
        yield form
        yield form.replace("L", "l")
        yield form.upper()


class UnitTable:
    """The units of one analyte by every accepted spelling."""

    def __init__(self, units: Iterable[tuple[Unit, Iterable[str]]]) -> None:
        """`units`: each unit with the further spellings its value set lists. Raises ValueError where two units share one."""
        self._by_spelling: dict[str, Unit] = {}
        for unit, also in units:
            for text in (*spellings_of(unit.symbol), *(spelling(other) for other in also)):
                other = self._by_spelling.setdefault(text, unit)
                if (other.scale, other.factor) != (unit.scale, unit.factor):
                    raise ValueError(f"{text!r} would mean both {other.symbol} and {unit.symbol}")

    def find(self, text: str) -> Unit | None:
        """The unit a string names, or None."""
        return self._by_spelling.get(text) or self._by_spelling.get(spelling(text))
