"""What clients report, as the specification writes it and as Epic does; read with all its faults together."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from hooks.errors import Issue, RequestError
from hooks.wire import VISIBLE, Filled, Received, blank_is_absent


LONGEST = 4000
"""In characters: no text in feedback is longer, and no extension written as JSON (FB-19)."""

AWAY = Issue("transient", "The feedback could not be stored, none of it; send it again later.")

_TOO_LONG = "string_too_long"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE | re.ASCII)
_EPIC = "com.epic.cdshooks.feedback.overrideReason."
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NO_JSON = Issue("structure", "The body is not a JSON object (RFC 8259).")


def _moment(value: Any) -> datetime:
    """A date-time of RFC 3339, in UTC. A leap second is the second after it (FB-09)."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a date-time of RFC 3339, like 2026-01-02T03:04:05Z")
    minute, second, fraction, zone = found.groups()
    leap = second == "60"
    try:
        read = datetime.fromisoformat(f"{minute}:{'59' if leap else second}{(fraction or '')[:7]}{zone.upper()}")
        return (read + timedelta(seconds=leap)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no moment of the calendar") from None


def _short(value: dict[str, Any]) -> dict[str, Any]:
    if len(msgspec.json.encode(value)) > LONGEST:
        raise PydanticCustomError(_TOO_LONG, "too long")
    return value


def _without_nul(value: str) -> str:
    """The one character that PostgreSQL does not store is replaced."""
    return value.replace("\x00", "\ufffd")


Text = Annotated[Filled, Field(max_length=LONGEST), AfterValidator(_without_nul)]
OptionalText = Annotated[
    Text | None,
    BeforeValidator(blank_is_absent),
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": LONGEST}, {"type": "null"}]}),
]
Extension = Annotated[
    dict[str, Any], AfterValidator(_short), Field(description=f"Of at most {LONGEST} bytes, written without blanks.")
]


class Reason(Received):
    """A coded reason; clients leave out `display`, and some `system` (FB-08)."""

    code: Text
    system: OptionalText = None
    display: OptionalText = None


class OverrideReason(Received):
    """Why a card was overridden: a code, words, or what only the client understands (FB-07, FB-14)."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["reason"], "properties": {"reason": {"type": "object"}}},
                {"required": ["userComment"], "properties": {"userComment": {"type": "string", "pattern": VISIBLE}}},
                {"required": ["extension"], "properties": {"extension": {"type": "object", "minProperties": 1}}},
            ]
        }
    )

    reason: Reason | None = None
    userComment: OptionalText = None
    extension: Extension | None = None

    @model_validator(mode="after")
    def _says_something(self) -> OverrideReason:
        if self.reason is None and self.userComment is None and not self.extension:
            raise ValueError("needs a reason, a userComment or an extension")
        return self

    def coded(self) -> Reason | None:
        """The reason; where there is only Epic's extension, the category it names."""
        told = self.extension or {}
        code = told.get(f"{_EPIC}reasonCategory")
        if self.reason is not None or not isinstance(code, str) or not code.strip():
            return self.reason
        shown = (told.get(f"{_EPIC}{name}") for name in ("reasonDisplay", "reasonTitle"))
        return Reason(code=code, display=next((text for text in shown if isinstance(text, str)), None))


class AcceptedSuggestion(Received):
    """A suggestion that was accepted."""

    id: Text


class Item(Received):
    """What became of one card."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["outcome"], "properties": {"outcome": {"const": "accepted"}}},
            "then": {
                "required": ["acceptedSuggestions"],
                "properties": {"acceptedSuggestions": {"type": "array", "minItems": 1}},
            },
        }
    )

    card: Text
    outcome: Literal["accepted", "overridden"]
    outcomeTimestamp: Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
    acceptedSuggestions: list[AcceptedSuggestion] | None = None
    overrideReason: OverrideReason | None = None
    overrideReasons: OverrideReason | None = None
    extension: Extension | None = None

    @model_validator(mode="after")
    def _names_what_was_accepted(self) -> Item:
        if self.outcome == "accepted" and not self.acceptedSuggestions:
            raise ValueError("an accepted card names at least one of acceptedSuggestions")
        return self

    @property
    def why(self) -> OverrideReason | None:
        """Why it was overridden, by the name of the standard or by Epic's."""
        return self.overrideReason or self.overrideReasons


class Report(Received):
    """A batch; an empty one is none the worse (FB-15)."""

    feedback: list[Item]


def items(body: bytes) -> list[Item]:
    """What a body reports. Raises RequestError 400 with all faults, 413 where a text is too long; nothing of it is quoted."""
    try:
        return Report.model_validate(msgspec.json.decode(body.removeprefix(_BYTE_ORDER_MARK))).feedback
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError(HTTPStatus.BAD_REQUEST, [_NO_JSON]) from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        large = any(fault["type"] == _TOO_LONG for fault in faults)
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if large else HTTPStatus.BAD_REQUEST
        raise RequestError(status, [_issue(fault["type"], fault["loc"], fault["msg"]) for fault in faults]) from None


def _issue(kind: str, place: tuple[str | int, ...], said: str) -> Issue:
    """A fault and its place, like feedback[2].card. What pydantic says is kept only where it quotes nothing of the input."""
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".") or "$"
    if kind == _TOO_LONG:
        return Issue("too-long", f"{where} is longer than {LONGEST} characters.", where)
    if kind == "missing":
        return Issue("required", f"{where} is required by the CDS Hooks specification; add it.", where)
    if kind == "value_error":
        return Issue("value", f"{where}: {said.removeprefix('Value error, ')}.", where)
    return Issue("value", f"{where} has the wrong JSON type or is none of its values; see the CDS Hooks specification.", where)
