"""Records the cards of each answer: into the spool before the answer leaves, from there into the store by a thread of its own."""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from threading import Lock, Thread
from typing import Protocol

import msgspec

from cds.decide import Statement
from hooks.engine import Evaluation
from hooks.feedback.entries import Firing, Keys, Report, State
from hooks.feedback.spool import Spool
from hooks.feedback.store import Store, StoreError
from hooks.services import Service


_LOG = logging.getLogger("cobalamin")

EVERY_S = 1.0
"""So long a card waits for the store."""
LEARN_EVERY = timedelta(seconds=5)
"""So long, and a second, takes a report to other machines."""

_PURGE_EVERY = timedelta(hours=6)
_OVERLAP = timedelta(minutes=2)
"""Clocks of machines may differ by so much, and a card may come into the store after the report on it."""
_line = msgspec.json.Encoder().encode
_firing = msgspec.json.Decoder(Firing).decode


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


class Learner(Protocol):
    """Who wants to know what was reported anywhere, and what has to be forgotten."""

    def learn(self, reports: Iterable[Report]) -> None:
        """Take note of reports, some of them known already."""

    def forget(self, before: datetime) -> None:
        """Delete what is older."""


class Recorder:
    """Records for one deployment. It never raises: no advice waits for it or depends on it (FB-21)."""

    def __init__(
        self,
        store: Store,
        spool: Spool,
        keys: Keys,
        retention: timedelta,
        clock: Callable[[], datetime] = now,
        every_s: float = EVERY_S,
        learner: Learner | None = None,
    ) -> None:
        """`retention`: what is older is deleted. `every_s`: seconds from one round of the thread to the next."""
        self._store, self._spool, self._keys, self._retention = store, spool, keys, retention
        self._clock, self._every_s = clock, every_s
        self._purge_at = self._learn_at = self._learnt = datetime.min.replace(tzinfo=UTC)
        self._learner = learner
        self._complaints: dict[str, str] = {}
        self._runs_in, self._starting, self._stop = 0, Lock(), Signal()

    def record(self, service: Service, client: str, evaluation: Evaluation, silent: bool = False) -> None:
        """Record what rules said in one answer. `silent`: it was evaluated, and nobody is shown it."""
        try:
            firings = b"".join(_line(firing) + b"\n" for firing in self._firings(service, client, evaluation, silent))
            if not firings:
                return
            self._spool.append(firings)
            if self._runs_in != os.getpid():
                self._start()
        except Exception as error:  # noqa: BLE001 - the advice goes out all the same
            self._tell("cards are not recorded", type(error).__name__)
        else:
            self._tell("cards are not recorded")

    def round(self) -> None:
        """Bring what waits into the store, and delete what is too old when it is time."""
        try:
            self._spool.drain(self._take)
            self._learn()
            if self._clock() >= self._purge_at:
                self._store.purge(self._clock() - self._retention)
                if self._learner is not None:
                    self._learner.forget(self._clock() - self._retention)
                self._purge_at = self._clock() + _PURGE_EVERY
        except StoreError as error:
            self._tell("cards wait for the feedback store", error.kind)
        except OSError as error:
            self._tell("cards wait for the feedback store", type(error).__name__)
        else:
            self._tell("cards wait for the feedback store")

    def close(self) -> None:
        """End the thread, and bring the last cards into the store if it is there."""
        self._stop.set()
        atexit.unregister(self.close)
        self.round()
        self._store.close()

    def _learn(self) -> None:
        """Bring what was reported, here or elsewhere, to whom it concerns; at first everything that is kept."""
        at = self._clock()
        if self._learner is not None and at >= self._learn_at:
            self._learner.learn(self._store.reports(self._learnt))
            self._learn_at, self._learnt = at + LEARN_EVERY, at - _OVERLAP

    def _start(self) -> None:
        """A thread for this process; what a fork leaves behind has none."""
        with self._starting:
            if self._runs_in != os.getpid():
                self._runs_in = os.getpid()
                atexit.register(self.close)
                Thread(target=self._run, name="feedback", daemon=True).start()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self.round()

    def _firings(self, service: Service, client: str, evaluation: Evaluation, silent: bool) -> Iterator[Firing]:
        """One for each rule that spoke. What is on no card has a key of its own."""
        decision, context, view, key = evaluation.decision, evaluation.context, evaluation.view, self._keys.key
        library, at = decision.library, self._clock()
        patient = key("patient", client, context.patientId)
        user = key("user", client, context.userId) if context.userId else None
        shown: State = "silent" if silent else "shown"
        spoken: list[tuple[Statement, State]] = [
            *((statement, shown) for statement in decision.statements),
            *((rest.statement, rest.because) for rest in view.resting),
            *((statement, "held_back") for statement in decision.held_back),
            *((statement, "silent") for statement in decision.silent),
        ]
        for place, (statement, state) in enumerate(spoken):
            unshown = ("not shown", client, service.id, evaluation.instance, context.patientId, statement.rule)
            yield Firing(
                card_key=self._keys.card(client, service.id, evaluation.cards[place].uuid)
                if place < len(evaluation.cards)
                else key(*unshown),
                patient_key=patient,
                user_key=user,
                client=client,
                service=service.id,
                rule=statement.rule,
                advice=statement.advice.key,
                topic=library.rules[statement.rule].topic,
                indicator=statement.words.urgency,
                knowledge=library.version,
                state=state,
                shown_at=at,
                question=view.questions.get(statement.rule),
            )

    def _take(self, lines: list[bytes]) -> None:
        """Store the lines of one file; one that a full disk cut off is left out."""
        firings = []
        for line in lines:
            try:
                firings.append(_firing(line))
            except msgspec.DecodeError:
                _LOG.error("a recorded card cannot be read and is left out")
        self._store.add(firings)

    def _tell(self, trouble: str, cause: str = "") -> None:
        """Log a trouble when it begins, when its cause changes, and when it has ended (no cause)."""
        if cause != self._complaints.get(trouble, ""):
            self._complaints[trouble] = cause
            _LOG.warning("%s: %s", trouble, cause or "no longer")
