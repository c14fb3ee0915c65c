"""What somebody at the hospital types into the EHR, derived from the profile, the services and the knowledge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cds.content import Library
from cds.library import read_yaml
from cds.signed import InBoth, Language, Name, Signed, Text
from hooks.cards import OVERRIDE_SYSTEM, TOPIC_SYSTEM
from hooks.clientfiles import orderables
from hooks.fhir.keys import KEYS, PATIENT_KEY, templates
from hooks.fhir.searches import BARE
from hooks.profiles import OUR_KEYS, Profile
from hooks.services import SERVICES, Service
from hooks.wire import NOT_CHECKED


_WORDS = Path(__file__).parent / "templates" / "sitesheet.yaml"

MARGIN_MS = 1000
"""Beside the FHIR queries an EHR should allow so much, for the way there and back and for a busy worker."""


class SheetWords(Signed):
    """The words of the sheet itself."""

    title: InBoth[Text]
    host: InBoth[Text]
    all: InBoth[Text]
    not_agreed: InBoth[Text]
    unmapped: InBoth[Text]
    yes: InBoth[Text]
    no: InBoth[Text]
    nothing: InBoth[Text]
    sections: dict[Name, InBoth[Text]]
    intros: dict[Name, InBoth[Text]]
    columns: dict[Name, InBoth[Text]]
    items: dict[Name, InBoth[Text]]
    modes: dict[Text, InBoth[Text]]
    missing: dict[Text, InBoth[Text]]


@dataclass(frozen=True)
class Section:
    """One table: its name, its columns by name, its rows, and what is said above it. `wide`: its last column needs a line."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    intro: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Sheet:
    """The whole sheet in one language."""

    library: Library
    profile: Profile
    language: Language
    base_url: str | None
    words: SheetWords = field(default_factory=lambda: read_yaml(_WORDS, SheetWords))

    @property
    def title(self) -> str:
        """Whose sheet it is."""
        return self.words.title[self.language].format(client=self.profile.name)

    def sections(self) -> list[Section]:
        """All tables in the order in which they are worked through."""
        return [
            self._about(),
            self._endpoints(),
            self._prefetch(),
            self._scopes(),
            self._jwt(),
            self._topics(),
            self._overrides(),
            *([self._orders()] if "create" in self.profile.cards.actions else []),
            self._links(),
            self._timeouts(),
            Section("limits", ("limit",), [(limit[self.language],) for limit in self.profile.limits]),
        ]

    @property
    def _services(self) -> list[Service]:
        return [service for service in SERVICES if service.hook in self.profile.hooks]

    @property
    def _base(self) -> str:
        return (self.base_url or self.words.host[self.language]).rstrip("/")

    def _about(self) -> Section:
        profile, words, language = self.profile, self.words, self.language
        nothing = words.not_agreed[language]
        triggers = "; ".join(f"{name}: {', '.join(values)}" for name, values in profile.triggers.items())
        said = {
            "client": profile.means[language],
            "mode": words.modes[profile.mode][language],
            "language": profile.language or self.library.language,
            "zone": profile.zone or nothing,
            "bases": self._listed(profile.fhir.bases),
            "triggers": triggers or words.all[language],
            "on_missing": words.missing[str(profile.on_missing)][language],
            "detail": profile.cards.detail,
            "actions": self._listed(profile.cards.actions, words.nothing[language]),
            "selection": self._listed(profile.cards.selection),
            "knowledge": self.library.version,
        }
        return Section("about", ("item", "value"), self._items(said))

    def _endpoints(self) -> Section:
        base, discovery = self._base, self.words.items["discovery"][self.language]
        rows = [(service.hook, f"{base}/cds-services/{service.id}") for service in self._services]
        return Section("endpoints", ("hook", "url"), [(discovery, f"{base}/cds-services"), *rows], self._intro("endpoints"))

    def _prefetch(self) -> Section:
        words, language = self.words, self.language
        hooks: dict[tuple[str, str], list[str]] = {}
        for service in self._services:
            for key, query in self._queries(service):
                hooks.setdefault((key, query), []).append(service.hook)
        needed = {PATIENT_KEY, *(key.name for key in KEYS if key.required)}
        in_order = sorted(hooks.items(), key=lambda row: OUR_KEYS.index(row[0][0]))
        rows = [
            (key, (words.yes if key in needed else words.no)[language], ", ".join(asking), query)
            for (key, query), asking in in_order
        ]
        return Section("prefetch", ("key", "needed", "hooks", "query"), rows, self._intro("prefetch"), wide=True)

    def _queries(self, service: Service) -> Iterator[tuple[str, str]]:
        """The prefetch of one service as this client's server answers it, its own codes of results among the others."""
        for key, query in templates(self.library, service.rules, self.profile.local()).items():
            if key in self.profile.prefetch.omit:
                continue
            search, marker, codes = query.partition("code=")
            if marker and self.profile.fhir.dialect in BARE:
                bare = [code.rpartition("|")[2] for code in codes.split(",")]
                query = f"{search}{marker}{','.join(bare)}"
            yield key, query

    def _scopes(self) -> Section:
        named = {PATIENT_KEY: "Patient"} | {key.name: key.brings.__name__ for key in KEYS}
        asked = {key for service in self._services for key, _ in self._queries(service)}
        kinds = [kind for key, kind in named.items() if key in asked]
        if "medications" in asked:
            kinds.append("Medication")  # what orders refer to
        return Section(
            "scopes",
            ("resource", "smart_v1", "smart_v2"),
            [(kind, f"user/{kind}.read", f"user/{kind}.rs") for kind in kinds],
            self._intro("scopes"),
        )

    def _jwt(self) -> Section:
        trust, called = self.profile.trust, [f"{self._base}/cds-services/{service.id}" for service in self._services]
        keys = trust.jwks_url or (trust.jwks_file.name if trust.jwks_file is not None else self.words.not_agreed[self.language])
        rows = [
            ("alg", self._listed(trust.algs)),
            ("iss", self._listed(trust.iss)),
            ("aud", self._listed(trust.aud or called)),
            ("sub", self._listed(trust.subjects)),
            ("tenant", self._listed(trust.tenants)),
            ("jku", self._listed(trust.key_urls)),
            ("jwks", keys),
        ]
        return Section("jwt", ("item", "value"), rows, self._intro("jwt"))

    def _topics(self) -> Section:
        rules = self.library.rules
        spoken = dict.fromkeys(rule for service in self._services for rule in service.rules)
        rows = {rules[rule].topic: rules[rule].title[self.language] for rule in spoken}
        if self.profile.on_missing == "card":
            rows[NOT_CHECKED] = self.library.words[self.language].unchecked["title"]
        return Section("topics", ("code", "words"), list(rows.items()), self._intro("topics", TOPIC_SYSTEM))

    def _overrides(self) -> Section:
        words = self.library.words[self.language].overrides
        return Section("overrides", ("code", "words"), list(words.items()), self._intro("overrides", OVERRIDE_SYSTEM))

    def _orders(self) -> Section:
        mapped, unmapped = self.profile.cards.orders, self.words.unmapped[self.language]
        rows = [(code, label, mapped.get(code, unmapped)) for code, label in orderables(self.library).items()]
        return Section("orders", ("ours", "words", "theirs"), rows, self._intro("orders"))

    def _links(self) -> Section:
        if not self.profile.cards.links:
            return Section("links", ("url",), [], self._intro("no_links"))
        rules = [self.library.rules[rule] for service in self._services for rule in service.rules]
        cited = {name for rule in rules for advice in rule.advice.values() for name in advice.cite}
        cited |= {name for rule in rules for note in rule.notes.values() for name in note.cite}
        urls = sorted({url for name in cited if (url := self.library.references[name].url) is not None})
        ours = [f"{self._base}/rulebook"] if self.base_url is not None else []
        return Section("links", ("url",), [(url,) for url in (*ours, *urls)], self._intro("links"))

    def _timeouts(self) -> Section:
        queries = self.profile.fhir.deadline_ms if self.profile.fhir.bases else 0
        said = {"queries_ms": f"{queries} ms", "wait_ms": f"{queries + MARGIN_MS} ms"}
        return Section("timeouts", ("item", "value"), self._items(said))

    def _items(self, said: dict[str, str]) -> list[tuple[str, ...]]:
        return [(self.words.items[name][self.language], value) for name, value in said.items()]

    def _intro(self, name: str, system: str = "") -> str:
        return self.words.intros[name][self.language].format(system=system)

    def _listed(self, values: Iterable[str], nothing: str | None = None) -> str:
        return ", ".join(values) or nothing or self.words.not_agreed[self.language]
