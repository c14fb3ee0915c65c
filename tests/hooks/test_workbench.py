"""The server's half of the workbench: who may see it, what it answers, what would be if, and what it ships."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from flask.testing import FlaskClient

from cds.library import KnowledgeError, load
from cds.signed import LANGUAGES
from hooks.app import Config, create_app
from hooks.cli import main
from hooks.clientfiles import shipped
from hooks.edge.config import Proxies
from hooks.errors import RequestError
from hooks.examples import fixture, fixtures
from hooks.feedback.config import FeedbackConfig
from hooks.services import SERVICES, service_of
from hooks.trust.gate import Gate
from hooks.workbench.bench import with_numbers
from hooks.workbench.course import ANALYTES, LANES
from hooks.workbench.hiding import without
from hooks.workbench.routes import FOLDER, STATIC
from tests.patients import TODAY, request


ROOT = Path(__file__).parents[2]
CHINA = ROOT / "cds" / "sites" / "china.yaml"
BUNDLE = json.loads((ROOT / "fixtures" / "bundles" / "smart-8888803.json").read_text(encoding="utf-8"))
SCRIPTS = sorted(STATIC.glob("*.js"))
WORDS: dict[str, dict[str, str]] = yaml.safe_load((FOLDER / "words.yaml").read_text(encoding="utf-8"))
DEFICIENT = {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]}


@pytest.fixture(scope="module", name="bench")
def a_workbench() -> FlaskClient:
    return create_app(Config(today=lambda: TODAY, workbench=True)).test_client()


def evaluated(bench: FlaskClient, body: Any, status: int = 200, **more: Any) -> dict[str, Any]:
    """What the page is told of a request; the service is that of its hook."""
    hook = body.get("hook") if isinstance(body, dict) else None
    text = body if isinstance(body, str) else json.dumps(body)
    asked = {"body": text, "service": service_of(hook).id, "client": "generic", **more}
    response = bench.post("/workbench/api/evaluate", json=asked)
    assert response.status_code == status, response.get_data(as_text=True)
    return dict(response.get_json())


def example(name: str) -> dict[str, Any]:
    return fixture(name).on(TODAY)


# Who may see it


def test_there_is_none_unless_it_is_asked_for(client: FlaskClient) -> None:
    for path in ("/workbench", "/workbench/api/about", "/workbench/static/main.js"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "config",
    [Config(open=True), Config(gate=Gate("https://a.example", [])), Config(proxies=Proxies((ip_network("192.0.2.1"),)))],
)
def test_it_is_refused_wherever_somebody_from_elsewhere_may_be_answered(config: Config) -> None:
    config = replace(config, workbench=True)
    with pytest.raises(KnowledgeError, match="the workbench is for development"):
        create_app(config)


@pytest.mark.parametrize(
    ("environ", "headers"),
    [
        ({"REMOTE_ADDR": "192.0.2.7"}, {}),
        ({}, {"Host": "rebound.example:8080"}),
        ({}, {"Origin": "https://elsewhere.example"}),
        ({}, {"Origin": "null"}),
        ({}, {"Host": "127.0.0.1:8080", "Origin": "http://127.0.0.1:9090"}),
        ({}, {"Host": ""}),
        ({}, {"Host": "[::1"}),
    ],
)
def test_nobody_from_elsewhere_is_answered(bench: FlaskClient, environ: dict[str, str], headers: dict[str, str]) -> None:
    for path in ("/workbench", "/workbench/api/about", "/cds-services", "/rulebook"):
        response = bench.get(path, environ_overrides=environ, headers=headers)
        assert response.status_code == 403
        assert response.get_json()["issue"][0]["code"] == "forbidden"
    service = bench.post("/cds-services/b12-bone-health", json=request(DEFICIENT), environ_overrides=environ, headers=headers)
    assert service.status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_this_machine_is_answered_by_all_its_names(bench: FlaskClient, host: str) -> None:
    assert bench.get("/workbench", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


def test_nothing_runs_but_what_is_shipped(bench: FlaskClient) -> None:
    policy = bench.get("/workbench").headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe" not in policy
    page = (STATIC / "page.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", page) == []
    assert all(link.startswith(("/workbench/static/", "#")) for link in re.findall(r"(?:src|href)=\"([^\"]+)\"", page))
    for name in re.findall(r"/workbench/static/([^\"]+)", page):
        response = bench.get(f"/workbench/static/{name}")
        assert response.status_code == 200, name
        again = bench.get(f"/workbench/static/{name}", headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert bench.get("/workbench/static/main.js").mimetype == "text/javascript"


def test_nothing_else_is_handed_out(bench: FlaskClient) -> None:
    for name in ("../words.yaml", "..%2fwords.yaml", "nothing.js", ""):
        assert bench.get(f"/workbench/static/{name}").status_code == 404


def test_what_is_shipped_of_others_is_what_they_published() -> None:
    for folder, others in ((STATIC / "vendor", STATIC / "vendor"), (ROOT / "tests" / "browser", ROOT / "tests" / "browser")):
        told = yaml.safe_load((folder / "vendor.yaml").read_text(encoding="utf-8"))
        for name, about in told.items():
            content = (others / name).read_bytes()
            assert sha256(content).hexdigest() == about["sha256"], name
            assert about["version"].encode() in content[:200]
            assert (folder / about["license_file"]).stat().st_size > 500
    assert {path.name for path in (STATIC / "vendor").glob("*.js")} == set(
        yaml.safe_load((STATIC / "vendor" / "vendor.yaml").read_text(encoding="utf-8"))
    )


def test_every_asset_is_installed() -> None:
    packaged = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert "hooks.workbench = words.yaml, static/*, static/vendor/*" in packaged
    assert {path.relative_to(STATIC).parts[:-1] for path in STATIC.rglob("*") if path.is_file()} == {(), ("vendor",)}


# Its words


def asked_for(pattern: str) -> set[str]:
    return {key for script in SCRIPTS for key in re.findall(pattern, script.read_text(encoding="utf-8"))}


def test_every_word_has_both_languages_and_is_used() -> None:
    page = (STATIC / "page.html").read_text(encoding="utf-8")
    said = asked_for(r"\bt\(\"(\w+)\"") | set(re.findall(r"data-word=\"(\w+)\"", page))
    made = [re.sub(r"\\\$\\\{.*?\\\}", r"\\w+", re.escape(key)) for key in asked_for(r"\bt\(`([^`]+)`")]
    parts = asked_for(r"\"([a-z][a-z_]+)\"")
    assert said <= WORDS.keys()
    assert all(any(re.fullmatch(pattern, word) for word in WORDS) for pattern in made)
    unused = [word for word in WORDS.keys() - said - parts if not any(re.fullmatch(pattern, word) for pattern in made)]
    assert unused == []
    for words in WORDS.values():
        assert set(re.findall(r"\{\w+\}", words["en"])) == set(re.findall(r"\{\w+\}", words["zh-CN"]))


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("state_", ["data", "null", "empty", "incomplete", "unasked", "failed", "garbage", "absent"]),
        ("ended_", ["retrieved", "not_supplied", "failed", "incomplete"]),
        ("regimen_", ["start", "continue", "reduce", "test_first", "establish_absorption_first", "refer", "none"]),
        ("silent_", ["scope", "stopped", "condition", "failed"]),
        ("due_", ["current", "due", "overdue", "now", "proposed"]),
        ("mark_", ["current", "due", "overdue", "now", "proposed"]),
        ("checked_", ["seen", "weak", "unverified", "design"]),
        ("gender_", ["female", "male", "other", "unknown"]),
        ("status_", ["200", "400", "412", "413", "500"]),
        ("refused_", ["400", "412", "413", "500"]),
        ("change_", ["new", "gone", "changed", "same"]),
        ("threshold_", ["low_below", "grey_up_to", "high_above", "very_high_above"]),
    ],
)
def test_whatever_the_service_may_say_has_words(prefix: str, names: list[str]) -> None:
    assert {f"{prefix}{name}" for name in names} <= WORDS.keys()


def test_words_reach_the_page(bench: FlaskClient) -> None:
    assert bench.get("/workbench/api/words").get_json() == WORDS


# What it offers


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_offered(bench: FlaskClient, language: str) -> None:
    about = bench.get(f"/workbench/api/about?language={language}").get_json()
    assert [service["id"] for service in about["services"]] == [service.id for service in SERVICES]
    assert {client["name"] for client in about["clients"]} == set(shipped())
    assert about["clients"][0]["name"] == "generic"
    assert [known["name"] for known in about["fixtures"]] == [known.name for known in fixtures()]
    assert all(about[known] == value for known, value in {"today": str(TODAY), "feedback": False, "site": None}.items())
    chinese = [known for known in about["fixtures"] if re.search("[\u4e00-\u9fff]", known["title"])]
    assert len(chinese) == (len(about["fixtures"]) if language == "zh-CN" else 0)
    assert [bool(re.search("[\u4e00-\u9fff]", number["means"])) for number in about["numbers"]] == [
        language == "zh-CN" for _ in about["numbers"]
    ]


def test_numbers_are_told_with_their_authority() -> None:
    bench = create_app(Config(today=lambda: TODAY, workbench=True, site=CHINA, clients=("epic",))).test_client()
    about = bench.get("/workbench/api/about").get_json()
    assert about["clients"][0]["name"] == "epic"
    assert about["site"] == "Thresholds usual in Chinese hospitals"
    numbers = {number["name"]: number for number in about["numbers"]}
    assert numbers["followup_interval_days"]["cite"][0]["label"]
    assert numbers["b12_total_deficient_lt_pgml"]["site"].startswith("Lower limit of most Chinese laboratories")
    assert numbers["b12_rise_min_pct"]["mark"] == "†"


def test_a_fixture_is_handed_out_as_of_today(bench: FlaskClient) -> None:
    assert bench.get("/workbench/api/fixtures/pregnant").get_json() == example("pregnant")
    assert bench.get("/workbench/api/fixtures/nobody").status_code == 404


# What it answers


@pytest.mark.parametrize("known", list(fixtures()), ids=lambda known: known.name)
def test_the_answer_is_that_of_the_service(bench: FlaskClient, known: Any) -> None:
    body = known.on(TODAY)
    told = evaluated(bench, body, language="zh-CN")
    answer = bench.post(f"/cds-services/{service_of(body['hook']).id}", json=body, headers={"Accept-Language": "zh-CN"})
    assert told["status"] == answer.status_code
    assert json.loads(told["answer"]) == answer.get_json()
    decided = told["decided"]
    assert [advice["rule"] for advice in decided["advice"] if "held_back" not in advice] == [
        advice["rule"] for advice in decided["report"]["advice"]
    ]
    spoken, silent = {a["rule"] for a in decided["advice"]}, {s["rule"] for s in decided["silences"]}
    assert spoken | silent == set(service_of(body["hook"]).rules)
    assert len(told["cards"]) == len(answer.get_json()["cards"])


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree.get("inputs", ()):
        yield from nodes(child)


def test_a_trace_leads_down_to_records_and_numbers(bench: FlaskClient) -> None:
    (advice,) = evaluated(bench, example("food-bound-deficiency"), language="zh-CN")["decided"]["advice"]
    found = {node["name"]: node for node in nodes(advice["why"])}
    assert found["b12_status"]["value"] == "缺乏"
    assert found["b12_total_results"]["means"] == "总维生素B12"
    assert found["b12_total_results"]["source"] == ["Observation/obs-p-104-6"]
    assert found["b12_lacking"]["value"] == "是"
    assert found["b12_total_deficient_lt_pmoll"]["kind"] == "number"
    assert found["b12_allergies"]["barren"]
    assert found["b12_lacking"]["means"] == "是否确定或很可能缺乏维生素B12？"
    assert found["retrieved"]["means"] == "各项查询的完成情况"


@pytest.mark.parametrize("name", [known.name for known in fixtures()])
def test_a_chinese_trace_means_everything_in_chinese(bench: FlaskClient, name: str) -> None:
    decided = evaluated(bench, example(name), language="zh-CN")["decided"]
    trees = [advice["why"] for advice in decided["advice"]] + [
        node for silence in decided["silences"] for node in silence["inputs"]
    ]
    english = {node["name"] for tree in trees for node in nodes(tree) if not re.search("[\u4e00-\u9fff]", node["means"])}
    assert english == set()


@pytest.mark.parametrize(("name", "form"), [("generic", "html"), ("epic", "html"), ("oracle", "html")])
def test_cards_are_shown_as_the_client_shows_them(bench: FlaskClient, name: str, form: str) -> None:
    (shown,) = evaluated(bench, example("food-bound-deficiency"), client=name)["cards"]
    assert form in shown
    assert "<strong>" in shown["html"]


def test_plain_text_stays_text_and_html_html(tmp_path: Path) -> None:
    for detail in ("plain", "html"):
        (tmp_path / f"{detail}.yaml").write_text(f"based_on: generic\ncards: {{detail: {detail}}}\n", encoding="utf-8")
    files = tuple(str(tmp_path / f"{detail}.yaml") for detail in ("plain", "html"))
    bench = create_app(Config(today=lambda: TODAY, workbench=True, clients=files)).test_client()
    (plain,) = evaluated(bench, request(DEFICIENT), client="plain")["cards"]
    (html,) = evaluated(bench, request(DEFICIENT), client="html")["cards"]
    assert "<" not in plain["text"].replace("<150", "")
    assert html["html"].startswith("<p>")


def test_what_a_record_brings_is_never_html(bench: FlaskClient) -> None:
    body = json.dumps(example("food-bound-deficiency")).replace(
        "omeprazole (PriLOSEC) 20 mg capsule", "<img src=x onerror=alert(1)>"
    )
    (shown,) = evaluated(bench, body)["cards"]
    assert "<img" not in shown["html"]
    assert "&lt;img" in shown["html"]


def test_how_each_query_came(bench: FlaskClient) -> None:
    decided = evaluated(bench, example("conditions-query-failed"))["decided"]
    queries = {query["key"]: query for query in decided["queries"]}
    assert [queries[key]["state"] for key in ("patient", "labs", "conditions", "statements")] == [
        "data",
        "data",
        "failed",
        "empty",
    ]
    assert queries["conditions"]["ended"] == "failed"
    assert queries["labs"]["count"] > 10
    assert decided["gaps"][0] == {
        "title": "Absorption of vitamin B12",
        "because": ["problems and diagnoses: could not be retrieved"],
    }
    assert decided["notes"][0]["text"] == "The query failed at the requesting system"
    chinese = evaluated(bench, example("conditions-query-failed"), language="zh-CN")["decided"]
    assert chinese["notes"][0]["text"] != decided["notes"][0]["text"]
    nameless = evaluated(bench, {**request(DEFICIENT), "prefetch": {"patient": request(DEFICIENT)["prefetch"]["patient"]}})[
        "decided"
    ]
    assert {query["state"] for query in nameless["queries"]} == {"data", "absent"}


def test_a_refusal_is_told_with_what_could_be_decided(bench: FlaskClient) -> None:
    missing = evaluated(bench, request({**DEFICIENT, "results": [], "queries": {"labs": "missing", "conditions": "missing"}}))
    assert missing["status"] == 412
    assert [issue["where"] for issue in missing["issues"]] == ["prefetch.conditions", "prefetch.labs"]
    assert missing["decided"]["report"]["scope"] == "safety_only"
    broken = evaluated(bench, "{")
    assert (broken["status"], broken["decided"], broken["language"]) == (400, None, "en")
    assert evaluated(bench, "", hidden=["Patient/1"])["status"] == 400


def test_a_client_that_is_off_gets_nothing_and_the_bench_shows_what_it_would(tmp_path: Path) -> None:
    for mode in ("'off'", "silent"):
        (tmp_path / f"{mode.strip(chr(39))}.yaml").write_text(f"based_on: generic\nmode: {mode}\n", encoding="utf-8")
    files = tuple(str(tmp_path / f"{mode}.yaml") for mode in ("off", "silent"))
    bench = create_app(Config(today=lambda: TODAY, workbench=True, clients=files)).test_client()
    for mode in ("off", "silent"):
        told = evaluated(bench, request(DEFICIENT), client=mode)
        assert json.loads(told["answer"]) == {"cards": []}
        assert told["decided"]["advice"]


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ({"service": "none"}, ["service"]),
        ({"service": "none", "client": "none"}, ["service", "client"]),
        ({"client": "/etc/passwd"}, ["client"]),
        ({"today": "1066-10-14"}, ["today"]),
        ({"today": "soon", "language": "de"}, ["language", "today"]),
        ({"numbers": {"no_such_number": 1}}, ["numbers"]),
        ({"numbers": {"followup_interval_days": 5}}, ["numbers"]),
        ({"numbers": {"im_hydroxo_dose_ug": 1}}, ["numbers"]),
        ({"numbers": {"oldest_plausible_age_years": 90}}, ["numbers"]),
        ({"nonsense": 1}, ["nonsense"]),
    ],
)
def test_what_cannot_be_asked_is_told(bench: FlaskClient, asked: dict[str, Any], places: list[str]) -> None:
    refused = evaluated(bench, request(DEFICIENT), 400, **asked)
    assert [issue["expression"][0] for issue in refused["issue"]] == places


def test_only_json_is_taken(bench: FlaskClient) -> None:
    assert bench.post("/workbench/api/evaluate", data="{}", content_type="text/plain").status_code == 415
    assert bench.post("/workbench/api/evaluate", data="{", content_type="application/json").status_code == 400
    assert bench.post("/workbench/api/evaluate", data="[" * 100_000, content_type="application/json").status_code == 400
    assert bench.post("/workbench/api/evaluate", json=[]).get_json()["issue"][0]["expression"] == ["$"]


def test_a_day_may_be_chosen(bench: FlaskClient) -> None:
    later = evaluated(bench, example("three-months-on"), today="2027-11-21")["decided"]
    assert later["today"] == "2027-11-21"
    assert later["report"]["advice"] != evaluated(bench, example("three-months-on"))["decided"]["report"]["advice"]


def test_what_the_service_would_not_read_is_not_read_here(tmp_path: Path) -> None:
    bench = create_app(Config(today=lambda: TODAY, workbench=True, body_limit=5000)).test_client()
    body = {**request(DEFICIENT), "extension": {"x": "a" * 5000}}
    told = evaluated(bench, body)
    assert bench.post("/cds-services/b12-bone-health", json=body).status_code == told["status"] == 413
    assert "larger than this service accepts" in told["issues"][0]["text"]
    assert told["decided"] is None
    assert evaluated(bench, request(DEFICIENT))["status"] == 200


def test_a_page_may_not_send_without_end(bench: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hooks.workbench.routes.MOST", 10)
    assert bench.post("/workbench/api/evaluate", json={"body": "a" * 20}).status_code == 413


def test_digits_stay_as_they_are_sent(bench: FlaskClient) -> None:
    body = json.dumps(example("food-bound-deficiency")).replace('"hook":', '"extension2": [1.10, 2.0], "hook":')
    told = evaluated(bench, body, hidden=["Observation/none"])
    assert "1.10" in told["sent"]
    assert "\n" in told["sent"]
    assert evaluated(bench, "{", hidden=["Observation/none"])["sent"] == "{"


def test_cards_may_be_in_another_language_than_what_is_told_of_them(bench: FlaskClient) -> None:
    told = evaluated(bench, example("food-bound-deficiency"), language="en", page="zh-CN")
    assert (told["language"], told["decided"]["summary"]["b12_status"]) == ("en", "缺乏")
    assert json.loads(told["answer"])["cards"][0]["summary"].startswith("Vitamin B12")


# The course


def test_the_course_of_two_years(bench: FlaskClient) -> None:
    course = evaluated(bench, example("two-years-on"))["decided"]["course"]
    panels = {panel["concept"]: panel for panel in course["panels"]}
    assert list(panels) == ["b12_total", "homocysteine", "balp", "ctx"]
    assert [result["value"] for result in panels["b12_total"]["results"]] == [132, 318, 468, 612, 395]
    assert [(limit["kind"], limit["value"]) for limit in panels["b12_total"]["thresholds"]] == [
        ("low_below", 180), ("grey_up_to", 350), ("high_above", 1000)]  # fmt: skip
    assert panels["ctx"]["thresholds"] == []
    first, second, *others = course["treatments"]
    assert (first["dose"], first["end"], first["current"]) == ("500 µg a day", None, True)
    assert (second["dose"], second["start"], second["end"]) == ("1,000 µg a day", "2024-08-26", "2025-12-11")
    assert [other["concept"] for other in others] == ["ppi", "bone_drug"]
    assert {(due["on"], due["state"]) for due in course["due"]} == {("2026-10-12", "overdue")}


def test_bounds_units_and_injections_are_kept_apart(bench: FlaskClient) -> None:
    person = {
        **DEFICIENT,
        "results": [
            {"b12_total": "<83 pg/mL", "days_ago": 3},
            {"b12_total": "150 pmol/L", "days_ago": 200},
            {"b12_total": ">1500 pg/mL", "days_ago": 400},
        ],
        "procedures": [{"b12_injection": {"days_ago": 300}}],
    }
    course = evaluated(bench, request(person))["decided"]["course"]
    assert [(panel["unit"], [result["bound"] for result in panel["results"]]) for panel in course["panels"]] == [
        ("pg/mL", ["above", "below"]), ("pmol/L", [None])]  # fmt: skip
    (injection,) = course["treatments"]
    assert injection["start"] == injection["end"]


def test_injections_have_their_dose_and_a_start_may_be_missing(bench: FlaskClient) -> None:
    (shot,) = evaluated(bench, example("on-treatment"))["decided"]["course"]["treatments"]
    assert (shot["dose"], shot["route"]) == ("1,000 µg per injection", "intramuscular")
    proposed = evaluated(bench, example("food-bound-deficiency"), language="zh-CN")["decided"]["course"]["due"]
    assert [(due["what"], due["state"]) for due in proposed] == [("总维生素B12", "proposed"), ("同型半胱氨酸", "proposed")]


def test_a_test_that_a_card_proposes_is_no_all_clear_in_the_course(bench: FlaskClient) -> None:
    grey = {**DEFICIENT, "results": [{"b12_total": "300 pg/mL"}]}
    due = evaluated(bench, request(grey))["decided"]["course"]["due"]
    assert {"what": "Methylmalonic acid", "concept": "mma", "on": str(TODAY), "state": "now"} in due
    follow_up = evaluated(bench, example("two-years-on"))["decided"]["course"]["due"]
    assert {entry["state"] for entry in follow_up} == {"overdue"}


def test_what_is_drawn_exists() -> None:
    library = load()
    assert set(ANALYTES) <= library.value_sets.keys()
    assert set(LANES) <= library.value_sets.keys()


# What if


def test_a_hidden_record_is_gone_and_the_rest_still_complete(bench: FlaskClient) -> None:
    body = example("three-months-on")
    told = evaluated(bench, body, hidden=["Observation/obs-p-125-7"])
    assert told["changes"]["same"] is False
    assert [(entry["rule"], entry["change"]) for entry in told["changes"]["advice"]] == [
        ("b12_baseline", "new"),
        ("b12_follow_up", "gone"),
    ]
    assert {"name": "b12_total_results", "before": "138 pg/mL (2026-08-17)", "after": "none"} in told["changes"]["facts"]
    assert 'obs-p-125-7"' not in told["sent"]
    assert "Observation/obs-p-125-7" not in {record["reference"] for record in told["decided"]["records"]}
    assert {query["ended"] for query in told["decided"]["queries"]} == {None, "retrieved"}


def test_a_number_changes_what_is_said(bench: FlaskClient) -> None:
    body = example("three-months-on")
    longer = evaluated(bench, body, numbers={"followup_interval_days": 120})["changes"]
    assert [(entry["rule"], entry["change"]) for entry in longer["advice"]] == [("b12_regimen", "new"), ("b12_follow_up", "gone")]
    same = evaluated(bench, body, numbers={"hb_critical_lt_gl": 65})["changes"]
    assert (same["same"], same["facts"]) == (True, [])
    smaller = evaluated(bench, example("food-bound-deficiency"), numbers={"oral_dose_confirmed_deficiency_ug": 1500})["changes"]
    assert {entry["change"] for entry in smaller["advice"]} <= {"same", "changed"}


def test_where_nothing_can_be_decided_nothing_is_compared(bench: FlaskClient) -> None:
    assert evaluated(bench, "{}", numbers={"followup_interval_days": 120})["changes"] is None
    body = request(DEFICIENT)
    del body["prefetch"]["patient"]
    assert evaluated(bench, body, hidden=["Observation/1"])["changes"] is None


def test_what_was_held_back_is_compared_too(bench: FlaskClient) -> None:
    many = create_app(Config(today=lambda: TODAY, workbench=True)).test_client()
    told = evaluated(many, example("sandbox-recorded"), numbers={"followup_interval_days": 120})
    assert all(entry["before"] is not None or entry["after"] is not None for entry in told["changes"]["advice"])


def test_a_site_keeps_its_own_numbers_beside_the_what_if() -> None:
    changed = with_numbers(load(CHINA), (("followup_interval_days", 120.0),))
    assert changed.number("b12_total_deficient_lt_pgml", TODAY) == load(CHINA).number("b12_total_deficient_lt_pgml", TODAY)
    assert changed.number("followup_interval_days", TODAY) == 120
    with pytest.raises(RequestError, match="outside the allowed"):
        with_numbers(load(), (("followup_interval_days", 1.0),))


def test_what_is_hidden_is_hidden_everywhere() -> None:
    body = {"a": {"resourceType": "Patient", "id": "1"}, "b": [{"resource": {"resourceType": "Patient", "id": "1"}}, 2],
            "c": {"total": 3, "entry": [{"resource": {"resourceType": "Patient", "id": "1"}}, 1, 1.10]}}  # fmt: skip
    left = without(json.dumps(body).encode(), {"Patient/1"})
    assert json.loads(left) == {"b": [2], "c": {"total": 2, "entry": [1, 1.1]}}
    assert without(b"nonsense", {"Patient/1"}) == b"nonsense"


# Requests from a Bundle


def asked_of(bench: FlaskClient, data: Any, status: int = 200, hook: str = "patient-view", client: str = "generic") -> Any:
    """What the bench makes of a patient's data."""
    text = data if isinstance(data, str) else json.dumps(data)
    asked = {"data": text, "service": service_of(hook).id, "client": client}
    response = bench.post("/workbench/api/requests", json=asked)
    assert response.status_code == status, response.get_data(as_text=True)
    return response.get_json()


def test_a_bundle_becomes_the_request_that_the_kit_makes_of_it(bench: FlaskClient, tmp_path: Path) -> None:
    made = asked_of(bench, BUNDLE)
    body = json.loads(made["request"])
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(BUNDLE), encoding="utf-8")
    ours = CliRunner().invoke(main, ["make-request", str(path)])
    assert {**json.loads(ours.stdout), "hookInstance": None} == {**body, "hookInstance": None}
    assert made["not_asked_for"]["Observation"] == 3
    assert "not asked for: " + ", ".join(f"{count} {kind}" for kind, count in made["not_asked_for"].items()) in ours.stderr
    assert evaluated(bench, body)["status"] == 200


@pytest.mark.parametrize("hook", [service.hook for service in SERVICES])
def test_a_patient_is_asked_about_at_every_hook(bench: FlaskClient, hook: str) -> None:
    draft = {
        "resourceType": "MedicationRequest", "id": "draft", "status": "draft", "intent": "order",
        "subject": {"reference": "Patient/p-125"}, "medicationCodeableConcept": {"text": "Omeprazole 20 mg"},
    }  # fmt: skip
    person = [example("three-months-on"), draft, {**draft, "id": "active", "status": "active"},
              {"resourceType": "Encounter", "id": "e"}]  # fmt: skip
    body = json.loads(asked_of(bench, person, hook=hook)["request"])
    assert body["hook"] == hook
    assert evaluated(bench, body)["status"] == 200


def test_digits_of_a_bundle_stay_as_they_were(bench: FlaskClient) -> None:
    person = {"resourceType": "Patient", "id": "p", "extension": [{"url": "https://a.example", "valueDecimal": 0}]}
    assert "1.10" in asked_of(bench, json.dumps(person).replace('"valueDecimal": 0', '"valueDecimal": 1.10'))["request"]


def test_an_id_that_nothing_can_be_found_by_is_no_accident(bench: FlaskClient) -> None:
    made = asked_of(bench, {"resourceType": "Patient", "id": " p"})
    assert json.loads(made["request"])["prefetch"]["patient"] is None
    assert made["not_asked_for"] == {"Patient": 1}


def test_what_a_client_has_codes_of_its_own_for_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("based_on: generic\ncodes: {'urn:lab': {B12: b12_total}}\n", encoding="utf-8")
    bench = create_app(Config(today=lambda: TODAY, workbench=True, clients=(str(tmp_path / "own.yaml"),))).test_client()
    result = {
        "resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "urn:lab", "code": "B12"}]},
    }  # fmt: skip
    person = [{"resourceType": "Patient", "id": "p"}, result]
    assert asked_of(bench, person)["not_asked_for"] == {"Observation": 1}
    assert asked_of(bench, person, client="own")["not_asked_for"] == {}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{}", "holds no Patient with an id; it holds none at all."),
        ("no JSON", "The data are no JSON."),
        ("[" * 100_000, "The data are no JSON."),
        ({"resourceType": "Bundle", "entry": 5}, "holds no Patient"),
        ({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}, 1]}, "holds no Patient"),
        ({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": ["x"]}}]}, "holds no Patient"),
        ([{"resourceType": "Patient", "id": one} for one in "pqp"], "holds 2 patients (p, q)."),
    ],
)
def test_data_that_hold_no_request_are_told(bench: FlaskClient, data: Any, said: str) -> None:
    assert said in asked_of(bench, data, 400)["issue"][0]["details"]["text"]


# Feedback, and the command


def test_what_the_deployment_says_is_kept_and_a_what_if_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[str] = []
    monkeypatch.setattr("hooks.feedback.recorder.Recorder.record", lambda self, service, *rest: recorded.append(service.id))
    config = FeedbackConfig(str(tmp_path / "feedback.db"), "the-salt-of-the-tests")
    bench = create_app(Config(today=lambda: TODAY, workbench=True, feedback=config)).test_client()
    assert bench.get("/workbench/api/about").get_json()["feedback"] is True
    evaluated(bench, example("food-bound-deficiency"))
    assert recorded == ["b12-bone-health"]
    evaluated(bench, example("food-bound-deficiency"), hidden=["Observation/1"])
    assert recorded == ["b12-bone-health"]


def test_the_command_opens_it_on_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    configured: list[Config] = []
    bound: list[str] = []

    def created(config: Config) -> Any:
        configured.append(config)
        return create_app(config)

    def ran(server: Any) -> None:
        bound.append(server.cfg.bind[0] if isinstance(server.cfg.bind, list) else server.cfg.bind)
        server.cfg.when_ready(None)

    monkeypatch.setattr("hooks.bench.create_app", created)
    monkeypatch.setattr("hooks.serving.Server.run", ran)
    result = CliRunner().invoke(main, ["workbench", "--port", "8097", "--client", "epic"])
    assert result.exit_code == 0, result.output
    assert "The workbench is at http://127.0.0.1:8097/workbench" in result.stderr
    assert bound == ["127.0.0.1:8097"]
    assert configured[0].workbench
    assert configured[0].feedback is not None
    assert not configured[0].feedback.folder.exists(), "its store is gone at the end"


def test_the_command_says_what_does_not_fit() -> None:
    result = CliRunner().invoke(main, ["workbench", "--client", "oracle"])
    assert result.exit_code == 2
    assert "trust.iss" in result.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(main, ["workbench", "--port", str(taken.getsockname()[1])])
    assert result.exit_code == 2
    assert "choose another by --port" in result.stderr
    assert "--host" not in CliRunner().invoke(main, ["workbench", "--help"]).output
