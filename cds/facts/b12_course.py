"""Treatment with B12 over time: which products treat, since when, and for how long."""

from __future__ import annotations

from datetime import date

from cds.chart import Medicine, Procedure
from cds.exposure import Cover, Run, cover_of, latest_run, runs
from cds.leaves import had, taking
from cds.logic import either
from cds.sums import treats


b12_products = taking("b12")
b12_combinations = taking("b12_combination")
b12_antidotes = taking("b12_antidote")
b12_injections = had("b12_injection")


def b12_treatments(
    b12_products: tuple[Medicine, ...] | None,
    b12_combinations: tuple[Medicine, ...] | None,
    b12_injections: tuple[Procedure, ...] | None,
    diet_prophylaxis_max_ug: float,
) -> tuple[Medicine, ...] | None:
    """Every record of treatment: B12 of more than a dietary amount, whatever the product, and injections given in clinic.

    A multivitamin or a 10 ug tablet is intake but no treatment: a sample drawn on it is read like any other. A B12 product
    whose dose cannot be read counts as treatment, a combination does not. Injections recorded as procedures are a by-way, so a
    missing procedure list leaves the medicine list standing.
    """
    recorded = either(b12_products, b12_combinations)
    if recorded is not None:
        recorded = tuple(m for m in recorded if treats(m, diet_prophylaxis_max_ug))
    return either(recorded, tuple(_as_medicine(injection) for injection in b12_injections or ()))


def _as_medicine(injection: Procedure) -> Medicine:
    return Medicine(
        injection.reference,
        "b12",
        injection.name,
        injection.day,
        end=injection.day,
        current=False,
        self_reported=False,
        route="intramuscular",
    )


def b12_set_aside(b12_treatments: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """Treatment on record that nobody ended and that does not count as taken: on hold, or nobody can tell whether it is taken."""
    return tuple([medicine for medicine in b12_treatments if medicine.set_aside])


def b12_runs(b12_treatments: tuple[Medicine, ...], today: date, exposure_gap_merge_days: float) -> tuple[Run, ...]:
    """Unbroken periods of B12 treatment. Under what was set aside a sample may have been drawn, but nobody is treated with it."""
    return runs(tuple([m for m in b12_treatments if not m.set_aside]), today, exposure_gap_merge_days)


def b12_cover(
    b12_treatments: tuple[Medicine, ...],
    today: date,
    baseline_post_start_grace_days: float,
    exposure_current_grace_days: float,
) -> Cover:
    """The days whose samples count as drawn on B12. What ended nobody knows when does not soften what a sample says."""
    return cover_of(b12_treatments, today, baseline_post_start_grace_days, exposure_current_grace_days, unrecorded_end_days=0)


def b12_course(b12_runs: tuple[Run, ...], today: date, exposure_current_grace_days: float) -> tuple[Run, ...]:
    """The course that is going on or has just ended, alone in a tuple; empty where there is none."""
    run = latest_run(b12_runs, today, exposure_current_grace_days)
    return (run,) if run is not None else ()


def on_b12(b12_course: tuple[Run, ...]) -> bool:
    """Is the patient on B12 treatment now, or was until within the grace period?"""
    return bool(b12_course)


def days_on_b12(b12_course: tuple[Run, ...]) -> int | None:
    """Length of the course in days; unknown without a course, and where nobody recorded the start."""
    return b12_course[0].days if b12_course else None
