"""In which language a call is answered: what the request prefers of ours, else what the site speaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from hooks.app import Config, create_app
from tests.patients import TODAY, request


URL = "/cds-services/b12-bone-health"
DEFICIENT = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}
SAID = {"en": "Vitamin B12 142 pg/mL (2026-11-11) deficient", "zh-CN": "维生素B12 142 pg/mL（2026-11-11），缺乏"}

PREFERRED = [
    ("zh-CN", "zh-CN"),
    ("ZH-cn", "zh-CN"),
    ("zh_CN", "zh-CN"),
    ("zh", "zh-CN"),
    ("zh-SG", "zh-CN"),
    ("zh-Hans-CN", "zh-CN"),
    ("zh-Hans-HK", "zh-CN"),
    ("fr, zh;q=0.8", "zh-CN"),
    ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
    ("en;q=0.3, zh-CN;q=0.9", "zh-CN"),
    ("zh-TW, zh;q=0.9, en;q=0.8", "zh-CN"),
    ("en", "en"),
    ("en-US", "en"),
    ("en-GB, zh;q=0.5", "en"),
    ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
    ("zh;q=0, en", "en"),
    ("zh-TW, en;q=0.8", "en"),
    ("zh-Hant-CN, en-GB;q=0.1", "en"),
]
UNDECIDED = [
    "fr",
    "*",
    "fr, *;q=0.1",
    "zh-TW",
    "zh-HK",
    "zh-Hant",
    "en;q=0",
    "english",
    "z",
    ";;;q=x,,",
    "\xff\xfe",
    "",
    "de," * 10_000 + "zh",
]


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client of a hospital that speaks Chinese."""
    site = tmp_path_factory.mktemp("site") / "site.yaml"
    site.write_text("site: Example\nlanguage: zh-CN\n", encoding="utf-8")
    return create_app(Config(today=lambda: TODAY, site=site)).test_client()


def spoken(client: FlaskClient, wanted: str | None) -> str:
    """The language of an answer, which must be the one it names."""
    answer = client.post(URL, json=request(DEFICIENT), headers={} if wanted is None else {"Accept-Language": wanted})
    assert answer.status_code == 200
    assert answer.headers["Vary"] == "Accept-Language"
    language = answer.headers["Content-Language"]
    (card,) = answer.get_json()["cards"]
    assert card["summary"].startswith(SAID[language])
    return language


@pytest.mark.parametrize(("wanted", "language"), PREFERRED)
def test_what_the_request_prefers_is_spoken_whatever_the_site_speaks(
    client: FlaskClient, chinese: FlaskClient, wanted: str, language: str
) -> None:
    assert (spoken(client, wanted), spoken(chinese, wanted)) == (language, language)


@pytest.mark.parametrize("wanted", [None, *UNDECIDED], ids=lambda wanted: repr(wanted)[:30])
def test_who_does_not_prefer_one_of_ours_hears_what_the_site_speaks(
    client: FlaskClient, chinese: FlaskClient, wanted: str | None
) -> None:
    assert (spoken(client, wanted), spoken(chinese, wanted)) == ("en", "zh-CN")


def test_refusals_are_english_for_the_people_who_run_the_interface(chinese: FlaskClient) -> None:
    answer = chinese.post(URL, json={}, headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 400
    assert "Content-Language" not in answer.headers
    assert "is required by the CDS Hooks specification" in answer.get_json()["issue"][0]["details"]["text"]


def test_a_site_cannot_speak_what_nobody_wrote(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: Example\nlanguage: fr\n", encoding="utf-8")
    with pytest.raises(ValueError, match="language"):
        create_app(Config(site=site))
