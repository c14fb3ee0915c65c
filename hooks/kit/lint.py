"""The command `cobalamin lint`: any CDS service, or what one has answered, held against the requirements."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import IO, Any

import click
from rich.text import Text

from hooks.console import console, print_json
from hooks.kit.inputs import named, object_of, request_of
from hooks.kit.lintcalls import Requests, ServiceLint, shipped
from hooks.kit.lintcards import lint_response
from hooks.kit.lintdiscovery import lint_discovery
from hooks.kit.requirements import SEVERITIES, Finding
from hooks.kit.services import Session, place_of
from hooks.kit.signing import signer
from hooks.mistakes import Mistake
from hooks.options import format_option


EXIT_FOUND = 1
_WHICH = re.compile(r"\[\d+\]|\(.*?\)")
"""Which request, and which of a list."""
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command("lint")
@click.argument("url_or_file", metavar="URL|RESPONSE.json")
@click.option(
    "--request", "requests", type=click.File("rb"), multiple=True, help="Call with this request. Default: the fixtures."
)
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="Sign calls with this private key (PEM or JWK).")
@click.option("--issuer", help="iss of the tokens.")
@click.option("--audience", help="aud of the tokens. Default: the URL that is called.")
@click.option("--kid", help="Id of the key, where the key does not say.")
@click.option("--browser", is_flag=True, help="Ask for what clients in a browser need, too (CORS).")
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@format_option
def command(
    url_or_file: str,
    requests: tuple[IO[bytes], ...],
    key: Path | None,
    issuer: str | None,
    audience: str | None,
    kid: str | None,
    browser: bool,
    strict: bool,
    format_: str,
) -> None:
    """Check any CDS Hooks service, or a saved answer of one, against the requirements.

    A service is asked for its discovery and called, rightly with requests for its hooks and wrongly in every way that must be
    refused. A saved discovery document or answer is checked as it is; --request names the request it answers. What the standard
    demands is an error, what it recommends a warning, and what only this project asks for a note; docs/conformance.md lists
    all ids.

    Example: cobalamin lint https://cds.example/cds-services --request ours.json

    Example: cobalamin lint response.json --format json

    Exit status: 0 no errors; 1 errors; 2 something given cannot be used.
    """
    given = [(named(file), request_of(file.read(), named(file))) for file in requests]
    if url_or_file.lower().startswith(("http://", "https://")):
        sign = signer(key, issuer, audience, kid, None) if key is not None else None
        place = place_of(url_or_file)
        asked = ServiceLint(Session(url_or_file), place, _by_hook(given) if given else shipped(date.today()), sign, browser)
        findings = list(asked.findings(place.id))
    else:
        findings = list(_of_file(url_or_file, given[0][1] if given else None))
    findings.sort(key=lambda found: SEVERITIES.index(found.severity))
    counts = Counter(found.severity for found in findings)
    if format_ == "json":
        print_json({"findings": [found.as_json() for found in findings], "counts": {name: counts[name] for name in SEVERITIES}})
    else:
        _print(findings, counts)
    if counts["error"] or (strict and counts["warning"]):
        sys.exit(EXIT_FOUND)


def _by_hook(given: Iterable[tuple[str, dict[str, Any]]]) -> Requests:
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for name, request in given:
        found.setdefault(request["hook"], []).append((name, request))
    return found


def _of_file(name: str, request: dict[str, Any] | None) -> Iterable[Finding]:
    """The findings on a saved document."""
    try:
        with click.open_file(name, "rb") as file:
            content = file.read()
    except OSError as error:
        raise Mistake(f"{name} cannot be read ({error.strerror}); give a URL (http...) or an existing file.") from None
    document = object_of(content, name, "a discovery document or an answer with cards")
    return lint_discovery(document) if "services" in document else lint_response(document, request)


def _print(findings: list[Finding], counts: Counter[Any]) -> None:
    """Each finding once; a service that has it has it in most answers."""
    out = console()
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.id, finding.text, _WHICH.sub("", finding.where)), []).append(finding)
    for found, *others in alike.values():
        line = Text(f"{found.severity:7} ", style=_COLOURS[found.severity])
        line.append(f"{found.id:8} ", style="bold")
        line.append(f"{found.where} {found.text}")
        line.append(f" (and in {len(others)} other places)" if others else "")
        line.append(f" [{found.asks}]", style="dim")
        out.print(line, soft_wrap=True)
    told = ", ".join(f"{counts[name]} {name}{'s' * (counts[name] != 1)}" for name in SEVERITIES)
    out.print(f"{told}." if findings else "Nothing to mend.", style="bold")
