"""How the service is doing, for Prometheus: counts and durations, by service, rule and client. No patient is in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess


PHASES = ("trust", "read", "fetch", "decide", "write")
"""What a call consists of, in order."""

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The directory in which workers add up; the library wants it in the environment before it is imported."""

_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        """Register everything, so that what has not happened yet is seen as 0 where its labels are known."""
        self._registry = registry = CollectorRegistry()
        self._calls = Counter(
            "cobalamin_calls", "Calls of the services by status.", ("service", "client", "status"), registry=registry
        )
        self._phases = Histogram(
            "cobalamin_phase_seconds", "Time spent on a call, by phase.", ("phase",), buckets=_SECONDS, registry=registry
        )
        self._cards = Counter(
            "cobalamin_cards",
            "Cards by rule, indicator and whether they were shown.",
            ("rule", "indicator", "shown"),
            registry=registry,
        )
        self._prefetch = Counter(
            "cobalamin_prefetch", "What prefetch keys brought.", ("client", "key", "state"), registry=registry
        )
        self._key_age = Gauge(
            "cobalamin_key_set_age_seconds",
            "Seconds since the keys of an issuer were fetched.",
            ("issuer",),
            registry=registry,
            multiprocess_mode="mostrecent",
        )

    def called(self, service: str, client: str, status: int, seconds: Mapping[str, float]) -> None:
        """Count a call and the time of its phases."""
        self._calls.labels(service, client, str(status)).inc()
        for phase, spent in seconds.items():
            self._phases.labels(phase).observe(spent)

    def said(self, rule: str, indicator: str, shown: bool) -> None:
        """Count a card."""
        self._cards.labels(rule, indicator, "yes" if shown else "no").inc()

    def brought(self, client: str, states: Mapping[str, str]) -> None:
        """Count the state of each prefetch key of a call."""
        for key, state in states.items():
            self._prefetch.labels(client, key, state).inc()

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
