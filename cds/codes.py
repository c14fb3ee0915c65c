"""Coding systems: how each writes its codes, and the URIs under which FHIR servers send them.

A code that does not fit its system is refused when the knowledge is loaded, so a slip of the pen in a value set stops the
service at start and not at a bedside. LOINC and SNOMED CT carry check digits; both are checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


Measures = Literal["mass", "moles"]
"""What a concentration counts. LOINC has a code for each; laboratories change the unit and keep the code."""


def _loinc_check_digit(code: str) -> bool:
    digits, check = code.rsplit("-", 1)
    odd, even = digits[::-1][0::2], digits[::-1][1::2]  # places counted from the right
    total = sum(map(int, str(int(odd) * 2))) + sum(map(int, even))
    return (10 - total % 10) % 10 == int(check)


_VERHOEFF_PERMUTE = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def _verhoeff_multiply(a: int, b: int) -> int:
    """The product of two symmetries of a pentagon, numbered 0-4 (turns) and 5-9 (turns of the mirrored pentagon)."""
    turn = (a % 5 + b) % 5 if a < 5 else (a % 5 - b) % 5
    return turn + 5 * ((a < 5) == (b >= 5))


def _sct_check_digit(code: str) -> bool:
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = _verhoeff_multiply(check, int(_VERHOEFF_PERMUTE[place % 8][int(digit)]))
    return check == 0


@dataclass(frozen=True)
class CodingSystem:
    """One coding system. `hierarchical` systems are matched by prefix: D51.0 also stands for D51.000x001.

    `uris`: what the standards call it; `also`: other URIs and names under which servers send it.
    """

    name: str
    uris: tuple[str, ...]
    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None = None
    hierarchical: bool = False
    also: tuple[str, ...] = ()

    def accepts(self, code: str) -> bool:
        """Is `code` written the way this system writes its codes?"""
        return bool(self.pattern.fullmatch(code)) and (self.check is None or self.check(code))


_ICD = re.compile(
    r"""
    [A-Z][0-9][0-9A-Z]       # category
    (\.[0-9A-Z]{1,4})?       # subdivisions
    """,
    re.VERBOSE,
)

_NATIONAL_ICD_10 = (
    *(f"http://fhir.de/CodeSystem/{office}/icd-10-gm" for office in ("bfarm", "dimdi")),
    *(f"http://hl7.org/fhir/sid/icd-10-{country}" for country in ("gm", "am", "ca", "nl", "de")),
    *(f"urn:oid:2.16.156.10011.2.3.3.11{table}" for table in ("", ".3")),
    "icd-10",
    "icd10",
)
"""Modifications that subdivide the categories of the WHO and leave their meaning alone; the US one (CM) does not always."""

SYSTEMS = {
    system.name: system
    for system in (
        CodingSystem(
            "loinc",
            ("http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"),
            re.compile(r"\d{1,6}-\d"),
            _loinc_check_digit,
            also=("loinc",),
        ),
        CodingSystem(
            "sct",
            ("http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96"),
            re.compile(r"\d{6,18}"),
            _sct_check_digit,
            also=("snomed", "snomed ct", "snomed-ct", "snomedct", "sct"),
        ),
        CodingSystem(
            "rxnorm",
            ("http://www.nlm.nih.gov/research/umls/rxnorm", "urn:oid:2.16.840.1.113883.6.88"),
            re.compile(r"\d{1,8}"),
            also=("rxnorm",),
        ),
        CodingSystem(
            "atc",
            ("http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73"),
            re.compile(r"[A-Z]\d\d[A-Z]{1,2}(\d\d)?"),
            hierarchical=True,
            also=("http://fhir.de/CodeSystem/bfarm/atc", "http://fhir.de/CodeSystem/dimdi/atc", "atc"),
        ),
        CodingSystem(
            "icd10cm",
            ("http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90"),
            _ICD,
            hierarchical=True,
            also=("icd-10-cm", "icd10cm"),
        ),
        CodingSystem(
            "icd10",
            ("http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.840.1.113883.6.3"),
            _ICD,
            hierarchical=True,
            also=_NATIONAL_ICD_10,
        ),
        CodingSystem("cpt", ("http://www.ama-assn.org/go/cpt", "urn:oid:2.16.840.1.113883.6.12"), re.compile(r"\d{4}[0-9A-Z]")),
        CodingSystem("loincanswer", ("http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"), re.compile(r"LA\d{1,6}-\d")),
        CodingSystem(
            "interpretation",
            ("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "http://hl7.org/fhir/v2/0078"),
            re.compile(r"[A-Z]+"),
        ),
        CodingSystem("v3route", ("http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration",), re.compile(r"[A-Z]+")),
    )
}


def normal_form(code: str) -> tuple[str, ...]:
    """The codes a hierarchical code stands for: without dots, in capitals, dagger and asterisk parts apart (E53.801+G32.0*)."""
    return tuple(part.replace(".", "").strip().upper() for part in re.split(r"[+*†]", code) if part.strip())


def _bare(uri: str) -> str:
    """A URI without what servers add or leave out: case, blanks, scheme, a version behind "|", a slash at the end."""
    bare = uri.split("|")[0].strip().lower().rstrip("/")
    for prefix in ("https://", "http://", "urn:oid:"):
        bare = bare.removeprefix(prefix)
    return bare


_SPELT = {_bare(uri): system.uris[0] for system in SYSTEMS.values() for uri in (*system.uris, *system.also)}
_SCT_EDITION = "snomed.info/sct/"


def system_uri(uri: str) -> str | None:
    """The first URI of the coding system that is meant, however its own is spelt; None for a system that is none of ours.

    "2.16.840.1.113883.6.96", "https://snomed.info/sct/" and an edition of SNOMED CT all mean "http://snomed.info/sct".
    """
    bare = _bare(uri)
    return SYSTEMS["sct"].uris[0] if bare.startswith(_SCT_EDITION) else _SPELT.get(bare)
