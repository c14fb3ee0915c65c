"""What must hold of everything a service sends: JSON without nulls and blanks, and members that the standard knows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from hooks.kit.requirements import Finding


HTML = re.compile(r"</?[a-zA-Z][a-zA-Z0-9-]*(\s[^<>]*)?/?>")
"""A tag; an address in angle brackets is Markdown."""
_REVERSE_DOMAIN = re.compile(r"[a-z0-9-]+(\.[A-Za-z0-9-]+){2,}")
_MAY_BE_EMPTY = ("$.cards", "$.services")


def blanks(value: Any, where: str = "$") -> Iterator[Finding]:
    """Everything that is null, blank or empty. What an extension holds is a matter of its own."""
    if value is None:
        yield Finding("JSON-02", where, "is null; leave the member out.")
    elif value == "":
        yield Finding("JSON-03", where, "is an empty text; leave the member out.")
    elif isinstance(value, str) and not value.strip():
        yield Finding("JSON-05", where, "is made of blanks only; leave the member out.")
    elif value in ([], {}) and where not in _MAY_BE_EMPTY and not where.endswith(".systemActions"):
        yield Finding("JSON-03", where, "is empty; leave the member out.")
    elif isinstance(value, dict):
        for name, item in value.items():
            if name != "extension":
                yield from blanks(item, f"{where}.{name}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            if item is not None or ".resource." not in where:  # FHIR fills gaps in a list with null
                yield from blanks(item, f"{where}[{place}]")


def strangers(value: dict[str, Any], known: Collection[str], where: str) -> Iterator[Finding]:
    """Members the standard does not know, and extensions whose names others may use as well."""
    for name in value:
        if name not in known and name != "extension":
            yield Finding("EXT-05", f"{where}.{name}", "is no member of the standard; put it into `extension`, or leave it out.")
    extension = value.get("extension")
    for name in extension if isinstance(extension, dict) else ():
        if not _REVERSE_DOMAIN.fullmatch(name):
            yield Finding(
                "EXT-03", f"{where}.extension.{name}", "may mean something else elsewhere; name it like org.example.it."
            )


def said(value: Any) -> bool:
    """Is it a text with something in it?"""
    return isinstance(value, str) and bool(value.strip())
