"""The command `cobalamin`: serve, evaluate, explain, audit, auth, config, rulebook, site-sheet, demo, feedback, and the kit."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import click

import cds
from cds.library import KnowledgeError, load
from cds.signed import Language
from cds.trace import why, why_not
from hooks.bench import workbench
from hooks.clientfiles import client as client_of
from hooks.console import console, not_shown, print_answer, print_decision, print_doubts, print_json, silence_tree, trace_tree
from hooks.deployment.commands import config
from hooks.desks import Desks
from hooks.engine import Engine, Evaluation
from hooks.errors import RequestError, operation_outcome
from hooks.examples import UnknownFixtureError, fixture, fixtures, written_for
from hooks.feedback.commands import feedback as feedback_group
from hooks.feedback.config import FeedbackError
from hooks.kit.deferred import WithKit
from hooks.loopback import running_service
from hooks.mistakes import EXIT_UNUSABLE, Mistake
from hooks.operation.commands import audit
from hooks.options import (
    client_option,
    format_option,
    language_option,
    only_json_option,
    request_argument,
    site_option,
    today_option,
)
from hooks.publishing import rulebook
from hooks.report import explanation, report
from hooks.services import service_of
from hooks.sheetprinting import site_sheet
from hooks.starting import auth, serve


EXIT_REFUSED = 3


@click.group(cls=WithKit)
@click.version_option(cds.__version__, prog_name="cobalamin")
def main() -> None:
    """Vitamin B12 decision support for bone health, as a CDS Hooks service."""
    with suppress(AttributeError):  # a stream of somebody else's making
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a locale may not know µ


@main.command()
@request_argument
@today_option
@site_option
@client_option
@language_option
@format_option
def evaluate(
    request_file: Any, today: date | None, site: Path | None, client: str | None, language: Language | None, format_: str
) -> None:
    """Decide on one hook request without a server.

    Example: cobalamin evaluate request.json --format json

    Exit status: 0 answered; 2 not a request; 3 the service would refuse to answer (its reason goes to standard error).
    """
    evaluation = _evaluate(request_file.read(), today, site, language, client, format_)
    content = report(evaluation)
    if format_ == "json":
        print_json(content)
    else:
        print_answer(console(), content["decision"], content["cards"])
    if evaluation.refusal is not None:
        _say_refusal(evaluation.refusal)
        sys.exit(EXIT_REFUSED)


@main.command()
@request_argument
@today_option
@site_option
@client_option
@language_option
@click.option("--whole", is_flag=True, help="Unfold also the branches in which nothing was found.")
@format_option
def explain(
    request_file: Any,
    today: date | None,
    site: Path | None,
    client: str | None,
    language: Language | None,
    whole: bool,
    format_: str,
) -> None:
    """Show why: each advice down to records and signed numbers, and why the other rules were silent.

    Example: cobalamin explain request.json

    Exit status: 0 answered; 2 not a request; 3 the service would refuse to answer (its reason goes to standard error).
    """
    evaluation = _evaluate(request_file.read(), today, site, language, client, format_)
    if format_ == "json":
        print_json(explanation(evaluation))
    else:
        _print_explanation(evaluation, whole)
    if evaluation.refusal is not None:
        _say_refusal(evaluation.refusal)
        sys.exit(EXIT_REFUSED)


def _print_explanation(evaluation: Evaluation, whole: bool) -> None:
    decision, spoken, out = evaluation.decision, evaluation.language, console()
    for statement, card in zip(decision.statements, evaluation.cards, strict=True):
        label = f"{card.indicator.upper()} {statement.rule}/{statement.advice.key}: {card.summary}"
        out.print(trace_tree(why(decision, statement.rule, spoken), label, whole))
    decided = report(evaluation)["decision"]
    unshown = list(not_shown(decided))
    for named, because in unshown:
        out.print(trace_tree(why(decision, named.partition("/")[0], spoken), f"NOT SHOWN {named}: {because}", whole))
    out.print("Why not" if decision.statements or unshown else "No rule spoke. Why not", style="bold")
    for silence in why_not(decision, spoken):
        out.print(silence_tree(silence))
    print_decision(out, decided)
    print_doubts(out, decided)


main.add_command(serve)
main.add_command(auth)
main.add_command(config)
main.add_command(audit)
main.add_command(rulebook)
main.add_command(site_sheet)
main.add_command(feedback_group)
main.add_command(workbench)


@main.group("fixture")
def fixture_group() -> None:
    """The shipped example patients."""


@fixture_group.command("list")
@format_option
def fixture_list(format_: str) -> None:
    """Name every fixture.

    Example: cobalamin fixture list
    """
    if format_ == "json":
        print_json([{"name": known.name, "hook": known.request["hook"], "title": known.title} for known in fixtures()])
        return
    for known in fixtures():
        click.echo(f"{known.name:28} {known.title}")


@fixture_group.command("show")
@click.argument("name")
@click.option("--as-written", is_flag=True, help="Keep the dates it was written with, instead of moving them to today.")
@only_json_option
def fixture_show(name: str, as_written: bool) -> None:
    """Print one fixture as a request that is fresh today, ready to be posted.

    Example: cobalamin fixture show irreversible-malabsorption | curl -H 'Content-Type: application/json' -d @-
    http://127.0.0.1:8080/cds-services/b12-bone-health
    """
    with _told():
        known = fixture(name)
    print_json(known.request if as_written else known.on(date.today()))


@main.command()
@click.argument("name", default="food-bound-deficiency")
@language_option
@format_option
def demo(name: str, language: Language | None, format_: str) -> None:
    """Start the service on loopback, fire a shipped fixture at it as an EHR would, and print what comes back.

    Example: cobalamin demo high-dose-self-treater
    """
    with _told():
        known = fixture(name)
    out, body, spoken = console(), known.on(date.today()), language or known.language
    out.quiet = format_ == "json"
    with running_service() as (base, ehr):
        out.print(f"Service at {base}", style="dim")
        services = ehr.get(f"{base}/cds-services", timeout=10).json()["services"]
        discovered = next(service for service in services if service["hook"] == known.request["hook"])
        out.print(
            f"Discovery: {discovered['id']} on {discovered['hook']}, prefetch {', '.join(discovered['prefetch'])}", style="dim"
        )
        out.print(f"Patient: {known.title} (fixture {known.name}, moved from {known.written_for} to today)\n", style="bold")
        started = time.perf_counter()
        accepted = {"Accept-Language": spoken or "*"}
        answer = ehr.post(f"{base}/cds-services/{discovered['id']}", json=body, headers=accepted, timeout=10)
        took = (time.perf_counter() - started) * 1000
    decided, cards = report(_evaluate(json.dumps(body).encode(), None, None, spoken))["decision"], answer.json()["cards"]
    if format_ == "json":
        print_json({"fixture": name, "status": answer.status_code, "ms": round(took, 2), "decision": decided, "cards": cards})
    print_answer(out, decided, cards)
    out.print(
        f"\nAnswered {answer.status_code} in {took:.1f} ms. Why: cobalamin fixture show {name} | cobalamin explain -", style="dim"
    )


def _evaluate(
    body: bytes,
    today: date | None,
    site: Path | None,
    language: Language | None,
    client: str | None = None,
    format_: str = "text",
) -> Evaluation:
    with _told(format_):
        request, library = _request(body), load(site)
        desks = Desks(library, [client_of(client, library)] if client else [])
        engine = Engine(library, service_of(request.get("hook") if isinstance(request, dict) else None), desks)
        return engine.evaluate(body, today or written_for(request), language)


def _request(body: bytes) -> Any:
    """The request as far as it is JSON, to learn its hook, and its day where it is a fixture."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


@contextmanager
def _told(format_: str = "text") -> Iterator[None]:
    """Turn what can go wrong into a sentence and an exit status; never a stack trace."""
    try:
        yield
    except RequestError as error:
        if format_ == "json":
            print_json(operation_outcome(error.issues))
        _say_refusal(error)
        sys.exit(EXIT_REFUSED if error.status != 400 else EXIT_UNUSABLE)
    except (KnowledgeError, UnknownFixtureError, FeedbackError) as error:
        raise Mistake(str(error.args[0])) from None


def _say_refusal(error: RequestError) -> None:
    click.secho(f"The service would answer {error.status}:", fg="red", err=True)
    for issue in error.issues:
        click.echo(f"- {issue.text}", err=True)
