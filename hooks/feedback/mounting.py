"""Puts the store, the recorder and the endpoint together for one application."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hooks.calls import Record, Wsgi
from hooks.feedback.config import FeedbackConfig, FeedbackError
from hooks.feedback.endpoint import Endpoint
from hooks.feedback.entries import Keys, client_of
from hooks.feedback.recorder import Recorder
from hooks.feedback.spool import Spool
from hooks.feedback.store import Store
from hooks.services import Service
from hooks.trust.gate import Gate


class Kept:
    """What an application needs of feedback: the endpoint, and somebody to tell of answers."""

    def __init__(self, config: FeedbackConfig, behind: Wsgi, services: Iterable[Service], gate: Gate | None = None) -> None:
        """Bring store and tables up to date, and into it what waited. A store that is away does not stop the start.

        Raises FeedbackError where the driver is missing, or the spool cannot be written.
        """
        store, keys = Store(config.url), Keys(config.salt)
        try:
            spool = Spool(config.folder)
        except OSError as error:
            raise FeedbackError(f"the spool {config.folder} cannot be written") from error
        self.store, self.spool = store, spool
        self.recorder = Recorder(store, spool, keys, timedelta(days=config.retention_days))
        self.endpoint = Endpoint(behind, services, store, keys, gate)
        self.recorder.round()
        store.close()  # a server may fork now

    @property
    def record(self) -> Record:
        """Told of each answer before it leaves."""
        return lambda service, caller, evaluation, silent: self.recorder.record(service, client_of(caller), evaluation, silent)
