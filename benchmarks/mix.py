"""The requests of a busy day, right and wrong: all hooks, large and small, feedback, discovery; each signed anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmarks.bodies import body
from benchmarks.servers import JSON
from benchmarks.tokens import Signer
from hooks.examples import fixtures
from hooks.services import MEDICATION_REFILL, ORDER_SIGN, PATIENT_VIEW, service_of


ALGORITHMS = ("ES384", "RS384")
LARGE = 200
CARDS_KEPT = 50


class Sent(NamedTuple):
    """One request: what kind it is, the status that is right for it, and what goes over the wire."""

    kind: str
    right: int
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})


class Mix:
    """Draws requests by chance, and learns from answers which cards there are to report on."""

    def __init__(self, signer: Signer, seed: int, today: date) -> None:
        """The same seed draws the same requests."""
        self._signer, self._chance = signer, Random(seed)  # noqa: S311 - chance that can be repeated, and no secret
        self._calls = _all_calls(today)
        self._last: Sent | None = None
        self._cards: list[tuple[str, dict[str, Any]]] = []
        self._draws: list[Callable[[], Sent]] = [self._call, self._feedback, self._read, self._wrong]

    def draw(self) -> Sent:
        """The next request."""
        (make,) = self._chance.choices(self._draws, (80, 8, 4, 8))
        return make()

    def learn(self, sent: Sent, answer: bytes) -> None:
        """Keep the cards of an answer for feedback."""
        if sent.kind.startswith("call"):
            self._cards += [(sent.path, card) for card in json.loads(answer)["cards"]]
            del self._cards[:-CARDS_KEPT]

    def _call(self) -> Sent:
        kind, path, content = self._chance.choice(self._calls)
        self._last = Sent(f"call, {kind}", 200, "POST", path, content, self._signed(path))
        return self._last

    def _feedback(self) -> Sent:
        if not self._cards:
            return self._call()
        path, card = self._chance.choice(self._cards)
        item: dict[str, Any] = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": datetime.now(UTC).isoformat()}
        if suggestions := card.get("suggestions"):
            item |= {"outcome": "accepted", "acceptedSuggestions": [{"id": self._chance.choice(suggestions)["uuid"]}]}
        content = json.dumps({"feedback": [item]}).encode()
        return Sent("feedback", 200, "POST", f"{path}/feedback", content, self._signed(path))

    def _read(self) -> Sent:
        path = self._chance.choice(("/cds-services", "/healthz", "/source-attributes"))
        return Sent("discovery and health", 200, "GET", path)

    def _wrong(self) -> Sent:
        _, path, content = self._chance.choice(self._calls)
        signed = self._signed(path)
        bare = json.dumps({**json.loads(content), "prefetch": {}}).encode() if len(content) < 100_000 else b"{"
        wrong: list[tuple[int, str, bytes, Mapping[str, str]]] = [
            (401, path, content, JSON),
            (401, path, content, JSON | {"Authorization": f"Bearer {'x' * 200}"}),
            (401, path, content, self._signed("/cds-services/another")),
            (400, path, content[: len(content) // 2], signed),
            (400, path, json.dumps({**json.loads(content), "hook": "other"}).encode(), signed),
            (415, path, content, signed | {"Content-Type": "text/plain"}),
            (404, f"{path}-not", content, signed),
            (412 if bare != b"{" else 400, path, bare, signed),
        ]
        if self._last is not None:
            wrong.append((401, self._last.path, self._last.body, self._last.headers))
        right, where, what, headers = self._chance.choice(wrong)
        return Sent(f"wrong, {right}", right, "POST", where, what, headers)

    def _signed(self, path: str) -> dict[str, str]:
        return JSON | {"Authorization": f"Bearer {self._signer.token(self._chance.choice(ALGORITHMS), path)}"}


@cache
def _all_calls(today: date) -> tuple[tuple[str, str, bytes], ...]:
    return tuple(_calls(today))


def _calls(today: date) -> Iterator[tuple[str, str, bytes]]:
    """Every fixture as it is sent today, and some with a long history. No fixture is a refill: signed orders serve as one."""
    for known in fixtures():
        sent, hook = known.on(today), known.request["hook"]
        yield "small", _path(hook), json.dumps(sent).encode()
        if hook == ORDER_SIGN.hook:
            context = {**sent["context"], "medications": sent["context"]["draftOrders"]}
            refill = {**sent, "hook": MEDICATION_REFILL.hook, "context": context}
            yield "small", _path(MEDICATION_REFILL.hook), json.dumps(refill).encode()
        if hook == PATIENT_VIEW.hook and "labs" in sent["prefetch"] and all(sent["prefetch"].values()):
            yield "large", _path(hook), body(known.name, LARGE, today)


def _path(hook: str) -> str:
    return f"/cds-services/{service_of(hook).id}"
