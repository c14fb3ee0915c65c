"""The members of a request, each once: readers that keep the first and readers that keep the last would see two requests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec


_READ = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw] | list[Any] | str | int | float | bool | None]).decode
"""The request in one pass: what objects hold stays raw, so that each prefetch value is parsed once, by its reader."""

_NEXT = re.compile(rb'\s*,?\s*"([^"\\]*(?:\\.[^"\\]*)*)"\s*:\s*', re.DOTALL)
_SCALAR = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[-+.\w]+', re.DOTALL)
_CLOSE = re.compile(rb"\s*\}")
_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def members_of(body: bytes) -> dict[str, Any]:
    """The members of a JSON object; what nested objects hold is raw.

    Raises msgspec.DecodeError for anything else, and for an object in which a member stands twice (JSON-14): the body itself, or
    one that is a member of it, such as the context.
    """
    members = _READ(body)
    if _least(members) != len(body):
        _walk(body, body.index(b"{"), members)
    return members


def _least(members: Mapping[str, Any]) -> int:
    """The bytes that say this in ASCII at the least: an object no longer than that, as most are, has room for nothing else."""
    size = len(members) + 1 if members else 2
    for name, value in members.items():
        size += len(name) + len('"":')
        if isinstance(value, msgspec.Raw):
            size += memoryview(value).nbytes
        elif isinstance(value, dict):
            size += _least(value)
        elif isinstance(value, str):
            size += len(value) + len('""')
    return size


def _walk(body: bytes, at: int, members: Mapping[str, Any]) -> int:
    """Past the object that begins at a place, if it has just these members.

    The body is JSON, so where names and values stand as expected, the walk is in step with it. A value that does not is that of
    another member of the same name, and so is one after all members were met.
    """
    at += 1
    for _ in members:
        named = _NEXT.match(body, at)
        if named is None:
            raise _twice()
        at = named.end()
        value = members.get(named[1].decode() if b"\\" not in named[1] else json.loads(b'"%b"' % named[1]), None)
        at = _past(body, at, value)
    closed = _CLOSE.match(body, at)
    if closed is None:
        raise _twice()
    return closed.end()


def _past(body: bytes, at: int, value: Any) -> int:
    """Past a value that begins at a place."""
    if isinstance(value, msgspec.Raw):
        text = bytes(value)
        if body.startswith(text, at):
            return at + len(text)
    elif isinstance(value, dict):
        if body.startswith(b"{", at):
            return _walk(body, at, value)
    elif isinstance(value, list):
        if body.startswith(b"[", at):
            return _past_list(body, at)
    elif found := _SCALAR.match(body, at):
        return found.end()
    raise _twice()


def _past_list(body: bytes, at: int) -> int:
    """Past a list, whatever it holds; the body is JSON, so its brackets close."""
    brackets, depth = _BRACKET.finditer(body, at), 0
    while True:
        found = next(brackets)
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()


def _twice() -> msgspec.DecodeError:
    return msgspec.DecodeError("a member stands twice")
