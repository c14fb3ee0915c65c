"""What became of the founding documents, statement by statement: the list is complete, true, and written down.

`python -m tests.test_seeds` writes docs/seed-coverage.md anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

import pytest
from pydantic import Field, model_validator

from cds.content import Library
from cds.library import read_yaml
from cds.signed import Name, Signed, Text
from tests.patients import evaluate
from tests.test_vignettes import VIGNETTES


ROOT = Path(__file__).parent.parent
SOURCE, DOCUMENT = ROOT / "docs" / "seed-coverage.yaml", ROOT / "docs" / "seed-coverage.md"
LAST = 26
BY_NAME = {vignette["name"]: vignette for vignette in VIGNETTES}

Fate = Literal["carried", "worded", "refused"]
Said = Annotated[str, Field(pattern=r"^[a-z0-9_]+/[a-z0-9_]+$")]


class Seed(Signed):
    """One statement: what it says, what became of it, and by what."""

    documents: tuple[Literal["zh", "en"], ...] = Field(min_length=1, alias="from")
    says: Text
    fate: Fate
    became: Text
    words: Text | None = None
    advice: tuple[Said, ...] = ()
    notes: tuple[Said, ...] = ()
    facts: tuple[Name, ...] = ()
    numbers: tuple[Name, ...] = ()
    vignettes: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _names_what_its_fate_needs(self) -> Seed:
        carriers = (*self.advice, *self.notes, *self.facts, *self.numbers)
        if (self.fate == "carried") != bool(carriers and self.vignettes):
            raise ValueError("what is carried names carriers and vignettes, and nothing else does")
        if (self.fate == "worded") != bool(self.words):
            raise ValueError("what is worded names its words, and nothing else does")
        return self


SEEDS: dict[str, Seed] = read_yaml(SOURCE, dict[str, Seed])


def test_no_seed_is_missing() -> None:
    assert list(SEEDS) == [f"SEED-{number:02}" for number in range(1, LAST + 1)]


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == written(), "run python -m tests.test_seeds"


@pytest.mark.parametrize("name", SEEDS)
def test_what_a_seed_names_exists(name: str, library: Library) -> None:
    seed = SEEDS[name]
    assert set(seed.numbers) <= library.parameters.keys()
    assert set(seed.facts) <= {step.name for step in library.graph.steps}
    assert set(seed.vignettes) <= BY_NAME.keys()
    if seed.words:
        assert any(seed.words in line for line in library.words["en"].limits)


@pytest.mark.parametrize("name", SEEDS)
def test_the_vignettes_of_a_seed_say_what_it_names(name: str) -> None:
    statements = [
        statement for vignette in SEEDS[name].vignettes for statement in evaluate(BY_NAME[vignette]).decision.statements
    ]
    assert set(SEEDS[name].advice) <= {f"{statement.rule}/{statement.advice.key}" for statement in statements}
    assert set(SEEDS[name].notes) <= {f"{statement.rule}/{note}" for statement in statements for note in statement.advice.notes}


DOCUMENTS = {"zh": "Chinese article", "en": "English article"}
TITLES = {
    "carried": "carried by rules, facts or numbers, and shown by vignettes",
    "worded": "said in words on the cards",
    "refused": "deliberately not repeated",
}


def written() -> str:
    """The document."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield "# What became of the founding documents"
    yield ""
    yield "Written by `python -m tests.test_seeds` from [seed-coverage.yaml](seed-coverage.yaml); a test compares."
    yield ""
    yield "The project was born from two documents: a public health article in Chinese on vitamin B12 in osteoporosis, and an article in"
    yield "English on vitamin B12 and bone health. Together they make 26 statements. This page says what became of each; their percentages"
    yield "could not be traced and are repeated nowhere."
    yield ""
    yield "| Fate | Statements |"
    yield "| --- | --- |"
    counted = Counter(seed.fate for seed in SEEDS.values())
    yield from (f"| {TITLES[fate]} | {counted[fate]} |" for fate in get_args(Fate) if counted[fate])
    for name, seed in SEEDS.items():
        yield ""
        yield f"## {name}: {seed.fate}"
        yield ""
        yield f"*{seed.says}* ({', '.join(DOCUMENTS[document] for document in seed.documents)})"
        yield ""
        yield seed.became
        yield from told(seed)


def told(seed: Seed) -> Iterator[str]:
    """What carries and shows a seed, as a list."""
    parts = {"Advice": seed.advice, "Notes": seed.notes, "Facts": seed.facts, "Numbers": seed.numbers}
    entries = [f"- {title}: {', '.join(f'`{name}`' for name in names)}" for title, names in parts.items() if names]
    if seed.words:
        entries.append(f'- Words: "{seed.words}"')
    if seed.vignettes:
        shown = (f'"{name}" ({BY_NAME[name]["file"]})' for name in seed.vignettes)
        entries.append(f"- Vignettes: {'; '.join(shown)}")
    if entries:
        yield ""
        yield from entries


if __name__ == "__main__":
    DOCUMENT.write_text(written(), encoding="utf-8")
