"""The pages for people: the rulebook as HTML, and the source attributes beside it. No script, nothing from elsewhere."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

import cds
from cds.content import Library
from cds.library import read_yaml
from cds.rulebook import Book, book
from cds.signed import LANGUAGES, InBoth, Language, Name, Text
from hooks.disclosure import source_attributes
from hooks.replies import Reply, answered
from hooks.services import Service
from hooks.vignettes import shown_by, vignettes


_FOLDER = Path(__file__).parent / "templates"
_STYLE = (_FOLDER / "rulebook.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Cache-Control", "no-cache"),
    ("Vary", "Accept-Language, Accept-Encoding"),
)
_CODE = re.compile(r"`([^`]+)`")


class Pages:
    """The pages of one running service; the rulebook is made once for each language and day."""

    def __init__(self, library: Library, services: Iterable[Service]) -> None:
        """`services`: those whose rules are shown, in their order."""
        self._library, self._services = library, tuple(services)
        self.attributes = answered(source_attributes(library, self._services))
        self._made = lru_cache(maxsize=2 * len(LANGUAGES))(self._make)

    def rulebook(self, language: Language | None, day: date, compressed: bool = False) -> Reply:
        """The rulebook in a language, or where none is asked for in that of the site."""
        page, smaller = self._made(language or self._library.language, day)
        return smaller if compressed else page

    def _make(self, language: Language, day: date) -> tuple[Reply, Reply]:
        page = rulebook_html(self._library, self._services, day, language, served=True)
        headers, body = (*_HEADERS, ("Content-Language", language)), page.encode()
        smaller = Reply(HTTPStatus.OK, gzip.compress(body), (*headers, ("Content-Encoding", "gzip")))
        return Reply(HTTPStatus.OK, body, headers), smaller


def rulebook_html(library: Library, services: Iterable[Service], day: date, language: Language, served: bool = False) -> str:
    """The rulebook as one page that stands alone. `served`: another language is one link away."""
    running = tuple(services)
    content = book(library, dict.fromkeys(rule for service in running for rule in service.rules), day, language)
    return (
        _environment()
        .get_template("rulebook.html")
        .render(
            library=library,
            services=running,
            book=content,
            language=language,
            languages=LANGUAGES,
            served=served,
            software=cds.__version__,
            style=Markup(_STYLE),  # noqa: S704 - our own file
            w=_words(language),
            cited={key: reference[language] for key, reference in library.references.items()},
            vignettes=vignettes(),
            shown_by=shown_by,
            attributes=source_attributes(library, running, language),
            anchor=_anchors(library, content),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("hooks"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["prose"] = _prose
    return environment


def _words(language: Language) -> dict[str, str]:
    said: dict[str, InBoth[str]] = read_yaml(_FOLDER / "words.yaml", dict[Name, InBoth[Text]])
    return {name: words[language] for name, words in said.items()}


def _anchors(library: Library, content: Book) -> dict[str, str]:
    """Where on the page each name is explained; what a caller is always told (patient, day) is explained nowhere."""
    facts = {fact.name: f"fact-{fact.name}" for group in content.facts for fact in group.facts}
    sets = {name: f"set-{leaf.concept}" for name, leaf in library.sources.items() if hasattr(leaf, "concept")}
    return facts | sets | {name: f"number-{name}" for name in content.numbers} | {rule: rule for rule in library.rules}


def _prose(text: str) -> Markup:
    """Text with its `names` set as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before
