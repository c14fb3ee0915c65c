"""What the baseline or regimen card adds on companions and diet, once and in one line each (C7)."""

from __future__ import annotations

from cds.chart import Condition, Measurement
from cds.facts.absorption import Absorption
from cds.facts.companions import VitaminDReading
from cds.logic import Evidence


def companion_notes(
    bone_evidence: Evidence | None,
    companions_missing: tuple[str, ...] | None,
    companions_abnormal: tuple[Measurement, ...] | None,
    vitamin_d_reading: VitaminDReading | None,
    fortified_food_helps: bool | None,
) -> tuple[str, ...]:
    """Companions nobody knows, where bone is the matter; a vitamin D in between, unless there is a card of its own; food."""
    missing = ("companions_missing",) if bone_evidence and companions_missing else ()
    between = ("vitamin_d_between",) if vitamin_d_reading == "between" and not companions_abnormal else ()
    return (*missing, *between, *(("fortified_food",) if fortified_food_helps else ()))


def fortified_food_helps(
    meatless_diet_evidence: Evidence,
    absorption: Absorption,
    on_b12: bool,
    b12_allergies: Evidence,
    leber_optic_neuropathy: tuple[Condition, ...],
) -> bool:
    """A meatless diet and no B12, in somebody who absorbs it and may have cyanocobalamin, with which food is fortified."""
    forbidden = on_b12 or b12_allergies or leber_optic_neuropathy
    return bool(meatless_diet_evidence) and not forbidden and not absorption.startswith("impaired")
