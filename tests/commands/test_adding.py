"""An operator adds an organization, its people and mailboxes, one at a time."""

from lab.access_records import Mailbox, Member, Organization
from lab.records import AuditEntry, Candidate, Enrollment
from lab.stage import Stage
from tests.commands.test_cli import Cli, Office, cli, office, ok  # noqa: F401 - fixtures


def test_an_organization_begins_with_its_owner_and_their_mailbox(cli: Cli, stage: Stage) -> None:  # noqa: F811
    added = ok(cli("organization", "add", "New Ltd", "--zone", "Europe/Berlin", "--json"))["id"]
    assert stage.only(Organization, name="New Ltd").time_zone == "Europe/Berlin"
    assert stage.count(AuditEntry, action="organization_added") == 1
    for wrong in (("new ltd", "Europe/Berlin"), (" ", "Europe/Berlin"), ("Other", "Mars/Base")):
        assert cli("organization", "add", wrong[0], "--zone", wrong[1]).exit_code == 2
    ok(cli("member", "add", "New Ltd", "Ola Nord", "ola@new.example", "--role", "owner"))
    box = ok(
        cli("mailbox", "add", "Ola@New.example", "--owner", "ola@new.example", "--daily-cap", "80", "--json")
    )
    known = stage.only(Mailbox, address="ola@new.example")
    assert (str(known.id), known.status) == (box["id"], "never_connected")
    assert known.owner_id == stage.only(Member, email="ola@new.example").id
    shown = ok(cli("mailbox", "show", "ola@new.example", "--json"))
    assert (shown["daily_cap"], shown["zone"], shown["open"]) == (80, "Europe/Berlin", False)
    assert cli("mailbox", "add", "ola@new.example", "--owner", "ola@new.example").exit_code == 2
    assert stage.count(AuditEntry, action="mailbox_added") == 1
    assert ok(cli("organization", "show", "New Ltd", "--json"))["id"] == added


def test_a_mailbox_of_somebody_who_left_is_not_added(cli: Cli, office: Office) -> None:  # noqa: F811
    ok(cli("member", "deactivate", office.email_of_rita, "--yes", "--json"))
    refused = cli("mailbox", "add", "rita2@acme.example", "--owner", office.email_of_rita)
    assert refused.exit_code == 1
    assert "Reactivate" in refused.stderr


def test_a_person_is_added_seen_and_enrolled_once(cli: Cli, stage: Stage, office: Office) -> None:  # noqa: F811
    new = ok(cli("candidate", "add", "Jo@example.org", "--first-name", "Jo", "--last-name", "Lind", "--json"))
    assert new["candidates_created"] == 1
    assert stage.only(Candidate, email="jo@example.org").first_name == "Jo"
    asked = cli("enrollment", "add", "jo@example.org", office.name)
    assert asked.exit_code == 2
    assert "1 person would get step 1" in asked.stdout
    assert "Add --yes" in asked.stderr
    assert stage.count(Enrollment) == 2
    assert ok(cli("enrollment", "add", "jo@example.org", office.name, "--yes", "--json"))["enrolled"] == 1
    assert ok(cli("enrollment", "add", "jo@example.org", office.name, "--yes", "--json"))["enrolled"] == 0
    assert stage.count(Enrollment) == 3
    assert stage.send_due() == 1
    assert cli("enrollment", "add", "nobody@example.org", office.name, "--yes").exit_code == 2


def test_admins_rules_can_be_set_and_are_audited(cli: Cli, stage: Stage, office: Office) -> None:  # noqa: F811
    acme = stage.only(Organization).name
    assert ok(cli("organization", "recontact-days", acme, "60", "--json"))["changed"] is True
    assert ok(cli("organization", "recontact-days", acme, "60", "--json"))["changed"] is False
    assert ok(cli("organization", "show", acme, "--json"))["recontact_days"] == 60
    assert cli("organization", "recontact-days", acme, "4000").exit_code == 2
    assert stage.count(AuditEntry, action="recontact_days_changed") == 1


def test_a_sender_address_is_added_and_removed(cli: Cli, stage: Stage, office: Office) -> None:  # noqa: F811
    acme = stage.only(Organization).name
    ok(cli("organization", "verify-domain", acme, "jobs.example", "--json"))
    added = ok(cli("organization", "add-address", acme, "hello@jobs.example", "--json"))["id"]
    assert str(stage.only(Mailbox, address="hello@jobs.example").id) == added
    ok(cli("organization", "remove-address", acme, "hello@jobs.example", "--json"))
    assert stage.count(Mailbox, address="hello@jobs.example") == 0
    assert cli("organization", "remove-address", acme, office.address).exit_code in (1, 2)
