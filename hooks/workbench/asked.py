"""What the page asks for: one request, decided on for a client, a language and a day, and what would be if."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cds.signed import Language
from hooks.errors import Issue, RequestError


MOST = 64 * 1024 * 1024
"""The largest text in bytes that the page reads: a patient's data may be larger than the request that is made of them.

As JSON in JSON it becomes longer."""


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(_Asked):
    """One evaluation. `body`: the hook request as it was typed. `today` and `language`: None leaves them to the client.

    page: the language in which everything but the cards is told; None: that of the cards. client: a name or file of those the
    page was offered; empty for the deployment as it runs. numbers and hidden: what would be if parameters had these values, and
    if these resources were not on record.
    """

    body: str
    service: str
    client: str = ""
    language: Language | None = None
    page: Language | None = None
    today: date | None = None
    numbers: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = {}
    hidden: tuple[str, ...] = ()

    @field_validator("today")
    @classmethod
    def _is_plausible(cls, day: date | None) -> date | None:
        if day is not None and not 1900 <= day.year <= 2200:
            raise ValueError("choose a day in the years 1900 to 2200")
        return day

    @property
    def what_if(self) -> bool:
        """Is anything changed that the deployment or the request has otherwise?"""
        return bool(self.numbers or self.hidden)


class Patient(_Asked):
    """A patient's data, as they were typed, to be made into a request of a service's hook, as a client would send it."""

    data: str
    service: str
    client: str = ""


def asked(model: type[Asked] | type[Patient], content: object) -> Any:
    """What the page sent, as a model. Raises RequestError 400 naming every member that is wrong."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults: list[Mapping[str, Any]] = [*error.errors(include_input=False, include_url=False)]
        raise RequestError(400, [_issue(".".join(map(str, fault["loc"])) or "$", fault["msg"]) for fault in faults]) from None


def _issue(where: str, said: str) -> Issue:
    return Issue("value", f"{where}: {said.removeprefix('Value error, ')}.", where)
