"""The command `cobalamin replay`: a folder of requests, answered by two policies, versions or services, and compared."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from cds.signed import LANGUAGES, Language
from hooks.console import console, print_json
from hooks.kit.inputs import requests_in, write
from hooks.kit.sides import DEFAULT, differences, is_service, side
from hooks.mistakes import Mistake
from hooks.options import format_option


EXIT_DIFFERENT = 1
_STYLES = {"-": "red", "+": "green", "~": "yellow"}


@click.command("replay")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--site", help="Site policy of the first side. Default: the defaults.")
@click.option("--url", help="A running service as the first side.")
@click.option("--against", help="The other side: a site policy (*.yaml), a URL, saved answers (*.json), or `default`.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Save the answers of the first side.")
@click.option("--client", "clients", multiple=True, metavar="NAME_OR_FILE", help="Answer as for this client. Repeatable.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of all cards compared.")
@format_option
def command(
    folder: Path,
    site: str | None,
    url: str | None,
    against: str | None,
    save: Path | None,
    clients: tuple[str, ...],
    language: Language,
    format_: str,
) -> None:
    """Answer recorded requests twice, and show which cards differ.

    FOLDER holds requests, as `cobalamin record` writes them, or is one of them. To compare two versions, save the answers of the
    one and replay against them with the other. Cards are compared by their topics; ids, new in each answer, do not count.

    Example: cobalamin replay recorded --site ours.yaml --against default

    Example: cobalamin replay recorded --save before.json

    Exit status: 0 all the same; 1 something differs; 2 something given cannot be used.
    """
    if site is not None and url is not None:
        raise Mistake("--site and --url both say what the first side is; give one of them.")
    if against is None and save is None:
        raise Mistake("There is nothing to compare with; add --against, or keep the answers by --save.")
    requests = requests_in(folder)
    if save is not None and save.resolve() in (
        (folder / name).resolve() if folder.is_dir() else folder.resolve() for name, _ in requests
    ):
        raise Mistake(f"{save} is one of the requests and would be written over; save the answers elsewhere.")
    moved = url is not None or is_service(against)
    first = side(url or site or DEFAULT, clients, language, moved)
    other = side(against, clients, language, moved) if against is not None else None
    answers, found = dict[str, Any](), dict[str, list[str]]()
    for name, content in _with_progress(requests):
        request = json.loads(content)
        answers[name] = first(name, request)
        if other is not None and (lines := differences(answers[name], other(name, request))):
            found[name] = lines
    if save is not None:
        write(save, json.dumps(answers, ensure_ascii=False, indent=1))
    if format_ == "json":
        print_json({"requests": len(requests), "different": found})
    else:
        _print(found, len(requests), compared=other is not None)
    if found:
        sys.exit(EXIT_DIFFERENT)


def _with_progress(requests: list[tuple[str, bytes]]) -> Iterable[tuple[str, bytes]]:
    with click.progressbar(requests, label="Replaying", file=sys.stderr, hidden=not sys.stderr.isatty()) as turns:
        yield from turns


def _print(found: dict[str, list[str]], total: int, compared: bool) -> None:
    out = console()
    for name, lines in found.items():
        out.print(name, style="bold", markup=False)
        for line in lines:
            out.print(f"  {line}", style=_STYLES.get(line[0]), markup=False, soft_wrap=True)
    told = f"{len(found)} of {total} requests are answered differently" if compared else f"{total} requests answered"
    out.print(f"{told}.", style="bold")
