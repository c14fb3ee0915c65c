"""The command `cobalamin doctor`: what is wrong with a set-up or a request, each with the mend."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import IO, get_args

import click
from rich.text import Text

from cds.library import KnowledgeError, load
from hooks.clientfiles import client
from hooks.console import console, print_json
from hooks.desks import Desks
from hooks.kit.complaints import Complaint, Weight
from hooks.kit.inputs import named, request_of
from hooks.kit.patients import of_request
from hooks.kit.setups import of_client, of_service
from hooks.mistakes import Mistake
from hooks.options import format_option, site_option, today_option


EXIT_ILL = 1
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
_WEIGHTS = get_args(Weight)


@click.command("doctor")
@click.argument("request_file", metavar="[REQUEST.json]", type=click.File("rb"), required=False)
@click.option("--url", help="The running service: is it reached, and what does it say to the request?")
@click.option(
    "--client", "name", metavar="NAME_OR_FILE", help="The client that calls: its keys and FHIR servers, and what its data mean."
)
@site_option
@today_option
@format_option
def command(
    request_file: IO[bytes] | None, url: str | None, name: str | None, site: Path | None, today: date | None, format_: str
) -> None:
    """Say what is wrong with a set-up or a request, and how to mend it.

    Of a request: hook, context, prefetch keys that are missing or renamed, data that were stripped, other patients, units and
    codes that are not read, dates in the future, scopes. Of a service (--url): address, clock, discovery, its answer to the
    request. Of a client (--client): its keys and FHIR servers. A request that names a FHIR server of the client is completed
    from there, as the service would.

    Example: cobalamin doctor request.json --client epic

    Example: cobalamin doctor --url https://cds.hospital.example --client ours.yaml

    Exit status: 0 nothing is wrong but for notes; 1 something is; 2 something given cannot be used.
    """
    if request_file is None and url is None and name is None:
        raise Mistake("There is nothing to look at; give a request, --url or --client.")
    request = request_of(request_file.read(), named(request_file)) if request_file is not None else None
    try:
        library = load(site)
        profile = client(name or "generic", library)
    except KnowledgeError as error:
        raise Mistake(str(error)) from None
    found = list(of_client(profile)) if name is not None else []
    if url is not None:
        found += of_service(url, request)
    if request is not None:
        found += of_request(request, Desks(library, [profile]), library, today)
    found = sorted(dict.fromkeys(found), key=lambda complaint: _WEIGHTS.index(complaint.weight))
    if format_ == "json":
        print_json({"complaints": [complaint._asdict() for complaint in found]})
    else:
        _print(found)
    if any(complaint.weight != "note" for complaint in found):
        sys.exit(EXIT_ILL)


def _print(found: list[Complaint]) -> None:
    out = console()
    for complaint in found:
        line = Text(f"{complaint.weight:8}", style=_COLOURS[complaint.weight])
        line.append(f"{complaint.where}", style="bold")
        line.append(f" {complaint.what}. ")
        line.append(complaint.mend, style="green")
        out.print(line, soft_wrap=True)
    if not found:
        out.print("Nothing is wrong.", style="bold")
