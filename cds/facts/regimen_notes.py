"""What a regimen card must add for this patient: restrictions, doubts about the result, what could not be checked."""

from __future__ import annotations

from cds.chart import Allergy, Condition, Measurement, NoResult
from cds.facts.absorption import Absorption
from cds.facts.b12_samples import B12Class
from cds.facts.metabolites import FolateReading, HomocysteineReading, KidneyReading
from cds.facts.regimen import Regimen
from cds.logic import Evidence


def restriction_notes(
    regimen: Regimen,
    leber_optic_neuropathy: tuple[Condition, ...] | None,
    kidney_reading: KidneyReading | None,
    avoid_intramuscular: bool,
    potassium: Measurement | NoResult | None,
    k_low_lt: float,
    b12_allergies: tuple[Allergy, ...] | None,
) -> tuple[str, ...]:
    """Notes that change how B12 is given."""
    if not regimen.form:
        return ()
    low_potassium = isinstance(potassium, Measurement) and potassium.value.below(k_low_lt) is True
    return _chosen(
        leber=bool(leber_optic_neuropathy),
        weak_kidneys=kidney_reading in ("reduced", "severely_reduced"),
        under_the_skin=avoid_intramuscular and "subcutaneous" in (*regimen.routes_first_line, *regimen.routes_acceptable),
        potassium=low_potassium,
        allergies_unread=b12_allergies is None,
        oral_alternative=regimen.row in ("irreversible", "irreversible_untested", "partial"),
    )


def doubt_notes(
    b12_class: B12Class | None,
    b12_discordant: bool | None,
    homocysteine_reading: HomocysteineReading | None,
    folate_reading: FolateReading | None,
    kidney_reading: KidneyReading | None,
    intrinsic_factor_antibody: Evidence | None,
    biotin_may_interfere: bool | None,
    absorption: Absorption,
) -> tuple[str, ...]:
    """Notes on how far the results can be trusted."""
    raised = homocysteine_reading in ("high", "very_high")
    return _chosen(
        discordant=bool(b12_discordant),
        homocysteine_undecided=b12_class == "grey"
        and raised
        and (folate_reading != "sufficient" or kidney_reading != "adequate"),
        homocysteine_very_high=homocysteine_reading == "very_high",
        folate_low=folate_reading == "low",
        antibody=bool(intrinsic_factor_antibody),
        biotin=bool(biotin_may_interfere),
        absorption_open=absorption == "unknown",
    )


def regimen_notes(
    restriction_notes: tuple[str, ...],
    doubt_notes: tuple[str, ...],
    baseline_missing: tuple[str, ...] | None,
    anaemia: bool | None,
) -> tuple[str, ...]:
    """All notes, restrictions first."""
    return (*restriction_notes, *doubt_notes, *_chosen(baseline=bool(baseline_missing), anaemia=bool(anaemia)))


def _chosen(**notes: bool) -> tuple[str, ...]:
    return tuple(name for name, applies in notes.items() if applies)
