"""The pages of docs/ make a site without a warning, every link of which leads somewhere; what is derived is up to date."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.derived import DOCS
from tests.reference import pages


class Page(HTMLParser):
    """What a page links to, and what of it can be linked to."""

    def __init__(self, path: Path) -> None:
        """Read it."""
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the tag has of it."""
        for name, value in attrs:
            if name == "id":
                self.anchors.add(value or "")
            elif name in ("href", "src"):
                self.targets.append(value or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as a contributor builds it, from nothing."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-d",
        str(folder / "trees"),
        str(DOCS),
        str(folder / "html"),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False, cwd=DOCS.parent)
    assert not built.returncode, built.stderr
    assert not built.stderr, built.stderr
    return folder / "html"


def test_every_page_is_in_the_site(site: Path) -> None:
    written = {path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md")}
    assert written == {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")} - {
        Path("genindex"),
        Path("search"),
    }


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    read = {path: Page(path) for path in site.rglob("*.html")}
    lost = [
        f"{path.relative_to(site)}: {target}"
        for path, page in read.items()
        for target in page.targets
        if not urlsplit(target).scheme and not leads_somewhere(path, target, read)
    ]
    assert not lost


def leads_somewhere(path: Path, target: str, read: dict[Path, Page]) -> bool:
    """Is there such a file and, where one is named, such an anchor in it?"""
    parts = urlsplit(target)
    there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    return there.exists() and (not parts.fragment or unquote(parts.fragment) in read[there].anchors)


def test_what_is_derived_is_up_to_date() -> None:
    derived = pages()
    found = {str(path.relative_to(DOCS)) for folder in ("reference", "site-sheets") for path in (DOCS / folder).glob("*")}
    assert found == {name for name in derived if "/" in name}, "python -m tests.reference"
    for name, content in derived.items():
        assert (DOCS / name).read_text(encoding="utf-8") == content, f"{name}: python -m tests.reference"
