"""Dose arithmetic: what a medicine on record gives in a day. What cannot be computed is None, never 0."""

from __future__ import annotations

from cds.chart import Dosage, Medicine


PARENTERAL_ROUTES = frozenset({"intramuscular", "subcutaneous", "intravenous"})


def dose_ug(medicine: Medicine, dosage: Dosage, nutrient: str) -> float | None:
    """Ug of a nutrient in one dose. A dose written by mass counts only where the product has no other ingredient of ours."""
    if dosage.amount is None or dosage.unit is None:
        return None
    strength = medicine.strengths.get(nutrient)
    if dosage.unit == "ug":
        return dosage.amount if medicine.concept == nutrient and len(medicine.strengths) <= 1 else None
    if strength is None or strength.per != dosage.unit:
        return None
    return dosage.amount * strength.ug


def nutrient_ug_per_day(medicine: Medicine, nutrient: str) -> float | None:
    """Ug of a nutrient per day over all dosage lines; unknown as soon as one line is."""
    total = 0.0
    for dosage in medicine.dosages:
        dose = dose_ug(medicine, dosage, nutrient)
        if dose is None or dosage.per_day is None:
            return None
        total += dose * dosage.per_day
    return total if medicine.dosages else None


def is_parenteral(medicine: Medicine) -> bool:
    """Is it injected? A medicine without a recorded route is taken to be swallowed, which overstates rather than hides intake."""
    return medicine.route in PARENTERAL_ROUTES
