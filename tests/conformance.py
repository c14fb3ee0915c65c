"""Which requirement which test shows: `python -m tests.conformance` writes docs/conformance.md.

The requirements are the entries of docs/conformance.yaml. A test carries their ids in its name: `test_JSON_12_CALL_17_ERR_09_10_...`
shows JSON-12, CALL-17, ERR-09 and ERR-10, `test_SEC_25_to_29_and_35_...` SEC-25 to SEC-29 and SEC-35. The ids stand at the start;
the first word that is neither an area in capitals nor a number of two digits ends them. Functions called `check_...` count like
tests: tests/hooks/checker.py runs them on every answer to a vignette or a fixture.

A row with a test is tested, and what it still lacks stands in `without`. A row without one says why: `argued`, or `open`.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Literal, get_args

import yaml
from msgspec import Struct, convert


ROOT = Path(__file__).parent.parent
ROWS = ROOT / "docs" / "conformance.yaml"
PAGE = ROOT / "docs" / "conformance.md"

Level = Literal["SHALL", "SHOULD", "MAY", "ours"]
Status = Literal["tested", "argued", "open"]

AREAS = {
    "JSON": "JSON",
    "DISC": "Discovery",
    "CALL": "Calling a service",
    "VAL": "What is a request",
    "PREF": "Prefetch",
    "FHIR": "Fetching from the client's FHIR server",
    "ERR": "Refusals",
    "RESP": "Cards",
    "SUG": "Suggestions",
    "ACT": "Actions",
    "SYS": "System actions",
    "LINK": "Links",
    "FB": "Feedback",
    "SEC": "Who may call",
    "CORS": "Browsers",
    "EXT": "Extensions",
    "STALE": "Advice that has grown old",
    "VER": "Versions",
    "OPS": "Operation",
    "HOOK": "Single hooks",
}
_CARRIER = re.compile(r"(?:test|check)_([A-Z]+_\d\d(?:_|$).*)")


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement: who asks it, in which versions, what is asked, and why no test shows it, or not all of it."""

    level: Level
    versions: list[Literal[1, 2, 3]]
    asks: str
    argued: str | None = None
    open: str | None = None
    without: str | None = None


def rows() -> dict[str, Row]:
    """All requirements by id. Raises msgspec.ValidationError."""
    return convert(yaml.safe_load(ROWS.read_text(encoding="utf-8")), dict[str, Row])


def ids(name: str) -> Iterator[str]:
    """The ids that the name of a test carries."""
    carried = _CARRIER.fullmatch(name)
    area, last, ranging = "", 0, False
    for word in carried[1].split("_") if carried else ():
        if word in AREAS:
            area = word
        elif re.fullmatch(r"\d\d", word):
            first, last = (last + 1 if ranging else int(word)), int(word)
            yield from (f"{area}-{number:02}" for number in range(first, last + 1))
        elif word not in ("to", "and"):
            return
        ranging = word == "to"


def shown() -> dict[str, list[tuple[Path, str]]]:
    """The tests of each id, by module and name."""
    found = defaultdict[str, list[tuple[Path, str]]](list)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for identity in ids(node.name):
                    found[identity].append((path, node.name))
    return dict(found)


def status(row: Row, tests: list[tuple[Path, str]]) -> Status:
    """How a row stands. Raises ValueError where its marks and its tests contradict each other, or where there is neither."""
    if sum(map(bool, (tests, row.argued, row.open))) != 1:
        raise ValueError("a row has tests, or is argued, or is open: one of them")
    if row.without and not tests:
        raise ValueError("only what is tested can be without something")
    return "tested" if tests else "argued" if row.argued else "open"


def faults() -> Iterator[str]:
    """What is wrong with the rows and the names of the tests, in sentences."""
    known, found = rows(), shown()
    for identity in sorted(found.keys() - known.keys()):
        yield f"{identity} is no row, and yet named by {', '.join(name for _, name in found[identity])}"
    for identity, row in known.items():
        if identity.partition("-")[0] not in AREAS:
            yield f"{identity}: no area of that name"
        try:
            status(row, found.get(identity, []))
        except ValueError as error:
            yield f"{identity}: {error}"


def page() -> str:
    """The document: a summary by level, then every row by area."""
    known, found = rows(), shown()
    standing = {identity: status(row, found.get(identity, [])) for identity, row in known.items()}
    lines = [
        "# Conformance",
        "",
        "What CDS Hooks (1: 1.0, 2: 2.0.1, 3: the ballot of 3.0) and this project ask of the service, and which test shows it. The",
        "level is the word of the standard for the service or for the client whose call we judge; *ours* is what we ask beyond it.",
        "Written by `python -m tests.conformance` from [conformance.yaml](conformance.yaml) and the names of the tests.",
        "",
        *_summary(known, standing),
    ]
    for area, members in groupby(known, lambda identity: identity.partition("-")[0]):
        lines += ["", f"## {AREAS[area]}", "", "| id | level | version | asked | status |", "| --- | --- | --- | --- | --- |"]
        for identity in members:
            row = known[identity]
            versions = " ".join(map(str, row.versions))
            lines.append(f"| {identity} | {row.level} | {versions} | {row.asks} | {_standing(row, found.get(identity, []))} |")
    return "\n".join(lines) + "\n"


def _summary(known: Mapping[str, Row], standing: Mapping[str, Status]) -> Iterator[str]:
    """Rows by level and status."""
    yield "| level | rows | tested | of these in part | argued | open |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for level in (*get_args(Level), "all"):
        of_level = {identity: row for identity, row in known.items() if level in (row.level, "all")}
        by_status = [standing[identity] for identity in of_level]
        partly = sum(row.without is not None for row in of_level.values())
        counts = (len(of_level), by_status.count("tested"), partly, by_status.count("argued"), by_status.count("open"))
        yield f"| {level} | {' | '.join(map(str, counts))} |"


def _standing(row: Row, tests: list[tuple[Path, str]]) -> str:
    """Status and reason, or the tests."""
    if not tests:
        return f"argued: {row.argued}" if row.argued else f"open: {row.open}"
    by_module = groupby(tests, lambda test: test[0].relative_to(ROOT / "tests").with_suffix("").as_posix())
    named = "; ".join(f"{module}: {', '.join(f'`{name}`' for _, name in tests)}" for module, tests in by_module)
    return f"{named}{f' (without: {row.without})' if row.without else ''}"


def main() -> None:
    """Write the document; or say what is wrong."""
    if wrong := list(faults()):
        raise SystemExit("\n".join(wrong))
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
