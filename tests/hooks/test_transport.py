"""One GET and its mapping: what libraries raise, what may be repeated, what is said of a scope (FHIR-14, FHIR-03)."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses
import urllib3
from urllib3.exceptions import ProtocolError

from hooks.fhir import client, transport
from hooks.fhir.access import Access
from hooks.fhir.addresses import allowed_base
from hooks.fhir.client import Query, fetch
from hooks.fhir.faults import Fault
from hooks.fhir.grants import Grant, granted
from hooks.fhir.prefetch import Fetched
from hooks.fhir.scopes import may_ask
from hooks.fhir.searches import for_patient, searches
from hooks.fhir.transport import FetchError, get


BASE = "https://fhir.example/r4"
URL = f"{BASE}/Condition?patient=p1"
EMPTY = b'{"resourceType":"Bundle"}'
ACCESS = Access((BASE,), deadline_s=2.0)
QUERY = Query("conditions", "Condition?patient=p1")


def grant(until: float | None = None) -> Grant:
    """Leave to read, for as long as it is not said otherwise."""
    found = granted([allowed_base(BASE)], False, BASE, {"access_token": "t"}, "p1", 0)
    assert isinstance(found, Grant)
    return found if until is None else Grant(found.server, found.base, found.token, None, until)


def asked(leave: Grant | None = None, patience_s: float = 2.0, query: Query = QUERY) -> Fetched:
    """One query."""
    (found,) = fetch(ACCESS, leave or grant(), [query], time.monotonic() + patience_s)
    return found


@responses.activate
@pytest.mark.parametrize(
    ("raised", "fault"),
    [
        (requests.ConnectTimeout(URL), "late"),
        (requests.ReadTimeout(URL), "late"),
        (urllib3.exceptions.ReadTimeoutError(None, URL, "slow"), "late"),  # type: ignore[arg-type]  # no pool is at hand
        (requests.exceptions.SSLError(URL), "untrusted"),
        (requests.ConnectionError(URL), "unreachable"),
        (requests.ConnectionError(ProtocolError("Connection aborted.")), "cut"),
        (ProtocolError(URL), "cut"),
        (requests.exceptions.InvalidURL(URL), "unreachable"),
        (RuntimeError(URL), "unreachable"),
    ],
)
def test_FHIR_14_what_libraries_raise_has_a_name_and_loses_its_words(raised: Exception, fault: Fault) -> None:
    responses.get(URL, body=raised)
    assert asked() == Fetched("conditions", None, fault)
    with pytest.raises(FetchError) as error:
        get(URL, "t", allowed_base(BASE), time.monotonic() + 1, 100, Access((BASE,)))
    assert (str(error.value), error.value.__cause__, error.value.__suppress_context__) == (fault, None, True)


@responses.activate
def test_a_kept_connection_that_was_closed_meanwhile_is_tried_again_once() -> None:
    responses.get(URL, body=requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())))
    responses.get(URL, body=EMPTY)
    assert asked() == Fetched("conditions", EMPTY, None)
    assert len(responses.calls) == 2


@responses.activate
@pytest.mark.parametrize(
    ("status", "after", "calls"), [(429, "0", 2), (503, "0", 2), (429, "9", 1), (503, "", 1), (500, "0", 1), (429, "-1", 1)]
)
def test_a_short_pause_is_kept_if_there_is_time_for_it(status: int, after: str, calls: int) -> None:
    responses.get(URL, status=status, headers={"Retry-After": after})
    responses.get(URL, body=EMPTY)
    found = asked()
    assert (found.content is not None, len(responses.calls)) == (calls == 2, calls)


@responses.activate
def test_a_byte_order_mark_is_no_fault() -> None:
    responses.get(URL, body=b"\xef\xbb\xbf" + EMPTY)
    assert asked().content == EMPTY


@responses.activate
def test_FHIR_08_no_page_is_asked_for_after_the_token_has_expired() -> None:
    responses.get(URL, body=b'{"resourceType":"Bundle","link":[{"relation":"next","url":"?page=2"}]}')
    found = asked(grant(until=time.monotonic()))
    assert (found, len(responses.calls)) == (Fetched("conditions", None, "expired"), 0)


@responses.activate
def test_FHIR_08_nor_a_second_page() -> None:
    def slow(_: Any) -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.1)
        return 200, {}, b'{"resourceType":"Bundle","entry":[],"link":[{"relation":"next","url":"?page=2"}]}'

    responses.add_callback(responses.GET, URL, slow)
    found = asked(grant(until=time.monotonic() + 0.05))
    assert (found.fault, found.content is None, len(responses.calls)) == ("expired", False, 1)


def test_no_time_is_no_connection() -> None:
    with pytest.raises(FetchError, match="late"):
        get(URL, "t", allowed_base(BASE), time.monotonic(), 100, Access((BASE,)))


def test_what_a_url_becomes_when_it_is_sent_must_lie_under_the_base() -> None:
    for url in ("https://elsewhere.example/r4/Condition", f"{BASE}/../Condition", f"{BASE}x/Condition"):
        with pytest.raises(FetchError, match="astray"):
            get(url, "t", allowed_base(BASE), time.monotonic() + 1, 100, Access((BASE,)))


def test_nothing_is_read_once_time_is_up() -> None:
    transport._clock.until = time.monotonic()
    with pytest.raises(TimeoutError):
        transport._Hurried(None, io.BytesIO(b"late")).read(4)


def test_a_query_that_finds_no_thread_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    none_left = threading.BoundedSemaphore(1)
    none_left.acquire()
    monkeypatch.setattr(client, "_slots", none_left)
    start = time.monotonic()
    assert asked(patience_s=0.05) == Fetched("conditions", None, "late")
    assert time.monotonic() - start < 0.5


def test_a_machine_without_threads_is_late_and_keeps_no_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = threading.BoundedSemaphore(1)
    monkeypatch.setattr(client, "_slots", slots)
    monkeypatch.setattr(threading.Thread, "start", lambda _: (_ for _ in ()).throw(RuntimeError("can't start new thread")))
    assert asked(patience_s=0.05) == Fetched("conditions", None, "late")
    assert slots.acquire(blocking=False)


def test_a_query_that_breaks_on_our_side_is_told_by_its_kind_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: bytes) -> None:
        raise ZeroDivisionError(URL)

    monkeypatch.setattr(client, "page_of", broken)
    assert asked(query=Query("conditions", "", EMPTY)) == Fetched("conditions", None, "no_fhir")
    assert [record.getMessage() for record in caplog.records] == ["a FHIR query broke: ZeroDivisionError"]


def test_FHIR_03_the_token_is_in_no_repr() -> None:
    assert repr(grant()) == "Grant(until=inf)"


@pytest.mark.parametrize(
    ("scope", "kind", "search", "may"),
    [
        (None, "Patient", False, True),
        ("", "Patient", False, True),
        ("user/*.read", "Observation", True, True),
        ("patient/Observation.*", "Observation", True, True),
        ("system/Observation.write", "Observation", True, False),
        ("user/Observation.r", "Observation", True, False),
        ("user/Observation.r", "Observation", False, True),
        ("user/Observation.cruds", "Observation", True, True),
        ("user/Observation.s?category=laboratory", "Observation", True, True),
        ("user/Observation.sr", "Observation", True, True),  # not in the order of version 2: text of another kind
        ("user/Observation.", "Observation", True, True),
        ("user/Patient.rs openid launch/patient", "Observation", True, False),
        ("openid launch", "Observation", True, True),
        ("user/Patient.rs and more", "Observation", True, True),
    ],
)
def test_FHIR_09_10_11_12_scopes(scope: Any, kind: str, search: bool, may: bool) -> None:
    assert may_ask(scope, kind, search=search) is may


TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "labs": "Observation?patient={{context.patientId}}&code=" + ",".join(f"http://loinc.org|{n}" for n in range(120)),
    "medications": "MedicationRequest?patient={{context.patientId}}&intent=order,plan",
    "statements": "MedicationStatement?patient={{context.patientId}}",
}


def test_codes_are_asked_for_in_portions() -> None:
    portions = searches(TEMPLATES, "epic")["labs"]
    assert [portion.count("loinc") for portion in portions] == [50, 50, 20]
    assert portions[2].startswith("Observation?patient={{context.patientId}}&code=http://loinc.org%7C100,")
    assert for_patient(portions[2], "a/b?c").startswith("Observation?patient=a%2Fb%3Fc&code=")


@pytest.mark.parametrize(
    ("dialect", "key", "holds"),
    [
        ("epic", "statements", lambda found: found is None),
        ("oracle", "statements", lambda found: found is None),
        ("generic", "statements", lambda found: found == ("MedicationStatement?patient={{context.patientId}}",)),
        ("openemr", "labs", lambda found: "loinc" not in found[0] and "code=0,1,2" in found[0]),
        ("oracle", "labs", lambda found: "_count=200" in found[0] and "loinc.org%7C0" in found[0]),
        ("hapi", "medications", lambda found: found[0].endswith("&intent=order,plan&_count=200")),
        ("athena", "medications", lambda found: found[0].endswith("&intent=order,plan")),
        ("oracle", "patient", lambda found: found == ("Patient/{{context.patientId}}",)),
    ],
)
def test_dialects_are_asked_in_their_own_way(dialect: Any, key: str, holds: Callable[[Any], bool]) -> None:
    assert holds(searches(TEMPLATES, dialect).get(key))
    assert not any("_sort" in one for found in searches(TEMPLATES, dialect).values() for one in found)
