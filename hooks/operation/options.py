"""The options of the service about its operation."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from hooks.feedback.options import SALT
from hooks.operation.config import OperationConfig
from hooks.operation.logs import LEVELS


def operation_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options; the command is called with `operation`, what they settle."""

    @wraps(command)
    def settled(*arguments: Any, audit: Path | None, metrics: bool, json_logs: bool, log_level: str, **others: Any) -> None:
        try:
            config = OperationConfig(audit, os.environ.get(SALT, ""), metrics, json_logs, log_level)
        except ValueError as error:
            raise click.UsageError(f"{error}. The salt is read from the environment, from {SALT}.") from None
        command(*arguments, operation=config, **others)

    for option in (
        click.option(
            "--log-level",
            type=click.Choice(LEVELS),
            default="warning",
            show_default=True,
            help="From info on, each call is told.",
        ),
        click.option("--json-logs", is_flag=True, help="Log one JSON object per line."),
        click.option("--metrics", is_flag=True, help="Show /metrics to Prometheus; let the gateway keep it inside."),
        click.option(
            "--audit",
            type=click.Path(dir_okay=False, path_type=Path),
            help="File to which a record of each call is appended. Pseudonyms in it need COBALAMIN_SALT.",
        ),
    ):
        settled = option(settled)
    return settled
