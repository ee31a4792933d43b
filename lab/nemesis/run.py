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

from db.core.session import retry_while_unavailable
from domain.lane import MAX_QUEUED
from lab.drills.company import PASSWORD
from lab.drills.evidence import Evidence, gather
from lab.drills.finding import Finding
from lab.drills.invariants import judge, judge_early
from lab.nemesis import correspondents, driver, post, redirected, troubles
from lab.nemesis.arena import FRESH, Arena
from lab.nemesis.driver import Driver
from lab.nemesis.nemesis import Nemesis
from lab.nemesis.post import Letter, Post
from lab.nemesis.quiet import become_quiet
from lab.nemesis.troubles import TROUBLES, Strike
from observability import configure_logging

DESKS, PEOPLE, DELAYS = 12, 8, ("PT0S", "PT9S", "PT5S")
BY_SMTP = 3  # desks with a mail server of their own
AT_GOOGLE = 3  # desks before them, with mailboxes at Gmail
OF_TENANT = 2  # desks before those, on the application's own token for the whole organization
CROWD = 5  # more at one desk, so that it has more to send than a mailbox may in a minute
_TOKEN = re.compile(
    rb"\b(?:0\.A[\w-]{64}|1//0[\w-]{64}|ya29\.[\w-]{64}|ey[\w-]{20,}\.ey[\w-]{20,}\.[\w-]{20,})"
)
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


def run(
    seed: int, seconds: float, folder: Path, only: tuple[str, ...] = (), *, hurried: bool = False
) -> Result:
    """Run once. Everything is drawn from ``seed``; only the machine's own timing differs between replays.

    ``only``: the kinds of trouble to use. ``hurried``: end at once if something is broken that cannot be undone.
    """
    configure_logging("json", "error")  # of the callers in this process; the others log to files
    chance = random.Random(seed)
    strikes = troubles.draw(chance, seconds, only)
    errands = driver.draw(chance, seconds, DESKS, PEOPLE)
    letters = post.draw(chance, seconds, DESKS - BY_SMTP, PEOPLE)
    latency = chance.uniform(0, 0.6)  # the provider's, so that emails are in flight when somebody withdraws
    lingering = chance.choice([0.5, 5.0, 25.0])  # seconds that an accepted email stays in Drafts
    distance = chance.choice(
        [0.0, 0.02]
    )  # seconds to the database, one way; in half of the runs it is far away
    notified = chance.random() < 0.5  # by the provider, of what arrives; in the other runs we only read
    shutil.rmtree(folder, ignore_errors=True)
    arena = Arena(folder)
    people: Driver | None = None
    mail: Post | None = None
    try:
        arena.start(
            f"Nemesis {seed}",
            desks=DESKS,
            people=PEOPLE,
            delays=DELAYS,
            crowd=CROWD,
            by_smtp=BY_SMTP,
            at_google=AT_GOOGLE,
            of_tenant=OF_TENANT,
            notified=notified,
        )
        correspondents.settle(arena.control, correspondents.draw(chance, arena.readable))
        # Tokens that expire as soon as they are issued, so that every run renews some during withdrawals.
        arena.control.switch(latency=latency, access_token_lifetime=320)
        arena.links["postgres"].distance = distance
        nemesis, people, mail = Nemesis(arena, lingering), Driver(arena), Post(arena)
        plan: list[Strike | driver.Errand | Letter] = sorted(
            [*strikes, *errands, *letters], key=lambda each: each.at
        )
        began = time.monotonic()
        for each in plan:
            time.sleep(max(0.0, began + each.at - time.monotonic()))
            arena.replace_dead()
            match each:
                case Strike():
                    nemesis.strike(each)
                case Letter():
                    mail.start(each)
                case driver.Errand():
                    people.start(each)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        nemesis.heal()
        if hurried and (broken := _broken_early(arena)):
            return Result(seed, seconds, broken)
        quiet_after = become_quiet(arena, [people, mail], nemesis, _REQUESTS_LAST + nemesis.lingering)
        logs = _stop(arena)
        evidence = gather(
            arena.direct, arena.runtime.keys.audit, arena.control, arena.company, arena.journal.calls
        )
        _of_this_run(evidence, arena, strikes)
        redirected_mail = redirected.gather(arena)
        findings = [
            *judge(evidence),
            redirected_mail,
            _of_doubts(evidence, strikes),
            *_of_processes(arena, logs),
        ]
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
        for each_of in (people, mail):
            if each_of is not None:
                each_of.abandon()
        arena.stop()
    if result.holds:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _broken_early(arena: Arena) -> list[Finding]:
    def gathered() -> Evidence:
        calls = list(arena.journal.calls)
        return gather(
            arena.direct, arena.runtime.keys.audit, arena.control, arena.company, calls, settled=False
        )

    evidence = retry_while_unavailable(gathered, 60)
    return [each for each in judge_early(evidence) if not each.holds]


def _of_this_run(evidence: Evidence, arena: Arena, strikes: Sequence[Strike]) -> None:
    """Say by what listening is judged here: mailboxes that can be read, and seconds instead of minutes."""
    heard = evidence.heard
    readable = {each.address for each in arena.readable}
    arrivals = [each for each in heard.arrivals if each.mailbox in readable]
    if any(each.kind == "other_ids" and each.pick // 2 % 2 for each in strikes):
        arrivals = list(correspondents.with_other_ids(arrivals, heard.messages))
    heard.arrivals = list(correspondents.without_text(arrivals, heard))
    heard.fresh, heard.within = FRESH, FRESH + _REQUESTS_LAST


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
    in_doubt = [each for each in evidence.notified if each.in_doubt]
    explained = {each.kind for each in strikes if not TROUBLES[each.kind].leaves_no_doubt}
    return Finding(
        "no mail is in doubt for nothing",
        f"{len(in_doubt)} in doubt",
        []
        if explained
        else [f"whether {each.recipient} was mailed of {each.cause} is unknown" for each in in_doubt],
    )


def _keep_details(arena: Arena, evidence: Evidence) -> None:
    for each in evidence.emails:
        arena.journal.note({"email": asdict(each)})
    for delivery in evidence.deliveries:
        arena.journal.note({"delivery": asdict(delivery)})
