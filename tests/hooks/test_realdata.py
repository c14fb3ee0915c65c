"""Synthetic patients of others, as they are: nothing raises, and the counts say what became of every resource."""

from __future__ import annotations

from pathlib import Path

from tests.realdata import main


BUNDLES = Path(__file__).parents[2] / "fixtures" / "bundles"


def test_the_counts_over_synthetic_patients() -> None:
    assert main(BUNDLES).splitlines() == [
        "| type | resources | read | dropped | not ours | notes |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        "| Condition | 9 | 2 | 0 | 7 |  |",
        "| MedicationRequest | 12 | 2 | 0 | 10 |  |",
        "| Observation | 21 | 1 | 9 | 11 | status 9 |",
        "| Procedure | 2 | 0 | 0 | 2 |  |",
        "",
        "Not asked for: Patient 3, Practitioner 1",
        "",
        "- smart-4444001: 2026-11-21 in_scope_at_risk, unknown, absorption normal: b12_baseline/unmeasured",
        "- smart-8888803: 2016-06-09 out_of_scope, not_classified, absorption not_assessed: no card",
        "- synthea-willia: 2011-11-07 in_scope_osteoporosis, unknown, absorption normal: b12_baseline/unmeasured",
    ]
