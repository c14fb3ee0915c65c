"""A FHIR server that misbehaves in every way we could think of, and what becomes of it.

`python -m tests.hooks.misbehaving` prints the table: fault, state, status, and what is said.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cds.signed import Language
from hooks.engine import Evaluation
from hooks.errors import RequestError
from hooks.fhir.access import Access
from hooks.fhir.faults import Fault
from hooks.fhir.values import KeyState
from tests.hooks.dialects import fetching, unprefetched
from tests.hooks.stub import HANG_UP, Asked, Stub, reply, stub
from tests.patients import TODAY, bundle, observation, request


DEADLINE_S = 0.3
PAGES, SIZE = 4, 100_000
VIGNETTE: dict[str, Any] = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
LABS = bundle([observation({"b12_total": "142 pg/mL"}, TODAY)])
FOUND = json.dumps(LABS).encode()
HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
OUTCOME = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}'

Parts = Iterable[bytes | float]


def page(url: str, content: dict[str, Any] = LABS) -> bytes:
    """A page that names the next one."""
    return reply(json.dumps({**content, "link": [{"relation": "next", "url": url}]}).encode())


def endless(asked: Asked) -> Parts:
    """A page that leads to ever another one."""
    return [page(f"http://{asked.headers['host']}/fhir/Observation?page={len(asked.target)}{asked.target[-1:]}x")]


def drip(content: bytes, pause: float) -> Parts:
    """Bytes one by one."""
    for place in range(len(content)):
        yield content[place : place + 1]
        yield pause


def packed(content: bytes, **more: Any) -> bytes:
    """A compressed answer."""
    return reply(gzip.compress(content), Content_Encoding="gzip", **more)


@dataclass(frozen=True)
class Case:
    """One way to misbehave, the fault it is called, and the state of a key that nothing else answered."""

    name: str
    behave: Callable[[Asked], Parts]
    fault: Fault | None
    state: KeyState = "failed"
    most_calls: int = 1


def refused(status: str, **headers: Any) -> Callable[[Asked], Parts]:
    """A refusal in the words of FHIR."""
    return lambda _: [reply(OUTCOME, status, **headers)]


def says(*parts: bytes | float) -> Callable[[Asked], Parts]:
    """Always the same."""
    return lambda _: parts


CASES = (
    Case("401", refused("401 Unauthorized"), "unauthorized"),
    Case("403", refused("403 Forbidden"), "forbidden"),
    Case("404", refused("404 Not Found"), "not_found"),
    Case("410", refused("410 Gone"), "gone"),
    Case("429", refused("429 Too Many Requests"), "throttled"),
    Case("429, to be asked again in a minute", refused("429 Too Many Requests", Retry_After="60"), "throttled"),
    Case("429, to be asked again at once", refused("429 Too Many Requests", Retry_After="0"), "throttled", most_calls=2),
    Case("400 in plain text", says(reply(b"no supported search parameters provided", "400 Bad Request")), "refused"),
    Case("500", refused("500 Internal Server Error"), "broken"),
    Case("503", refused("503 Service Unavailable", Retry_After="soon"), "broken"),
    Case("302 to itself", lambda asked: [reply(b"", "302 Found", Location=asked.target)], "redirected"),
    Case("204 without content", says(b"HTTP/1.1 204 No Content\r\n\r\n"), "no_fhir"),
    Case("status 700", refused("700 What"), "no_fhir"),
    Case("HTML with status 200", says(reply(HTML, Content_Type="text/html")), "no_fhir"),
    Case("an empty body", says(reply(b"")), "cut"),
    Case("null", says(reply(b"null")), "no_fhir"),
    Case("an array", says(reply(b"[]")), "no_fhir"),
    Case("JSON that is no resource", says(reply(b'{"error":"sign in"}')), None, "garbage"),
    Case("another kind of resource", says(reply(b'{"resourceType":"Encounter","id":"e"}')), None, "garbage"),
    Case("an OperationOutcome instead of a Bundle", says(reply(OUTCOME)), None),
    Case("an OperationOutcome as an entry", says(reply(b'{"resourceType":"Bundle","entry":[{"resource":%b}]}' % OUTCOME)), None),
    Case("nonsense instead of HTTP", says(b"220 mail.example ESMTP\r\n", HANG_UP), "cut", most_calls=2),
    Case("hangs up at once", says(HANG_UP), "cut", most_calls=2),
    Case("hangs up in the headers", says(reply(FOUND)[:40], HANG_UP), "cut", most_calls=2),
    Case("hangs up in the body", says(reply(FOUND)[:-20], HANG_UP), "cut"),
    Case("announces more than it sends", says(reply(FOUND, length=len(FOUND) + 5), HANG_UP), "cut"),
    Case("announces less than it sends", says(reply(FOUND, length=len(FOUND) - 5)), "cut"),
    Case("broken UTF-8", says(reply(FOUND.replace(b"142", b"\xff"))), "cut"),
    Case("nested without end", says(reply(b'{"resourceType":"Bundle","x":%b' % (b"[" * 90_000))), "cut"),
    Case("odd, and then damaged", says(reply(b'{"resourceType":7,')), "cut"),
    Case("gzip that breaks off", says(reply(gzip.compress(FOUND)[:-9], Content_Encoding="gzip")), "cut"),
    Case("gzip that is none", says(reply(FOUND, Content_Encoding="gzip")), "no_fhir"),
    Case("an encoding nobody asked for", says(reply(FOUND, Content_Encoding="br")), "no_fhir"),
    Case("silent", says(5.0), "late"),
    Case("slow headers", lambda _: drip(reply(FOUND), 0.02), "late"),
    Case("dripping body", lambda _: [reply(FOUND)[:-100], *drip(reply(FOUND)[-100:], 0.02)], "late"),
    Case("headers without end", lambda _: [b"HTTP/1.1 200 OK\r\n", *(b"X-%d: y\r\n" % n for n in range(500))], "cut", most_calls=2),
    Case("a huge body", says(reply(b'{"resourceType":"Bundle","x":"' + b"x" * SIZE + b'"}')), "too_much"),
    Case("a bomb", says(packed(b'{"resourceType":"Bundle","x":"' + b"x" * 50_000_000 + b'"}')), "too_much"),
    Case("gzip, and then anything", says(reply(gzip.compress(FOUND) + b"x" * SIZE, Content_Encoding="gzip")), "too_much"),
    Case("endless pages", endless, "too_much", "incomplete", PAGES),
    Case("pages in a ring", lambda asked: [page(asked.target)], "too_much", "incomplete"),
    Case("next page at another host", says(page("http://elsewhere.example/fhir/Observation?page=2")), "astray", "incomplete"),
    Case("next page at another port", says(page("http://127.0.0.1:1/fhir/Observation?page=2")), "astray", "incomplete"),
    Case("next page above the base", says(page("/admin?page=2")), "astray", "incomplete"),
    Case("next page beside the base", says(page("/fhir-of-others/Observation?page=2")), "astray", "incomplete"),
    Case("next page by way of ..", says(page("/fhir/%2e%2e/admin?page=2")), "astray", "incomplete"),
    Case("next page nobody can find", says(page("http://[bad/fhir")), "astray", "incomplete"),
    Case("next page without an address", says(page("")), "astray", "incomplete"),
    Case("next page is HTML", lambda a: [reply(HTML) if "page" in a.target else page("?page=2")], "no_fhir", "incomplete", 2),
    Case("next page is slow", lambda a: [5.0] if "page" in a.target else [page("?page=2")], "late", "incomplete", 2),
    Case("next page is an outcome", lambda a: [reply(OUTCOME) if "page" in a.target else page("?page=2")], None, "incomplete", 2),
)  # fmt: skip


def access_to(server: Stub, **more: Any) -> Access:
    """What the client of such a server has allowed us."""
    return Access((server.base,), deadline_s=DEADLINE_S, pages=PAGES, size=SIZE, **more)


@dataclass(frozen=True)
class Outcome:
    """What became of one request: the answer, how long it took, how often the server was asked."""

    evaluation: Evaluation | None
    refusal: RequestError | None
    took_s: float
    calls: int


def ask(case: Case, missing: str, language: Language = "en") -> Outcome:
    """Send a request that lacks one key to a server that misbehaves."""
    with stub(case.behave) as server:
        service = fetching("patient-view", access_to(server))
        body = unprefetched(request(VIGNETTE), server.base, keep=set(request(VIGNETTE)["prefetch"]) - {missing})
        start = time.monotonic()
        evaluation, refusal = None, None
        try:
            evaluation = service.evaluate(body, TODAY, language)
            refusal = evaluation.refusal
        except RequestError as error:
            refusal = error
        return Outcome(evaluation, refusal, time.monotonic() - start, len(server.asked))


def main() -> None:
    """Print the table."""
    print("| the FHIR server | fault | state | calls | ms | labs (required) | procedures (optional): 200, and the card says |")  # noqa: T201
    print("| --- | --- | --- | ---: | ---: | --- | --- |")  # noqa: T201
    for case in CASES:
        labs, procedures = ask(case, "labs"), ask(case, "procedures")
        spent = f"{labs.calls} | {labs.took_s * 1e3:.0f}"
        print(f"| {case.name} | {case.fault or 'none'} | {case.state} | {spent} | {shown(labs)} | {shown(procedures)} |")  # noqa: T201


def shown(found: Outcome) -> str:
    """What the clinician sees: what a card says is not available, or nothing, for which those who run the interface get a 412."""
    if found.refusal is not None:
        return str(found.refusal.status)
    assert found.evaluation is not None
    (card,) = found.evaluation.cards
    (said,) = (line for line in card.detail.splitlines() if line.startswith(("- laboratory results: ", "- procedures: ")))
    return said.removeprefix("- ")


if __name__ == "__main__":
    main()
