"""Value sets as pydantic models: a clinical concept with its codes, its names in free text, and its units."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from cds.advice import Route
from cds.codes import SYSTEMS, Measures
from cds.signed import InBoth, Name, Signed, Text


class UnitEntry(Signed):
    """One accepted unit of a measurement: its UCUM symbol, its worth, and spellings beyond the regular variants."""

    unit: Text
    factor: float
    scale: Text | None = None
    also: tuple[Text, ...] = ()
    at_most: float | None = None


class OrderAs(Signed):
    """Marks the product we propose for a dose of `ug` by these routes."""

    routes: tuple[Route, ...]
    ug: float


class Code(Signed):
    """One code: which system, what it stands for in our short label, where it was seen and how well it was verified."""

    system: str
    code: Text
    label: Text
    source: Text
    verified: Literal["seen", "partly", "unverified"]
    form: Name | None = None
    order_as: OrderAs | None = None
    needs_specimen: bool = False
    query: bool = True

    @property
    def measures(self) -> Measures | None:
        """What a result under this code counts, where its label says so."""
        kinds: tuple[Measures, ...] = ("mass", "moles")
        return next((kind for kind in kinds if f"{kind}/volume" in self.label), None)

    @model_validator(mode="after")
    def _is_written_as_its_system_writes(self) -> Code:
        if self.system not in SYSTEMS:
            raise ValueError(f"no coding system is called {self.system!r}")
        if not SYSTEMS[self.system].accepts(self.code):
            raise ValueError(f"{self.code!r} is not a {self.system} code (format or check digit)")
        return self


class TextPatterns(Signed):
    """Words that name the concept, unless one of `not` stands beside them, and not inside the longer words of `except_in`."""

    en: tuple[Text, ...] = ()
    zh: tuple[Text, ...] = ()
    without: tuple[Text, ...] = Field(default=(), alias="not")
    except_in: tuple[Text, ...] = ()


class ValueSet(Signed):
    """A clinical concept: its codes in every system, its names in free text, and for measurements its units.

    doubt_counts: what is only suspected counts, as unconfirmed. passing: what is told as history is over.
    instead_of: what matches here is not read as those concepts too (an eradication pack is no long-term PPI).
    order: the code under which we propose to order it.
    qualifier: said behind every result, where the analyte could be taken for another one in the same sentence.
    optional: nobody misses it where it was not measured.
    own_limit: the laboratory's own upper limit overrides ours. unit_optional: there is only one way to report a number.
    positive, negative: the answers that make a finding so. forms: the words that tell one form of a medicine from another.
    """

    kind: Literal["measurement", "finding", "condition", "procedure", "allergy", "medicine", "route", "answer"]
    title: InBoth[Text]
    codes: tuple[Code, ...]
    text: TextPatterns = TextPatterns()
    history_counts: bool = False
    doubt_counts: bool = False
    passing: bool = False
    instead_of: tuple[Name, ...] = ()
    order: Text | None = None
    canonical: Text | None = None
    plausible: dict[Text, tuple[float, float]] = {}
    units: tuple[UnitEntry, ...] = ()
    qualifier: InBoth[Text] | None = None
    optional: bool = False
    own_limit: bool = False
    unit_optional: bool = False
    positive: tuple[Name, ...] = ()
    negative: tuple[Name, ...] = ()
    forms: dict[Name, tuple[Text, ...]] = {}

    @model_validator(mode="after")
    def _can_be_matched_and_measured(self) -> ValueSet:
        if not self.codes and not (self.text.en or self.text.zh):
            raise ValueError("neither codes nor words: nothing could ever match")
        if self.kind == "measurement" and not (self.canonical and self.plausible and self.units):
            raise ValueError("a measurement needs canonical, plausible and units")
        scales = {entry.scale or self.canonical for entry in self.units}
        if scales != set(self.plausible):
            raise ValueError(f"plausible must give a range for {sorted(map(str, scales))} and nothing else")
        if self.order is not None and self.order not in {code.code for code in self.codes}:
            raise ValueError(f"order {self.order!r} is not among its own codes")
        return self
