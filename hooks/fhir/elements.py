"""Tolerant reading of FHIR elements: an object where an array belongs, a code where a CodeableConcept belongs, nothing at all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from cds.days import Day, parse_day
from hooks.fhir.resources import NOT_SENT


T = TypeVar("T")

_LONGEST_REMEMBERED = 2048
UCUM = ("http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8")


def opened(raw: bytes | msgspec.Raw) -> Any:
    """What an element holds that was kept as the bytes that came. Raises msgspec.DecodeError where they are no JSON after all."""
    return None if raw is NOT_SENT else msgspec.json.decode(raw)


def remembered(meaning: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Keeps what was last made of coded elements: a hospital has a few thousand tests, problems and drugs, and sends no others.

    `meaning` gets the bytes of one element and nothing of the resource around it. An element too long to be a code is not kept.
    """
    known = lru_cache(maxsize=4096)(meaning)
    return lambda element: known(element) if len(element) <= _LONGEST_REMEMBERED else meaning(element)


def objects(value: Any) -> Sequence[dict[str, Any]]:
    """The objects in an element that may be an array, a single object, or something else entirely."""
    if isinstance(value, dict):
        return (value,)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def first_object(value: Any) -> dict[str, Any]:
    """The first of them, or an empty one."""
    found = objects(value)
    return found[0] if found else {}


def text(value: Any) -> str:
    """A string with something in it, or the empty string."""
    return value.strip() if isinstance(value, str) else ""


def code(value: Any) -> str:
    """A status in whatever shape a FHIR version gives it, in lower case: a code, a CodeableConcept, an array of them."""
    if isinstance(value, str):
        return value.strip().lower()
    for concept in objects(value):
        for coding in objects(concept.get("coding")):
            if text(coding.get("code")):
                return text(coding["code"]).lower()
        if text(concept.get("text")):
            return text(concept["text"]).lower()
    return ""


status = remembered(lambda element: code(opened(element)))
"""The code of a status that was kept as the bytes that came: there are a handful."""


def codings(concept: Any) -> list[tuple[str, str]]:
    """System and code of every coding that has a code. The usual shape is read first: every resource passes through here."""
    if type(concept) is dict and type(concept.get("coding")) is list:
        return [
            (coding["system"] if isinstance(coding.get("system"), str) else "", coding["code"].strip())
            for coding in concept["coding"]
            if isinstance(coding, dict) and isinstance(coding.get("code"), str)
        ]
    return [pair for item in objects(concept) for coding in objects(item.get("coding")) for pair in codings({"coding": [coding]})]


def wording(concept: Any) -> str:
    """What a CodeableConcept is called: its text, else the first display."""
    return next(names(concept), "")


def truth(value: Any) -> bool | None:
    """A boolean, also as a string; None for anything else."""
    if value is None or value is True or value is False:
        return value
    return {"true": True, "false": False}.get(text(value).lower())


def number(value: Any) -> float | None:
    """A finite number; decimal strings count, booleans and everything else do not."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+(\.\d+)?\s*", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def day(*candidates: Any, zone: tzinfo | None = None) -> Day | None:
    """The first candidate that names a day: a date string, or a Period by the end `end` if it has one, else by its start.

    zone: where the day of an instant begins, as in `parse_day`.
    """
    for candidate in candidates:
        if isinstance(candidate, dict):
            candidate = candidate.get("end") or candidate.get("start")
        found = parse_day(candidate, zone)
        if found is not None:
            return found
    return None


def first_day(*candidates: Any) -> Day | None:
    """As `day`, with Periods read by their start."""
    for candidate in candidates:
        found = parse_day(candidate.get("start") if isinstance(candidate, dict) else candidate)
        if found is not None:
            return found
    return None


def names(concept: Any) -> Iterator[str]:
    """Everything a CodeableConcept is called: its text and every display."""
    for item in objects(concept):
        for words in (item.get("text"), *(coding.get("display") for coding in objects(item.get("coding")))):
            if text(words):
                yield text(words)


def is_named(concept: Any) -> bool:
    """Does a CodeableConcept hold any code or word?"""
    return bool(codings(concept) or wording(concept))


def local_id(reference: Any) -> str:
    """The bare id a reference points to, from relative, absolute, versioned and urn:uuid forms; empty where there is none."""
    target = text(reference.get("reference")) if isinstance(reference, dict) else text(reference)
    target = target.split("/_history/")[0]
    return target.rsplit("/", 1)[-1].removeprefix("urn:uuid:")


def referenced_type(reference: Any) -> str:
    """The resource type a reference names, or the empty string."""
    target = text(reference.get("reference")) if isinstance(reference, dict) else text(reference)
    parts = target.split("/_history/")[0].split("/")
    return parts[-2] if len(parts) > 1 else ""
