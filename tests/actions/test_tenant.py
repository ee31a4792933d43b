"""Tenant-wide Microsoft connections: who connects what, on whose word, and how each of them ends it."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from actions import tenant, withdraw
from db.access import sessions
from db.mailboxes import tenants
from domain.connection import Provider
from domain.errors import MailboxDisconnected, NotPermitted, OutsideScope, TenantRefused
from domain.exchange_scopes import PERMISSIONS
from lab.access_records import Credentials, Grant, Lane, Mailbox, Member
from lab.records import AuditEntry, Notice, Receipt, Sequence
from lab.stage import Stage


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """She has signed in with Microsoft; her organization trusts that tenant."""
    return signed_in(stage, "Rita Recruiter")


def signed_in(stage: Stage, name: str) -> UUID:
    member = stage.world.member(name)
    address = stage.only(Member, member).email
    (made,) = stage.emulator.control.add_mailboxes({"address": address, "name": name})
    with stage.world.database.transaction() as tx:
        sessions.trust_tenant(tx, stage.world.organization_id, made["tenant_id"], actor="test")
        assert sessions.member_of(tx, made["tenant_id"], made["user_id"], [address]) == member
    return member


def consent(stage: Stage, member: UUID, **values: object) -> None:
    """An administrator consents at Microsoft."""
    address = stage.only(Member, member).email
    stage.emulator.control.app_access(address, **({"consented": PERMISSIONS} | values))


def connect(stage: Stage, member: UUID) -> None:
    consent(stage, member)
    tenant.connect(stage.runtime, stage.world.organization_id, actor="Ada Admin")


def join(stage: Stage, member: UUID) -> UUID:
    tenant.join(stage.runtime, member, actor=stage.only(Member, member).name)
    return stage.only(Mailbox, owner_id=member).id


@pytest.mark.row("P1")
def test_a_member_connects_with_one_click_sends_and_stores_no_token(stage: Stage, rita: UUID) -> None:
    connect(stage, rita)
    box = join(stage, rita)
    mailbox = stage.only(Mailbox, box)
    assert (mailbox.provider, mailbox.status) == (Provider.TENANT, "connected")
    held = stage.only(Credentials, mailbox_id=box)
    assert (held.access_token, held.refresh_token) == (None, None)
    stage.world.enroll(stage.world.sequence(rita, box))
    stage.send_due()
    assert [each.sender for each in stage.left()] == [mailbox.address]


def test_the_receipt_says_when_the_owner_consented(stage: Stage, rita: UUID) -> None:
    connect(stage, rita)
    box = join(stage, rita)
    stage.world.enroll(stage.world.sequence(rita, box))
    stage.send_due()
    (said,) = [each["detail"] for each in stage.only(Receipt).checks if each["check"] == "mailbox"]
    consented = stage.only(Mailbox).tenant_wide["consented_at"]
    assert said == f"connected by microsoft_tenant, connection 1, its owner consented {consented}"
    assert stage.all(AuditEntry, action="tenant_wide_use_permitted")


def test_without_the_tenants_consent_nobody_connects(stage: Stage, rita: UUID) -> None:
    with pytest.raises(TenantRefused, match="AADSTS700016"):
        tenant.connect(stage.runtime, stage.world.organization_id, actor="Ada Admin")
    with pytest.raises(NotPermitted, match="not connected for your whole organization"):
        join(stage, rita)
    assert stage.all(Mailbox) == []


def test_nobody_connects_a_mailbox_that_is_not_their_accounts(stage: Stage, rita: UUID) -> None:
    connect(stage, rita)
    hans = signed_in(stage, "Hans Holder")
    stranger = stage.world.member("Sven Stranger")  # has never signed in
    with pytest.raises(NotPermitted, match="Sign in with your Microsoft account first"):
        join(stage, stranger)
    stage.world.mailbox(rita, connected=False, address=stage.only(Member, hans).email)
    with pytest.raises(NotPermitted, match="Connect it with its own sign-in"):
        join(stage, rita)
    assert {each.status for each in stage.all(Mailbox)} == {"never_connected"}


def test_another_account_with_the_address_of_a_mailbox_does_not_take_it_over(
    stage: Stage, rita: UUID
) -> None:
    connect(stage, rita)
    box = stage.world.mailbox(rita, address=stage.only(Member, rita).email)
    stage.put(Mailbox, box, account_id=str(uuid4()))  # whoever had the address before
    with pytest.raises(NotPermitted, match=r"another Microsoft account.* forget-account"):
        join(stage, rita)
    assert stage.only(Mailbox, box).provider == Provider.GRAPH
    stage.put(Mailbox, box, account_id=None)
    join(stage, rita)
    assert stage.only(Mailbox, box).provider == Provider.TENANT


def test_a_mailbox_outside_the_scope_cannot_be_connected(stage: Stage, rita: UUID) -> None:
    hans = signed_in(stage, "Hans Holder")
    inside = [stage.only(Member, hans).email]
    connect(stage, rita)
    consent(stage, rita, consented=[], scoped=dict.fromkeys(PERMISSIONS, inside))
    with pytest.raises(OutsideScope):
        join(stage, rita)
    box = join(stage, hans)
    stage.world.enroll(stage.world.sequence(hans, box))
    stage.send_due()
    assert [each.sender for each in stage.left()] == inside


def test_a_shared_mailbox_cannot_be_connected(stage: Stage, rita: UUID) -> None:
    connect(stage, rita)
    stage.emulator.control.add_mailboxes({"address": stage.only(Member, rita).email, "purpose": "shared"})
    with pytest.raises(NotPermitted, match="shared mailbox"):
        join(stage, rita)


def test_a_mailbox_without_a_licence_says_so(stage: Stage, rita: UUID) -> None:
    connect(stage, rita)
    stage.emulator.control.add_mailboxes({"address": stage.only(Member, rita).email, "has_mailbox": False})
    with pytest.raises(MailboxDisconnected, match="not licensed") as refused:
        join(stage, rita)
    assert refused.value.reason == "no_mailbox"


def test_another_tenant_than_the_trusted_one_is_refused(stage: Stage, rita: UUID) -> None:
    consent(stage, rita)
    answer = {"admin_consent": "True", "tenant": "00000000-0000-0000-0000-000000000001"}
    with pytest.raises(NotPermitted, match="another Microsoft organization"):
        tenant.consented(stage.runtime, stage.world.organization_id, answer, actor="Ada Admin")
    assert tenant.show(stage.runtime, stage.world.organization_id) is None


class TestDisconnecting:
    @pytest.fixture
    def office(self, stage: Stage, rita: UUID) -> tuple[UUID, UUID]:
        """Rita and Hans connected; Rita's sequences send from both mailboxes, to two people each."""
        hans = signed_in(stage, "Hans Holder")
        connect(stage, rita)
        boxes = join(stage, rita), join(stage, hans)
        stage.world.grant(boxes[1], rita)
        for box in boxes:
            stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)), 2)
        return boxes

    def test_nothing_leaves_and_each_owner_hears_once(
        self, stage: Stage, rita: UUID, office: tuple[UUID, UUID]
    ) -> None:
        stage.attend()
        ada = stage.world.member("Ada Admin", role="admin")
        answer = withdraw.disconnect_tenant(stage.runtime, stage.world.organization_id, actor="Olga Owner")
        assert (answer.stopped, answer.in_doubt) == (4, [])
        assert {each.status_reason for each in stage.all(Mailbox)} == {"removed"}
        assert not any(each.open for each in stage.all(Lane))
        assert {each.archived_reason for each in stage.all(Grant)} == {"mailbox_disconnected"}
        stage.run_outbox()
        assert {each.status for each in stage.all(Sequence)} == {"paused"}
        stage.later(100_000)
        stage.send_due()
        assert stage.left() == []
        hans = stage.owner(office[1])
        for member in (rita, hans, ada):
            (notice,) = stage.all(Notice, owner_id=member, channel="in_app")
            assert notice.title == "Your organization's Microsoft mailboxes are disconnected"
        assert len(stage.all(Notice, channel="in_app")) == 3

    def test_repeated_it_says_the_same(self, stage: Stage, office: tuple[UUID, UUID]) -> None:
        stage.attend()
        first = withdraw.disconnect_tenant(stage.runtime, stage.world.organization_id, actor="Olga")
        again = withdraw.disconnect_tenant(stage.runtime, stage.world.organization_id, actor="Olga")
        assert again.withdrawal_id == first.withdrawal_id
        stage.run_outbox()
        assert len(stage.all(AuditEntry, action="tenant_disconnected")) == 1

    def test_a_mailbox_that_its_owner_had_removed_is_not_brought_back(
        self, stage: Stage, rita: UUID, office: tuple[UUID, UUID]
    ) -> None:
        stage.attend()
        withdraw.disconnect_mailbox(stage.runtime, office[0], actor="Rita Recruiter")
        stage.run_outbox()
        stage.emulator.control.app_access(stage.address(office[0]), refusal="7000112")
        stage.check_mailboxes()
        assert stage.only(Mailbox, office[0]).status_reason == "removed"
        stage.emulator.control.app_access(stage.address(office[0]), refusal="")
        stage.check_mailboxes()
        assert stage.only(Mailbox, office[0]).status_reason == "removed"

    def test_members_decide_anew_after_the_tenant_is_connected_again(
        self, stage: Stage, rita: UUID, office: tuple[UUID, UUID]
    ) -> None:
        stage.attend()
        withdraw.disconnect_tenant(stage.runtime, stage.world.organization_id, actor="Olga")
        connect(stage, rita)
        stage.run_outbox()
        assert {each.status for each in stage.all(Mailbox)} == {"disconnected"}
        join(stage, rita)
        assert stage.only(Mailbox, office[0]).status == "connected"
        assert stage.only(Mailbox, office[1]).status == "disconnected"

    def test_the_token_is_not_used_once_the_withdrawal_is_answered(
        self, stage: Stage, office: tuple[UUID, UUID]
    ) -> None:
        stage.attend()
        withdraw.disconnect_mailbox(stage.runtime, office[0], actor="Rita")
        stage.older(Mailbox, "disconnected_at", seconds=46)
        with stage.world.database.transaction() as tx:
            assert tenants.user_of(tx, office[0]) is None
            assert tenants.user_of(tx, office[1]) is not None


def test_a_check_says_what_works(stage: Stage, rita: UUID) -> None:
    organization = stage.world.organization_id
    (refused,) = tenant.check(stage.runtime, organization, member_id=rita)
    assert (refused.good, "AADSTS700016" in refused.said) == (False, True)
    connect(stage, rita)
    assert [each.good for each in tenant.check(stage.runtime, organization, member_id=rita)] == [
        True,
        True,
        True,
        None,
    ]
    consent(stage, rita, consented=["Mail.Send"])
    answers = tenant.check(stage.runtime, organization, member_id=rita)
    assert [each.good for each in answers] == [True, None, False]
    assert "Mail.ReadWrite, MailboxSettings.Read" in answers[1].said


def test_the_commands_name_the_application_and_all_three_permissions(stage: Stage) -> None:
    stage.runtime.settings = replace(
        stage.runtime.settings, microsoft_client_id="11111111-2222-3333-4444-555555555555"
    )
    said = tenant.commands(stage.runtime, "recruiters@acme.example")
    assert "AppId eq '11111111-2222-3333-4444-555555555555'" in said
    assert '-Identity "recruiters@acme.example"' in said
    for each in PERMISSIONS:
        assert f'-Role "Application {each}" -CustomResourceScope "Onbehalf mailboxes"' in said
