"""The source attributes of every service and rule, for people and machines who must know what the advice is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cds
from cds.attributes import origin, uses
from cds.content import Library
from cds.signed import Language
from hooks.services import Service


_NAMED = ("label", "title", "publisher", "date", "url", "note")


def source_attributes(library: Library, services: Iterable[Service], language: Language = "en") -> dict[str, Any]:
    """What 45 CFR 170.315(b)(11)(iv)(A) lists, as a whole, by service and by rule. Null: there is none."""
    signed, running = library.attributes, tuple(services)
    rules = tuple(dict.fromkeys(rule for service in running for rule in service.rules))
    return {
        "regulation": signed.regulation,
        "kind": signed.kind,
        "developer": signed.developer[language],
        "funding": signed.funding[language],
        "software_version": cds.__version__,
        "knowledge_version": library.version,
        "site": library.site.site if library.site is not None else None,
        "release_date": signed.released and signed.released.isoformat(),
        **_of(library, rules),
        "elements": {
            name: {"title": element.title[language], "note": element.note[language]} for name, element in signed.elements.items()
        },
        "references": {
            key: {name: str(value) for name in _NAMED if (value := getattr(source, name)) is not None}
            for key, source in library.references.items()
        },
        "services": [
            {
                "id": service.id,
                "hook": service.hook,
                "title": service.title,
                "rules": service.rules,
                **_of(library, service.rules),
            }
            for service in running
        ],
        "rules": [{"id": rule, "title": library.rules[rule].title[language], **_of(library, [rule])} for rule in rules],
    }


def _of(library: Library, rules: Iterable[str]) -> dict[str, Any]:
    rules = tuple(rules)
    source = origin(library, rules)
    where = {element: uses(library, element, rules) for element in library.attributes.elements}
    return {
        "citations": source.cited,
        "revision_date": source.revised.isoformat(),
        "uses": {element: {"used": bool(readers), "where": readers} for element, readers in where.items()},
    }
