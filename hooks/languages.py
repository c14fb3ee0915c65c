"""Which of our languages a client asks for."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from cds.signed import Language


_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})
"""Subtags of Chinese as we do not write it."""

_LONGEST_HEADER = 200


def accepted(header: str | None) -> Language | None:
    """The language an Accept-Language header asks for; None where it does not say, or accepts none of ours."""
    return _accepted(header[:_LONGEST_HEADER]) if header else None


@lru_cache(maxsize=256)
def _accepted(header: str) -> Language | None:
    """The first of ours in the order of preference. Werkzeug's own match would rather have a plain tag than a preferred one."""
    for tag, quality in parse_accept_header(header, LanguageAccept):
        primary, *others = tag.lower().replace("_", "-").split("-")
        if quality <= 0 or (primary == "zh" and "hans" not in others and _TRADITIONAL.intersection(others)):
            continue
        if primary in ("en", "zh"):
            return "en" if primary == "en" else "zh-CN"
    return None
