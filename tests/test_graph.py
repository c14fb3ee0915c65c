"""The engine: order, unknowns, failures, and every way in which facts can fail to fit together."""

from __future__ import annotations

from typing import Literal

import pytest

from cds.chart import Condition, Record
from cds.graph import Failure, Graph, GraphError, Source, program


def run(graph: Graph, wanted: str, **sources: object) -> tuple[object, dict[str, Failure]]:
    values: list[object] = [sources.get(name) for name in graph.names]
    failures = program(graph.plan([wanted]))(values)
    return values[graph.place[wanted]], failures


def double(single: float) -> float:
    """Twice the single."""
    return single * 2


def quadruple(double: float) -> float:
    """Twice the double."""
    return double * 2


def perhaps(single: float | None) -> str:
    """Whether the single is known."""
    return "unknown" if single is None else "known"


def broken(single: float) -> float:
    """Never works."""
    return 1 / (single - single)


def after_broken(broken: float) -> float:
    """Needs what never works."""
    return broken


SINGLE = Source("single", float)


def test_order_does_not_depend_on_the_order_of_the_functions() -> None:
    for functions in ([double, quadruple], [quadruple, double]):
        assert run(Graph([SINGLE], functions), "quadruple", single=2.0) == (8.0, {})


def test_an_unknown_input_stops_the_function() -> None:
    assert run(Graph([SINGLE], [double, quadruple]), "quadruple") == (None, {})


def test_unless_its_author_asked_for_it() -> None:
    assert run(Graph([SINGLE], [perhaps]), "perhaps") == ("unknown", {})
    assert run(Graph([SINGLE], [perhaps]), "perhaps", single=1.0) == ("known", {})


def test_a_function_that_raises_is_unknown_and_reported_without_its_message() -> None:
    graph = Graph([SINGLE], [broken, after_broken])
    assert run(graph, "after_broken", single=1.0) == (None, {"broken": Failure("ZeroDivisionError")})


def test_only_what_is_wanted_runs() -> None:
    graph = Graph([SINGLE], [double, broken])
    assert run(graph, "double", single=1.0) == (2.0, {})
    assert [step.name for _, step in graph.plan(["double"])] == ["double"]


def test_knows_what_a_fact_stands_on() -> None:
    graph = Graph([SINGLE], [double, quadruple, perhaps])
    assert graph.ancestors("quadruple") == {"double", "single"}
    assert graph.inputs("quadruple") == ("double",)
    assert graph.required("perhaps") == ()
    assert (graph.inputs("single"), graph.required("single")) == ((), ())


def circle_one(circle_two: float) -> float:
    """Half a circle."""
    return circle_two


def circle_two(circle_one: float) -> float:
    """The other half."""
    return circle_one


def untyped(single):  # type: ignore[no-untyped-def]
    """Forgot its types."""
    return single


def wants_text(single: str) -> str:
    """Wants text where there is a number."""
    return single


def wants_lost(lost: float) -> float:
    """Wants what nobody gives."""
    return lost


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ([wants_lost], r"wants_lost: nothing is called 'lost'"),
        ([circle_one, circle_two], r"circle_one -> circle_two -> circle_one"),
        ([untyped], r"untyped: 'single' has no type"),
        ([wants_text], r"'single' is wanted as str but is float; change the annotation"),
        ([double, double], r"the name 'double' is taken"),
    ],
)
def test_refuses_what_does_not_fit(functions: list[object], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Graph([SINGLE], functions)  # type: ignore[arg-type]


def test_refuses_two_sources_of_one_name() -> None:
    with pytest.raises(GraphError, match="'single' is taken"):
        Graph([SINGLE, SINGLE], [])


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        (int, float),
        (float, float | None),
        (float | None, float),
        (Literal["a"], Literal["a", "b"]),
        (tuple[Condition, ...], tuple[Record, ...]),
        (tuple[Condition, ...] | None, tuple[Record, ...] | None),
        (bool, int),
    ],
)
def test_types_that_fit(given: object, needed: object) -> None:
    def fact(source: object) -> int:
        """Count."""
        return 1

    fact.__annotations__ = {"source": needed, "return": int}
    Graph([Source("source", given)], [fact])


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        (float, int),
        (Literal["a", "b"], Literal["a"]),
        (tuple[Record, ...], tuple[Condition, ...]),
        (tuple[float, float], tuple[float, ...]),
        (str | float, float),
    ],
)
def test_types_that_do_not_fit(given: object, needed: object) -> None:
    def fact(source: object) -> int:
        """Count."""
        return 1

    fact.__annotations__ = {"source": needed, "return": int}
    with pytest.raises(GraphError, match="is wanted as"):
        Graph([Source("source", given)], [fact])
