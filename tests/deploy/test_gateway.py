"""The gateway of `deploy/nginx` before the real service; the cases are in `gateway.py`."""

from __future__ import annotations

import pytest

from tests.deploy.gateway import CASES, staged
from tests.deploy.stage import nginx


def test_the_gateway(subtests: pytest.Subtests) -> None:
    """All cases on one stage: to set it up takes as long as many of them."""
    if nginx() is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    with staged() as stage:
        for name, (status, function) in CASES.items():
            with subtests.test(name):
                seen = function(stage)
                assert seen.status == status, seen.words
