"""The command `cobalamin site-sheet`: the sheet as text, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds.library import KnowledgeError, load
from cds.signed import Language
from hooks.clientfiles import client
from hooks.console import console, print_json
from hooks.mistakes import Mistake
from hooks.options import language_option, site_option
from hooks.publishing import base_url_option
from hooks.sitesheet import Section, Sheet


@click.command("site-sheet")
@click.argument("name_or_file", metavar="CLIENT")
@base_url_option
@site_option
@language_option
@click.option("--format", "format_", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def site_sheet(name_or_file: str, base_url: str | None, site: Path | None, language: Language | None, format_: str) -> None:
    """Print what an analyst types into the EHR: endpoints, prefetch rows, scopes, codes, links, time limits.

    CLIENT is a shipped one by name (generic, epic, oracle, athena, openemr, hapi, sandbox, prefetch-only) or your own profile.

    Example: cobalamin site-sheet epic --base-url https://cds.hospital.example

    Example: cobalamin site-sheet oracle --format markdown
    """
    try:
        library = load(site)
        profile = client(name_or_file, library)
    except KnowledgeError as error:
        raise Mistake(str(error)) from None
    sheet = Sheet(library, profile, language or profile.language or library.language, base_url)
    if format_ == "json":
        print_json(as_json(sheet))
    elif format_ == "markdown":
        click.echo("\n".join(markdown_lines(sheet)))
    else:
        _print(console(), sheet)


def as_json(sheet: Sheet) -> dict[str, Any]:
    """The sheet for tools: each table a list of rows by the name of the column."""
    tables = {
        section.name: [dict(zip(section.columns, row, strict=True)) for row in section.rows] for section in sheet.sections()
    }
    return {"client": sheet.profile.name, **tables}


def markdown_lines(sheet: Sheet) -> Iterator[str]:
    """The sheet as Markdown. Queries stand in blocks of their own, where nothing in them has another meaning."""
    yield from (f"# {sheet.title}", "")
    for section in sheet.sections():
        yield from (f"## {sheet.words.sections[section.name][sheet.language]}", "")
        if section.intro:
            yield from (section.intro, "")
        if section.wide:
            for *beside, last in section.rows:
                yield from (f"**{beside[0]}** ({_beside(sheet, section, beside)})", "", "```", last, "```", "")
        elif len(section.columns) == 1:
            yield from (*(f"- {row[0]}" for row in section.rows), "")
        else:
            yield _row(_heads(sheet, section))
            yield _row(["---"] * len(section.columns))
            yield from map(_row, section.rows)
            yield ""


def _row(cells: Any) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _heads(sheet: Sheet, section: Section) -> list[str]:
    return [sheet.words.columns[name][sheet.language] for name in section.columns]


def _beside(sheet: Sheet, section: Section, cells: list[str]) -> str:
    """What is said of a row beside its first and its last cell."""
    return "; ".join(f"{head}: {cell}" for head, cell in list(zip(_heads(sheet, section), cells, strict=False))[1:])


def _print(out: Console, sheet: Sheet) -> None:
    """The sheet for people at a terminal."""
    out.print(Text(sheet.title, style="bold"))
    for section in sheet.sections():
        out.print()
        out.print(Text(sheet.words.sections[section.name][sheet.language], style="bold underline"))
        if section.intro:
            out.print(Text(section.intro, style="dim"))
        if section.wide:
            for *beside, last in section.rows:
                out.print(Text.assemble((beside[0], "bold"), f"  {_beside(sheet, section, beside)}"))
                out.print(Text(f"  {last}"), soft_wrap=True)  # as one line, to be copied
        elif len(section.columns) == 1:
            for row in section.rows:
                out.print(Text(f"- {row[0]}"), soft_wrap=True)
        else:
            out.print(_table(sheet, section))


def _table(sheet: Sheet, section: Section) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in _heads(sheet, section):
        table.add_column(head, overflow="fold")
    for row in section.rows:
        table.add_row(*map(Text, row))
    return table
