"""Draft orders that hide or deplete vitamin B12: folic acid, B-complex, acid suppressants, metformin, nitrous oxide (C12)."""

from __future__ import annotations

from cds.advice import Advice, OrderTests
from cds.chart import Condition, Medicine
from cds.facts.b12_samples import B12Class
from cds.facts.b12_status import B12Status
from cds.facts.metabolites import KidneyReading
from cds.facts.scope import Scope
from cds.logic import Evidence


def order_folic_acid(
    folic_acid_drafts: tuple[Medicine, ...],
    drafted_folic_acid_ug_per_day: float | None,
    folic_acid_masking_ge_ug_day: float,
    b12_giving_drafts: tuple[Medicine, ...],
    on_b12: bool | None,
    on_pemetrexed: bool | None,
    b12_class: B12Class | None,
    b12_status: B12Status,
    neurology: Evidence | None,
    macrocytosis: bool | None,
) -> Advice | None:
    """Folic acid alone can mend the blood while nerves go on suffering. A dose that cannot be read counts as enough for that."""
    if not folic_acid_drafts or b12_giving_drafts or on_b12 or b12_status == "adequate":
        return None
    if drafted_folic_acid_ug_per_day is not None and drafted_folic_acid_ug_per_day < folic_acid_masking_ge_ug_day:
        return None
    low = b12_class in ("low", "grey") or b12_status in ("deficient", "probable_deficiency", "functional_deficiency_suspected")
    if not low and (on_pemetrexed or b12_class not in ("none", "undecided", None)):
        return None
    tests = () if low else (OrderTests(("b12_total",)),)
    if neurology and macrocytosis:
        return Advice("hides_nerve_damage", tests)
    return Advice("b12_low" if low else "b12_unknown", tests)


def order_b_complex(
    scope: Scope,
    drafted_pyridoxine_mg_per_day: float,
    b6_high_ge_mg_day: float,
    kidney_reading: KidneyReading | None,
) -> Advice | None:
    """High-dose combinations with B6: harm was seen in diabetic kidney disease, and a signal for hip fractures."""
    if drafted_pyridoxine_mg_per_day < b6_high_ge_mg_day:
        return None
    if kidney_reading in ("reduced", "severely_reduced"):
        return Advice("weak_kidneys")
    return Advice("review_b6") if scope == "in_scope_osteoporosis" else None


def order_metformin(
    metformin_drafts: tuple[Medicine, ...],
    metformin_days: int,
    metformin_long_term_days: float,
    b12_tested_recently: bool,
    neurology: Evidence | None,
    malabsorption_causes: Evidence | None,
    meatless_diet_evidence: Evidence | None,
) -> Advice | None:
    """Metformin lowers B12 in some; it is measured and never a reason to stop metformin."""
    if not metformin_drafts or b12_tested_recently:
        return None
    tests = (OrderTests(("b12_total",)),)
    if neurology:
        return Advice("with_nerve_signs", tests)
    risky = malabsorption_causes or meatless_diet_evidence
    return Advice("long_term", tests) if risky or metformin_days >= metformin_long_term_days else None


def order_acid_suppressant(
    acid_suppressant_drafts: tuple[Medicine, ...],
    acid_suppression_days: int,
    ppi_long_term_days: float,
    b12_tested_recently: bool,
) -> Advice | None:
    """A year of acid suppression, what is now ordered included, without a look at B12 and at the need."""
    if not acid_suppressant_drafts or b12_tested_recently or acid_suppression_days < ppi_long_term_days:
        return None
    return Advice("long_term", (OrderTests(("b12_total", "magnesium")),))


def order_nitrous_oxide(
    nitrous_oxide_drafts: tuple[Medicine, ...],
    b12_class: B12Class | None,
    b12_status: B12Status,
    on_b12: bool | None,
    days_on_b12: int | None,
    response_min_days: float,
    inborn_errors: tuple[Condition, ...] | None,
    neurology: Evidence | None,
    irreversible_causes: Evidence | None,
) -> Advice | None:
    """Nitrous oxide inactivates B12: where it is low, or may be, another anaesthetic or B12 first.

    A tablet since yesterday has filled no stores.
    """
    if not nitrous_oxide_drafts or b12_status == "adequate" or (on_b12 and (days_on_b12 or 0) >= response_min_days):
        return None
    if b12_class in ("low", "grey") or b12_status in ("probable_deficiency", "functional_deficiency_suspected") or inborn_errors:
        return Advice("b12_low")
    unmeasured = b12_class in ("none", "undecided", None)
    return Advice("b12_unknown", (OrderTests(("b12_total",)),)) if unmeasured and (neurology or irreversible_causes) else None
