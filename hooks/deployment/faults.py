"""What is wrong with a configuration, each fault with its file, its key and its mend, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from msgspec import Struct
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from hooks.clientfiles import ProfileError
from hooks.deployment.model import Deployment, Section


class Fault(Struct, frozen=True):
    """One fault: the file it is in, or `environment`; the key or variable; what is wrong there, and what to write instead."""

    file: str
    key: str
    text: str

    def __str__(self) -> str:
        """As one line."""
        return ": ".join(part for part in (self.file, self.key, self.text) if part)


class DeploymentError(Exception):
    """A configuration that cannot be served."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """`faults`: at least one."""
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("\n".join(map(str, self.faults)))


def of_model(file: str, error: ErrorDetails) -> Fault:
    """A fault that the model found."""
    place = tuple(part for part in error["loc"] if part != "[key]")
    fields, field = _field(place)
    where = ".".join(map(str, place))
    if error["type"] == "extra_forbidden":
        close = get_close_matches(str(place[-1]), fields, n=1)
        return Fault(file, where, f"there is no such key; {f'did you mean {close[0]}?' if close else _choice(fields)}")
    said = error["msg"].removeprefix("Value error, ")
    if "; " in said:
        return Fault(file, where, said)
    if field is None:
        return Fault(file, where, f"{said}; {_choice(fields)}")
    written: Any = field.json_schema_extra
    return Fault(file, where, f"{said}; write {written['kind']}, as in {written['example']}")


def of_profile(error: ProfileError) -> Iterator[Fault]:
    """The faults of a client's profile."""
    for fault in error.faults:
        key, found, text = fault.partition(": ")
        yield Fault(error.file, key if found else "", text or key)


def of_sentence(file: str, key: str, sentence: str) -> Fault:
    """A fault that was found as a sentence, which may begin with the file that it is in."""
    named, found, text = sentence.partition(": ")
    return Fault(named, "", text) if found and named.endswith((".yaml", ".yml")) else Fault(file, key, sentence)


def _choice(fields: Sequence[str]) -> str:
    return f"choose from {', '.join(fields)}"


def _field(place: Sequence[int | str]) -> tuple[list[str], FieldInfo | None]:
    """The keys that are known where a fault is, and the key that it is in; None where a whole section is meant."""
    model: type[Section] = Deployment
    for part in place:
        field = model.model_fields.get(str(part))
        shape = field.annotation if field is not None else None
        if not (isinstance(shape, type) and issubclass(shape, Section)):
            return list(model.model_fields), field
        model = shape
    return list(model.model_fields), None
