"""CDS Hooks messages. A request keeps every member it came with; a response has none it was not given.

Nothing required is ever filled in, and nothing optional is ever sent blank: what has no value is left out (JSON-02..04).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from cds.knowledge import SUMMARY_LIMIT


Filled = Annotated[str, StringConstraints(min_length=1, pattern=r"\S", strict=True)]


_WEB_ADDRESS = re.compile(r"https?://(?:\[[0-9a-f:.]+\]|[^\s/?#\[\]]+)(?:[/?#]\S*)?", re.IGNORECASE)


def is_web_address(url: str) -> bool:
    """Is it an absolute http(s) URL?"""
    return _WEB_ADDRESS.fullmatch(url) is not None and url.isprintable()


def require_web_address(url: str) -> None:
    """Raises ValueError for anything but an absolute http(s) URL: what is relative means something else at every client."""
    if not is_web_address(url):
        raise ValueError(f"{url!r} is no absolute http(s) URL")


def _blank_is_absent(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Optional = Annotated[Filled | None, BeforeValidator(_blank_is_absent)]
"""An optional text: sent blank, it counts as absent (VAL-06)."""


class Received(BaseModel):
    """Base of what clients send: unknown members are kept and ignored (VAL-07)."""

    model_config = ConfigDict(extra="allow", frozen=True)


class HookRequest(Received):
    """The envelope of a service call. `prefetch` values stay as raw JSON until the reader asks for them."""

    hook: Filled
    hookInstance: Filled
    context: dict[str, Any]
    fhirServer: Optional = None
    fhirAuthorization: dict[str, Any] | None = Field(default=None, repr=False)
    prefetch: dict[str, Any] = {}

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
    url: str | None = None

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
    uuid: str
    actions: list[Action]
    isRecommended: bool | None = None


class Card(Sent, frozen=True):
    """One card. Raises ValueError where clients would refuse it."""

    uuid: str
    summary: str
    detail: str
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: list[Suggestion] | None = None
    selectionBehavior: Literal["at-most-one", "any"] | None = None
    overrideReasons: list[Coding] | None = None
    extension: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Hold what no type can: the length of the summary (RESP-04), and how suggestions are chosen (cds-resp-6)."""
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
