"""What one client agrees with us, as a model: who it is, what its data mean, what it can show; docs/clients.md explains it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, model_validator

from cds.codes import SYSTEMS
from cds.knowledge import SUMMARY_LIMIT
from cds.signed import InBoth, Language, Name, Signed, Text
from hooks.fhir.access import Access, Dialect
from hooks.fhir.addresses import base, lies_under
from hooks.fhir.keys import KEYS, PATIENT_KEY
from hooks.fhir.local import Local
from hooks.networks import Network
from hooks.services import SERVICES
from hooks.trust.issuers import Algorithm, Issuer
from hooks.wire import require_web_address


OUR_KEYS = (PATIENT_KEY, *(key.name for key in KEYS))
OUR_HOOKS = tuple(service.hook for service in SERVICES)
OIDS = {name: uri for name, system in SYSTEMS.items() for uri in system.uris if uri.startswith("urn:oid:")}
"""The OID form of the URI of each of our coding systems that has one."""

_MEBIBYTE = 1024 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone this machine knows; write it as in Asia/Shanghai") from None
    return name


def _base(url: str) -> str:
    """A base as it is compared: without a slash at its end, scheme and host in small letters."""
    require_web_address(url)
    parts = urlsplit(url.rstrip("/"))
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{url!r} is no base that a path can be added to")
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl()


def _encrypted(base: str) -> str:
    if urlsplit(base).scheme != "https" and urlsplit(base).hostname not in _LOOPBACK:
        raise ValueError(f"{base} is not encrypted; write https, which only this machine itself may go without")
    return base


def _web_address(url: str) -> str:
    require_web_address(url)
    return url


def _network(value: Any) -> Network:
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{value!r} is no network; write an address, or one with its mask, as in 10.20.0.0/16") from None


def _one_of(known: tuple[str, ...], what: str) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name not in known:
            raise ValueError(f"{name!r} is no {what} of ours; choose from {', '.join(known)}")
        return name

    return check


def _written(value: Any) -> Any:
    """A code that YAML took for a number, as it was written."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Base = Annotated[Text, AfterValidator(_base), AfterValidator(_encrypted)]
WebAddress = Annotated[Text, AfterValidator(_web_address)]
OurKey = Annotated[Text, AfterValidator(_one_of(OUR_KEYS, "prefetch key"))]
OurHook = Annotated[Text, AfterValidator(_one_of(OUR_HOOKS, "hook"))]
OurSystem = Annotated[Text, AfterValidator(_one_of(tuple(OIDS), "coding system"))]
ListedNetwork = Annotated[Network, PlainValidator(_network), PlainSerializer(str)]
Value = Annotated[Text, BeforeValidator(_written)]
Mode = Annotated[Literal["off", "silent", "visible"], BeforeValidator(lambda value: "off" if value is False else value)]
"""YAML reads a bare `off` as false."""


class Trust(Signed):
    """How its calls are recognised as its own: by tokens of its issuers, or by certificates that a proxy has checked."""

    iss: tuple[Text, ...] = ()
    jwks_url: WebAddress | None = None
    jwks_file: Path | None = None
    key_urls: tuple[WebAddress, ...] = ()
    authority: Path | None = None
    algs: tuple[Algorithm, ...] = Field(default=("ES384", "RS384"), min_length=1)
    aud: tuple[Text, ...] = ()
    subjects: tuple[Text, ...] = ()
    tenants: tuple[Text, ...] = ()
    skew_s: int = Field(default=60, ge=0, le=300)
    lifetime_s: int = Field(default=3600, ge=60, le=86_400)
    once: bool = True
    certificates: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _issuers_have_keys(self) -> Trust:
        if self.iss and self._keys() is None:
            raise ValueError("iss needs the keys that prove it; give jwks_url, jwks_file or key_urls")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """By what its calls are recognised: its issuers, and the subjects of its certificates."""
        return (*self.iss, *self.certificates)

    def issuers(self, networks: tuple[Network, ...] = ()) -> list[Issuer]:
        """What tokens of this client must be like. Raises ValueError for an agreement that proves nothing."""
        if (keys := self._keys()) is None:
            return []
        agreed = (self.key_urls, self.algs, self.aud, self.tenants, self.subjects, self.skew_s, self.lifetime_s, self.once)
        authority = None if self.authority is None else str(self.authority)
        return [Issuer(iss, keys, *agreed, networks, authority) for iss in self.iss]

    def _keys(self) -> Path | str | None:
        """Where its keys are, for a token that does not say."""
        return self.jwks_file or self.jwks_url or next(iter(self.key_urls), None)


class Fhir(Signed):
    """Its FHIR servers: where they are, which searches they answer, and how much of them one call may ask.

    open: they answer without a token. authority: a PEM file with whom they trust, where that is not the usual ones.
    """

    bases: tuple[Base, ...] = ()
    dialect: Dialect = "generic"
    deadline_ms: int = Field(default=400, ge=50, le=10_000)
    pages: int = Field(default=10, ge=1, le=100)
    mebibytes: int = Field(default=10, ge=1, le=100)
    open: bool = False
    authority: Path | None = None


class Prefetch(Signed):
    """What it sends along: `aliases`: its keys with ours. `omit`: what its site sheet leaves out, as it has nothing to bring."""

    aliases: dict[Text, OurKey] = {}
    omit: tuple[OurKey, ...] = ()


class CardStyle(Signed):
    """What it can show, and what it does when a suggestion is accepted."""

    detail: Literal["markdown", "plain", "html"] = "markdown"
    detail_type: bool = False
    summary_max: int = Field(default=SUMMARY_LIMIT - 1, ge=40, lt=SUMMARY_LIMIT)
    links: bool = True
    actions: tuple[Literal["create", "update", "delete"], ...] = ("create", "update", "delete")
    one_action: bool = False
    selection: tuple[Literal["at-most-one", "any"], ...] = Field(default=("at-most-one", "any"), min_length=1)
    order_details: bool = True
    order_category: Literal["inpatient", "outpatient"] | None = None
    order_system: Text | None = None
    orders: dict[Text, Value] = {}
    oids: tuple[OurSystem, ...] = ()
    version: Literal[1, 2] = 2

    @model_validator(mode="after")
    def _orderables_have_a_system(self) -> CardStyle:
        if self.orders and self.order_system is None:
            raise ValueError("orders needs order_system, the system its codes belong to")
        return self


class Profile(Signed):
    """One client. What is left out is as the CDS Hooks specification has it."""

    name: Text
    means: InBoth[Text]
    development: bool = False
    mode: Mode = "visible"
    hooks: tuple[OurHook, ...] = OUR_HOOKS
    triggers: dict[Text, tuple[Value, ...]] = {}
    on_missing: Literal[412, "card"] = 412
    language: Language | None = None
    zone: Annotated[Text, AfterValidator(_zone)] | None = None
    networks: tuple[ListedNetwork, ...] = ()
    trust: Trust = Trust()
    fhir: Fhir = Fhir()
    prefetch: Prefetch = Prefetch()
    codes: dict[Text, dict[Text, Name]] = {}
    units: dict[Name, dict[str, Text]] = {}
    cards: CardStyle = CardStyle()
    override_reasons: dict[Text, Name] = {}
    limits: tuple[InBoth[Text], ...] = ()

    @property
    def time_zone(self) -> ZoneInfo | None:
        """Where its days begin; None: where ours do."""
        return None if self.zone is None else ZoneInfo(self.zone)

    def local(self) -> Local:
        """What its own codes, units and days mean."""
        codes = {(system, code): name for system, by_code in self.codes.items() for code, name in by_code.items()}
        return Local(codes, self.units, self.time_zone)

    def access(self) -> Access | None:
        """Where and how its FHIR server may be read; None where it named none."""
        fhir = self.fhir
        if not fhir.bases:
            return None
        return Access(
            fhir.bases,
            fhir.dialect,
            fhir.deadline_ms / 1000,
            fhir.pages,
            fhir.mebibytes * _MEBIBYTE,
            fhir.open,
            None if fhir.authority is None else str(fhir.authority),
            self.networks,
        )

    def serves(self, fhir_server: str) -> int:
        """How much of a FHIR server's address is this client's: the length of its longest base that it lies in, 0 for none."""
        server = base(fhir_server)
        under = [known for known in self.fhir.bases if (above := base(known)) is not None and lies_under(server, above)]
        return max(map(len, under), default=0)
