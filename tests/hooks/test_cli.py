"""The command, as its users type it."""

from __future__ import annotations

import gc
import json
import os
import runpy
import socket
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from gunicorn.glogging import Logger

from hooks import loopback, serving
from hooks.app import Config, create_app
from hooks.cli import main
from hooks.examples import fixture
from hooks.serving import Server, Worker
from tests.patients import TODAY, request


def run(*arguments: str, given: str | None = None) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of one command."""
    result = CliRunner(env={"COLUMNS": "400"}).invoke(main, list(arguments), input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def deficient(tmp_path: Path) -> str:
    """A file with the request of a deficient woman."""
    return saved(
        tmp_path, {"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}, {"folate": "8 mg/dL"}]}
    )


def saved(tmp_path: Path, vignette: dict[str, Any]) -> str:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request(vignette)), encoding="utf-8")
    return str(path)


ON = ("--today", "2026-11-21")


def test_evaluate_prints_the_decision_for_tools(deficient: str) -> None:
    status, out, err = run("evaluate", deficient, *ON, "--format", "json")
    content = json.loads(out)
    assert (status, err) == (0, "")
    assert list(content) == ["decision", "cards"]
    decision = content["decision"]
    assert list(decision) == [
        "scope",
        "b12_status",
        "absorption",
        "regimen",
        "enteral_b12_ug_per_day",
        "parenteral_b12_ug_per_30_days",
        "indicator",
        "advice",
        "held_back",
        "resting",
        "silent",
        "could_not_assess",
        "data_quality",
        "facts",
        "knowledge_version",
    ]
    assert decision["regimen"] == {
        "action": "start",
        "routes_first_line": ["oral"],
        "routes_acceptable": ["sublingual"],
        "dose": {"low": 500, "high": 1000, "preferred": 1000, "unit": "ug/d"},
        "form": ["cyanocobalamin", "hydroxocobalamin", "mecobalamin"],
        "why": "a deficiency and normal absorption",
    }
    assert decision["data_quality"] == [
        {
            "key": "unit",
            "resource": "Observation/folate-10-8 mg/dL",
            "concept": "folate",
            "title": "Folate (serum)",
            "text": "Not used: unknown unit in 8 mg/dL",
        }
    ]
    assert decision["facts"]["age_years"] == 72
    assert decision["facts"]["b12_sample"]["value"] == 142
    assert decision["facts"]["homocysteine"] == "no result"
    assert content["cards"][0]["indicator"] == "warning"


def test_evaluate_prints_cards_for_people(deficient: str) -> None:
    status, out, _ = run("evaluate", deficient, *ON)
    assert status == 0
    for shown in (
        "B12 status     deficient",
        "WARNING",
        "Data quality",
        "Dose           500-1000 ug/d, 1000 preferred",
        "Override:",
    ):
        assert shown in out


def test_without_a_terminal_the_width_is_fixed(deficient: str) -> None:
    result = CliRunner(env={"COLUMNS": None}).invoke(main, ["evaluate", deficient, *ON])
    assert max(map(len, result.stdout.splitlines())) == 110


def test_python_m_hooks_is_the_same_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["hooks", "fixture", "list"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("hooks", run_name="__main__")
    assert ended.value.code == 0
    assert "food-bound-deficiency" in capsys.readouterr().out


def test_evaluate_reads_standard_input(deficient: str) -> None:
    assert run("evaluate", "-", *ON, "--format", "json", given=Path(deficient).read_text(encoding="utf-8"))[0] == 0


def test_a_fixture_is_evaluated_on_its_own_day(tmp_path: Path) -> None:
    path = tmp_path / "fixture.json"
    path.write_text(json.dumps(fixture("nothing-to-say").request), encoding="utf-8")
    status, out, _ = run("evaluate", str(path))
    assert status == 0
    assert "No card: there is nothing to say." in out


def test_a_refusal_still_shows_what_is_known(tmp_path: Path) -> None:
    path = saved(tmp_path, {"age": 72, "problems": ["osteoporosis"], "queries": {"labs": "failed"}})
    for arguments in (("evaluate", path, *ON), ("explain", path, *ON)):
        status, out, err = run(*arguments)
        assert status == 3
        assert "The service would answer 412" in err
        assert "Prefetch key 'labs' is failed" in err
        assert "Could not be assessed" in out


def test_without_a_patient_there_is_no_decision(tmp_path: Path) -> None:
    path = saved(tmp_path, {"age": 72, "queries": {"patient": "missing"}})
    assert run("evaluate", path, *ON)[:2] == (3, "")
    status, out, err = run("evaluate", path, *ON, "--format", "json")
    assert status == 3
    assert json.loads(out)["resourceType"] == "OperationOutcome"
    assert "Prefetch key 'patient' is absent" in err


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 5000, '{"hook": "patient-view"}'])
def test_what_is_no_request_is_told_in_a_sentence(text: str) -> None:
    status, out, err = run("evaluate", "-", given=text)
    assert (status, out) == (2, "")
    assert err.startswith("The service would answer 400")


def test_a_missing_file_is_told() -> None:
    status, _, err = run("evaluate", "nowhere.json")
    assert status == 2
    assert "nowhere.json" in err


def test_a_faulty_site_policy_is_told(tmp_path: Path, deficient: str) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: Example\nparameters: {mcv: {value: 1}}\n", encoding="utf-8")
    for arguments in (("evaluate", deficient, "--site", str(site)), ("serve", "--site", str(site))):
        status, _, err = run(*arguments)
        assert status == 2
        assert "site.yaml: parameters.mcv.reason: is required; add it" in err


def test_explain_goes_down_to_records_and_numbers(deficient: str) -> None:
    status, out, _ = run("explain", deficient, *ON)
    assert status == 0
    for shown in (
        "WARNING b12_regimen/normal",
        "b12_total_results = 142 pg/mL (2026-11-11)  [Observation/b12_total-10-142 pg/mL]",
        "b12_total_deficient_lt_pgml = 180 pg/mL",
        "AAFP 2025",
        "(above)",
        "nothing found:",
        "Why not",
        "referral: Patients for a specialist: is not for this patient",
        "b12_baseline: Measure first: its condition does not hold",
        "UNVERIFIED",
    ):
        assert shown in " ".join(out.split()) or shown in out, shown


@pytest.mark.parametrize("command", ["evaluate", "explain"])
def test_cards_are_said_in_the_language_asked_for(deficient: str, command: str) -> None:
    assert "考虑口服500～1,000‡ µg/日" in run(command, deficient, *ON, "--language", "zh-CN")[1]
    assert "consider 500-1,000‡ µg a day" in run(command, deficient, *ON, "--language", "en")[1]
    assert run(command, deficient, *ON, "--language", "fr")[0] == 2


def test_the_site_decides_where_no_language_is_asked_for(deficient: str, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: Example\nlanguage: zh-CN\n", encoding="utf-8")
    cards = json.loads(run("evaluate", deficient, *ON, "--site", str(site), "--format", "json")[1])["cards"]
    assert "考虑口服" in cards[0]["summary"]
    asked = run("evaluate", deficient, *ON, "--site", str(site), "--language", "en", "--format", "json")[1]
    assert "by mouth" in json.loads(asked)["cards"][0]["summary"]


def test_explain_means_what_it_says_in_the_language_of_the_cards(tmp_path: Path, deficient: str) -> None:
    (tmp_path / "ours.yaml").write_text("based_on: generic\nlanguage: zh-CN\n", encoding="utf-8")
    for asked in (("--language", "zh-CN"), ("--client", str(tmp_path / "ours.yaml"))):
        _, out, _ = run("explain", deficient, *ON, *asked)
        said = "".join(out.split())
        assert "是否确定或很可能缺乏维生素B12？" in said
        assert "referral:需专科处理的患者" in said
        assert "Is B12 lacking" not in out


def test_explain_can_unfold_everything(deficient: str) -> None:
    assert len(run("explain", deficient, *ON, "--whole")[1]) > len(run("explain", deficient, *ON)[1])


def test_explain_tells_what_stopped_a_rule(tmp_path: Path) -> None:
    path = saved(tmp_path, {"age": 72, "medicines": [{"drug": "vitamin B12", "since": 99}], "problems": ["osteoporosis"]})
    _, out, _ = run("explain", path, *ON)
    assert "b12_dose: High dose of vitamin B12: could not be assessed" in out
    assert "unmonitored_high_dose = unknown" in out


def test_explain_says_when_no_rule_spoke(tmp_path: Path) -> None:
    assert "No rule spoke. Why not" in run("explain", saved(tmp_path, {"age": 30}), *ON)[1]


def test_a_site_number_is_explained_with_its_reason(tmp_path: Path, deficient: str) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: Example\nparameters:\n  b12_total_deficient_lt_pgml: {value: 200, reason: Our laboratory,"
        " approved_by: Dr Example, approved_on: 2026-11-01}\n",
        encoding="utf-8",
    )
    assert "set by the site: Our laboratory" in " ".join(run("explain", deficient, *ON, "--site", str(site))[1].split())


def test_fixtures_are_listed_and_shown_fresh() -> None:
    assert "food-bound-deficiency" in run("fixture", "list")[1]
    as_written = json.loads(run("fixture", "show", "child", "--as-written")[1])
    assert as_written == fixture("child").request
    assert json.loads(run("fixture", "show", "child")[1])["hookInstance"] == as_written["hookInstance"]
    assert run("fixture", "show", "nobody")[0] == 2


def test_demo_fires_a_fixture_at_the_real_service() -> None:
    status, out, _ = run("demo")
    assert status == 0
    for shown in ("Discovery: b12-bone-health on patient-view", "Woman of 74, omeprazole", "WARNING", "Answered 200 in"):
        assert shown in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("chinese-record",), "考虑舌下含服1,000 µg/日"),
        (("chinese-record", "--language", "en"), "consider 1,000 µg a day sublingually"),
        (("pregnant", "--language", "zh-CN"), "有妊娠或哺乳记录"),
    ],
)
def test_demo_asks_for_the_language_of_the_fixture_or_another(arguments: tuple[str, ...], said: str) -> None:
    status, out, _ = run("demo", *arguments)
    assert status == 0
    assert said in out


def test_demo_of_nobody_is_told() -> None:
    assert run("demo", "nobody")[0] == 2


def test_a_service_that_does_not_start_is_told() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(Exception, match="The service did not start"):
        loopback._wait_until_up(requests.Session(), "http://127.0.0.1:9", process)


def test_serve_runs_gunicorn_on_loopback_and_says_so_once_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(Server, "run", lambda server: started.append(server.cfg))
    status, _, err = run("serve", "--port", "8099", "--workers", "2")
    assert (status, err) == (0, "")
    assert (started[0].bind, started[0].workers) == (["127.0.0.1:8099"], 2)
    monkeypatch.setattr(Server, "run", lambda server: server.cfg.when_ready(None))
    assert "Listening on http://127.0.0.1:8099" in run("serve", "--port", "8099")[2]


def test_an_ipv6_address_is_one_address() -> None:
    assert Server(create_app(), "::1", 8099, 1).cfg.address == [("::1", 8099)]


def test_a_port_in_use_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("serve", "--port", str(port)) == (
            2,
            "",
            f"Error: Cannot listen on 127.0.0.1, port {port}: Address already in use.\n",
        )


@pytest.mark.parametrize(
    "arguments",
    [("serve", "--port", "99999"), ("serve", "--port", "-1"), ("serve", "--workers", "0"),
     ("evaluate", "-", "--today", "9999-12-31"), ("explain", "-", "--today", "0001-01-01")],
)  # fmt: skip
def test_settings_out_of_range_are_told_in_a_sentence(arguments: tuple[str, ...]) -> None:
    status, out, err = run(*arguments, given="{}")
    assert (status, out) == (2, "")
    assert "Error: Invalid value for" in err


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_locale_without_the_letters_still_gets_an_answer(deficient: str, format_: str) -> None:
    command = [sys.executable, "-m", "hooks", "evaluate", deficient, *ON, "--format", format_]
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    out = subprocess.run(command, capture_output=True, check=True, env={**os.environ, **plain}).stdout.decode("ascii")
    if format_ == "json":
        assert "µg" in json.dumps(json.loads(out), ensure_ascii=False)
    else:
        assert "\\xb5g" in out


def test_serve_warns_where_others_can_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "run", lambda server: None)
    everywhere = ("serve", "--host", "0.0.0.0")  # noqa: S104
    status, _, err = run(*everywhere)
    assert (status, "no client has issuers of tokens" in err) == (2, True)
    status, _, err = run(*everywhere, "--open")
    assert (status, "everybody who reaches 0.0.0.0 is answered" in err) == (0, True)


def test_SEC_41_a_client_whose_private_key_is_public_is_not_served_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "run", lambda server: None)
    open_to_all = ("serve", "--host", "0.0.0.0", "--open", "--client", "sandbox")  # noqa: S104
    status, _, err = run(*open_to_all)
    assert (status, "a client for development proves nothing" in err) == (2, True)
    status, _, err = run("serve", "--open", "--client", "sandbox")
    assert (status, "by --open, no token is asked for of sandbox" in err) == (0, True)


def test_a_worker_settles_before_its_first_request() -> None:
    threshold = gc.get_threshold()
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving.prepare(SimpleNamespace(sockets=[listener]))
            seconds, _ = struct.unpack("ll", listener.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16))
        assert seconds == serving.PATIENCE_S
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)


def test_a_worker_gives_signs_of_life_long_before_it_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    config, clock, told = Server(create_app(), "127.0.0.1", 8099, 1), SimpleNamespace(now=100.0), []
    monkeypatch.setattr(serving, "time", SimpleNamespace(monotonic=lambda: clock.now))
    worker = Worker(1, 1, [], config, 30, config.cfg, Logger(config.cfg))
    monkeypatch.setattr(worker.tmp, "notify", lambda: told.append(clock.now))
    for clock.now in (100.0, 100.1, 100.4, 100.6, 100.7, 101.2):
        worker.notify()
    worker.tmp.close()
    assert told == [100.0, 100.6, 101.2]
    assert config.cfg.timeout > 20


SMALL = create_app(Config(body_limit=200_000))


def handled(sent: bytes, app: Any = SMALL, waiting: bool = False, deadline_s: float = 20) -> tuple[int, bytes]:
    """What a worker answers to these bytes, and to a client that may keep it `waiting` for more: status and body."""
    config = Server(app, "127.0.0.1", 8099, 1, deadline_s=deadline_s)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving.limit_patience(listener)
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
        worker = Worker(1, 1, [], config, 30, config.cfg, Logger(config.cfg))
        worker.wsgi = config.load()
        theirs.sendall(sent)
        if not waiting:
            theirs.shutdown(socket.SHUT_WR)
        worker.handle(listener, ours, ("127.0.0.1", 1))
        worker.tmp.close()
        theirs.settimeout(5)
        answer = b"".join(iter(lambda: theirs.recv(65536), b""))
        theirs.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]) if head else 0, body


POST = b"POST /cds-services/b12-bone-health HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CHILD = json.dumps(fixture("child").request).encode()


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST + b"Content-Length: %d\r\n\r\n%b" % (len(CHILD), CHILD), 200),
        (CHUNKED + chunk(CHILD[:100]) + chunk(CHILD[100:]) + chunk(b""), 200),
        (CHUNKED + chunk(CHILD) + chunk(b" " * (200_000 - len(CHILD))) + chunk(b""), 200),
        (CHUNKED + chunk(CHILD) + chunk(b" " * (200_001 - len(CHILD))) + chunk(b""), 413),
        (POST + b"Content-Length: 200001\r\n\r\n", 413),
        (POST + b"\r\n", 400),
        (CHUNKED + b"ZZZ\r\n", 400),
        (CHUNKED + chunk(CHILD) + b"ZZZ\r\n", 400),
        (POST + b"Content-Length: Zaphod\r\n\r\n", 400),
        (b"Zaphod\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nZaphod Beeblebrox: x\r\n\r\n", 400),
        (b"GET /healthz HTTP/9.9\r\n\r\n", 400),
    ],
)
def test_JSON_12_CALL_17_ERR_09_10_what_comes_over_the_wire(
    sent: bytes, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    answered, body = handled(sent)
    assert answered == status
    content = json.loads(body)
    assert content.get("resourceType") == (None if status == 200 else "OperationOutcome")
    logged = caplog.text + capfd.readouterr().err
    assert "Zaphod" not in body.decode() + logged
    assert "Traceback" not in logged


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 0),
        (b"POST /cds-serv", 0),
        (POST + b"Content-Length: %d\r\n\r\n%b" % (len(CHILD), CHILD[:99]), 400),
        (CHUNKED + chunk(CHILD), 400),
    ],
)
def test_a_slow_client_is_given_up_and_stops_nobody(
    sent: bytes, status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving, "PATIENCE_S", 0.05)
    assert handled(sent, waiting=True)[0] == status
    assert "Traceback" not in capfd.readouterr().err


def test_a_client_that_takes_no_answer_is_given_up(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def endless(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [b"x" * 100_000_000]

    monkeypatch.setattr(serving, "PATIENCE_S", 0.05)
    status, body = handled(b"GET / HTTP/1.1\r\n\r\n", app=endless, waiting=True)
    assert status == 200
    assert len(body) < 100_000_000
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("sent", "finished"),
    [
        (POST + b"Content-Length: %d\r\n\r\n%b" % (len(CHILD), CHILD), True),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (POST + b"Content-Length: 200001\r\n\r\n", False),
    ],
)
def test_nobody_waits_for_a_client_that_was_answered_and_does_not_hang_up(
    sent: bytes, finished: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    class Watched(Worker):
        def handle_request(self, listener: Any, req: Any, client: Any, addr: Any) -> Any:
            super().handle_request(listener, req, client, addr)
            client.settimeout(60)
            ended.append(client.finished and client.recv(1) == b"")

    monkeypatch.setattr(f"{__name__}.Worker", Watched)
    handled(sent, waiting=finished)
    assert ended == [finished]


def test_patience_ends_also_with_a_client_that_sends_on_and_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PATIENCE_S", 0)
    assert handled(b"GET /healthz HTTP/1.1\r\n\r\n") == (0, b"")


def test_ERR_09_what_fails_outside_the_application_repeats_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("Zaphod")

    status, body = handled(b"GET /healthz HTTP/1.1\r\n\r\n", app=broken)
    assert (status, json.loads(body)["issue"][0]["code"]) == (500, "exception")
    assert "RuntimeError" in caplog.text
    assert "Zaphod" not in body.decode() + caplog.text


def test_two_real_workers_answer_a_chunked_request() -> None:
    with loopback.running_service() as (base, ehr):
        body = json.dumps(fixture("child").request).encode()
        answer = ehr.post(
            f"{base}/cds-services/b12-bone-health",
            data=iter([body[:100], body[100:]]),
            headers={"Content-Type": "application/json"},
            timeout=10,
        )
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


def test_cards_are_shown_as_one_client_gets_them(deficient: str) -> None:
    status, out, _ = run("evaluate", deficient, *ON, "--client", "epic", "--format", "json")
    assert status == 0
    assert {card["selectionBehavior"] for card in json.loads(out)["cards"]} == {"any"}
    assert run("explain", deficient, *ON, "--client", "epic")[0] == 0
    status, _, err = run("evaluate", deficient, "--client", "cerner")
    assert status == 2
    assert "There is no client 'cerner'" in err


@pytest.mark.parametrize(
    ("name", "shown"),
    [("order-select-tablets-for-cord-signs", "- MedicationRequest/"), ("order-sign-mg-for-ug", "~ MedicationRequest: ")],
)
def test_what_would_be_deleted_or_changed_is_shown(name: str, shown: str) -> None:
    status, out, _ = run("evaluate", "-", given=json.dumps(fixture(name).request))
    assert status == 0
    assert shown in out


def test_what_a_site_keeps_silent_is_named(tmp_path: Path) -> None:
    policy = tmp_path / "site.yaml"
    choice = "{reason: Tried out, approved_by: Dr Example, approved_on: 2026-11-22}"
    policy.write_text(f"site: Example\nsilent:\n  b12_baseline: {choice}\n", encoding="utf-8")
    sent = json.dumps(request({"age": 72, "problems": ["osteoporosis"]}))
    told = CliRunner().invoke(main, ["evaluate", "-", "--site", str(policy), "--today", str(TODAY)], input=sent).stdout
    assert "- b12_baseline/unmeasured: silent by the site's policy" in told
    assert "No card" not in told
    why = CliRunner().invoke(main, ["explain", "-", "--site", str(policy), "--today", str(TODAY)], input=sent).stdout
    assert "NOT SHOWN b12_baseline/unmeasured: silent by the site's policy" in why
    assert "No rule spoke" not in why
    assert "b12_baseline: Baseline" not in why.partition("Why not")[2]
