"""The application: builds the library, the services and the routes. The only place that knows what a deployment may set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from sqlite3 import Error

from flask import Flask

from cds.library import KnowledgeError, load
from hooks.calls import Attention, Calls, Record, Wsgi
from hooks.clientfiles import client
from hooks.desks import Desks
from hooks.edge.config import Cors, Proxies, Rates
from hooks.edge.cors import Browsers
from hooks.edge.proxies import BehindProxies
from hooks.engine import Engine
from hooks.feedback.config import FeedbackConfig
from hooks.openapi.document import Document
from hooks.operation.config import OperationConfig
from hooks.operation.envelope import Envelope
from hooks.operation.mounting import Operation
from hooks.operation.readiness import Check
from hooks.pages import Pages
from hooks.profiles import Profile
from hooks.routes import add_routes
from hooks.serviceids import by_id, renamed
from hooks.services import SERVICES
from hooks.trust.gate import Certificates, Door, Gate
from hooks.trust.replay import Replays
from hooks.wire import require_web_address


_LOG = logging.getLogger("cobalamin")

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Config:
    """What a deployment may set. The defaults are the development configuration.

    `site`: a site policy file. `base_url`: where clinicians reach the service, for links on cards to the rulebook; without it a
    card links to its source. `clients`: who calls, each a shipped client by name or a file; none means anybody by the standard.
    `body_limit`: the largest request body in bytes. `today`: the day decisions are made on, instead of that of the clock. `gate`:
    who may call; None leaves it to the clients: where one has issuers of tokens, everybody must send one that is remembered in
    `used_tokens`, unless the deployment is `open`. `ids`: other ids for services, by hook; order-select and
    order-sign under one id lets clients replace the cards of the one by those of the other, but some keep one hook for each id.
    `feedback`: where cards and feedback are kept; None keeps neither, and there is no feedback endpoint then. `operation`: what
    is recorded, counted and logged of calls. `proxies`: the gateways in front, without whom nothing is answered; None believes
    nobody's headers. `cors`: the web pages that may call; None: none. `rates`: how often somebody may; None: at will.
    `workbench`: whether there is the page for development, which answers on this machine only, and not beside gateways or tokens.
    """

    site: Path | None = None
    base_url: str | None = None
    clients: tuple[str, ...] = ()
    body_limit: int = 10 * MEBIBYTE
    today: Callable[[], date] | None = None
    gate: Gate | None = None
    open: bool = False
    used_tokens: Path | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    feedback: FeedbackConfig | None = None
    operation: OperationConfig = field(default_factory=OperationConfig)
    proxies: Proxies | None = None
    cors: Cors | None = None
    rates: Rates | None = None
    workbench: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a base URL that is none: a link that leads nowhere must not stand on a card."""
        if self.base_url is not None:
            require_web_address(self.base_url)
            if {"?", "#"}.intersection(self.base_url):
                raise ValueError(f"{self.base_url!r} is not an absolute URL that a path can be added to")


def create_app(config: Config | None = None) -> Flask:
    """The WSGI application. Raises KnowledgeError or GraphError where knowledge or clients do not fit together."""
    config = config or Config()
    library = load(config.site)
    app = Flask("hooks", static_folder=None)
    clients = [client(name_or_file, library) for name_or_file in config.clients]
    for known in clients:
        if known.development:
            _LOG.warning("client %s is for development only; its calls prove nothing about who sent them", known.name)
    gate = config.gate or _gate(config, clients)
    desks = Desks(library, clients, config.base_url)
    services = renamed(SERVICES, config.ids)
    engines = [Engine(library, service, desks) for service in services]
    app.config.update(GATE=gate, CLIENTS=clients, ENGINES=engines)
    door = _door(config, gate)
    document = Document(engines, gate, config.base_url, config.feedback is not None, config.operation.metrics, _refusals(config))
    add_routes(app, engines, Pages(library, services), config.today or date.today, lambda: document.reply)
    operation = Operation(config.operation, library.version, gate)
    behind: Wsgi = app.wsgi_app
    record: Record | None = None
    attention: Attention | None = None
    needed: dict[str, Check] = {}
    useful: dict[str, Check] = {}
    if config.feedback is not None:
        from hooks.feedback.mounting import Kept  # SQLAlchemy takes its time, and few commands need it

        kept = Kept(config.feedback, behind, services, library, clients, door)
        behind, record, attention = kept.endpoint, kept.record, kept.attention
        needed["spool"], useful["feedback"] = kept.spool.check, kept.store.check
    operation.add_routes(app, needed, useful)
    if config.workbench:
        if gate is not None or config.open or config.proxies is not None:
            raise KnowledgeError(
                "the workbench is for development, not where tokens are asked for, behind a gateway or open to all"
            )
        from hooks.workbench.bench import Bench  # a deployment has nothing to do with it
        from hooks.workbench.clients import offered
        from hooks.workbench.routes import workbench

        bench = Bench(library, services, offered(clients, library), config.today, config.base_url, record, config.body_limit)
        app.register_blueprint(workbench(bench))
    calls = Calls(behind, by_id(engines), config.today, config.body_limit, door, record, operation.watch, attention)
    inside: Wsgi = calls
    if config.workbench:
        from hooks.workbench.here import Here

        inside = Here(calls)
    https = (config.base_url or "").lower().startswith("https://")
    app.wsgi_app = Envelope(_behind_edge(config, inside), https)  # type: ignore[method-assign]  # as Flask's manual does
    return app


def _behind_edge(config: Config, inside: Wsgi) -> Wsgi:
    """What gateways and browsers need, around everything else: a page that is refused must be able to read that."""
    if config.proxies is not None:
        inside = BehindProxies(inside, config.proxies)
    return inside if config.cors is None else Browsers(inside, config.cors)


def _refusals(config: Config) -> tuple[int, ...]:
    """How callers may be refused at the edge, whatever they ask."""
    return (*((403,) if config.proxies is not None else ()), *((429, 503) if config.rates is not None else ()))


def _door(config: Config, gate: Gate | None) -> Door | None:
    """Who may call, and how often. Raises KnowledgeError where calls could not be counted."""
    if config.rates is None:
        return gate
    from hooks.edge.rates import Limited  # the library takes its time, and few deployments need it

    try:
        return Limited(gate, config.rates)
    except Error as error:
        raise KnowledgeError(f"rate: {config.rates.file} cannot be written ({error}); name another file") from None


def _gate(config: Config, clients: Iterable[Profile]) -> Gate | None:
    """The gate that the clients ask for. Raises KnowledgeError where tokens could not be checked."""
    trusting = [known for known in clients if known.trust.iss]
    certified = [known for known in clients if known.trust.certificates]
    if config.open or not (trusting or certified):
        return None
    if trusting and (config.base_url is None or config.used_tokens is None):
        raise KnowledgeError(f"{trusting[0].name}: trust.iss: tokens name the address that is called; give --base-url")
    if certified and config.proxies is None:
        raise KnowledgeError(f"{certified[0].name}: trust.certificates: nobody is named who checks them; name the proxies")
    subjects = tuple(subject for known in certified for subject in known.trust.certificates)
    try:
        issuers = [issuer for known in trusting for issuer in known.trust.issuers(known.networks)]
        replays = Replays(config.used_tokens) if trusting and config.used_tokens is not None else None
        return Gate(config.base_url or "", issuers, _certificates(config.proxies, subjects), replays)
    except (ValueError, OSError, Error) as error:
        raise KnowledgeError(f"trust: {error}; mend the profile of the client, or the file that it names") from None


def _certificates(proxies: Proxies | None, subjects: tuple[str, ...]) -> Certificates | None:
    """Whose certificates are believed, and of whom."""
    if proxies is None or not subjects:
        return None
    return Certificates(proxies.networks, subjects, proxies.verified, proxies.subject)
