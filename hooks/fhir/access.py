"""Where and how the FHIR server of one client may be read."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from hooks.networks import Network


Dialect = Literal["generic", "epic", "oracle", "athena", "openemr", "hapi"]
"""Which searches a server answers, and how it wants them."""


class Access(Struct, frozen=True):
    """What a client has allowed us. `bases`: the FHIR bases we may talk to, nothing beside and nothing above them.

    `deadline_s`: for all queries of one call together; `pages` and `size`: how many pages and bytes one query may bring. `open`:
    its servers answer without a token (FHIR-04). `authority`: a PEM file with whom it trusts, where that is not the usual ones.
    `networks`: private networks in which its servers may lie.
    """

    bases: tuple[str, ...]
    dialect: Dialect = "generic"
    deadline_s: float = 0.4
    pages: int = 10
    size: int = 10 * 1024 * 1024
    open: bool = False
    authority: str | None = None
    networks: tuple[Network, ...] = ()
