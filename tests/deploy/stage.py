"""The gateway of `deploy/` on this machine: a real nginx with our files, certificates of an authority of our own, and what is behind."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer, ThreadingTCPServer
from threading import Thread
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from requests.adapters import HTTPAdapter


DEPLOY = Path(__file__).parents[2] / "deploy"
SUBJECT = "CN=ehr,O=Hospital"
"""The client that the configurations of `deploy/` know."""
VOUCHED = {"X-Forwarded-Proto": "https", "X-Client-Verify": "SUCCESS", "X-Client-Subject": SUBJECT}
"""What the gateway says of its calls."""
_BODIES = "/dev/shm/cobalamin"  # noqa: S108 - where the gateway keeps them; here it is another place
_QUIET = "error_log /var/log/nginx/error.log crit;"
_MAIN = """
daemon off;
pid {folder}/pid;
error_log {folder}/main.log warn;
worker_processes 1;
events {{}}
http {{
    gzip on; # what others may have put here
    gzip_types *;
    gzip_min_length 1;
    gzip_proxied any;
    underscores_in_headers on;
    ignore_invalid_headers off;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/cobalamin.conf;
}}
"""


def nginx() -> str | None:
    """The program, if it is installed."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Authority:
    """A certificate authority that lives for one run."""

    def __init__(self, folder: Path, name: str) -> None:
        """`folder`: where certificates and keys are written."""
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.crt"
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        authority = x509.BasicConstraints(True, None)
        self._write(self.file, self._signed(self._name, self._key, [(authority, True), (usage, True)]))

    def issue(self, subject: str) -> tuple[str, str]:
        """Certificate and key for a subject as RFC 4514 writes it; for this machine, and for clients."""
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string(subject)
        places = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
        stem = self._folder / f"{self.file.stem}-{subject.partition(',')[0].partition('=')[2]}"
        files = stem.with_suffix(".crt"), stem.with_suffix(".key")
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        self._write(files[0], self._signed(name, key, [(places, False), (issuer, False)]))
        self._write(files[1], key)
        return str(files[0]), str(files[1])

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, extensions: list[tuple[x509.ExtensionType, bool]]
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=2)).not_valid_after(now + datetime.timedelta(days=2))
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())

    @staticmethod
    def _write(file: Path, content: x509.Certificate | ec.EllipticCurvePrivateKey) -> None:
        pem = serialization.Encoding.PEM
        if isinstance(content, x509.Certificate):
            file.write_bytes(content.public_bytes(pem))
        else:
            plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            file.write_bytes(content.private_bytes(pem, *plain))


@contextmanager
def running_gateway(folder: Path, tls: Mapping[str, str], *upstreams: int) -> Iterator[int]:
    """Nginx with the files of `deploy/nginx`, of which only places are changed; the port it listens on.

    `tls`: certificate, key and the file of the clients' authority. `upstreams`: ports of the service.
    """
    program, port = nginx(), free_port()
    assert program is not None
    folder.mkdir(parents=True)
    lines = (DEPLOY / "nginx" / "upstream.conf").read_text(encoding="utf-8")
    (server,) = (line for line in lines.splitlines() if line.startswith("server "))
    (folder / "upstream.conf").write_text("\n".join(server.replace(":8080", f":{upstream}") for upstream in upstreams))
    (folder / "tls.conf").write_text(
        (DEPLOY / "nginx" / "tls.conf")
        .read_text(encoding="utf-8")
        .replace("listen 8443", f"listen 127.0.0.1:{port}")
        .replace("# ssl_client_certificate", "ssl_client_certificate")
        .replace("# ssl_verify", "ssl_verify")
        .replace("/etc/nginx/cobalamin/tls/tls.crt", tls["certificate"])
        .replace("/etc/nginx/cobalamin/tls/tls.key", tls["key"])
        .replace("/etc/nginx/cobalamin/tls/clients.crt", tls["clients"])
    )
    gateway = (
        (DEPLOY / "nginx" / "cobalamin.conf")
        .read_text(encoding="utf-8")
        .replace("/etc/nginx/cobalamin", str(folder))
        .replace(_BODIES, f"{folder}/body")
        .replace(_QUIET, f"error_log {folder}/error.log crit;\n    error_log {folder}/all.log warn;")
        .replace("/var/log/nginx", str(folder))
    )
    (folder / "cobalamin.conf").write_text(gateway)
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    command = [program, "-e", str(folder / "main.log"), "-c", str(folder / "nginx.conf")]
    journal, ours = socket.socketpair()  # systemd hands it a socket, which cannot be opened anew
    with journal, ours:
        subprocess.run([*command, "-t", "-q"], stdout=ours.fileno(), check=True)
        with subprocess.Popen(command, stdout=ours.fileno()) as process:
            try:
                until_open(port, process)
                yield port
            finally:
                process.terminate()


def until_open(port: int, process: subprocess.Popen[bytes], patience_s: float = 60) -> None:
    """Wait until something listens."""
    deadline = time.monotonic() + patience_s
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


@contextmanager
def _serving(server: TCPServer) -> Iterator[int]:
    """A server of ours in a thread of this process; its port."""
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def running_echo() -> AbstractContextManager[int]:
    """What stands behind a gateway and answers every request with the headers it was sent; its port."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content = json.dumps({"line": self.requestline, "headers": self.headers.items()}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_OPTIONS = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return _serving(ThreadingHTTPServer(("127.0.0.1", 0), Echo))


def running_quitter() -> AbstractContextManager[int]:
    """What stands behind a gateway, reads every request and ends without a word, as a killed service does; its port."""

    class Quitter(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return _serving(ThreadingTCPServer(("127.0.0.1", 0), Quitter))


class _From(HTTPAdapter):
    """Connections from another loopback address: another caller."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, source_address=(self._address, 0))


def caller(
    authority: Path | None = None, certificate: tuple[str, str] | None = None, address: str = "127.0.0.1"
) -> requests.Session:
    """An HTTP client at an address, that trusts an authority and may have a certificate."""
    session = requests.Session()
    session.trust_env = False
    session.verify, session.cert = str(authority) if authority else True, certificate
    for scheme in ("https://", "http://"):
        session.mount(scheme, _From(address))
    return session


def secured(port: int, authority: Path, certificate: tuple[str, str] | None = None) -> ssl.SSLSocket:
    """A bare connection, for what no HTTP client would send."""
    context = ssl.create_default_context(cafile=str(authority))
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname="localhost")


@contextmanager
def running_service(folder: Path, configuration: str = "systemd", **environment: str) -> Iterator[int]:
    """The service with a configuration of `deploy/`, its state in a folder and one worker; its port."""
    with running_services(folder, 1, configuration, **environment) as (port,):
        yield port


@contextmanager
def running_services(folder: Path, number: int, configuration: str = "systemd", **environment: str) -> Iterator[list[int]]:
    """So many of them, each with a state of its own; they begin and end together."""
    ports = [free_port() for _ in range(number)]
    processes = [started(folder / str(port), port, configuration, **environment) for port in ports]
    try:
        for port, process in zip(ports, processes, strict=True):
            until_open(port, process)
        yield ports
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def started(folder: Path, port: int, configuration: str = "systemd", **environment: str) -> subprocess.Popen[bytes]:
    """The process of a service at a port, that may not listen yet."""
    target = folder / configuration
    shutil.copytree(DEPLOY / "clients", target / "clients", dirs_exist_ok=True)
    text = (DEPLOY / configuration / "cobalamin.yaml").read_text(encoding="utf-8").replace("/var/lib/cobalamin", str(target))
    text = re.sub("notice_s: .*", "notice_s: 0", text)  # nobody else has to notice
    (target / "cobalamin.yaml").write_text(text, encoding="utf-8")
    words = ["serve", "--config", str(target / "cobalamin.yaml"), "--port", str(port), "--workers", "1"]
    settings = {**os.environ, "COBALAMIN_SALT": "the-salt-of-the-tests", **environment}
    return subprocess.Popen([sys.executable, "-m", "hooks", *words], stderr=subprocess.DEVNULL, env=settings)
