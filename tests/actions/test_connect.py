"""Connecting proves the token, the account, the permissions and the kind of mailbox before it stores anything."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from actions import withdraw
from actions.connect import connect_mailbox
from db.mailboxes import accounts, mailboxes, renames
from domain.errors import ConsentMissing, MailboxDisconnected, NotFound, NotPermitted, ProviderError
from lab.access_records import Credentials, Lane, Mailbox, Member, Organization
from lab.records import AuditEntry, Event, Notice, Receipt, Sequence
from lab.stage import Stage


@pytest.fixture
def box(stage: Stage) -> UUID:
    """A mailbox that was never connected; the provider knows it."""
    mailbox = stage.world.mailbox(stage.world.member(), connected=False)
    stage.emulator.control.add_mailboxes({"address": stage.address(mailbox), "time_zone": "Europe/Berlin"})
    return mailbox


def token(stage: Stage, box: UUID) -> str:
    return stage.emulator.control.refresh_token(stage.address(box))


def state(stage: Stage) -> tuple[object, ...]:
    return (
        stage.only(Mailbox).status,
        stage.only(Lane).open,
        stage.only(Credentials).refresh_token is not None,
    )


NOTHING = ("never_connected", False, False)


def test_a_proved_mailbox_is_connected_and_can_send(stage: Stage, box: UUID) -> None:
    facts = connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    assert stage.address(box) in facts.addresses
    assert state(stage) == ("connected", True, True)
    assert stage.only(Lane).zone == "Europe/Berlin"
    owner = stage.owner(box)
    stage.world.enroll(stage.world.sequence(owner, box))
    stage.send_due()
    assert [entry.mailbox for entry in stage.left()] == [stage.address(box)]


def test_permissions_that_were_not_granted_are_named(stage: Stage, box: UUID) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "granted": "User.Read Mail.Send"})
    with pytest.raises(ConsentMissing, match=r"(?i)mail\.readwrite"):
        connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    assert state(stage) == NOTHING


def test_another_account_is_refused_and_both_addresses_are_named(stage: Stage, box: UUID) -> None:
    stage.emulator.control.add_mailboxes({"address": "somebody@acme.example"})
    other = stage.emulator.control.refresh_token("somebody@acme.example")
    with pytest.raises(NotPermitted, match=rf"somebody@acme\.example.*{stage.address(box)}"):
        connect_mailbox(stage.runtime, box, refresh_token=other, actor="rita")
    assert state(stage) == NOTHING


@pytest.mark.parametrize("purpose", ["shared", "room", "equipment"])
@pytest.mark.row("P4")
def test_only_a_persons_own_mailbox_is_connected(stage: Stage, box: UUID, purpose: str) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "purpose": purpose})
    with pytest.raises(NotPermitted, match="person's own"):
        connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    assert state(stage) == NOTHING


def test_a_token_that_is_not_one_is_refused(stage: Stage, box: UUID) -> None:
    with pytest.raises(MailboxDisconnected):
        connect_mailbox(stage.runtime, box, refresh_token="nonsense", actor="rita")
    assert state(stage) == NOTHING


@pytest.mark.parametrize("body", ["<html>", '{"access_token": ', "[]", "null", '{"access_token": 7}'])
def test_an_answer_that_is_no_token_stores_nothing(stage: Stage, box: UUID, body: str) -> None:
    good = token(stage, box)
    stage.emulator.control.fault("POST /token", status=200, body=body, times=9)
    stage.emulator.control.fault("*", mailbox=stage.address(box), status=200, body=body, times=9)
    with pytest.raises(ProviderError):
        connect_mailbox(stage.runtime, box, refresh_token=good, actor="rita")
    assert state(stage) == NOTHING


@pytest.mark.row("M27")
def test_reconnecting_tells_the_owners_and_resumes_nothing_by_itself(stage: Stage, box: UUID) -> None:
    owner = stage.owner(box)
    connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    stage.world.enroll(stage.world.sequence(owner, box))
    withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
    stage.run_outbox()
    connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    stage.run_outbox()
    stage.send_due()
    assert stage.left() == []
    assert stage.only(Sequence).status == "paused"
    assert [each.channel for each in stage.notices()] == ["in_app", "email", "in_app", "email"]


def test_an_unknown_mailbox_says_so(stage: Stage) -> None:
    with pytest.raises(NotFound):
        connect_mailbox(stage.runtime, UUID(int=7), refresh_token="x", actor="rita")


def renamed(stage: Stage, box: UUID, to: str) -> None:
    """Connect it, then let Microsoft give the account another address."""
    connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    stage.run_outbox()
    stage.put(Member, stage.owner(box), email=stage.address(box))
    stage.emulator.control.rename(stage.address(box), to)


def test_case_21_the_hourly_check_follows_a_rename_shows_it_and_tells_once(stage: Stage, box: UUID) -> None:
    before = stage.address(box)
    renamed(stage, box, "eva.gross@acme.example")
    stage.check_mailboxes()
    stage.check_mailboxes()
    mailbox = stage.only(Mailbox)
    assert (mailbox.address, mailbox.former_addresses, mailbox.renamed_at is not None) == (
        "eva.gross@acme.example",
        [before],
        True,
    )
    assert stage.only(Member).email == "eva.gross@acme.example"
    assert stage.count(AuditEntry, action="mailbox_renamed") == 1
    titles = [each.title for each in stage.notices(channel="in_app")]
    assert titles == [f"Microsoft renamed {before} to eva.gross@acme.example"]
    owner = stage.owner(box)
    stage.world.enroll(stage.world.sequence(owner, box, body="From {{sender_email}}"))
    stage.send_due()
    (sent,) = stage.left()
    assert "From eva.gross@acme.example" in sent.body
    assert sent.sender == "eva.gross@acme.example"
    assert stage.only(Receipt).sender == "eva.gross@acme.example"


def test_case_21_the_same_account_reconnects_under_its_new_address(stage: Stage, box: UUID) -> None:
    renamed(stage, box, "eva.gross@acme.example")
    withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
    new = stage.emulator.control.refresh_token("eva.gross@acme.example")
    connect_mailbox(stage.runtime, box, refresh_token=new, actor="rita")
    assert stage.address(box) == "eva.gross@acme.example"
    assert state(stage) == ("connected", True, True)
    assert stage.count(AuditEntry, action="mailbox_renamed") == 1


def test_case_21_who_notices_a_rename_later_changes_and_tells_nothing(stage: Stage, box: UUID) -> None:
    with stage.world.database.transaction() as tx:
        seen = mailboxes.load(tx, box)
        assert seen is not None
        seen = replace(seen, connection_version=1)
        assert renames.follow(tx, seen, "eva.gross@acme.example", actor="Microsoft")
        assert not renames.follow(tx, seen, "eva.gross@acme.example", actor="Microsoft")
    assert stage.count(Event, kind="MailboxRenamed") == 1
    assert stage.only(Mailbox).former_addresses == [seen.address]


def test_case_21_a_name_that_is_given_back_is_followed_again(stage: Stage, box: UUID) -> None:
    before = stage.address(box)
    renamed(stage, box, "eva.gross@acme.example")
    stage.check_mailboxes()
    stage.emulator.control.rename("eva.gross@acme.example", before)
    stage.check_mailboxes()
    assert stage.address(box) == before
    assert len(stage.notices(channel="in_app")) == 2


@pytest.mark.parametrize("listed_as", ["member", "mailbox"])
def test_case_21_a_new_address_that_is_listed_already_changes_nothing_and_is_told_once(
    stage: Stage, box: UUID, listed_as: str
) -> None:
    before = stage.address(box)
    renamed(stage, box, "taken@acme.example")
    other = stage.world.member("Tina Taken")
    if listed_as == "member":
        stage.put(Member, other, email="taken@acme.example")
    else:
        stage.world.mailbox(other, connected=False, address="taken@acme.example")
    stage.check_mailboxes()
    stage.check_mailboxes()
    assert stage.address(box) == before
    assert "listed here as another mailbox or member" in stage.only(Notice, channel="in_app").body
    with pytest.raises(NotPermitted, match=r"taken@acme\.example.*listed here"):
        connect_mailbox(
            stage.runtime,
            box,
            refresh_token=stage.emulator.control.refresh_token("taken@acme.example"),
            actor="rita",
        )
    assert stage.address(box) == before
    assert stage.only(Member, stage.owner(box)).email == before


def test_send_path_3_a_mailbox_listed_by_an_alias_or_sign_in_name_gets_the_address_it_sends_from(
    stage: Stage,
) -> None:
    stage.emulator.control.add_mailboxes(
        {
            "address": "ann.smith@acme.example",
            "user_principal_name": "as1234@acme.example",
            "aliases": ["ann@acme.example"],
        }
    )
    for listed in ("as1234@acme.example", "ann@acme.example"):
        for earlier in stage.all(Mailbox):
            stage.put(Mailbox, earlier.id, account_id=None, address=f"x{earlier.address}")
        box = stage.world.mailbox(stage.world.member(), connected=False, address=listed)
        owner = stage.owner(box)
        stage.put(Member, owner, email=listed)
        connect_mailbox(
            stage.runtime,
            box,
            refresh_token=stage.emulator.control.refresh_token("ann.smith@acme.example"),
            actor="x",
        )
        assert stage.address(box) == "ann.smith@acme.example"
        assert stage.only(Member, owner).email == "ann.smith@acme.example"
        for member in stage.all(Member):
            stage.put(Member, member.id, email=f"x{member.email}")
    assert stage.notices() == []


def test_send_path_8_one_account_is_one_mailbox_whatever_names_it_has(stage: Stage, box: UUID) -> None:
    first = stage.address(box)
    stage.emulator.control.add_mailboxes({"address": first, "aliases": ["double.alias@acme.example"]})
    connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    second = stage.world.mailbox(stage.world.member(), connected=False, address="double.alias@acme.example")
    with pytest.raises(
        NotPermitted, match=rf"double\.alias@acme\.example belongs to the same Microsoft account as {first}"
    ):
        connect_mailbox(stage.runtime, second, refresh_token=token(stage, box), actor="rita")
    assert stage.only(Mailbox, second).status == "never_connected"


def test_send_path_8_the_database_refuses_a_second_mailbox_of_an_account(stage: Stage, box: UUID) -> None:
    stage.world.mailbox(stage.world.member())
    with pytest.raises(IntegrityError, match="uq_mailboxes_account"):
        stage.put(Mailbox, tenant_id="t", account_id="a")
    assert box


def test_security_18_an_account_of_another_tenant_than_the_trusted_one_is_refused(
    stage: Stage, box: UUID
) -> None:
    """nOAuth: any administrator can give an account of theirs any ``mail``, so the address alone proves nothing."""
    address = stage.address(box)
    stage.put(Organization, tenant_id=stage.emulator.world.mailboxes[address].tenant_id)
    stage.emulator.world.mailboxes[address].tenant_id = "66666666-6666-4666-8666-666666666666"
    with pytest.raises(NotPermitted, match="another Microsoft organization"):
        connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    assert state(stage) == NOTHING


def test_security_18_an_address_that_changed_hands_is_refused_until_an_operator_says_so(
    stage: Stage, box: UUID
) -> None:
    connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
    stage.emulator.world.mailboxes[stage.address(box)].user_id = "22222222-2222-4222-8222-222222222222"
    with pytest.raises(NotPermitted, match="forget-account"):
        connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    with stage.world.database.transaction() as tx:
        found = mailboxes.load(tx, box)
        assert found is not None
        accounts.forget_account(tx, found, actor="operator")
    connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    assert state(stage) == ("connected", True, True)


def test_security_18_the_members_own_account_is_the_only_one_for_their_mailbox(
    stage: Stage, box: UUID
) -> None:
    stage.put(Member, account_id="somebody else")
    with pytest.raises(NotPermitted):
        connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    assert state(stage) == NOTHING


@pytest.mark.parametrize("name", ["Customized Time Zone", "tzone://Microsoft/Custom"])
def test_case_14_the_organizations_zone_counts_where_the_mailbox_names_none(
    stage: Stage, box: UUID, name: str
) -> None:
    stage.put(Organization, time_zone="Europe/Berlin")
    hours = {
        "daysOfWeek": ["monday"], "startTime": "09:00:00.0000000", "endTime": "17:00:00.0000000", "timeZone": {"name": name},
    }  # fmt: skip
    stage.emulator.control.add_mailboxes(
        {"address": stage.address(box), "time_zone": name, "working_hours": hours}
    )
    connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    for _ in range(2):
        assert stage.only(Lane).zone == "Europe/Berlin"
        window = stage.only(Mailbox).settings["window"]
        assert (window["zone"], window["from"]) == ("Europe/Berlin", "09:00")
        stage.check_mailboxes()
