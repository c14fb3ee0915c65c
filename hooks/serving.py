"""The service under gunicorn: settings, and what each worker does before its first request."""

from __future__ import annotations

import gc
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication


class Server(BaseApplication):
    """Gunicorn around one application, loaded before the workers fork so that faulty knowledge stops the start."""

    def __init__(self, app: Flask, host: str, port: int, workers: int) -> None:
        """`workers`: processes; each answers one request at a time."""
        self._app = app
        self._settings = {
            "bind": f"{host}:{port}",
            "workers": workers,
            "preload_app": True,
            "accesslog": None,
            "loglevel": "warning",
            "post_worker_init": settle,
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn; the environment and its own files are not asked."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application gunicorn runs."""
        return self._app


def settle(worker: Any) -> None:  # noqa: ARG001 - gunicorn passes the worker
    """Take the knowledge out of garbage collection, and collect rarely: a request leaves no cycles, only many small objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
