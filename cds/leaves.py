"""Facts read straight from the chart. A module of facts declares the leaves it introduces; their variable names name the facts.

A leaf is a tuple of records, newest first. `()` means we looked and there is none recorded; None means nobody could tell us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from cds.chart import Allergy, Condition, Finding, Measurement, Medicine, Patient, Procedure, Retrieval


Query = Literal["labs", "conditions", "procedures", "allergies", "medicines"]
"""The five questions a chart answers beside the patient's own data; `hooks` turns each into FHIR searches."""


@dataclass(frozen=True)
class Leaf:
    """The records of one concept, from one query: the matching ones, or () only if the query was answered, and clearly."""

    kind: str
    concept: str
    query: Query
    type: Any


@dataclass(frozen=True)
class Given:
    """The attribute of the chart that is always there: the patient, the day."""

    attribute: str
    type: Any


patient = Given("patient", Patient)
today = Given("today", date)
retrieved = Given("retrieved", Mapping[str, Retrieval])
drafts = Given("drafts", tuple[Medicine, ...])
chosen = Given("chosen", tuple[Medicine, ...])
unclear = Given("unclear", tuple[str, ...])

GIVEN = {given.attribute: given for given in (patient, today, retrieved, drafts, chosen, unclear)}
"""What every chart has, by the name under which facts ask for it."""


def measured(concept: str) -> Leaf:
    """Numeric results of one analyte."""
    return Leaf("measurement", concept, "labs", tuple[Measurement, ...])


def observed(concept: str) -> Leaf:
    """Coded or worded results of one kind."""
    return Leaf("finding", concept, "labs", tuple[Finding, ...])


def has(concept: str) -> Leaf:
    """Problems and diagnoses of one value set."""
    return Leaf("condition", concept, "conditions", tuple[Condition, ...])


def had(concept: str) -> Leaf:
    """Procedures of one value set."""
    return Leaf("procedure", concept, "procedures", tuple[Procedure, ...])


def allergic_to(concept: str) -> Leaf:
    """Allergies and intolerances of one value set."""
    return Leaf("allergy", concept, "allergies", tuple[Allergy, ...])


def taking(concept: str) -> Leaf:
    """Medicines on record of one drug class: current, ended or planned."""
    return Leaf("medicine", concept, "medicines", tuple[Medicine, ...])
