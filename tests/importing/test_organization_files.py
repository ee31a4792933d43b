"""Organization files: what is written, what is refused with its place, and that a refused file changes nothing."""

from pathlib import Path

import pytest

from db.core.session import Database
from db.mailboxes import mailboxes, renames
from importing.load import import_file
from importing.organization_file import read_organization_file
from importing.problems import ImportRejected
from lab.access_records import Grant, Mailbox, Member, Organization
from lab.records import AuditEntry, Candidate, Enrollment, Record, Sequence, Step
from lab.tables import Tables

GOOD = """\
organizations:
  - name: Acme {tag}
    time_zone: Europe/Berlin
    sending: {{days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00", holidays: ["2026-12-25"]}}
    members:
      - {{name: Rita, email: rita@{tag}.example, role: owner}}
      - {{name: Hans, email: hans@{tag}.example}}
    mailboxes:
      - {{address: hans@{tag}.example, owner: hans@{tag}.example, daily_cap: 200}}
    grants:
      - {{mailbox: hans@{tag}.example, to: rita@{tag}.example}}
    sequences:
      - name: Engineers
        owner: rita@{tag}.example
        send_from: hans@{tag}.example
        fields: [role]
        steps:
          - {{delay: PT0S, subject: "A question, {{{{first_name|there}}}}", body: "Hello {{{{first_name}}}}, {{{{role|yours}}}}"}}
          - {{delay: 3 business days, body: "Once more, {{{{first_name}}}}"}}
"""
TABLES = (Organization, Member, Mailbox, Grant, Sequence, Step, Candidate, Enrollment)


def good(tag: str = "acme") -> str:
    return GOOD.format(tag=tag)


def count(database: Database) -> dict[type[Record], int]:
    return {kind: Tables(database).count(kind) for kind in TABLES}


def problems(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(ImportRejected) as caught:
        read_organization_file("world.yaml", text)
    return [(each.line, each.column, each.what) for each in caught.value.problems]


def test_a_world_is_loaded_and_loading_it_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(good())
    first = import_file(database, file, actor="test")
    assert (first.organizations, first.members, first.mailboxes, first.grants, first.sequences) == (
        1,
        2,
        1,
        1,
        1,
    )
    before = count(database)
    second = import_file(database, file, actor="test")
    assert second.unchanged == 6
    assert (second.members, second.mailboxes, second.grants, second.sequences) == (0, 0, 0, 0)
    assert count(database) == before


def test_a_changed_step_becomes_a_new_version_and_a_removed_one_is_retired(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(good())
    import_file(database, file, actor="test")
    changed = good().replace("Hello {{first_name}}", "Dear {{first_name}}")
    file.write_text("\n".join(line for line in changed.split("\n") if "3 business days" not in line))
    assert import_file(database, file, actor="test").sequences == 1
    first, second = Tables(database).all(Step)
    assert (first.position, first.version, first.body[:4], first.retired_at) == (1, 2, "Dear", None)
    assert (second.position, second.version) == (2, 1)
    assert not second.body.startswith("Dear")
    assert second.retired_at is not None
    assert Tables(database).count(AuditEntry, action="organizations_imported") == 2


def test_one_bad_organization_leaves_nothing_of_the_whole_file(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    bad = (
        good("globex")
        .replace("organizations:\n", "")
        .replace("owner: hans@globex.example,", "owner: x@y.example,")
    )
    file.write_text(good() + bad)
    before = count(database)
    with pytest.raises(ImportRejected, match=r"world\.yaml:27:\d+: x@y\.example is not a member"):
        import_file(database, file, actor="test")
    assert count(database) == before


def test_every_problem_of_a_file_is_named_with_its_line_and_column() -> None:
    text = good().replace("time_zone: Europe/Berlin", "time_zone: Europe/Berlni")
    text = text.replace("PT0S", "soon").replace("{{first_name}}, {{role|yours}}", "{{first_nam}}")
    text = text.replace("role: owner", "role: boss")
    found = problems(text)
    lines = text.split("\n")
    assert [line for line, _, _ in found] == sorted(line for line, _, _ in found)
    for line, column, what in found:
        assert lines[line - 1][column - 1 :].strip(), what
    at = {what.split()[0]: lines[line - 1][column - 1 :] for line, column, what in found}
    assert len(found) == 4
    assert any(rest.startswith("Europe/Berlni") for rest in at.values())
    assert any(rest.startswith("{{first_nam}}") for rest in at.values())


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (("members:", "member:"), 5, "no field 'member'"),
        (("role: owner", "roel: owner"), 6, "no field 'roel'"),
        (("{name: Hans, email", "{email"), 7, "lacks name"),
        (("email: hans@acme.example}", "email: hans at acme}"), 7, ""),
        (("daily_cap: 200", "daily_cap: many"), 9, "whole number"),
        (("daily_cap: 200", "daily_cap: 0"), 9, "from 1 to"),
        (('from: "09:00"', 'from: "25:00"'), 4, ""),
        (("days: [mon", "days: [moon"), 4, "days"),
        (("delay: PT0S", "delay: P"), 18, ""),
        (('subject: "A', 'subject: "A\\r\\nBcc: x@y.example'), 18, "line break"),
        (("fields: [role]", "fields: [Role!]"), 16, "cannot be a field"),
        (("name: Engineers", "name: [Engineers]"), 13, "must be a text"),
        (("- {name: Hans, email: hans", "- {name: Hans, email: rita"), 7, "is already on line 6"),
    ],
)
def test_each_mistake_is_refused_where_it_stands(change: tuple[str, str], line: int, what: str) -> None:
    text = good().replace(*change)
    assert text != good()
    found = problems(text)
    assert any(place == line and what in said for place, _, said in found), found


def test_a_first_step_without_a_subject_is_refused() -> None:
    text = good().replace('subject: "A question, {{first_name|there}}", ', "")
    assert any("first email has no subject" in what for _, _, what in problems(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n# nothing\n",
        "organizations: []",
        "- a\n- b",
        "just text",
        "organizations: {",
        "organizations:\n\t- name: tabs",
        "organizations: &a [*a]",
        "organizations: [{name: !!python/object:os.system x}]",
        "a: &x [1]\nb: [*x, *x]",
        "[" * 5000,
        "organizations: [" + "{" * 200,
        "organizations: 1\n---\norganizations: 2",
        "organizations:\n  - name: \x01",
        "organizations: \ud800",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_hostile_yaml_is_refused_in_words(text: str) -> None:
    assert problems(text)


def test_a_file_too_large_is_refused_before_it_is_parsed() -> None:
    assert "larger than" in problems("a: " + "x" * (6 * 1024 * 1024))[0][2]


def test_a_world_in_another_encoding_is_refused(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "world.yml"
    file.write_bytes(good().replace("Rita", "Zoë").encode("latin-1"))
    with pytest.raises(ImportRejected, match="UTF-8"):
        import_file(database, file, actor="test")


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_windows_line_ends_and_a_byte_order_mark_are_fine(
    database: Database, tmp_path: Path, end: str
) -> None:
    file = tmp_path / "world.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + good().replace("\n", end).encode())
    assert import_file(database, file, actor="test").organizations == 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("to: rita@acme.example}", "to: who@else.example}"), "not a member of this organization"),
        (("to: rita@acme.example}", "to: hans@acme.example}"), "own mailbox"),
        (("send_from: hans@acme.example", "send_from: rita@acme.example"), "there is no mailbox"),
        (("owner: rita@acme.example\n", "owner: who@acme.example\n"), "is not a member"),
    ],
)
def test_what_only_the_database_can_see_is_refused_too(
    database: Database, tmp_path: Path, change: tuple[str, str], what: str
) -> None:
    file = tmp_path / "world.yaml"
    text = good().replace(*change)
    assert text != good()
    file.write_text(text)
    before = count(database)
    with pytest.raises(ImportRejected, match=what):
        import_file(database, file, actor="test")
    assert count(database) == before


def test_a_listed_mailbox_changes_hands_in_no_file(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(good())
    import_file(database, file, actor="test")
    file.write_text(good().replace("owner: hans@acme.example", "owner: rita@acme.example"))
    with pytest.raises(ImportRejected, match="belongs to somebody else"):
        import_file(database, file, actor="test")


def test_a_listed_mailbox_reserves_nothing_in_another_organization(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(good())
    import_file(database, file, actor="test")
    other = good("globex")
    for field in ("address", "mailbox", "send_from"):
        other = other.replace(f"{field}: hans@globex.example", f"{field}: hans@acme.example")
    file.write_text(other)
    assert import_file(database, file, actor="test").mailboxes == 1


@pytest.mark.parametrize("connected", [True, False], ids=["renamed", "listed by a sign-in name"])
def test_a_file_may_go_on_naming_a_mailbox_as_it_was_listed(
    database: Database, tmp_path: Path, connected: bool
) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(good())
    import_file(database, file, actor="test")
    before = count(database)
    tables = Tables(database)
    tables.put(Mailbox, connection_version=int(connected))
    for address in ("hans.gross@acme.example", "hans.klein@acme.example"):
        with database.transaction() as tx:
            box = mailboxes.load(tx, tables.only(Mailbox).id)
            assert box is not None
            assert renames.follow(tx, box, address, actor="Microsoft")
    import_file(database, file, actor="test")
    assert count(database) == before
    mailbox = tables.only(Mailbox)
    assert mailbox.address == "hans.klein@acme.example"
    assert tables.only(Member, mailbox.owner_id).email == "hans.klein@acme.example"


def test_what_no_email_can_carry_is_named_by_the_import(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    body = "<p>Hello <img src='https://acme.example/logo.png' alt='Acme'><span style='position:fixed'>you</span></p>"
    file.write_text(good().replace("Once more, {{first_name}}", body))
    summary = import_file(database, file, actor="test")
    assert len(summary.left_out) == 2
    assert all(each.startswith("Engineers, step 2: ") for each in summary.left_out)
    assert "image" in summary.left_out[0]
    assert "position" in summary.left_out[1]
    assert summary.sequences == 1


@pytest.mark.parametrize(
    "written", ["{first_name}", "[First Name]", "*|FNAME|*", "{{first_name|upper}}", "{{contact.first_name}}"]
)
def test_another_tools_field_is_refused_at_its_place_with_the_right_spelling(written: str) -> None:
    text = good().replace("Once more, {{first_name}}", f"Once more, {written}")
    with pytest.raises(ImportRejected) as caught:
        read_organization_file("world.yaml", text)
    (problem,) = caught.value.problems
    line = text.splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith(written)
    assert "{{first_name}}" in problem.fix
