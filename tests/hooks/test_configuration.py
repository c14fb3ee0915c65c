"""The configuration: what stops the start, with file, key and mend; what is shown of it; the example; the pages derived from it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from cds.library import KnowledgeError
from hooks.app import MEBIBYTE, Config
from hooks.cli import main
from hooks.deployment.building import check, config_of, explained, is_loopback, masked
from hooks.deployment.commands import EXAMPLE
from hooks.deployment.faults import DeploymentError, Fault
from hooks.deployment.reading import Settled
from hooks.edge.config import Cors, Rates
from hooks.edge.rates import rate
from hooks.fhir.keys import KEYS, PATIENT_KEY
from hooks.secrets import SecretError, secret
from hooks.services import SERVICES
from hooks.serving import Server
from tests.derived import DOCS, PAGES, keys, sections
from tests.hooks.tokens import ISS, jwk


BASE = "base_url: 'https://cds.example'"
SALT = {"COBALAMIN_SALT": "the-salt-of-the-tests"}
MEANS: dict[str, Any] = {"means": {"en": "Ours", "zh-CN": "本院"}}


@pytest.fixture(name="folder")
def site_folder(tmp_path: Path) -> Path:
    """What a hospital has beside its configuration."""
    profiles: dict[str, dict[str, Any]] = {
        "tokens": {"trust": {"iss": [ISS], "jwks_file": "keys.json"}},
        "nokeys": {"trust": {"iss": [ISS], "jwks_file": "empty.json"}},
        "certified": {"trust": {"certificates": ["CN=ours"]}},
        "slow": {"fhir": {"bases": ["https://ehr.example/fhir"], "deadline_ms": 5000}},
        "faulty": {"moode": "silent", "zone": "Mars"},
    }
    for name, profile in profiles.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**MEANS, **profile}), encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [jwk()]}), encoding="utf-8")
    (tmp_path / "empty.json").write_text('{"keys": []}', encoding="utf-8")
    (tmp_path / "policy.yaml").write_text("numbers: {nonsense: 1}\n", encoding="utf-8")
    return tmp_path


def settled(folder: Path, text: str, environ: dict[str, str] | None = None, **options: Any) -> Settled:
    file = folder / "cobalamin.yaml"
    file.write_text(text, encoding="utf-8")
    return Settled(file, options, environ or {})


def told(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    """What is said of a configuration."""
    try:
        check(settled(folder, text, environ), folder)
    except DeploymentError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "cobalamin.yaml: is no mapping of keys to values; begin with development, site"),
        ("server: [", "cobalamin.yaml: is no YAML from line"),
        ("site: a\nsite: b", "cobalamin.yaml: line 1: site is written twice; keep one"),
        ("sever: {}", "cobalamin.yaml: sever: there is no such key; did you mean server?"),
        ("xyz: {}", "cobalamin.yaml: xyz: there is no such key; choose from development, site, clients"),
        ("server: {prt: 1}", "cobalamin.yaml: server.prt: there is no such key; did you mean port?"),
        ("server: 8080", "cobalamin.yaml: server: Input should be an object; choose from host, port"),
        (
            "server: {port: 0}",
            "server.port: Input should be greater than or equal to 1; write a whole number from 1 to 65535, as in 8080",
        ),
        (
            "server: {port: '8080'}",
            "server.port: Input should be a valid integer; write a whole number from 1 to 65535, as in 8080",
        ),
        (
            'server: {host: "127.0.0.1\\0"}',
            r"server.host: '127.0.0.1\x00' is no address and no name of a host; write an address or a name",
        ),
        ("server: {workers: true}", "server.workers: Input should be a valid integer"),
        ("trust: {open: 'yes'}", "trust.open: Input should be a valid boolean; write true or false, as in true"),
        ("server: {base_url: cds}", "server.base_url: 'cds' is no absolute http(s) URL; write a URL by https"),
        (
            "server: {base_url: 'https://a/?b'}",
            "server.base_url: 'https://a/?b' is not an absolute URL that a path can be added to",
        ),
        ("server: {base_url: 'http://cds.example'}", "server.base_url: http://cds.example is not encrypted; write https"),
        (
            "proxies: {addresses: [10.0.0.1/8]}",
            "proxies.addresses.0: '10.0.0.1/8' is no network; write an address, or one with its mask",
        ),
        ("proxies: {addresses: [10]}", "proxies.addresses.0: 10 is no network"),
        ("proxies: {subject: 'X Y'}", "proxies.subject: 'X Y' is no name of a header; write a name, as in X-SSL-Subject"),
        (
            "cors: {origins: ['https://a/']}",
            "cors.origins.0: 'https://a/' is no origin; write a list of origins in small letters",
        ),
        ("cors: {origins: ['*']}", 'cors.origins: lets any web page call; list the origins, or write "development: true"'),
        (
            "rate: {client: 10}",
            "rate.client: Input should be a valid string; write a number per second, minute, hour or day, as in 600/minute",
        ),
        ("rate: {client: 10/week}", "rate.client: '10/week' is no rate"),
        (
            "ids: {patient-view: a b}",
            "ids.patient-view: 'a b' is no id that can stand in a URL as it is; write a mapping of hooks to ids",
        ),
        ("1: 2", "cobalamin.yaml: 1: there is no such key; choose from development"),
        ("server: {base_url: 'https://user:word@a'}", "server.base_url: 'https://user:word@a' is not an absolute URL"),
        (
            "proxies: {addresses: [10.0.0.1, 0.0.0.0/0]}",
            "proxies.addresses: every address there is would be believed; name those",
        ),
        ("proxies: {addresses: ['::/0']}", "proxies.addresses: every address there is would be believed; name those"),
        ("ids: {patient_view: ab}", "ids.patient_view: 'patient_view' is no hook of ours; choose from patient-view"),
        ("development: true\nserver: {host: 0.0.0.0}", "development: 0.0.0.0 is reached from elsewhere; listen on 127.0.0.1"),
        (
            "feedback: {store: f.db}",
            "environment: COBALAMIN_SALT: is a secret of at least 16 characters; `openssl rand -hex 32` makes one",
        ),
        ("audit: {file: a.jsonl}", "environment: COBALAMIN_SALT: is a secret of at least 16 characters"),
        ("feedback: {store: 'mysql://h/d'}", "feedback.store: a store is the path of an SQLite file"),
        ("feedback: {store: 'postgresql://h:port/d', spool: s}", "feedback.store: a store is the path of an SQLite file"),
        ("feedback: {store: 'postgresql://[::1/d', spool: s}", "feedback.store: a store is the path of an SQLite file"),
        ("feedback: {store: 'postgresql://h/d'}", "feedback.spool: a database server needs a directory on this machine"),
        ("feedback: {store: 'postgresql://u:s3cret@h/d'}", "feedback.store: holds a password; put the URL into the environment"),
        ("feedback: {store: 'postgresql://u:s3/cret@h/d'}", "feedback.store: holds a password; put the URL into the environment"),
        (
            "logs: {level: loud}",
            "logs.level: Input should be 'debug', 'info', 'warning' or 'error'; write debug, info, warning or error",
        ),
        ("site: nowhere.yaml", "cobalamin.yaml: site: there is no file"),
        ("site: policy.yaml", "policy.yaml: site: is required; add it"),
        ("clients: [epik]", "clients.0: There is no client 'epik'; name a file (*.yaml), or one of athena"),
        ("clients: [epic, nowhere.yaml]", "cobalamin.yaml: clients.1: there is no file"),
        ("clients: [faulty.yaml]", "faulty.yaml: moode: there is no such key; did you mean mode"),
        ("clients: [faulty.yaml]", "faulty.yaml: zone: 'Mars' is no time zone"),
        ("clients: [epic, epic]", "cobalamin.yaml: clients: two clients are named epic"),
        ("clients: [tokens.yaml]", "server.base_url: is missing, and tokens of tokens name it; write it"),
        ("clients: [nokeys.yaml]\nserver: {base_url: 'https://a'}", "trust: None of the keys can check"),
        ("clients: [certified.yaml]", "proxies.addresses: nobody checks the certificates of certified; name the gateway"),
        ("clients: [slow.yaml]\nserver: {deadline_s: 5}", "slow: fhir.deadline_ms: is no less than server.deadline_s; shorten"),
        ("trust: {used_tokens: no/where}", "trust.used_tokens: "),
        ("audit: {file: no/where.jsonl}", "audit.file: "),
        ("audit: {file: .}", "audit.file: "),
        ("server: {host: 0.0.0.0}", "clients: 0.0.0.0 is reached from elsewhere, and no client has issuers of tokens"),
        (f"clients: [sandbox]\nserver: {{host: 0.0.0.0, {BASE}}}", "clients: sandbox: a client for development proves nothing"),
        (
            f"clients: [sandbox]\nserver: {{{BASE}}}\nproxies: {{addresses: [127.0.0.1]}}",
            "clients: sandbox: a client for develop",
        ),
        ("feedback: {store: .}", " is a directory; name another place"),
        ("feedback: {store: f.db, spool: keys.json}", "feedback.spool: "),
        ("feedback: {store: keys.json}", "keys.json is no SQLite file, and would not be overwritten; name another place"),
        ("trust: {used_tokens: keys.json}", "keys.json is no SQLite file"),
        ("audit: {file: x}\nfeedback: {store: ./x}", "x is audit.file already; name another place"),
        ("audit: {file: x}\ntrust: {used_tokens: x}", "audit.file: "),
        ("feedback: {store: x, spool: x}", "feedback.spool: "),
    ],
)
def test_a_fault_names_file_key_and_mend(text: str, said: str, folder: Path) -> None:
    lines = told(folder, text, {} if "salt" in said.lower() else SALT)
    assert any(said in line for line in lines), lines
    assert not any("s3cret" in line for line in lines)


def test_everything_is_told_at_once(folder: Path) -> None:
    text = "server: {port: 0, hst: x}\nclients: [faulty.yaml, epik]\nsite: policy.yaml\nnothing: 1\ncors: {origins: ['*']}"
    lines = told(folder, text)
    assert [line.partition(": ")[0] for line in lines] == ["cobalamin.yaml"] * 4 + ["policy.yaml"] + ["faulty.yaml"] * 2 + [
        "cobalamin.yaml"
    ]
    assert len(told(folder, "", {"COBALAMIN_SALT": "x", "COBALAMIN_SALT_FILE": "y", "COBALAMIN_STORE_FILE": "/nowhere"})) == 2


@pytest.mark.parametrize(
    "text",
    ["", "server:\nsite:\n", "development: true\ncors: {origins: ['*', 'http://localhost:9000']}",
     "clients: [tokens.yaml]\nserver: {base_url: 'https://cds.example'}", "clients: [certified.yaml]\nproxies: {addresses: [10.0.0.1]}",
     "clients: [certified.yaml, tokens.yaml]\ntrust: {open: true}", "server: {base_url: 'http://localhost:8080'}",
     "feedback: {store: f.db}\naudit: {file: a.jsonl}", "clients: [slow.yaml]", "server: {host: 0.0.0.0}\ntrust: {open: true}",
     f"clients: [sandbox]\nserver: {{{BASE}}}\ndevelopment: true\nproxies: {{addresses: [127.0.0.1]}}", "rate: {client: 5/minute}"],
)  # fmt: skip
def test_what_fits_starts_and_touches_nothing(text: str, folder: Path, tmp_path: Path) -> None:
    before = {path for path in tmp_path.iterdir() if path.name not in ("used-tokens", "rates")} | {tmp_path / "cobalamin.yaml"}
    assert told(folder, text, SALT) == []
    assert {path for path in tmp_path.iterdir() if not path.name.startswith(("used-tokens", "rates"))} == before


def test_what_the_application_is_told(folder: Path) -> None:
    text = """
        clients: [epic, tokens.yaml]
        ids: {patient-view: b12}
        server: {base_url: 'https://cds.example', body_mebibytes: 3}
        cors: {origins: ['https://ehr.example']}
        rate: {service: 9/second}
        trust: {used_tokens: used.db}
        feedback: {store: f.db, retention_days: 7}
        audit: {file: a.jsonl}
        logs: {level: info}
    """
    config = config_of(settled(folder, text, SALT, server={"base_url": "https://other.example"}), folder / "tmp")
    assert config.clients == ("epic", str(folder / "tokens.yaml"))
    assert (config.base_url, config.body_limit) == ("https://other.example", 3 * MEBIBYTE), "an option wins over the file"
    assert (config.ids, config.used_tokens) == ({"patient-view": "b12"}, folder / "used.db")
    assert config.cors == Cors(frozenset(["https://ehr.example"]))
    assert config.rates == Rates(folder / "tmp" / "rates", None, "9/second")
    assert config.feedback is not None
    assert (config.feedback.store, config.feedback.retention_days) == (str(folder / "f.db"), 7)
    assert (config.operation.audit, config.operation.log_level, config.proxies) == (folder / "a.jsonl", "info", None)
    assert config_of(Settled(None, {}, {}), folder) == Config(used_tokens=folder / "used-tokens")


def test_secrets_come_from_the_environment_or_from_files_that_it_names(folder: Path) -> None:
    (folder / "salt").write_text("the-salt-of-the-tests\n", encoding="utf-8")
    assert secret("A", {}) is None
    assert secret("A", {"A": "x"}) == "x"
    assert secret("A", {"A_FILE": str(folder / "salt")}) == "the-salt-of-the-tests"
    for environ, why in (({"A": "x", "A_FILE": "y"}, "both set"), ({"A_FILE": "/nowhere"}, "cannot be read")):
        with pytest.raises(SecretError, match=why):
            secret("A", environ)
    url = "postgresql://u:s3cret@h/d"
    environ = {"COBALAMIN_SALT_FILE": str(folder / "salt"), "COBALAMIN_STORE": url}
    config = config_of(settled(folder, "feedback: {store: f.db, spool: spool}", environ), folder)
    assert config.feedback is not None
    assert (config.feedback.store, config.feedback.salt) == (url, "the-salt-of-the-tests")


@pytest.mark.parametrize("store", ["feedback.db", "postgresql://h/d", "postgresql://u@h:5432/d", "postgresql:///d?host=/run"])
def test_a_store_without_a_password_is_shown(store: str) -> None:
    assert masked(store) == store


@pytest.mark.parametrize("secret", ["s3cret", "s%40t", "a/b+c==", "a#b", "a?b", "a@b", "p", "a\nb"])
def test_a_password_is_masked_whatever_is_in_it(secret: str) -> None:
    assert masked(f"postgresql://u:{secret}@h/d?sslmode=require") == "postgresql://u:***@h/d?sslmode=require"
    if "@" not in secret:
        assert (
            masked(f"postgresql://u:x@h/d?password={secret}&sslpassword=y")
            == "postgresql://u:***@h/d?password=***&sslpassword=***"
        )


def test_loopback() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "[::1]", "localhost", "0.0.0.0", "cds.example")] == [  # noqa: S104
        True, True, True, True, False, False,
    ]  # fmt: skip


def ran(*arguments: str, **environ: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments), env={**SALT, **environ})
    return result.exit_code, result.output


def test_config_check_and_show(folder: Path) -> None:
    file = str(folder / "cobalamin.yaml")
    settled(folder, "server: {port: 0}")
    assert ran("config", "check", file)[0] == 1
    status, out = ran("config", "check", file, "--format", "json")
    (fault,) = json.loads(out)["faults"]
    assert (status, fault["file"], fault["key"]) == (1, "cobalamin.yaml", "server.port")
    assert ran("config", "show", file)[0] == 1
    settled(folder, "feedback: {spool: spool}")
    environ = {"COBALAMIN_STORE": "postgresql://u:s3cret@h/d"}
    assert ran("config", "check", file, **environ) == (0, f"{file}: fits\n")
    status, out = ran("config", "show", file, **environ)
    shown = yaml.safe_load(out)
    assert json.loads(ran("config", "show", file, "--format", "json", **environ)[1]) == shown
    assert (status, "s3cret" in out, SALT["COBALAMIN_SALT"] in out) == (0, False, False)
    assert (shown["feedback"]["store"], shown["secrets"]["COBALAMIN_SALT"]) == ("postgresql://u:***@h/d", "***")
    shown.pop("secrets")
    shown["feedback"]["store"] = None
    file_again = folder / "again.yaml"
    file_again.write_text(yaml.safe_dump(shown), encoding="utf-8")
    assert ran("config", "check", str(file_again))[0] == 0, "what is shown can be served"


def test_the_example_fits_and_shows_every_key(tmp_path: Path) -> None:
    file = tmp_path / "cobalamin.yaml"
    file.write_text(ran("config", "example")[1], encoding="utf-8")
    assert ran("config", "check", str(file)) == (0, f"{file}: fits\n")
    named = [f"{name}.{key}".removeprefix(".") for name, model in sections() for key, *_ in keys(model)]
    words = "|".join({part for name in named for part in name.split(".")})
    live = re.sub(rf"^# ?( *({words}):)|^( +)# (({words}):)", r"\1\3\4", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    shown = yaml.safe_load(live)
    assert settled(tmp_path, live).faults == []
    found = [f"{name}.{key}" if isinstance(part, dict) and name != "ids" else name for name, part in shown.items()
             for key in (part if isinstance(part, dict) and name != "ids" else [""])]  # fmt: skip
    assert found == named


@pytest.mark.parametrize("name", PAGES)
def test_a_derived_page_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "write it: python -m tests.reference"


def test_every_example_of_a_key_can_be_written(folder: Path) -> None:
    for name, model in sections():
        for key, _, written, _ in keys(model):
            value = yaml.safe_load(written["example"])
            content = {name: {key: value}} if name else {key: value}
            assert settled(folder, yaml.safe_dump(content)).faults == [], f"{name}.{key}"


def test_DISC_23_what_each_hook_does_and_needs_is_documented() -> None:
    page = (DOCS / "services.md").read_text(encoding="utf-8")
    for service in SERVICES:
        assert f"`{service.hook}` (version {service.hook_version}) at `/cds-services/{service.id}`. {service.description}" in page
    for name, required in [(PATIENT_KEY, True), *((key.name, key.required) for key in KEYS)]:
        assert re.search(rf"^\| `{name}` \| `\w+[/?].+` \| {'required' if required else 'optional'} \|$", page, re.MULTILINE)
    assert "`actionSelectionBehavior` (ballot of 3.0) is not sent" in page.replace("**", "")


def test_serve_says_what_an_operator_must_know(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "run", lambda server: None)
    file = str(folder / "cobalamin.yaml")
    settled(folder, "development: true\nserver: {port: 8099}")
    assert "Serve no patients like this" in ran("serve", "--config", file)[1]
    settled(folder, "server: {host: 0.0.0.0, port: 8099}\ntrust: {open: true}")
    assert "nothing shows that calls to 0.0.0.0 came by https" in ran("serve", "--config", file)[1]
    settled(folder, "server: {host: 0.0.0.0, port: 8099}\ntrust: {open: true}\nproxies: {addresses: [10.0.0.1]}")
    assert "came by https" not in ran("serve", "--config", file)[1]
    settled(folder, "clients: [faulty.yaml]")
    status, out = ran("serve", "--config", file)
    assert (status, "faulty.yaml: moode: there is no such key" in out, "zone" in out) == (2, True, True)


def test_what_nobody_foresaw_is_told_as_well(folder: Path) -> None:
    fine = settled(folder, "")
    assert explained(fine, KnowledgeError("rate: cannot be written")).faults == (
        Fault("cobalamin.yaml", "", "rate: cannot be written"),
    )
    assert rate(None) is None
