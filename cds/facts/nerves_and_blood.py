"""Red flags: nerves, nitrous oxide, severe anaemia, potassium (C10), and the milder signs that make a test urgent."""

from __future__ import annotations

from datetime import date

from cds.chart import Condition, Measurement, Medicine, NoResult
from cds.exposure import Run, latest_run, runs
from cds.facts.b12_samples import B12Class
from cds.facts.b12_status import B12Status
from cds.leaves import has, measured, taking
from cds.logic import Evidence, certainly_below, either, newest_result, since


neuro_major = has("neuro_major")
neuro_minor = has("neuro_minor")
nitrous_oxide_conditions = has("nitrous_oxide_exposure")
nitrous_oxide_given = taking("nitrous_oxide")
haemoglobin_results = measured("haemoglobin")
mcv_results = measured("mcv")
platelet_results = measured("platelets")
neutrophil_results = measured("neutrophils")
potassium_results = measured("potassium")


def nitrous_oxide_evidence(
    nitrous_oxide_conditions: tuple[Condition, ...] | None,
    nitrous_oxide_given: tuple[Medicine, ...] | None,
    today: date,
    exposure_gap_merge_days: float,
    exposure_current_grace_days: float,
) -> Evidence | None:
    """Recreational nitrous oxide as a problem, or medical use within the grace period."""
    recent = None
    if nitrous_oxide_given is not None:
        run = latest_run(runs(nitrous_oxide_given, today, exposure_gap_merge_days), today, exposure_current_grace_days)
        recent = run.medicines if run is not None else ()
    return either(nitrous_oxide_conditions, recent)


def neurology(neuro_major: tuple[Condition, ...] | None, neuro_minor: tuple[Condition, ...] | None) -> Evidence | None:
    """Any neurological sign on record."""
    return either(neuro_major, neuro_minor)


def neurology_during_treatment(neuro_major: tuple[Condition, ...], b12_status: B12Status, b12_course: tuple[Run, ...]) -> bool:
    """A major sign that may have come up on B12 treatment, which a B12 level cannot explain away."""
    if b12_status not in ("on_treatment", "high_on_treatment") or not b12_course:
        return False
    start = b12_course[0].start
    return any(sign.day is None or start is None or sign.day.last >= start for sign in neuro_major)


def nitrous_oxide_neurology(nitrous_oxide_evidence: Evidence, neurology: Evidence) -> Evidence:
    """Nitrous oxide and a neurological sign together; neither alone."""
    return nitrous_oxide_evidence + neurology if nitrous_oxide_evidence and neurology else ()


def haemoglobin(haemoglobin_results: tuple[Measurement, ...], fresh_since: date) -> Measurement | NoResult:
    """The newest haemoglobin that is fresh enough."""
    return newest_result(since(haemoglobin_results, fresh_since))


def mcv(mcv_results: tuple[Measurement, ...], fresh_since: date) -> Measurement | NoResult:
    """The newest mean corpuscular volume that is fresh enough."""
    return newest_result(since(mcv_results, fresh_since))


def platelets(platelet_results: tuple[Measurement, ...], fresh_since: date) -> Measurement | NoResult:
    """The newest platelet count that is fresh enough."""
    return newest_result(since(platelet_results, fresh_since))


def neutrophils(neutrophil_results: tuple[Measurement, ...], fresh_since: date) -> Measurement | NoResult:
    """The newest neutrophil count that is fresh enough."""
    return newest_result(since(neutrophil_results, fresh_since))


def potassium(potassium_results: tuple[Measurement, ...], fresh_since: date) -> Measurement | NoResult:
    """The newest potassium that is fresh enough."""
    return newest_result(since(potassium_results, fresh_since))


def macrocytosis(mcv: Measurement | NoResult, mcv_high_gt: float) -> bool:
    """Is the MCV certainly raised?"""
    return isinstance(mcv, Measurement) and mcv.value.above(mcv_high_gt) is True


def severe_anaemia(haemoglobin: Measurement | NoResult, hb_critical_lt_gl: float) -> bool:
    """Is the haemoglobin certainly below the line that needs a haematologist today?"""
    return certainly_below(haemoglobin, hb_critical_lt_gl)


def anaemia(haemoglobin: Measurement | NoResult, hb_warning_lt_gl: float) -> bool:
    """Is the haemoglobin certainly low enough to look for a cause?"""
    return certainly_below(haemoglobin, hb_warning_lt_gl)


def pancytopenia(
    haemoglobin: Measurement | NoResult,
    platelets: Measurement | NoResult,
    neutrophils: Measurement | NoResult,
    macrocytosis: bool,
    b12_class: B12Class,
    hb_warning_lt_gl: float,
    plt_pancytopenia_lt: float,
    neut_pancytopenia_lt: float,
) -> bool:
    """At least two of three cell lines low, with large red cells or a low B12 to point at the cause."""
    lines = ((haemoglobin, hb_warning_lt_gl), (platelets, plt_pancytopenia_lt), (neutrophils, neut_pancytopenia_lt))
    low = sum(certainly_below(line, cut) for line, cut in lines)
    return low >= 2 and (macrocytosis or b12_class == "low")


def blood_red_flag(severe_anaemia: bool, pancytopenia: bool) -> bool:
    """Does the blood count need haematology now?"""
    return severe_anaemia or pancytopenia
