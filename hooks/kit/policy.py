"""The commands `cobalamin policy check|diff|try`: a site policy before it is used."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from cds.content import Library
from cds.knowledge import SitePolicy
from cds.library import KnowledgeError, load, read_yaml
from hooks.console import console, print_json
from hooks.kit.deciding import Policy
from hooks.kit.inputs import requests_in
from hooks.mistakes import Mistake
from hooks.options import format_option


EXIT_WRONG = 1
EXIT_CHANGED = 1
_site = click.argument("site", metavar="POLICY.yaml", type=click.Path(dir_okay=False, path_type=Path))


@click.group("policy")
def command() -> None:
    """A site policy before it is used: is it valid, what does it change, and for whom."""


@command.command("check")
@_site
@format_option
def check(site: Path, format_: str) -> None:
    """Validate a site policy: its form, and each number against the range that sites may set.

    Example: cobalamin policy check policy.yaml

    Exit status: 0 it can be used; 1 it cannot.
    """
    faults: list[str] = []
    doubts: list[str] = []
    try:
        doubts = list(_doubts(_loaded(site)[1]))
    except KnowledgeError as error:
        faults = str(error.args[0]).splitlines()
    if format_ == "json":
        print_json({"valid": not faults, "faults": faults, "doubts": doubts})
    else:
        for lines, colour in ((faults, "red"), (doubts, "yellow")):
            for line in lines:
                click.secho(line, fg=colour)
        click.echo(f"{site.name} {'cannot be used' if faults else 'can be used'}.")
    if faults:
        sys.exit(EXIT_WRONG)


def _loaded(site: Path) -> tuple[Library, SitePolicy]:
    """The knowledge under a policy, and the policy. Raises KnowledgeError."""
    return load(site), read_yaml(site, SitePolicy)


def _doubts(policy: SitePolicy) -> Iterator[str]:
    """What is allowed, and yet nobody may have meant it."""
    for name, number in policy.parameters.items():
        if number.approved_on > date.today():
            yield f"{name}: approved_on {number.approved_on} lies in the future"
        if number.approved_by.lower().startswith(("nobody", "tbd", "todo", "?")):
            yield f"{name}: approved_by {number.approved_by!r} names nobody who answers for it"


@command.command("diff")
@_site
@format_option
def diff(site: Path, format_: str) -> None:
    """Show what a site policy sets otherwise than the default: value, range, reason, and who approved it.

    Example: cobalamin policy diff policy.yaml

    Exit status: 0 shown, 2 the policy cannot be used.
    """
    try:
        library, policy = _loaded(site)
    except KnowledgeError as error:
        raise Mistake(f"{error.args[0]}; `cobalamin policy check` lists all faults.") from None
    numbers = list(_numbers(library, policy))
    own = {name: value for name in ("language", "max_cards") if (value := getattr(policy, name)) != _default(name)}
    if format_ == "json":
        print_json({"site": policy.site, **own, "numbers": numbers})
        return
    out = console()
    out.print(Text(policy.site, style="bold"))
    for name, value in own.items():
        out.print(f"{name}: {value} instead of {_default(name)}", markup=False)
    if not numbers:
        out.print("No number differs from the default.")
    else:
        out.print(_table(numbers))


def _default(name: str) -> Any:
    return SitePolicy.model_fields[name].default


def _numbers(library: Library, policy: SitePolicy) -> Iterator[dict[str, Any]]:
    """Each number that differs from what is in force today."""
    for name, number in policy.parameters.items():
        parameter = library.parameters[name]
        default = parameter.on(date.today()).value
        if default != number.value:
            yield {
                "name": name,
                "means": parameter.means,
                "unit": parameter.unit,
                "default": default,
                "value": number.value,
                "range": list(parameter.sites_may_set or ()),
                "checked": parameter.checked,
                "reason": number.reason,
                "approved_by": number.approved_by,
                "approved_on": number.approved_on.isoformat(),
            }


def _table(numbers: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("number", "default", "here", "range", "reason", "approved by"):
        table.add_column(head, overflow="fold")
    for number in numbers:
        low, high = number["range"]
        cells = (
            f"{number['name']}: {number['means']}",
            f"{number['default']:g} {number['unit']}",
            f"{number['value']:g}",
            f"{low:g} to {high:g}",
            number["reason"],
            f"{number['approved_by']}, {number['approved_on']}",
        )
        table.add_row(*map(Text, cells))
    return table


@command.command("try")
@_site
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--against", type=click.Path(dir_okay=False, path_type=Path), help="Another policy. Default: the defaults.")
@format_option
def try_(site: Path, folder: Path, against: Path | None, format_: str) -> None:
    """Run a site policy over a folder of requests, and show whose advice changes.

    Advice that a site holds back beyond its number of cards counts as gone. `cobalamin replay` shows the words as well.

    Example: cobalamin policy try policy.yaml recorded

    Exit status: 0 nobody's advice changes; 1 somebody's does; 2 something given cannot be used.
    """
    requests = requests_in(folder)
    here, there = Policy(site), Policy(against)
    changed = {}
    with click.progressbar(requests, label="Deciding", file=sys.stderr, hidden=not sys.stderr.isatty()) as turns:
        for name, content in turns:
            request = json.loads(content)
            before, after = there.essence(request), here.essence(request)
            if lines := list(_changes(before, after)):
                changed[name] = lines
    if format_ == "json":
        print_json({"requests": len(requests), "changed": changed})
    else:
        out = console()
        for name, lines in changed.items():
            out.print(name, style="bold", markup=False)
            for line in lines:
                out.print(f"  {line}", markup=False, soft_wrap=True)
        out.print(f"The advice of {len(changed)} of {len(requests)} changes.", style="bold")
    if changed:
        sys.exit(EXIT_CHANGED)


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What is decided otherwise, a line each."""
    if before["status"] != after["status"]:
        yield f"answered {after['status']} instead of {before['status']}"
    was, now = ({f"{rule}/{key}": loudness for rule, key, loudness in decided.get("advice", ())} for decided in (before, after))
    yield from (f"- {advice} ({was[advice]})" for advice in was if advice not in now)
    yield from (f"+ {advice} ({now[advice]})" for advice in now if advice not in was)
    for name in ("b12_status", "absorption"):
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name)} -> {after.get(name)}"
    if (dose := _dose(before)) != _dose(after):
        yield f"dose: {dose} -> {_dose(after)}"


def _dose(decided: dict[str, Any]) -> str:
    dose = decided.get("regimen", {}).get("dose")
    return "none" if dose is None else f"{dose['low']:g}-{dose['high']:g} {dose['unit']}"
