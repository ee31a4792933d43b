"""Sequences settings: connect, reconnect and remove one's mailbox, give and end permissions, all on the pages."""

import html
import re
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import UUID

import pytest

from lab.access_records import Credentials, Grant, Mailbox
from lab.records import Sequence
from lab.stage import Stage
from lab.tables import ago
from tests.web.visitor import Visitor, email_of, known_account

PAGE = "/settings/sequences"


@pytest.fixture
def hans(stage: Stage) -> UUID:
    return member(stage, "Hans Holder")


def member(stage: Stage, name: str) -> UUID:
    member_id = stage.world.member(name)
    known_account(stage, email_of(stage, member_id))
    return member_id


def at_settings(stage: Stage, member_id: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, member_id)).get(PAGE)


def connect(stage: Stage, visitor: Visitor, address: str) -> Visitor:
    visitor.get(PAGE).send(f"{PAGE}/connect")
    return visitor.come_back(visitor.at_microsoft(address))


def status(stage: Stage) -> object:
    return stage.only(Mailbox).status


@pytest.mark.row("M2", "P23", "P26", "M3")
def test_a_member_connects_their_own_mailbox_and_can_send_at_once(stage: Stage, hans: UUID) -> None:
    visitor = at_settings(stage, hans)
    assert "Not connected" in visitor.text
    connect(stage, visitor, email_of(stage, hans))
    assert "Your mailbox is connected" in visitor.text
    assert f"<strong><bdi>{email_of(stage, hans)}</bdi></strong> is connected" in visitor.text
    box = stage.only(Mailbox, status="connected").id
    stage.world.enroll(stage.world.sequence(hans, UUID(str(box))))
    stage.send_due()
    assert [entry.mailbox for entry in stage.left()] == [email_of(stage, hans)]


@pytest.mark.row("H6", "H7", "M6")
def test_exactly_three_mail_permissions_are_asked_for_beside_those_of_signing_in(
    stage: Stage, hans: UUID
) -> None:
    visitor = at_settings(stage, hans)
    visitor.send(f"{PAGE}/connect")
    asked = dict(parse_qsl(urlsplit(visitor.url).query))["scope"].split()
    graph = "https://graph.microsoft.com/"
    assert set(asked) == {
        graph + "Mail.ReadWrite", graph + "Mail.Send", graph + "MailboxSettings.Read", graph + "User.Read", "offline_access", "openid", "profile",
    }  # fmt: skip
    visitor.come_back(visitor.at_microsoft(email_of(stage, hans)))
    scopes = stage.only(Mailbox).scopes
    assert set(scopes) >= {"mail.readwrite", "mail.send", "mailboxsettings.read"}


@pytest.mark.row("H2", "H8")
def test_a_permission_that_was_left_out_refuses_the_connection(stage: Stage, hans: UUID) -> None:
    stage.emulator.world.mailboxes[
        email_of(stage, hans)
    ].granted = "https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/MailboxSettings.Read"
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    assert visitor.status == 403
    assert "did not grant Mail.Send" in visitor.text
    assert "accept all permissions" in visitor.text
    assert status(stage) == "never_connected"
    assert stage.only(Credentials).refresh_token is None


@pytest.mark.row("M28", "P22", "M4")
def test_another_account_is_refused_and_both_addresses_are_named(stage: Stage, hans: UUID) -> None:
    known_account(stage, "else@acme.example")
    visitor = connect(stage, at_settings(stage, hans), "else@acme.example")
    assert visitor.status == 403
    assert "else@acme.example" in visitor.text
    assert email_of(stage, hans) in visitor.text
    assert status(stage) == "never_connected"


@pytest.mark.row("H10")
def test_reconnecting_renews_the_permissions_in_place(stage: Stage, hans: UUID) -> None:
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    before = stage.only(Mailbox)
    assert "Connect again" in visitor.text
    connect(stage, visitor, email_of(stage, hans))
    after = stage.only(Mailbox)
    assert (after.id, after.connection_version) == (before.id, before.connection_version + 1)


@pytest.mark.row("M22", "M23", "M24", "M25", "M26", "M27")
def test_removing_shows_what_stops_and_stops_it(stage: Stage, hans: UUID) -> None:
    rita = member(stage, "Rita Recruiter")
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    box = stage.only(Mailbox).id
    stage.world.grant(box, rita)
    sequence_id = stage.world.sequence(rita, box, ("P1D",))
    stage.world.enroll(sequence_id, 3)
    name = stage.only(Sequence).name
    visitor.get(f"{PAGE}/remove")
    assert "1 sequence with 3 people" in visitor.text
    assert name in visitor.text
    assert "Rita Recruiter" in visitor.text  # whose permission ends
    visitor.send(f"{PAGE}/remove").follow()
    assert "nothing can leave now" in visitor.text
    assert status(stage) == "disconnected"
    kept = stage.only(Credentials)
    assert (kept.access_token, kept.refresh_token) == (None, None)
    assert stage.only(Grant).archived_reason == "mailbox_disconnected"
    assert stage.world.states() == {"pending": 3}
    stage.run_outbox()
    assert stage.only(Sequence).status == "paused"
    assert '<span class="pill">Removed</span>' in visitor.get(PAGE).text  # on purpose: nothing red
    assert "Give permission" not in visitor.text


@pytest.mark.row("M14", "M16", "M21")
def test_a_permission_is_given_and_ended_and_its_user_is_told_once(stage: Stage, hans: UUID) -> None:
    rita = member(stage, "Rita Recruiter")
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    visitor.get(f"{PAGE}/grants/new").send(f"{PAGE}/grants", to=str(rita)).follow()
    assert "Rita Recruiter" in visitor.text
    box = stage.only(Mailbox).id
    stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)))
    ritas = at_settings(stage, rita)
    assert email_of(stage, hans) in ritas.text
    (link,) = re.findall(r'href="(/settings/sequences/grants/[^"]+/revoke)"', visitor.get(PAGE).text)
    assert "1 sequence with 1 person" in visitor.get(link).text
    visitor.send(link).follow()
    assert "The permission of Rita Recruiter to send from" in visitor.text
    assert "has ended" in visitor.text
    stage.run_outbox()
    ritas.get("/notifications")
    assert ritas.text.count("<article") == 2
    assert "You may send from" in ritas.text
    # In the title, and for each of its two buttons.
    assert html.unescape(ritas.text).count("Hans Holder ended your permission") == 3
    assert f"/settings/sequences?ask={quote(email_of(stage, hans), safe='')}#ask" in ritas.text
    assert 'id="badge-unread">' in ritas.text
    ritas.send("/notifications/read").follow()
    assert 'id="badge-unread" hidden>' in ritas.text


@pytest.mark.row("H12", "H13", "H14", "H15")
def test_a_test_email_and_a_check_say_how_it_went_on_a_page(stage: Stage, hans: UUID) -> None:
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    visitor.send(f"{PAGE}/test").follow()
    assert "Test email sent successfully" in visitor.text
    assert "The settings work" in visitor.get(PAGE).send(f"{PAGE}/verify").follow().text
    stage.emulator.world.mailboxes[email_of(stage, hans)].refusal = "50173"
    stage.put(Credentials, access_expires_at=ago())
    visitor.get(PAGE).send(f"{PAGE}/test").follow()
    assert (
        html.unescape(visitor.text).count("Couldn't send test email. Please check your settings once.") >= 1
    )
    assert "AADSTS50173" in visitor.text
    assert (
        "Could not verify the settings. Please check and try again."
        in visitor.get(PAGE).send(f"{PAGE}/verify").follow().text
    )
    assert len(stage.left()) == 1


@pytest.mark.row("M30", "H19")
def test_removing_and_connecting_again_starts_clean(stage: Stage, hans: UUID) -> None:
    rita = member(stage, "Rita Recruiter")
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    visitor.get(f"{PAGE}/grants/new").send(f"{PAGE}/grants", to=str(rita))
    visitor.get(f"{PAGE}/remove").send(f"{PAGE}/remove")
    assert "Only you can send" in visitor.get(PAGE).text
    connect(stage, visitor, email_of(stage, hans))
    assert "is connected" in visitor.text
    assert "Only you can send" in visitor.text  # what was given before does not come back
    assert "Give again" in visitor.text  # and its owner reads so
    assert f"/grants/new?to={rita}" in visitor.text
    kept = stage.only(Credentials)
    assert kept.access_token is not None
    assert kept.refresh_token is not None
    assert not any("password" in column.name for column in Credentials.table.c)


@pytest.mark.row("M15")
def test_everyone_can_be_allowed(stage: Stage, hans: UUID) -> None:
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    visitor.get(f"{PAGE}/grants/new").send(f"{PAGE}/grants", to="everyone").follow()
    assert "Everyone in" in visitor.text
    assert stage.only(Grant, archived_at=None).grantee_id is None
    assert "Everyone may send from this mailbox already." in visitor.get(f"{PAGE}/grants/new").text
    assert email_of(stage, hans) in at_settings(stage, member(stage, "Later Joiner")).text


@pytest.mark.parametrize("to", ["", "nonsense", "11111111-1111-4111-8111-111111111111"])
@pytest.mark.row("M13")
def test_a_permission_to_nobody_is_refused(stage: Stage, hans: UUID, to: str) -> None:
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    visitor.get(f"{PAGE}/grants/new").send(f"{PAGE}/grants", to=to)
    assert visitor.status in (404, 422)
    assert stage.count(Grant) == 0


@pytest.mark.row("M13")
def test_nobody_ends_or_sees_the_permissions_of_another_mailbox(stage: Stage, hans: UUID) -> None:
    rita = member(stage, "Rita Recruiter")
    connect(stage, at_settings(stage, hans), email_of(stage, hans))
    box = stage.only(Mailbox).id
    grant = stage.world.grant(box, rita)
    other = at_settings(stage, rita)
    assert other.get(f"{PAGE}/grants/{grant}/revoke").status == 404
    other.get(PAGE)
    assert other.send(f"{PAGE}/grants/{grant}/revoke").status == 404
    assert stage.only(Grant).archived_at is None


def test_an_address_that_is_listed_as_somebody_elses_is_never_connected_for_them(
    stage: Stage, hans: UUID
) -> None:
    box = stage.world.mailbox(member(stage, "Rita Recruiter"))
    stage.put(Mailbox, box, address=email_of(stage, hans), status="never_connected")
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    assert visitor.status == 403
    assert "under somebody else" in visitor.text
    assert status(stage) == "never_connected"
