"""Decisions, cards and traces for people at a terminal; colour only where the terminal has it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click
from rich.console import Console, Group
from rich.markdown import Markdown
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text
from rich.tree import Tree

from cds.trace import Node, Silence, is_barren


COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan"}
_WIDTH_WITHOUT_TERMINAL = 110


def console() -> Console:
    """A console on standard output; of fixed width where no terminal tells one."""
    plain = Console(highlight=False)
    if not plain.is_terminal and "COLUMNS" not in os.environ:
        plain.width = _WIDTH_WITHOUT_TERMINAL
    return plain


def card_panel(card: dict[str, Any]) -> Panel:
    """One card as an EHR might show it."""
    colour = COLOURS[card["indicator"]]
    parts: list[Any] = [Markdown(card["detail"])]
    for suggestion in card.get("suggestions", []):
        mark = "●" if suggestion.get("isRecommended") else "○"
        parts.append(Text(f"{mark} {suggestion['label']}", style="green"))
        parts += [Padding(Text(_action(action), style="dim"), (0, 0, 0, 2)) for action in suggestion["actions"]]
    reasons = ", ".join(reason["display"] for reason in card.get("overrideReasons", []))
    parts.append(Text(f"Override: {reasons}", style="dim"))
    title = Text(f" {card['indicator'].upper()} ", style=f"bold reverse {colour}")
    return Panel(Group(Text(card["summary"], style="bold"), Text(), *parts), title=title, title_align="left",
                 subtitle=escape(card["source"]["label"]), subtitle_align="right", border_style=colour)  # fmt: skip


def _action(action: dict[str, Any]) -> str:
    """What would be created, changed or deleted."""
    sign = {"create": "+", "update": "~", "delete": "-"}[action["type"]]
    what = action.get("resource") or action["resourceId"]
    what = what["resourceType"] if isinstance(what, dict) else what
    return f"{sign} {what}: {action['description']}"


def decision_lines(decision: dict[str, Any]) -> Iterable[str]:
    """The decision in a few lines."""
    regimen = decision["regimen"]
    dose = regimen["dose"]
    routes = ", ".join(regimen["routes_first_line"]) or "none"
    also = f" (acceptable: {', '.join(regimen['routes_acceptable'])})" if regimen["routes_acceptable"] else ""
    yield f"Scope          {decision['scope']}"
    yield f"B12 status     {decision['b12_status']}"
    yield f"Absorption     {decision['absorption']}"
    yield f"Regimen        {regimen['action']}: {regimen['why']}"
    yield f"Routes         {routes}{also}"
    if dose is not None:
        low = f"{dose['low']:g}-" if dose["low"] < dose["high"] else ""
        preferred = f", {dose['preferred']:g} preferred" if low else ""
        yield f"Dose           {low}{dose['high']:g} {dose['unit']}{preferred}"
        yield f"Form           {', '.join(regimen['form'])}"
    yield (f"On record      by mouth {_sum(decision['enteral_b12_ug_per_day'], 'ug/d')}, "
           f"injected {_sum(decision['parenteral_b12_ug_per_30_days'], 'ug in 30 days')}")  # fmt: skip
    yield f"Knowledge      {decision['knowledge_version']}"


def _sum(value: float | str | None, unit: str) -> str:
    return "not assessed" if value is None else value if isinstance(value, str) else f"{value:g} {unit}"


def print_answer(out: Console, decision: dict[str, Any], cards: list[dict[str, Any]]) -> None:
    """The decision, its cards, and what was in doubt. No card is good news only where everything could be assessed."""
    print_decision(out, decision)
    for card in cards:
        out.print(card_panel(card))
    unshown = list(not_shown(decision))
    if not cards and not unshown:
        assessed = not decision["could_not_assess"]
        out.print("No card: there is nothing to say." if assessed else "No card, and not everything could be assessed.")
    if unshown:
        out.print("\nConcluded, and not on a card of its own", style="bold")
        out.print("\n".join(f"- {named}: {because}" for named, because in unshown), markup=False)
    print_doubts(out, decision)


def not_shown(decision: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What was concluded and is on no card of its own, and why."""
    for named in decision["held_back"]:
        yield named, "beyond the number of cards that are shown"
    for rest in decision["resting"]:
        why = f"overridden by this user ({rest['reason']})" if rest["because"] == "snoozed" else "shown in this encounter"
        yield rest["advice"], f"held back until {rest['until']}, {why}"
    for named in decision["silent"]:
        yield named, "silent by the site's policy"


def print_decision(out: Console, decision: dict[str, Any]) -> None:
    """The decision alone."""
    out.print("\n".join(decision_lines(decision)), markup=False)


def print_doubts(out: Console, decision: dict[str, Any]) -> None:
    """What could not be assessed and what was odd in the data."""
    gaps = [f"{gap['title']}: {', '.join(gap['because']) or 'no usable result'}" for gap in decision["could_not_assess"]]
    odd = [f"{note['resource']} {note.get('title', '')}: {note['text']}" for note in decision["data_quality"]]
    for title, lines in (("Could not be assessed", gaps), ("Data quality", odd)):
        if lines:
            out.print(f"\n{title}", style="bold")
            out.print("\n".join(f"- {line}" for line in lines), markup=False)


def print_json(content: Any) -> None:
    """JSON that stays JSON where standard output is not UTF-8."""
    click.echo(json.dumps(content, ensure_ascii=sys.stdout.encoding.lower() != "utf-8", indent=2))


def trace_tree(node: Node, label: str, whole: bool) -> Tree:
    """A trace as a tree. Unless it is wanted `whole`, branches in which nothing was found are named and not unfolded."""
    tree = Tree(Text(label, style="bold"))
    _grow(tree, node, whole)
    return tree


def _grow(tree: Tree, node: Node, whole: bool) -> None:
    barren = [] if whole else [child for child in node.inputs if is_barren(child)]
    for child in node.inputs:
        if child not in barren:
            branch = tree.add(_line(child))
            _grow(branch, child, whole)
    if barren:
        tree.add(
            Text(
                f"nothing found: {', '.join(child.means if child.kind == 'chart' else child.name for child in barren)}",
                style="dim",
            )
        )


def _line(node: Node) -> Text:
    styles = {"rule": "bold", "fact": "", "chart": "green", "number": "magenta"}
    line = Text(node.name, style=styles[node.kind])
    line.append(f" = {node.value}")
    if node.seen:
        line.append("  (above)", style="dim")
    elif node.source:
        line.append(f"  [{'; '.join(node.source)}]", style="dim")
    elif node.kind == "fact":
        line.append(f"  {node.means}", style="dim")
    return line


def silence_tree(silence: Silence) -> Tree:
    """Why one rule said nothing."""
    reasons = {
        "scope": "is not for this patient",
        "stopped": "could not be assessed",
        "condition": "its condition does not hold",
        "failed": "broke while it was evaluated",
    }
    tree = Tree(Text(f"{silence.rule}: {silence.title}: {reasons[silence.reason]}"))
    for node in silence.inputs:
        branch = tree.add(_line(node))
        if silence.reason == "stopped":
            _grow(branch, node, whole=False)
    return tree
