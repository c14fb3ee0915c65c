"""Which of our languages a client asks for."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from cds.signed import Language


SPOKEN: dict[str, Language] = {"en": "en", "zh-CN": "zh-CN", "zh-Hans": "zh-CN", "zh": "zh-CN"}
"""Our languages by the names clients ask for them."""

_LONGEST_HEADER = 200


def accepted(header: str | None) -> Language | None:
    """The language an Accept-Language header asks for first; None where it does not say, or accepts none of ours."""
    return _accepted(header[:_LONGEST_HEADER]) if header else None


@lru_cache(maxsize=256)
def _accepted(header: str) -> Language | None:
    best = parse_accept_header(header, LanguageAccept).best_match(SPOKEN)
    return SPOKEN[best] if best is not None else None
