"""Mail that reaches our mailboxes while everything breaks, besides answers: the owners' own, strangers', forged; and opt-outs."""

import random
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import unquote
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from db.core.session import retry_while_unavailable
from db.listening import opt_out_tokens
from domain.message import ONE_CLICK
from domain.opt_out import OptOut
from lab.drills.company import Desk, Person
from lab.emulator.records import LedgerEntry
from lab.nemesis.arena import Arena
from lab.nemesis.background import Background
from lab.nemesis.processes import execute
from lab.nemesis.providers import SEARCH, strike_both
from lab.nemesis.redirected import bring

_LINK = re.compile(r"/o/([\w-]+)")
_STRANGER = "somebody@elsewhere.example"
_BURST = 60  # more than a page
_TRIES = 20
_SLOW = 8.0  # seconds that a page takes to reach us


@dataclass(frozen=True, slots=True)
class Letter:
    """``at`` seconds after the start, something of this kind comes to a desk, about one of its people."""

    at: float
    kind: str
    desk: int
    person: int
    pick: int


_KINDS = {
    "by_hand": 2, "forwarded": 4, "foreign": 3, "burst": 1, "from_the_future": 2, "forged_answer": 2, "forged_opt_out": 2,
    "opt_out_by_email": 4, "opt_out_by_link": 3, "scanned": 5, "answer_while_read": 3,
    "redirected": 4,
}  # fmt: skip


def draw(chance: random.Random, seconds: float, desks: int, people: int) -> list[Letter]:
    """Draw about one a second, over the desks whose mailboxes can be read."""
    letters, at = [], 2.0
    while at < seconds - 1:
        kind = chance.choices(list(_KINDS), list(_KINDS.values()))[0]
        letters.append(
            Letter(
                round(at, 2), kind, chance.randrange(desks), chance.randrange(people), chance.randrange(1000)
            )
        )
        at += chance.uniform(0.4, 1.6)
    return letters


class Post(Background[Letter]):
    """Brings letters on threads. What concerns a person comes only after an email of ours to them has left."""

    def __init__(self, arena: Arena) -> None:
        super().__init__("post", 6, self._bring)
        self._arena = arena
        self._lock = threading.Lock()
        self._left: list[LedgerEntry] = []

    def _bring(self, letter: Letter) -> None:
        desk = self._arena.company.desks[letter.desk]
        had = self._had(desk, letter.person)
        if had is not None:
            bring: Callable[[Desk, Person, LedgerEntry, int], None] = getattr(self, f"_{letter.kind}")
            bring(desk, *had, letter.pick)

    def _had(self, desk: Desk, first: int) -> tuple[Person, LedgerEntry] | None:
        """Return a person and the newest email that they have of this desk; the next person who has one."""
        with self._lock:
            self._left += self._arena.control.ledger(since=len(self._left))
            newest = {each.to[0]: each for each in self._left if each.to and each.mailbox == desk.address}
        for number in range(len(desk.people)):
            person = desk.people[(first + number) % len(desk.people)]
            if (entry := newest.get(person.email)) is not None:
                return person, entry
        return None

    def _by_hand(self, desk: Desk, person: Person, had: LedgerEntry, pick: int) -> None:
        """The mailbox owner writes to the candidate without us, in the thread or not."""
        thread = {"in_reply_to": had.internet_message_id} if pick % 2 else {}
        self._arena.control.wrote_by_hand(
            desk.address, person.email, subject="Our call", text="Let us talk on Monday.", **thread
        )

    def _forwarded(self, desk: Desk, _person: Person, had: LedgerEntry, pick: int) -> None:
        """The mailbox owner forwards our email to a colleague: own mail in the candidate's conversation, to somebody else."""
        thread = {"conversation_id": had.conversation_id} if pick % 2 else {}
        self._arena.control.wrote_by_hand(
            desk.address, "colleague@elsewhere.example", kind="forwarded", person="", subject=f"FW: {had.subject}",
            text="What do you think?", in_reply_to=had.internet_message_id, references=had.internet_message_id, **thread,
        )  # fmt: skip

    def _answer_while_read(self, desk: Desk, person: Person, had: LedgerEntry, _pick: int) -> None:
        """The person answers after the provider has made a page of the mailbox, and before it reaches us."""
        strike_both(self._arena, SEARCH, mailbox=desk.address, when="after", delay=_SLOW)
        statement = "UPDATE mailbox_reads SET next_read_at = clock_timestamp() WHERE mailbox_id = :id"
        retry_while_unavailable(partial(execute, self._arena, statement, id=desk.mailbox_id), 60)
        until = time.monotonic() + _SLOW
        while time.monotonic() < until:
            if retry_while_unavailable(partial(self._is_read, desk.mailbox_id), 60):
                time.sleep(1)  # for the page to be made
                break
            time.sleep(0.1)
        self._arena.control.incoming(
            desk.address, sender=person.email, subject=f"Re: {had.subject}", text="Thank you, please call me.",
            in_reply_to=had.internet_message_id, kind="reply", person=person.email,
        )  # fmt: skip

    def _redirected(self, _desk: Desk, _person: Person, had: LedgerEntry, _pick: int) -> None:
        """A stranger's email comes to the organization's default address."""
        bring(self._arena, f"Re: {had.subject}")

    def _foreign(self, desk: Desk, _person: Person, had: LedgerEntry, pick: int) -> None:
        """Strangers write in threads of their own, which may share subject and even conversation with ours."""
        shares = {"conversation_id": had.conversation_id} if pick % 2 else {}
        self._arena.control.incoming(
            desk.address, sender=_STRANGER, subject=f"Re: {had.subject}", text="This is about something else.",
            in_reply_to=f"<{secrets.token_hex(12)}@elsewhere.example>", kind="foreign", **shares,
        )  # fmt: skip

    def _burst(self, desk: Desk, _person: Person, _had: LedgerEntry, _pick: int) -> None:
        """Pages full of newsletters, received in one second."""
        self._arena.control.newsletters(desk.address, _BURST)

    def _from_the_future(self, desk: Desk, _person: Person, _had: LedgerEntry, pick: int) -> None:
        """Mail whose time of receipt is wrong."""
        received = datetime.now(UTC) + [timedelta(hours=1), timedelta(days=400)][pick % 2]
        self._arena.control.newsletters(desk.address, 1, received_at=received.isoformat())

    def _forged_answer(self, desk: Desk, _person: Person, had: LedgerEntry, _pick: int) -> None:
        """An answer to a Message-ID that looks like ours."""
        domain = had.internet_message_id.rpartition("@")[2].rstrip(">") or "example.org"
        self._arena.control.incoming(
            desk.address, sender=_STRANGER, subject=f"Re: {had.subject}", text="Please stop writing to me, and to all others.",
            in_reply_to=f"<{secrets.token_hex(16)}@{domain}>", kind="forged",
        )  # fmt: skip

    def _forged_opt_out(self, desk: Desk, person: Person, _had: LedgerEntry, pick: int) -> None:
        """An opt-out for somebody by a token that is not theirs: another organization's, or a changed one."""
        keys = self._arena.runtime.web_keys
        token = opt_out_tokens.token(keys, OptOut(uuid4(), person.candidate_id, uuid4()))
        if pick % 2:
            own = opt_out_tokens.token(keys, OptOut(self._arena.company.id, person.candidate_id, uuid4()))
            token = own[:-8] + token[-8:]
        self._arena.control.incoming(
            desk.address, sender=_STRANGER, subject=f"opt-out {token}", text="Stop.", kind="forged"
        )
        self._ask("POST", f"/o/{token}")

    def _opt_out_by_email(self, desk: Desk, person: Person, had: LedgerEntry, pick: int) -> None:
        """The recipient's program writes to the address that the email names for it; some forward it to another account."""
        named = re.search(r"<mailto:[^>]*\?subject=([^>]+)>", had.headers.get("List-Unsubscribe", ""))
        if named is not None:
            self._arena.control.incoming(
                desk.address, sender="private@another.example" if pick % 3 == 0 else person.email,
                subject=unquote(named[1]), kind="opt_out_by_token", person=person.email,
            )  # fmt: skip

    def _opt_out_by_link(self, _desk: Desk, person: Person, had: LedgerEntry, pick: int) -> None:
        """By the page or in one click, after a scanner has opened the link."""
        link = _LINK.search(had.body)
        if link is None:
            return
        self._ask("GET", link[0])
        for _ in range(_TRIES):
            with self._arena.journal.call(
                "opt_out_by_link", forbids=[f"candidate:{person.candidate_id}"]
            ) as call:
                status = self._ask("POST", link[0], ONE_CLICK if pick % 2 else "")
                if status in (200, 303):
                    doubts = partial(self._in_doubt, person.candidate_id)
                    call.in_doubt = [str(each) for each in retry_while_unavailable(doubts, 60)]
                    return
                call.error = f"HTTP {status}"
            time.sleep(1)

    def _scanned(self, _desk: Desk, _person: Person, had: LedgerEntry, _pick: int) -> None:
        """A scanner opens every link of an email."""
        if (link := _LINK.search(had.body)) is not None:
            for method in ("HEAD", "GET"):
                self._ask(method, link[0])

    def _ask(self, method: str, path: str, body: str = "") -> int:
        """Return the status; 0: no answer."""
        form = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        try:
            return self._arena.site.http.request(method, path, content=body, headers=form).status_code
        except httpx.HTTPError:
            return 0

    def _is_read(self, mailbox_id: UUID) -> bool:
        with self._arena.direct.transaction() as tx:
            statement = "SELECT EXISTS (SELECT FROM mailbox_reads WHERE mailbox_id = :id AND lease_until > clock_timestamp())"
            return bool(tx.execute(text(statement), {"id": mailbox_id}).scalar_one())

    def _in_doubt(self, candidate_id: UUID) -> list[UUID]:
        with self._arena.direct.transaction() as tx:
            rows = tx.execute(
                text(
                    "SELECT d.id FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id"
                    " WHERE e.candidate_id = :id AND d.state IN ('sending', 'in_doubt', 'review')"
                ),
                {"id": candidate_id},
            )
            return [row.id for row in rows]
