"""What the reasons of each client for overriding a card mean in our codes."""

from __future__ import annotations

from collections.abc import Iterable

from hooks.cards import OVERRIDE_SYSTEM
from hooks.feedback.entries import ANYBODY, Event, Report
from hooks.profiles import Profile


class Reasons:
    """Reads the reason of a report: ours as it is, one of the client's own as its profile explains it (`override_reasons`)."""

    def __init__(self, clients: Iterable[Profile] = ()) -> None:
        """`clients`: of the deployment. Where there is one, whoever proves nothing speaks as it does."""
        known = list(clients)
        self._of = {name: profile.override_reasons for profile in known for name in profile.trust.names}
        if len(known) == 1:
            self._of[ANYBODY] = known[0].override_reasons

    def ours(self, report: Event | Report) -> str | None:
        """Our code; None where the card was not overridden, or nobody has said what the reason means."""
        code, system = report.reason_code, report.reason_system
        if report.outcome != "overridden" or code is None:
            return None
        if system == OVERRIDE_SYSTEM:
            return code
        issuer, _, _ = report.client.partition("#")  # a tenant has the reasons of its issuer
        agreed = self._of.get(report.client) or self._of.get(issuer, {})
        return agreed.get(code, code) if system is None else agreed.get(f"{system}|{code}")
