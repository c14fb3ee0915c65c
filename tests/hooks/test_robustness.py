"""Whatever is sent, there is an answer or a refusal; and whatever another patient's record looks like, it changes nothing."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.errors import RequestError
from tests.fuzz import Hunt, answered, changed, dosed, main, measured, reworded, written
from tests.hooks.test_reader import BODY
from tests.hooks.test_versions import VERSIONS, sent
from tests.patients import TODAY, engine


OWNED = ("subject", "patient", "id", "resourceType")
REQUESTS = [BODY, *map(sent, VERSIONS)]
CHANCE = st.integers(0, 2**32).map(random.Random)


@given(st.sampled_from(REQUESTS), CHANCE, st.integers(1, 6))
def test_whatever_is_sent_there_is_an_answer_or_a_refusal(body: dict[str, Any], chance: random.Random, times: int) -> None:
    for _ in range(times):
        body = changed(chance, body)
    answered(body)


@given(
    st.sampled_from(REQUESTS), CHANCE, st.sampled_from(["Patient/other", "https://ehr.example.org/fhir/Patient/other/_history/2"])
)
def test_another_patients_record_changes_nothing(body: dict[str, Any], chance: random.Random, other: str) -> None:
    body = json.loads(json.dumps(body))
    before = engine().evaluate(json.dumps(body).encode(), TODAY)
    for key, value in body["prefetch"].items():
        if key == "patient":
            continue
        for entry in list(value["entry"]):
            owners = {name: {"reference": other} for name in ("subject", "patient") if name in entry["resource"]}
            free = {name: member for name, member in entry["resource"].items() if name not in OWNED}
            odd = changed(chance, free)
            if not isinstance(odd, dict) or any(mark in json.dumps(odd) for mark in ("@deep@", "\\ud800")):
                continue  # what is no JSON that can be read refuses the whole request
            kept = {name: member for name, member in odd.items() if name not in OWNED}
            kind = entry["resource"]["resourceType"]
            place = chance.randrange(len(value["entry"]) + 1)
            value["entry"].insert(place, {"resource": {"resourceType": kind, "id": f"other-{place}", **kept, **owners}})
    after = engine().evaluate(written(body), TODAY)
    assert after.cards == before.cards
    assert after.decision.statements == before.decision.statements
    assert after.decision.chart.records == before.decision.chart.records


@given(st.text(max_size=60), CHANCE)
def test_whatever_a_dose_or_a_unit_says_it_is_read_or_not(words: str, chance: random.Random) -> None:
    said = reworded(chance, words)
    dosed(said)
    measured(said)


def test_an_unreadable_body_is_refused() -> None:
    for body in (b"[" * 100_000, b'{"hook": "\\ud800"}', b"\xff\xfe", b"", b"null"):
        with pytest.raises(RequestError):
            engine().evaluate(body, TODAY)


def test_the_hunt_finds_what_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(value: Any) -> None:
        raise ZeroDivisionError(value)

    hunt = Hunt("broken", ["x"], lambda _, value: value, breaks)
    hunt.step(random.Random(1))
    assert [what.split(" at ")[0] for what in hunt.broken] == ["ZeroDivisionError: x"]
    assert main(0) == 0
    assert "reader:" in capsys.readouterr().out
