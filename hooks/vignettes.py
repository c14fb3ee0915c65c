"""The vignettes of the specification as people read them: patients in shorthand, and what must be said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Vignette:
    """One patient: the file and the place there, a name, the rows of the decision tables it covers, the record, what is expected.

    `advice`: the advice that must be given, `rule/key` each; None where the vignette leaves it open.
    """

    topic: str
    place: int
    name: str
    rows: tuple[str, ...]
    patient: tuple[tuple[str, str], ...]
    expected: tuple[tuple[str, str], ...]
    advice: tuple[str, ...] | None


@cache
def vignettes() -> tuple[Vignette, ...]:
    """All vignettes, file by file."""
    folder = sorted(files("cobalamin_vignettes").iterdir(), key=lambda entry: entry.name)
    return tuple(
        vignette
        for entry in folder
        if entry.name.endswith(".yaml")
        for vignette in _read(entry.name.removesuffix(".yaml"), yaml.load(entry.read_bytes(), Loader=yaml.CSafeLoader))
    )


def shown_by(rule: str, module: str, known: Iterable[Vignette]) -> tuple[Vignette, ...]:
    """The vignettes of a rule: those in which it speaks, and those of its own file in which no rule may speak."""
    return tuple(
        vignette
        for vignette in known
        if any(given.startswith(f"{rule}/") for given in vignette.advice or ())
        or (vignette.topic == module and vignette.advice == ())
    )


def _read(topic: str, content: Iterable[Mapping[str, Any]]) -> Iterator[Vignette]:
    for place, entry in enumerate(content, start=1):
        expected = entry["expect"]
        patient = {name: value for name, value in entry.items() if name not in ("name", "rows", "expect")}
        advice = tuple(expected["advice"]) if "advice" in expected else None
        yield Vignette(topic, place, entry["name"], tuple(entry["rows"]), _in_words(patient), _in_words(expected), advice)


def _in_words(content: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name.replace("_", " "), _said(value, "; ")) for name, value in content.items())


def _said(value: Any, between: str = ", ") -> str:
    """A value of the shorthand in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(part)}" for name, part in value.items())
    if isinstance(value, list):
        return between.join(map(_said, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
