"""Answers of any service at a terminal: what is odd about a card of somebody else must not keep it from being seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from hooks.console import COLOURS, card_panel
from hooks.fhir.elements import objects, text


_VERBS = ("create", "update", "delete")


def print_cards(out: Console, response: Any) -> None:
    """The cards of a response."""
    cards = list(objects(response.get("cards"))) if isinstance(response, dict) else []
    for card in cards:
        out.print(card_panel(_whole(card)))
    if not cards:
        out.print("No card.")


def _whole(card: dict[str, Any]) -> dict[str, Any]:
    """A card with everything that our own always have."""
    source, indicator = card.get("source"), text(card.get("indicator"))
    return {
        "summary": text(card.get("summary")) or "(no summary)",
        "detail": text(card.get("detail")),
        "indicator": indicator if indicator in COLOURS else "info",
        "source": {"label": text(source.get("label")) if isinstance(source, dict) else ""},
        "suggestions": [_suggestion(suggestion) for suggestion in objects(card.get("suggestions"))],
        "overrideReasons": [{"display": text(reason.get("display"))} for reason in objects(card.get("overrideReasons"))],
    }


def _suggestion(suggestion: dict[str, Any]) -> dict[str, Any]:
    actions = [
        {
            "type": action["type"] if action.get("type") in _VERBS else "update",
            "description": text(action.get("description")),
            "resourceId": text(action.get("resourceId")),
            **({"resource": {"resourceType": text(resource.get("resourceType"))}} if isinstance(resource, dict) else {}),
        }
        for action in objects(suggestion.get("actions"))
        for resource in [action.get("resource")]
    ]
    return {"label": text(suggestion.get("label")), "isRecommended": suggestion.get("isRecommended") is True, "actions": actions}


def cards_of(content: Any) -> list[Any] | None:
    """The cards of an answer; None where it is none."""
    cards = content.get("cards") if isinstance(content, dict) else None
    return cards if isinstance(cards, list) else None


def outcome_lines(content: Any) -> Iterator[str]:
    """What an OperationOutcome says, an issue a line."""
    for issue in objects(content.get("issue")) if isinstance(content, dict) else ():
        details = issue.get("details")
        said = text(details.get("text")) if isinstance(details, dict) else ""
        yield said or text(issue.get("diagnostics")) or text(issue.get("code")) or "an issue without words"
