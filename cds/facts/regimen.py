"""What to do about B12: the action, the routes, the dose and the form (C5). First matching row wins; exclusions come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cds.advice import Route
from cds.chart import Allergy, Condition, Medicine
from cds.dose import is_parenteral
from cds.facts.absorption import Absorption
from cds.facts.b12_status import B12Status
from cds.facts.metabolites import KidneyReading
from cds.facts.scope import Scope
from cds.logic import Evidence


Act = Literal["start", "continue", "reduce", "test_first", "establish_absorption_first", "refer", "none"]


RowName = Literal[
    "refer_only",
    "excluded",
    "out_of_scope",
    "safety_only",
    "allergy",
    "unmonitored_high_dose",
    "neurology",
    "blood",
    "irreversible",
    "irreversible_untested",
    "partial",
    "stomach_surgery",
    "food_bound",
    "normal",
    "normal_probable",
    "absorption_unknown",
    "indeterminate",
    "adequate",
    "on_treatment",
    "unknown",
    "not_classified",
]
"""The rows of C5, and the reasons to stand outside the table."""


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose range with the dose to prefer: ug/d by mouth, ug per injection with its interval otherwise."""

    low: float
    high: float
    preferred: float
    unit: Literal["ug/d", "ug/{injection}"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of C5 before the patient's own restrictions: its name, its routes and the dose for the first of them."""

    name: RowName
    first: tuple[Route, ...] = ()
    acceptable: tuple[Route, ...] = ()
    dose: Dose | None = None


@dataclass(frozen=True, slots=True)
class Regimen:
    """The decision on treatment. `row` names the table row, and with it the words that say why."""

    action: Act
    row: RowName
    routes_first_line: tuple[Route, ...] = ()
    routes_acceptable: tuple[Route, ...] = ()
    dose: Dose | None = None
    form: tuple[str, ...] = ()


def oral_dose(oral_dose_min_ug: float, oral_dose_max_ug: float, oral_dose_confirmed_deficiency_ug: float) -> Dose:
    """Swallowed, where absorption is normal."""
    return Dose(oral_dose_min_ug, oral_dose_max_ug, min(oral_dose_confirmed_deficiency_ug, oral_dose_max_ug), "ug/d")


def sublingual_dose(sl_dose_min_ug: float, sl_dose_max_ug: float, oral_dose_confirmed_deficiency_ug: float) -> Dose:
    """Dissolved under the tongue."""
    return Dose(sl_dose_min_ug, sl_dose_max_ug, min(oral_dose_confirmed_deficiency_ug, sl_dose_max_ug), "ug/d")


def full_dose(oral_dose_confirmed_deficiency_ug: float) -> Dose:
    """The fixed dose where absorption is impaired or not yet known."""
    amount = oral_dose_confirmed_deficiency_ug
    return Dose(amount, amount, amount, "ug/d")


def malabsorption_dose(oral_dose_confirmed_deficiency_ug: float, oral_dose_malabsorption_max_ug: float) -> Dose:
    """Swallowed despite impaired absorption, where injections are declined or unsafe: some passes without intrinsic factor."""
    low = oral_dose_confirmed_deficiency_ug
    return Dose(low, oral_dose_malabsorption_max_ug, low, "ug/d")


def maintenance_dose(maintenance_dose_min_ug: float, oral_dose_max_ug: float) -> Dose:
    """For life after gastric or bariatric surgery, deficient or not."""
    return Dose(maintenance_dose_min_ug, oral_dose_max_ug, oral_dose_max_ug, "ug/d")


def injection_dose(im_hydroxo_dose_ug: float) -> Dose:
    """One injection; how often is said in words."""
    return Dose(im_hydroxo_dose_ug, im_hydroxo_dose_ug, im_hydroxo_dose_ug, "ug/{injection}")


def regimen_row(
    b12_status: B12Status,
    absorption: Absorption,
    on_b12: bool | None,
    neuro_major: tuple[Condition, ...] | None,
    nitrous_oxide_neurology: Evidence | None,
    blood_red_flag: bool | None,
    stomach_surgery: Evidence | None,
    oral_dose: Dose,
    sublingual_dose: Dose,
    full_dose: Dose,
    maintenance_dose: Dose,
    injection_dose: Dose,
) -> Row:
    """The first row of C5 that fits. A functional deficiency is read like a probable one wherever the table does not name it."""
    lacking = b12_status in ("deficient", "probable_deficiency", "functional_deficiency_suspected")
    if lacking and (neuro_major or nitrous_oxide_neurology):
        return Row("neurology", ("intramuscular",), (), injection_dose)
    if b12_status == "deficient" and blood_red_flag:
        return Row("blood", ("intramuscular",), ("subcutaneous",), injection_dose)
    if lacking and absorption == "impaired_irreversible":
        return Row("irreversible", ("intramuscular",), ("oral",), injection_dose)
    if b12_status == "unknown" and absorption == "impaired_irreversible" and on_b12 is not None:
        return Row("on_treatment") if on_b12 else Row("irreversible_untested", ("intramuscular",), ("oral",), injection_dose)
    if lacking and absorption == "impaired_partial":
        return Row("partial", ("intramuscular", "sublingual"), ("oral",), full_dose)
    if b12_status in ("adequate", "indeterminate") and stomach_surgery:
        return Row("stomach_surgery", ("sublingual", "oral", "intramuscular"), (), maintenance_dose)
    if lacking and absorption == "reduced_food_bound":
        return Row("food_bound", ("sublingual",), ("oral", "intramuscular"), sublingual_dose)
    if lacking and absorption == "normal":
        return Row("normal" if b12_status == "deficient" else "normal_probable", ("oral",), ("sublingual",), oral_dose)
    if lacking:
        return Row("absorption_unknown", ("oral",), ("intramuscular",), full_dose)
    return Row(_UNTREATED_ROWS[b12_status])


_UNTREATED_ROWS: dict[B12Status, RowName] = {
    "indeterminate": "indeterminate",
    "adequate": "adequate",
    "high_unexplained": "adequate",
    "high_on_treatment": "on_treatment",
    "on_treatment": "on_treatment",
    "unknown": "unknown",
    "not_classified": "not_classified",
}


def preferred_forms(
    leber_optic_neuropathy: tuple[Condition, ...] | None, kidney_reading: KidneyReading | None
) -> tuple[str, ...]:
    """Cobalamins in order of preference. Never cyanocobalamin in Leber's; last where the kidneys are weak."""
    if leber_optic_neuropathy:
        return ("hydroxocobalamin", "mecobalamin")
    if kidney_reading in ("reduced", "severely_reduced"):
        return ("hydroxocobalamin", "mecobalamin", "cyanocobalamin")
    return ("cyanocobalamin", "hydroxocobalamin", "mecobalamin")


def current_routes(current_b12_products: tuple[Medicine, ...]) -> tuple[Route, ...]:
    """The routes by which B12 is being taken now."""
    return tuple(dict.fromkeys(map(_current_route, current_b12_products)))


def _current_route(medicine: Medicine) -> Route:
    if is_parenteral(medicine):
        return "intramuscular"
    return "sublingual" if medicine.route == "sublingual" else "oral"


def regimen(
    scope: Scope,
    regimen_row: Row,
    b12_status: B12Status,
    b12_allergies: tuple[Allergy, ...] | None,
    on_b12: bool | None,
    current_routes: tuple[Route, ...] | None,
    unmonitored_high_dose: bool | None,
    high_dose_may_be_needed: bool | None,
    high_b12_dose: bool | None,
    avoid_intramuscular: bool,
    preferred_forms: tuple[str, ...],
) -> Regimen:
    """The row, with the patient's current treatment and restrictions taken into account. No dose for anybody out of scope."""
    if scope == "refer_only":
        return Regimen("refer", "refer_only")
    if scope in ("excluded", "out_of_scope"):
        return Regimen("none", scope)
    if b12_allergies:
        return Regimen("refer", "allergy")
    name = regimen_row.name
    critical = name in ("neurology", "blood")
    if unmonitored_high_dose and not critical:
        return Regimen("continue" if high_dose_may_be_needed else "reduce", "unmonitored_high_dose", current_routes or ())
    if scope == "safety_only":
        return Regimen("refer" if critical else "none", name if critical else scope)
    if name == "on_treatment":
        reduce = b12_status == "high_on_treatment" and high_b12_dose
        return Regimen("reduce" if reduce else "continue", name, current_routes or ())
    if name in ("unknown", "indeterminate"):
        return Regimen("test_first", name)
    if name in ("adequate", "not_classified"):
        return Regimen("none", name)
    first = _spare_muscle(regimen_row.first, avoid_intramuscular)
    acceptable = tuple(route for route in _spare_muscle(regimen_row.acceptable, avoid_intramuscular) if route not in first)
    suitable = on_b12 and set(current_routes or ()) & {*first, *acceptable}
    return Regimen(
        "continue" if suitable else _ACTIONS.get(name, "start"),
        name,
        first,
        acceptable,
        regimen_row.dose,
        _forms(preferred_forms, first),
    )


_ACTIONS: dict[RowName, Act] = {"irreversible_untested": "test_first", "absorption_unknown": "establish_absorption_first"}


def _spare_muscle(routes: tuple[Route, ...], avoid_intramuscular: bool) -> tuple[Route, ...]:
    """Under the skin instead of into the muscle, where bleeding is to be feared."""
    if not avoid_intramuscular:
        return routes
    return tuple(dict.fromkeys("subcutaneous" if route == "intramuscular" else route for route in routes))


def _forms(preferred: tuple[str, ...], first: tuple[Route, ...]) -> tuple[str, ...]:
    """Hydroxocobalamin leads for injections into muscle; under the skin the label is cyanocobalamin's."""
    if first[0] == "intramuscular":
        return tuple(sorted(preferred, key=lambda form: form != "hydroxocobalamin"))
    return preferred


def b12_needed(regimen_row: Row) -> bool:
    """Would B12 be due if nothing forbade it?"""
    return bool(regimen_row.first)
