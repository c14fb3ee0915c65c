"""The doses of B12 by route and purpose, each made of signed numbers (C5)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Dose(Struct, frozen=True, cache_hash=True):
    """A dose range with the dose to prefer: ug/d by mouth, ug per injection with its interval otherwise."""

    low: float
    high: float
    preferred: float
    unit: Literal["ug/d", "ug/{injection}"]


def oral_dose(oral_dose_min_ug: float, oral_dose_max_ug: float, oral_dose_confirmed_deficiency_ug: float) -> Dose:
    """Swallowed, where absorption is normal."""
    return Dose(oral_dose_min_ug, oral_dose_max_ug, min(oral_dose_confirmed_deficiency_ug, oral_dose_max_ug), "ug/d")


def sublingual_dose(sl_dose_min_ug: float, sl_dose_max_ug: float, oral_dose_confirmed_deficiency_ug: float) -> Dose:
    """Dissolved under the tongue."""
    return Dose(sl_dose_min_ug, sl_dose_max_ug, min(oral_dose_confirmed_deficiency_ug, sl_dose_max_ug), "ug/d")


def full_dose(oral_dose_confirmed_deficiency_ug: float) -> Dose:
    """The fixed dose where absorption is impaired or not yet known."""
    amount = oral_dose_confirmed_deficiency_ug
    return Dose(amount, amount, amount, "ug/d")


def malabsorption_dose(oral_dose_confirmed_deficiency_ug: float, oral_dose_malabsorption_max_ug: float) -> Dose:
    """Swallowed despite impaired absorption, where injections are declined or unsafe: some passes without intrinsic factor."""
    low = oral_dose_confirmed_deficiency_ug
    return Dose(low, oral_dose_malabsorption_max_ug, low, "ug/d")


def maintenance_dose(maintenance_dose_min_ug: float, oral_dose_max_ug: float) -> Dose:
    """For life after gastric or bariatric surgery, deficient or not."""
    return Dose(maintenance_dose_min_ug, oral_dose_max_ug, oral_dose_max_ug, "ug/d")


def injection_dose(im_hydroxo_dose_ug: float) -> Dose:
    """One injection; how often is said in words."""
    return Dose(im_hydroxo_dose_ug, im_hydroxo_dose_ug, im_hydroxo_dose_ug, "ug/{injection}")
