"""What a comparator decides, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.intervals import COMPARATORS, interval


@pytest.mark.parametrize(
    ("reported", "cut", "below", "above"),
    [
        ((None, 150), 180, True, False),
        ((None, 180), 180, False, False),
        ((None, 200), 180, False, True),
        (("<", 150), 180, True, False),
        (("<", 180), 180, True, False),
        (("<=", 180), 180, None, False),
        (("<", 200), 180, None, None),
        ((">", 150), 180, None, None),
        ((">", 180), 180, False, True),
        ((">=", 180), 180, False, None),
        ((">", 200), 180, False, True),
    ],
)
def test_certain_or_unknown(reported: tuple[str | None, float], cut: float, below: bool | None, above: bool | None) -> None:
    value = interval(reported[1], reported[0])
    assert (value.below(cut), value.above(cut)) == (below, above)


@pytest.mark.parametrize("comparator", ["<>", "=", "ad", ""])
def test_refuses_comparators_nobody_defined(comparator: str) -> None:
    with pytest.raises(ValueError, match="unknown comparator"):
        interval(1, comparator)


@pytest.mark.parametrize(("reported", "shown"), [((None, 150.0), "150"), (("<", 150), "<150"), (("<=", 150), "<=150"), ((">", 0.5), ">0.5"), ((">=", 60), ">=60")])  # fmt: skip
def test_is_shown_as_reported(reported: tuple[str | None, float], shown: str) -> None:
    assert str(interval(reported[1], reported[0])) == shown
    assert interval(reported[1], reported[0]).bound == reported[1]


@given(
    value=st.floats(0.001, 1e6),
    cut=st.floats(0.001, 1e6),
    comparator=st.sampled_from([None, *COMPARATORS]),
)
def test_never_certain_of_both(value: float, cut: float, comparator: str | None) -> None:
    reported = interval(value, comparator)
    assert not (reported.below(cut) and reported.above(cut))
