"""Is a medicine on record taken? What DSTU2, STU3, R4 and R5 say of it in different places, as one status."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from cds.plaintext import plain
from hooks.fhir.elements import code, names, objects, opened, truth
from hooks.fhir.resources import NOT_SENT, MedicationRequest, MedicationStatement


NOT_TAKEN = "not-taken"
UNKNOWN = "unknown"
ON_HOLD = "on-hold"
ENDED = ("completed", "stopped", ON_HOLD, "ended")
"""The states of what is not taken today, whether it was or not."""

_NOT_ORDERED = ("proposal", "option")
_ADHERENCE = ((NOT_TAKEN, "not-taking"), (ON_HOLD, "on-hold"), ("stopped", "stopped"), ("active", "taking"))
"""The R4 status that says the same as the beginning of an R5 adherence."""

_SAID_NOT_TO_BE = re.compile(
    r"(?<![a-z])(?:not|never|no longer|stopped|quit|isn't|n't) (?:currently |been |actually )?taking(?![a-z])|"
    r"(?<![a-z])(?:never|not) (?:started|filled)(?![a-z])|(?<![a-z])never took(?![a-z])|"
    r"(?<![a-z])no longer takes(?![a-z])|(?<![a-z])(?:doesn't|does not|has not|hasn't) (?:been )?tak(?:e|en|ing)(?![a-z])|"
    r"(?<![a-z])(?:patient|pt) (?:has )?stopped(?![a-z])|(?<![a-z])(?:self-?discontinued|discontinued by (?:the )?patient)|"
    r"未(?:在|再|曾|能)?(?:服用?(?!完|尽)|用药|使用|用(?!完))|(?:不再|拒绝?|停止|没有?在)(?:服|使用|用药|吃)|(?:已经?|自行)停(?:药|用|服)|停(?:药|用|服)[0-9一二三四五六七八九十数半]"
)

_ASKED = re.compile(r"(?<![a-z])(?:if|when|until|unless|before|do|should|call|tell)(?![a-z])|如|若|请|勿|切")
"""What the patient is told to do is no report of what the patient does."""

_LONGEST_KEPT = 256
_WORDS = ("text", "patientInstruction")
_NO_STATEMENT = ("entered-in-error", "draft")


def status_of(resource: MedicationRequest | MedicationStatement) -> str:
    """The status in the words of R4: a statement that is denied is `not-taken`, one that says neither or both is `unknown`.

    STU3 demands an answer to `taken`, and servers fill it with "unk": of what is over, that says nothing that matters today.
    """
    status = code(resource.status)
    if isinstance(resource, MedicationRequest):
        return NOT_TAKEN if truth(resource.doNotPerform) or code(resource.intent) in _NOT_ORDERED else status
    if status in _NO_STATEMENT:
        return status
    if resource.adherence is not NOT_SENT:
        said = next((code(item.get("code")) for item in objects(opened(resource.adherence))), "")
        status = next((state for state, beginning in _ADHERENCE if said.startswith(beginning)), UNKNOWN)
    denials, affirmed = list(_denials(resource)), truth(resource.wasNotTaken) is False or code(resource.taken) == "y"
    if True in denials:
        return UNKNOWN if affirmed else NOT_TAKEN
    return UNKNOWN if denials and status not in ENDED else status


def _denials(statement: MedicationStatement) -> Iterable[bool]:
    """Each place that denies it (True), or leaves it open."""
    if truth(statement.wasNotTaken):
        yield True
    if statement.taken is not None and code(statement.taken) != "y":
        yield code(statement.taken) == "n"
    if statement.reasonNotTaken is not NOT_SENT and opened(statement.reasonNotTaken):
        yield True


def said_not_to_be(resource: MedicationRequest | MedicationStatement, lines: object) -> bool:
    """Do the dosage or the reason for the status of an active record say that it is not taken?"""
    if any(denies_taking(words) for line in objects(lines) for name in _WORDS if isinstance(words := line.get(name), str)):
        return True
    if resource.statusReason is NOT_SENT:
        return False
    return any(denies_taking(name) for reason in objects(opened(resource.statusReason)) for name in names(reason))


def denies_taking(words: str) -> bool:
    """Is this said of something that is not taken? "PATIENT NOT TAKING: reported on 3 May", "自行停药".

    What was made of a sentence is kept: "Take 1 tablet daily" is written a thousand times.
    """
    return _denies(words) if len(words) <= _LONGEST_KEPT else _denies.__wrapped__(words)


@lru_cache(maxsize=4096)
def _denies(words: str) -> bool:
    said = plain(words.replace("’", "'"))
    found = _SAID_NOT_TO_BE.search(said)
    return found is not None and _ASKED.search(said) is None
