"""Measure everything in one run, print the table, and put it into docs/performance.md: `python -m benchmarks`."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from benchmarks.bodies import body
from benchmarks.page import about, put
from benchmarks.servers import FLOOR, OURS, SERVICE, Worker, running, trusting
from benchmarks.tokens import Signer
from cds.decide import Decider
from cds.library import load
from hooks.fhir.prefetch import unpack
from hooks.fhir.reader import Reader
from hooks.fhir.values import READ_BUNDLE
from hooks.services import PATIENT_VIEW
from hooks.serving import settle


PATIENTS = ("nothing-to-say", "food-bound-deficiency")
DECIDE_GOAL_US = 100
READ_AND_DECIDE_GOAL_US = 600
RATIO_GOALS = {20: 1.5, 200: 1.0}
"""Per size in resources, how many times the floor a request may cost."""
ALGORITHMS = ("RS256", "ES256", "ES384")
ROUNDS = 15
SPAN_S = 0.2
REQUESTS = 400

TRUST_ROUNDS = 5
TRUST_REQUESTS = 150


@dataclass(frozen=True)
class Row:
    """One patient at one size: microseconds of CPU, and the ratios of the rounds to the floor.

    `read_and_decide`: without `parse`, which makes structs of JSON.
    """

    patient: str
    resources: int
    kib: float
    decide: float
    parse: float
    read_and_decide: float
    ours: float
    floor: float
    ratios: list[float]


def main() -> None:
    """Run, print, write."""
    today = date.today()
    rows = []
    with running(OURS) as ours, running(FLOOR) as floor:
        for resources in RATIO_GOALS:
            for patient in PATIENTS:
                rows.append(measure(patient, resources, today, ours, floor))
        trusted = trust(body(PATIENTS[-1], min(RATIO_GOALS), today), ours, floor)
    for mark, text in (("measured", f"{about(today)}\n\n{table(rows)}"), ("trust", trusted)):
        print(text, end="\n\n")
        put(mark, text)


def trust(sent: bytes, ours: Worker, floor: Worker) -> str:
    """What it costs to check the token of each call, as a table in Markdown; all three services take turns."""
    signer = Signer(ALGORITHMS)
    lines = [
        "| signed by | request µs | checking the token µs | floor µs | ratio (range) |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    with TemporaryDirectory() as folder, running(trusting(signer, Path(folder))) as checking:
        for algorithm in ALGORITHMS:
            rounds = []
            for _ in range(TRUST_ROUNDS):
                tokens = [signer.token(algorithm, SERVICE) for _ in range(TRUST_REQUESTS)]
                rounds.append(
                    (
                        checking.cpu_us(sent, TRUST_REQUESTS, tokens),
                        ours.cpu_us(sent, TRUST_REQUESTS),
                        floor.cpu_us(sent, TRUST_REQUESTS),
                    )
                )
            checked, unchecked, least = (statistics.median(spent) for spent in zip(*rounds, strict=True))
            ratios = [with_token / floor_us for with_token, _, floor_us in rounds]
            lines.append(
                f"| {algorithm} | {checked:.0f} | {checked - unchecked:.0f} | {least:.0f} "
                f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |"
            )
    return "\n".join(lines)


def measure(patient: str, resources: int, today: date, ours: Worker, floor: Worker) -> Row:
    """All figures of one row; the two services take turns, so that a machine that slows down slows both."""
    sent = body(patient, resources, today)
    decide, parse, all_of_it = in_process(sent, today)
    pairs = [(ours.cpu_us(sent, REQUESTS), floor.cpu_us(sent, REQUESTS)) for _ in range(ROUNDS)]
    return Row(
        patient,
        resources,
        len(sent) / 1024,
        decide,
        parse,
        all_of_it - parse,
        statistics.median(pair[0] for pair in pairs),
        statistics.median(pair[1] for pair in pairs),
        [our_us / floor_us for our_us, floor_us in pairs],
    )


def in_process(sent: bytes, today: date) -> tuple[float, float, float]:
    """The decision, the parsing, and the whole way from prefetch to decision, in microseconds, with the worker's collection."""
    library = load()
    reader, decide = Reader(library), Decider(library, PATIENT_VIEW.rules)
    members = msgspec.json.decode(sent, type=dict[str, msgspec.Raw])
    prefetch = msgspec.json.decode(members["prefetch"], type=dict[str, msgspec.Raw])
    patient_id = msgspec.json.decode(members["context"])["patientId"]

    def chart() -> Any:
        supplied = unpack(prefetch, patient_id)
        patient = reader.patient(supplied, patient_id)
        if patient is None:
            raise RuntimeError("a benchmark request without its patient")
        return reader.chart(supplied, patient, patient_id, today)

    ready = chart()
    settle()
    try:
        return best(lambda: decide(ready)), best(lambda: parsed(prefetch.values())), best(lambda: decide(chart()))
    finally:
        gc.unfreeze()


def parsed(prefetch: Iterable[msgspec.Raw]) -> list[Any]:
    """Each value as it is parsed before anything of it is read."""
    return [READ_BUNDLE.decode(value) for value in prefetch]


def best(call: Callable[[], object]) -> float:
    """CPU microseconds of one call in the quickest of several rounds: the others were disturbed."""
    rounds = []
    for _ in range(ROUNDS):
        calls, start = 0, time.process_time()
        while time.process_time() - start < SPAN_S:
            call()
            calls += 1
        rounds.append((time.process_time() - start) / calls)
    return min(rounds) * 1e6


def table(rows: list[Row]) -> str:
    """The table in Markdown."""
    lines = [
        "| patient | resources | KiB | decide µs | parse µs | read, decide µs | request µs | floor µs | ratio (range) | goals |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    for row in rows:
        ratios = f"{statistics.median(row.ratios):.2f} ({min(row.ratios):.2f} to {max(row.ratios):.2f})"
        lines.append(
            f"| {row.patient} | {row.resources} | {row.kib:.0f} | {row.decide:.0f} | {row.parse:.0f} "
            f"| {row.read_and_decide:.0f} "
            f"| {row.ours:.0f} | {row.floor:.0f} | {ratios} | {goals(row)} |"
        )
    return "\n".join(lines)


def goals(row: Row) -> str:
    """Which goals a row meets."""
    met = {True: "met", False: "missed"}
    ratio = statistics.median(row.ratios) <= RATIO_GOALS[row.resources]
    read = met[row.read_and_decide <= READ_AND_DECIDE_GOAL_US]
    return f"decide {met[row.decide <= DECIDE_GOAL_US]}, read {read}, request {met[ratio]}"


main()
