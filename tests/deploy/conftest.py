"""Databases for the tests of back-ups: those of the feedback store's own tests."""

from tests.hooks.conftest import database, opened, postgresql_server


__all__ = ["database", "opened", "postgresql_server"]
