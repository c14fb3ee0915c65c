"""What the commands share: options, and how faults are told; and the command that writes the rulebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import click

from cds.library import KnowledgeError, load
from cds.signed import LANGUAGES, Language
from hooks.console import print_json
from hooks.errors import RequestError, operation_outcome
from hooks.examples import UnknownFixtureError
from hooks.pages import rulebook_html
from hooks.services import SERVICES
from hooks.wire import require_web_address


EXIT_BAD_REQUEST = 2
EXIT_REFUSED = 3

site_option = click.option(
    "--site", type=click.Path(dir_okay=False, path_type=Path), help="Site policy (YAML) with the hospital's own numbers."
)


def _plausible(_: click.Context, __: click.Parameter, day: datetime | None) -> date | None:
    """A day somebody may decide on; ages and windows are not reckoned to the end of the calendar."""
    if day is not None and not 1900 <= day.year <= 2200:
        raise click.BadParameter("choose a day in the years 1900 to 2200.")
    return None if day is None else day.date()


today_option = click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_plausible,
    help="Decide as on this day. Default: the day a fixture was written for, else today.",
)


def _absolute(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    """A URL that may stand on cards."""
    try:
        if url is not None:
            require_web_address(url)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None
    return url


base_url_option = click.option(
    "--base-url",
    metavar="URL",
    callback=_absolute,
    help="Where clinicians reach the service; cards then link to the rulebook. Default: cards link to their source.",
)


@contextmanager
def told(format_: str = "text") -> Iterator[None]:
    """Turn what can go wrong into a sentence and an exit status; never a stack trace."""
    try:
        yield
    except RequestError as error:
        if format_ == "json":
            print_json(operation_outcome(error.issues))
        say_refusal(error)
        sys.exit(EXIT_REFUSED if error.status != 400 else EXIT_BAD_REQUEST)
    except (KnowledgeError, UnknownFixtureError) as error:
        click.secho(str(error.args[0]), fg="red", err=True)
        sys.exit(EXIT_BAD_REQUEST)


def say_refusal(error: RequestError) -> None:
    """Tell on standard error what the service would answer."""
    click.secho(f"The service would answer {error.status}:", fg="red", err=True)
    for issue in error.issues:
        click.echo(f"- {issue.text}", err=True)


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File to write, or an existing directory for rulebook.LANGUAGE.html. Default: standard output.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Language of the page. Default: that of the site.")
@today_option
@site_option
def rulebook(output: Path | None, language: Language | None, today: date | None, site: Path | None) -> None:
    """Write the rulebook as one HTML page: what a clinician reads and signs.

    Example: cobalamin rulebook --output rulebook.html
    """
    with told():
        library = load(site)
    spoken = language or library.language
    page = rulebook_html(library, SERVICES, today or date.today(), spoken)
    if output is None:
        click.echo(page)
        return
    target = output / f"rulebook.{spoken}.html" if output.is_dir() else output
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"Cannot write {target}: {error.strerror}.") from None
    click.echo(f"{target}: knowledge {library.version}", err=True)
