"""Files that members take away: whoever does not read theirs holds no connection to the database, and only their own organization's room."""

import csv
import io
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID

import pytest

from app.limiter import MAX_DOWNLOADS
from app.rates import CHECKS
from db.audit import audit
from db.withdrawing import suppressions
from lab.access_records import Member
from lab.records import Candidate
from lab.stage import Stage
from scheduler import sweeper
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of

AUDIT, LIST, NUMBERS = (
    "/settings/audit/export.jsonl",
    "/settings/suppressions/export.csv",
    "/numbers/export.csv",
)
LARGE = 8  # MB: more than two sockets keep of what nobody reads


@pytest.fixture
def ada(stage: Stage) -> UUID:
    """An admin, whose organization has a long audit trail."""
    ada = member(stage, "Ada Novak")
    stage.put(Member, ada, role="admin")
    with stage.world.database.transaction() as tx:
        for _ in range(LARGE * 10):
            audit.write(
                tx, stage.world.organization_id, "Ada", "api_key_made", "api_key:x", {"name": "x" * 100_000}
            )
    sweeper.seal(stage.world.database, stage.runtime.keys.audit)
    return ada


@contextmanager
def unread(site: str, visitor: Visitor, path: str) -> Iterator[socket.socket]:
    """A download that has begun, and of which nobody reads more than the beginning."""
    cookies = "; ".join(f"{each.name}={each.value}" for each in visitor.cookies.jar)
    with socket.socket() as wired:
        wired.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wired.settimeout(60)
        host, _, port = site.removeprefix("http://").partition(":")
        wired.connect((host, int(port)))
        wired.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n".encode())
        begun = b""
        while b'"kind"' not in begun:
            piece = wired.recv(1024)
            assert piece, begun
            begun += piece
        yield wired


def held(stage: Stage, most: int) -> int:
    """How many connections to the database are held, once they are no more than ``most``; after a while, as many as there are."""
    until = time.monotonic() + 20
    pool = stage.web_database.engine.pool
    while (count := pool.checkedout()) > most and time.monotonic() < until:  # type: ignore[attr-defined]  # a QueuePool
        time.sleep(0.05)
    return int(count)


def test_a_download_that_nobody_reads_holds_no_connection(stage: Stage, site: str, ada: UUID) -> None:
    visitor = Visitor(stage).sign_in(email_of(stage, ada))
    with unread(site, visitor, AUDIT):
        assert held(stage, 0) == 0
        assert visitor.get("/settings/audit").status == 200


def test_few_downloads_of_an_organization_run_at_once_and_end_when_they_are_cut_off(
    stage: Stage, site: str, ada: UUID
) -> None:
    visitor = Visitor(stage).sign_in(email_of(stage, ada))
    with ExitStack() as stack:
        for _ in range(MAX_DOWNLOADS):
            stack.enter_context(unread(site, visitor, AUDIT))
        for path in (AUDIT, LIST, NUMBERS):
            assert visitor.get(path).status == 429, path
        assert "downloaded already" in visitor.text
        assert visitor.get("/settings/audit").status == 200
    until = time.monotonic() + 20
    while visitor.get(NUMBERS).status == 429 and time.monotonic() < until:
        pass
    assert visitor.status == 200


def test_all_downloads_are_counted_for_the_organization(stage: Stage) -> None:
    ada = member(stage, "Ada Novak")
    stage.put(Member, ada, role="admin")
    stage.world.enroll(stage.world.sequence(ada, stage.mailbox(ada)), 1)
    visitor, person = Visitor(stage).sign_in(email_of(stage, ada)), stage.only(Candidate).id
    paths = (AUDIT, LIST, NUMBERS, f"/people/{person}/export.json")
    for _ in range(CHECKS.amount - len(paths)):
        stage.runtime.limiter.count(CHECKS, "download", str(stage.world.organization_id))
    assert [visitor.get(path).status for path in paths] == [200] * len(paths)
    assert [visitor.get(path).status for path in paths] == [429] * len(paths)


def test_a_download_that_is_refused_leaves_its_room(stage: Stage) -> None:
    ada = member(stage, "Ada Novak")
    stage.put(Member, ada, role="admin")
    visitor = Visitor(stage).sign_in(email_of(stage, ada))
    for _ in range(MAX_DOWNLOADS + 1):
        assert visitor.get(f"/people/{ada}/export.json").status == 404
    for _ in range(MAX_DOWNLOADS + 1):
        assert visitor.get(LIST).status == 200


def test_a_list_of_many_pages_is_taken_whole_and_in_order(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = member(stage, "Ada Novak")
    stage.put(Member, ada, role="admin")
    added = [f"p{number}@kestrel.example" for number in range(7)]
    for each in added:
        stage.world.suppress(each)
    visitor = Visitor(stage).sign_in(email_of(stage, ada))
    for page in (1, 3, 7, 8):
        monkeypatch.setattr(suppressions, "_EXPORTED", page)
        head, *rows = csv.reader(io.StringIO(visitor.get(LIST).text))
        assert tuple(head) == suppressions.COLUMNS
        assert [row[0] for row in rows] == added[::-1], page
