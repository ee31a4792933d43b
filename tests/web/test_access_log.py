"""What the log says about requests: each one once, and for every refusal why and from where."""

import json
from collections.abc import Callable

import pytest

from lab.access_records import Organization
from lab.records import AuditEntry
from lab.stage import Stage
from tests.web.visitor import Visitor, email_of, known_account
from web.source import source_of

Written = Callable[[], list[dict[str, object]]]


def named(written: Written, event: str) -> list[dict[str, object]]:
    return [line for line in written() if line["event"] == event]


def test_security_16_each_request_is_one_line_with_its_routes_template(
    stage: Stage, written: Written
) -> None:
    visitor = Visitor(stage)
    visitor.get("/approve/a-secret-link")
    (line,) = named(written, "request_served")
    assert {key: line[key] for key in ("method", "route", "status", "source")} == {
        "method": "GET", "route": "/approve/{token}", "status": 404, "source": "127.0.0.1",
    }  # fmt: skip
    assert line["request_id"] == visitor.headers["x-request-id"]
    assert isinstance(line["milliseconds"], int)
    assert "a-secret-link" not in json.dumps(written())
    visitor.get("/api/v1/sequences/00000000-0000-0000-0000-000000000001/pause?x=private")
    assert "private" not in json.dumps(written())


def test_security_16_health_and_files_are_not_logged(stage: Stage, written: Written) -> None:
    Visitor(stage).get("/health").get("/static/base.css")
    assert named(written, "request_served") == []


def test_security_16_refused_keys_and_floods_are_logged_with_their_source(
    stage: Stage, written: Written
) -> None:
    visitor = Visitor(stage)
    for _ in range(31):
        visitor.get("/api/v1/sequences", headers={"Authorization": "Bearer nonsense"})
    assert visitor.status == 429
    refused, limited = named(written, "key_refused"), named(written, "rate_limited")
    assert len(refused) == 31
    assert {(line["source"], line["reason"]) for line in refused} == {("127.0.0.1", "unknown")}
    assert [line["source"] for line in limited] == ["127.0.0.1"]
    assert "nonsense" not in json.dumps(written())


def test_security_16_a_failed_sign_in_is_logged_and_in_the_audit_trail(
    stage: Stage, written: Written
) -> None:
    known_account(stage, "stranger@acme.example")
    Visitor(stage).sign_in("stranger@acme.example")
    (refused,) = named(written, "sign_in_refused")
    assert (refused["reason"], refused["source"]) == ("not_a_member", "127.0.0.1")
    assert stage.only(AuditEntry, action="sign_in_failed").data["reason"] == "not_a_member"
    stage.put(Organization, tenant_id="another")
    Visitor(stage).sign_in("stranger@acme.example")
    assert named(written, "sign_in_refused")[1]["reason"] == "foreign_tenant"
    account = stage.emulator.world.mailboxes["stranger@acme.example"]
    assert named(written, "sign_in_refused")[1]["tenant_id"] == account.tenant_id
    account.refusal = "53003"
    Visitor(stage).sign_in("stranger@acme.example")
    failed = named(written, "sign_in_failed")[-1]
    assert (failed["reason"], failed["code"], failed["source"]) == (
        "policy_blocked",
        "AADSTS53003",
        "127.0.0.1",
    )
    assert "stranger@" not in json.dumps(written())


def test_security_16_signing_out_is_in_the_audit_trail(stage: Stage) -> None:
    address = email_of(stage, stage.world.member("Rita Recruiter"))
    known_account(stage, address)
    Visitor(stage).sign_in(address).send("/sign-out")
    actions = [each.action for each in stage.all(AuditEntry)]
    assert actions[-2:] == ["signed_in", "signed_out"]


@pytest.mark.parametrize(
    ("client", "source"),
    [
        (("203.0.113.9", 1), "203.0.113.9"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::1", 1), "2001:db8:1:2::/64"),
        (("::ffff:203.0.113.9", 1), "203.0.113.9"),
        (("fe80::1%eth0", 1), "fe80::/64"),
        (("testclient", 1), "unknown"),
        (None, "unknown"),
    ],
)
def test_the_source_of_ipv6_is_the_network_of_one_subscriber(client: object, source: str) -> None:
    assert source_of({"client": client}) == source
