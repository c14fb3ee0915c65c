"""The gateway of `deploy/nginx` before the real service; the cases are in `gateway.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy.gateway import CASES, Stage, staged
from tests.deploy.stage import nginx


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """All of it, once."""
    if nginx() is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    with staged() as started:
        yield started


@pytest.mark.parametrize("name", CASES)
def test_the_gateway(name: str, stage: Stage) -> None:
    status, function = CASES[name]
    seen = function(stage)
    assert seen.status == status, seen.words
