"""The shipped fixtures: complete hook requests, each written for one day, moved to another day before they meet a clock."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

from cds.days import parse_day
from cds.signed import Language


EXTENSION = "org.cobalamin-cds.fixture"
_DATED_KEY = re.compile(r"(date|datetime|instant|issued|authoredon|start|end|lastupdated)$", re.IGNORECASE)


class UnknownFixtureError(LookupError):
    """No fixture has this name; the message lists those that exist."""


@dataclass(frozen=True)
class Fixture:
    """One shipped request: its name, its title, the day it was written for, and the request itself.

    `language`: that of the cards its EHR asks for; None where it does not say. `about`: what the fixture says of itself.
    """

    name: str
    title: str
    written_for: date
    request: dict[str, Any]
    language: Language | None
    about: Mapping[str, Any]

    def said(self, language: Language) -> tuple[str, str]:
        """Its title and what it shows, in a language where it has such words."""
        said = self.about.get(language, self.about)
        return said["title"], said["shows"]

    def on(self, today: date) -> dict[str, Any]:
        """The request with all its dates moved, so that the day it was written for is `today`."""
        moved: dict[str, Any] = moved_by(self.request, today - self.written_for)
        moved["extension"] = {EXTENSION: {**moved["extension"][EXTENSION], "writtenFor": today.isoformat()}}
        return moved

    @property
    def response(self) -> dict[str, Any]:
        """What it is answered with on the day it was written for."""
        path = files("cobalamin_fixtures") / "responses" / f"{self.name}.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))


def fixtures() -> Iterator[Fixture]:
    """All fixtures by name."""
    for path in sorted((files("cobalamin_fixtures") / "requests").iterdir(), key=lambda path: path.name):
        request = json.loads(path.read_text(encoding="utf-8"))
        about = request["extension"][EXTENSION]
        day = date.fromisoformat(about["writtenFor"])
        yield Fixture(path.name.removesuffix(".json"), about["title"], day, request, about.get("language"), about)


def fixture(name: str) -> Fixture:
    """One fixture. Raises UnknownFixtureError."""
    by_name = {known.name: known for known in fixtures()}
    if name not in by_name:
        raise UnknownFixtureError(f"There is no fixture {name!r}; there are {', '.join(by_name)}.")
    return by_name[name]


def written_for(request: Any) -> date | None:
    """The day a request says it was written for, if it is a fixture."""
    about = request.get("extension") if isinstance(request, dict) else None
    ours = about.get(EXTENSION) if isinstance(about, dict) else None
    day = parse_day(ours.get("writtenFor")) if isinstance(ours, dict) else None
    return day.first if day is not None else None


def moved_by(value: Any, shift: timedelta, key: str = "") -> Any:
    """Copy JSON content with every date moved. Only elements that FHIR calls dates are touched, no code that looks like one."""
    if isinstance(value, dict):
        return {name: moved_by(item, shift, name) for name, item in value.items()}
    if isinstance(value, list):
        return [moved_by(item, shift, key) for item in value]
    if not isinstance(value, str) or not _DATED_KEY.search(key):
        return value
    day = parse_day(value)
    if day is None:
        return value
    moved = (day.first + shift).isoformat()
    return moved[: len(value)] if len(value) < len(moved) else moved + value.strip()[len(moved) :]
