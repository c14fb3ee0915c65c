"""Periods of taking something: single courses merged into runs, as a refill a week late does not end a year of treatment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from msgspec import Struct

from cds.chart import Medicine


class Run(Struct, frozen=True):
    """One unbroken exposure. `start` None: it is under way, but nobody recorded since when. `current`: still going on."""

    start: date | None
    end: date
    current: bool
    medicines: tuple[Medicine, ...]

    @property
    def days(self) -> int | None:
        """Length in days, from the latest start to the last day the record allows; unknown without a start."""
        return None if self.start is None else (self.end - self.start).days


def runs(medicines: tuple[Medicine, ...], today: date, gap_days: float) -> tuple[Run, ...]:
    """Merge the courses of one class, oldest first: gaps up to `gap_days` do not interrupt a run, future courses do not count.

    A partial start date counts as its last possible day, so that no run is called long which may not be. A course that has ended
    on an unrecorded day covers its first day only.
    """
    if not medicines:
        return ()
    gap = timedelta(days=gap_days)
    merged: list[Run] = []
    undated: list[Medicine] = []
    courses = []
    for medicine in medicines:
        if medicine.day is None:
            if medicine.current:
                undated.append(medicine)
            continue
        if medicine.day.first > today:
            continue
        start = min(medicine.day.last, today)
        end = today if medicine.current else min(medicine.end.first, today) if medicine.end else start
        courses.append((start, max(start, end), medicine))
    for start, end, medicine in sorted(courses, key=lambda course: course[:2]):
        last = merged[-1] if merged else None
        if last is not None and start <= last.end + gap:
            merged[-1] = Run(last.start, max(last.end, end), last.current or medicine.current, (*last.medicines, medicine))
        else:
            merged.append(Run(start, end, medicine.current, (medicine,)))
    if undated:
        merged.append(Run(None, today, True, tuple(undated)))
    return tuple(merged)


def latest_run(all_runs: Iterable[Run], today: date, grace_days: float) -> Run | None:
    """The run that is going on, or that ended at most `grace_days` ago; a dated one before one of unknown start."""
    since = today - timedelta(days=grace_days)
    recent = [run for run in all_runs if run.end >= since]
    if len(recent) == 1:
        return recent[0]
    return max(recent, key=lambda run: (run.current, run.start is not None, run.end, run.days or 0), default=None)


class Cover(Struct, frozen=True):
    """The days on which a sample would have been drawn on treatment: after each first day up to each last."""

    windows: tuple[tuple[date, date], ...]

    def includes(self, day: date) -> bool:
        """Would a sample of this day have been drawn on treatment?"""
        return bool(self.windows) and any(first < day <= last for first, last in self.windows)


def cover_of(
    medicines: Iterable[Medicine], today: date, from_day: float, washout_days: float, unrecorded_end_days: float
) -> Cover:
    """All days on which something of these may have been taken, from `from_day` days after a start to a washout after the end.

    What may have been drawn on treatment is never called untreated: the earliest day a start may mean, any day where nobody
    recorded one; the latest an end may mean, and `unrecorded_end_days` after the start where an ended course has no end.
    """
    start_delay, washout, longest = timedelta(from_day), timedelta(washout_days), timedelta(unrecorded_end_days)
    windows = []
    for medicine in medicines:
        day, end = medicine.day, medicine.end
        if medicine.current:
            last = today
        elif end is not None:
            last = end.last
        elif day is not None:
            last = day.last + longest
        else:
            continue
        windows.append((day.first + start_delay if day is not None else date.min, last + washout))
    return Cover(tuple(windows))
