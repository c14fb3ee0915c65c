"""CDS Hooks messages. A request keeps every member it came with; a response has none it was not given.

Nothing required is ever filled in, and nothing optional is ever sent blank: what has no value is left out (JSON-02..04).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from cds.knowledge import SUMMARY_LIMIT


VISIBLE = r"[^\s\x1c-\x1f\x85]"
"""Pattern of a character that is not blank, for all dialects of patterns alike: some take the separators of ASCII for visible."""

Filled = Annotated[str, StringConstraints(min_length=1, pattern=VISIBLE, strict=True)]

_WEB_ADDRESS = r"[Hh][Tt][Tt][Pp][Ss]?://(?:\[[0-9A-Fa-f:.]+\]|[!-\"$-.0->@-Z\\^-~]+)(?:[/?#][!-~]*)?"
_is_web_address = re.compile(_WEB_ADDRESS).fullmatch


def is_web_address(url: str) -> bool:
    """Is it an absolute http(s) URL? All else than ASCII is escaped in one (RFC 3986)."""
    return _is_web_address(url) is not None


def require_web_address(url: str) -> None:
    """Raises ValueError for anything but an absolute http(s) URL: what is relative means something else at every client."""
    if not is_web_address(url):
        raise ValueError(f"{url!r} is no absolute http(s) URL")


def blank_is_absent(value: Any) -> Any:
    """None for a text of blanks alone."""
    return None if isinstance(value, str) and not value.strip() else value


Optional = Annotated[Filled | None, BeforeValidator(blank_is_absent), WithJsonSchema({"type": ["string", "null"]})]
"""An optional text: sent blank, it counts as absent (VAL-06)."""


def blank_or(pattern: str) -> WithJsonSchema:
    """The schema of an optional text of a pattern."""
    texts = [{"type": "string", "pattern": f"^{one}$"} for one in (pattern, r"[\s\x1c-\x1f\x85]*")]
    return WithJsonSchema({"anyOf": [*texts, {"type": "null"}]})


class Received(BaseModel):
    """Base of what clients send: unknown members are kept and ignored (VAL-07)."""

    model_config = ConfigDict(extra="allow", frozen=True)


class HookRequest(Received):
    """The envelope of a service call. `prefetch` values stay as raw JSON until the reader asks for them."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["fhirAuthorization"], "properties": {"fhirAuthorization": {"type": "object"}}},
            "then": {"required": ["fhirServer"], "properties": {"fhirServer": {"type": "string", "pattern": VISIBLE}}},
        }
    )

    hook: Filled
    hookInstance: Filled
    context: dict[str, Any]
    fhirServer: Annotated[Optional, blank_or(_WEB_ADDRESS)] = None
    fhirAuthorization: dict[str, Any] | None = Field(default=None, repr=False)
    prefetch: Annotated[dict[str, Any], WithJsonSchema({"type": ["object", "null"]})] = {}

    @field_validator("prefetch", mode="before")
    @classmethod
    def _no_prefetch_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value

    @field_validator("fhirServer")
    @classmethod
    def _absolute_web_address(cls, value: str | None) -> str | None:
        if value is not None and not is_web_address(value):
            raise ValueError("must be an absolute http(s) URL")
        return value

    @model_validator(mode="after")
    def _token_only_with_server(self) -> HookRequest:
        if self.fhirAuthorization is not None and self.fhirServer is None:
            raise ValueError("fhirAuthorization without fhirServer")
        return self


_LINK = Meta(extra_json_schema={"format": "uri"})
_UUID = Meta(extra_json_schema={"format": "uuid"})


class Sent(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of what we send: only members the specification knows; what is optional and None is left out."""


class Coding(Sent, frozen=True):
    """A code in its system, with the words for people."""

    system: str
    code: str
    display: str


class Source(Sent, frozen=True):
    """Where a card's guidance comes from, and its topic, under which clients remember overrides."""

    label: str
    topic: Coding
    url: Annotated[str, _LINK] | None = None

    def __post_init__(self) -> None:
        """Hold that a link is an absolute web address (RESP-07)."""
        if self.url is not None:
            require_web_address(self.url)


NOT_CHECKED = "B12NotChecked"
"""The topic of the card that says that nothing could be checked; all others are topics of rules."""


class Action(Sent, frozen=True):
    """Something the client may do when a suggestion is accepted: create or update `resource`, or delete `resourceId`.

    Written for a client of 1.x, `resource` names what is to be deleted, as text (ACT-07).
    """

    type: Literal["create", "update", "delete"]
    description: str
    resource: dict[str, Any] | None = None
    resourceId: str | None = None


class Suggestion(Sent, frozen=True):
    """One thing a clinician can accept with a click; all its actions are applied together."""

    label: str
    uuid: Annotated[str, _UUID]
    actions: Annotated[list[Action], Meta(min_length=1)]
    isRecommended: bool | None = None


class Card(Sent, frozen=True):
    """One piece of advice."""

    uuid: Annotated[str, _UUID]
    summary: Annotated[str, Meta(min_length=1, max_length=SUMMARY_LIMIT - 1)]
    detail: str
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: list[Suggestion] | None = None
    selectionBehavior: Literal["at-most-one", "any"] | None = None
    overrideReasons: list[Coding] | None = None
    extension: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Hold what clients ask: a short summary (RESP-04), and how suggestions are chosen (cds-resp-6)."""
        if not 0 < len(self.summary) < SUMMARY_LIMIT:
            raise ValueError("a summary is filled and short")
        if (self.suggestions is None) != (self.selectionBehavior is None):
            raise ValueError("suggestions and selectionBehavior come together or not at all")


class Response(Sent, frozen=True):
    """The answer to a service call."""

    cards: list[Card]


class ServiceEntry(Sent, frozen=True):
    """One service in the discovery document."""

    hook: str
    title: str
    description: str
    id: str
    prefetch: dict[str, str]
    usageRequirements: str
    version: str
    hookVersion: str


class Discovery(Sent, frozen=True):
    """The discovery document."""

    services: list[ServiceEntry]
