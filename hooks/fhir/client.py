"""Asks one FHIR server for what is missing: all queries at once, page by page, under one deadline."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from hooks.fhir.access import Access
from hooks.fhir.addresses import joined_address, lies_under, parsed
from hooks.fhir.elements import number, objects, opened, text
from hooks.fhir.grants import Grant
from hooks.fhir.prefetch import Fetched
from hooks.fhir.resources import NOT_SENT
from hooks.fhir.transport import FetchError, get


_LOG = logging.getLogger("cobalamin")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HAND_IN = 0.95
"""The part of the time after which a query stops, so that the pages it has read arrive before nobody waits any longer."""
_MOST_THREADS = 64
_slots = threading.BoundedSemaphore(_MOST_THREADS)
"""Queries that may be under way in this process. One that hangs where no timeout reaches, in the name service, keeps its slot."""


class Page(msgspec.Struct, frozen=True, gc=False):
    """What is read of an answer before its reader sees it: enough to turn the page."""

    resourceType: str
    link: msgspec.Raw = NOT_SENT
    total: Any = None
    entry: list[msgspec.Raw] | None = None


_READ_PAGE = msgspec.json.Decoder(Page)


@dataclass(frozen=True)
class Query:
    """One search for one of our keys. `first`: its first page, where the client supplied that and we only turn to the next."""

    key: str
    search: str
    first: bytes | None = None


def fetch(access: Access, grant: Grant, queries: Iterable[Query], until: float) -> list[Fetched]:
    """What each query brought, in their order. Returns at `until` (monotonic) at the latest, whatever a server does."""
    asked = list(queries)
    told: SimpleQueue[tuple[int, Fetched]] = SimpleQueue()
    brought: dict[int, Fetched] = {}
    now = time.monotonic()
    hand_in = now + _HAND_IN * (until - now)
    for place, query in enumerate(asked):
        if not _slots.acquire(timeout=max(0.0, until - time.monotonic())):
            break
        arguments = (access, grant, query, hand_in, place, told)
        try:
            threading.Thread(target=_run, args=arguments, name="cobalamin-fetch", daemon=True).start()
        except RuntimeError:  # the machine has no thread left
            _slots.release()
            break
    while len(brought) < len(asked):
        try:
            place, found = told.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        brought[place] = found
    return [brought.get(place) or Fetched(query.key, None, "late") for place, query in enumerate(asked)]


def next_link(page: Page) -> str | None:
    """Where the next page is; None where there is none, "" where nobody says where."""
    if bytes(page.link) == b"null":
        return None
    links = [link for link in objects(opened(page.link)) if text(link.get("relation")).lower() == "next"]
    return text(links[0].get("url")) if links else None


def page_of(content: bytes) -> Page | None:
    """An answer that is a Bundle of entries; None for another object. Raises FetchError for what is no JSON object (RFC 8259)."""
    try:
        content.decode()
        try:
            page = _READ_PAGE.decode(content)
        except msgspec.ValidationError:
            page = None
            msgspec.json.decode(content, type=msgspec.Raw)  # the decoder stopped at what is odd; the rest must be JSON, too
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FetchError("cut" if _is_object(content) or not content.strip() else "no_fhir") from None
    if not _is_object(content):  # null would read as looked and found nothing
        raise FetchError("no_fhir")
    return page if page is not None and page.resourceType == "Bundle" else None


def _is_object(content: bytes) -> bool:
    return content.lstrip().startswith(b"{")


def _joined(pages: Iterable[Page], *, more: bool = False) -> bytes:
    """Pages as one answer, as a client would have supplied it. `more`: there are others, which nobody read."""
    read = list(pages)
    totals = [total for page in read if (total := number(page.total)) is not None]
    whole: dict[str, Any] = {"resourceType": "Bundle", "entry": [entry for page in read for entry in page.entry or ()]}
    if totals:
        whole["total"] = int(max(totals))
    if more:
        whole["link"] = [{"relation": "next"}]
    return msgspec.json.encode(whole)


def _run(access: Access, grant: Grant, query: Query, until: float, place: int, told: SimpleQueue[tuple[int, Fetched]]) -> None:
    try:
        found = _Reading(access, grant, until).all_pages(query)
    except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
        _LOG.error("a FHIR query broke: %s", type(error).__name__)
        found = Fetched(query.key, None, "no_fhir")
    finally:
        _slots.release()
    told.put((place, found))


class _Reading:
    """One query on its way from page to page."""

    def __init__(self, access: Access, grant: Grant, until: float) -> None:
        self._access, self._grant, self._until = access, grant, until
        self._left = access.size
        self._pages: list[Page] = []
        self._seen = set[str]()

    def all_pages(self, query: Query) -> Fetched:
        """Every page within bounds. What was read before something failed is kept, and marked as a part."""
        try:
            url = f"{self._grant.server}/{query.search}"
            content, url = (query.first, url) if query.first is not None else self._get(url)
            while True:
                page = page_of(content)
                if page is None and not self._pages:
                    return Fetched(query.key, content, None)
                self._pages.append(page or Page("Bundle", entry=[msgspec.Raw(b'{"resource":' + content + b"}")]))
                following = next_link(self._pages[-1])
                if following is None:
                    return Fetched(query.key, content if len(self._pages) == 1 else _joined(self._pages), None)
                content, url = self._get(self._under(url, following))
        except FetchError as error:
            return Fetched(query.key, _joined(self._pages, more=True) if self._pages else None, error.failure)

    def _under(self, url: str, following: str) -> str:
        """The address of the next page. Raises FetchError where it does not lie where this one does."""
        address = joined_address(url, following)
        if not lies_under(parsed(address), self._grant.base):
            raise FetchError("astray")
        return address

    def _get(self, url: str) -> tuple[bytes, str]:
        """One page and its address. A server that asks for a short pause gets it, once, if there is time."""
        if url in self._seen or len(self._pages) >= self._access.pages:
            raise FetchError("too_much")
        try:
            content, sent = self._once(url)
        except FetchError as error:
            if error.retry_after is None or time.monotonic() + error.retry_after >= self._until:
                raise
            time.sleep(error.retry_after)
            content, sent = self._once(url)
        self._seen |= {url, sent}
        self._left -= len(content)
        return content.removeprefix(_BYTE_ORDER_MARK), sent

    def _once(self, url: str) -> tuple[bytes, str]:
        if time.monotonic() >= self._grant.until:
            raise FetchError("expired")
        return get(url, self._grant.token, self._grant.base, self._until, self._left, self._access)
