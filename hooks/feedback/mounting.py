"""Puts the store, the recorder, the endpoint and the memory together for one application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from cds.content import Library
from hooks.calls import Record, Wsgi
from hooks.feedback.attention import Attention
from hooks.feedback.config import FeedbackConfig, FeedbackError
from hooks.feedback.endpoint import Endpoint
from hooks.feedback.entries import Keys, client_of
from hooks.feedback.memory import ForgottenError, Memory
from hooks.feedback.reasons import Reasons
from hooks.feedback.recorder import Recorder, now
from hooks.feedback.spool import Spool
from hooks.feedback.store import Store
from hooks.profiles import Profile
from hooks.services import Service
from hooks.trust.gate import Door


MEMORY = "shown.db"
"""The file of the memory, beside the cards that wait."""


class Kept:
    """What an application needs of feedback: the endpoint, somebody to tell of answers, and somebody who holds cards back."""

    def __init__(
        self,
        config: FeedbackConfig,
        behind: Wsgi,
        services: Iterable[Service],
        library: Library,
        clients: Iterable[Profile] = (),
        gate: Door | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Bring store and tables up to date, and into it what waited. A store that is away does not stop the start.

        Raises FeedbackError where the driver is missing, or spool or memory cannot be written.
        """
        store, keys = Store(config.url), Keys(config.salt)
        try:
            spool, memory = Spool(config.folder), Memory(config.folder / MEMORY)
        except ForgottenError as error:
            raise FeedbackError(f"{config.folder / MEMORY} cannot be used ({error}); it may be deleted") from error
        except OSError as error:
            raise FeedbackError(f"the spool {config.folder} cannot be written") from error
        self.store, self.spool = store, spool
        self.attention = Attention(library, keys, memory, Reasons(clients), clock)
        self.recorder = Recorder(store, spool, keys, timedelta(days=config.retention_days), clock, learner=self.attention)
        self.endpoint = Endpoint(behind, services, store, keys, self.attention.reported, gate, clock)
        self.recorder.round()
        store.close()  # a server may fork now
        memory.close()

    @property
    def record(self) -> Record:
        """Told of each answer before it leaves."""
        return lambda service, caller, evaluation, silent: self.recorder.record(service, client_of(caller), evaluation, silent)
