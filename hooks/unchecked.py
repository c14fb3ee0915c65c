"""The card for a client that shows nothing of a refusal: the check could not be made, and this is no all-clear."""

from __future__ import annotations

from cds.content import Library
from cds.signed import Language
from hooks.cards import TOPIC_SYSTEM
from hooks.contexts import Context
from hooks.errors import RequestError
from hooks.fhir.keys import KEYS, PATIENT_KEY
from hooks.suggestions import stable_uuid
from hooks.wire import NOT_CHECKED, Card, Coding, Source


_QUERIES = {f"prefetch.{key.name}": key.query for key in KEYS}


def unchecked(library: Library, language: Language, context: Context, instance: str, refusal: RequestError) -> Card:
    """What was missing, in the clinician's words; the refusal itself is for those who run the interface."""
    words = library.words[language]
    said = words.unchecked
    named = {f"prefetch.{PATIENT_KEY}": words.given["patient"]} | {name: words.queries[query] for name, query in _QUERIES.items()}
    missing = dict.fromkeys(named[issue.where] for issue in refusal.issues if issue.where in named)
    listed = "\n".join(f"- {name}" for name in missing)
    heading = f"**{words.headings['missing']}**"
    return Card(
        uuid=stable_uuid(f"{instance}|{context.patientId}|{NOT_CHECKED}"),
        summary=said["summary"],
        detail="\n\n".join([said["meaning"], *([heading, listed] if listed else [])]),
        indicator="info",
        source=Source(
            label=library.references["design-2026"][language].label,
            topic=Coding(system=TOPIC_SYSTEM, code=NOT_CHECKED, display=said["title"]),
        ),
    )
