"""Results as laboratories and interfaces really send them: what is read, what is not, and what is said about it."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cds.chart import Chart, Measurement
from cds.signed import Language
from hooks.cards import TELLING
from hooks.fhir.local import STANDARD, Local
from hooks.fhir.quantities import in_words
from hooks.fhir.questions import Questions
from tests.hooks.test_reader import B12, LOINC, PG, chart, notes, observed, results
from tests.patients import TODAY, answered, bundle, library, request


UCUM = "http://unitsofmeasure.org"
HIS = "http://his.example.cn/item"


def said(found: Chart, concept: str = "b12_total") -> tuple[list[str], list[str]]:
    """The results of an analyte as they are shown, and the keys of the notes."""
    return results(found, concept), notes(found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (">2000 pg/mL", ">2,000 pg/mL"),
        ("＞２０００ pg/mL", ">2,000 pg/mL"),
        ("＞２０００ｐｇ／ｍＬ", ">2,000 pg/mL"),
        ("≥2000 pg/mL", ">=2,000 pg/mL"),
        ("=> 2000 pg/mL", ">=2,000 pg/mL"),
        ("&lt;150 pg/mL", "<150 pg/mL"),
        ("&lt;= 150 pg/mL", "<=150 pg/mL"),
        ("less than 150 pg/mL", "<150 pg/mL"),
        ("Greater than 2000 pg/mL", ">2,000 pg/mL"),
        ("小于150pg/mL", "<150 pg/mL"),
        ("大于 2000 pg/mL", ">2,000 pg/mL"),
        ("=148 pg/mL", "148 pg/mL"),
        ("148pg/mL", "148 pg/mL"),
        ("148 pg/mL (L)", "148 pg/mL"),
        ("148 (L) pg/mL", "148 pg/mL"),
        ("148 [Low] pg/mL", "148 pg/mL"),
        ("148↓ pg/mL", "148 pg/mL"),
        ("148 pg/mL ↓", "148 pg/mL"),
        ("148 * pg/mL", "148 pg/mL"),
        ("148 pg/mL(偏低)", "148 pg/mL"),
        ("148 pg / mL", "148 pg / mL"),
        ("0.148 ng/mL", "0.148 ng/mL"),
        ("132,5 pg/mL", "132.5 pg/mL"),
        ("0,148 ng/mL", "0.148 ng/mL"),
        ("1.234,5 pg/mL", "1,234.5 pg/mL"),
        ("1,234.5 pg/mL", "1,234.5 pg/mL"),
        ("1234,567 pg/mL", "1,234.567 pg/mL"),
    ],
)
def test_a_number_in_words_is_a_result(text: str, shown: str) -> None:
    for members in ({"valueString": text}, {"valueCodeableConcept": {"text": text}}):
        assert said(chart(observed(**members))) == ([shown], [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("148 (L)", "unit_missing"),
        (">2000", "unit_missing"),
        ("＞２０００", "unit_missing"),
        ("148 L", "unit"),
        ("148 repeat tomorrow", "unit"),
        ("1,234 pg/mL", "ambiguous"),
        ("> 2,000 pg/mL", "ambiguous"),
        ("148-190 pg/mL", "no_value"),
        ("148 - 190 pg/mL", "no_value"),
        ("1.2.3 pg/mL", "no_value"),
        ("1,2,3 pg/mL", "no_value"),
        ("~148 pg/mL", "no_value"),
        ("-148 pg/mL", "no_value"),
        ("2 000 pg/mL", "no_value"),
        ("148² pg/mL", "no_value"),
        ("①148 pg/mL", "no_value"),
        ("不大于150 pg/mL", "no_value"),
        ("148 and the sample was drawn from the other arm", "no_value"),
        ("148" + " " * 300 + "pg/mL", "no_value"),
        ("See note", "no_value"),
        ("QNS", "no_value"),
        (r"{\rtf1 148}", "no_value"),
        ("", "no_value"),
    ],
)
def test_words_that_are_no_result_are_named(text: str, why: str) -> None:
    assert said(chart(observed(valueString=text))) == ([], [why])


def test_numbers_in_thousands_and_millions() -> None:
    read = [in_words(text).value for text in ("1,234,567", "1.234.567", "1,234,567.8", "12.345,6", "0,150", "1,50")]
    assert read == [1234567, 1234567, 1234567.8, 12345.6, 0.15, 1.5]


@pytest.mark.parametrize(
    ("quantity", "shown", "why"),
    [
        ({"value": "148", "unit": "pg/mL"}, ["148 pg/mL"], []),
        ({"value": ">2000", "unit": "pg/mL"}, [">2,000 pg/mL"], []),
        ({"value": "132,5", "unit": "pg/mL"}, ["132.5 pg/mL"], []),
        ({"value": "1,234", "unit": "pg/mL"}, [], ["ambiguous"]),
        ({"value": ">2000", "comparator": "<", "unit": "pg/mL"}, [], ["no_value"]),
        ({"value": "148 pg/mL", "unit": "pmol/L"}, [], ["no_value"]),
        ({"value": 150, "comparator": "&lt;", "unit": "pg/mL"}, ["<150 pg/mL"], []),
        ({"value": 150, "comparator": "≤", "unit": "pg/mL"}, ["<=150 pg/mL"], []),
        ({"value": 150, "comparator": "=", "unit": "pg/mL"}, ["150 pg/mL"], []),
        ({"value": 150, "comparator": "", "unit": "pg/mL"}, ["150 pg/mL"], []),
        ({"value": 150, "comparator": "ad", "unit": "pg/mL"}, [], ["comparator"]),
        ({"value": 150, "comparator": "<>", "unit": "pg/mL"}, [], ["comparator"]),
        ({"value": 150, "comparator": ["<"], "unit": "pg/mL"}, [], ["comparator"]),
        ({"value": 150, "unit": None, "system": UCUM, "code": "pg/mL"}, ["150 pg/mL"], []),
        ({"value": 150, "unit": "picogram per mL", "system": UCUM, "code": "pg/mL"}, ["150 pg/mL"], []),
        ({"value": 150, "unit": "pg/mL", "system": UCUM, "_code": {"extension": []}}, ["150 pg/mL"], []),
        ({"value": 150, "unit": "pg/mL", "system": "urn:oid:2.16.840.1.113883.6.8", "code": "ng/L"}, ["150 pg/mL"], []),
        ({"value": 150, "unit": "77", "system": "urn:local", "code": "pg/mL"}, [], ["unit"]),
        ({"value": 150, "unit": " PG/ML "}, ["150 PG/ML"], []),
        ({"value": 150, "unit": "ｐｇ／ｍＬ"}, ["150 ｐｇ／ｍＬ"], []),
        ({"value": 0.15, "unit": "µg/L"}, ["0.15 µg/L"], []),
        ({"value": 0.15, "unit": "μg/L"}, ["0.15 μg/L"], []),
        ({"value": 150, "unit": "x" * 5000}, [], ["unit"]),
        ([{"value": 150, "unit": "pg/mL"}], [], ["no_value"]),
        (150, [], ["no_value"]),
        (None, [], ["no_value"]),
    ],
)
def test_quantities(quantity: Any, shown: list[str], why: list[str]) -> None:
    assert said(chart(observed(valueQuantity=quantity))) == (shown, why)


def test_what_is_quoted_is_not_endless() -> None:
    (note,) = (note for note in chart(observed(valueQuantity={"value": 150, "unit": "x" * 5000})).notes if note.key == "unit")
    assert len(note.detail) == 80


@pytest.mark.parametrize(
    ("members", "why", "detail"),
    [
        ({"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}, "absent", "not-performed"),
        ({"dataAbsentReason": {"text": "Sample lost"}}, "absent", "sample lost"),
        ({"interpretation": [{"coding": [{"code": "L", "display": "Low"}]}]}, "interpreted", "Low"),
        ({"interpretation": {"coding": [{"code": "L"}]}}, "interpreted", "l"),
        ({"valueAttachment": {"url": "x"}}, "no_value", ""),
        ({"valueRange": {"low": {"value": 140}, "high": {"value": 150}}}, "no_value", ""),
        ({"valueReference": {"reference": "MolecularSequence/1"}}, "no_value", ""),
    ],
)
def test_a_result_without_a_number_says_why(members: dict[str, Any], why: str, detail: str) -> None:
    found = chart(observed(**members))
    assert [(note.key, note.detail) for note in found.notes if note.concept] == [(why, detail)]


@pytest.mark.parametrize(
    "code",
    [
        {"coding": [{"system": LOINC, "code": "2132-9"}]},
        {"coding": [{"system": LOINC, "code": "2132-9"}, {"system": "urn:local", "code": "1"}]},
        {"coding": {"system": LOINC, "code": "2132-9"}},
        {"system": LOINC, "code": "2132-9"},
        [{"system": LOINC, "code": "2132-9"}],
        [{"coding": [{"system": LOINC, "code": "2132-9"}]}],
        [{"coding": [{"system": "urn:local", "code": "1"}]}, {"coding": [{"system": LOINC, "code": "2132-9"}]}],
        [{"coding": [{"system": "urn:local", "code": "1"}]}, {"text": "Vitamin B12"}],
        {"text": "Vitamin B12"},
        "Vitamin B12",
        "维生素B12",
    ],
)
def test_the_code_in_whatever_shape(code: Any) -> None:
    assert said(chart(observed(code=code, valueQuantity=PG))) == (["142 pg/mL"], [])


@pytest.mark.parametrize("category", [{"coding": [{"code": "laboratory"}]}, [{"coding": [{"code": "laboratory"}]}], "laboratory"])
def test_the_category_does_not_matter(category: Any) -> None:
    assert said(chart(observed(category=category, valueQuantity=PG))) == (["142 pg/mL"], [])


@pytest.mark.parametrize(
    ("code", "unit", "value", "why"),
    [
        ("2132-9", "pg/mL", 142, []),
        ("14685-2", "pmol/L", 142, []),
        ("2132-9", "pmol/L", 142, ["unit_class"]),
        ("14685-2", "pg/mL", 142, ["unit_class"]),
    ],
)
def test_the_unit_wins_over_the_class_of_the_code_and_says_so(code: str, unit: str, value: float, why: list[str]) -> None:
    found = chart(observed(code={"coding": [{"system": LOINC, "code": code}]}, valueQuantity={"value": value, "unit": unit}))
    assert said(found) == ([f"142 {unit}"], why)


def test_codes_of_both_classes_contradict_no_unit() -> None:
    both = {"coding": [{"system": LOINC, "code": "2132-9"}, {"system": LOINC, "code": "14685-2"}]}
    assert said(chart(observed(code=both, valueQuantity={"value": 142, "unit": "pmol/L"}))) == (["142 pmol/L"], [])


def test_what_codes_mean_is_remembered_within_bounds() -> None:
    questions = Questions(library(), STANDARD)
    for item in range(5000):
        assert questions.of(f'{{"text": "B12 {item}"}}'.encode()).asked
    long = {"text": "Vitamin B12", "coding": [{"system": "urn:local", "code": str(item)} for item in range(200)]}
    assert questions.of(json.dumps(long).encode()).asked == questions.of(json.dumps(long).encode()).asked != ()
    assert len(questions._known) < 4096


LOCAL = Local(
    codes={(HIS, "B12"): "b12_total", (HIS, "FOL"): "folate", (HIS, "PPI"): "ppi"},
    units={"b12_total": {"": "pg/mL", "pg": "pg/mL", "77": "pmol/L", "ng/L": "pmol/L"}},
)


@pytest.mark.parametrize(
    ("members", "shown", "why"),
    [
        ({"code": {"coding": [{"system": HIS, "code": "B12"}]}, "valueQuantity": PG}, ["142 pg/mL"], []),
        ({"code": {"coding": [{"system": HIS, "code": "FOL"}, *B12["code"]["coding"]]}, "valueQuantity": PG}, [], ["unit"]),
        ({"code": {"coding": [{"system": HIS, "code": "PPI"}]}, "valueQuantity": PG}, [], []),
        ({"code": {"coding": [{"system": HIS, "code": "?"}]}, "valueQuantity": PG}, [], []),
        ({"code": {"coding": [{"system": "", "code": "B12"}]}, "valueQuantity": PG}, [], []),
        ({"valueQuantity": {"value": 142}}, ["142 pg/mL"], []),
        ({"valueString": "148 (L)"}, ["148 pg/mL"], []),
        ({"valueQuantity": {"value": 142, "unit": "pg"}}, ["142 pg/mL"], []),
        ({"valueQuantity": {"value": 142, "unit": "U", "code": "77"}}, ["142 pmol/L"], ["unit_class"]),
        ({"valueQuantity": {"value": 142, "unit": "ng/L"}}, ["142 pmol/L"], ["unit_class"]),
        ({"valueQuantity": {"value": 142, "unit": "pg", "code": "pmol/L"}}, [], ["unit_conflict"]),
        ({"valueQuantity": {"value": 142, "unit": "U/L"}}, [], ["unit"]),
    ],
)
def test_what_a_client_has_agreed_on(members: dict[str, Any], shown: list[str], why: list[str]) -> None:
    assert said(chart(observed(**members), local=LOCAL)) == (shown, why)


SHANGHAI = Local(zone=ZoneInfo("Asia/Shanghai"))
TIMING = {"event": ["2026-10-01", "2026-10-04"]}


@pytest.mark.parametrize(
    ("members", "written", "there"),
    [
        ({"effectiveDateTime": "2026-10-01T20:00:00Z"}, "2026-10-01", "2026-10-02"),
        ({"effectiveDateTime": "2026-10-01T20:00Z"}, "2026-10-01", "2026-10-02"),
        ({"effectiveDateTime": "2026-10-02T01:00:00+09:00"}, "2026-10-02", "2026-10-02"),
        ({"effectiveDateTime": "2026-10-02T00:30:00+09:00"}, "2026-10-02", "2026-10-01"),
        ({"effectiveDateTime": "2026-10-01T12:30:00.123-0500"}, "2026-10-01", "2026-10-02"),
        ({"effectiveDateTime": "2026-10-01T23:59:60Z"}, "2026-10-01", "2026-10-02"),
        ({"effectiveDateTime": "2026-10-01T24:00:00+08:00"}, "2026-10-01", "2026-10-01"),
        ({"effectiveDateTime": "2026-10-01T23:00:00"}, "2026-10-01", "2026-10-01"),
        ({"effectiveDateTime": "2026-10-01 23:00"}, "2026-10-01", "2026-10-01"),
        ({"effectiveDateTime": "2026-10-01T23:77Z"}, "2026-10-01", "2026-10-01"),
        ({"effectiveDateTime": "2026-10-01T23:00+99:00"}, "2026-10-01", "2026-10-01"),
        ({"effectiveDateTime": "2026-10-01T"}, "2026-10-01", "2026-10-01"),
        ({"effectiveDateTime": "2026-10"}, "2026-10", "2026-10"),
        ({"effectiveDateTime": "2026"}, "2026", "2026"),
        ({"effectiveInstant": "2026-10-01T20:00:00Z"}, "2026-10-01", "2026-10-02"),
        ({"effectivePeriod": {"end": "2026-10-01T20:00:00Z"}}, "2026-10-01", "2026-10-02"),
        ({"effectiveTiming": TIMING}, "2026-10-04", "2026-10-04"),
        ({"effectiveTiming": {"event": []}, "effectiveInstant": "2026-10-01"}, "2026-10-01", "2026-10-01"),
        ({"effectiveTiming": {"repeat": {"boundsPeriod": {"end": "2026-10-05"}}}}, "2026-10-05", "2026-10-05"),
    ],
)
def test_the_day_as_written_and_where_the_client_is(members: dict[str, Any], written: str, there: str) -> None:
    result = observed(**{"effectiveDateTime": ..., **members}, valueQuantity=PG)
    assert [str(chart(result).records["b12_total"][0].day), str(chart(result, local=SHANGHAI).records["b12_total"][0].day)] == [
        written,
        there,
    ]


@pytest.mark.parametrize(
    ("members", "day", "why"),
    [
        ({"issued": "2026-10-02T20:00:00Z"}, "2026-10-02", ["date_issued"]),
        ({"effectiveDateTime": "0202-11-01", "issued": "2026-10-02"}, "2026-10-02", ["date_issued"]),
        ({"effectiveDateTime": "9999-12-31"}, "None", ["undated"]),
        ({"effectiveDateTime": "0001-01-01"}, "None", ["undated"]),
        ({"effectiveDateTime": "2026-02-30"}, "None", ["undated"]),
        ({"effectiveDateTime": "01.10.2026"}, "None", ["undated"]),
        ({"effectiveTiming": {"code": {"text": "morning"}}}, "None", ["undated"]),
    ],
)
def test_a_day_that_is_second_best_or_none(members: dict[str, Any], day: str, why: list[str]) -> None:
    found = chart(observed(**{"effectiveDateTime": ..., **members}, valueQuantity=PG))
    assert (str(found.records["b12_total"][0].day), notes(found)) == (day, why)


def test_an_answer_dated_ahead_is_none_yet() -> None:
    antibody = {"coding": [{"system": LOINC, "code": "31444-3"}]}
    found = chart(observed(code=antibody, valueString="positive", effectiveDateTime="2027-01-01"))
    assert (found.records, notes(found)) == ({}, ["future"])


@pytest.mark.parametrize(
    "status", ["registered", "preliminary", "cancelled", "entered-in-error", "unknown", "partial", "", None, 5]
)
def test_only_final_amended_and_corrected_results_count(status: Any) -> None:
    assert said(chart(observed(status=status, valueQuantity=PG))) == ([], ["status"])


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "FINAL", "corrected ", {"coding": [{"code": "final"}]}])
def test_which_results_count(status: Any) -> None:
    assert said(chart(observed(status=status, valueQuantity=PG))) == (["142 pg/mL"], [])


def test_what_no_rule_reads_leaves_no_trace_whatever_its_status() -> None:
    assert said(chart(observed(code={"text": "Sodium"}, status="unknown"))) == ([], [])


MORNING = {"effectiveDateTime": "2026-11-01T08:00:00Z"}
ACCESSION = {"identifier": [{"system": "urn:lab", "value": "A-17"}]}
NUMBER = {"identifier": {"value": "A-17"}}


def version(value: float, **members: Any) -> dict[str, Any]:
    return observed(**{"id": f"v{value}", "valueQuantity": {**PG, "value": value}, **members})


@pytest.mark.parametrize(
    ("first", "second", "left", "why"),
    [
        # one and the same result by its accession number
        (version(100, **ACCESSION), version(200, **ACCESSION, status="corrected"), [200], ["superseded"]),
        (version(100, **NUMBER), version(200, **NUMBER, status="amended"), [200], ["superseded"]),
        (version(100, **NUMBER), version(200, **ACCESSION, status="amended"), [200, 100], []),
        (version(100, **ACCESSION), version(200, **ACCESSION), [200, 100], []),
        (version(100, **ACCESSION), version(200, **ACCESSION, status="corrected", valueQuantity={"value": 200}), [], ["superseded", "unit_missing"]),
        # by its id
        (version(100), {**version(200, status="corrected"), "id": "v100"}, [200], ["superseded"]),
        # by the very time of the sample; a day has room for two
        (version(100, **MORNING), version(200, **MORNING, status="corrected"), [200], ["superseded"]),
        (version(100, **MORNING), version(200, effectiveDateTime="2026-11-01T10:00:00+02:00", status="corrected"), [200], ["superseded"]),
        (version(100, effectiveDateTime="2026-11-01T8h"), version(200, effectiveDateTime="2026-11-01T8h", status="corrected"), [200], ["superseded"]),
        # of a standing order all samples have one number
        (version(100, **ACCESSION, **MORNING), version(200, **ACCESSION, effectiveDateTime="2026-11-19", status="cancelled"), [100], ["status"]),
        (version(100), version(200, status="corrected"), [200, 100], []),
        (version(100, **MORNING), version(200, **MORNING), [200, 100], []),
        # a correction of a correction must be the later one
        (version(100, **ACCESSION, status="corrected", issued="2026-11-02T08:00:00Z"),
         version(200, **ACCESSION, status="corrected", issued="2026-11-03T08:00:00+08:00"), [200], ["superseded"]),
        (version(100, **ACCESSION, status="corrected"), version(200, **ACCESSION, status="corrected"), [200, 100], []),
        (version(100, **ACCESSION, status="corrected", issued="2026-11-02T08:00:00"),
         version(200, **ACCESSION, status="corrected", issued="2026-11-03T08:00:00"), [200, 100], []),
        (version(100, **ACCESSION), version(200, identifier=[{"system": "urn:lab"}, *ACCESSION["identifier"]], status="corrected"),
         [200], ["superseded"]),
        (version(100, **MORNING), version(200, **MORNING, id=..., status="corrected"), [200], ["superseded"]),
        # another analyte of the same accession is another result
        (version(100, **ACCESSION), version(9, **ACCESSION, status="corrected", code={"text": "Folate"},
                                            valueQuantity={"value": 9, "unit": "ng/mL"}), [100], []),
        # DSTU2 and STU3 say what replaces what
        (version(100), version(200, related=[{"type": "replaces", "target": {"reference": "Observation/v100"}}]), [200], ["superseded"]),
        (version(100), version(200, related=[{"type": "replaces"}]), [200, 100], []),
        (version(100), version(200, related={"type": "sequel-to", "target": {"reference": "Observation/v100"}}), [200, 100], []),
        # cancelled or withdrawn
        (version(100, **ACCESSION), version(200, **ACCESSION, status="cancelled"), [], ["status", "withdrawn"]),
        (version(100), {**version(200, status="entered-in-error"), "id": "v100"}, [], ["status", "withdrawn"]),
        (version(100, **MORNING), version(200, **MORNING, status="entered-in-error"), [100], ["status"]),
        (version(100, **ACCESSION, issued="2026-11-03T08:00:00Z"),
         version(200, **ACCESSION, status="entered-in-error", issued="2026-11-02T08:00:00Z"), [100], ["status"]),
        (version(100, **ACCESSION, issued="2026-11-02T08:00:00Z"),
         version(200, **ACCESSION, status="entered-in-error", issued="2026-11-03T08:00:00Z"), [], ["status", "withdrawn"]),
        (version(100, **ACCESSION, status="corrected", issued="2026-11-02T08:00:00Z"),
         version(200, **ACCESSION, status="cancelled", issued="soon"), [], ["status", "withdrawn"]),
    ],
)  # fmt: skip
def test_later_versions(first: dict[str, Any], second: dict[str, Any], left: list[float], why: list[str]) -> None:
    for sent in ((first, second), (second, first)):
        found = chart(*sent)
        assert sorted(results(found), reverse=True) == [f"{value} pg/mL" for value in left]
        assert sorted(note for note in notes(found) if note != "same_id") == why


def test_a_correction_of_something_else_changes_nothing() -> None:
    found = chart(version(100), version(200, **ACCESSION, effectiveDateTime="2026-10-01", status="corrected"))
    assert said(found) == (["100 pg/mL", "200 pg/mL"], [])


def test_the_last_of_several_withdrawals_counts() -> None:
    def gone(day: int) -> dict[str, Any]:
        return version(day, **ACCESSION, status="entered-in-error", issued=f"2026-11-{day:02}T08:00:00Z")

    kept = version(100, **ACCESSION, issued="2026-11-05T08:00:00Z")
    assert results(chart(kept, gone(3), gone(4))) == ["100 pg/mL"]
    assert results(chart(kept, gone(6), gone(4))) == []
    never = version(9, **ACCESSION, status="entered-in-error")
    assert results(chart(kept, never, gone(4))) == []


@pytest.mark.parametrize(
    ("second", "counted", "why"),
    [
        ({}, 1, ["duplicate"]),
        ({"effectiveDateTime": "2026-11-01T09:00:00Z"}, 1, ["duplicate"]),
        ({"effectiveDateTime": "2026-10-31"}, 2, []),
        ({"valueQuantity": {**PG, "value": 143}}, 2, []),
        ({"valueQuantity": {**PG, "comparator": "<"}}, 2, []),
        ({"code": {**B12["code"], "text": "B12, outside laboratory"}}, 2, []),
    ],
)
def test_a_result_that_came_twice_counts_once(second: dict[str, Any], counted: int, why: list[str]) -> None:
    found = chart(observed(valueQuantity=PG), observed(**{"valueQuantity": PG, **second}, id="o2"))
    assert (len(results(found)), notes(found)) == (counted, why)


def test_undated_results_are_not_taken_for_one() -> None:
    found = chart(*(observed(id=name, valueQuantity=PG, effectiveDateTime=...) for name in "ab"))
    assert said(found) == (["142 pg/mL"] * 2, ["undated"] * 2)


def test_answers_that_came_twice_count_once() -> None:
    antibody = {"coding": [{"system": LOINC, "code": "31444-3"}]}
    found = chart(
        *(
            observed(id=name, code=antibody, valueString=said)
            for name, said in (("a", "positive"), ("b", "positive"), ("c", "negative"))
        )
    )
    assert (len(found.records["intrinsic_factor_antibody"]), notes(found)) == (2, ["duplicate"])


def member(*ids: str) -> list[dict[str, Any]]:
    return [{"reference": f"Observation/{name}"} for name in ids]


@pytest.mark.parametrize(
    ("panel", "shown", "why"),
    [
        ({"hasMember": member("m1")}, ["150 pg/mL"], []),
        ({"hasMember": member("m1", "m2")}, ["150 pg/mL"], ["members"]),
        ({"related": [{"type": "has-member", "target": {"reference": "Observation/m1"}}]}, ["150 pg/mL"], []),
        ({"related": {"type": "has-member", "target": {"reference": "urn:uuid:m1"}}}, ["150 pg/mL"], []),
        ({"related": {"type": "derived-from", "target": {"reference": "Observation/m1"}}}, ["150 pg/mL"], ["no_value"]),
        ({"component": [{**B12, "valueQuantity": {**PG, "value": 150}}]}, ["150 pg/mL"], ["duplicate"]),
        ({"component": [{**B12, "valueQuantity": {"value": 150}}]}, ["150 pg/mL"], ["unit_missing"]),
        ({"component": [{"code": {"text": "Volume"}, "valueQuantity": {"value": 5, "unit": "mL"}}]}, ["150 pg/mL"], ["no_value"]),
        (
            {
                "component": [{"code": {"text": "Folate"}, "valueQuantity": {"value": 5, "unit": "ng/mL"}}],
                "valueString": "142 pg/mL",
            },
            ["150 pg/mL", "142 pg/mL"],
            [],
        ),
        ({"component": [{"code": {"text": "Folate"}, "valueQuantity": {"value": 5, "unit": "ng/mL"}}]}, ["150 pg/mL"], []),
        ({"component": "none"}, ["150 pg/mL"], ["no_value"]),
        ({"hasMember": member("m1"), "valueQuantity": PG}, ["150 pg/mL", "142 pg/mL"], []),
        ({"hasMember": member("m1"), "valueString": "see members"}, ["150 pg/mL"], ["no_value"]),
        ({"hasMember": member("m1"), "valueCodeableConcept": {"text": "142 pg/mL"}}, ["150 pg/mL", "142 pg/mL"], []),
        ({"hasMember": member("m1"), "status": "preliminary"}, ["150 pg/mL"], ["status"]),
    ],
)
def test_a_panel_needs_no_value_of_its_own(panel: dict[str, Any], shown: list[str], why: list[str]) -> None:
    found = chart(observed(id="p", **panel), observed(id="m1", valueQuantity={**PG, "value": 150}))
    assert (sorted(results(found), reverse=True), notes(found)) == (shown, why)


def test_components_of_an_observation_without_a_name_are_read() -> None:
    found = chart(observed(code=..., component=[{**B12, "valueQuantity": PG}]))
    assert said(found) == (["142 pg/mL"], ["unnamed"])


def test_an_answer_that_is_missing_says_why() -> None:
    antibody = {"coding": [{"system": LOINC, "code": "31444-3"}]}
    found = chart(observed(code=antibody, dataAbsentReason={"coding": [{"code": "error"}]}))
    assert notes(found) == ["absent"]


def test_a_number_above_a_bound_limit_is_no_answer() -> None:
    antibody = {"coding": [{"system": LOINC, "code": "31444-3"}]}
    bound = {"value": 30, "unit": "U/mL", "comparator": "<"}
    found = chart(observed(code=antibody, valueQuantity=bound, referenceRange=[{"high": {"value": 20, "unit": "U/mL"}}]))
    assert notes(found) == ["answer"]


def test_results_of_nobody_are_read_and_named() -> None:
    assert said(chart(observed(subject=..., valueQuantity=PG))) == (["142 pg/mL"], ["no_subject"])


def test_old_units_are_converted_and_shown_as_they_came() -> None:
    (record,) = chart(observed(valueQuantity={"value": 0.35, "unit": "ng/mL"})).records["b12_total"]
    assert isinstance(record, Measurement)
    assert (record.value.exact, record.scale, record.reported) == (350, "pg/mL", "0.35 ng/mL")


def test_every_telling_note_has_words_and_quotes_harmlessly() -> None:
    for language in ("en", "zh-CN"):
        assert library().words[language].notes.keys() >= TELLING


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "- Vitamin B12 (total), Observation/a and 2 more: Not used: status unknown"),
        ("zh-CN", "- 总维生素B12（Observation/a及另外2项）：未采用：状态为不明"),
    ],
)
def test_notes_that_say_the_same_share_a_line_on_the_card(language: Language, line: str) -> None:
    body = request({"age": 72, "problems": ["osteoporosis"]})
    unused = [observed(id=name, status="unknown", valueQuantity=PG) for name in "abc"]
    body["prefetch"]["labs"] = bundle(unused)
    evaluation = answered(json.dumps(body), TODAY, language)
    assert line in evaluation.cards[0].detail.splitlines()
