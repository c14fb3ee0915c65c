"""The engine: put facts in order once, then answer, explain and say why not. It knows no medicine.

A function is a fact. Its name names the value, its parameters name the facts it needs, its annotations are checked at both ends
when the graph is built. A value of None is unknown: a function with an unknown input is not called, unless its author wrote
`| None` for that input because silence itself matters there.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any


class GraphError(ValueError):
    """The facts do not fit together; the message says which, where, and the mend."""


@dataclass(frozen=True)
class Source:
    """A value that comes from outside the graph: a leaf of the chart or a parameter of the knowledge."""

    name: str
    type: Any


@dataclass(frozen=True)
class Step:
    """One function in its place: where its arguments are found and which of them must be known."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[int, ...]
    required: tuple[int, ...]
    type: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A function that raised. Only the kind of error is kept: its message may quote the chart."""

    error: str


class Graph:
    """Sources first, then every function after everything it needs."""

    def __init__(self, sources: Iterable[Source], functions: Iterable[Callable[..., Any]]) -> None:
        """Order the functions. Raises GraphError for a name used twice, a missing fact, a circle or two types that do not fit."""
        self.sources = tuple(sources)
        self.names: list[str] = []
        self.place: dict[str, int] = {}
        self.types: dict[str, Any] = {}
        for source in self.sources:
            self._add(source.name, source.type, "chart and parameters")
        pending: dict[str, Callable[..., Any]] = {}
        for function in functions:
            name = function.__name__
            if name in pending or name in self.types:
                raise GraphError(f"{_where(function)}: the name {name!r} is taken; one name means one thing in the whole graph.")
            pending[name] = function
        steps: list[Step] = []
        for name in _in_order(pending, self.types):
            steps.append(self._step(pending[name]))
            self._add(name, steps[-1].type, _where(pending[name]))
        self.steps: tuple[Step, ...] = tuple(steps)
        self._ancestors: dict[str, frozenset[str]] = {}

    def _add(self, name: str, type_: Any, where: str) -> None:
        if name in self.types:
            raise GraphError(f"{where}: the name {name!r} is taken; one name means one thing in the whole graph.")
        self.types[name] = type_
        self.place[name] = len(self.names)
        self.names.append(name)

    def _step(self, function: Callable[..., Any]) -> Step:
        hints = _hints(function)
        inputs, required = [], []
        for parameter in inspect.signature(function).parameters:
            needed, given = hints[parameter], self.types[parameter]
            if not _fits(_known(given), needed):
                raise GraphError(
                    f"{_where(function)}: {parameter!r} is wanted as {_say(needed)} but is {_say(given)}; "
                    "change the annotation at one of the two ends."
                )
            place = self.place[parameter]
            inputs.append(place)
            if not _may_be_none(needed):
                required.append(place)
        return Step(function.__name__, function, tuple(inputs), tuple(required), hints["return"])

    def step(self, name: str) -> Step:
        """The function that makes a fact or rule; a source has none."""
        return self.steps[self.place[name] - len(self.sources)]

    def plan(self, wanted: Iterable[str]) -> tuple[tuple[int, Step], ...]:
        """The steps that the wanted names stand on, in order, each with its place among the values."""
        needed = {self.place[name] for name in wanted}
        first = len(self.sources)
        for offset in range(len(self.steps) - 1, -1, -1):
            if first + offset in needed:
                needed.update(self.steps[offset].inputs)
        return tuple((first + offset, step) for offset, step in enumerate(self.steps) if first + offset in needed)

    def ancestors(self, name: str) -> frozenset[str]:
        """Everything `name` stands on, directly or not."""
        known = self._ancestors.get(name)
        if known is None:
            direct = self.inputs(name)
            known = self._ancestors[name] = frozenset(direct).union(*map(self.ancestors, direct))
        return known

    def inputs(self, name: str) -> tuple[str, ...]:
        """The names a fact or rule reads directly; none for a source."""
        place = self.place[name]
        if place < len(self.sources):
            return ()
        return tuple(self.names[i] for i in self.steps[place - len(self.sources)].inputs)

    def required(self, name: str) -> tuple[str, ...]:
        """Those of its inputs without which a fact or rule is not evaluated."""
        place = self.place[name]
        if place < len(self.sources):
            return ()
        return tuple(self.names[i] for i in self.steps[place - len(self.sources)].required)


Program = Callable[[list[Any]], dict[str, Failure]]
"""Fills in the planned values in place, None where unknown, and reports the steps that raised."""


def program(plan: Iterable[tuple[int, Step]], before: Sequence[Any] | None = None, fixed: Iterable[int] = ()) -> Program:
    """The plan as one straight function: for a hundred facts the loop that would interpret it costs more than the facts.

    Per step the text reads `if v3 is not None: try: v9 = f9(v3, v5)`, so what runs is what the plan says and nothing else.
    A step that raises leaves its value unknown; one broken step must not silence the others.

    `before`: values of an earlier run in which nothing broke. A step whose inputs are the very same objects as then has the same
    value, and is not run again. Most of a chart is empty most of the time. `fixed`: places that hold what they held then.
    """
    steps = tuple(plan)
    kept = {place: f"b{place}" for place in fixed} if before is not None else {}
    made = [place for place, _ in steps]
    wanted = sorted({i for _, step in steps for i in step.inputs} - kept.keys() - set(made))
    scope: dict[str, Any] = {"Failure": Failure, "pick": itemgetter(0, 0, *wanted)}
    known = {} if before is None else {f"b{i}": before[i] for i in {*kept, *wanted, *made}}
    lines = [f"def run(values, {', '.join(f'{name}={name}' for name in known)}):", " failures = {}"]
    lines.append(f" {', '.join(['_', '_', *(f'v{i}' for i in wanted)])} = pick(values)")
    for place, step in steps:
        free = [i for i in dict.fromkeys(step.inputs) if i not in kept]
        branch = "if"
        if before is not None:
            lines.append(f" if {' and '.join(f'v{i} is b{i}' for i in free) or 'True'}: v{place} = b{place}")
            branch = "elif"
        scope[f"f{place}"] = step.function
        lines += [
            f" {branch} {' and '.join(f'v{i} is not None' for i in free if i in step.required) or 'True'}:",
            f"  try: v{place} = f{place}({', '.join(kept.get(i, f'v{i}') for i in step.inputs)})",
            f"  except Exception as error: v{place} = None; failures[{step.name!r}] = Failure(type(error).__name__)",
            f" else: v{place} = None",
        ]
    for _, run in groupby(enumerate(made), lambda numbered: numbered[1] - numbered[0]):
        row = [place for _, place in run]
        lines.append(f" values[{row[0]}:{row[-1] + 1}] = {', '.join(f'v{place}' for place in row)},")
    lines.append(" return failures")
    scope |= known
    exec("\n".join(lines), scope)  # noqa: S102 - the text is made of numbers and identifiers of our own functions
    run_all: Program = scope["run"]
    return run_all


def _in_order(pending: Mapping[str, Callable[..., Any]], known: Mapping[str, Any]) -> list[str]:
    """Names so that each comes after what it needs: depth first, in the order the functions were given."""
    ordered: list[str] = []
    done: set[str] = set(known)

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise GraphError(
                f"facts in a circle: {' -> '.join((*path[path.index(name) :], name))}; one of them must go without another."
            )
        for needed in inspect.signature(pending[name]).parameters:
            if needed in done:
                continue
            if needed not in pending:
                raise GraphError(
                    f"{_where(pending[name])}: nothing is called {needed!r}; is the fact, parameter or leaf spelt like this?"
                )
            visit(needed, (*path, name))
        if name not in done:
            done.add(name)
            ordered.append(name)

    for name in pending:
        visit(name, ())
    return ordered


def _where(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__name__}"


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(function)
    for name in (*inspect.signature(function).parameters, "return"):
        if name not in hints:
            raise GraphError(f"{_where(function)}: {name!r} has no type; every edge of the graph is typed.")
    return hints


def _members(type_: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the type alone; None stands apart as NoneType."""
    if typing.get_origin(type_) in (types.UnionType, typing.Union):
        return tuple(member for part in typing.get_args(type_) for member in _members(part))
    return (type_,)


def _may_be_none(type_: Any) -> bool:
    return type(None) in _members(type_)


def _known(type_: Any) -> tuple[Any, ...]:
    """What a value can be once it is known."""
    return tuple(member for member in _members(type_) if member is not type(None))


def _fits(given: tuple[Any, ...], needed: Any) -> bool:
    return all(any(_one_fits(part, wanted) for wanted in _members(needed)) for part in given)


def _one_fits(given: Any, needed: Any) -> bool:
    if given == needed or (given is int and needed is float):
        return True
    given_origin, needed_origin = typing.get_origin(given), typing.get_origin(needed)
    if given_origin is typing.Literal and needed_origin is typing.Literal:
        return set(typing.get_args(given)) <= set(typing.get_args(needed))
    if given_origin is tuple and needed_origin is tuple:
        ours, theirs = typing.get_args(given), typing.get_args(needed)
        return len(ours) == len(theirs) and all(_fits((a,), b) or a is b for a, b in zip(ours, theirs, strict=True))
    return isinstance(given, type) and isinstance(needed, type) and issubclass(given, needed)


def _say(type_: Any) -> str:
    return inspect.formatannotation(type_)
