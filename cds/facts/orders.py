"""What may be ordered to carry out the regimen: courses of B12 and the tests that are still missing."""

from __future__ import annotations

from cds.advice import OrderTests, Route, Schedule, StartB12
from cds.facts.regimen import Dose, Regimen


def maintenance_schedules(im_load_per_week: float, im_load_weeks: float, im_maint_weeks_min: float) -> tuple[Schedule, ...]:
    """Injections without neurological signs: loading, then maintenance."""
    return (Schedule(im_load_per_week, 1, "wk", for_days=im_load_weeks * 7), Schedule(1, im_maint_weeks_min, "wk"))


def neurological_schedules(im_load_neuro_every_days: float, im_maint_neuro_weeks: float) -> tuple[Schedule, ...]:
    """Injections with neurological signs: every other day while improvement continues, then maintenance."""
    return (Schedule(1, im_load_neuro_every_days, "d"), Schedule(1, im_maint_neuro_weeks, "wk"))


def course_orders(
    regimen: Regimen,
    oral_dose: Dose,
    malabsorption_dose: Dose,
    sublingual_dose: Dose,
    injection_dose: Dose,
    maintenance_schedules: tuple[Schedule, ...],
    neurological_schedules: tuple[Schedule, ...],
    im_maint_weeks_max: float,
    review_after_days: float,
) -> tuple[StartB12, ...]:
    """One course per route of the regimen, the first one recommended; none unless something is to be started."""
    starts = regimen.action in ("start", "establish_absorption_first") or regimen.row == "irreversible_untested"
    if not starts or regimen.dose is None:
        return ()
    daily = (Schedule(1, 1, "d", for_days=review_after_days),)
    injected = {
        "neurology": neurological_schedules,
        "blood": maintenance_schedules[:1],
        "stomach_surgery": (Schedule(1, im_maint_weeks_max, "wk"),),
    }.get(regimen.row, maintenance_schedules)
    swallowed = malabsorption_dose if regimen.row in ("irreversible", "irreversible_untested", "partial") else oral_dose
    doses = {"oral": swallowed.preferred, "sublingual": sublingual_dose.preferred}
    return tuple(
        StartB12(
            route,
            _form_for(route, regimen.form),
            doses.get(route, injection_dose.preferred),
            daily if route in doses else injected,
            recommended=place == 0,
        )
        for place, route in enumerate((*regimen.routes_first_line, *regimen.routes_acceptable))
    )


_FORM_OF_ROUTE: dict[Route, str] = {
    "oral": "cyanocobalamin",
    "sublingual": "cyanocobalamin",
    "intramuscular": "hydroxocobalamin",
    "subcutaneous": "cyanocobalamin",
}


def _usable(route: Route, form: str) -> bool:
    """Hydroxocobalamin has no tablets."""
    return form != "hydroxocobalamin" or route in ("intramuscular", "subcutaneous")


def _form_for(route: Route, preferred: tuple[str, ...]) -> str:
    """The usual form for the route, or, where that is this patient's last choice, the first that exists for the route."""
    usable = [form for form in preferred if _usable(route, form)]
    usual = _FORM_OF_ROUTE[route]
    return usual if usual in usable and usable[-1] != usual else usable[0]


def test_orders(regimen: Regimen, baseline_missing: tuple[str, ...] | None) -> tuple[OrderTests, ...]:
    """The tests to add: MMA where it would settle the matter, and whatever the baseline still lacks."""
    mma = ("mma",) if regimen.row in ("indeterminate", "normal_probable") else ()
    wanted = tuple(dict.fromkeys((*mma, *(baseline_missing or ()))))
    return (OrderTests(wanted),) if wanted else ()
