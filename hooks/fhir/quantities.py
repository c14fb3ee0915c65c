"""What a result says: a number, how it is bounded and its unit, from a Quantity or from words. Two readings are none."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from hooks.fhir.elements import number, opened, text, wording
from hooks.fhir.resources import NOT_SENT, Part


LONGEST_UNIT = 40
LONGEST = 200
"""Characters. What is longer is a sentence, and no unit and no result."""

_COMPARATORS = {
    "": None, "=": None,
    "<": "<", "less than": "<", "below": "<", "小于": "<", "低于": "<",
    "<=": "<=", "=<": "<=", "≤": "<=", "不高于": "<=",
    ">": ">", "more than": ">", "greater than": ">", "above": ">", "大于": ">", "高于": ">", "超过": ">",
    ">=": ">=", "=>": ">=", "≥": ">=", "不低于": ">=",
}  # fmt: skip
_SIGN = "|".join(sorted(filter(None, _COMPARATORS), key=len, reverse=True))
_FLAG = r"[(\[] ?(?:[hln]|hh|ll|high|low|normal|偏?高|偏?低|正常|[*]+) ?[)\]]|[↑↓*]+"
_SAID = re.compile(
    rf"({_SIGN})? ?(\d+(?:[.,]\d+)*) ?(?:{_FLAG})? ?((?:[^\W\d_]|[%/×\[{{]|(?<= )10[*^])\S*?(?: \S+?)*?)? ?(?:{_FLAG})?",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"\d+(?:\.\d+)?")
_COMMA_ONCE = re.compile(r"(\d+),(\d+)")
_IN_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{3})+\.\d+|(?:\.\d{3})+,\d+|(?:,\d{3}){2,}|(?:\.\d{3}){2,})")
_THOUSANDS_FIRST = re.compile(r"[1-9]\d{0,2},\d{3}")
_TO_THE_NUMBER = re.compile(r"\D*[\d.,]*.?", re.DOTALL)


_Short = Annotated[str, msgspec.Meta(max_length=LONGEST)]


class Usual(msgspec.Struct, frozen=True, gc=False):
    """A Quantity as the standard has it: read in one go. What is not of this shape is read by `reported`."""

    value: float
    comparator: Literal["<", "<=", ">", ">="] | None = None
    unit: _Short = ""
    system: _Short = ""
    code: _Short = ""


READ_USUAL = msgspec.json.Decoder(Usual)


class Reported(msgspec.Struct, frozen=True, gc=False):
    """A number as it was reported. `value` None: there is none, or it has two readings and is quoted in `doubt`.

    `comparator` is one of FHIR's, None, or whatever else was sent.
    """

    value: float | None
    comparator: str | None = None
    unit: str = ""
    system: str = ""
    code: str = ""
    doubt: str = ""


_NOTHING = Reported(None)


def reported(part: Part) -> Reported:
    """The number of a result, wherever and however it was written."""
    return next((found for found in _ways(part) if found.value is not None or found.doubt), _NOTHING)


def _ways(part: Part) -> Iterator[Reported]:
    if part.valueQuantity is not NOT_SENT:
        yield _of_quantity(opened(part.valueQuantity))
    yield in_words(text(part.valueString))
    if part.valueCodeableConcept is not NOT_SENT:
        yield in_words(wording(opened(part.valueCodeableConcept)))
    yield Reported(number(part.valueInteger))


def _of_quantity(quantity: Any) -> Reported:
    if not isinstance(quantity, dict):
        return _NOTHING
    unit, system, code = (text(quantity.get(name))[:LONGEST] for name in ("unit", "system", "code"))
    value, comparator = quantity.get("value"), _comparator(quantity.get("comparator"))
    if not isinstance(value, str):
        return Reported(number(value), comparator, unit, system, code)
    said = in_words(value)
    if said.unit or (comparator is not None and said.comparator is not None):
        return _NOTHING  # the same thing twice, or half of it somewhere else
    return Reported(said.value, comparator or said.comparator, unit, system, code, said.doubt)


def _comparator(value: Any) -> str | None:
    if value is None or value == "":
        return None
    sign = html.unescape(text(value)) or "?"
    return _COMPARATORS.get(sign, sign)


def in_words(said: str) -> Reported:
    """A number in a string: "＞２０００ pg/mL", "148 (L)", "&lt;150", "132,5". Nothing of ranges, and nothing of sentences."""
    if len(said) > LONGEST:
        return _NOTHING
    words = html.unescape(said)
    if any(unicodedata.category(character) == "No" for character in _TO_THE_NUMBER.findall(words)[0]):
        return _NOTHING  # the 2 of a footnote is no digit of the number
    match = _SAID.fullmatch(" ".join(unicodedata.normalize("NFKC", words).split()))
    if match is None or len(match[3] or "") > LONGEST_UNIT:
        return _NOTHING
    comparator, unit = _COMPARATORS[(match[1] or "").lower()], match[3] or ""
    if _THOUSANDS_FIRST.fullmatch(match[2]):
        return Reported(None, comparator, unit, doubt=match[0][: match.end(2)])
    return Reported(_decimal(match[2]), comparator, unit)


def _decimal(digits: str) -> float | None:
    """The number that figures with commas and points in them mean, where they can mean only one."""
    if _DECIMAL.fullmatch(digits):
        return number(float(digits))
    if match := _COMMA_ONCE.fullmatch(digits):
        return float(f"{match[1]}.{match[2]}")
    if _IN_THOUSANDS.fullmatch(digits):
        last = max(digits.rfind(","), digits.rfind("."))
        if digits.count(digits[last]) > 1:
            return float(digits.replace(digits[last], ""))
        return float(f"{re.sub('[,.]', '', digits[:last])}.{digits[last + 1 :]}")
    return None
