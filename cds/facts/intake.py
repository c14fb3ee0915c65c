"""How much B12 the record adds up to, swallowed and injected apart (C6)."""

from __future__ import annotations

from collections.abc import Mapping

from cds.chart import Medicine, Retrieval
from cds.logic import either
from cds.sums import Intake, distinct_products, enteral_sum, mistyped, parenteral_sum


def medicines_complete(retrieved: Mapping[str, Retrieval], unclear: tuple[str, ...]) -> bool:
    """Was the whole medicine list supplied, and is it clear what of B12 is taken? Else what is summed is only a lower bound."""
    return retrieved["medicines"] == "retrieved" and "b12" not in unclear and "b12_combination" not in unclear


def current_b12_products(
    b12_products: tuple[Medicine, ...] | None, b12_combinations: tuple[Medicine, ...] | None
) -> tuple[Medicine, ...] | None:
    """Everything with B12 in it that is being taken today, each ingredient, strength and route once, at its largest dose.

    The same drug often stands on the record as an order, a discharge medicine and the patient's own statement, which may not
    name the form.
    """
    medicines = either(b12_products, b12_combinations)
    return None if medicines is None else distinct_products(medicine for medicine in medicines if medicine.current)


def b12_unit_errors(current_b12_products: tuple[Medicine, ...], dose_unit_error_gt_ug: float) -> tuple[Medicine, ...]:
    """Products with a single dose so large that mg was almost certainly written for ug."""
    return mistyped(current_b12_products, dose_unit_error_gt_ug)


def enteral_b12(
    current_b12_products: tuple[Medicine, ...],
    b12_unit_errors: tuple[Medicine, ...],
    multivitamin_default_b12_ug: float,
    medicines_complete: bool,
) -> Intake:
    """B12 swallowed, dissolved in the mouth or sprayed into the nose, ug per day."""
    return enteral_sum(current_b12_products, b12_unit_errors, multivitamin_default_b12_ug, medicines_complete)


def parenteral_b12(
    current_b12_products: tuple[Medicine, ...], b12_unit_errors: tuple[Medicine, ...], medicines_complete: bool
) -> Intake:
    """B12 injected, ug per 30 days. Never added to what is swallowed, of which about 1 % is absorbed, and of this nearly all."""
    return parenteral_sum(current_b12_products, b12_unit_errors, medicines_complete)


def parenteral_excess(
    parenteral_b12: Intake, days_on_b12: int | None, parenteral_excess_gt_ug_30d: float, loading_phase_max_days: float
) -> bool | None:
    """More by injection than maintenance needs, once a loading phase must be over."""
    above = parenteral_b12.above(parenteral_excess_gt_ug_30d)
    if above and days_on_b12 is not None and days_on_b12 <= loading_phase_max_days:
        return False
    return above


def high_b12_dose(enteral_b12: Intake, parenteral_excess: bool | None, enteral_high_gt_ug_day: float) -> bool | None:
    """Is the dose high by either way? Unknown while an unreadable dose could make it so."""
    enteral = enteral_b12.above(enteral_high_gt_ug_day)
    if enteral or parenteral_excess:
        return True
    return None if enteral is None or parenteral_excess is None else False


def distinct_b12_treatments(current_b12_products: tuple[Medicine, ...]) -> int:
    """How many different B12 medicines are being taken; a multivitamin beside one is no duplicate."""
    return sum(medicine.concept == "b12" for medicine in current_b12_products)
