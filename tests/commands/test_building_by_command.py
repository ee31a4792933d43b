"""Sequences are built from the command line."""

from pathlib import Path

from db.sequences import built
from db.sequences.built import Built
from lab.records import Delivery, Enrollment, Sequence, Step
from lab.stage import Stage
from tests.commands.test_cli import Cli, Office, cli, office, ok  # noqa: F401 - fixtures


def test_a_draft_is_made_written_and_previewed(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
    tmp_path: Path,
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Hello {{first_name}}, about {{company}}.\n")
    made = ok(cli("sequence", "make", "Designers", "--owner", office.email_of_rita, "--json"))["id"]
    ok(cli("step", "add", "Designers", "--text", text, "--subject", "A role", "--delay", "PT0S"))
    ok(cli("step", "add", "Designers", "--text", text, "--delay", "3 business days"))
    shown = ok(cli("sequence", "show", "Designers", "--json"))
    assert [(each["delay"], each["subject"]) for each in shown["steps"]] == [
        ("PT0S", "A role"),
        ("3 business days", None),
    ]
    seen = ok(cli("sequence", "preview", "Designers", "--json"))
    assert seen["text"].startswith("Hello Rita, about ")
    ok(cli("step", "change", "Designers", "2", "--delay", "P5D"))
    ok(cli("step", "change", "Designers", "2", "--subject", "Second"))
    ok(cli("step", "move", "Designers", "2", "1"))
    assert [each["subject"] for each in ok(cli("sequence", "show", "Designers", "--json"))["steps"]] == [
        "Second",
        "A role",
    ]
    ok(cli("step", "remove", "Designers", "1"))
    assert cli("step", "remove", "Designers", "9").exit_code == 2
    ok(cli("sequence", "rename", "Designers", "Product designers"))
    copy = ok(cli("sequence", "duplicate", "Product designers", "--json"))["id"]
    assert {str(each.id) for each in stage.all(Sequence)} >= {made, copy}


def test_an_edit_of_a_sequence_with_people_says_who_gets_what_and_asks(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
    tmp_path: Path,
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Other words for everybody.")
    asked = cli("step", "change", office.name, "1", "--text", text)
    assert asked.exit_code == 2
    assert "Step 1 was reworded" in asked.output
    assert {each.version for each in stage.all(Step)} == {1}
    ok(cli("step", "change", office.name, "1", "--text", text, "--yes"))
    assert [each.version for each in stage.all(Step, position=1)] == [2]
    assert cli("sequence", "change-sender", office.name, office.address).exit_code == 0


def test_hours_and_fields_are_set_and_what_they_mean_is_asked(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
) -> None:
    hours = [
        *("--days", "mon,tue", "--from", "09:00", "--to", "17:00", "--holiday", "2026-12-25"),
        *("--on", "tue=09:00-13:00"),
    ]
    ok(cli("sequence", "hours", office.name, *hours, "--yes"))

    def settings() -> Built:
        with stage.world.database.transaction() as tx:
            return built.built(tx, office.sequence)

    assert settings().sending == {
        "zone": settings().time_zone,
        "days": ["mon", "tue"],
        "from": "09:00",
        "to": "17:00",
        "holidays": ["2026-12-25"],
        "by_day": {"tue": {"from": "09:00", "to": "13:00"}},
    }
    assert cli("sequence", "hours", office.name, "--days", "someday", "--yes").exit_code == 2
    assert cli("sequence", "hours", office.name, "--as-organization", "--days", "mon").exit_code == 2
    assert (
        cli("sequence", "hours", office.name, "--as-organization").exit_code == 2
    )  # it asks, and nobody answers
    ok(cli("sequence", "hours", office.name, "--as-organization", "--yes"))
    assert settings().sending is None
    ok(cli("sequence", "fields", office.name, "role", "city"))
    assert list(settings().fields) == ["role", "city"]
    assert cli("sequence", "fields", office.name, "Not a field").exit_code == 2


def test_a_step_is_sent_to_a_member(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
) -> None:
    before = len(stage.left())
    to = ("--to", office.email_of_rita)
    ok(cli("step", "test", office.name, 1, *to, "--person", office.people[0], "--json"))
    assert [list(each.to) for each in stage.left()[before:]] == [[office.email_of_rita]]
    assert cli("step", "test", office.name, 7, *to).exit_code == 2


def test_what_needs_attention_is_listed_and_settled(
    cli: Cli,  # noqa: F811
    stage: Stage,
    office: Office,  # noqa: F811
) -> None:
    needs = stage.world.sequence(
        office.rita, office.box, ("PT0S",), body="For the {{role}}", fields=("role",)
    )
    stage.world.put(Sequence, needs, name="Needs a role")
    stage.world.enroll(needs, 2)
    stage.later(10)
    stage.send_due()
    (group,) = ok(cli("attention", "list", "--json"))["blocked"]
    assert (group["cause"], group["count"]) == ("role", 2)
    assert ok(cli("attention", "fill-in", "Needs a role", "role", "SRE", "--json")) == {"count": 2}
    assert ok(cli("attention", "stop", "Needs a role", "role", "--yes", "--json")) == {"count": 0}
    stage.world.overwrite(
        Delivery, where={"sequence_id": needs}, state="closed", outcome="failed", reason="recipient_rejected"
    )
    stage.world.put(Enrollment, where={"sequence_id": needs}, status="stopped", reason="recipient_rejected")
    (failed,) = ok(cli("attention", "list", "--json"))["failed"]
    assert "recipient_rejected" in ok(cli("attention", "list"))
    new = ("jo.right@candidates.example", "--json")
    ok(cli("attention", "correct-address", failed["people"][0]["id"], *new))
    assert ok(cli("attention", "retry", "Needs a role", "recipient_rejected", "--json")) == {"count": 1}
    assert ok(cli("attention", "leave-out", "Needs a role", "recipient_rejected", "--yes", "--json")) == {
        "count": 0
    }
