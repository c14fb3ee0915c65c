"""Measured values as intervals, so that "<150" decides exactly what it can decide and nothing more.

Every question has three answers: True and False are certain, None says that the reported value cannot tell.
"""

from __future__ import annotations

import math

from msgspec import Struct


COMPARATORS = ("<", "<=", ">", ">=")


class Interval(Struct, frozen=True, gc=False):
    """What a result says of the true value: `low` to `high`, each end included unless it is marked open."""

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False

    def __str__(self) -> str:
        if self.exact is not None:
            return f"{self.exact:g}"
        sign = ("<" if self.high_open else "<=") if math.isinf(self.low) else (">" if self.low_open else ">=")
        return f"{sign}{self.bound:g}"

    def below(self, cut: float) -> bool | None:
        """Is the value certainly less than `cut`?"""
        if self.high < cut or (self.high == cut and self.high_open):
            return True
        return False if self.low >= cut else None

    def above(self, cut: float) -> bool | None:
        """Is the value certainly more than `cut`?"""
        if self.low > cut or (self.low == cut and self.low_open):
            return True
        return False if self.high <= cut else None

    @property
    def exact(self) -> float | None:
        """The value, when a single number was reported."""
        return self.low if self.low == self.high else None

    @property
    def bound(self) -> float:
        """The number that was reported, whatever comparator stood before it."""
        return self.high if math.isinf(self.low) else self.low


def interval(value: float, comparator: str | None = None) -> Interval:
    """The interval a reported number and its FHIR comparator describe. Raises ValueError for any other comparator."""
    match comparator:
        case None:
            return Interval(value, value)
        case "<" | "<=":
            return Interval(-math.inf, value, high_open=comparator == "<")
        case ">" | ">=":
            return Interval(value, math.inf, low_open=comparator == ">")
    raise ValueError("unknown comparator")
