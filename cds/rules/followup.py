"""The follow-up of B12 treatment on one card: nine items and the tests that are due (C8)."""

from __future__ import annotations

from cds.advice import Advice, OrderTests
from cds.facts.followup import FollowUpItem


def b12_follow_up(
    follow_up_speaks: bool,
    follow_up_items: tuple[FollowUpItem, ...],
    due_markers: tuple[str, ...],
    due_turnover_markers: tuple[str, ...],
    follow_up_notes: tuple[str, ...],
    restriction_notes: tuple[str, ...],
) -> Advice | None:
    """One card for all nine, never nine. It takes the place of "continue and review" and so says what restricts B12 as well."""
    if not follow_up_speaks:
        return None
    overdue = any(item.state == "overdue" for item in follow_up_items if item.name in ("b12", "homocysteine"))
    tests = OrderTests((*due_markers, *due_turnover_markers))
    return Advice("overdue" if overdue else "due", (tests,), (*follow_up_notes, *restriction_notes))
