"""Pictures of the workbench to look at: `python -m tests.browser.pictures DIRECTORY`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

from tests.browser.opening import NARROW, WIDE, browser, opened, visit


Scheme = Literal["light", "dark"]


class Album:
    """Takes pictures into a directory."""

    def __init__(self, chromium: Browser, base: str, folder: Path) -> None:
        """`base`: where the workbench is."""
        self._chromium, self._base, self._folder = chromium, base, folder

    def open(self, narrow: bool = False, scheme: Scheme = "light", **where: str) -> Page:
        """A page of one of the two widths, in light or dark."""
        page = self._chromium.new_page(viewport=NARROW if narrow else WIDE, color_scheme=scheme)
        return visit(page, self._base, **where)

    def take(self, page: Page, name: str) -> None:
        """The whole page, as it stands."""
        page.screenshot(path=self._folder / f"{name}.png", full_page=True)
        page.close()


def main(folder: Path) -> None:
    """Take every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with opened() as base, browser() as chromium:
        album = Album(chromium, base, folder)
        page = album.open()
        page.locator(".why > summary").click()
        for _ in range(3):
            page.locator(".tree li:not(.barren) > .node[aria-expanded=false]").first.click()
        album.take(page, "deficient-with-trace")
        page = album.open()
        page.locator(".accept").first.click()
        page.locator(".told.done").wait_for()
        page.locator(".override summary").click()
        album.take(page, "feedback")
        album.take(album.open(fixture="two-years-on", tab="course"), "course")
        album.take(album.open(fixture="two-years-on", tab="course", language="zh-CN", scheme="dark"), "course-chinese-dark")
        album.take(album.open(fixture="two-years-on", tab="course", language="zh-CN", narrow=True), "course-chinese-narrow")
        page = album.open(fixture="two-years-on", tab="course")
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        album.take(page, "course-print")
        album.take(album.open(fixture="neurological-red-flag", scheme="dark"), "critical-dark")
        album.take(album.open(fixture="neurological-red-flag", narrow=True), "critical-narrow")
        album.take(album.open(client="epic", language="zh-CN"), "epic-chinese")
        album.take(album.open(fixture="nothing-to-say"), "nothing-to-say")
        for tab in ("silences", "data", "wire"):
            album.take(album.open(fixture="conditions-query-failed", tab=tab), tab)
        page = album.open(tab="what_if")
        page.locator("#record-0").uncheck()
        page.locator(".notice.what-if").wait_for()
        page.locator("#add-number").select_option("ppi_long_term_days")
        page.locator("#number-ppi_long_term_days").wait_for()
        album.take(page, "what-if")
        page = album.open()
        page.get_by_text("Your own").click()
        page.locator("textarea").fill('{"hook": "patient-view"}')
        page.locator("textarea").press("Control+Enter")
        page.locator(".notice.bad").wait_for()
        album.take(page, "refused")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
