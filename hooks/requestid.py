"""The id of the request that is being answered: on its answer, in the refusal, and in each line of its log (ERR-14)."""

from __future__ import annotations

import re
from contextvars import ContextVar
from random import getrandbits


request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Empty outside of requests."""

HARMLESS = r"[A-Za-z0-9._:-]{8,64}"
_is_harmless = re.compile(HARMLESS).fullmatch


def identified(header: str | None) -> str:
    """The id for a request: the gateway's own where it is harmless, else a new one, which is unlike others and no secret."""
    return header if header is not None and _is_harmless(header) else f"{getrandbits(128):032x}"
