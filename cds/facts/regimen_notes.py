"""What a regimen card must add for this patient: restrictions, doubts about the result, what could not be checked."""

from __future__ import annotations

from cds.chart import Condition, Measurement, Medicine, NoResult
from cds.facts.absorption import Absorption
from cds.facts.b12_samples import B12Class
from cds.facts.metabolites import FolateReading, HomocysteineReading, KidneyReading, MmaReading
from cds.facts.other_vitamins import FolicAcidDose
from cds.facts.regimen import CRITICAL_ROWS, Regimen
from cds.logic import Evidence, certainly_below


def regimen_speaks(regimen: Regimen, b12_lacking: bool, b12_needed: bool, b12_contraindicated: bool | None) -> bool:
    """Is there a regimen card? An allergy is only worth one where B12 would otherwise be due; red-flag rows have their own."""
    if regimen.row in ("allergy", "indeterminate"):
        return regimen.row == "indeterminate" or b12_needed
    if not regimen.form or regimen.row in CRITICAL_ROWS:
        return False
    return regimen.action != "continue" or (b12_lacking and not b12_contraindicated)


def restriction_notes(
    regimen: Regimen,
    leber_optic_neuropathy: tuple[Condition, ...] | None,
    kidney_reading: KidneyReading | None,
    avoid_intramuscular: bool,
    potassium: Measurement | NoResult | None,
    k_low_lt: float,
    b12_allergies: Evidence | None,
    anticoagulants: tuple[Medicine, ...] | None,
    folic_acid_dose: FolicAcidDose | None,
    b12_set_aside: tuple[Medicine, ...] | None,
) -> tuple[str, ...]:
    """Notes that change how B12 is given, and what should have been read before."""
    if not regimen.form:
        return ()
    return _chosen(
        leber=bool(leber_optic_neuropathy),
        weak_kidneys=kidney_reading in ("reduced", "severely_reduced"),
        under_the_skin=avoid_intramuscular and "subcutaneous" in (*regimen.routes_first_line, *regimen.routes_acceptable),
        set_aside=bool(b12_set_aside) and regimen.action != "continue",
        potassium=certainly_below(potassium, k_low_lt),
        folic_acid=folic_acid_dose == "masking",
        allergies_unread=b12_allergies is None,
        medicines_unread=anticoagulants is None,
        problems_unread=leber_optic_neuropathy is None,
    )


def doubt_notes(
    b12_class: B12Class | None,
    b12_discordant: bool | None,
    mma_reading: MmaReading | None,
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
        mma_undecided=mma_reading == "unusable",
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
    regimen: Regimen,
    restriction_notes: tuple[str, ...],
    doubt_notes: tuple[str, ...],
    b12_lacking: bool,
    neuro_minor: tuple[Condition, ...] | None,
    b12_risk_factors: Evidence | None,
    baseline_missing: tuple[str, ...] | None,
    on_b12: bool | None,
    anaemia: bool | None,
    companion_notes: tuple[str, ...],
) -> tuple[str, ...]:
    """All notes of the regimen card, restrictions first. Companions are no matter for a card that only refers."""
    more = _chosen(
        risk_factors=regimen.row.startswith("normal") and bool(b12_risk_factors),
        nerve_signs=b12_lacking and bool(neuro_minor),
        oral_alternative=bool(regimen.form) and regimen.row.startswith(("irreversible", "partial")),
    )
    return (
        *restriction_notes,
        *more,
        *doubt_notes,
        *_chosen(baseline=bool(baseline_missing and not on_b12), anaemia=bool(anaemia)),
        *(companion_notes if regimen.row != "allergy" else ()),
    )


def _chosen(**notes: bool) -> tuple[str, ...]:
    return tuple([name for name, applies in notes.items() if applies])
