"""Draft orders: which of ours were chosen, and what the record adds up to once they are signed (C12)."""

from __future__ import annotations

from datetime import date, timedelta

from cds.chart import Condition, Measurement, Medicine
from cds.dose import is_parenteral, nutrient_ug_per_day
from cds.exposure import latest_run, runs
from cds.facts.b12_samples import B12Class
from cds.facts.b12_status import B12Status
from cds.facts.regimen import CRITICAL_ROWS, Regimen
from cds.logic import Evidence, either, newest, since
from cds.sums import Intake, distinct_products, enteral_sum, may_be_cyanocobalamin, mistyped, parenteral_sum, same_product, treats


def b12_drafts(chosen: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """The chosen orders with B12 in them."""
    return _of(chosen, "b12", "b12_combination")


def b12_course_drafts(b12_drafts: tuple[Medicine, ...], diet_prophylaxis_max_ug: float) -> tuple[Medicine, ...]:
    """Those of them that treat: single B12 products, unless they certainly give no more than a diet does."""
    return tuple(m for m in b12_drafts if m.concept == "b12" and treats(m, diet_prophylaxis_max_ug))


def b12_giving_drafts(b12_drafts: tuple[Medicine, ...], diet_prophylaxis_max_ug: float) -> tuple[Medicine, ...]:
    """Those of them, combinations included, that give more B12 than a diet does."""
    return tuple(m for m in b12_drafts if treats(m, diet_prophylaxis_max_ug))


def b12_draft_forbidden(
    b12_drafts: tuple[Medicine, ...],
    cyanocobalamin_drafts: tuple[Medicine, ...],
    b12_allergies: Evidence | None,
    leber_optic_neuropathy: tuple[Condition, ...] | None,
) -> bool:
    """Is something ordered that this patient must not have? Then no other rule says how it should be given."""
    return bool((leber_optic_neuropathy and cyanocobalamin_drafts) or (b12_allergies and b12_drafts))


def folic_acid_drafts(chosen: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """The chosen orders of folic acid, combinations of stated strength included."""
    combined = (m for m in _of(chosen, "b12_combination") if "folic_acid" in m.strengths)
    return (*_of(chosen, "folic_acid"), *combined)


def nitrous_oxide_drafts(chosen: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """The chosen orders of nitrous oxide."""
    return _of(chosen, "nitrous_oxide")


def metformin_drafts(chosen: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """The chosen orders of metformin."""
    return _of(chosen, "metformin")


def acid_suppressant_drafts(chosen: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """The chosen orders of proton pump inhibitors, P-CABs and H2 blockers."""
    return _of(chosen, "ppi", "pcab", "h2ra")


def _of(medicines: tuple[Medicine, ...], *concepts: str) -> tuple[Medicine, ...]:
    return tuple(medicine for medicine in medicines if medicine.concept in concepts) if medicines else ()


def cyanocobalamin_drafts(b12_drafts: tuple[Medicine, ...], diet_prophylaxis_max_ug: float) -> tuple[Medicine, ...]:
    """Cyanocobalamin among them. "Vitamin B12" without a form is cyanocobalamin in most products, in combinations too."""
    return tuple(m for m in b12_drafts if may_be_cyanocobalamin(m, diet_prophylaxis_max_ug))


def b12_draft_unit_errors(b12_drafts: tuple[Medicine, ...], dose_unit_error_gt_ug: float) -> tuple[Medicine, ...]:
    """Drafts with a single dose so large that mg was almost certainly written for ug."""
    return mistyped(b12_drafts, dose_unit_error_gt_ug)


def swallowed_ug_of_drafts(b12_course_drafts: tuple[Medicine, ...], b12_draft_unit_errors: tuple[Medicine, ...]) -> float:
    """What the treating drafts alone give by mouth, ug per day, as far as it can be read and believed."""
    believed = (m for m in b12_course_drafts if m not in b12_draft_unit_errors and not is_parenteral(m))
    return sum(nutrient_ug_per_day(medicine, "b12") or 0 for medicine in believed)


def intravenous_b12_drafts(b12_drafts: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """Drafts into a vein, where cyanocobalamin is lost through the kidneys. Mecobalamin is given so in some countries."""
    return tuple(medicine for medicine in b12_drafts if medicine.route == "intravenous" and medicine.form != "mecobalamin")


def intramuscular_b12_drafts(b12_drafts: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """Drafts into a muscle."""
    return tuple(medicine for medicine in b12_drafts if medicine.route == "intramuscular")


def swallowed_b12_drafts(b12_drafts: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """Drafts that are not injected, however little they hold."""
    return tuple(medicine for medicine in b12_drafts if not is_parenteral(medicine))


def injections_needed(
    regimen: Regimen,
    neuro_major: tuple[Condition, ...] | None,
    b12_status: B12Status,
    on_b12: bool | None,
) -> bool:
    """Do nerves or blood need injections that are not given yet? With cord signs also while B12 is not known."""
    if regimen.row in CRITICAL_ROWS:
        return regimen.action != "continue"
    return bool(neuro_major) and b12_status == "unknown" and not on_b12


def b12_after_signing(current_b12_products: tuple[Medicine, ...] | None, drafts: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """Everything with B12 in it once all drafts are signed; a renewal of what is on record counts once."""
    return distinct_products((*(current_b12_products or ()), *_of(drafts, "b12", "b12_combination")))


def enteral_after_signing(
    b12_after_signing: tuple[Medicine, ...],
    b12_unit_errors: tuple[Medicine, ...] | None,
    b12_draft_unit_errors: tuple[Medicine, ...],
    multivitamin_default_b12_ug: float,
    medicines_complete: bool,
) -> Intake:
    """B12 by mouth once all drafts are signed, ug per day."""
    misread = (*(b12_unit_errors or ()), *b12_draft_unit_errors)
    return enteral_sum(b12_after_signing, misread, multivitamin_default_b12_ug, medicines_complete)


def parenteral_after_signing(
    b12_after_signing: tuple[Medicine, ...],
    b12_unit_errors: tuple[Medicine, ...] | None,
    b12_draft_unit_errors: tuple[Medicine, ...],
    medicines_complete: bool,
) -> Intake:
    """B12 by injection once all drafts are signed, ug per 30 days."""
    return parenteral_sum(b12_after_signing, (*(b12_unit_errors or ()), *b12_draft_unit_errors), medicines_complete)


def unreadable_b12_drafts(b12_drafts: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """Drafts whose dose cannot be read; a multivitamin is taken to hold what multivitamins hold."""
    return tuple(m for m in b12_drafts if m.concept == "b12" and nutrient_ug_per_day(m, "b12") is None)


def b12_beside_draft(
    b12_course_drafts: tuple[Medicine, ...], current_b12_products: tuple[Medicine, ...], drafts: tuple[Medicine, ...]
) -> tuple[Medicine, ...]:
    """Other B12 treatment, on record or among the drafts, that would go on beside a treating draft; a renewal is no other."""
    if not b12_course_drafts:
        return ()
    recorded = (m for m in current_b12_products if any(not same_product(m, draft) for draft in b12_course_drafts))
    ordered = (m for m in drafts if any(m is not draft for draft in b12_course_drafts))
    return tuple(m for m in (*recorded, *ordered) if m.concept == "b12")


def drafted_folic_acid_ug_per_day(folic_acid_drafts: tuple[Medicine, ...]) -> float | None:
    """Folic acid of the chosen orders, ug per day; unknown as soon as one dose cannot be read."""
    doses = [nutrient_ug_per_day(medicine, "folic_acid") for medicine in folic_acid_drafts]
    return None if None in doses else float(sum(dose for dose in doses if dose is not None))


def drafted_pyridoxine_mg_per_day(chosen: tuple[Medicine, ...]) -> float:
    """Vitamin B6 of the chosen orders that hold B12 as well, mg per day, as far as it can be read."""
    combined = (m for m in _of(chosen, "b12_combination") if "pyridoxine" in m.strengths)
    return sum(nutrient_ug_per_day(medicine, "pyridoxine") or 0 for medicine in combined) / 1000


def b12_tested_recently(b12_results: tuple[Measurement, ...], today: date, order_lookback_b12_days: float) -> bool:
    """Was B12 measured within the look-back for orders?"""
    return newest(since(b12_results, today - timedelta(days=order_lookback_b12_days))) is not None


def metformin_days(
    metformin: tuple[Medicine, ...],
    metformin_drafts: tuple[Medicine, ...],
    today: date,
    exposure_gap_merge_days: float,
    exposure_current_grace_days: float,
) -> int:
    """Days of unbroken metformin up to the end of what is ordered."""
    return _days_with(metformin, metformin_drafts, today, exposure_gap_merge_days, exposure_current_grace_days)


def acid_suppression_days(
    proton_pump_inhibitors: tuple[Medicine, ...],
    potassium_competitive_blockers: tuple[Medicine, ...],
    h2_blockers: tuple[Medicine, ...],
    acid_suppressant_drafts: tuple[Medicine, ...],
    today: date,
    exposure_gap_merge_days: float,
    exposure_current_grace_days: float,
) -> int:
    """Days of unbroken acid suppression, whatever the drug, up to the end of what is ordered."""
    taken = either(proton_pump_inhibitors, potassium_competitive_blockers, h2_blockers) or ()
    return _days_with(taken, acid_suppressant_drafts, today, exposure_gap_merge_days, exposure_current_grace_days)


def _days_with(taken: tuple[Medicine, ...], ordered: tuple[Medicine, ...], today: date, gap: float, grace: float) -> int:
    """Days of the run on record, 0 where nobody knows when it began, and of the longest order, as far as that has an end."""
    if not ordered:
        return 0
    run = latest_run(runs(taken, today, gap), today, grace)
    ahead = max(((m.end.last - today).days for m in ordered if m.end is not None), default=0)
    return ((run.days or 0) if run is not None else 0) + max(ahead, 0)


def order_safety_hit(
    b12_drafts: tuple[Medicine, ...],
    folic_acid_drafts: tuple[Medicine, ...],
    nitrous_oxide_drafts: tuple[Medicine, ...],
    b12_allergies: Evidence | None,
    leber_optic_neuropathy: tuple[Condition, ...] | None,
    b12_draft_unit_errors: tuple[Medicine, ...],
    b12_class: B12Class | None,
    neurology: Evidence | None,
) -> bool:
    """A draft that must be spoken of whoever the patient is (C1.7): allergy, Leber's, a unit error, a low B12 that it hides."""
    if b12_drafts and (b12_draft_unit_errors or b12_allergies != () or leber_optic_neuropathy != ()):
        return True
    return bool(folic_acid_drafts or nitrous_oxide_drafts) and (b12_class in ("low", "grey") or bool(neurology))
