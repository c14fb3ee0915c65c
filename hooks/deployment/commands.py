"""The commands about the configuration: `cobalamin config check`, `show`, `example`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import yaml
from msgspec import to_builtins

from hooks.console import print_json
from hooks.deployment.building import MASK, check, config_of, masked
from hooks.deployment.faults import DeploymentError
from hooks.deployment.reading import Settled
from hooks.feedback.options import SALT, STORE
from hooks.options import format_option


EXAMPLE = Path(__file__).parent / "cobalamin.yaml"
EXIT_FAULTY = 1

_file = click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def config() -> None:
    """The configuration of the service (docs/configuration.md)."""


@config.command("check")
@_file
@format_option
def check_command(file: Path, format_: str) -> None:
    """Say everything that is wrong with a configuration, and with the files and secrets that it names.

    Example: cobalamin config check cobalamin.yaml --format json

    Exit status: 0 the service would start with it; 1 it would not.
    """
    faults: Any = []
    with TemporaryDirectory(prefix="cobalamin-") as folder:
        try:
            check(Settled(file, {}, os.environ), Path(folder))
        except DeploymentError as error:
            faults = error.faults
    if format_ == "json":
        print_json({"file": str(file), "fits": not faults, "faults": to_builtins(faults)})
    else:
        click.echo("\n".join(map(str, faults)) or f"{file}: fits")
    sys.exit(EXIT_FAULTY if faults else 0)


@config.command("show")
@_file
@format_option
def show(file: Path, format_: str) -> None:
    """Print a configuration as it will be served, with every default; of secrets only whether they are set.

    Example: cobalamin config show cobalamin.yaml

    Exit status: 0; 1 something is wrong with it.
    """
    settled = Settled(file, {}, os.environ)
    try:
        config_of(settled, Path())
    except DeploymentError as error:
        click.echo(str(error), err=True)
        if format_ == "json":
            print_json({"file": str(file), "fits": False, "faults": to_builtins(error.faults)})
        sys.exit(EXIT_FAULTY)
    content = settled.deployment.model_dump(mode="json")
    store = content["feedback"]["store"]
    content["feedback"]["store"] = store and masked(store)
    content["secrets"] = {SALT: MASK if settled.salt else None, STORE: MASK if settled.store_is_secret else None}
    if format_ == "json":
        print_json(content)
    else:
        click.echo(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), nl=False)


@config.command("example")
@format_option
def example(format_: str) -> None:
    """Print a configuration with every key, to begin with.

    Example: cobalamin config example > cobalamin.yaml
    """
    text = EXAMPLE.read_text(encoding="utf-8")
    if format_ == "json":
        print_json(yaml.safe_load(text))
    else:
        click.echo(text, nl=False)
