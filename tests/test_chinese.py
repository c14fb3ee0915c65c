"""Chinese that is Chinese: every text was written, says what the English says, and no English gets onto a Chinese card."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import to_builtins

from cds.content import Library
from cds.signed import LANGUAGES
from cds.wording import placeholders
from hooks.examples import Fixture, fixtures
from tests.hooks.checker import check_answer, walk
from tests.patients import PATIENT, TODAY, answered, engine, request
from tests.test_vignettes import VIGNETTES


TERMS = re.compile(
    "A|C|C[0-9]+|DXA|ng|CTX|TSH|PTH|D|D2|D3|B|B6|B12|H2|T|MMA|MCV|eGFR|Leber|mg|µg|g|L|fL|mL|min|m|pg|pmol|µmol|mmol|prefetch|FHIR"
)
"""What a Chinese clinician writes in Latin letters, too; rows of the decision tables; `prefetch` and FHIR, names on the wire."""

NAME = re.compile(r"`\w+`|\w+\.py|North West London Pathology")
"""A name of something in the code, or of somebody, which is the same in every language."""

WORD = re.compile(r"[A-Za-zµμ]+[0-9]*")


def pairs(library: Library) -> Iterator[tuple[str, str, str]]:
    """Every text in both languages, and where it stands."""
    for name, rule in library.rules.items():
        yield name, rule.title.en, rule.title.zh
        for key, advice in rule.advice.items():
            said = advice.en.model_dump(exclude_none=True)
            for part, english in said.items():
                yield f"{name}/{key}/{part}", english, getattr(advice.zh, part)
        for key, note in rule.notes.items():
            yield f"{name}/{key}", note.en, note.zh
    for fact, labels in library.labels.items():
        for key, label in labels.items():
            yield f"{fact}/{key}", label.en, label.zh
    for name, value_set in library.value_sets.items():
        yield name, value_set.title.en, value_set.title.zh
        if value_set.qualifier:
            yield name, value_set.qualifier.en, value_set.qualifier.zh
    for name, parameter in library.parameters.items():
        yield name, parameter.means, parameter.zh
    for key, reference in library.references.items():
        if reference.note:
            yield key, reference.note.en, NAME.sub("", reference.note.zh)
    for module, told in library.docstrings.items():
        yield module, library.about(module), NAME.sub("", told.about)
        yield from ((name, library.docstring(name), NAME.sub("", text)) for name, text in told.means.items())
    english, chinese = (library.words[language].model_dump(exclude={"units", "codes"}) for language in ("en", "zh-CN"))
    yield from ((f"words {where}", text, dict(walk(chinese))[where]) for where, text in walk(english) if isinstance(text, str))


PAIRS = list(pairs(engine().library))


def test_both_languages_have_the_same_words() -> None:
    english, chinese = (engine().library.words[language].model_dump(exclude={"codes"}) for language in ("en", "zh-CN"))
    assert [where for where, _ in walk(english)] == [where for where, _ in walk(chinese)]


@pytest.mark.parametrize(("where", "english", "chinese"), PAIRS, ids=[where for where, _, _ in PAIRS])
def test_every_text_is_written_in_chinese(where: str, english: str, chinese: str) -> None:
    assert placeholders(english) == placeholders(chinese)
    text = re.sub(r"\{\w+\}", "", chinese)
    if re.search("[A-Za-z]", re.sub(r"\{\w+\}", "", english)):
        assert chinese != english
        assert re.search(r"[\u4e00-\u9fff]", text), "no Chinese at all"
    assert leftovers(text) == set()
    assert not re.search(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]", text), "punctuation of half width"
    assert not re.search(r"[\u4e00-\u9fff] [\u4e00-\u9fff{0-9]", chinese.replace("} {", "}{")), (
        "a blank after a Chinese character"
    )


@pytest.mark.parametrize(("where", "english", "chinese"), PAIRS, ids=[where for where, _, _ in PAIRS])
def test_fractures_and_bone_are_claimed_in_neither_language_alone(where: str, english: str, chinese: str) -> None:
    if re.search("骨折|骨密度", chinese):
        assert re.search("fracture|bone", english, re.IGNORECASE)


def leftovers(text: str) -> set[str]:
    """Words in Latin letters that are none of the accepted terms."""
    return {word for word in WORD.findall(text) if not TERMS.fullmatch(word)}


def in_chinese(body: dict[str, Any], today: Any) -> list[dict[str, Any]]:
    return list(to_builtins(answered(json.dumps(body), today, "zh-CN").cards))


def check_words(cards: list[dict[str, Any]], body: dict[str, Any]) -> None:
    """What stands on the cards is Chinese, but for what the request says, names of products known by their code, and the sources."""
    products = [code.label for value_set in engine().library.value_sets.values() for code in value_set.codes]
    said = json.dumps([body, products], ensure_ascii=False).replace("\\", "")
    for card in cards:
        detail = re.sub(r"\n\n\*\*参考来源\*\*\n\n(- .*\n)+", "\n", card["detail"])
        suggested = [(s["label"], *(a["description"] for a in s["actions"])) for s in card.get("suggestions", [])]
        reasons = [reason["display"] for reason in card["overrideReasons"]]
        shown = [
            card["summary"],
            detail,
            card["source"]["topic"]["display"],
            *reasons,
            *(t for texts in suggested for t in texts),
        ]
        left = leftovers("\n".join(shown).replace("\\", ""))
        assert {word for word in left if not re.search(rf"(?<![A-Za-z]){word}(?![A-Za-z])", said)} == set()
        assert not re.search(r"[\u4e00-\u9fff）] ?[,;:(]", "\n".join(shown)), "punctuation of half width"


@pytest.mark.parametrize("vignette", VIGNETTES, ids=lambda v: f"{v['file']}: {v['name']}")
def test_every_vignette_gives_chinese_cards(vignette: dict[str, Any]) -> None:
    cards = in_chinese(request(vignette), TODAY)
    check_answer({"cards": cards}, PATIENT)
    check_words(cards, request(vignette))


@pytest.mark.parametrize("fixture", list(fixtures()), ids=lambda fixture: fixture.name)
def test_every_fixture_gives_chinese_cards(fixture: Fixture) -> None:
    cards = in_chinese(fixture.request, fixture.written_for)
    check_answer({"cards": cards}, fixture.request["context"]["patientId"])
    check_words(cards, fixture.request)


@pytest.mark.parametrize("vignette", VIGNETTES, ids=lambda v: f"{v['file']}: {v['name']}")
def test_both_languages_show_the_same_numbers(vignette: dict[str, Any]) -> None:
    sent = json.dumps(request(vignette))
    english, chinese = (to_builtins(answered(sent, TODAY, language).cards) for language in LANGUAGES)
    for one, other in zip(english, chinese, strict=True):
        assert set(re.findall(r"\d[\d.,]*\d|[†‡]", one["summary"])) == set(re.findall(r"\d[\d.,]*\d|[†‡]", other["summary"]))
        assert (one["uuid"], one["indicator"], one["source"]["topic"]["code"]) == (
            other["uuid"],
            other["indicator"],
            other["source"]["topic"]["code"],
        )
