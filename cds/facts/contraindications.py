"""What forbids or restricts B12: allergy, Leber's optic neuropathy, bleeding at the injection site (C5.1, C5 form, C10)."""

from __future__ import annotations

from cds.chart import Allergy, Condition, Measurement, Medicine, NoResult
from cds.leaves import allergic_to, has, taking
from cds.logic import Evidence, certainly_below, either
from cds.sums import distinct_products, may_be_cyanocobalamin


cobalamin_allergies = allergic_to("cobalamin")
cobalt_allergies = allergic_to("cobalt")
b12_allergy_problems = has("b12_allergy_problem")
leber_optic_neuropathy = has("leber_optic_neuropathy")
anticoagulants = taking("anticoagulant")


def b12_allergies(
    cobalamin_allergies: tuple[Allergy, ...] | None,
    cobalt_allergies: tuple[Allergy, ...] | None,
    b12_allergy_problems: tuple[Condition, ...] | None,
) -> Evidence | None:
    """Allergy to a cobalamin or to cobalt, wherever it was recorded; problem lists hold them as well."""
    return either(cobalamin_allergies, cobalt_allergies, b12_allergy_problems or ())


def b12_not_ended(
    b12_products: tuple[Medicine, ...] | None, b12_combinations: tuple[Medicine, ...] | None
) -> tuple[Medicine, ...] | None:
    """Everything with B12 in it that is taken, or may be: on hold, or nobody can tell. What must not be taken has to be ended."""
    medicines = either(b12_products, b12_combinations)
    return None if medicines is None else distinct_products(m for m in medicines if m.current or m.set_aside)


def b12_despite_allergy(b12_allergies: Evidence | None, b12_not_ended: tuple[Medicine, ...]) -> tuple[Medicine, ...] | None:
    """B12 on record of somebody recorded as allergic to it. Who has none needs no allergy list for this."""
    if not b12_not_ended:
        return ()
    return None if b12_allergies is None else b12_not_ended if b12_allergies else ()


def cyanocobalamin_in_leber(
    leber_optic_neuropathy: tuple[Condition, ...] | None,
    b12_not_ended: tuple[Medicine, ...],
    diet_prophylaxis_max_ug: float,
) -> tuple[Medicine, ...] | None:
    """Cyanocobalamin on record in Leber's optic neuropathy, where it may destroy the optic nerve.

    "Vitamin B12" without a form is cyanocobalamin in most products, and counts until somebody has looked.
    """
    taken = tuple(m for m in b12_not_ended if may_be_cyanocobalamin(m, diet_prophylaxis_max_ug))
    if not taken:
        return ()
    return None if leber_optic_neuropathy is None else taken if leber_optic_neuropathy else ()


def b12_contraindicated(
    cyanocobalamin_in_leber: tuple[Medicine, ...] | None, b12_despite_allergy: tuple[Medicine, ...] | None
) -> bool:
    """Is B12 on record that must not be continued as it is?"""
    return bool(cyanocobalamin_in_leber or b12_despite_allergy)


def avoid_intramuscular(
    anticoagulants: tuple[Medicine, ...] | None, platelets: Measurement | NoResult | None, platelets_im_caution_lt: float
) -> bool:
    """Anticoagulated, or platelets certainly too few for a needle in the muscle."""
    anticoagulated = any(medicine.current for medicine in anticoagulants or ())
    return anticoagulated or certainly_below(platelets, platelets_im_caution_lt)
