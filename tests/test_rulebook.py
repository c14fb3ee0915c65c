"""The rulebook is derived: whatever a rule stands on, says or cites is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cds.content import Library
from cds.library import load
from cds.rulebook import Book, Branch, book
from cds.signed import LANGUAGES
from tests.patients import TODAY


@pytest.fixture(scope="module")
def whole(library: Library) -> Book:
    """The rulebook of every rule, in English."""
    return book(library, library.rules, TODAY, "en")


def unfolded(branch: Branch) -> Iterator[Branch]:
    yield branch
    for needed in branch.inputs:
        yield from unfolded(needed)


def test_every_rule_shows_everything_it_stands_on(library: Library, whole: Book) -> None:
    assert [rule.name for rule in whole.rules] == list(library.rules)
    for rule in whole.rules:
        below = library.graph.ancestors(rule.name)
        branches = list(unfolded(rule.tree))
        assert {branch.name for branch in branches} == below | {rule.name}
        assert {*rule.reads, *rule.numbers} <= below
        assert all(branch.inputs or branch.seen for branch in branches if branch.kind == "fact")
        assert not any(branch.inputs for branch in branches if branch.seen)
        assert rule.reason


def test_a_leaf_counts_the_codes_of_its_value_set(library: Library, whole: Book) -> None:
    (leaf,) = {branch for rule in whole.rules for branch in unfolded(rule.tree) if branch.name == "b12_total_results"}
    assert (leaf.kind, leaf.means, leaf.codes) == ("chart", "Vitamin B12 (total)", len(library.value_sets["b12_total"].codes))


def test_words_are_complete_in_both_languages(library: Library, whole: Book) -> None:
    for rule in whole.rules:
        assert (rule.advice.keys(), rule.notes.keys()) == (rule.signed.advice.keys(), rule.signed.notes.keys())
        for key, paragraphs in rule.advice.items():
            for paragraph in paragraphs:
                for language in LANGUAGES:
                    template = getattr(rule.signed.advice[key][language], paragraph.part)
                    for piece in paragraph.said[language]:
                        assert piece.text in template if piece.name is None else f"{{{piece.name}}}" in template


def test_numbers_in_words_stand_as_on_a_card_and_facts_are_left_open(whole: Book) -> None:
    (baseline,) = (rule for rule in whole.rules if rule.name == "b12_baseline")
    pieces = [piece for paragraphs in baseline.advice.values() for p in paragraphs for piece in p.said["en"] if piece.name]
    said = {piece.name: piece.text for piece in pieces}
    assert said["mcv_high_gt"] == "100 fL†"
    assert said["neurology"] == "neurology"


def test_every_fact_stands_once_under_its_module(library: Library, whole: Book) -> None:
    facts = [fact for group in whole.facts for fact in group.facts]
    assert sorted(fact.name for fact in facts) == sorted({step.name for step in library.graph.steps} - library.rules.keys())
    assert all(group.about for group in whole.facts)
    (status,) = (fact for fact in facts if fact.name == "b12_status")
    assert status.labels is library.labels["b12_status"]
    assert "b12_class" in status.optional


def test_every_number_stands_with_its_range_and_readers(library: Library, whole: Book) -> None:
    assert whole.numbers.keys() == library.parameters.keys()
    assert all(number.read_by for number in whole.numbers.values())
    cut = whole.numbers["b12_total_deficient_lt_pgml"]
    assert (cut.value, cut.allowed, cut.site, cut.read_by) == ("180 pg/mL", ("130", "250 pg/mL"), None, ("b12_classes",))
    assert whole.numbers["oldest_plausible_age_years"].allowed is None


def test_what_nobody_verified_comes_before_what_is_weak(whole: Book) -> None:
    doubtful = [number.checked for number in whole.doubtful(whole.numbers)]
    assert doubtful == sorted(doubtful)
    assert set(doubtful) == {"unverified", "weak"}
    assert whole.doubtful(["oldest_plausible_age_years"]) == ()


def test_what_a_site_sets_stands_beside_what_is_shipped() -> None:
    site = load(Path(__file__).parents[1] / "cds" / "sites" / "china.yaml")
    cut = book(site, [], TODAY, "en").numbers["b12_total_deficient_lt_pgml"]
    assert (cut.value, cut.shipped) == ("200 pg/mL", "180 pg/mL")
    assert cut.site is not None
    assert book(site, [], TODAY, "en").numbers["ppi_long_term_days"].site is None


def digits(text: str) -> set[str]:
    return set(re.findall(r"\d+", text.replace("B12", "")))


def test_numbers_mean_the_same_in_both_languages(library: Library, whole: Book) -> None:
    chinese = book(library, library.rules, TODAY, "zh-CN")
    for name, number in chinese.numbers.items():
        assert re.search("[\u4e00-\u9fff]", number.means), name
        assert digits(number.means) == digits(whole.numbers[name].means), name
    means = {branch.means for rule in chinese.rules for branch in unfolded(rule.tree) if branch.kind == "number"}
    assert means <= {number.means for number in chinese.numbers.values()}


def explained(content: Book) -> dict[str, str]:
    """What each rule, fact and module of facts is said to be."""
    told = {rule.name: rule.reason for rule in content.rules}
    told |= {fact.name: fact.means for group in content.facts for fact in group.facts}
    return told | {f"about {group.facts[0].name}": group.about for group in content.facts}


def test_rules_and_facts_mean_the_same_in_both_languages(library: Library, whole: Book) -> None:
    chinese = book(library, library.rules, TODAY, "zh-CN")
    english, told = explained(whole), explained(chinese)
    assert told.keys() == english.keys()
    for name, text in told.items():
        paragraphs = text.split("\n\n")
        assert len(paragraphs) == len(english[name].split("\n\n")), name
        for said, meant in zip(paragraphs, english[name].split("\n\n"), strict=True):
            assert re.search("[\u4e00-\u9fff]", said), name
            assert "\n" not in said, name
            assert digits(said) == digits(meant), name
            assert set(re.findall(r"`\w+`", said)) == set(re.findall(r"`\w+`", meant)), name
    for rule in chinese.rules:
        for branch in unfolded(rule.tree):
            if branch.kind in ("fact", "rule"):
                assert branch.means == told[branch.name].split("\n")[0]


def test_a_number_shows_its_values_of_other_days(library: Library) -> None:
    name, parameter = next(iter(library.parameters.items()))
    (start, first) = next(iter(parameter.values.items()))
    dated = parameter.model_copy(update={"values": {start: first, date(2050, 1, 1): first.model_copy(update={"value": 400})}})
    changed = replace(library, parameters={**library.parameters, name: dated})
    assert book(changed, [], TODAY, "en").numbers[name].other == ((date(2050, 1, 1), "400 days"),)
    assert book(changed, [], date(2051, 1, 1), "en").numbers[name].since == date(2050, 1, 1)
    assert book(changed, [], date(1990, 1, 1), "en").numbers[name].since == start
