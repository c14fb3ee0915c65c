"""The plots of the report, as SVG that stands in the page: told apart by hatching and lightness as well as by colour."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from math import ceil
from typing import Any, NamedTuple

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hooks.feedback.statistics import Statistics, Tally, weeks


MOST_TRENDS = 8
"""So many rules get a trend of their own: those that spoke most."""


class _Look(NamedTuple):
    """How an outcome is drawn. The colours are Okabe and Ito's, chosen so that the colour-blind tell them apart, and grey."""

    name: str
    label: str
    colour: str
    hatch: str


_LOOKS = (
    _Look("accepted", "accepted", "#0072B2", ""),
    _Look("overridden", "overridden", "#E69F00", "////"),
    _Look("no_report", "no report", "#E3E7EA", ""),
    _Look("unshown", "not shown", "#FFFFFF", "...."),
)
_INK = "#1b2730"
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # words stay words: found, read aloud, copied
    "svg.hashsalt": "cobalamin",  # the same numbers make the same picture
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "hatch.linewidth": 0.6,
    "axes.edgecolor": "#8a979f",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def outcomes(content: Statistics) -> Markup:
    """What became of what each rule said, as one bar for each."""
    tallies = {rule: tally for (rule,), tally in content.by("rule").items()}
    rules = sorted(tallies, key=lambda rule: tallies[rule].fired)
    with rc_context(_SETTINGS):
        figure = Figure(figsize=(9, 1.1 + 0.36 * len(rules)), layout="constrained")
        axes = figure.subplots()
        left = [0] * len(rules)
        for look in _LOOKS:
            sizes = [getattr(tallies[rule], look.name) for rule in rules]
            axes.barh(rules, sizes, left=left, height=0.68, label=look.label, **_fill(look))
            left = [before + size for before, size in zip(left, sizes, strict=True)]
        for place, fired in enumerate(left):
            axes.annotate(str(fired), (fired, place), xytext=(4, 0), textcoords="offset points", va="center", color=_INK)
        axes.set_xlabel("times the rule spoke")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(x=0.08)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=len(_LOOKS), frameon=False)
        return _svg(figure, "outcomes")


def trend(content: Statistics) -> Markup:
    """What became of what was said in each week, for the rules that spoke most. Every panel has a scale of its own."""
    mondays = weeks(content.groups)
    tallies: dict[str, dict[date, Tally]] = defaultdict(dict)
    for (rule, week), tally in content.by("rule", "week").items():
        tallies[rule][week] = tally
    rules = sorted(tallies, key=lambda rule: -sum(tally.fired for tally in tallies[rule].values()))[:MOST_TRENDS]
    with rc_context(_SETTINGS):
        figure = Figure(figsize=(9, 0.6 + 1.9 * max(1, ceil(len(rules) / 2))), layout="constrained")
        panels = list(figure.subplots(max(1, ceil(len(rules) / 2)), 2, sharex=True, squeeze=False).flat)
        for axes, rule in zip(panels, rules, strict=False):
            _weekly(axes, rule, mondays, [tallies[rule].get(monday, Tally()) for monday in mondays])
        for axes in panels[len(rules) :]:
            axes.set_axis_off()
        if rules:
            handles = figure.axes[0].get_legend_handles_labels()
            figure.legend(*handles, loc="outside upper left", ncols=len(_LOOKS), frameon=False)
        return _svg(figure, "trend")


def _weekly(axes: Axes, rule: str, mondays: Sequence[date], tallies: Sequence[Tally]) -> None:
    places, bottom = range(len(mondays)), [0] * len(mondays)
    for look in _LOOKS:
        sizes = [getattr(tally, look.name) for tally in tallies]
        axes.bar(places, sizes, bottom=bottom, width=0.8, label=look.label, **_fill(look))
        bottom = [before + size for before, size in zip(bottom, sizes, strict=True)]
    axes.set_title(rule, loc="left", fontsize=10, color=_INK)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    step = max(1, ceil(len(mondays) / 5))
    axes.set_xticks(places[::step], [f"{monday:%Y-%m-%d}" for monday in mondays[::step]], fontsize=8)


def _fill(look: _Look) -> dict[str, Any]:
    return {"color": look.colour, "hatch": look.hatch, "edgecolor": _INK, "linewidth": 0.5}


def _svg(figure: Figure, name: str) -> Markup:
    """A picture without what stands around it, whose ids are its own."""
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawn = written.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", drawn)
    return Markup(drawn)  # noqa: S704 - matplotlib escapes the words in it
