"""A running service, asked rightly and wrongly: what it answers to good calls, and how it refuses bad ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from hooks.ehr.prefetch import filled, from_resources
from hooks.examples import fixtures
from hooks.kit.inputs import resources_of
from hooks.kit.lintcards import lint_response
from hooks.kit.lintdiscovery import lint_discovery
from hooks.kit.requirements import Finding
from hooks.kit.services import Answer, Place, Session
from hooks.kit.signing import Sign


_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_TRACES = (b"Traceback (most recent", b"at java.", b"node_modules", b'File "/')
_AT_MOST_MS = 500
_UNSIGNED = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30."
_UUIDS = ("uuid",)
_BROWSER = "https://browser.example"

Requests = Mapping[str, list[tuple[str, dict[str, Any]]]]
"""Requests to try, with their names, by hook."""


def shipped(today: date) -> Requests:
    """The fixtures, moved to a day."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for fixture in fixtures():
        found.setdefault(fixture.request["hook"], []).append((fixture.name, fixture.on(today)))
    return found


class ServiceLint:
    """Everything that is asked of one service."""

    def __init__(self, session: Session, place: Place, requests: Requests, sign: Sign | None, browser: bool) -> None:
        """`sign`: where callers need a token. `browser`: is it asked for what clients in a browser need, too?"""
        self._session, self._place, self._requests, self._sign, self._browser = session, place, requests, sign, browser

    def findings(self, only: str | None = None) -> Iterator[Finding]:
        """All findings. `only`: the id of the one service that is asked. Raises Mistake where nobody answers."""
        url = self._place.discovery
        found = self._session.ask("GET", url, headers={"Accept": "application/json", **self._signed(url)})
        document = found.content()
        if found.status != 200:
            yield Finding("DISC-01", url, f"answers {found.status}; discovery must be there for everybody who may call.")
            return
        yield from _labelled(found, url)
        yield from lint_discovery(document)
        if self._session.ask("GET", url, headers={"Accept": "text/html", **self._signed(url)}).body != found.body:
            yield Finding("DISC-18", url, "is another one for a client that prefers HTML, or the second time.")
        if self._browser:
            yield from self._to_browsers(url, "GET", "CORS-01")
        services = document.get("services") if isinstance(document, dict) else None
        for service in services if isinstance(services, list) else ():
            if isinstance(service, dict) and isinstance(service.get("id"), str) and only in (None, service["id"]):
                yield from self._service(service)
        nowhere = self._post(self._place.service("there-is-no-such-service"), {})
        if nowhere.status not in (401, 404):
            yield Finding("CALL-02", f"{url}/there-is-no-such-service", f"is answered by {nowhere.status} instead of 404.")

    def _service(self, service: dict[str, Any]) -> Iterator[Finding]:
        url, tried = self._place.service(service["id"]), self._requests.get(str(service.get("hook")), [])
        good: dict[str, Any] | None = None
        lacking = 0
        for name, request in tried:
            sent = self._supplied(service, request)
            answer = self._post(url, sent)
            where = f"{url} ({name})"
            yield from _labelled(answer, where)
            if answer.status == 412:
                lacking += 1
                yield from _refusal(answer, where)
            elif answer.status != 200:
                yield Finding(
                    "DISC-05" if answer.status == 404 else "CALL-01", where, f"is answered by {answer.status}, not 200."
                )
                yield from _refusal(answer, where)
            else:
                good = good or sent
                yield from _at(where, lint_response(answer.content(), request))
                if answer.ms > _AT_MOST_MS:
                    yield Finding("CALL-08", where, f"took {answer.ms:.0f} ms; clients wait half a second.")
        if not tried:
            what = f"was not called: there is no request for {service.get('hook')}; give one by --request."
            yield Finding("CALL-01", url, what, unchecked=True)
        elif lacking == len(tried):
            what = "answered no request with 200, so its cards were not checked; give one by --request that it can answer."
            yield Finding("CALL-01", url, what, unchecked=True)
        if good is not None:
            yield from self._variations(url, good)
            yield from self._refusals(url, good)
        if self._browser:
            yield from self._to_browsers(url, "POST", "CORS-02")

    def _supplied(self, service: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        """The request with a prefetch under the keys of this service, from what it holds."""
        templates = service.get("prefetch")
        if not isinstance(templates, dict) or templates.keys() <= request.get("prefetch", {}).keys():
            return request
        held = [value for value in request.get("prefetch", {}).values() if value]
        resources = resources_of(json.dumps(held).encode(), "the prefetch") if held else []
        return {**request, "prefetch": filled(templates, request["context"], from_resources(resources)).values}

    def _variations(self, url: str, good: dict[str, Any]) -> Iterator[Finding]:
        """The same call said otherwise: it must be answered, and by the same cards."""
        first = _without_uuids(self._post(url, good).content())
        for identity, what, request, headers in (
            ("CALL-09", "the same call again", good, {}),
            ("CALL-04", "a media type with a charset", good, {"Content-Type": "application/json; charset=utf-8"}),
            ("VAL-03", "a hookInstance that is no UUID", {**good, "hookInstance": "4711"}, {}),
            ("VAL-07", "a member nobody knows", {**good, "orgExampleUnknown": {"a": 1}}, {}),
            ("EXT-01", "an extension", {**good, "extension": {"org.example.test": {"a": [1]}}}, {}),
        ):
            answer = self._post(url, request, headers)
            if answer.status != 200 or _without_uuids(answer.content()) != first:
                yield Finding(identity, url, f"{what} gets {answer.status} or other cards.")

    def _refusals(self, url: str, good: dict[str, Any]) -> Iterator[Finding]:
        """What is wrong must be refused, by a 4xx that says why."""

        def without(name: str) -> bytes:
            return _encoded({key: value for key, value in good.items() if key != name})

        no_patient = {**good, "context": {key: value for key, value in good["context"].items() if key != "patientId"}}
        for identity, what, body in (
            ("JSON-08", "broken JSON", b'{"hook":'),
            ("JSON-09", "an array", b"[]"),
            ("VAL-01", "a call without hook", without("hook")),
            ("VAL-02", "a call without hookInstance", without("hookInstance")),
            ("VAL-04", "a call without context", without("context")),
            ("VAL-05", "a context without patientId", _encoded(no_patient)),
        ):
            answer = self._send(url, body)
            yield from _refused(answer, identity, url, what)
        got = self._session.ask("GET", url, headers=self._signed(url))
        if got.status not in (401, 405):
            yield Finding("CALL-03", url, f"GET is answered by {got.status} instead of 405.")
        if self._sign is not None:
            for identity, what, headers in (
                ("SEC-03", "a call without a token", {}),
                ("SEC-06", "a token without a signature", {"Authorization": f"Bearer {_UNSIGNED}"}),
            ):
                answer = self._session.ask("POST", url, _encoded(good), {**_JSON, **headers})
                if answer.status != 401:
                    yield Finding(identity, url, f"{what} is answered by {answer.status} instead of 401.")

    def _to_browsers(self, url: str, method: str, identity: str) -> Iterator[Finding]:
        asked = {"Origin": _BROWSER, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "content-type"}
        allowed = self._session.ask("OPTIONS", url, headers=asked).headers.get("Access-Control-Allow-Origin")
        if allowed not in ("*", _BROWSER):
            yield Finding(identity, url, "lets no client in a browser call (no Access-Control-Allow-Origin on a preflight).")

    def _post(self, url: str, request: Any, headers: Mapping[str, str] | None = None) -> Answer:
        return self._send(url, _encoded(request), headers)

    def _send(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        return self._session.ask("POST", url, body, {**_JSON, **self._signed(url), **(headers or {})})

    def _signed(self, url: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._sign(url)}"} if self._sign is not None else {}


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _at(where: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Findings on a document, with whose answer it is."""
    return (found._replace(where=f"{where} {found.where}") for found in findings)


def _labelled(answer: Answer, where: str) -> Iterator[Finding]:
    """Is it JSON, and does it say so?"""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if answer.status == 200 and kind != "application/json":
        yield Finding("JSON-01", where, f"answers {kind or 'something unlabelled'} instead of application/json.")
    elif answer.status == 200 and answer.content() is None:
        yield Finding("JSON-01", where, "says that it is application/json, and is no JSON.")
    if 300 <= answer.status < 400:
        yield Finding("CALL-13", where, f"redirects ({answer.status}), which clients do not follow with their token.")


def _refused(answer: Answer, identity: str, where: str, what: str) -> Iterator[Finding]:
    if not 400 <= answer.status < 500:
        yield Finding(identity, where, f"{what} is answered by {answer.status} instead of 400.")
    yield from _refusal(answer, f"{where} ({what})")


def _refusal(answer: Answer, where: str) -> Iterator[Finding]:
    """How something is refused."""
    if any(trace in answer.body for trace in _TRACES):
        yield Finding("ERR-09", where, "tells a stack trace; say what is wrong with the request, and log the rest.")
    content = answer.content()
    if answer.status >= 400 and (not isinstance(content, dict) or content.get("resourceType") != "OperationOutcome"):
        yield Finding("ERR-05", where, f"is refused ({answer.status}) without an OperationOutcome that says why.")


def _without_uuids(content: Any) -> Any:
    """An answer without what may be new in every one."""
    return mapped(content, lambda name, value: None if name in _UUIDS else value)


def mapped(value: Any, change: Callable[[str, Any], Any], name: str = "") -> Any:
    """JSON content with every plain value changed by its name."""
    if isinstance(value, dict):
        return {key: mapped(item, change, key) for key, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, change, name) for item in value]
    return change(name, value)
