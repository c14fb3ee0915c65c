"""A FHIR server that misbehaves: what it is called, what is answered, and that the answer comes in time (FHIR-14, FHIR-15, PREF-35)."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any, get_args

import pytest

from hooks.fhir.faults import MEND, Failure, Fault
from tests.hooks.dialects import fetching, unprefetched
from tests.hooks.misbehaving import CASES, DEADLINE_S, LABS, OUTCOME, VIGNETTE, Case, access_to, ask, says
from tests.hooks.stub import TOKEN, reply, stub
from tests.patients import PATIENT, TODAY, library, request


GRACE_S = 0.5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_FHIR_14_15_PREF_35_a_required_query_that_fails_is_named_in_time(case: Case) -> None:
    found = ask(case, "labs")
    assert found.evaluation is not None
    assert found.took_s < DEADLINE_S + GRACE_S
    assert 1 <= found.calls <= case.most_calls
    if case.state == "incomplete":  # what the first page brought is used, and absence is not concluded
        assert found.refusal is None
        assert found.evaluation.decision["b12_status"] == "deficient"
        assert found.evaluation.decision["folate_results"] is None
    else:
        assert found.refusal is not None
        (issue,) = found.refusal.issues
        assert (found.refusal.status, issue.where) == (412, "prefetch.labs")
        assert issue.text.startswith(f"Prefetch key 'labs' is {case.state}")
        assert issue.text.endswith(MEND[case.fault or "unusable"])
        assert not any(secret in issue.text for secret in (TOKEN, PATIENT, "127.0.0.1"))
    notes = [note.key for note in found.evaluation.decision.chart.notes]
    assert (f"fetch_{case.fault}" if case.fault else f"query_{case.state}") in notes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ERR_04_an_optional_query_that_fails_leaves_its_question_open(case: Case) -> None:
    found = ask(case, "procedures")
    assert found.evaluation is not None
    assert found.refusal is None
    assert found.evaluation.decision["absorption"] == "unknown"
    (card,) = found.evaluation.cards
    (said,) = (line for line in card.detail.splitlines() if line.startswith("- procedures: "))
    assert said.removeprefix("- procedures: ") in (
        ["not supplied by the requesting system"]
        if case.fault == "not_found"
        else ["could not be retrieved", *(["supplied in part only"] if case.state == "incomplete" else [])]
    )


def test_ERR_02_required_data_that_the_server_denies_is_a_412() -> None:
    (denies,) = (case for case in CASES if case.name == "403")
    found = ask(denies, "labs")
    assert found.refusal is not None
    assert (found.refusal.status, found.calls) == (412, 1)
    assert found.refusal.issues[0].text.endswith(MEND["forbidden"])


@pytest.mark.parametrize(
    ("entries", "status"), [([OUTCOME], 412), ([OUTCOME, *LABS["entry"]], None)], ids=["alone", "beside data"]
)
def test_FHIR_20_an_error_among_the_entries_makes_a_result_incomplete(entries: list[Any], status: int | None) -> None:
    listed = [{"resource": json.loads(entry)} if isinstance(entry, bytes) else entry for entry in entries]
    content = json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": listed}).encode()
    found = ask(Case("errors", says(reply(content)), None), "labs")
    assert found.evaluation is not None
    assert found.evaluation.decision["folate_results"] is None, "what was not found may only not have been sent"
    assert (found.refusal and found.refusal.status) == status


def test_every_failure_has_words_in_both_languages_and_a_case() -> None:
    told = {key.removeprefix("fetch_") for key in library().words["en"].notes if key.startswith("fetch_")}
    assert told == set(get_args(Failure))
    assert told == {key.removeprefix("fetch_") for key in library().words["zh-CN"].notes if key.startswith("fetch_")}
    assert told - {case.fault for case in CASES} == {
        "unreachable",
        "untrusted",
        "expired",
        "private",
    }  # each has a test of its own
    assert MEND.keys() == {fault for kind in get_args(Fault) for fault in get_args(kind)}


def test_FHIR_15_nothing_is_left_behind_by_a_server_that_hangs() -> None:
    before = threading.active_count()
    (silent,) = (case for case in CASES if case.name == "silent")
    with stub(silent.behave) as server:
        service = fetching("patient-view", access_to(server))
        body = unprefetched(request(VIGNETTE), server.base)
        for _ in range(3):
            with pytest.raises(Exception, match="412"):
                service.answer(body, TODAY)
            asking = [thread for thread in threading.enumerate() if thread.name.startswith("cobalamin-fetch")]
            assert all(thread.daemon for thread in asking)
        deadline = time.monotonic() + 5
        while any(thread.name.startswith("cobalamin-fetch") for thread in threading.enumerate()):
            assert time.monotonic() < deadline, "queries outlive their deadline"
            time.sleep(0.01)
    assert before >= 1


def test_FHIR_15_not_even_the_name_service_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    hang = threading.Event()

    def slow(*_: object, **__: object) -> None:
        asked.set()
        hang.wait(5)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    start = time.monotonic()
    found = ask(CASES[0], "labs")
    assert time.monotonic() - start < DEADLINE_S + GRACE_S + 0.5
    assert asked.is_set()
    assert found.refusal is not None
    assert found.refusal.issues[0].text.endswith(MEND["late"])
    hang.set()
