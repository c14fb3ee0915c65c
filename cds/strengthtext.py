"""What a product's name says that it contains: "folic acid 2.2 MG / vitamin B12 0.5 MG", "维生素B12注射液 1ml:0.5mg"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from cds.amounts import CONCENTRATION, EACH, MASS, MASS_WITH_VOLUME, PACK, VOLUME_WITH_MASS, mass
from cds.chart import DoseUnit, Strength
from cds.plaintext import NUMBER, figures, plain


_QUANTITY_FIRST = re.compile(rf"^({NUMBER}) ml (?=[a-z])")
_INJECTED = re.compile(r"(?<![a-z])(?:inject|amp|vial|syringe)|注射|针|支|安瓿")


def strengths(name: str, nutrients_in: Callable[[str], Iterable[str]]) -> dict[str, Strength]:
    """The strength of each nutrient a product name states: "folic acid 2.2 MG / vitamin B12 0.5 MG Oral Tablet".

    `nutrients_in` names the nutrients a piece of text speaks of. A part that names two of them has no strength to share out; two
    parts that name the same one (mecobalamin and cyanocobalamin in one tablet) add up.
    """
    found: dict[str, Strength] = {}
    for part in figures(plain(name)).split(" / "):
        nutrients = tuple(nutrients_in(part))
        strength = _strength(PACK.sub(" ", part))
        if len(nutrients) == 1 and strength is not None:
            ug, per = strength
            before = found.get(nutrients[0])
            found[nutrients[0]] = Strength(ug + before.ug if before is not None and before.ug and before.per == per else ug, per)
    return found


def container_ml(name: str) -> float | None:
    """How many mL one ampoule, vial or syringe of this name holds; None where it gives a concentration only, or no volume.

    "1ml:0.5mg" and "1 mg/1 mL" name the whole, and so does RxNorm's "10 ML vitamin B12 1 MG/ML Injection"; "1 mg/mL" does not.
    """
    words = figures(plain(name))
    if not _INJECTED.search(words):
        return None
    stated = {float(match[1]) for match in _QUANTITY_FIRST.finditer(words)}
    if not stated:
        stated = {float(match[1]) for match in VOLUME_WITH_MASS.finditer(words)}
        stated |= {float(match[3]) for match in MASS_WITH_VOLUME.finditer(words)}
        stated |= {float(match[3]) for match in CONCENTRATION.finditer(words) if match[3] and match[4] in ("ml", "cc", "毫升")}
    return stated.pop() or None if len(stated) == 1 else None


def _strength(part: str) -> tuple[float, DoseUnit] | None:
    if match := VOLUME_WITH_MASS.search(part):
        return _per(match[2], match[3], match[1], "mL")
    if match := MASS_WITH_VOLUME.search(part):
        return _per(match[1], match[2], match[3], "mL")
    if match := CONCENTRATION.search(part):
        return _per(match[1], match[2], match[3] or "1", "spray" if match[4] in ("actuat", "actuation", "spray", "喷") else "mL")
    masses = {mass(m[1] or m[3], m[2] or m[4]) for m in EACH.finditer(part)} or {mass(n, u) for n, u in MASS.findall(part)}
    return (masses.pop(), "unit") if len(masses) == 1 else None


def _per(number: str, unit: str, amount: str, per: DoseUnit) -> tuple[float, DoseUnit] | None:
    return (mass(number, unit) / float(amount), per) if float(amount) else None
