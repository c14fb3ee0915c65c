"""Prefetch both ways: the templates we ask for, derived from what the rules read, and the state of each key that came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from cds.chart import Note, Retrieval
from cds.codes import SYSTEMS
from cds.content import Library
from cds.leaves import Leaf, Query
from hooks.fhir.elements import code, objects, opened, text
from hooks.fhir.resources import (
    READ_ANYTHING,
    READ_BUNDLE,
    READ_RESOURCE,
    READ_TYPES,
    AllergyIntolerance,
    Condition,
    MedicationRequest,
    MedicationStatement,
    Observation,
    OperationOutcome,
    Patient,
    Procedure,
    Resource,
    reference_of,
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

_BY_NAME = {name: key.name for key in KEYS for name in (key.name, *key.aliases)} | {PATIENT_KEY: PATIENT_KEY}
_BY_TYPE: Mapping[type, str] = {key.brings: key.name for key in KEYS} | {Patient: PATIENT_KEY}
_OF_QUERY = {query: [key for key in KEYS if key.query == query] for query in dict.fromkeys(key.query for key in KEYS)}
QUERY_OF_TYPE: Mapping[type, Query] = {key.brings: key.query for key in KEYS}


def templates(library: Library, rules: Iterable[str]) -> dict[str, str]:
    """The prefetch templates a set of rules needs, in a fixed order: a query no rule stands on is not asked for."""
    needed = {name for rule in rules for name in library.graph.ancestors(rule)}
    leaves = [leaf for name, leaf in library.sources.items() if name in needed and isinstance(leaf, Leaf)]
    queries = {leaf.query for leaf in leaves}
    wanted = {PATIENT_KEY: f"Patient/{PATIENT}"}
    for key in KEYS:
        if key.query in queries:
            wanted[key.name] = key.search + (",".join(_loinc(library, leaves)) if key.query == "labs" else "")
    return wanted


def _loinc(library: Library, leaves: Iterable[Leaf]) -> list[str]:
    uri = SYSTEMS["loinc"].uris[0]
    sets = [library.value_sets[leaf.concept] for leaf in leaves if leaf.query == "labs"]
    return [f"{uri}|{entry.code}" for value_set in sets for entry in value_set.codes if entry.system == "loinc" and entry.query]


KeyState = Literal["data", "null", "empty", "incomplete", "unasked", "failed", "garbage"]
"""What one key brought. An absent key has no state at all: nobody ran its query. `unasked`: known by its resources alone, so
that nobody can tell whether the query was ours."""

ANSWERED = ("data", "null", "empty")
"""The states in which what is not there does not exist."""

_RETRIEVAL: Mapping[KeyState, Retrieval] = {
    "data": "retrieved",
    "null": "retrieved",
    "empty": "retrieved",
    "incomplete": "incomplete",
    "unasked": "incomplete",
    "failed": "failed",
    "garbage": "failed",
}


class Value(msgspec.Struct, frozen=True):
    """One prefetch value, read: its state, its resources, and how many entries could not be read at all."""

    state: KeyState
    resources: tuple[Resource, ...] = ()
    unreadable: int = 0


@dataclass(frozen=True)
class Supplied:
    """What the request brought: resources by type, how each query ended, the state of each of our keys, and what was odd."""

    resources: Mapping[type, tuple[Any, ...]]
    retrieved: Mapping[str, Retrieval]
    keys: Mapping[str, KeyState]
    notes: tuple[Note, ...]


def unpack(prefetch: Mapping[str, bytes | msgspec.Raw]) -> Supplied:
    """Read every value that answers one of our queries, whatever the client called its key. Others are left alone (PREF-29).

    Raises msgspec.DecodeError or RecursionError for JSON that turns out to be broken or bottomless.
    """
    resources = defaultdict[type, dict[str, Any]](dict)
    states = defaultdict[str, list[KeyState]](list)
    notes: list[Note] = []
    for name, raw in prefetch.items():
        value = read_value(raw)
        key = _BY_NAME.get(name) or _BY_NAME.get("".join(c for c in name.lower() if c.isalnum()))
        if key is not None:
            states[key].append(value.state)
        elif brought := {_BY_TYPE[type(resource)] for resource in value.resources if type(resource) in _BY_TYPE}:
            for unasked in brought:
                states[unasked].append("unasked")
            notes.append(Note("query_unasked", f"prefetch.{name}", "", ""))
        else:
            continue
        if value.unreadable:
            notes.append(Note("entry_unreadable", f"prefetch.{name}", "", str(value.unreadable)))
        if value.state not in ANSWERED:
            notes.append(Note(f"query_{value.state}", f"prefetch.{name}", "", ""))
        for place, resource in enumerate(value.resources):
            identity = resource.id if isinstance(resource.id, str) else f"{name}[{place}]"
            known = resources[type(resource)].setdefault(identity, resource)
            if known is not resource and known != resource:
                resources[type(resource)][f"{name}[{place}]"] = resource
                notes.append(Note("same_id", reference_of(resource), "", ""))
    keys = {name: _together(found) for name, found in states.items()}
    return Supplied(
        {kind: tuple(by_id.values()) for kind, by_id in resources.items()},
        {query: _ending(asked, keys) for query, asked in _OF_QUERY.items()},
        keys,
        tuple(notes),
    )


def _together(states: list[KeyState]) -> KeyState:
    """Several keys of a client may answer one of ours. What was not asked for by our name adds records and completes nothing."""
    named = [state for state in states if state != "unasked"]
    if not named:
        return "unasked"
    if all(state in ANSWERED for state in named):
        return "data" if "data" in named else named[0]
    return named[0] if len(set(states)) == 1 else "incomplete"


def _ending(asked: Iterable[Key], keys: Mapping[str, KeyState]) -> Retrieval:
    """Two keys may answer one query (orders and statements): the optional one may stay away, but a failure of it counts."""
    states: set[Retrieval] = {
        _RETRIEVAL[keys[key.name]] if key.name in keys else "not supplied" for key in asked if key.name in keys or key.required
    }
    if not states:
        return "not supplied"
    return states.pop() if len(states) == 1 else "incomplete"


def read_value(raw: bytes | msgspec.Raw) -> Value:
    """One prefetch value (PREF-22..31).

    null and an empty Bundle mean that somebody looked and found nothing. A value that is no resource, and an OperationOutcome
    with an error in it, mean that nobody could look. A `next` link means that there is more than we were given.
    """
    try:
        bundle = READ_BUNDLE.decode(raw)
        if bundle is None:
            return Value("null")
        if bundle.resourceType == "Bundle":
            return _bundle([entry.resource for entry in bundle.entry or ()], bundle.link)
        resource = READ_RESOURCE.decode(raw)
    except msgspec.ValidationError:
        return _salvage(READ_ANYTHING.decode(raw))
    return Value("failed") if isinstance(resource, OperationOutcome) else Value("data", (resource,))


def _salvage(value: Any) -> Value:
    """A value of the wrong shape: nothing is to be had from text or numbers; a Bundle gives its sound entries."""
    entries = value.get("entry") if isinstance(value, dict) and value.get("resourceType") == "Bundle" else None
    if not isinstance(entries, list):
        return Value("garbage")
    found = [entry.get("resource") if isinstance(entry, dict) else entry for entry in entries]
    known = [content for content in found if _type_of(content) in READ_TYPES or not _type_of(content)]
    sound = [READ_RESOURCE.decode(msgspec.json.encode(content)) if _type_of(content) else None for content in known]
    return _bundle(sound, value.get("link"), unreadable=sum(resource is None for resource in sound))


def _type_of(content: Any) -> str:
    """The type a resource says it is, empty where it is no resource."""
    return text(content.get("resourceType")) if isinstance(content, dict) else ""


def _bundle(entries: list[Resource | None], links: Any, unreadable: int = 0) -> Value:
    found = tuple([resource for resource in entries if resource is not None and type(resource) is not OperationOutcome])
    outcomes = [resource for resource in entries if isinstance(resource, OperationOutcome)]
    issues = [issue for outcome in outcomes for issue in objects(opened(outcome.issue))]
    if issues and any(code(issue.get("severity")) in ("error", "fatal") for issue in issues):
        return Value("incomplete" if found else "failed", found, unreadable)
    if links and any(text(link.get("relation")) == "next" for link in objects(links)):
        return Value("incomplete", found, unreadable)
    return Value("data" if found else "empty", found, unreadable)
