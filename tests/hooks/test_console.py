"""What was concluded and is on no card, in words for a terminal."""

from __future__ import annotations

from hooks.console import not_shown


def test_everything_that_was_concluded_says_why_it_is_on_no_card() -> None:
    snoozed = {"advice": "b/y", "because": "snoozed", "until": "2026-12-01T09:00:00+00:00", "reason": "later"}
    repeated = {"advice": "c/z", "because": "repeated", "until": "2026-12-02T09:00:00+00:00"}
    decision = {"held_back": ["a/x"], "resting": [snoozed, repeated], "silent": ["d/w"]}
    assert list(not_shown(decision)) == [
        ("a/x", "beyond the number of cards that are shown"),
        ("b/y", "held back until 2026-12-01T09:00:00+00:00, overridden by this user (later)"),
        ("c/z", "held back until 2026-12-02T09:00:00+00:00, shown in this encounter"),
        ("d/w", "silent by the site's policy"),
    ]
