"""Operators can do by command what people do on pages: conversations, what was read, notices, zones, names, results, calls."""

# ruff: noqa: F811 - fixtures are asked for by the name they are imported by

from uuid import uuid4

import pytest

from lab.access_records import Member, Organization
from lab.records import Candidate, Notice
from lab.stage import Stage
from tests.commands.test_cli import Cli, Office, cli, office, ok  # noqa: F401 - fixtures


@pytest.fixture
def message(stage: Stage, office: Office) -> None:
    """The first person answers."""
    sent = stage.left()[0]
    stage.emulator.control.incoming(
        office.address, sender=sent.to[0], subject="Re: it", text="Tell me\x1b[2J more.", in_reply_to=sent.internet_message_id
    )  # fmt: skip
    stage.read(office.box)
    stage.run_outbox()


@pytest.mark.usefixtures("message")
def test_a_conversation_is_read_and_continued(cli: Cli, stage: Stage, office: Office) -> None:
    person = stage.left()[0].to[0]
    shown = ok(cli("candidate", "messages", person))
    assert "Tell me[2J more." in shown
    assert "\x1b[2J" not in shown
    written = ("candidate", "write", person, "--from", office.address, "--as", office.email_of_hans)
    assert ok(cli(*written, "--text", "Gladly.", "--json"))["id"]
    stage.send_due()
    said = ok(cli("candidate", "messages", person, "--json"))
    assert [each["direction"] for each in said] == ["out", "in", "out"]
    assert said[2]["text"] == "Gladly."
    other = next(each.email for each in stage.all(Candidate) if each.email != person)
    stranger = cli(
        "candidate", "write", other, "--from", office.address, "--as", office.email_of_hans, "--text", " "
    )
    assert stranger.exit_code == 2
    assert len(stage.left()) == 3


@pytest.mark.usefixtures("message")
def test_what_was_read_of_a_mailbox_is_shown(cli: Cli, office: Office) -> None:
    found = ok(cli("inbox", "readings", office.email_of_hans, "--json"))
    assert [each["matched"] for each in found["mailboxes"]] == [1]
    assert len(found["kept"]) == 1
    assert "\x1b" not in ok(cli("inbox", "readings", office.email_of_hans))


@pytest.mark.usefixtures("message")
def test_notices_are_marked_as_read(cli: Cli, stage: Stage, office: Office) -> None:
    found = [each for each in stage.all(Notice) if each.channel == "in_app"]
    assert {each.read_at for each in found} == {None}
    ok(cli("notices", "--read", str(found[0].id)))
    assert stage.only(Notice, found[0].id).read_at is not None
    assert cli("notices", "--read", str(uuid4())).exit_code == 2
    assert cli("notices", "--read-all").exit_code == 2
    for each in (office.email_of_rita, office.email_of_hans):
        ok(cli("notices", "--read-all", "--owner", each, "--json"))
    assert None not in {each.read_at for each in stage.all(Notice) if each.channel == "in_app"}


def test_zones_and_the_senders_name_are_set(cli: Cli, stage: Stage, office: Office) -> None:
    assert ok(cli("member", "zone", office.email_of_rita, "Asia/Tokyo", "--json"))["zone"] == "Asia/Tokyo"
    assert stage.only(Member, office.rita).time_zone == "Asia/Tokyo"
    assert cli("member", "zone", office.email_of_rita, "Atlantis").exit_code == 2
    ok(cli("member", "zone", office.email_of_rita, ""))
    assert stage.only(Member, office.rita).time_zone is None
    organization = stage.only(Organization).name
    assert "the company's name" in ok(cli("organization", "sender-name", organization, "company"))
    assert cli("organization", "sender-name", organization, "nobody").exit_code == 2


def test_the_result_of_a_withdrawal_is_shown_again(cli: Cli, office: Office) -> None:
    done = ok(cli("sequence", "pause", office.name, "--json"))
    assert "2 stopped" in ok(cli("withdrawal", done["withdrawal_id"]))
    assert ok(cli("withdrawal", done["withdrawal_id"], "--json"))["stopped"] == 2
    assert cli("withdrawal", str(uuid4())).exit_code == 2


def test_calls_of_webhooks_are_listed(cli: Cli, stage: Stage, office: Office) -> None:
    organization = stage.only(Organization).name
    assert ok(cli("webhook", "calls", organization)) == "None."
