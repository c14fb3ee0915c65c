"""Reads every patient Bundle of a folder and counts what became of it: `python -m tests.realdata DIRECTORY`.

What is counted per resource type: read (it gave a record), dropped or doubted (by the key of its note), and the rest, which no
rule asks for. Nothing may raise. Each patient is decided on as on the day of their newest result.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cds.days import parse_day
from cds.library import load
from hooks.engine import Engine
from hooks.fhir.keys import KEYS
from hooks.services import service_of


@dataclass(frozen=True)
class Counted:
    """What became of one patient's Bundle: per type how many came, were read and noted; the notes by key; the decision."""

    name: str
    came: Counter[str]
    read: Counter[str]
    notes: Counter[tuple[str, str]]
    noted: Counter[str]
    says: str


def request(resources: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], date]:
    """The patient-view request with all of a patient's resources, and the day of the newest Observation."""
    by_type = defaultdict[str, list[dict[str, Any]]](list)
    for resource in resources:
        by_type[resource["resourceType"]].append(resource)
    (patient,) = by_type["Patient"]
    days = (parse_day(resource.get("effectiveDateTime")) for resource in by_type["Observation"])
    prefetch: dict[str, Any] = {key.name: _bundle(by_type[key.brings.__name__]) for key in KEYS}
    prefetch["medications"] = _bundle([*by_type["MedicationRequest"], *by_type["Medication"]])
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": patient["id"]},
        "prefetch": {"patient": patient, **prefetch},
    }
    return body, max((day.last for day in days if day is not None), default=date(2026, 11, 21))


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource} for resource in resources]}


def counted(path: Path, engine: Engine) -> Counted:
    """One Bundle, read and decided on."""
    resources = [entry["resource"] for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]]
    body, today = request(resources)
    decision = engine.evaluate(json.dumps(body).encode(), today).decision
    chart = decision.chart
    read = {record.reference for records in chart.records.values() for record in records}
    noted = {note.reference for note in chart.notes if "/" in note.reference} - read
    keys = Counter((note.reference.partition("/")[0], note.key) for note in chart.notes)
    says = f"{decision['scope']}, {decision['b12_status']}, absorption {decision['absorption']}: "
    says += ", ".join(f"{statement.rule}/{statement.advice.key}" for statement in decision.statements) or "no card"
    return Counted(
        path.stem,
        Counter(resource["resourceType"] for resource in resources),
        _types(read),
        keys,
        _types(noted),
        f"{today} {says}" + "".join(f"; {name} broke" for name in decision.failures),
    )


def _types(references: Iterable[str]) -> Counter[str]:
    return Counter(reference.partition("/")[0] for reference in references)


def table(found: list[Counted]) -> str:
    """The counts of all patients together, then the decisions."""
    came, read, noted, notes = Counter[str](), Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    for patient in found:
        came.update(patient.came)
        read.update(patient.read)
        noted.update(patient.noted)
        notes.update(patient.notes)
    asked = {key.brings.__name__ for key in KEYS}
    lines = ["| type | resources | read | dropped | not ours | notes |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for kind in sorted(asked & came.keys()):
        why = ", ".join(f"{key} {count}" for (of, key), count in notes.most_common() if of == kind)
        rest = came[kind] - read[kind] - noted[kind]
        lines.append(f"| {kind} | {came[kind]} | {read[kind]} | {noted[kind]} | {rest} | {why} |")
    others = ", ".join(f"{kind} {count}" for kind, count in came.most_common() if kind not in asked)
    said = "\n".join(f"- {patient.name}: {patient.says}" for patient in found)
    return "\n".join(lines) + f"\n\nNot asked for: {others}\n\n{said}"


def main(folder: Path) -> str:
    """The table for every Bundle of a folder."""
    engine = Engine(load(), service_of("patient-view"))
    return table([counted(path, engine) for path in sorted(folder.glob("*.json"))])


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1])) + "\n")
