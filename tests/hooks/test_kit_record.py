"""`cobalamin record` and `cobalamin replay`: through a real proxy, and back again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from click.testing import CliRunner, Result
from werkzeug.wrappers import Request, Response

from hooks.app import create_app
from hooks.cli import main
from hooks.examples import fixture, fixtures, written_for
from hooks.kit.deciding import Policy
from hooks.kit.record import Recorder, proxy
from hooks.kit.sides import differences
from tests.hooks.servers import served
from tests.patients import TODAY, request


POLICY = Path(__file__).parent.parent.parent / "cds" / "sites" / "china.yaml"


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "400"}).invoke(main, list(arguments))


@contextmanager
def recording(target: str, folder: Path, most: int | None = None) -> Iterator[tuple[str, Recorder]]:
    folder.mkdir(exist_ok=True)
    recorder = Recorder(folder, TODAY)
    server = proxy(target, 0, recorder, most)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def settled(recorder: Recorder, calls: int) -> None:
    """Wait until so many calls were looked at: that happens after they were answered."""
    deadline = time.monotonic() + 20
    while recorder.kept + recorder.left_out < calls and time.monotonic() < deadline:
        time.sleep(0.01)


def post(url: str, body: Any, **options: Any) -> requests.Response:
    with requests.Session() as ehr:
        ehr.trust_env = False
        return ehr.post(url, json=body, timeout=10, **options)


def test_calls_are_forwarded_as_they_came_and_recorded_without_names(app: Any, tmp_path: Path) -> None:
    sent = fixture("food-bound-deficiency").request
    aged_121 = request({"age": 121, "problems": ["osteoporosis"]})
    with served(app) as base, recording(base, tmp_path) as (through, recorder):
        direct = post(f"{base}/cds-services/b12-bone-health", sent, headers={"Accept-Language": "zh-CN"})
        called = post(f"{through}/cds-services/b12-bone-health", sent, headers={"Accept-Language": "zh-CN"})
        discovery = requests.get(f"{through}/cds-services", timeout=10).json()
        assert requests.head(f"{through}/cds-services", timeout=10).status_code == 200
        assert post(f"{through}/cds-services/b12-bone-health", []).status_code == 400
        post(f"{through}/cds-services/b12-bone-health", aged_121)
        assert post(f"{through}/cds-services/b12-bone-health/feedback", {}).status_code == 404
        settled(recorder, 3)
    assert called.headers["Content-Language"] == direct.headers["Content-Language"] == "zh-CN"
    assert [card["summary"] for card in called.json()["cards"]] == [card["summary"] for card in direct.json()["cards"]]
    assert discovery["services"]
    (path,) = sorted(tmp_path.iterdir())
    assert path.name == "0001-patient-view.json"
    kept = path.read_text(encoding="utf-8")
    assert "Example" not in kept
    assert "ehr.example.org" not in kept
    assert (recorder.kept, recorder.left_out) == (1, 2)


def test_what_would_be_decided_otherwise_is_not_kept_and_what_breaks_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path, None)
    assert recorder.keep(b"[]") == "not kept: it is no hook request"
    assert (
        recorder.keep(json.dumps(request({"age": 121, "problems": ["osteoporosis"]}, date.today())).encode())
        == "not kept: the decision would change without what tells whose it is"
    )
    monkeypatch.setattr("hooks.kit.deidentify._ids", lambda *_: 1 / 0)
    assert recorder.keep(json.dumps(request({"age": 70})).encode()) == "not kept: it could not be read (ZeroDivisionError)"


def test_the_proxy_stops_after_so_many_calls_and_numbers_go_on(app: Any, tmp_path: Path) -> None:
    (tmp_path / "0041-patient-view.json").write_text("{}", encoding="utf-8")
    recorder = Recorder(tmp_path, TODAY)
    with served(app) as base:
        server = proxy(base, 0, recorder, 1)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        sent = {**request({"age": 70}), "hook": "a/../../../order-sign"}
        assert post(f"http://127.0.0.1:{server.server_port}/cds-services/b12-bone-health", sent).status_code == 400
        thread.join(timeout=20)
        server.server_close()
    assert not thread.is_alive()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0041-patient-view.json", "0042-patient-view.json"]


def test_the_proxy_refuses_what_it_cannot_forward(tmp_path: Path) -> None:
    with recording("http://127.0.0.1:9", tmp_path) as (through, _):
        assert "did not answer" in post(f"{through}/cds-services/x", {}).text
        with socket.create_connection(("127.0.0.1", urlsplit(through).port or 0), timeout=5) as client:
            client.sendall(b"POST /cds-services/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
            assert b" 411 " in client.recv(100)


@pytest.mark.parametrize(
    "target", ["x", "@elsewhere.invalid/x", ":80@elsewhere.invalid/x", ".invalid", "http://elsewhere.invalid/x"]
)
def test_the_proxy_leads_nowhere_but_to_the_service(target: str, tmp_path: Path) -> None:
    with (
        recording("http://127.0.0.1:9", tmp_path) as (through, _),
        socket.create_connection(("127.0.0.1", urlsplit(through).port or 0), timeout=5) as client,
    ):
        client.sendall(f"GET {target} HTTP/1.1\r\n\r\n".encode())
        assert b" 400 " in client.recv(100)


def test_the_recorder_stops_after_so_many_calls(app: Any, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with served(app) as base:
        arguments = (
            "record",
            f"{base}/cds-services",
            str(tmp_path / "new" / "folder"),
            "--port",
            str(port),
            "--count",
            "1",
            "--today",
            "2026-11-21",
        )
        command = [sys.executable, "-m", "hooks", *arguments]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as recorder:
            assert recorder.stderr is not None
            assert "Listening on" in recorder.stderr.readline()
            assert post(f"http://127.0.0.1:{port}/cds-services/b12-bone-health", request({"age": 70})).status_code == 200
            assert recorder.wait(timeout=20) == 0
            said = recorder.stderr.read()
    assert "kept as 0001-patient-view.json" in said
    assert "1 kept, 0 not kept" in said


def test_when_a_recording_was_written_does_not_tell_by_how_much_it_was_shifted(tmp_path: Path) -> None:
    assert Recorder(tmp_path, None).keep(json.dumps(request({"age": 70}, date.today())).encode()).startswith("kept")
    (path,) = tmp_path.iterdir()
    shifted = written_for(json.loads(path.read_text(encoding="utf-8")))
    assert datetime.fromtimestamp(path.stat().st_mtime, UTC).date() == shifted


def test_by_whose_numbers_and_codes_it_is_decided_can_be_said(tmp_path: Path) -> None:
    profile = tmp_path / "ours.yaml"
    profile.write_text(
        "based_on: generic\nname: ours\nmeans: {en: Ours, zh-CN: 本院}\nunits: {b12_total: {Einheiten: pg/mL}}\n",
        encoding="utf-8",
    )
    sent = json.loads(json.dumps(request({"age": 70, "problems": ["osteoporosis"], "results": [{"b12_total": "150 Einheiten"}]})))
    recorder = Recorder(tmp_path, TODAY, Policy(POLICY, [str(profile)]))
    assert recorder.keep(json.dumps(sent).encode()) == "kept as 0001-patient-view.json"
    assert "Einheiten" in (tmp_path / "0001-patient-view.json").read_text(encoding="utf-8")


def test_a_client_that_hangs_up_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder(tmp_path, TODAY)
    server = proxy("http://127.0.0.1:9", 0, recorder)
    try:
        raise BrokenPipeError
    except BrokenPipeError:
        server.handle_error((b"", server.socket), ("127.0.0.1", 1))
    server.server_close()
    assert capsys.readouterr().err == "A call broke off (BrokenPipeError); it is not kept\n"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_recorder_ends_by_signals(how: signal.Signals, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def tell() -> None:
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
                client.recv(100)  # so it is listening, and minds signals
                return os.kill(os.getpid(), how)
            time.sleep(0.05)

    threading.Thread(target=tell, daemon=True).start()
    asked = () if how == signal.SIGINT else ("--format", "json")
    result = run("record", "http://127.0.0.1:9", str(tmp_path), "--port", str(port), *asked)
    assert result.exit_code == 0, result.output
    assert "0 kept, 0 not kept" in result.stderr
    assert json.loads(result.stdout or "{}") == ({"folder": str(tmp_path), "kept": 0, "not_kept": 0} if asked else {})


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("record", "http://127.0.0.1:9", str(tmp_path), "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 2
    assert "choose another by --port" in result.stderr


# --- replay ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(name="folder", scope="module")
def some_requests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    for known in fixtures():
        if known.name in ("grey-zone-open", "baseline-missing", "child", "conditions-query-failed", "order-sign-mg-for-ug"):
            (folder / f"{known.name}.json").write_text(json.dumps(known.request), encoding="utf-8")
    return folder


def test_two_policies_are_compared(folder: Path) -> None:
    result = run("replay", str(folder), "--site", str(POLICY), "--against", "default")
    assert result.exit_code == 1, result.output
    assert "grey-zone-open.json" in result.stdout
    assert "~ B12Regimen: summary" in result.stdout
    assert "1 of 5 requests are answered differently." in result.stdout
    told = json.loads(run("replay", str(folder), "--site", str(POLICY), "--against", "default", "--format", "json").stdout)
    assert told["requests"] == 5
    assert list(told["different"]) == ["grey-zone-open.json"]


def test_one_version_is_compared_with_another_by_saved_answers(folder: Path, tmp_path: Path) -> None:
    saved = tmp_path / "before.json"
    result = run("replay", str(folder), "--save", str(saved))
    assert (result.exit_code, result.stdout) == (0, "5 requests answered.\n")
    assert run("replay", str(folder), "--against", str(saved)).stdout == "0 of 5 requests are answered differently.\n"
    content = json.loads(saved.read_text(encoding="utf-8"))
    del content["child.json"]
    content["baseline-missing.json"]["cards"][0]["indicator"] = "warning"
    saved.write_text(json.dumps(content), encoding="utf-8")
    result = run("replay", str(folder), "--against", str(saved))
    assert result.exit_code == 1
    assert "answer: 200 -> no saved answer" in result.stdout
    assert '~ B12Baseline: indicator "info" -> "warning"' in result.stdout


def test_a_running_service_is_compared_with_a_policy(folder: Path, tmp_path: Path) -> None:
    with served(create_app()) as base:
        result = run("replay", str(folder), "--url", base, "--against", base)
        with_policy = run("replay", str(folder), "--url", base, "--against", "default")
        other_way = run("replay", str(folder), "--against", base)
        one = run("replay", str(folder / "grey-zone-open.json"), "--url", base, "--save", str(tmp_path / "one.json"))
        yesterday = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))
        yesterday["grey-zone-open.json"]["day"] = "2026-01-01"
        (tmp_path / "old.json").write_text(json.dumps(yesterday), encoding="utf-8")
        old = run("replay", str(folder / "grey-zone-open.json"), "--url", base, "--against", str(tmp_path / "old.json"))
    assert result.exit_code == with_policy.exit_code == other_way.exit_code == 0, with_policy.output
    assert "answers of two days cannot be compared" in old.stdout
    assert one.exit_code == 0
    (answer,) = json.loads((tmp_path / "one.json").read_text(encoding="utf-8")).values()
    assert answer["status"] == 200


def test_a_service_that_refuses_is_compared_too(tmp_path: Path) -> None:
    @Request.application
    def application(asked: Request) -> Response:
        if asked.method == "GET":
            return Response(json.dumps({"services": [{"hook": "patient-view", "id": "x"}]}))
        return Response(json.dumps({"issue": [{"details": {"text": "No."}}]}), 412)

    path = tmp_path / "one.json"
    path.write_text(json.dumps(request({"age": 70})), encoding="utf-8")
    with served(application) as base:
        result = run("replay", str(path), "--against", base)
    assert "answer: 200 -> 412 (No.)" in result.stdout


@pytest.mark.parametrize(
    ("content", "said"), [("<html>", "200 -> 200 without cards"), ('{"cards": [5, {"suggestions": [7]}]}', "+ None: None")]
)
def test_odd_answers_of_a_service_are_compared(content: str, said: str, tmp_path: Path) -> None:
    @Request.application
    def application(asked: Request) -> Response:
        listed = json.dumps({"services": [{"hook": "patient-view", "id": "x"}]})
        return Response(listed if asked.method == "GET" else content)

    path = tmp_path / "one.json"
    path.write_text(json.dumps(request({"age": 70})), encoding="utf-8")
    with served(application) as base:
        result = run("replay", str(path), "--against", base)
    assert said in result.stdout, result.output


CARD = {"summary": "s", "indicator": "info", "source": {"label": "l", "topic": {"code": "T"}}}


@pytest.mark.parametrize(
    ("one", "other", "lines"),
    [
        ([], [], []),
        ([CARD], [], ["- info: s"]),
        ([], [CARD], ["+ info: s"]),
        ([{**CARD, "uuid": "1"}], [{**CARD, "uuid": "2"}], []),
        ([{**CARD, "detail": "a\nb"}], [{**CARD, "detail": "a\nc"}], ["~ T: detail - b", "~ T: detail + c"]),
        ([CARD], [{**CARD, "suggestions": [{"label": "do", "uuid": "1"}]}], ["~ T: suggestions none -> do"]),
        ([{"summary": "a"}, CARD, CARD], [CARD, {"summary": "a"}, CARD], ["order: a, T, T (2) -> T, a, T (2)"]),
        ([{"summary": "a", "source": {"topic": 5}}], [{"summary": "a", "source": {"topic": 5}}], []),
    ],
)
def test_answers_are_compared_card_by_card(one: list[Any], other: list[Any], lines: list[str]) -> None:
    assert differences({"status": 200, "cards": one}, {"status": 200, "cards": other}) == lines


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "add --against"),
        (("--site", "a", "--url", "b"), "give one of them"),
        (("--against", "nowhere.yaml"), "cannot be used"),
        (("--against", "nowhere.json"), "write it with `cobalamin replay --save`"),
        (("--against", "default", "--client", "nobody"), "There is no client"),
    ],
)
def test_what_cannot_be_compared_is_told(arguments: tuple[str, ...], said: str, folder: Path) -> None:
    result = run("replay", str(folder), *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_folders_without_requests_are_told(tmp_path: Path) -> None:
    assert "holds no *.json" in run("replay", str(tmp_path), "--against", "default").stderr
    assert "cannot be read" in run("replay", str(tmp_path / "nowhere"), "--against", "default").stderr
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    assert "x.json has no 'hook'" in run("replay", str(tmp_path), "--against", "default").stderr


def test_what_was_recorded_is_replayed_on_the_day_it_was_recorded(app: Any, tmp_path: Path) -> None:
    with served(app) as base, recording(base, tmp_path) as (through, recorder):
        post(f"{through}/cds-services/b12-bone-health", fixture("food-bound-deficiency").request)
        settled(recorder, 1)
    (path,) = tmp_path.iterdir()
    assert written_for(json.loads(path.read_text(encoding="utf-8"))) < TODAY  # type: ignore[operator]  # it is written
    assert run("replay", str(tmp_path), "--against", "default").exit_code == 0
