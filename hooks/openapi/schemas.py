"""The schemas of all messages, taken from the models that read and write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from hooks.contexts import CONTEXTS
from hooks.engine import Engine
from hooks.feedback.wire import Report
from hooks.fhir.keys import templates
from hooks.wire import Discovery, HookRequest, Response


PLACE = "#/components/schemas/"
JSON = "application/json"
VERSION = "3.1.1"
"""Of OpenAPI."""

_ENVELOPE = HookRequest.__name__
_REQUIREMENT = re.compile(r" \([A-Z]+-\d+[^)]*\)")


class _Untitled(GenerateJsonSchema):
    """Without the names of members said again as their titles."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - as pydantic calls it
        return False


def reference(name: str) -> dict[str, str]:
    """A schema by its name."""
    return {"$ref": PLACE + name}


def request_name(hook: str) -> str:
    """The name of the schema of a hook's requests."""
    return f"{CONTEXTS[hook].__name__}Request"


def schemas(engines: Iterable[Engine], feedback: bool) -> dict[str, Any]:
    """All schemas by name. `feedback`: is it taken?"""
    running = tuple(engines)
    received: list[type[BaseModel]] = [HookRequest, *(CONTEXTS[engine.service.hook] for engine in running)]
    models = _received([*received, Report] if feedback else received)
    envelope = models.pop(_ENVELOPE)
    requests = {request_name(engine.service.hook): _request(envelope, engine) for engine in running}
    _, sent = msgspec.json.schema_components([Response, Discovery], ref_template=PLACE + "{name}")
    own = {schema["title"]: schema for schema in (_OUTCOME, _ATTRIBUTES, _HEALTH, _READINESS, _OPENAPI)}
    taken = {"Received": _RECEIVED} if feedback else {}
    return dict(sorted({**models, **requests, **_plain(sent), **own, **taken}.items()))


def _received(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    wanted = dict.fromkeys((model, "validation") for model in models)
    _, found = models_json_schema(list(wanted), ref_template=PLACE + "{model}", schema_generator=_Untitled)  # type: ignore[arg-type]
    definitions: dict[str, Any] = _plain(found["$defs"], sent=False)
    return definitions


def _request(envelope: Mapping[str, Any], engine: Engine) -> dict[str, Any]:
    """The envelope with the context and the prefetch of one service."""
    service = engine.service
    keys = templates(engine.library, service.rules)
    prefetch = {key: {"description": f"The answer to `{template}`."} for key, template in keys.items()}
    return {
        **envelope,
        "title": request_name(service.hook),
        "description": f"A call of {service.hook}.",
        "properties": {
            **envelope["properties"],
            "hook": {"const": service.hook},
            "context": reference(CONTEXTS[service.hook].__name__),
            "prefetch": {**envelope["properties"]["prefetch"], "properties": prefetch},
        },
    }


def _plain(schema: Any, sent: bool = True) -> Any:
    """Without defaults of null, and without what is meant for programmers; `sent`: what we send is never null, but absent."""
    if isinstance(schema, list):
        return [_plain(item, sent) for item in schema]
    if not isinstance(schema, dict):
        return schema
    others = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if sent and len(others) == 1:
        return _plain(others[0])
    plain = {name: _plain(item, sent) for name, item in schema.items() if (name, item) != ("default", None)}
    if isinstance(said := schema.get("description"), str):
        plain["description"] = _REQUIREMENT.sub("", said)
    return plain


_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_OBJECT = {"type": "object"}
_SENTENCES = {"type": "array", "items": _TEXT, "minItems": 1}
_USES = {"type": "array", "items": {"type": "object", "required": ["id", "uses"]}}
_OUTCOME: dict[str, Any] = {
    "title": "OperationOutcome",
    "description": "What went wrong, as a FHIR R4 resource. Nothing of the request is repeated in it.",
    "type": "object",
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "severity": {"const": "error"},
                    "code": {"description": "An issue type of FHIR.", **_TEXT},
                    "details": {
                        "type": "object",
                        "properties": {"text": {"description": "What is wrong, and how to mend it.", **_TEXT}},
                        "required": ["text"],
                        "additionalProperties": False,
                    },
                    "diagnostics": {
                        "description": "The id of the request; the log has it, too.",
                        **_TEXT,
                    },
                    "expression": {"description": "Where in the request.", "type": "array", "items": _TEXT, "minItems": 1},
                },
                "required": ["severity", "code", "details"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["resourceType", "issue"],
    "additionalProperties": False,
}
_ATTRIBUTES: dict[str, Any] = {
    "title": "SourceAttributes",
    "description": "What 45 CFR 170.315(b)(11)(iv)(A) lists: as a whole, by service and by rule. Null: there is none.",
    "type": "object",
    "properties": {
        **dict.fromkeys(("regulation", "kind", "developer", "funding", "software_version", "knowledge_version"), _TEXT),
        **dict.fromkeys(("site", "release_date"), _TEXT_OR_NULL),
        **dict.fromkeys(("elements", "references", "uses"), _OBJECT),
        **dict.fromkeys(("services", "rules"), _USES),
        "citations": {"type": "array"},
        "revision_date": {"type": "string", "format": "date"},
    },
}
_ATTRIBUTES["required"] = list(_ATTRIBUTES["properties"])
_HEALTH: dict[str, Any] = {
    "title": "Health",
    "description": "The process answers.",
    "type": "object",
    "properties": {"status": {"const": "ok"}},
    "required": ["status"],
    "additionalProperties": False,
}
_READINESS: dict[str, Any] = {
    "title": "Readiness",
    "description": "Whether calls should be sent here, and what is amiss.",
    "type": "object",
    "properties": {"status": {"enum": ["ready", "not ready"]}, **dict.fromkeys(("reasons", "warnings"), _SENTENCES)},
    "required": ["status"],
    "additionalProperties": False,
}
_OPENAPI: dict[str, Any] = {
    "title": "OpenAPI",
    "description": "An OpenAPI document.",
    "type": "object",
    "properties": {"openapi": {"const": VERSION}, **dict.fromkeys(("info", "paths", "components"), _OBJECT)},
    "required": ["openapi", "info", "paths", "components"],
}
_RECEIVED: dict[str, Any] = {
    "title": "Received",
    "description": "How many items of a batch are stored now.",
    "type": "object",
    "properties": {"received": {"type": "integer", "minimum": 0}},
    "required": ["received"],
    "additionalProperties": False,
}
