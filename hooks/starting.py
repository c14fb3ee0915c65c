"""The commands that answer calls and judge callers: `cobalamin serve`, `cobalamin auth explain`."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any

import click
from flask import Flask

from cds.graph import GraphError
from cds.library import KnowledgeError, load
from hooks.app import create_app
from hooks.clientfiles import client
from hooks.console import console, print_json
from hooks.deployment.building import config_of, explained, exposed, is_loopback
from hooks.deployment.faults import DeploymentError
from hooks.deployment.reading import Settled
from hooks.feedback.config import FeedbackError
from hooks.feedback.options import store_option
from hooks.mistakes import Mistake
from hooks.operation.config import SHARED
from hooks.operation.logs import LEVELS, logging_to_stderr
from hooks.options import clients_option, format_option, site_option
from hooks.publishing import base_url_option
from hooks.trust.keysets import KeySetError
from hooks.trust.replay import Replays
from hooks.trust.tokens import Tokens


_PATH = click.Path(dir_okay=False, path_type=Path)
_OPEN = "Warning: everybody who reaches {host} is answered, as no caller is authenticated. Keep a gateway in front that does."
_UNENCRYPTED = "Warning: nothing shows that calls to {host} came by https. Name the gateway that sees to it (proxies.addresses)."


@contextmanager
def own_folder() -> Iterator[Path]:
    """A directory until the end of this very process: a worker that ends leaves it to the others."""
    folder, made_by = Path(mkdtemp(prefix="cobalamin-")), os.getpid()
    try:
        yield folder
    finally:
        if os.getpid() == made_by:  # pragma: no branch - the other way goes a worker, in a process of its own
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _counting_in(folder: Path) -> Iterator[None]:
    """Let the library of metrics, which is not imported yet, add up all workers in files there."""
    counts = folder / "counts"
    counts.mkdir()
    os.environ[SHARED] = str(counts)
    try:
        yield
    finally:
        del os.environ[SHARED]


@click.command()
@click.option(
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration (YAML; `cobalamin config example` prints one). The other options win over it.",
)
@click.option("--host", help="Address to listen on. Default: 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: 8080.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes. Default: 1.")
@click.option("--open", "open_", is_flag=True, help="Answer anybody, on any address: for a gateway that authenticates callers.")
@click.option("--used-tokens", type=_PATH, help="File in which used tokens are remembered. Default: a temporary one.")
@click.option("--audit", type=_PATH, help="File to which a record of each call is appended. It needs COBALAMIN_SALT.")
@click.option("--metrics", is_flag=True, help="Show /metrics to Prometheus; let the gateway keep it inside.")
@click.option("--log-level", type=click.Choice(LEVELS), help="From info on, each call is told. Default: warning.")
@click.option("--json-logs", is_flag=True, help="Log one JSON object per line.")
@site_option
@clients_option
@base_url_option
@store_option
def serve(
    file: Path | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    open_: bool,
    used_tokens: Path | None,
    audit: Path | None,
    metrics: bool,
    log_level: str | None,
    json_logs: bool,
    site: Path | None,
    clients: tuple[str, ...],
    base_url: str | None,
    store: str | None,
) -> None:
    """Run the service. Clients whose profile names issuers of tokens are asked for one; then everybody is.

    Examples: cobalamin serve --port 8080 --client epic; cobalamin serve --config cobalamin.yaml
    """
    options = _said(
        {
            "site": _text(site),
            "clients": list(clients) or None,
            "server": {"host": host, "port": port, "workers": workers, "base_url": base_url},
            "trust": {"open": open_ or None, "used_tokens": _text(used_tokens)},
            "feedback": {"store": store},
            "audit": {"file": _text(audit)},
            "metrics": {"page": metrics or None},
            "logs": {"level": log_level, "as_json": json_logs or None},
        }
    )
    settled = Settled(file, options, os.environ)
    logs = settled.deployment.logs
    with own_folder() as folder, logging_to_stderr(logs.level, logs.as_json), _counting_in(folder):
        try:
            config = config_of(settled, folder)
            app = create_app(config)
        except DeploymentError as error:
            raise click.UsageError(str(error)) from None
        except (KnowledgeError, GraphError, FeedbackError) as error:
            raise click.UsageError(str(explained(settled, error))) from None
        _run(settled, app)


def _run(settled: Settled, app: Flask) -> None:
    """Say what an operator must know, and serve. Raises ClickException where that would be unsafe, or nothing can listen."""
    from hooks.serving import Server  # gunicorn exists on POSIX only; the other commands run anywhere

    deployment = settled.deployment
    server, open_ = deployment.server, deployment.trust.open
    host, port, here = server.host, server.port, is_loopback(server.host)
    if deployment.development:
        _warn("Warning: by `development`, web pages of anybody may be let in. Serve no patients like this.")
    if open_ and (ignored := [known.name for known in app.config["CLIENTS"] if known.trust.names]):
        _warn(f"Warning: by --open, no token is asked for of {', '.join(ignored)}.")
    if faults := list(exposed(settled, app)):
        raise click.UsageError(str(DeploymentError(faults)))
    if app.config["GATE"] is None and not here:
        _warn(_OPEN.format(host=host))
    if not here and not deployment.proxies.addresses:
        _warn(_UNENCRYPTED.format(host=host))
    try:  # gunicorn would try five times, and log each
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {host}, port {port}: {str(error.strerror).split(' (')[0]}.") from None
    stored = f"{'feedback' if deployment.feedback.store else 'no feedback'} is stored"
    said = f"Listening on http://{host}:{port}, discovery at /cds-services; {stored}"
    ready = partial(click.echo, said, err=True)
    for engine in app.config["ENGINES"]:
        engine.prepare()  # once, before there are workers
    Server(app, host, port, server.workers, ready, server.deadline_s, server.notice_s).run()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _warn(text: str) -> None:
    click.secho(text, fg="yellow", err=True)


def _said(options: dict[str, Any]) -> dict[str, Any]:
    """Without what nobody said."""
    inner = {name: _said(value) if isinstance(value, dict) else value for name, value in options.items()}
    return {name: value for name, value in inner.items() if value not in (None, {})}


@click.group()
def auth() -> None:
    """Who may call."""


@auth.command()
@click.argument("token", type=click.File("rb"))
@click.option("--endpoint", required=True, help="The URL that is called, as the client has it.")
@clients_option
@format_option
def explain(token: IO[bytes], endpoint: str, clients: tuple[str, ...], format_: str) -> None:
    """Say claim by claim what is right and wrong with a client's token. TOKEN is a file that holds it, or - for standard input.

    Example: cobalamin auth explain token.txt --client ours.yaml --endpoint https://cds.example/cds-services/b12-bone-health

    Exit status: 0 the token would be believed, 1 it would not. That it was used before is not looked at.
    """
    with own_folder() as folder:
        try:
            library = load()
            known = [client(name, library) for name in clients]
            issuers = [issuer for profile in known for issuer in profile.trust.issuers(profile.networks)]
            tokens = Tokens(issuers, Replays(folder / "used-tokens"))
        except (KnowledgeError, KeySetError, OSError) as error:
            raise Mistake(str(error.args[0])) from None
        given = token.read().decode(errors="replace").strip().removeprefix("Bearer ")
        checks = list(tokens.checks(given, [endpoint]))
    good = all(check.holds for check in checks)
    if format_ == "json":
        told = [{"name": check.name, "holds": check.holds, "text": check.text} for check in checks]
        print_json({"believed": good, "checks": told})
    else:
        out = console()
        for check in checks:
            said = f"{'right' if check.holds else 'WRONG'}  {check.name:9}  {check.text}"
            out.print(said, style=None if check.holds else "bold red")
    sys.exit(0 if good else 1)
