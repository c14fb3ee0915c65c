"""How the service is doing, for Prometheus: counts and durations, by service, rule and client. No patient is in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

import cds
from hooks.operation.config import SHARED
from hooks.trail import Trail


_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The counters of one application."""

    def __init__(self, knowledge: str = "") -> None:
        """Register everything, so that what has not happened yet is seen as 0 where its labels are known."""
        self._registry = registry = CollectorRegistry()
        self._calls = Counter(
            "cobalamin_calls", "Calls of the services by status.", ("service", "client", "status"), registry=registry
        )
        self._duration = Histogram(
            "cobalamin_call_seconds", "Time spent on a call.", ("service",), buckets=_SECONDS, registry=registry
        )
        self._phases = Histogram(
            "cobalamin_phase_seconds", "Time spent on a call, by phase.", ("phase",), buckets=_SECONDS, registry=registry
        )
        self._cards = Counter(
            "cobalamin_cards",
            "Advice by rule, indicator and what became of it: shown, silent, held_back, snoozed or repeated.",
            ("rule", "indicator", "state"),
            registry=registry,
        )
        self._prefetch = Counter(
            "cobalamin_prefetch", "What clients sent for each prefetch key.", ("client", "key", "state"), registry=registry
        )
        self._fetched = Counter(
            "cobalamin_fetched",
            "What FHIR servers of clients were asked for, and brought: a state, or why nothing came.",
            ("client", "key", "state"),
            registry=registry,
        )
        self._unrecorded = Counter("cobalamin_unrecorded", "Calls whose audit record could not be written.", registry=registry)
        self._key_age = Gauge(
            "cobalamin_key_set_age_seconds",
            "Seconds since the keys of an issuer were fetched, by the worker that was asked.",
            ("issuer",),
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        info = Gauge(
            "cobalamin_info",
            "Always 1; software and knowledge are in its labels.",
            ("version", "knowledge"),
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        info.labels(cds.__version__, knowledge).set(1)

    def called(self, service: str, trail: Trail, status: int, seconds: Mapping[str, float]) -> None:
        """Count a call: its phases, the advice that was given, and what prefetch and FHIR server brought."""
        client = trail.client or "unknown"
        self._calls.labels(service, client, str(status)).inc()
        self._duration.labels(service).observe(sum(seconds.values()))
        for phase, spent in seconds.items():
            self._phases.labels(phase).observe(spent)
        if trail.decision is not None and status == HTTPStatus.OK:
            states = [(said, "silent" if trail.silent else "shown") for said in trail.decision.statements]
            states += [(said, "held_back") for said in trail.decision.held_back]
            states += [(said, "silent") for said in trail.decision.silent]
            states += [(rest.statement, rest.because) for rest in trail.view.resting]
            for said, state in states:
                self._cards.labels(said.rule, said.words.urgency, state).inc()
        for key, state in trail.prefetched().items():
            self._prefetch.labels(client, key, state).inc()
        for key, state in trail.fetched().items():
            self._fetched.labels(client, key, state).inc()

    def unrecorded(self) -> None:
        """Count a call that is not on record."""
        self._unrecorded.inc()

    def key_ages(self, ages: Iterable[tuple[str, float]]) -> None:
        """Set how old the keys of each issuer are."""
        for issuer, age in ages:
            self._key_age.labels(issuer).set(age)

    def text(self) -> bytes:
        """Everything in the format of Prometheus, of all workers together."""
        registry = self._registry
        if SHARED in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        return generate_latest(registry)
