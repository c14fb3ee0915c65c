"""Measure first: B12, homocysteine and folate before anything is started (C2, C5.14)."""

from __future__ import annotations

from cds.advice import Advice, OrderTests
from cds.chart import Condition, Measurement, NoResult
from cds.facts.b12_samples import B12Class
from cds.facts.b12_status import B12Status
from cds.facts.other_vitamins import FolicAcidDose
from cds.facts.regimen import Regimen
from cds.logic import Evidence


def b12_baseline(
    b12_status: B12Status,
    b12_class: B12Class,
    regimen: Regimen,
    baseline_missing: tuple[str, ...],
    last_b12_test: Measurement | NoResult,
    on_b12: bool,
    neuro_major: tuple[Condition, ...] | None,
    neuro_minor: tuple[Condition, ...] | None,
    neurology: Evidence | None,
    likely_to_lack_b12: bool | None,
    macrocytosis: bool,
    folic_acid_dose: FolicAcidDose | None,
) -> Advice | None:
    """Speaks where B12 status is unknown and no louder card already asks for the test."""
    if b12_status != "unknown":
        return None
    key = _key(b12_class, last_b12_test, on_b12, neuro_minor, neurology, likely_to_lack_b12, macrocytosis, folic_acid_dose)
    if key != "folic_acid_hides_nerve_damage" and (regimen.row not in ("unknown", "allergy") or neuro_major):
        return None
    return Advice(key, (OrderTests(baseline_missing or ("b12_total",)),))


def _key(
    b12_class: B12Class,
    last_b12_test: Measurement | NoResult,
    on_b12: bool,
    neuro_minor: tuple[Condition, ...] | None,
    neurology: Evidence | None,
    likely_to_lack_b12: bool | None,
    macrocytosis: bool,
    folic_acid_dose: FolicAcidDose | None,
) -> str:
    """The most pressing reason to measure."""
    if folic_acid_dose == "masking" and not on_b12:
        return "folic_acid_hides_nerve_damage" if neurology and macrocytosis else "before_folic_acid"
    if neuro_minor and likely_to_lack_b12:
        return "with_nerve_signs"
    if b12_class == "undecided":
        return "undecided"
    if on_b12:
        return "treated_unmeasured"
    return "stale" if last_b12_test else "unmeasured"
