"""Is the service fit to be sent calls? Reasons against it hold no secret, and name no client: anybody may ask."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from hooks.trust.keysets import KeySet


_LOG = logging.getLogger("cobalamin")

REMEMBERED_S = 30
"""So long it is remembered how what is only useful does: to find it away may take seconds, in which nobody is answered."""

Check = Callable[[], None]
"""Raises where something is not as it must be."""


class Readiness:
    """What is asked of a service that takes calls. The knowledge is loaded, else nobody could ask."""

    def __init__(self, needed: Mapping[str, Check], useful: Mapping[str, Check], key_sets: Mapping[str, KeySet]) -> None:
        """`needed`: checks without which calls should go elsewhere, by what they are of; `useful`: only told of.

        `key_sets`: by issuer. As long as any has keys, its client can call, so only if none has any should calls go elsewhere.
        """
        self._needed, self._useful, self._key_sets = needed, useful, key_sets
        self._amiss: list[str] = []
        self._asked: float | None = None

    def reasons(self) -> tuple[list[str], list[str]]:
        """Why calls should go elsewhere, and what else is amiss."""
        if self._asked is None or time.monotonic() - self._asked >= REMEMBERED_S:
            self._amiss, self._asked = self._failing(self._useful), time.monotonic()
        against, amiss = self._failing(self._needed), self._amiss[:]
        without = [issuer for issuer, keys in self._key_sets.items() if not keys.at_hand()]
        if without:
            _LOG.warning("no keys to check tokens with, of %s", ", ".join(without))
            (against if len(without) == len(self._key_sets) else amiss).append(
                f"no keys of {len(without)} of {len(self._key_sets)} issuers of tokens; the log names them"
            )
        return against, amiss

    def _failing(self, checks: Mapping[str, Check]) -> list[str]:
        return [f"{what}: {failure}" for what, check in checks.items() if (failure := _failure(check))]


def _failure(check: Check) -> str:
    """The kind of failure; empty where there is none. Its text may name files, hosts and users."""
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
        return getattr(error, "kind", type(error).__name__)
    return ""
