"""The matrix of tokens, at the real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hooks import jwtmatrix


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # the forger does not care
def test_SEC_30_31_37_each_token_gets_its_status_and_no_refusal_says_why(tmp_path: Path) -> None:
    found = list(jwtmatrix.matrix(tmp_path))
    assert [one for one in found if one.status != one.expected] == []
    assert len({one.body for one in found if one.status == 401}) == 1
