"""What the scope of an access token covers: a hint that saves hopeless queries, never a reason to refuse what it hides."""

from __future__ import annotations

import re
from typing import Any


_OF_RESOURCES = re.compile(
    r"(?:patient|user|system)/(?P<kind>\*|[A-Z][A-Za-z]+)\."
    r"(?P<may>read|write|\*|(?=[cruds])c?r?u?d?s?)(?:\?\S*)?"
)
_OF_LAUNCH = re.compile(r"openid|profile|fhirUser|online_access|offline_access|launch(?:/\S*)?")


def may_ask(scope: Any, kind: str, *, search: bool) -> bool:
    """False only where every part of a scope is SMART, of version 1 or 2, and none allows this query (FHIR-09..12).

    A scope that speaks of no resource at all says nothing, and neither does text of any other kind: Epic's names hold spaces.
    """
    told = [(part, _OF_RESOURCES.fullmatch(part)) for part in scope.split()] if isinstance(scope, str) else []
    if any(match is None and not _OF_LAUNCH.fullmatch(part) for part, match in told):
        return True
    resources = [match for _, match in told if match is not None]
    return not resources or any(match["kind"] in ("*", kind) and _covers(match["may"], search) for match in resources)


def _covers(may: str, search: bool) -> bool:
    """`read` of version 1 is reading and searching; version 2 has a letter for each."""
    return may in ("read", "*") or (may != "write" and ("s" if search else "r") in may)
