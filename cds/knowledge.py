"""What clinicians sign: numbers, words and references as pydantic models; `cds.concepts` holds the code lists."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cds.advice import Urgency
from cds.signed import InBoth, Language, Name, Plain, Signed, Text


Checked = Literal["seen", "weak", "unverified", "design"]
"""How far a number may be trusted: found in the cited public source; found only in a secondary one; nobody has looked it
up; or our own engineering choice, for which no clinical source is claimed."""

Number = bool | int | float
MAX_CARDS = 4
"""So many cards at a time are read; more are clicked away (alert fatigue)."""

SUMMARY_LIMIT = 140
"""CDS Hooks: a summary has fewer characters than this (RESP-04)."""


class Citation(Signed):
    """How a source is named: its short label for a card, what it is, who issued it."""

    label: Text
    title: Plain
    publisher: Plain


class Reference(Citation):
    """A source, when it was issued (None: not recorded), and where it can be read. A publication keeps the name it bears."""

    date: datetime.date | Plain | None
    zh: Citation | None = Field(default=None, alias="zh-CN")
    url: Annotated[str, Field(pattern=r"^https://[^\s{}]+$")] | None = None
    note: InBoth[Text] | None = None

    def __getitem__(self, language: Language) -> Citation:
        """As it is named in a language."""
        return self.zh if language != "en" and self.zh is not None else self


class DatedValue(Signed):
    """The value of a parameter from one date on, and on whose authority."""

    value: Number
    cite: tuple[Text, ...] = Field(min_length=1)


class Parameter(Signed):
    """A number the logic uses, and what it means. A site may set it within `sites_may_set`; None there means no site may."""

    means: Text
    zh: Text = Field(alias="zh-CN")
    unit: Text
    sites_may_set: tuple[float, float] | None
    checked: Checked
    checked_on: datetime.date
    values: dict[datetime.date, DatedValue] = Field(min_length=1)

    def meaning(self, language: Language) -> str:
        """What it means, in a language."""
        return self.means if language == "en" else self.zh

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


class AdviceWords(InBoth[Words]):
    """How loud one advice is, what it rests on, and how it is said."""

    urgency: Urgency
    cite: tuple[Text, ...] = Field(min_length=1)


class NoteWords(InBoth[Text]):
    """An optional paragraph that an advice may ask for."""

    cite: tuple[Text, ...] = ()


class Rule(Signed):
    """The signed half of a rule: for whom it speaks, about which question, and in which words."""

    title: InBoth[Text]
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,100}$")]
    scopes: tuple[Name, ...] = Field(min_length=1)
    safety_critical: bool = False
    overrides: tuple[Name, ...] = Field(min_length=1)
    advice: dict[Name, AdviceWords] = Field(min_length=1)
    notes: dict[Name, NoteWords] = {}


class Docstrings(Signed):
    """What the docstrings of a module and of its facts and rules say, in another language than English.

    about: of the module, its first line. means: by fact or rule, the whole; its first line says as much as the first line there.
    """

    about: Text
    means: dict[Name, Text]


class Topic(Signed):
    """One YAML file beside a module of facts or rules.

    notes: by the fact that chooses them, the words of notes that any rule standing on this fact may show.
    """

    zh: Docstrings = Field(alias="zh-CN")
    parameters: dict[Name, Parameter] = {}
    rules: dict[Name, Rule] = {}
    notes: dict[Name, dict[Name, NoteWords]] = {}
    labels: dict[Name, dict[str, InBoth[Text]]] = {}


class SiteChoice(Signed):
    """Something a hospital settles differently: its reason, and the person who answers for it."""

    reason: Text
    approved_by: Text
    approved_on: datetime.date


class SiteNumber(SiteChoice):
    """One number a hospital sets differently."""

    value: Number


class SitePolicy(Signed):
    """One hospital's policy: language and number of its cards, and its numbers, each within the range the knowledge allows.

    max_cards: so many cards at most, except that critical ones are never held back. silent: rules of which only what is critical
    is shown; the rest is evaluated and recorded.
    """

    site: Text
    language: Language = "en"
    max_cards: int = Field(default=MAX_CARDS, ge=1, le=8)
    silent: dict[Name, SiteChoice] = {}
    parameters: dict[Name, SiteNumber] = {}


class DataElement(Signed):
    """One kind of data about people whose use must be disclosed: where the chart holds it, and what is to be said about its use.

    patient: attributes of the patient's own data. value_sets: the concepts that tell it.
    """

    title: InBoth[Text]
    patient: tuple[Name, ...] = ()
    value_sets: tuple[Name, ...] = ()
    note: InBoth[Text]


class SourceAttributes(Signed):
    """What a user of decision support must be able to look up about it, as far as it is not derived from rules and references.

    released: the day of the release, None for a version that is not released.
    """

    regulation: Text
    kind: Text
    developer: InBoth[Text]
    funding: InBoth[Text]
    released: datetime.date | None
    elements: dict[Name, DataElement] = Field(min_length=1)


class StandingWords(Signed):
    """Words every card shares: headings, standing limits, override reasons, queries and how they ended, units, forms, routes.

    joined, listed, beside: what stands between clauses, between words, between the parts of an aside. brackets: around an aside.
    colon: between a name and its value. concerning: what is said of one record; and_others: of several. given: what every chart
    has. shown: what is said of a value in a trace. unchecked: what is said where nothing could be concluded. resting: why a card
    is held back. codes: FHIR's words for a state in ours, where they cannot stay as they are.
    """

    unknown: Text
    nothing: Text
    no_result: Text
    undated: Text
    no_date: Text
    entries: Text
    yes: Text
    no: Text
    at_least: Text
    range: Text
    preferred: Text
    joined: str
    listed: str
    beside: str
    brackets: tuple[str, str]
    colon: str
    concerning: Text
    and_others: Text
    headings: dict[Name, Plain]
    limits: tuple[Plain, ...] = Field(min_length=1)
    overrides: dict[Name, Text]
    queries: dict[Name, Text]
    given: dict[Name, Text]
    shown: dict[Name, Text]
    retrieval: dict[Text, Text]
    checked: dict[Name, Text]
    routes: dict[Name, Text]
    forms: dict[Name, Text]
    units: dict[Text, str]
    schedules: dict[Name, Text]
    suggestions: dict[Name, Text]
    unchecked: dict[Name, Text]
    resting: dict[Name, Text]
    facts: dict[Name, Text]
    notes: dict[Name, Text]
    codes: dict[Text, Text] = {}
