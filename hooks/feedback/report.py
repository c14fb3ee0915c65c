"""The report as Markdown, as CSV, and as a page that stands alone: counts by rule, client and version of the knowledge."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import cds
from cds.wording import escaped
from hooks.feedback.statistics import Reason, Statistics, Tally


COUNTS = (
    "fired",
    "questions",
    "shown",
    "held_back",
    "snoozed",
    "repeated",
    "silent",
    "accepted",
    "overridden",
    "no_report",
    "taken_elsewhere",
)
"""What is counted, in the order of the columns."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STYLE = (Path(__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")


class Scope:
    """What a report covers, and when it was made."""

    def __init__(self, since: date | None, client: str | None, made: datetime) -> None:
        """`since`: the first day, None for all that is kept; `client`: None for all."""
        self.since, self.client, self.made = since, client, made

    def __str__(self) -> str:
        """In words."""
        first = f"Cards shown since {self.since}" if self.since else "All cards that are kept"
        return f"{first}, {f'client {self.client}' if self.client else 'all clients'}; made on {self.made:%Y-%m-%d %H:%M} UTC"


def markdown(content: Statistics, scope: Scope) -> str:
    """For people, in a terminal or a ticket."""
    return _rendered("report.md", content, scope)


def html(content: Statistics, scope: Scope) -> str:
    """For people, on a screen or on paper. Raises ImportError without the extra `report`."""
    from hooks.feedback.plots import outcomes, trend  # matplotlib is an extra

    return _rendered("report.html", content, scope, style=Markup(_STYLE), outcomes=outcomes(content), trend=trend(content))  # noqa: S704 - our own file


def spreadsheet(content: Statistics) -> str:
    """For machines: one line per rule, client, version and week; all other numbers of the report are sums of it."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("client", "rule", "knowledge", "week", *COUNTS, "commented", "reasons"))
    for group, tally in sorted(content.groups.items()):
        reasons = "; ".join(f"{reason_code(reason)}={cards}" for reason, cards in _ranked(tally))
        counts = [getattr(tally, name) for name in (*COUNTS, "commented")]
        writer.writerow([_inert(str(cell)) for cell in (*group, *counts, reasons)])
    return lines.getvalue()


def as_json(content: Statistics) -> str:
    """The same for other tools, with how often each reason was given."""
    rows = [
        {
            **dict(zip(("client", "rule", "knowledge", "week"), map(str, group), strict=True)),
            **{name: getattr(tally, name) for name in (*COUNTS, "commented")},
            "reasons": {reason_code(reason): cards for reason, cards in _ranked(tally)},
        }
        for group, tally in sorted(content.groups.items())
    ]
    return json.dumps({"rows": rows}, indent=2) + "\n"


def reason_code(reason: Reason) -> str:
    """A reason by its code; what was overridden without one says so."""
    return reason.code or "(none given)"


def share(part: int, whole: int) -> str:
    """A percentage; a dash where there is nothing to divide by."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def _ranked(tally: Tally) -> list[tuple[Reason, int]]:
    return sorted(tally.reasons.items(), key=lambda counted: (-counted[1], reason_code(counted[0])))


def _inert(cell: str) -> str:
    """A spreadsheet must not take what a client wrote for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _quoted(name: str) -> str:
    """A client's name in a cell of a Markdown table, as it is written."""
    return f"`{name.replace('`', '').replace('|', '')}`"


def _rendered(template: str, content: Statistics, scope: Scope, **more: Any) -> str:
    environment = Environment(
        loader=PackageLoader("hooks.feedback"),
        autoescape=template.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(quoted=_quoted, escaped=escaped, code=reason_code, ranked=_ranked)
    totals = content.by("rule", "client", "knowledge")
    return environment.get_template(template).render(
        content=content,
        scope=scope,
        counts=COUNTS,
        rows=totals,
        total=content.total(),
        share=share,
        software=cds.__version__,
        **more,
    )
