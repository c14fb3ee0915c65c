"""Dates as precise as they were written."""

from __future__ import annotations

from datetime import date

import pytest

from cds.days import Day, on, parse_day, years_between


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-05-17", on(date(2024, 5, 17))),
        ("2024-05-17T08:00:00Z", on(date(2024, 5, 17))),
        ("2024-05-17T23:30:00-05:00", on(date(2024, 5, 17))),
        ("2024-05-17T10:00Z", on(date(2024, 5, 17))),
        ("2024-05-17 10:00", on(date(2024, 5, 17))),
        ("2024-05-17T10:00:00+0800", on(date(2024, 5, 17))),
        (" 2024-05-17 ", on(date(2024, 5, 17))),
        ("2024-02", Day(date(2024, 2, 1), date(2024, 2, 29))),
        ("2024", Day(date(2024, 1, 1), date(2024, 12, 31))),
        ("1850", Day(date(1850, 1, 1), date(1850, 12, 31))),
        ("2200-12-31", on(date(2200, 12, 31))),
    ],
)
def test_reads_what_ehrs_send(text: str, day: Day) -> None:
    assert parse_day(text) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "20240517",
        "2024-13",
        "2024-05-32",
        "2024-05-17x",
        "24-05-1700",
        "2024/05",
        "abcd",
        "0000",
        "1_23",
        "1849",
        "2201-01",
        "0001-01-01",
        "9999-12-31",
        "2024-1",
        "2024-1_",
        "+202",
        "２０２４",
        "2024-０５",
        "２０２４-05-17",
        "2024-05-１７",
        "2024-05-17\u20281",
        None,
        2024,
        ["2024"],
    ],
)
def test_reads_nothing_else(text: object) -> None:
    assert parse_day(text) is None


@pytest.mark.parametrize(("text", "shown"), [("2024-05-17", "2024-05-17"), ("2024-05", "2024-05"), ("2024", "2024")])
def test_shows_its_precision(text: str, shown: str) -> None:
    assert str(parse_day(text)) == shown


@pytest.mark.parametrize(
    ("birth", "age"), [("1950-11-21", 76), ("1950-11-22", 75), ("1950-12", 75), ("1950", 75), ("2026-11-21", 0), ("2027", -2)]
)
def test_age_is_the_lowest_a_birth_date_allows(birth: str, age: int) -> None:
    day = parse_day(birth)
    assert day is not None
    assert years_between(day, date(2026, 11, 21)) == age
