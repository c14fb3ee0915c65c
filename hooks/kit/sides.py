"""Two services to compare: a policy without a server, a running service, or answers that were saved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import requests

from cds.signed import Language
from hooks.examples import moved_by, written_for
from hooks.fhir.elements import objects
from hooks.kit.deciding import Policy
from hooks.kit.inputs import object_of
from hooks.kit.services import Session, place_of, service_for
from hooks.kit.showing import cards_of, outcome_lines
from hooks.mistakes import Mistake


Answers = Callable[[str, dict[str, Any]], dict[str, Any]]
"""The answer to a request by its name: a status, and cards or issues."""

DEFAULT = "default"


def is_service(where: str | None) -> bool:
    """Is it the address of one?"""
    return where is not None and where.lower().startswith(("http://", "https://"))


def side(where: str, clients: Iterable[str] = (), language: Language = "en", moved: bool = False) -> Answers:
    """What answers: a URL, saved answers (*.json), a site policy (*.yaml), or the default policy. Raises Mistake.

    `language`: that of the cards, whatever the policy's own is, as cards in two languages cannot be compared. `moved`: decide
    as on this day, as the other side does, which is a running service.
    """
    if is_service(where):
        return _of_service(where, language)
    if where.endswith(".json"):
        return _saved(Path(where))
    policy = Policy(None if where == DEFAULT else Path(where), clients)

    def answers(_: str, request: dict[str, Any]) -> dict[str, Any]:
        today = date.today()
        day = today if moved else written_for(request) or today
        return {**policy.cards(_today(request) if moved else request, day, language), "day": day.isoformat()}

    return answers


def _today(request: dict[str, Any]) -> dict[str, Any]:
    """The request with its dates moved, if it says for which day it was written."""
    day = written_for(request)
    moved: dict[str, Any] = request if day is None else moved_by(request, date.today() - day)
    return moved


def _of_service(url: str, language: Language) -> Answers:
    """A running service decides as on its own day: a recorded request is moved there."""
    session, place = Session(url), place_of(url)
    listed = session.services(place)

    def answers(_: str, request: dict[str, Any]) -> dict[str, Any]:
        sent, day = _today(request), date.today().isoformat()
        service = service_for(listed, request["hook"], place.id)
        headers = {"Content-Type": "application/json", "Accept-Language": language}
        answer = session.ask("POST", place.service(service["id"]), json.dumps(sent).encode(), headers)
        content = answer.content()
        if answer.status == requests.codes.ok:
            cards = cards_of(content)
            return {"status": 200, "cards": cards, "day": day} if cards is not None else {"status": "200 without cards"}
        return {"status": answer.status, "issues": list(outcome_lines(content)), "day": day}

    return answers


def _saved(path: Path) -> Answers:
    try:
        saved = object_of(path.read_bytes(), str(path), "answers that `cobalamin replay --save` wrote")
    except OSError as error:
        raise Mistake(f"{path} cannot be read ({error.strerror}); write it with `cobalamin replay --save`.") from None

    def answers(name: str, _: dict[str, Any]) -> dict[str, Any]:
        found = saved.get(name)
        return found if isinstance(found, dict) else {"status": "no saved answer"}

    return answers


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What differs between two answers, a line each; the ids of cards and suggestions are new each time and do not count."""
    if one.get("status") != other.get("status") or one.get("issues") != other.get("issues"):
        return [f"answer: {_refused(one)} -> {_refused(other)}"]
    if one.get("day", other.get("day")) != other.get("day", one.get("day")):
        return [f"day: {one['day']} -> {other['day']}; answers of two days cannot be compared, so save them anew on the same"]
    before, after = _by_topic(one), _by_topic(other)
    lines = [f"- {_headline(before[topic])}" for topic in before if topic not in after]
    lines += [f"+ {_headline(after[topic])}" for topic in after if topic not in before]
    for topic, card in before.items():
        if topic in after:
            lines += [f"~ {topic}: {line}" for line in _changes(card, after[topic])]
    if not lines and list(before) != list(after):
        lines.append(f"order: {', '.join(before)} -> {', '.join(after)}")
    return lines


def _refused(answer: dict[str, Any]) -> str:
    said = "; ".join(answer.get("issues", ()))
    return f"{answer.get('status')}{f' ({said})' if said else ''}"


def _by_topic(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Cards by what they are about; two of one topic are told apart by their place."""
    found: dict[str, dict[str, Any]] = {}
    for place, card in enumerate(objects(answer.get("cards"))):
        source = card.get("source")
        topic = source.get("topic") if isinstance(source, dict) else None
        name = str(topic.get("code")) if isinstance(topic, dict) else str(card.get("summary"))
        found[name if name not in found else f"{name} ({place})"] = card
    return found


def _headline(card: dict[str, Any]) -> str:
    return f"{card.get('indicator')}: {card.get('summary')}"


def _changes(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    lines = []
    for name in dict.fromkeys((*one, *other)):
        before, after = _without_uuids(one.get(name)), _without_uuids(other.get(name))
        if name == "uuid" or before == after:
            continue
        if name == "detail":
            was, now = str(before).splitlines(), str(after).splitlines()
            lines += [f"detail - {line}" for line in was if line not in now] + [
                f"detail + {line}" for line in now if line not in was
            ]
        elif name == "suggestions":
            lines.append(f"suggestions {_labels(before)} -> {_labels(after)}")
        else:
            lines.append(f"{name} {json.dumps(before, ensure_ascii=False)} -> {json.dumps(after, ensure_ascii=False)}")
    return lines


def _labels(suggestions: Any) -> str:
    return "; ".join(str(suggestion.get("label")) for suggestion in objects(suggestions)) or "none"


def _without_uuids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_uuids(item) for name, item in value.items() if name != "uuid"}
    return [_without_uuids(item) for item in value] if isinstance(value, list) else value
