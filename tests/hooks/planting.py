"""Requests with a marker of its own in every field, so that whatever is written can be asked which fields it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from tests.patients import TODAY, request


BIRTH = "1954-03-17"
B12 = "142.03171"
"""Values that occur nowhere else: what cannot hold a marker of letters is one itself."""

_FORM = re.compile(r"zq\d{5}qz", re.IGNORECASE)
_IDENTITY = re.compile('"id": "([^"]*)"')
_STRUCTURE = frozenset(
    (
        "resourceType", "system", "code", "unit", "value", "status", "gender", "birthDate", "reference", "type", "hook", "intent",
        "effectiveDateTime", "authoredOn", "onsetDateTime", "recordedDate", "performedDateTime", "start", "end", "dateAsserted",
        "fhirServer", "selections", "token_type", "expires_in", "scope", "access_token", "hookInstance", "id", "url", "patientId", "userId",
    )
)  # fmt: skip
"""Members that are left as they are where the call is to be understood; `each_in_turn` replaces them, too."""

PATIENT_SICK: dict[str, Any] = {
    "birth": BIRTH,
    "problems": ["osteoporosis", "neuro_major"],
    "results": [{"b12_total": f"{B12} pg/mL"}, {"homocysteine": "22 umol/L"}, {"haemoglobin": "12.1 g/dL"}],
    "medicines": [{"drug": "omeprazole", "since": 900}, {"drug": "metformin 500 mg", "kind": "statement", "since": 900}],
    "procedures": ["partial_gastrectomy"],
    "allergies": [{"cobalamin": {"text": "Penicillin"}}],
}
DRAFT = {"drug": "Vitamin B12 1000 mcg tablet", "dose": "1 tablet daily"}
CALLS: dict[str, dict[str, Any]] = {
    "patient-view": {},
    "order-select": {"hook": "order-select", "orders": [DRAFT], "chosen": [0]},
    "order-sign": {"hook": "order-sign", "orders": [DRAFT]},
    "encounter-discharge": {"hook": "encounter-discharge"},
    "problem-list-item-create": {"hook": "problem-list-item-create", "new_problems": ["osteoporosis"]},
    "medication-refill": {"hook": "medication-refill", "orders": [DRAFT]},
}


class Planter:
    """Makes markers, and knows what each was planted in."""

    def __init__(self) -> None:
        """No marker is given out yet."""
        self.planted: dict[str, str] = {BIRTH: "birthDate", B12[:-1]: "a laboratory value"}
        self.secrets: set[bytes] = set()

    def marker(self, where: str) -> str:
        """A new marker for a place."""
        made = f"zq{len(self.planted):05d}qz"
        self.planted[made] = where
        return made

    def found(self, written: bytes) -> set[str]:
        """The places whose markers stand in what was written."""
        text = written.decode(errors="replace").lower()
        letters = {self.planted[match.lower()] for match in _FORM.findall(text)}
        letters |= {"a secret" for secret in self.secrets if secret in written}
        return letters | {self.planted[value] for value in (BIRTH, B12[:-1]) if value in text}

    def request(self, hook: str) -> dict[str, Any]:
        """A call that is understood, with a marker in every field that may hold one, and in many that a client might add."""
        patient, user = self.marker("context.patientId"), self.marker("context.userId")
        text = json.dumps(request({**PATIENT_SICK, **CALLS[hook]}, TODAY))
        for identity in sorted(set(_IDENTITY.findall(text)) - {"p1"}):
            marker = self.marker("the id of a resource")
            text = text.replace(f'"id": "{identity}"', f'"id": "{marker}"').replace(f'/{identity}"', f'/{marker}"')
        text = text.replace('"p1"', f'"{patient}"').replace("Patient/p1", f"Patient/{patient}")
        sent: dict[str, Any] = self._filled(json.loads(text.replace("Practitioner/1", f"Practitioner/{user}")), "")
        sent["hookInstance"] = self.marker("hookInstance")
        sent["context"] |= {"encounterId": self.marker("context.encounterId"), self.marker("a name in context"): "x"}
        sent[self.marker("a name beside hook")] = {"a": self.marker("a member beside hook")}
        sent["prefetch"][self.marker("a key of prefetch")] = {"resourceType": "Basic", "id": self.marker("an unknown resource")}
        sent["prefetch"]["labs"]["entry"].append({"resource": self.marker("an entry that is no resource")})
        sent["fhirServer"] = f"https://{self.marker('fhirServer (host)')}.example/{self.marker('fhirServer (path)')}"
        sent["fhirAuthorization"] = self.grant(patient)
        return sent

    def grant(self, patient: str) -> dict[str, Any]:
        """An access token and what comes with it."""
        return {
            "access_token": self.marker("fhirAuthorization.access_token"),
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": f"user/*.read {self.marker('fhirAuthorization.scope')}",
            "subject": self.marker("fhirAuthorization.subject"),
            "patient": patient,
            self.marker("a name in fhirAuthorization"): self.marker("a member of fhirAuthorization"),
        }

    def headers(self) -> dict[str, str]:
        """Headers with markers. The id of the request is not harmless, so it must not be repeated."""
        return {
            "User-Agent": self.marker("User-Agent"),
            "Cookie": f"session={self.marker('Cookie')}",
            "X-Request-Id": f"{self.marker('X-Request-Id')} and more",
            "Accept-Language": f"en, {self.marker('Accept-Language')}",
            "Origin": f"https://{self.marker('Origin')}.example",
            "Referer": f"https://{self.marker('Referer')}.example",
            "X-Forwarded-For": self.marker("X-Forwarded-For"),
            self.marker("the name of a header"): self.marker("a header"),
        }

    def each_in_turn(self, sent: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The request once for each of its values and names, in which that is nothing but a marker."""
        for path in _paths(sent):
            where = ".".join(map(str, path))
            changed = deepcopy(sent)
            holder: Any = changed
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = self.marker(where)
            yield changed
            if isinstance(holder, dict):
                holder[self.marker(f"the name of {where}")] = holder.pop(path[-1])
                yield changed

    def _filled(self, value: Any, where: str) -> Any:
        if isinstance(value, list):
            return [self._filled(one, f"{where}[]") for one in value]
        if not isinstance(value, dict):
            return value
        filled = {name: self._leaf(name, one, f"{where}.{name}".lstrip(".")) for name, one in value.items()}
        kind = filled.get("resourceType")
        return filled | self._beside(kind) if kind not in (None, "Bundle") else filled

    def _leaf(self, name: str, value: Any, where: str) -> Any:
        if isinstance(value, str):
            return value if name in _STRUCTURE or value in _STRUCTURE else f"{value} {self.marker(where)}"
        return self._filled(value, where)

    def _beside(self, kind: str) -> dict[str, Any]:
        """What a resource may hold of a person beside what we read."""
        people: dict[str, Any] = {
            "name": [{"family": self.marker("Patient.name.family"), "given": [self.marker("Patient.name.given")]}],
            "telecom": [{"system": "phone", "value": self.marker("Patient.telecom")}],
            "address": [{"line": [self.marker("Patient.address.line")], "city": self.marker("Patient.address.city")}],
        }
        return {
            "text": {"status": "generated", "div": f"<div>{self.marker(f'{kind}.text')}</div>"},
            "identifier": [{"system": "urn:x", "value": self.marker(f"{kind}.identifier")}],
            "note": [{"text": self.marker(f"{kind}.note")}],
            "extension": [
                {"url": f"urn:{self.marker(f'{kind}.extension.url')}", "valueString": self.marker(f"{kind}.extension")}
            ],
            "meta": {"source": self.marker(f"{kind}.meta.source")},
            "performer": [{"display": self.marker(f"{kind}.performer")}],
            **(people if kind == "Patient" else {}),
        }


def _paths(value: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value in JSON, of objects and lists too."""
    steps: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    for step in steps:
        yield (*before, step)
        yield from _paths(value[step], (*before, step))
