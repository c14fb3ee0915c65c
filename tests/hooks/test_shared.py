"""Several hooks under one id (DISC-13, CALL-07, STALE-01)."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from hooks.app import Config, create_app
from tests.patients import TODAY, request


URL = "/cds-services/b12-orders"
ORDERED = {
    "age": 70,
    "problems": ["osteoporosis"],
    "orders": [{"drug": "Cyanocobalamin", "structured": {"dose": "1000 mg", "route": "oral"}}],
}


@pytest.fixture(name="sharing", scope="module")
def sharing_client() -> FlaskClient:
    ids = {"order-select": "b12-orders", "order-sign": "b12-orders"}
    return create_app(Config(today=lambda: TODAY, ids=ids)).test_client()


def test_DISC_13_STALE_01_an_id_is_listed_under_each_of_its_hooks(sharing: FlaskClient) -> None:
    services = sharing.get("/cds-services").get_json()["services"]
    assert [service["hook"] for service in services if service["id"] == "b12-orders"] == ["order-select", "order-sign"]
    assert len({(service["hook"], service["id"]) for service in services}) == 6


def test_CALL_07_the_hook_in_the_body_decides(sharing: FlaskClient, client: FlaskClient) -> None:
    unselected = request({**ORDERED, "hook": "order-select"})
    assert sharing.post(URL, json=unselected).get_json() == {"cards": []}
    signed = sharing.post(URL, json=request(ORDERED))
    assert signed.get_json()["cards"]
    assert signed.get_data() == client.post("/cds-services/b12-order-sign", json=request(ORDERED)).get_data()
    assert sharing.post("/cds-services/b12-bone-health", json=request({"age": 40})).get_json() == {"cards": []}
    assert sharing.post("/cds-services/b12-order-sign", json=request(ORDERED)).status_code == 404


@pytest.mark.parametrize("hook", ["patient-view", "x", None, 7, {}, []])
def test_CALL_06_07_no_other_hook_is_answered(sharing: FlaskClient, hook: Any) -> None:
    answer = sharing.post(URL, json={**request(ORDERED), "hook": hook})
    assert (answer.status_code, answer.get_json()["issue"][0]["expression"]) == (400, ["hook"])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 5000, b'{"hook": "order-sign", "hook": "order-select"}'])
def test_what_is_no_request_is_none_here_either(sharing: FlaskClient, body: bytes) -> None:
    answer = sharing.post(URL, data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["issue"][0]["code"]) == (400, "structure")


@pytest.mark.parametrize("ids", [{"order-dispatch": "x"}, {"order-sign": "feedback"}, {"order-sign": "a b"}, {"order-sign": ""}])
def test_what_is_no_id_stops_the_start(ids: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"hook|no id"):
        create_app(Config(ids=ids))
