"""A request without some of its resources, which are found in it by their references."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from hooks import exact


def without(body: bytes, hidden: Container[str]) -> bytes:
    """A request without the resources of these references. One that is no JSON stays as it is, to be refused as it is."""
    try:
        return exact.encode(_without(exact.decode(body), hidden))
    except (ValueError, ArithmeticError, RecursionError):
        return body


def _without(value: Any, hidden: Container[str]) -> Any:
    if isinstance(value, dict):
        kept = {name: _without(member, hidden) for name, member in value.items() if not _is_hidden(member, hidden)}
        if isinstance(value.get("entry"), list) and isinstance(value.get("total"), int):
            gone = len(value["entry"]) - len(kept["entry"])
            kept["total"] = value["total"] - gone  # or the Bundle would count as a part only
        return kept
    if isinstance(value, list):
        return [_without(item, hidden) for item in value if not _is_hidden(item, hidden)]
    return value


def _is_hidden(value: Any, hidden: Container[str]) -> bool:
    """Is it one of the resources, or the entry of a Bundle that holds one?"""
    if not isinstance(value, dict):
        return False
    resource = value.get("resource", value)
    return isinstance(resource, dict) and f"{resource.get('resourceType')}/{resource.get('id')}" in hidden
