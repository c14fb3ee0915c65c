"""Where connections may lead: names that resolve to private addresses are refused before anything is said there (FHIR-05)."""

from __future__ import annotations

import json
import socket
import time
from ipaddress import ip_network
from typing import Any

import pytest

from hooks.engine import Evaluation
from hooks.errors import RequestError
from hooks.fhir.access import Access
from hooks.fhir.faults import MEND
from hooks.networks import may_be_reached
from hooks.trust.keysets import FetchedKeys
from tests.hooks.dialects import fetching, unprefetched
from tests.hooks.stub import LOOPBACK, reply, stub
from tests.patients import TODAY, request


LOOPBACK_NETWORK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.1.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("::ffff:169.254.169.254", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a9fe:a9fe::1", False),
        ("192.0.0.8", False),
        ("::127.0.0.1", False),
        ("64:ff9b:1::7f00:1", False),
        ("fec0::1", False),
        ("ehr.example.org", False),
    ],
)
def test_FHIR_05_what_is_private_is_not_reached(address: str, may: bool) -> None:
    assert may_be_reached(address, ()) == may


def test_FHIR_05_unless_it_is_listed() -> None:
    listed = (ip_network("10.20.0.0/16"), ip_network("fd00:20::/32"))
    assert may_be_reached("10.20.3.4", listed)
    assert may_be_reached("::ffff:10.20.3.4", listed)
    assert may_be_reached("fd00:20::1", listed)
    assert not may_be_reached("10.21.3.4", listed)
    assert not may_be_reached("169.254.169.254", listed)


@pytest.fixture(name="here")
def everything_resolves_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    really = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, *more: really("127.0.0.1", port, *more))


def asked(base: str, **access: Any) -> Evaluation | RequestError:
    service = fetching("patient-view", Access((base,), deadline_s=2, **access))
    try:
        return service.evaluate(unprefetched(request({"age": 72}), base), TODAY)
    except RequestError as error:
        return error


@pytest.mark.usefixtures("here")
def test_FHIR_05_a_listed_name_that_leads_to_a_private_address_is_told_nothing() -> None:
    with stub(lambda _: [reply(b"{}")], encrypted=True) as server:
        base = server.base.replace("127.0.0.1", "ehr.example.org")
        assert MEND["private"] in str(asked(base))
        assert server.asked == []
        assert MEND["untrusted"] in str(asked(base, networks=LOOPBACK_NETWORK)), "its network is listed: it has to say who it is"
        assert "FHIR JSON" not in str(asked(base, networks=LOOPBACK_NETWORK, authority=str(LOOPBACK)))
    with stub(lambda _: [reply(b"{}")]) as server:
        asked(server.base.replace("127.0.0.1", "localhost"))
        assert server.asked, "this machine was listed by its name"


@pytest.mark.usefixtures("here")
def test_SEC_13_so_is_the_address_of_a_key_set(caplog: pytest.LogCaptureFixture) -> None:
    with stub(lambda _: [reply(json.dumps({"keys": []}).encode())], encrypted=True) as server:
        url = server.base.replace("127.0.0.1", "ehr.example.org")
        assert FetchedKeys(url, ("ES384",)).find("one", "ES384") is None
        assert caplog.messages == [
            "a key set lies at a private address; list its network in the profile of the client (networks)"
        ]
        assert FetchedKeys(url, ("ES384",), time.monotonic, LOOPBACK_NETWORK).find("one", "ES384") is None
        assert caplog.messages[1:] == ["no key set from an issuer: SSLError"]
        assert server.asked == []


def test_a_key_set_may_lie_behind_an_authority_of_the_hospitals_own(caplog: pytest.LogCaptureFixture) -> None:
    with stub(lambda _: [reply(json.dumps({"keys": []}).encode())], encrypted=True) as server:
        for authority, said in ((str(LOOPBACK), []), (None, ["SSLError"]), ("gone.pem", ["SSLError", "OSError"])):
            keys = FetchedKeys(server.base, ("ES384",), authority=authority)
            assert keys.find("one", "ES384") is None
            assert (keys.age_s is None) is (authority != str(LOOPBACK))
            assert caplog.messages == [f"no key set from an issuer: {kind}" for kind in said]
