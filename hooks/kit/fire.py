"""The command `cobalamin fire`: a CDS client at a terminal, for any service."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from statistics import median
from typing import IO, Any

import click

from hooks.console import console, print_json
from hooks.ehr.prefetch import Filled, filled, from_resources
from hooks.kit.inputs import named, request_of, resources_of
from hooks.kit.prefetching import from_server
from hooks.kit.services import Answer, Session, place_of, service_for
from hooks.kit.showing import cards_of, outcome_lines, print_cards
from hooks.kit.signing import Sign, signer
from hooks.mistakes import Mistake
from hooks.options import format_option


EXIT_REFUSED = 3
_SHOWN = 300


@click.command("fire")
@click.argument("url")
@click.argument("request_file", metavar="REQUEST.json", type=click.File("rb"))
@click.option("--service", help="Id of the service, where several answer the hook. Default: the one of the URL, or of the hook.")
@click.option("--fhir-server", metavar="URL", help="Fill the prefetch from this FHIR server, as an EHR does.")
@click.option("--fhir-token-file", type=click.File("rb"), help="File with the access token for the FHIR server.")
@click.option("--bundle", type=click.File("rb"), help="Fill the prefetch from these resources (Bundle or NDJSON) instead.")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="Sign a token with this private key (PEM or JWK).")
@click.option("--issuer", help="iss of the token: who calls.")
@click.option("--audience", help="aud of the token. Default: the URL that is called.")
@click.option("--kid", help="Id of the key, where the key does not say.")
@click.option("--jku", help="Where the public half is found, if the token is to say so.")
@click.option("--language", help="Accept-Language of the call, such as zh-CN.")
@click.option(
    "--repeat", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Call so many times, and say how long."
)
@format_option
def command(
    url: str,
    request_file: IO[bytes],
    service: str | None,
    fhir_server: str | None,
    fhir_token_file: IO[bytes] | None,
    bundle: IO[bytes] | None,
    key: Path | None,
    issuer: str | None,
    audience: str | None,
    kid: str | None,
    jku: str | None,
    language: str | None,
    repeat: int,
    format_: str,
) -> None:
    """Act as a CDS client: call a service with a request, and print cards and timing.

    URL is where the service is: its address, its discovery, or one service. Prefetch that REQUEST.json brings is sent as it is;
    by --fhir-server or --bundle it is made anew from the templates of the service's discovery.

    Example: cobalamin fire http://127.0.0.1:8080 request.json --repeat 20

    Example: cobalamin fire http://127.0.0.1:8080 request.json --bundle patient.json --format json

    Exit status: 0 answered with 200; 2 something given cannot be used; 3 the service refused.
    """
    if fhir_server is not None and bundle is not None:
        raise Mistake("--fhir-server and --bundle both say where prefetch comes from; give one of them.")
    place, session = place_of(url), Session(url)
    request = request_of(request_file.read(), named(request_file))
    token = _token(fhir_token_file) if fhir_token_file is not None else None
    sign = signer(key, issuer, audience, kid, jku) if key is not None else None
    signed = {"Authorization": f"Bearer {sign(place.discovery)}"} if sign is not None else {}
    found = service_for(session.services(place, signed), request["hook"], service or place.id)
    brought = None
    if fhir_server is not None or bundle is not None:
        ask = from_server(fhir_server, token) if fhir_server else from_resources(_resources(bundle))
        templates = found.get("prefetch")
        brought = filled(templates if isinstance(templates, dict) else {}, request["context"], ask)
        request["prefetch"] = brought.values
    target = place.service(str(found.get("id")))
    answers = _called(session, target, request, sign, language, repeat)
    if format_ == "json":
        print_json(_as_json(target, found, brought, answers))
    else:
        _print(target, found, brought, answers)
    if any(answer.status != 200 or cards_of(answer.content()) is None for answer in answers):
        sys.exit(EXIT_REFUSED)


def _token(file: IO[bytes]) -> str:
    content = file.read().strip()
    if not re.fullmatch(rb"[!-~]+", content):
        raise Mistake(f"{named(file)} holds no access token; give a file with the token alone, on one line.")
    return content.decode()


def _resources(bundle: IO[bytes] | None) -> list[dict[str, Any]]:
    return resources_of(bundle.read(), named(bundle)) if bundle is not None else []


def _called(
    session: Session, url: str, request: dict[str, Any], sign: Sign | None, language: str | None, repeat: int
) -> list[Answer]:
    body = json.dumps(request, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if language is not None:
        headers["Accept-Language"] = language
    answers = []
    with click.progressbar(
        range(repeat), label="Calling", file=sys.stderr, hidden=repeat == 1 or not sys.stderr.isatty()
    ) as turns:
        for _ in turns:
            signed = {"Authorization": f"Bearer {sign(url)}"} if sign is not None else {}
            answers.append(session.ask("POST", url, body, {**headers, **signed}))
    return answers


def _timing(answers: list[Answer]) -> dict[str, float]:
    took = sorted(answer.ms for answer in answers)
    return {
        "calls": len(took),
        "first_ms": round(answers[0].ms, 2),
        "median_ms": round(median(took), 2),
        "p95_ms": round(took[int(0.95 * (len(took) - 1))], 2),
        "max_ms": round(took[-1], 2),
    }


def _as_json(url: str, service: dict[str, Any], brought: Filled | None, answers: list[Answer]) -> dict[str, Any]:
    last = answers[-1]
    content = last.content()
    return {
        "url": url,
        "service": service.get("id"),
        "hook": service.get("hook"),
        "prefetch": None if brought is None else {"resources": brought.counts, "left_out": brought.left_out},
        "status": [answer.status for answer in answers] if len({a.status for a in answers}) > 1 else last.status,
        "timing": _timing(answers),
        "response": content if content is not None else last.body.decode(errors="replace"),
    }


def _print(url: str, service: dict[str, Any], brought: Filled | None, answers: list[Answer]) -> None:
    out, last, timing = console(), answers[-1], _timing(answers)
    out.print(f"{service.get('title') or service.get('id')} ({service.get('hook')}) at {url}", style="dim", markup=False)
    for key, count in brought.counts.items() if brought is not None else ():
        out.print(f"prefetch {key}: {count} resources", style="dim", markup=False)
    for key, why in brought.left_out.items() if brought is not None else ():
        out.print(f"prefetch {key}: left out, as {why}", style="yellow", markup=False)
    statuses = ", ".join(map(str, sorted({answer.status for answer in answers})))
    out.print(
        f"Answered {statuses} in {timing['first_ms']:.1f} ms"
        + (
            f"; of {timing['calls']} calls median {timing['median_ms']:.1f} ms, 95 % within {timing['p95_ms']:.1f} ms, "
            f"the longest {timing['max_ms']:.1f} ms"
            if len(answers) > 1
            else ""
        ),
        style="bold",
    )
    content = last.content()
    if last.status == 200 and cards_of(content) is not None:
        print_cards(out, content)
        return
    for line in list(outcome_lines(content)) or [_odd(last)]:
        out.print(f"- {line}", markup=False)


def _odd(answer: Answer) -> str:
    """What is said of an answer that is neither cards nor an OperationOutcome."""
    if 300 <= answer.status < 400:
        return "It redirects, which no client follows with what it sends; call the final address."
    kind = answer.headers.get("Content-Type", "no media type").partition(";")[0]
    start = " ".join(answer.body.decode(errors="replace").split())[:_SHOWN]
    return f"It holds neither cards nor an OperationOutcome ({kind}, {len(answer.body)} bytes): {start or 'nothing'}"
