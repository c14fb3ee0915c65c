"""Cards and events as the store takes them."""

from __future__ import annotations

from datetime import UTC, datetime

from hooks.feedback.entries import Event, Firing


AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
"""A Wednesday; its week begins on the 16th."""


def firing(card: str = "card", rule: str = "b12_baseline", client: str = "north") -> Firing:
    """A card that was shown."""
    return Firing(
        card_key=card,
        patient_key="patient",
        user_key=None,
        client=client,
        service="b12-bone-health",
        rule=rule,
        advice="unmeasured",
        topic="B12Baseline",
        indicator="info",
        knowledge="1.0",
        state="shown",
        shown_at=AT,
    )


def event(digest: str = "event", card: str = "card", client: str = "north") -> Event:
    """A card that was overridden without a reason."""
    return Event(
        digest=digest,
        card_key=card,
        client=client,
        service="b12-bone-health",
        outcome="overridden",
        accepted=None,
        reason_code=None,
        reason_system=None,
        reason_display=None,
        comment=None,
        extension=None,
        outcome_at=AT,
        received_at=AT,
    )
