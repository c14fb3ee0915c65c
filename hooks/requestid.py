"""The id of the request that is being answered: on its answer, in the refusal, and in each line of its log (ERR-14)."""

from __future__ import annotations

import re
from contextvars import ContextVar
from random import getrandbits


request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Empty outside of requests."""

_HARMLESS = re.compile(r"[A-Za-z0-9._:-]{8,64}")


def identified(header: str | None) -> str:
    """The id for a request: the gateway's own where it is harmless, else a new one, which is unlike others and no secret."""
    return header if header is not None and _HARMLESS.fullmatch(header) else f"{getrandbits(128):032x}"
