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
    """Everything that must hold of a response body."""
    assert claims("\n".join(f"{card['summary']}\n{card['detail']}" for card in body["cards"])) == []
    assert not re.search(r"[{}]", "".join(card["summary"] + card["detail"] for card in body["cards"])), "a placeholder was left"
    for check in CHECKS:
        check(body, patient_id)


def suggestions(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All suggestions of an answer."""
    for card in body["cards"]:
        yield from card.get("suggestions", [])


def actions(body: dict[str, Any], *types: str) -> Iterator[dict[str, Any]]:
    """All actions of an answer, or those of some types."""
    for suggestion in suggestions(body):
        yield from (action for action in suggestion["actions"] if not types or action["type"] in types)


def check_JSON_02_03_05_nothing_is_null_or_blank(body: dict[str, Any], _: str) -> None:
    for where, value in walk(body):
        assert value is not None, where
        assert value not in ([], {}) or where == "$.cards", where
        assert not isinstance(value, str) or re.search(r"\S", value), where


def check_JSON_07_ACT_03_resources_are_objects_and_valid(body: dict[str, Any], _: str) -> None:
    for action in actions(body, "create", "update"):
        resource = action["resource"]
        check_resource(json.dumps({**resource, "id": "any"} if action["type"] == "update" else resource))


def check_RESP_03_SYS_01_02_03_the_answer_has_cards_alone(body: dict[str, Any], _: str) -> None:
    assert body.keys() == {"cards"}


def check_EXT_02_05_LINK_07_members_are_those_of_the_standard(body: dict[str, Any], _: str) -> None:
    for card in body["cards"]:
        assert card.keys() <= CARD
        assert card["source"].keys() <= {"label", "url", "topic"}
        assert all(
            coding.keys() == {"system", "code", "display"}
            for coding in (card["source"]["topic"], *card.get("overrideReasons", []))
        )
    assert all(suggestion.keys() <= {"label", "uuid", "actions", "isRecommended"} for suggestion in suggestions(body))


def check_RESP_04_a_summary_is_one_short_line(body: dict[str, Any], _: str) -> None:
    for card in body["cards"]:
        assert len(card["summary"].encode("utf-16-le")) // 2 < 140
        assert len(card["summary"].splitlines()) == 1


def check_RESP_05_22_the_most_urgent_first_and_none_twice(body: dict[str, Any], _: str) -> None:
    loudness = [LOUDNESS.index(card["indicator"]) for card in body["cards"]]
    assert loudness == sorted(loudness)
    assert len({card["summary"] for card in body["cards"]}) == len(loudness)


def check_RESP_06_09_10_a_source_with_a_topic(body: dict[str, Any], _: str) -> None:
    for card in body["cards"]:
        assert card["source"]["label"].strip()
        assert card["source"].get("url", "https://").startswith("https://")
        assert card["source"]["topic"]["system"]
        assert re.fullmatch(r"[A-Za-z0-9]{1,100}", card["source"]["topic"]["code"])


def check_RESP_12_no_html(body: dict[str, Any], _: str) -> None:
    for card in body["cards"]:
        assert "<" not in re.sub(r"<=?\d", "", card["detail"])


def check_RESP_13_SUG_02_uuids(body: dict[str, Any], _: str) -> None:
    uuids = [part["uuid"] for part in (*body["cards"], *suggestions(body))]
    assert len(set(uuids)) == len(uuids)
    assert all(str(UUID(uuid)) == uuid for uuid in uuids)


def check_RESP_14_15_16_17_how_suggestions_are_chosen(body: dict[str, Any], _: str) -> None:
    for card in body["cards"]:
        assert ("selectionBehavior" in card) == bool(card.get("suggestions"))
        assert card.get("selectionBehavior", "any") in ("at-most-one", "any")
        recommended = sum(suggestion.get("isRecommended", False) for suggestion in card.get("suggestions", []))
        assert recommended <= 1 or card["selectionBehavior"] == "any"


def check_RESP_18_override_reasons(body: dict[str, Any], _: str) -> None:
    for card in body["cards"]:
        codes = [reason["code"] for reason in card.get("overrideReasons", [])]
        assert len(set(codes)) == len(codes)
        assert all(reason["display"] and reason["system"] for reason in card.get("overrideReasons", []))


def check_SUG_01_03_04_a_suggestion_is_complete(body: dict[str, Any], _: str) -> None:
    for suggestion in suggestions(body):
        assert suggestion["label"]
        assert suggestion.get("isRecommended", True) is True
        assert suggestion["actions"]


def check_ACT_01_02_06_an_action_is_complete(body: dict[str, Any], _: str) -> None:
    for action in actions(body):
        assert action["type"] in ("create", "update", "delete")
        assert action["description"]
        carries = "resourceId" if action["type"] == "delete" else "resource"
        assert action.keys() == {"type", "description", carries}
        assert re.fullmatch(r"[A-Za-z]+/.+", action.get("resourceId", "Any/1"))


def check_RESP_21_resources_are_for_this_patient(body: dict[str, Any], patient_id: str) -> None:
    for action in actions(body, "create", "update"):
        assert action["resource"]["subject"]["reference"] == f"Patient/{patient_id}"


def check_ACT_09_10_what_is_created_is_a_draft(body: dict[str, Any], _: str) -> None:
    for action in actions(body, "create", "update"):
        assert action["resource"]["status"] == "draft"
    for action in actions(body, "create"):
        assert action["resource"]["subject"].keys() == {"reference"}
        assert not {"id", "meta"} & action["resource"].keys()


CHECKS = [check for name, check in sorted(globals().items()) if re.match(r"check_[A-Z]", name)]
"""The requirements by id. tests/conformance.py reads the ids off the names."""


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
