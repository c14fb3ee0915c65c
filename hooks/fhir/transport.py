"""One GET: the only place that opens a connection. It is over when its time is, however slowly the bytes drip.

There is no session: no redirect is followed, no cookie kept, no environment, proxy or netrc asked.
"""

from __future__ import annotations

import http.client
import io
import logging
import threading
import time
import zlib
from typing import Any

import requests
import urllib3
from urllib3.exceptions import ProtocolError

from hooks.fhir.access import Access
from hooks.fhir.addresses import Address, lies_under, parsed
from hooks.fhir.faults import OF_STATUS, Failure
from hooks.networks import Adapter, Connection, PrivateAddressError, SecureConnection, reaching


_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_CONNECTIONS = 16
"""Kept open per server: as many as one call asks at a time, and some."""

_clock = threading.local()


class FetchError(Exception):
    """A query that brought no answer, and why. It holds nothing of what was asked or answered."""

    def __init__(self, failure: Failure, retry_after: float | None = None) -> None:
        """`retry_after`: the seconds after which the server wants to be asked again, if it said so."""
        self.failure = failure
        self.retry_after = retry_after
        super().__init__(failure)


def get(url: str, token: str | None, above: Address, until: float, size: int, access: Access) -> tuple[bytes, str]:
    """The body behind a URL, at most `size` bytes, and the URL as it was sent. Raises FetchError.

    `above`: the base that the URL must lie under. `until`: the end of patience, by the monotonic clock. `access`: whom the client
    trusts, and in which private networks its servers lie.
    """
    authorization = {"Authorization": f"Bearer {token}"} if token is not None else {}
    request = requests.Request("GET", url, headers={**_HEADERS, **authorization}).prepare()
    sent = request.url or ""
    if not lies_under(parsed(sent), above):
        raise FetchError("astray")
    try:
        try:
            response = _send(request, until, access)
        except requests.ConnectionError as error:
            if not _was_dropped(error):
                raise
            response = _send(request, until, access)
        try:
            _check(response)
            return _body(response, size), sent
        finally:
            response.close()
    except FetchError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever breaks, its words may name the patient; only its kind is told
        raise FetchError(_kind(error)) from None


def _send(request: requests.PreparedRequest, until: float, access: Access) -> requests.Response:
    left = until - time.monotonic()
    if left <= 0:
        raise FetchError("late")
    _clock.until = until
    with reaching(access.networks):
        return _ADAPTER.send(request, stream=True, timeout=left, verify=access.authority or True)


def _was_dropped(error: requests.ConnectionError) -> bool:
    """Did a connection end before anything was answered? A kept one may have been closed meanwhile, and a GET may be repeated."""
    return bool(error.args) and isinstance(error.args[0], ProtocolError)


def _check(response: requests.Response) -> None:
    status = response.status_code
    if status == http.client.OK:
        return
    said = response.headers.get("Retry-After", "")
    after = int(said) if said.isdecimal() and len(said) < 4 and status in (429, 503) else None
    classes: dict[int, Failure] = {3: "redirected", 4: "refused", 5: "broken"}
    raise FetchError(OF_STATUS.get(status) or classes.get(status // 100, "no_fhir"), after)


def _body(response: requests.Response, size: int) -> bytes:
    """What a response holds, unpacked by ourselves: a few bytes may unfold to gigabytes."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise FetchError("no_fhir")
    unpacker = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    body, taken = bytearray(), 0
    while chunk := response.raw.read(_CHUNK, decode_content=False):
        taken += len(chunk)
        body += chunk if unpacker is None else unpacker.decompress(chunk, size + 1 - len(body))
        if max(taken, len(body)) > size:
            raise FetchError("too_much")
    if unpacker is not None and not unpacker.eof:
        raise FetchError("cut")
    return bytes(body)


def _kind(error: Exception) -> Failure:
    """Which of our words fits what a library raised."""
    if isinstance(error, PrivateAddressError):
        return "private"
    if isinstance(error, requests.exceptions.SSLError):
        return "untrusted"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return "late"
    if isinstance(error, zlib.error):
        return "no_fhir"
    if isinstance(error, ProtocolError) or (isinstance(error, requests.ConnectionError) and _was_dropped(error)):
        return "cut"
    return "unreachable"


class _Hurried(io.RawIOBase):
    """A socket's bytes, each read of which gets only the time that is left to the thread that reads."""

    def __init__(self, sock: Any, raw: Any) -> None:
        self._sock, self._raw = sock, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _clock.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Hurried(sock, self.fp.detach()))


class _Connection(Connection):
    response_class = _Response


class _SecureConnection(SecureConnection):
    response_class = _Response


class _Adapter(Adapter):
    """The connections of this process to all FHIR servers, kept open between calls. A worker makes its own after the fork."""

    plain, secure = _Connection, _SecureConnection


_ADAPTER = _Adapter(pool_connections=32, pool_maxsize=_CONNECTIONS)
_HEADERS = {"Accept": "application/fhir+json", "Accept-Encoding": "gzip", "User-Agent": "cobalamin-cds"}


for _name in ("connection", "connectionpool", "poolmanager", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(lambda _: False)  # they print URLs, and these name patients
