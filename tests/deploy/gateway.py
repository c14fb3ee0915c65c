"""What the gateway lets through, changes and refuses: `python -m tests.deploy.gateway` tries it and prints a table."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import requests
from rich.console import Console
from rich.table import Table

from tests.deploy.stage import (
    SUBJECT,
    Authority,
    caller,
    free_port,
    running_echo,
    running_gateway,
    running_quitter,
    running_service,
    secured,
)
from tests.patients import request


SERVICE = "/cds-services/b12-bone-health"
PATIENT = json.dumps(request({"age": 72, "problems": ["osteoporosis"]})).encode()
JSON = {"Content-Type": "application/json"}
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Stage:
    """Everything that runs.

    `port`: of the gateway before the real service, which is `direct`. `echo`: a gateway that shows what comes through. `one_left`:
    one that has lost one of two services; `one_ending`: one of whose services ends in every call; `none_left`: one without any.
    """

    folder: Path
    authority: Path
    known: tuple[str, str]
    unlisted: tuple[str, str]
    foreign: tuple[str, str]
    port: int
    echo: str
    one_left: str
    one_ending: str
    none_left: str
    direct: str

    @property
    def url(self) -> str:
        """Where the gateway is."""
        return f"https://127.0.0.1:{self.port}"

    def on_disk(self) -> str:
        """What the gateway says of bodies that it wrote to a file."""
        log = (self.folder / "real" / "all.log").read_text()
        return "\n".join(line for line in log.splitlines() if "temporary file" in line)

    def ehr(self, certificate: tuple[str, str] | None = None, address: str = "127.0.0.1") -> requests.Session:
        """A client of the gateway."""
        return caller(self.authority, certificate, address)


@contextmanager
def staged() -> Iterator[Stage]:
    """Start it all, and end it."""
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        Path(folder).chmod(0o755)  # the workers of nginx are somebody else
        with _staged(Path(folder)) as stage:
            yield stage


@contextmanager
def _staged(folder: Path) -> Iterator[Stage]:
    ours, theirs, strangers = (Authority(folder, name) for name in ("hospital", "clients", "strangers"))
    certificate, key = ours.issue("CN=localhost")
    tls = {"certificate": certificate, "key": key, "clients": str(theirs.file)}
    gone = free_port()
    with (
        running_service(folder) as service,
        running_echo() as echo,
        running_quitter() as quitter,
        running_gateway(folder / "real", tls, service) as port,
        running_gateway(folder / "echo", tls, echo) as echoing,
        running_gateway(folder / "one", tls, gone, echo) as one,
        running_gateway(folder / "ending", tls, quitter, echo) as ending,
        running_gateway(folder / "none", tls, gone) as none,
    ):
        yield Stage(
            folder,
            ours.file,
            theirs.issue(SUBJECT),
            theirs.issue("CN=other,O=Hospital"),
            strangers.issue(SUBJECT),
            port,
            f"https://127.0.0.1:{echoing}",
            f"https://127.0.0.1:{one}",
            f"https://127.0.0.1:{ending}",
            f"https://127.0.0.1:{none}",
            f"http://127.0.0.1:{service}",
        )


class Seen(NamedTuple):
    """What happened: the status that came back (0: none), and more in words."""

    status: int
    words: str


Case = Callable[[Stage], Seen]
CASES: dict[str, tuple[int, Case]] = {}


def case(name: str, status: int) -> Callable[[Case], Case]:
    """Keep a case under a name, with the status that must come back."""

    def keep(function: Case) -> Case:
        CASES[name] = status, function
        return function

    return keep


def refusal(answer: requests.Response) -> Seen:
    """A refusal; it must be an OperationOutcome whoever made it."""
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert (answer.headers["Content-Type"], answer.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")
    assert len(answer.headers["X-Request-Id"]) >= 8
    return Seen(answer.status_code, f"{outcome['issue'][0]['code']}: {outcome['issue'][0]['details']['text']}")


@case("discovery by TLS", 200)
def discovery(stage: Stage) -> Seen:
    with secured(stage.port, stage.authority) as connection:
        version = connection.version()
    answer = stage.ehr(stage.known).get(f"{stage.url}/cds-services")
    assert {answer.headers[name] for name in ("Strict-Transport-Security", "X-Content-Type-Options")} == {
        "max-age=31536000",
        "nosniff",
    }
    return Seen(answer.status_code, f"{version}, {len(answer.json()['services'])} services")


@case("TLS 1.1", 0)
def old_tls(stage: Stage) -> Seen:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(stage.authority))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is deprecated is why it is tried
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        context.wrap_socket(socket.create_connection(("127.0.0.1", stage.port)), server_hostname="localhost").close()
    except ssl.SSLError as error:
        return Seen(0, f"no handshake: {error.reason}")
    return Seen(1, "a handshake")


@case("HTTP without TLS", 400)
def plain(stage: Stage) -> Seen:
    return refusal(caller().get(f"http://127.0.0.1:{stage.port}/cds-services"))


@case("a call with a client certificate", 200)
def certified(stage: Stage) -> Seen:
    answer = stage.ehr(stage.known).post(stage.url + SERVICE, PATIENT, headers=JSON)
    return Seen(answer.status_code, f"{len(answer.json()['cards'])} cards")


@case("a call without one", 401)
def nobody(stage: Stage) -> Seen:
    return refusal(stage.ehr().post(stage.url + SERVICE, PATIENT, headers=JSON))


@case("without one, its headers made up", 401)
def spoofed(stage: Stage) -> Seen:
    headers = {**JSON, "X-Client-Verify": "SUCCESS", "X-Client-Subject": SUBJECT}
    return refusal(stage.ehr().post(stage.url + SERVICE, PATIENT, headers=headers))


@case("the same, spelled with underscores", 401)
def underscored(stage: Stage) -> Seen:
    headers = {**JSON, "X_Client_Verify": "SUCCESS", "X_Client_Subject": SUBJECT}
    return refusal(stage.ehr().post(stage.url + SERVICE, PATIENT, headers=headers))


@case("a certificate nobody listed, a listed name made up", 401)
def unlisted(stage: Stage) -> Seen:
    headers = {**JSON, "X-Client-Verify": "SUCCESS", "X-Client-Subject": SUBJECT}
    return refusal(stage.ehr(stage.unlisted).post(stage.url + SERVICE, PATIENT, headers=headers))


@case("the right name from a foreign authority", 403)
def foreign(stage: Stage) -> Seen:
    return refusal(stage.ehr(stage.foreign).post(stage.url + SERVICE, PATIENT, headers=JSON))


@case("past the gateway, headers made up", 403)
def around(stage: Stage) -> Seen:
    headers = {**JSON, "X-Client-Verify": "SUCCESS", "X-Client-Subject": SUBJECT}
    headers |= {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"}
    return refusal(caller(address="127.0.0.9").post(stage.direct + SERVICE, PATIENT, headers=headers))


@case("forwarding headers made up", 200)
def forwarded(stage: Stage) -> Seen:
    made_up = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix"]
    made_up += ["Forwarded", "X-Real-IP", "Proxy", "X-Client-Verify", "X-Client-Subject", "X_Forwarded_For"]
    answer = stage.ehr(address="127.0.0.7").get(f"{stage.echo}/cds-services", headers=dict.fromkeys(made_up, "evil"))
    sent = answer.json()["headers"]
    assert "evil" not in json.dumps(sent)
    came = {name: value for name, value in sent if name.lower().startswith(("x-", "forwarded"))}
    assert came.pop("X-Request-Id") == answer.headers["X-Request-Id"]
    assert came == {"X-Forwarded-For": "127.0.0.7", "X-Forwarded-Proto": "https", "X-Client-Verify": "NONE"}
    return Seen(answer.status_code, "the service sees " + ", ".join(f"{name} {value}" for name, value in came.items()))


@case("who has the certificate", 200)
def named(stage: Stage) -> Seen:
    sent = dict(stage.ehr(stage.known).get(f"{stage.echo}/cds-services", headers={"X-Client-Subject": "evil"}).json()["headers"])
    assert (sent["X-Client-Verify"], sent["X-Client-Subject"]) == ("SUCCESS", SUBJECT)
    return Seen(200, f"the service sees {sent['X-Client-Subject']}")


@case("a request id", 200)
def identified(stage: Stage) -> Seen:
    answer = stage.ehr(stage.known).get(f"{stage.echo}/cds-services", headers={"X-Request-Id": "ehr-20261122:7"})
    assert answer.headers["X-Request-Id"] == "ehr-20261122:7" == dict(answer.json()["headers"])["X-Request-Id"]
    answer = stage.ehr(stage.known).post(stage.url + SERVICE, PATIENT, headers={**JSON, "X-Request-Id": "ehr-20261122:8"})
    assert answer.headers["X-Request-Id"] == "ehr-20261122:8"
    return Seen(answer.status_code, "passed to the service, and back")


@case("a request id that is none", 200)
def misidentified(stage: Stage) -> Seen:
    answer = stage.ehr().get(f"{stage.echo}/cds-services", headers={"X-Request-Id": 'x" onload="1'})
    given = answer.headers["X-Request-Id"]
    assert given == dict(answer.json()["headers"])["X-Request-Id"]
    assert len(given) == 32
    return Seen(answer.status_code, "replaced by another")


@case("a body of 10 MiB and a byte", 413)
def large(stage: Stage) -> Seen:
    return refusal(stage.ehr(stage.known).post(stage.url + SERVICE, b" " * (10 * MEBIBYTE + 1), headers=JSON))


@case("the same in chunks", 413)
def large_in_chunks(stage: Stage) -> Seen:
    chunks = (b" " * MEBIBYTE for _ in range(11))
    with secured(stage.port, stage.authority, stage.known) as connection:
        connection.sendall(head(SERVICE, "Transfer-Encoding: chunked"))
        try:
            for chunk in chunks:
                connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        except OSError:  # it has seen enough
            pass
        return told(connection)


@case("a body of 9 MiB", 200)
def largest(stage: Stage) -> Seen:
    body = PATIENT[:-1] + b" " * (9 * MEBIBYTE) + b"}"
    answer = stage.ehr(stage.known).post(stage.url + SERVICE, body, headers=JSON)
    assert stage.on_disk() == ""
    return Seen(answer.status_code, f"{len(answer.json()['cards'])} cards; nothing of it was on the gateway's disk")


@case("a call in chunks", 200)
def chunked(stage: Stage) -> Seen:
    halves = PATIENT[:100], PATIENT[100:]
    answer = stage.ehr(stage.known).post(stage.url + SERVICE, iter(halves), headers=JSON)
    echoed = dict(stage.ehr().post(stage.echo + SERVICE, iter(halves), headers=JSON).json()["headers"])
    assert echoed["Content-Length"] == str(len(PATIENT))
    return Seen(answer.status_code, "the service is told its length")


@case("a slow client, and others meanwhile", 200)
def slow(stage: Stage) -> Seen:
    with secured(stage.port, stage.authority, stage.known) as connection, stage.ehr(stage.known) as ehr:
        connection.sendall(head(SERVICE, f"Content-Length: {len(PATIENT)}") + PATIENT[:500])
        ehr.get(f"{stage.url}/healthz")
        took = 0.0
        for _ in range(20):
            started = time.perf_counter()
            assert ehr.post(stage.url + SERVICE, PATIENT, headers=JSON).status_code == 200
            took = max(took, time.perf_counter() - started)
        assert took < 2  # the worker's own patience is five seconds
        connection.sendall(PATIENT[500:])
        return Seen(told(connection).status, f"20 others waited at most {took * 1000:.0f} ms, for the one worker there is")


@case("headers that never end", 0)
def trickling(stage: Stage) -> Seen:
    started = time.monotonic()
    with secured(stage.port, stage.authority) as connection:
        connection.sendall(b"POST /cds-services HTTP/1.1\r\nHost: a\r\n")
        gone = connection.recv(1) == b""
        return Seen(0 if gone else 1, f"hung up after {time.monotonic() - started:.0f} s")


@case("length and chunks at once", 400)
def smuggled(stage: Stage) -> Seen:
    with secured(stage.port, stage.authority, stage.known) as connection:
        connection.sendall(
            head(SERVICE, "Content-Length: 5\r\nTransfer-Encoding: chunked") + b"0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"
        )
        return told(connection)


@case("headers of 64 KiB", 431)
def long_headers(stage: Stage) -> Seen:
    return refusal(stage.ehr().get(f"{stage.url}/cds-services", headers={"X-Long": "a" * 65_536}))


@case("methods, lengths and versions that it does not know", 405)
def unknown_to_it(stage: Stage) -> Seen:
    asked = {
        "TRACE /cds-services HTTP/1.1\r\nHost: a\r\n": 405,
        "POST /cds-services HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n": 501,
        "GET /cds-services HTTP/2.0\r\nHost: a\r\n": 505,
        "GET /cds-services HTTP/1.1\r\n": 400,
        f"GET /{'a' * 9_000} HTTP/1.1\r\nHost: a\r\n": 414,
    }
    for text, status in asked.items():
        with secured(stage.port, stage.authority, stage.known) as connection:
            connection.sendall(f"{text}Connection: close\r\n\r\n".encode())
            assert told(connection).status == status, text[:40]
    return Seen(405, "an OperationOutcome for each of 405, 501, 505, 400, 414")


@case("a browser's preflight", 200)
def preflight(stage: Stage) -> Seen:
    asked = {"Origin": "https://ehr.hospital.example", "Access-Control-Request-Method": "POST"}
    line = stage.ehr().options(stage.echo + SERVICE, headers=asked).json()
    assert asked.items() <= dict(line["headers"]).items()
    return Seen(200, f"passed to the service, without a certificate: {line['line']}")


@case("what cards say, to somebody who takes gzip", 200)
def unpacked(stage: Stage) -> Seen:
    answer = stage.ehr(stage.known).post(stage.url + SERVICE, PATIENT, headers={**JSON, "Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    return Seen(answer.status_code, "sent as it is: its length does not tell what an answer has in common with a guess")


HIDDEN = ("/metrics", "/readyz", "/workbench", "/workbench/", "/", "/static/x.js")
DETOURS = (
    "//metrics",
    "/metrics/",
    "/%6detrics",
    "/metrics?x",
    "/metrics;x",
    "/cds-services/../metrics",
    "/cds-services/%2e%2e/metrics",
    "/cds-services/..%2fmetrics",
    "/cds-services//..//metrics",
    "/./metrics",
    "https://localhost/metrics",
)


@case("/metrics, /readyz, /workbench, and what else is inside", 404)
def hidden(stage: Stage) -> Seen:
    seen = {refusal(stage.ehr(stage.known).get(stage.url + path)) for path in HIDDEN}
    assert len(seen) == 1
    return seen.pop()


@case("/metrics by detours", 404)
def detours(stage: Stage) -> Seen:
    for path in DETOURS:
        with secured(stage.port, stage.authority, stage.known) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert told(connection).status == 404, path
    return Seen(404, f"{len(DETOURS)} spellings")


@case("a path with a slash too many, which the service answers", 200)
def slashes(stage: Stage) -> Seen:
    answer = stage.ehr(stage.known).post(f"{stage.url}/cds-services//b12-bone-health/", PATIENT, headers=JSON)
    return Seen(answer.status_code, "passed as it was written")


@case("a refusal of the service", 415)
def refused(stage: Stage) -> Seen:
    return refusal(stage.ehr(stage.known).post(stage.url + SERVICE, PATIENT, headers={"Content-Type": "text/plain"}))


@case("the rulebook", 200)
def rulebook(stage: Stage) -> Seen:
    answer = stage.ehr().get(f"{stage.url}/rulebook")
    assert stage.on_disk() == ""
    plain = {"Accept-Encoding": "identity"}
    assert stage.ehr().get(f"{stage.url}/rulebook", headers=plain).content == answer.content
    assert dict(stage.ehr().get(f"{stage.echo}/rulebook", headers=plain).json()["headers"])["Accept-Encoding"] == "gzip"
    return Seen(answer.status_code, f"{len(answer.content) // 1024} KiB, {answer.headers.get('Content-Encoding', 'plain')}")


@case("400 calls in one go from one address", 429)
def rushed(stage: Stage) -> Seen:
    def call(_: int) -> requests.Response:
        return stage.ehr(address="127.0.0.8").get(f"{stage.echo}/cds-services")

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(call, number) for number in range(400)]
        calls[250].result()
        looks = [stage.ehr(address="127.0.0.8").get(f"{stage.echo}/healthz").status_code for _ in range(5)]
    answers = [one.result() for one in calls]
    late = [answer for answer in answers if answer.status_code == 429]
    answered = len(answers) - len(late)
    assert answered > 100, "a burst of a hundred is let through"
    assert set(looks) == {200}, "who looks whether it lives is told, whoever calls from its address"
    assert all(answer.headers["Retry-After"] == "1" for answer in late)
    assert stage.ehr(address="127.0.0.10").get(f"{stage.echo}/cds-services").status_code == 200
    return Seen(refusal(late[0]).status, f"{answered} answered, {len(late)} told to come again; others notice nothing")


@case("one of two services is gone", 200)
def one_left(stage: Stage) -> Seen:
    statuses = [stage.ehr().post(stage.one_left + SERVICE, PATIENT, headers=JSON).status_code for _ in range(6)]
    return Seen(max(statuses), f"{len(statuses)} of {len(statuses)} calls answered by the other")


@case("one of two services ends while it answers", 200)
def one_ending(stage: Stage) -> Seen:
    statuses = [stage.ehr().post(stage.one_ending + SERVICE, PATIENT, headers=JSON).status_code for _ in range(6)]
    log = (stage.folder / "ending" / "access.log").read_text()
    assert any(", " in json.loads(line)["upstream"] for line in log.splitlines()), "it was asked"
    return Seen(max(statuses), f"{len(statuses)} of {len(statuses)} calls answered by the other")


@case("the service is gone", 502)
def none_left(stage: Stage) -> Seen:
    answer = stage.ehr().post(stage.none_left + SERVICE, PATIENT, headers=JSON)
    assert answer.headers["Retry-After"] == "5"
    return refusal(answer)


@case("the gateway's log", 200)
def logged(stage: Stage) -> Seen:
    asked = {"X-Request-Id": "logged-0001", "Authorization": "Bearer secret-word"}
    stage.ehr(stage.known).get(f"{stage.url}/rulebook?patient=secret-word", headers=asked)
    time.sleep(0.2)
    text = (stage.folder / "real" / "access.log").read_text()
    (line,) = (entry for entry in map(json.loads, text.splitlines()) if entry["request"] == "logged-0001")
    stage.ehr().get(f"{stage.none_left}/rulebook?patient=secret-word", headers={"Referer": "https://ehr/?patient=secret-word"})
    assert "secret-word" in (stage.folder / "none" / "all.log").read_text(), "nginx would quote it"
    assert "secret-word" not in text + (stage.folder / "none" / "error.log").read_text()
    assert (line["path"], line["certificate"], line["client"]) == ("/rulebook", SUBJECT, "127.0.0.1")
    return Seen(
        int(line["status"]), "JSON with request id and certificate; no query, no header, no body; none in the log of errors"
    )


def head(path: str, more: str) -> bytes:
    """The head of a POST."""
    lines = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n{more}\r\n\r\n"
    return lines.encode()


def told(connection: ssl.SSLSocket) -> Seen:
    """What came back on a bare connection."""
    content = b""
    while more := connection.recv(65_536):
        content += more
    lines, _, body = content.partition(b"\r\n\r\n")
    status = int(lines.split(b" ", 2)[1])
    issue: dict[str, Any] = json.loads(body).get("issue", [{}])[0] if status >= 400 else {}
    return Seen(status, f"{issue['code']}: {issue['details']['text']}" if issue else "answered")


def main() -> int:
    """Try everything, print a table; 1 where something did not come back as it must."""
    table = Table("case", "status", "what happened", title="The gateway in front of the service")
    good = True
    with staged() as stage:
        for name, (status, function) in CASES.items():
            try:
                seen = function(stage)
            except (AssertionError, requests.RequestException, OSError) as error:
                seen = Seen(-1, f"{type(error).__name__}: {error}")
            good &= seen.status == status
            table.add_row(name, f"{seen.status or 'none'}", seen.words, style=None if seen.status == status else "bold red")
    Console(width=170).print(table)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
