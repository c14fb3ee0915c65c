"""What the store says of the advice, counted. A card nobody reported on counts as just that, never as accepted (FB-22)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from msgspec import Struct, field
from sqlalchemy import Connection, FromClause, Select, and_, case, func, select

from hooks.feedback.tables import CARD, FEEDBACK


class Group(NamedTuple):
    """What is counted together; `week`: its Monday, in UTC."""

    client: str
    rule: str
    knowledge: str
    week: date


class Reason(NamedTuple):
    """Why cards were overridden, in the client's code; without one it is None."""

    system: str | None
    code: str | None


class Tally(Struct):
    """How often a rule spoke, and what became of it; of each card the last report counts.

    shown: on a card that was sent. held_back: beyond the number of cards that are shown. snoozed: overridden by this user not
    long ago. repeated: shown to this user in this encounter. silent: recorded only. questions: of all these, asked for the first
    time. taken_elsewhere: of what was not shown, the same question was accepted on some card. accepted and overridden: of the
    shown. commented: overridden with words. reasons: of the overridden.
    """

    shown: int = 0
    held_back: int = 0
    snoozed: int = 0
    repeated: int = 0
    silent: int = 0
    questions: int = 0
    taken_elsewhere: int = 0
    accepted: int = 0
    overridden: int = 0
    commented: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)

    @property
    def fired(self) -> int:
        """How often the rule spoke, whether anybody was shown it or not."""
        return self.shown + self.unshown

    @property
    def unshown(self) -> int:
        """How often it spoke and nobody was shown it."""
        return self.held_back + self.snoozed + self.repeated + self.silent

    @property
    def no_report(self) -> int:
        """Cards shown that no client said anything of."""
        return self.shown - self.accepted - self.overridden

    def add(self, other: Tally) -> None:
        """Count another one in."""
        for name in self.__struct_fields__:
            if name != "reasons":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)


class Statistics(Struct, frozen=True):
    """All that a report shows. unmatched: events on cards we do not know, by client. displays: the words of a reason's code."""

    groups: dict[Group, Tally]
    unmatched: dict[str, int]
    displays: dict[Reason, str]

    def by(self, *names: str) -> dict[tuple[Any, ...], Tally]:
        """The tallies added up by some members of their group, in order."""
        sums: dict[tuple[Any, ...], Tally] = defaultdict(Tally)
        for group in sorted(self.groups):
            sums[tuple(getattr(group, name) for name in names)].add(self.groups[group])
        return dict(sorted(sums.items()))

    def total(self) -> Tally:
        """Everything together."""
        return self.by().get((), Tally())


def statistics(connection: Connection, since: datetime | None = None, client: str | None = None) -> Statistics:
    """Count what is stored. `since`: the first moment that counts, of a card and of feedback; `client`: only this one."""
    last, asked = _last_reports(), _asked()
    day = func.date(CARD.c.shown_at)
    reported = (last.c.outcome, last.c.reason_system, last.c.reason_code)
    rows = (CARD.c.client, CARD.c.rule, CARD.c.knowledge, day, CARD.c.state, *reported)
    taken = case((CARD.c.question.in_(_accepted()), 1), else_=0)
    sums = (func.count(), func.count(last.c.comment), func.max(last.c.reason_display), func.sum(asked.c.first), func.sum(taken))
    found = select(*rows, *sums).group_by(*rows)
    known = CARD.join(asked, asked.c.id == CARD.c.id)
    found = found.select_from(known.outerjoin(last, and_(last.c.card_key == CARD.c.card_key, last.c.nth == 1)))
    groups: dict[Group, Tally] = defaultdict(Tally)
    displays: dict[Reason, str] = {}
    for (
        name,
        rule,
        knowledge,
        on,
        state,
        outcome,
        system,
        code,
        cards,
        comments,
        display,
        firsts,
        elsewhere,
    ) in connection.execute(_narrowed(found, CARD, "shown_at", since, client)):
        tally, reason = groups[Group(name, rule, knowledge, _monday(str(on)))], Reason(system, code)
        setattr(tally, state, getattr(tally, state) + cards)
        tally.questions += firsts
        if state != "shown":
            tally.taken_elsewhere += elsewhere
        if state != "shown" or outcome is None:
            continue
        setattr(tally, outcome, getattr(tally, outcome) + cards)
        if outcome == "overridden":
            tally.commented += comments
            tally.reasons[reason] += cards
            displays[reason] = display or displays.get(reason, "")
    strange = select(FEEDBACK.c.client, func.count()).where(FEEDBACK.c.card_key.not_in(select(CARD.c.card_key)))
    strangers = connection.execute(_narrowed(strange.group_by(FEEDBACK.c.client), FEEDBACK, "received_at", since, client))
    return Statistics(dict(groups), dict(sorted((name, events) for name, events in strangers)), displays)


def _last_reports() -> Any:
    """The events, each with its number counted back from the last of its card: the last moment, then the last to arrive."""
    newest = (FEEDBACK.c.outcome_at.desc(), FEEDBACK.c.id.desc())
    nth = func.row_number().over(partition_by=FEEDBACK.c.card_key, order_by=newest).label("nth")
    return select(FEEDBACK, nth).subquery()


def _asked() -> Any:
    """Of each card, by its id: is it the first that asks its question? A card without one stands for itself."""
    question = func.coalesce(CARD.c.question, CARD.c.card_key)
    nth = func.row_number().over(partition_by=question, order_by=(CARD.c.shown_at, CARD.c.id))
    return select(CARD.c.id, case((nth == 1, 1), else_=0).label("first")).subquery()


def _accepted() -> Any:
    """The questions that were accepted on a card that was shown."""
    other, last = CARD.alias(), _last_reports()
    on_card = and_(last.c.card_key == other.c.card_key, last.c.nth == 1, last.c.outcome == "accepted")
    return select(other.c.question).join(last, on_card).where(other.c.state == "shown", other.c.question.is_not(None))


def _narrowed(query: Select[Any], table: FromClause, moment: str, since: datetime | None, client: str | None) -> Select[Any]:
    if since is not None:
        query = query.where(table.c[moment] >= since)
    return query if client is None else query.where(table.c.client == client)


def _monday(day: str) -> date:
    on = date.fromisoformat(day)
    return on - timedelta(days=on.weekday())


def weeks(groups: Iterable[Group]) -> list[date]:
    """Every Monday from the first week to the last, also those in which nothing happened."""
    mondays = {group.week for group in groups}
    if not mondays:
        return []
    first, last = min(mondays), max(mondays)
    return [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
