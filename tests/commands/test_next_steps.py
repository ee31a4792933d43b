"""After an import: the next thing to do, by name."""

# ruff: noqa: F811 - fixtures are asked for by the name they are imported by

from pathlib import Path

from lab.access_records import Organization
from lab.records import Sequence
from lab.stage import Stage
from tests.commands.test_cli import Office, cli, office, ok  # noqa: F401 - fixtures
from tests.commands.test_import_people import Cli
from tests.lab.test_demo_life import OWN


def next_steps(text: str) -> list[str]:
    return [line.removeprefix("Next: ") for line in text.splitlines() if line.startswith("Next: ")]


SETTINGS = "http://localhost:8000/settings/sequences"


def test_after_organizations_who_connects_what_and_where_people_go(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    assert next_steps(ok(cli("import", file, "--dry-run"))) == []
    first, second = next_steps(ok(cli("import", file)))
    assert first == (
        f"bill@initech.example can send once its owner has signed in at {SETTINGS} and connected it."
    )
    assert second == "Import people: onbehalf import people.csv --sequence Reports --dry-run"
    assert "names" not in ok(cli("import", file, "--json"))


def test_after_people_what_makes_their_emails_leave(
    cli: Cli, stage: Stage, office: Office, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Email\nann@example.org\n")
    command = ("import", file, "--sequence", office.name)
    assert next_steps(ok(cli(*command, "--dry-run"))) == []
    assert next_steps(ok(cli(*command))) == ["See what leaves when: http://localhost:8000/outbox"]
    draft = stage.only(Sequence, stage.world.sequence(office.rita, office.box, status="draft")).name
    (start,) = next_steps(ok(cli("import", file, "--sequence", draft, "--anyway", "a test")))
    assert start == f"Start the sequence: onbehalf sequence activate '{draft}'"
    stage.attend()
    ok(cli("mailbox", "disconnect", office.address, "--yes"))
    (connect,) = next_steps(ok(cli(*command)))
    assert connect.startswith(f"The owner of {office.address} connects it at {SETTINGS}")
    (enroll,) = next_steps(
        ok(
            cli(
                "import",
                file,
                "--organization",
                stage.world.only(Organization, stage.world.organization_id).name,
            )
        )
    )
    assert enroll.startswith("Enroll them: onbehalf import ")
