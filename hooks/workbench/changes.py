"""What a what-if changes: advice that appears, goes or is said otherwise, and the facts behind it."""

from __future__ import annotations

from typing import Any

from cds.decide import Decision, Statement
from cds.signed import Language
from cds.trace import show
from hooks.engine import Evaluation


Said = dict[tuple[str, str], tuple[Statement, str]]


def changes(before: Evaluation, after: Evaluation, language: Language) -> dict[str, Any]:
    """The difference between two evaluations of one patient: advice in the order of the cards, what is gone last."""
    was, now = _said(before), _said(after)
    listed = [_advice(key, was.get(key), now.get(key), after.decision, language) for key in dict.fromkeys((*now, *was))]
    return {
        "advice": listed,
        "same": all(entry["change"] == "same" for entry in listed),
        "facts": _facts(before.decision, after.decision, language),
    }


def _said(evaluation: Evaluation) -> Said:
    """Every advice with the summary of its card; one that is held back has none."""
    statements, cards = evaluation.decision.statements, evaluation.cards
    said = {(s.rule, s.advice.key): (s, card.summary) for s, card in zip(statements, cards, strict=True)}
    return said | {(s.rule, s.advice.key): (s, "") for s in evaluation.decision.held_back}


def _advice(
    key: tuple[str, str],
    was: tuple[Statement, str] | None,
    now: tuple[Statement, str] | None,
    decision: Decision,
    language: Language,
) -> dict[str, Any]:
    change = "new" if was is None else "gone" if now is None else "same" if was[1] == now[1] else "changed"
    return {
        "rule": key[0],
        "key": key[1],
        "title": decision.library.rules[key[0]].title[language],
        "change": change,
        "before": was[1] if was is not None else None,
        "after": now[1] if now is not None else None,
    }


def _facts(before: Decision, after: Decision, language: Language) -> list[dict[str, str]]:
    """The facts that came out otherwise, in the order in which they follow from each other; numbers and rules left out."""
    library = after.library
    words = library.words[language]
    asked = [name for name in library.graph.names if name not in library.parameters and name not in library.rules]
    told = ((name, show(before[name], words), show(after[name], words)) for name in asked)
    return [{"name": name, "before": was, "after": now} for name, was, now in told if was != now]
