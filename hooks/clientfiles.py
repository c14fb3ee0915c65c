"""The files clients are described in: shipped ones by name, a site's own by path, held against the knowledge at start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cds.content import Library
from cds.library import KnowledgeError, said_of, yaml_content
from hooks.profiles import Profile


class ProfileError(KnowledgeError):
    """A profile does not fit: in which file, and each fault, which begins with its key."""

    def __init__(self, file: str, faults: Iterable[str]) -> None:
        """`faults`: at least one."""
        self.file, self.faults = file, tuple(faults)
        super().__init__(f"{file}: {'; '.join(self.faults)}")


_FOLDER = Path(__file__).parent / "clients"
_BASED_ON = "based_on"


def shipped() -> list[str]:
    """The names of the shipped clients."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def client(name_or_file: str, library: Library) -> Profile:
    """A shipped client by its name, or one of a file. Raises KnowledgeError naming file, key and mend."""
    ours = name_or_file in shipped()
    path = _FOLDER / f"{name_or_file}.yaml" if ours else Path(name_or_file)
    if not ours and not path.suffix:
        raise KnowledgeError(f"There is no client {name_or_file!r}; name a file (*.yaml), or one of {', '.join(shipped())}")
    content = _mapping(yaml_content(path), path)
    if _BASED_ON in content:
        content = _on_top(_shipped_content(content[_BASED_ON], path), content)
        del content[_BASED_ON]
    content.setdefault("name", path.stem)
    try:
        profile = Profile.model_validate(content)
    except ValidationError as error:
        raise ProfileError(path.name, map(_fault, error.errors())) from None
    profile = _with_files_of(profile, path.parent)
    faults = [*_file_faults(profile), *_knowledge_faults(profile, library)]
    if faults:
        raise ProfileError(path.name, faults)
    return profile


def _mapping(content: Any, path: Path) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise KnowledgeError(f"{path.name}: is no mapping of keys to values; begin with `means:` or `{_BASED_ON}:`")
    return content


def _shipped_content(name: Any, path: Path) -> dict[str, Any]:
    if name not in shipped():
        raise KnowledgeError(f"{path.name}: {_BASED_ON}: there is no shipped client {name!r}; choose from {', '.join(shipped())}")
    return _mapping(yaml_content(_FOLDER / f"{name}.yaml"), path)


def _on_top(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """What stands above wins, key by key; mappings on both sides are merged, lists are not."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _on_top(under, value) if isinstance(value, dict) and isinstance(under, dict) else value
    return merged


def _fault(fault: ErrorDetails) -> str:
    """A fault of the model, with its key and its mend."""
    where = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        known = _keys_beside(fault["loc"])
        close = get_close_matches(str(fault["loc"][-1]), known, n=1)
        return f"{where}: there is no such key; {f'did you mean {close[0]}' if close else 'choose from ' + ', '.join(known)}"
    return f"{where}: {said_of(fault)}" if where else said_of(fault)


def _keys_beside(place: tuple[int | str, ...]) -> list[str]:
    """The keys that are known where one was not."""
    if len(place) == 1:
        return [*Profile.model_fields, _BASED_ON]
    model: Any = Profile.model_fields[str(place[0])].annotation
    return list(getattr(model, "model_fields", ("en", "zh-CN")))


def _with_files_of(profile: Profile, folder: Path) -> Profile:
    """The profile with the files it names, which lie beside it unless their path is absolute."""

    def beside(path: Path | None) -> Path | None:
        return path and folder / path

    trust, fhir = profile.trust, profile.fhir
    trust = trust.model_copy(update={"jwks_file": beside(trust.jwks_file), "authority": beside(trust.authority)})
    return profile.model_copy(update={"trust": trust, "fhir": fhir.model_copy(update={"authority": beside(fhir.authority)})})


def _file_faults(profile: Profile) -> Iterator[str]:
    named = {
        "trust.jwks_file": profile.trust.jwks_file,
        "trust.authority": profile.trust.authority,
        "fhir.authority": profile.fhir.authority,
    }
    for key, path in named.items():
        if path is not None and not path.is_file():
            yield f"{key}: {path.name} is no file beside this one; give its path"


def _knowledge_faults(profile: Profile, library: Library) -> Iterator[str]:
    """What does not fit the value sets, the unit tables, or what may be ordered."""
    for system, by_code in profile.codes.items():
        for code, name in by_code.items():
            if name not in library.value_sets:
                yield f"codes.{system}.{code}: there is no value set {name!r}{_close(name, library.value_sets)}"
    for analyte, spellings in profile.units.items():
        if analyte not in library.units:
            yield f"units.{analyte}: there is no measurement {analyte!r}{_close(analyte, library.units)}"
            continue
        table = library.units[analyte]
        for spelt, ucum in spellings.items():
            meant, known = table.find(ucum), table.find(spelt)
            if meant is None:
                choice = ", ".join(entry.unit for entry in library.value_sets[analyte].units)
                yield f"units.{analyte}.{spelt}: {ucum!r} is no unit of {analyte}; choose from {choice}"
            elif known is not None and (known.scale, known.factor) != (meant.scale, meant.factor):
                yield f"units.{analyte}.{spelt}: is read as {known.symbol} everywhere and cannot mean {ucum}; remove it"
    ours = library.words[library.language].overrides
    for reason, code in profile.override_reasons.items():
        if code not in ours:
            yield f"override_reasons.{reason}: {code!r} is no reason of ours{_close(code, ours)}; choose from {', '.join(ours)}"
    orderable = orderables(library)
    for code in profile.cards.orders:
        if code not in orderable:
            yield f"cards.orders.{code}: is nothing we propose{_close(code, orderable)}; `cobalamin site-sheet` lists what is"
    if profile.cards.summary_max < (longest := max(map(len, _titles(library)))):
        yield f"cards.summary_max: the longest title of a rule has {longest} characters; allow as many"


def orderables(library: Library) -> dict[str, str]:
    """Everything a suggestion may order, as `system|code` with our label: tests, and products of one strength."""
    tests = [code for value_set in library.value_sets.values() for code in value_set.codes if code.code == value_set.order]
    return {f"{code.system}|{code.code}": code.label for code in [*tests, *library.products.values()]}


def _titles(library: Library) -> list[str]:
    return [rule.title[language] for rule in library.rules.values() for language in library.words]


def _close(name: str, known: Mapping[str, Any]) -> str:
    found = get_close_matches(name, known, n=1)
    return f"; did you mean {found[0]}" if found else ""
