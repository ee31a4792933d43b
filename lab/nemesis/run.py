"""One run: trouble and work at once, then heal, wait until all is quiet, judge."""

import random
import re
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import redis
from sqlalchemy import text

from db.core.session import DatabaseUnavailable
from domain.lane import MAX_QUEUED
from lab.drills.company import PASSWORD
from lab.drills.evidence import Evidence, gather
from lab.drills.invariants import Finding, judge
from lab.nemesis import driver, troubles
from lab.nemesis.arena import Arena
from lab.nemesis.driver import Driver
from lab.nemesis.nemesis import Nemesis
from lab.nemesis.processes import age_leases
from lab.nemesis.troubles import TROUBLES, Strike
from observability import configure_logging

DESKS, PEOPLE, DELAYS = 16, 8, ("PT0S", "PT4S", "PT3S")
BY_SMTP = 4  # desks with a mail server of their own
CROWD = 5  # more at one desk, so that it has more to send than a mailbox may in a minute
_TOKEN = re.compile(rb"\b(?:0\.A[\w-]{64}|ey[\w-]{20,}\.ey[\w-]{20,}\.[\w-]{20,})")
_QUIET_WITHIN = 300.0  # a bound: what never ends must show as such
# A request leaves within 2 s of the gate and lasts at most 25 s. The grace must not be cut below that plus the
# time that an accepted email then stays in Drafts, because it has to outlast both.
_REQUESTS_LAST = 28.0


@dataclass(slots=True)
class Result:
    """One run's findings, and figures about the run."""

    seed: int
    seconds: float
    findings: list[Finding]
    emails: int = 0
    withdrawals: int = 0
    strikes: Counter[str] = field(default_factory=Counter)
    quiet_after: float = 0.0
    deepest: int = 0

    @property
    def holds(self) -> bool:
        """Did every invariant hold?"""
        return all(each.holds for each in self.findings)


def run(seed: int, seconds: float, folder: Path, only: tuple[str, ...] = ()) -> Result:
    """Run once. Everything is drawn from ``seed``; only the machine's own timing differs between replays.

    ``only``: the kinds of trouble to use.
    """
    configure_logging("json", "error")  # of the callers in this process; the others log to files
    chance = random.Random(seed)
    strikes = troubles.draw(chance, seconds, only)
    errands = driver.draw(chance, seconds, DESKS, PEOPLE)
    latency = chance.uniform(0, 0.6)  # the provider's, so that emails are in flight when somebody withdraws
    lingering = chance.choice([0.5, 5.0, 25.0])  # seconds that an accepted email stays in Drafts
    distance = chance.choice(
        [0.0, 0.02]
    )  # seconds to the database, one way; in half of the runs it is far away
    shutil.rmtree(folder, ignore_errors=True)
    arena = Arena(folder)
    people: Driver | None = None
    try:
        arena.start(
            f"Nemesis {seed}", desks=DESKS, people=PEOPLE, delays=DELAYS, crowd=CROWD, by_smtp=BY_SMTP
        )
        # Tokens that expire as soon as they are issued, so that every run renews some during withdrawals.
        arena.control.switch(latency=latency, access_token_lifetime=320)
        arena.links["postgres"].distance = distance
        nemesis, people = Nemesis(arena, lingering), Driver(arena)
        plan: list[Strike | driver.Errand] = sorted([*strikes, *errands], key=lambda each: each.at)
        began = time.monotonic()
        for each in plan:
            time.sleep(max(0.0, began + each.at - time.monotonic()))
            arena.replace_dead()
            if isinstance(each, Strike):
                nemesis.strike(each)
            else:
                people.start(each)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        nemesis.heal()
        quiet_after = _become_quiet(arena, people, nemesis, _REQUESTS_LAST + nemesis.lingering)
        logs = _stop(arena)
        evidence = gather(
            arena.direct, arena.runtime.keys.audit, arena.control, arena.company, arena.journal.calls
        )
        findings = [*judge(evidence), _of_doubts(evidence, strikes), *_of_processes(arena, logs)]
        result = Result(
            seed,
            seconds,
            findings,
            emails=len(evidence.emails),
            withdrawals=sum(bool(call.forbids) and call.done for call in evidence.calls),
            strikes=Counter(each.kind for each in strikes),
            quiet_after=quiet_after,
            deepest=arena.deepest,
        )
        if not result.holds:
            _keep_details(arena, evidence)
    finally:
        if people is not None:
            people.abandon()
        arena.stop()
    if result.holds:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _become_quiet(arena: Arena, people: Driver, nemesis: Nemesis, grace: float) -> float:
    """Let everything that can continue do so, and make due what would take minutes. Returns the seconds taken.

    ``grace``: seconds left of the ten minutes, from the submission and from the end of the troubles.
    """
    healed = time.monotonic()
    time.sleep(3)
    age_leases(arena)
    people.wait(90)
    while time.monotonic() < healed + _QUIET_WITHIN:
        arena.replace_dead()
        nemesis.tidy()
        try:
            _hurry(arena)
            if time.monotonic() > healed + grace:
                _end_graces(arena, grace)
                _see_what_left(arena, grace)
            if _is_quiet(arena):
                break
        except DatabaseUnavailable:
            pass  # sessions of before the restart
        time.sleep(1)
    return time.monotonic() - healed


def _hurry(arena: Arena) -> None:
    with arena.direct.transaction() as tx:
        tx.execute(
            text(
                "WITH sooner AS (UPDATE deliveries SET due_at = clock_timestamp() WHERE state = 'pending' AND NOT held"
                # Steps are seconds apart here. What waits for a minute waits for a sending limit.
                "   AND (failures > 0 OR attempts > 0 OR due_at > clock_timestamp() + interval '1 minute')"
                "   AND due_at > clock_timestamp() + interval '2 seconds'"
                "   AND reason IS DISTINCT FROM 'previous_email_still_in_drafts'"
                "   RETURNING mailbox_id)"
                " UPDATE lanes SET next_due_at = clock_timestamp() WHERE mailbox_id IN (SELECT mailbox_id FROM sooner)"
            )
        )
        tx.execute(
            text("UPDATE lanes SET retry_after_until = NULL WHERE retry_after_until > clock_timestamp()")
        )
        tx.execute(
            text("UPDATE outbox SET available_at = clock_timestamp() WHERE available_at > clock_timestamp()")
        )


def _end_graces(arena: Arena, seconds: float) -> None:
    with arena.direct.transaction() as tx:
        tx.execute(
            text(
                "UPDATE deliveries SET due_at = clock_timestamp(), grace_until = clock_timestamp()"
                " WHERE state = 'in_doubt' AND grace_until > clock_timestamp()"
                " AND send_started_at < clock_timestamp() - make_interval(secs => :seconds)"
            ),
            {"seconds": seconds},
        )


def _see_what_left(arena: Arena, seconds: float) -> None:
    """Make the check of Drafts due for emails accepted longer ago than they may stay there."""
    with arena.direct.transaction() as tx:
        tx.execute(
            text(
                "WITH due AS (UPDATE deliveries SET left_check_at = clock_timestamp() - interval '1 second'"
                "   WHERE left_check_at > clock_timestamp() AND still_draft_at IS NULL"
                "   AND sent_at < clock_timestamp() - make_interval(secs => :seconds) RETURNING mailbox_id)"
                " UPDATE lanes SET drafts_checked_at = NULL WHERE mailbox_id IN (SELECT mailbox_id FROM due)"
            ),
            {"seconds": seconds},
        )


def _is_quiet(arena: Arena) -> bool:
    with arena.direct.transaction() as tx:
        waiting: bool = tx.execute(
            text(
                "SELECT EXISTS (SELECT FROM deliveries d JOIN sequences s ON s.id = d.sequence_id"
                " JOIN enrollments e ON e.id = d.enrollment_id JOIN lanes l ON l.mailbox_id = d.mailbox_id"
                " WHERE d.state IN ('preparing', 'drafted', 'sending', 'in_doubt') OR (d.state IN ('pending', 'queued')"
                "   AND NOT d.held AND s.status = 'active' AND e.status = 'active' AND l.open"
                "   AND NOT EXISTS (SELECT FROM deliveries p WHERE p.enrollment_id = d.enrollment_id"
                "     AND p.still_draft_at IS NOT NULL))"
                "   OR (d.left_check_at IS NOT NULL AND d.still_draft_at IS NULL AND l.open))"
                " OR EXISTS (SELECT FROM outbox WHERE done_at IS NULL AND parked_at IS NULL)"
            )
        ).scalar_one()
        return not waiting


def _stop(arena: Arena) -> list[str]:
    """Send SIGTERM to all. Returns what went wrong."""
    wrong = []
    for process in list(arena.processes.running):
        if process.poll() is None:
            try:
                arena.processes.terminate(process)
            except Exception as error:  # noqa: BLE001 - a finding, whatever it is
                wrong.append(f"a process did not end in good order: {str(error)[:200]}")
    return wrong


def _of_processes(arena: Arena, wrong: list[str]) -> list[Finding]:
    """What operators would see: no traceback, no secret, a bounded Redis, a clean end."""
    tokens = {PASSWORD, *arena.tokens, *arena.stored_tokens()}
    everything = b"".join(path.read_bytes() for path in sorted((arena.folder / "logs").iterdir()))
    dump = b"".join(
        repr(value).encode()
        for value in redis.Redis.from_url(arena.redis.url()).hgetall("dramatiq:send.msgs").items()
    )
    # Tokens that were replaced are stored nowhere, so anything that looks like one counts.
    seen = [token[:12] for token in tokens if token.encode() in everything + dump]
    seen += [found[:12].decode() for found in _TOKEN.findall(everything + dump)]
    return [
        Finding(
            "no secret in logs and Redis",
            f"{len(tokens)} tokens, and whatever looks like one, looked for",
            sorted({f"token {each}…" for each in seen}),
        ),
        Finding(
            "Redis stays small",
            f"at most {arena.deepest} messages",
            [f"{arena.deepest} messages"] if arena.deepest > 3 * MAX_QUEUED else [],
        ),
        Finding("nothing ends in a traceback", "logs read", [*arena.processes.tracebacks()[:5], *wrong]),
    ]


def _of_doubts(evidence: Evidence, strikes: Sequence[Strike]) -> Finding:
    """A mail service that asks to wait has taken nothing. Only a death or a lost answer leaves a notice in doubt."""
    doubted = [each for each in evidence.notified if each.doubted]
    explained = {each.kind for each in strikes if not TROUBLES[each.kind].leaves_no_doubt}
    return Finding(
        "no mail is in doubt for nothing",
        f"{len(doubted)} in doubt",
        []
        if explained
        else [f"whether {each.recipient} was mailed of {each.cause} is unknown" for each in doubted],
    )


def _keep_details(arena: Arena, evidence: Evidence) -> None:
    for each in evidence.emails:
        arena.journal.note({"email": asdict(each)})
    for delivery in evidence.deliveries:
        arena.journal.note({"delivery": asdict(delivery)})
