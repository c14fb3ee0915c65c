"""Patients whose B12 is a specialist's business: one card that says so, and no dose (C1.3, C1.4)."""

from __future__ import annotations

from cds.advice import Advice
from cds.chart import Condition
from cds.logic import Evidence


def referral(pregnancy_evidence: Evidence | None, inborn_errors: tuple[Condition, ...] | None) -> Advice | None:
    """Pregnancy and breastfeeding change what B12 results mean; inborn errors change what B12 does."""
    if inborn_errors:
        return Advice("inborn_error")
    return Advice("pregnancy") if pregnancy_evidence else None
