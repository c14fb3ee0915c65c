"""Several hooks under one id: the hook that the body names decides which service answers (CALL-07, STALE-01)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any

import msgspec

from cds.signed import Language
from hooks.engine import BYTE_ORDER_MARK, Answer, Engine
from hooks.services import Service
from hooks.trail import Trail


class _Envelope(msgspec.Struct):
    hook: Any = None


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
"""What needs no encoding in a URL (DISC-15)."""

_READ = msgspec.json.Decoder(_Envelope).decode


class Shared:
    """The engines of one id, as if they were one."""

    def __init__(self, engines: Iterable[Engine]) -> None:
        """`engines`: of one id, each of another hook."""
        self._by_hook = {engine.service.hook: engine for engine in engines}
        self._first = next(iter(self._by_hook.values()))
        self.service, self.library = self._first.service, self._first.library

    def answer(
        self,
        body: bytes,
        today: date | None = None,
        language: Language | None = None,
        iss: str | None = None,
        trail: Trail | None = None,
    ) -> Answer:
        """The cards of the hook in the body. What names none of ours is refused by the first, which says why."""
        try:
            hook = _READ(body.removeprefix(BYTE_ORDER_MARK)).hook
        except (msgspec.DecodeError, RecursionError):
            hook = None
        engine = self._by_hook.get(hook, self._first) if isinstance(hook, str) else self._first
        return engine.answer(body, today, language, iss, trail)


def by_id(engines: Iterable[Engine]) -> list[Engine | Shared]:
    """One for each id."""
    grouped = (list(same) for _, same in groupby(sorted(engines, key=_id), _id))
    return [same[0] if len(same) == 1 else Shared(same) for same in grouped]


def require_id(name: str) -> None:
    """Raises ValueError for what is no id of a service."""
    if not _ID.fullmatch(name) or name == "feedback":
        raise ValueError(f"{name!r} is no id that can stand in a URL as it is")


def renamed(services: Iterable[Service], ids: Mapping[str, str]) -> tuple[Service, ...]:
    """The services, some under other ids. `ids`: by hook. Raises ValueError for a hook nobody answers, or what is no id."""
    known = tuple(services)
    for hook, name in ids.items():
        if hook not in {service.hook for service in known}:
            raise ValueError(f"no service answers the hook {hook!r}")
        require_id(name)
    return tuple(replace(service, id=ids.get(service.hook, service.id)) for service in known)


def _id(engine: Engine) -> str:
    return engine.service.id
