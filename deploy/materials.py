"""Writes what an installation is made of: `sbom.json` (CycloneDX 1.6) and `licences.md`.

    python deploy/materials.py /opt/cobalamin/bin/python DIRECTORY

Run it with a Python that has cyclonedx-bom, on an installation that has the packages of requirements.lock.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion


LOCK = Path(__file__).with_name("requirements.lock")
PROJECT = "cobalamin-cds"
COPYLEFT = re.compile(r"\b(A|L)?GPL|MPL|EPL|CDDL", re.IGNORECASE)
_VERSION = SchemaVersion.V1_6


def locked(file: Path) -> dict[str, set[str]]:
    """The versions of a lock file, by package: of some there is another one for another Python."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[\w+\])?==([^ ;]+)", file.read_text(), re.MULTILINE):
        versions.setdefault(plain(name), set()).add(version)
    return versions


def plain(name: str) -> str:
    """A package's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def described(python: Path) -> Bom:
    """What is installed for a Python, with licences."""
    command = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        "--no-validate",
        "--output-reproducible",
        "--sv",
        "1.6",
        str(python.absolute()),
    ]
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(command, check=True, capture_output=True, cwd="/", env=elsewhere)  # it would look here as well
    bom: Bom = Bom.from_json(json.loads(run.stdout))  # type: ignore[attr-defined]  # a decorator of the library adds it
    return bom


def narrowed(bom: Bom, lock: Mapping[str, Collection[str]]) -> Bom:
    """The project as what is described, and of the rest what is locked. Exits where versions differ."""
    parts = {plain(part.name): part for part in bom.components}
    different = [f"{name} {parts[name].version}" for name in sorted(lock.keys() & parts) if parts[name].version not in lock[name]]
    if different:
        sys.exit(f"not what is locked: {', '.join(different)}")
    project = parts[PROJECT]
    components = [part for name, part in parts.items() if name in lock]
    kept = {part.bom_ref for part in (project, *components)}
    dependencies = [
        Dependency(one.ref, (inner for inner in one.dependencies if inner.ref in kept))
        for one in bom.dependencies
        if one.ref in kept
    ]
    described_as = Component(
        name=project.name,
        version=project.version,
        type=ComponentType.APPLICATION,
        bom_ref=str(project.bom_ref),
        licenses=project.licenses,
        purl=project.purl,
    )
    return Bom(
        components=components, dependencies=dependencies, metadata=BomMetaData(component=described_as, tools=bom.metadata.tools)
    )


def licence(part: Component) -> str:
    """The licence of a component in few words: by its SPDX name where it has one."""
    words = {found.value if isinstance(found, LicenseExpression) else found.id or "" for found in part.licenses} - {""}
    loose = {(found.name or "").rpartition(" :: ")[2] for found in part.licenses if isinstance(found, DisjunctiveLicense)} - {""}
    return "; ".join(sorted(words or loose)) or "not stated"


def licences(parts: Iterable[Component]) -> str:
    """The list as a page; what asks for more than to be named stands out."""
    rows = []
    for part in sorted(parts, key=lambda part: plain(part.name)):
        said = licence(part)
        note = "look at its terms" if COPYLEFT.search(said) or said == "not stated" else ""
        rows.append(f"| {part.name} | {part.version} | {said} | {note} |")
    return "\n".join(["# Licences", "", "| package | version | licence | |", "| --- | --- | --- | --- |", *rows, ""])


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description="Write sbom.json and licences.md of an installation.")
    parser.add_argument("python", type=Path, help="the Python of the installation")
    parser.add_argument("output", type=Path, help="directory to write to")
    parser.add_argument("--lock", type=Path, default=LOCK, help="the lock file; default: requirements.lock beside this program")
    options = parser.parse_args()
    bom = narrowed(described(options.python), locked(options.lock))
    text = make_outputter(bom, OutputFormat.JSON, _VERSION).output_as_string(indent=2)
    from cyclonedx.validation.json import JsonStrictValidator  # it takes seconds

    invalid: Any = JsonStrictValidator(_VERSION).validate_str(text)
    if invalid:
        sys.exit(f"not CycloneDX: {invalid}")
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "sbom.json").write_text(text, encoding="utf-8")
    (options.output / "licences.md").write_text(licences(bom.components), encoding="utf-8")
    print(f"{len(bom.components)} components beside {PROJECT}")


if __name__ == "__main__":
    main()
