"""What cannot wait: nerves, blood count, potassium (C10, C5.2, C5.3). A missing baseline never holds these up."""

from __future__ import annotations

from cds.advice import Advice, OrderTests, StartB12
from cds.chart import Condition, Measurement, NoResult
from cds.facts.b12_samples import B12Class
from cds.facts.b12_status import B12Status
from cds.facts.regimen import Regimen
from cds.logic import Evidence, certainly_below


def neurological_red_flag(
    b12_status: B12Status,
    b12_lacking: bool,
    b12_class: B12Class | None,
    neuro_major: tuple[Condition, ...],
    neurology_during_treatment: bool | None,
    nitrous_oxide_neurology: Evidence | None,
    regimen: Regimen,
    restriction_notes: tuple[str, ...],
    course_orders: tuple[StartB12, ...],
    test_orders: tuple[OrderTests, ...],
) -> Advice | None:
    """A spinal cord sign with a lack of B12 is treated today; after nitrous oxide a normal B12 does not reassure."""
    courses = course_orders if regimen.row == "neurology" else ()
    notes = (*_injected(regimen, courses), *restriction_notes)
    if nitrous_oxide_neurology:
        allergy = ("allergy",) if regimen.row == "allergy" else ()
        return Advice("nitrous_oxide", (*courses, OrderTests(("homocysteine", "mma"))), (*allergy, *notes))
    if neuro_major and (b12_lacking or b12_class == "low") and regimen.action != "continue":
        if regimen.row == "allergy":
            return Advice("refer_now_allergic", test_orders)
        return Advice("treat_now", (*courses, *test_orders), notes)
    if neuro_major and b12_status == "unknown":
        return Advice("test_now", test_orders)
    injected_for_nerves = regimen.row == "neurology" and regimen.action == "continue"
    if neurology_during_treatment or injected_for_nerves:
        return Advice("despite_treatment", (OrderTests(("homocysteine", "mma")),))
    return None


def _injected(regimen: Regimen, courses: tuple[StartB12, ...]) -> tuple[str, ...]:
    """The note that spells out injections into the muscle, where they are what is proposed."""
    return ("injections",) if courses and "intramuscular" in regimen.routes_first_line else ()


def blood_count_red_flag(
    b12_lacking: bool,
    blood_red_flag: bool,
    anaemia: bool,
    regimen: Regimen,
    potassium: Measurement | NoResult,
    restriction_notes: tuple[str, ...],
    course_orders: tuple[StartB12, ...],
    test_orders: tuple[OrderTests, ...],
) -> Advice | None:
    """Severe anaemia or pancytopenia goes to haematology; milder anaemia needs its cause found."""
    if blood_red_flag:
        courses = course_orders if regimen.row == "blood" else ()
        safety = () if potassium else (OrderTests(("potassium",)),)
        allergy = ("allergy",) if regimen.row == "allergy" else ()
        notes = (*allergy, *_injected(regimen, courses), *(restriction_notes if courses else ()))
        return Advice("haematology_now_deficient" if b12_lacking else "haematology_now", (*courses, *safety), notes)
    if anaemia:
        return Advice("anaemia_deficient" if b12_lacking else "anaemia", test_orders)
    return None


def potassium_red_flag(
    potassium: Measurement | NoResult, on_b12: bool | None, regimen: Regimen, k_critical_lt: float
) -> Advice | None:
    """Treating a lack of B12 can lower potassium further; a very low one comes first."""
    treated = on_b12 or regimen.dose is not None
    return Advice("correct_first") if treated and certainly_below(potassium, k_critical_lt) else None
