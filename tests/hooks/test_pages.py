"""The pages for people: whole, accessible, without anything from elsewhere, and where cards lead to."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections import Counter
from datetime import date
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from cds.content import Library
from cds.library import load
from hooks.app import Config, create_app
from hooks.cli import main
from hooks.disclosure import source_attributes
from hooks.pages import rulebook_html
from hooks.services import SERVICES
from hooks.serving import Server
from hooks.vignettes import shown_by, vignettes
from hooks.wire import Coding, Source
from tests.patients import TODAY, request
from tests.test_attributes import ELEMENTS
from tests.test_vignettes import VIGNETTES


CHINA = Path(__file__).parents[2] / "cds" / "sites" / "china.yaml"
DEFICIENT = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
VOID = {"meta", "br"}


class Page(HTMLParser):
    """What a page is made of: its elements with their attributes, and the text; every element must be closed in its place."""

    def __init__(self, html: str) -> None:
        """Read it all."""
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Called by the parser."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Called by the parser."""
        self.text += data

    def all(self, attribute: str) -> list[str]:
        """Every value of an attribute."""
        return [str(attrs[attribute]) for _, attrs in self.elements if attribute in attrs]


@pytest.fixture(scope="module", params=["en", "zh-CN"])
def page(app: Flask, request: pytest.FixtureRequest) -> Page:
    """The served rulebook in each language."""
    return Page(app.test_client().get(f"/rulebook?language={request.param}").get_data(as_text=True))


def test_every_link_leads_somewhere_and_every_anchor_stands_once(page: Page) -> None:
    anchors = Counter(page.all("id"))
    assert [name for name, count in anchors.items() if count > 1] == []
    for href in page.all("href"):
        assert href.startswith(("https://", "?language=")) or href.removeprefix("#") in anchors, href
    assert set(page.all("aria-labelledby")) <= anchors.keys()


def test_nothing_comes_from_elsewhere_and_no_script_runs(page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "form", "object", "svg"})
    assert page.all("src") == []
    assert page.all("style") == []
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]


def test_the_page_can_be_heard(page: Page) -> None:
    tags = Counter(tag for tag, _ in page.elements)
    assert (tags["h1"], tags["main"], tags["nav"], tags["header"], tags["footer"]) == (1, 1, 1, 1, 1)
    assert tags["caption"] == tags["table"]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert all("scope" in attrs for tag, attrs in page.elements if tag == "th")
    assert page.elements[0] == ("html", {"lang": page.elements[0][1]["lang"]})


def test_the_page_shows_all_there_is(page: Page, library: Library) -> None:
    anchors = set(page.all("id"))
    assert library.rules.keys() <= anchors
    assert {f"number-{name}" for name in library.parameters} <= anchors
    assert {f"set-{name}" for name in library.value_sets} <= anchors
    assert {f"source-{name}" for name in library.references} <= anchors
    for codes in (value_set.codes for value_set in library.value_sets.values()):
        assert all(code.label in page.text for code in codes)
    for vignette in VIGNETTES:
        assert vignette["name"] in page.text
    assert all(line in page.text for words in library.words.values() for line in words.limits)
    assert library.version in page.text
    assert str(TODAY) in page.text
    assert not re.search(r"\{\w+\}", page.text.replace("{Tscore}", "").replace("{1.73_m2}", ""))


def test_what_needs_a_signature_says_so(library: Library) -> None:
    text = Page(rulebook_html(library, SERVICES, TODAY, "en")).text
    assert "This content needs sign-off by a named clinician before any use with patients." in text
    assert text.count("Sign-off ") >= len(library.rules)
    assert "UNVERIFIED" in text
    assert "WEAK SOURCE" in text
    assert "none loaded" in text
    assert "中文版" not in text, "a file has no other language to link to"


def test_what_a_site_set_is_marked_with_its_reason() -> None:
    text = Page(rulebook_html(load(CHINA), SERVICES, TODAY, "en")).text
    for said in (
        "SET BY THE SITE",
        "Lower limit of most Chinese laboratories",
        "nobody yet, an example",
        "shipped value: 180 pg/mL",
    ):
        assert said in text


def test_the_page_is_sent_with_a_policy_that_its_own_style_passes(client: FlaskClient) -> None:
    response = client.get("/rulebook")
    html = response.get_data(as_text=True)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert (response.mimetype, response.headers["X-Content-Type-Options"]) == ("text/html", "nosniff")


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [("", None, "en"), ("", "zh-CN, en;q=0.5", "zh-CN"), ("?language=en", "zh-CN", "en"), ("?language=zh-CN", None, "zh-CN"),
     ("?language=de", "zh", "zh-CN"), ("", "zh-TW", "en"), ("", "de, zh;q=0", "en")],
)  # fmt: skip
def test_the_language_is_the_one_asked_for(client: FlaskClient, query: str, header: str | None, language: str) -> None:
    response = client.get(f"/rulebook{query}", headers={"Accept-Language": header} if header else {})
    assert response.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in response.get_data(as_text=True)


def test_the_page_is_made_once_a_day() -> None:
    days = iter([TODAY, TODAY, date(2026, 11, 22)])
    client = create_app(Config(today=lambda: next(days))).test_client()
    first, again, tomorrow = (client.get("/rulebook").get_data(as_text=True) for _ in range(3))
    assert first == again
    assert "<time>2026-11-22</time>" in tomorrow


def test_the_page_is_sent_compressed_to_whom_it_suits(client: FlaskClient) -> None:
    plain = client.get("/rulebook", headers={"Accept-Encoding": "gzip;q=0"})
    small = client.get("/rulebook", headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.get_data()) == plain.get_data()
    assert len(small.get_data()) < 600_000


def test_vignettes_are_those_of_the_specification() -> None:
    assert [(v.topic, v.name, list(v.rows)) for v in vignettes()] == [(v["file"], v["name"], v["rows"]) for v in VIGNETTES]
    shown = shown_by("high_b12", "high_b12", vignettes())
    assert {"Once 1200 pg/mL, last year 500", "High twice, nothing taken", "1000 pg/mL is not high"} <= {v.name for v in shown}
    (numb,) = (v for v in vignettes() if v.name == "Deficient with normal absorption and a complete baseline")
    assert (
        "results",
        "b12_total 142 pg/mL; homocysteine 22 umol/L; folate 8 ng/mL; haemoglobin 130 g/L; egfr 80 mL/min/{1.73_m2}",
    ) in (numb.patient)
    assert ("first", "oral") in numb.expected
    assert ("tests", "none") in numb.expected
    (dead,) = (v for v in vignettes() if v.name == "The record says the patient has died")
    assert ("deceased", "yes") in dead.patient


def test_every_rule_is_shown_by_some_vignette(library: Library) -> None:
    for rule in library.rules:
        assert any(given.startswith(f"{rule}/") for v in vignettes() for given in v.advice or ()), rule


def test_source_attributes_are_machine_readable(client: FlaskClient, library: Library) -> None:
    response = client.get("/source-attributes")
    content = response.get_json()
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert content == json.loads(json.dumps(source_attributes(library, SERVICES)))
    assert list(content["elements"]) == ELEMENTS
    assert content["release_date"] is None
    assert content["site"] is None
    assert {rule["id"] for rule in content["rules"]} == library.rules.keys()
    assert [service["id"] for service in content["services"]] == [service.id for service in SERVICES]
    for part in (content, *content["services"], *content["rules"]):
        assert part["citations"]
        assert date.fromisoformat(part["revision_date"])
        assert set(part["citations"]) <= content["references"].keys()
        assert list(part["uses"]) == ELEMENTS
        assert all(use["used"] == bool(use["where"]) for use in part["uses"].values())
        assert part["uses"]["sex"]["used"]
        assert not part["uses"]["race"]["used"]


def test_source_attributes_name_the_site() -> None:
    assert source_attributes(load(CHINA), SERVICES, "zh-CN")["site"] == "Thresholds usual in Chinese hospitals"


@pytest.mark.parametrize("base", ["https://cds.example.org/b12", "https://cds.example.org/b12/"])
def test_RESP_07_a_card_leads_to_its_rule_where_the_service_knows_its_address(base: str) -> None:
    client = create_app(Config(base_url=base, today=lambda: TODAY)).test_client()
    (card,) = client.post("/cds-services/b12-bone-health", json=request(DEFICIENT)).get_json()["cards"]
    assert card["source"]["url"] == "https://cds.example.org/b12/rulebook#b12_regimen"
    anchor = card["source"]["url"].rpartition("#")[2]
    assert f'id="{anchor}"' in client.get("/rulebook").get_data(as_text=True)


def test_RESP_07_without_an_address_a_card_leads_to_its_source(client: FlaskClient) -> None:
    (card,) = client.post("/cds-services/b12-bone-health", json=request(DEFICIENT)).get_json()["cards"]
    assert card["source"]["url"].startswith("https://")
    assert "rulebook" not in card["source"]["url"]


NO_ADDRESS = [
    "",
    "/b12",
    "cds.example.org",
    "ftp://cds.example.org",
    "https://",
    "javascript:alert(1)",
    "https://cds example.org",
]
NO_ADDRESS += ["https://cds.example.org/\u200b", "https://[cds"]


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_RESP_07_what_is_no_absolute_url_never_stands_on_a_card(url: str) -> None:
    with pytest.raises(ValueError, match="absolute"):
        Config(base_url=url)
    with pytest.raises(ValueError, match="is no absolute"):
        Source(label="x", topic=Coding(system="s", code="c", display="d"), url=url)
    refused_by_the_command(url)


@pytest.mark.parametrize("url", ["https://cds.example.org/?a=b", "https://cds.example.org/#top"])
def test_an_address_with_a_query_carries_no_page(url: str) -> None:
    with pytest.raises(ValueError, match="is not an absolute URL that a path can be added to"):
        Config(base_url=url)
    refused_by_the_command(url)


def refused_by_the_command(url: str) -> None:
    result = CliRunner().invoke(main, ["serve", "--base-url", url])
    assert result.exit_code == 2
    assert "Error: Invalid value for '--base-url'" in result.stderr


def test_serve_hands_the_address_to_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    configured: list[Config] = []

    def created(config: Config) -> Flask:
        configured.append(config)
        return create_app(config)

    monkeypatch.setattr("hooks.starting.create_app", created)
    monkeypatch.setattr(Server, "run", lambda server: None)
    assert CliRunner().invoke(main, ["serve", "--port", "8098", "--base-url", "https://cds.example.org"]).exit_code == 0
    assert configured[0].base_url == "https://cds.example.org"


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    page = tmp_path / "book.html"
    on = ["--today", "2026-11-21"]
    printed = CliRunner().invoke(main, ["rulebook", *on])
    assert printed.stdout.startswith("<!doctype html>")
    for where, language, path in ((page, "en", page), (tmp_path, "zh-CN", tmp_path / "rulebook.zh-CN.html")):
        written = CliRunner().invoke(main, ["rulebook", *on, "--output", str(where), "--language", language])
        assert (written.exit_code, written.stdout) == (0, "")
        assert written.stderr.startswith(f"{path}: knowledge ")
        assert f'<html lang="{language}">' in path.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8") == printed.stdout.rstrip("\n")


def test_what_cannot_be_written_or_read_is_told(tmp_path: Path) -> None:
    nowhere = CliRunner().invoke(main, ["rulebook", "--output", str(tmp_path / "nowhere" / "book.html")])
    assert (nowhere.exit_code, nowhere.stdout) == (2, "")
    assert "No such file or directory" in nowhere.stderr
    faulty = CliRunner().invoke(main, ["rulebook", "--site", str(tmp_path / "nowhere.yaml")])
    assert faulty.exit_code == 2
    assert "cannot be read" in faulty.stderr
