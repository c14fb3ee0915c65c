"""Drafts sent back with one change: everything else as it came, and only where the result is valid FHIR (ACT-04, ACT-12)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from hooks import exact
from hooks.fhir.elements import UCUM, objects


_UNDERSTOOD = frozenset(("id", "sequence", "timing", "route", "doseAndRate", "asNeededBoolean"))
"""The elements of a dosage line beside which a change of route or unit leaves nothing stale."""


def with_route(order: dict[str, Any], route: dict[str, str]) -> dict[str, Any] | None:
    """The order by another route; None where that cannot be said."""

    def change(line: dict[str, Any]) -> dict[str, Any]:
        return {**line, "route": {"coding": [route]}}

    return _changed(order, change)


def with_unit(order: dict[str, Any], old: str, new: str) -> dict[str, Any] | None:
    """The order with the same numbers in another unit; None where no dose has the old one."""
    found = []

    def quantity(value: Any) -> Any:
        if isinstance(value, dict) and old in (value.get("unit"), value.get("code")):
            found.append(value)
            return {**value, "unit": new, "system": UCUM[0], "code": new}
        return value

    def change(line: dict[str, Any]) -> dict[str, Any]:
        doses = [{**dose, "doseQuantity": quantity(dose.get("doseQuantity"))} for dose in objects(line.get("doseAndRate"))]
        return {**line, "doseAndRate": doses}

    changed = _changed(order, change)
    doses = [dose for line in objects(order.get("dosageInstruction")) for dose in objects(line.get("doseAndRate"))]
    only_quantities = all(_filled(dose) <= {"type", "doseQuantity"} for dose in doses)
    return changed if found and only_quantities else None


def _changed(order: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any] | None:
    """The order with its dosage line changed.

    Only where there is one line and all of it is known here: words, instructions, maxima or methods beside it, or a narrative of
    the whole, would go on saying the old thing. Arrays with null in them hang together with others and are left alone.
    """
    lines = list(objects(order.get("dosageInstruction")))
    if len(lines) != 1 or not {"timing", "doseAndRate"} <= _filled(lines[0]) <= _UNDERSTOOD or order.get("text"):
        return None
    try:
        result = _pruned({**order, "dosageInstruction": [change(lines[0])]})
        return result if _is_valid(result) and not _has_null_items(order) else None
    except RecursionError:
        return None


def _filled(element: dict[str, Any]) -> set[str]:
    return {name for name, value in element.items() if not _is_empty(_pruned(value))}


def _has_null_items(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null_items, value.values()))
    return isinstance(value, list) and (None in value or any(map(_has_null_items, value)))


def _pruned(value: Any) -> Any:
    """Without what FHIR forbids: null, blank text, empty objects and arrays (JSON-03)."""
    if isinstance(value, dict):
        kept = {name: _pruned(part) for name, part in value.items()}
        return {name: part for name, part in kept.items() if not _is_empty(part)}
    if isinstance(value, list):
        return [part for part in map(_pruned, value) if not _is_empty(part)]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value in ({}, []) or (isinstance(value, str) and not value.strip())


def _is_valid(order: dict[str, Any]) -> bool:
    """Is it valid FHIR R4, but for its id, which is the client's and may be longer or odder than FHIR allows (VAL-23)?"""
    try:
        _model().model_validate_json(exact.encode({**order, "id": "id"}))
    except ValueError:
        return False
    return True


@cache
def _model() -> Any:
    """FHIR R4 as a strict model. It takes a second to import, which only orders that are sent back have to pay."""
    from fhir.resources.R4B.medicationrequest import MedicationRequest

    return MedicationRequest
