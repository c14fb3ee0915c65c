"""Two services behind the gateway, one ended or killed after the other under load: `python -m tests.deploy.rolling` counts what is lost."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread

import requests

from tests.deploy.gateway import JSON, PATIENT, SERVICE
from tests.deploy.stage import SUBJECT, Authority, caller, free_port, running_gateway, started, until_open


CALLERS, ROUNDS, CALM_S = 12, 3, 6


def call(url: str, authority: Path, certificate: tuple[str, str], number: int, seen: Counter[str], enough: Event) -> None:
    """Call until it is enough, from an address of one's own."""
    session = caller(authority, certificate, f"127.0.0.{20 + number}")
    while not enough.wait(0.02):
        try:
            seen[str(session.post(url, PATIENT, headers=JSON, timeout=20).status_code)] += 1
        except requests.RequestException as error:
            seen[type(error).__name__] += 1


def main() -> int:
    """Call, end, kill, count; 1 where a call was lost."""
    with tempfile.TemporaryDirectory(prefix="rolling-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the workers of nginx are somebody else
        hospital, clients = Authority(folder, "hospital"), Authority(folder, "clients")
        certificate, key = hospital.issue("CN=localhost")
        ports = free_port(), free_port()
        services = [started(folder / str(port), port) for port in ports]
        seen: Counter[str] = Counter()
        enough = Event()
        tls = {"certificate": certificate, "key": key, "clients": str(clients.file)}
        try:
            for port, service in zip(ports, services, strict=True):
                until_open(port, service)
            with running_gateway(folder / "gateway", tls, *ports) as gateway:
                url, known = f"https://127.0.0.1:{gateway}{SERVICE}", clients.issue(SUBJECT)
                callers = [
                    Thread(target=call, args=(url, hospital.file, known, number, seen, enough)) for number in range(CALLERS)
                ]
                for one in callers:
                    one.start()
                for number in range(2 * ROUNDS):
                    time.sleep(CALM_S)
                    turn = number % 2
                    (services[turn].kill if number == 2 * ROUNDS - 1 else services[turn].terminate)()
                    services[turn].wait()
                    time.sleep(1)
                    services[turn] = started(folder / str(ports[turn]), ports[turn])
                    until_open(ports[turn], services[turn])
                    print(f"service {turn + 1} ended and begun again, {number + 1} of {2 * ROUNDS}: {dict(seen)}", flush=True)
                time.sleep(CALM_S)
                enough.set()
                for one in callers:
                    one.join()
        finally:
            for service in services:
                service.terminate()
                service.wait()
    print(f"in all: {dict(seen)}")
    return 0 if set(seen) == {"200"} else 1


if __name__ == "__main__":
    sys.exit(main())
