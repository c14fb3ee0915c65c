"""Reads a configuration: the file, what the environment and options say beyond it, and everything that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from cds.library import KnowledgeError, yaml_content
from hooks.deployment.faults import Fault, of_model, of_sentence
from hooks.deployment.model import Deployment, Section
from hooks.feedback.options import SALT, STORE
from hooks.secrets import SecretError, secret


ENVIRONMENT = "environment"
_STARTED = "options"


class Settled:
    """A configuration as it will be served, its secrets, and what was found wrong so far."""

    def __init__(self, file: Path | None, options: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        """`file`: None for options alone. `options`: what they say, by the keys of the file; they win over it.

        `environ`: holds the secrets, and wins over the file with the store, whose URL may hold one.
        """
        self.name = file.name if file is not None else _STARTED
        self.faults: list[Fault] = []
        content = self._content(file) if file is not None else {}
        secrets = {name: self._secret(name, environ) for name in (SALT, STORE)}
        if secrets[STORE] is not None:
            content = on_top(content, {"feedback": {"store": secrets[STORE]}})
        self.salt = secrets[SALT] or ""
        self.store_is_secret = secrets[STORE] is not None
        self.deployment = self._model(on_top(content, options))

    def _content(self, file: Path) -> dict[str, Any]:
        """What the file says, its paths made independent of where the service is started."""
        try:
            content = yaml_content(file)
        except KnowledgeError as error:
            self.faults.append(of_sentence(self.name, "", str(error)))
            return {}
        if content is None:
            return {}
        if not isinstance(content, dict):
            self.faults.append(Fault(self.name, "", f"is no mapping of keys to values; begin with {', '.join(_sections())}"))
            return {}
        return _beside(file.parent.absolute(), {name: value for name, value in content.items() if value is not None})

    def _secret(self, name: str, environ: Mapping[str, str]) -> str | None:
        try:
            return secret(name, environ)
        except SecretError as error:
            self.faults.append(Fault(ENVIRONMENT, name, str(error)))
            return None

    def _model(self, content: dict[str, Any]) -> Deployment:
        """The model; what is faulty of it is left out, so that the rest can be looked at as well."""
        try:
            return _validated(content)
        except ValidationError as error:
            faults = error.errors()
        self.faults += [of_model(self.name, fault) for fault in faults]
        faulty = {fault["loc"][0] for fault in faults}
        return _validated({name: value for name, value in content.items() if str(name) not in faulty})


def on_top(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """What stands above wins, section by section and key by key."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = {**under, **value} if isinstance(value, dict) and isinstance(under, dict) else value
    return merged


def _validated(content: dict[str, Any]) -> Deployment:
    """As if it had come as JSON: a list may be a tuple and a text a path, but no text is a number. Raises ValidationError."""
    return Deployment.model_validate_json(json.dumps({str(name): value for name, value in content.items()}, default=str))


def _sections() -> list[str]:
    return list(Deployment.model_fields)


def _beside(folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    """The content, with paths from the folder."""

    def placed(value: Any) -> Any:
        return str(folder / value) if isinstance(value, str) else value

    found = dict(content)
    for section, name in _paths():
        inside = found.get(section)
        if name is None and section in found:
            found[section] = placed(inside)
        elif isinstance(inside, dict) and name in inside:
            found[section] = {**inside, name: placed(inside[name])}
    if isinstance(found.get("clients"), list):
        found["clients"] = [placed(one) if Path(str(one)).suffix else one for one in found["clients"]]
    feedback = found.get("feedback")
    if isinstance(feedback, dict) and "://" not in str(feedback.get("store", "://")):
        found["feedback"] = {**feedback, "store": placed(feedback["store"])}
    return found


def _paths() -> Iterator[tuple[str, str | None]]:
    """The keys that are paths, by section."""
    for section, field in Deployment.model_fields.items():
        shape = field.annotation
        if isinstance(shape, type) and issubclass(shape, Section):
            yield from ((section, name) for name, inner in shape.model_fields.items() if Path in get_args(inner.annotation))
        elif Path in get_args(shape):
            yield section, None
