"""Which addresses are reached from here: public ones, and of all others only those that a deployment lists (FHIR-05)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter


Network = IPv4Network | IPv6Network

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 behind a translator (RFC 6052)."""

_NO_PUBLIC = tuple(ip_network(text) for text in ("192.0.0.0/24", "::/96", "64:ff9b:1::/48", "fec0::/10"))
"""Not public either, whatever the library says: for protocols, of IPv4 in a way given up, behind a translator, of a site."""


class PrivateAddressError(Exception):
    """A name leads to an address that is neither public nor listed."""


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """An address, the one of IPv4 where IPv6 only wraps it; None for anything else."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    return inner or (IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else address)


def may_be_reached(text: str, listed: Iterable[Network]) -> bool:
    """Is an address public, or in a network that is listed?"""
    address = address_of(text)
    if address is None:
        return False
    public = address.is_global and not address.is_multicast and not any(address in network for network in _NO_PUBLIC)
    return public or any(address in network for network in listed)


class _Listed(threading.local):
    networks: tuple[Network, ...] = ()


_listed = _Listed()


@contextmanager
def reaching(networks: tuple[Network, ...]) -> Iterator[None]:
    """Within this block, in this thread, connections may also lead into these networks."""
    before, _listed.networks = _listed.networks, networks
    try:
        yield
    finally:
        _listed.networks = before


class _Guarded:
    """A connection that is given up before anything is sent, if the name it was made for leads where we do not go.

    A host that is written as an address, or as localhost, was listed as such.
    """

    host: str

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]  # the connection of urllib3 beside it has it
        written = self.host == "localhost" or address_of(self.host.strip("[]")) is not None
        if not written and not may_be_reached(connected.getpeername()[0], _listed.networks):
            connected.close()
            raise PrivateAddressError
        return connected


class Connection(_Guarded, urllib3.connection.HTTPConnection):
    """A guarded connection."""


class SecureConnection(_Guarded, urllib3.connection.HTTPSConnection):
    """A guarded connection by TLS."""


class Adapter(HTTPAdapter):
    """Guarded connections for `requests`."""

    plain: type[Connection] = Connection
    secure: type[SecureConnection] = SecureConnection

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools of our connections instead of the library's."""
        super().init_poolmanager(*args, **kwargs)
        plain = type("Pool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": self.plain})
        secure = type("SecurePool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": self.secure})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secure}
