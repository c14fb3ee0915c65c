"""How much bowel an operation took out, as its name tells."""

from __future__ import annotations

import re
import unicodedata

from hooks.fhir.elements import number


_LENGTH = re.compile(r"(\d[\d.]*(?:\s*(?:[-–~x×]|to|至|到)\s*\d[\d.]*)*)\s*(mm|cm|毫米|厘米|公分)", re.IGNORECASE)
_CM_IN = {"mm": 0.1, "毫米": 0.1}
_COMPLETE = re.compile(
    r"\bcomplete (?:ileal|ileectomy|(?:resection|removal|excision) of (?:the )?(?:(?:terminal|distal) )?ileum)\b|"
    r"\b(?:entire|whole) (?:(?:terminal|distal) )?(?:ileum|ileal)\b|"
    r"(?:全部?|完全切除)(?:末端|末段|远端)?回肠|回肠(?:末端|末段)?(?:全部|完全|全)切",
    re.IGNORECASE,
)


def resected(name: str) -> tuple[float | None, bool]:
    """The length in cm, where the name gives one, and whether it says that all of the ileum was taken."""
    words = unicodedata.normalize("NFKC", name)
    return _length_cm(words), bool(_COMPLETE.search(words))


def _length_cm(words: str) -> float | None:
    """A length, where exactly one is given: of several, or of a range, nobody can tell which was taken out."""
    found = set(_LENGTH.findall(words))
    value, unit = found.pop() if len(found) == 1 else ("", "cm")
    length = number(value)
    return None if length is None else length * _CM_IN.get(unit.lower(), 1.0)
