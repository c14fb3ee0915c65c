"""Every key of the configuration file: what it means, what may stand there, and what holds without it (docs/configuration.md)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field

from cds.signed import Signed, Text
from hooks.edge.config import ANYBODY
from hooks.profiles import ListedNetwork, OurHook, WebAddress
from hooks.serviceids import require_id


def _origin(text: str) -> str:
    """An origin as browsers send it."""
    if text != ANYBODY and not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", text):
        raise ValueError(f"{text!r} is no origin")
    return text


def _rate(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,8}/(second|minute|hour|day)", text):
        raise ValueError(f"{text!r} is no rate")
    return text


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", text):
        raise ValueError(f"{text!r} is no name of a header")
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%\[\]-]+", text):
        raise ValueError(f"{text!r} is no address and no name of a host")
    return text


def _extensible(text: str) -> str:
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{text!r} is not an absolute URL that a path can be added to")
    return text


def _id(text: str) -> str:
    require_id(text)
    return text


Origin = Annotated[Text, AfterValidator(_origin)]
Rate = Annotated[Text, AfterValidator(_rate)]
Header = Annotated[Text, AfterValidator(_header)]
Host = Annotated[Text, AfterValidator(_host)]
ServiceId = Annotated[Text, AfterValidator(_id)]
BaseUrl = Annotated[WebAddress, AfterValidator(_extensible)]


def key(default: Any, means: str, kind: str, example: str, **bounds: Any) -> Any:
    """A key: `kind` says what may stand there, `example` is one in YAML."""
    return Field(default=default, description=means, json_schema_extra={"kind": kind, "example": example}, **bounds)


class Section(Signed):
    """A part of the file. What is written there is taken as it is: "8080" in quotes is no number."""

    model_config = ConfigDict(strict=True)


class Server(Section):
    """Where and how the service runs."""

    host: Host = key("127.0.0.1", "the address to listen on", "an address or a name", "127.0.0.1")
    port: int = key(8080, "the port to listen on", "a whole number from 1 to 65535", "8080", ge=1, le=65535)
    workers: int = key(1, "processes; each answers one request at a time", "a whole number from 1 to 256", "2", ge=1, le=256)
    base_url: BaseUrl | None = key(
        None,
        "where clients and clinicians reach the service: tokens are addressed to it, and cards link to the rulebook there",
        "a URL by https",
        "https://cds.hospital.example",
    )
    body_mebibytes: int = key(10, "the largest request body", "a whole number from 1 to 100", "10", ge=1, le=100)
    deadline_s: int = key(
        20, "after so many seconds a request is answered with 503", "a whole number from 1 to 300", "20", ge=1, le=300
    )
    notice_s: int = key(
        0,
        "how many seconds calls are still taken after SIGTERM, while `/readyz` says 503; what is under way is answered anyhow",
        "a whole number from 0 to 300",
        "5",
        ge=0,
        le=300,
    )


class Proxies(Section):
    """The gateways in front of the service, which end TLS. Once one is named, calls are answered only through them, by https."""

    addresses: tuple[ListedNetwork, ...] = key(
        (), "their addresses; `X-Forwarded-Proto` and `X-Forwarded-For` of nobody else are believed", "a list of networks",
        "[10.1.0.7, 10.2.0.0/24]",
    )  # fmt: skip
    verified: Header = key(
        "X-Client-Verify",
        "the header in which they say SUCCESS of a client's certificate; they must set it on every request",
        "a name",
        "X-SSL-Verify",
    )
    subject: Header = key(
        "X-Client-Subject",
        "the header with the distinguished name of that certificate (`trust.certificates` of a client)",
        "a name",
        "X-SSL-Subject",
    )


class Cors(Section):
    """Web pages that may call from a browser. An EHR that calls from its server needs none."""

    origins: tuple[Origin, ...] = key(
        (),
        'the origins of these pages; `"*"`, anybody\'s, in development only',
        "a list of origins in small letters, without a path",
        "[https://ehr.hospital.example]",
    )


class Rates(Section):
    """How often the service may be called, counted over all workers of one machine from a first call on."""

    client: Rate | None = key(
        None,
        "calls of one client: of one issuer and tenant, of one certificate, or of one address; beyond it, 429",
        "a number per second, minute, hour or day",
        "600/minute",
    )
    service: Rate | None = key(
        None,
        "calls of all clients together; beyond it, 503",
        "a number per second, minute, hour or day",
        "200/second",
    )


class Trust(Section):
    """Whom the service answers. Who its clients are, and how they prove it, is in their profiles (docs/clients.md)."""

    open: bool = key(False, "answer anybody, on any address: for a gateway that authenticates callers", "true or false", "true")
    used_tokens: Path | None = key(
        None, "where used tokens are remembered; a temporary file without it, which a restart forgets", "a path", "used-tokens.db"
    )


class Feedback(Section):
    """Where cards and feedback on them are kept; nowhere without a store (docs/feedback.md)."""

    store: Text | None = key(
        None,
        "an SQLite file, or a PostgreSQL database; a URL with a password comes from `COBALAMIN_STORE` instead",
        "a path, or postgresql://USER@HOST/DATABASE",
        "feedback.db",
    )
    spool: Path | None = key(
        None, "a directory on a local disk in which cards wait for the store; beside an SQLite file without it", "a path", "spool"
    )
    retention_days: int = key(365, "what is older is deleted", "a whole number from 1 to 36500", "180", ge=1, le=36_500)


class Audit(Section):
    """A record of each call: who asked, which rules answered; people under pseudonyms, no clinical values."""

    file: Path | None = key(None, "the file to which records are appended, one JSON object per line", "a path", "audit.jsonl")


class Metrics(Section):
    """Counts and durations, without patients."""

    page: bool = key(False, "show `/metrics` to Prometheus; let the gateway keep it inside", "true or false", "true")


class Logs(Section):
    """What is logged, to standard error; never anything of a request."""

    level: Literal["debug", "info", "warning", "error"] = key(
        "warning", "from `info` on, each call is a line", "debug, info, warning or error", "info"
    )
    as_json: bool = key(False, "one JSON object per line", "true or false", "true")


class Deployment(Section):
    """The whole file."""

    development: bool = key(
        False,
        "for trying out, on this machine only: any web page may be let in, also into a private network",
        "true or false",
        "true",
    )
    site: Path | None = key(None, "the site policy with the hospital's own numbers", "a path", "policy.yaml")
    clients: tuple[Text, ...] = key(
        (), "who calls (docs/clients.md); none means anybody, by the standard", "a list of shipped names and of files", "[epic]"
    )
    ids: dict[OurHook, ServiceId] = key({}, "other ids for services, by hook", "a mapping of hooks to ids", "{patient-view: b12}")
    server: Server = Server()
    proxies: Proxies = Proxies()
    cors: Cors = Cors()
    rate: Rates = Rates()
    trust: Trust = Trust()
    feedback: Feedback = Feedback()
    audit: Audit = Audit()
    metrics: Metrics = Metrics()
    logs: Logs = Logs()
