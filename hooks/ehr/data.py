"""The resources in whatever a patient's data come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hooks.fhir.elements import local_id, objects, text


def resources_in(value: Any) -> Iterator[dict[str, Any]]:
    """The resources of a Bundle, an array, a hook request, or a single one.

    One without an id gets that of its `fullUrl`, by which the others refer to it.
    """
    if isinstance(value, list):
        for item in value:
            yield from resources_in(item)
    elif isinstance(value, dict) and value.get("resourceType") == "Bundle":
        for entry in objects(value.get("entry")):
            for resource in resources_in(entry.get("resource")):
                identity = text(resource.get("id")) or local_id(entry.get("fullUrl"))
                yield {**resource, "id": identity} if identity else resource
    elif isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        yield value
    elif isinstance(value, dict):
        for held in (value.get("context"), value.get("prefetch")):
            for item in held.values() if isinstance(held, dict) else ():
                yield from resources_in(item)
