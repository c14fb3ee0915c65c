"""Writes what an installation is made of: `sbom.json` (CycloneDX 1.6) and `licences.md`.

    python deploy/materials.py /opt/cobalamin/bin/python DIRECTORY

Run it with a Python that has cyclonedx-bom, on an installation that has the packages of requirements.lock. The scripts that the
workbench ships of others are listed as well.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL


LOCK = Path(__file__).with_name("requirements.lock")
PROJECT = "cobalamin-cds"
COPYLEFT = re.compile(r"\b(A|L)?GPL|MPL|EPL|CDDL", re.IGNORECASE)
_VERSION = SchemaVersion.V1_6
_SHIPPED = """
import json, pathlib, hooks, yaml
folder = pathlib.Path(hooks.__file__).parent / "workbench/static/vendor"
print(json.dumps([str(folder), yaml.safe_load((folder / "vendor.yaml").read_text(encoding="utf-8"))]))
"""
"""What the Python of an installation is asked: where files of others lie, and what is known of them."""


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
    run = subprocess.run(command, check=True, capture_output=True, cwd="/", env=_elsewhere())
    bom: Bom = Bom.from_json(json.loads(run.stdout))  # type: ignore[attr-defined]  # a decorator of the library adds it
    return bom


def shipped(python: Path) -> list[Component]:
    """The scripts of others that an installation ships for browsers. Exits where a file is not the one that is named."""
    run = subprocess.run([str(python.absolute()), "-c", _SHIPPED], check=True, capture_output=True, cwd="/", env=_elsewhere())
    folder, known = json.loads(run.stdout)
    return [script(Path(folder, name), told) for name, told in known.items()]


def script(file: Path, told: Mapping[str, str]) -> Component:
    """A file as a component, by what is known of it."""
    if hashlib.sha256(file.read_bytes()).hexdigest() != told["sha256"]:
        sys.exit(f"not what was taken over: {file}")
    group, _, name = told["package"].rpartition("/")
    version = told["version"]
    return Component(
        type=ComponentType.LIBRARY,
        group=group or None,
        name=name,
        version=version,
        bom_ref=f"{told['package']}=={version}",
        purl=PackageURL("npm", group or None, name, version),
        licenses=[DisjunctiveLicense(id=told["license"])],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=told["sha256"])],
        external_references=[ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(told["from"]))],
    )


def _elsewhere() -> dict[str, str]:
    """The environment without what would have an installation look here as well."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def narrowed(bom: Bom, lock: Mapping[str, Collection[str]], scripts: Collection[Component] = ()) -> Bom:
    """The project as what is described, of the rest what is locked, and scripts. Exits where versions differ."""
    parts = {plain(part.name): part for part in bom.components}
    different = [f"{name} {parts[name].version}" for name in sorted(lock.keys() & parts) if parts[name].version not in lock[name]]
    if different:
        sys.exit(f"not what is locked: {', '.join(different)}")
    project = parts[PROJECT]
    components = [part for name, part in parts.items() if name in lock]
    kept = {part.bom_ref for part in (project, *components)}
    ours = [Dependency(part.bom_ref) for part in scripts]
    dependencies = ours + [
        Dependency(one.ref, [inner for inner in one.dependencies if inner.ref in kept] + ours * (one.ref == project.bom_ref))
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
        components=[*components, *scripts],
        dependencies=dependencies,
        metadata=BomMetaData(component=described_as, tools=bom.metadata.tools),
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
        name = f"{part.group}/{part.name}" if part.group else part.name
        rows.append(f"| {name} | {part.version} | {said} | {note} |")
    return "\n".join(["# Licences", "", "| package | version | licence | |", "| --- | --- | --- | --- |", *rows, ""])


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description="Write sbom.json and licences.md of an installation.")
    parser.add_argument("python", type=Path, help="the Python of the installation")
    parser.add_argument("output", type=Path, help="directory to write to")
    parser.add_argument("--lock", type=Path, default=LOCK, help="the lock file; default: requirements.lock beside this program")
    options = parser.parse_args()
    bom = narrowed(described(options.python), locked(options.lock), shipped(options.python))
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
