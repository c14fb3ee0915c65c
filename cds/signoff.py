"""What must hold between the signed and the coded half before a service starts. Every message names the place and the mend."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from cds.advice import Advice
from cds.chart import Measurement, Patient
from cds.content import Library
from cds.facts.doses import Dose
from cds.knowledge import SUMMARY_LIMIT, Words
from cds.leaves import Leaf
from cds.signed import LANGUAGES, Language
from cds.wording import MARKS, Wording, placeholders


WIDEST_DOSE = "1,000-2,000‡ µg a day (1,000 preferred)"
WIDEST_NUMBER = "100,000"


def check(library: Library) -> None:
    """Raises ValueError with every fault found, one to a line."""
    faults = [
        *_rules_and_words(library),
        *_docstrings(library),
        *_citations(library),
        *_concepts(library),
        *_numbers(library),
        *_silent(library),
        *_attributes(library),
        *(fault for rule in library.rules if rule in library.graph.place for fault in _templates(library, rule)),
    ]
    if faults:
        raise ValueError("\n".join(faults))


def rules_of(library: Library) -> frozenset[str]:
    """The functions that may return Advice."""
    return frozenset(step.name for step in library.graph.steps if step.type == Advice | None)


def _rules_and_words(library: Library) -> Iterator[str]:
    coded, signed = rules_of(library), frozenset(library.rules)
    for rule in sorted(coded - signed):
        yield f"rule {rule}: has no words; add it under `rules:` in the YAML beside its module"
    for rule in sorted(signed - coded):
        yield f"rule {rule}: has words but no function that returns Advice | None; remove one or write the other"
    scopes = _literal_members(library.graph.types["scope"])
    topics = [words.topic for words in library.rules.values()]
    for topic in sorted({topic for topic in topics if topics.count(topic) > 1}):
        yield f"topic {topic}: two rules speak about it; one clinical question gets one card"
    for rule, words in library.rules.items():
        for scope in words.scopes:
            if scope not in scopes:
                yield f"rule {rule}: {scope!r} is no scope; use {', '.join(scopes)}"
        for reason in words.overrides:
            for language, standing in library.words.items():
                if reason not in standing.overrides:
                    yield f"rule {rule}: override {reason!r} is not in words.{language}.yaml"


def _docstrings(library: Library) -> Iterator[str]:
    coded = {(step.function.__module__, step.name) for step in library.graph.steps}
    said = {(module, name) for module, told in library.docstrings.items() for name in told.means}
    for module, name in sorted(coded - said):
        yield f"{module}: {name} has no Chinese meaning; put what its docstring says under `zh-CN: means:` in the YAML beside it"
    for module, name in sorted(said - coded):
        yield f"{module}: {name} has a Chinese meaning but is no fact or rule of this module; remove it or mend the name"


def _citations(library: Library) -> Iterator[str]:
    cited = [(f"parameter {name}", value.cite) for name, p in library.parameters.items() for value in p.values.values()]
    cited += [(f"rule {r}, advice {k}", a.cite) for r, rule in library.rules.items() for k, a in rule.advice.items()]
    cited += [(f"rule {r}, note {k}", n.cite) for r, rule in library.rules.items() for k, n in rule.notes.items()]
    for where, citations in cited:
        for citation in citations:
            if citation not in library.references:
                yield f"{where}: cites {citation!r}, which is not in references.yaml"
    for unused in sorted(library.references.keys() - {citation for _, citations in cited for citation in citations}):
        yield f"references.yaml: {unused!r} is cited nowhere; remove it"
    for name, value_set in library.value_sets.items():
        for code in value_set.codes:
            if code.source not in library.code_sources:
                yield f"value set {name}, code {code.code}: source {code.source!r} is not in valuesets/sources.yaml"


def _concepts(library: Library) -> Iterator[str]:
    leaves = [source for source in library.sources.values() if isinstance(source, Leaf)]
    read = {leaf.concept: leaf for leaf in leaves}
    if len(read) < len(leaves):
        yield "leaves: two of them read the same value set; import the one where the other is needed"
    for concept, leaf in read.items():
        if concept not in library.value_sets:
            yield f"leaf on {concept!r}: no value set has this name"
        elif library.value_sets[concept].kind != leaf.kind:
            yield f"leaf on {concept!r}: is read as a {leaf.kind}, but the value set is a {library.value_sets[concept].kind}"
    for name, value_set in library.value_sets.items():
        for other in value_set.instead_of:
            if other not in library.value_sets:
                yield f"value set {name}: instead_of names {other!r}, which is no value set"
        for answer in (*value_set.positive, *value_set.negative):
            if answer not in library.value_sets:
                yield f"value set {name}: the answer {answer!r} is no value set"
        if value_set.kind not in ("route", "answer") and name not in read and not value_set.instead_of:
            yield f"value set {name}: no leaf reads it; remove the file or declare the leaf"


def _numbers(library: Library) -> Iterator[str]:
    used = {name for step in library.graph.steps for name in library.graph.inputs(step.name)}
    for name in library.parameters:
        if name not in used:
            yield f"parameter {name}: no fact and no rule uses it; remove it"
    for name, number in (library.site.parameters if library.site else {}).items():
        if name not in library.parameters:
            yield f"site policy, {name}: there is no such parameter"
            continue
        allowed = library.parameters[name].sites_may_set
        if allowed is None:
            yield f"site policy, {name}: no site may set this number"
        elif not allowed[0] <= number.value <= allowed[1]:
            yield f"site policy, {name}: {number.value} lies outside the allowed {allowed[0]:g} to {allowed[1]:g}"


def _silent(library: Library) -> Iterator[str]:
    for rule in sorted(library.silent):
        if rule not in library.rules:
            yield f"site policy, silent: {rule!r} is no rule; `cobalamin rulebook` names them"
        elif library.rules[rule].safety_critical:
            yield f"site policy, silent: {rule} keeps patients from harm and is never silent; a client as a whole may be"


def _attributes(library: Library) -> Iterator[str]:
    for element, entry in library.attributes.elements.items():
        for attribute in entry.patient:
            if attribute not in Patient.__struct_fields__:
                yield f"attributes.yaml, {element}: {attribute!r} is no attribute of a patient"
        for concept in entry.value_sets:
            if concept not in library.value_sets:
                yield f"attributes.yaml, {element}: {concept!r} is no value set"


def _templates(library: Library, rule: str) -> Iterator[str]:
    words = library.rules[rule]
    known = library.graph.ancestors(rule)
    templates = [
        (f"advice {key}", text)
        for key, advice in words.advice.items()
        for said in (advice.en, advice.zh)
        for text in (said.summary, said.finding, said.rule, said.limits or "")
    ]
    templates += [(f"note {key}", text) for key, note in words.notes.items() for text in (note.en, note.zh)]
    asked = [(key, _asked(advice.en), _asked(advice.zh)) for key, advice in words.advice.items()]
    asked += [(key, placeholders(note.en), placeholders(note.zh)) for key, note in words.notes.items()]
    for key, english, chinese in asked:
        if english != chinese:
            odd = ", ".join(sorted(english ^ chinese))
            yield f"rule {rule}, {key}: the languages do not use the same placeholders: {odd}"
    for where, template in templates:
        for name in sorted(placeholders(template) - known):
            yield f"rule {rule}, {where}: {{{name}}} is no fact or number this rule stands on"
    for name in sorted({n for _, template in templates for n in placeholders(template)} & known):
        for member in _literal_members(library.graph.types[name]):
            if member not in library.labels.get(name, {}):
                yield f"rule {rule}: {{{name}}} can be {member!r}, for which `labels:` has no words"
    for key, advice in words.advice.items():
        for language in LANGUAGES:
            yield from _summary(library, f"rule {rule}, advice {key}, {language}", advice[language].summary, language)


def _asked(said: Words) -> frozenset[str]:
    return frozenset().union(*map(placeholders, (said.summary, said.finding, said.rule, said.limits or "")))


def _summary(library: Library, where: str, summary: str, language: Language) -> Iterator[str]:
    widest = {name: _widest(library, name, language) for name in placeholders(summary) if name in library.graph.place}
    for name, text in widest.items():
        if text is None:
            yield f"{where}: {{{name}}} has no bounded width; keep it out of the summary"
    width = len(summary.format_map({name: widest.get(name) or "" for name in placeholders(summary)}))
    if width >= SUMMARY_LIMIT:
        yield f"{where}: the summary may grow to {width} characters; stay under {SUMMARY_LIMIT}"


def _widest(library: Library, name: str, language: Language) -> str | None:
    """The widest text a placeholder can become; None where it may become anything."""
    if name in library.parameters:
        parameter, wording = library.parameters[name], Wording(library, language)
        candidates = [value.value for value in parameter.values.values()] + list(parameter.sites_may_set or ())
        return max((wording.amount(v, parameter.unit) + MARKS.get(parameter.checked, "") for v in candidates), key=len)
    kind = library.graph.types.get(name)
    members = typing.get_args(kind) if not isinstance(kind, type) else (kind,)
    if Measurement in members:
        return _widest_measurement(library, name)
    if Dose in members:
        return WIDEST_DOSE
    if {int, float} & set(members):
        return WIDEST_NUMBER
    if name in library.labels:
        return max((label[language] for label in library.labels[name].values()), key=len)
    return None


def _widest_measurement(library: Library, name: str) -> str:
    """The widest result of the analytes a fact is read from: longest number, longest unit, longest qualifier, a full date."""
    leaves = [library.sources[source] for source in library.graph.ancestors(name) if source in library.sources]
    read = [library.value_sets[leaf.concept] for leaf in leaves if isinstance(leaf, Leaf) and leaf.kind == "measurement"]
    unit = max((entry.unit for value_set in read for entry in value_set.units), key=len)
    qualifier = max((f"{value_set.qualifier.en}, " for value_set in read if value_set.qualifier), key=len, default="")
    return f"<={WIDEST_NUMBER} {unit} ({qualifier}2026-12-31)"


def _literal_members(kind: object) -> tuple[str, ...]:
    members = typing.get_args(kind)
    return tuple(m for m in members if isinstance(m, str)) if typing.get_origin(kind) is typing.Literal else ()
