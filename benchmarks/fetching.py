"""How long an answer takes where nothing was supplied and every query needs 50 ms: `python -m benchmarks.fetching`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from benchmarks.bodies import body
from cds.library import load
from hooks.clientfiles import client
from hooks.desks import Desks
from hooks.engine import Engine
from hooks.profiles import Fhir
from hooks.services import PATIENT_VIEW
from hooks.serving import settle


PATIENT = "food-bound-deficiency"
SIZES = (20, 200)
QUERY_S = 0.05
GOAL_MS = 120
CALLS = 200


def main() -> None:
    """Measure and print."""
    library = load()
    settle()
    print("| nothing supplied, resources | median ms | p95 ms | supplied, median ms | goal |")
    print("| ---: | ---: | ---: | ---: | --- |")
    for resources in SIZES:
        sent = json.loads(body(PATIENT, resources, date.today()))
        with ehr(sent["prefetch"]) as base:
            profile = client("generic", library).model_copy(update={"fhir": Fhir(bases=(base,))})
            engine = Engine(library, PATIENT_VIEW, Desks(library, [profile]))
            way = {"fhirServer": base, "fhirAuthorization": {"access_token": "token", "expires_in": 300}}
            fetched = times_ms(engine, {**sent, **way, "prefetch": {}})
            supplied = times_ms(engine, {**sent, **way})
        p95 = statistics.quantiles(fetched, n=20)[-1]
        met = "met" if p95 <= GOAL_MS else "missed"
        print(
            f"| {resources} | {statistics.median(fetched):.1f} | {p95:.1f} | {statistics.median(supplied):.2f} "
            f"| p95 at most {GOAL_MS} ms {met} |"
        )


def times_ms(engine: Engine, request: Mapping[str, Any]) -> list[float]:
    """Milliseconds by the clock on the wall, of each call after the first few."""
    sent, found = json.dumps(request).encode(), []
    for _ in range(CALLS):
        start = time.perf_counter()
        engine.answer(sent, date.today())
        found.append((time.perf_counter() - start) * 1e3)
    return found[5:]


@contextmanager
def ehr(prefetch: Mapping[str, Any]) -> Iterator[str]:
    """A FHIR server in a thread of its own, which takes its time over every query; its base."""
    answers = {}
    for value in prefetch.values():
        kind = value["entry"][0]["resource"]["resourceType"] if value.get("entry") else value["resourceType"]
        answers[kind] = json.dumps(value).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            """Answer a search by its type alone."""
            time.sleep(QUERY_S)
            content = answers.get(self.path.split("/")[2].partition("?")[0], b'{"resourceType":"Bundle"}')
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/fhir"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
