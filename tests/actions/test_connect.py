"""Connecting proves the token, the account, the permissions and the kind of mailbox before it stores anything."""

from uuid import UUID

import pytest

from actions import withdraw
from actions.connect import connect_mailbox
from domain.errors import ConsentMissing, MailboxDisconnected, NotFound, NotPermitted, ProviderError
from tests.stage import Stage


@pytest.fixture
def box(stage: Stage) -> UUID:
    """A mailbox that was never connected; the provider knows it."""
    mailbox = stage.world.mailbox(stage.world.member(), connected=False)
    stage.emulator.control.add_mailboxes({"address": stage.address(mailbox), "time_zone": "Europe/Berlin"})
    return mailbox


def token(stage: Stage, box: UUID) -> str:
    return stage.emulator.control.refresh_token(stage.address(box))


def state(stage: Stage) -> tuple[object, ...]:
    (row,) = stage.world.rows(
        "SELECT b.status, l.open, c.refresh_token IS NOT NULL FROM mailboxes b"
        " JOIN lanes l ON l.mailbox_id = b.id JOIN credentials c ON c.mailbox_id = b.id"
    )
    return row


NOTHING = ("never_connected", False, False)


def test_a_proved_mailbox_is_connected_and_can_send(stage: Stage, box: UUID) -> None:
    facts = connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    assert stage.address(box) in facts.addresses
    assert state(stage) == ("connected", True, True)
    assert stage.world.one("SELECT zone FROM lanes") == "Europe/Berlin"
    owner = UUID(str(stage.world.one("SELECT owner_id FROM mailboxes")))
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
def test_p4_only_a_persons_own_mailbox_is_connected(stage: Stage, box: UUID, purpose: str) -> None:
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


def test_m27_reconnecting_tells_the_owners_and_resumes_nothing_by_itself(stage: Stage, box: UUID) -> None:
    owner = UUID(str(stage.world.one("SELECT owner_id FROM mailboxes")))
    connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    stage.world.enroll(stage.world.sequence(owner, box))
    withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
    stage.run_outbox()
    connect_mailbox(stage.runtime, box, refresh_token=token(stage, box), actor="rita")
    stage.run_outbox()
    stage.send_due()
    assert stage.left() == []
    assert stage.world.rows("SELECT status FROM sequences") == [("paused",)]
    assert [channel for _, channel, _ in stage.notices()] == ["in_app", "email", "in_app", "email"]


def test_an_unknown_mailbox_says_so(stage: Stage) -> None:
    with pytest.raises(NotFound):
        connect_mailbox(stage.runtime, UUID(int=7), refresh_token="x", actor="rita")
