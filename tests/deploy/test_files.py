"""The files of `deploy/` by the schemas of those who read them, and against each other."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import check_jsonschema
import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner
from flask import Flask
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from hooks.cli import main
from hooks.serving import Server
from tests.deploy import overlay
from tests.deploy.stage import DEPLOY, running_service
from tests.deploy.steps import ROOT, context, lines


KUBERNETES = DEPLOY / "kubernetes"
OLDEST, NEWEST = "1.31", "1.35"
"""Of the versions of Kubernetes that the manifests are checked against; ContainerResource came to stay with 1.30."""


def documents(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*.yaml")):
        if path.name not in ("cobalamin.yaml", "ehr.yaml"):
            yield from (found for found in yaml.safe_load_all(path.read_text(encoding="utf-8")) if found)


def of_kind(kind: str) -> dict[str, Any]:
    """The first of a kind."""
    return next(found for found in documents(KUBERNETES) if found["kind"] == kind)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_manifests_are_what_kubernetes_takes(version: str) -> None:
    seen = []
    for found in documents(KUBERNETES):
        if found["apiVersion"].startswith(("kustomize.config.k8s.io", "monitoring.coreos.com")):
            continue
        kubernetes_validate.validate(found, version, strict=True)
        seen.append(found["kind"])
    assert set(seen) >= {"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "Namespace"}


def test_the_manifests_fit_each_other() -> None:
    pod = of_kind("Deployment")["spec"]["template"]
    labels, ports = pod["metadata"]["labels"], {port["name"] for box in pod["spec"]["containers"] for port in box["ports"]}
    selectors = [of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"]]
    selectors += [
        of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        of_kind("Deployment")["spec"]["selector"]["matchLabels"],
    ]
    services = [found for found in documents(KUBERNETES) if found["kind"] == "Service"]
    selectors += [service["spec"]["selector"] for service in services]
    assert all(selector.items() <= labels.items() for selector in selectors)
    targets = {port["targetPort"] for service in services for port in service["spec"]["ports"]}
    targets |= {port["port"] for rule in of_kind("NetworkPolicy")["spec"]["ingress"] for port in rule["ports"]}
    assert targets == ports
    monitor = of_kind("ServiceMonitor")["spec"]
    (watched,) = (one for one in services if monitor["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items())
    assert [one["port"] for one in monitor["endpoints"]] == [port["name"] for port in watched["spec"]["ports"]]
    scaled = of_kind("HorizontalPodAutoscaler")["spec"]
    assert scaled["scaleTargetRef"]["name"] == of_kind("Deployment")["metadata"]["name"]
    assert scaled["minReplicas"] > of_kind("PodDisruptionBudget")["spec"]["minAvailable"]
    grace = pod["spec"]["terminationGracePeriodSeconds"]
    assert grace > settled("kubernetes/example")["server"]["notice_s"] + 30  # and what is under way


def test_the_containers_may_nothing() -> None:
    spec = of_kind("Deployment")["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert not spec["automountServiceAccountToken"]
    volumes = {volume["name"] for volume in spec["volumes"]}
    for box in spec["containers"]:
        may = box["securityContext"]
        assert (may["allowPrivilegeEscalation"], may["readOnlyRootFilesystem"], may["capabilities"]) == (
            False,
            True,
            {"drop": ["ALL"]},
        )
        assert box["livenessProbe"]
        assert box["readinessProbe"]
        assert {mount["name"] for mount in box["volumeMounts"]} <= volumes
    for box in composed()["services"].values():
        assert box["read_only"]
        assert box["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in box["security_opt"]


def test_the_example_knows_the_client_of_all_others() -> None:
    """Kustomize takes no file from outside a directory, so this one has a copy."""
    assert (KUBERNETES / "example" / "ehr.yaml").read_text(encoding="utf-8") == (DEPLOY / "clients" / "ehr.yaml").read_text(
        "utf-8"
    )


def test_a_pod_that_is_busy_is_not_killed() -> None:
    """A call to a service whose workers all wait for a FHIR server waits behind others; the port is open."""
    service, _ = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    assert service["livenessProbe"]["tcpSocket"] == {"port": "service"}
    assert service["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_what_kustomize_makes_of_the_example_holds_together() -> None:
    rendered = overlay.RENDERED.read_text(encoding="utf-8")
    assert rendered.startswith(f"# {overlay.digest()}\n"), "run python -m tests.deploy.overlay"
    found = list(yaml.safe_load_all(rendered))
    for one in found:
        if not one["apiVersion"].startswith("monitoring.coreos.com"):
            kubernetes_validate.validate(one, NEWEST, strict=True)
        assert one["kind"] == "Namespace" or one["metadata"]["namespace"] == "cobalamin"
    made = {one["metadata"]["name"]: one for one in found if one["kind"] == "ConfigMap"}
    (deployment,) = (one for one in found if one["kind"] == "Deployment")
    spec = deployment["spec"]["template"]["spec"]
    sources = [source for volume in spec["volumes"] for source in volume.get("projected", {}).get("sources", [volume])]
    maps = {source["configMap"]["name"]: source["configMap"] for source in sources if "configMap" in source}
    assert set(maps) == set(made)
    for name, used in maps.items():
        assert {item["key"] for item in used.get("items", [])} <= set(made[name]["data"])
    (configuration,) = (one["data"] for one in made.values() if "cobalamin.yaml" in one["data"])
    assert set(yaml.safe_load(configuration["cobalamin.yaml"])["clients"]) <= set(configuration)
    secrets = {source["secret"].get("name") or source["secret"]["secretName"] for source in sources if "secret" in source}
    manual = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    assert all(re.search(rf"create secret \w+ {name} ", manual) for name in secrets)
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    services = [one for one in found if one["kind"] == "Service"]
    assert all(one["spec"]["selector"].items() <= labels.items() for one in services)
    assert not any(box["image"].startswith(("cobalamin-cds", "nginx")) for box in spec["containers"])


def test_kustomizations_name_files_that_are_there() -> None:
    for path in DEPLOY.rglob("kustomization.yaml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        named = [*content.get("resources", []), *content.get("components", [])]
        named += [file for generated in content.get("configMapGenerator", []) for file in generated["files"]]
        assert all((path.parent / name).exists() for name in named), path


def composed() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return content


def settled(folder: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / folder / "cobalamin.yaml").read_text(encoding="utf-8"))
    return content


def test_the_compose_file_is_what_compose_takes() -> None:
    checked = CliRunner().invoke(check_jsonschema.main, ["--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")])
    assert checked.exit_code == 0, checked.output


def test_the_compose_file_fits_what_it_mounts() -> None:
    services, network = composed()["services"], ip_network(composed()["networks"]["inner"]["ipam"]["config"][0]["subnet"])
    addresses = {name: box["networks"].get("inner", {}).get("ipv4_address") for name, box in services.items()}
    assert all(ip_address(address) in network for address in addresses.values() if address)
    assert settled("compose")["proxies"]["addresses"] == [addresses["gateway"]]
    upstream = (DEPLOY / "compose" / "upstream.conf").read_text(encoding="utf-8")
    assert re.findall(r"server ([\d.]+):8080", upstream) == [addresses["service-1"], addresses["service-2"]]
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    assert asked == set(re.findall(r"^(\w+)=", (DEPLOY / "compose" / "example.env").read_text(encoding="utf-8"), re.MULTILINE))
    for box in services.values():
        for volume in box["volumes"]:
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (DEPLOY / source).exists(), source
        assert all(
            name in composed()["volumes"] for name in (v.partition(":")[0] for v in box["volumes"]) if name[0] not in "./$"
        )


def test_the_example_overlay_keeps_the_rest_of_the_tls_file() -> None:
    ours, example = ((DEPLOY / path).read_text(encoding="utf-8") for path in ("nginx/tls.conf", "kubernetes/example/tls.conf"))
    bare = {line.removeprefix("# ") for line in ours.splitlines()}
    assert {line.removeprefix("# ") for line in example.splitlines() if not line.startswith("server_name")} <= bare


def test_the_image_is_built_of_what_is_there() -> None:
    seen = context()
    steps = list(lines())
    for step in steps:
        if step.instruction == "COPY" and not step.rest.startswith("--from"):
            for source in step.rest.split(" ")[:-1]:
                assert any(source == known or source.startswith(f"{known}/") for known in seen), source
        if step.instruction == "RUN" and "pip install" in step.rest:
            assert "--require-hashes" in step.rest or "--no-index" in step.rest
    (user,) = (step.rest for step in steps if step.instruction == "USER")
    assert not user.startswith("0")
    ids = of_kind("Deployment")["spec"]["template"]["spec"]["securityContext"]
    assert user == f"{ids['runAsUser']}:{ids['runAsGroup']}"


def locked(name: str) -> dict[str, Version]:
    """The packages of a lock file. Each has a hash."""
    found: dict[str, Version] = {}
    for entry in re.split(r"(?<!\\)\n", (DEPLOY / name).read_text(encoding="utf-8")):
        if match := re.match(r"([\w.-]+)(?:\[\w+\])?==([^ ;]+)", entry):
            found[canonicalize_name(match[1])] = Version(match[2])
            assert "--hash=sha256:" in entry, match[1]
    return found


def test_the_lock_file_is_that_of_the_project() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = setup["options"]["install_requires"] + setup["options.extras_require"]["postgresql"]
    versions = locked("requirements.lock")
    for line in wanted.strip().splitlines():
        requirement = Requirement(line)
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, f"{requirement}: run deploy/lock.sh"
    assert "setuptools" in locked("build.lock")


def systemd_analyze() -> str:
    """The program that checks units."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    return program


@pytest.mark.parametrize("unit", ["cobalamin.service", "cobalamin-backup.service", "cobalamin-backup.timer"])
def test_the_units_are_what_systemd_takes(unit: str, tmp_path: Path) -> None:
    for path in (DEPLOY / "systemd").glob("cobalamin*.[st]*"):
        (tmp_path / path.name).write_text(re.sub(r"/opt/cobalamin/\S+", "/bin/true", path.read_text(encoding="utf-8")))
    run = subprocess.run([systemd_analyze(), "verify", str(tmp_path / unit)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("unit", ["cobalamin.service", "cobalamin-backup.service"])
def test_the_units_leave_little_to_a_burglar(unit: str) -> None:
    command = [systemd_analyze(), "security", "--offline=true", "--threshold=20", str(DEPLOY / "systemd" / unit)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # 2.0 of 10 at most


def test_the_service_tells_systemd_that_it_is_ready(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        with running_service(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify")):
            assert systemd.recv(1000).startswith(b"READY=1")


def test_nobody_steers_the_service_from_outside(app: Flask) -> None:
    assert Server(app, "127.0.0.1", 8099, 1).cfg.control_socket_disable


def test_the_manual_names_files_that_are_there() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    named = {name.rstrip("./") for name in re.findall(r"(?<![\w/])deploy/([\w./-]+)", text)} - {".env", "kubernetes/ours"}
    named |= {f"kubernetes/{folder}" for folder in ("base", "example", "monitoring")}
    assert named > {"backup.sh", "Containerfile"}
    assert [name for name in named if not (DEPLOY / name).exists()] == []
    assert all(path.stat().st_mode & 0o111 for path in DEPLOY.glob("*.sh"))


@pytest.mark.parametrize("folder", ["systemd", "compose", "kubernetes/example"])
def test_the_configurations_fit(folder: str, tmp_path: Path) -> None:
    shutil.copytree(DEPLOY / "clients", tmp_path / "clients")
    shutil.copy(DEPLOY / "clients" / "ehr.yaml", tmp_path)
    text = (DEPLOY / folder / "cobalamin.yaml").read_text(encoding="utf-8")
    (tmp_path / "cobalamin.yaml").write_text(text.replace("/var/lib/cobalamin", str(tmp_path)), encoding="utf-8")
    environment = {"COBALAMIN_SALT": "the-salt-of-the-tests"}
    if folder != "systemd":
        environment["COBALAMIN_STORE"] = "postgresql://cobalamin:secret-word@database/cobalamin"
    words = ["config", "check", str(tmp_path / "cobalamin.yaml"), "--format", "json"]
    assert json.loads(CliRunner().invoke(main, words, env=environment).stdout)["faults"] == []
