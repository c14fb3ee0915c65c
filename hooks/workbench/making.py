"""Requests from the data of a patient that were pasted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hooks import exact
from hooks.ehr.data import resources_in
from hooks.ehr.requests import CannotMake, made
from hooks.errors import Issue, RequestError
from hooks.services import Service


def request_of(data: str, service: Service, templates: Mapping[str, str]) -> dict[str, Any]:
    """The request of the service's hook, and of which types some resources were not asked for. Raises RequestError 400."""
    try:
        resources = list(resources_in(exact.decode(data)))
    except (ValueError, ArithmeticError, RecursionError):
        raise RequestError(400, [Issue("structure", "The data are no JSON.", "data")]) from None
    try:
        built = made(service, resources, templates)
    except CannotMake as reason:
        raise RequestError(400, [Issue("invariant", f"{reason}.", "data")]) from None
    return {
        "request": msgspec.json.format(exact.encode(built.request), indent=1).decode(),
        "not_asked_for": built.not_asked_for,
    }
