"""A hook request without what tells whose it is: elements that are read, dates shifted, ids replaced, words sifted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

from msgspec.structs import fields

from cds.content import Library
from hooks.examples import EXTENSION
from hooks.fhir.elements import first_object, local_id, number, objects, referenced_type, text
from hooks.fhir.resources import Resource
from hooks.kit.shifting import LONGEST_SHIFT_DAYS, Shifter, aged, in_years
from hooks.kit.vocabulary import Vocabulary


_READ = {kind.__name__: frozenset(field.name for field in fields(kind)) for kind in Resource.__args__}
"""Of each resource the elements that our readers know; everything else is dropped."""
_TYPES = frozenset(
    (*_READ, "Bundle", "Practitioner", "PractitionerRole", "RelatedPerson", "Encounter", "Organization", "ServiceRequest",
     "Specimen")
)  # fmt: skip
_ANY_TYPE = "Basic"
"""Stands for every other type, as what comes in its place might be anything."""
_MEMBERS = ("hook", "context", "prefetch")
_DROPPED = frozenset(
    ("extension", "modifierExtension", "div", "note", "contact", "name", "telecom", "address", "photo", "assigner", "performer",
     "recorder", "asserter", "author", "requester", "diagnostics", "expression", "location", "url", "meta", "identifier")
)  # fmt: skip
_WITHIN = frozenset(
    ("coding", "system", "code", "display", "text", "version", "userSelected", "value", "unit", "comparator", "low", "high",
     "numerator", "denominator", "start", "end", "reference", "type", "use", "target", "item", "concept",
     "timing", "repeat", "event", "route", "sequence", "patientInstruction", "additionalInstruction", "doseAndRate",
     "doseQuantity", "doseRange", "doseSimpleQuantity", "quantity", "quantityQuantity", "quantityRange", "rateRatio",
     "rateQuantity", "rateRange",
     "maxDosePerPeriod", "maxDosePerAdministration", "maxDosePerLifetime", "method", "site",
     "asNeeded", "asNeededBoolean", "asNeededCodeableConcept", "asNeededFor", "boundsPeriod", "boundsDuration", "boundsRange",
     "count", "countMax", "duration", "durationMax", "durationUnit", "frequency", "frequencyMax", "period", "periodMax",
     "periodUnit", "periodUnits", "dayOfWeek", "timeOfDay", "when", "offset",
     "validityPeriod", "numberOfRepeatsAllowed", "expectedSupplyDuration", "ingredient", "itemCodeableConcept", "itemReference",
     "substance", "isActive", "strength", "strengthRatio", "strengthQuantity", "form", "certainty", "manifestation", "severity",
     "details", "answer")
).union(*_READ.values())  # fmt: skip
"""The names of members that may stand within an element; one that is none of these is dropped with what it holds."""
_IDS = ("id", "reference", "fullUrl")
_CODES = frozenset(
    ("code", "status", "intent", "comparator", "type", "periodUnit", "periodUnits", "durationUnit", "when", "dayOfWeek", "gender",
     "resourceType", "clinicalStatus", "verificationStatus", "severity", "mode", "relation", "wasNotTaken", "taken", "hook")
)  # fmt: skip
_CODE = re.compile(r"[A-Za-z0-9<>=][A-Za-z0-9._:/=<>^-]{0,39}|")
_URI = re.compile(r"(?:https?://|urn:)[\w.:/~%-]{1,200}|")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_KIND = re.compile(r"[A-Z][A-Za-z]{1,40}")
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?")
_AGES = frozenset(("onsetAge", "abatementAge", "performedAge", "occurrenceAge", "onsetQuantity", "onsetRange", "performedRange"))
_SURENESS = "/icd-10-gm-diagnosesicherheit"
"""How sure a German diagnosis is stands in an extension, and decides."""


class Deidentifier:
    """De-identifies requests, the same patient always alike. `secret`: what nobody knows who gets the requests."""

    def __init__(self, library: Library, secret: bytes, units: Iterable[str] = ()) -> None:
        """Collect the words that may stay. `units`: as a client writes them, beside those that everybody writes."""
        self._scrubbed, self._secret = Vocabulary(library, units).scrubbed, secret

    def request(self, request: Mapping[str, Any], today: date) -> dict[str, Any]:
        """The request as it may be kept. `today`: the day it came; it is shifted, too, and named in an extension."""
        patient = local_id(text(request["context"].get("patientId")))
        shift = timedelta(-1 - self._number("shift", patient) % LONGEST_SHIFT_DAYS)
        ids = {identity: f"r{place:05}" for place, identity in enumerate(sorted(_ids(request)))}
        ids |= {patient: f"p{self._number('patient', patient) % 10**12:012}"}
        one = _One(self._scrubbed, Shifter(shift, today), ids)
        content = {name: value for name, value in request.items() if name in _MEMBERS}
        digits = f"{self._number('instance', text(request.get('hookInstance'))) % 16**32:032x}"
        return {
            "hook": one.code(text(content["hook"])),
            "hookInstance": "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])),
            "context": one.context(content["context"]),
            **({"prefetch": one.prefetch(content["prefetch"])} if isinstance(content.get("prefetch"), dict) else {}),
            "extension": {EXTENSION: {"writtenFor": (today + shift).isoformat(), "title": "recorded, de-identified"}},
        }

    def _number(self, what: str, value: str) -> int:
        return int.from_bytes(
            blake2b(f"{what}|{value}".encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16).digest()
        )


def _ids(value: Any, key: str = "") -> set[str]:
    """Every id in a request. They are replaced in their order, as of results of one day the order of their ids decides."""
    if isinstance(value, dict):
        held = {local_id(value.get("value"))} if key == "identifier" else set()
        return held.union(*(_ids(item, name) for name, item in value.items()))
    if isinstance(value, list):
        return set().union(*(_ids(item, key) for item in value))
    if not isinstance(value, str):
        return set()
    if key == "id":
        return {value.removeprefix("#")}
    return {local_id(value.split("#")[-1])} if key in _IDS or key.endswith(("Id", "selections")) else set()


class _One:
    """One request on its way."""

    def __init__(self, scrubbed: Callable[[str], str], shifter: Shifter, ids: Mapping[str, str]) -> None:
        self._scrubbed, self._shifter, self._ids = scrubbed, shifter, ids

    def context(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """What the hooks we know bring: ids, references, Bundles. Anything else is dropped."""
        kept: dict[str, Any] = {}
        for name, value in context.items():
            if name in ("userId", "patientId", "encounterId") and isinstance(value, str):
                kept[name] = self._reference(value)
            elif name == "selections" and isinstance(value, list):
                kept[name] = [self._reference(item) for item in value if isinstance(item, str)]
            elif name in ("draftOrders", "conditions", "medications"):
                kept[name] = self._resource(value)
        return kept

    def prefetch(self, prefetch: Mapping[str, Any]) -> dict[str, Any]:
        """The values by key; a key that is no plain name is dropped."""
        return {name: self._resource(value) for name, value in prefetch.items() if _KEY.fullmatch(name)}

    def _resource(self, value: Any) -> Any:
        """A resource or Bundle, with the elements that are read; of types that nobody reads the type alone."""
        if not isinstance(value, dict):
            return self._plain("", value)
        kind = text(value.get("resourceType"))
        if kind == "Bundle":
            return self._bundle(value)
        if kind not in _READ:
            return {"resourceType": kind if kind in _TYPES else _ANY_TYPE} if _KIND.fullmatch(kind) else {}
        kept = {
            name: self._element(name, item)
            for name, item in value.items()
            if name in _READ[kind] and (name not in _DROPPED or name == "identifier")
        }
        return {"resourceType": kind, **kept}

    def _bundle(self, bundle: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {"resourceType": "Bundle"}
        if isinstance(bundle.get("type"), str):
            kept["type"] = self.code(bundle["type"])
        if number(bundle.get("total")) is not None:
            kept["total"] = bundle["total"]
        if links := [
            {"relation": "next"} for link in objects(bundle.get("link")) if text(link.get("relation")).lower() == "next"
        ]:
            kept["link"] = links
        if "entry" in bundle:
            kept["entry"] = [self._entry(entry) for entry in objects(bundle["entry"])]
        return kept

    def _entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        if isinstance(entry.get("fullUrl"), str):
            kept["fullUrl"] = self._reference(entry["fullUrl"])
        if "resource" in entry:
            kept["resource"] = self._resource(entry["resource"])
        if isinstance(entry.get("response"), dict):
            kept["response"] = {"status": self.code(text(entry["response"].get("status"))[:3])}
        return kept

    def _element(self, key: str, value: Any) -> Any:
        if key == "contained":
            return [self._resource(item) for item in objects(value)]
        if key == "identifier":
            return [self._identifier(item) for item in objects(value)]
        if key == "birthDate":
            return self._shifter.birth(value)
        if isinstance(value, list):
            return [self._element(key, item) for item in value]
        if isinstance(value, dict):
            within = key in _AGES or in_years(value)
            kept = {
                name: aged(self._element(name, item)) if within and name == "value" else self._within(key, name, item)
                for name, item in value.items()
                if name in _WITHIN and name not in _DROPPED
            }
            return {**kept, **({"extension": sure} if (sure := self._sureness(value)) else {})}
        return self._plain(key, value)

    def _within(self, key: str, name: str, item: Any) -> Any:
        """An element of an element; the limits of a range of ages are ages."""
        return self._element(key if key in _AGES and name in ("low", "high") else name, item)

    def _identifier(self, identifier: Mapping[str, Any]) -> dict[str, Any]:
        """What tells two versions of one result: that they are the same, and no more."""
        known = self._ids.get(local_id(identifier.get("value")))
        return {"system": "urn:removed", "value": known} if known is not None and text(identifier.get("value")) else {}

    def _sureness(self, coding: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = []
        for extension in objects(coding.get("extension")):
            if text(extension.get("url")).endswith(_SURENESS):
                said = first_object(extension.get("valueCoding")).get("code") or extension.get("valueCode")
                found.append({"url": f"http://fhir.de/StructureDefinition{_SURENESS}", "valueCode": self.code(text(said)[:1])})
        return found

    def _plain(self, key: str, value: Any) -> Any:
        """A value that holds no other. What is no text says nothing by itself, but for a number as an id."""
        if not isinstance(value, str):
            return None if key in _IDS else value
        if not value.strip():
            return ""
        if key == "id":
            return self._ids[value.removeprefix("#")]
        if key in _IDS:
            return self._reference(value)
        if key == "system":
            return value if _URI.fullmatch(value) else self._scrubbed(value)
        if key in _CODES:
            return self.code(value)
        if _TIME.fullmatch(value):
            return value
        return self._shifter.alone(key, value) or self._shifter.within(key, value, self._scrubbed)

    def code(self, value: str) -> str:
        """A code as it is, unless it is a sentence."""
        return value if _CODE.fullmatch(value.strip()) else self._scrubbed(value)

    def _reference(self, value: str) -> str:
        """The same reference to what has another id now."""
        contained = value.startswith("#")
        target = value if contained else value.split("#")[0]
        known = self._ids.get(local_id(target.lstrip("#")), "removed") if local_id(target.lstrip("#")) else ""
        if contained:
            return f"#{known}"
        if "urn:uuid:" in target:
            return f"urn:uuid:{known}"
        kind = referenced_type(target)
        return f"{kind if kind in _TYPES else _ANY_TYPE}/{known}" if kind else known
