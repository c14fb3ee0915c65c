"""What must hold of every answer, by requirement id; used on every vignette and every fixture."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest


RESOURCES: dict[str, Any] = {"MedicationRequest": MedicationRequest, "ServiceRequest": ServiceRequest}
LOUDNESS = ["critical", "warning", "info"]
CARD = {"uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons"}
FORBIDDEN_CLAIMS = re.compile(
    r"prevents? (hip )?fractures?|fewer fractures(?! or denser bone from B12)|reduces? (the )?(risk of )?fractures?|stronger bones?|"
    r"improves? (bone|BMD)|increases? (bone|BMD)|17\.3|12\.5 ?%|28\.4|2\.3 times|"
    r"(预防|防止|避免|减少|降低|防治)[^，。；：]{0,6}骨折|骨折[^，。；：]{0,4}(减少|降低|下降)|"
    r"(提高|改善|增加|增强|提升|保护)[^，。；：]{0,6}(骨密度|骨量|骨质|骨骼|骨强度)|(骨密度|骨量)[^，。；：]{0,4}(提高|改善|增加|升高)|"
    r"(强|壮)(健?骨|筋骨)|抗骨质疏松作用",
    re.IGNORECASE,
)


DENIED_IN_CHINESE = "未显示补充维生素B12能减少骨折或提高骨密度"
"""The standing limit: what is denied has to be named."""


def claims(text: str) -> list[str]:
    """What a text claims that no card may."""
    return [claim[0] for claim in FORBIDDEN_CLAIMS.finditer(text.replace(DENIED_IN_CHINESE, ""))]


def check_answer(body: dict[str, Any], patient_id: str) -> None:
    """RESP-*, SUG-*, ACT-*, JSON-02..05 on one response body."""
    assert body.keys() == {"cards"}, "RESP-03"
    cards = body["cards"]
    assert [LOUDNESS.index(card["indicator"]) for card in cards] == sorted(LOUDNESS.index(card["indicator"]) for card in cards), (
        "RESP-22"
    )
    assert len({card["summary"] for card in cards}) == len(cards), "RESP-22"
    uuids = [card["uuid"] for card in cards] + [s["uuid"] for card in cards for s in card.get("suggestions", [])]
    assert len(set(uuids)) == len(uuids), "RESP-13, SUG-02"
    assert all(str(UUID(uuid)) == uuid for uuid in uuids), "RESP-13"
    for where, value in walk(body):
        assert value is not None, f"JSON-02 {where}"
        assert value not in ("", [], {}) or where == "$.cards", f"JSON-03 {where}"
    for card in cards:
        check_card(card, patient_id)


def check_card(card: dict[str, Any], patient_id: str) -> None:
    """One card."""
    assert card.keys() <= CARD, "EXT-05"
    assert len(card["summary"]) < 140, "RESP-04"
    assert "\n" not in card["summary"], "RESP-04"
    assert not re.search(r"[{}]", card["summary"] + card["detail"]), "a placeholder was left"
    assert "<" not in re.sub(r"<=?\d", "", card["detail"]), "RESP-12"
    assert claims(f"{card['summary']}\n{card['detail']}") == []
    assert card["source"]["label"].strip(), "RESP-06"
    assert card["source"].get("url", "https://").startswith("https://"), "RESP-07"
    assert re.fullmatch(r"[A-Za-z0-9]{1,100}", card["source"]["topic"]["code"]), "RESP-10"
    assert card["source"]["topic"]["system"], "RESP-09"
    codes = [reason["code"] for reason in card["overrideReasons"]]
    assert len(set(codes)) == len(codes), "RESP-19"
    assert all(reason["display"] and reason["system"] for reason in card["overrideReasons"]), "RESP-18"
    suggestions = card.get("suggestions", [])
    assert ("selectionBehavior" in card) == bool(suggestions), "RESP-14, RESP-16"
    assert card.get("selectionBehavior", "any") in ("at-most-one", "any"), "RESP-15"
    recommended = sum(suggestion.get("isRecommended", False) for suggestion in suggestions)
    assert recommended <= 1 or card["selectionBehavior"] == "any", "RESP-17"
    for suggestion in suggestions:
        assert suggestion["label"], "SUG-01"
        assert suggestion.get("isRecommended", True) is True, "SUG-03"
        for action in suggestion["actions"]:
            check_action(action, patient_id)


def check_action(action: dict[str, Any], patient_id: str) -> None:
    """One action: what is created or updated is for this patient, and fhir.resources accepts it as R4B."""
    assert action["description"], "ACT-02"
    if action["type"] == "delete":
        assert action.keys() == {"type", "description", "resourceId"}, "ACT-06"
        assert re.fullmatch(r"[A-Za-z]+/.+", action["resourceId"]), "ACT-06"
        return
    assert action["type"] in ("create", "update"), "ACT-01"
    assert action.keys() == {"type", "description", "resource"}, "ACT-01, ACT-10"
    resource = action["resource"]
    check_resource(json.dumps({**resource, "id": "any"} if action["type"] == "update" else resource))
    assert resource["status"] == "draft", "ACT-09"
    assert resource["subject"]["reference"] == f"Patient/{patient_id}", "ACT-09, RESP-21"
    assert resource["subject"].keys() == {"reference"} or action["type"] == "update", "ACT-09"
    assert "meta" not in resource or action["type"] == "update", "ACT-10"


@cache
def check_resource(text: str) -> None:
    """Valid FHIR R4B. The same drafts stand on many cards."""
    resource = json.loads(text)
    RESOURCES[resource["resourceType"]].model_validate(resource)


def walk(value: Any, where: str = "$") -> Iterator[tuple[str, Any]]:
    """Every value in a JSON document with its place."""
    yield where, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from walk(item, f"{where}.{key}")
