"""What can go wrong on the wire, as a status and an OperationOutcome. Nothing of the request is ever repeated in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Issue:
    """One problem: the FHIR issue type, what is wrong and how to mend it, and where in the request."""

    code: str
    text: str
    where: str | None = None


class RequestError(Exception):
    """A request that cannot be answered; becomes `status` with an OperationOutcome of its issues."""

    def __init__(self, status: int, issues: Iterable[Issue]) -> None:
        """`issues`: at least one; all problems are reported together (VAL-28)."""
        self.status = status
        self.issues = tuple(issues)
        super().__init__(f"{status}: " + "; ".join(issue.text for issue in self.issues))


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """The OperationOutcome that says it (ERR-05..08)."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": issue.code,
                "details": {"text": issue.text},
                **({"expression": [issue.where]} if issue.where else {}),
            }
            for issue in issues
        ],
    }
