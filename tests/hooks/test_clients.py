"""Profiles: the shipped ones, a site's own, what stops the start, and the page that explains them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from pydantic_core import to_jsonable_python

from cds.content import Library
from cds.library import KnowledgeError
from cds.signed import InBoth, Signed
from hooks.clientfiles import client, orderables, shipped
from hooks.fhir.access import Access
from hooks.fhir.local import STANDARD, Local
from hooks.profiles import Profile


PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
MEANS = "means: {en: a, zh-CN: 甲}\n"


def own(folder: Path, text: str, library: Library) -> Profile:
    """A profile of a site's own file."""
    path = folder / "ours.yaml"
    path.write_text(text, encoding="utf-8")
    return client(str(path), library)


@pytest.mark.parametrize("name", shipped())
def test_shipped_profiles_fit_the_knowledge_and_name_no_hospital(name: str, library: Library) -> None:
    profile = client(name, library)
    assert profile.name == name
    assert profile.fhir.bases == ()
    assert profile.access() is None
    assert profile.local() == STANDARD
    assert profile.mode == "visible"
    assert profile.development == (name == "sandbox")


def test_all_that_were_promised_are_shipped_and_explained() -> None:
    assert shipped() == ["athena", "epic", "generic", "hapi", "openemr", "oracle", "prefetch-only", "sandbox"]
    for name in shipped():
        assert f"| `{name}` |" in PAGE


def test_generic_is_every_default(library: Library) -> None:
    generic = client("generic", library)
    assert generic == Profile(name="generic", means=generic.means)


def test_a_file_of_ones_own_changes_a_shipped_profile(library: Library, tmp_path: Path) -> None:
    profile = own(tmp_path, "based_on: epic\nfhir: {bases: ['HTTPS://EHR.example/FHIR/'], deadline_ms: 600}", library)
    epic = client("epic", library)
    assert profile.name == "ours"
    assert profile.fhir == epic.fhir.model_copy(update={"bases": ("https://ehr.example/FHIR",), "deadline_ms": 600})
    assert profile.model_copy(update={"name": "epic", "fhir": epic.fhir}) == epic
    assert profile.access() == Access(("https://ehr.example/FHIR",), "epic", 0.6, 10, 10 * 1024 * 1024)


def test_lists_are_replaced_and_mappings_merged(library: Library, tmp_path: Path) -> None:
    profile = own(tmp_path, "based_on: epic\ncards: {actions: [create]}\nlimits: []", library)
    assert profile.cards.actions == ("create",)
    assert profile.cards.one_action
    assert profile.limits == ()


def test_codes_units_and_zone_become_what_the_readers_ask(library: Library, tmp_path: Path) -> None:
    text = "codes: {'urn:lab': {'1511': b12_total}}\nunits: {b12_total: {'': pg/mL, 'pg/mL': ng/L}}\nzone: Asia/Shanghai\n"
    profile = own(tmp_path, MEANS + text, library)
    codes, units = {("urn:lab", "1511"): "b12_total"}, {"b12_total": {"": "pg/mL", "pg/mL": "ng/L"}}
    assert profile.local() == Local(codes, units, ZoneInfo("Asia/Shanghai"))


def test_what_yaml_takes_for_something_else_is_what_was_written(library: Library, tmp_path: Path) -> None:
    profile = own(tmp_path, MEANS + "mode: off\non_missing: 412\ntriggers: {x: [1, '2']}\n", library)
    assert (profile.mode, profile.on_missing, profile.triggers) == ("off", 412, {"x": ("1", "2")})


@pytest.mark.parametrize(
    ("server", "length"),
    [
        ("https://ehr.example/fhir", 24),
        ("https://EHR.example/fhir/", 24),
        ("https://ehr.example/fhir/r4/p1", 27),
        ("https://ehr.example/fhir/r5", 24),
        ("https://ehr.example/fhirs", 0),
        ("https://ehr.example/", 0),
        ("http://ehr.example/fhir", 0),
        ("https://ehr.example/fhir/../admin", 0),
        ("https://ehr.example/fhir/./r4", 0),
        ("https://ehr.example.evil/fhir", 0),
        ("https://ehr.example/fhir?x", 0),
        ("https://a b/", 0),
    ],
)
def test_a_server_is_a_clients_from_its_base_downwards(server: str, length: int, library: Library, tmp_path: Path) -> None:
    bases = "fhir: {bases: ['https://ehr.example/fhir', 'https://ehr.example/fhir/r4']}"
    assert own(tmp_path, MEANS + bases, library).serves(server) == length


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000/fhir", "http://localhost/fhir", "http://[::1]/fhir"])
def test_this_machine_may_go_without_tls(base: str, library: Library, tmp_path: Path) -> None:
    assert own(tmp_path, MEANS + f"fhir: {{bases: ['{base}']}}", library).fhir.bases == (base,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "is no mapping of keys to values; begin with `means:` or `based_on:`"),
        ("means: [", "is no YAML from line"),
        (MEANS + MEANS, "means is written twice; keep one"),
        ("based_on: cerner", "based_on: there is no shipped client 'cerner'; choose from athena, epic"),
        ("mode: silent", "means: is required; add it"),
        (MEANS + "moode: silent", "moode: there is no such key; did you mean mode"),
        (MEANS + "xyzzy: silent", "xyzzy: there is no such key; choose from name, means, development"),
        (MEANS + "based_onn: epic", "based_onn: there is no such key; did you mean based_on"),
        (MEANS + "fhir: {base: []}", "fhir.base: there is no such key; did you mean bases"),
        (MEANS + "limits: [{en: a, zh-CN: b, de: c}]", "limits.0.de: there is no such key; choose from en, zh-CN"),
        (MEANS + "mode: loud", "mode: Input should be 'off', 'silent' or 'visible'"),
        (MEANS + "mode: on", "mode: Input should be 'off', 'silent' or 'visible'"),
        (MEANS + "hooks: [patient_view]", "hooks.0: 'patient_view' is no hook of ours; choose from patient-view"),
        (MEANS + "language: zh", "language: Input should be 'en' or 'zh-CN'"),
        (MEANS + "on_missing: nothing", "on_missing: Input should be 412 or 'card'"),
        (MEANS + "triggers: {x: [true]}", "triggers.x.0: is no text; write it in quotes"),
        (MEANS + "zone: Mars/Olympus", "zone: 'Mars/Olympus' is no time zone this machine knows"),
        (MEANS + "zone: ../etc", "zone: '../etc' is no time zone this machine knows"),
        (MEANS + "trust: {algs: [HS256]}", "trust.algs.0: Input should be 'ES256'"),
        (MEANS + "trust: {jwks_url: keys.json}", "trust.jwks_url: 'keys.json' is no absolute http(s) URL"),
        (MEANS + "trust: {jwks_file: keys.json}", "trust.jwks_file: keys.json is no file beside this one; give its path"),
        (MEANS + "fhir: {dialect: cerner}", "fhir.dialect: Input should be 'generic', 'epic'"),
        (MEANS + "fhir: {deadline_ms: 5}", "fhir.deadline_ms: Input should be greater than or equal to 50"),
        (MEANS + "fhir: {bases: [ehr]}", "fhir.bases.0: 'ehr' is no absolute http(s) URL"),
        (MEANS + "fhir: {bases: ['https://a/?b']}", "fhir.bases.0: 'https://a/?b' is no base that a path can be added to"),
        (MEANS + "fhir: {bases: ['https://u@a/b']}", "fhir.bases.0: 'https://u@a/b' is no base"),
        (MEANS + "fhir: {bases: ['http://a/b']}", "fhir.bases.0: http://a/b is not encrypted; write https"),
        ("based_on: sandbox\nfhir: {bases: ['http://a/b']}", "fhir.bases.0: http://a/b is not encrypted; write https"),
        (MEANS + "trust: {authority: ca.pem}", "trust.authority: ca.pem is no file beside this one; give its path"),
        (MEANS + "fhir: {authority: ca.pem}", "fhir.authority: ca.pem is no file beside this one; give its path"),
        (MEANS + "prefetch: {aliases: {a: lab}}", "prefetch.aliases.a: 'lab' is no prefetch key of ours; choose from patient"),
        (MEANS + "prefetch: {omit: [lab]}", "prefetch.omit.0: 'lab' is no prefetch key of ours"),
        (MEANS + "codes: {a: {1511: b12_total}}", "codes.a.1511.[key]: is no text; write it in quotes"),
        (MEANS + "codes: {a: {'1': b12_totl}}", "codes.a.1: there is no value set 'b12_totl'; did you mean b12_total"),
        (MEANS + "codes: {a: {'1': xyzzy}}", "codes.a.1: there is no value set 'xyzzy'"),
        (MEANS + "units: {b12: {a: b}}", "units.b12: there is no measurement 'b12'"),
        (MEANS + "units: {b12_total: {'': mg}}", "units.b12_total.: 'mg' is no unit of b12_total; choose from pg/mL"),
        (
            MEANS + "units: {b12_total: {pg/mL: pmol/L}}",
            "units.b12_total.pg/mL: is read as pg/mL everywhere and cannot mean pmol/L",
        ),
        (
            MEANS + "override_reasons: {'45': specialists}",
            "override_reasons.45: 'specialists' is no reason of ours; did you mean specialist; choose from already_done, ",
        ),
        (MEANS + "override_reasons: {45: later}", "override_reasons.45.[key]: is no text; write it in quotes"),
        (MEANS + "cards: {orders: {'loinc|2132-9': x}}", "cards: orders needs order_system"),
        (
            MEANS + "cards: {order_system: x, orders: {'loinc|2132': x}}",
            "cards.orders.loinc|2132: is nothing we propose; did you mean",
        ),
        (MEANS + "cards: {summary_max: 40}", "cards.summary_max: the longest title of a rule has"),
        (MEANS + "cards: {summary_max: 140}", "cards.summary_max: Input should be less than 140"),
        (MEANS + "cards: {selection: []}", "cards.selection: Tuple should have at least 1 item"),
        (MEANS + "cards: {oids: [v3route]}", "cards.oids.0: 'v3route' is no coding system of ours; choose from loinc"),
    ],
)
def test_a_fault_names_file_key_and_mend(text: str, told: str, library: Library, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError) as fault:
        own(tmp_path, text, library)
    assert str(fault.value).startswith("ours.yaml: ")
    assert told in str(fault.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [("cerner", "There is no client 'cerner'; name a file"), ("missing.yaml", "missing.yaml: cannot be read (No such file")],
)
def test_a_client_that_does_not_exist_is_named(name: str, told: str, library: Library) -> None:
    with pytest.raises(KnowledgeError, match=re.escape(told)):
        client(name, library)


def test_files_lie_beside_the_profile(library: Library, tmp_path: Path) -> None:
    for name in ("keys.json", "ca.pem"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    text = "fhir: {bases: ['https://a.example'], open: true, authority: ca.pem}\n"
    text += "trust: {iss: ['https://a.example'], jwks_file: keys.json, authority: ca.pem}"
    profile = own(tmp_path, MEANS + text, library)
    assert profile.trust.jwks_file == tmp_path / "keys.json"
    assert [issuer.authority for issuer in profile.trust.issuers()] == [str(tmp_path / "ca.pem")]
    assert profile.access() == Access(("https://a.example",), open=True, authority=str(tmp_path / "ca.pem"))


def test_what_may_be_mapped_is_what_may_be_ordered(library: Library) -> None:
    known = orderables(library)
    assert "loinc|2132-9" in known
    assert "rxnorm|309593" in known
    assert len(known) == 27


def keys(model: type[Signed], before: str = "") -> dict[str, Any]:
    """Every key of a profile with its default."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        shape = field.annotation
        if isinstance(shape, type) and issubclass(shape, Signed) and not issubclass(shape, InBoth):
            found |= keys(shape, f"{before}{name}.")
        else:
            found[before + name] = "required" if field.is_required() else to_jsonable_python(field.default)
    return found


def test_every_key_is_documented_with_its_default_and_an_example_that_works(library: Library, tmp_path: Path) -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| .+ \| (?:`(.+)`|required) \| `(.+)` \|$", PAGE, re.MULTILINE)
    known = {"based_on": None, **keys(Profile), "name": None}
    assert [key for key, _, _ in rows] == list(known)
    for key, default, example in rows:
        assert known[key] == (yaml.safe_load(default) if default else "required"), key
        text = example.replace(r"\|", "|")
        for part in reversed(key.split(".")):
            text = f"{{{part}: {text}}}"
        written = yaml.safe_load(text)
        if key == "cards.orders":
            written["cards"]["order_system"] = "urn:ours"
        if key == "trust.iss":
            written["trust"]["jwks_file"] = "keys.json"
        for name in ("keys.json", "ca.pem"):
            (tmp_path / name).write_text("{}", encoding="utf-8")
        profile = own(tmp_path, yaml.safe_dump({**yaml.safe_load(MEANS), **written}), library)
        assert key in ("based_on", "name", "means") or profile != own(tmp_path, MEANS, library), key


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_of_the_page_are_profiles(text: str, library: Library, tmp_path: Path) -> None:
    assert own(tmp_path, text, library).name in ("st-elsewhere", "platform")


def test_issuers_need_keys_and_keys_alone_prove_nobody(library: Library, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="iss needs the keys that prove it"):
        own(tmp_path, f"{MEANS}\ntrust: {{iss: [https://ehr.example]}}", library)
    assert own(tmp_path, MEANS, library).trust.issuers() == []
    (issuer,) = own(
        tmp_path, f"{MEANS}\ntrust: {{iss: [https://ehr.example], key_urls: [https://ehr.example/k]}}", library
    ).trust.issuers()
    assert issuer.keys == "https://ehr.example/k"
