"""What is on a page is read in one transaction: who asks, the page's own data and the numbers in its frame."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from lab.access_records import Member
from lab.stage import Stage
from tests.web.office import busy_office
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of

PAGES = (
    "/sequences",
    "/sequences/{sequence}/resume",
    "/attention",
    "/notifications",
    "/settings/sequences",
    "/settings/sequences/remove",
    "/settings/sequences/grants/new",
    "/settings/email",
    "/settings/sessions",
    "/settings/mail-server/mine",
    "/settings/mail-server/mine/disable",
)


@contextmanager
def counted(stage: Stage) -> Iterator[list[object]]:
    """The transactions that the web process begins meanwhile."""
    begun: list[object] = []
    note, engine = begun.append, stage.web_database.engine
    event.listen(engine, "begin", note)
    try:
        yield begun
    finally:
        event.remove(engine, "begin", note)


def test_a_page_is_one_transaction(stage: Stage) -> None:
    hans = member(stage, "Hans Holder")
    stage.put(Member, hans, role="admin")
    sequence = stage.world.sequence(hans, stage.mailbox(hans), ("P1D",))
    stage.world.enroll(sequence, 2)
    visitor = Visitor(stage).sign_in(email_of(stage, hans))
    found = {}
    for path in PAGES:
        with counted(stage) as begun:
            assert visitor.get(path.format(sequence=sequence)).status == 200
        found[path] = len(begun)
    assert found == dict.fromkeys(PAGES, 1)


def test_so_is_every_page_of_a_busy_office_and_one_that_does_not_exist(stage: Stage) -> None:
    office = busy_office(stage)
    visitor = Visitor(stage).sign_in(office.address)
    found = {}
    for path in office.pages:
        with counted(stage) as begun:
            assert visitor.get(path).status in (200, 303, 404)
        found[path] = len(begun)
    # The link of an approval is of any organization, whoever opens it: it is found in a transaction of its own. What an edit
    # means is learned by making it, in a transaction that is rolled back before the page is written.
    several = {
        "/approve/": 2,
        "/changes/": 4,
    }  # of these one for the session, one for the edit, one for the page
    assert found == {
        path: next((count for part, count in several.items() if part in path), 1) for path in office.pages
    }


def test_a_pause_reads_its_sequence_with_the_session_and_its_page_is_one_more(stage: Stage) -> None:
    hans = member(stage, "Hans Holder")
    sequence = stage.world.sequence(hans, stage.mailbox(hans), ("P1D",))
    stage.world.enroll(sequence, 2)
    visitor = Visitor(stage).sign_in(email_of(stage, hans))
    with counted(stage) as begun:
        assert visitor.send(f"/sequences/{sequence}/pause").status == 303
    assert len(begun) <= 7
    with counted(stage) as begun:
        assert "is paused" in visitor.follow().text
    assert len(begun) == 1
