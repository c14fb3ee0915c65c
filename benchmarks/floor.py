"""The floor: the smallest Flask service that parses the body and returns a card."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, request


CARD = {"summary": "Nothing was decided", "indicator": "info", "source": {"label": "Floor"}}

app = Flask(__name__)


@app.post("/cds-services/b12-bone-health")
def call() -> dict[str, Any]:
    """Parse and answer."""
    json.loads(request.get_data())
    return {"cards": [CARD]}


@app.get("/healthz")
def health() -> dict[str, Any]:
    """Up."""
    return {}
