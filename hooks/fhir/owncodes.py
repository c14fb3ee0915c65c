"""A client's own codes: the value set each stands for, found whatever its blanks and case, and NDC in any of its forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds.codes import system_uri
from cds.content import Library
from hooks.fhir.elements import codings
from hooks.fhir.local import Local


_NDC = "http://hl7.org/fhir/sid/ndc"
_NDC_OID = "2.16.840.1.113883.6.69"
_HYPHENED = re.compile(r"(\d{4,5})-(\d{3,4})-(\d{1,2})")
_PARTS = (5, 4, 2)
_TEN_DIGITS = ((4, 4, 2), (5, 3, 2), (5, 4, 1))


class OwnCodes:
    """The codes of one client that name value sets of some kinds."""

    def __init__(self, local: Local, library: Library, *kinds: str) -> None:
        """Raises ValueError where a code is said to stand for a value set that does not exist."""
        self._names: dict[tuple[str, str], set[str]] = {}
        for (system, code), name in local.codes.items():
            if name not in library.value_sets:
                raise ValueError(f"{system}|{code} cannot stand for {name!r}: there is no such value set")
            if library.value_sets[name].kind in kinds:
                for key in _keys(system, code):
                    self._names.setdefault(key, set()).add(name)

    def named(self, *concepts: object) -> tuple[str, ...]:
        """The value sets that the codings of some CodeableConcepts stand for here."""
        if not self._names:
            return ()
        return tuple(dict.fromkeys(name for concept in concepts for pair in codings(concept) for name in self._named(*pair)))

    def _named(self, system: str, code: str) -> set[str]:
        """A code that may be one of two with different meanings means neither."""
        found = {name for key in _keys(system, code) for name in self._names.get(key, ())}
        return found if len(found) == 1 else set()


def _keys(system: str, code: str) -> Iterator[tuple[str, str]]:
    """What a code is found under; several where it is an NDC of ten digits without hyphens."""
    bare = system.strip().lower()
    if bare == _NDC or bare.removeprefix("urn:oid:") == _NDC_OID:
        yield from ((_NDC, ndc) for ndc in ndc_forms(code))
    else:
        yield system_uri(system) or bare, code.strip().lower()


def ndc_forms(code: str) -> tuple[str, ...]:
    """The eleven digits (5-4-2) that an NDC stands for; three candidates for ten digits without hyphens, none for anything else.

    Each form of ten digits lacks a leading zero in one of its parts: 4-4-2 in the first, 5-3-2 in the second, 5-4-1 in the third.
    """
    digits = code.strip()
    if match := _HYPHENED.fullmatch(digits):
        lengths = tuple(map(len, match.groups()))
        return (_filled(match.groups()),) if lengths == _PARTS or lengths in _TEN_DIGITS else ()
    if not (digits.isascii() and digits.isdigit()):
        return ()
    if len(digits) == sum(_PARTS):
        return (digits,)
    return (
        tuple(_filled((digits[:a], digits[a : a + b], digits[a + b :])) for a, b, _ in _TEN_DIGITS) if len(digits) == 10 else ()
    )


def _filled(parts: tuple[str, ...]) -> str:
    return "".join(part.zfill(length) for part, length in zip(parts, _PARTS, strict=True))
