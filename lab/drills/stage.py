"""What every drill has in common: a company at work before the trouble, and a verdict after it."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from rich.console import Console
from sqlalchemy import text

from db.core.session import DatabaseUnavailable, database_now
from db.sending.enrollments import enroll_many
from lab.access_records import Lane
from lab.drills.company import Company, Desk, Person, domain_of, found_company
from lab.drills.evidence import gather
from lab.drills.finding import Finding
from lab.drills.invariants import judge
from lab.drills.journal import Journal
from lab.drills.system import RunningSystem
from lab.listening_records import MailboxRead
from lab.records import Delivery
from lab.tables import Tables, ago


class TakesTooLong(Exception):
    """Something that a drill waited for did not happen. The text says what, and how long it waited."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One drill's findings."""

    name: str
    findings: Sequence[Finding]

    @property
    def holds(self) -> bool:
        """Did every invariant hold?"""
        return all(each.holds for each in self.findings)


class Stage(Tables):
    """One drill's company on a running system, and a console that shows what happens."""

    def __init__(self, name: str, system: RunningSystem, console: Console) -> None:
        super().__init__(system.runtime.database)
        self.name, self.system, self._console = name, system, console
        self.journal = Journal()
        self.findings: list[Finding] = []
        self.company: Company

    def employ(
        self,
        *,
        desks: int = 6,
        people: int = 3,
        delays: tuple[str, ...] = ("PT0S", "PT3S"),
        latency: float = 0.2,
        prepare: Callable[[str], None] | None = None,
    ) -> list[Desk]:
        """Create the company. ``latency``: seconds the provider takes per request, so that emails are in flight.

        ``prepare``: called with the organization's domain before any email leaves.
        """
        label = f"Drill {self.name} {secrets.token_hex(3)}"
        if prepare is not None:
            prepare(domain_of(label))
        self.company = found_company(
            self.system.runtime, self.system.control, label, desks=desks, people=people, delays=delays
        )
        for desk in self.company.desks:
            self.system.control.switch(desk.address, latency=latency)
        self.say(
            f"{desks} recruiters write {len(delays)} emails each to {people} people, from colleagues' mailboxes"
        )
        return self.company.desks

    def say(self, what: str) -> None:
        """Print one line, with the time."""
        self._console.print(f"  {datetime.now(UTC):%H:%M:%S}  {what}", highlight=False, soft_wrap=True)

    def left(self) -> int:
        """Count emails of this company that have left so far."""
        ours = {desk.address for desk in self.company.desks}
        return sum(entry.mailbox in ours for entry in self.system.control.ledger())

    def until(self, what: str, done: Callable[[], bool], within: float) -> float:
        """Wait for a condition; returns the seconds it took. Raises ``TakesTooLong``."""
        began = time.monotonic()
        while True:
            try:
                if done():
                    return time.monotonic() - began
            except DatabaseUnavailable:
                pass  # possibly on purpose
            if time.monotonic() > began + within:
                raise TakesTooLong(f"{what}: not within {within:.0f} s")
            time.sleep(0.1)

    def until_left(self, count: int, within: float = 60) -> float:
        """Wait until this many emails have left."""
        return self.until(f"{count} emails", lambda: self.left() >= count, within)

    def until_each_has_one(self, desks: Sequence[Desk], within: float = 240) -> float:
        """Wait until everybody has had an email from each of these desks that writes to them."""
        wanted = {(desk.address, person.email) for desk in desks for person in desk.people}

        def reached() -> bool:
            return wanted <= {
                (entry.mailbox, to) for entry in self.system.control.ledger() for to in entry.to
            }

        return self.until(f"{len(wanted)} first emails", reached, within)

    def until_quiet(self, within: float) -> float:
        """Wait until all work is done and everybody is notified.

        Does not wait for emails still in doubt after four attempts; the search for those lasts until their grace ends.
        """
        took = self.until("an end of all work", lambda: not self._work(), within)
        for email in self.all(Delivery, organization_id=self.company.id, state="in_doubt"):
            self.say(
                f"1 email may have left: it is looked for until {email.grace_until:%H:%M:%S}, and not sent again before"
            )
        return took

    def enroll(self, people: Sequence[Person], desk: Desk) -> None:
        """Put people into one more sequence."""
        with self.database.transaction() as tx:
            enroll_many(tx, desk.sequence_id, [each.candidate_id for each in people], database_now(tx))

    def until_heard(self, within: float = 240) -> float:
        """Read all mailboxes now, and wait until everything is read that has arrived until then."""
        began = ago()
        return self.until("a reading of every mailbox", lambda: self.is_read(began), within)

    def is_read(self, since: datetime) -> bool:
        """Is every mailbox that can be read, read since then? Plans a reading of those that are not.

        One that has sent nothing yet is not read before it does; the drills ask after emails have left each.
        """
        ours = [desk.mailbox_id for desk in self.company.desks if not desk.by_smtp]
        known = self.all(MailboxRead, mailbox_id=ours)
        unread = [each for each in known if each.read_as_of is None or each.read_as_of < since]
        for each in unread:
            if each.lease_until is None and each.queued_at is None:
                self.put(MailboxRead, each.mailbox_id, next_read_at=ago())
        return not unread and len(known) == len(ours)

    def comes_due(self, enrollments: Sequence[UUID]) -> None:
        """Let the time pass until the next email of these enrollments is due."""
        waiting: dict[str, object] = {"enrollment_id": list(enrollments), "state": "pending"}
        lanes = {each.mailbox_id for each in self.all(Delivery, **waiting)}
        self.put(Delivery, where=waiting, due_at=ago())
        self.put(Lane, where={"mailbox_id": lanes}, next_due_at=ago())

    def _work(self) -> bool:
        """Is there anything to do for this company now?"""
        with self.database.transaction() as tx:
            return tx.execute(text(_WAITING), {"company": self.company.id}).first() is not None

    def expect(self, name: str, figure: str, holds: bool, otherwise: str) -> None:
        """Add a finding for this drill only."""
        self.findings.append(Finding(name, figure, [] if holds else [otherwise]))

    def verdict(self) -> Verdict:
        """Gather the evidence, judge it, print the verdict."""
        evidence = gather(
            self.system.runtime.database,
            self.system.runtime.keys.audit,
            self.system.control,
            self.company,
            self.journal.calls,
        )
        verdict = Verdict(self.name, [*self.findings, *judge(evidence)])
        self._console.print()
        for each in verdict.findings:
            mark = "[green]holds [/]" if each.holds else "[red]BROKEN[/]"
            self._console.print(f"  {mark}  {each.name}: {each.figure}", highlight=False, soft_wrap=True)
            for breach in each.breaches[:5]:
                self._console.print(f"            [red]{breach}[/]", highlight=False, soft_wrap=True)
        return verdict


_WAITING = """
SELECT d.id FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN enrollments e ON e.id = d.enrollment_id
JOIN lanes l ON l.mailbox_id = d.mailbox_id JOIN candidates c ON c.id = e.candidate_id
WHERE d.organization_id = :company AND (d.state IN ('preparing', 'drafted', 'sending')
  OR (d.state = 'in_doubt' AND d.reconcile_attempts < 4)
  OR (d.state IN ('pending', 'queued') AND NOT d.held AND s.status = 'active' AND e.status = 'active' AND l.open
    AND NOT (d.due_at > clock_timestamp() + interval '1 minute' AND (
      coalesce(greatest(c.away_until, c.unclear_until) > clock_timestamp(), false) OR EXISTS (
        SELECT FROM incoming_messages i WHERE i.enrollment_id = e.id AND i.bounce_class = 'soft')))))
UNION ALL SELECT o.id FROM outbox o WHERE o.done_at IS NULL AND o.parked_at IS NULL
LIMIT 1
"""
