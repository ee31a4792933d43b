"""Connecting a mailbox at Google proves the same as at Microsoft, and it ends at Google too."""

from dataclasses import replace
from uuid import UUID

import pytest

from actions import errands, withdraw
from actions.connect import connect_mailbox
from db.mailboxes import accounts, mailboxes
from db.withdrawing import withdrawals
from domain.connection import Provider
from domain.errands import ErrandKind
from domain.errors import ConsentMissing, NotPermitted
from lab.access_records import Credentials, Lane, Mailbox, Member
from lab.records import AuditEntry, Notice, Sequence
from lab.stage import Stage

REVOKE = "POST /google/revoke"


@pytest.fixture
def box(stage: Stage) -> UUID:
    """A mailbox that was never connected; Google knows it."""
    mailbox = stage.world.mailbox(stage.world.member(), connected=False)
    known(stage, mailbox)
    return mailbox


def known(stage: Stage, box: UUID, **values: object) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "google": True, **values})


def connect(stage: Stage, box: UUID, address: str = "", scopes: str | None = None) -> None:
    more = {} if scopes is None else {"scopes": scopes}
    token = stage.emulator.control.refresh_token(address or stage.address(box), **more)
    connect_mailbox(stage.runtime, box, refresh_token=token, actor="Hans", provider=Provider.GMAIL)


def state(stage: Stage) -> tuple[object, ...]:
    return (
        stage.only(Mailbox).status,
        stage.only(Lane).open,
        stage.only(Credentials).refresh_token is not None,
    )


NOTHING = ("never_connected", False, False)


@pytest.mark.row("P1")
def test_a_proved_mailbox_is_connected_sends_and_listens(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    assert state(stage) == ("connected", True, True)
    mailbox = stage.only(Mailbox)
    assert (mailbox.provider, mailbox.tenant_id) == ("gmail", stage.address(box).partition("@")[2])
    assert "gmail.modify" in mailbox.scopes
    stage.world.enroll(stage.world.sequence(stage.owner(box), box))
    stage.send_due()
    assert [each.sender for each in stage.left("gmail")] == [stage.address(box)]


@pytest.mark.row("N1")
def test_a_box_that_was_not_ticked_is_named(stage: Stage, box: UUID) -> None:
    with pytest.raises(ConsentMissing, match=r"gmail\.modify.*tick the box “Read, compose, and send emails"):
        connect(stage, box, scopes="openid https://www.googleapis.com/auth/userinfo.email")
    assert state(stage) == NOTHING


def test_another_account_is_refused_and_both_addresses_are_named(stage: Stage, box: UUID) -> None:
    stage.emulator.control.add_mailboxes({"address": "somebody@acme.example", "google": True})
    with pytest.raises(NotPermitted, match=rf"somebody@acme\.example.*{stage.address(box)}"):
        connect(stage, box, "somebody@acme.example")
    assert state(stage) == NOTHING


def test_a_mailbox_listed_by_an_alias_keeps_it_and_sends_from_it(stage: Stage, box: UUID) -> None:
    alias = stage.address(box)
    stage.emulator.control.add_mailboxes(
        {"address": "hans.holder@acme.example", "google": True, "aliases": [alias]}
    )
    stage.emulator.world.mailboxes.pop(alias)
    connect(stage, box, "hans.holder@acme.example")
    stage.check_mailboxes()
    assert stage.address(box) == alias
    stage.world.enroll(stage.world.sequence(stage.owner(box), box))
    stage.send_due()
    assert [each.sender for each in stage.left("gmail")] == [alias]


def test_a_personal_account_is_refused_unless_the_operators_allow_it(stage: Stage, box: UUID) -> None:
    stage.put(Mailbox, box, address="hans.holder@gmail.com")
    known(stage, box)
    with pytest.raises(NotPermitted, match="personal Google account"):
        connect(stage, box)
    assert state(stage) == NOTHING
    stage.runtime.settings = replace(stage.runtime.settings, google_personal=True)
    connect(stage, box)
    assert state(stage) == ("connected", True, True)


def test_an_account_is_one_mailbox(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    other = stage.world.mailbox(stage.world.member("Rita"), connected=False)
    alias = stage.address(other)
    stage.emulator.world.mailboxes[stage.address(box)].aliases = [alias]
    with pytest.raises(NotPermitted, match="the same Google account"):
        connect(stage, other, stage.address(box))


def test_the_owners_account_at_microsoft_is_not_expected_at_google_nor_the_other_way_round(
    stage: Stage, box: UUID
) -> None:
    stage.put(Member, stage.owner(box), account_id="11111111-1111-4111-8111-111111111111")
    connect(stage, box)
    with stage.world.database.transaction() as tx:
        mailbox = mailboxes.load(tx, box)
        assert mailbox is not None
        at_google = accounts.expected_account(tx, mailbox, Provider.GMAIL)
        at_microsoft = accounts.expected_account(tx, mailbox, Provider.GRAPH)
    assert at_google.account_id == mailbox.account_id
    assert at_google.tenant_id is None
    assert at_microsoft.account_id == "11111111-1111-4111-8111-111111111111"


def test_another_account_with_the_same_address_cannot_take_over(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    stage.emulator.world.mailboxes[stage.address(box)].user_id = "22222222-2222-4222-8222-222222222222"
    with pytest.raises(NotPermitted, match=r"another Google account.*onbehalf mailbox forget-account"):
        connect(stage, box)


def test_a_mailbox_moves_from_microsoft_to_google_and_back(stage: Stage, box: UUID) -> None:
    address = stage.address(box)
    connect(stage, box)
    stage.emulator.control.add_mailboxes({"address": address, "google": False})
    token = stage.emulator.control.refresh_token(address)
    connect_mailbox(stage.runtime, box, refresh_token=token, actor="Hans")
    assert (stage.only(Mailbox).provider, stage.only(Mailbox).status) == ("graph", "connected")
    known(stage, box)
    connect(stage, box)
    assert (stage.only(Mailbox).provider, stage.only(Mailbox).status) == ("gmail", "connected")


def test_a_lost_sign_in_pauses_once_and_says_so_of_google(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    stage.world.enroll(stage.world.sequence(stage.owner(box), box))
    stage.emulator.control.add_mailboxes(
        {"address": stage.address(box), "google": True, "refusal": "google_revoked"}
    )
    stage.put(Credentials, box, access_token=None, access_expires_at=None)
    stage.send_due()
    stage.check_mailboxes()
    stage.run_outbox()
    assert (stage.only(Mailbox).status_reason, stage.only(Sequence).status) == ("sign_in_expired", "paused")
    (told,) = [each for each in stage.all(Notice) if each.channel == "in_app"]
    assert told.body.startswith(
        f"Google asks you to sign in again before we may send from {stage.address(box)}."
    )
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "google": True, "refusal": ""})
    connect(stage, box)
    assert state(stage) == ("connected", True, True)
    assert stage.only(Sequence).status == "paused"  # resuming is its owner's


def revoked(stage: Stage, box: UUID) -> bool:
    tokens = [each for each in stage.emulator.world.refresh.values() if each.address == stage.address(box)]
    assert tokens
    return all(each.revoked for each in tokens)


def test_removing_a_mailbox_ends_the_grant_at_google_after_what_was_in_flight(
    stage: Stage, box: UUID
) -> None:
    connect(stage, box)
    stage.world.enroll(stage.world.sequence(stage.owner(box), box))
    stage.emulator.control.fault("POST /gmail/drafts/send", when="after", reset=True)
    stage.send_due()
    assert stage.world.states() == {"in_doubt": 1}
    stage.attend()
    answer = withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    assert answer.in_doubt == []  # it was searched for with the token that ended afterwards
    assert stage.world.states() == {"sent": 1}
    assert revoked(stage, box)
    assert stage.count(AuditEntry, action="access_revoked") == 1


def test_google_that_does_not_answer_keeps_no_removal_from_ending(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    stage.emulator.control.fault(REVOKE, status=503, times=9)
    stage.attend()
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    assert state(stage) == ("disconnected", False, False)
    assert not revoked(stage, box)
    assert stage.count(AuditEntry, action="access_revoked") == 0


def test_a_mailbox_that_was_connected_again_meanwhile_keeps_its_grant(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    with stage.world.database.transaction() as tx:
        withdrawals.disconnect_mailbox(tx, box, actor="Hans")
    connect(stage, box)
    stage.attend()
    asked = errands.ask(
        stage.runtime, stage.world.organization_id, ErrandKind.REVOKE_ACCESS, box, actor="Hans"
    )
    assert asked.wait() == {}
    assert not revoked(stage, box)
