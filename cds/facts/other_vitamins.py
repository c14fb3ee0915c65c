"""Vitamins that change what a B12 result or a B12 dose means: folic acid, vitamin B6, biotin (C3, C6, C10)."""

from __future__ import annotations

from typing import Literal

from cds.chart import Medicine
from cds.dose import nutrient_ug_per_day
from cds.leaves import taking
from cds.logic import either


FolicAcidDose = Literal["none", "below", "masking", "unknown"]

folic_acid_products = taking("folic_acid")
pyridoxine_products = taking("pyridoxine")
biotin_products = taking("biotin")
pemetrexed = taking("pemetrexed")


def folic_acid_dose(folic_acid_products: tuple[Medicine, ...], folic_acid_masking_ge_ug_day: float) -> FolicAcidDose:
    """Folic acid on record, against the dose that may hide a lack of B12."""
    current = [medicine for medicine in folic_acid_products if medicine.current]
    if not current:
        return "none"
    doses = [nutrient_ug_per_day(medicine, "folic_acid") for medicine in current]
    if sum(dose or 0 for dose in doses) >= folic_acid_masking_ge_ug_day:
        return "masking"
    return "unknown" if None in doses else "below"


def folic_acid_may_mask(folic_acid_dose: FolicAcidDose, on_b12: bool) -> bool:
    """Enough folic acid, and no B12 beside it, to mend a blood count while nerves go on suffering."""
    return folic_acid_dose == "masking" and not on_b12


def on_pemetrexed(pemetrexed: tuple[Medicine, ...]) -> bool:
    """Pemetrexed is given with folic acid and B12 by a schedule of its own; that folic acid is no reason for a card."""
    return any(medicine.current for medicine in pemetrexed)


def pyridoxine_mg_per_day(
    pyridoxine_products: tuple[Medicine, ...] | None, b12_combinations: tuple[Medicine, ...] | None
) -> float | None:
    """Vitamin B6 in mg per day, from single products and from combinations of stated strength."""
    medicines = either(pyridoxine_products, tuple(m for m in b12_combinations or () if "pyridoxine" in m.strengths))
    if medicines is None:
        return None
    doses = [nutrient_ug_per_day(medicine, "pyridoxine") for medicine in medicines if medicine.current]
    return None if None in doses else sum(dose for dose in doses if dose is not None) / 1000


def biotin_may_interfere(biotin_products: tuple[Medicine, ...], biotin_interference_ge_mg_day: float) -> bool:
    """Enough biotin on record to disturb some B12 assays."""
    doses = [nutrient_ug_per_day(medicine, "biotin") for medicine in biotin_products if medicine.current]
    return any(dose is not None and dose / 1000 >= biotin_interference_ge_mg_day for dose in doses)
