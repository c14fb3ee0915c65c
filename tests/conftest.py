"""What every test may ask for by name."""

from __future__ import annotations

import os
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings

from cds.content import Library
from hooks.app import Config, create_app
from tests.patients import TODAY, engine


os.environ["TZ"] = "Pacific/Kiritimati"  # UTC+14: whoever reads a day off a clock by mistake will be a day ahead
time.tzset()
settings.register_profile("everyday", deadline=None, max_examples=200, derandomize=True)  # a red run is red again
settings.register_profile("wild", deadline=None, max_examples=3000)  # HYPOTHESIS_PROFILE=wild looks further, and elsewhere
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))


@pytest.fixture(scope="session")
def library() -> Library:
    """All knowledge, read once."""
    return engine().library


@pytest.fixture(scope="session")
def app() -> Flask:
    """The application on the day the vignettes were written for."""
    return create_app(Config(today=lambda: TODAY))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """An HTTP client of the application."""
    return app.test_client()
