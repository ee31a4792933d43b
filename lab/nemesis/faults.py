"""What goes wrong, and when: a schedule drawn from the seed, so that a seed replays the same troubles."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import dramatiq
import redis
from sqlalchemy import text

from app.broker import Broker, enqueue
from db.core.session import retry_while_unavailable
from domain.delivery import LEASE
from domain.jobs import SendStep
from lab.nemesis.arena import RELAY_DOMAIN, Arena, client_of
from lab.nemesis.proxy import Link

SEND = "POST /me/messages/{id}/send"
CREATE = "POST /me/messages"
REPLY = "POST /me/messages/{id}/createReplyAll"
SEARCH = "GET /me/messages"


@dataclass(frozen=True, slots=True)
class Strike:
    """One trouble: ``at`` seconds after the start, with numbers that pick whom and how long."""

    at: float
    kind: str
    pick: int
    size: float  # 0 to 1


_HELD_UNTIL = {
    "deliveries": ("lease_until", "queued_at"),
    "lanes": ("slot_until",),
    "outbox": ("published_at",),
}
KINDS: dict[str, int] = {
    "kill_worker": 4,
    "kill_scheduler": 2,
    "stop_worker": 2,
    "freeze_worker": 3,
    "freeze_for_long": 1,
    "a_minute_passes": 3,
    "restart_database": 1,
    "crash_database": 1,
    "cut_sessions": 2,
    "empty_redis": 2,
    "crash_redis": 1,
    "redis_fails_over": 3,
    "graph_after": 9,
    "graph_before": 3,
    "graph_claims": 1,
    "throttle": 2,
    "throttle_after": 3,
    "throttle_bursts": 3,
    "sending_limit": 2,
    "never_left": 3,
    "late_drafts": 3,
    "twins": 3,
    "slow_sends": 4,
    "slow_answers": 3,
    "slow_sent_copies": 2,
    "other_ids": 1,
    "slow_link": 2,
    "silent_link": 3,
    "refusing_link": 2,
    "reset_link": 2,
    "cut_replies": 4,
    "cut_requests": 3,
    "step_clock": 2,
    "duplicate_messages": 3,
    "mail_server_hangs_up": 3,
    "relay_throttles": 4,
}
_THROTTLES = (
    ("takes few", "", "421 4.7.0 mail.onbehalf.example Error: too many connections from 127.0.0.1"),
    ("says later", "SMTP MAIL", "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending"),
    ("refuses", "", ""),
    ("says later", "SMTP RCPT", "451 4.7.1 Please try again later (rate limit)"),
    ("takes few", "", "421 4.3.2 Service not available, too many connections"),
    ("says later", "SMTP MAIL", "421 4.7.0 Try again later, closing connection."),
    ("says later", "SMTP DATA", "451 4.7.0 Temporary server error. Please try again later. PRX2"),
    ("says later", "SMTP RCPT", "450 4.7.1 <notices@onbehalf.example>: too many recipients in this minute"),
)  # fmt: skip
# No worker dies of these, and no answer of whoever takes notices is lost.
LEAVE_NO_DOUBT = frozenset({
    "relay_throttles", "redis_fails_over", "empty_redis", "crash_redis", "duplicate_messages", "kill_scheduler",
    "throttle", "throttle_after", "throttle_bursts", "sending_limit", "never_left", "mail_server_hangs_up",
})  # fmt: skip
_SOME = 9
_ALWAYS = "mail_server_hangs_up"  # the only trouble that is a mail server's own


def draw(chance: random.Random, seconds: float, only: Sequence[str] = ()) -> list[Strike]:
    """One trouble every one to three seconds; ``only``: of these kinds.

    In two runs of three only some kinds strike, and these more often: rare troubles meet each other there. A mail
    server's own trouble comes both ways in every run.
    """
    strikes, at = [], 2.0
    kinds = list(KINDS) if chance.random() < 1 / 3 else chance.sample(list(KINDS), _SOME)
    kinds = list(only) or kinds
    weights = [KINDS[kind] for kind in kinds]
    while at < seconds:
        kind = chance.choices(kinds, weights)[0]
        strikes.append(Strike(round(at, 2), kind, chance.randrange(1000), chance.random()))
        at += chance.uniform(1, 3)
    if only:
        return strikes
    # Before and after it has taken an email, while its desks still have some to send.
    strikes += [Strike(round(chance.uniform(2, seconds / 2), 2), _ALWAYS, pick, 0.0) for pick in (0, 1)]
    return sorted(strikes, key=lambda strike: strike.at)


class Nemesis:
    """Strikes one arena. ``lingering``: seconds that an accepted email lies in Drafts."""

    def __init__(self, arena: Arena, lingering: float) -> None:
        self._arena = arena
        self._timers: list[threading.Timer] = []
        self._over = False
        self._failing_over = False
        self._failed_over = 0
        self.troubled: dict[str, UUID] = {}  # the mailboxes where drafts have twins, by address
        self._linger(lingering)

    def _linger(self, seconds: float) -> None:
        self.lingering = seconds
        self._arena.control.switch(drafts_delay=seconds)

    def strike(self, strike: Strike) -> None:
        """Do it; journaled."""
        self._arena.journal.note({"strike": asdict(strike), "at": time.monotonic()})
        act: Callable[[int, float], None] = getattr(self, f"_{strike.kind}")
        act(strike.pick, strike.size)

    def heal(self) -> None:
        """Everything that still hurts ends now."""
        self._over = True  # what runs at this moment plans nothing more
        for timer in self._timers:
            timer.cancel()
        arena = self._arena
        for pid in list(arena.frozen):
            self._thaw(pid)
        if self._failed_over and self._failed_over % 2 == 0:
            # Whoever has stayed connected to the first master would find it a master again, as if nothing had been.
            self._follow_the_master()
            self._redis_fails_over(0, 0.0)
        self._follow_the_master()
        for link in arena.links.values():
            arena.proxy.tell(link.heal)
        arena.control.clear_faults()
        arena.control.switch(sent_gap=0.0, copy_delay=0.0)  # what lies in Drafts goes on lying there
        arena.set_clocks(0.0)
        arena.replace_dead()

    def _kill_worker(self, pick: int, _size: float) -> None:
        arena = self._arena
        victim = arena.workers[pick % len(arena.workers)]
        if victim.pid in arena.frozen or victim.poll() is not None:
            return
        arena.workers.remove(victim)
        arena.processes.kill(victim)
        arena.start_worker()

    def _kill_scheduler(self, pick: int, _size: float) -> None:
        arena = self._arena
        victim = arena.schedulers[pick % len(arena.schedulers)]
        if victim.poll() is not None:
            return
        arena.schedulers.remove(victim)
        arena.processes.kill(victim)
        arena.start_scheduler()

    def _stop_worker(self, pick: int, _size: float) -> None:
        # As a rolling deploy: SIGTERM, and the next one starts while this one still finishes.
        arena = self._arena
        victim = arena.workers[pick % len(arena.workers)]
        if victim.pid not in arena.frozen and victim.poll() is None:
            arena.workers.remove(victim)
            victim.send_signal(signal.SIGTERM)
            arena.start_worker()

    def _freeze_worker(self, pick: int, size: float) -> None:
        arena = self._arena
        victim = arena.workers[pick % len(arena.workers)]
        if victim.poll() is None and not arena.frozen:
            arena.frozen.add(victim.pid)
            os.killpg(victim.pid, signal.SIGSTOP)
            self._later(1 + 7 * size, lambda: self._thaw(victim.pid))

    def _freeze_for_long(self, pick: int, _size: float) -> None:
        """Longer than its lease: the others see the lease end while it stands still; it goes on when all is healed."""
        arena = self._arena
        victim = arena.workers[pick % len(arena.workers)]
        if victim.poll() is None and not arena.frozen:
            arena.frozen.add(victim.pid)
            os.killpg(victim.pid, signal.SIGSTOP)
            self._later(8, lambda: age_leases(arena))

    def _a_minute_passes(self, _pick: int, _size: float) -> None:
        """Leases of whoever is slow (or dead) end now; the slow one goes on, and must find that it has lost them."""
        age_leases(self._arena)

    def _thaw(self, pid: int) -> None:
        self._arena.frozen.discard(pid)
        os.killpg(pid, signal.SIGCONT)

    def _restart_database(self, _pick: int, _size: float) -> None:
        self._arena.postgres.restart("fast")

    def _crash_database(self, _pick: int, size: float) -> None:
        self._arena.postgres.stop("immediate")
        time.sleep(3 * size)
        self._arena.postgres.restart("immediate")

    def _cut_sessions(self, _pick: int, _size: float) -> None:
        cut = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'onbehalf%'"
        )
        # Again if need be: our own session may have ended with the database just before.
        retry_while_unavailable(partial(_do, self._arena, cut), 60)

    def _empty_redis(self, _pick: int, size: float) -> None:
        """Again and again for up to three seconds: a bell lies there for milliseconds only."""
        for number in range(1 + int(30 * size)):
            self._later(0.1 * number, self._flush_redis)

    def _flush_redis(self) -> None:
        try:
            redis.Redis.from_url(self._arena.redis.url()).flushall()
        except redis.RedisError as error:
            self._arena.journal.note({"not emptied": type(error).__name__})

    def _crash_redis(self, _pick: int, size: float) -> None:
        self._arena.redis.stop(kill=True)
        time.sleep(3 * size)
        self._arena.redis.start()

    def _redis_fails_over(self, pick: int, size: float) -> None:
        """For some seconds its address leads to the former master, which is a replica now: it takes no writes, or cannot be
        read either while it is not in step. Then the address leads to the new one; what is connected stays connected."""
        if self._failing_over:
            return
        stale = ["yes", "no"][pick % 2]  # no: MASTERDOWN until it is in step
        try:
            with client_of(self._arena.redis) as former:
                former.config_set("replica-serve-stale-data", stale)
            self._arena.fail_over()
        except redis.RedisError as error:
            self._arena.journal.note({"not failed over": type(error).__name__})
            return
        self._failing_over = True
        self._failed_over += 1
        self._later(1 + 5 * size, self._follow_the_master)

    def _follow_the_master(self) -> None:
        if self._failing_over:
            self._failing_over = False
            self._arena.follow_the_master()

    def _relay_throttles(self, pick: int, size: float) -> None:
        """Whoever takes notices asks to wait, as each server words it: at its greeting, at the sender, the recipient or the
        text, by refusing connections, or by taking only a few at once."""
        relay = self._arena.links["relay"]
        way, command, reply = _THROTTLES[pick % len(_THROTTLES)]
        if way == "refuses":
            relay.refusing = True
            self._arena.proxy.tell(relay.reset_all)
        elif way == "takes few":
            relay.at_most, relay.turned_away = pick // len(_THROTTLES) % 3, f"{reply}\r\n".encode()
        else:
            whom = "" if command == "SMTP RCPT" else f"notices@{RELAY_DOMAIN}"
            times = 2 + int(12 * size)
            for mailbox in [whom] if whom else self._recipients():
                self._arena.control.fault(
                    command, mailbox=mailbox, times=times, status=int(reply[:3]), body=reply[4:]
                )
            return
        self._later(2 + 8 * size, lambda: self._arena.proxy.tell(relay.heal))

    def _recipients(self) -> set[str]:
        """Whoever gets notices."""
        return {
            each
            for desk in self._arena.company.desks
            for each in (desk.owner_email, desk.mailbox_owner_email)
        }

    def _graph_after(self, pick: int, size: float) -> None:
        """The provider acts, and the answer is lost, wrong or late."""
        answers: list[dict[str, object]] = [
            {"status": 504},
            {"status": 500},
            {"status": 503},
            {"reset": True},
            {"status": 202, "headers": {"Retry-After": "2"}},
            {"delay": 1 + 3 * size},
            {"hang": 5.0},
            {"status": 404},
        ]
        route = [SEND, SEND, SEND, CREATE, REPLY][pick % 5]
        answer = answers[pick // 5 % len(answers)]
        self._arena.control.fault(route, when="after", times=1 + int(5 * size), **answer)

    def _graph_before(self, pick: int, size: float) -> None:
        """The provider does not act; some of these look just like the ones above."""
        answers: list[dict[str, object]] = [
            {"status": 503},
            {"status": 500},
            {"reset": True},
            {"status": 401},
            {"delay": 1 + 3 * size},
            {"status": 504},
            {"hang": 5.0},
        ]
        route = [SEND, SEND, CREATE, REPLY, SEARCH][pick % 5]
        answer = answers[pick // 5 % len(answers)]
        self._arena.control.fault(route, when="before", times=1 + int(3 * size), **answer)

    def _graph_claims(self, _pick: int, _size: float) -> None:
        challenge = 'Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
        headers = {"WWW-Authenticate": challenge}
        self._arena.control.fault(CREATE, when="before", status=401, headers=headers)

    def _throttle(self, pick: int, size: float) -> None:
        route = [SEND, CREATE, "*"][pick % 3]
        headers = {"Retry-After": str(1 + int(2 * size))}
        self._arena.control.fault(route, when="before", times=3 + int(5 * size), status=429, headers=headers)

    def _throttle_after(self, _pick: int, size: float) -> None:
        """It has been seen: a submission is taken, and the answer is 429."""
        headers = {"Retry-After": "1"}
        self._arena.control.fault(SEND, when="after", times=1 + int(5 * size), status=429, headers=headers)

    def _throttle_bursts(self, pick: int, size: float) -> None:
        """Much at once, at one desk or at all: refused, whether or not it was carried out."""
        refusals = ["request_rate", "too_many_requests", "mailbox_concurrency", "server_busy", "bandwidth"]
        desks = [desk for desk in self._arena.company.desks if not desk.by_smtp]
        self._arena.control.fault(
            SEND,
            mailbox=["", desks[pick % len(desks)].address][pick % 2],
            when=["before", "after"][pick // 2 % 2],
            times=4 + int(12 * size),
            refusal=refusals[pick // 4 % len(refusals)],
            headers={"Retry-After": str(1 + int(3 * size))},
        )

    def _sending_limit(self, pick: int, size: float) -> None:
        """One mailbox, or any, has sent as much as it may; it passes while everybody still waits for it."""
        limits = ["message_limit", "submission_quota", "tenant_limit", "hourly_limit"]
        desks = [desk for desk in self._arena.company.desks if not desk.by_smtp]
        self._arena.control.fault(
            SEND,
            mailbox=["", desks[pick % len(desks)].address][pick % 2],
            times=1 + int(4 * size),
            refusal=limits[pick // 2 % len(limits)],
        )

    def _never_left(self, pick: int, size: float) -> None:
        """Accepted, and the item lies in Drafts for ever; its copy has left or has not."""
        stuck = ["kept", "copied"][pick % 2]
        self._arena.control.fault(SEND, times=1 + int(2 * size), stuck=stuck)

    def _late_drafts(self, pick: int, size: float) -> None:
        """Drafts take long to be made, and before they are, their workers are given up: twins come to lie beside them."""
        self._arena.control.fault(CREATE, when="before", times=4 + pick % 5, delay=2 + 2 * size)
        self._later(1.5, lambda: age_leases(self._arena))

    def _duplicates(self, pick: int, _size: float) -> None:
        """At one desk, the worst that can come together: a draft is made after its worker was given up and another has made
        its own, the answers to submissions are lost, and a rule of the mailbox's owner empties Sent Items."""
        desks = [desk for desk in self._arena.company.desks if not desk.by_smtp]
        desk = desks[pick % len(desks)]
        control = self._arena.control
        for route in (CREATE, REPLY):
            for skip in (0, 1, 1):  # the first attempt at an email, not the second
                control.fault(route, mailbox=desk.address, when="before", times=1, skip=skip, delay=8.0)
        control.fault(SEND, mailbox=desk.address, when="after", times=30, status=504)
        if not self.troubled:
            self._later(0.3, self._trouble)
        self.troubled[desk.address] = desk.mailbox_id

    def _trouble(self) -> None:
        """Whoever drafts in such a mailbox for more than a second is given up, once an email; the owner's rule runs."""
        for mailbox_id in list(self.troubled.values()):
            statement = (
                "UPDATE deliveries SET lease_until = lease_until - interval '60 seconds' WHERE mailbox_id = :id"
                " AND state = 'preparing' AND attempts = 1 AND lease_until < clock_timestamp() + :rest"
            )
            rest = LEASE - timedelta(seconds=1)
            retry_while_unavailable(partial(_do, self._arena, statement, id=mailbox_id, rest=rest), 60)
        self.tidy()
        self._later(0.3, self._trouble)

    def tidy(self) -> None:
        """The rule runs."""
        for address in list(self.troubled):
            tidy(self._arena, address)

    def _slow_sends(self, _pick: int, size: float) -> None:
        """Submissions take effect late: whoever says no meanwhile has to wait for them."""
        self._arena.control.fault(SEND, when="before", times=10 + int(20 * size), delay=0.8 + 2 * size)

    def _slow_answers(self, _pick: int, size: float) -> None:
        """Accepted, and the answer comes later than a recall does, while the copy still lies in the mailbox."""
        self._arena.control.switch(copy_delay=6.0)
        self._arena.control.fault(SEND, when="after", times=8, delay=3.5 + 2 * size)

    def _mail_server_hangs_up(self, pick: int, _size: float) -> None:
        """Instead of the last reply, with or without having taken the email: two emails of each desk that it serves."""
        when = ["before", "after"][pick % 2]
        for desk in self._arena.company.desks:
            if desk.by_smtp:
                self._arena.control.fault("SMTP DATA", mailbox=desk.address, when=when, reset=True, times=2)

    def _slow_sent_copies(self, pick: int, size: float) -> None:
        self._linger(25 * size)
        self._arena.control.switch(sent_gap=[0.0, 5.0][pick % 2], copy_delay=[0.0, 5.0][pick // 2 % 2])

    def _other_ids(self, pick: int, _size: float) -> None:
        self._arena.control.switch(
            immutable_id_survives=pick % 2 == 0, keeps_internet_message_id=pick // 2 % 2 == 0
        )

    def _slow_link(self, pick: int, size: float) -> None:
        link = self._link(pick)
        # The database answers dozens of times per email: a little is much there.
        link.delay = 0.02 + (0.1 if link.name == "postgres" else 1.0) * size
        self._heal_later(pick, 2 + 3 * size)

    def _silent_link(self, pick: int, size: float) -> None:
        self._arena.proxy.tell(self._link(pick).fall_silent)
        self._heal_later(pick, 1 + 11 * size)

    def _refusing_link(self, pick: int, size: float) -> None:
        self._link(pick).refusing = True
        self._arena.proxy.tell(self._link(pick).reset_all)
        self._heal_later(pick, 1 + 3 * size)

    def _reset_link(self, pick: int, _size: float) -> None:
        self._arena.proxy.tell(self._link(pick).reset_all)

    def _cut_replies(self, pick: int, size: float) -> None:
        self._link(pick).cut_replies = 1 + int(4 * size)

    def _cut_requests(self, pick: int, size: float) -> None:
        self._link(pick).cut_requests = 1 + int(4 * size)

    def _step_clock(self, pick: int, size: float) -> None:
        self._arena.set_clocks(round(240 * size - 120, 1), pick)

    def _duplicate_messages(self, _pick: int, _size: float) -> None:
        """Every delivery rings again, with its present number and an old one: late and doubled messages."""
        jobs = retry_while_unavailable(self._begun, 60)
        try:
            broker = Broker(self._arena.redis.url())
            for job in jobs:
                for number in (job.dispatch_no, job.dispatch_no, max(1, job.dispatch_no - 1)):
                    enqueue(broker, SendStep(job.delivery_id, number))
            broker.close()
        except (dramatiq.errors.BrokerError, redis.RedisError) as error:
            self._arena.journal.note({"not rung": type(error).__name__})

    def _begun(self) -> list[SendStep]:
        with self._arena.direct.transaction() as tx:
            rows = tx.execute(
                text(
                    "SELECT id, dispatch_no FROM deliveries WHERE dispatch_no > 0 AND (state <> 'sent'"
                    " OR sent_at > clock_timestamp() - interval '10 seconds') LIMIT 60"
                )
            ).all()
        return [SendStep(row.id, row.dispatch_no) for row in rows]

    def _link(self, pick: int) -> Link:
        return list(self._arena.links.values())[pick % len(self._arena.links)]

    def _heal_later(self, pick: int, seconds: float) -> None:
        link = self._link(pick)
        self._later(seconds, lambda: self._arena.proxy.tell(link.heal))

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        if self._over:
            return
        timer = threading.Timer(seconds, what)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)


def tidy(arena: Arena, address: str) -> None:
    """Clear out a mailbox's Sent Items for good: no trace is left of what is looked for there."""
    for item in arena.control.messages(address):
        if item["folder"] == "sentitems" and item["copied"]:
            arena.control.delete(address, item["id"])


def age_leases(arena: Arena) -> None:
    """As if a minute had passed for whoever holds something: leases end, bells are rung again."""
    for table, condition in (
        ("deliveries", "state IN ('queued', 'preparing', 'drafted', 'sending')"),
        ("lanes", "slot_until IS NOT NULL"),
        ("outbox", "done_at IS NULL"),
    ):
        ages = ", ".join(f"{name} = {name} - interval '60 seconds'" for name in _HELD_UNTIL[table])
        statement = f"UPDATE {table} SET {ages} WHERE {condition}"
        retry_while_unavailable(partial(_do, arena, statement), 60)


def _do(arena: Arena, statement: str, **parameters: object) -> None:
    with arena.direct.transaction() as tx:  # one each: they lock in no particular order
        tx.execute(text(statement), parameters)
