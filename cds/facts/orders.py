"""What may be ordered to carry out the regimen: courses of B12 and the tests that are still missing."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from msgspec import Struct

from cds.advice import OrderTests, Route, Schedule, StartB12
from cds.chart import Medicine
from cds.facts.absorption import Absorption
from cds.facts.doses import Dose
from cds.facts.metabolites import MmaReading
from cds.facts.regimen import CRITICAL_ROWS, Regimen


def maintenance_schedules(im_load_per_week: float, im_load_weeks: float, im_maint_weeks_min: float) -> tuple[Schedule, ...]:
    """Injections without neurological signs: loading, then maintenance."""
    return (Schedule(im_load_per_week, 1, "wk", for_days=im_load_weeks * 7), Schedule(1, im_maint_weeks_min, "wk"))


def neurological_schedules(
    im_load_neuro_every_days: float, im_load_neuro_review_days: float, im_maint_neuro_weeks: float
) -> tuple[Schedule, ...]:
    """Injections with neurological signs: every other day up to a review, longer while it improves, then maintenance."""
    loading = Schedule(1, im_load_neuro_every_days, "d", for_days=im_load_neuro_review_days)
    return (loading, Schedule(1, im_maint_neuro_weeks, "wk"))


def cyanocobalamin_schedules(
    cyano_daily_days: float, cyano_weekly_weeks: float, cyano_maint_weeks: float
) -> tuple[Schedule, ...]:
    """Cyanocobalamin leaves the body sooner than hydroxocobalamin: daily, weekly, then at shorter intervals, nerves or not."""
    weekly = Schedule(1, 1, "wk", for_days=cyano_weekly_weeks * 7)
    return (Schedule(1, 1, "d", for_days=cyano_daily_days), weekly, Schedule(1, cyano_maint_weeks, "wk"))


class InjectionPlan(Struct, frozen=True, cache_hash=True):
    """How often to inject, by the form injected; what holds for hydroxocobalamin holds for mecobalamin."""

    hydroxocobalamin: tuple[Schedule, ...]
    cyanocobalamin: tuple[Schedule, ...]

    def of(self, form: str) -> tuple[Schedule, ...]:
        """The schedules of a form."""
        return self.cyanocobalamin if form == "cyanocobalamin" else self.hydroxocobalamin


def injection_plan(
    regimen: Regimen,
    maintenance_schedules: tuple[Schedule, ...],
    neurological_schedules: tuple[Schedule, ...],
    cyanocobalamin_schedules: tuple[Schedule, ...],
    im_maint_weeks_max: float,
) -> InjectionPlan:
    """What this patient needs: loading alone under haematology, maintenance alone where B12 is still enough, else both."""
    if regimen.row == "blood":
        return InjectionPlan(maintenance_schedules[:1], cyanocobalamin_schedules[:1])
    if regimen.row in ("stomach_surgery", "irreversible_adequate"):
        return InjectionPlan((Schedule(1, im_maint_weeks_max, "wk"),), cyanocobalamin_schedules[-1:])
    usual = neurological_schedules if regimen.row == "neurology" else maintenance_schedules
    return InjectionPlan(usual, cyanocobalamin_schedules)


def course_may_double(regimen: Regimen, b12_set_aside: tuple[Medicine, ...]) -> bool:
    """May a new course be the second, beside one that was set aside? Nerves and blood do not wait until that is known."""
    return bool(b12_set_aside) and regimen.row not in CRITICAL_ROWS


@lru_cache(maxsize=256)
def course_orders(
    regimen: Regimen,
    oral_dose: Dose,
    malabsorption_dose: Dose,
    sublingual_dose: Dose,
    injection_dose: Dose,
    injection_plan: InjectionPlan,
    absorption: Absorption,
    today: date,
    review_after_days: float,
    course_may_double: bool | None,
) -> tuple[StartB12, ...]:
    """One course per route of the regimen; none unless something is to be started.

    The first one is recommended, unless somebody has to ask first whether another one goes on.

    Each brings its own review (C8): homocysteine, and B12 where it is a guide. Under haematology the review is theirs. Few
    different courses exist, and whoever drafts them knows them again: they are made once.
    """
    starts = regimen.action in ("start", "establish_absorption_first") or regimen.row == "irreversible_untested"
    if not starts or regimen.dose is None:
        return ()
    daily = (Schedule(1, 1, "d", for_days=review_after_days),)
    swallowed = malabsorption_dose if regimen.row.startswith(("irreversible", "partial")) else oral_dose
    doses = {"oral": swallowed.preferred, "sublingual": sublingual_dose.preferred}
    courses = []
    for place, route in enumerate((*regimen.routes_first_line, *regimen.routes_acceptable)):
        form = _form_for(route, regimen.form)
        schedules = daily if route in doses else injection_plan.of(form)
        dose = doses.get(route, injection_dose.preferred)
        informative = route in doses and absorption != "impaired_irreversible"
        tests = ("b12_total", "homocysteine") if informative else ("homocysteine",)
        review = None if regimen.row == "blood" else OrderTests(tests, on=today + timedelta(days=review_after_days))
        courses.append(StartB12(route, form, dose, schedules, recommended=place == 0 and not course_may_double, review=review))
    return tuple(courses)


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


def test_orders(
    regimen: Regimen, mma_reading: MmaReading | None, baseline_missing: tuple[str, ...] | None
) -> tuple[OrderTests, ...]:
    """The tests to add: MMA where it would settle the matter and was not measured, and whatever the baseline still lacks."""
    settles = regimen.row in ("indeterminate", "normal_probable", "irreversible_adequate") and mma_reading in ("none", None)
    wanted = tuple(dict.fromkeys((*(("mma",) if settles else ()), *(baseline_missing or ()))))
    return (OrderTests(wanted),) if wanted else ()
