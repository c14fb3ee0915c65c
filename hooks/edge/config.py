"""What a deployment settles about its edge, and in which words it refuses there. Nothing here does anything."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from hooks.errors import Issue
from hooks.networks import Network


class Proxies(Struct, frozen=True):
    """The gateways of a deployment, by their addresses.

    `verified`: the header in which they say SUCCESS of a client's certificate, as nginx does of `$ssl_client_verify`.
    `subject`: the header with the certificate's distinguished name.
    """

    networks: tuple[Network, ...]
    verified: str = "X-Client-Verify"
    subject: str = "X-Client-Subject"


ANYBODY = "*"


class Cors(Struct, frozen=True):
    """The pages that may call, by their origins. `development`: they may also do so from a public page into a private network.

    Nobody is ever allowed credentials: a browser has none that mean anything here.
    """

    origins: frozenset[str]
    development: bool = False


class Rates(Struct, frozen=True):
    """How many calls are answered: of one client, and of all together, as in `600/minute`; None: any number.

    `file`: where the workers count.
    """

    file: Path
    client: str | None = None
    service: str | None = None


UNSAFE = Issue("security", "This service is called by https, through its gateway.")
TOO_MANY = Issue("throttled", "This client calls more often than was agreed; call again after the time in Retry-After.")
OVERLOADED = Issue("throttled", "The service is called more often than it can answer; call again after the time in Retry-After.")


def is_of_services(path: str) -> bool:
    """Does a path lead to discovery, a service or its feedback, with however many slashes it begins?"""
    return path.lstrip("/").startswith("cds-services")
