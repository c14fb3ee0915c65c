"""What is kept: a card as it was shown, and an event that a client reported; and the pseudonyms both are kept under."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Literal

from msgspec import Struct

from hooks.trust.tokens import Caller


State = Literal["shown", "held_back", "snoozed", "repeated", "silent"]
"""What became of an advice: on a card, beyond the number of cards that are shown, held back from a user who overrode it or was
shown it in this encounter, or recorded only (silent mode)."""

Outcome = Literal["accepted", "overridden"]

ANYBODY = "anybody"
"""The client that a caller without a token is kept under."""


class Firing(Struct, frozen=True):
    """One rule that spoke in one answer. Nothing in it is clinical, and nobody is named: a key is a pseudonym.

    client: whom the answer went to. knowledge: the version of the content. at: when, in UTC. user_key: None where nobody asked.
    question: the same for the same patient, advice, inputs and knowledge; None of what was recorded before there was one.
    """

    card_key: str
    patient_key: str
    user_key: str | None
    client: str
    service: str
    rule: str
    advice: str
    topic: str
    indicator: str
    knowledge: str
    state: State
    shown_at: datetime
    question: str | None = None


class Event(Struct, frozen=True):
    """One thing a client reported of one card, whether we know the card or not.

    digest: of all that was reported, so that a repeat is known as one. accepted: keys of suggestions, as JSON. comment: free text
    that may name anybody. extension: what the client added, as JSON. Times are UTC.
    """

    digest: str
    card_key: str
    client: str
    service: str
    outcome: Outcome
    accepted: str | None
    reason_code: str | None
    reason_system: str | None
    reason_display: str | None
    comment: str | None
    extension: str | None
    outcome_at: datetime
    received_at: datetime


class Report(Struct, frozen=True):
    """What one user said of one question on a card, as far as it matters for whether the question is asked again."""

    question: str
    user_key: str
    client: str
    outcome: Outcome
    reason_system: str | None
    reason_code: str | None
    outcome_at: datetime
    received_at: datetime


class Keys:
    """Pseudonyms: HMAC-SHA256 with the deployment's salt. Who has not got it cannot tell whose they are, nor make them."""

    def __init__(self, salt: str) -> None:
        """`salt`: kept secret, and kept: with another one, the same patient gets another key."""
        self._salt = salt.encode()

    def key(self, kind: str, *parts: str) -> str:
        """The pseudonym of what `parts` name, as 32 hexadecimal digits; of another kind, or of other parts, it is another."""
        said = "".join(f"{len(part)}|{part}" for part in (kind, *parts))
        return hmac.digest(self._salt, said.encode("utf-8", "surrogatepass"), "sha256")[:16].hex()

    def card(self, client: str, service: str, uuid: str) -> str:
        """The key of a card. A client reports on its own cards only, and at the service that gave them."""
        return self.key("card", client, service, uuid)


def client_of(caller: Caller | None) -> str:
    """The name that what a caller is told and reports is kept under: its issuer, and its tenant where the issuer has several."""
    if caller is None:
        return ANYBODY
    return caller.iss if caller.tenant is None else f"{caller.iss}#{caller.tenant}"
