"""The course of treatment as data for a picture: results with their thresholds, periods of treatment, and when what is due."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from operator import itemgetter
from typing import Any

from cds.advice import OrderTests, StartB12
from cds.chart import Measurement, Medicine
from cds.decide import Decision
from cds.dose import dose_ug, is_parenteral, nutrient_ug_per_day
from cds.knowledge import StandingWords
from cds.signed import Language
from cds.wording import MARKS


_B12 = ("low_below", "grey_up_to", "high_above")
_THRESHOLDS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("b12_total", "pg/mL"): dict(
        zip(_B12, ("b12_total_deficient_lt_pgml", "b12_total_indeterminate_max_pgml", "b12_high_gt_pgml"), strict=True)
    ),
    ("b12_total", "pmol/L"): dict(
        zip(_B12, ("b12_total_deficient_lt_pmoll", "b12_total_indeterminate_max_pmoll", "b12_high_gt_pmoll"), strict=True)
    ),
    ("b12_active", "pmol/L"): {"low_below": "b12_active_deficient_lt", "grey_up_to": "b12_active_indeterminate_max"},
    ("homocysteine", "umol/L"): {"high_above": "hcy_high_gt", "very_high_above": "hcy_very_high_gt"},
}
"""The numbers that results of an analyte are read by, each in the unit of the results, by what they divide."""

ANALYTES = ("b12_total", "b12_active", "homocysteine", "balp", "ctx", "ctx_variant")
"""What is drawn, from top to bottom; an assay in another unit is a picture of its own, as nothing is converted."""

LANES = ("b12", "b12_injection", "b12_combination", "folic_acid", "ppi", "pcab", "h2ra", "metformin", "bone_drug")
"""The medicines drawn below: those that treat first, then those that change how a result is read."""


def course(decision: Decision, language: Language) -> dict[str, Any]:
    """Panels, treatments, and days that are due, oldest first. A partial date stands for the first day that it may mean."""
    return {
        "today": str(decision.chart.today),
        "panels": list(_panels(decision, language)),
        "treatments": list(_treatments(decision, language)),
        "due": list(_due(decision, language)),
    }


def _panels(decision: Decision, language: Language) -> Iterator[dict[str, Any]]:
    library = decision.library
    for concept in ANALYTES:
        results = [
            _result(m) for m in decision.chart.records.get(concept, ()) if isinstance(m, Measurement) and m.day is not None
        ]
        for scale in sorted({result["scale"] for result in results}):
            yield {
                "concept": concept,
                "title": library.title(concept, language),
                "unit": library.words[language].units.get(scale, scale),
                "results": sorted((result for result in results if result["scale"] == scale), key=itemgetter("day")),
                "thresholds": [
                    {
                        "kind": kind,
                        "name": name,
                        "value": library.number(name, decision.chart.today),
                        "means": library.parameters[name].meaning(language),
                        "mark": MARKS.get(library.parameters[name].checked, ""),
                    }
                    for kind, name in _THRESHOLDS.get((concept, scale), {}).items()
                ],
            }


def _result(result: Measurement) -> dict[str, Any]:
    """A result; `bound` says of a value that is only bounded on which side it lies."""
    value = result.value
    return {
        "day": str(result.day and result.day.first),
        "written": str(result.day),
        "scale": result.scale,
        "value": value.bound,
        "bound": None if value.exact is not None else "below" if math.isinf(value.low) else "above",
        "reported": result.reported,
        "name": result.name,
        "reference": result.reference,
    }


def _treatments(decision: Decision, language: Language) -> Iterator[dict[str, Any]]:
    words = decision.library.words[language]
    for concept in LANES:
        for taken in decision.chart.records.get(concept, ()):
            given = {
                "concept": concept,
                "title": decision.library.title(concept, language),
                "name": taken.name,
                "reference": taken.reference,
                "start": str(taken.day.first) if taken.day is not None else None,
            }
            if isinstance(taken, Medicine):
                yield {**given, **_taken(taken, words)}
            else:  # an injection that was given on that day
                yield {**given, "end": given["start"], "current": False, "route": None, "dose": None, "dosage": ""}


def _taken(medicine: Medicine, words: StandingWords) -> dict[str, Any]:
    """How a medicine is taken: `end` None where it goes on, or nobody recorded it; the dose of B12 as far as it could be read."""
    injected = is_parenteral(medicine)
    doses = [dose_ug(medicine, dosage, "b12") for dosage in medicine.dosages] if injected else []
    amount = next(iter(doses), None) if injected else nutrient_ug_per_day(medicine, "b12")
    unit = words.units["ug/{injection}" if injected else "ug/d"]
    return {
        "end": str(medicine.end.last) if medicine.end is not None and not medicine.current else None,
        "current": medicine.current,
        "route": words.routes.get(medicine.route, medicine.route) if medicine.route is not None else None,
        "dose": f"{amount:,.10g} {unit}" if amount is not None else None,
        "dosage": "; ".join(dosage.text for dosage in medicine.dosages if dosage.text),
    }


def _due(decision: Decision, language: Language) -> Iterator[dict[str, Any]]:
    """What the follow-up says is due; other tests that cards propose; and the review of the first course that is proposed."""
    library, day, said = decision.library, decision.chart.today, set[str]()
    for item in decision["follow_up_items"] or ():
        if item.state in ("current", "due", "overdue") and item.last is not None and item.last.day is not None:
            interval = "balp_ctx_interval_days" if item.name in ("balp", "ctx") else "followup_interval_days"
            on = item.last.day.first + timedelta(days=float(library.number(interval, day)))
            what = library.labels["follow_up_item"][item.name][language]
            said.add(item.last.concept)
            yield {"what": what, "concept": item.last.concept, "on": str(on), "state": item.state}
    for analyte in dict.fromkeys(_tests(decision)):
        if analyte not in said:
            yield {"what": library.title(analyte, language), "concept": analyte, "on": str(day), "state": "now"}
    review = next(_reviews(decision), None)
    for analyte in review.analytes if review is not None else ():
        yield {"what": library.title(analyte, language), "concept": analyte, "on": str(review and review.on), "state": "proposed"}


def _tests(decision: Decision) -> Iterator[str]:
    """The analytes that cards propose to measure now."""
    for statement in decision.statements:
        for action in statement.advice.actions:
            if isinstance(action, OrderTests) and action.on is None:
                yield from action.analytes


def _reviews(decision: Decision) -> Iterator[OrderTests]:
    for statement in decision.statements:
        for action in statement.advice.actions:
            if isinstance(action, StartB12) and action.review is not None:
                yield action.review
