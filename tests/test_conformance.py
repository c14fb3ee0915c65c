"""Every requirement is tested, argued or open, and the page says so."""

from __future__ import annotations

import pytest

from tests import conformance
from tests.conformance import Row, faults, ids, page, status


TEST = [(conformance.ROWS, "test_JSON_01_x")]


def test_every_row_has_a_test_or_a_reason_and_every_test_a_row() -> None:
    assert list(faults()) == []


def test_the_page_is_what_the_rows_and_tests_say() -> None:
    assert conformance.PAGE.read_text(encoding="utf-8") == page(), "write it: python -m tests.conformance"


@pytest.mark.parametrize(
    ("name", "carried"),
    [
        ("test_JSON_12_CALL_17_ERR_09_10_what_comes", ["JSON-12", "CALL-17", "ERR-09", "ERR-10"]),
        ("test_SEC_25_to_28_and_35_times_and_12_more", ["SEC-25", "SEC-26", "SEC-27", "SEC-28", "SEC-35"]),
        ("check_RESP_04_fewer_than_140", ["RESP-04"]),
        ("test_VAL_25", ["VAL-25"]),
        ("test_what_VAL_25_asks", []),
        ("test_of_DSTU2", []),
    ],
)
def test_ids_stand_at_the_start_of_a_name(name: str, carried: list[str]) -> None:
    assert list(ids(name)) == carried


@pytest.mark.parametrize(
    ("marks", "tested"),
    [
        ({}, False),
        ({"argued": "x"}, True),
        ({"open": "x"}, True),
        ({"argued": "x", "open": "x"}, False),
        ({"without": "x"}, False),
    ],
)
def test_a_row_is_tested_or_argued_or_open(marks: dict[str, str], tested: bool) -> None:
    with pytest.raises(ValueError, match=r"a row has|only what is tested"):
        status(Row("SHALL", [1], "x", **marks), TEST if tested else [])


def test_faults_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "shown", lambda: {"JSON-99": TEST})
    monkeypatch.setattr(conformance, "rows", lambda: {"X-01": Row("SHALL", [1], "x")})
    unknown, area, bare = faults()
    assert unknown.startswith("JSON-99 is no row")
    assert area == "X-01: no area of that name"
    assert bare.startswith("X-01: a row has tests")
