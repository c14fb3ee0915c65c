"""Treatment that does not do what it should (C9). New signs of nerves speak in red_flags.py, a B12 still low in regimen.py."""

from __future__ import annotations

from cds.advice import Advice, OrderTests
from cds.facts.response import Response


def b12_response(response_speaks: bool, response: Response | None, response_tests: tuple[str, ...]) -> Advice | None:
    """One card per way to fail; who responds gets a line on the follow-up card, and no card."""
    if not response_speaks or response is None:
        return None
    return Advice(response, (OrderTests(response_tests),) if response_tests else ())
