"""One workbench and one browser for all tests of this folder; each test opens pages of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.opening import CHROMIUM, WIDE, browser, opened


OpenPage = Callable[..., Page]

EXPECTED = ("net::ERR_FAILED", "the server responded with a status of 400 (BAD REQUEST)")
"""What the browser itself says of a request that a test has stopped, or means to be refused."""


@pytest.fixture(scope="session")
def base() -> Iterator[str]:
    """The address of the real workbench."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with opened() as address:
        yield address


@pytest.fixture(scope="session")
def chromium(base: str) -> Iterator[Browser]:
    """The browser; started after what it looks at."""
    with browser() as running:
        yield running


@pytest.fixture
def new_page(base: str, chromium: Browser) -> Iterator[OpenPage]:
    """Opens empty pages. Nothing may be asked of anybody but the workbench, and nothing may be complained of on the console."""
    contexts, elsewhere, complaints = [], list[str](), list[str]()

    def opener(**options: Any) -> Page:
        context = chromium.new_context(**{"viewport": WIDE, "color_scheme": "light", **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "request", lambda sent: elsewhere.append(sent.url) if not sent.url.startswith((base, "about:", "data:")) else None
        )
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opener
    for context in contexts:
        context.close()
    assert elsewhere == []
    assert [said for said in complaints if not said.endswith(EXPECTED)] == []
