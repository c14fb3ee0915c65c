"""Which B12 results count, and the class each falls in: fresh, unspoilt, several read together (C2, C3 step 1)."""

from __future__ import annotations

from datetime import date, timedelta
from operator import itemgetter
from typing import Literal

from cds.chart import NO_RESULT, Measurement, Medicine, NoResult
from cds.exposure import Cover, cover_of
from cds.leaves import measured
from cds.logic import drawn_on, either, newest, newest_result, paired, since


B12Class = Literal["low", "grey", "undecided", "normal", "high", "none"]

FROM_WORST: tuple[B12Class, ...] = ("low", "grey", "undecided", "normal", "high", "none")

b12_total_results = measured("b12_total")
b12_active_results = measured("b12_active")


def b12_results(
    b12_total_results: tuple[Measurement, ...] | None,
    b12_active_results: tuple[Measurement, ...] | None,
    b12_antidotes: tuple[Medicine, ...] | None,
    antidote_interference_days: float,
) -> tuple[Measurement, ...] | None:
    """All dated B12 results of either assay, without those drawn just after the cyanide antidote, newest first."""
    both = either(b12_total_results, b12_active_results)
    if not both:
        return both
    dated = [(result.day.last, result) for result in both if result.day is not None]
    given = [dose.day.last for dose in b12_antidotes or () if dose.day is not None]
    if given:
        window = timedelta(days=antidote_interference_days)
        dated = [(drawn, result) for drawn, result in dated if not any(day <= drawn <= day + window for day in given)]
    return tuple([result for _, result in sorted(dated, key=itemgetter(0), reverse=True)])


def b12_samples(
    b12_results: tuple[Measurement, ...],
    b12_cover: Cover | None,
    fresh_since: date,
    marker_pair_window_days: float,
) -> tuple[Measurement, ...]:
    """The newest fresh results of one day, then the other assay's if it was drawn near and on the same side of treatment."""
    first = newest(since(b12_results, fresh_since))
    if first is None:
        return ()
    same_day = tuple([result for result in b12_results if result.concept == first.concept and result.day == first.day])
    others = [result for result in b12_results if result.concept != first.concept]
    other = paired(others, first, b12_cover, marker_pair_window_days)
    return (*same_day, other) if isinstance(other, Measurement) else same_day


def b12_sample(
    b12_samples: tuple[Measurement, ...], b12_classes: tuple[B12Class, ...], b12_class: B12Class
) -> Measurement | NoResult:
    """The B12 result the status rests on, if there is a fresh one: the worst of those read together."""
    return b12_samples[b12_classes.index(b12_class)] if b12_samples else NO_RESULT


def b12_drawn_on_treatment(b12_sample: Measurement | NoResult, b12_cover: Cover) -> bool:
    """Was there a sample, and was it drawn on B12 treatment?"""
    return isinstance(b12_sample, Measurement) and drawn_on(b12_cover, b12_sample)


def b12_classes(
    b12_samples: tuple[Measurement, ...],
    b12_total_deficient_lt_pgml: float,
    b12_total_indeterminate_max_pgml: float,
    b12_high_gt_pgml: float,
    b12_total_deficient_lt_pmoll: float,
    b12_total_indeterminate_max_pmoll: float,
    b12_high_gt_pmoll: float,
    b12_active_deficient_lt: float,
    b12_active_indeterminate_max: float,
) -> tuple[B12Class, ...]:
    """The class of each sample by the thresholds of the unit it was reported in; nothing is converted on the way."""
    thresholds: dict[tuple[str, str], tuple[float, float, float]] = {
        ("b12_total", "pg/mL"): (b12_total_deficient_lt_pgml, b12_total_indeterminate_max_pgml, b12_high_gt_pgml),
        ("b12_total", "pmol/L"): (b12_total_deficient_lt_pmoll, b12_total_indeterminate_max_pmoll, b12_high_gt_pmoll),
        ("b12_active", "pmol/L"): (b12_active_deficient_lt, b12_active_indeterminate_max, float("inf")),
    }
    return tuple(_class_of(sample, *thresholds[sample.concept, sample.scale]) for sample in b12_samples)


def _class_of(sample: Measurement, low_below: float, grey_up_to: float, high_above: float) -> B12Class:
    """Take a value below 200 for low or grey and so for grey; one above 300 may be grey or normal and stays undecided."""
    value = sample.value
    if value.below(low_below):
        return "low"
    if value.above(high_above):
        return "high"
    if value.above(grey_up_to):
        return "normal"
    return "grey" if value.above(grey_up_to) is False else "undecided"


def b12_class(b12_classes: tuple[B12Class, ...]) -> B12Class:
    """Let the worst of the results read together win; without a fresh result there is no class."""
    return min(b12_classes, key=FROM_WORST.index, default="none")


def b12_discordant(b12_classes: tuple[B12Class, ...]) -> bool:
    """Do the results read together disagree, total and active B12 or two of one day? Then the card says so."""
    return len(set(b12_classes)) > 1


def b12_repeatedly_high(
    b12_results: tuple[Measurement, ...], b12_class: B12Class, b12_high_gt_pgml: float, b12_high_gt_pmoll: float
) -> bool:
    """Are the two latest total B12 results, of two different days, both high?"""
    totals = [result for result in b12_results if result.concept == "b12_total"]
    earlier = [result for result in totals if result.day != totals[0].day]
    cut = {"pg/mL": b12_high_gt_pgml, "pmol/L": b12_high_gt_pmoll}
    return b12_class == "high" and bool(earlier) and earlier[0].value.above(cut[earlier[0].scale]) is True


def high_b12_explained(
    b12_class: B12Class,
    b12_sample: Measurement | NoResult,
    b12_treatments: tuple[Medicine, ...] | None,
    b12_combinations: tuple[Medicine, ...] | None,
    today: date,
    b12_free_before_high_days: float,
    exposure_unrecorded_end_days: float,
) -> bool | None:
    """Is the result high because B12 was taken, a multivitamin included, in the months before it was drawn?"""
    if b12_class != "high" or not b12_sample:
        return False
    taken = either(b12_treatments, b12_combinations)
    if taken is None:
        return None
    return drawn_on(cover_of(taken, today, 0, b12_free_before_high_days, exposure_unrecorded_end_days), b12_sample)


def last_b12_test(b12_results: tuple[Measurement, ...]) -> Measurement | NoResult:
    """The newest B12 result of any age, to tell "never measured" from "measured long ago"."""
    return newest_result(b12_results)
