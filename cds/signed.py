"""What all signed knowledge shares: models that refuse what they do not know, names, texts, and the two languages."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field


Language = Literal["en", "zh-CN"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The languages everything is said in, as in BCP 47; the first is the one to fall back on."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]

Plain = Annotated[Text, Field(pattern=r"^[^{}]+$")]
"""A text that is shown as it stands, among templates that are filled in."""

T = TypeVar("T")


class Signed(BaseModel):
    """Base of all knowledge: frozen, and an unknown key is an error and not a comment."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class InBoth(Signed, Generic[T]):
    """The same in both languages."""

    en: T
    zh: T = Field(alias="zh-CN")

    def __getitem__(self, language: Language) -> T:
        """In one of them."""
        return self.en if language == "en" else self.zh
