"""The feedback endpoint of each service, as plain WSGI. An answer of 200 means that it is stored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec.structs import astuple, replace

from hooks.calls import Wsgi, read_body, require_json
from hooks.errors import RequestError
from hooks.feedback.entries import Event, Keys, client_of
from hooks.feedback.recorder import now
from hooks.feedback.store import Store, StoreError
from hooks.feedback.wire import AWAY, Item, items
from hooks.replies import Reply, answered, failed, no_route, refused
from hooks.services import Service
from hooks.trust.gate import Door


_LOG = logging.getLogger("cobalamin")

LIMIT = 1024 * 1024
"""The largest body in bytes: some thousands of cards."""

_json = msgspec.json.Encoder(order="sorted").encode


class Endpoint:
    """Takes the feedback on all services, and leaves everything else to the application behind it."""

    def __init__(
        self,
        behind: Wsgi,
        services: Iterable[Service],
        store: Store,
        keys: Keys,
        told: Callable[[list[Event]], None],
        gate: Door | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`told`: of what is stored. `gate`: who may call, as at the services, by a token for service or endpoint (AMB-15)."""
        self._told = told
        self._behind, self._store, self._keys, self._gate, self._clock = behind, store, keys, gate, clock
        self._services = {
            f"/cds-services{before}{service.id}/feedback{after}": service.id
            for service in services
            for before in ("/", "//")
            for after in ("", "/")
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, as a WSGI server hands it over."""
        service = self._services.get(environ.get("PATH_INFO", ""))
        if service is None:
            return self._behind(environ, start_response)
        return self._reply(service, environ).send(start_response)

    def _reply(self, service: str, environ: dict[str, Any]) -> Reply:
        if environ["REQUEST_METHOD"] != "POST":
            return no_route(HTTPStatus.METHOD_NOT_ALLOWED, [("Allow", "POST")])
        try:
            path = f"/cds-services/{service}"
            caller = self._gate.admit(environ, [path, f"{path}/feedback"]) if self._gate is not None else None
            require_json(environ)
            reported, client, at = items(read_body(environ, LIMIT)), client_of(caller), self._clock()
            events = [self._event(client, service, item, at) for item in reported]
            self._store.add(events)
            self._told(events)
            return answered({"received": len(reported)})
        except RequestError as error:
            return refused(error)
        except StoreError as error:
            _LOG.error("feedback is not stored: %s", error.kind)
            return refused(RequestError(HTTPStatus.SERVICE_UNAVAILABLE, [AWAY]))
        except Exception as error:  # noqa: BLE001 - a fault must leave as an OperationOutcome
            return failed(error)

    def _event(self, client: str, service: str, item: Item, at: datetime) -> Event:
        """What is kept of one item. Ids of cards and suggestions become keys: they may be made from ids of patients."""
        why, key = item.why, self._keys.key
        coded = why.coded() if why is not None else None
        extensions = {"overrideReason": why.extension if why is not None else None, "item": item.extension}
        chosen = sorted({key("suggestion", client, service, suggestion.id) for suggestion in item.acceptedSuggestions or ()})
        event = Event(
            digest="",
            card_key=self._keys.card(client, service, item.card),
            client=client,
            service=service,
            outcome=item.outcome,
            accepted=_text(chosen),
            reason_code=coded.code if coded is not None else None,
            reason_system=coded.system if coded is not None else None,
            reason_display=coded.display if coded is not None else None,
            comment=why.userComment if why is not None else None,
            extension=_text({name: extension for name, extension in extensions.items() if extension}),
            outcome_at=item.outcomeTimestamp,
            received_at=at,
        )
        return replace(event, digest=key("event", _json(astuple(event)[1:-1]).decode()))  # all that was reported


def _text(content: Any) -> str | None:
    """As JSON; None where there is nothing."""
    return _json(content).decode() if content else None
