"""From a configuration to the application, and what is wrong where there is no way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from cds.graph import GraphError
from cds.library import KnowledgeError, load
from hooks.app import MEBIBYTE, Config, create_app
from hooks.clientfiles import ProfileError, client
from hooks.deployment.faults import DeploymentError, Fault, of_profile, of_sentence
from hooks.deployment.places import place_faults, shared_faults
from hooks.deployment.reading import ENVIRONMENT, Settled
from hooks.edge.config import ANYBODY, Cors, Proxies, Rates
from hooks.feedback.config import SHORTEST_SALT, FeedbackConfig, spool_folder, store_url
from hooks.feedback.options import SALT, STORE
from hooks.operation.config import OperationConfig
from hooks.profiles import Profile


MASK = "***"
_PASSWORDS = (re.compile(r"([?&](?:ssl)?password=)[^&]+"), re.compile(r"(://[^:/]*:).+(?=@)", re.DOTALL))


def is_loopback(host: str) -> bool:
    """Does nobody but this machine reach it?"""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def config_of(settled: Settled, folder: Path) -> Config:
    """What the application is told. `folder`: for what nobody gave a place, and what a restart may forget.

    Raises DeploymentError with everything that is wrong.
    """
    faults = [*settled.faults, *_cross_faults(settled)]
    if faults:
        raise DeploymentError([*faults, *_content_faults(settled)])
    deployment = settled.deployment
    server, trust, rate = deployment.server, deployment.trust, deployment.rate
    proxies, logs = deployment.proxies, deployment.logs
    return Config(
        site=deployment.site,
        base_url=server.base_url,
        clients=deployment.clients,
        body_limit=server.body_mebibytes * MEBIBYTE,
        open=trust.open,
        used_tokens=trust.used_tokens or folder / "used-tokens",
        ids=deployment.ids,
        feedback=_feedback(settled),
        operation=OperationConfig(deployment.audit.file, settled.salt, deployment.metrics.page, logs.as_json, logs.level),
        proxies=Proxies(proxies.addresses, proxies.verified, proxies.subject) if proxies.addresses else None,
        cors=Cors(frozenset(deployment.cors.origins), deployment.development) if deployment.cors.origins else None,
        rates=Rates(folder / "rates", rate.client, rate.service) if rate.client or rate.service else None,
    )


def check(settled: Settled, folder: Path) -> Config:
    """The configuration, once the application could be built of it. Store and tokens are not touched. Raises DeploymentError."""
    config = config_of(settled, folder)
    faults = [*_content_faults(settled), *place_faults(settled)]
    if not faults:
        faults = list(_start_faults(settled, config, folder))
    if faults:
        raise DeploymentError(faults)
    return config


def explained(settled: Settled, error: Exception) -> DeploymentError:
    """Why the application could not be built: all that is wrong, or, if nothing else is found, what stopped it."""
    return DeploymentError(list(_content_faults(settled)) or [of_sentence(settled.name, "", str(error.args[0]))])


def _feedback(settled: Settled) -> FeedbackConfig | None:
    kept = settled.deployment.feedback
    return FeedbackConfig(kept.store, settled.salt, kept.spool, kept.retention_days) if kept.store is not None else None


def _cross_faults(settled: Settled) -> Iterator[Fault]:
    """What one key says of another, as far as no other file has to be read."""
    deployment, name = settled.deployment, settled.name
    server, base_url = deployment.server, deployment.server.base_url
    if deployment.development and not is_loopback(server.host):
        yield Fault(name, "development", f"{server.host} is reached from elsewhere; listen on 127.0.0.1, or write false")
    if ANYBODY in deployment.cors.origins and not deployment.development:
        yield Fault(name, "cors.origins", 'lets any web page call; list the origins, or write "development: true"')
    if base_url is not None and not (deployment.development or _is_safe(base_url)):
        yield Fault(name, "server.base_url", f"{base_url} is not encrypted; write https")
    if any(network.prefixlen == 0 for network in deployment.proxies.addresses):
        yield Fault(name, "proxies.addresses", "every address there is would be believed; name those of the gateways")
    store = deployment.feedback.store
    if (store is not None or deployment.audit.file is not None) and len(settled.salt) < SHORTEST_SALT:
        yield Fault(ENVIRONMENT, SALT, f"is a secret of at least {SHORTEST_SALT} characters; `openssl rand -hex 32` makes one")
    faulty = list(_store_faults(settled, store)) if store is not None else []
    yield from faulty or shared_faults(settled)


def _store_faults(settled: Settled, store: str) -> Iterator[Fault]:
    """What is wrong with the words that name the store."""
    deployment, name = settled.deployment, settled.name
    if masked(store) != store and not settled.store_is_secret:
        yield Fault(name, "feedback.store", f"holds a password; put the URL into the environment, into {STORE}")
    try:
        url = store_url(store)
    except ValueError as error:
        yield Fault(name, "feedback.store", str(error))
        return
    try:
        spool_folder(url, deployment.feedback.spool)
    except ValueError as error:
        yield Fault(name, "feedback.spool", str(error))


def _content_faults(settled: Settled) -> Iterator[Fault]:
    """What is wrong in the files that are named: the site policy and the clients."""
    deployment = settled.deployment
    site = deployment.site
    if site is not None and not site.is_file():
        yield Fault(settled.name, "site", f"there is no file {site}; paths lie beside the configuration")
        site = None
    try:
        library = load(site)
    except (KnowledgeError, GraphError) as error:
        yield of_sentence(settled.name, "site", str(error.args[0]))
        library = load()
    for number, name in enumerate(deployment.clients):
        if Path(name).suffix and not Path(name).is_file():
            yield Fault(settled.name, f"clients.{number}", f"there is no file {name}; paths lie beside the configuration")
            continue
        try:
            yield from _client_faults(settled, client(name, library))
        except ProfileError as error:
            yield from of_profile(error)
        except KnowledgeError as error:
            yield of_sentence(settled.name, f"clients.{number}", str(error))


def _client_faults(settled: Settled, profile: Profile) -> Iterator[Fault]:
    deployment, trust = settled.deployment, profile.trust
    if profile.fhir.bases and profile.fhir.deadline_ms >= deployment.server.deadline_s * 1000:
        yield Fault(profile.name, "fhir.deadline_ms", "is no less than server.deadline_s; shorten the one, or lengthen the other")
    if trust.certificates and not (deployment.proxies.addresses or deployment.trust.open):
        yield Fault(settled.name, "proxies.addresses", f"nobody checks the certificates of {profile.name}; name the gateway")
    if trust.iss and deployment.server.base_url is None and not deployment.trust.open:
        yield Fault(settled.name, "server.base_url", f"is missing, and tokens of {profile.name} name it; write it")


def _start_faults(settled: Settled, config: Config, folder: Path) -> Iterator[Fault]:
    """What building the application finds: keys of issuers, clients that cannot be told apart."""
    try:
        app = create_app(replace(config, feedback=None, operation=OperationConfig(), used_tokens=folder / "used-tokens"))
    except (KnowledgeError, GraphError) as error:
        yield of_sentence(settled.name, "clients", str(error.args[0]))
    else:
        yield from exposed(settled, app)


def exposed(settled: Settled, app: Flask) -> Iterator[Fault]:
    """Who would be answered that must not be (SEC-02, SEC-41)."""
    deployment, host = settled.deployment, settled.deployment.server.host
    here = is_loopback(host)
    if app.config["GATE"] is None and not (here or deployment.trust.open):
        yield Fault(
            settled.name,
            "clients",
            f"{host} is reached from elsewhere, and no client has issuers of tokens (trust.iss); name one (--client), or say "
            "that a gateway in front authenticates callers (trust.open, --open)",
        )
    unproven = [known.name for known in app.config["CLIENTS"] if known.development]
    if unproven and not deployment.development and (deployment.proxies.addresses or not here):
        yield Fault(
            settled.name,
            "clients",
            f"{', '.join(unproven)}: a client for development proves nothing about its calls; it is served on this machine only, "
            'and through a gateway only with "development: true"',
        )


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme.lower() == "https" or is_loopback(parts.hostname or "")


def masked(store: str) -> str:
    """The URL of a store without the passwords in it, before the host or behind it, of whatever characters they are."""
    for password in _PASSWORDS:
        store = password.sub(rf"\g<1>{MASK}", store)
    return store
