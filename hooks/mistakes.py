"""How commands end where something is wrong: by a sentence, also as JSON where that was asked for, and by a status."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NoReturn

import click

from hooks.errors import places


EXIT_UNUSABLE = 2
EXIT_BROKEN = 70
EXIT_INTERRUPTED = 130


class Mistake(click.ClickException):
    """Something given cannot be used. The message says what, where, why, and the mend."""

    exit_code = EXIT_UNUSABLE


class Commands(click.Group):
    """Commands of which none ends with a traceback, and all say as JSON what is wrong if they were to print JSON."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run as a program does; it ends this process."""
        given = list(sys.argv[1:] if args is None else args)
        colour = False if os.environ.get("NO_COLOR") else None  # else where there is a terminal
        extra.setdefault("color", colour)
        try:
            status = super().main(given, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            error.show()
            _end(given, error.format_message(), max(error.exit_code, EXIT_UNUSABLE))
        except click.Abort:
            click.echo("Interrupted.", err=True)
            _end(given, "Interrupted.", EXIT_INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - its message may quote a patient's data; the way to it does not
            said = f"The fault is ours: {type(error).__name__} at {places(error)}; report this line, it repeats nothing given."
            click.secho(said, fg="red", err=True, color=colour)
            _end(given, said, EXIT_BROKEN)
        if not standalone_mode:
            return status
        sys.exit(status if isinstance(status, int) else 0)


def _end(given: Sequence[str], message: str, status: int) -> NoReturn:
    if "--format=json" in given or ("--format", "json") in pairwise(given):
        click.echo(json.dumps({"error": message, "exit_status": status}))
    sys.exit(status)
