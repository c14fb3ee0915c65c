"""The options that name the store, for the service and for the commands beside it, and the variables that hold secrets."""

from __future__ import annotations

import click

from hooks.feedback.config import store_url


SALT = "COBALAMIN_SALT"
"""The environment variable of the salt: what stands on a command line, every user of the machine can read."""
STORE = "COBALAMIN_STORE"
"""That of the store, whose URL may hold a password."""


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
    envvar=STORE,
    callback=_of_a_kind,
    help="Keep cards and feedback here: in an SQLite file, or postgresql://USER@HOST/DATABASE (also COBALAMIN_STORE).",
)
needed_store_option = click.option(
    "--store",
    metavar="URL",
    envvar=STORE,
    callback=_of_a_kind,
    required=True,
    help="The store of the service (also COBALAMIN_STORE).",
)
retention_option = click.option(
    "--retention-days",
    type=click.IntRange(1, 36_500),
    envvar="COBALAMIN_RETENTION_DAYS",
    default=365,
    show_default=True,
    help="What is older is deleted (also COBALAMIN_RETENTION_DAYS).",
)
