"""What the commands of the kit are given: files and folders of JSON, and the sentence said of what cannot be used."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import IO, Any

from hooks.ehr.data import resources_in
from hooks.engine import BYTE_ORDER_MARK
from hooks.mistakes import Mistake


def named(file: IO[Any]) -> str:
    """What a file is called in a sentence."""
    name = str(getattr(file, "name", "<stdin>"))
    return "standard input" if name == "<stdin>" else name


def json_of(content: bytes, name: str) -> Any:
    """What a file holds. Raises Mistake, also for what our service refuses though some parsers read it (JSON-10, JSON-14)."""
    try:
        value = json.loads(content.removeprefix(BYTE_ORDER_MARK).decode(), object_pairs_hook=_once, parse_constant=_no_number)
        if _may_be_half(content):
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except _TwiceError as error:
        raise Mistake(
            f"{name} holds {error.args[0]!r} twice in one object; keep one, as two readers could see two files."
        ) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Mistake(f"{name} is no JSON from {where} on ({error.msg}); give a file that a JSON parser reads.") from None
    except (ValueError, RecursionError):
        raise Mistake(f"{name} is no JSON in UTF-8 that can be read; save it as UTF-8, not nested without end.") from None


class _TwiceError(Exception):
    """A member that stands twice."""


_may_be_half = re.compile(rb"\\u[dD][89a-fA-F]").search
"""Is there an escape of half a character, which no UTF-8 can hold alone?"""


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


def _no_number(text: str) -> None:
    raise ValueError(text)


def object_of(content: bytes, name: str, what: str) -> dict[str, Any]:
    """The JSON object a file holds. Raises Mistake."""
    value = json_of(content, name)
    if not isinstance(value, dict):
        raise Mistake(f"{name} holds {_kind(value)} and no JSON object; give {what}.")
    return value


def request_of(content: bytes, name: str) -> dict[str, Any]:
    """A hook request. Raises Mistake for what could not be one."""
    request = object_of(content, name, "a hook request, with hook, hookInstance and context")
    for member, kind in (("hook", str), ("context", dict)):
        if not isinstance(request.get(member), kind):
            raise Mistake(
                f"{name} has no {member!r}, so it is no hook request; `cobalamin make-request` builds one from a patient's data."
            )
    return request


def resources_of(content: bytes, name: str) -> list[dict[str, Any]]:
    """The resources of a Bundle, an array, a hook request, one resource, or lines of them (NDJSON). Raises Mistake."""
    try:
        values = [json_of(content, name)]
    except Mistake:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[0].strip().endswith(b"}"):
            raise
        values = [json_of(line, f"{name}, line {number},") for number, line in enumerate(lines, 1)]
    found = [resource for value in values for resource in resources_in(value)]
    if not found:
        raise Mistake(f"{name} holds no FHIR resource; give a Bundle, an array of resources, or NDJSON with one a line.")
    return found


def _kind(value: Any) -> str:
    return {list: "an array", str: "a text", type(None): "null"}.get(type(value), "a bare value")


def write(file: Path, text: str) -> None:
    """Write a file. Raises Mistake where that cannot be done."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{file} cannot be written ({error.strerror}); name a file in a folder that exists and is yours.") from None


def requests_in(folder: Path) -> list[tuple[str, bytes]]:
    """The request files of a folder, or a single one, by name. Raises Mistake where there are none, or one is no request."""
    files = sorted(folder.glob("*.json")) if folder.is_dir() else [folder]
    if not files:
        raise Mistake(f"{folder} holds no *.json; give a folder of hook requests, as `cobalamin record` writes them.")
    found = []
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Mistake(f"{path} cannot be read ({error.strerror}); name an existing file or folder.") from None
        request_of(content, path.name)
        found.append((path.name, content))
    return found
