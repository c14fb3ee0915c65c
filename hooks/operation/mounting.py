"""Puts audit, metrics and readiness together for one application, and adds their routes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response

from cds.library import KnowledgeError
from hooks.calls import Watch
from hooks.feedback.entries import Keys
from hooks.operation.audit import AuditLog
from hooks.operation.config import OperationConfig
from hooks.operation.readiness import Check, Readiness
from hooks.operation.watch import Watcher
from hooks.replies import answered
from hooks.trust.gate import Gate


class Operation:
    """What an application needs of it: somebody to tell of calls, and the routes for those who run it."""

    def __init__(self, config: OperationConfig, knowledge: str, gate: Gate | None) -> None:
        """`knowledge`: the version of the content. Raises KnowledgeError where records cannot be written."""
        self._key_sets = gate.key_sets if gate is not None else {}
        self._replays = gate.replays if gate is not None else None
        try:
            self._audit = AuditLog(config.audit) if config.audit is not None else None
        except OSError as error:
            raise KnowledgeError(f"the audit file {config.audit} cannot be written: {error.strerror}") from None
        self._metrics = None
        if config.metrics:
            from hooks.operation.metrics import Metrics  # it takes its time, and few commands need it

            self._metrics = Metrics(knowledge)
        self.watch: Watch | None = Watcher(self._audit, Keys(config.salt), self._metrics) if config.watches else None

    def add_routes(self, app: Flask, needed: Mapping[str, Check], useful: Mapping[str, Check]) -> None:
        """Readiness, and the page for Prometheus where it is wanted. The checks are those of others; ours are added."""
        audit = {"audit": self._audit.check} if self._audit is not None else {}
        tokens = {"used tokens": self._replays.check} if self._replays is not None else {}
        readiness = Readiness({**tokens, **audit, **needed}, useful, self._key_sets)

        @app.get("/readyz")
        def ready() -> Response:
            against, amiss = readiness.reasons()
            told = {"status": "not ready" if against else "ready", "reasons": against, "warnings": amiss}
            reply = answered({name: value for name, value in told.items() if value})
            status = HTTPStatus.SERVICE_UNAVAILABLE if against else HTTPStatus.OK
            return Response(reply.body, status, list(reply.headers))

        metrics = self._metrics
        if metrics is None:
            return

        @app.get("/metrics")
        def count() -> Response:
            ages = ((issuer, keys.age_s) for issuer, keys in self._key_sets.items())
            metrics.key_ages((issuer, age) for issuer, age in ages if age is not None)
            headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store"}
            return Response(metrics.text(), HTTPStatus.OK, headers)
