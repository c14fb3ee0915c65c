"""What we were told of one patient, in the words and units of medicine, each record still knowing the resource it came from.

Records are made by the hundred for each decision, which is why they are Structs: frozen like the dataclasses elsewhere, and made
in a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from msgspec import Struct

from cds.days import Day
from cds.intervals import Interval


Retrieval = Literal["retrieved", "not supplied", "failed", "incomplete"]
"""How a query ended. Only "retrieved" lets absence mean "none recorded"."""


class Record(Struct, frozen=True, gc=False):
    """Anything on the chart: the FHIR reference it was read from, the value set it matched, its own name and its day."""

    reference: str
    concept: str
    name: str
    day: Day | None


class Measurement(Record, frozen=True, gc=False):
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


class Finding(Record, frozen=True, gc=False):
    """A coded or worded observation: positive, negative, or (None) worded in a way nobody should guess at."""

    positive: bool | None


class Condition(Record, frozen=True, gc=False):
    """A problem or diagnosis that counts: not refuted, not entered in error, active unless history counts for its set."""

    certain: bool


class Procedure(Record, frozen=True, gc=False):
    """A procedure that was done. `length_cm` is a resected length where the record states one; `complete` where it says all."""

    length_cm: float | None = None
    complete: bool = False


class Allergy(Record, frozen=True, gc=False):
    """An active allergy or intolerance."""


DoseUnit = Literal["ug", "unit", "mL", "spray", "container"]
"""A dose by mass, or by counting tablets and capsules, millilitres, sprays, or ampoules, vials and syringes."""


class Dosage(Struct, frozen=True, gc=False):
    """One dosage line: `amount` of `unit` each time, at most `per_day` times a day; None wherever it could not be read.

    `mass_ug`: what a counted dose comes to, in ug, where the line itself says so. `most` of `most_unit` in a day is never
    exceeded, however often it may be taken.
    """

    amount: float | None
    unit: DoseUnit | None
    per_day: float | None
    text: str = ""
    mass_ug: float | None = None
    most: float | None = None
    most_unit: DoseUnit | None = None


class Strength(Struct, frozen=True, gc=False):
    """What one `per` (a tablet or capsule, 1 mL, one spray) contains, in ug; None where the record contradicts itself."""

    ug: float | None
    per: DoseUnit


class Medicine(Record, frozen=True, gc=False):
    """A medicine on record: ordered or stated, being taken or not. On record is not the same as swallowed.

    `day` is the start; `end` the last day known; `current` whether it is being taken today as far as the record says.
    `container_ml`: what one ampoule, vial or syringe of it holds. `set_aside`: of B12, not current as it is on hold, or as nobody
    can tell whether it is taken.
    """

    end: Day | None
    current: bool
    self_reported: bool
    form: str | None = None
    route: str | None = None
    strengths: Mapping[str, Strength] = {}
    container_ml: float | None = None
    dosages: tuple[Dosage, ...] = ()
    set_aside: bool = False


class Patient(Struct, frozen=True, gc=False):
    """The person: birth date (maybe only a year), administrative gender, and whether the record says they have died."""

    reference: str
    birth: Day | None
    gender: str | None
    deceased: bool


class Note(Struct, frozen=True, gc=False):
    """A data-quality note: why something was left out or doubted (`key` finds the words), in which resource, of which concept.

    `detail` may quote what was reported: for clinicians, never for a log.
    """

    key: str
    reference: str
    concept: str
    detail: str


class Chart(Struct, frozen=True, gc=False):
    """One patient on one day. Records are kept by concept, newest first; `retrieved` says how the query for each kind ended.

    `drafts`: what is ordered or refilled right now and not yet on record; `chosen`: those of them that the question is about.
    `unclear`: concepts named by something of which nobody can tell whether it is so: without a record of them, they are unknown.
    """

    today: date
    patient: Patient
    retrieved: Mapping[str, Retrieval]
    records: Mapping[str, tuple[Record, ...]]
    notes: tuple[Note, ...] = ()
    drafts: tuple[Medicine, ...] = ()
    chosen: tuple[Medicine, ...] = ()
    unclear: tuple[str, ...] = ()
