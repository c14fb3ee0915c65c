"""What a deployment publishes of itself: the command that writes the rulebook, and the address cards lead to."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins

from cds.content import Library
from cds.library import KnowledgeError, load
from cds.rulebook import book
from cds.signed import LANGUAGES, Language, Signed
from hooks.app import Config
from hooks.mistakes import Mistake
from hooks.options import site_option, today_option
from hooks.pages import rulebook_html
from hooks.services import SERVICES


def _absolute(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    """A URL that may stand on cards."""
    try:
        Config(base_url=url)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None
    return url


base_url_option = click.option(
    "--base-url",
    metavar="URL",
    callback=_absolute,
    help="Where clinicians reach the service; cards then link to the rulebook. Default: cards link to their source.",
)


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File to write, or an existing directory for rulebook.LANGUAGE.html (or .json). Default: standard output.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Language of the page. Default: that of the site.")
@today_option
@site_option
@click.option("--format", "format_", type=click.Choice(["html", "json"]), default="html", show_default=True)
def rulebook(output: Path | None, language: Language | None, today: date | None, site: Path | None, format_: str) -> None:
    """Write the rulebook as one HTML page: what a clinician reads and signs.

    Example: cobalamin rulebook --output rulebook.html
    """
    try:
        library = load(site)
    except KnowledgeError as error:
        raise Mistake(str(error)) from None
    spoken = language or library.language
    day = today or date.today()
    if format_ == "json":
        page = json.dumps(_content(library, day, spoken), ensure_ascii=False, indent=1)
    else:
        page = rulebook_html(library, SERVICES, day, spoken)
    if output is None:
        click.echo(page)
        return
    target = output / f"rulebook.{spoken}.{format_}" if output.is_dir() else output
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"Cannot write {target}: {error.strerror}.") from None
    click.echo(f"{target}: knowledge {library.version}", err=True)


def _content(library: Library, day: date, language: Language) -> dict[str, Any]:
    """What the page shows, for other tools."""
    rules = dict.fromkeys(rule for service in SERVICES for rule in service.rules)
    shown = to_builtins(book(library, rules, day, language), str_keys=True, enc_hook=_signed)
    return {"knowledge": library.version, "language": language, **shown}


def _signed(value: Signed) -> Any:
    return value.model_dump(mode="json", by_alias=True)
