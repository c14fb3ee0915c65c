"""Cards in the dialect of one client: its text format, its length, and suggestions it can carry out as they are worded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from markdown_it import MarkdownIt
from msgspec.structs import replace

from cds.codes import SYSTEMS
from cds.content import Library
from cds.signed import Language
from hooks.profiles import OIDS, CardStyle
from hooks.suggestions import Behaviour, stable_uuid
from hooks.wire import NOT_CHECKED, Action, Card, Suggestion


DETAIL_TYPE = "com.epic.cdshooks.card.detail.content-type"
_MEDIA_TYPES = {"plain": "text/plain", "html": "text/html"}
_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
_ORDERED = {"MedicationRequest": "medicationCodeableConcept", "ServiceRequest": "code"}
"""The element of each order that says what is ordered."""

_SYSTEMS = {SYSTEMS[name].uris[0]: name for name in ("loinc", "rxnorm")}
"""Our names of the systems that orders are written in."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")


class Renderer:
    """Writes the cards of one library for one client and language."""

    def __init__(self, library: Library, style: CardStyle, language: Language) -> None:
        """`style`: what the client can show, and what it does with what it accepts."""
        self._style = style
        self._selection = style.selection if style.version > 1 else ("at-most-one",)
        self._defaults = library.words[language].suggestions["defaults"]
        self._titles = {rule.topic: rule.title[language] for rule in library.rules.values()}
        self._titles[NOT_CHECKED] = library.words[language].unchecked["title"]
        self._products = {(SYSTEMS[code.system].uris[0], code.code) for code in library.products.values()}
        written: dict[str, Callable[[str], str]] = {"markdown": str, "plain": plain, "html": html_of}
        self._written = written[style.detail]

    def card(self, card: Card) -> Card:
        """The card as this client can show it."""
        style, summary, detail = self._style, card.summary, card.detail
        if len(summary) > style.summary_max:  # a sentence is never cut; its title says as much as fits
            summary, detail = self._titles[card.source.topic.code], f"{summary}\n\n{detail}"
        suggestions, behaviour = self._suggestions(card)
        return replace(
            card,
            summary=summary,
            detail=self._written(detail),
            suggestions=suggestions or None,
            selectionBehavior=behaviour if suggestions else None,
            extension={DETAIL_TYPE: _MEDIA_TYPES[style.detail]} if style.detail_type and style.detail in _MEDIA_TYPES else None,
        )

    def _suggestions(self, card: Card) -> tuple[list[Suggestion], Behaviour | None]:
        """The suggestions that this client carries out as they are worded, and how many of them may be accepted together."""
        style, behaviour = self._style, card.selectionBehavior
        offered = [s for s in card.suggestions or [] if all(action.type in style.actions for action in s.actions)]
        if behaviour == "at-most-one" and (style.one_action or behaviour not in self._selection):
            offered, behaviour = undisputed(offered), "any"
        if style.one_action:
            offered = list(one_by_one(offered, card.uuid))
        suggestions = [written for suggestion in offered if (written := self._suggestion(suggestion)) is not None]
        if behaviour == "any" and behaviour not in self._selection:
            first = next((suggestion for suggestion in suggestions if suggestion.isRecommended), None)
            suggestions = [s if s is first else replace(s, isRecommended=None) for s in suggestions]
            behaviour = "at-most-one"
        return suggestions, behaviour

    def _suggestion(self, suggestion: Suggestion) -> Suggestion | None:
        """The suggestion in the client's codes; None where it would do less than it says, or something else."""
        style, actions = self._style, suggestion.actions
        if not style.order_details and not all(map(self._needs_no_details, actions)):
            return None
        label = suggestion.label
        if not style.order_details and any(_is_course(action) for action in actions):
            label = self._defaults.format(order=label)
        return replace(suggestion, label=label, actions=[self._action(action) for action in actions])

    def _needs_no_details(self, action: Action) -> bool:
        """Does its code alone say what is meant? Not of what is planned for a day, and not of a bare ingredient."""
        if action.type != "create" or action.resource is None:
            return True
        if _is_course(action):
            coding = _coding(action.resource)
            return (coding["system"], coding["code"]) in self._products
        return "occurrenceDateTime" not in action.resource

    def _action(self, action: Action) -> Action:
        """An order in the codes of this client; what is changed or deleted is the client's own already (in 1.x: ACT-07)."""
        style, order = self._style, action.resource
        if action.type == "delete" and style.version == 1:
            return replace(action, resource=action.resourceId, resourceId=None)
        if action.type != "create" or order is None:
            return action
        element, coding = _ORDERED[order["resourceType"]], _coding(order)
        system = _SYSTEMS[coding["system"]]
        theirs = style.orders.get(f"{system}|{coding['code']}")
        if theirs is not None:
            coding = {"system": style.order_system, "code": theirs}
        elif system in style.oids:
            coding = {**coding, "system": OIDS[system]}
        changed: dict[str, Any] = {**order, element: {**order[element], "coding": [coding]}}
        if style.order_category is not None:
            category = {"system": _CATEGORY, "code": style.order_category, "display": style.order_category.capitalize()}
            changed["category"] = [{"coding": [category]}]
        said = action.description
        if not style.order_details and _is_course(action):
            said = self._defaults.format(order=said)
        return replace(action, description=said, resource=changed)


def undisputed(suggestions: list[Suggestion]) -> list[Suggestion]:
    """Of alternatives the one that is recommended, else the one that is part of all others, if there is one."""
    for suggestion in suggestions:
        if suggestion.isRecommended:
            return [suggestion]
    said = [{action.description for action in suggestion.actions} for suggestion in suggestions]
    return [suggestion for suggestion, own in zip(suggestions, said, strict=True) if all(own <= other for other in said)][:1]


def one_by_one(suggestions: Iterable[Suggestion], card: str) -> Iterator[Suggestion]:
    """Each action as a suggestion of its own, under its own name and once; `card`: the uuid of the card they are on.

    Of an order and its replacement only the new one is offered: whoever took the deletion alone would leave nothing ordered.
    """
    seen = set()
    for suggestion in suggestions:
        replaces = any(action.type == "create" for action in suggestion.actions)
        for action in suggestion.actions:
            if replaces and action.type == "delete":
                continue
            identity = f"{card}|{action.type}|{action.description}|{action.resourceId or ''}"
            if identity not in seen:
                seen.add(identity)
                yield replace(suggestion, label=action.description, uuid=stable_uuid(identity), actions=[action])


def html_of(markdown: str) -> str:
    """Our Markdown as HTML; what a record may have brought of it is text in it."""
    rendered: str = _MARKDOWN.render(markdown)
    return rendered


def plain(markdown: str) -> str:
    """Our Markdown as text: paragraphs, lists with hyphens, and addresses in brackets behind what leads to them."""
    lines, items = [], 0
    for token in _MARKDOWN.parse(markdown):
        if token.type in ("list_item_open", "list_item_close"):
            items += token.nesting
        elif token.type in ("paragraph_close", "bullet_list_close") and not items:
            lines.append("")
        elif token.type == "inline":
            lines.append(("- " if items else "") + _inline(token.children or []))
    return "\n".join(lines).strip()


def _inline(parts: Iterable[Any]) -> str:
    said, address = [], ""
    for part in parts:
        if part.type == "link_open":
            address = part.attrs["href"]
        elif part.type == "link_close":
            said.append(f" ({address})")
        else:
            said.append("\n" if part.type in ("softbreak", "hardbreak") else part.content)
    return "".join(said)


def _is_course(action: Action) -> bool:
    return action.type == "create" and action.resource is not None and action.resource["resourceType"] == "MedicationRequest"


def _coding(order: dict[str, Any]) -> dict[str, Any]:
    coding: dict[str, Any] = order[_ORDERED[order["resourceType"]]]["coding"][0]
    return coding
