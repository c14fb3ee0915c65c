"""The clients that the workbench offers."""

from __future__ import annotations

from collections.abc import Iterable

from cds.content import Library
from hooks.clientfiles import client, shipped
from hooks.profiles import Profile


USUAL = "generic"
"""The client to begin with where the deployment names none."""


def offered(deployed: Iterable[Profile], library: Library) -> tuple[Profile, ...]:
    """Those of the deployment first; then all that are shipped."""
    known = {profile.name: profile for profile in deployed}
    for name in (USUAL, *shipped()):
        if name not in known:
            known[name] = client(name, library)
    return tuple(known.values())
