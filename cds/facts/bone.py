"""Evidence of osteoporosis, low bone mass or a fragility fracture (C1.5)."""

from __future__ import annotations

from datetime import date, timedelta

from cds.chart import Condition, Measurement, Medicine, Patient
from cds.days import years_between
from cds.leaves import has, measured, taking
from cds.logic import Evidence, either, since


osteoporosis = has("osteoporosis")
osteopenia = has("osteopenia")
fragility_fractures = has("fragility_fracture")
major_fractures = has("major_fracture")
tscores = measured("tscore")
bone_drugs = taking("bone_drug")


def low_tscores(tscores: tuple[Measurement, ...], today: date, tscore_osteopenia: float, tscore_lookback_days: float) -> Evidence:
    """DXA T-scores in the look-back that are certainly at or below the osteopenia line."""
    recent = since(tscores, today - timedelta(days=tscore_lookback_days))
    return tuple(score for score in recent if score.value.above(tscore_osteopenia) is False)


def fractures_from_50(major_fractures: tuple[Condition, ...], patient: Patient, fracture_min_age_years: float) -> Evidence:
    """Fractures at a typical site that certainly happened from the age of 50 on; an undated one proves nothing."""
    birth = patient.birth
    if birth is None:
        return ()
    return tuple(f for f in major_fractures if f.day is not None and years_between(birth, f.day.first) >= fracture_min_age_years)


def bone_evidence(
    osteoporosis: tuple[Condition, ...] | None,
    osteopenia: tuple[Condition, ...] | None,
    fragility_fractures: tuple[Condition, ...] | None,
    fractures_from_50: Evidence | None,
    bone_drugs: tuple[Medicine, ...] | None,
    low_tscores: Evidence | None,
) -> Evidence | None:
    """Whatever puts the patient in scope for bone; unknown while one of these questions is unanswered."""
    return either(osteoporosis, osteopenia, fragility_fractures, fractures_from_50, bone_drugs, low_tscores)
