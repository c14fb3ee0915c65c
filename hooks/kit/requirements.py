"""What is asked of a CDS service, by id, from the very table our own conformance is kept in; and what a check has found."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from cds.library import yaml_content


_TABLE = Path(__file__).parent / "conformance.yaml"
"""docs/conformance.yaml, to which the repository links from here; an installed package holds a copy."""

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_SEVERITY: dict[str, Severity] = {"SHALL": "error", "SHOULD": "warning"}


class Finding(NamedTuple):
    """Something that does not fulfil a requirement: its id, where, and what to mend."""

    id: str
    where: str
    text: str
    unchecked: bool = False

    @property
    def severity(self) -> Severity:
        """By the word of the standard; what it leaves open, what only we ask for, and what could not be checked is a note."""
        return "note" if self.unchecked else _SEVERITY.get(requirements()[self.id]["level"], "note")

    @property
    def asks(self) -> str:
        """The requirement in words."""
        return str(requirements()[self.id]["asks"])

    def as_json(self) -> dict[str, Any]:
        """For tools."""
        return {"id": self.id, "severity": self.severity, "where": self.where, "text": self.text, "asks": self.asks}


@cache
def requirements() -> dict[str, dict[str, Any]]:
    """All requirements by id."""
    content: dict[str, dict[str, Any]] = yaml_content(_TABLE)
    return content
