"""Holds the OpenAPI document against the service, by requests that schemathesis makes from it, right and wrong.

`python -m tests.hooks.schemas 5` looks for five minutes, each time elsewhere, and prints what it found.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import schemathesis
from flask import Flask
from hypothesis.errors import HypothesisWarning
from schemathesis import AuthContext, Case
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from hooks.app import Config, create_app
from hooks.feedback.config import FeedbackConfig
from hooks.operation.config import OperationConfig
from hooks.trust.gate import Gate
from hooks.trust.issuers import Issuer
from hooks.trust.replay import Replays
from tests.hooks.servers import served
from tests.hooks.tokens import ISS, jwk, token
from tests.patients import TODAY


BASE = "https://cds.example.org"
DOCUMENT = "/openapi.json"
SALT = "as long as a salt has to be"
DEPLOYMENTS = {"plain": (False, False), "with feedback": (False, True), "with trust and feedback": (True, True)}
"""By name: are callers asked for tokens, is feedback taken?"""


@dataclass
class Found:
    """What a run found: requests and checks by operation, answers by status, and every failure in words."""

    requests: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def note(self, finished: ScenarioFinished) -> None:
        """Count one scenario."""
        label, recorder = finished.recorder.label, finished.recorder
        self.requests[label] += len(recorder.interactions)
        self.statuses.update(one.response.status_code for one in recorder.interactions.values() if one.response is not None)
        for checks in recorder.checks.values():
            self.checks.update(check.name for check in checks)
            for check in checks:
                if check.status != Status.SUCCESS and (failure := check.failure_info) is not None:
                    self.failures.append(f"{label}: {check.name}: {failure.failure}\n{failure.code_sample[:2000]}")


def deployment(folder: Path, trust: bool, feedback: bool) -> Flask:
    """A service as a hospital runs it; its files are in `folder`."""
    gate = Gate(BASE, [Issuer(ISS, {"keys": [jwk()]})], replays=Replays(folder / "used")) if trust else None
    kept = FeedbackConfig(str(folder / "feedback.db"), SALT) if feedback else None
    watched = OperationConfig(audit=folder / "audit.jsonl", salt=SALT, metrics=True) if feedback else OperationConfig()
    return create_app(Config(today=lambda: TODAY, gate=gate, feedback=kept, operation=watched))


def held_against(app: Flask, examples: int, seed: int, bounds: str = "/") -> Found:
    """Make requests from the document of a deployment, and judge the answers.

    `examples`: for each operation so many by chance, beside those that are shown and, for paths that match `bounds`, those on both
    sides of every boundary.
    """
    generation = {"max-examples": examples, "database": "none"}
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", 412]},
                "negative_data_rejection": {"expected-statuses": [400, 401, 405, 413, 415]},
            },
            "phases": {"fuzzing": {"generation": generation}},
            "operations": [{"exclude-path-regex": bounds, "phases": {"coverage": {"enabled": False}}}],
        }
    )
    found = Found()
    with served(app) as url, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Generating overly large repr", category=HypothesisWarning)
        schema = schemathesis.openapi.from_url(f"{url}{DOCUMENT}", config=config)
        if app.config["GATE"] is not None:
            schema.auth(refresh_interval=None)(_Fresh)
        for event in from_schema(schema).execute():
            if isinstance(event, ScenarioFinished):
                found.note(event)
            elif isinstance(event, FatalError):
                raise event.exception
            elif isinstance(event, NonFatalError):
                found.failures.append(f"{event.label}: {event.info.message}")
    return found


_SERIAL = count()


def fresh(path: str) -> str:
    """A token for one call of a service, or of its feedback."""
    now = time.time()
    return token(aud=BASE + path.removesuffix("/feedback"), iat=now, exp=now + 300, jti=f"{now}-{next(_SERIAL)}")


class _Fresh:
    """A token of its own for each request."""

    def get(self, case: Case[Any], _: AuthContext) -> str:
        """The token."""
        return fresh(case.operation.path)

    def set(self, case: Case[Any], data: str, _: AuthContext) -> None:
        """Send it."""
        case.headers["Authorization"] = f"Bearer {data}"


def main(minutes: float) -> int:
    """Look until the time is over; 1 where something was found."""
    logging.disable()
    until, total, rounds = time.monotonic() + minutes * 60, Found(), 0
    while time.monotonic() < until and not total.failures:
        for trust, feedback in DEPLOYMENTS.values():
            with TemporaryDirectory() as folder:
                found = held_against(deployment(Path(folder), trust, feedback), 100, seed=time.time_ns() % 2**31)
            for name in ("requests", "checks", "statuses"):
                getattr(total, name).update(getattr(found, name))
            total.failures += found.failures
        rounds += 1
    print(summary(total, rounds))
    return bool(total.failures)


def summary(found: Found, rounds: int) -> str:
    """The findings in Markdown."""
    statuses = ", ".join(f"{status}: {number}" for status, number in sorted(found.statuses.items()))
    rows = [f"| {name} | {number} |" for name, number in sorted(found.checks.items())]
    return "\n".join(
        [
            f"{found.requests.total()} requests to {len(found.requests)} operations in {rounds} rounds; answers by status: {statuses}.",
            "",
            "| check | times |",
            "| --- | ---: |",
            *rows,
            "",
            *(found.failures or ["Nothing was found."]),
        ]
    )


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
