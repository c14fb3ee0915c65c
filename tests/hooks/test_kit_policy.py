"""`cobalamin policy check|diff|try`: what a site policy is, and whom it concerns."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hooks.cli import main
from hooks.examples import fixtures
from hooks.kit.deciding import Policy
from tests.patients import request


CHINA = Path(__file__).parent.parent.parent / "cds" / "sites" / "china.yaml"
NUMBER = "{value: %s, reason: r, approved_by: %s, approved_on: %s}"


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "400"}).invoke(main, ["policy", *arguments])


def policy(tmp_path: Path, text: str) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_valid_policy_can_be_used_and_its_doubts_are_named() -> None:
    result = run("check", str(CHINA))
    assert result.exit_code == 0
    assert "hcy_high_gt: approved_by 'nobody yet, an example' names nobody who answers for it" in result.stdout
    assert "china.yaml can be used." in result.stdout


def test_approval_in_the_future_is_doubted(tmp_path: Path) -> None:
    path = policy(tmp_path, f"site: s\nparameters:\n  hcy_high_gt: {NUMBER % (12, 'Dr Who', '2999-01-01')}\n")
    told = json.loads(run("check", path, "--format", "json").stdout)
    assert told == {"valid": True, "faults": [], "doubts": ["hcy_high_gt: approved_on 2999-01-01 lies in the future"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"site: s\nparameters:\n  hcy_high_gt: {NUMBER % (1000, 'Dr Who', '2026-01-01')}\n", "lies outside the allowed"),
        (f"site: s\nparameters:\n  nothing: {NUMBER % (1, 'Dr Who', '2026-01-01')}\n", "there is no such parameter"),
        ("site: [", "policy.yaml"),
        ("parameters: {}", "site: is required; add it"),
        ("", "policy.yaml"),
    ],
)
def test_what_cannot_be_used_is_told(text: str, said: str, tmp_path: Path) -> None:
    path = policy(tmp_path, text)
    result = run("check", path)
    assert result.exit_code == 1
    assert said in result.stdout
    assert "policy.yaml cannot be used." in result.stdout
    assert json.loads(run("check", path, "--format", "json").stdout)["valid"] is False
    refused = run("diff", path)
    assert refused.exit_code == 2
    assert "`cobalamin policy check` lists all faults" in " ".join(refused.stderr.split())


def test_what_differs_is_shown_with_its_range_its_reason_and_who_approved_it() -> None:
    result = run("diff", str(CHINA))
    assert result.exit_code == 0
    assert "language: zh-CN instead of en" in result.stdout
    line = next(line for line in result.stdout.splitlines() if line.startswith("hcy_high_gt"))
    assert "nobody yet, an example, 2026-11-21" in line
    assert "The bone-health branch" in line
    told = json.loads(run("diff", str(CHINA), "--format", "json").stdout)
    assert {number["name"] for number in told["numbers"]} == {
        "b12_total_deficient_lt_pgml",
        "b12_total_deficient_lt_pmoll",
        "hcy_high_gt",
    }
    for number in told["numbers"]:
        low, high = number["range"]
        assert low <= number["value"] <= high
        assert number["value"] != number["default"]


def test_a_policy_that_changes_nothing_says_so(tmp_path: Path) -> None:
    default = Policy().library.parameters["hcy_high_gt"].on(date.today()).value
    same = policy(tmp_path, f"site: s\nparameters:\n  hcy_high_gt: {NUMBER % (default, 'Dr Who', '2026-01-01')}\n")
    assert "No number differs from the default." in run("diff", same).stdout


def test_whose_advice_changes_is_shown(tmp_path: Path) -> None:
    for known in fixtures():
        if known.name in ("grey-zone-open", "baseline-missing"):
            (tmp_path / f"{known.name}.json").write_text(json.dumps(known.request), encoding="utf-8")
    sent = request({"age": 71, "results": [{"b12_total": "190 pg/mL"}], "problems": ["osteoporosis"]})
    (tmp_path / "near.json").write_text(json.dumps(sent), encoding="utf-8")
    result = run("try", str(CHINA), str(tmp_path))
    assert result.exit_code == 1
    assert "b12_status: grey_zone -> deficient" in result.stdout or "b12_status:" in result.stdout
    assert "dose: none -> 500-1000 ug/d" in result.stdout
    assert "+ b12_regimen/" in result.stdout
    assert "- b12_regimen/" in result.stdout
    told = json.loads(run("try", str(CHINA), str(tmp_path), "--format", "json").stdout)
    assert told["requests"] == 3
    assert "baseline-missing.json" not in told["changed"]
    same = run("try", str(CHINA), str(tmp_path), "--against", str(CHINA))
    assert (same.exit_code, same.stdout) == (0, "The advice of 0 of 3 changes.\n")


def test_a_refusal_on_one_side_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.json").write_text(json.dumps({**request({"age": 70}), "prefetch": {}}), encoding="utf-8")
    assert run("try", str(CHINA), str(tmp_path)).exit_code == 0
    turns = iter([412, 200])
    monkeypatch.setattr(Policy, "essence", lambda *_: {"status": next(turns)})
    assert "answered 200 instead of 412" in run("try", str(CHINA), str(tmp_path)).stdout


def test_policies_answer_and_refuse_as_the_service_does() -> None:
    refused = Policy().cards({**request({"age": 70}), "prefetch": {}})
    assert refused["status"] == 412
    assert "patient" in refused["issues"][0]
