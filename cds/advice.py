"""What a rule may say, and the actions it may propose. Words and loudness stand beside the rule in YAML."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from cds.chart import Medicine


Urgency = Literal["info", "warning", "critical"]

LOUDNESS: dict[str, int] = {"critical": 0, "warning": 1, "info": 2}

Route = Literal["oral", "sublingual", "intramuscular", "subcutaneous"]


class OrderTests(Struct, frozen=True, cache_hash=True):
    """Propose laboratory tests, by the name of their value set; `on`: the day they are planned for, as a review."""

    analytes: tuple[str, ...]
    on: date | None = None


class Schedule(Struct, frozen=True, cache_hash=True):
    """`times` doses in each `period` of days or weeks, for `for_days`; without an end where the next review decides."""

    times: float
    period: float
    unit: Literal["d", "wk"]
    for_days: float | None = None


class StartB12(Struct, frozen=True, cache_hash=True):
    """Propose a course of B12 by one route: each dose in ug, by one schedule after the other; `review` is planned with it."""

    route: Route
    form: str
    dose_ug: float
    schedules: tuple[Schedule, ...]
    recommended: bool = False
    review: OrderTests | None = None


class RemoveOrder(Struct, frozen=True):
    """Propose to take a draft back, and to order a course in its place where there is one."""

    order: Medicine
    instead: StartB12 | None = None


class ChangeRoute(Struct, frozen=True):
    """Propose another route for a draft."""

    order: Medicine
    route: Route


class ChangeUnit(Struct, frozen=True):
    """Propose the same number in ug, where a draft says mg."""

    order: Medicine


Change = RemoveOrder | ChangeRoute | ChangeUnit
"""What may be done to a draft. A client that cannot do it still has the words of the card (ACT-11)."""

Action = OrderTests | StartB12 | Change


class Advice(Struct, frozen=True):
    """One thing worth saying: `key` finds its words, `notes` the further paragraphs, `actions` what may be ordered."""

    key: str
    actions: tuple[Action, ...] = ()
    notes: tuple[str, ...] = ()
