"""How long a medicine is taken and how much of it, from what orders say of phases, supplies and odd numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds.chart import Medicine
from tests.hooks.test_reader import chart, medicine, notes, ordered
from tests.patients import TODAY, engine, request


def line(text: str = "1 tablet daily", sequence: int | None = None, **repeat: Any) -> dict[str, Any]:
    return {"text": text, "timing": {"repeat": repeat}} | ({"sequence": sequence} if sequence is not None else {})


def lasting(days: float, end: str = "", **more: Any) -> dict[str, Any]:
    duration = {"value": days, "unit": "days", "code": "d"}
    return {**({"boundsRange": {end: duration}} if end else {"boundsDuration": duration}), **more}


COUNTED: dict[str, Any] = {"frequency": 1, "period": 1, "periodUnit": "wk"}


def course(*lines: dict[str, Any], **members: Any) -> Medicine:
    return medicine(chart(ordered(dosageInstruction=list(lines), **{"authoredOn": "2026-11-01", **members})))


@pytest.mark.parametrize(
    ("lines", "doses", "end"),
    [
        ([line("2 tablets daily", **lasting(30))], ["2 tablets daily"], "2026-11-30"),
        ([line("2 tablets daily", **lasting(7)), line("1 tablet daily")], ["1 tablet daily"], None),
        ([line("1 tablet daily", 2), line("2 tablets daily", 1, **lasting(7))], ["1 tablet daily"], None),
        ([line("2 tablets daily", 1, **lasting(14)), line("1 tablet daily", 2, **lasting(14))], ["1 tablet daily"], "2026-11-28"),
        ([line("2 tablets daily", **lasting(7))], ["2 tablets daily"], "2026-11-07"),
        ([line("2 tablets daily", **lasting(-7))], ["2 tablets daily"], None),
        ([line("1 tablet daily", boundsDuration={"value": 2, "code": "moon"})], ["1 tablet daily"], None),
        ([line("1 tablet daily", **lasting(1e300))], ["1 tablet daily"], "2126-10-08"),
        ([line("2 tablets daily", boundsPeriod={"end": "2026-11-10"}), line("1 tablet daily")], ["1 tablet daily"], None),
        ([line("2 tablets daily", 1, **lasting(20)), line("1 tablet daily", 2)], ["1 tablet daily"], None),
        ([line("2 tablets daily", 1, **lasting(21)), line("1 tablet daily", 2)], ["2 tablets daily"], None),
        ([line("2 tablets daily", 1, boundsPeriod={"end": "2026-11-20"}), line("1 tablet daily", 2)], ["1 tablet daily"], None),
        ([line("2 tablets daily", boundsPeriod={"start": "2026-11-01", "end": "2026-11-10"}), line("1 tablet daily", boundsPeriod={"start": "2026-11-11"})], ["1 tablet daily"], None),
        ([line("2 tablets", **lasting(19, "high")), line("1 tablet daily")], ["1 tablet daily"], None),
        ([line("1 tablet", **COUNTED, count=4)], ["1 tablet"], "2026-11-28"),
        ([line("1 tablet", **COUNTED, count=2, countMax=5)], ["1 tablet"], "2026-12-05"),
        ([line("1 tablet", **COUNTED, count=0)], ["1 tablet"], None),
        ([line("1 tablet", count=3)], ["1 tablet"], None),
        ([line("2 tablets daily for 7 days", 1), line("1 tablet daily", 2)], ["1 tablet daily"], None),
        ([line("2 tablets weekly x2", 1), line("1 tablet monthly", 2)], ["1 tablet monthly"], None),
        ([line("2 tablets weekly x4", 1), line("1 tablet monthly", 2)], ["2 tablets weekly x4"], None),
        ([line("2 tablets for a while", 1), line("1 tablet monthly", 2)], ["2 tablets for a while", "1 tablet monthly"], None),
        ([line("1 tablet daily for 7 days", 1)], ["1 tablet daily for 7 days"], None),
    ],
)  # fmt: skip
def test_a_phase_that_is_over_is_no_part_of_the_dose(lines: list[dict[str, Any]], doses: list[str], end: str | None) -> None:
    found = course(*lines)
    assert [dosage.text for dosage in found.dosages] == doses
    assert (found.end and str(found.end)) == end
    assert found.current is (end is None or end > "2026-11-21")


def test_a_phase_that_has_not_begun_is_no_part_of_the_dose() -> None:
    phases = [line("2 tablets daily", 1, **lasting(14)), line("1 tablet daily", 2)]
    assert [dosage.text for dosage in course(*phases, authoredOn="2026-11-16").dosages] == ["2 tablets daily"]


@pytest.mark.parametrize("number", [1, None])
def test_lines_of_one_number_go_together(number: int | None) -> None:
    both = [line("1 tablet daily", number, **lasting(30)), line("1 tablet at night", number, **lasting(30))]
    assert [dosage.text for dosage in course(*both).dosages] == ["1 tablet daily", "1 tablet at night"]
    assert not course(*both, authoredOn="2026-10-07").current


def test_an_order_valid_beyond_today_that_has_ended_ended_nobody_knows_when() -> None:
    found = course(status="stopped", authoredOn="2026-01-01", dispenseRequest={"validityPeriod": {"end": "2027-01-01"}})
    assert (found.current, found.end) == (False, None)


def test_without_a_start_no_phase_is_known_to_be_over() -> None:
    assert [d.text for d in course(line("2 tablets daily", **lasting(7)), authoredOn=None).dosages] == ["2 tablets daily"]


@pytest.mark.parametrize(
    ("dispense", "end"),
    [
        ({"validityPeriod": {"start": "2026-01-01", "end": "2026-06-30"}}, "2026-06-30"),
        ({"validityPeriod": {}, "expectedSupplyDuration": {"value": 30, "code": "d"}}, "2026-01-31"),
        ({"expectedSupplyDuration": {"value": 30, "code": "d"}, "numberOfRepeatsAllowed": 2}, "2026-04-01"),
        ({"expectedSupplyDuration": {"value": 30, "code": "d"}, "numberOfRepeatsAllowed": -5}, "2026-01-31"),
        ({"numberOfRepeatsAllowed": 2}, None),
        ("30 days", None),
    ],
)
def test_an_order_that_has_ended_lasted_as_long_as_its_supplies(dispense: Any, end: str | None) -> None:
    found = course(status="completed", authoredOn="2026-01-01", dispenseRequest=dispense)
    assert (found.current, found.end and str(found.end)) == (False, end)


@pytest.mark.parametrize("status", ["in-progress", "taking", "unknown"])
def test_a_status_nobody_knows_counts_as_taken_and_is_told(status: str) -> None:
    found = chart(ordered(status=status))
    assert medicine(found).current
    assert notes(found) == ["status_unknown"]


@pytest.mark.parametrize(
    ("dosage", "amount", "per_day"),
    [
        ({"doseAndRate": [{"doseQuantity": {"value": -5000, "unit": "ug"}}], "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}, None, 1),
        ({"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}], "timing": {"repeat": {"frequency": -1, "period": 1, "periodUnit": "d"}}}, 1, None),
        ({"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}], "timing": {"repeat": {"frequency": 1e308, "period": 1, "periodUnit": "d"}}}, 1, None),
        ({"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}], "timing": {"repeat": {"frequency": 1, "period": 1e-323, "periodUnit": "s"}}}, 1, None),
    ],
)  # fmt: skip
def test_numbers_no_dose_can_have_are_unreadable(dosage: dict[str, Any], amount: float | None, per_day: float | None) -> None:
    (read,) = course(dosage).dosages
    assert (read.amount, read.per_day) == (amount, per_day)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"medicationCodeableConcept": None}, "unnamed"),
        ({"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/elsewhere"}}, "medication_absent"),
    ],
)
def test_a_medicine_that_nobody_names_may_be_any(members: dict[str, Any], why: str) -> None:
    body = request({"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]})
    body["prefetch"]["medications"]["entry"].append({"resource": ordered(**members)})
    decision = engine().evaluate(json.dumps(body).encode(), TODAY).decision
    assert [note.key for note in decision.chart.notes] == [why]
    assert decision["absorption"] == "unknown"
