"""Fixtures do not go stale: whatever meets a clock is moved to its day first."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks.app import Config, create_app
from hooks.examples import Fixture, UnknownFixtureError, fixture, fixtures, moved_by, written_for
from hooks.services import service_of


WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("content", "moved"),
    [
        ({"effectiveDateTime": "2026-11-01"}, {"effectiveDateTime": "2026-11-08"}),
        ({"issued": "2026-12-31T23:00:00+08:00"}, {"issued": "2027-01-07T23:00:00+08:00"}),
        ({"birthDate": "1950-03"}, {"birthDate": "1950-03"}),
        ({"onsetDateTime": "2024"}, {"onsetDateTime": "2024"}),
        ({"period": {"start": "2026-11-01", "end": "2026-11-30"}}, {"period": {"start": "2026-11-08", "end": "2026-12-07"}}),
        ({"date": ["2026-11-01", 5, None]}, {"date": ["2026-11-08", 5, None]}),
        (
            {"code": "2026-11-01", "id": "2026-11-01", "display": "2024"},
            {"code": "2026-11-01", "id": "2026-11-01", "display": "2024"},
        ),
        ({"effectiveDateTime": "soon"}, {"effectiveDateTime": "soon"}),
    ],
)
def test_dates_move_and_codes_do_not(content: dict[str, Any], moved: dict[str, Any]) -> None:
    assert moved_by(content, WEEK) == moved


def test_a_moved_fixture_says_its_new_day() -> None:
    moved = fixture("pregnant").on(date(2030, 1, 15))
    assert written_for(moved) == date(2030, 1, 15)
    assert written_for(fixture("pregnant").request) == date(2026, 11, 21)


@pytest.mark.parametrize("request_", [None, [], {}, {"extension": []}, {"extension": {"org.cobalamin-cds.fixture": 1}}])
def test_other_requests_were_written_for_no_day(request_: Any) -> None:
    assert written_for(request_) is None


def test_an_unknown_fixture_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownFixtureError, match="There is no fixture 'nobody'; there are baseline-missing, child,"):
        fixture("nobody")


def said(client: FlaskClient, body: dict[str, Any]) -> list[tuple[str, str]] | int:
    response = client.post(f"/cds-services/{service_of(body['hook']).id}", json=body)
    cards = response.get_json().get("cards")
    return response.status_code if cards is None else [(card["source"]["topic"]["code"], card["indicator"]) for card in cards]


@pytest.mark.parametrize("known", list(fixtures()), ids=lambda known: known.name)
def test_a_fixture_says_the_same_on_any_day(known: Fixture) -> None:
    then = create_app(Config(today=lambda: known.written_for)).test_client()
    later = date(2031, 2, 3)
    now = create_app(Config(today=lambda: later)).test_client()
    assert said(now, known.on(later)) == said(then, known.request)
    assert json.dumps(known.on(known.written_for)) == json.dumps(known.request)
