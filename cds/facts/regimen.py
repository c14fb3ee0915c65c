"""What to do about B12: the action, the routes, the dose and the form (C5). First matching row wins; exclusions come first."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from cds.advice import Route
from cds.chart import Condition, Medicine
from cds.dose import is_parenteral
from cds.exposure import Run
from cds.facts.absorption import Absorption
from cds.facts.b12_samples import B12Class
from cds.facts.b12_status import B12Status
from cds.facts.doses import Dose
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
    "irreversible_adequate",
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

CRITICAL_ROWS = ("neurology", "blood")
"""Rows that nothing but an exclusion or an allergy holds up."""

INJECTED = frozenset[Route]({"intramuscular", "subcutaneous"})
"""The routes that bypass the gut."""


class Row(Struct, frozen=True):
    """A row of C5 before the patient's own restrictions: its name, its routes and the dose for the first of them."""

    name: RowName
    first: tuple[Route, ...] = ()
    acceptable: tuple[Route, ...] = ()
    dose: Dose | None = None


class Regimen(Struct, frozen=True, cache_hash=True):
    """The decision on treatment. `row` names the table row, and with it the words that say why."""

    action: Act
    row: RowName
    routes_first_line: tuple[Route, ...] = ()
    routes_acceptable: tuple[Route, ...] = ()
    dose: Dose | None = None
    form: tuple[str, ...] = ()


def regimen_row(
    b12_status: B12Status,
    b12_lacking: bool,
    b12_class: B12Class | None,
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
    """The first row of C5 that fits. A functional deficiency is read like a probable one wherever the table does not name it.

    With cord signs a low B12 is treated by injection even where a few days of tablets may already be raising it. What was enough
    on a treatment that has lapsed will not stay so.
    """
    if (b12_lacking or b12_class == "low") and (neuro_major or nitrous_oxide_neurology):
        return Row("neurology", ("intramuscular",), (), injection_dose)
    if b12_status == "deficient" and blood_red_flag:
        return Row("blood", ("intramuscular",), ("subcutaneous",), injection_dose)
    if b12_lacking and absorption == "impaired_irreversible":
        return Row("irreversible", ("intramuscular",), ("oral",), injection_dose)
    if b12_status == "unknown" and absorption == "impaired_irreversible" and on_b12 is not None:
        return Row("on_treatment") if on_b12 else Row("irreversible_untested", ("intramuscular",), ("oral",), injection_dose)
    lapsed = on_b12 is False and b12_status in ("on_treatment", "high_on_treatment")
    enough = lapsed or b12_status in ("adequate", "indeterminate")
    if enough and absorption == "impaired_irreversible":
        return Row("irreversible_adequate", ("intramuscular",), ("oral",), injection_dose)
    if b12_lacking and absorption == "impaired_partial":
        return Row("partial", ("intramuscular", "sublingual"), ("oral",), full_dose)
    if enough and stomach_surgery:
        return Row("stomach_surgery", ("sublingual", "oral", "intramuscular"), (), maintenance_dose)
    if b12_lacking and absorption == "reduced_food_bound":
        return Row("food_bound", ("sublingual",), ("oral", "intramuscular"), sublingual_dose)
    if b12_lacking and absorption == "normal":
        return Row("normal" if b12_status == "deficient" else "normal_probable", ("oral",), ("sublingual",), oral_dose)
    if b12_lacking:
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
    """Cobalamins in order of preference. Never cyanocobalamin in Leber's; last where that is unread, or the kidneys are weak."""
    if leber_optic_neuropathy:
        return ("hydroxocobalamin", "mecobalamin")
    if leber_optic_neuropathy is None or kidney_reading in ("reduced", "severely_reduced"):
        return ("hydroxocobalamin", "mecobalamin", "cyanocobalamin")
    return ("cyanocobalamin", "hydroxocobalamin", "mecobalamin")


def current_routes(b12_course: tuple[Run, ...], today: date, exposure_current_grace_days: float) -> tuple[Route, ...]:
    """The routes of the course under way; injections count between two visits, swallowed B12 only while it is taken.

    Those with which the course began long ago do not make it one of injections.
    """
    since = today - timedelta(exposure_current_grace_days)
    given = (medicine for run in b12_course for medicine in run.medicines if medicine.current or _injected(medicine, since))
    return tuple(dict.fromkeys(map(_current_route, given)))


def _injected(medicine: Medicine, since: date) -> bool:
    """Is it given by injection, and may it have been given since that day?"""
    last = medicine.end or medicine.day
    return is_parenteral(medicine) and last is not None and last.last >= since


def _current_route(medicine: Medicine) -> Route:
    if is_parenteral(medicine):
        return "subcutaneous" if medicine.route == "subcutaneous" else "intramuscular"
    return "sublingual" if medicine.route == "sublingual" else "oral"


def treated_suitably(
    regimen_row: Row,
    on_b12: bool,
    current_routes: tuple[Route, ...] | None,
    b12_drawn_on_treatment: bool | None,
    days_on_b12: int | None,
    loading_phase_max_days: float,
) -> bool:
    """Does the treatment on record already do what the row asks for?

    Injections do. For nerves and blood they must be new, or the sample older than they are: low in spite of them is not enough.
    """
    if not on_b12 or not current_routes:
        return False
    if regimen_row.name in CRITICAL_ROWS:
        new = days_on_b12 is not None and days_on_b12 <= loading_phase_max_days
        return not INJECTED.isdisjoint(current_routes) and (new or b12_drawn_on_treatment is False)
    return not (INJECTED | {*regimen_row.first, *regimen_row.acceptable}).isdisjoint(current_routes)


def regimen(
    scope: Scope,
    regimen_row: Row,
    b12_status: B12Status,
    b12_allergies: Evidence | None,
    treated_suitably: bool | None,
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
    critical = name in CRITICAL_ROWS
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
    return Regimen(
        "continue" if treated_suitably else _ACTIONS.get(name, "start"),
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
