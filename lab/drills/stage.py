"""What every drill does around its trouble: a company of its own at work before, and judgement after."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from sqlalchemy import text

from db.core.session import DatabaseUnavailable
from lab.drills.company import Company, Desk, found_company
from lab.drills.evidence import gather
from lab.drills.invariants import Finding, judge
from lab.drills.journal import Journal
from lab.drills.system import RunningSystem


class TakesTooLong(Exception):
    """What a drill waited for did not come; the text says what and how long."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One drill's findings."""

    name: str
    findings: Sequence[Finding]

    @property
    def holds(self) -> bool:
        """Did every invariant hold?"""
        return all(each.holds for each in self.findings)


class Stage:
    """One drill's company on a running system, and a console that tells what happens."""

    def __init__(self, name: str, system: RunningSystem, console: Console) -> None:
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
    ) -> list[Desk]:
        """Found the company. ``latency``: seconds the provider takes for each request, so that emails are on their way."""
        label = f"Drill {self.name} {secrets.token_hex(3)}"
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
        """One line, with the time."""
        self._console.print(f"  {datetime.now(UTC):%H:%M:%S}  {what}", highlight=False, soft_wrap=True)

    def left(self) -> int:
        """Emails of this company that have left so far."""
        ours = {desk.address for desk in self.company.desks}
        return sum(entry.mailbox in ours for entry in self.system.control.ledger())

    def ask(self, statement: str, **values: object) -> list[Any]:
        """Rows from the product's own tables; ``:company`` is this company."""
        with self.system.runtime.database.transaction() as tx:
            return list(tx.execute(text(statement), {"company": self.company.id, **values}).all())

    def until(self, what: str, done: Callable[[], bool], within: float) -> float:
        """Wait for it; returns the seconds it took. Raises ``TakesTooLong``."""
        began = time.monotonic()
        while True:
            try:
                if done():
                    return time.monotonic() - began
            except DatabaseUnavailable:
                pass  # on purpose, perhaps
            if time.monotonic() > began + within:
                raise TakesTooLong(f"{what}: not within {within:.0f} s")
            time.sleep(0.1)

    def until_left(self, count: int, within: float = 60) -> float:
        """Wait until so many emails have left."""
        return self.until(f"{count} emails", lambda: self.left() >= count, within)

    def until_quiet(self, within: float) -> float:
        """Wait until everything that may go on has gone on, and everybody is notified.

        What is still in doubt after four attempts is not waited for: it is searched for until its grace ends.
        """
        took = self.until("an end of all work", lambda: not self.ask(_WAITING), within)
        for row in self.ask(_IN_DOUBT):
            self.say(
                f"1 email may have left: it is looked for until {row.until:%H:%M:%S}, and not sent again before"
            )
        return took

    def expect(self, name: str, figure: str, holds: bool, otherwise: str) -> None:
        """A finding of this drill alone."""
        self.findings.append(Finding(name, figure, [] if holds else [otherwise]))

    def verdict(self) -> Verdict:
        """Gather the evidence, judge it, print it."""
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
JOIN lanes l ON l.mailbox_id = d.mailbox_id
WHERE d.organization_id = :company AND (d.state IN ('preparing', 'drafted', 'sending')
  OR (d.state = 'in_doubt' AND d.reconcile_attempts < 4)
  OR (d.state IN ('pending', 'queued') AND NOT d.held AND s.status = 'active' AND e.status = 'active' AND l.open))
UNION ALL SELECT o.id FROM outbox o WHERE o.done_at IS NULL AND o.parked_at IS NULL
  AND o.payload->>'event_id' IN (SELECT id::text FROM events WHERE organization_id = :company)
LIMIT 1
"""

_IN_DOUBT = """
SELECT grace_until AT TIME ZONE 'UTC' AS until FROM deliveries WHERE organization_id = :company AND state = 'in_doubt'
"""
