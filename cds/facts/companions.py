"""What B12 is given together with: vitamin D, calcium, magnesium, folate. How each reads, and which nobody knows (C7)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import msgspec

from cds.chart import Measurement, NoResult
from cds.days import Day
from cds.intervals import Interval
from cds.leaves import measured
from cds.logic import days_apart, newest, newest_result, since, unanimous


VitaminDReading = Literal["low", "between", "sufficient", "unclear", "none"]
CalciumReading = Literal["low", "normal", "high", "unclear", "none"]
MagnesiumReading = Literal["low", "sufficient", "unclear", "none"]
Samples = tuple[Measurement, ...]

vitamin_d_results = measured("vitamin_d")
vitamin_d3_results = measured("vitamin_d3")
vitamin_d2_results = measured("vitamin_d2")
calcium_results = measured("calcium_total")
corrected_calcium_results = measured("calcium_corrected")
albumin_results = measured("albumin")
magnesium_results = measured("magnesium")
pth_results = measured("pth")


def companions_since(today: date, companion_max_age_days: float) -> date:
    """The first day whose companions still count as the present state."""
    return today - timedelta(days=companion_max_age_days)


def _of_latest_day(earliest: date, *groups: Samples) -> Samples:
    """All results of the latest fresh day, which may contradict each other, of the first group that has one on it."""
    found: Samples = ()
    latest: Day | None = None
    for group in groups:
        result = newest(since(group, earliest)) if group else None
        if result is not None and result.day is not None and (latest is None or result.day.last > latest.last):
            latest = result.day
            found = tuple([other for other in group if other.day == latest])
    return found


def _shifted(sample: Measurement, by: float, concept: str) -> Measurement:
    """The sample with its value moved, as another concept; without digits that no laboratory reports."""
    value = sample.value
    moved = Interval(round(value.low + by, 3), round(value.high + by, 3), value.low_open, value.high_open)
    return msgspec.structs.replace(sample, concept=concept, value=moved, reported=f"{moved} {sample.scale}")


def vitamin_d_samples(
    vitamin_d_results: Samples, vitamin_d3_results: Samples, vitamin_d2_results: Samples, companions_since: date
) -> Samples:
    """25-hydroxyvitamin D of the latest day; where only D3 was measured, with the D2 found beside it."""
    samples = _of_latest_day(companions_since, vitamin_d_results, vitamin_d3_results)
    d2 = next((d2.value.exact for d2 in vitamin_d2_results if samples and d2.day == samples[0].day), None)
    return tuple(_shifted(s, d2, "vitamin_d") if d2 and s.concept == "vitamin_d3" else s for s in samples)


def vitamin_d_reading(
    vitamin_d_samples: Samples, vitd_deficient_lt_nmoll: float, vitd_optimal_ge_nmoll: float
) -> VitaminDReading:
    """Low, sufficient or between, where all results of the day agree."""
    if not vitamin_d_samples:
        return "none"
    low = unanimous([sample.value.below(vitd_deficient_lt_nmoll) for sample in vitamin_d_samples])
    wanting = unanimous([sample.value.below(vitd_optimal_ge_nmoll) for sample in vitamin_d_samples])
    if low:
        return "low"
    if wanting is False:
        return "sufficient"
    return "between" if wanting and low is False else "unclear"


def calcium_samples(
    corrected_calcium_results: Samples,
    calcium_results: Samples,
    albumin_results: Samples,
    companions_since: date,
    albumin_reference_gl: float,
    calcium_per_albumin_mmolg: float,
    calcium_pair_window_days: float,
) -> Samples:
    """Calcium of the latest day: as the laboratory corrected it, else corrected here for the nearest albumin, else as it is.

    Ionised calcium is another analyte and never read. What stays uncorrected keeps its concept, `calcium_total`.
    """
    samples = _of_latest_day(companions_since, corrected_calcium_results, calcium_results)
    if not samples or samples[0].concept == "calcium_corrected":
        return samples
    nearest = min(albumin_results, key=lambda albumin: days_apart(albumin, samples[0]), default=None)
    albumin = nearest.value.exact if nearest and days_apart(nearest, samples[0]) <= calcium_pair_window_days else None
    if albumin is None:
        return samples
    shift = calcium_per_albumin_mmolg * (albumin_reference_gl - albumin)
    return tuple(_shifted(sample, shift, "calcium_corrected") for sample in samples)


def calcium_uncorrected(calcium_samples: Samples) -> bool:
    """Is there a calcium, and nobody knows the albumin it was bound to?"""
    return bool(calcium_samples) and calcium_samples[0].concept == "calcium_total"


def calcium_reading(calcium_samples: Samples, calcium_low_lt_mmoll: float, calcium_high_gt_mmoll: float) -> CalciumReading:
    """Low, normal or high, where all results of the day agree."""
    if not calcium_samples:
        return "none"
    low = unanimous([sample.value.below(calcium_low_lt_mmoll) for sample in calcium_samples])
    high = unanimous([sample.value.above(calcium_high_gt_mmoll) for sample in calcium_samples])
    if low or high:
        return "low" if low else "high"
    return "normal" if low is False and high is False else "unclear"


def calcium_presses(
    calcium_samples: Samples,
    calcium_uncorrected: bool,
    today: date,
    calcium_severe_lt_mmoll: float,
    calcium_severe_gt_mmoll: float,
    calcium_severe_max_age_days: float,
) -> bool:
    """Is the calcium recent and dangerous? A low one only if corrected; a high one is higher still where albumin is low."""
    recent = [sample.value for sample in since(calcium_samples, today - timedelta(days=calcium_severe_max_age_days))]
    low = not calcium_uncorrected and all(value.below(calcium_severe_lt_mmoll) for value in recent)
    return bool(recent) and (low or all(value.above(calcium_severe_gt_mmoll) for value in recent))


def magnesium_samples(magnesium_results: Samples, companions_since: date) -> Samples:
    """Magnesium of the latest day."""
    return _of_latest_day(companions_since, magnesium_results)


def magnesium_reading(magnesium_samples: Samples, magnesium_low_lt_mmoll: float) -> MagnesiumReading:
    """Low or not, where all results of the day agree."""
    if not magnesium_samples:
        return "none"
    low = unanimous([sample.value.below(magnesium_low_lt_mmoll) for sample in magnesium_samples])
    return "unclear" if low is None else "low" if low else "sufficient"


def low_folate(
    folate_results: Samples,
    companions_since: date,
    folate_low_lt_ngml: float,
    regimen_speaks: bool | None,
    doubt_notes: tuple[str, ...] | None,
) -> Samples:
    """Folate of the latest day that is low, unless the regimen card says so already."""
    if regimen_speaks and "folate_low" in (doubt_notes or ()):
        return ()
    samples = _of_latest_day(companions_since, folate_results)
    return samples if samples and unanimous([sample.value.below(folate_low_lt_ngml) for sample in samples]) else ()


def pth(pth_results: Samples, calcium_samples: Samples, calcium_pair_window_days: float) -> Measurement | NoResult:
    """The newest parathyroid hormone drawn near the calcium; alone it says little."""
    near = calcium_samples[:1]
    return newest_result(result for result in pth_results if near and days_apart(result, near[0]) <= calcium_pair_window_days)


def vitamin_d(vitamin_d_samples: Samples) -> Measurement | NoResult:
    """The 25-hydroxyvitamin D to be shown."""
    return newest_result(vitamin_d_samples)


def calcium(calcium_samples: Samples) -> Measurement | NoResult:
    """The calcium to be shown."""
    return newest_result(calcium_samples)


def magnesium(magnesium_samples: Samples) -> Measurement | NoResult:
    """The magnesium to be shown."""
    return newest_result(magnesium_samples)


def companions_abnormal(
    calcium: Measurement | NoResult,
    calcium_reading: CalciumReading,
    vitamin_d: Measurement | NoResult,
    vitamin_d_reading: VitaminDReading,
    magnesium: Measurement | NoResult,
    magnesium_reading: MagnesiumReading,
    low_folate: Samples,
) -> Samples:
    """The results that are out of range, calcium first."""
    read = ((calcium, calcium_reading), (vitamin_d, vitamin_d_reading), (magnesium, magnesium_reading))
    abnormal = tuple(result for result, reading in read if isinstance(result, Measurement) and reading in ("low", "high"))
    return (*abnormal, *low_folate)


def companions_missing(
    vitamin_d_reading: VitaminDReading, calcium_reading: CalciumReading, magnesium_reading: MagnesiumReading
) -> tuple[str, ...]:
    """The companions whose state nobody knows, by value set name. Folate belongs to the baseline."""
    readings = {"vitamin_d": vitamin_d_reading, "calcium_total": calcium_reading, "magnesium": magnesium_reading}
    return tuple(name for name, reading in readings.items() if reading in ("none", "unclear"))
