"""What is known of a call once it has ended, however far it came: filled in on the way, read by audit and metrics."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter

from cds.decide import Decision
from hooks.contexts import Context
from hooks.fhir.prefetch import Supplied
from hooks.resting import NOTHING_RESTS, Attend
from hooks.trust.tokens import Caller
from hooks.wire import Card, HookRequest


PHASES = ("trust", "receive", "read", "fetch", "decide", "write")
"""What a call consists of: is the caller known, its body arrives, FHIR is read, and fetched; the decision; the cards."""


class Trail:
    """One call. What it did not come to is None, or empty.

    client: the name in the profile. asked: the prefetch keys of the service. supplied: what the client sent for them, completed:
    that with what was fetched. cards: those that were written, with a decision or, for what could not be checked, without one.
    silent: nobody is shown them. attend: who knows what is held back from this user, if anybody does. view: what is; the decision
    is without it.
    """

    def __init__(self) -> None:
        """The call begins."""
        self.caller: Caller | None = None
        self.client: str | None = None
        self.request: HookRequest | None = None
        self.context: Context | None = None
        self.asked: tuple[str, ...] = ()
        self.supplied: Supplied | None = None
        self.completed: Supplied | None = None
        self.attend: Attend | None = None
        self.view = NOTHING_RESTS
        self.decision: Decision | None = None
        self.cards: list[Card] = []
        self.silent = False
        self._marks = [(PHASES[0], perf_counter())]

    def enter(self, phase: str) -> None:
        """A phase begins, and the one before it ends. A phase may be entered again."""
        self._marks.append((phase, perf_counter()))

    def seconds(self) -> dict[str, float]:
        """The time of each phase that was entered, up to now."""
        spent: dict[str, float] = {}
        for (phase, begun), (_, ended) in pairwise((*self._marks, ("", perf_counter()))):
            spent[phase] = spent.get(phase, 0.0) + ended - begun
        return spent

    def prefetched(self) -> dict[str, str]:
        """The state of each key of the service as the client sent it; nothing for a call that was not read."""
        return {key: self.supplied.keys.get(key, "absent") for key in self.asked} if self.supplied is not None else {}

    def fetched(self) -> dict[str, str]:
        """What became of each key that we asked the client's FHIR server for: its state then, or why it was not obtained."""
        before, after = self.supplied, self.completed
        if before is None or after is None or after is before:
            return {}
        changed = {key: state for key, state in after.keys.items() if state != before.keys.get(key)}
        return {**changed, **after.faults}
