"""Units as laboratories write them; nothing else is understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.content import Library
from cds.units import Unit, UnitTable


@pytest.mark.parametrize(
    ("analyte", "text", "scale", "factor"),
    [
        ("b12_total", "pg/mL", "pg/mL", 1), ("b12_total", "PG/ML", "pg/mL", 1), ("b12_total", "pg / ml", "pg/mL", 1),
        ("b12_total", "ｐｇ／ｍＬ", "pg/mL", 1), ("b12_total", "ng/L", "pg/mL", 1), ("b12_total", "pmol/l", "pmol/L", 1),
        ("b12_total", "pM", "pmol/L", 1), ("b12_total", "nmol/L", "pmol/L", 1000), ("b12_total", "ng/mL", "pg/mL", 1000),
        ("b12_total", "µg/L", "pg/mL", 1000), ("b12_total", "μg/L", "pg/mL", 1000), ("b12_total", "mcg/L", "pg/mL", 1000),
        ("mma", "nmol/L", "umol/L", 0.001), ("mma", "µmol/L", "umol/L", 1), ("homocysteine", "μmol/L", "umol/L", 1),
        ("homocysteine", "UMOL/L", "umol/L", 1), ("homocysteine", "mcmol/L", "umol/L", 1), ("homocysteine", "mg/L", "umol/L", 7.39754),
        ("homocysteine", "微摩尔/升", "umol/L", 1), ("folate", "nmol/L", "ng/mL", 0.4414), ("haemoglobin", "g/dL", "g/L", 10),
        ("haemoglobin", "G/DL", "g/L", 10), ("haemoglobin", "mmol/L", "g/L", 16.1145), ("platelets", "×10⁹/L", "10*9/L", 1),
        ("platelets", "K/uL", "10*9/L", 1), ("platelets", "/uL", "10*9/L", 0.001), ("potassium", "mEq/L", "mmol/L", 1),
        ("egfr", "mL/min/1.73 m²", "mL/min/{1.73_m2}", 1), ("egfr", "mL/(min·1.73m²)", "mL/min/{1.73_m2}", 1),
    ],
)  # fmt: skip
def test_understands(library: Library, analyte: str, text: str, scale: str, factor: float) -> None:
    unit = library.units[analyte].find(text)
    assert unit is not None
    assert (unit.scale, unit.factor) == (scale, factor)


@pytest.mark.parametrize(
    ("analyte", "text"),
    [
        ("b12_total", ""), ("b12_total", "IU/L"), ("b12_total", "mg/dL"), ("b12_total", "Pmol/L"), ("b12_active", "pg/mL"),
        ("homocysteine", "Mmol/L"), ("homocysteine", "mmol/L"), ("haemoglobin", "%"), ("platelets", "g/L"), ("potassium", "mg/dL"),
    ],
)  # fmt: skip
def test_does_not_guess(library: Library, analyte: str, text: str) -> None:
    assert library.units[analyte].find(text) is None


def test_conversion_makes_no_false_decimals(library: Library) -> None:
    unit = library.units["b12_total"].find("ng/mL")
    assert unit is not None
    assert unit.in_scale(0.35) == 350


def test_one_spelling_cannot_mean_two_units() -> None:
    with pytest.raises(ValueError, match="'mg/L' would mean both g/L and mg/L"):
        UnitTable([(Unit("g/L", "g/L", 1), ["mg/L"]), (Unit("mg/L", "g/L", 0.001), [])])


@given(text=st.text(max_size=30))
def test_any_text_is_a_unit_or_none(library: Library, text: str) -> None:
    for table in library.units.values():
        table.find(text)
