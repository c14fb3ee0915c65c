"""Would a vignette notice? Every number moved by a step, every comparison turned, one at a time: `python -m tests.mutation`.

A mutant that no vignette notices is a sentence nobody wrote down: write the vignette, or argue in `ARGUED` why none can exist.
Takes minutes, and so is no part of the everyday tests. Names of modules as arguments (`companions`) look at those alone.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import logging
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import yaml

from cds.content import Library
from cds.decide import Decider
from cds.knowledge import SiteNumber, SitePolicy
from hooks.services import SERVICES
from tests.patients import TODAY, answered, engine, evaluate
from tests.test_vignettes import VIGNETTES, outcome


ROOT = Path(__file__).parent.parent
MODULES = sorted(path for kind in ("facts", "rules") for path in (ROOT / "cds" / kind).glob("*.py") if path.stem != "__init__")
WORKERS = 2
LIMIT_S = 30
"""A mutant that has not ended by then has no end."""

ARGUED = {
    "doses.oral_dose: min(oral_dose_confirmed_deficiency_ug, oral_dose_max_ug) => "
    "max(oral_dose_confirmed_deficiency_ug, oral_dose_max_ug)": "the shipped numbers are equal; sites may tell them apart",
    "doses.sublingual_dose: min(oral_dose_confirmed_deficiency_ug, sl_dose_max_ug) => "
    "max(oral_dose_confirmed_deficiency_ug, sl_dose_max_ug)": "the shipped numbers are equal; sites may tell them apart",
    "deescalation.causes_gone: m.end.last < ended => m.end.last <= ended": (
        "what ended on that very day is still counted as a risk factor, and a risk factor rules it out"
    ),
    "followup._item: record.day.last > last.day.last => record.day.last >= last.day.last": (
        "of two entries of one day either may stand for it"
    ),
    "response.response_tests: not response_speaks or responses_since is None => "
    "not response_speaks and responses_since is None": "asked for only where the response card speaks, and then there is a day",
    "metabolites.mma_reading: mma_uln_umoll / factor <= own <= mma_uln_umoll * factor => "
    "mma_uln_umoll / factor < own <= mma_uln_umoll * factor": "no decimal equals a third of 0.28",
    "metabolites.mma_reading: mma_uln_umoll / factor <= own <= mma_uln_umoll * factor => "
    "mma_uln_umoll / factor <= own < mma_uln_umoll * factor": "three times 0.28 is, in binary, just above 0.84",
    "regimen.treated_suitably: not on_b12 or not current_routes => not on_b12 and (not current_routes)": (
        "who is not on B12 has no current routes, and without routes every later answer is no"
    ),
}
"""Mutants that no vignette can notice, by their names, each with the reason."""

_TURNED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}


@dataclass(frozen=True)
class Mutant:
    """One change: its name, which stays when lines move; where it is; and a context in which it is made."""

    name: str
    place: str
    made: Callable[[], Any]


class EndlessError(BaseException):
    """No Exception, or the engine would take it for the failure of a fact."""


def numbers(path: Path) -> Iterator[Mutant]:
    """Every number of a module one step up and one down, the step being the last digit with which it is written."""
    signed = yaml.load(path.with_suffix(".yaml").read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - reads only strings
    for name, parameter in signed.get("parameters", {}).items():
        start = max((day for day in parameter["values"] if day <= TODAY.isoformat()), default=None)
        if start is None:
            continue  # not in force in the vignettes: how long cards rest has stories of its own
        written = parameter["values"][start]["value"]
        place = f"{path.relative_to(ROOT).with_suffix('.yaml')}: {name}"
        if written in ("true", "false"):
            yield Mutant(f"{name} = {written != 'true'}", place, _with(name, written != "true"))
            continue
        value = Decimal(written)
        step = Decimal((0, (1,), int(value.as_tuple().exponent)))
        for moved in (value - step, value + step):
            yield Mutant(f"{name} = {moved}", place, _with(name, float(moved)))


def _with(name: str, value: float | bool) -> Callable[[], Any]:
    @contextmanager
    def made() -> Iterator[Library]:
        number = SiteNumber(value=value, reason="mutation", approved_by="nobody", approved_on=TODAY)
        yield replace(engine().library, site=SitePolicy(site="mutation", parameters={name: number}))

    return made


def turns(path: Path) -> Iterator[Mutant]:
    """Every comparison of a module turned, every "and" made an "or", every min a max."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in (node for statement in function.body for node in ast.walk(statement) if isinstance(node, ast.expr)):
            for was, change, undo in _changes(node):
                change()
                now, code = ast.unparse(node), compile(tree, str(path), "exec", dont_inherit=True)
                undo()
                name = f"{path.stem}.{function.name}: {was} => {now}"
                yield Mutant(name, f"{path.relative_to(ROOT)}:{node.lineno}", _running(module, code))


Change = tuple[str, Callable[[], None], Callable[[], None]]


def _changes(node: ast.expr) -> Iterator[Change]:
    """The ways to turn one node, each with its text before, and undone."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _TURNED[type(operator)]:
                yield ast.unparse(node), *_swap(node.ops, place, other(), operator)
    elif isinstance(node, ast.BoolOp):
        other_way = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.unparse(node), *_set(node, "op", other_way)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        yield ast.unparse(node), *_set(node.func, "id", "max" if node.func.id == "min" else "min")


def _swap(items: list[Any], place: int, new: Any, old: Any) -> tuple[Callable[[], None], Callable[[], None]]:
    return lambda: items.__setitem__(place, new), lambda: items.__setitem__(place, old)


def _set(node: Any, attribute: str, new: Any) -> tuple[Callable[[], None], Callable[[], None]]:
    old = getattr(node, attribute)
    return lambda: setattr(node, attribute, new), lambda: setattr(node, attribute, old)


def _running(module: ModuleType, code: CodeType) -> Callable[[], Any]:
    @contextmanager
    def made() -> Iterator[Library]:
        ours, theirs = dict(_functions(module)), dict(_codes(code))
        before = {name: function.__code__ for name, function in ours.items()}
        for name, function in ours.items():
            function.__code__ = theirs[name]
        try:
            _forget(module)
            yield engine().library
        finally:
            for name, function in ours.items():
                function.__code__ = before[name]
            _forget(module)

    return made


def _functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    """The functions and methods written in a module, by qualified name."""
    for holder in (module, *(kind for kind in vars(module).values() if isinstance(kind, type))):
        for function in map(inspect.unwrap, filter(callable, vars(holder).values())):
            if isinstance(function, FunctionType) and function.__code__.co_filename == module.__file__:
                yield function.__qualname__, function


def _forget(module: ModuleType) -> None:
    """What a function of the module remembers, it found out as it was."""
    for function in vars(module).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield part.co_qualname, part
            yield from _codes(part)


def noticed_by(mutant: Mutant, vignettes: list[dict[str, Any]]) -> str | None:
    """The first vignette that comes out differently; it is looked at first the next time."""
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        with mutant.made() as library:
            for service in SERVICES:
                engine(service.hook)._decide = Decider(library, service.rules)
            for place, vignette in enumerate(vignettes):
                if _differs(vignette):
                    vignettes.insert(0, vignettes.pop(place))
                    return str(vignette["name"])
    except EndlessError:
        return "no end"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def _differs(vignette: dict[str, Any]) -> bool:
    try:
        answered.cache_clear()
        evaluation = evaluate(vignette)
        return bool(evaluation.decision.failures) or outcome(vignette, evaluation) != vignette["expect"]
    except Exception:  # noqa: BLE001 - whatever it is, it was not expected
        return True


def _never(*_: object) -> None:
    raise EndlessError


def of_module(path: Path) -> tuple[Path, list[tuple[str, str, str | None]]]:
    """Name, place and notice of every mutant of a module; the vignettes of its own topic are asked first."""
    signal.signal(signal.SIGALRM, _never)
    logging.disable()
    vignettes = sorted(VIGNETTES, key=lambda vignette: vignette["file"] != path.stem)
    mutants = [*(numbers(path) if path.with_suffix(".yaml").exists() else ()), *turns(path)]
    return path, [(mutant.name, mutant.place, noticed_by(mutant, vignettes)) for mutant in mutants]


def main(chosen: list[str]) -> int:
    """Print what nobody noticed; 1 if any of it is not argued, or an argument has lost its mutant."""
    started, alive, count = time.monotonic(), [], 0
    assert not any(map(_differs, VIGNETTES)), "a vignette fails without any mutation"
    modules = [path for path in MODULES if not chosen or path.stem in chosen]
    with multiprocessing.get_context("fork").Pool(WORKERS) as pool:
        for path, found in pool.imap_unordered(of_module, modules):
            survivors = [(name, place) for name, place, notice in found if notice is None]
            print(f"{path.relative_to(ROOT)}: {len(found)} mutants, {len(survivors)} unnoticed", flush=True)
            alive += survivors
            count += len(found)
    for name, place in alive:
        print(f"{place}\n    {name}\n    {ARGUED.get(name, 'NOT ARGUED')}")
    stale = [] if chosen else sorted(ARGUED.keys() - {name for name, _ in alive})
    for name in stale:
        print(f"argued, but noticed or gone: {name}")
    unargued = sum(name not in ARGUED for name, _ in alive)
    print(f"{count} mutants in {time.monotonic() - started:.0f} s: {len(alive)} unnoticed, {unargued} of them not argued")
    return 1 if unargued or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
