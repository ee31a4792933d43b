"""The operator's command line, on a real database and the emulator: what each command does, prints and returns."""

import base64
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import structlog
from typer.main import get_command
from typer.testing import CliRunner

from cli import app
from commands.tree import Tree
from db.mailboxes import sender_addresses, senders
from domain.authority import Authority
from lab.access_records import AddressProof, Credentials, Mailbox, Member, Organization, OrganizationDomain
from lab.factories import KEY
from lab.records import AuditEntry, Candidate, Delivery, Notice, Receipt, Sequence, Step
from lab.stage import Stage, as_environment
from lab.tables import ago

Result = Any
Cli = Callable[..., Any]


def commands(group: Any, prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in sorted(group.commands):
        command = group.whole(name) if isinstance(group, Tree) else group.commands[name]
        if hasattr(command, "commands"):
            yield from commands(command, (*prefix, name))
        elif not command.hidden:  # a former name
            yield (*prefix, name), command


ALL = list(commands(get_command(app)))


class Office:
    """Hans lets Rita send from his mailbox. Her sequence has two people, and the first step has left to both."""

    def __init__(self, stage: Stage) -> None:
        world = stage.world
        self.hans, self.rita = world.member("Hans Holder"), world.member()
        self.box = stage.mailbox(self.hans)
        self.address = stage.address(self.box)
        self.grant = world.grant(self.box, self.rita)
        self.sequence = world.sequence(self.rita, self.box, ("PT0S", "PT1H"))
        self.name = world.only(Sequence).name
        world.enroll(self.sequence, 2)
        self.people = [each.email for each in world.all(Candidate)]
        self.email_of_rita = world.only(Member, self.rita).email
        self.email_of_hans = world.only(Member, self.hans).email
        assert stage.send_due() == 2


@pytest.fixture
def cli(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Cli:
    environment = as_environment(stage.runtime.settings) | {"ONBEHALF_ACTOR": "ops"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object, stdin: str | None = None) -> Result:
        root, structured = logging.getLogger(), structlog.get_config()
        before = root.handlers[:], root.level
        try:
            return CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)
        finally:
            root.handlers[:], root.level = before
            structlog.configure(**structured)

    return run


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def ok(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    text = result.stdout.strip()
    return json.loads(text) if text[:1] in ("{", "[") else text


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_every_command_explains_itself_with_an_example_and_speaks_json(
    path: tuple[str, ...], command: Any
) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert re.search(rf"Examples?: onbehalf {' '.join(path)}", re.sub(r"\s+", " ", shown.output))
    if path != ("run",):
        assert any("--json" in parameter.opts for parameter in command.params)


def test_the_bare_command_and_its_groups_show_what_there_is() -> None:
    assert (
        "withdraw" in CliRunner().invoke(app, ["--help"]).output
        or "sequence" in CliRunner().invoke(app, []).output
    )
    assert "Exit codes" in CliRunner().invoke(app, ["--help"]).output


def test_looking_tells_how_things_stand(cli: Cli, office: Office) -> None:
    status = ok(cli("status", "--json"))
    assert status["sent_last_hour"] == 2
    assert status["mailboxes"][0]["address"] == office.address
    assert "sent last hour" in ok(cli("status"))
    rows = ok(
        cli("deliveries", "--state", "sent", "--sequence", office.name, "--mailbox", office.address, "--json")
    )
    assert [row["state"] for row in rows] == ["sent", "sent"]
    assert ok(cli("deliveries", "--person", office.people[0], "--state", "pending", "--json"))[0]["step"] == 2
    assert ok(cli("deliveries", "--state", "review")) == "None."


def test_why_answers_in_a_paragraph(cli: Cli, office: Office) -> None:
    (answer,) = ok(cli("why", office.people[0], "--json"))
    assert "1 email sent" in answer["answer"]
    assert "Step 2 is planned for" in answer["answer"]
    assert ok(cli("sequence", "pause", office.name, "--json"))["stopped"] == 2
    assert "somebody paused the sequence" in ok(cli("why", office.people[0]))
    assert ok(cli("why", "nobody@example.org"), 2) == ""


def test_a_receipt_tells_on_whose_authority_an_email_left(cli: Cli, office: Office) -> None:
    delivery = ok(cli("deliveries", "--state", "sent", "--json"))[0]["id"]
    text = ok(cli("receipt", delivery))
    assert f"on a permission that {office.email_of_hans} gave the owner" in text
    assert "It matches the audit trail." in text
    found = ok(cli("receipt", delivery, "--json"))
    assert found["matches_audit_trail"] is True
    assert {check["check"] for check in found["checks"]} >= {"permission", "mailbox", "person"}
    pending = ok(cli("deliveries", "--state", "pending", "--json"))[0]["id"]
    assert "has not been sent" in cli("receipt", pending).stderr


@pytest.mark.parametrize("authority", get_args(Authority))
def test_a_receipt_can_be_printed_for_every_authority(cli: Cli, stage: Stage, authority: Authority) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member()
    if authority == "sender_address":
        with stage.world.database.transaction() as tx:
            senders.ensure_default(
                tx, stage.world.organization_id, stage.runtime.settings.default_mail_domain
            )
        box = stage.only(Mailbox, provider="default").id
    else:
        box = stage.mailbox(rita if authority == "own_mailbox" else hans)
    if authority.startswith("grant"):
        stage.world.grant(box, rita if authority == "grant_to_person" else None)
    stage.world.enroll(stage.world.sequence(rita, box))
    stage.send_due()
    delivery = stage.only(Receipt, authority=authority).delivery_id
    text = ok(cli("receipt", delivery))
    words = {
        "own_mailbox": "own mailbox",
        "sender_address": "the organization's sender address",
        "grant_to_person": r"hans\S+ gave the owner",
        "grant_to_everyone": r"hans\S+ gave everyone",
    }
    assert re.search(words[authority], text)
    assert "no sending hours set" in text
    assert "It matches the audit trail." in text


def test_the_table_of_receipts_knows_no_other_authority(stage: Stage) -> None:
    rules = stage.world.rows(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'receipts'::regclass AND contype = 'c'"
        " AND pg_get_constraintdef(oid) LIKE '%own_mailbox%'"
    )
    assert set(re.findall(r"'(\w+)'", str(rules))) == set(get_args(Authority))


def test_the_audit_trail_is_verified_and_an_altered_one_is_an_error(
    cli: Cli, stage: Stage, office: Office
) -> None:
    (result,) = ok(cli("audit", "verify", "--json"))
    assert (result["broken_at"], result["altered_receipts"]) == (None, 0)
    assert result["entries"] >= 2
    assert any(row["action"] == "email_sent" for row in ok(cli("audit", "list", "--json")))
    stage.overwrite(AuditEntry, where={"position": 2}, actor_name="x")
    assert ok(cli("audit", "verify", "--json"), 1)[0]["broken_at"] == 2
    assert "no organization" in cli("audit", "verify", "--organization", "No such").stderr


def test_a_head_that_was_kept_is_asked_for_and_missed_when_it_is_gone(
    cli: Cli, stage: Stage, office: Office
) -> None:
    (before,) = ok(cli("audit", "verify", "--json"))
    ok(cli("sequence", "pause", office.name, "--json"))
    kept = before["head"]
    assert cli("audit", "verify", "--expect", kept).exit_code == 0
    lines = [json.loads(line) for line in cli("audit", "export").stdout.splitlines()]
    head, *entries = lines
    assert (head["kind"], head["position"], entries[-1]["hash"]) == ("head", len(entries), head["hash"])
    assert [each["position"] for each in entries] == list(range(1, len(entries) + 1))
    assert {"member", "operator", "system"} >= {each["actor_kind"] for each in entries}
    assert [each["kind"] for each in ok(cli("audit", "export", "--heads", "--json"))] == ["head"]
    other = f"{kept[:-64]}{'0' * 64}"
    missed = cli("audit", "verify", "--expect", kept, "--expect", other)
    assert missed.exit_code == 1
    assert "is another one now" in missed.stderr
    assert cli("audit", "verify", "--expect", "nonsense").exit_code == 2


def test_an_operator_is_named_by_kind_and_id(
    cli: Cli, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONBEHALF_ACTOR", "onbehalf")
    ok(cli("sequence", "pause", office.name, "--json"))
    assert ok(cli("audit", "list", "--json"))[0]["actor_id"] == "operator:onbehalf"


def test_what_a_migration_would_do_is_said_without_doing_it(cli: Cli) -> None:
    assert ok(cli("migrate", "--check", "--json"))["revisions"] == []
    assert "up to date" in ok(cli("migrate", "--check"))


def test_a_sequence_is_paused_previewed_resumed_and_archived(cli: Cli, stage: Stage, office: Office) -> None:
    assert (
        ok(cli("sequence", "pause", office.name.upper(), "--because", "holiday", "--json"))["complete"]
        is True
    )
    assert ok(cli("sequence", "list", "--json"))[0]["status"] == "paused"
    refused = cli("sequence", "resume", office.name)
    assert refused.exit_code == 2
    assert "Earliest sending times" in refused.stdout
    assert "--yes" in refused.stderr
    done = ok(cli("sequence", "resume", office.name, "--yes", "--json"))
    assert len(done["planned"]) == 2
    assert cli("sequence", "archive", office.name).exit_code == 2
    assert ok(cli("sequence", "archive", office.name, "--yes", "--json"))["stopped"] == 2
    assert cli("sequence", "resume", office.name, "--yes").exit_code == 1
    assert stage.count(Step) == 2


def test_a_sequence_that_may_not_go_on_says_what_is_missing(cli: Cli, stage: Stage, office: Office) -> None:
    ok(cli("grant", "revoke", office.grant, "--json"))
    stage.run_outbox()
    refused = cli("sequence", "resume", office.name, "--yes")
    assert refused.exit_code == 1
    assert "permission" in refused.output


def test_people_are_paused_resumed_stopped_and_unsubscribed(cli: Cli, office: Office) -> None:
    one, other = office.people
    assert ok(cli("enrollment", "pause", one, "--json"))["stopped"] == 1
    assert ok(cli("enrollment", "resume", one, "--json"))["sequence_name"] == office.name
    assert ok(cli("enrollment", "stop", one, "--because", "replied", "--json"))["stopped"] == 1
    assert "replied" in ok(cli("why", one))
    assert ok(cli("candidate", "unsubscribe", other, "--json"))["stopped"] == 1
    assert "because they want no more emails" in ok(cli("why", other))
    assert "Stopped: " in ok(cli("candidate", "stop", other))


def test_permissions_are_given_listed_and_revoked(cli: Cli, stage: Stage, office: Office) -> None:
    given = ok(
        cli("grant", "give", office.address, "--to", "everyone", "--by", office.email_of_hans, "--json")
    )
    rows = ok(cli("grant", "list", "--json"))
    assert {row["given_to"] for row in rows} == {"everyone", office.email_of_rita}
    refused = cli("grant", "give", office.address, "--to", office.email_of_rita, "--by", office.email_of_rita)
    assert refused.exit_code == 1
    assert ok(cli("grant", "revoke", given["grant_id"], "--json"))["complete"] is True
    stage.run_outbox()
    hers = ok(cli("notices", "--owner", office.email_of_rita, "--json"))
    assert hers == [], "Rita still has a permission of her own"
    asked = ok(cli("notices", "--owner", office.email_of_hans, "--json"))
    assert {each["title"] for each in asked} == {
        f"Confirm who may send from {office.address}",
        f"ops ended the permission of everyone to send from {office.address}",
    }
    assert ok(cli("grant", "revoke", office.grant, "--json"))["stopped"] == 2
    stage.run_outbox()
    both = ok(cli("notices", "--owner", office.email_of_rita, "--json"))
    assert {each["channel"] for each in both} == {"in_app", "email"}
    notice = next(each for each in both if each["channel"] == "in_app")
    assert office.address in notice["title"] + notice["body"]
    assert ok(cli("notices", "--read", notice["id"])) == "Marked as read."
    assert notice["title"] in ok(cli("notices"))


def test_a_permission_within_bounds_is_asked_for_and_given(cli: Cli, stage: Stage, office: Office) -> None:
    ok(cli("grant", "revoke", office.grant))
    asked = ok(
        cli(
            "grant", "ask", office.address, "--by", office.email_of_rita, "--words", "For designers", "--json"
        )
    )
    (row,) = ok(cli("grant", "requests", "--json"))
    assert (row["asked_by"], row["words"], row["status"]) == (office.email_of_rita, "For designers", "open")
    accept = ("grant", "accept", asked["request_id"], "--by", office.email_of_hans, "--a-day", "20")
    for wrong in (("--until", "soon"), ("--only-for", "No such sequence"), ("--until", "2001-01-01")):
        assert cli(*accept, *wrong).exit_code == 2
    assert cli("grant", "accept", asked["request_id"], "--by", office.email_of_rita).exit_code == 2
    ok(cli(*accept, "--until", "2099-12-31", "--only-for", office.name))
    rows = [row for row in ok(cli("grant", "list", "--json")) if row["archived_at"] is None]
    assert [(row["daily_limit"], row["only_for"]) for row in rows] == [(20, office.name)]
    assert rows[0]["expires_at"].startswith("2100-01-01")
    assert [row["status"] for row in ok(cli("grant", "requests", "--json"))] == ["accepted"]


@pytest.mark.row("H12")
def test_a_mailbox_is_tested_and_its_settings_checked(cli: Cli, stage: Stage, office: Office) -> None:
    assert ok(cli("mailbox", "test", office.address, "--json"))["title"] == "Test email sent successfully"
    assert "The settings work" in ok(cli("mailbox", "verify", office.address))
    stage.emulator.control.add_mailboxes({"address": office.address, "refusal": "53003"})
    stage.put(Credentials, access_expires_at=ago())
    refused = cli("mailbox", "verify", office.address)
    assert refused.exit_code == 1
    assert "Not allowed" in refused.stdout
    assert "AADSTS53003" in refused.stdout


def test_a_key_of_the_api_is_made_shown_once_and_revoked(cli: Cli, stage: Stage, office: Office) -> None:
    name = stage.only(Organization, stage.world.organization_id).name
    made = ok(cli("api-key", "make", name, "--name", "ats", "--scope", "read", "--scope", "manage", "--json"))
    assert made["key"].startswith("ob_")
    for wrong in (("--name", "ats"), ("--name", "x", "--scope", "everything"), ("--name", "")):
        assert cli("api-key", "make", name, *wrong).exit_code == 2
    (row,) = ok(cli("api-key", "list", "--json"))
    assert (row["name"], row["scopes"], row["used_at"]) == ("ats", "manage read", None)
    assert made["key"] not in repr(row)
    assert ok(cli("api-key", "revoke", name, "ats", "--json")) == {"revoked": "ats"}
    assert cli("api-key", "revoke", name, "nobody").exit_code == 2


def test_a_request_is_declined(cli: Cli, office: Office) -> None:
    ok(cli("grant", "revoke", office.grant))
    asked = ok(cli("grant", "ask", office.address, "--by", office.email_of_rita, "--json"))
    assert ok(cli("grant", "decline", asked["request_id"], "--by", office.email_of_hans)) == "Declined."
    assert [row["status"] for row in ok(cli("grant", "requests", "--json"))] == ["declined"]


def test_somebody_of_that_address_in_two_organizations_is_told_apart(
    cli: Cli, stage: Stage, office: Office
) -> None:
    from db.core.session import Database
    from lab.factories import World

    elsewhere = World(Database(stage.runtime.settings.database_url))
    twin = elsewhere.member("Tina Twin")
    elsewhere.put(Member, twin, email=office.email_of_rita)
    elsewhere.database.close()
    give = ("grant", "give", office.address, "--to", office.email_of_rita, "--by", office.email_of_hans)
    refused = cli(*give)
    assert refused.exit_code == 2
    assert "--organization" in refused.stderr
    ours = stage.only(Organization, stage.world.organization_id).name
    cli("grant", "revoke", str(office.grant))
    assert "may send from" in ok(cli(*give, "--organization", ours))


def test_a_mailbox_is_disconnected_and_connected_again_from_standard_input(
    cli: Cli, stage: Stage, office: Office
) -> None:
    assert cli("mailbox", "disconnect", office.address).exit_code == 2
    assert ok(cli("mailbox", "disconnect", office.address, "--yes", "--json"))["stopped"] == 2
    assert ok(cli("mailbox", "list", "--json"))[0]["status"] == "disconnected"
    assert "standard input" in cli("mailbox", "connect", office.address, stdin="").stderr
    token = stage.emulator.control.refresh_token(office.address)
    assert (
        office.address
        in ok(cli("mailbox", "connect", office.address, "--json", stdin=token + "\n"))["addresses"]
    )
    assert ok(cli("mailbox", "list", "--json"))[0]["status"] == "connected"


def test_a_mailbox_is_connected_at_google_by_a_token_of_googles(
    cli: Cli, stage: Stage, office: Office
) -> None:
    ok(cli("mailbox", "disconnect", office.address, "--yes", "--json"))
    stage.emulator.control.add_mailboxes({"address": office.address, "google": True})
    token = stage.emulator.control.refresh_token(office.address)
    at_google = ("mailbox", "connect", office.address, "--provider", "google")
    assert cli("mailbox", "connect", office.address, stdin=token).exit_code == 1  # Microsoft does not know it
    assert office.address in ok(cli(*at_google, "--json", stdin=token + "\n"))["addresses"]
    (mailbox,) = ok(cli("mailbox", "list", "--json"))
    assert (mailbox["status"], stage.only(Mailbox).provider) == ("connected", "gmail")
    assert cli("mailbox", "connect", office.address, "--provider", "yahoo", stdin=token).exit_code == 2


def test_somebody_elses_token_does_not_connect_a_mailbox(cli: Cli, stage: Stage, office: Office) -> None:
    stage.emulator.control.add_mailboxes({"address": "other@acme.example"})
    token = stage.emulator.control.refresh_token("other@acme.example")
    refused = cli("mailbox", "connect", office.address, stdin=token)
    assert refused.exit_code == 1
    assert "other@acme.example" in refused.stderr
    assert token not in refused.output


def test_a_member_leaves_and_comes_back(cli: Cli, office: Office) -> None:
    assert ok(cli("member", "deactivate", office.email_of_rita, "--yes", "--json"))["stopped"] == 2
    assert [
        row["active"] for row in ok(cli("member", "list", "--json")) if row["email"] == office.email_of_rita
    ] == [False]
    assert ok(cli("member", "reactivate", office.email_of_rita, "--json"))["active"] is True


def test_a_doubtful_email_is_named_and_ends_with_its_own_exit_code(
    cli: Cli, stage: Stage, office: Office
) -> None:
    stage.later(3700)
    stage.emulator.control.switch(copy_leaves=False, leaves_drafts=False)
    stage.emulator.control.fault("POST /me/messages/{id}/send", status=504, when="after", times=1)
    stage.send_due()
    answer = ok(cli("sequence", "pause", office.name, "--json"), 4)
    assert len(answer["in_doubt"]) == 1
    assert answer["complete"] is False


def test_an_email_in_review_is_listed_and_settled_by_hand(cli: Cli, stage: Stage, office: Office) -> None:
    pending = stage.all(Delivery, state="pending")[0]
    stage.overwrite(Delivery, pending.id, state="review", reason="not_found")
    (row,) = ok(cli("review", "list", "--json"))
    assert cli("review", "settle", row["id"], "--as", "maybe", "--because", "x").exit_code == 2
    assert (
        "never passed the gate"
        in cli("review", "settle", row["id"], "--as", "sent", "--because", "seen").stderr
    )
    settled = ok(cli("review", "settle", row["id"], "--as", "skip", "--because", "asked the owner", "--json"))
    assert settled["settled_as"] == "skip"
    assert "only one in review" in cli("review", "settle", row["id"], "--as", "skip", "--because", "x").stderr
    assert any(row["action"] == "review_settled" for row in ok(cli("audit", "list", "--json")))


def test_keys_are_rotated_while_old_tokens_stay_readable(
    cli: Cli, stage: Stage, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = base64.b64encode(b"n" * 32).decode()
    older = base64.b64encode(KEY).decode()
    monkeypatch.setenv("SECRET_KEYS", f"{newer},{older}")
    assert ok(cli("keys", "rotate", "--json")) == {"rotated": 1, "left": 0}
    assert ok(cli("keys", "rotate", "--json"))["rotated"] == 0
    monkeypatch.setenv("SECRET_KEYS", newer)
    assert ok(cli("probe-graph", office.address, "--wait", 2, "--yes", "--json"))


@pytest.mark.parametrize(
    ("switches", "fails"),
    [
        ({}, set()),
        ({"second_send": "duplicate"}, {"A1"}),
        ({"correlation_id_survives": False}, {"A3"}),
        ({"immutable_id_survives": False}, {"A4"}),
        ({"keeps_internet_message_id": False}, {"A5"}),
        ({"purges_listable": True}, set()),
    ],
)
def test_the_probe_finds_out_how_this_exchange_behaves(
    cli: Cli,
    stage: Stage,
    office: Office,
    switches: dict[str, Any],
    fails: set[str],
) -> None:
    stage.emulator.control.switch(**switches)
    result = cli("probe-graph", office.address, "--wait", 2, "--yes", "--json")
    findings = {each["assumption"]: each for each in json.loads(result.stdout)}
    assert sorted(findings) == ["A1", "A2", "A3", "A4", "A5", "A6", "L1", "L2", "L3", "L4", "L5"]
    assert {name for name in fails if findings[name]["holds"] is not True} == fails
    assert findings["A6"]["holds"] is bool(switches.get("purges_listable"))
    assert result.exit_code == (1 if any(findings[name]["needed"] for name in fails) else 0), result.output
    if not fails:
        assert all(each["holds"] for each in findings.values() if each["needed"])


def test_data_is_imported_and_a_bad_file_is_refused_line_by_line(
    cli: Cli, office: Office, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email,first name\nnew@example.org,[bold]Ann\n")
    assert ok(cli("import", file, "--sequence", office.name, "--json"))["enrolled"] == 1
    assert "enrolled" in ok(cli("import", file, "--sequence", office.name))
    file.write_text("email\nbad\nworse\n")
    refused = cli("import", file, "--sequence", office.name)
    assert refused.exit_code == 2
    assert "people.csv:2:1" in refused.stderr
    assert "people.csv:3:1" in refused.stderr


def test_the_schema_is_brought_up_to_date(cli: Cli) -> None:
    assert ok(cli("migrate", "--json")) == {"up_to_date": True}


def test_a_wrong_name_is_refused_with_what_was_meant(cli: Cli, office: Office) -> None:
    refused = cli("sequence", "pause", office.name[:-1] + "x")
    assert refused.exit_code == 2
    assert f"Did you mean {office.name.lower()}" in refused.stderr.lower().replace("did", "Did")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "", "DATABASE_URL is not set"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL must be"),
        ("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/x", ""),
        ("SECRET_KEYS", "c2hvcnQ=", "SECRET_KEYS: key 1"),
        ("GRAPH_URL", "http://graph.example", "GRAPH_URL must be https"),
        ("LOG_FORMAT", "loud", "LOG_FORMAT is"),
    ],
)
def test_a_wrong_setting_is_one_line_and_shows_no_secret(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    refused = cli("status")
    assert refused.exit_code == 3, refused.output
    assert says in refused.stderr
    assert "hunter2" not in refused.output
    assert "Traceback" not in refused.output


def test_an_unexpected_failure_is_one_line_that_says_how_to_see_more(
    cli: Cli, stage: Stage, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage.without(Notice):
        failed = cli("notices")
        assert failed.exit_code == 1
        assert "ONBEHALF_DEBUG=1" in failed.stderr
        monkeypatch.setenv("ONBEHALF_DEBUG", "1")
        assert cli("notices").exception is not None


def test_an_operator_shows_a_domain_and_vouches_for_an_address(stage: Stage, cli: Cli) -> None:
    name = stage.only(Organization).name
    assert cli("organization", "verify-domain", name, "no domain").exit_code == 2
    assert cli("organization", "verify-domain", name, "Acme.example").exit_code == 0
    domain = stage.only(OrganizationDomain)
    assert (domain.domain, domain.known_by) == ("acme.example", "operator")
    with stage.world.database.transaction() as tx:
        sender_addresses.put_address(tx, stage.world.organization_id, None, "jobs@acme.example", actor="Olga")
    assert cli("mailbox", "vouch", "jobs@acme.example").exit_code == 0
    assert stage.only(AddressProof).proven_at is not None
    persons = stage.address(stage.mailbox(stage.world.member("Hans Holder")))
    assert cli("mailbox", "vouch", persons).exit_code == 1


def test_disabling_a_mailbox_still_goes_by_its_former_name_which_help_leaves_out(
    stage: Stage, cli: Cli
) -> None:
    own = stage.mailbox(stage.world.member())
    assert cli("mailbox", "set-aside", stage.address(own), "--yes").exit_code == 0
    assert stage.only(Mailbox, own).status_reason == "disabled"
    listed = cli("mailbox", "--help").output
    assert "disable" in listed
    assert "set-aside" not in listed
