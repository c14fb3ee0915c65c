"""Source attributes: which data about people each rule uses is read off the code, and the prose names things that exist."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds.attributes import asked_of, origin, stands_on, uses
from cds.chart import Patient
from cds.content import Library
from cds.signoff import check


ELEMENTS = [
    "race",
    "ethnicity",
    "language",
    "sexual_orientation",
    "gender_identity",
    "sex",
    "date_of_birth",
    "social_determinants_of_health",
    "health_status_assessments",
]


def test_every_element_of_the_regulation_is_disclosed(library: Library) -> None:
    assert list(library.attributes.elements) == ELEMENTS
    assert library.attributes.regulation == "45 CFR 170.315(b)(11)(iv)(A)"


def test_sex_and_birth_date_are_used_where_the_scope_is_decided(library: Library) -> None:
    assert set(uses(library, "sex", ["b12_unit_error"])) == {"pregnancy_possible", "old_enough_to_be_at_risk"}
    assert "age_years" in uses(library, "date_of_birth", ["b12_unit_error"])
    assert uses(library, "race", library.rules) == ()


def test_health_status_is_told_by_value_sets(library: Library) -> None:
    assert "current_pregnancy_status" in uses(library, "health_status_assessments", library.rules)


def test_a_rule_stands_on_its_scope_too(library: Library) -> None:
    assert {"scope", "age_years", "b12_unit_error"} <= stands_on(library, "b12_unit_error")


def test_every_fact_that_reads_the_patient_is_seen_to(library: Library) -> None:
    readers = [step for step in library.graph.steps if "patient" in library.graph.inputs(step.name)]
    assert readers
    for step in readers:
        assert asked_of(step.function.__code__), f"{step.name} hands the patient on: what it reads cannot be told"


def test_what_a_function_asks_of_a_patient_is_found_inside_it() -> None:
    def fact(patient: Patient, ages: tuple[int, ...]) -> list[Any]:
        return [(lambda: patient.gender) for _ in ages] + [patient.birth]

    assert asked_of(fact.__code__) == {"gender", "birth"}


def test_the_origin_cites_words_before_numbers(library: Library) -> None:
    source = origin(library, ["referral"])
    said = [cite for advice in library.rules["referral"].advice.values() for cite in advice.cite]
    assert source.cited[: len(set(said))] == tuple(dict.fromkeys(said))
    below = stands_on(library, "referral")
    assert source.revised == max(number.checked_on for name, number in library.parameters.items() if name in below)


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"patient": ("shoe_size",)}, r"attributes.yaml, sex: 'shoe_size' is no attribute of a patient"),
        ({"value_sets": ("shoes",)}, r"attributes.yaml, sex: 'shoes' is no value set"),
    ],
)
def test_prose_that_names_nothing_stops_the_start(library: Library, update: dict[str, Any], message: str) -> None:
    elements = {**library.attributes.elements, "sex": library.attributes.elements["sex"].model_copy(update=update)}
    with pytest.raises(ValueError, match=message):
        check(replace(library, attributes=library.attributes.model_copy(update={"elements": elements})))
