"""A decision as JSON for other tools: the contract of `evaluate --format json`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from msgspec import Struct, to_builtins

from cds.chart import NoResult, Note
from cds.content import Library
from cds.days import Day
from cds.decide import Decision, Gap
from cds.intervals import Interval
from cds.signed import Language
from cds.sums import Intake
from cds.trace import why, why_not
from hooks.engine import Evaluation
from hooks.resting import Resting


def report(evaluation: Evaluation) -> dict[str, Any]:
    """`decision` and `cards`; what every field may hold is written in docs/decision-json.md."""
    cards = to_builtins(evaluation.cards)
    return {"decision": _decision(evaluation, cards), "cards": cards}


def _decision(evaluation: Evaluation, cards: list[dict[str, Any]]) -> dict[str, Any]:
    decision = evaluation.decision
    library = decision.library
    assessed = decision["scope"] != "excluded" and not decision.chart.patient.deceased
    return {
        "scope": decision["scope"],
        "b12_status": decision["b12_status"],
        "absorption": decision["absorption"],
        "regimen": _regimen(decision),
        "enteral_b12_ug_per_day": _intake(decision["enteral_b12"], assessed),
        "parenteral_b12_ug_per_30_days": _intake(decision["parenteral_b12"], assessed),
        "indicator": decision.indicator,
        "advice": [
            {
                "key": statement.advice.key,
                "rule": statement.rule,
                "indicator": statement.words.urgency,
                "summary": card["summary"],
            }
            for statement, card in zip(decision.statements, cards, strict=True)
        ],
        "held_back": [statement.named for statement in decision.held_back],
        "resting": [_resting(rest) for rest in evaluation.view.resting],
        "silent": [statement.named for statement in decision.silent],
        "could_not_assess": [_gap(gap, decision) for gap in decision.gaps],
        "data_quality": [note_json(note, library) for note in decision.chart.notes],
        "facts": {name: plain(decision[name]) for name in library.graph.names if name not in library.parameters},
        "knowledge_version": library.version,
    }


def explanation(evaluation: Evaluation) -> dict[str, Any]:
    """The decision with the trace of each advice, shown or not, and why the other rules were silent."""
    decision = evaluation.decision
    rules = [said.rule for said in (*decision.statements, *decision.held_back, *decision.silent)]
    rules += [rest.statement.rule for rest in evaluation.view.resting]
    return {
        "decision": report(evaluation)["decision"],
        "why": {rule: asdict(why(decision, rule)) for rule in dict.fromkeys(rules)},
        "why_not": [asdict(silence) for silence in why_not(decision)],
    }


def _resting(rest: Resting) -> dict[str, Any]:
    """What is held back from one user, and why."""
    because = {"because": rest.because, "until": rest.until.isoformat(timespec="seconds")}
    return {"advice": rest.statement.named, **because, **({"reason": rest.reason} if rest.reason else {})}


def _regimen(decision: Decision) -> dict[str, Any]:
    regimen = decision["regimen"]
    dose = regimen.dose
    return {
        "action": regimen.action,
        "routes_first_line": list(regimen.routes_first_line),
        "routes_acceptable": list(regimen.routes_acceptable),
        "dose": None if dose is None else {"low": dose.low, "high": dose.high, "preferred": dose.preferred, "unit": dose.unit},
        "form": list(regimen.form),
        "why": decision.library.labels["regimen_row"][regimen.row].en,
    }


def _intake(intake: Intake | None, assessed: bool) -> float | str | None:
    """The sum; "unknown" where a dose or the medicine list could not be read; null for somebody who is not assessed at all."""
    if not assessed:
        return None
    return "unknown" if intake is None or intake.ug is None else intake.ug


def _gap(gap: Gap, decision: Decision) -> dict[str, Any]:
    library = decision.library
    title = library.rules[gap.what].title.en if gap.what in library.rules else library.words["en"].facts.get(gap.what, gap.what)
    endings = decision.chart.retrieved
    because = [f"{query}: {endings[query] if endings[query] != 'retrieved' else 'unclear'}" for query in gap.queries] + [
        f"{name}: unknown" for name in gap.unknown
    ]
    return {"what": gap.what, "title": title, "because": because}


def note_json(note: Note, library: Library, language: Language = "en") -> dict[str, Any]:
    """A data-quality note with its words."""
    text = library.words[language].notes[note.key].format(detail=note.detail)
    title = {"concept": note.concept, "title": library.title(note.concept, language)} if note.concept else {}
    return {"key": note.key, "resource": note.reference, **title, "text": text}


def plain(value: Any) -> Any:
    """Any value of a fact as JSON. Unknown is null, "looked and found none" is an empty list or the text "no result"."""
    match value:
        case NoResult():
            return "no result"
        case Day() | date():
            return str(value)
        case Interval():
            return value.exact if value.exact is not None else str(value)
        case tuple() | list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value
