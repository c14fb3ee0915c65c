"""How much B12 the record adds up to, swallowed and injected apart (C6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cds.chart import Medicine, Retrieval
from cds.dose import dose_ug, is_parenteral, nutrient_ug_at_least, nutrient_ug_per_day
from cds.logic import either


DAYS_PER_MONTH = 30


@dataclass(frozen=True, slots=True)
class ProductDose:
    """One product's share in ug; None where its dose could not be read, or not all of it: `at_least` is the part that could.

    `assumed`: a multivitamin of unstated strength.
    """

    medicine: Medicine
    ug: float | None
    at_least: float = 0
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Intake:
    """A sum over products, in `unit`: ug per day by mouth, ug per 30 days by injection.

    `at_least` is the sum of what could be read; `ug` is None as soon as one dose could not be, or a part of the medicine list was
    not supplied: never 0 for the unreadable.
    """

    products: tuple[ProductDose, ...]
    unit: Literal["ug/d", "ug/(30.d)"]
    at_least: float
    ug: float | None

    def above(self, cut: float) -> bool | None:
        """Is the sum above `cut`? Certain already when the readable part is."""
        if self.at_least > cut:
            return True
        return False if self.ug is not None else None


def _intake(products: list[ProductDose], unit: Literal["ug/d", "ug/(30.d)"], complete: bool) -> Intake:
    known = [product.at_least if product.ug is None else product.ug for product in products]
    total = float(f"{sum(known):.10g}") if known else 0.0
    unread = not complete or any(product.ug is None for product in products)
    return Intake(tuple(products), unit, total, None if unread else total)


def medicines_complete(retrieved: Mapping[str, Retrieval]) -> bool:
    """Was the whole medicine list supplied? What is summed from a part of it is only a lower bound."""
    return retrieved["medicines"] == "retrieved"


def current_b12_products(
    b12_products: tuple[Medicine, ...] | None, b12_combinations: tuple[Medicine, ...] | None
) -> tuple[Medicine, ...] | None:
    """Everything with B12 in it that is being taken today, each ingredient, strength and route once, at its largest dose.

    The same drug often stands on the record as an order, a discharge medicine and the patient's own statement, which may not
    name the form.
    """
    medicines = either(b12_products, b12_combinations)
    if medicines is None:
        return None
    distinct: list[Medicine] = []
    for medicine in sorted(medicines, key=_largest_first):
        if medicine.current and not any(_same_product(medicine, known) for known in distinct):
            distinct.append(medicine)
    return tuple(distinct)


def _largest_first(medicine: Medicine) -> tuple[float, bool]:
    """By the dose that could be read; of two that are the same, first the one that may be larger."""
    return -nutrient_ug_at_least(medicine, "b12"), nutrient_ug_per_day(medicine, "b12") is not None


def _same_product(one: Medicine, other: Medicine) -> bool:
    if is_parenteral(one) != is_parenteral(other) or not _may_be_same(one.route, other.route):
        return False
    strength = one.strengths.get("b12")
    if strength is None or strength.ug is None:
        return one.name.casefold() == other.name.casefold()
    return (one.concept, strength) == (other.concept, other.strengths.get("b12")) and _may_be_same(one.form, other.form)


def _may_be_same(one: str | None, other: str | None) -> bool:
    """Two entries for one thing, where an empty one may mean either."""
    return one == other or None in (one, other)


def b12_unit_errors(current_b12_products: tuple[Medicine, ...], dose_unit_error_gt_ug: float) -> tuple[Medicine, ...]:
    """Products with a single dose so large that mg was almost certainly written for ug."""
    return tuple(
        medicine
        for medicine in current_b12_products
        if any((dose_ug(medicine, dosage, "b12") or 0) > dose_unit_error_gt_ug for dosage in medicine.dosages)
    )


def enteral_b12(
    current_b12_products: tuple[Medicine, ...],
    b12_unit_errors: tuple[Medicine, ...],
    multivitamin_default_b12_ug: float,
    medicines_complete: bool,
) -> Intake:
    """B12 swallowed, dissolved in the mouth or sprayed into the nose, ug per day."""
    products = []
    for medicine in current_b12_products:
        if is_parenteral(medicine):
            continue
        mistyped = medicine in b12_unit_errors
        ug = None if mistyped else nutrient_ug_per_day(medicine, "b12")
        at_least = 0 if mistyped else nutrient_ug_at_least(medicine, "b12")
        unstated = ug is None and medicine.concept == "b12_combination" and "b12" not in medicine.strengths
        products.append(ProductDose(medicine, multivitamin_default_b12_ug if unstated else ug, at_least, assumed=unstated))
    return _intake(products, "ug/d", medicines_complete)


def parenteral_b12(
    current_b12_products: tuple[Medicine, ...], b12_unit_errors: tuple[Medicine, ...], medicines_complete: bool
) -> Intake:
    """B12 injected, ug per 30 days. Never added to what is swallowed, of which about 1 % is absorbed, and of this nearly all."""
    products = []
    for medicine in current_b12_products:
        if is_parenteral(medicine):
            mistyped = medicine in b12_unit_errors
            ug = None if mistyped else nutrient_ug_per_day(medicine, "b12")
            at_least = 0 if mistyped else nutrient_ug_at_least(medicine, "b12") * DAYS_PER_MONTH
            products.append(ProductDose(medicine, ug * DAYS_PER_MONTH if ug is not None else None, at_least))
    return _intake(products, "ug/(30.d)", medicines_complete)


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
