"""Mixed load on two workers that trust nobody without a token: `python -m benchmarks.load MINUTES`."""

from __future__ import annotations

import http.client
import os
import secrets
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.mix import ALGORITHMS, Mix
from benchmarks.page import about, put
from benchmarks.servers import free_port, trusting
from benchmarks.tokens import Signer


WORKERS = 2
CLIENTS = 2
WARM_UP_S = 5
MEBIBYTE = 1024 * 1024

Fired = list[tuple[str, bool, str, float]]
"""Of each request its kind, whether it was answered rightly, how it ended, and milliseconds from connection to the last byte."""


def main(minutes: float) -> None:
    """Run, print, write."""
    with TemporaryDirectory() as name:
        signer = Signer(ALGORITHMS)
        with served(signer, Path(name)) as (port, master), ProcessPoolExecutor(CLIENTS) as clients:

            def fire(seconds: float, seed: int) -> Fired:
                shots = [clients.submit(fired, port, signer, seconds, seed + client) for client in range(CLIENTS)]
                return [one for shot in shots for one in shot.result()]

            fire(WARM_UP_S, 0)
            before = memory(master)
            found = fire(minutes * 60, CLIENTS)
            after = memory(master)
    text = f"{about(date.today())}\n\n{report(found, minutes)}\n\n{grown(before, after)}"
    print(text)
    put("load", text)


@contextmanager
def served(signer: Signer, folder: Path) -> Iterator[tuple[int, int]]:
    """The service with trust, feedback, audit and metrics; its port, and the process id of its master."""
    port = free_port()
    kept = ("--store", str(folder / "feedback.db"), "--audit", str(folder / "audit.jsonl"), "--metrics")
    arguments = (*trusting(signer, folder), str(port), "--workers", str(WORKERS), *kept)
    environment = {**os.environ, "COBALAMIN_SALT": secrets.token_hex(16)}
    with subprocess.Popen([sys.executable, *arguments], stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until and not _answers(port):
                time.sleep(0.1)
            yield port, process.pid
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def fired(port: int, signer: Signer, seconds: float, seed: int) -> Fired:
    """Fire one request after the other for so long."""
    mix, found, until = Mix(signer, seed, date.today()), [], time.monotonic() + seconds
    while time.monotonic() < until:
        sent, start = mix.draw(), time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(sent.method, sent.path, sent.body, dict(sent.headers))
            answer = connection.getresponse()
            content, ended = answer.read(), str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            content, ended = b"", type(error).__name__
        finally:
            connection.close()
        right = ended == str(sent.right)
        found.append((sent.kind, right, ended, (time.perf_counter() - start) * 1e3))
        if right:
            mix.learn(sent, content)
    return found


def memory(master: int) -> dict[int, float]:
    """Resident MiB of each worker."""
    return {worker.pid: worker.memory_info().rss / MEBIBYTE for worker in psutil.Process(master).children()}


def report(found: Fired, minutes: float) -> str:
    """Requests and their times by kind, as a table in Markdown."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    wrong: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kind, right, ended, spent in found:
        for row in (kind, "all"):
            times[row].append(spent)
            wrong[row].update([ended] if not right else [])
    lines = [
        f"{len(found)} requests in {minutes:g} min, {len(found) / minutes / 60:.0f} a second; "
        f"{wrong['all'].total()} answered otherwise than they should be.",
        "",
        "| kind, and its right status where it is not 200 | requests | p50 ms | p95 ms | p99 ms | answered otherwise |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for kind in sorted(times, key=lambda kind: (kind == "all", kind)):
        lines.append(f"| {kind} | {len(times[kind])} | {_percentiles(times[kind])} | {_counted(wrong[kind])} |")
    return "\n".join(lines)


def _percentiles(times: Iterable[float]) -> str:
    ordered = sorted(times)
    return " | ".join(f"{ordered[ceil(len(ordered) * hundredth / 100) - 1]:.1f}" for hundredth in (50, 95, 99))


def _counted(ended: Mapping[str, int]) -> str:
    return ", ".join(f"{how}: {number}" for how, number in sorted(ended.items())) or "none"


def grown(before: Mapping[int, float], after: Mapping[int, float]) -> str:
    """Memory of the workers at start and end, as a table in Markdown."""
    rows = [
        f"| {number} | {before[worker]:.0f} | {f'{after[worker]:.0f}' if worker in after else 'ended'} |"
        for number, worker in enumerate(before, 1)
    ]
    return "\n".join(["| worker | MiB at start | MiB at end |", "| ---: | ---: | ---: |", *rows])


if __name__ == "__main__":
    main(float(sys.argv[1]))
