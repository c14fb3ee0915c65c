"""The one door to files: reads facts, rules, value sets and site policy once, at start, and refuses whatever does not fit."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Container, Iterator, Mapping
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

import cds
import cds.facts
import cds.rules
from cds.concepts import ValueSet
from cds.content import Library
from cds.graph import Graph, Source
from cds.knowledge import NoteWords, Parameter, Reference, Rule, SitePolicy, SourceAttributes, StandingWords, Topic
from cds.leaves import GIVEN, Given, Leaf
from cds.signed import LANGUAGES
from cds.signoff import check


HERE = Path(__file__).parent

T = TypeVar("T")


class KnowledgeError(ValueError):
    """Something signed does not fit; the message names the file, the key and the mend."""


class _OneOfEach(yaml.CSafeLoader):
    """YAML where a key written twice is an error, and not the silent victory of the second."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise KnowledgeError(f"line {node.start_mark.line + 1}: {', '.join(twice)} is written twice; keep one")
        content = super().construct_mapping(node, deep)
        return {key.isoformat() if isinstance(key, date) else key: value for key, value in content.items()}


def read_yaml(path: Path, shape: type[T] | Any) -> T:
    """One YAML file as a knowledge model. Raises KnowledgeError naming file, key and fault."""
    validated: T = as_model(yaml_content(path), shape, path.name)
    return validated


def yaml_content(path: Path) -> Any:
    """What a YAML file holds. Raises KnowledgeError where it cannot be read, or is no YAML."""
    try:
        return yaml.load(path.read_bytes(), Loader=_OneOfEach)  # noqa: S506 - a SafeLoader that also refuses double keys
    except KnowledgeError as error:
        raise KnowledgeError(f"{path.name}: {error}") from None
    except yaml.MarkedYAMLError as error:
        where = f" from line {error.problem_mark.line + 1} on" if error.problem_mark is not None else ""
        raise KnowledgeError(
            f"{path.name}: is no YAML{where} ({error.problem}); look at brackets, colons, quotes, indents"
        ) from None
    except yaml.YAMLError:
        raise KnowledgeError(f"{path.name}: is no text in UTF-8; save it as such") from None
    except OSError as error:
        raise KnowledgeError(f"{path}: cannot be read ({error.strerror}); name an existing file") from None


def as_model(content: Any, shape: type[T] | Any, name: str) -> T:
    """Content as a knowledge model. Raises KnowledgeError naming the file it is from, key and fault."""
    try:
        validated: T = TypeAdapter(shape).validate_python(content)
        return validated
    except ValidationError as error:
        faults = [": ".join(filter(None, (".".join(map(str, fault["loc"])), said_of(fault)))) for fault in error.errors()]
        raise KnowledgeError(f"{name}: {'; '.join(faults)}") from None


_SAID = {
    "missing": "is required; add it",
    "extra_forbidden": "there is no such key; mind its spelling, or leave it out",
    "string_type": "is no text; write it in quotes",
    "dict_type": "is no mapping of keys to values",
    "model_type": "is no mapping of keys to values",
}


def said_of(fault: ErrorDetails) -> str:
    """What is wrong with a member, and the mend."""
    return _SAID.get(fault["type"], fault["msg"].removeprefix("Value error, "))


def load(site: Path | None = None) -> Library:
    """Read and check all knowledge. Raises KnowledgeError or GraphError, naming what does not fit and the mend."""
    modules = [*_modules(cds.facts), *_modules(cds.rules)]
    topics = {module: _topic(module) for module in modules}
    parameters = _merge({module.__name__: topic.parameters for module, topic in topics.items()}, "parameter")
    rules = _merge({module.__name__: topic.rules for module, topic in topics.items()}, "rule")
    notes = _merge({module.__name__: topic.notes for module, topic in topics.items()}, "note")
    labels = _merge({module.__name__: topic.labels for module, topic in topics.items()}, "label")
    sources: dict[str, Leaf | Given] = {
        **GIVEN,
        **dict(_leaves(modules)),
    }
    policy: SitePolicy | None = read_yaml(site, SitePolicy) if site is not None else None
    folders = sorted(path for path in (HERE / "valuesets").iterdir() if path.is_dir())
    value_sets = _merge({folder.name: _value_sets(folder) for folder in folders}, "value set")
    graph = Graph(
        [
            *(Source(name, source.type) for name, source in sources.items()),
            *(Source(name, _number_type(parameter)) for name, parameter in parameters.items()),
        ],
        [function for module in modules for function in _functions(module)],
    )
    stands_on = {rule: graph.ancestors(rule) if rule in graph.place else frozenset() for rule in rules}
    library = Library(
        graph=graph,
        sources=sources,
        parameters=parameters,
        site=policy,
        rules={name: _with_notes(rule, stands_on[name], notes) for name, rule in rules.items()},
        references=read_yaml(HERE / "references.yaml", dict[str, Reference]),
        value_sets=value_sets,
        words={language: read_yaml(HERE / f"words.{language}.yaml", StandingWords) for language in LANGUAGES},
        labels=labels,
        docstrings={module.__name__: topic.zh for module, topic in topics.items()},
        code_sources=read_yaml(HERE / "valuesets" / "sources.yaml", dict[str, str]),
        attributes=read_yaml(HERE / "attributes.yaml", SourceAttributes),
        version=f"{cds.__version__}+{_digest(site)}",
    )
    try:
        check(library)
    except ValueError as error:
        raise KnowledgeError(str(error)) from None
    return library


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{info.name}")


def _functions(module: ModuleType) -> Iterator[Callable[..., Any]]:
    for name, value in vars(module).items():
        if (
            callable(value)
            and not isinstance(value, type)
            and not name.startswith("_")
            and getattr(value, "__module__", "") == module.__name__
        ):
            yield value


def _leaves(modules: list[ModuleType]) -> Iterator[tuple[str, Leaf]]:
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, Leaf):
                yield name, value


def _topic(module: ModuleType) -> Topic:
    topic: Topic = read_yaml(Path(str(module.__file__)).with_suffix(".yaml"), Topic)
    return topic


def _value_sets(folder: Path) -> dict[str, ValueSet]:
    return {path.stem: read_yaml(path, ValueSet) for path in sorted(folder.glob("*.yaml"))}


def _merge(by_module: Mapping[str, Mapping[str, T]], what: str) -> dict[str, T]:
    merged: dict[str, T] = {}
    for module, entries in by_module.items():
        for name, entry in entries.items():
            if name in merged:
                raise KnowledgeError(f"{module}: the {what} {name!r} is already defined in another file; keep one")
            merged[name] = entry
    return merged


def _with_notes(rule: Rule, known: Container[str], notes: Mapping[str, Mapping[str, NoteWords]]) -> Rule:
    """The rule with the notes of the facts it stands on."""
    chosen = {name: words for fact, by_name in notes.items() if fact in known for name, words in by_name.items()}
    return rule.model_copy(update={"notes": {**rule.notes, **chosen}})


def _number_type(parameter: Parameter) -> type:
    return bool if isinstance(next(iter(parameter.values.values())).value, bool) else float


def _digest(site: Path | None) -> str:
    """Twelve hex digits over every file of knowledge in use: two services of one release with the same digits say the same."""
    sha = hashlib.sha256()
    ours = sorted(path for path in HERE.rglob("*.yaml") if path.parent.name != "sites")
    for path in [*ours, *([site] if site else [])]:
        sha.update(path.name.encode())
        sha.update(path.read_bytes())
    return sha.hexdigest()[:12]
