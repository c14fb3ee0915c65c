"""What must hold of an answer: its cards, their sources, links and override reasons. Suggestions are in `lintactions`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from hooks.fhir.elements import objects
from hooks.kit.lintactions import lint_action, lint_suggestion
from hooks.kit.lintdocuments import HTML, blanks, said, strangers
from hooks.kit.requirements import Finding
from hooks.wire import is_web_address


_CARD = (
    "uuid",
    "summary",
    "detail",
    "indicator",
    "source",
    "suggestions",
    "selectionBehavior",
    "overrideReasons",
    "links",
)  # fmt: skip
_LOUDNESS = ("critical", "warning", "info")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LIMIT = 140


def lint_response(document: Any, request: dict[str, Any] | None = None) -> Iterator[Finding]:
    """All findings on an answer. `request`: what it answers, where that is known."""
    if not isinstance(document, dict) or not isinstance(document.get("cards"), list):
        yield Finding("RESP-01", "$", 'is no object with a list `cards`; answer {"cards": []} where there is nothing to say.')
        return
    yield from blanks(document)
    for name in document.keys() - {"cards", "systemActions", "extension"}:
        yield Finding("RESP-03", f"$.{name}", "is no member of an answer; leave it out.")
    patient = request["context"].get("patientId") if request is not None else None
    if "systemActions" in document:
        yield from _system_actions(document["systemActions"], patient)
    for place, card in enumerate(document["cards"]):
        where = f"$.cards[{place}]"
        if isinstance(card, dict):
            yield from strangers(card, _CARD, where)
            yield from _card(card, where, patient)
        else:
            yield Finding("RESP-01", where, "is no object; a card is one.")
    yield from _together([card for card in document["cards"] if isinstance(card, dict)])


def _together(cards: list[dict[str, Any]]) -> Iterator[Finding]:
    """What must hold of all cards together."""
    loud = [_LOUDNESS.index(card["indicator"]) for card in cards if card.get("indicator") in _LOUDNESS]
    if loud != sorted(loud):
        yield Finding("RESP-22", "$.cards", "are not sorted: the most urgent comes first.")
    yield from _repeated("RESP-13", "$.cards", (card.get("uuid") for card in cards), "uuid")
    uuids = (suggestion.get("uuid") for card in cards for suggestion in objects(card.get("suggestions")))
    yield from _repeated("SUG-02", "$.cards", uuids, "uuid of a suggestion")


def _repeated(identity: str, where: str, values: Iterable[Any], what: str) -> Iterator[Finding]:
    for value, times in Counter(value for value in values if isinstance(value, str)).items():
        if times > 1:
            yield Finding(identity, where, f"have the {what} {value} {times} times; give each its own.")


def _card(card: dict[str, Any], where: str, patient: Any) -> Iterator[Finding]:
    summary, detail = card.get("summary"), card.get("detail")
    if not isinstance(summary, str) or not summary.strip():
        yield Finding("RESP-04", f"{where}.summary", "is missing; say it in one line.")
    elif len(summary) >= _LIMIT or len(summary.splitlines()) > 1:
        yield Finding("RESP-04", f"{where}.summary", f"has {len(summary)} characters; keep to one line of less than {_LIMIT}.")
    if card.get("indicator") not in _LOUDNESS:
        yield Finding("RESP-05", f"{where}.indicator", f"is none of {', '.join(_LOUDNESS)}.")
    if detail is not None and not isinstance(detail, str):
        yield Finding("RESP-11", f"{where}.detail", "is no text; write Markdown.")
    elif detail is not None and (tag := HTML.search(detail)):
        yield Finding(
            "RESP-12", f"{where}.detail", f"holds HTML ({tag[0][:20]}); write Markdown, and escape what was in the request."
        )
    yield from _source(card.get("source"), f"{where}.source")
    if "uuid" in card and not (isinstance(card["uuid"], str) and _UUID.fullmatch(card["uuid"])):
        yield Finding("RESP-13", f"{where}.uuid", "is no UUID in small letters.")
    yield from _choosing(card, where)
    for place, suggestion in enumerate(objects(card.get("suggestions"))):
        yield from lint_suggestion(suggestion, f"{where}.suggestions[{place}]", patient)
    for place, reason in enumerate(objects(card.get("overrideReasons"))):
        lacking = [name for name in ("code", "system", "display") if not said(reason.get(name))]
        if lacking:
            yield Finding("RESP-18", f"{where}.overrideReasons[{place}]", f"lacks {', '.join(lacking)}.")
    codes = (reason.get("code") for reason in objects(card.get("overrideReasons")))
    yield from _repeated("RESP-19", f"{where}.overrideReasons", codes, "code")
    for place, link in enumerate(objects(card.get("links"))):
        yield from _link(link, f"{where}.links[{place}]")


def _choosing(card: dict[str, Any], where: str) -> Iterator[Finding]:
    """How suggestions are chosen."""
    suggestions, behaviour = card.get("suggestions"), card.get("selectionBehavior")
    if suggestions and behaviour is None:
        yield Finding("RESP-14", f"{where}.selectionBehavior", "is missing beside suggestions; say at-most-one or any.")
    elif behaviour is not None and not suggestions:
        yield Finding("RESP-16", f"{where}.selectionBehavior", "stands on a card without suggestions; leave it out.")
    if behaviour is not None and behaviour not in ("at-most-one", "any"):
        yield Finding("RESP-15", f"{where}.selectionBehavior", "is neither at-most-one nor any.")
    recommended = sum(suggestion.get("isRecommended") is True for suggestion in objects(suggestions))
    if behaviour == "at-most-one" and recommended > 1:
        yield Finding("RESP-17", f"{where}.suggestions", f"has {recommended} recommended, of which one may be chosen.")


def _source(source: Any, where: str) -> Iterator[Finding]:
    if not isinstance(source, dict) or not said(source.get("label")):
        yield Finding("RESP-06", f"{where}.label", "is missing; name the source of the guidance.")
        return
    yield from strangers(source, ("label", "url", "icon", "topic"), where)
    if "url" in source and not is_web_address(str(source["url"])):
        yield Finding("RESP-07", f"{where}.url", "is no absolute http(s) URL.")
    if "icon" in source and not is_web_address(str(source["icon"])):
        yield Finding("RESP-08", f"{where}.icon", "is no absolute http(s) URL.")
    topic = source.get("topic", {"code": "?", "system": "?"})
    if not isinstance(topic, dict) or not (said(topic.get("code")) and said(topic.get("system"))):
        yield Finding("RESP-09", f"{where}.topic", "is no coding with code and system.")


def _link(link: dict[str, Any], where: str) -> Iterator[Finding]:
    yield from strangers(link, ("label", "url", "type", "appContext", "autolaunchable"), where)
    lacking = [name for name in ("label", "url", "type") if not said(link.get(name))]
    if lacking:
        yield Finding("LINK-01", where, f"lacks {', '.join(lacking)}.")
    url = str(link.get("url", "https://"))
    if not url.startswith("https://"):
        yield Finding("LINK-02", f"{where}.url", "is no absolute https URL.")
    if link.get("type", "smart") not in ("absolute", "smart"):
        yield Finding("LINK-03", f"{where}.type", "is neither absolute nor smart.")
    if re.search(r"[?&](launch|iss)=", url):
        yield Finding("LINK-06", f"{where}.url", "brings launch or iss, which the client adds.")
    if "appContext" in link:
        if link.get("type") != "smart":
            yield Finding("LINK-04", f"{where}.appContext", "stands on a link that launches no SMART app.")
        if not isinstance(link["appContext"], str):
            yield Finding("LINK-05", f"{where}.appContext", "is no text; write what it holds as JSON in a text.")


def _system_actions(actions: Any, patient: Any) -> Iterator[Finding]:
    if not isinstance(actions, list) or not actions:
        yield Finding("SYS-03", "$.systemActions", "is no list with something in it; leave it out.")
        return
    for place, action in enumerate(actions):
        where = f"$.systemActions[{place}]"
        if not isinstance(action, dict):
            yield Finding("SYS-04", where, "is no action.")
            continue
        yield from lint_action(action, where, patient)
