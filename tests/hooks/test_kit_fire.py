"""`cobalamin fire` against real servers on loopback: ours, and some that are odd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import jwt
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from werkzeug.wrappers import Request, Response

from hooks.app import Config, create_app
from hooks.cli import main
from hooks.ehr.prefetch import from_resources, resolved
from hooks.ehr.searches import CannotAnswer, answer
from hooks.kit.deferred import KIT
from hooks.kit.services import Session, place_of
from hooks.kit.signing import signer
from hooks.mistakes import Mistake
from hooks.trust.gate import Gate
from hooks.trust.issuers import Issuer
from hooks.trust.replay import Replays
from tests.hooks.servers import served
from tests.hooks.stub import Asked, reply, stub
from tests.hooks.tokens import jwk, private_key
from tests.patients import TODAY, request


ROOT = Path(__file__).parent.parent.parent
PATIENT = ROOT / "fixtures" / "bundles" / "smart-8888803.json"
DEFICIENT = {"age": 71, "results": [{"b12_total": "120 pg/mL"}], "problems": ["osteoporosis"]}


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=given)


@pytest.fixture(name="service", scope="module")
def running(app: Flask) -> Iterator[str]:
    with served(app) as base:
        yield base


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request(DEFICIENT)), encoding="utf-8")
    return str(path)


def odd(body: Any, status: int = 200, services: Any = None) -> Any:
    """A service of somebody else, which answers every call so."""

    @Request.application
    def application(asked: Request) -> Response:
        listed = [{"hook": "patient-view", "id": "one", "description": "d"}] if services is None else services
        said = {"services": listed} if asked.method == "GET" else body
        return Response(said if isinstance(said, str) else json.dumps(said), 200 if asked.method == "GET" else status)

    return application


@pytest.mark.parametrize("name", KIT)
def test_help_names_the_commands_of_the_kit_without_importing_them(name: str) -> None:
    listed = " ".join(run("--help").stdout.split())
    command = main.get_command(None, name)  # type: ignore[arg-type]  # as nothing of it is asked
    assert command is not None
    assert name in listed
    assert command.get_short_help_str(1000) == KIT[name][1]
    commands = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    for one in commands:
        assert "Example: cobalamin" in (one.help or "")
        assert "Exit status: 0" in (one.help or "")


def test_unknown_commands_are_told() -> None:
    assert {"serve", *KIT} <= set(main.list_commands(None))  # type: ignore[arg-type]  # as nothing of it is asked
    assert run("fire-at-will").exit_code == 2


def test_a_request_is_fired_and_its_cards_are_shown(service: str, saved: str) -> None:
    result = run("fire", service, saved)
    assert result.exit_code == 0
    assert "Answered 200 in" in result.stdout
    assert "120 pg/mL" in result.stdout


def test_calls_are_repeated_and_timed_for_tools(service: str, saved: str) -> None:
    told = json.loads(run("fire", f"{service}/cds-services/b12-bone-health/", saved, "--repeat", "3", "--format", "json").stdout)
    assert (told["status"], told["service"], told["timing"]["calls"], told["prefetch"]) == (200, "b12-bone-health", 3, None)
    assert told["timing"]["median_ms"] <= told["timing"]["max_ms"]
    assert told["response"]["cards"]
    assert "of 3 calls median" in run("fire", service, saved, "--repeat", "3").stdout


def test_the_language_of_the_cards_is_asked_for(service: str, saved: str) -> None:
    assert "维生素" in run("fire", service, saved, "--language", "zh-CN").stdout


def test_prefetch_is_filled_from_a_bundle_or_a_server_alike(service: str, tmp_path: Path) -> None:
    bare = tmp_path / "bare.json"
    bare.write_text(run("make-request", str(PATIENT), "--no-prefetch").stdout, encoding="utf-8")
    from_bundle = run("fire", service, str(bare), "--bundle", str(PATIENT), "--format", "json")
    assert from_bundle.exit_code == 0, from_bundle.output
    resources = [entry["resource"] for entry in json.loads(PATIENT.read_text(encoding="utf-8"))["entry"]]
    token = tmp_path / "token"
    token.write_text("s3cret\n", encoding="utf-8")

    def behave(asked: Asked) -> list[bytes]:
        parts = urlsplit(asked.target)
        query = unquote(parts.path.removeprefix("/fhir/")) + (f"?{unquote(parts.query)}" if parts.query else "")
        if query.startswith("MedicationStatement"):
            return [reply(b"{}", "404 Not Found")]
        return [reply(json.dumps(answer(query, resources)).encode())]

    with stub(behave) as ehr:
        options = ("--fhir-server", ehr.base, "--fhir-token-file", str(token))
        from_server = run("fire", service, str(bare), *options, "--format", "json")
        shown = run("fire", service, str(bare), *options)
    assert {asked.headers["authorization"] for asked in ehr.asked} == {"Bearer s3cret"}
    one, other = json.loads(from_bundle.stdout), json.loads(from_server.stdout)
    assert one["response"] == other["response"]
    assert one["prefetch"]["resources"]["labs"] == other["prefetch"]["resources"]["labs"] == 9
    assert one["prefetch"]["left_out"] == {}
    assert other["prefetch"]["left_out"].keys() == {"statements"}
    assert "prefetch labs: 9 resources" in shown.stdout
    said = " ".join(shown.stdout.split())
    assert "prefetch statements: left out, as The FHIR server does not know this query (404)" in said


@pytest.mark.parametrize(
    "template", [5, "Patient/{{context.nobody}}", "X/{{userPatientId}}", "X/{{context.draftOrders.X.id}}", "X/{{today()}}"]
)
def test_templates_that_cannot_be_filled_are_left_out(template: Any, tmp_path: Path, saved: str) -> None:
    templates = {"mine": template, "patient": "Patient/{{context.patientId}}", "odd": "Observation?patient=1&code:in=x"}
    services = [{"hook": "patient-view", "id": "one", "prefetch": templates}]
    with served(odd({"cards": []}, services=services)) as base:
        told = json.loads(run("fire", base, saved, "--bundle", str(PATIENT), "--format", "json").stdout)
    assert told["prefetch"]["left_out"].keys() == {"mine", "odd"}
    assert told["prefetch"]["resources"] == {"patient": 0}


def test_tokens_of_users_and_numbers_are_filled() -> None:
    assert resolved("X/{{ userPractitionerId }}", {"userId": "Practitioner/a b"}) == "X/a%20b"
    assert resolved("X/{{context.number}}", {"number": 5}) == "X/5"


def test_a_service_without_templates_is_sent_none(saved: str) -> None:
    with served(odd({"cards": []})) as base:
        told = json.loads(run("fire", base, saved, "--bundle", str(PATIENT), "--format", "json").stdout)
    assert told["prefetch"] == {"resources": {}, "left_out": {}}


def test_odd_cards_are_shown_all_the_same(saved: str) -> None:
    card = {
        "summary": 5, "indicator": ["x"], "source": "me",
        "suggestions": [{"label": "Do it", "actions": [{"type": "make", "resource": {"resourceType": "Task"}}, {"type": "delete", "resourceId": "A/1"}]}],
    }  # fmt: skip
    with served(odd({"cards": [card, "x"]})) as base:
        result = run("fire", base, saved)
    assert result.exit_code == 0
    assert "(no summary)" in result.stdout
    assert "~ Task" in result.stdout


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"issue": [{"details": {"text": "No labs."}}, {"diagnostics": "d"}, {"details": "x"}]}, 412, ["- No labs.", "- d", "- an issue without words"]),
        ("<html>broken</html>", 500, ["neither cards nor an OperationOutcome (text/plain, 19 bytes)", "<html>broken</html>"]),
        ([], 200, ["neither cards", "2 bytes): []"]),
        ("", 200, ["0 bytes): nothing"]),
        ({}, 200, ["2 bytes): {}"]),
        ("", 307, ["It redirects"]),
    ],
)  # fmt: skip
def test_refusals_are_told_and_end_with_three(body: Any, status: int, said: list[str], saved: str) -> None:
    with served(odd(body, status)) as base:
        result = run("fire", base, saved)
        told = run("fire", base, saved, "--format", "json")
    assert result.exit_code == told.exit_code == 3
    for line in said:
        assert line in result.stdout
    assert json.loads(told.stdout)["status"] == status


def test_an_empty_answer_is_said(saved: str) -> None:
    with served(odd({"cards": []})) as base:
        assert "No card." in run("fire", base, saved).stdout


def test_a_discovery_that_wants_a_token_gets_one(saved: str, tmp_path: Path) -> None:
    @Request.application
    def guarded(asked: Request) -> Response:
        if not asked.headers.get("Authorization", "").startswith("Bearer ey"):
            return Response("{}", 401, content_type="application/json")
        content = {"cards": []} if asked.method == "POST" else {"services": [{"hook": "patient-view", "id": "one"}]}
        return Response(json.dumps(content), content_type="application/json")

    key = tmp_path / "key.json"
    key.write_text(private_jwk("ES384", kid="one"), encoding="utf-8")
    with served(guarded) as base:
        assert "answered 401 and no list of services" in run("fire", base, saved).stderr
        assert run("fire", base, saved, "--key", str(key), "--issuer", "me").exit_code == 0


def test_a_discovery_that_redirects_is_told(saved: str) -> None:
    @Request.application
    def moved(_: Request) -> Response:
        return Response("", 302, {"Location": "https://login.example/?state=Zqxvarro"})

    with served(moved) as base:
        said = run("fire", base, saved).stderr
    assert "it redirects, so give the final address" in " ".join(said.split())
    assert "Zqxvarro" not in said


def test_answers_that_differ_are_all_counted(saved: str) -> None:
    turns = iter([200, 503])

    @Request.application
    def fickle(asked: Request) -> Response:
        if asked.method == "GET":
            return Response(json.dumps({"services": [{"hook": "patient-view", "id": "x"}]}))
        return Response('{"cards": []}', next(turns))

    with served(fickle) as base:
        result = run("fire", base, saved, "--repeat", "2", "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (3, [200, 503])


@pytest.mark.parametrize(
    ("services", "arguments", "said"),
    [
        ([], (), "No service answers patient-view; offered: nothing."),
        ([{"hook": "order-sign", "id": "a"}], (), "offered: a on order-sign"),
        (
            [{"hook": "patient-view", "id": "a"}, {"hook": "patient-view", "id": "b"}],
            (),
            "2 services answer patient-view; choose one by --service",
        ),
        ([{"hook": "patient-view", "id": "a"}], ("--service", "b"), "No service b answers"),
        ("none", (), "answered 200 and no list of services"),
    ],
)
def test_which_service_is_meant_must_be_clear(services: Any, arguments: tuple[str, ...], said: str, saved: str) -> None:
    with served(odd({"cards": []}, services=services)) as base:
        result = run("fire", base, saved, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON from line 1, column 2 on"),
        ('"\\ud800', "is no JSON"),
        ("[" * 100_000, "not nested without end"),
        ('{"a": {"b": 1, "b": 1}}', "holds 'b' twice in one object; keep one"),
        ('{"a": NaN}', "is no JSON in UTF-8 that can be read"),
        (r'{"a": "\ud800"}', "is no JSON in UTF-8 that can be read"),
        (r'{"hook": "\ud83d\ude00"}', "has no 'context'"),
        ("[]", "holds an array and no JSON object"),
        ("1", "holds a bare value"),
        ('{"hook": 5}', "has no 'hook'"),
        ('{"hook": "patient-view"}', "has no 'context'"),
    ],
)
def test_what_is_no_request_is_told(content: str, said: str, tmp_path: Path) -> None:
    result = run("fire", "http://127.0.0.1:9", "-", given=content)
    assert result.exit_code == 2
    assert said in result.stderr


def test_UTF_16_is_told_as_the_service_reads_none(saved: str) -> None:
    path = Path(saved)
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    result = run("doctor", str(path))
    assert (result.exit_code, "save it as UTF-8" in result.stderr) == (2, True)


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes('{"hook": "é"}'.encode("latin-1"))
    assert "no JSON in UTF-8" in run("fire", "http://127.0.0.1:9", str(path)).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ftp://x",), "is no address of a service"),
        (("http://x?y",), "is no address of a service"),
        (("http://127.0.0.1:9",), "did not answer (no connection)"),
        (("http://x", "--bundle", str(PATIENT), "--fhir-server", "http://y"), "give one of them"),
        (("http://x", "--key", "k"), "add --issuer"),
        (("http://x", "--fhir-server", "http://y", "--fhir-token-file", str(PATIENT)), "holds no access token"),
        (("http://x", "--key", "/nowhere", "--issuer", "me"), "cannot be read"),
    ],
)
def test_options_that_do_not_fit_are_told(arguments: tuple[str, ...], said: str, saved: str) -> None:
    result = run("fire", arguments[0], saved, *arguments[1:])
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_fhir_server_that_is_none_is_told(service: str, saved: str) -> None:
    assert "is no FHIR base" in run("fire", service, saved, "--fhir-server", "nonsense").stderr


def test_slow_and_untrusted_services_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hooks.kit.services._PATIENCE_S", 0.1)
    with closing(Session("http://127.0.0.1")) as session:
        with stub(lambda _: [1.0]) as slow, pytest.raises(Mistake, match=r"not within 0\.1 s"):
            session.ask("GET", slow.base)
        with stub(lambda _: [reply(b"")], encrypted=True) as hidden, pytest.raises(Mistake, match="certificate"):
            session.ask("GET", hidden.base)
        with pytest.raises(Mistake, match="no address that can be called"):
            session.ask("GET", "http://127.0.0.1:99999999/")


def test_places_are_found_in_every_address() -> None:
    assert place_of("http://x/").discovery == "http://x/cds-services"
    assert place_of("http://x/below/cds-services/").id is None
    assert place_of("http://x/cds-services/one") == ("http://x/cds-services", "one")


# --- tokens ---------------------------------------------------------------------------------------------------------------


def pem(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def private_jwk(kind: str, **members: Any) -> str:
    algorithm = jwt.get_algorithm_by_name("ES384" if kind.startswith("ES") else "RS384")
    return json.dumps({**algorithm.to_jwk(private_key(kind, 0), as_dict=True), **members})


def test_a_signed_call_is_admitted_once_each(tmp_path: Path, saved: str) -> None:
    issuer = Issuer("https://ehr.example", {"keys": [jwk("one")]})
    gate = Gate("https://cds.example", [issuer], replays=Replays(tmp_path / "used"))
    key = tmp_path / "key.pem"
    key.write_bytes(pem(private_key("ES384", 0)))
    with served(create_app(Config(today=lambda: TODAY, gate=gate, base_url="https://cds.example"))) as base:
        options = ("--key", str(key), "--kid", "one", "--issuer", "https://ehr.example")
        audience = "https://cds.example/cds-services/b12-bone-health"
        assert run("fire", base, saved).exit_code == 3
        assert run("fire", base, saved, *options).exit_code == 3
        assert run("fire", base, saved, *options, "--audience", audience, "--repeat", "3").exit_code == 0


@pytest.mark.parametrize(
    ("content", "algorithm"),
    [
        (pem(private_key("ES384", 0)), "ES384"),
        (pem(private_key("ES256", 0)), "ES256"),
        (pem(ec.generate_private_key(ec.SECP521R1())), "ES512"),
        (pem(private_key("RS384", 0)), "RS384"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "EdDSA"),
        (private_jwk("ES384").encode(), "ES384"),
        (private_jwk("RS384", alg="PS256").encode(), "PS256"),
    ],
)
def test_keys_of_every_kind_sign(content: bytes, algorithm: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    token = signer(path, "me", None, "k", "https://me.example/jwks")("https://cds.example/x")
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"], header["jku"], header["typ"]) == (algorithm, "k", "https://me.example/jwks", "JWT")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["exp"] - claims["iat"]) == ("me", "https://cds.example/x", 300)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"-----BEGIN NONSENSE-----", "no private EC, RSA or Ed25519 key"),
        (pem(dsa.generate_private_key(2048)), "no private EC, RSA or Ed25519 key"),
        (json.dumps(jwk()).encode(), "is no private JWK"),
        (private_jwk("ES384").encode(), "add --kid"),
        (private_jwk("ES384", kid="k", d="AAAA").encode(), "no private key that can sign"),
        (private_jwk("ES384", kid="k", alg="HS256").encode(), "no private key that can sign"),
    ],
)
def test_keys_that_cannot_sign_are_told(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(Mistake, match=said):
        signer(path, "me", None, None, None)


# --- searches -------------------------------------------------------------------------------------------------------------

HELD: list[dict[str, Any]] = [
    {"resourceType": "Observation", "id": "1", "subject": {"reference": "Patient/p"}, "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "2132-9"}]}, "category": [{"coding": [{"code": "laboratory"}]}]},
    {"resourceType": "Observation", "id": "2", "subject": {"reference": "Patient/q"}, "code": {"text": "B12"}, "encounter": {"reference": "Encounter/e"}},
    {"resourceType": "MedicationRequest", "id": "3", "subject": {"reference": "Patient/p"}, "intent": "order", "medicationReference": {"reference": "Medication/d"}},
    {"resourceType": "MedicationRequest", "id": "4", "subject": {"reference": "Patient/p"}, "intent": "proposal", "medicationCodeableConcept": {"coding": [{"system": "r", "code": "5"}]}},
    {"resourceType": "AllergyIntolerance", "id": "6", "patient": {"reference": "Patient/p"}, "clinicalStatus": {"coding": [{"code": "active"}]}},
    {"resourceType": "Medication", "id": "d"},
    {"resourceType": "Medication", "id": "unused"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("Observation?patient=p", "1"),
        ("Observation?subject=Patient/p,Patient/q", "1 2"),
        ("Observation?patient=p&code=http://loinc.org|2132-9,http://loinc.org|1", "1"),
        ("Observation?code=2132-9", "1"),
        ("Observation?code=|2132-9", ""),
        ("Observation?code=http://other|2132-9", ""),
        ("Observation?category=laboratory&status=final", "1"),
        ("Observation?encounter=Encounter/e", "2"),
        ("Observation?_id=2,7&_count=5", "2"),
        ("MedicationRequest?patient=p&intent=order,plan", "3 d"),
        ("MedicationRequest?code=r|5", "4"),
        ("AllergyIntolerance?patient=p&clinical-status=active", "6"),
        ("Condition?patient=p", ""),
    ],
)
def test_searches_are_answered_as_a_server_would(query: str, ids: str) -> None:
    found = answer(query, HELD)
    assert found is not None
    assert " ".join(entry["resource"]["id"] for entry in found.get("entry", [])) == ids


def test_reads_and_what_is_not_understood() -> None:
    assert answer("Medication/d", HELD) == HELD[5]
    assert answer("Medication/e", HELD) is None
    with pytest.raises(CannotAnswer, match="'date' is not understood"):
        answer("Observation?date=ge2020", HELD)
    assert isinstance(from_resources(HELD)({"a": "Observation?x=1"})["a"], CannotAnswer)
