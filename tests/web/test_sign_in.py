"""Signing in with Microsoft: who may, what is remembered, and what an answer from elsewhere gets."""

import hashlib
from uuid import UUID

import pytest

from actions import withdraw
from db.access import sessions
from lab.access_records import Mailbox, Member, Organization, Session, SignIn
from lab.records import AuditEntry
from lab.stage import Stage
from lab.tables import ago
from tests.web.visitor import Visitor, email_of, known_account


@pytest.fixture
def rita(stage: Stage) -> str:
    """A member whose account is in the organization's tenant."""
    address = email_of(stage, stage.world.member("Rita Recruiter"))
    known_account(stage, address)
    return address


def test_a_member_signs_in_and_out(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage)
    assert visitor.get("/").follow().text.count("Sign in with Microsoft") == 1
    visitor.sign_in(rita)
    assert visitor.status == 200
    assert "Rita Recruiter" in visitor.text
    assert "Mailbox and permissions" in visitor.text
    visitor.send("/sign-out").follow()
    assert "Sign in with Microsoft" in visitor.text
    assert stage.count(Session) == 0
    assert stage.count(AuditEntry, action="signed_in") == 1


def test_signing_in_leads_to_the_sequences_and_lenders_to_their_mailbox(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage).sign_in(rita)
    assert "<h1>Sequences" in visitor.text
    hans = stage.world.member("Hans Holder")
    known_account(stage, email_of(stage, hans))
    stage.world.grant(stage.mailbox(hans), None)
    lender = Visitor(stage).sign_in(email_of(stage, hans))
    assert "<h1>Mailbox and permissions" in lender.text
    stage.world.sequence(hans, stage.only(Mailbox).id)
    assert lender.get("/").follow().text.count("<h1>Sequences") == 1


def test_the_first_sign_in_ties_the_member_to_the_account_and_the_address_no_longer_counts(
    stage: Stage, rita: str
) -> None:
    Visitor(stage).sign_in(rita)
    account = stage.emulator.world.mailboxes[rita]
    assert stage.only(Member, email=rita).account_id == account.user_id
    account.user_id = "22222222-2222-4222-8222-222222222222"  # the address has gone to another account
    again = Visitor(stage).sign_in(rita)
    assert again.status == 403
    assert f"{rita} is not an active member here" in again.text


@pytest.mark.parametrize("who", ["stranger", "deactivated", "untrusted tenant", "consumer"])
@pytest.mark.row("M5")
def test_nobody_else_gets_in(stage: Stage, rita: str, who: str) -> None:
    if who == "stranger":
        address = "stranger@acme.example"
        known_account(stage, address)
    else:
        address = rita
    if who == "deactivated":
        stage.put(Member, active=False, deactivated_at=ago())
    if who == "untrusted tenant":
        stage.put(Organization, tenant_id="another")
    if who == "consumer":
        stage.emulator.world.mailboxes[address].tenant_id = "9188040d-6c67-4c5b-b112-36a304b66dad"
        stage.put(Organization, tenant_id="9188040d-6c67-4c5b-b112-36a304b66dad")
    visitor = Visitor(stage).sign_in(address)
    assert visitor.status == 403
    assert address in visitor.text
    assert stage.count(Session) == 0
    assert "Sign in with Microsoft" in visitor.get("/").follow().text


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(stage: Stage, rita: str) -> None:
    mine, other = Visitor(stage), Visitor(stage)
    mine.get("/sign-in")
    mine.send("/sign-in")
    location = mine.at_microsoft(rita)
    assert other.come_back(location).status == 403
    assert "did not begin in this browser" in other.text
    cookies = dict(mine.cookies)
    assert mine.come_back(location).status == 200
    mine.cookies.update(cookies)
    assert mine.come_back(location).status == 403


def test_an_answer_that_comes_too_late_is_refused(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage)
    visitor.get("/sign-in")
    visitor.send("/sign-in")
    location = visitor.at_microsoft(rita)
    stage.older(SignIn, "created_at", minutes=11)
    assert visitor.come_back(location).status == 403
    assert "longer than ten minutes" in visitor.text


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("90094", "Ask your IT team to approve Onbehalf"),
        ("53003", "Your IT team can tell which policy"),
        ("50057", "disabled, locked or deleted"),
    ],
)
@pytest.mark.row("M29", "P24")
def test_microsofts_refusal_is_told_with_the_next_step(stage: Stage, rita: str, code: str, says: str) -> None:
    stage.emulator.world.mailboxes[rita].refusal = code
    visitor = Visitor(stage).sign_in(rita)
    assert visitor.status == 403
    assert says in visitor.text
    assert f"AADSTS{code}" in visitor.text


def test_a_wrong_client_secret_is_the_operators_matter(
    stage: Stage, rita: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stage.emulator.world, "secret", "another")
    visitor = Visitor(stage).sign_in(rita)
    assert visitor.status == 503
    assert "not set up correctly" in visitor.text
    assert "operator_misconfigured" in capsys.readouterr().err
    assert "SECRET" not in visitor.text


def test_a_session_ends_by_itself_and_with_its_member(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage).sign_in(rita)
    stage.older(Session, "seen_at", hours=11)
    assert visitor.get("/notifications").status == 200
    stage.older(Session, "seen_at", hours=13)
    assert visitor.get("/notifications").status == 303
    visitor.sign_in(rita)
    stage.put(Member, active=False, deactivated_at=ago())
    assert visitor.get("/notifications").url == "/sign-in?next=%2Fnotifications&lost=session"


def test_what_nobody_can_use_any_more_is_forgotten(stage: Stage, rita: str) -> None:
    Visitor(stage).sign_in(rita)
    other = Visitor(stage)
    other.get("/sign-in")
    other.send("/sign-in")
    stage.older(Session, "seen_at", hours=13)
    stage.older(SignIn, "created_at", minutes=11)
    with stage.world.database.transaction() as tx:
        sessions.purge(tx)
    assert (stage.count(Session), stage.count(SignIn)) == (0, 0)


def test_neither_cookie_nor_verifier_can_be_read_in_the_database(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage)
    visitor.get("/sign-in")
    visitor.send("/sign-in")
    location = visitor.at_microsoft(rita)
    code = next(iter(stage.emulator.world.codes.values()))
    assert code["code_challenge"]
    assert b"code_verifier" not in stage.only(SignIn).flow
    visitor.come_back(location)
    digest = hashlib.sha256(visitor.cookies["onbehalf"].encode()).hexdigest()
    assert stage.only(Session).token_hash.hex() == digest


def hybrid(stage: Stage, member: str, **account: object) -> str:
    """An account whose sign-in name is not its address, as in many hybrid tenants; the member is listed as ``member``."""
    stage.put(Member, email=member)
    stage.emulator.control.add_mailboxes(
        {"address": "ann.smith@acme.example", "user_principal_name": "as1234@corp.acme.example", **account}
    )
    known_account(stage, "ann.smith@acme.example")
    return "as1234@corp.acme.example"


@pytest.mark.parametrize("listed", ["ann.smith@acme.example", "as1234@corp.acme.example", "ann@acme.example"])
def test_case_17_a_member_is_known_by_sign_in_name_address_or_alias(stage: Stage, listed: str) -> None:
    stage.world.member("Ann Smith")
    name = hybrid(stage, listed, aliases=["ann@acme.example"])
    visitor = Visitor(stage).sign_in(name)
    assert (visitor.status, "Ann Smith" in visitor.text) == (200, True)
    account = stage.emulator.world.mailboxes["ann.smith@acme.example"]
    assert stage.only(Member).account_id == account.user_id
    visitor.send("/settings/sequences/connect")
    visitor.come_back(visitor.at_microsoft(name))
    assert "<strong><bdi>ann.smith@acme.example</bdi></strong> is connected" in visitor.text
    mailbox = stage.only(Mailbox)
    assert mailbox.address == stage.only(Member, mailbox.owner_id).email == "ann.smith@acme.example"
    assert stage.notices() == []


def test_a_reconnection_asks_microsoft_for_tokens_once(stage: Stage, rita: str) -> None:
    def connect() -> int:
        before: int = stage.emulator.control.stats()["requests"].get("POST /token", 0)
        visitor.send("/settings/sequences/connect")
        visitor.come_back(visitor.at_microsoft(rita))
        assert f"<strong><bdi>{rita}</bdi></strong> is connected" in visitor.text
        return int(stage.emulator.control.stats()["requests"]["POST /token"]) - before

    visitor = Visitor(stage).sign_in(rita)
    assert connect() == 1  # the code is redeemed
    box = stage.only(Mailbox).id
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Rita Recruiter")
    assert connect() == 1
    member = UUID(str(stage.only(Mailbox).owner_id))
    stage.world.enroll(stage.world.sequence(member, box))
    stage.send_due()  # what was stored is what a worker sends with
    assert [entry.mailbox for entry in stage.left()] == [rita]


def test_case_17_once_tied_the_account_counts_and_no_address(stage: Stage) -> None:
    stage.world.member("Ann Smith")
    name = hybrid(stage, "ann.smith@acme.example")
    Visitor(stage).sign_in(name)
    stage.emulator.control.rename("ann.smith@acme.example", "ann.gross@acme.example")
    assert Visitor(stage).sign_in(name).status == 200
    stage.emulator.control.add_mailboxes(
        {"address": "thief@acme.example", "aliases": ["ann.smith@acme.example"]}
    )
    assert Visitor(stage).sign_in("thief@acme.example").status == 403


def test_case_17_where_no_name_matches_both_are_named(stage: Stage) -> None:
    stage.world.member("Rita Recruiter")
    name = hybrid(stage, "somebody.else@acme.example")
    visitor = Visitor(stage).sign_in(name)
    assert visitor.status == 403
    assert f"{name} (address ann.smith@acme.example) is not an active member here" in visitor.text


def test_case_17_an_address_claimed_in_a_tenant_that_is_not_trusted_counts_for_nothing(
    stage: Stage, rita: str
) -> None:
    """nOAuth: the attacker's own tenant gives their account Rita's address as ``mail`` and alias."""
    stage.emulator.control.add_mailboxes({"address": "mallory@evil.example", "aliases": [rita]})
    before = stage.emulator.control.stats()["requests"].get("GET /me", 0)
    visitor = Visitor(stage).sign_in("mallory@evil.example")
    assert visitor.status == 403
    assert stage.count(Session) == 0
    assert stage.only(Member).account_id is None
    assert stage.emulator.control.stats()["requests"].get("GET /me", 0) == before  # nobody even asks


def test_case_17_a_guest_of_the_trusted_tenant_stays_out(stage: Stage, rita: str) -> None:
    stage.emulator.world.mailboxes[rita].guest_of = "https://sts.windows.net/another/"
    visitor = Visitor(stage).sign_in(rita)
    assert visitor.status == 403
    assert "is a guest in that organization" in visitor.text


def test_case_17_an_address_of_two_members_is_the_one_that_microsoft_sends_from(stage: Stage) -> None:
    stage.world.member("Ann Alias")
    name = hybrid(stage, "ann@acme.example", aliases=["ann@acme.example"])
    main = stage.world.member("Ann Main")
    stage.put(Member, main, email="ann.smith@acme.example")
    assert "Ann Main" in Visitor(stage).sign_in(name).text
