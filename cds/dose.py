"""Dose arithmetic: what a medicine on record gives in a day. What cannot be computed is None, never 0."""

from __future__ import annotations

from cds.amounts import same
from cds.chart import Dosage, DoseUnit, Medicine


PARENTERAL_ROUTES = frozenset({"intramuscular", "subcutaneous", "intravenous"})


def dose_ug(medicine: Medicine, dosage: Dosage, nutrient: str) -> float | None:
    """Ug of a nutrient in one dose; unknown where the count and the mass beside it ("2 tablets (500 mcg)") disagree.

    A dose written by mass counts only where the product has no other ingredient of ours.
    """
    by_count = _ug(medicine, dosage.amount, dosage.unit, nutrient)
    by_mass = _ug(medicine, dosage.mass_ug, "ug", nutrient)
    if by_count is None or by_mass is None:
        return by_mass if by_count is None and _may_say(medicine, nutrient) else by_count
    return by_count if same(by_count, by_mass) else None


def _may_say(medicine: Medicine, nutrient: str) -> bool:
    """May the dosage line say what the product holds? Not where the record contradicts itself about it."""
    strength = medicine.strengths.get(nutrient)
    return strength is None or strength.ug is not None


def _ug(medicine: Medicine, amount: float | None, unit: DoseUnit | None, nutrient: str) -> float | None:
    if amount is None or unit is None:
        return None
    if unit == "ug":
        return amount if medicine.concept == nutrient and len(medicine.strengths) <= 1 else None
    strength = medicine.strengths.get(nutrient)
    if strength is None or strength.ug is None:
        return None
    if unit == "container":
        held = 1.0 if strength.per == "unit" else medicine.container_ml if strength.per == "mL" else None
        return None if held is None else amount * held * strength.ug
    return amount * strength.ug if strength.per == unit else None


def _ug_per_day(medicine: Medicine, dosage: Dosage, nutrient: str) -> float | None:
    """Ug of a nutrient in a day by one line: what is taken as needed is taken as often as it may be, up to its daily maximum."""
    dose = dose_ug(medicine, dosage, nutrient)
    usual = None if dose is None or dosage.per_day is None else dose * dosage.per_day
    most = _ug(medicine, dosage.most, dosage.most_unit, nutrient)
    if usual is None or most is None:
        return most if usual is None else usual
    return min(usual, most)


def nutrient_ug_per_day(medicine: Medicine, nutrient: str) -> float | None:
    """Ug of a nutrient per day over all dosage lines; unknown as soon as one line is."""
    total = 0.0
    for dosage in medicine.dosages:
        ug = _ug_per_day(medicine, dosage, nutrient)
        if ug is None:
            return None
        total += ug
    return total if medicine.dosages else None


def nutrient_ug_at_least(medicine: Medicine, nutrient: str) -> float:
    """Ug of a nutrient per day over the dosage lines that could be read: a lower bound, 0 where none could."""
    total = 0.0
    for dosage in medicine.dosages:
        total += _ug_per_day(medicine, dosage, nutrient) or 0
    return total


def is_parenteral(medicine: Medicine) -> bool:
    """Is it injected? A medicine without a recorded route is taken to be swallowed, which overstates rather than hides intake."""
    return medicine.route in PARENTERAL_ROUTES
