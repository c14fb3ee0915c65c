"""The report and the commands around it: what is counted, how it is written, what can go wrong (FB-22)."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from msgspec.structs import replace

from hooks.cli import main
from hooks.feedback.config import store_url
from hooks.feedback.report import Scope, html, share
from hooks.feedback.statistics import Group, Reason, Statistics, Tally, statistics, weeks
from hooks.serving import Server
from tests.hooks.cards import AT, event, firing
from tests.hooks.conftest import Opener


WEEK = timedelta(weeks=1)
HOSTILE = "=1+2|<script>alert(1)</script> `x` *y*"


def filled(store: Any) -> None:
    """Two rules, two clients, two versions, three weeks apart, and something of every outcome."""
    store.add([
        firing("accepted"),
        firing("overridden"),
        firing("changed"),
        firing("ignored"),
        replace(firing("held"), state="held_back"),
        replace(firing("silent"), state="silent"),
        replace(firing("south", "b12_dose", "south"), knowledge="2.0", shown_at=AT + 3 * WEEK),
    ])  # fmt: skip
    store.add([
        replace(event("1", "accepted"), outcome="accepted"),
        replace(event("2", "overridden"), reason_code="done", reason_system="urn:s", reason_display="Already done", comment="MARKER"),
        replace(event("4", "changed"), reason_code="late", outcome_at=AT + 2 * WEEK),
        replace(event("3", "changed"), outcome="accepted"),
        replace(event("5", "south", "south"), reason_code=HOSTILE, reason_display=HOSTILE, outcome_at=AT + 3 * WEEK, received_at=AT + 3 * WEEK),
        replace(event("6", "nobody")),
        replace(event("7", "silent"), outcome="accepted"),
    ])  # fmt: skip


def counts(tally: Tally) -> tuple[int, ...]:
    return tally.fired, tally.shown, tally.held_back, tally.silent, tally.accepted, tally.overridden, tally.no_report


def test_every_card_is_counted_once_by_its_last_report(database: str, opened: Opener) -> None:
    store = opened(database)
    filled(store)
    with store.reading() as connection:
        found = statistics(connection)
    north = found.groups[Group("north", "b12_baseline", "1.0", date(2026, 11, 16))]
    assert counts(north) == (6, 4, 1, 1, 1, 2, 1)
    assert north.reasons == {Reason("urn:s", "done"): 1, Reason(None, "late"): 1}
    assert north.commented == 1
    assert counts(found.groups[Group("south", "b12_dose", "2.0", date(2026, 12, 7))]) == (1, 1, 0, 0, 0, 1, 0)
    assert counts(found.total()) == (7, 5, 1, 1, 1, 3, 1)
    assert found.unmatched == {"north": 1}
    assert found.displays[Reason("urn:s", "done")] == "Already done"


def test_of_two_reports_on_one_moment_the_later_to_come_counts(database: str, opened: Opener) -> None:
    store = opened(database)
    store.add([firing()])
    store.add([event("b"), replace(event("a"), outcome="accepted")])
    with store.reading() as connection:
        assert counts(statistics(connection).total()) == (1, 1, 0, 0, 1, 0, 0)


def test_it_can_be_narrowed(database: str, opened: Opener) -> None:
    store = opened(database)
    filled(store)
    with store.reading() as connection:
        late, south, none = (
            statistics(connection, AT + 2 * WEEK),
            statistics(connection, client="south"),
            statistics(connection, AT + 9 * WEEK, "north"),
        )
    assert {group.client for group in late.groups} == {group.client for group in south.groups} == {"south"}
    assert (late.unmatched, south.unmatched) == ({}, {})
    assert (none.groups, counts(none.total())) == ({}, (0,) * 7)


def test_weeks_without_cards_are_weeks() -> None:
    days = [date(2026, 11, 16), date(2026, 12, 7)]
    assert weeks(Group("c", "r", "1", day) for day in days) == [date(2026, 11, 16) + number * WEEK for number in range(4)]
    assert weeks([]) == []


def test_nothing_is_divided_by_zero() -> None:
    assert (share(1, 3), share(0, 0)) == ("33 %", "–")


Report = Callable[..., str]


@pytest.fixture(name="report")
def report_command(tmp_path: Path, opened: Opener) -> Report:
    store = opened(store_url(str(tmp_path / "feedback.db")))
    filled(store)

    def report(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["feedback", "report", "--store", str(tmp_path / "feedback.db"), *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    return report


def test_as_markdown(report: Report) -> None:
    text = report()
    assert "| `b12_baseline` | `north` | `1.0` | 6 | 6 | 4 | 1 | 0 | 0 | 1 | 1 | 2 | 1 | 0 | 67 % |" in text
    assert "| all | | | 7 | 7 | 5 | 1 | 0 | 0 | 1 | 1 | 3 | 1 | 0 | 75 % |" in text
    assert "| 2026-12-07 | 1 | 1 | 0 | 1 | 0 |" in text
    assert "Reports of `north` that match no card on record: 1." in text
    assert "MARKER" not in text
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    assert "<script" not in rendered
    assert [len(re.findall("<t[hd][ >]", row)) for row in rendered.split("<tr>")[1:5]] == [15] * 4


def test_as_csv(report: Report) -> None:
    first, second = csv.DictReader(io.StringIO(report("--format", "csv")))
    assert (first["client"], first["rule"], first["knowledge"], first["week"]) == ("north", "b12_baseline", "1.0", "2026-11-16")
    assert [int(first[name]) for name in ("fired", "shown", "accepted", "overridden", "no_report", "commented")] == [
        6,
        4,
        1,
        2,
        1,
        1,
    ]
    assert first["reasons"] == "done=1; late=1"
    assert second["reasons"] == f"'{HOSTILE}=1"


def test_as_json(report: Report) -> None:
    first, second = json.loads(report("--format", "json"))["rows"]
    assert (first["client"], first["rule"], first["knowledge"], first["week"]) == ("north", "b12_baseline", "1.0", "2026-11-16")
    assert (first["fired"], first["shown"], first["commented"], first["reasons"]) == (6, 4, 1, {"done": 1, "late": 1})
    assert second["reasons"] == {HOSTILE: 1}


class Page(HTMLParser):
    """What a page loads, runs and names."""

    def __init__(self) -> None:
        """Begin."""
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.leads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count it."""
        self.tags.append(tag)
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "data"):
                self.leads.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of SVG without content."""
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Elements end in order."""
        assert self.open.pop() == tag


def test_as_a_page_that_stands_alone(report: Report) -> None:
    text, page = report("--format", "html"), Page()
    page.feed(text)
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert all(lead.startswith("#") for lead in page.leads)
    assert len(page.ids) == len(set(page.ids))
    assert page.tags.count("svg") == 2
    assert "url(http" not in text
    assert "MARKER" not in text
    assert "b12_baseline</text>" in text  # words in pictures are words
    assert text.count("b12_baseline") > 2


def test_the_same_numbers_make_the_same_page(report: Report) -> None:
    made = [re.sub("made on .* UTC", "", report("--format", "html")) for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize("format_", ["markdown", "csv", "html", "json"])
def test_an_empty_store_makes_a_report_as_well(report: Report, format_: str) -> None:
    assert "b12_baseline" not in report("--since", "2027-06-01", "--client", "north", "--format", format_)


def test_many_rules_over_many_weeks_fit_on_a_page() -> None:
    groups = {
        Group("c", f"rule_{rule}", "1", date(2026, 1, 5) + week * WEEK): Tally(shown=rule + 1, accepted=rule % 2)
        for rule in range(11)
        for week in range(0, 60, 2)
    }
    page = html(Statistics(groups, {}, {}), Scope(date(2026, 1, 1), "c", AT))
    assert "Cards shown since 2026-01-01, client c; made on 2026-11-18 12:00 UTC" in page
    assert len(re.findall(r">rule_0</text>", page)) == 1  # in the first picture, and no trend of its own
    assert len(re.findall(r">rule_10</text>", page)) == 2


def test_rules_that_were_only_silent_are_seen_as_what_would_have_fired() -> None:
    page = html(Statistics({Group("c", "quiet", "1", AT.date()): Tally(silent=3)}, {}, {}), Scope(None, None, AT))
    assert len(re.findall(r">quiet</text>", page)) == 2
    assert ">0.8</text>" not in page  # a place without a rule is left empty
    assert "<dt>not shown</dt><dd>3</dd>" in page


def test_a_question_that_is_asked_again_is_one_question(database: str, opened: Opener) -> None:
    """A silent month: how many cards it would have been, how many of them repeats, and what of it was taken up elsewhere."""
    store = opened(database)
    asked = replace(firing(), state="silent", question="q1")
    store.add([
        asked,
        replace(asked, card_key="2", shown_at=AT + WEEK),
        replace(asked, card_key="3", shown_at=AT + WEEK, state="snoozed"),
        replace(asked, card_key="4", shown_at=AT + WEEK, state="repeated", question="q2"),
        replace(asked, card_key="5", shown_at=AT + 2 * WEEK, state="shown"),
        replace(asked, card_key="6", shown_at=AT + 2 * WEEK, state="held_back", question=None),
    ])  # fmt: skip
    store.add([replace(event(card="5"), outcome="accepted"), replace(event("other", card="4"), outcome="accepted")])
    with store.reading() as connection:
        total = statistics(connection).total()
    assert (total.fired, total.questions, total.shown, total.unshown) == (6, 3, 1, 5)
    assert (total.snoozed, total.repeated, total.silent, total.held_back) == (1, 1, 2, 1)
    assert (total.accepted, total.taken_elsewhere) == (1, 3)


def test_a_report_goes_into_a_file(report: Report, tmp_path: Path) -> None:
    assert report("--output", str(tmp_path / "report.md")) == ""
    assert "b12_baseline" in (tmp_path / "report.md").read_text(encoding="utf-8")


def failed(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["feedback", *arguments])
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    return result.stderr


def test_what_can_go_wrong_is_told_in_a_sentence(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, other = str(tmp_path / "feedback.db"), tmp_path / "other.db"
    assert "is no store" in failed("report", "--store", str(other))
    assert not other.exists()
    other.write_text("no database " * 100)
    assert "The store cannot be used: file is not a database." in failed("purge", "--store", str(other))
    assert "a store is the path" in failed("migrate", "--store", "mysql://h/d")
    assert "The store cannot be used" in failed("migrate", "--store", f"postgresql:///d?host={tmp_path}")
    assert "Missing option '--store'" in failed("report")
    assert "Cannot write" in failed("report", "--store", store, "--output", str(tmp_path / "no" / "report.md"))
    monkeypatch.setitem(sys.modules, "hooks.feedback.plots", None)
    assert "pip install 'cobalamin-cds[report]'" in failed("report", "--store", store, "--format", "html")


def test_a_store_is_made_and_purged_by_hand(tmp_path: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COBALAMIN_STORE", str(tmp_path / "feedback.db"))
    assert CliRunner().invoke(main, ["feedback", "migrate"]).stderr == "The store is up to date.\n"
    now = datetime.now(UTC)
    opened(store_url(str(tmp_path / "feedback.db"))).add([
        replace(firing("old"), shown_at=now - timedelta(days=9)),
        replace(firing("new"), shown_at=now - timedelta(days=7)),
    ])  # fmt: skip
    purged = CliRunner().invoke(main, ["feedback", "purge", "--retention-days", "8"])
    assert purged.stderr == "Deleted 1 cards and 0 reports older than 8 days.\n"
    again = CliRunner().invoke(main, ["feedback", "purge", "--retention-days", "8", "--format", "json"])
    assert json.loads(again.stdout) == {"cards": 0, "events": 0, "retention_days": 8}
    assert json.loads(CliRunner().invoke(main, ["feedback", "migrate", "--format", "json"]).stdout) == {"up_to_date": True}


def served(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["serve", *arguments])
    return result.exit_code, result.stderr


def test_serve_keeps_feedback_where_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "run", lambda server: server.cfg.when_ready(None))
    assert "no feedback is stored" in served("--port", "8099")[1]
    store = str(tmp_path / "feedback.db")
    assert served("--store", store) == (2, served("--store", store)[1])
    assert "environment: COBALAMIN_SALT: is a secret of at least 16 characters" in served("--store", store)[1]
    monkeypatch.setenv("COBALAMIN_SALT", "the-salt-of-the-tests")
    status, said = served("--port", "8099", "--store", store)
    assert (status, "feedback is stored" in said) == (0, True)
    assert (tmp_path / "feedback.db").exists()
    assert served("--store", "mysql://h/d")[0] == 2


def test_serve_tells_why_it_cannot_keep_feedback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COBALAMIN_SALT", "the-salt-of-the-tests")
    (tmp_path / "spool").write_text("in the way")
    (tmp_path / "cobalamin.yaml").write_text("feedback: {store: f.db, spool: spool/deeper}")
    status, said = served("--config", str(tmp_path / "cobalamin.yaml"))
    assert (status, f"the spool {tmp_path / 'spool' / 'deeper'} cannot be written" in said) == (2, True)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    (tmp_path / "cobalamin.yaml").write_text("feedback: {store: 'postgresql://h/d', spool: .}")
    assert "psycopg" in served("--config", str(tmp_path / "cobalamin.yaml"))[1]
