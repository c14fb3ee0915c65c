"""The command that opens the workbench: `cobalamin workbench`."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

import click

from cds.library import KnowledgeError
from hooks.app import Config, create_app
from hooks.feedback.config import FeedbackConfig
from hooks.options import clients_option, site_option
from hooks.starting import own_folder


_HOST = "127.0.0.1"


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Port to listen on.")
@site_option
@clients_option
def workbench(port: int, site: Path | None, clients: tuple[str, ...]) -> None:
    """Open the workbench, a page to try the service on: on this machine only, with a store of feedback that is gone at the end.

    Example: cobalamin workbench --client epic
    """
    from hooks.serving import Server  # gunicorn exists on POSIX only; the other commands run anywhere

    with own_folder() as folder:
        kept = FeedbackConfig(str(folder / "feedback.db"), secrets.token_hex())
        try:
            app = create_app(Config(site=site, clients=clients, feedback=kept, workbench=True))
        except KnowledgeError as error:
            raise click.UsageError(str(error.args[0])) from None
        try:  # gunicorn would try five times, and log each
            socket.create_server((_HOST, port)).close()
        except OSError:
            raise click.ClickException(f"Cannot listen on port {port}; choose another by --port.") from None
        said = f"The workbench is at http://{_HOST}:{port}/workbench; Ctrl+C ends it"
        Server(app, _HOST, port, workers=1, ready=lambda: click.echo(said, err=True)).run()
