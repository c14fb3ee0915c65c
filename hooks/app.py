"""The application: builds the library, the services and the routes. The only place that knows what a deployment may set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flask import Flask

from cds.library import load
from hooks.calls import Calls, Record, Wsgi
from hooks.engine import Engine
from hooks.feedback.config import FeedbackConfig
from hooks.pages import Pages
from hooks.routes import add_routes
from hooks.services import SERVICES
from hooks.trust.gate import Gate
from hooks.wire import require_web_address


MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Config:
    """What a deployment may set. The defaults are the development configuration.

    `site`: a site policy file. `base_url`: where clinicians reach the service, for links on cards to the rulebook; without it a
    card links to its source. `body_limit`: the largest request body in bytes. `today`: the day decisions are made on. `gate`: who
    may call; None, which is for development, lets everybody in. `feedback`: where cards and feedback are kept; None keeps
    neither, and there is no feedback endpoint then.
    """

    site: Path | None = None
    base_url: str | None = None
    body_limit: int = 10 * MEBIBYTE
    today: Callable[[], date] = date.today
    gate: Gate | None = None
    feedback: FeedbackConfig | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a base URL that is none: a link that leads nowhere must not stand on a card."""
        if self.base_url is not None:
            require_web_address(self.base_url)
            if {"?", "#"}.intersection(self.base_url):
                raise ValueError(f"{self.base_url!r} is not an absolute URL that a path can be added to")


def create_app(config: Config | None = None) -> Flask:
    """The WSGI application. Raises KnowledgeError or GraphError where the knowledge does not fit together."""
    config = config or Config()
    library = load(config.site)
    app = Flask("hooks", static_folder=None)
    engines = [Engine(library, service, config.base_url) for service in SERVICES]
    add_routes(app, engines, Pages(library, SERVICES), config.today)
    behind: Wsgi = app.wsgi_app
    record: Record | None = None
    if config.feedback is not None:
        from hooks.feedback.mounting import Kept  # SQLAlchemy takes its time, and few commands need it

        kept = Kept(config.feedback, behind, SERVICES, config.gate)
        behind, record = kept.endpoint, kept.record
    app.wsgi_app = Calls(behind, engines, config.today, config.body_limit, config.gate, record)  # type: ignore[method-assign]  # as Flask's manual does
    return app
