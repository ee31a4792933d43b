"""People in the database: added and never erased, enrolled once, previewed without writing, listed if left out."""

import csv
import stat
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidInput, NotFound
from importing.headers import parse_mapping
from importing.people import Options, import_people
from importing.problems import ImportRejected
from importing.writing import PeopleSummary
from lab.access_records import Lane, Mailbox, Organization
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, Sequence
from lab.stage import Stage


class Desk:
    """A running sequence, and files imported into it."""

    def __init__(
        self,
        stage: Stage,
        folder: Path,
        *,
        body: str = "Hello {{first_name|there}}",
        fields: tuple[str, ...] = (),
    ) -> None:
        self.stage, self.world, self.folder = stage, stage.world, folder
        self.hans = stage.world.member("Hans Holder")
        self.box = stage.mailbox(self.hans)
        self.sequence = stage.world.sequence(self.hans, self.box, ("PT0S", "PT1H"), body=body, fields=fields)
        self.name = stage.only(Sequence).name

    def imports(
        self, text: str | bytes, name: str = "people.csv", *, sequence: str | None = None, **options: Any
    ) -> PeopleSummary:
        file = self.folder / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_people(
            self.world.database,
            file,
            sequence=sequence or self.name,
            actor="test",
            options=Options(**options),
        )

    def person(self, email: str) -> tuple[object, ...]:
        found = self.world.only(Candidate, email=email)
        return found.first_name, found.last_name, found.company, found.title, found.location, found.fields


@pytest.fixture
def desk(stage: Stage, tmp_path: Path) -> Desk:
    return Desk(stage, tmp_path)


def test_people_are_made_changed_enrolled_and_never_twice(desk: Desk) -> None:
    first = desk.imports("email,first name\na@example.org,Ann\nb@example.org,Bob\n")
    assert (first.candidates_created, first.enrolled) == (2, 2)
    second = desk.imports("email,first name\na@example.org,Anna\nb@example.org,Bob\nc@example.org,Cy\n")
    assert (second.candidates_created, second.candidates_updated, second.unchanged) == (1, 1, 1)
    assert (second.enrolled, second.skipped_already_enrolled) == (1, 2)
    assert desk.world.count(Delivery) == 3


def test_a_second_file_adds_to_what_is_known_and_erases_nothing(desk: Desk) -> None:
    desk.imports("Email,First Name,Company,Role\nann@example.org,Ann,Acme,Lead\n")
    summary = desk.imports("Email,Level\nann@example.org,Senior\n")
    assert (summary.candidates_updated, summary.skipped_already_enrolled) == (1, 1)
    assert desk.person("ann@example.org") == ("Ann", "", "Acme", "", "", {"role": "Lead", "level": "Senior"})


@pytest.mark.parametrize("blank", ["", " ", "N/A", "#N/A", "-", "null", "\u200b", "&nbsp;", "#REF!"])
def test_blank_cells_and_words_for_nothing_leave_what_is_known(desk: Desk, blank: str) -> None:
    desk.imports(
        "Email,First Name,Last Name,Company,Title,City,Role\nann@example.org,Ann,Adler,Acme,CTO,Berlin,Lead\n"
    )
    role = blank if blank != "-" else ""
    summary = desk.imports(
        f"Email,First Name,Last Name,Company,Title,City,Role\nann@example.org,{blank},{blank},{blank},{blank},{blank},{role}\n"
    )
    assert (summary.candidates_updated, summary.unchanged) == (0, 1)
    assert desk.person("ann@example.org") == ("Ann", "Adler", "Acme", "CTO", "Berlin", {"role": "Lead"})


def test_filled_cells_replace_and_new_fields_join(desk: Desk) -> None:
    desk.imports("Email,First Name,Role,Level\nann@example.org,Ann,Lead,Senior\n")
    desk.imports("Email,First Name,Role,Team\nann@example.org,Anna,Head,\n")
    assert desk.person("ann@example.org") == ("Anna", "", "", "", "", {"role": "Head", "level": "Senior"})


def test_what_is_waiting_in_another_sequence_still_has_its_fields(stage: Stage, tmp_path: Path) -> None:
    desk = Desk(
        stage, tmp_path, body="Hello {{first_name}}, a role as {{role}} at {{company}}", fields=("role",)
    )
    desk.imports("Email,First Name,Company,Role\nann@example.org,Ann,Acme,Lead\n")
    assert stage.send_due() == 1
    other = stage.world.sequence(desk.hans, desk.box, status="draft")
    name = stage.only(Sequence, other).name
    desk.imports("Email,Level\nann@example.org,Senior\n", sequence=name)
    stage.later(3700)
    assert stage.send_due() == 1
    assert ["Hello Ann, a role as Lead at Acme" in each.body for each in stage.left()] == [True, True]


def test_a_full_name_reaches_the_email(stage: Stage, tmp_path: Path) -> None:
    desk = Desk(stage, tmp_path, body="Dear {{full_name}} of {{company}}, hi {{first_name}}")
    desk.imports(
        'Full Name,Email,Company Name\n"Adler, Ann",ann@example.org,AT&amp;T\n山田 太郎,t@example.jp,ソニー\n'
    )
    assert stage.send_due() == 2
    texts = sorted(each.body for each in stage.left())
    assert "Dear Ann Adler of AT&amp;T, hi Ann" in texts[0]  # as HTML
    assert "Dear 山田 太郎 of ソニー, hi 太郎" in texts[1]


def test_an_address_outside_ascii_leaves_by_graph_to_the_right_domain(desk: Desk) -> None:
    desk.imports("Email\njürgen@straße.example\nann@straße.example\n")
    assert desk.stage.send_due() == 2
    assert sorted(each for entry in desk.stage.left() for each in entry.to) == [
        "ann@xn--strae-oqa.example",
        "jürgen@xn--strae-oqa.example",
    ]


def test_letters_that_change_case_oddly_are_stored_as_the_database_wants_them(desk: Desk) -> None:
    summary = desk.imports(
        "Email\nİ@example.org\nǅ@example.org\nΩ@example.org\nⅧ@example.org\nẞ@example.org\n"
    )
    assert summary.candidates_created == 5
    assert desk.imports("Email\nİ@example.org\nⅧ@example.org\n").unchanged == 2


def test_suppressed_people_are_not_enrolled_by_an_import(desk: Desk) -> None:
    from actions.withdraw import suppress_candidate

    desk.imports("email\na@example.org\nb@example.org\n")
    candidate = desk.world.only(Candidate, email="a@example.org").id
    suppress_candidate(desk.stage.runtime, candidate, actor="test", reason="unsubscribed")
    again = desk.imports("email\na@example.org\nb@example.org\n")
    assert (again.enrolled, again.skipped_suppressed, again.skipped_already_enrolled) == (0, 1, 1)
    foreseen = desk.imports("email\na@example.org\nb@example.org\nc@example.org\n", dry_run=True)
    assert (foreseen.enrolled, foreseen.skipped_suppressed, foreseen.skipped_already_enrolled) == (1, 1, 1)


BAD = "Email,First Name\na@example.org,Ann\n,Bob\nA@example.org,Again\nx@,Cid\nd@example.org,D,E\n"


def test_rows_left_out_are_written_to_a_file_that_can_be_corrected_and_imported(desk: Desk) -> None:
    summary = desk.imports(BAD)
    assert (summary.candidates_created, summary.enrolled) == (1, 1)
    assert [each["line"] for each in summary.left_out] == [3, 5, 6]
    assert [each["line"] for each in summary.duplicates] == [4]
    rejects = desk.folder / "people.rejects.csv"
    assert summary.rejects_file == str(rejects)
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    rows = list(csv.reader(rejects.read_text("utf-8-sig").splitlines()))
    assert rows[0] == ["Left out because", "Line in the file", "Email", "First Name"]
    assert [row[1:3] for row in rows[1:]] == [["3", ""], ["5", "x@"], ["6", "d@example.org"]]
    assert all(row[0] for row in rows[1:])
    corrected = [rows[0], ["", "3", "bob@example.org", "Bob"], rows[2], ["", "6", "d@example.org", "D"]]
    with rejects.open("w", newline="") as file:
        csv.writer(file).writerows(corrected)
    again = import_people(desk.world.database, rejects, sequence=desk.name, actor="test")
    assert (again.candidates_created, [each["line"] for each in again.left_out]) == (2, [3])
    assert again.rejects_file == str(desk.folder / "people.rejects.rejects.csv")
    assert desk.person("bob@example.org")[-1] == {}  # the reason is no merge field


def test_a_rejects_file_that_somebody_may_be_correcting_is_not_written_over(desk: Desk) -> None:
    desk.imports(BAD)
    (desk.folder / "people.rejects.csv").write_text("half corrected")
    assert desk.imports(BAD).rejects_file == str(desk.folder / "people.rejects-2.csv")
    assert (desk.folder / "people.rejects.csv").read_text() == "half corrected"
    named = desk.folder / "left out.csv"
    assert desk.imports(BAD, rejects=named).rejects_file == str(named)
    assert desk.imports(BAD, rejects=named).rejects_file == str(named)


def test_where_the_rejects_cannot_be_written_nothing_is_imported(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="--rejects"):
        desk.imports(BAD, rejects=desk.folder / "missing" / "rejects.csv")
    with pytest.raises(InvalidInput, match="that is the file"):
        desk.imports(BAD, rejects=desk.folder / "people.csv")
    assert desk.world.count(Candidate) == 0
    assert (desk.folder / "people.csv").read_text() == BAD


def test_strict_refuses_all_for_one(desk: Desk) -> None:
    with pytest.raises(ImportRejected, match=r"people\.csv:3:1"):
        desk.imports(BAD, strict=True)
    assert desk.world.count(Candidate) == 0
    assert not list(desk.folder.glob("*rejects*"))


def test_a_dry_run_writes_nothing_and_says_what_would_happen(stage: Stage, tmp_path: Path) -> None:
    desk = Desk(
        stage, tmp_path, body="Hello {{first_name}}, {{role}} at {{company|your company}}?", fields=("role",)
    )
    desk.imports("Email,First Name,Role\nann@example.org,Ann,Lead\n")
    tables = (Candidate, Enrollment, Delivery, AuditEntry, Lane)
    before = desk.world.everything(*tables)
    text = "Email,First Name,Company,Role\nann@example.org,,Acme,\nbob@example.org,Bob,Bolt,CTO\ncid@example.org,N/A,,\n,Dan,,\nbob@example.org,,,\n"
    foreseen = desk.imports(text, dry_run=True)
    assert foreseen.dry_run
    assert (foreseen.candidates_created, foreseen.candidates_updated, foreseen.unchanged) == (2, 1, 0)
    assert foreseen.changes == [{"email": "ann@example.org", "changes": {"company": ["", "Acme"]}}]
    assert (foreseen.enrolled, foreseen.skipped_already_enrolled) == (2, 1)
    assert [each["line"] for each in foreseen.left_out] == [5]
    assert [each["line"] for each in foreseen.duplicates] == [6]
    assert [(each["step"], each["field"], each["people"], each["for_example"]) for each in foreseen.missing_fields] == [
        (1, "first_name", 1, "cid@example.org"), (1, "role", 1, "cid@example.org"),
        (2, "first_name", 1, "cid@example.org"), (2, "role", 1, "cid@example.org"),
    ]  # fmt: skip
    assert foreseen.first_message is not None
    assert foreseen.first_message["to"] == "bob@example.org"
    assert "Hello Bob, CTO at Bolt?" in foreseen.first_message["text"]
    assert desk.world.everything(*tables) == before
    assert not list(desk.folder.glob("*rejects*"))
    done = desk.imports(text)
    assert (done.candidates_created, done.candidates_updated, done.enrolled) == (2, 1, 2)
    assert done.missing_fields == foreseen.missing_fields


def test_a_first_message_with_a_hole_says_so(stage: Stage, tmp_path: Path) -> None:
    desk = Desk(stage, tmp_path, body="Hello {{first_name}}")
    foreseen = desk.imports("Email\nann@example.org\n", dry_run=True)
    assert foreseen.first_message is not None
    assert "{{first_name}} is empty" in foreseen.first_message["refused"]


def test_an_import_says_when_the_first_emails_leave_or_why_they_wait(desk: Desk) -> None:
    active = desk.imports("Email\na@example.org\n", dry_run=True)
    assert active.first_step_at is not None
    assert active.sender == desk.stage.address(desk.box)
    desk.world.put(Mailbox, status="never_connected", connection_version=0, scopes=[])
    assert "is not connected" in str(desk.imports("Email\na@example.org\n", dry_run=True).waits_because)
    desk.world.put(Mailbox, status="connected", connection_version=1, scopes=["mail.send"])
    assert "lacks mail.readwrite" in str(desk.imports("Email\na@example.org\n", dry_run=True).waits_because)
    draft = desk.world.sequence(desk.hans, desk.box, status="draft")
    name = desk.world.only(Sequence, draft).name
    waits = desk.imports("Email\na@example.org\n", sequence=name)
    assert (waits.first_step_at, waits.waits_because) == (None, "the sequence is draft")


def test_a_field_that_a_sequence_declares_is_not_hidden_by_a_standard_one(
    stage: Stage, tmp_path: Path
) -> None:
    desk = Desk(stage, tmp_path, body="As {{position}}", fields=("position",))
    desk.imports("Email,Position\nann@example.org,CTO\n")
    assert desk.person("ann@example.org")[3:] == ("CTO", "", {"position": "CTO"})
    assert stage.send_due() == 1
    assert "As CTO" in stage.left()[0].body


def test_columns_are_mapped_by_the_caller(desk: Desk) -> None:
    summary = desk.imports("Kontakt,Alter\nann@example.org,40\n", mapping=parse_mapping(["Kontakt=email"]))
    assert summary.columns == {"Kontakt": "email", "Alter": "alter"}
    assert desk.person("ann@example.org")[-1] == {"alter": "40"}


@pytest.mark.parametrize("name", ["people", "people.txt", "people.tsv", "people.CSV", "people.xlsx"])
def test_the_content_says_what_a_file_is(desk: Desk, name: str) -> None:
    assert desk.imports("Email\tFirst Name\nann@example.org\tAnn\n", name).candidates_created == 1


def test_the_sequence_or_the_organization_must_be_named_and_exist(desk: Desk) -> None:
    file = desk.folder / "people.csv"
    file.write_text("email\na@example.org\n")
    with pytest.raises(InvalidInput, match="--sequence"):
        import_people(desk.world.database, file, actor="test")
    with pytest.raises(NotFound):
        import_people(desk.world.database, file, sequence="No such", actor="test")
    organization = desk.world.only(Organization).name
    assert (
        import_people(desk.world.database, file, organization=organization, actor="test").candidates_created
        == 1
    )
    assert desk.world.count(Enrollment) == 0


@pytest.mark.parametrize("name", ["people.xlsx", "nothing.csv", "folder.csv"])
def test_what_is_no_readable_file_is_refused(desk: Desk, name: str) -> None:
    (desk.folder / "people.xlsx").write_bytes(b"PK\x03\x04")
    (desk.folder / "folder.csv").mkdir()
    with pytest.raises(InvalidInput):
        import_people(desk.world.database, desk.folder / name, sequence=desk.name, actor="test")


def test_a_hundred_thousand_people_with_progress(desk: Desk) -> None:
    file = desk.folder / "people.csv"
    rows = [f'p{n}@example.org;"Person\n{n}";Company {n % 97};{n % 40}' for n in range(100_000)]
    file.write_text("\ufeffEmail;First name;Company;Years\r\n" + "\r\n".join(rows) + "\r\n", newline="")
    seen: list[tuple[str, int, int]] = []
    started = time.monotonic()
    done = import_people(
        desk.world.database, file, sequence=desk.name, actor="test", progress=lambda *each: seen.append(each)
    )
    print(f"{time.monotonic() - started:.1f} s")
    assert (done.candidates_created, done.enrolled) == (100_000, 100_000)
    assert desk.world.count(Delivery, state="pending") == 100_000
    assert {what for what, _, _ in seen} == {"Reading", "Writing"}
    assert all(0 < count <= total for _, count, total in seen)
    assert seen[-1][1:] == (100_000, 100_000)


@pytest.mark.row("N21")
def test_one_person_is_in_one_sequence_at_a_time(desk: Desk) -> None:
    desk.imports("email\nann@example.org\n")
    other = desk.world.sequence(desk.hans, desk.box)
    name = desk.world.only(Sequence, other).name
    foreseen = desk.imports("email\nann@example.org\nbob@example.org\n", sequence=name, dry_run=True)
    assert (foreseen.enrolled, foreseen.skipped_elsewhere) == (1, 1)
    assert foreseen.kept_out == [{"email": "ann@example.org", "keeps": "elsewhere", "detail": desk.name}]
    done = desk.imports("email\nann@example.org\nbob@example.org\n", sequence=name)
    assert (done.enrolled, done.skipped_elsewhere) == (1, 1)
    forced = desk.imports("email\nann@example.org\n", sequence=name, anyway="she asked for both")
    assert (forced.enrolled, forced.skipped_elsewhere) == (1, 0)
    data = desk.world.all(AuditEntry, action="candidates_imported")[-1].data
    assert (data["anyway"], data["enrolled_anyway"]) == ("she asked for both", 1)


@pytest.mark.row("N21")
def test_a_person_who_got_an_email_lately_is_left_alone_for_the_organizations_days(desk: Desk) -> None:
    desk.imports("email\nann@example.org\n")
    desk.stage.send_due()
    desk.world.put(Enrollment, where={}, status="stopped", reason="stopped")
    other = desk.world.only(Sequence, desk.world.sequence(desk.hans, desk.box)).name
    found = desk.imports("email\nann@example.org\n", sequence=other)
    assert (found.enrolled, found.skipped_contacted) == (0, 1)
    desk.world.put(Organization, recontact_days=0)
    assert desk.imports("email\nann@example.org\n", sequence=other).enrolled == 1


def test_people_start_on_one_business_day_after_another(desk: Desk) -> None:
    file = "email\n" + "".join(f"p{n}@example.org\n" for n in range(5))
    done = desk.imports(file, a_day=2)
    assert (done.enrolled, done.days) == (5, 3)
    days = Counter(each.due_at.date() for each in desk.world.all(Delivery))
    assert sorted(days.values()) == [1, 2, 2]
    assert all(day.weekday() < 5 for day in sorted(days)[1:])
    desk.world.put(Sequence, status="draft")
    with pytest.raises(InvalidInput, match="Start the sequence first"):
        desk.imports("email\nlater@example.org\n", a_day=2)


@pytest.mark.parametrize("dry_run", [True, False])
def test_whom_the_file_wants_left_alone_is_named_if_a_sequence_still_writes_to_them(
    desk: Desk, dry_run: bool
) -> None:
    desk.imports("Email\nann@example.org\ncai@example.org\n")
    text = (
        "Email,Unsubscribed\nann@example.org,TRUE\nann@example.org,\nbea@example.org,TRUE\nbob@example.org,\n"
    )
    found = desk.imports(text, dry_run=dry_run)
    assert found.still_written_to == [{"email": "ann@example.org", "sequence": desk.name}]
    assert {each["email"] for each in found.declined} == {"ann@example.org", "bea@example.org"}
    stays = desk.world.only(Candidate, email="ann@example.org")
    assert desk.world.only(Enrollment, candidate_id=stays.id).status == "active", "a file stops nobody"
