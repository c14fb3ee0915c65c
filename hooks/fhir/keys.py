"""The prefetch keys: which query each answers, how it is searched for, and under what names it comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds.codes import SYSTEMS
from cds.content import Library
from cds.leaves import Leaf, Query
from hooks.fhir.local import STANDARD, Local
from hooks.fhir.resources import (
    AllergyIntolerance,
    Condition,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Procedure,
    Resource,
)


PATIENT = "{{context.patientId}}"


@dataclass(frozen=True)
class Key:
    """One prefetch key: the query it answers, the resource type it brings, its search, and the names others give it.

    `required`: without it there is no conclusion; the others make the answer more complete. Searches keep to what Epic,
    Oracle Health, athenahealth and US Core servers all answer: no `_sort`, no `:in`, no dates.
    """

    name: str
    query: Query
    brings: type[Resource]
    search: str
    aliases: tuple[str, ...]
    required: bool = True


KEYS = (
    Key(
        "labs",
        "labs",
        Observation,
        f"Observation?patient={PATIENT}&code=",
        ("observations", "observation", "laboratory", "results"),
    ),
    Key(
        "medications",
        "medicines",
        MedicationRequest,
        f"MedicationRequest?patient={PATIENT}&intent=order,plan",
        ("medicationrequests", "medicationrequest", "meds", "medicationorders"),
    ),
    Key(
        "statements",
        "medicines",
        MedicationStatement,
        f"MedicationStatement?patient={PATIENT}",
        ("medicationstatements", "medicationstatement", "homemedications"),
        required=False,
    ),
    Key("conditions", "conditions", Condition, f"Condition?patient={PATIENT}", ("condition", "problems", "problemlist")),
    Key("procedures", "procedures", Procedure, f"Procedure?patient={PATIENT}", ("procedure", "surgicalhistory"), required=False),
    Key(
        "allergies",
        "allergies",
        AllergyIntolerance,
        f"AllergyIntolerance?patient={PATIENT}",
        ("allergyintolerances", "allergyintolerance", "allergy"),
        required=False,
    ),
)
PATIENT_KEY = "patient"

BY_NAME: Mapping[str, str] = {name: key.name for key in KEYS for name in (key.name, *key.aliases)} | {PATIENT_KEY: PATIENT_KEY}
"""Our keys by every name we know them under."""


def names_with(aliases: Mapping[str, str]) -> Mapping[str, str]:
    """The names under which our keys are known, together with those that one client gives them."""
    return {**BY_NAME, **aliases} if aliases else BY_NAME


def key_named(name: str, names: Mapping[str, str] = BY_NAME) -> str | None:
    """Which key of ours a client means by a name, if any; also one that is written otherwise than those we know."""
    return names.get(name) or BY_NAME.get("".join(c for c in name.lower() if c.isalnum()))


def templates(library: Library, rules: Iterable[str], local: Local = STANDARD) -> dict[str, str]:
    """The prefetch templates a set of rules needs, in a fixed order: a query no rule stands on is not asked for.

    local: a client whose own codes of results are searched for as well.
    """
    needed = {name for rule in rules for name in library.graph.ancestors(rule)}
    leaves = [leaf for name, leaf in library.sources.items() if name in needed and isinstance(leaf, Leaf)]
    queries = {leaf.query for leaf in leaves}
    wanted = {PATIENT_KEY: f"Patient/{PATIENT}"}
    for key in KEYS:
        if key.query in queries:
            codes = [*_loinc(library, leaves), *_own(local, leaves)] if key.query == "labs" else []
            wanted[key.name] = key.search + ",".join(codes)
    return wanted


def _loinc(library: Library, leaves: Iterable[Leaf]) -> list[str]:
    uri = SYSTEMS["loinc"].uris[0]
    sets = [library.value_sets[leaf.concept] for leaf in leaves if leaf.query == "labs"]
    return [f"{uri}|{entry.code}" for value_set in sets for entry in value_set.codes if entry.system == "loinc" and entry.query]


def _own(local: Local, leaves: Iterable[Leaf]) -> list[str]:
    asked = {leaf.concept for leaf in leaves if leaf.query == "labs"}
    return [f"{system}|{code}" for (system, code), concept in local.codes.items() if concept in asked]
