"""One prefetch value, read: its resources of this patient, and whether the query behind it was answered (PREF-22..33)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from hooks.fhir.elements import code, codings, local_id, number, objects, opened, text
from hooks.fhir.owners import Owner, sorted_out
from hooks.fhir.resources import (
    NOT_SENT,
    READ_RESOURCE,
    READ_TYPES,
    Entry,
    Medication,
    MedicationOrder,
    MedicationRequest,
    OperationOutcome,
    Patient,
    Resource,
)


KeyState = Literal["data", "null", "empty", "incomplete", "unasked", "failed", "garbage"]
"""What one key brought. An absent key has no state at all: nobody ran its query. `unasked`: known by its resources alone, so
that nobody can tell whether the query was ours. `garbage`: something, but nothing of the kind that was asked for."""

ANSWERED = ("data", "null", "empty")
"""The states in which what is not there does not exist."""

_BESIDE = frozenset((Medication, OperationOutcome, Patient))
"""What comes beside the matches of a search, and is not counted in its `total`."""

_LOSING = frozenset(
    ("forbidden", "security", "login", "suppressed", "processing", "incomplete", "timeout", "transient", "throttled", "exception",
     "too-costly", "no-store", "lock-error")
)  # fmt: skip
"""Issue types which say that something is missing, even of a warning."""

_EPIC = "urn:oid:1.2.840.114350."
_NOTHING_LOST_AT_EPIC = ("4101", "4119")
"""Epic calls these `processing` and means "no results" and "what this user may see", which it says beside every answer."""

_OTHER_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_READ_IN_ANY_CASE = frozenset(name.lower() for name in (*READ_TYPES, "Bundle"))


class Value(msgspec.Struct, frozen=True):
    """What one prefetch value brought: the patient's resources, those refused as another's, how many could not be read."""

    state: KeyState
    resources: Sequence[Resource] = ()
    refused: Sequence[Resource] = ()
    unreadable: int = 0


class _Bundle(msgspec.Struct, frozen=True, gc=False):
    resourceType: Any = None
    entry: list[Entry] | None = None
    link: msgspec.Raw = NOT_SENT
    total: Any = None


class _OddBundle(msgspec.Struct, frozen=True, gc=False):
    resourceType: Any = None
    entry: list[msgspec.Raw] | None = None
    link: msgspec.Raw = NOT_SENT
    total: Any = None


class _OddEntry(msgspec.Struct, frozen=True, gc=False):
    resource: msgspec.Raw = NOT_SENT
    response: Any = None


class _Typed(msgspec.Struct, frozen=True, gc=False):
    resourceType: Any = None


class _Addressed(msgspec.Struct, frozen=True, gc=False):
    fullUrl: Any = None
    resource: msgspec.Raw = NOT_SENT


_READ_ADDRESS = msgspec.json.Decoder(_Addressed)
READ_BUNDLE: msgspec.json.Decoder[_Bundle | None] = msgspec.json.Decoder(_Bundle | None)
_READ_ODD_BUNDLE = msgspec.json.Decoder(_OddBundle)
_READ_ODD_ENTRY = msgspec.json.Decoder(_OddEntry)
_READ_TYPE = msgspec.json.Decoder(_Typed)


def read_value(raw: bytes | msgspec.Raw, asked: type | None, owner: Owner) -> Value:
    """The value of a key that should bring resources of the type `asked`; None: a key of somebody else.

    null and an empty Bundle mean that somebody looked and found nothing. A value that is no resource or none of that type, and
    an OperationOutcome with an error in it, mean that nobody could look. A `next` link, a larger `total`, an entry that cannot
    be read and a resource of who knows whom mean that there is more than we were given.
    """
    try:
        value = READ_BUNDLE.decode(raw)
        if value is None:
            return Value("null")
        if value.resourceType != "Bundle":
            resource = READ_RESOURCE.decode(raw)
            return Value("failed") if type(resource) is OperationOutcome else _told([resource], asked, owner)
        found = [entry.resource for entry in value.entry or ()]
        if None not in found:
            return _told(found, asked, owner, value, raw)  # type: ignore[arg-type]  # none of them is None
    except msgspec.ValidationError:
        pass  # read it entry by entry
    return _salvage(raw, asked, owner)


def _salvage(raw: bytes | msgspec.Raw, asked: type | None, owner: Owner) -> Value:
    """A value of the wrong shape: nothing is to be had from text or numbers; a Bundle gives its sound entries."""
    try:
        bundle = _READ_ODD_BUNDLE.decode(raw)
    except msgspec.ValidationError:
        return Value("garbage")
    if bundle.resourceType != "Bundle":
        return Value("garbage")
    found, unreadable, others = list[Resource](), 0, 0
    for entry in bundle.entry or ():
        try:
            resource = _salvaged(entry)
        except msgspec.ValidationError:
            unreadable += 1
            continue
        if resource is None:
            others += 1
        else:
            found.append(resource)
    return _told(found, asked, owner, bundle, raw, unreadable, others)


def _salvaged(raw: msgspec.Raw) -> Resource | None:
    """What an entry holds, None where that is a resource of a type nobody reads. Raises ValidationError where it is neither.

    An entry of a batch without a resource tells by its status whether the query failed.
    """
    entry = _READ_ODD_ENTRY.decode(raw)
    if bytes(entry.resource) == b"null" and isinstance(entry.response, dict):
        return None if text(entry.response.get("status")).startswith("2") else OperationOutcome()
    try:
        return READ_RESOURCE.decode(entry.resource)
    except msgspec.ValidationError:
        kind = _READ_TYPE.decode(entry.resource).resourceType
        if isinstance(kind, str) and _OTHER_TYPE.fullmatch(kind) and kind.lower() not in _READ_IN_ANY_CASE:
            return None
        raise


def _told(
    found: Sequence[Resource],
    asked: type | None,
    owner: Owner,
    bundle: _Bundle | _OddBundle | None = None,
    raw: bytes | msgspec.Raw = b"",
    unreadable: int = 0,
    others: int = 0,
) -> Value:
    """The state that follows from what was found. `others`: entries of types that nobody reads."""
    kinds = set(map(type, found))
    own, refused, unclear = sorted_out(found, owner)
    outcomes = [resource for resource in found if type(resource) is OperationOutcome] if OperationOutcome in kinds else []
    if outcomes:
        own = [resource for resource in own if type(resource) is not OperationOutcome]
    if Medication in kinds:
        own += _by_address(raw, own)
    if MedicationOrder in kinds and asked is MedicationRequest:
        asked = MedicationOrder
    brought = bool(own) and (asked is None or asked in (map(type, own) if refused else kinds))
    state: KeyState
    if outcomes and any(map(_loses, outcomes)):
        state = "incomplete" if brought else "failed"
    elif unreadable or unclear or (bundle is not None and _has_more(bundle, found, kinds, asked)):
        state = "incomplete"
    elif brought:
        state = "data"
    else:
        state = "garbage" if others or len(found) > len(outcomes) else "empty"
    return Value(state, own, refused, unreadable)


def _by_address(raw: bytes | msgspec.Raw, own: Sequence[Resource]) -> list[Medication]:
    """The Medications of a Bundle once more, under the id by which the others refer to them: that of their `fullUrl`.

    Mostly that is their own, and nothing is looked for.
    """
    if b"urn:" not in bytes(raw) and all(isinstance(drug.id, str) for drug in own if type(drug) is Medication):
        return []
    found = []
    for part in _READ_ODD_BUNDLE.decode(raw).entry or ():
        if b'"Medication"' not in bytes(part):
            continue
        try:
            entry = _READ_ADDRESS.decode(part)
            resource = READ_RESOURCE.decode(entry.resource)
        except msgspec.ValidationError:
            continue  # of another shape; it was counted already
        bare = local_id(entry.fullUrl)
        if bare and type(resource) is Medication and resource.id != bare:
            found.append(msgspec.structs.replace(resource, id=bare))
    return found


def _has_more(bundle: _Bundle | _OddBundle, found: Sequence[Resource], kinds: set[type], asked: type | None) -> bool:
    """Is there a further page, or are there more matches than entries that can be matches?"""
    links = bytes(bundle.link).lower()
    if (b"next" in links or b"\\u" in links) and any(  # most answers have no further page; the word may stand in escapes
        text(link.get("relation")).lower() == "next" for link in objects(opened(bundle.link))
    ):
        return True
    if (total := number(bundle.total)) is None:
        return False
    if _BESIDE.isdisjoint(kinds):
        return total > len(found)
    return total > sum(type(resource) is asked or type(resource) not in _BESIDE for resource in found)


def _loses(outcome: OperationOutcome) -> bool:
    """Does an outcome say that the query failed or lost something? One that says nothing at all is no good news either."""
    issues = list(objects(opened(outcome.issue)))
    return not issues or not all(map(_is_harmless, issues))


def _is_harmless(issue: dict[str, Any]) -> bool:
    severity = code(issue.get("severity"))
    if severity == "warning":
        epic = (value for system, value in codings(issue.get("details")) if system.startswith(_EPIC))
        return code(issue.get("code")) not in _LOSING or any(value in _NOTHING_LOST_AT_EPIC for value in epic)
    return severity in ("information", "success")
