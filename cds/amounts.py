"""Amounts as they are written: masses in ug, tablets, ampoules and millilitres by count, and what one of them holds."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cds.chart import DoseUnit
from cds.plaintext import NUMBER, any_of, plain


UG_IN = {
    "ng": 1e-3,
    **dict.fromkeys(("ug", "ugs", "mcg", "mcgs", "microgram", "micrograms", "microgramme", "microgrammes", "微克"), 1.0),
    **dict.fromkeys(("mg", "mgs", "milligram", "milligrams", "毫克"), 1e3),
    **dict.fromkeys(("g", "gram", "grams", "克"), 1e6),
}
"""ug in one of each mass unit. International units are absent on purpose: B12 has none."""

COUNTED_UNITS: Mapping[str, DoseUnit] = {
    **dict.fromkeys(
        ("tablet", "tablets", "tab", "tabs", "tbl", "caplet", "caplets", "capsule", "capsules", "cap", "caps"), "unit"
    ),
    **dict.fromkeys(
        ("softgel", "softgels", "pill", "pills", "lozenge", "lozenges", "troche", "troches", "gummy", "gummies"), "unit"
    ),
    **dict.fromkeys(("each", "ea", "片", "粒", "颗", "枚", "丸"), "unit"),
    **dict.fromkeys(("ml", "mls", "cc", "milliliter", "milliliters", "millilitre", "millilitres", "毫升"), "mL"),
    **dict.fromkeys(("spray", "sprays", "actuation", "actuations", "actuat", "puff", "puffs", "喷"), "spray"),
    **dict.fromkeys(
        ("ampoule", "ampoules", "ampule", "ampules", "ampul", "amp", "amps", "vial", "vials", "支", "针"), "container"
    ),
    **dict.fromkeys(("syringe", "syringes", "injection", "injections", "shot", "shots"), "container"),
}

_MASS_UNIT = any_of(UG_IN)
_LATIN = any_of(unit for unit in COUNTED_UNITS if unit.isascii() and unit not in ("each", "ea"))
_OTHER = any_of(unit for unit in COUNTED_UNITS if not unit.isascii())
_SOLID = any_of(unit for unit, kind in COUNTED_UNITS.items() if kind in ("unit", "container"))
_KIND = r"(?:(?:sublingual|oral|chewable|dissolving|disintegrating|coated|er|sr|sl|small|whole) ){0,2}"

MASS = re.compile(rf"({NUMBER}) ?({_MASS_UNIT})(?![a-z])(?! ?/ ?(?:kg|m2))")
COUNTED = re.compile(rf"({NUMBER}) ?(?:x )?{_KIND}((?:{_LATIN})(?![a-z])|{_OTHER})")
CONCENTRATION = re.compile(
    rf"({NUMBER}) ?({_MASS_UNIT}) ?(?:/|per|in|每) ?({NUMBER})? ?(ml|cc|毫升|actuat|actuation|spray|喷)(?![a-z])"
)
"""Mass, unit, amount, basis: "1 mg/2 mL", "0.5 MG/ACTUAT"."""

VOLUME_WITH_MASS = re.compile(rf"({NUMBER}) ?ml ?[:∶/(] ?({NUMBER}) ?({_MASS_UNIT})(?![a-z])")
"""Volume, mass, unit: "1ml:0.5mg", the whole of an ampoule as Chinese labels have it."""

MASS_WITH_VOLUME = re.compile(rf"({NUMBER}) ?({_MASS_UNIT}) ?[:∶(] ?({NUMBER}) ?ml(?![a-z])")
"""Mass, unit, volume: "0.5mg:1ml"."""

EACH = re.compile(
    rf"({NUMBER}) ?({_MASS_UNIT})(?: ?(?:/|per|每) ?(?:{_SOLID})(?![a-z])| each(?![a-z]))|"
    rf"(?:每[片粒颗枚丸支针](?:含\D{{0,6}})?|(?:{_SOLID}) of )({NUMBER}) ?({_MASS_UNIT})(?![a-z])"
)
"""What one tablet or ampoule holds: "500 mcg each", "0.5mg/片", "每片0.5mg", "2 tablets of 500 mcg"."""

PACK = re.compile(rf"[x*] ?{NUMBER} ?(?:[片粒颗枚丸支]|s(?![a-z]))(?: ?/ ?[盒瓶板])?|{NUMBER} ?[片粒颗枚丸支] ?/ ?[盒瓶板]")
"""How many a pack holds, which is no dose: "0.5mg×20片", "20片/盒"."""


def unit_of_dose(text: str) -> tuple[DoseUnit, float] | None:
    """The dose unit a string names and its worth: ("ug", 1000.0) for mg, ("unit", 1.0) for tablets; None for anything else."""
    word = plain(text).removesuffix("(s)").strip("{}[]().")
    if word in UG_IN:
        return "ug", UG_IN[word]
    return (COUNTED_UNITS[word], 1.0) if word in COUNTED_UNITS else None


def same(one: float, other: float) -> bool:
    """Are two amounts the same but for rounding?"""
    return abs(one - other) <= 0.005 * max(abs(one), abs(other))


def mass(number: str, unit: str) -> float:
    """A mass in ug, free of the dust of decimal fractions: 0.35 mg is 350 ug."""
    return float(f"{float(number) * UG_IN[unit]:.10g}")
