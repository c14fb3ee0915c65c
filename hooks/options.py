"""Options and arguments that several commands share."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from cds.signed import LANGUAGES


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
language_option = click.option(
    "--language", type=click.Choice(LANGUAGES), help="Language of the cards. Default: that of the site policy, else English."
)
client_option = click.option(
    "--client",
    "client",
    metavar="NAME_OR_FILE",
    help="The client that calls: a shipped one by name (generic, epic, oracle, ...) or a profile (YAML) of the site's own.",
)
clients_option = click.option(
    "--client",
    "clients",
    multiple=True,
    metavar="NAME_OR_FILE",
    help="A client that calls: a shipped one by name (epic, oracle, ...) or a profile (YAML) of the site's own. Repeatable.",
)
format_option = click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
only_json_option = click.option(
    "--format",
    type=click.Choice(["json"]),
    expose_value=False,
    help="What is printed is JSON anyway; asked for, so is what is wrong, where something is.",
)
request_argument = click.argument("request_file", metavar="REQUEST.json", type=click.File("rb"))
