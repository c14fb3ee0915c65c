"""Searches all that the service writes for the markers of a request: its answers, its logs, its pages and its files."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner
from flask.testing import FlaskClient

from hooks.app import Config, create_app
from hooks.cli import main as cobalamin
from hooks.feedback.config import FeedbackConfig
from hooks.operation.config import OperationConfig
from hooks.operation.logs import JsonLines, TextLines
from hooks.services import SERVICES
from tests.hooks.planting import CALLS, Planter
from tests.patients import TODAY


SALT = "the-salt-of-the-tests"
KEPT = {
    "store": re.compile(r"overrideReason|feedback\.(\d\.)?extension|token\.tenant"),
    "spool": re.compile(r"token\.tenant"),
    "audit": re.compile(r"token\.tenant"),
    "AuditEvents": re.compile(r"token\.tenant"),
}
"""What is written down on purpose: the words of a report belong to the report, and who a client is.

The tenant is part of the name of a client. A `jti`, a hook instance and the id of a request are kept as well, if they have the form
of such ids, which these markers have not.
"""
_NOTHING = re.compile(r"$^")

ID = {service.hook: service.id for service in SERVICES}
VIEW = f"/cds-services/{ID['patient-view']}"


class Search:
    """What was run, and what was written."""

    def __init__(self, folder: Path, hooks: Iterable[str] = CALLS) -> None:
        """`folder`: for all files of the deployments. `hooks`: in whose calls each field is a marker in turn."""
        self.folder, self.hooks, self.planter = folder, tuple(hooks), Planter()
        self.planter.secrets.add(SALT.encode())
        self.ran: dict[str, Counter[int]] = defaultdict(Counter)
        self.written: dict[str, list[bytes]] = defaultdict(list)

    def deployment(self, name: str, clients: Iterable[dict[str, Any]] = (), **more: Any) -> FlaskClient:
        """A service that keeps, counts and stores everything, in a folder of its own."""
        folder = self.folder / name
        folder.mkdir()
        files = []
        for client in clients:
            files.append(folder / f"{client['name']}.yaml")
            files[-1].write_text(yaml.safe_dump({"means": {"en": "A client", "zh-CN": "客户端"}, **client}), encoding="utf-8")
        app = create_app(
            Config(
                clients=tuple(map(str, files)),
                today=None if files else lambda: TODAY,
                body_limit=1024 * 1024,
                feedback=FeedbackConfig(str(folder / "feedback.db"), SALT),
                operation=OperationConfig(folder / "audit.jsonl", SALT, metrics=True, json_logs=True, log_level="debug"),
                **{"base_url": "https://cds.example.org", "used_tokens": folder / "used-tokens", **more},
            )
        )
        return app.test_client()

    def run(self, path: str, client: FlaskClient, url: str, method: str = "POST", **call: Any) -> None:
        """Send one request with markers in headers and query, and keep what of the answer must hold none."""
        headers = {**self.planter.headers(), **call.pop("headers", {})}
        query = {"patient": self.planter.marker("the query"), self.planter.marker("the name in a query"): "x"}
        answer = client.open(url, method=method, headers=headers, query_string=query, **call)
        self.ran[path][answer.status_code] += 1
        self.written["headers of answers"].append(str(answer.headers).encode())
        if answer.status_code != 200:
            self.written["bodies of refusals"].append(answer.get_data())

    def fields(self, sink: str, kept: bool) -> list[str]:
        """The fields that stand in what was written somewhere: those that are kept there on purpose, or all others."""
        purpose = KEPT.get(sink, _NOTHING)
        found = self.planter.found(b"".join(self.written[sink]))
        return sorted(field for field in found if bool(purpose.search(field)) is kept)

    def collect(self, client: FlaskClient, name: str) -> None:
        """What a deployment has written into its files and shows on its pages."""
        folder = self.folder / name
        for page in ("/metrics", "/readyz", "/healthz"):
            self.written[f"page {page}"].append(client.get(page).get_data())
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix != ".yaml":
                sink = {"audit.jsonl": "audit", "used-tokens": "used tokens"}.get(file.name, "store")
                self.written["spool" if file.parent.suffix == ".spool" else sink].append(file.read_bytes())
        exported = CliRunner().invoke(cobalamin, ["audit", "export", str(folder / "audit.jsonl")])
        self.written["AuditEvents"].append(exported.output.encode())


@contextmanager
def listening(search: Search) -> Iterator[None]:
    """Everything that is logged or printed, at DEBUG: as our lines, and as somebody else's handler would write ours."""
    ours, text, foreign, printed = io.StringIO(), io.StringIO(), io.StringIO(), io.StringIO()
    handlers = []
    for stream, formatter, name in (
        (ours, JsonLines(), ""),
        (text, TextLines(), ""),
        (foreign, logging.Formatter(), "cobalamin"),
    ):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        handlers.append((logging.getLogger(name), handler, logging.getLogger(name).level))
    names = (
        "urllib3",
        "werkzeug",
        "gunicorn.error",
        "sqlalchemy",
        "sqlalchemy.engine",
        "sqlalchemy.pool",
        "alembic",
        "flask",
        "hooks",
    )
    levels = {name: logging.getLogger(name).level for name in names}
    try:
        for logger, handler, _ in handlers:
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
        for name in names:
            logging.getLogger(name).setLevel(logging.DEBUG)
        with redirect_stdout(printed), redirect_stderr(printed):
            yield
    finally:
        for logger, handler, level in handlers:
            logger.removeHandler(handler)
            logger.setLevel(level)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    search.written["log as JSON"].append(ours.getvalue().encode())
    search.written["log as text"].append(text.getvalue().encode())
    search.written["our log records, written by others"].append(foreign.getvalue().encode())
    search.written["printed"].append(printed.getvalue().encode())
