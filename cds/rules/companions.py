"""One card for whatever B12 is given together with and is out of range: calcium, vitamin D, magnesium, folate (C7)."""

from __future__ import annotations

from cds.advice import Advice, OrderTests
from cds.chart import Measurement, Medicine, NoResult
from cds.facts.b12_status import B12Status
from cds.facts.companions import CalciumReading, MagnesiumReading, VitaminDReading


def companions(
    companions_abnormal: tuple[Measurement, ...],
    calcium_reading: CalciumReading,
    calcium_presses: bool,
    calcium_uncorrected: bool,
    vitamin_d_reading: VitaminDReading,
    magnesium_reading: MagnesiumReading,
    low_folate: tuple[Measurement, ...],
    pth: Measurement | NoResult,
    companions_missing: tuple[str, ...],
    bone_drugs: tuple[Medicine, ...] | None,
    proton_pump_inhibitors: tuple[Medicine, ...] | None,
    b12_status: B12Status,
) -> Advice | None:
    """Calcium is the loudest of them. Nothing here is a dose, and with a high calcium vitamin D is not even mentioned."""
    if not companions_abnormal:
        return None
    out_of_range = calcium_reading in ("low", "high")
    vitamin_d_may_be_given = calcium_reading != "high"
    notes = {
        "uncorrected": out_of_range and calcium_uncorrected,
        "pth": out_of_range and bool(pth),
        "vitamin_d_low": vitamin_d_may_be_given and vitamin_d_reading == "low",
        "vitamin_d_insufficient": vitamin_d_may_be_given and vitamin_d_reading == "between",
        "magnesium_low": magnesium_reading == "low",
        "acid_suppression": magnesium_reading == "low" and any(m.current for m in proton_pump_inhibitors or ()),
        "folate_after_b12": bool(low_folate) and b12_status not in ("adequate", "high_unexplained"),
        "folate": bool(low_folate) and b12_status in ("adequate", "high_unexplained"),
        "exercise": True,
    }
    wanted = _tests(calcium_reading, calcium_uncorrected, pth, companions_missing)
    key = _key(calcium_reading, calcium_presses, bone_drugs, tuple(r.concept for r in companions_abnormal))
    return Advice(key, (OrderTests(wanted),) if wanted else (), tuple(note for note, applies in notes.items() if applies))


def _key(
    calcium_reading: CalciumReading, presses: bool, bone_drugs: tuple[Medicine, ...] | None, abnormal: tuple[str, ...]
) -> str:
    """The words of the finding that matters most."""
    if calcium_reading in ("low", "high"):
        if presses:
            return f"calcium_severely_{calcium_reading}"
        return "calcium_low_on_bone_drug" if calcium_reading == "low" and bone_drugs else f"calcium_{calcium_reading}"
    kinds = {concept.removesuffix("3") for concept in abnormal}
    return f"{kinds.pop()}_low" if len(kinds) == 1 else "several"


def _tests(
    calcium_reading: CalciumReading, uncorrected: bool, pth: Measurement | NoResult, missing: tuple[str, ...]
) -> tuple[str, ...]:
    """What finds the cause: a calcium out of range again, with albumin and PTH; the missing rest, unless calcium is high."""
    again = ("calcium_total", *(("albumin",) if uncorrected else ()), *(() if pth else ("pth",)))
    rest = () if calcium_reading == "high" else missing
    return (*(again if calcium_reading in ("low", "high") else ()), *rest)
