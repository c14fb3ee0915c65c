"""What can go wrong on the wire, as a status and an OperationOutcome. Nothing of the request is ever repeated in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import msgspec
from pydantic import ValidationError

from hooks.requestid import request_id


P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Issue:
    """One problem: the FHIR issue type, what is wrong and how to mend it, and where in the request."""

    code: str
    text: str
    where: str | None = None


class RequestError(Exception):
    """A request that cannot be answered; becomes `status` with an OperationOutcome of its issues."""

    def __init__(self, status: int, issues: Iterable[Issue], retry_after_s: int | None = None) -> None:
        """`issues`: at least one; all problems are reported together (VAL-28). `retry_after_s`: when to try again (ERR-13)."""
        self.status = status
        self.retry_after_s = retry_after_s
        self.issues = tuple(issues)
        super().__init__(f"{status}: " + "; ".join(issue.text for issue in self.issues))


def only_json(read: Callable[P, T]) -> Callable[P, T]:
    """Turns what comes of broken or bottomless JSON, wherever it is met, into a refusal."""

    @wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except RecursionError:
            raise RequestError(400, [Issue("structure", "The JSON is nested too deeply; send plain FHIR resources.")]) from None
        except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError):
            raise RequestError(
                400,
                [
                    Issue(
                        "structure",
                        "The body is no JSON object (RFC 8259), a member stands in it twice, or a number is too large.",
                    )
                ],
            ) from None

    return reading


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """The OperationOutcome that says it (ERR-05..08), of which request, so that the operator finds it in the log (ERR-14)."""
    request = request_id.get()
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": issue.code,
                "details": {"text": issue.text},
                **({"diagnostics": f"Request {request}"} if request else {}),
                **({"expression": [issue.where]} if issue.where else {}),
            }
            for issue in issues
        ],
    }


def places(error: BaseException) -> str:
    """The way through the code to an error, as file names and lines: all of it that quotes nothing."""
    passed, trace = [], error.__traceback__
    while trace is not None:
        passed.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(passed)


def issues_of(error: ValidationError, prefix: tuple[str, ...]) -> list[Issue]:
    """One issue per fault, with its place; pydantic's own words are kept only where they quote nothing of the input."""
    found = []
    for fault in error.errors(include_input=False, include_url=False):
        where = ".".join(map(str, (*prefix, *fault["loc"]))) or "$"
        if fault["type"] == "missing":
            found.append(Issue("required", f"{where} is required by the CDS Hooks specification; add it.", where))
        elif fault["type"] == "value_error":
            found.append(Issue("value", f"{where}: {fault['msg'].removeprefix('Value error, ')}.", where))
        else:
            found.append(Issue("value", f"{where} has the wrong JSON type or is blank; see the CDS Hooks specification.", where))
    return found
