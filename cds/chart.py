"""What we were told of one patient, in the words and units of medicine, each record still knowing the resource it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from cds.days import Day
from cds.intervals import Interval


Retrieval = Literal["retrieved", "not supplied", "failed", "incomplete"]
"""How a query ended. Only "retrieved" lets absence mean "none recorded"."""


@dataclass(frozen=True, slots=True)
class Record:
    """Anything on the chart: the FHIR reference it was read from, the value set it matched, its own name and its day."""

    reference: str
    concept: str
    name: str
    day: Day | None


@dataclass(frozen=True, slots=True)
class Measurement(Record):
    """A usable numeric result. `value` is in `scale`; `reported` is what the laboratory wrote, e.g. "<150 pmol/L"."""

    value: Interval
    scale: str
    reported: str
    upper_limit: float | None = None


@dataclass(frozen=True, slots=True)
class NoResult:
    """We looked, and there is no usable result. Not the same as None: nobody could look."""

    def __bool__(self) -> Literal[False]:
        return False


NO_RESULT = NoResult()


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """A coded or worded observation: positive, negative, or (None) worded in a way nobody should guess at."""

    positive: bool | None


@dataclass(frozen=True, slots=True)
class Condition(Record):
    """A problem or diagnosis that counts: not refuted, not entered in error, active unless history counts for its set."""

    certain: bool


@dataclass(frozen=True, slots=True)
class Procedure(Record):
    """A procedure that was done. `length_cm` is a resected length where the record states one; `complete` where it says all."""

    length_cm: float | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Allergy(Record):
    """An active allergy or intolerance."""


DoseUnit = Literal["ug", "unit", "mL", "spray"]
"""A dose by mass, or by counting tablets and capsules, millilitres or sprays."""


@dataclass(frozen=True, slots=True)
class Dosage:
    """One dosage line: `amount` of `unit` each time, at most `per_day` times a day; None wherever it could not be read."""

    amount: float | None
    unit: DoseUnit | None
    per_day: float | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Strength:
    """What one `per` (a tablet or capsule, 1 mL, one spray) contains, in ug."""

    ug: float
    per: DoseUnit


@dataclass(frozen=True, slots=True)
class Medicine(Record):
    """A medicine on record: ordered or stated, being taken or not. On record is not the same as swallowed.

    `day` is the start; `end` the last day known; `current` whether it is being taken today as far as the record says.
    """

    end: Day | None
    current: bool
    self_reported: bool
    form: str | None = None
    route: str | None = None
    strengths: Mapping[str, Strength] = field(default_factory=dict)
    dosages: tuple[Dosage, ...] = ()


@dataclass(frozen=True, slots=True)
class Patient:
    """The person: birth date (maybe only a year), administrative gender, and whether the record says they have died."""

    reference: str
    birth: Day | None
    gender: str | None
    deceased: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A data-quality note: why something was left out or doubted (`key` finds the words), in which resource, of which concept.

    `detail` may quote what was reported: for clinicians, never for a log.
    """

    key: str
    reference: str
    concept: str
    detail: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One patient on one day. Records are kept by concept, newest first; `retrieved` says how the query for each kind ended."""

    today: date
    patient: Patient
    retrieved: Mapping[str, Retrieval]
    records: Mapping[str, Mapping[str, tuple[Record, ...]]]
    notes: tuple[Note, ...] = ()
