"""Draft orders of vitamin B12: who must not have it, dose, route, the sum after signing, and what to measure first (C12)."""

from __future__ import annotations

from cds.advice import Advice, Change, ChangeRoute, ChangeUnit, OrderTests, RemoveOrder, Route, StartB12
from cds.chart import Condition, Medicine
from cds.facts.absorption import Absorption
from cds.facts.b12_status import B12Status
from cds.facts.metabolites import KidneyReading
from cds.logic import Evidence
from cds.sums import Intake


def order_b12_contraindicated(
    b12_drafts: tuple[Medicine, ...],
    cyanocobalamin_drafts: tuple[Medicine, ...],
    b12_allergies: Evidence | None,
    leber_optic_neuropathy: tuple[Condition, ...] | None,
) -> Advice | None:
    """Sight first, then allergy; what nobody could check is said and not passed over."""
    if not b12_drafts:
        return None
    if leber_optic_neuropathy and cyanocobalamin_drafts:
        return Advice("cyanocobalamin_in_leber", _removed(cyanocobalamin_drafts))
    if b12_allergies:
        return Advice("despite_allergy", _removed(b12_drafts))
    unchecked = b12_allergies is None or (leber_optic_neuropathy is None and cyanocobalamin_drafts)
    return Advice("unchecked") if unchecked else None


def order_b12_dose(
    b12_draft_unit_errors: tuple[Medicine, ...],
    unreadable_b12_drafts: tuple[Medicine, ...],
    b12_draft_forbidden: bool,
    pregnancy_evidence: Evidence | None,
    inborn_errors: tuple[Condition, ...] | None,
) -> Advice | None:
    """A dose a thousand times too large is a typing error; one that cannot be read is not taken for none.

    Who is referred gets no dose of ours, not even the same number in another unit.
    """
    if b12_draft_forbidden:
        return None
    if b12_draft_unit_errors:
        referred = pregnancy_evidence or inborn_errors
        return Advice("mg_for_ug", () if referred else tuple(ChangeUnit(medicine) for medicine in b12_draft_unit_errors))
    return Advice("unreadable") if unreadable_b12_drafts else None


def order_b12_route(
    intravenous_b12_drafts: tuple[Medicine, ...],
    intramuscular_b12_drafts: tuple[Medicine, ...],
    swallowed_b12_drafts: tuple[Medicine, ...],
    cyanocobalamin_drafts: tuple[Medicine, ...],
    b12_draft_forbidden: bool,
    injections_needed: bool,
    course_orders: tuple[StartB12, ...],
    avoid_intramuscular: bool,
    kidney_reading: KidneyReading | None,
) -> Advice | None:
    """Tablets do not do for cord signs or a failing marrow; a vein is no route; bleeding spares the muscle."""
    if b12_draft_forbidden:
        return None
    if swallowed_b12_drafts and injections_needed:
        injection = course_orders[0] if course_orders else None
        first, *others = swallowed_b12_drafts
        removed = (RemoveOrder(first, injection), *map(RemoveOrder, others))  # one course in the place of all
        return Advice("swallowed_with_red_flag", removed)
    if intravenous_b12_drafts:
        route: Route = "subcutaneous" if avoid_intramuscular else "intramuscular"
        return Advice("intravenous", tuple(ChangeRoute(draft, route) for draft in intravenous_b12_drafts))
    if intramuscular_b12_drafts and avoid_intramuscular:
        labelled = (draft for draft in intramuscular_b12_drafts if draft in cyanocobalamin_drafts)
        return Advice("bleeding", tuple(ChangeRoute(draft, "subcutaneous") for draft in labelled))
    weak_kidneys = kidney_reading in ("reduced", "severely_reduced")
    return Advice("weak_kidneys") if weak_kidneys and any(d.concept == "b12" for d in cyanocobalamin_drafts) else None


def order_b12_sum(
    b12_course_drafts: tuple[Medicine, ...],
    b12_draft_forbidden: bool,
    b12_beside_draft: tuple[Medicine, ...],
    swallowed_ug_of_drafts: float,
    enteral_after_signing: Intake,
    absorption: Absorption,
    enteral_high_gt_ug_day: float,
    enteral_very_high_gt_ug_day: float,
    b12_set_aside: tuple[Medicine, ...] | None,
) -> Advice | None:
    """What the record and all drafts add up to. Impaired absorption may call for more, up to the very high dose.

    A multivitamin beside a schedule dose lifts the sum a little above it and is no reason for a card.
    """
    if not b12_course_drafts or b12_draft_forbidden:
        return None
    impaired = absorption in ("impaired_irreversible", "impaired_partial")
    cut = enteral_very_high_gt_ug_day if impaired else enteral_high_gt_ug_day
    if swallowed_ug_of_drafts > cut or (b12_beside_draft and swallowed_ug_of_drafts and enteral_after_signing.above(cut)):
        return Advice("high_after_signing", _removed(b12_course_drafts) if b12_beside_draft else ())
    if b12_beside_draft:
        return Advice("beside_another", _removed(b12_course_drafts))
    return Advice("beside_set_aside") if b12_set_aside else None


def order_b12_baseline(
    b12_course_drafts: tuple[Medicine, ...],
    b12_draft_forbidden: bool,
    b12_status: B12Status,
    on_b12: bool | None,
    baseline_missing: tuple[str, ...],
    neurology: Evidence | None,
) -> Advice | None:
    """The first dose hides the baseline for months. Nerves do not wait for it."""
    if not b12_course_drafts or b12_draft_forbidden or on_b12 or b12_status != "unknown":
        return None
    tests = (OrderTests(baseline_missing or ("b12_total",)),)
    return Advice("draw_and_do_not_wait" if neurology else "draw_first", tests)


def refill_b12(
    b12_course_drafts: tuple[Medicine, ...],
    enteral_after_signing: Intake,
    parenteral_after_signing: Intake,
    reviewed_recently: bool | None,
    enteral_high_gt_ug_day: float,
    parenteral_excess_gt_ug_30d: float,
) -> Advice | None:
    """A high dose is not refilled unseen: vitamin B12, homocysteine or a review within the monitoring interval."""
    high = enteral_after_signing.above(enteral_high_gt_ug_day) or parenteral_after_signing.above(parenteral_excess_gt_ug_30d)
    if not b12_course_drafts or not high or reviewed_recently:
        return None
    return Advice("unmonitored", (OrderTests(("b12_total", "homocysteine", "folate")),))


def _removed(orders: tuple[Medicine, ...]) -> tuple[Change, ...]:
    return tuple(RemoveOrder(order) for order in orders)
