"""Secrets come from the environment, or from files that it names, as containers mount them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class SecretError(ValueError):
    """A secret cannot be read; the text names its variable and the mend."""


def secret(name: str, environ: Mapping[str, str]) -> str | None:
    """What the variable holds, or the file that is named by the same variable with `_FILE` at its end; None for neither.

    Raises SecretError for both, and for a file that cannot be read.
    """
    named = f"{name}_FILE"
    if named not in environ:
        return environ.get(name)
    if name in environ:
        raise SecretError(f"{name} and {named} are both set; unset one of them")
    try:
        return Path(environ[named]).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError):
        raise SecretError(f"{named} names a file that cannot be read; name one that can") from None
