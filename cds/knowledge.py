"""What clinicians sign: numbers, words, references and code lists as pydantic models that refuse anything they do not know."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cds.advice import Route, Urgency
from cds.codes import SYSTEMS


Checked = Literal["seen", "weak", "unverified", "design"]
"""How far a number may be trusted: found in the cited public source; found only in a secondary one; nobody has looked it
up; or our own engineering choice, for which no clinical source is claimed."""

Number = bool | int | float
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]

Plain = Annotated[Text, Field(pattern=r"^[^{}]+$")]
"""A text that is shown as it stands, among templates that are filled in."""

SUMMARY_LIMIT = 140
"""CDS Hooks: a summary has fewer characters than this (RESP-04)."""


class Signed(BaseModel):
    """Base of all knowledge: frozen, and an unknown key is an error and not a comment."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Reference(Signed):
    """A source: its short label for a card, what it is, who issued it, when, and where it can be read."""

    label: Text
    title: Plain
    publisher: Plain
    date: datetime.date | Plain
    url: Annotated[str, Field(pattern=r"^https://[^\s{}]+$")] | None = None
    note: Text | None = None


class DatedValue(Signed):
    """The value of a parameter from one date on, and on whose authority."""

    value: Number
    cite: tuple[Text, ...] = Field(min_length=1)


class Parameter(Signed):
    """A number the logic uses. A site may set it within `sites_may_set`; None there means no site may."""

    means: Text
    unit: Text
    sites_may_set: tuple[float, float] | None
    checked: Checked
    checked_on: datetime.date
    values: dict[datetime.date, DatedValue] = Field(min_length=1)

    def on(self, day: datetime.date) -> DatedValue:
        """The value in force on a day; before the first date, the first value."""
        begun = [start for start in self.values if start <= day]
        return self.values[max(begun)] if begun else self.values[min(self.values)]

    @model_validator(mode="after")
    def _defaults_lie_in_their_own_range(self) -> Parameter:
        if self.sites_may_set is not None:
            low, high = self.sites_may_set
            for value in self.values.values():
                if not low <= value.value <= high:
                    raise ValueError(f"value {value.value} lies outside sites_may_set {low} to {high}")
        return self


class Words(Signed):
    """One advice in one language. All are Markdown templates; `summary` is one sentence for the top of the card."""

    summary: Text
    finding: Text
    rule: Text
    limits: Text | None = None


class AdviceWords(Signed):
    """How loud one advice is, what it rests on, and how it is said."""

    urgency: Urgency
    cite: tuple[Text, ...] = Field(min_length=1)
    en: Words


class NoteWords(Signed):
    """An optional paragraph that an advice may ask for."""

    cite: tuple[Text, ...] = ()
    en: Text


class Rule(Signed):
    """The signed half of a rule: for whom it speaks, about which question, and in which words."""

    title: Text
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,100}$")]
    scopes: tuple[Name, ...] = Field(min_length=1)
    safety_critical: bool = False
    overrides: tuple[Name, ...] = Field(min_length=1)
    advice: dict[Name, AdviceWords] = Field(min_length=1)
    notes: dict[Name, NoteWords] = {}


class Topic(Signed):
    """One YAML file beside a module of facts or rules.

    notes: by the fact that chooses them, the words of notes that any rule standing on this fact may show.
    """

    parameters: dict[Name, Parameter] = {}
    rules: dict[Name, Rule] = {}
    notes: dict[Name, dict[Name, NoteWords]] = {}
    labels: dict[Name, dict[str, Text]] = {}


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
    own_limit: the laboratory's own upper limit overrides ours. unit_optional: there is only one way to report a number.
    positive, negative: the answers that make a finding so. forms: the words that tell one form of a medicine from another.
    """

    kind: Literal["measurement", "finding", "condition", "procedure", "allergy", "medicine", "route", "answer"]
    title: dict[str, Text]
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
    qualifier: dict[str, Text] = {}
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


class SiteNumber(Signed):
    """One number a hospital sets differently, with its reason and the person who answers for it."""

    value: Number
    reason: Text
    approved_by: Text
    approved_on: datetime.date


class SitePolicy(Signed):
    """One hospital's policy: its numbers, each within the range the knowledge allows."""

    site: Text
    parameters: dict[Name, SiteNumber] = {}


class StandingWords(Signed):
    """Words every card shares: headings, standing limits, override reasons, queries and how they ended, units, forms, routes."""

    unknown: Text
    nothing: Text
    no_result: Text
    undated: Text
    entries: Text
    yes: Text
    no: Text
    at_least: Text
    headings: dict[Name, Plain]
    limits: tuple[Plain, ...] = Field(min_length=1)
    overrides: dict[Name, Text]
    queries: dict[Name, Text]
    retrieval: dict[Text, Text]
    checked: dict[Name, Text]
    routes: dict[Name, Text]
    forms: dict[Name, Text]
    units: dict[Text, str]
    schedules: dict[Name, Text]
    suggestions: dict[Name, Text]
    facts: dict[Name, Text]
    notes: dict[Name, Text]
