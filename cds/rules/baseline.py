"""Measure first: B12, homocysteine and folate before anything is started (C2, C5.14)."""

from __future__ import annotations

from cds.advice import Advice, OrderTests
from cds.chart import Condition, Measurement, NoResult
from cds.facts.b12_samples import B12Class
from cds.facts.b12_status import B12Status
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
    macrocytosis: bool,
    likely_to_lack_b12: bool | None,
    folic_acid_may_mask: bool | None,
    on_pemetrexed: bool | None,
    companion_notes: tuple[str, ...],
) -> Advice | None:
    """Speaks where B12 status is unknown and no louder card already asks for the test; over hidden nerve damage in any case."""
    if b12_status != "unknown":
        return None
    tests = (OrderTests(baseline_missing or ("b12_total",)),)
    if folic_acid_may_mask and neurology and macrocytosis:
        return Advice("folic_acid_hides_nerve_damage", tests)
    if regimen.row not in ("unknown", "allergy") or neuro_major:
        return None
    if folic_acid_may_mask and not on_pemetrexed:
        return Advice("before_folic_acid", tests, companion_notes)
    if neuro_minor and (likely_to_lack_b12 or macrocytosis):
        return Advice("with_nerve_signs", tests, companion_notes)
    return Advice(_reason(b12_class, on_b12, last_b12_test), tests, companion_notes)


def _reason(b12_class: B12Class, on_b12: bool, last_b12_test: Measurement | NoResult) -> str:
    """Why there is no status, where nothing presses."""
    if b12_class == "undecided":
        return "undecided"
    if on_b12:
        return "treated_unmeasured"
    return "stale" if last_b12_test else "unmeasured"
