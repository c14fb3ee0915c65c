"""From a code or a word to the concepts it names. Codes decide; words are only asked where no code is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cds.codes import SYSTEMS, normal_form
from cds.dosetext import plain
from cds.knowledge import Code, TextPatterns, ValueSet


Match = tuple[str, Code]
"""A concept and the code entry that named it."""

_SHORTEST_PREFIX = 3


class Terms:
    """The value sets of one kind, turned round for reading: code to concepts, words to concepts."""

    def __init__(self, value_sets: Mapping[str, ValueSet]) -> None:
        """Index the value sets by every URI their systems are sent under."""
        self._by_code: dict[tuple[str, str], tuple[Match, ...]] = {}
        self._by_prefix: dict[str, dict[str, tuple[Match, ...]]] = {}
        self._without = {name: tuple(map(plain, value_set.text.without)) for name, value_set in value_sets.items()}
        by_word: dict[str, tuple[str, ...]] = {}
        for name, value_set in value_sets.items():
            for code in value_set.codes:
                self._add_code(name, code)
            for word in _words(value_set.text):
                by_word[word] = (*by_word.get(word, ()), name)
        self._by_word = by_word
        self._heads = frozenset(map(_head, by_word))
        self._pattern = _pattern(by_word)

    def _add_code(self, concept: str, code: Code) -> None:
        system = SYSTEMS[code.system]
        for uri in system.uris:
            if system.hierarchical:
                table = self._by_prefix.setdefault(uri, {})
                (prefix,) = normal_form(code.code)
                table[prefix] = (*table.get(prefix, ()), (concept, code))
            else:
                self._by_code[uri, code.code] = (*self._by_code.get((uri, code.code), ()), (concept, code))

    def of_code(self, uri: str, code: str) -> tuple[Match, ...]:
        """The concepts a coding names; for hierarchical systems those of every prefix, the longest first."""
        found = self._by_code.get((uri, code))
        if found is not None:
            return found
        table = self._by_prefix.get(uri)
        if table is None:
            return ()
        matches: dict[str, Code] = {}
        for part in normal_form(code):
            for length in range(len(part), _SHORTEST_PREFIX - 1, -1):
                for concept, entry in table.get(part[:length], ()):
                    matches.setdefault(concept, entry)
        return tuple(matches.items())

    def knows_system(self, uri: str) -> bool:
        """Is this a system our value sets are written in? Then a code we do not list means something else."""
        return uri in _KNOWN_URIS

    def of_text(self, text: str) -> dict[str, bool]:
        """The concepts whose words occur in a text, unless one of their excluding words does too, and whether each is doubted.

        "rule out pernicious anaemia", "family history of osteoporosis" and "萎缩性胃炎待查" name a concept and do not assert it.
        """
        words = plain(text)
        if self._heads.isdisjoint(_HEAD.findall(words)):
            return {}
        found: dict[str, bool] = {}
        for match in self._pattern.finditer(words):
            for concept in self._by_word[match[0]]:
                found[concept] = found.get(concept, True) and _doubted(words, match.start(), match.end())
        return {concept: doubt for concept, doubt in found.items() if not any(word in words for word in self._without[concept])}


_HEAD = re.compile(r"[a-z0-9]+|[^a-z0-9 ]")


def _head(word: str) -> str:
    """What a text must hold for the word to occur in it: most texts are told apart by this, long before the pattern is asked."""
    heads: list[str] = _HEAD.findall(word)
    return next((head for head in heads if not head.isascii()), heads[0])


_DOUBT_BEFORE = re.compile(
    r"(?<![a-z])(?:no|not|without|denies|negative for|rule out|r/o|ruled out|exclude|family history|fhx?|suspected|possible|"
    r"probable|query|screening|risk of|risk for|prevention|prophylaxis)(?![a-z])|排除|家族史|疑似|可疑|否认|无|预防|筛查|\? ?$"
)
_DOUBT_AFTER = re.compile(r" ?(?:\?|待查|待排|可能|ruled out)")
_CLAUSE_END = re.compile(r"[.,;，。；、]")


def _doubted(words: str, start: int, end: int) -> bool:
    """Is what stands from `start` to `end` denied, doubted or somebody else's, in its own clause?"""
    clause = _CLAUSE_END.split(words[:start])[-1]
    return bool(_DOUBT_BEFORE.search(clause) or _DOUBT_AFTER.match(words, end))


_KNOWN_URIS = frozenset(uri for system in SYSTEMS.values() for uri in system.uris)


def _words(patterns: TextPatterns) -> Iterable[str]:
    return dict.fromkeys(map(plain, (*patterns.en, *patterns.zh)))


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Longest words first, so that "non-atrophic gastritis" is read before "atrophic gastritis" can be found inside it.

    Latin words end at word boundaries (aripiprazole is no prazole); Chinese has none.
    """
    ordered = sorted(words, key=len, reverse=True)
    latin = "|".join(re.escape(word) for word in ordered if word.isascii())
    other = "|".join(re.escape(word) for word in ordered if not word.isascii())
    return re.compile("|".join(part for part in (other, latin and rf"(?<![a-z0-9])(?:{latin})(?![a-z0-9])") if part) or r"(?!)")
