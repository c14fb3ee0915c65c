"""Whether an address lies under the base we were allowed: same origin, same path or below it (PREF-34, FHIR-02, FHIR-05)."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import unquote, urljoin


_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!->@-\[\]-~]*)?(?P<query>\?[!-\[\]-~]*)?",
    re.IGNORECASE,
)
"""What we can be sure to read like every other program: no user, no backslash, nothing invisible, and no fragment."""
_PORTS = {"https": 443, "http": 80}


class Address(NamedTuple):
    """An absolute web address, its origin in one spelling."""

    scheme: str
    host: str
    port: int
    path: str
    query: str


def parsed(url: str) -> Address | None:
    """An address that means one thing only; None for any other. Steps up and hidden slashes in a path are not followed."""
    match = _ADDRESS.fullmatch(url)
    if match is None or "#" in url:
        return None
    scheme, path = match["scheme"].lower(), match["path"] or ""
    unfolded = [unquote(step) for step in path.split("/")]
    if any(step in (".", "..") or "/" in step or "\\" in step for step in unfolded):
        return None
    return Address(scheme, match["host"].lower(), int(match["port"] or _PORTS[scheme]), path, match["query"] or "")


def base(url: str) -> Address | None:
    """A base to which queries are added, with or without a slash at its end (FHIR-07)."""
    address = parsed(url)
    return None if address is None or address.query else address._replace(path=address.path.rstrip("/"))


def lies_under(address: Address | None, above: Address) -> bool:
    """Is it the base itself, or below it?"""
    return (
        address is not None
        and address[:3] == above[:3]
        and (address.path == above.path or address.path.startswith(f"{above.path}/"))
    )


def joined_address(url: str, link: str) -> str:
    """Where a link on an answer leads; empty where it leads nowhere."""
    try:
        return urljoin(url, link) if link else ""
    except ValueError:
        return ""


def allowed_base(url: str) -> Address:
    """A base that a deployment lists. Raises ValueError for one that is unclear, or is not encrypted (FHIR-06)."""
    found = base(url)
    if found is None:
        raise ValueError(f"{url!r} is no FHIR base: an absolute http(s) URL without user, query and fragment")
    if found.scheme == "http" and not _is_here(found.host):
        raise ValueError(f"{url!r} is not encrypted; only loopback may be")
    return found


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
