"""Which GET searches answer one of our keys, in the dialect of the server that is asked (FHIR-16, FHIR-18)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from hooks.fhir.access import Dialect
from hooks.fhir.keys import PATIENT
from hooks.fhir.resources import MedicationRequest, MedicationStatement, Observation, Resource


class _Manner(NamedTuple):
    """How a server wants to be asked. `codes`: how many in one query. `bare`: codes without their system.

    `lacks`: what it does not have at all. `counts`: how many matches a page may hold, of what takes a `_count`.
    """

    codes: int = 50
    bare: bool = False
    lacks: tuple[type[Resource], ...] = ()
    counts: Mapping[type[Resource], int] = {}


_COUNTED: Mapping[type[Resource], int] = {Observation: 200, MedicationRequest: 200}

_MANNERS: Mapping[Dialect, _Manner] = {
    "generic": _Manner(),
    "epic": _Manner(lacks=(MedicationStatement,)),
    "oracle": _Manner(lacks=(MedicationStatement,), counts=_COUNTED),
    "athena": _Manner(),
    "openemr": _Manner(bare=True),
    "hapi": _Manner(counts={**_COUNTED, MedicationStatement: 200}),
}
"""Epic and Oracle Health have no MedicationStatement in R4: it is not asked for, and stays as absent as an optional key that no
client supplied. Elsewhere it is asked for, and a 404 means the same. OpenEMR finds nothing by system and code together, and
says so with an empty answer. A page of Oracle Health holds 50 unless asked for 200."""

BARE = frozenset(dialect for dialect, manner in _MANNERS.items() if manner.bare)
"""The dialects in which codes are searched for without their system."""


def searches(templates: Mapping[str, str], dialect: Dialect) -> dict[str, tuple[str, ...]]:
    """The relative URLs that together answer each template, their values encoded, the patient still a placeholder."""
    return {key: found for key, template in templates.items() if (found := _asked(template, _MANNERS[dialect]))}


def for_patient(search: str, patient_id: str) -> str:
    """A search of one patient, who is whoever the id says: nothing in an id is ever read as part of a URL."""
    return search.replace(PATIENT, quote(patient_id, safe=""))


def _asked(template: str, manner: _Manner) -> tuple[str, ...]:
    kind, _, query = template.partition("?")
    if kind in {lacking.__name__ for lacking in manner.lacks}:
        return ()
    if not query:
        return (template,)
    parameters = dict(parameter.split("=", 1) for parameter in query.split("&"))
    codes = [code.rpartition("|")[2] if manner.bare else code for code in parameters.pop("code", "").split(",")]
    count = next((str(count) for counted, count in manner.counts.items() if counted.__name__ == kind), None)
    if count is not None:
        parameters["_count"] = count
    chunks = [codes[start : start + manner.codes] for start in range(0, len(codes), manner.codes)]
    return tuple(
        f"{kind}?" + "&".join(f"{name}={quote(value, safe='{}:/,')}" for name, value in _with_codes(parameters, chunk).items())
        for chunk in chunks
    )


def _with_codes(parameters: Mapping[str, str], codes: list[str]) -> dict[str, str]:
    return {**parameters, "code": ",".join(codes)} if any(codes) else dict(parameters)
