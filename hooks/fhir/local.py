"""What the data of one client means beyond the standards: its codes, what its results without a unit are in, its time zone."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from msgspec import Struct


class Local(Struct, frozen=True):
    """The agreements with one client, which somebody there has signed; nothing of it is ever guessed.

    `codes`: the value set that a code of its own belongs to, by (system, code). `units`: per analyte what a unit as it is spelt
    there means in UCUM; "" is a result without a unit. `zone`: where its days begin; None reads each day as it was written.
    """

    codes: Mapping[tuple[str, str], str] = {}
    units: Mapping[str, Mapping[str, str]] = {}
    zone: ZoneInfo | None = None


STANDARD = Local()
"""A client that keeps to the standards."""
