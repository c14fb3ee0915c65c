"""What prefetch brought, and what was fetched beside it: the resources by type, the state of each key, and what was odd."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec

from cds.chart import Note, Retrieval
from cds.leaves import Query
from hooks.fhir.faults import Fault
from hooks.fhir.keys import BY_NAME, KEYS, PATIENT_KEY, Key, key_named
from hooks.fhir.owners import Owner
from hooks.fhir.resources import MedicationOrder, MedicationRequest, Patient, Resource, reference_of
from hooks.fhir.values import ANSWERED, KeyState, read_value


_BY_TYPE: Mapping[type, str] = {key.brings: key.name for key in KEYS} | {Patient: PATIENT_KEY, MedicationOrder: "medications"}
_OF_QUERY = {query: [key for key in KEYS if key.query == query] for query in dict.fromkeys(key.query for key in KEYS)}
QUERY_OF_TYPE: Mapping[type, Query] = {key.brings: key.query for key in KEYS}
_OPTIONAL = frozenset(key.name for key in KEYS if not key.required)
_BRINGS: Mapping[str | None, type] = {**{key.name: key.brings for key in KEYS}, PATIENT_KEY: Patient}

_RETRIEVAL: Mapping[KeyState, Retrieval] = {
    "data": "retrieved",
    "null": "retrieved",
    "empty": "retrieved",
    "incomplete": "incomplete",
    "unasked": "incomplete",
    "failed": "failed",
    "garbage": "failed",
}


_FEW = 4
"""So many resources are kept quicker one by one than at a stroke."""


@dataclass(frozen=True)
class Fetched:
    """What one search for one of our keys brought from the client's FHIR server, if anything, and what went wrong, if anything.

    What an answer is a part of only says so itself, by a link to the next page.
    """

    key: str
    content: bytes | None
    fault: Fault | None


class Supplied(msgspec.Struct, frozen=True):
    """What the request brought: resources by type, how each query ended, the state of each of our keys, and what was odd.

    `faults`: why a key could not be fetched, where we tried or would have.
    """

    resources: Mapping[type, tuple[Any, ...]]
    retrieved: Mapping[str, Retrieval]
    keys: Mapping[str, KeyState]
    notes: tuple[Note, ...]
    faults: Mapping[str, Fault] = MappingProxyType({})


def unpack(
    prefetch: Mapping[str, bytes | msgspec.Raw],
    patient_id: str,
    fetched: Sequence[Fetched] = (),
    names: Mapping[str, str] = BY_NAME,
) -> Supplied:
    """Read every value that answers one of our queries, whatever the client called its key. Others are left alone (PREF-29).

    What was `fetched` is read as if the client had supplied it under our name.

    What belongs to anybody but this patient is left behind and noted. Our own key for the patient is read first, so that no
    other decides who that is. Raises msgspec.DecodeError or RecursionError for JSON that turns out to be broken or bottomless.
    """
    resources: defaultdict[type, dict[str | bytes, Any]] = defaultdict(dict)
    states: defaultdict[str, list[KeyState]] = defaultdict(list)
    notes: list[Note] = []
    faults: dict[str, Fault] = {}
    owner = Owner(patient_id)
    named = [(name, key_named(name, names), raw) for name, raw in prefetch.items()]
    for found in fetched:
        if found.fault is not None:
            faults[found.key] = found.fault
            notes.append(Note(f"fetch_{found.fault}", f"prefetch.{found.key}", "", ""))
        if found.content is not None:
            named.append((found.key, found.key, found.content))
    for name, key, raw in sorted(named, key=_patient_first):
        value = read_value(raw, _BRINGS.get(key), owner)
        if key is not None:
            states[key].append(value.state)
        elif brought := {_BY_TYPE[kind] for kind in map(type, [*value.resources, *value.refused]) if kind in _BY_TYPE}:
            for unasked in brought:
                states[unasked].append("unasked")
            notes.append(Note("query_unasked", f"prefetch.{name}", "", ""))
        else:
            continue
        if value.unreadable:
            notes.append(Note("entry_unreadable", f"prefetch.{name}", "", str(value.unreadable)))
        if value.state not in ANSWERED:
            notes.append(Note(f"query_{value.state}", f"prefetch.{name}", "", ""))
        notes += [Note("other_patient", reference_of(refused), "", "") for refused in value.refused]
        if len(value.resources) > _FEW and _keep_all(value.resources, resources):
            continue
        for place, resource in enumerate(value.resources):
            by_id = resources[type(resource)]
            identity = resource.id if isinstance(resource.id, str) and resource.id else f"{name}[{place}]"
            known = by_id.setdefault(identity, resource)
            if known is not resource and known != resource and _is_new(resource, by_id):
                notes.append(Note("same_id", reference_of(resource), "", ""))
    if MedicationOrder in resources:  # the orders of DSTU2
        orders = {f"MedicationOrder/{identity!r}": order for identity, order in resources.pop(MedicationOrder).items()}
        resources[MedicationRequest].update(orders)
    for name, fault in faults.items():
        if all(state in ANSWERED for state in states.get(name, ())) and not (fault == "not_found" and name in _OPTIONAL):
            states[name].append("failed")
    keys = {name: _together(found) for name, found in states.items()}
    if "medications" in keys and "statements" not in keys:
        notes.append(Note("statements_absent", "prefetch.statements", "", ""))
    return Supplied(
        {kind: tuple(by_id.values()) for kind, by_id in resources.items()},
        _endings(tuple(keys.items())),
        keys,
        tuple(dict.fromkeys(notes) if fetched else notes),
        faults,
    )


def _keep_all(found: Sequence[Resource], known: defaultdict[type, dict[str | bytes, Any]]) -> bool:
    """Keep what one query brought at a stroke, if it is of one type and each has an id that nothing else has."""
    kinds, ids = set(map(type, found)), [resource.id for resource in found]
    if len(kinds) != 1 or set(map(type, ids)) != {str}:
        return False
    by_id, new = known[kinds.pop()], dict(zip(ids, found, strict=True))
    if "" in new or len(new) < len(ids) or not by_id.keys().isdisjoint(new):
        return False
    by_id.update(new)
    return True


def _patient_first(named: tuple[str, str | None, bytes | msgspec.Raw]) -> bool:
    return named[1] != PATIENT_KEY


def _is_new(resource: Resource, known: dict[str | bytes, Any]) -> bool:
    """Keep another version of a known id beside the first, once."""
    return known.setdefault(msgspec.json.encode(resource), resource) is resource


def _together(states: list[KeyState]) -> KeyState:
    """Several keys of a client may answer one of ours. What was not asked for by our name adds records and completes nothing."""
    if len(states) == 1:
        return states[0]
    named = [state for state in states if state != "unasked"]
    if not named:
        return "unasked"
    if all(state in ANSWERED for state in named):
        return "data" if "data" in named else named[0]
    return named[0] if len(set(states)) == 1 else "incomplete"


@lru_cache(maxsize=1024)
def _endings(states: tuple[tuple[str, KeyState], ...]) -> Mapping[str, Retrieval]:
    """How each query ended; most requests bring the same keys in the same states."""
    keys = dict(states)
    return MappingProxyType({query: _ending(asked, keys) for query, asked in _OF_QUERY.items()})  # many requests share it


def _ending(asked: Iterable[Key], keys: Mapping[str, KeyState]) -> Retrieval:
    """Two keys may answer one query (orders and statements): the optional one may stay away, but a failure of it counts."""
    states: set[Retrieval] = {
        _RETRIEVAL[keys[key.name]] if key.name in keys else "not supplied" for key in asked if key.name in keys or key.required
    }
    if not states:
        return "not supplied"
    return states.pop() if len(states) == 1 else "incomplete"
