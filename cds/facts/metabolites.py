"""What MMA, homocysteine, folate and the kidneys say beside a B12 sample (C3 step 2)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from cds.chart import Measurement, NoResult
from cds.exposure import Cover
from cds.leaves import measured
from cds.logic import newest_result, paired, since


MmaReading = Literal["normal", "raised", "marked", "unusable", "none"]
HomocysteineReading = Literal["normal", "high", "very_high", "undecided", "none"]
FolateReading = Literal["low", "sufficient", "unknown"]
KidneyReading = Literal["adequate", "reduced", "severely_reduced", "unknown"]

mma_results = measured("mma")
homocysteine_results = measured("homocysteine")
folate_results = measured("folate")
egfr_results = measured("egfr")


def egfr(egfr_results: tuple[Measurement, ...], fresh_since: date) -> Measurement | NoResult:
    """The newest eGFR that is fresh enough."""
    return newest_result(since(egfr_results, fresh_since))


def kidney_reading(
    egfr: Measurement | NoResult, egfr_metabolite_unreliable_lt: float, egfr_mma_unreadable_lt: float
) -> KidneyReading:
    """Can raised metabolites be blamed on B12? ">60" counts as adequate; what cannot be told is unknown."""
    if isinstance(egfr, NoResult):
        return "unknown"
    if egfr.value.below(egfr_metabolite_unreliable_lt) is False:
        return "adequate"
    if egfr.value.below(egfr_mma_unreadable_lt):
        return "severely_reduced"
    known = egfr.value.below(egfr_metabolite_unreliable_lt) and egfr.value.below(egfr_mma_unreadable_lt) is False
    return "reduced" if known else "unknown"


def mma(
    mma_results: tuple[Measurement, ...],
    b12_sample: Measurement | NoResult,
    b12_cover: Cover | None,
    marker_pair_window_days: float,
) -> Measurement | NoResult:
    """The MMA that may be read with the B12 sample."""
    return paired(mma_results, b12_sample, b12_cover, marker_pair_window_days)


def homocysteine(
    homocysteine_results: tuple[Measurement, ...],
    b12_sample: Measurement | NoResult,
    b12_cover: Cover | None,
    marker_pair_window_days: float,
) -> Measurement | NoResult:
    """The homocysteine that may be read with the B12 sample."""
    return paired(homocysteine_results, b12_sample, b12_cover, marker_pair_window_days)


def folate(
    folate_results: tuple[Measurement, ...],
    b12_sample: Measurement | NoResult,
    b12_cover: Cover | None,
    marker_pair_window_days: float,
) -> Measurement | NoResult:
    """The serum folate that may be read with the B12 sample."""
    return paired(folate_results, b12_sample, b12_cover, marker_pair_window_days)


def mma_reading(
    mma: Measurement | NoResult,
    kidney_reading: KidneyReading | None,
    mma_uln_umoll: float,
    mma_own_limit_max_factor: float,
    mma_marked_umoll: float,
) -> MmaReading:
    """MMA by the laboratory's own upper limit where it sent a believable one. A normal MMA is normal in any kidney.

    "raised" needs an adequate eGFR. With an eGFR of 30-59 only a marked rise counts; otherwise a raised MMA is unusable.
    """
    if isinstance(mma, NoResult):
        return "none"
    own = mma.upper_limit
    factor = mma_own_limit_max_factor
    above = mma.value.above(own if own and mma_uln_umoll / factor <= own <= mma_uln_umoll * factor else mma_uln_umoll)
    if above is False:
        return "normal"
    if above and kidney_reading == "adequate":
        return "raised"
    if mma.value.above(mma_marked_umoll) and kidney_reading == "reduced":
        return "marked"
    return "unusable"


def homocysteine_reading(
    homocysteine: Measurement | NoResult, hcy_high_gt: float, hcy_very_high_gt: float
) -> HomocysteineReading:
    """Homocysteine against the site's cut; a comparator that spans the cut decides nothing."""
    if isinstance(homocysteine, NoResult):
        return "none"
    if homocysteine.value.above(hcy_very_high_gt):
        return "very_high"
    above = homocysteine.value.above(hcy_high_gt)
    return "undecided" if above is None else "high" if above else "normal"


def folate_reading(folate: Measurement | NoResult, folate_low_lt_ngml: float) -> FolateReading:
    """Is folate lack ruled out as a cause of a raised homocysteine?"""
    below = folate.value.below(folate_low_lt_ngml) if isinstance(folate, Measurement) else None
    return "unknown" if below is None else "low" if below else "sufficient"
