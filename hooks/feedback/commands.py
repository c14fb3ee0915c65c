"""The command `cobalamin feedback`: migrate, report, purge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hooks.feedback.config import file_of, store_url
from hooks.feedback.options import needed_store_option, retention_option
from hooks.options import format_option


if TYPE_CHECKING:
    from hooks.feedback.store import Store


_FORMATS = ("markdown", "csv", "html", "json")


@click.group()
def feedback() -> None:
    """What became of the advice: the store of cards and feedback, and its report."""


@feedback.command()
@needed_store_option
@format_option
def migrate(store: str, format_: str) -> None:
    """Make the tables, or bring them up to date. The service does it as well, where it may.

    Example: cobalamin feedback migrate --store feedback.db
    """
    with _opened(store, new=True) as opened:
        opened.migrate()
    click.echo("The store is up to date.", err=True)
    if format_ == "json":
        click.echo(json.dumps({"up_to_date": True}))


@feedback.command()
@needed_store_option
@retention_option
@format_option
def purge(store: str, retention_days: int, format_: str) -> None:
    """Delete what is older than the retention. The service does it as well, every few hours.

    Example: cobalamin feedback purge --store feedback.db --retention-days 180
    """
    with _opened(store) as opened:
        purged = opened.purge(datetime.now(UTC) - timedelta(days=retention_days))
    click.echo(f"Deleted {purged.cards} cards and {purged.events} reports older than {retention_days} days.", err=True)
    if format_ == "json":
        click.echo(json.dumps({"cards": purged.cards, "events": purged.events, "retention_days": retention_days}))


@feedback.command()
@needed_store_option
@click.option("--format", "format_", type=click.Choice(_FORMATS), default=_FORMATS[0], show_default=True)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only cards shown on this day (UTC) or later.")
@click.option("--client", help="Only this client, by its name in the report.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write. Default: standard output.")
def report(store: str, format_: str, since: datetime | None, client: str | None, output: Path | None) -> None:
    """Count what rules said and what clinicians did with it.

    Example: cobalamin feedback report --store feedback.db --format html --output report.html
    """
    from hooks.feedback import report as written
    from hooks.feedback.statistics import statistics

    first = since.replace(tzinfo=UTC) if since is not None else None
    with _opened(store) as opened, opened.reading() as connection:
        content = statistics(connection, first, client)
    scope = written.Scope(first.date() if first is not None else None, client, datetime.now(UTC))
    if format_ == "html":
        try:
            text = written.html(content, scope)
        except ImportError:
            raise click.ClickException("The page with plots needs matplotlib: pip install 'cobalamin-cds[report]'.") from None
    else:
        plain = {"csv": written.spreadsheet, "json": written.as_json}
        text = plain[format_](content) if format_ in plain else written.markdown(content, scope)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"Cannot write {output}: {error.strerror}.") from None


@contextmanager
def _opened(store: str, new: bool = False) -> Iterator[Store]:
    """The store while a command works on it. Only with `new` is a file made; a failure of the database is told in a sentence."""
    from hooks.feedback.store import Store, StoreError  # SQLAlchemy takes its time

    url = store_url(store)
    file = file_of(url)
    if file is not None and not new and not file.is_file():
        raise click.ClickException(f"{file} is no store; `cobalamin feedback migrate` makes one.")
    try:
        opened = Store(url)
        try:
            yield opened
        finally:
            opened.close()
    except StoreError as error:
        raise click.ClickException(f"The store cannot be used: {error}.") from None
