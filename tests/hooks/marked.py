"""Every path of the service, run in this process on requests full of markers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any
from unittest.mock import patch

import jwt

from hooks.feedback.mounting import Kept
from hooks.feedback.store import StoreError
from tests.hooks.planting import CALLS, Planter
from tests.hooks.searching import ID, VIEW, Search
from tests.hooks.stub import HANG_UP, Asked, Behaviour, reply, stub
from tests.hooks.tokens import ENDPOINT, jwk, private_key


def calls(search: Search) -> None:
    """Each hook; each field in turn; what HTTP refuses; faults of ours."""
    client, planter = search.deployment("calls"), search.planter
    for hook in CALLS:
        for method in ("POST", "GET", "PUT"):
            search.run(f"{hook}, {method}", client, f"/cds-services/{ID[hook]}", method, json=planter.request(hook))
        sent = planter.request(hook)
        for changed in planter.each_in_turn(sent) if hook in search.hooks else ():
            search.run(f"{hook}, each field in turn nothing but a marker", client, f"/cds-services/{ID[hook]}", json=changed)
    whole = json.dumps(planter.request("patient-view"))
    json_type = {"Content-Type": "application/json"}
    search.run("broken JSON", client, VIEW, data=whole[:-9], headers=json_type)
    search.run("a member twice", client, VIEW, data=f'{{"hook": "{planter.marker("hook, twice")}",{whole[1:]}', headers=json_type)
    search.run("bottomless JSON", client, VIEW, data=whole[:-1] + ',"x":' + "[" * 100_000, headers=json_type)
    search.run("no Unicode", client, VIEW, data=whole.encode()[:-1] + b',"x":"\xff"}', headers=json_type)
    search.run("a list", client, VIEW, json=[json.loads(whole)])
    search.run("too large", client, VIEW, data=whole + " " * 1024 * 1024, headers=json_type)
    search.run("no JSON", client, VIEW, data=whole, headers={"Content-Type": f"text/plain; x={planter.marker('Content-Type')}"})
    search.run(
        "compressed", client, VIEW, data=whole, headers={**json_type, "Content-Encoding": planter.marker("Content-Encoding")}
    )
    for path, length in (("no length", ""), ("cut short", str(len(whole) + 1))):
        search.run(path, client, VIEW, data=whole, headers=json_type, environ_overrides={"CONTENT_LENGTH": length})
    search.run("another service", client, f"/cds-services/{planter.marker('the path')}", json=json.loads(whole))
    search.run("another page", client, f"/{planter.marker('the path')}/x", "GET")
    for page in ("/cds-services", "/rulebook", "/source-attributes", "/healthz", "/readyz", "/metrics"):
        search.run("pages", client, page, "GET")
    search.run("nothing supplied", client, VIEW, json={**planter.request("patient-view"), "prefetch": {}})
    search.collect(client, "calls")
    _faults(search)


def _faults(search: Search) -> None:
    """Rules, facts, readers and routes that raise what quotes the request."""
    planter = search.planter
    for place, broken in enumerate(("cds.rules.red_flags.potassium_red_flag", "cds.rules.high_dose.b12_duplicates")):
        module, _, name = broken.rpartition(".")
        with patch(broken, _raising(planter.marker("the message of an error"), __import__(module, fromlist=[name]), name)):
            client = search.deployment(f"fault {place}")
        search.run(f"fault in {name}", client, VIEW, json=planter.request("patient-view"))
        search.collect(client, f"fault {place}")
    client = search.deployment("faults")
    for broken in (
        "hooks.engine.unpack",
        "hooks.fhir.reader.Reader.chart",
        "hooks.cards.CardWriter.cards",
        "hooks.trail.Trail.fetched",
    ):
        with patch(broken, side_effect=ValueError(planter.marker("the message of an error"))):
            search.run(f"fault in {broken}", client, VIEW, json=planter.request("patient-view"))
    with patch("hooks.pages.Pages.rulebook", side_effect=ValueError(planter.marker("the message of an error"))):
        search.run("fault in a page", client, "/rulebook", "GET")
    with patch("os.write", side_effect=OSError(planter.marker("the message of an error"))):
        search.run("nothing can be recorded", client, VIEW, json=planter.request("patient-view"))
        search.run("nothing can be recorded", client, "/readyz", "GET")
    search.collect(client, "faults")


def _raising(message: str, module: Any, name: str) -> Callable[..., Any]:
    @wraps(getattr(module, name))
    def raising(*_: Any) -> Any:
        raise ValueError(message)

    return raising


def clients(search: Search) -> None:
    """Clients that are silent, off, or want a card instead of a 412."""
    for name, settled in (
        ("silent", {"mode": "silent"}),
        ("off", {"mode": "off"}),
        ("triggered", {"triggers": {"trigger": ["wanted"]}}),
        ("carded", {"on_missing": "card"}),
    ):
        client = search.deployment(name, [{"name": name, **settled}])
        sent = search.planter.request("patient-view")
        search.run(f"a client that is {name}", client, VIEW, json=sent)
        extension = {"trigger": search.planter.marker("extension.trigger")}
        search.run(f"a client that is {name}", client, VIEW, json={**sent, "extension": extension, "prefetch": {}})
        search.collect(client, name)
    two = [
        {"name": "one", "fhir": {"bases": ["https://one.example/fhir"]}},
        {"name": "two", "fhir": {"bases": ["https://two.example"]}},
    ]
    client = search.deployment("two clients", two)
    search.run("a client that is none of two", client, VIEW, json=search.planter.request("patient-view"))
    search.collect(client, "two clients")


def tokens(search: Search) -> None:
    """Tokens right and wrong: each claim and header member a marker, and the token itself."""
    planter, iss = search.planter, "https://ehr.example.org/fhir"
    (search.folder / "keys.json").write_text(json.dumps({"keys": [jwk()]}))
    trust = {"iss": [iss], "jwks_file": str(search.folder / "keys.json")}
    client = search.deployment("tokens", [{"name": "trusted", "trust": trust}])

    def call(path: str, body: Any, header: Mapping[str, Any] = {}, url: str = VIEW, **claims: Any) -> None:
        now = time.time()
        usual = {"iss": iss, "aud": ENDPOINT, "iat": now, "exp": now + 300, "jti": planter.marker("token.jti")}
        more = {
            "sub": planter.marker("token.sub"),
            "tenant": planter.marker("token.tenant"),
            "fhirUser": planter.marker("token.fhirUser"),
        }
        content = json.dumps({**usual, **more, **claims}).encode()
        made = jwt.PyJWS().encode(content, private_key("ES384", 0), "ES384", {"kid": "one", **header})
        planter.secrets.update(part.encode() for part in made.split("."))
        for _ in range(2):
            search.run(path, client, url, json=body, headers={"Authorization": f"Bearer {made}"})

    sent = planter.request("patient-view")
    call("a good token, and again", sent)
    for name in ("iss", "aud", "iat", "exp", "nbf", "jti"):
        marker = planter.marker(f"token.{name}")
        wrongs: tuple[Any, ...] = (marker, [marker], {marker: 1})
        for wrong in wrongs:
            call("a token with a wrong claim", sent, {}, VIEW, **{name: wrong})
    for name in ("kid", "jku", "typ", "crit", "x5u"):
        call("a token with a wrong header", sent, {name: planter.marker(f"token header {name}")})
    for credentials in (
        planter.marker("Authorization"),
        f"Basic {planter.marker('Authorization')}",
        f"Bearer {planter.marker('Authorization')}",
    ):
        search.run("no token", client, VIEW, json=sent, headers={"Authorization": credentials})
        search.run("no token", client, f"{VIEW}/feedback", json=_report(planter), headers={"Authorization": credentials})
    call("feedback with a token", _report(planter), url=f"{VIEW}/feedback")
    search.collect(client, "tokens")


def fetching(search: Search) -> None:
    """FHIR servers that fail in all ways, and say things that must not be repeated."""
    planter = search.planter
    said = planter.marker("what a FHIR server says")

    def answers(*parts: bytes | float) -> Behaviour:
        return lambda _: parts

    def sent_elsewhere(asked: Asked) -> Iterable[bytes]:
        return [reply(b"", "302 Found", Location=f"https://{said}.example{asked.target}")]

    outcome = json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": said}]}).encode()
    page = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": f"https://{said}.example/next"}]}
    behaviours = {
        **{
            f"it answers {status}": answers(reply(outcome, f"{status} {said}", X=said))
            for status in (401, 403, 404, 410, 429, 422, 500)
        },
        "it sends us elsewhere": sent_elsewhere,
        "it hangs up": answers(f"HTTP/1.1 200 {said}\r\n".encode(), HANG_UP),
        "it speaks no HTTP": answers(said.encode(), HANG_UP),
        "it is slow": answers(0.2, reply(outcome)),
        "it says too little": answers(reply(outcome, length=len(outcome) + 9), HANG_UP),
        "it answers HTML": answers(reply(f"<p>{said}</p>".encode(), Content_Type="text/html")),
        "its next page is elsewhere": answers(reply(json.dumps(page).encode())),
        "it answers an OperationOutcome": answers(reply(outcome)),
    }
    for place, (path, behave) in enumerate(behaviours.items()):
        with stub(behave) as server:
            profile = {"name": "fetching", "fhir": {"bases": [server.base], "deadline_ms": 100}}
            client = search.deployment(f"fetching {place}", [profile])
            sent = planter.request("patient-view")
            patient = {"patient": sent["prefetch"]["patient"]}
            for prefetch in ({}, patient):
                search.run(f"FHIR: {path}", client, VIEW, json={**sent, "fhirServer": server.base, "prefetch": prefetch})
            search.collect(client, f"fetching {place}")
    profile = {"name": "fetching", "fhir": {"bases": ["http://127.0.0.1:9/fhir"], "deadline_ms": 100}}
    client = search.deployment("fetching from nowhere", [profile])
    sent = planter.request("patient-view")
    for address in (
        "http://127.0.0.1:9/fhir",
        sent["fhirServer"],
        f"http://127.0.0.1:9/fhir/{planter.marker('fhirServer (path)')}",
    ):
        search.run("FHIR: nobody is there, or allowed", client, VIEW, json={**sent, "fhirServer": address, "prefetch": {}})
    search.collect(client, "fetching from nowhere")


def _report(planter: Planter) -> dict[str, Any]:
    """Feedback with a marker in every field."""
    reason = {name: planter.marker(f"overrideReason.reason.{name}") for name in ("code", "system", "display")}
    why = {"reason": reason, "userComment": planter.marker("overrideReason.userComment")}
    item = {
        "card": planter.marker("feedback.card"),
        "outcome": "overridden",
        "overrideReason": {**why, "extension": {"x": planter.marker("overrideReason.extension")}},
        "outcomeTimestamp": "2026-11-21T10:00:00Z",
        "extension": {"x": planter.marker("feedback.extension")},
        planter.marker("a name in feedback"): planter.marker("a member of feedback"),
    }
    accepted = {
        "card": planter.marker("feedback.card"),
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": planter.marker("acceptedSuggestions.id")}],
        "outcomeTimestamp": "2026-11-21T10:00:00Z",
    }
    return {"feedback": [item, accepted], planter.marker("a name beside feedback"): planter.marker("a member beside feedback")}


def feedback(search: Search) -> None:
    """Reports that are kept, refused, and cannot be stored."""
    made: list[Kept] = []

    class Remembered(Kept):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    with patch("hooks.feedback.mounting.Kept", Remembered):
        client, planter = search.deployment("feedback"), search.planter
    search.run("patient-view, POST", client, VIEW, json=planter.request("patient-view"))
    search.collect(client, "feedback")  # the spool still holds it, or the store has it by now
    url = f"{VIEW}/feedback"
    search.run("feedback", client, url, json=_report(planter))
    for changed in planter.each_in_turn(_report(planter)):
        search.run("feedback, each field in turn nothing but a marker", client, url, json=changed)
    search.run(
        "feedback, broken", client, url, data=json.dumps(_report(planter))[:-3], headers={"Content-Type": "application/json"}
    )
    search.run("feedback, no JSON", client, url, data=json.dumps(_report(planter)))
    search.run("feedback, GET", client, url, "GET")
    for kind in (OSError, lambda message: StoreError(OSError(message))):
        with patch.object(made[0].store, "_open", side_effect=kind(planter.marker("the message of an error"))):
            search.run("feedback that cannot be stored", client, url, json=_report(planter))
            search.run("feedback that cannot be stored", client, "/readyz", "GET")
            made[0].recorder.round()
    made[0].recorder.round()
    search.collect(client, "feedback")
    made[0].recorder.close()
