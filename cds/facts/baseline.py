"""Is the baseline there before anything is started: B12, homocysteine and folate, and what else the decision reads (C2)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from cds.chart import Measurement, NoResult
from cds.exposure import Cover
from cds.logic import days_apart, drawn_on, since


Completeness = Literal["complete", "partial", "none"]

CORE = ("b12_total", "homocysteine", "folate")
"""The tests that make a baseline; `b12_total` stands for either B12 assay."""


def fresh_since(today: date, baseline_max_age_days: float) -> date:
    """The first day whose results still count as the present state."""
    return today - timedelta(days=baseline_max_age_days)


def baseline_tests(
    b12_results: tuple[Measurement, ...] | None,
    homocysteine_results: tuple[Measurement, ...] | None,
    folate_results: tuple[Measurement, ...] | None,
    b12_cover: Cover,
    fresh_since: date,
    marker_pair_window_days: float,
) -> tuple[str, ...]:
    """Which baseline tests are seen: fresh, untreated, and homocysteine and folate drawn near the B12 where there is one."""
    b12 = _untreated(b12_results, fresh_since, b12_cover)
    present = ["b12_total"] if b12 is not None else []
    for analyte, results in (("homocysteine", homocysteine_results), ("folate", folate_results)):
        result = _untreated(results, fresh_since, b12_cover)
        if result is not None and (b12 is None or days_apart(result, b12) <= marker_pair_window_days):
            present.append(analyte)
    return tuple(present)


def _untreated(results: tuple[Measurement, ...] | None, fresh_since: date, cover: Cover) -> Measurement | None:
    """The newest fresh result that was drawn off treatment."""
    for result in since(results or (), fresh_since):
        if not drawn_on(cover, result):
            return result
    return None


def baseline(
    baseline_tests: tuple[str, ...],
    b12_results: tuple[Measurement, ...] | None,
    homocysteine_results: tuple[Measurement, ...] | None,
    folate_results: tuple[Measurement, ...] | None,
) -> Completeness | None:
    """Complete with all three; otherwise partial or none, which nobody can say who has not seen all results."""
    if len(baseline_tests) == len(CORE):
        return "complete"
    if None in (b12_results, homocysteine_results, folate_results):
        return None
    return "partial" if baseline_tests else "none"


def baseline_missing(
    baseline_tests: tuple[str, ...],
    haemoglobin: Measurement | NoResult | None,
    egfr: Measurement | NoResult | None,
    potassium: Measurement | NoResult | None,
    anaemia: bool | None,
) -> tuple[str, ...]:
    """The tests to order before starting, by value set name; potassium only matters in anaemia. What nobody saw is missing."""
    wanted = [analyte for analyte in CORE if analyte not in baseline_tests]
    if not haemoglobin:
        wanted.append("haemoglobin")
    if not egfr:
        wanted.append("egfr")
    if anaemia and not potassium:
        wanted.append("potassium")
    return tuple(wanted)
