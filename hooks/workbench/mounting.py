"""Puts the workbench into an application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from flask import Flask

from cds.content import Library
from hooks.calls import Record
from hooks.clientfiles import client, shipped
from hooks.profiles import Profile
from hooks.services import Service
from hooks.workbench.bench import Bench
from hooks.workbench.routes import workbench


USUAL = "generic"
"""The client to begin with where the deployment names none."""


def mount(
    app: Flask,
    library: Library,
    services: Iterable[Service],
    clients: Iterable[Profile],
    today: Callable[[], date] | None = None,
    base_url: str | None = None,
    record: Record | None = None,
) -> None:
    """`clients`: those of the deployment, offered first; then all that are shipped."""
    offered = {profile.name: profile for profile in clients}
    for name in (USUAL, *shipped()):
        if name not in offered:
            offered[name] = client(name, library)
    app.register_blueprint(workbench(Bench(library, services, offered.values(), today, base_url, record)))
