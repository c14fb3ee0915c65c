"""Requests of a chosen size: shipped fixtures, with their noise cut away or their history repeated."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import count
from typing import Any

from hooks.examples import fixture, moved_by


VISIT = timedelta(days=91)


def body(name: str, resources: int, today: date) -> bytes:
    """A fixture with exactly so many resources, as it is sent today.

    Too many: what stands last in the results goes first. Too few: everything dated is repeated as it would have been recorded
    at earlier visits, a quarter of a year apart, so that what matters and what does not stay in proportion.
    """
    request = fixture(name).on(today)
    bundles = {key: value["entry"] for key, value in request["prefetch"].items() if "entry" in value}
    missing = resources - 1 - sum(map(len, bundles.values()))
    originals = [(key, entry["resource"]) for key, entries in bundles.items() for entry in entries if "id" in entry["resource"]]
    del bundles["labs"][len(bundles["labs"]) + min(missing, 0) :]
    request["prefetch"]["labs"].pop("total", None)  # or the answer would be incomplete
    for visit in count(1):
        for key, resource in originals:
            if missing <= 0:
                return json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode()
            bundles[key].append({"resource": earlier(resource, visit)})
            missing -= 1
    raise AssertionError("count never ends")


def earlier(resource: dict[str, Any], visit: int) -> dict[str, Any]:
    """The same resource as it was recorded some visits ago."""
    moved: dict[str, Any] = moved_by(resource, -visit * VISIT)
    return {**moved, "id": f"{resource['id']}-{visit}"}
