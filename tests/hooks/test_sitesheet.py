"""The site sheet: derived, complete, and in forms that can be copied."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cds.content import Library
from cds.signed import LANGUAGES
from hooks.cli import main
from hooks.clientfiles import client, orderables, shipped
from hooks.fhir.keys import templates
from hooks.services import PATIENT_VIEW, SERVICES


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner(env={"COLUMNS": "110"}).invoke(main, ["site-sheet", *arguments])
    return result.exit_code, result.stdout, result.stderr


def sheet(*arguments: str) -> dict[str, Any]:
    status, out, err = run(*arguments, "--format", "json")
    assert (status, err) == (0, "")
    return dict(json.loads(out))


BASE = ("--base-url", "https://cds.hospital.example/b12/")


def test_endpoints_are_those_that_answer(client: FlaskClient) -> None:
    addresses = {row["hook"]: row["url"] for row in sheet("generic", *BASE)["endpoints"]}
    assert list(addresses) == ["discovery", *(service.hook for service in SERVICES)]
    for address in addresses.values():
        path = address.removeprefix("https://cds.hospital.example/b12")
        assert client.get(path).status_code in (200, 405), path
    assert client.post("/cds-services/b12-bone-health/feedback", json={}).status_code == 404  # as the sheet says


@pytest.mark.parametrize("name", shipped())
def test_every_client_has_a_whole_sheet(name: str, library: Library) -> None:
    content = sheet(name, *BASE)
    profile = client(name, library)
    assert content["client"] == name
    assert [row["hook"] for row in content["endpoints"]][1:] == list(profile.hooks)
    assert len(content["limits"]) == len(profile.limits)
    assert {row["code"] for row in content["overrides"]} == set(library.words["en"].overrides)
    assert ("orders" in content) == ("create" in profile.cards.actions)
    spoken = {rule for service in SERVICES if service.hook in profile.hooks for rule in service.rules}
    assert {row["code"] for row in content["topics"]} == {library.rules[rule].topic for rule in spoken}
    assert all(re.fullmatch(r"[A-Za-z0-9]{1,100}", row["code"]) for row in content["topics"])


def test_the_prefetch_of_generic_is_that_of_discovery(library: Library) -> None:
    rows = [row for row in sheet("generic")["prefetch"] if "patient-view" in row["hooks"].split(", ")]
    assert {row["key"]: row["query"] for row in rows} == templates(library, PATIENT_VIEW.rules)
    assert {row["key"] for row in rows if row["needed"] == "no"} == {"statements", "procedures", "allergies"}


@pytest.mark.parametrize("name", ["epic", "oracle", "athena", "openemr"])
def test_us_servers_are_not_asked_for_statements(name: str) -> None:
    content = sheet(name)
    assert "statements" not in {row["key"] for row in content["prefetch"]}
    assert "MedicationStatement" not in {row["resource"] for row in content["scopes"]}
    assert "intent=order,plan" in next(row["query"] for row in content["prefetch"] if row["key"] == "medications")


@pytest.mark.parametrize("name", shipped())
def test_rows_can_be_typed_in(name: str) -> None:
    for row in sheet(name)["prefetch"]:
        assert len(row["query"]) < 2000
        assert row["query"].count(",") < 50
        assert not re.search(r"_sort|_include|:in=|\s", row["query"])
        assert ("loinc.org" in row["query"]) == (row["key"] == "labs" and name != "openemr")


def test_results_under_codes_of_the_hospital_are_asked_for_too(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text("based_on: oracle\ncodes: {'urn:lab': {'1511': b12_total, 'x': osteoporosis}}\n", encoding="utf-8")
    (labs,) = [row["query"] for row in sheet(str(path))["prefetch"] if row["key"] == "labs"]
    assert labs.endswith(",urn:lab|1511")


def test_scopes_are_read_only_and_cover_what_orders_refer_to() -> None:
    scopes = sheet("generic")["scopes"]
    assert [row["resource"] for row in scopes] == [
        "Patient",
        "Observation",
        "MedicationRequest",
        "MedicationStatement",
        "Condition",
        "Procedure",
        "AllergyIntolerance",
        "Medication",
    ]
    assert all(row["smart_v1"].endswith(".read") and row["smart_v2"].endswith(".rs") for row in scopes)


def test_a_client_without_medicines_needs_no_medications(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text("based_on: generic\nprefetch: {omit: [medications, statements]}\n", encoding="utf-8")
    assert "Medication" not in {row["resource"] for row in sheet(str(path))["scopes"]}


def test_what_was_agreed_on_tokens_is_shown(tmp_path: Path) -> None:
    jwt = {row["item"]: row["value"] for row in sheet("oracle")["jwt"]}
    assert jwt["iss"] == "https://cds-hooks.cerner.com"
    assert jwt["jwks"] == "https://authorization.cerner.com/jwk"
    assert jwt["aud"] == "https://YOUR-HOST/cds-services/b12-bone-health"
    (tmp_path / "keys.json").write_text("{}", encoding="utf-8")
    path = tmp_path / "ours.yaml"
    path.write_text("based_on: epic\ntrust: {jwks_file: keys.json, aud: [ours]}\n", encoding="utf-8")
    jwt = {row["item"]: row["value"] for row in sheet(str(path))["jwt"]}
    assert (jwt["jwks"], jwt["aud"], jwt["iss"]) == ("keys.json", "ours", "not agreed yet")
    assert "Every call is checked against this" in run("oracle")[1]


def test_orderables_show_what_is_mapped(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text("based_on: epic\ncards: {orders: {'loinc|13965-9': LAB4711}}\n", encoding="utf-8")
    theirs = {row["ours"]: row["theirs"] for row in sheet(str(path))["orders"]}
    assert theirs.keys() == orderables(library).keys()
    assert {code for code, mapped in theirs.items() if mapped != "not mapped"} == {"loinc|13965-9"}


def test_links_are_those_that_cards_carry(tmp_path: Path) -> None:
    links = [row["url"] for row in sheet("epic", *BASE)["links"]]
    assert links[0] == "https://cds.hospital.example/b12/rulebook"
    assert all(link.startswith("https://") for link in links)
    assert "https://YOUR-HOST/rulebook" not in {row["url"] for row in sheet("epic")["links"]}
    path = tmp_path / "ours.yaml"
    path.write_text("based_on: epic\ncards: {links: false}\n", encoding="utf-8")
    assert sheet(str(path))["links"] == []
    assert "carry no links" in run(str(path))[1]


def test_times_and_triggers_are_those_of_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    text = (
        "based_on: epic\nfhir: {bases: ['https://a.example/fhir'], deadline_ms: 600}\ntriggers: {x: [1, 2]}\non_missing: card\n"
    )
    path.write_text(text, encoding="utf-8")
    content = sheet(str(path))
    assert [row["value"] for row in content["timeouts"]] == ["600 ms", "1600 ms"]
    assert [row["value"] for row in sheet("epic")["timeouts"]] == ["0 ms", "1000 ms"]
    about = {row["item"]: row["value"] for row in content["about"]}
    assert about["answers these triggers only"] == "x: 1, 2"
    assert about["where required data are missing"] == "a card that says so"
    assert "B12NotChecked" in {row["code"] for row in content["topics"]}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_queries_and_addresses_can_be_copied_in_one_piece(format_: str, language: str) -> None:
    status, out, err = run("epic", *BASE, "--language", language, "--format", format_)
    assert (status, err) == (0, "")
    content = sheet("epic", *BASE)
    lines = {line.strip().removeprefix("- ") for line in out.splitlines()}
    assert {row["query"] for row in content["prefetch"]} <= lines
    assert {row["url"] for row in content["links"]} <= lines
    assert ("接入登记表" in out) == (language == "zh-CN")
    assert "None" not in out


def test_a_bar_does_not_break_a_table() -> None:
    _, out, _ = run("epic", "--format", "markdown")
    assert "| loinc\\|2132-9 |" in out


def test_a_client_of_its_own_language_has_its_sheet_in_it(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text("based_on: prefetch-only\nlanguage: zh-CN\nzone: Asia/Shanghai\n", encoding="utf-8")
    assert "时区" in run(str(path))[1]


def test_a_client_that_does_not_exist_is_told() -> None:
    status, _, err = run("cerner")
    assert status == 2
    assert "There is no client 'cerner'" in err
