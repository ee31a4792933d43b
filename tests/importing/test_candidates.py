"""Candidates as recruiters export them: encodings, separators, headers, and every mistake with its place."""

import time
from pathlib import Path

import pytest

from domain.errors import InvalidInput, NotFound
from importing.candidates import CandidateSpec, read_candidates
from importing.load import import_file
from importing.problems import ImportRejected
from tests.stage import Stage


def read(text: str, encoding: str = "utf-8") -> list[CandidateSpec]:
    return read_candidates("people.csv", text.encode(encoding))


def refused(text: str | bytes) -> list[tuple[int, int, str]]:
    raw = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(ImportRejected) as caught:
        read_candidates("people.csv", raw)
    return [(each.line, each.column, each.what) for each in caught.value.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_usual_export_reads_the_same(encoding: str, separator: str, end: str) -> None:
    text = end.join(
        [
            separator.join(['"E-Mail"', "Vorname", "Nachname", "Firma", "Years of experience"]),
            separator.join(["jo@example.org", "Jörg", '"Müller"', '"Bolt & Söhne"', "7"]),
            "",
        ]
    )
    (person,) = read(text, encoding)
    assert (person.email, person.first_name, person.last_name) == ("jo@example.org", "Jörg", "Müller")
    assert person.company == "Bolt & Söhne"
    assert person.fields == {"years_of_experience": "7"}


def test_a_quoted_line_break_is_one_space_and_lines_are_counted_in_the_file() -> None:
    people = read('email,title\na@example.org,"Lead\n of ""things"""\nb@example.org,"x"\n')
    assert people[0].title == 'Lead of "things"'
    assert [person.line for person in people] == [2, 4]


@pytest.mark.parametrize(
    "header", ["Email", "e-mail address", "E-Mail-Adresse", "Correo", "Courriel", "Adresse e-mail", "MAIL"]
)
def test_the_address_column_is_found_by_its_usual_names(header: str) -> None:
    assert read(f"{header}\njo@example.org\n")[0].email == "jo@example.org"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", (0, 0), "empty"),
        ("email\n", (0, 0), "nobody"),
        ("name\nJo\n", (1, 1), "no column holds e-mail addresses"),
        ("email,email\na@b.example,x\n", (1, 2), "again"),
        ("email,\na@b.example,x\n", (1, 2), "has no name"),
        ("email,name\na@b.example\n", (2, 1), "1 values, the header 2"),
        ("email\na@b.example\nA@B.example\n", (3, 1), "already on line 2"),
        ("email\nnot an address\n", (2, 1), ""),
        ("name,email\nJo,a@b.example;c@d.example\n", (2, 2), ""),
        ('email\n"a@b.example\n', (2, 1), "not CSV"),
        ('email,name\na@b.example,"x" y\n', (2, 1), "not CSV"),
        ("email,name\na@b.example,x\x07\n", (2, 2), "U+0007"),
        ("email,name\na@b.example," + "x" * 1001 + "\n", (2, 2), "more than 1000"),
        ("email\na@b.example\x00\n", (2, 1), "NUL"),
    ],
)
def test_each_mistake_is_refused_where_it_stands(text: str, place: tuple[int, int], what: str) -> None:
    found = refused(text)
    assert any((line, column) == place and what in said for line, column, said in found), found


def test_a_damaged_encoding_is_refused() -> None:
    assert "damaged" in refused("email\n".encode("utf-16") + b"\x00")[0][2]


def test_all_problems_are_collected_up_to_a_sensible_number() -> None:
    found = refused("email\n" + "nope\n" * 5000)
    assert 100 < len(found) < 5000
    with pytest.raises(ImportRejected, match="more problems"):
        read("email\n" + "nope\n" * 5000)


def world(stage: Stage) -> str:
    hans = stage.world.member("Hans Holder")
    box = stage.world.mailbox(hans)
    stage.world.sequence(hans, box)
    return str(stage.world.one("SELECT name FROM sequences"))


def test_people_are_made_changed_enrolled_and_never_twice(stage: Stage, tmp_path: Path) -> None:
    name = world(stage)
    file = tmp_path / "people.csv"
    file.write_text("email,first name\na@example.org,Ann\nb@example.org,Bob\n")
    first = import_file(stage.world.database, file, sequence=name, actor="test")
    assert (first.candidates_created, first.enrolled) == (2, 2)
    file.write_text("email,first name\na@example.org,Anna\nb@example.org,Bob\nc@example.org,Cy\n")
    second = import_file(stage.world.database, file, sequence=name, actor="test")
    assert (second.candidates_created, second.candidates_updated, second.unchanged) == (1, 1, 1)
    assert (second.enrolled, second.skipped_already_enrolled) == (1, 2)
    assert stage.world.one("SELECT count(*) FROM deliveries") == 3


def test_suppressed_people_are_not_enrolled_by_an_import(stage: Stage, tmp_path: Path) -> None:
    from actions.withdraw import suppress_candidate

    name = world(stage)
    file = tmp_path / "people.csv"
    file.write_text("email\na@example.org\nb@example.org\n")
    import_file(stage.world.database, file, organization=None, sequence=name, actor="test")
    candidate = stage.world.rows("SELECT id FROM candidates WHERE email = 'a@example.org'")[0][0]
    suppress_candidate(stage.runtime, candidate, actor="test", reason="unsubscribed")  # type: ignore[arg-type]
    again = import_file(stage.world.database, file, sequence=name, actor="test")
    assert (again.enrolled, again.skipped_suppressed, again.skipped_already_enrolled) == (0, 1, 1)


def test_a_file_with_one_bad_line_changes_nobody(stage: Stage, tmp_path: Path) -> None:
    name = world(stage)
    file = tmp_path / "people.csv"
    file.write_text("email\na@example.org\nbad\n")
    with pytest.raises(ImportRejected, match=r"people\.csv:3:1"):
        import_file(stage.world.database, file, sequence=name, actor="test")
    assert stage.world.one("SELECT count(*) FROM candidates") == 0


def test_the_sequence_or_the_organization_must_be_named_and_exist(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email\na@example.org\n")
    with pytest.raises(InvalidInput, match="--sequence"):
        import_file(stage.world.database, file, actor="test")
    with pytest.raises(NotFound):
        import_file(stage.world.database, file, sequence="No such", actor="test")


@pytest.mark.parametrize("name", ["people.xlsx", "nothing.csv", "folder.csv"])
def test_what_is_no_readable_file_is_refused(stage: Stage, tmp_path: Path, name: str) -> None:
    (tmp_path / "people.xlsx").write_bytes(b"PK")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidInput):
        import_file(stage.world.database, tmp_path / name, sequence="x", actor="test")


def test_a_hundred_thousand_people_with_progress(stage: Stage, tmp_path: Path) -> None:
    name = world(stage)
    file = tmp_path / "people.csv"
    rows = [f'p{n}@example.org;"Person\n{n}";Company {n % 97};{n % 40}' for n in range(100_000)]
    file.write_text("\ufeffEmail;First name;Company;Years\r\n" + "\r\n".join(rows) + "\r\n", newline="")
    told: list[tuple[str, int, int]] = []
    started = time.monotonic()
    done = import_file(
        stage.world.database, file, sequence=name, actor="test", progress=lambda *each: told.append(each)
    )
    print(f"{time.monotonic() - started:.1f} s")
    assert (done.candidates_created, done.enrolled) == (100_000, 100_000)
    assert stage.world.one("SELECT count(*) FROM deliveries WHERE state = 'pending'") == 100_000
    assert {what for what, _, _ in told} == {"Reading", "Writing"}
    assert all(0 < count <= total for _, count, total in told)
    assert told[-1][1:] == (100_000, 100_000)
