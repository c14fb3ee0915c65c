"""A code that its system would not write is refused."""

from __future__ import annotations

import pytest

from cds.codes import SYSTEMS, normal_form


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("loinc", "2132-9"), ("loinc", "14685-2"), ("sct", "64859006"), ("sct", "11311601000119109"), ("rxnorm", "11248"),
        ("atc", "B03BA01"), ("atc", "A02BD"), ("icd10cm", "M81.0"), ("icd10cm", "K31.A"), ("icd10", "D51"), ("cpt", "43644"),
        ("v3route", "PO"), ("loincanswer", "LA6576-8"), ("interpretation", "POS"),
    ],
)  # fmt: skip
def test_accepts_its_own(system: str, code: str) -> None:
    assert SYSTEMS[system].accepts(code)


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("loinc", "2132-8"), ("loinc", "14685-0"), ("loinc", "21329"), ("sct", "64859007"), ("sct", "6485"), ("rxnorm", "x1"),
        ("atc", "B3BA01"), ("icd10cm", "M8"), ("icd10", "D510"), ("cpt", "4364"), ("v3route", "po"),
    ],
)  # fmt: skip
def test_refuses_slips_of_the_pen(system: str, code: str) -> None:
    assert not SYSTEMS[system].accepts(code)


@pytest.mark.parametrize(
    ("code", "parts"),
    [("D51.0", ("D510",)), ("d51.000x001", ("D51000X001",)), ("E53.801+G32.0*", ("E53801", "G320")), ("M81.900", ("M81900",))],
)
def test_hierarchical_codes_have_a_normal_form(code: str, parts: tuple[str, ...]) -> None:
    assert normal_form(code) == parts
