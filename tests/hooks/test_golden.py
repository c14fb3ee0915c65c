"""Golden pairs: every shipped request and the response it gets, byte for byte in meaning.

`python -m tests.hooks.test_golden` writes the responses anew, or those of the names behind it; read the difference before you commit it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from hooks.app import Config, create_app
from hooks.examples import Fixture, fixtures
from hooks.services import SERVICES, service_of
from tests.patients import engine


FIXTURES = list(fixtures())
RESPONSES = Path(__file__).parents[2] / "fixtures" / "responses"


def answer(fixture: Fixture) -> dict[str, Any]:
    """What the service answers on the day the fixture was written for."""
    client = create_app(Config(today=lambda: fixture.written_for)).test_client()
    headers = {"Accept-Language": fixture.language} if fixture.language else {}
    service = service_of(fixture.request["hook"])
    return dict(client.post(f"/cds-services/{service.id}", json=fixture.request, headers=headers).get_json())


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_golden_pair(fixture: Fixture) -> None:
    golden = json.loads((RESPONSES / f"{fixture.name}.json").read_text(encoding="utf-8"))
    assert answer(fixture) == golden


def test_every_response_belongs_to_a_request() -> None:
    assert {path.stem for path in RESPONSES.glob("*.json")} == {fixture.name for fixture in FIXTURES}


def test_every_service_has_a_fixture() -> None:
    assert {fixture.request["hook"] for fixture in FIXTURES} == {service.hook for service in SERVICES}


def test_there_are_enough_fixtures_and_they_show_every_class() -> None:
    decisions = [engine(f.request["hook"]).evaluate(json.dumps(f.request).encode(), f.written_for).decision for f in FIXTURES]
    labels = engine().library.labels
    assert len(FIXTURES) >= 15
    for fact in ("b12_status", "absorption", "scope"):
        shown = {decision[fact] for decision in decisions}
        assert set(labels[fact]) - shown <= {"out_of_scope"}, fact


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_fixtures_are_valid_fhir(fixture: Fixture) -> None:
    for value in fixture.request["prefetch"].values():
        if value is not None:
            get_fhir_model_class(value["resourceType"]).model_validate(value)


def main(names: list[str]) -> None:
    """Write the responses of these fixtures anew, or every one."""
    for fixture in (fixture for fixture in FIXTURES if not names or fixture.name in names):
        path = RESPONSES / f"{fixture.name}.json"
        path.write_text(json.dumps(answer(fixture), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
