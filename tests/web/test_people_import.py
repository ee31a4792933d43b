"""Importing people in the browser: what would happen is read before anything is saved, and confirming twice gives the same."""

import io
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import openpyxl
import pytest

from actions import people
from actions import people_imports as actions
from db.core.crypto import KeyRing
from db.core.session import database_now
from db.events import outbox
from db.events.outbox import MAX_ENQUEUED
from db.sending.enrollments import enroll_many
from db.sequences import people_imports
from db.sequences.people_imports import Work
from importing import import_people
from importing.candidates import Sheet, read_candidates
from lab.access_records import Organization
from lab.factories import World
from lab.import_records import BroughtIn, PeopleImport
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, OutboxJob
from lab.stage import Stage
from lab.tables import ago
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account

HERE = "/people/import"
FILE = b"Vorname,E-Mail,Firma,Role\nAnn,ann@example.org,Acme,Lead\nBob,bob@example.org,,\n,nobody,,\n"


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


@pytest.fixture
def sequence(stage: Stage, rita: UUID) -> UUID:
    return stage.world.sequence(rita, stage.mailbox(rita), ("PT0S", "P1D"))


class Desk:
    """A member in front of the import."""

    def __init__(self, stage: Stage, who: UUID) -> None:
        self.stage = stage
        self.visitor = Visitor(stage).sign_in(email_of(stage, who)).get(HERE)

    def upload(self, content: bytes, name: str = "people.csv", **fields: str) -> Visitor:
        return self.visitor.upload(HERE, name, content, **fields)

    def checked(self, content: bytes, name: str = "people.csv", **fields: str) -> str:
        """Upload, have it checked, and return the page's address."""
        self.upload(content, name, **fields)
        assert self.visitor.status == 303, self.visitor.text
        page = urlsplit(str(self.visitor.url)).path
        self.stage.run_outbox()
        self.visitor.follow()
        return page

    def decide(self, page: str, do: str, **fields: str) -> Visitor:
        (shown,) = re.findall(r'name="round" value="(\d+)"', self.visitor.text)
        chosen = re.findall(r'<select id="(c\d+|sequence)".*?</select>', self.visitor.text, re.DOTALL)
        kept = {name: self._chosen(name) for name in chosen}
        return self.visitor.send(page, **{**kept, "round": shown, "do": do, **fields})

    def _chosen(self, name: str) -> str:
        (select,) = re.findall(rf'<select id="{name}".*?</select>', self.visitor.text, re.DOTALL)
        found = re.findall(r'value="([^"]*)" selected', select)
        return str(found[0] if found else re.findall(r'value="([^"]*)"', select)[0])


def test_a_file_is_read_first_and_imported_once(stage: Stage, rita: UUID, sequence: UUID) -> None:
    desk = Desk(stage, rita)
    page = desk.checked(FILE, sequence=str(sequence))
    text = desk.visitor.text
    assert "What would happen" in text
    assert "Row 4: <bdi>" in text
    assert "2 people will be imported, 2 enrolled." in text
    assert stage.all(Candidate) == []
    desk.decide(page, "import")
    stage.run_outbox()
    assert "2 people are new" in desk.visitor.get(page).text
    desk.visitor.send(page, do="import", round="1")
    stage.run_outbox()
    assert (stage.world.count(Candidate), stage.world.count(Enrollment), stage.world.count(Delivery)) == (
        2,
        2,
        2,
    )
    assert len(stage.all(AuditEntry, action="candidates_imported")) == 1
    assert "<bdi>Ann</bdi>" in desk.visitor.get("/people").text
    assert desk.visitor.get(f"{page}/left-out.csv").text.splitlines()[1].endswith(",4,,nobody,,")


def test_a_member_brings_people_in_without_a_sequence_and_enrolls_them_later(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    desk = Desk(stage, rita)
    page = desk.checked(FILE)
    assert "0 enrolled" in desk.visitor.text
    assert desk.decide(page, "import").status == 303
    stage.run_outbox()
    visitor = desk.visitor
    assert stage.world.count(Enrollment) == 0
    for shown in ("/people", "/people?sort=name", "/people?sequence=none", "/people?q=ann", "/search?q=ann"):
        assert "<bdi>Ann</bdi>" in visitor.get(shown).text, shown
    ann = stage.only(Candidate, email="ann@example.org").id
    assert visitor.get(f"/people/{ann}").status == 200
    assert 'name="field"' in visitor.text  # she may correct what the file said
    mona = Visitor(stage).sign_in(email_of(stage, member(stage, "Mona Member")))
    assert "<bdi>Ann</bdi>" not in mona.get("/people").text
    assert mona.get(f"/people/{ann}").status == 404
    form = {"person": str(ann), "sequence": str(sequence)}
    visitor.get(f"/people/enroll?person={ann}").send("/people/enroll", None, do="enroll", **form)
    assert [each.candidate_id for each in stage.all(Enrollment)] == [ann]


def test_whom_a_colleague_writes_to_is_seen_by_name_alone(stage: Stage, rita: UUID, sequence: UUID) -> None:
    desk = Desk(stage, rita)
    desk.decide(desk.checked(FILE), "import")
    stage.run_outbox()
    ann = stage.only(Candidate, email="ann@example.org").id
    mona = member(stage, "Mona Member")
    theirs = stage.world.sequence(mona, stage.mailbox(mona), ("PT0S",))
    with stage.world.database.transaction() as tx:
        enroll_many(tx, theirs, [ann], database_now(tx))
    stage.send_due()
    text = desk.visitor.get(f"/people/{ann}").text
    assert desk.visitor.status == 200
    assert "ann@example.org" in text
    assert "Receipt" not in text
    assert 'name="field"' not in text


def test_a_check_opens_nothing_of_a_colleagues_people(stage: Stage, rita: UUID, sequence: UUID) -> None:
    mona = member(stage, "Mona Member")
    (theirs,) = stage.world.enroll(stage.world.sequence(mona, stage.mailbox(mona)))
    person = stage.only(Enrollment, theirs).candidate_id
    stage.put(Candidate, person, email="ann@example.org", first_name="Annegret", title="Keeps to herself")
    content = b"Email,First name,Title\nann@example.org,Ann,CEO\n"
    desk = Desk(stage, rita)
    desk.checked(content)
    assert "title → <bdi>CEO</bdi>" in desk.visitor.text
    for known in ("Annegret", "Keeps to herself"):
        assert known not in desk.visitor.text
    hers = Desk(stage, mona)
    hers.checked(content)
    assert "title <bdi>Keeps to herself</bdi> → <bdi>CEO</bdi>" in hers.visitor.text


def test_somebody_who_is_erased_is_in_nobodys_list(stage: Stage, rita: UUID, sequence: UUID) -> None:
    desk = Desk(stage, rita)
    desk.decide(desk.checked(FILE), "import")
    stage.run_outbox()
    for each in stage.all(Candidate):
        people.erase(stage.runtime, stage.world.organization_id, each.id, actor="Ada")
    assert stage.world.count(BroughtIn) == 0
    assert "No people yet" in desk.visitor.get("/people").text


def test_who_gets_no_email_by_the_file_is_left_out_and_named(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    desk = Desk(stage, rita)
    content = b"Email,Unsubscribed\nann@example.org,TRUE\nbob@example.org,FALSE\n"
    page = desk.checked(content, sequence=str(sequence))
    assert "Get no email, by the file" in desk.visitor.text
    assert (
        "Row 2: <bdi>&#39;Unsubscribed&#39; says &#39;TRUE&#39;, so they get no email</bdi>"
        in desk.visitor.text
    )
    assert "1 person will be imported, 1 enrolled." in desk.visitor.text
    assert "Not readable" not in desk.visitor.text
    # To leave the column out is no word about the people.
    desk.decide(page, "check", c1="")
    stage.run_outbox()
    assert "Get no email, by the file" in desk.visitor.get(page).text
    desk.decide(page, "import")
    stage.run_outbox()
    assert "1 row was left out." in desk.visitor.get(page).text
    assert [each.email for each in stage.all(Candidate)] == ["bob@example.org"]
    assert ",2,ann@example.org,TRUE" in desk.visitor.get(f"{page}/left-out.csv").text
    desk.visitor.get(HERE)
    desk.checked(b"Email,Unsubscribed\nann@example.org,TRUE\n", sequence=str(sequence))
    assert "Add by hand who agrees to be written to." in desk.visitor.text


def test_who_gets_no_email_by_the_file_and_is_in_a_sequence_is_named_with_a_way_to_their_page(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    desk = Desk(stage, rita)
    stage.world.enroll(sequence, email="ann@example.org")
    page = desk.checked(
        b"Email,Unsubscribed\nann@example.org,TRUE\nbob@example.org,FALSE\n", sequence=str(sequence)
    )
    link = '<a href="/people?q=ann%40example.org"><bdi>ann@example.org</bdi></a>'
    assert "Get no email, by the file, and are in a sequence" in desk.visitor.text
    assert link in desk.visitor.text
    desk.decide(page, "import")
    stage.run_outbox()
    text = desk.visitor.get(page).text
    assert "1 person who should get no email, by the file, is in a sequence." in text
    assert link in text
    assert "ann@example.org" in desk.visitor.get("/people?q=ann%40example.org").text


def test_what_is_changed_after_the_check_is_read_again_before_it_is_imported(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    desk = Desk(stage, rita)
    page = desk.checked(FILE, sequence=str(sequence))
    desk.decide(page, "import", c3="")
    stage.run_outbox()
    assert "You changed something." in desk.visitor.follow().text
    assert stage.all(Candidate) == []
    desk.decide(page, "import")
    stage.run_outbox()
    assert [each.fields for each in stage.all(Candidate)] == [{}, {}]


def test_columns_are_remembered_for_files_with_the_same_headings(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    desk = Desk(stage, rita)
    page = desk.checked(b"who,where\nAnn,ann@example.org\n", sequence=str(sequence))
    assert "Nobody can be imported yet." in desk.visitor.text
    desk.decide(page, "check", c0="first_name", c1="email")
    stage.run_outbox()
    desk.visitor.get(page)
    desk.decide(page, "import")
    stage.run_outbox()
    desk.visitor.get(HERE)
    desk.checked(b"where,who\nbob@example.org,Bob\n", sequence=str(sequence))
    assert "1 person will be imported, 1 enrolled." in desk.visitor.text


def test_the_file_is_kept_encrypted_and_for_a_day(stage: Stage, rita: UUID, sequence: UUID) -> None:
    desk = Desk(stage, rita)
    page = desk.checked(FILE, sequence=str(sequence))
    (kept,) = stage.all(PeopleImport)
    for sealed in (kept.content, kept.report, kept.left_out):
        assert sealed
        assert b"ann@example.org" not in bytes(sealed)
        assert b"nobody" not in bytes(sealed)
    desk.decide(page, "import")
    stage.run_outbox()
    assert stage.only(PeopleImport).content is None
    stage.older(PeopleImport, "created_at", hours=25)
    assert "We keep a file for a day." in desk.visitor.get(page).text


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "people.csv", "The file is empty. Choose a CSV file or an Excel workbook."),
        (b"%PDF-1.7 ...", "people.pdf", "This is a PDF. Save it as CSV UTF-8 or as .xlsx."),
        (b"Email\n" + b"x" * actions.MAX_FILE, "people.csv", "The file is larger than 10 MB. Split it."),
        (b"Email\n" + b"x" * 50_000_000, "people.csv", "The file is larger than 10 MB. Split it."),
    ],
)
def test_what_no_file_of_people_is_is_refused_beside_its_field(
    stage: Stage, rita: UUID, sequence: UUID, content: bytes, name: str, said: str
) -> None:
    visitor = Desk(stage, rita).upload(content, name, sequence=str(sequence))
    assert visitor.status == 422
    assert f"<span>{said}</span>" in visitor.text
    assert stage.all(PeopleImport) == []


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(501):
                part.write(b" " * 1024 * 1024)
    return out.getvalue()


def test_what_a_worker_refuses_is_said_on_the_page(stage: Stage, rita: UUID, sequence: UUID) -> None:
    desk = Desk(stage, rita)
    for content, said in (
        (b"PK\x03\x04 broken", "The workbook is damaged or protected"),
        (bomb(), "The workbook unpacks to more than 500 MiB. Split it."),
        ("Email,Name\nann@example.org,Zażółć\n".encode("utf-16")[:-1], "The text is damaged"),
        (b"Email\nnobody\n", "Nobody can be imported yet."),
    ):
        desk.visitor.get(HERE)
        desk.checked(content, "people.xlsx", sequence=str(sequence))
        assert said in desk.visitor.text


def test_a_file_with_formulas_is_harmless_to_download_and_comes_back_as_it_was(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    desk = Desk(stage, rita)
    page = desk.checked(
        b'Email,Note\nann@example.org,x\nnobody,"=HYPERLINK(""http://x"")"\n', sequence=str(sequence)
    )
    rows = desk.visitor.get(f"{page}/left-out.csv").text
    assert "'=HYPERLINK" in rows
    assert ",=HYPERLINK" not in rows
    desk.visitor.get(HERE)
    page = desk.checked(rows.replace("nobody", "bob@example.org").encode(), sequence=str(sequence))
    desk.decide(page, "import")
    stage.run_outbox()
    assert stage.only(Candidate, email="bob@example.org").fields == {"note": '=HYPERLINK("http://x")'}


def test_a_workbook_is_imported_too(stage: Stage, rita: UUID, sequence: UUID) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Name", "Email"])
    book.active.append(["Ann Adler", "ann@example.org"])
    book.save(out)
    desk = Desk(stage, rita)
    desk.checked(out.getvalue(), "people.xlsx", sequence=str(sequence))
    assert "1 person will be imported, 1 enrolled." in desk.visitor.text


def test_an_upload_is_for_whom_the_page_was_and_comes_from_our_site(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    desk = Desk(stage, rita)
    other = str(stage.world.member("Theo"))
    assert desk.upload(FILE, sequence=str(sequence), member=other).status == 403
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert desk.visitor.send_unsaid(HERE, foreign, sequence=str(sequence)).status == 403
    assert Visitor(stage).upload(HERE, "people.csv", FILE).status == 303
    assert stage.all(PeopleImport) == []


def test_colleagues_do_not_see_the_file_and_cannot_use_others_sequences(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    page = Desk(stage, rita).checked(FILE, sequence=str(sequence))
    theo = Desk(stage, member(stage, "Theo"))
    assert theo.visitor.get(page).status == 404
    assert theo.visitor.get(f"{page}/left-out.csv").status == 404
    theo.visitor.get(HERE)
    assert theo.upload(FILE, sequence=str(sequence)).status == 422


def test_a_worker_that_dies_leaves_the_file_to_the_next_one_a_few_times(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    desk = Desk(stage, rita)
    page = desk.checked(FILE, sequence=str(sequence))
    assert "What would happen" in desk.visitor.text
    stage.put(PeopleImport, attempts=3)
    desk.decide(page, "check", a_day="1")
    stage.put(PeopleImport, attempts=3)
    stage.run_outbox()
    assert "We could not read this file." in desk.visitor.follow().text


def test_admins_set_the_days_between_two_sequences(stage: Stage) -> None:
    ada = stage.world.member("Ada", role="admin")
    known_account(stage, email_of(stage, ada))
    desk = Desk(stage, ada)
    assert "Give 0 (no limit) to 3650 days." in desk.visitor.send(f"{HERE}/days", days="9999").text
    assert desk.visitor.send(f"{HERE}/days", days="30").status == 303
    assert stage.only(Organization).recontact_days == 30
    assert stage.all(AuditEntry, action="recontact_days_changed")[0].data == {"days": 30}


def job_of(world: World, import_id: UUID, number: int = 1) -> UUID:
    return world.only(OutboxJob, dedupe_key=f"import_people:{import_id}:{number}").id


def stored(world: World, keys: KeyRing) -> UUID:
    """A file that somebody uploaded, which no worker has taken on."""
    with world.database.transaction() as tx:
        return people_imports.store(
            tx,
            keys,
            world.organization_id,
            member_id=None,
            made_by="ATS",
            name="people.csv",
            content=FILE,
            sequence_id=None,
        )


def begun(stage: Stage, import_id: UUID, number: int = 1) -> Work | None:
    with stage.world.database.transaction() as tx:
        return people_imports.begin(tx, stage.runtime.web_keys, import_id, number)


def test_an_organization_has_one_file_read_at_a_time_and_others_do_not_wait_for_it(stage: Stage) -> None:
    mine, other = stage.world, World(stage.world.database)
    first, second, theirs = (stored(each, stage.runtime.web_keys) for each in (mine, mine, other))
    assert begun(stage, first) is not None
    for _ in range(MAX_ENQUEUED + 1):  # however long it waits, nobody gives it up
        stage.put(OutboxJob, available_at=ago(seconds=1))
        with stage.world.database.transaction() as tx:
            outbox.take_unpublished(tx)
        import_people.do(stage.runtime, job_of(mine, second))
    assert stage.only(PeopleImport, second).status == "checking"
    import_people.do(stage.runtime, job_of(other, theirs))
    assert stage.only(PeopleImport, theirs).status == "checked"
    stage.put(PeopleImport, where={"id": first}, lease_until=ago(seconds=1))
    stage.run_outbox()
    assert stage.only(PeopleImport, second).status == "checked"


def test_of_two_files_that_begin_together_one_waits(stage: Stage) -> None:
    first, second = (stored(stage.world, stage.runtime.web_keys) for _ in range(2))
    with ThreadPoolExecutor() as pool:
        with stage.world.database.transaction() as tx:
            assert people_imports.begin(tx, stage.runtime.web_keys, first, 1) is not None
            asked = pool.submit(begun, stage, second)
            stage.world.until_a_lock_is_waited_for()
        assert asked.result(30) is None


def test_whoever_asks_for_a_check_again_and_again_gets_no_second_worker(stage: Stage) -> None:
    file = stored(stage.world, stage.runtime.web_keys)
    work = begun(stage, file)
    assert work is not None
    with stage.world.database.transaction() as tx:
        people_imports.check_again(tx, file, None, sequence_id=None, a_day=1, anyway="")
    assert begun(stage, file, 2) is None
    with stage.world.database.transaction() as tx:
        assert not people_imports.progress(tx, work, "Reading", 1, 2)
        people_imports.release(tx, work)
    assert begun(stage, file, 2) is not None


def test_a_worker_stops_and_makes_room_when_somebody_asks_for_another_check(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stored(stage.world, stage.runtime.web_keys)

    def asked_again_meanwhile(*args: Any, **more: Any) -> Sheet:
        with stage.world.database.transaction() as tx:
            people_imports.check_again(tx, file, None, sequence_id=None, a_day=1, anyway="")
        return read_candidates(*args, **more)

    monkeypatch.setattr(import_people, "read_candidates", asked_again_meanwhile)
    import_people.do(stage.runtime, job_of(stage.world, file))
    monkeypatch.undo()
    found = stage.only(PeopleImport, file)
    assert (found.status, found.round, found.report) == ("checking", 2, None)
    import_people.do(stage.runtime, job_of(stage.world, file, 2))
    assert stage.only(PeopleImport, file).status == "checked"
