"""A decision laid open for the page: the trace of each advice, why other rules were silent, records, and how each query ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from cds.chart import Record
from cds.content import Library
from cds.decide import Decision, Statement
from cds.knowledge import Parameter, Reference
from cds.signed import Language
from cds.trace import Node, is_barren, show, why, why_not
from cds.wording import MARKS
from hooks.errors import RequestError
from hooks.fhir.keys import KEYS, PATIENT_KEY
from hooks.fhir.prefetch import unpack
from hooks.members import members_of
from hooks.rendering import html_of
from hooks.replies import Reply
from hooks.wire import Card


def advice(decision: Decision, language: Language) -> list[dict[str, Any]]:
    """Every advice that is on a card, in their order, with the tree it stands on; then those that were held back."""
    said = [_advice(decision, statement, language) for statement in decision.statements]
    return said + [{**_advice(decision, statement, language), "held_back": True} for statement in decision.held_back]


def _advice(decision: Decision, statement: Statement, language: Language) -> dict[str, Any]:
    return {
        "rule": statement.rule,
        "key": statement.advice.key,
        "topic": decision.library.rules[statement.rule].topic,
        "title": decision.library.rules[statement.rule].title[language],
        "indicator": statement.words.urgency,
        "why": _node(why(decision, statement.rule, language), decision, language),
    }


def silences(decision: Decision, rules: Iterable[str], language: Language) -> list[dict[str, Any]]:
    """Why each of the service's other rules said nothing."""
    ours = frozenset(rules)
    return [
        {
            "rule": silence.rule,
            "title": silence.title,
            "reason": silence.reason,
            "inputs": [_node(node, decision, language) for node in silence.inputs],
        }
        for silence in why_not(decision, language)
        if silence.rule in ours
    ]


def _node(node: Node, decision: Decision, language: Language) -> dict[str, Any]:
    """A node for the page; `barren`: looked for and not found, and all under it.

    A fact has its `inputs` at its first mention only.
    """
    shown: dict[str, Any] = {"name": node.name, "kind": node.kind, "means": node.means, "value": _value(node, decision, language)}
    if node.source:
        shown["source"] = list(node.source)
    if node.inputs:
        shown["inputs"] = [_node(child, decision, language) for child in node.inputs]
    if is_barren(node):
        shown["barren"] = True
    return shown


def _value(node: Node, decision: Decision, language: Language) -> str:
    value, labels = decision[node.name], decision.library.labels.get(node.name, {})
    return labels[value][language] if isinstance(value, str) and value in labels else node.value


def records(decision: Decision, language: Language) -> list[dict[str, Any]]:
    """Every record that was read, with what it counts as; a resource may count as several things."""
    return [
        {
            "reference": record.reference,
            "title": decision.library.title(concept, language),
            "value": show(record, decision.library.words[language]),
        }
        for concept, found in decision.chart.records.items()
        for record in found
        if isinstance(record, Record)
    ]


def queries(
    body: bytes, patient_id: str, decision: Decision, names: Mapping[str, str], language: Language
) -> list[dict[str, Any]]:
    """How each prefetch key came, how many resources it brought, and how the query it answers ended.

    What was fetched beside the prefetch shows in how the query ended.
    """
    prefetch = members_of(body).get("prefetch") or {}
    supplied = unpack(prefetch, patient_id, names=names)
    words = decision.library.words[language]
    count = {kind.__name__: len(found) for kind, found in supplied.resources.items()}
    ours: dict[str, Any] = {
        "title": words.given["patient"],
        "count": count.get("Patient", 0),
        "required": True,
        "ended": None,
    }
    asked = {PATIENT_KEY: ours} | {
        key.name: {
            "title": words.queries[key.query],
            "count": count.get(key.brings.__name__, 0),
            "required": key.required,
            "ended": decision.chart.retrieved[key.query],
        }
        for key in KEYS
    }
    return [{"key": name, "state": supplied.keys.get(name, "absent"), **said} for name, said in asked.items()]


def gaps(decision: Decision, language: Language) -> list[dict[str, Any]]:
    """What could not be assessed, and what it waited for."""
    library = decision.library
    words, titles = library.words[language], {name: rule.title[language] for name, rule in library.rules.items()}
    return [
        {
            "title": titles.get(gap.what) or words.facts.get(gap.what, gap.what),
            "because": [
                *(
                    words.queries[query] + words.colon + words.retrieval.get(decision.chart.retrieved[query], "")
                    for query in gap.queries
                ),
                *gap.unknown,
            ],
        }
        for gap in decision.gaps
    ]


def cards_shown(cards: Iterable[Card], detail: str) -> list[dict[str, str]]:
    """The details of cards as the client shows them: Markdown and HTML as HTML, text as text."""
    return [
        {"text": card.detail} if detail == "plain" else {"html": html_of(card.detail) if detail == "markdown" else card.detail}
        for card in cards
    ]


def wire(service: str, reply: Reply, language: Language) -> dict[str, Any]:
    """An answer as it leaves, and the language of its words."""
    return {
        "service": service,
        "status": reply.status,
        "headers": reply.headers,
        "answer": laid_out(reply.body),
        "language": language,
    }


def laid_out(body: bytes) -> str:
    """JSON on many lines, with all digits as they are; what is none stays as it is."""
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def issues(error: RequestError) -> list[dict[str, Any]]:
    """Why nothing was answered."""
    return [{"code": issue.code, "text": issue.text, "where": issue.where} for issue in error.issues]


def numbers(library: Library, language: Language, day: date) -> list[dict[str, Any]]:
    """Every parameter with its value on a day, what a site may set, and on whose authority it stands."""
    return [_number(name, parameter, library, language, day) for name, parameter in library.parameters.items()]


def _number(name: str, parameter: Parameter, library: Library, language: Language, day: date) -> dict[str, Any]:
    since = max((start for start in parameter.values if start <= day), default=min(parameter.values))
    site = library.site.parameters.get(name) if library.site is not None else None
    return {
        "name": name,
        "means": parameter.meaning(language),
        "unit": library.words[language].units.get(parameter.unit, parameter.unit),
        "value": library.number(name, day),
        "range": parameter.sites_may_set,
        "checked": parameter.checked,
        "checked_on": str(parameter.checked_on),
        "mark": MARKS.get(parameter.checked, ""),
        "since": str(since),
        "site": site.reason if site is not None else None,
        "cite": [_reference(library.references[key], language) for key in parameter.on(day).cite],
    }


def _reference(reference: Reference, language: Language) -> dict[str, Any]:
    cited = reference[language]
    return {"label": cited.label, "title": cited.title, "publisher": cited.publisher, "url": reference.url}
