"""The HTTP interface as a page, from the OpenAPI document that the service shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds.content import Library
from hooks.engine import Engine
from hooks.openapi.document import Document
from hooks.services import SERVICES


def http(library: Library) -> Iterator[str]:
    """The lines of the page: each operation, then each schema of what is sent and answered."""
    engines = [Engine(library, service) for service in SERVICES]
    document = Document(engines, takes_feedback=True, shows_metrics=True).content()
    yield from (
        "# HTTP API",
        "",
        "Derived from the document that the service shows at `/openapi.json`, with feedback and metrics switched on. Tools read that;",
        "what no schema says is in [the interface as OpenAPI](../openapi.md).",
        "",
    )
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from _operation(f"{method.upper()} {path}", operation, document["components"]["responses"])
    yield from ("## Schemas", "")
    for name, schema in document["components"]["schemas"].items():
        yield from (f"### {name}", "", *([schema["description"], ""] if "description" in schema else []))
        if members := schema.get("properties"):
            yield from ("| member | needed | what |", "| --- | --- | --- |")
            for member, described in members.items():
                needed = "yes" if member in schema.get("required", ()) else ""
                yield f"| `{member}` | {needed} | {_kind(described)} |"
        else:
            yield _kind(schema)
        yield ""


def _operation(title: str, operation: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {title}", "", f"{operation['summary']}.", "")
    if operation.get("description"):
        yield from (operation["description"], "")
    if "requestBody" in operation:
        (content,) = operation["requestBody"]["content"].values()
        yield from (f"Body: {_kind(content['schema'])}", "")
    yield from ("| status | means | body |", "| --- | --- | --- |")
    for status, response in operation["responses"].items():
        whole = shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        (content,) = whole["content"].values()
        yield f"| {status} | {whole['description']} | {_kind(content['schema'])} |"
    yield ""


def _kind(schema: Mapping[str, Any]) -> str:
    """What may stand there, in some words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(_kind(choice) for choice in schema[several])
    if schema.get("type") == "array" and schema.get("items"):
        return f"list of {_kind(schema['items'])}"
    said = [str(schema.get("type", "anything")), *([schema["format"]] if "format" in schema else [])]
    if "maxLength" in schema:
        said.append(f"at most {schema['maxLength']} characters")
    return ", ".join(said)
