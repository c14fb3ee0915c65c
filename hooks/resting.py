"""Advice that is held back from somebody who has dealt with it: what a call has to be told, and what is told of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from cds.decide import Decision, Statement
from hooks.contexts import Context
from hooks.services import Service
from hooks.wire import HookRequest


Because = Literal["snoozed", "repeated"]
"""Overridden by this user not long ago, or shown to this user in this encounter already."""


class Resting(Struct, frozen=True):
    """An advice that is held back, why, and until when. `reason`: that of the override."""

    statement: Statement
    because: Because
    until: datetime
    reason: str | None = None


class Visit(Struct, frozen=True):
    """Whom an answer goes to, as pseudonyms: user, encounter (empty where the request names none), hook instance."""

    client: str
    user: str
    encounter: str
    instance: str


class View(Struct, frozen=True):
    """What of a decision is held back from one user, and the key of each question by the rule that asks it.

    visit: None where nothing is held back from anybody, so that nothing need be remembered either.
    """

    resting: tuple[Resting, ...] = ()
    questions: Mapping[str, str] = {}
    visit: Visit | None = None

    def of(self, decision: Decision) -> Decision:
        """The decision without what rests."""
        return decision.without({rest.statement.rule for rest in self.resting}) if self.resting else decision


NOTHING_RESTS = View()
"""The view where nobody keeps track."""

Attend = Callable[[Decision, Context, HookRequest, Service, bool], View]
"""Looks at a decision for the user of a request. The last says whether nobody is shown anything anyway."""
