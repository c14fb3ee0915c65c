"""The Containerfile without a container engine: `python -m tests.deploy.steps` carries out its lines, each as it is written.

Every stage is a copy of this machine's file system (an overlay, in a mount namespace of its own) into which root is changed, in
place of the base image; the result is run as the image would be: read-only, by its user, without a network. Linux, as root.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.deploy.stage import DEPLOY, VOUCHED
from tests.patients import request


ROOT = Path(__file__).parents[2]
CONTAINERFILE = DEPLOY / "Containerfile"
IGNORE = CONTAINERFILE.with_name("Containerfile.dockerignore")
_INSIDE = "--inside"
_NEW_NETWORK, _SET_FLAGS, _UP = 0x40000000, 0x8914, 1
"""Of Linux: CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP."""
_PATIENT = {"age": 72, "problems": ["osteoporosis"]}
_CALL = """
import json, urllib.request as u
asked = u.Request("http://127.0.0.1:8080/cds-services/b12-bone-health", json.dumps({body!r}).encode(), {headers!r})
print("a call:", json.load(u.urlopen(asked))["cards"][0]["summary"])
"""


class Line(NamedTuple):
    """An instruction and what follows it."""

    instruction: str
    rest: str


def lines() -> Iterator[Line]:
    """The instructions of the Containerfile, which writes each on one line."""
    for line in CONTAINERFILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield Line(*line.split(" ", 1))


def context() -> list[str]:
    """What the build may see of the project: files and directories, by the list of what is not ignored."""
    listed = [line.removeprefix("!") for line in IGNORE.read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    return [str(path.relative_to(ROOT)) for pattern in listed for path in ROOT.glob(pattern)]


class Stage:
    """A file system that begins as this machine's."""

    def __init__(self, place: Path) -> None:
        """`place`: an empty directory."""
        self.root, self.folder = place / "root", "/"
        self.environment = {
            "PATH": "/usr/bin:/bin",
            **{name: value for name, value in os.environ.items() if "PIP" in name and name != "PIP_FIND_LINKS"},
        }
        self.command: list[str] = []
        self.health: list[str] = []
        self.user = "0:0"
        for name in ("upper", "work", "root"):
            (place / name).mkdir(parents=True)
        layers = f"lowerdir=/,upperdir={place}/upper,workdir={place}/work"
        _run("mount", "-t", "overlay", "overlay", "-o", layers, str(self.root))
        for name in ("proc", "dev"):
            _run("mount", "--rbind", f"/{name}", str(self.root / name))
        for name in ("opt", "src", "etc/cobalamin"):  # the base image has nothing here
            shutil.rmtree(self.root / name, ignore_errors=True)

    def inside(self, path: str) -> Path:
        """A path of the image, seen from outside."""
        return self.root / Path(self.folder, path).relative_to("/")

    def take(self, origin: Path, sources: list[str], target: str) -> None:
        """COPY."""
        for source in sources:
            here, there = origin / source.lstrip("/"), self.inside(target)
            assert here.exists(), source
            if here.is_dir():
                shutil.copytree(here, there, symlinks=True, dirs_exist_ok=True)
            else:
                there = there / here.name if target.endswith("/") else there
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(here, there)

    def run(self, command: str) -> None:
        """RUN."""
        _run("/usr/sbin/chroot", str(self.root), "/bin/sh", "-c", f"cd {self.folder} && {command}", env=self.environment)


def build(place: Path) -> Stage:
    """Carry out all lines; the last stage."""
    origin, stages, stage = place / "context", {}, None
    for path in context():
        target = origin / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / path, target) if (ROOT / path).is_dir() else shutil.copy(ROOT / path, target)
    for number, line in enumerate(lines()):
        started = time.monotonic()
        if line.instruction == "FROM":
            stage = Stage(place / f"stage{number}")
            stages[line.rest.rpartition(" AS ")[2]] = stage
        elif stage is not None:
            _carry_out(line, stage, origin, stages)
        print(f"{time.monotonic() - started:5.1f} s  {line.instruction} {line.rest[:110]}", flush=True)
    assert stage is not None
    return stage


def _carry_out(line: Line, stage: Stage, origin: Path, stages: dict[str, Stage]) -> None:
    match line.instruction:
        case "RUN":
            stage.run(line.rest)
        case "COPY":
            words = shlex.split(line.rest)
            other = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else None
            stage.take(stages[other].root if other else origin, words[:-1], words[-1])
        case "WORKDIR":
            stage.folder = line.rest
            stage.inside(".").mkdir(parents=True, exist_ok=True)
        case "ENV":
            stage.environment |= dict(word.split("=", 1) for word in shlex.split(line.rest))
        case "USER":
            stage.user = line.rest
        case "ENTRYPOINT" | "CMD":
            stage.command += json.loads(line.rest)
        case "HEALTHCHECK":
            stage.health = json.loads(line.rest.partition("CMD ")[2])
        case "LABEL" | "EXPOSE" | "ARG":
            pass
        case unknown:
            raise ValueError(f"nobody carries out {unknown}")


def try_out(stage: Stage) -> None:
    """Run the image as its user, read-only and without a network but loopback, and ask it something."""
    image = stage.root.parent / "image"
    image.mkdir()
    shutil.copytree(DEPLOY / "clients", stage.inside("/etc/cobalamin/clients"))
    shutil.copy(DEPLOY / "systemd" / "cobalamin.yaml", stage.inside("/etc/cobalamin"))
    _run("mount", "--rbind", str(stage.root), str(image))
    _run("mount", "-o", "remount,ro,bind", str(image))
    _run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(image / "tmp"))
    owner = ",".join(f"{name}={number}" for name, number in zip(("uid", "gid"), stage.user.split(":"), strict=True))
    _run("mount", "-t", "tmpfs", "-o", f"mode=700,{owner}", "tmpfs", str(image / "var/lib/cobalamin"))
    chroot = ["/usr/sbin/chroot", f"--userspec={stage.user}", str(image)]
    environment = {name: value for name, value in stage.environment.items() if "PIP" not in name}
    environment["COBALAMIN_SALT"] = "the-salt-of-the-tests"

    def told(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*chroot, *command], env=environment, capture_output=True, text=True, check=False)

    print("user:", told("id").stdout.strip())
    print("version:", told("cobalamin", "--version").stdout.strip())
    wrote = told("python", "-c", "open('/opt/cobalamin/x', 'w')").stderr.strip().splitlines()[-1]
    assert "Errno" in wrote
    print("writes to the image:", wrote)
    assert told("python", "-m", "pip").returncode != 0
    with subprocess.Popen([*chroot, *stage.command], env=environment) as process:
        patience = time.monotonic() + 30
        while told(*stage.health).returncode != 0:
            assert time.monotonic() < patience, told(*stage.health).stderr
            assert process.poll() is None
            time.sleep(0.2)
        print("healthcheck: exit status 0")
        call = _CALL.format(headers={"Content-Type": "application/json", **VOUCHED}, body=request(_PATIENT))
        answer = told("python", "-c", call)
        assert answer.returncode == 0, answer.stderr
        print(answer.stdout.strip())
        process.terminate()
    print("after SIGTERM: exit status", process.returncode)
    assert told(*stage.health).returncode != 0
    print("left in its state:", *sorted(path.name for path in (image / "var/lib/cobalamin").iterdir()))


def without_network() -> None:
    """Leave the network behind, for this process and those it starts; of a new one only loopback is up."""
    assert ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK) == 0
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, env=env)


def main() -> int:
    """Outside: begin anew in namespaces of our own. Inside: build and try."""
    if _INSIDE not in sys.argv:
        with tempfile.TemporaryDirectory(prefix="steps-") as folder:
            again = [sys.executable, "-m", "tests.deploy.steps", _INSIDE, folder]
            return subprocess.run(["/usr/bin/unshare", "--mount", *again], check=False, cwd=ROOT).returncode
    place = Path(sys.argv[-1])
    _run("mount", "-t", "tmpfs", "tmpfs", str(place))
    if len(sys.argv) == 3:
        stage = build(place)
        size = sum(path.lstat().st_size for path in stage.inside("/opt/cobalamin").rglob("*"))
        print(f"/opt/cobalamin: {size / 2**20:.0f} MiB")
        without_network()
        try_out(stage)
    return 0


if __name__ == "__main__":
    sys.exit(main())
