"""The regimen card: which route, dose and form, or which test first (C5). Its red-flag rows speak in red_flags.py."""

from __future__ import annotations

from cds.advice import Advice, OrderTests, StartB12
from cds.chart import Condition
from cds.facts.regimen import Regimen


SPOKEN = (
    "irreversible",
    "irreversible_untested",
    "partial",
    "stomach_surgery",
    "food_bound",
    "normal",
    "normal_probable",
    "absorption_unknown",
    "indeterminate",
)


def b12_regimen(
    regimen: Regimen,
    b12_lacking: bool,
    b12_needed: bool,
    still_low_on_treatment: bool | None,
    neuro_minor: tuple[Condition, ...] | None,
    regimen_notes: tuple[str, ...],
    course_orders: tuple[StartB12, ...],
    test_orders: tuple[OrderTests, ...],
) -> Advice | None:
    """One card per row of the table. An allergy is only worth a card where B12 would otherwise be due."""
    if regimen.row == "allergy":
        return Advice("allergy", test_orders, regimen_notes) if b12_needed else None
    if regimen.row not in SPOKEN:
        return None
    if regimen.action == "continue" and b12_lacking:
        return Advice("still_low" if still_low_on_treatment else "under_treatment", test_orders, regimen_notes)
    if regimen.action == "continue":
        return None
    key = "normal_probable_with_signs" if regimen.row == "normal_probable" and neuro_minor else regimen.row
    return Advice(key, (*course_orders, *test_orders), regimen_notes)
