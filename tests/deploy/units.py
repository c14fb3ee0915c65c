"""The manual's host, with systemd: `python -m tests.deploy.units` does what docs/deployment.md says, line by line, and looks.

A copy of this machine's file system (an overlay) becomes the root of namespaces of its own, in which systemd is the first process and
nginx runs by Debian's unit. Linux with control groups of the first version, systemd, nginx and Debian's Python; as root.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cds import __version__
from tests.deploy.stage import SUBJECT, Authority
from tests.deploy.steps import ROOT


_INSIDE = "--inside"
_GROUP = Path("/sys/fs/cgroup/systemd/cobalamin-units")
_NAMESPACES = ("--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup")
_OLD, _NEW = __version__, "99.0"
_UNIT = """
[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=/bin/bash /out/script
StandardOutput=append:/out/told
StandardError=append:/out/log
"""
_BEGIN = r"""
cd /out; ip link set lo up
look() { name=$1; shift; if said=$("$@" 2>&1); then echo "well    $name: ${said##*$'\n'}"; else echo "FAILED  $name: $said"; fi; }
served() { openssl s_client -connect localhost:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint; }
ask() { curl -sS --fail-with-body --cacert /out/hospital.crt --cert /out/clients-ehr.crt --key /out/clients-ehr.key "$@"; }
call() { ask -H 'Content-Type: application/json' --data-binary @/out/request.json https://localhost/cds-services/b12-bone-health |
    cut -c 1-130; }
until_it_answers() { for _ in $(seq 300); do ask https://localhost/healthz && return; sleep 0.1; done; false; }
ready() { sleep "${1:-0}"; said=$(curl -sS --fail-with-body http://127.0.0.1:8080/readyz); echo "$said"; [ "$said" = '{"status":"ready"}' ]; }
systemctl start nginx
"""
_LOOK = r"""
look "the service runs by its unit" systemctl is-active cobalamin
look "nginx starts as after a boot" systemctl restart nginx
look "through the gateway" until_it_answers
look "ready" ready
look "a call with a certificate" call
look "who runs it" ps -o user= -C cobalamin
look "what it wrote" ls /var/lib/private/cobalamin
before=$(served); cp /out/next/tls.* /etc/nginx/cobalamin/tls/; systemctl reload nginx; sleep 1
look "a new certificate, by a reload" sh -c "[ '$before' != '$(served)' ] && echo '$(served)'"
look "through the gateway" until_it_answers
look "the back-up" systemctl start cobalamin-backup
look "the copy" sh -c 'ls -l /var/backups/cobalamin'
"""
_TURNED = r"""
look "the version that runs" readlink /opt/cobalamin
look "through the gateway" until_it_answers
look "a call" call
look "ready" ready 2
"""
_LOST = r"""
systemctl stop cobalamin
rm /var/lib/private/cobalamin/feedback.db*
look "the store is lost; restored" env PYTHON=/opt/cobalamin/bin/python /opt/cobalamin/deploy/restore.sh \
    "$(ls /var/backups/cobalamin/*.db | head -n 1)" /var/lib/cobalamin/feedback.db
systemctl start cobalamin
look "ready, with its store" ready 2
"""
_FULL = r"""
systemctl stop cobalamin
mount -t tmpfs -o size=1m,mode=700 tmpfs /var/lib/private/cobalamin
chown --reference=/var/lib/private /var/lib/private/cobalamin
systemctl start cobalamin
head -c 2m /dev/zero >/var/lib/private/cobalamin/filler
look "its disk is full: a call all the same" call
look "told" sh -c "curl -s http://127.0.0.1:8080/readyz"
rm /var/lib/private/cobalamin/filler
look "there is room again" ready 31
"""


def manual(title: str) -> list[str]:
    """The commands that the manual gives to a host under a title."""
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if "podman" not in line and "wheelhouse" not in line]


def script() -> str:
    """All that happens inside."""
    install = "\n".join(manual("On a host")).replace(
        "tls       #", "tls && cp /out/tls.* /out/clients.crt /etc/nginx/cobalamin/tls/ #"
    )
    install = install.replace(
        "nginx -t", "sed -i 's/^# ssl_\\(client\\|verify\\)/ssl_\\1/' /etc/nginx/cobalamin/tls.conf\nnginx -t"
    )
    *upgrade, back = manual("Upgrade and roll back")
    unpacked = f"cd /out && tar -xzf cobalamin-cds-{_NEW}.tar.gz && cd cobalamin-cds-{_NEW}\n"
    turned = unpacked + "\n".join(upgrade).replace("NEW", _NEW)
    checked = "look 'its configuration, by the new version' env COBALAMIN_SALT_FILE"
    turned = turned.replace("COBALAMIN_SALT_FILE", checked)
    returned = f"cd /opt\n{back.replace('OLD', _OLD)}\n"
    return "\n".join([_BEGIN, install, _LOOK, turned, _TURNED, returned, _TURNED, _LOST, _FULL, "systemctl exit"])


def pack(folder: Path) -> None:
    """Bundles of this version and of a newer one, certificates and a request."""
    system = {**os.environ, "PYTHON": "/usr/bin/python3"}
    newer = folder / "newer"
    names = [
        "setup.cfg",
        "pyproject.toml",
        "MANIFEST.in",
        "README.md",
        "LICENSE",
        "cds",
        "hooks",
        "fixtures",
        "tests",
        "deploy",
        "docs",
    ]
    newer.mkdir()
    for name in names:
        shutil.copytree(ROOT / name, newer / name) if (ROOT / name).is_dir() else shutil.copy(ROOT / name, newer)
    start = newer / "cds" / "__init__.py"
    start.write_text(start.read_text(encoding="utf-8").replace(f'"{_OLD}"', f'"{_NEW}"'), encoding="utf-8")
    for project in (ROOT, newer):
        subprocess.run([project / "deploy" / "wheelhouse.sh", folder], check=True, env=system, stdout=subprocess.DEVNULL)
    hospital, clients = Authority(folder, "hospital"), Authority(folder, "clients")
    for place in (folder, folder / "next"):
        place.mkdir(exist_ok=True)
        for file, name in zip(hospital.issue("CN=localhost"), ("tls.crt", "tls.key"), strict=True):
            Path(file).rename(place / name)
    clients.issue(SUBJECT)
    shown = subprocess.run(
        [sys.executable, "-m", "hooks", "fixture", "show", "pregnant"], check=True, capture_output=True, cwd=ROOT
    )
    (folder / "request.json").write_bytes(shown.stdout)
    (folder / "script").write_text(script(), encoding="utf-8")


def become_systemd(folder: Path) -> None:
    """Make a root of a copy of this one, and systemd its first process. It does not return."""
    layers = folder / "layers"
    _run("mount", "--make-rprivate", "/")
    layers.mkdir()
    _run("mount", "-t", "tmpfs", "tmpfs", str(layers))
    root = layers / "root"
    for name in ("upper", "work", "root"):
        (layers / name).mkdir()
    _run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={layers}/upper,workdir={layers}/work", str(root))
    _run("mount", "--rbind", "/dev", str(root / "dev"))
    for kind, name in (
        ("proc", "proc"),
        ("sysfs", "sys"),
        *(("tmpfs", name) for name in ("run", "tmp", "sys/fs/cgroup", "dev/shm")),
    ):
        _run("mount", "-t", kind, kind, str(root / name))
    for name, options in (("systemd", ["-t", "cgroup", "-o", "none,name=systemd"]), ("unified", ["-t", "cgroup2"])):
        (root / "sys/fs/cgroup" / name).mkdir()
        _run("mount", *options, "cgroup", str(root / "sys/fs/cgroup" / name))
    for name in ("out", "old"):
        (root / name).mkdir()
    _run("mount", "--bind", str(folder), str(root / "out"))
    units = root / "etc/systemd/system"
    for wants in (*units.glob("*.wants"), root / "opt", root / "etc/cobalamin", root / "etc/nginx/cobalamin"):
        shutil.rmtree(wants, ignore_errors=True)
    for name in ("systemd-udevd", "systemd-udev-trigger", "systemd-logind", "console-getty", "dbus"):
        (units / f"{name}.service").unlink(missing_ok=True)
        (units / f"{name}.service").symlink_to("/dev/null")
    (units / "script.service").write_text(_UNIT)
    (units / "default.target").unlink(missing_ok=True)
    os.chdir(root)
    _run("pivot_root", ".", "old")
    _run("umount", "-l", "old")
    _run("mount", "--make-rshared", "/")
    environment = {"container": "namespaces", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    os.chroot(".")
    words = ["systemd", "--system", "--unit=script.service", "--log-target=journal"]
    os.execve("/lib/systemd/systemd", words, environment)  # noqa: S606 - it takes the place of this process


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main() -> int:
    """Outside: pack, begin anew in namespaces, tell; 1 where something failed. Inside: become systemd."""
    if _INSIDE in sys.argv:
        become_systemd(Path(sys.argv[-1]))
    with tempfile.TemporaryDirectory(prefix="units-") as name:
        folder = Path(name)
        pack(folder)
        _GROUP.mkdir(exist_ok=True)
        again = ["/usr/bin/unshare", *_NAMESPACES, sys.executable, "-m", "tests.deploy.units", _INSIDE, name]
        enter = f'echo $$ > {_GROUP}/cgroup.procs; exec "$@"'
        subprocess.run(["/bin/sh", "-c", enter, "sh", *again], check=False, cwd=ROOT, timeout=300)
        _GROUP.rmdir()
        told = (folder / "told").read_text(encoding="utf-8")
        if "-v" in sys.argv:
            print((folder / "log").read_text(encoding="utf-8"))
        print(told)
        return 1 if "FAILED" in told or "room again" not in told else 0


if __name__ == "__main__":
    sys.exit(main())
