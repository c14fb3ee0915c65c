"""Writes down what kustomize makes of the Kubernetes example, for the tests: `python -m tests.deploy.overlay`, with kubectl 1.30 or later."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path

from tests.deploy.stage import DEPLOY


EXAMPLE = DEPLOY / "kubernetes" / "example"
RENDERED = Path(__file__).with_name("overlay.yaml")


def digest() -> str:
    """Of all that kustomize may read of it; a hospital's own overlay may lie beside."""
    folders = ("kubernetes/base", "kubernetes/example", "kubernetes/monitoring", "nginx")
    files = sorted(path for folder in folders for path in (DEPLOY / folder).iterdir())
    read = sha256()
    for path in files:
        read.update(f"{path.relative_to(DEPLOY).as_posix()}\n".encode() + path.read_bytes())
    return read.hexdigest()


def main() -> None:
    """Render."""
    run = subprocess.run(["kubectl", "kustomize", str(EXAMPLE)], capture_output=True, check=True, encoding="utf-8")  # noqa: S607
    RENDERED.write_text(f"# {digest()}\n{run.stdout}", encoding="utf-8")


if __name__ == "__main__":
    main()
