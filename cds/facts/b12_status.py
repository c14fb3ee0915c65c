"""B12 status: the class of the sample, read together with metabolites, kidneys, nerves and treatment (C3)."""

from __future__ import annotations

from typing import Literal

from cds.chart import Condition, Measurement, NoResult
from cds.exposure import Run
from cds.facts.b12_samples import B12Class
from cds.facts.metabolites import FolateReading, HomocysteineReading, KidneyReading, MmaReading
from cds.facts.scope import Scope
from cds.logic import Evidence


B12Status = Literal[
    "deficient",
    "probable_deficiency",
    "indeterminate",
    "adequate",
    "functional_deficiency_suspected",
    "high_unexplained",
    "high_on_treatment",
    "on_treatment",
    "unknown",
    "not_classified",
]

UntreatedReading = Literal[
    "deficient", "probable_deficiency", "indeterminate", "adequate", "functional_deficiency_suspected", "high", "unknown"
]


def untreated_b12_reading(
    b12_class: B12Class,
    mma_reading: MmaReading | None,
    homocysteine_reading: HomocysteineReading | None,
    folate_reading: FolateReading | None,
    kidney_reading: KidneyReading | None,
    neuro_major: tuple[Condition, ...] | None,
    nitrous_oxide_evidence: Evidence | None,
    intrinsic_factor_antibody: Evidence | None,
) -> UntreatedReading:
    """What the sample would mean in somebody who takes no B12. First matching row of C3 step 2."""
    hcy_high = homocysteine_reading in ("high", "very_high")
    hcy_means_b12 = hcy_high and folate_reading == "sufficient" and kidney_reading == "adequate"
    if b12_class == "low":
        return "deficient"
    if b12_class == "grey":
        if mma_reading == "raised":
            return "deficient"
        if mma_reading == "marked":
            return "probable_deficiency"
        if mma_reading == "normal":
            return "adequate"
        # The red flag comes before the homocysteine rows: an undecidable homocysteine must not make a myelopathy wait.
        return "probable_deficiency" if hcy_means_b12 or neuro_major else "indeterminate"
    if b12_class == "normal":
        if mma_reading == "raised":
            return "functional_deficiency_suspected"
        unreliable_assay = bool(nitrous_oxide_evidence) or bool(intrinsic_factor_antibody)
        if hcy_high and (unreliable_assay or (homocysteine_reading == "very_high" and hcy_means_b12)):
            return "functional_deficiency_suspected"
        return "indeterminate" if mma_reading == "unusable" and kidney_reading == "unknown" else "adequate"
    return "high" if b12_class == "high" else "unknown"


def b12_status(
    scope: Scope,
    b12_class: B12Class | None,
    untreated_b12_reading: UntreatedReading | None,
    b12_drawn_on_treatment: bool | None,
    still_low_on_treatment: bool | None,
    on_b12: bool | None,
    high_b12_explained: bool | None,
    b12_repeatedly_high: bool | None,
) -> B12Status:
    """The status by C3. A low result is low whatever we know of treatment; anything else needs the medicine list.

    Low or grey in the first weeks of treatment is no verdict on it, unless nobody is treated any more.
    """
    if scope in ("excluded", "refer_only", "out_of_scope"):
        return "not_classified"
    if b12_class is None or b12_class in ("none", "undecided") or untreated_b12_reading is None:
        return "unknown"
    if b12_drawn_on_treatment is None:
        return "deficient" if b12_class == "low" else "unknown"
    if b12_drawn_on_treatment:
        if b12_class == "low":
            return "deficient" if still_low_on_treatment or on_b12 is False else "on_treatment"
        if b12_class != "grey" or on_b12 is not False or untreated_b12_reading == "adequate":
            return "high_on_treatment" if b12_class == "high" else "on_treatment"
    if untreated_b12_reading == "high":
        if high_b12_explained:
            return "high_on_treatment"
        return "high_unexplained" if b12_repeatedly_high else "adequate"
    return untreated_b12_reading


def still_low_on_treatment(
    b12_class: B12Class,
    b12_drawn_on_treatment: bool,
    b12_sample: Measurement | NoResult,
    b12_runs: tuple[Run, ...],
    response_min_days: float,
) -> bool:
    """Low although treatment had at least `response_min_days` to work, or began nobody knows when."""
    if not b12_drawn_on_treatment or b12_class != "low" or not b12_sample or b12_sample.day is None:
        return False
    day = b12_sample.day.last
    return any(run.start is None or (day - run.start).days >= response_min_days for run in b12_runs)


def b12_lacking(b12_status: B12Status) -> bool:
    """Is B12 lacking, certainly or probably?"""
    return b12_status in ("deficient", "probable_deficiency", "functional_deficiency_suspected")
