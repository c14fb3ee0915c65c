"""What is signed and does not fit stops the start, and the message says where and what to do."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds.concepts import Code, ValueSet
from cds.content import Library
from cds.knowledge import Parameter, Topic
from cds.library import HERE, KnowledgeError, _merge, load, read_yaml
from cds.signoff import check
from cds.wording import placeholders


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "topic.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


PARAMETER = """
    parameters:
      high_dose:
        means: A dose above this is high
        zh-CN: 高于该剂量为大剂量
        unit: ug/d
        sites_may_set: [500, 2000]
        checked: seen
        checked_on: 2026-11-21
        values: {2024-03-06: {value: 1000, cite: [nice-ng239]}}
    zh-CN: {about: 剂量, means: {dose: 每日剂量}}
    """


def test_reads_a_sound_parameter(tmp_path: Path) -> None:
    topic: Topic = read_yaml(written(tmp_path, PARAMETER), Topic)
    assert topic.parameters["high_dose"].on(date(2026, 1, 1)).value == 1000


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ("value: 1000", "value: 3000", r"topic.yaml: parameters.high_dose: .*3000.* outside sites_may_set 500.* to 2000"),
        (
            "means: A",
            "meens: A",
            r"topic.yaml: parameters.high_dose.means: is required; add it; parameters.high_dose.meens: there is no such key",
        ),
        ("checked: seen", "checked: sure", r"parameters.high_dose.checked: Input should be 'seen'"),
        ("        zh-CN: 高于该剂量为大剂量\n", "", r"topic.yaml: parameters.high_dose.zh-CN: is required"),
        ("about: 剂量, ", "", r"topic.yaml: zh-CN.about: is required"),
        ("每日剂量", "''", r"topic.yaml: zh-CN.means.dose: String should have at least 1 character"),
        ("    zh-CN: {about: 剂量, means: {dose: 每日剂量}}\n", "", r"topic.yaml: zh-CN: is required"),
        (", cite: [nice-ng239]", "", r"values.2024-03-06.cite: is required"),
        ("cite: [nice-ng239]", "cite: []", r"cite: Tuple should have at least 1 item"),
        ("2024-03-06", "sometime", r"values.sometime.*valid date"),
        ("unit: ug/d", "unit: ''", r"unit: String should have at least 1 character"),
        ("unit: ug/d", "unit: ug/d\n        unit: mg/d", r"topic.yaml: line 4: unit is written twice; keep one"),
        ("parameters:", "parameters: [", r"topic.yaml: is no YAML from line"),
    ],
)
def test_a_faulty_file_is_named_with_key_and_fault(tmp_path: Path, wrong: str, right: str, message: str) -> None:
    with pytest.raises(KnowledgeError, match=message):
        read_yaml(written(tmp_path, PARAMETER.replace(wrong, right)), Topic)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"nowhere.yaml: cannot be read \(No such file or directory\)"):
        read_yaml(tmp_path / "nowhere.yaml", Topic)


def test_the_value_in_force_depends_on_the_day() -> None:
    parameter = Parameter.model_validate(
        {
            "means": "m",
            "zh-CN": "义",
            "unit": "d",
            "sites_may_set": None,
            "checked": "design",
            "checked_on": "2026-11-21",
            "values": {"2020-01-01": {"value": 1, "cite": ["a"]}, "2024-01-01": {"value": 2, "cite": ["b"]}},
        }
    )
    assert [parameter.on(date(year, 6, 1)).value for year in (2019, 2021, 2025)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("system", "code", "message"),
    [("loinc", "2132-8", "not a loinc code"), ("snomed", "1", "no coding system is called 'snomed'")],
)
def test_a_code_with_a_typo_is_refused(system: str, code: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Code(system=system, code=code, label="x", source="nobody", verified="unverified")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"kind": "condition", "codes": []}, "neither codes nor words"),
        ({"kind": "measurement", "codes": [], "text": {"en": ["x"]}}, "needs canonical, plausible and units"),
        ({"kind": "condition", "codes": [], "text": {"en": ["x"]}, "order": "1"}, "order '1' is not among its own codes"),
        (
            {
                "kind": "measurement",
                "codes": [],
                "text": {"en": ["x"]},
                "canonical": "g/L",
                "plausible": {"mg/L": [1, 2]},
                "units": [{"unit": "g/L", "factor": 1}],
            },
            "plausible must give a range for",
        ),
    ],
)
def test_a_value_set_that_cannot_work_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ValueSet.model_validate({"title": {"en": "X", "zh-CN": "甲"}, **more})


def test_placeholders_are_plain_names() -> None:
    assert placeholders("{a} and {b}") == {"a", "b"}
    with pytest.raises(ValueError, match="a placeholder is a plain"):
        placeholders("{a.b}")


def test_one_name_in_two_files_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"cds.facts.b: the parameter 'x' is already defined"):
        _merge({"cds.facts.a": {"x": 1}, "cds.facts.b": {"x": 2}}, "parameter")


def rule_with(library: Library, rule: str, **advice: Any) -> Library:
    """The library with the first advice of a rule changed."""
    signed = library.rules[rule]
    key, words = next(iter(signed.advice.items()))
    english: dict[str, Any] = {str(name): advice.pop(name) for name in ("summary", "finding") if name in advice}
    changed = words.model_copy(update={**advice, "en": words.en.model_copy(update=english)})
    return replace(library, rules={**library.rules, rule: signed.model_copy(update={"advice": {**signed.advice, key: changed}})})


def meaning(library: Library, **changed: str | None) -> Library:
    """The library with Chinese meanings of facts on absorption added, or taken away."""
    said = library.docstrings["cds.facts.absorption"]
    means = {name: text for name, text in {**said.means, **changed}.items() if text is not None}
    return replace(library, docstrings={**library.docstrings, "cds.facts.absorption": said.model_copy(update={"means": means})})


def without(mapping: Any, name: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


def test_the_shipped_knowledge_is_sound(library: Library) -> None:
    check(library)


def test_a_summary_may_name_a_class_that_has_labels(library: Library) -> None:
    check(rule_with(library, "b12_regimen", summary="Vitamin B12: {b12_status}"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lib: replace(lib, rules=without(lib.rules, "high_b12")), r"rule high_b12: has no words; add it"),
        (lambda lib: replace(lib, rules={**lib.rules, "ghost": lib.rules["high_b12"]}), r"rule ghost: has words but no function"),
        (
            lambda lib: meaning(lib, absorption=None),
            r"cds.facts.absorption: absorption has no Chinese meaning; put what its docstring says under `zh-CN: means:`",
        ),
        (lambda lib: meaning(lib, ghost="幽灵"), r"cds.facts.absorption: ghost has a Chinese meaning but is no fact or rule"),
        (lambda lib: rule_with(lib, "high_b12", cite=("hearsay",)), r"rule high_b12, advice look_for_cause: cites 'hearsay'"),
        (
            lambda lib: rule_with(lib, "high_b12", summary="{egg}"),
            r"rule high_b12, advice look_for_cause: \{egg\} is no fact or number",
        ),
        (lambda lib: rule_with(lib, "b12_dose", summary="{b12_course}"), r"\{b12_course\} has no bounded width"),
        (lambda lib: rule_with(lib, "high_b12", summary="x" * 140), r"the summary may grow to 140 characters; stay under 140"),
        (
            lambda lib: rule_with(lib, "high_b12", finding="{b12_class}"),
            r"\{b12_class\} can be 'low', for which `labels:` has no words",
        ),
        (
            lambda lib: replace(
                lib,
                rules={**lib.rules, "high_b12": lib.rules["high_b12"].model_copy(update={"overrides": ("no_reason",)})},
            ),
            r"override 'no_reason' is not in words.en.yaml",
        ),
        (
            lambda lib: replace(
                lib,
                rules={**lib.rules, "high_b12": lib.rules["high_b12"].model_copy(update={"scopes": ("everybody",)})},
            ),
            r"rule high_b12: 'everybody' is no scope; use in_scope_osteoporosis,",
        ),
        (
            lambda lib: replace(lib, references={**lib.references, "spare": lib.references["design-2026"]}),
            r"references.yaml: 'spare' is cited nowhere; remove it",
        ),
        (
            lambda lib: replace(
                lib, rules={**lib.rules, "high_b12": lib.rules["high_b12"].model_copy(update={"topic": "B12Regimen"})}
            ),
            r"topic B12Regimen: two rules speak about it",
        ),
        (lambda lib: replace(lib, code_sources={}), r"value set b12_total, code 2132-9: source 'mii-lab-concepts' is not in"),
        (
            lambda lib: replace(lib, sources={**lib.sources, "mma": lib.sources["egfr_results"]}),
            r"two of them read the same value",
        ),
        (lambda lib: replace(lib, value_sets=without(lib.value_sets, "mma")), r"leaf on 'mma': no value set has this name"),
        (
            lambda lib: replace(lib, value_sets={**lib.value_sets, "mma": lib.value_sets["osteoporosis"]}),
            r"leaf on 'mma': is read as a measurement, but the value set is a condition",
        ),
        (
            lambda lib: replace(lib, value_sets={**lib.value_sets, "spare": lib.value_sets["osteoporosis"]}),
            r"value set spare: no leaf reads it; remove the file or declare the leaf",
        ),
        (
            lambda lib: replace(
                lib, value_sets={**lib.value_sets, "ppi": lib.value_sets["ppi"].model_copy(update={"instead_of": ("nothing",)})}
            ),
            r"value set ppi: instead_of names 'nothing', which is no value set",
        ),
        (
            lambda lib: replace(
                lib, value_sets={**lib.value_sets, "diet": lib.value_sets["diet"].model_copy(update={"positive": ("maybe",)})}
            ),
            r"value set diet: the answer 'maybe' is no value set",
        ),
        (
            lambda lib: replace(lib, parameters={**lib.parameters, "spare": lib.parameters["mcv_high_gt"]}),
            r"parameter spare: no fact and no rule uses it; remove it",
        ),
    ],
)
def test_what_does_not_fit_together_is_told(library: Library, change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(change(library))


SITE = """
    site: Example hospital
    parameters:
      {name}:
        value: {value}
        reason: Local laboratory
        approved_by: Dr Example
        approved_on: 2026-11-01
    """


def test_a_site_sets_its_own_number(tmp_path: Path) -> None:
    site = load(written(tmp_path, SITE.format(name="hcy_high_gt", value=10)))
    assert site.number("hcy_high_gt", date(2026, 11, 21)) == 10
    assert site.number("hcy_very_high_gt", date(2026, 11, 21)) == 50
    assert site.version != load().version


def test_the_shipped_site_example_is_sound() -> None:
    assert load(HERE / "sites" / "china.yaml").number("b12_total_deficient_lt_pgml", date(2026, 11, 21)) == 200


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("hcy_high_gt", 100, r"site policy, hcy_high_gt: 100 lies outside the allowed 10 to 20"),
        ("hcy_hihg_gt", 12, r"site policy, hcy_hihg_gt: there is no such parameter"),
        ("oldest_plausible_age_years", 130, r"site policy, oldest_plausible_age_years: no site may set this number"),
        ("hcy_high_gt", "many", r"topic.yaml: parameters.hcy_high_gt.value"),
    ],
)
def test_a_site_keeps_within_what_is_allowed(tmp_path: Path, name: str, value: object, message: str) -> None:
    with pytest.raises(KnowledgeError, match=message):
        load(written(tmp_path, SITE.format(name=name, value=value)))


def test_the_notes_of_a_fact_belong_to_every_rule_that_stands_on_it(library: Library) -> None:
    holders = {name for name, rule in library.rules.items() if "leber" in rule.notes}
    assert holders == {"b12_regimen", "neurological_red_flag", "blood_count_red_flag", "b12_follow_up"}
    assert all("restriction_notes" in library.graph.ancestors(name) for name in holders)


def test_every_rule_has_a_topic_of_its_own(library: Library) -> None:
    topics = [rule.topic for rule in library.rules.values()]
    assert len(topics) == len(set(topics))
