"""Sums of B12 over products: what is swallowed a day, what is injected in 30 days, and never the two together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from msgspec import Struct

from cds.chart import Medicine
from cds.dose import dose_ug, is_parenteral, nutrient_ug_at_least, nutrient_ug_per_day


DAYS_PER_MONTH = 30


class ProductDose(Struct, frozen=True):
    """One product's share in ug; None where its dose could not be read, or not all of it: `at_least` is the part that could.

    `assumed`: a multivitamin of unstated strength.
    """

    medicine: Medicine
    ug: float | None
    at_least: float = 0
    assumed: bool = False


class Intake(Struct, frozen=True):
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


def enteral_sum(
    medicines: Iterable[Medicine], misread: Collection[Medicine], multivitamin_default_ug: float, complete: bool
) -> Intake:
    """Ug per day of what is not injected. `misread`: their doses are not believed; `complete`: was every product supplied?"""
    products = []
    for medicine in medicines:
        if is_parenteral(medicine):
            continue
        believed = medicine not in misread
        ug = nutrient_ug_per_day(medicine, "b12") if believed else None
        at_least = nutrient_ug_at_least(medicine, "b12") if believed else 0
        unstated = ug is None and medicine.concept == "b12_combination" and "b12" not in medicine.strengths
        products.append(ProductDose(medicine, multivitamin_default_ug if unstated else ug, at_least, assumed=unstated))
    return _intake(products, "ug/d", complete)


def parenteral_sum(medicines: Iterable[Medicine], misread: Collection[Medicine], complete: bool) -> Intake:
    """Ug per 30 days of what is injected."""
    products = []
    for medicine in medicines:
        if is_parenteral(medicine):
            believed = medicine not in misread
            ug = nutrient_ug_per_day(medicine, "b12") if believed else None
            at_least = nutrient_ug_at_least(medicine, "b12") * DAYS_PER_MONTH if believed else 0
            products.append(ProductDose(medicine, ug * DAYS_PER_MONTH if ug is not None else None, at_least))
    return _intake(products, "ug/(30.d)", complete)


def distinct_products(medicines: Iterable[Medicine]) -> tuple[Medicine, ...]:
    """Each product once, at its largest dose."""
    found: list[Medicine] = []
    for medicine in sorted(medicines, key=_largest_first):
        if not any(same_product(medicine, known) for known in found):
            found.append(medicine)
    return tuple(found)


def _largest_first(medicine: Medicine) -> tuple[float, bool]:
    """By the dose that could be read; of two that are the same, first the one that may be larger."""
    return -nutrient_ug_at_least(medicine, "b12"), nutrient_ug_per_day(medicine, "b12") is not None


def treats(medicine: Medicine, diet_ug: float) -> bool:
    """More B12 than a diet gives, or injected? A B12 product whose dose cannot be read may be, a combination is not."""
    if is_parenteral(medicine):
        return True
    dose = nutrient_ug_per_day(medicine, "b12")
    return medicine.concept == "b12" if dose is None else dose > diet_ug


def mistyped(medicines: Iterable[Medicine], limit_ug: float) -> tuple[Medicine, ...]:
    """Those with a single dose so large that mg was almost certainly written for ug."""
    return tuple(m for m in medicines if any((dose_ug(m, dosage, "b12") or 0) > limit_ug for dosage in m.dosages))


def may_be_cyanocobalamin(medicine: Medicine, diet_ug: float) -> bool:
    """Is it cyanocobalamin, or B12 of unstated form? Of combinations of unstated form those count that give more than a diet."""
    if medicine.form is not None:
        return medicine.form == "cyanocobalamin"
    return medicine.concept == "b12" or nutrient_ug_at_least(medicine, "b12") > diet_ug or is_parenteral(medicine)


def same_product(one: Medicine, other: Medicine) -> bool:
    """Are two entries one product, as far as they say?"""
    if is_parenteral(one) != is_parenteral(other) or not _may_be_same(one.route, other.route):
        return False
    strength = one.strengths.get("b12")
    if strength is None or strength.ug is None:
        return one.name.casefold() == other.name.casefold()
    return (one.concept, strength) == (other.concept, other.strengths.get("b12")) and _may_be_same(one.form, other.form)


def _may_be_same(one: str | None, other: str | None) -> bool:
    """Two entries for one thing, where an empty one may mean either."""
    return one == other or None in (one, other)
