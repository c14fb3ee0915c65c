"""CDS Hooks messages as pydantic models. A request keeps every member it came with; a response has none it was not given.

Nothing required is ever filled in, and nothing optional is ever sent blank: what has no value is left out (JSON-02..04).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from cds.knowledge import SUMMARY_LIMIT


Filled = Annotated[str, StringConstraints(min_length=1, pattern=r"\S", strict=True)]


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
    fhirAuthorization: dict[str, Any] | None = None
    prefetch: dict[str, Any] = {}

    @field_validator("prefetch", mode="before")
    @classmethod
    def _no_prefetch_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value

    @field_validator("fhirServer")
    @classmethod
    def _absolute_web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.lower().startswith(("https://", "http://")):
            raise ValueError("must be an absolute http(s) URL")
        return value

    @model_validator(mode="after")
    def _token_only_with_server(self) -> HookRequest:
        if self.fhirAuthorization is not None and self.fhirServer is None:
            raise ValueError("fhirAuthorization without fhirServer")
        return self


class Sent(BaseModel):
    """Base of what we send: only members the specification knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Coding(Sent):
    """A code in its system, with the words for people."""

    system: Filled
    code: Filled
    display: Filled


class Source(Sent):
    """Where a card's guidance comes from, and its topic, under which clients remember overrides."""

    label: Filled
    url: Filled | None = None
    topic: Coding


class Action(Sent):
    """Something the client may create when a suggestion is accepted."""

    type: Literal["create"]
    description: Filled
    resource: dict[str, Any]


class Suggestion(Sent):
    """One thing a clinician can accept with a click; all its actions are applied together."""

    label: Filled
    uuid: Filled
    isRecommended: bool | None = None
    actions: list[Action] = Field(min_length=1)


class Card(Sent):
    """One card."""

    uuid: Filled
    summary: Annotated[Filled, Field(max_length=SUMMARY_LIMIT - 1)]
    detail: Filled
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: list[Suggestion] | None = None
    selectionBehavior: Literal["at-most-one", "any"] | None = None
    overrideReasons: list[Coding] | None = None

    @model_validator(mode="after")
    def _suggestions_say_how_they_are_chosen(self) -> Card:
        if (self.suggestions is None) != (self.selectionBehavior is None):
            raise ValueError("suggestions and selectionBehavior come together or not at all (cds-resp-6)")
        return self


class Response(Sent):
    """The answer to a service call."""

    cards: list[Card]


class ServiceEntry(Sent):
    """One service in the discovery document."""

    hook: Filled
    title: Filled
    description: Filled
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]*$")]
    prefetch: dict[str, Filled]
    usageRequirements: Filled


class Discovery(Sent):
    """The discovery document."""

    services: list[ServiceEntry]
