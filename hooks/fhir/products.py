"""What drug a record names: its classes, and of vitamins the form and the strength. Codes first, then the words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from cds.amounts import same
from cds.chart import Strength
from cds.concepts import Code
from cds.content import Library
from cds.plaintext import plain
from cds.strengthtext import container_ml, strengths
from cds.terms import Said
from hooks.fhir.elements import codings, is_named, names, opened, remembered, wording
from hooks.fhir.local import STANDARD, Local
from hooks.fhir.owncodes import OwnCodes
from hooks.fhir.taking import denies_taking


NUTRIENTS = ("b12", "folic_acid", "pyridoxine", "biotin")
COMBINED = "b12_combination"
VITAMINS = (*NUTRIENTS, COMBINED)


@dataclass(frozen=True, slots=True)
class Drug:
    """One class a product belongs to. `words`: all that it is called, to look for a route; only vitamins have the rest."""

    concept: str
    words: tuple[str, ...]
    form: str | None
    strengths: Mapping[str, Strength]
    container_ml: float | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """What the concepts of a record name together: the classes, those only doubted, the name the record gives it, if any.

    `denied`: its very name says that it is not taken.
    """

    drugs: tuple[Drug, ...]
    doubted: tuple[str, ...]
    name: str
    named: bool
    denied: bool


class ProductReader:
    """Reads what names a drug against the value sets of one library."""

    def __init__(self, library: Library, local: Local = STANDARD) -> None:
        """Keep the tables that every product is held against."""
        self._own = OwnCodes(local, library, "medicine")
        self._sets = library.value_sets
        self._terms = library.terms["medicine"]
        self._forms = {
            concept: {form: tuple(map(plain, names)) for form, names in library.value_sets[concept].forms.items()}
            for concept in VITAMINS
        }
        self.product = remembered(self._product)

    def _product(self, concepts: bytes) -> Product:
        """The product that a JSON array of CodeableConcepts names, each of them in its own way."""
        named = opened(concepts)
        matched, doubted = self._concepts(named)
        labels = (entry.label for entries in matched.values() for entry in entries)
        name = next((words for words in map(wording, named) if words), "") or next(labels, "")
        drugs = tuple(self._drug(concept, entries, named) for concept, entries in matched.items())
        denied = any(map(denies_taking, chain.from_iterable(map(names, named))))
        return Product(drugs, doubted, name, any(map(is_named, named)), denied)

    def _concepts(self, named: list[Any]) -> tuple[dict[str, list[Code]], tuple[str, ...]]:
        """The drug classes named by code, else by words; a product of several vitamins is one combination, not each of them.

        A record may name one product by several codes: ingredient, drug and package.
        """
        found: dict[str, list[Code]] = {}
        for concept in named:
            for system, value in codings(concept):
                for name, entry in self._terms.of_code(system, value):
                    found.setdefault(name, []).append(entry)
        for name in self._own.named(*named):
            found.setdefault(name, [])
        doubted: dict[str, None] = {}
        if not found:
            for words in chain.from_iterable(map(names, named)):
                for name, said in self._terms.of_text(words).items():
                    if said is Said.STATED:
                        found.setdefault(name, [])
                    else:
                        doubted[name] = None
        for name in list(found):
            for other in self._sets[name].instead_of:
                found.pop(other, None)
        vitamins = [name for name in found if name in VITAMINS]
        if len(vitamins) > 1 and {"b12", COMBINED} & set(vitamins):
            combined = [entry for name in sorted(vitamins, key=VITAMINS[::-1].index) for entry in found[name]]
            found = {name: entries for name, entries in found.items() if name not in vitamins}
            found[COMBINED] = combined
        return found, tuple(name for name in doubted if name not in found)

    def _drug(self, concept: str, entries: list[Code], named: list[Any]) -> Drug:
        words = (*(entry.label for entry in entries), *chain.from_iterable(map(names, named)))
        if concept not in VITAMINS:
            return Drug(concept, words, None, {})
        form = next((entry.form for entry in entries if entry.form is not None), None) or self._form(concept, words)
        held = {volume for said in words if (volume := container_ml(said)) is not None}
        return Drug(concept, words, form, self._strengths(words), held.pop() if len(held) == 1 else None)

    def _form(self, concept: str, words: Iterable[str]) -> str | None:
        """Which cobalamin, by the words. "Vitamin B12" alone does not say."""
        for said in map(plain, words):
            for form, called in self._forms[concept].items():
                if any(name in said for name in called):
                    return form
        return None

    def _strengths(self, words: Iterable[str]) -> Mapping[str, Strength]:
        """By every name of the product, those of its codes first. Two that contradict each other leave a strength unknown."""
        found: dict[str, Strength] = {}
        for said in words:
            for nutrient, strength in strengths(said, self._nutrients).items():
                known = found.setdefault(nutrient, strength)
                if (
                    known.ug is not None
                    and strength.ug is not None
                    and known.per == strength.per
                    and not same(known.ug, strength.ug)
                ):
                    found[nutrient] = Strength(None, known.per)
        return found

    def _nutrients(self, words: str) -> list[str]:
        return [name for name in self._terms.of_text(words) if name in NUTRIENTS]
