"""A high B12 in somebody who takes none (C3, C10)."""

from __future__ import annotations

from cds.advice import Advice, OrderTests
from cds.chart import Medicine
from cds.facts.b12_samples import B12Class
from cds.facts.b12_status import B12Status


def high_b12(b12_status: B12Status, b12_class: B12Class, b12_set_aside: tuple[Medicine, ...] | None) -> Advice | None:
    """Twice high without known intake is looked into; once is repeated. What was set aside long ago is asked about first."""
    notes = ("set_aside",) if b12_set_aside else ()
    if b12_status == "high_unexplained":
        return Advice("look_for_cause", notes=notes)
    if b12_status == "adequate" and b12_class == "high":
        return Advice("repeat", (OrderTests(("b12_total",)),), notes)
    return None
