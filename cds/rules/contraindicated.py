"""B12 on record that this patient must not have (C10: Leber's with cyanocobalamin, allergy with B12)."""

from __future__ import annotations

from cds.advice import Advice
from cds.chart import Medicine


def contraindicated_b12(
    cyanocobalamin_in_leber: tuple[Medicine, ...], b12_despite_allergy: tuple[Medicine, ...]
) -> Advice | None:
    """Sight first, then allergy; either is critical."""
    if cyanocobalamin_in_leber:
        return Advice("cyanocobalamin_in_leber")
    return Advice("despite_allergy") if b12_despite_allergy else None
