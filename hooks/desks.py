"""Which client is calling, and everything that is kept ready for it: its reader, its words, its cards."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from cds.content import Library
from cds.library import KnowledgeError
from cds.signed import LANGUAGES, Language
from hooks.cards import CardWriter
from hooks.clientfiles import client
from hooks.fhir.keys import names_with
from hooks.fhir.reader import Reader
from hooks.profiles import CardStyle, Profile
from hooks.rendering import Renderer
from hooks.wire import Card, HookRequest


_LOG = logging.getLogger("cobalamin")


class Desk:
    """One client, served: what is agreed with it, made ready once."""

    def __init__(self, library: Library, profile: Profile, base_url: str | None = None) -> None:
        """`base_url`: where the service shows its rulebook, if it is known."""
        style = profile.cards
        self.profile = profile
        self.reader = Reader(library, profile.local())
        self.access = profile.access()
        self.names = names_with(profile.prefetch.aliases)
        self.language: Language = profile.language or library.language
        self.writers = {language: CardWriter(library, language, base_url, style.links) for language in LANGUAGES}
        own = {**dict(CardStyle()), "links": style.links} != dict(style)
        self._renderers = {language: Renderer(library, style, language) for language in LANGUAGES} if own else {}
        self._zone = profile.time_zone
        self._triggers = tuple((name, frozenset(values)) for name, values in profile.triggers.items())

    def today(self) -> date:
        """The day it is where the client is."""
        return datetime.now(self._zone).date()

    def rendered(self, cards: list[Card], language: Language) -> list[Card]:
        """The cards as this client can show them."""
        if not self._renderers:
            return cards
        renderer = self._renderers[language]
        return [renderer.card(card) for card in cards]

    def declines(self, request: HookRequest) -> str:
        """Why nothing need be evaluated; empty where it must be. A trigger that the request does not name is no reason."""
        if self.profile.mode == "off":
            return "is off"
        if self._triggers:
            extension = (request.model_extra or {}).get("extension")
            told = extension if isinstance(extension, dict) else {}
            if any(_is_another(told.get(name), wanted) for name, wanted in self._triggers):
                return "does not want this trigger"
        return ""


class Desks:
    """The clients of a deployment."""

    def __init__(self, library: Library, clients: Iterable[Profile] = (), base_url: str | None = None) -> None:
        """Without clients everybody is `generic`. Raises KnowledgeError where two of them could not be told apart."""
        profiles = list(clients)
        _tell_apart(profiles)
        self._desks = [Desk(library, profile, base_url) for profile in profiles]
        self._stranger = self._desks[0] if len(profiles) == 1 else Desk(library, client("generic", library), base_url)
        self.known = tuple(dict.fromkeys((*self._desks, self._stranger)))
        self._by_issuer: dict[str | None, Desk] = {name: desk for desk in self._desks for name in desk.profile.trust.names}
        baseless = [desk for desk in self._desks if not desk.profile.fhir.bases]
        self._serverless = baseless[0] if len(baseless) == 1 else self._stranger

    def of(self, request: HookRequest, iss: str | None = None) -> Desk:
        """The client whose token it is; else whose FHIR base the request names; else the only client there is, or `generic`.

        Where several are known, a request without a FHIR server is that of the only one without a base. What a token proves is
        not up to what the request says.
        """
        if iss in self._by_issuer:
            return self._by_issuer[iss]
        if len(self._desks) < 2:
            return self._stranger
        if request.fhirServer is None:
            return self._serverless
        served, desk = max(((desk.profile.serves(request.fhirServer), desk) for desk in self._desks), key=_first)
        if not served:
            _LOG.warning("a request names a FHIR server of none of the clients; it is answered as generic")
        return desk if served else self._stranger


def _is_another(told: Any, wanted: frozenset[str]) -> bool:
    """Does a request name a trigger, or several, and none that is wanted? What cannot be read as one silences nothing."""
    named = [str(one).strip() for one in (told if isinstance(told, list) else [told]) if isinstance(one, str | int)]
    return any(named) and wanted.isdisjoint(named)


def _first(pair: tuple[int, Desk]) -> int:
    return pair[0]


def _tell_apart(profiles: list[Profile]) -> None:
    """Raises KnowledgeError for two clients of one name, one issuer, or one base."""
    for place, profile in enumerate(profiles):
        for other in profiles[:place]:
            if profile.name == other.name:
                raise KnowledgeError(f"two clients are named {profile.name}; give one of them another `name`")
            if shared := set(profile.trust.names) & set(other.trust.names):
                raise KnowledgeError(f"trust: {', '.join(sorted(shared))} is {other.name} and {profile.name}; keep one")
            if shared := set(profile.fhir.bases) & set(other.fhir.bases):
                raise KnowledgeError(
                    f"fhir.bases: {', '.join(sorted(shared))} belongs to {other.name} and to {profile.name}; keep one"
                )
