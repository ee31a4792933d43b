"""``onbehalf import`` for people: what it prints, its JSON, and its exit codes for scripts."""

# ruff: noqa: F811 - fixtures are asked for by the name they are imported by

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from actions import suppressions
from db.withdrawing.suppressions import forget
from domain.suppression import Reason, entry
from lab.access_records import Organization
from lab.import_records import BroughtIn
from lab.records import Candidate, Suppression
from lab.stage import Stage
from tests.commands.test_cli import Office, cli, office, ok  # noqa: F401 - fixtures

Cli = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_people_are_imported_and_it_says_who_gets_what_and_when(
    cli: Cli, office: Office, folder: Path
) -> None:
    file = folder / "people.csv"
    file.write_text(
        "Name,Primary Email,Company Name\nAnn Adler,ann@example.org,Acme\n,bob@@example.org,\nAnn,ANN@example.org,\n"
    )
    text = ok(cli("import", file, "--sequence", office.name))
    assert f"1 person will get step 1 of “{office.name}” from" in text
    assert f"sent by {office.address}" in text
    assert "Left out: line 3:" in text
    assert "Line 4: ann@example.org is already on line 2." in text
    assert "people.rejects.csv" in text
    (answer,) = ok(cli("deliveries", "--person", "ann@example.org", "--json"))
    assert answer["state"] == "pending"


def test_people_are_imported_for_a_member_without_enrolling_anybody(
    cli: Cli, stage: Stage, office: Office, folder: Path
) -> None:
    (file := folder / "new.csv").write_text("email,first name\nzoe@example.org,Zoe\n")
    whose = ("--organization", stage.only(Organization).name, "--member", office.email_of_hans)
    assert "new" in ok(cli("import", file, *whose))
    person = stage.only(Candidate, email="zoe@example.org").id
    assert [(each.candidate_id, each.member_id) for each in stage.all(BroughtIn)] == [(person, office.hans)]


def test_the_json_has_every_number_and_list(cli: Cli, office: Office, folder: Path) -> None:
    file = folder / "people.csv"
    file.write_text("Email;Role\nann@example.org;Lead\nnobody;x\n")
    found = ok(cli("import", file, "--sequence", office.name, "--json"))
    assert (found["candidates_created"], found["enrolled"], found["dry_run"]) == (1, 1, False)
    assert found["left_out"][0]["line"] == 3
    assert found["columns"] == {"Email": "email", "Role": "role"}
    assert found["first_step_at"].endswith("+00:00")
    assert Path(found["rejects_file"]).is_file()


def test_people_who_get_no_email_by_the_file_are_named_before_and_when_it_is_imported(
    cli: Cli, stage: Stage, office: Office, folder: Path
) -> None:
    file = folder / "people.csv"
    file.write_text(
        "Email,Email Status,Do Not Contact\nann@example.org,Bounced,\nbob@example.org,OK,TRUE\ncid@example.org,OK,\n"
    )
    for more in (["--dry-run"], []):
        text = ok(cli("import", file, "--sequence", office.name, *more))
        assert "Left out: line 2: 'Email Status' says 'Bounced', so they get no email." in text
        assert "Left out: line 3: 'Do Not Contact' says 'TRUE', so they get no email." in text
        assert '--map "COLUMN=field"' in text
    assert not stage.all(Candidate, email="ann@example.org")
    assert not stage.all(Candidate, email="bob@example.org")
    assert stage.all(Candidate, email="cid@example.org")
    choice = "Do Not Contact=past_choice"
    found = ok(cli("import", file, "--sequence", office.name, "--map", choice, "--json"))
    assert [each["line"] for each in found["declined"]] == [2]
    assert found["candidates_created"] == 1
    assert "'Do Not Contact' 1 row says" in found["warnings"][0]


def test_a_dry_run_shows_the_first_email_and_writes_nothing(
    cli: Cli, stage: Stage, office: Office, folder: Path
) -> None:
    file = folder / "people.csv"
    file.write_text(f"Email,First Name\nann@example.org,Ann\n{office.people[0]},Renamed\n,Nobody\n")
    before = stage.everything(Candidate)
    text = ok(cli("import", file, "--sequence", office.name, "--dry-run"))
    assert "1 person would get step 1" in text
    assert "Subject: A role at Acme" in text
    assert "Hello Ann, this is step 1." in text
    assert f"{office.people[0]} would change: first_name" in text
    assert "Nothing was written" in text
    assert stage.everything(Candidate) == before
    assert list(folder.iterdir()) == [file]


def test_people_come_from_standard_input_and_workbooks(
    cli: Cli, stage: Stage, office: Office, folder: Path
) -> None:
    found = ok(cli("import", "-", "--sequence", office.name, "--json", stdin="Email\nann@example.org\n"))
    assert found["candidates_created"] == 1
    book = openpyxl.Workbook()
    book.active.append(["E-mailadres", "Voornaam"])
    book.active.append(["bob@example.org", "Bob"])
    raw = io.BytesIO()
    book.save(raw)
    (folder / "people.xlsx").write_bytes(raw.getvalue())
    assert (
        ok(cli("import", folder / "people.xlsx", "--sequence", office.name, "--json"))["candidates_created"]
        == 1
    )


def test_columns_and_encodings_are_said_by_options(
    cli: Cli, stage: Stage, office: Office, folder: Path
) -> None:
    file = folder / "people.csv"
    file.write_bytes("Kontakt;Vorname\nnicolo@example.com;Nicolň\n".encode("cp1250"))
    asked = cli("import", file, "--sequence", office.name, "--map", "Kontakt=email", "--encoding", "cp1250")
    ok(asked)
    assert stage.only(Candidate, email="nicolo@example.com").first_name == "Nicolň"
    file.write_bytes("Email;Vorname\nx@example.com;Nicolò\n".encode("cp1252"))
    unsure = cli("import", file, "--sequence", office.name)
    assert unsure.exit_code == 2
    assert "cp1252 (western Europe) reads “Nicolò”" in unsure.stderr
    assert "cp1250 (central Europe) reads “Nicolň”" in unsure.stderr
    assert cli("import", file, "--sequence", office.name, "--encoding", "klingon").exit_code == 2
    assert (
        cli(
            "import", file, "--sequence", office.name, "--map", "Nope=email", "--encoding", "cp1252"
        ).exit_code
        == 2
    )


def test_strict_and_hopeless_files_are_bad_input(
    cli: Cli, stage: Stage, office: Office, folder: Path
) -> None:
    file = folder / "people.csv"
    file.write_text("Email\nann@example.org\nnobody\n")
    refused = cli("import", file, "--sequence", office.name, "--strict")
    assert refused.exit_code == 2
    assert "people.csv:3:1" in refused.stderr
    assert stage.count(Candidate, email="ann@example.org") == 0
    file.write_text('Email\n"' + "(" * 200_000 + '"\n')
    hostile = cli("import", file, "--sequence", office.name)
    assert hostile.exit_code == 2
    assert len(hostile.stderr) < 1000


@pytest.mark.parametrize(
    "option",
    [["--strict"], ["--sequence", "Engineers"], ["--map", "Mail=email"], ["--encoding", "cp1252"], ["--rejects", "left.csv"]],
    ids=lambda option: option[0],
)  # fmt: skip
def test_an_organization_file_takes_no_options_of_people(cli: Cli, folder: Path, option: list[str]) -> None:
    file = folder / "world.yaml"
    file.write_text("organizations: []\n")
    refused = cli("import", file, *option)
    assert refused.exit_code == 2
    assert "for people" in refused.stderr


def test_a_dry_run_counts_an_erased_address_as_the_import_does(
    cli: Cli, stage: Stage, office: Office, folder: Path
) -> None:
    organization = stage.world.organization_id
    suppressions.add(
        stage.runtime, organization, [entry("jo@example.org", Reason.OPT_OUT)], actor="Ann Admin"
    )
    with stage.world.database.transaction() as tx:
        assert forget(tx, stage.runtime.web_keys, organization, "jo@example.org") == 1
    before = stage.everything(Suppression)
    file = folder / "people.csv"
    file.write_text("Email,First Name\njo@example.org,Jo\nann@example.org,Ann\n")
    foreseen = ok(cli("import", file, "--sequence", office.name, "--dry-run", "--json"))
    assert stage.everything(Suppression) == before
    done = ok(cli("import", file, "--sequence", office.name, "--json"))
    for each in (foreseen, done):
        assert (each["candidates_created"], each["enrolled"], each["skipped_suppressed"]) == (2, 1, 1)
