"""Records the cards of each answer: into the spool before the answer leaves, from there into the store by a thread of its own."""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from threading import Lock, Thread

import msgspec

from hooks.engine import Evaluation
from hooks.feedback.entries import Firing, Keys, State
from hooks.feedback.spool import Spool
from hooks.feedback.store import Store, StoreError
from hooks.services import Service


_LOG = logging.getLogger("cobalamin")

EVERY_S = 1.0
"""So long a card waits for the store."""
_PURGE_EVERY = timedelta(hours=6)
_line = msgspec.json.Encoder().encode
_firing = msgspec.json.Decoder(Firing).decode


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


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
    ) -> None:
        """`retention`: what is older is deleted. `every_s`: seconds from one round of the thread to the next."""
        self._store, self._spool, self._keys, self._retention = store, spool, keys, retention
        self._clock, self._every_s = clock, every_s
        self._purge_at = datetime.min.replace(tzinfo=UTC)
        self._complaints: dict[str, str] = {}
        self._runs_in, self._starting, self._stop = 0, Lock(), Signal()

    def record(self, service: Service, client: str, evaluation: Evaluation, silent: bool = False) -> None:
        """Record what rules said in one answer. `silent`: it was evaluated, and nobody is shown it."""
        if not evaluation.decision.statements:
            return
        try:
            firings = self._firings(service, client, evaluation, silent)
            self._spool.append(b"".join(_line(firing) + b"\n" for firing in firings))
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
            if self._clock() >= self._purge_at:
                self._store.purge(self._clock() - self._retention)
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
        """One for each rule that spoke. What was held back is on no card, so its key is made from the card it would follow."""
        decision, context, key = evaluation.decision, evaluation.context, self._keys.key
        library, at = decision.library, self._clock()
        patient = key("patient", client, context.patientId)
        user = key("user", client, context.userId) if context.userId else None
        shown: State = "silent" if silent else "shown"
        states: list[State] = [shown] * len(evaluation.cards) + ["held_back"] * len(decision.held_back)
        for place, (statement, state) in enumerate(zip((*decision.statements, *decision.held_back), states, strict=True)):
            uuid = evaluation.cards[min(place, len(evaluation.cards) - 1)].uuid
            held_back = state == "held_back"
            yield Firing(
                card_key=key("held back", client, service.id, uuid, statement.rule)
                if held_back
                else self._keys.card(client, service.id, uuid),
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
