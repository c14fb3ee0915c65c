"""The options that name the store, for the service and for the commands beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from hooks.feedback.config import FeedbackConfig, store_url


SALT = "COBALAMIN_SALT"
"""The environment variable of the salt: what stands on a command line, every user of the machine can read."""


def _of_a_kind(_: click.Context, __: click.Parameter, store: str | None) -> str | None:
    """A store of a kind we know."""
    if store is not None:
        try:
            store_url(store)
        except ValueError as error:
            raise click.BadParameter(f"{error}.") from None
    return store


store_option = click.option(
    "--store",
    metavar="URL",
    envvar="COBALAMIN_STORE",
    callback=_of_a_kind,
    help="Keep cards and feedback here: in an SQLite file, or postgresql://USER@HOST/DATABASE (also COBALAMIN_STORE).",
)
needed_store_option = click.option(
    "--store",
    metavar="URL",
    envvar="COBALAMIN_STORE",
    callback=_of_a_kind,
    required=True,
    help="The store of the service (also COBALAMIN_STORE).",
)
spool_option = click.option(
    "--spool",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="COBALAMIN_SPOOL",
    help="Directory on a local disk in which cards wait for the store (also COBALAMIN_SPOOL). Default: beside an SQLite store.",
)
retention_option = click.option(
    "--retention-days",
    type=click.IntRange(1, 36_500),
    envvar="COBALAMIN_RETENTION_DAYS",
    default=365,
    show_default=True,
    help="What is older is deleted (also COBALAMIN_RETENTION_DAYS).",
)


def feedback_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a service; it is called with `feedback`, what they settle: None where they name no store."""

    @wraps(command)
    def settled(*arguments: Any, store: str | None, spool: Path | None, retention_days: int, **others: Any) -> None:
        try:
            config = FeedbackConfig(store, os.environ.get(SALT, ""), spool, retention_days) if store is not None else None
        except ValueError as error:
            raise click.UsageError(
                f"{error}. The salt is read from the environment, from {SALT}; --spool names a spool."
            ) from None
        command(*arguments, feedback=config, **others)

    return store_option(spool_option(retention_option(settled)))
