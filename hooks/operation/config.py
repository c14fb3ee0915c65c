"""What a deployment settles about its operation. Nothing here opens a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hooks.feedback.config import SHORTEST_SALT
from hooks.operation.logs import LEVELS


SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where workers add up what they count: a directory that the library wants in the environment before it is imported."""


@dataclass(frozen=True)
class OperationConfig:
    """What is kept, counted and logged of calls.

    `audit`: the file to which a record of each call is appended; None keeps none. `salt`: the secret that pseudonyms in it are
    made with; the one of the feedback store, so that both name the same person by the same pseudonym. `metrics`: is there a
    page for Prometheus? `json_logs`: one JSON object per line instead of text. `log_level`: from `info` on, each call is a line.
    """

    audit: Path | None = None
    salt: str = field(default="", repr=False)
    metrics: bool = False
    json_logs: bool = False
    log_level: str = "warning"

    def __post_init__(self) -> None:
        """Raises ValueError for records without a salt, or with one too short, and for a level that is none."""
        if self.audit is not None and len(self.salt) < SHORTEST_SALT:
            raise ValueError(f"the salt is a secret of at least {SHORTEST_SALT} characters")
        if self.log_level not in LEVELS:
            raise ValueError(f"the log level is one of {', '.join(LEVELS)}")

    @property
    def watches(self) -> bool:
        """Does anybody want to hear of each call?"""
        return self.audit is not None or self.metrics or self.log_level in ("debug", "info")
