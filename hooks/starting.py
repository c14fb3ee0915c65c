"""The commands that answer calls and judge callers: `cobalamin serve`, `cobalamin auth explain`."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import click

from cds.library import KnowledgeError, load
from hooks.app import Config, create_app
from hooks.clientfiles import client
from hooks.console import console
from hooks.feedback.config import FeedbackConfig, FeedbackError
from hooks.feedback.options import feedback_options
from hooks.operation.config import SHARED, OperationConfig
from hooks.operation.logs import logging_to_stderr
from hooks.operation.options import operation_options
from hooks.options import clients_option, site_option
from hooks.publishing import base_url_option
from hooks.trust.keysets import KeySetError
from hooks.trust.replay import Replays
from hooks.trust.tokens import Tokens


_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_OPEN = "Warning: everybody who reaches {host} is answered, as no caller is authenticated. Keep a gateway in front that does."


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
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Worker processes.")
@click.option("--open", "open_", is_flag=True, help="Answer anybody, on any address: for a gateway that authenticates callers.")
@click.option(
    "--used-tokens",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File in which used tokens are remembered, so that none is taken twice. Default: a temporary one.",
)
@site_option
@clients_option
@base_url_option
@feedback_options
@operation_options
def serve(
    host: str,
    port: int,
    workers: int,
    open_: bool,
    used_tokens: Path | None,
    site: Path | None,
    clients: tuple[str, ...],
    base_url: str | None,
    feedback: FeedbackConfig | None,
    operation: OperationConfig,
) -> None:
    """Run the service. Clients whose profile names issuers of tokens are asked for one; then everybody is.

    Example: cobalamin serve --port 8080 --client epic
    """
    from hooks.serving import Server  # gunicorn exists on POSIX only; the other commands run anywhere

    with own_folder() as folder, logging_to_stderr(operation.log_level, operation.json_logs), _counting_in(folder):
        config = Config(
            site=site,
            base_url=base_url,
            clients=clients,
            feedback=feedback,
            operation=operation,
            open=open_,
            used_tokens=used_tokens or folder / "used-tokens",
        )
        try:
            app = create_app(config)
        except (KnowledgeError, FeedbackError) as error:
            raise click.UsageError(str(error.args[0])) from None
        if open_ and (ignored := [known.name for known in app.config["CLIENTS"] if known.trust.iss]):
            click.secho(f"Warning: by --open, no token is asked for of {', '.join(ignored)}.", fg="yellow", err=True)
        if app.config["GATE"] is None and host not in _LOOPBACK:
            if not open_:
                raise click.UsageError(
                    f"{host} is reached from elsewhere, and no client has issuers of tokens (trust.iss). Name one by --client, "
                    "or say --open where a gateway in front authenticates callers."
                )
            click.secho(_OPEN.format(host=host), fg="yellow", err=True)
        if host not in _LOOPBACK and any(known.development for known in app.config["CLIENTS"]):
            raise click.UsageError("a client for development proves nothing about its calls; it is served on this machine only")
        try:  # gunicorn would try five times, and log each
            socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
        except OSError as error:
            raise click.ClickException(f"Cannot listen on {host}, port {port}: {str(error.strerror).split(' (')[0]}.") from None
        stored = f"{'feedback' if feedback else 'no feedback'} is stored"
        said = f"Listening on http://{host}:{port}, discovery at /cds-services; {stored}"
        Server(app, host, port, workers, ready=lambda: click.echo(said, err=True)).run()


@click.group()
def auth() -> None:
    """Who may call."""


@auth.command()
@click.argument("token", type=click.File("r"))
@click.option("--endpoint", required=True, help="The URL that is called, as the client has it.")
@clients_option
def explain(token: Any, endpoint: str, clients: tuple[str, ...]) -> None:
    """Say claim by claim what is right and wrong with a client's token. TOKEN is a file that holds it, or - for standard input.

    Example: cobalamin auth explain token.txt --client ours.yaml --endpoint https://cds.example/cds-services/b12-bone-health

    Exit status: 0 the token would be believed, 1 it would not. That it was used before is not looked at.
    """
    with own_folder() as folder:
        try:
            library = load()
            issuers = [issuer for name in clients for issuer in client(name, library).trust.issuers()]
            tokens = Tokens(issuers, Replays(folder / "used-tokens"))
        except (KnowledgeError, KeySetError, OSError) as error:
            raise click.UsageError(str(error.args[0])) from None
        out, good = console(), True
        for check in tokens.checks(token.read().strip().removeprefix("Bearer "), [endpoint]):
            out.print(
                f"{'right' if check.holds else 'WRONG'}  {check.name:9}  {check.text}", style=None if check.holds else "bold red"
            )
            good &= check.holds
    sys.exit(0 if good else 1)
