"""What a clinician may accept with a click: changes of drafts, courses of B12, tests; as actions on FHIR resources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from cds.advice import Action as ProposedAction
from cds.advice import Change, ChangeRoute, OrderTests, RemoveOrder, StartB12
from cds.content import Library
from cds.decide import Statement
from cds.wording import Wording, one_line
from hooks.contexts import Context
from hooks.fhir.echo import with_route, with_unit
from hooks.fhir.elements import referenced_type
from hooks.fhir.writer import Writer, whose
from hooks.wire import Action, Suggestion


Behaviour = Literal["at-most-one", "any"]

_OURS = sha1(uuid5(NAMESPACE_URL, "urn:cobalamin-cds:card").bytes, usedforsecurity=False)


@dataclass(frozen=True, slots=True)
class _Offer:
    """What an advice proposes, but for the patient: drafts with their descriptions, and suggestions made of some of them."""

    drafts: tuple[tuple[str, dict[str, Any]], ...]
    suggestions: tuple[tuple[str, bool, tuple[int, ...]], ...]


class SuggestionWriter:
    """Writes suggestions in the words of one library and language."""

    def __init__(self, library: Library, wording: Wording) -> None:
        """Few courses and tests exist, so what is proposed is drafted once, but for the patient, and then kept."""
        self._wording = wording
        self._words = wording.words
        self._writer = Writer(library, wording)
        self._offer = lru_cache(maxsize=1024)(self._offered)

    def of(
        self, statement: Statement, context: Context, identity: str, drafts: dict[str, dict[str, Any]]
    ) -> tuple[list[Suggestion], Behaviour | None]:
        """What may be done to the drafts first, then what may be ordered beside them; and how many of it together.

        drafts: the orders that may still be changed, by reference, as they were sent. What is changed is taken out: two changes
        of one order, accepted one after the other, would undo each other.
        """
        if not _may_order(context):
            return [], None
        proposed, patient = statement.advice.actions, whose(context)
        changes = [action for action in proposed if isinstance(action, Change)]
        suggestions = [s for change in changes for s in self._changes(change, drafts.pop(change.order.reference, None), patient)]
        offer = self._offer(tuple(a for a in proposed if a not in changes), statement.words.urgency == "critical")
        actions = [Action(type="create", description=said, resource={**draft, **patient}) for said, draft in offer.drafts]
        suggestions += [
            (label, recommended, [actions[place] for place in chosen]) for label, recommended, chosen in offer.suggestions
        ]
        written = [
            Suggestion(
                label=label,
                uuid=stable_uuid("|".join((identity, label, *_target(acts[0])))),
                actions=acts,
                isRecommended=(recommended and not any(earlier for _, earlier, _ in suggestions[:place])) or None,
            )
            for place, (label, recommended, acts) in enumerate(suggestions)
        ]
        return written, (("at-most-one" if len(offer.suggestions) > 1 else "any") if written else None)

    def _changes(
        self, change: Change, sent: dict[str, Any] | None, patient: dict[str, Any]
    ) -> Iterator[tuple[str, bool, list[Action]]]:
        """The suggestion that carries out a change; none where the draft has no id, or cannot be sent back as valid FHIR."""
        if sent is None:
            return
        words, order = self._words.suggestions, change.order
        if isinstance(change, RemoveOrder):
            label = words["remove"].format(order=one_line(order.name))
            actions = [Action(type="delete", description=label, resourceId=order.reference)]
            if change.instead is not None:
                line = self._writer.course(change.instead)
                label = words["replace"].format(order=one_line(order.name), course=line)
                course = {**self._writer.medication_request(change.instead), **patient}
                actions.append(Action(type="create", description=line, resource=course))
            yield label, True, actions
            return
        if isinstance(change, ChangeRoute):
            label = words["route"].format(order=one_line(order.name), route=self._words.routes[change.route])
            changed = with_route(sent, self._writer.route_code(change.route))
        else:
            label, changed = words["in_ug"].format(order=one_line(order.name)), with_unit(sent, "mg", "ug")
        if changed is not None:
            yield label, True, [Action(type="update", description=label, resource=changed)]

    def _offered(self, proposed: tuple[ProposedAction, ...], urgent: bool) -> _Offer:
        """One suggestion per course: the missing tests first, the course, its review. The tests alone are the last."""
        words, title = self._words.suggestions, self._wording.title
        courses = [action for action in proposed if isinstance(action, StartB12)]
        tests = list(dict.fromkeys(t for a in proposed if isinstance(a, OrderTests) for t in a.analytes))
        lines = [self._writer.course(course) for course in courses]
        drafts = [(words["test"].format(test=title(test)), self._writer.service_request(test, urgent)) for test in tests]
        drafts += [(line, self._writer.medication_request(course)) for line, course in zip(lines, courses, strict=True)]
        first, named = tuple(range(len(tests))), self._words.listed.join(map(title, tests))
        suggestions = []
        for place, (line, course) in enumerate(zip(lines, courses, strict=True), start=len(tests)):
            label = words["with_tests"].format(course=line, tests=named) if tests else line
            planned = range(0)
            if course.review is not None:
                label = words["with_review"].format(course=label, day=course.review.on)
                planned = range(len(drafts), len(drafts) + len(course.review.analytes))
                drafts += self._planned(course.review)
            suggestions.append((label, course.recommended, (*first, place, *planned)))
        if tests:
            suggestions.append((words["tests"].format(tests=named), not courses, first))
        return _Offer(tuple(drafts), tuple(suggestions))

    def _planned(self, review: OrderTests) -> Iterator[tuple[str, dict[str, Any]]]:
        """The drafts of a review, each with its description."""
        for test in review.analytes:
            said = self._words.suggestions["planned"].format(test=self._wording.title(test), day=review.on)
            yield said, self._writer.service_request(test, urgent=False, on=review.on)


def _target(action: Action) -> tuple[str, ...]:
    """The order that an action changes: two of one name get suggestions of their own."""
    if action.type == "update" and action.resource is not None:
        return (str(action.resource["id"]),)
    return () if action.resourceId is None else (action.resourceId,)


def stable_uuid(name: str) -> str:
    """The UUID of a name (version 5, RFC 9562), written down as it is hashed."""
    named = _OURS.copy()
    named.update(name.encode())
    digest = named.hexdigest()
    variant = "89ab"[int(digest[16], 16) % 4]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def _may_order(context: Context) -> bool:
    """May the user order? A patient or relative who opens the chart gets information, not order suggestions (HOOK-06)."""
    return referenced_type((context.userId or "").rstrip("/ ")).strip().lower() not in ("patient", "relatedperson")
