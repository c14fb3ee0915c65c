"""Patients whose B12 is a specialist's business: one card that says so, and no dose (C1.3, C1.4)."""

from __future__ import annotations

from cds.advice import Advice
from cds.chart import Condition
from cds.facts.b12_samples import B12Class
from cds.logic import Evidence


def referral(
    pregnancy_evidence: Evidence | None,
    inborn_errors: tuple[Condition, ...] | None,
    neuro_major: tuple[Condition, ...] | None,
    nitrous_oxide_neurology: Evidence | None,
    blood_red_flag: bool | None,
    b12_class: B12Class | None,
) -> Advice | None:
    """Pregnancy and breastfeeding change what B12 results mean; inborn errors change what B12 does.

    Neither makes nerves or blood wait in pregnancy: whoever decides there decides today. Inborn errors are followed already.
    """
    if inborn_errors:
        return Advice("inborn_error")
    if not pregnancy_evidence:
        return None
    nerves = nitrous_oxide_neurology or (neuro_major and b12_class not in ("normal", "high"))
    return Advice("pregnancy_with_red_flag" if nerves or blood_red_flag else "pregnancy")
