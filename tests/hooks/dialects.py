"""FHIR servers that behave like those of hospitals, refusals included, and the same patients through all of them.

`python -m tests.hooks.dialects` prints patients and dialects as a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, get_args

from hooks.desks import Desks
from hooks.engine import Engine, Evaluation
from hooks.examples import Fixture, fixture
from hooks.fhir.access import Access, Dialect
from hooks.services import service_of
from tests.hooks.stub import BASE, TOKEN, Asked, Behaviour, reply, stub
from tests.patients import engine, library


PATIENTS = (
    "baseline-missing",
    "food-bound-deficiency",
    "grey-zone-open",
    "high-dose-self-treater",
    "irreversible-malabsorption",
    "neurological-red-flag",
    "nitrous-oxide",
    "nothing-to-say",
    "on-treatment",
    "order-sign-mg-for-ug",
    "partial-malabsorption",
    "problem-list-pernicious-anaemia",
)
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
PATIENCE_S = 10.0
"""Nothing here is about speed."""

_TYPES = ("Observation", "MedicationRequest", "MedicationStatement", "Condition", "Procedure", "AllergyIntolerance")
_EPIC = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369"


class RefusalError(Exception):
    """A query that a server of this kind does not answer: status and body."""

    def __init__(self, status: str, body: Any) -> None:
        """`body`: bytes as they are, or a resource."""
        self.reply = reply(body if isinstance(body, bytes) else _json(body), status)
        super().__init__(status)


def hospital(dialect: Dialect, resources: Sequence[dict[str, Any]]) -> Behaviour:
    """A server of one kind that holds the record of one patient, or of another as soon as that is in `resources`."""

    def behave(asked: Asked) -> Iterable[bytes]:
        origin = f"http://{asked.headers['host']}"
        try:
            if asked.headers.get("authorization") != f"Bearer {TOKEN}":
                raise RefusalError("401 Unauthorized", b"")
            return [reply(_json(_answer(dialect, list(map(_as_kept_by(dialect), resources)), asked, origin)))]
        except RefusalError as refusal:
            return [refusal.reply]

    return behave


def _answer(dialect: Dialect, resources: Sequence[dict[str, Any]], asked: Asked, origin: str) -> dict[str, Any]:
    if asked.method != "GET" or asked.headers["accept"] != "application/fhir+json":
        raise RefusalError("406 Not Acceptable", _outcome("error", "not-supported"))
    kind, _, identity = asked.path.removeprefix(BASE).strip("/").partition("/")
    if identity:
        found = [one for one in resources if one["resourceType"] == kind and one["id"] == identity]
        if not found:
            raise RefusalError("404 Not Found", _outcome("error", "not-found"))
        return found[0]
    query, page = asked.query, 0
    if "_getpages" in query:  # HAPI keeps the search, and names it
        kind, page, query = query["_getpages"], int(query["_getpagesoffset"]), {"patient": "*"}
    elif "-pageContext" in query:
        page = int(query["-pageContext"])
    if kind not in _TYPES or (kind == "MedicationStatement" and dialect in ("epic", "oracle")):
        raise RefusalError("404 Not Found", _outcome("error", "not-supported"))
    _refuse(dialect, kind, query)
    wanted = query.get("code", "").split(",") if "code" in query else None
    matches = [one for one in resources if one["resourceType"] == kind and (wanted is None or _has_code(dialect, one, wanted))]
    return _bundle(dialect, kind, matches, page, query, f"{origin}{BASE}")


def _refuse(dialect: Dialect, kind: str, query: Mapping[str, str]) -> None:
    """What each of them is known to refuse."""
    if "patient" not in query:
        raise RefusalError("403 Forbidden", _outcome("error", "forbidden"))
    match dialect:
        case "epic" if kind == "Observation" and not query.keys() & {"code", "category"}:
            raise RefusalError("400 Bad Request", _outcome("fatal", "required"))
        case "epic" if len(query.get("code", "").split(",")) > 50:
            raise RefusalError("400 Bad Request", _outcome("fatal", "too-long"))
        case "oracle" if "_sort" in query or ("code" in query and not all("|" in code for code in query["code"].split(","))):
            raise RefusalError("400 Bad Request", b"no supported search parameters provided")
        case "athena" if kind == "MedicationRequest" and set(query.get("intent", "?").split(",")) - {"order", "plan"}:
            raise RefusalError("403 Forbidden", _outcome("error", "forbidden"))


def _has_code(dialect: Dialect, resource: Mapping[str, Any], wanted: Sequence[str]) -> bool:
    """OpenEMR finds nothing by system and code together, and bare codes only."""
    codings = resource["code"].get("coding", [])
    known = {coding["code"] for coding in codings}
    if dialect != "openemr":
        known |= {f"{coding['system']}|{coding['code']}" for coding in codings if "system" in coding}
    return bool(known.intersection(wanted))


def _bundle(
    dialect: Dialect, kind: str, matches: Sequence[dict[str, Any]], page: int, query: Mapping[str, str], base: str
) -> dict[str, Any]:
    """One page of an answer. The small pages of Oracle Health and HAPI make even small records turn pages."""
    size = {"oracle": int(query.get("_count", "50")) // 100 + 1, "hapi": 3}.get(dialect, 1000)
    shown = matches[page * size : (page + 1) * size]
    entries: list[dict[str, Any]] = [
        {"fullUrl": f"{base}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in shown
    ]
    answer: dict[str, Any] = {"resourceType": "Bundle", "type": "collection" if dialect == "openemr" else "searchset"}
    if dialect != "hapi":
        answer["total"] = len(matches)
    if dialect == "epic":  # says something beside every answer, in particular that there is none
        numbers = ["4119"] if matches else ["4101", "4119"]
        entries += [{"resource": _outcome("warning", "processing", number), "search": {"mode": "outcome"}} for number in numbers]
    if len(matches) > (page + 1) * size:
        following = (
            f"?_getpages={kind}&_getpagesoffset={page + 1}" if dialect == "hapi" else f"/{kind}?{_turned(query, page + 1)}"
        )
        answer["link"] = [{"relation": "self", "url": base}, {"relation": "next", "url": base + following}]
    return {**answer, "entry": entries} if entries else answer


def _turned(query: Mapping[str, str], page: int) -> str:
    return "&".join(f"{name}={value}" for name, value in {**query, "-pageContext": str(page)}.items())


def _as_kept_by(dialect: Dialect) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return _as_order if dialect in ("epic", "oracle") else lambda resource: resource


def _as_order(resource: dict[str, Any]) -> dict[str, Any]:
    """What patients told, as servers without MedicationStatement keep it: a plan that was reported."""
    if resource["resourceType"] != "MedicationStatement":
        return resource
    kept = {name: value for name, value in resource.items() if name not in ("dosage", "effectivePeriod", "informationSource")}
    lines = resource.get("dosage") or [{}]
    if "effectivePeriod" in resource:
        repeat = lines[0].get("timing", {}).get("repeat", {})
        lines = [{**lines[0], "timing": {"repeat": {**repeat, "boundsPeriod": resource["effectivePeriod"]}}}, *lines[1:]]
    order = {"resourceType": "MedicationRequest", "intent": "plan", "reportedBoolean": True, "dosageInstruction": lines}
    return {**kept, **order, "id": f"told-{kept['id']}"}


def _outcome(severity: str, code: str, number: str | None = None) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": code}
    if number is not None:
        issue["details"] = {"coding": [{"system": _EPIC, "code": number}]}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _json(content: Any) -> bytes:
    return json.dumps(content).encode()


def record(prefetch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All resources that a request brought."""
    found = []
    for value in filter(None, prefetch.values()):
        found += [entry["resource"] for entry in value.get("entry", [])] if value["resourceType"] == "Bundle" else [value]
    return found


@cache
def fetching(hook: str, access: Access) -> Engine:
    """The service with access to a FHIR server."""
    desks = Desks(library())
    for desk in desks.known:
        desk.access = access
    return Engine(library(), service_of(hook), desks)


def unprefetched(request: Mapping[str, Any], server: str, keep: Iterable[str] = ()) -> bytes:
    """A request without its prefetch, but for what is kept, and with the way to the server."""
    kept = set(keep)
    leave = {"fhirServer": server, "fhirAuthorization": {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300}}
    return _json({**request, **leave, "prefetch": {key: value for key, value in request["prefetch"].items() if key in kept}})


def supplied(patient: Fixture) -> Evaluation:
    """The decision on complete prefetch."""
    return engine(patient.request["hook"]).evaluate(_json(patient.request), patient.written_for)


def fetched(patients: Iterable[Fixture], dialect: Dialect) -> list[Evaluation]:
    """The decisions where nothing came but the way to a server of this kind."""
    held: list[dict[str, Any]] = []
    found = []
    with stub(hospital(dialect, held)) as server:
        for patient in patients:
            held[:] = record(patient.request["prefetch"])
            engine = fetching(patient.request["hook"], Access((server.base,), dialect, PATIENCE_S, pages=50))
            found.append(engine.evaluate(unprefetched(patient.request, server.base), patient.written_for))
    return found


def gist(evaluation: Evaluation) -> str:
    """What was decided: scope, status, absorption, what to do, and every advice."""
    if evaluation.refusal is not None:
        return str(evaluation.refusal.status)
    decision = evaluation.decision
    advice = ", ".join(f"{statement.rule}/{statement.advice.key}" for statement in decision.statements)
    regimen = decision["regimen"].action
    return f"{decision['scope']} · {decision['b12_status']} · {decision['absorption']} · {regimen} · {advice or 'silence'}"


def main() -> None:
    """Print the table."""
    print("| patient | decided on prefetch |", *(f"{dialect} |" for dialect in DIALECTS))  # noqa: T201 - a command
    print("| --- | --- |", *("--- |" for _ in DIALECTS))  # noqa: T201
    patients = [fixture(name) for name in PATIENTS]
    columns = [[gist(evaluation) for evaluation in fetched(patients, dialect)] for dialect in DIALECTS]
    for name, patient, *row in zip(PATIENTS, patients, *columns, strict=True):
        usual = gist(supplied(patient))
        others = ["same" if found == usual else found for found in row]
        print(f"| {name} | {usual} |", *(f"{other} |" for other in others))  # noqa: T201


if __name__ == "__main__":
    main()
