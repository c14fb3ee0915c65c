"""Nothing of a request is written anywhere: the search of tests/hooks/markers.py, and that it would find something."""

from __future__ import annotations

import logging
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.hooks.markers import searched
from tests.hooks.searching import KEPT, VIEW, Search, listening


@pytest.fixture(scope="module", name="search")
def searched_once(tmp_path_factory: pytest.TempPathFactory) -> Search:
    return searched(tmp_path_factory.mktemp("markers"), ["patient-view"])


def test_OPS_02_SEC_38_FHIR_03_ERR_09_nothing_of_a_request_is_written_anywhere(search: Search) -> None:
    assert {sink: search.fields(sink, kept=False) for sink in search.written} == {sink: [] for sink in search.written}


def test_every_path_was_run(search: Search) -> None:
    statuses = {status for ran in search.ran.values() for status in ran}
    assert statuses >= {200, 400, 401, 404, 405, 412, 413, 415, 500, 503}
    assert len(search.planter.planted) > 2000


def test_what_is_kept_on_purpose_is_there_and_nothing_was_empty(search: Search) -> None:
    assert all(search.fields(sink, kept=True) for sink in KEPT)
    assert {sink for sink, parts in search.written.items() if not any(parts)} == {"printed"}


def test_a_leak_would_be_found(tmp_path: Path) -> None:
    search = Search(tmp_path)
    marker = search.planter.marker("a name")
    with listening(search):
        logging.getLogger("cobalamin").warning("said %s", marker.upper())
        logging.getLogger("urllib3.connectionpool").debug("GET /Patient/%s", marker)
        print(marker)  # noqa: T201 - what a careless line would do
    assert {sink for sink in search.written if search.fields(sink, kept=False)} == {
        "log as JSON",
        "log as text",
        "our log records, written by others",
        "printed",
    }


def test_a_leak_in_the_record_would_be_found(tmp_path: Path) -> None:
    search = Search(tmp_path, [])
    with patch("hooks.operation.audit._plain", lambda *told: told[-1]):
        client = search.deployment("leaking")
        search.run("patient-view", client, VIEW, json=search.planter.request("patient-view"))
        search.collect(client, "leaking")
    assert search.fields("audit", kept=False) == ["hookInstance"]
    assert search.fields("AuditEvents", kept=False) == ["hookInstance"]
