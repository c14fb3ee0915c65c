"""`cobalamin doctor`: what is made ill is found, and what is well is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.wrappers import Request, Response

from hooks.cli import main
from hooks.kit.setups import _clock
from tests.hooks.servers import served
from tests.hooks.stub import HANG_UP, reply, stub
from tests.hooks.test_kit_fire import odd
from tests.hooks.tokens import jwk
from tests.patients import bundle, request


ROOT = Path(__file__).parent.parent.parent
PATIENT = {"age": 71, "results": [{"b12_total": "320 pg/mL"}], "problems": ["osteoporosis"], "medicines": [{"metformin": None}]}


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "400"}).invoke(main, ["doctor", *arguments])


def diagnosed(tmp_path: Path, sent: Any, *arguments: str) -> dict[str, tuple[str, str]]:
    """The complaints by where: how heavy, and what is wrong."""
    path = tmp_path / "request.json"
    path.write_text(json.dumps(sent), encoding="utf-8")
    result = run(str(path), "--today", "2026-11-21", "--format", "json", *arguments)
    assert result.stdout, result.output
    return {c["where"]: (c["weight"], c["what"]) for c in json.loads(result.stdout)["complaints"]}


def sane() -> dict[str, Any]:
    return request({**PATIENT, "medicines": []})


def profile(tmp_path: Path, **members: Any) -> str:
    path = tmp_path / "ours.yaml"
    path.write_text(json.dumps({"means": {"en": "Ours", "zh-CN": "我们"}, **members}), encoding="utf-8")
    return str(path)


def test_a_healthy_request_has_nothing(tmp_path: Path) -> None:
    assert diagnosed(tmp_path, sane()) == {}
    result = run(str(tmp_path / "request.json"), "--today", "2026-11-21")
    assert (result.exit_code, result.stdout) == (0, "Nothing is wrong.\n")


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets or, by None, removes a member."""

    def changed(sent: dict[str, Any]) -> None:
        *above, last = path.split(".")
        at: Any = sent
        for name in above:
            at = at[int(name)] if name.isdecimal() else at[name]
        if value is None:
            del at[last]
        else:
            at[last] = value

    return changed


LAB = "prefetch.labs.entry.0.resource"


@pytest.mark.parametrize(
    ("make_ill", "where", "weight", "what"),
    [
        (change("hook", "order-review"), "hook", "error", "no service of ours answers 'order-review'"),
        (change("context.patientId", None), "context.patientId", "error", "the service answers 400"),
        (change("prefetch.patient", None), "prefetch.patient", "error", "is missing"),
        (change("prefetch.labs", None), "prefetch.labs", "error", "is missing"),
        (change("prefetch.procedures", None), "prefetch.procedures", "note", "is missing"),
        (change("prefetch.labs", {"resourceType": "OperationOutcome"}), "prefetch.labs", "error", "the query failed at the client"),
        (change("prefetch.labs", "x"), "prefetch.labs", "error", "brought nothing of the kind"),
        (change("prefetch.labs.total", 50), "prefetch.labs", "error", "came in part only"),
        (change("prefetch.patient.birthDate", None), "Patient/p1", "error", "No usable birth date"),
        (change(f"{LAB}.valueQuantity", {"value": 320, "unit": "furlong"}), "Observation", "error", "unknown unit"),
        (change(f"{LAB}.effectiveDateTime", "2027-05-05"), "Observation", "error", "in the future"),
        (change(f"{LAB}.subject", {"reference": "Patient/other"}), "Observation", "error", "Names another patient"),
        (change(f"{LAB}.code", {"coding": [{"system": "urn:oid:1.2.3", "code": "B12"}]}), "prefetch.labs", "warning", "1 results carry codes of systems that are not read: urn:oid:1.2.3|B12"),
        (change("prefetch", {"patient": {"resourceType": "Patient", "id": "p1", "birthDate": "1950-01-01"}, **{key: bundle([]) for key in ("labs", "medications", "conditions", "statements", "procedures", "allergies")}}), "prefetch", "warning", "came empty, all of them"),
        (change("prefetch", []), "prefetch.patient", "error", "is missing"),
        (change("fhirAuthorization", {"access_token": "x", "scope": "patient/Patient.read"}), "fhirAuthorization.scope", "warning", "does not cover Observation"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_each_illness_is_found(
    make_ill: Callable[[dict[str, Any]], None], where: str, weight: str, what: str, tmp_path: Path
) -> None:
    sent = sane()
    make_ill(sent)
    found = diagnosed(tmp_path, sent)
    (complaint,) = (said for place, said in found.items() if place.startswith(where) and what in said[1])
    assert complaint[0] == weight
    assert run(str(tmp_path / "request.json"), "--today", "2026-11-21").exit_code == (weight != "note")


def test_a_renamed_key_is_recognised(tmp_path: Path) -> None:
    sent = sane()
    sent["prefetch"]["LGL_LABS"] = sent["prefetch"].pop("labs")
    assert diagnosed(tmp_path, sent)["prefetch.labs"] == ("error", "came under another name (LGL_LABS)")
    assert diagnosed(tmp_path, sent, "--client", profile(tmp_path, prefetch={"aliases": {"LGL_LABS": "labs"}})).keys() == {"ours"}
    sent["prefetch"]["LGL_LABS"] = bundle([])
    assert diagnosed(tmp_path, sent)["prefetch.labs"] == ("error", "is missing (LGL_LABS came instead)")


def test_notes_that_come_often_are_counted(tmp_path: Path) -> None:
    sent = request({**PATIENT, "results": [{"b12_total": "320"}, {"folate": "5"}]})
    assert any("has no unit; none is guessed (2 times)" in what for _, what in diagnosed(tmp_path, sent).values())


def test_what_a_client_is_not_known_to_do_is_told(tmp_path: Path) -> None:
    client = profile(tmp_path, hooks=["order-sign"], fhir={"bases": ["https://ehr.invalid/fhir"]})
    sent = {**sane(), "fhirServer": "https://elsewhere.invalid"}
    found = diagnosed(tmp_path, sent, "--client", client)
    assert found["hook"] == ("warning", "ours is not known to fire patient-view")
    assert "is not among fhir.bases of ours" in found["fhirServer"][1]
    assert found["fhirAuthorization"] == ("warning", "is missing, so nothing is fetched")
    assert "did not answer" in found["ours: https://ehr.invalid/fhir"][1]
    opened = profile(tmp_path, fhir={"bases": ["https://ehr.invalid/fhir"], "open": True})
    del sent["prefetch"]["procedures"]
    assert "fhirAuthorization" not in diagnosed(tmp_path, {**sent, "fhirServer": "https://ehr.invalid/fhir"}, "--client", opened)


def test_keys_and_fhir_servers_of_a_client_are_tried(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps({"keys": [jwk()]}), encoding="utf-8")
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    answers: list[Any] = [{"resourceType": "CapabilityStatement"}, {"resourceType": "OperationOutcome"}]

    @Request.application
    def ehr(asked: Request) -> Response:
        return Response(json.dumps(answers[0]))

    with served(ehr) as base:
        good = profile(tmp_path, trust={"iss": ["me"], "jwks_file": "good.json"}, fhir={"bases": [base]})
        assert run("--client", good).stdout == "Nothing is wrong.\n"
        del answers[0]
        bad = profile(
            tmp_path,
            trust={"iss": ["me"], "jwks_file": "bad.json", "jwks_url": "https://127.0.0.1:9/jwks"},
            fhir={"bases": [base]},
        )
        result = run("--client", bad)
    assert result.exit_code == 1
    assert "bad.json A JWK Set is an object" in result.stdout
    assert "https://127.0.0.1:9/jwks brings no key set" in result.stdout
    assert "answers 200 and no CapabilityStatement" in result.stdout


def test_keys_behind_a_url_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def fetch(*words: Any) -> dict[str, Any]:
        asked.append(words)
        return {"keys": [jwk()]}

    monkeypatch.setattr("hooks.trust.keysets._fetch", fetch)
    (tmp_path / "ca.pem").touch()
    trust = {"iss": ["me"], "key_urls": ["https://ehr.invalid/jwks"], "authority": "ca.pem"}
    assert run("--client", profile(tmp_path, trust=trust, networks=["10.1.0.0/16"])).exit_code == 0
    url, networks, authority = asked[0]
    assert (url, list(map(str, networks)), authority) == ("https://ehr.invalid/jwks", ["10.1.0.0/16"], str(tmp_path / "ca.pem"))


def test_a_key_under_another_name_and_a_patient_that_is_missing_have_their_mends(tmp_path: Path) -> None:
    sent = json.loads(json.dumps(request({"age": 71, "problems": ["osteoporosis"], "results": [{"b12_total": "150 pg/mL"}]})))
    sent["prefetch"]["laborwerte"] = sent["prefetch"].pop("labs")
    del sent["prefetch"]["patient"]
    path = tmp_path / "request.json"
    path.write_text(json.dumps(sent), encoding="utf-8")
    told = run(str(path)).stdout
    assert "prefetch.labs came under another name (laborwerte). Name it as in discovery" in told
    assert "prefetch.patient is missing (laborwerte came instead). Register the template of discovery under this key.\n" in told


def test_a_running_service_is_asked(app: Any, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request({**PATIENT, "medicines": []}, date.today())), encoding="utf-8")
    with served(app) as base:
        assert run("--url", base).stdout == "Nothing is wrong.\n"
        assert run(str(path), "--url", base).exit_code == 0
    with served(odd({}, 401)) as base:
        result = run(str(path), "--url", base)
    assert "does not believe the caller (401)" in result.stdout
    assert "offers nothing for order-select" in result.stdout
    with served(odd({}, 418)) as base:
        assert "fails (418). See its log." in run(str(path), "--url", base).stdout
    turns = iter([[reply(json.dumps({"services": [{"hook": "patient-view", "id": "one"}]}).encode())], [HANG_UP]])
    with stub(lambda _: next(turns)) as hung:
        assert "/cds-services/one did not answer (no connection). See its log" in run(str(path), "--url", hung.base).stdout
    with served(odd("<html>", 200)) as base:
        assert "answers 200 and no cards" in run(str(path), "--url", base).stdout
    with served(odd("", 307)) as base:
        assert "redirects (307). Give the final address" in run(str(path), "--url", base).stdout
    with served(odd({}, services=[])) as base:
        assert "'patient-view' is offered by no service" in run(str(path), "--url", base).stdout
    with served(odd({}, services="x")) as base:
        assert "answers 200 and no list of services. Give the address above" in run("--url", base).stdout
    assert "did not answer (no connection)" in run("--url", "http://127.0.0.1:9").stdout
    assert "is not encrypted" in run("--url", "http://cds.invalid").stdout


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("Sat, 01 Jan 2000 00:00:00 GMT", "behind this machine's"),
        ("Fri, 01 Jan 2100 00:00:00 GMT", "ahead of this machine's"),
        ("yesterday", ""),
    ],
)
def test_a_clock_that_is_wrong_is_told(told: str, said: str) -> None:
    assert [said in complaint.what for complaint in _clock(told, "x")] == [True] * bool(said)


def test_a_service_elsewhere_is_told() -> None:
    @Request.application
    def moved(asked: Request) -> Response:
        return Response("", 301, {"Location": "https://x"})

    with served(moved) as base:
        assert "Give the final address." in run("--url", base).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give a request, --url or --client"),
        (("--client", "nobody"), "There is no client"),
        (("--url", "x"), "is no address"),
    ],
)
def test_what_cannot_be_looked_at_is_told(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
