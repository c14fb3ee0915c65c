"""The pages of docs/ make a site without a warning, every link of which leads somewhere; what is derived is up to date."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

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


def test_the_site_builds_without_a_warning_and_every_link_within_it_leads_somewhere(tmp_path: Path) -> None:
    site = tmp_path / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(tmp_path / "trees"), str(DOCS), str(site)]
    built = subprocess.run(command, capture_output=True, text=True, check=False, cwd=DOCS.parent)
    assert not built.returncode, built.stderr
    assert not built.stderr, built.stderr
    read = {path: Page(path) for path in site.rglob("*.html")}
    written = {path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md")}
    assert written == {path.relative_to(site).with_suffix("") for path in read} - {Path("genindex"), Path("search")}
    links = [(path, target) for path, page in read.items() for target in page.targets if not urlsplit(target).scheme]
    assert len(links) > 1000
    assert not [f"{path.relative_to(site)}: {target}" for path, target in links if not leads_somewhere(path, target, read)]


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
