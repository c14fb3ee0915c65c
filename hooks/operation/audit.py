"""One record per call, append-only: who asked what, which rules answered from which knowledge. No clinical value is in it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from errno import ENOSPC
from http import HTTPStatus
from pathlib import Path

import msgspec
from msgspec import Struct

from hooks.feedback.entries import Keys, client_of
from hooks.operation.logs import now
from hooks.requestid import request_id
from hooks.resting import Resting
from hooks.sharedfile import require_room
from hooks.trail import Trail


class Record(Struct, frozen=True, omit_defaults=True):
    """What is kept of one call (OPS-01). What the request did not give is left out.

    `client`: by the name of its profile; iss, tenant, token: of the caller's token, the last being its `jti`. `user`, `patient`:
    pseudonyms, the same for the same person within one deployment. `hookInstance` and `token` are kept as sent where they are
    UUIDs, else as pseudonyms. `advice`: rule and key of each advice that was given, `silent` those that nobody was shown,
    `held_back` those beyond the number of cards, `resting` those held back from this user, and why. `cards`: the keys of their
    cards, as in the feedback store. `prefetch`: the state of each key as the client sent it, `fetched`: what its FHIR server
    brought beside it. `ms`: the time of each phase.
    """

    time: str
    request: str
    service: str
    status: int
    hook: str | None = None
    hookInstance: str | None = None
    client: str | None = None
    iss: str | None = None
    tenant: str | None = None
    token: str | None = None
    user: str | None = None
    patient: str | None = None
    advice: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    resting: Mapping[str, str] = {}
    prefetch: Mapping[str, str] = {}
    fetched: Mapping[str, str] = {}
    knowledge: str | None = None
    ms: Mapping[str, float] = {}


_UUID = re.compile(r"(?i)(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def record_of(trail: Trail, service: str, status: int, seconds: Mapping[str, float], keys: Keys) -> Record:
    """The record of a call that has just ended."""
    caller, request, context, decision = trail.caller, trail.request, trail.context, trail.decision
    client = client_of(caller)
    said = decision if status == HTTPStatus.OK else None
    given = tuple(one.named for one in said.statements) if said is not None else ()
    kept_silent = tuple(one.named for one in said.silent) if said is not None else ()
    return Record(
        time=now(),
        request=request_id.get(),
        service=service,
        status=status,
        hook=request.hook if request is not None else None,
        hookInstance=_plain(keys, "instance", client, request.hookInstance) if request is not None else None,
        client=trail.client,
        iss=caller.iss if caller is not None else None,
        tenant=caller.tenant if caller is not None else None,
        token=_plain(keys, "token", client, caller.jti) if caller is not None and caller.jti is not None else None,
        user=keys.key("user", client, context.userId) if context is not None and context.userId else None,
        patient=keys.key("patient", client, context.patientId) if context is not None else None,
        advice=() if trail.silent else given,
        cards=() if trail.silent else tuple(keys.card(client, service, card.uuid) for card in trail.cards),
        silent=(*given, *kept_silent) if trail.silent else kept_silent,
        held_back=tuple(one.named for one in said.held_back) if said is not None else (),
        resting={one.statement.named: _why(one) for one in trail.view.resting} if said is not None else {},
        prefetch=trail.prefetched(),
        fetched=trail.fetched(),
        knowledge=decision.library.version if decision is not None else None,
        ms={phase: round(spent * 1000, 3) for phase, spent in seconds.items()},
    )


def _why(rest: Resting) -> str:
    return (
        f"held back until {rest.until.isoformat(timespec='seconds')}: {rest.because}{f', {rest.reason}' if rest.reason else ''}"
    )


def _plain(keys: Keys, kind: str, client: str, identity: str) -> str:
    """What is random by its form is kept as it is; anything else might have been made from somebody's name or number."""
    return identity if _UUID.fullmatch(identity) else keys.key(kind, client, identity)


class AuditLog:
    """Records as JSON lines in a file that all workers append to.

    A line is handed to the operating system whole and before the answer leaves: a worker that dies loses no answered call. What
    the machine had not yet written when its power failed may be lost.
    """

    def __init__(self, file: Path) -> None:
        """Raises OSError where the file cannot be appended to: a service that cannot keep its record does not start."""
        self._file = file
        self.check()

    def check(self) -> None:
        """Raises OSError where the file cannot be appended to."""
        os.close(self._open())
        require_room(self._file)

    def keep(self, record: Record) -> None:
        """Append one record. Raises OSError. The file is opened each time, so that a rotated one is not written to any more."""
        line = msgspec.json.encode(record) + b"\n"
        descriptor = self._open()
        try:
            if (written := os.write(descriptor, line)) != len(line):
                self._take_back(descriptor, written)
                raise OSError(ENOSPC, "the disk is full")
        finally:
            os.close(descriptor)

    @staticmethod
    def _take_back(descriptor: int, written: int) -> None:
        """Cut off the part of a line that was written, or the next record would be lost in it. Not where another follows it."""
        end = os.lseek(descriptor, 0, os.SEEK_CUR)
        if os.fstat(descriptor).st_size == end:
            os.ftruncate(descriptor, end - written)

    def _open(self) -> int:
        return os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
