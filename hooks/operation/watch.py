"""Hears of each call before its answer leaves: keeps the record, counts, and logs. It never raises: no advice depends on it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hooks.feedback.entries import Keys
from hooks.operation.audit import AuditLog, record_of
from hooks.trail import Trail


if TYPE_CHECKING:
    from hooks.operation.metrics import Metrics

_LOG = logging.getLogger("cobalamin")


class Watcher:
    """For one application."""

    def __init__(self, audit: AuditLog | None, keys: Keys, metrics: Metrics | None) -> None:
        """`keys`: make the pseudonyms of the record."""
        self._audit, self._keys, self._metrics = audit, keys, metrics

    def __call__(self, service: str, trail: Trail, status: int) -> None:
        """A call of a service has ended with a status."""
        seconds = trail.seconds()
        if self._audit is not None:
            try:
                self._audit.keep(record_of(trail, service, status, seconds, self._keys))
            except Exception as error:  # noqa: BLE001 - the advice goes out all the same
                _LOG.error("a call is not on record: %s", type(error).__name__)
                if self._metrics is not None:
                    self._metrics.unrecorded()
        if self._metrics is not None:
            try:
                self._metrics.called(service, trail, status, seconds)
            except Exception as error:  # noqa: BLE001
                _LOG.error("a call is not counted: %s", type(error).__name__)
        _LOG.info("%s answered %d in %.1f ms", service, status, 1000 * sum(seconds.values()))
