"""An installation without a network: `python -m tests.deploy.offline` packs it, installs it where there is none, and lists what it is.

Packing needs a package index, and installing without a network needs Linux and root.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.deploy.stage import DEPLOY


def main() -> None:
    """Pack, install, ask, list."""
    with tempfile.TemporaryDirectory(prefix="offline-") as name:
        folder = Path(name)
        _told(str(DEPLOY / "wheelhouse.sh"), str(folder / "packed"))
        (packed,) = (folder / "packed").iterdir()
        print(f"packed: {packed.name}, {packed.stat().st_size / 2**20:.0f} MiB")
        _told("tar", "-C", str(folder), "-xzf", str(packed))
        (bundle,) = folder.glob("cobalamin-cds-*")
        alone = ("/usr/bin/unshare", "--net")
        print("installed without a network:", _told(*alone, str(bundle / "install.sh"), str(folder / "opt")).splitlines()[-1])
        program = folder / "opt" / "cobalamin" / "bin" / "cobalamin"
        (folder / "request.json").write_text(_told(*alone, str(program), "fixture", "show", "pregnant"))
        decided = json.loads(_told(*alone, str(program), "evaluate", str(folder / "request.json"), "--format", "json"))
        print("evaluated:", decided["cards"][0]["summary"])
        python = program.with_name("python")
        print("what it is:", _told(sys.executable, str(DEPLOY / "materials.py"), str(python), str(folder / "list")).strip())
        (bundle / "LICENSE").write_text("changed")
        changed = subprocess.run([str(bundle / "install.sh"), name], capture_output=True, text=True, check=False)
        assert changed.returncode != 0
        print("a changed file:", changed.stderr.strip().splitlines()[-1])


def _told(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
