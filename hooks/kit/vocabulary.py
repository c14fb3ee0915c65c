"""Which words of a free text may stay in a recorded request: those our own readers know, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from itertools import groupby
from typing import Any, NamedTuple

from cds.amounts import COUNTED_UNITS, UG_IN
from cds.content import Library
from cds.frequency import DAYS_IN, TIMES_PER_DAY
from cds.plaintext import any_of, plain
from cds.units import spelling


_READERS = (
    "cds.amounts",
    "cds.dosetext",
    "cds.frequency",
    "cds.plaintext",
    "cds.strengthtext",
    "cds.terms",
    "hooks.fhir.onsets",
    "hooks.fhir.quantities",
    "hooks.fhir.questions",
    "hooks.fhir.resected",
    "hooks.fhir.taking",
    "hooks.fhir.timing",
)
"""The modules that read words. What they look for is taken from their own constants, so that no list is kept twice."""

_PIECE = re.compile(r"[^\W_]*[^\W\d_][^\W_]*|\d+|[^\w\s]|_|\s+")
_BY_SCRIPT = re.compile(r"[一-鿿㐀-䶿]+|[^一-鿿㐀-䶿]+")
_HAN = re.compile(r"[一-鿿㐀-䶿]+")
_LATIN_OR_HAN = re.compile(r"[a-z0-9]*[a-z][a-z0-9]*|[一-鿿]+")
_NUMBER_ALONE = re.compile(r"[<>=≤≥≦≧＜＞ ]*\d{1,5}([.,]\d{1,5})*( ?- ?[1-9]\d{0,4}([.,]\d{1,5})?)?")
_AMOUNT = r"\d+(?:[.,]\d+)?"
_IN_A_ROW = rf"\d+(?:\.\d+){{2,}}|{_AMOUNT}(?:\)? ?[-/ ] ?\(?{_AMOUNT})+"
_NUMBERS_IN_A_ROW = re.compile(rf"(?<![\w.,])(?<![a-zA-Z]-)\(?(?:{_IN_A_ROW})\)?(?!\d)|(?<![\w.,])0\d{{2,}}(?!\d)")
_RANGE = re.compile(r"([1-9]\d{0,4}) ?- ?([1-9]\d{0,4})")
_IN_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?: 000)+")
_MOST_DIGITS = 6
"""Of numbers in a row: more of them, and none that begins with 0, are of a telephone or a person, unless they are a range."""
_GLUED = re.compile(r"(?=.*\d)(?=.*[a-z])(\d{1,5}|[a-z]+)([a-z]+|\d{1,5})")
"""A number and a unit without a blank between them: 500mg, x4."""
_ESCAPES = re.compile(r"\\[a-zA-Z]")
_LATIN_INSTEAD, _HAN_INSTEAD, _OTHER_INSTEAD = "xx", "某", "~"
_MOST_HAN = 8


class _Piece(NamedTuple):
    text: str
    kind: str  # strong, weak, small, mark, drop


class Vocabulary:
    """The words of one library and its readers."""

    def __init__(self, library: Library, agreed: Iterable[str] = ()) -> None:
        """`strong` words name something clinical; beside one of them `weak` words may stay, and short numbers next to both.

        `agreed`: further spellings of units.
        """
        strong = {plain(word) for word in _strong(library)} - {""}
        weak = {word for said in _said_in_readers() for word in _LATIN_OR_HAN.findall(_ESCAPES.sub(" ", said.lower()))}
        self._latin = {part for word in strong for part in _LATIN_OR_HAN.findall(word) if len(part) > 1 and part.isascii()}
        self._weak = frozenset(word for word in weak if len(word) > 1)
        self._small = frozenset(word for word in {*weak, *strong} if len(word) == 1)
        self._known = self._latin | self._weak | self._small
        self._phrases = _pattern(word for word in strong if len(word) > 1)
        self._han = re.compile(any_of(word for word in self._weak if not word.isascii()) or "(?!)")
        units = {spelling(unit).lower() for unit in (*_units(library), *agreed)}
        self._whole = frozenset((*units, *map(spelling, strong)))
        self.scrubbed: Callable[[str], str] = lru_cache(maxsize=4096)(self._scrubbed)

    def _scrubbed(self, text: str) -> str:
        """A text with every word that we do not know replaced; a number alone stays a number."""
        text = _NUMBERS_IN_A_ROW.sub(_amounts_alone, unicodedata.normalize("NFKC", text).replace("μ", "u"))
        if spelling(text).lower() in self._whole or _NUMBER_ALONE.fullmatch(text.strip()):
            return text
        pieces = list(self._pieces(text))
        if not any(piece.kind == "strong" for piece in pieces):
            return (
                "".join(_instead(piece) for piece in pieces if piece.kind != "mark" or piece.text.isspace()).strip()
                or _OTHER_INSTEAD
            )
        said = []
        for dropped, run in groupby(pieces, key=lambda piece: piece.kind == "drop"):
            held = list(run)
            sure = any(piece.kind in ("strong", "weak") for piece in held)
            said += [_instead(piece) if dropped or (piece.kind == "small" and not sure) else piece.text for piece in held]
        return "".join(said)

    def _pieces(self, text: str) -> Iterator[_Piece]:
        """The text in pieces: the phrases that we know, and what stands between them."""
        at = 0
        for found in self._phrases.finditer(text):
            yield from self._between(text[at : found.start()])
            yield _Piece(found[0], "strong")
            at = found.end()
        yield from self._between(text[at:])

    def _between(self, text: str) -> Iterator[_Piece]:
        for piece in _PIECE.findall(text):
            for part in _BY_SCRIPT.findall(piece):
                yield from self._of_han(part) if _HAN.fullmatch(part) else self._of_latin(part)

    def _of_latin(self, piece: str) -> Iterator[_Piece]:
        word = piece.lower()
        if not any(c.isalnum() for c in piece):
            yield _Piece(piece, "mark")
        elif word in self._latin:
            yield _Piece(piece, "strong")
        elif word in self._weak:
            yield _Piece(piece, "weak")
        elif word in self._small or (word.isdecimal() and len(word) < len("100000")):
            yield _Piece(piece, "small")
        elif (glued := _GLUED.fullmatch(word)) and not {*filter(str.isalpha, glued.groups())} - self._known:
            for part in glued.groups():
                yield _Piece(part, "small" if part.isdecimal() or len(part) == 1 else "weak")
        else:
            yield _Piece(piece, "drop")

    def _of_han(self, run: str) -> Iterator[_Piece]:
        at = 0
        for found in self._han.finditer(run):
            yield from self._single(run[at : found.start()])
            yield _Piece(found[0], "weak")
            at = found.end()
        yield from self._single(run[at:])

    def _single(self, characters: str) -> Iterator[_Piece]:
        for character in characters:
            yield _Piece(character, "small" if character in self._small else "drop")


def _amounts_alone(numbers: re.Match[str]) -> str:
    """Numbers in a row, where they may be amounts: a range, a scheme of doses; and nothing else."""
    said = numbers[0]
    if _IN_THOUSANDS.fullmatch(said) or ((limits := _RANGE.fullmatch(said)) and int(limits[1]) < int(limits[2])):
        return said
    telling = sum(map(str.isdigit, said)) > _MOST_DIGITS or re.search(r"(?<![\d.,])0\d\d", said)
    return _OTHER_INSTEAD if telling else said


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """Any of the phrases in any case, the longest first; Latin ones as whole words."""
    known = list(phrases)
    latin, other = any_of(word for word in known if word.isascii()), any_of(word for word in known if not word.isascii())
    return re.compile(rf"{other}|(?<![a-z0-9])(?:{latin})(?![a-z0-9])", re.IGNORECASE)


def _instead(piece: _Piece) -> str:
    """What stands for a word that goes: of the same kind, as readers look at what kind of word stands beside another."""
    if piece.text.isspace():
        return " "
    if _HAN.fullmatch(piece.text):
        return _HAN_INSTEAD * min(len(piece.text), _MOST_HAN)
    return _LATIN_INSTEAD if any(c.isalpha() for c in piece.text) else _OTHER_INSTEAD


def _strong(library: Library) -> Iterator[str]:
    for value_set in library.value_sets.values():
        yield from (*value_set.text.en, *value_set.text.zh, *value_set.text.without, *value_set.text.except_in)
        yield from (name for names in value_set.forms.values() for name in names)
    yield from (part for unit in _units(library) for part in _LATIN_OR_HAN.findall(unit))
    yield from (word for table in (UG_IN, COUNTED_UNITS, DAYS_IN, TIMES_PER_DAY) for word in table)


def _units(library: Library) -> Iterator[str]:
    for value_set in library.value_sets.values():
        for unit in value_set.units:
            yield from (word.lower() for word in (unit.unit, *unit.also))


def _said_in_readers() -> Iterator[str]:
    for name in _READERS:
        for constant, value in vars(import_module(name)).items():
            if not constant.startswith("__"):
                yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, re.Pattern):
        yield str(value.pattern)
    elif isinstance(value, Mapping):
        yield from (key for key in value if isinstance(key, str))
    elif isinstance(value, tuple | frozenset):
        yield from _many(value)


def _many(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str | re.Pattern):
            yield from _texts(value)
